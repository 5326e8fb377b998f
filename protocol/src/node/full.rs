//! How many circles a home holds, and whether there is room for one more.
//!
//! Those count that one is in or may still come into: circles, and joins under way. What ended for this member (left, removed from)
//! stays to be read and takes nobody's room.

use std::collections::{BTreeMap, BTreeSet};

use super::NodeState;
use super::named::parse_link;
use crate::circle::overview::Overview;
use crate::circle::state::{CircleState, OwnStanding};
use crate::context::InputError;
use crate::control::{Code, Error, Hint};
use crate::id::CircleId;
use crate::io::Answer;
use crate::limits::CIRCLES;
use crate::peer::join_row::JoinRow;
use crate::store::Read;
use crate::time::{DAY, Millis};

impl NodeState {
    /// Is there room for one more circle? `id`: for this one, which may be among those that count.
    ///
    /// # Errors
    /// [`Code::TooLarge`] where there is none.
    pub(super) fn room_for(&self, id: Option<&CircleId>, now: Millis) -> Result<(), InputError> {
        let standing = |circle: &CircleState| (circle.id(), circle.standing());
        room(self.circles.all.values().map(standing), &self.peers.joins, id, now)
    }
}

/// Answers the same question from the store, before anybody is asked anything. `link`: for the circle that it leads to.
pub(super) fn ask(base: &dyn Read, link: Option<&str>, now: Millis) -> Result<Answer, InputError> {
    let ticket = link.map(parse_link).transpose()?;
    room(Overview::standings(base)?.into_iter(), &JoinRow::all(base)?, ticket.map(|ticket| ticket.circle).as_ref(), now)?;
    Ok(Answer::Done)
}

fn room(
    held: impl Iterator<Item = (CircleId, OwnStanding)>,
    joins: &BTreeMap<CircleId, JoinRow>,
    id: Option<&CircleId>,
    now: Millis,
) -> Result<(), InputError> {
    let mut count: BTreeSet<CircleId> =
        held.filter(|(_, standing)| matches!(standing, OwnStanding::In | OwnStanding::Admitted)).map(|(id, _)| id).collect();
    // Nobody lets anybody in by an invite whose time is over.
    let open = |join: &&JoinRow| join.open() && now <= join.ticket.expires.plus(DAY);
    count.extend(joins.values().filter(open).map(|join| join.ticket.circle));
    if count.len() < CIRCLES || id.is_some_and(|id| count.contains(id)) {
        return Ok(());
    }
    let message = format!("You are in {CIRCLES} circles, and one home holds no more.");
    let hint =
        [Hint::run("circle", "leave", &[], "makes room"), Hint::Text("Circles that ended for you do not count.".to_owned())];
    Err(InputError::Refused(Error::new(Code::TooLarge, message, hint)))
}
