//! What a device is told that is not in a circle any more, and nothing else.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use crate::circle::act::Farewell;
use crate::circle::body::Role;
use crate::circle::membership::Status;
use crate::circle::state::CircleState;
use crate::id::DeviceId;
use crate::io::Env;
use crate::limits;
use crate::sync::message::{Bytes, Message};
use crate::time::{DAY, Millis};

/// The farewells of a device's person that are still handed over, the newest first.
pub(super) fn farewells<'a>(circle: &'a CircleState, device: &DeviceId, now: Millis) -> impl Iterator<Item = &'a Farewell> {
    let all = circle.now().person_of(device).map(|person| circle.farewells_of(&person)).unwrap_or_default();
    let fresh = all.iter().rev().filter(move |(_, at)| now.since(*at) <= limits::FAREWELL_DAYS * DAY);
    fresh.map(|(farewell, _)| farewell).take(limits::FAREWELLS)
}

/// Did a device's person leave, and is it for this machine to note that?
fn is_noted(circle: &CircleState, device: &DeviceId) -> bool {
    let state = circle.now();
    let Some(person) = state.person_of(device) else { return false };
    let left = state.people.get(&person).is_some_and(|person| person.status == Status::Left);
    left && circle.notes_leaves() && circle.farewells_of(&person).is_empty()
}

/// Is there anything to tell a device that is not in any more?
pub(super) fn is_told(circle: &CircleState, device: &DeviceId, now: Millis) -> bool {
    is_noted(circle, device) || farewells(circle, device, now).next().is_some()
}

/// Its farewells, for a time; or that its leave is noted.
pub(super) fn parting(circle: &CircleState, device: &DeviceId, env: &Env<'_>) -> Vec<Message> {
    if is_noted(circle, device) {
        return vec![Message::Got(Vec::new(), 0)];
    }
    let mut all: Vec<Farewell> = farewells(circle, device, env.now).cloned().collect();
    // Who was away when somebody became a steward does not believe what that steward signed. A steward whom they know tells them, too.
    if circle.my_role().is_some_and(|role| role >= Role::Steward)
        && let Some(newest) = all.first().filter(|newest| newest.signer != circle.device())
    {
        all.push(newest.signed_again(env.crypto, circle.signer()));
    }
    all.into_iter().map(|farewell| Message::Farewell(Bytes(farewell.bytes()))).collect()
}
