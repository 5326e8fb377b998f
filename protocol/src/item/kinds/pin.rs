//! Pins: keep an item at the top, or no longer. Composed by [`crate::item::mark::set`].

use crate::circle::body::Role;
use crate::control::Subject;
use crate::item::kind::{Appears, Editors, Field, Form, Kind, Spec, Targets, fields};

/// Its row.
pub const SPEC: Spec = Spec {
    kind: Kind::Pin,
    noun: Subject::Pin,
    path: "pin",
    letter: 'i',
    class: None,
    opened_by: Role::Facilitator,
    edited_by: Editors::Anyone,
    targets: Targets::Listed,
    fields: &[Field::new(fields::ON, "on", Form::Flag).required()],
    appears: Appears::NOWHERE,
};
