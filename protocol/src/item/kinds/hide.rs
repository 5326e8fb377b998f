//! Hides: take an item out of sight for everybody, or show it again. Composed by [`crate::item::mark::set`].

use crate::circle::body::Role;
use crate::control::Subject;
use crate::item::kind::{Appears, Editors, Field, Form, Kind, Spec, Targets, fields};

/// Its row.
pub const SPEC: Spec = Spec {
    kind: Kind::Hide,
    noun: Subject::Hide,
    path: "hide",
    letter: 'h',
    class: None,
    opened_by: Role::Facilitator,
    edited_by: Editors::Anyone,
    targets: Targets::Told,
    fields: &[Field::new(fields::ON, "on", Form::Flag).required()],
    appears: Appears::NOWHERE,
};
