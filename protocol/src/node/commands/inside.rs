//! The circle that a command names.

use crate::circle::overview;
use crate::circle::state::CircleState;
use crate::circle::summary::Summary;
use crate::context::{Cx, InputError};
use crate::node::NodeState;

/// The circle that a command names, if one is in it.
pub(super) fn inside<'a>(
    node: &'a mut NodeState,
    cx: &Cx<'_, '_>,
    text: &str,
) -> Result<(&'a mut CircleState, Summary), InputError> {
    let summary = overview::named(&cx.tx, text)?;
    match node.circles.all.get_mut(&summary.id) {
        Some(circle) if circle.is_in() && circle.my_role().is_some() => Ok((circle, summary)),
        _ => Err(InputError::outside()),
    }
}
