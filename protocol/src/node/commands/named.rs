//! What a command names: a circle that one is in, one of several by its id.

use crate::circle::state::CircleState;
use crate::circle::summary::{self, Summary};
use crate::context::{Cx, InputError};
use crate::control::{Code, Error, Hint};
use crate::node::NodeState;

/// The circle that a command names.
pub(super) fn pick(cx: &Cx<'_, '_>, text: &str) -> Result<Summary, InputError> {
    Ok(summary::pick(&Summary::all(&cx.tx)?, text)?.clone())
}

/// The circle that a command names, if one is in it.
pub(super) fn inside<'a>(
    node: &'a mut NodeState,
    cx: &Cx<'_, '_>,
    text: &str,
) -> Result<(&'a mut CircleState, Summary), InputError> {
    let summary = pick(cx, text)?;
    match node.circles.all.get_mut(&summary.id) {
        Some(circle) if circle.is_in() && circle.my_role().is_some() => Ok((circle, summary)),
        _ => Err(InputError::outside()),
    }
}

/// One of several by short id or prefix.
pub(super) fn by_prefix<T: Copy>(
    all: impl Iterator<Item = (String, T)>,
    text: &str,
    what: &str,
    hint: Hint,
) -> Result<T, InputError> {
    // A letter and its dash name nothing, however few there are.
    let found: Vec<(String, T)> = all.filter(|(id, _)| text.len() > 2 && id.starts_with(&text.to_lowercase())).collect();
    match found.as_slice() {
        [(_, one)] => Ok(*one),
        [] => Err(InputError::not_found(&format!("No {what} has that id."), hint)),
        _ => {
            let ids: Vec<&str> = found.iter().take(5).map(|(id, _)| id.as_str()).collect();
            Err(InputError::Refused(Error::new(
                Code::Ambiguous,
                format!("Several {what}s begin like that."),
                format!("Use more of the id: {}.", ids.join(", ")),
            )))
        }
    }
}
