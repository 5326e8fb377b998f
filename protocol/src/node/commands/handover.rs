//! The last steward goes only if they say what becomes of the others.
//!
//! The rules of membership let anybody leave or step down at any time; that stays. What is refused here is a command by which the
//! others would lose, for good and by a slip, everybody who can let people in.

use crate::circle::body::{Role, Statement};
use crate::circle::membership::Status;
use crate::circle::state::CircleState;
use crate::circle::summary::{self, PersonRow, Summary};
use crate::context::{Cx, InputError};
use crate::control::{Code, Error, Hint, Hints};
use crate::id::PersonId;
use crate::limits::NAMES_TOLD;

/// What somebody says about who takes over.
pub(super) struct Handover<'a> {
    /// Who becomes a steward, in the same commit.
    pub(super) successor: Option<&'a str>,
    /// Nobody, and they know what that means.
    pub(super) nobody: bool,
    /// What is to be typed to do it all the same, behind `kith`.
    pub(super) again: Hint,
}

/// Before this machine's member stops being a steward: makes the successor a steward, or refuses where nobody would be left who is
/// one.
///
/// # Errors
/// [`Code::NeedsConfirmation`] where nobody was named and nobody is left; [`Code::NotAllowed`] where the successor cannot be one.
pub(super) fn hand_over(
    circle: &mut CircleState,
    cx: &mut Cx<'_, '_>,
    summary: &Summary,
    handover: Handover<'_>,
) -> Result<(), InputError> {
    if let Some(successor) = handover.successor {
        return appoint(circle, cx, summary, successor);
    }
    let left = stay_without_steward(summary);
    if handover.nobody || left.is_empty() {
        return Ok(());
    }
    let message = format!(
        "You are the last steward of \"{}\". Without one, {} can never again let anybody in, remove anybody or change the \
         circle's rules.",
        summary.name.0,
        told(summary, &left)
    );
    let mut hints = Vec::new();
    if summary.my_role() == Some(Role::Founder) {
        hints.push(Hint::run("member", "role", &["NAME", "steward"], "makes somebody a steward first"));
    } else {
        hints.push(Hint::Text(only_the_founder(summary)));
    }
    hints.push(handover.again);
    Err(InputError::Refused(Error::new(Code::NeedsConfirmation, message, Hints(hints))))
}

fn appoint(circle: &mut CircleState, cx: &mut Cx<'_, '_>, summary: &Summary, successor: &str) -> Result<(), InputError> {
    let person = summary::pick_person(summary, successor)?.clone();
    if Some(person.id) == summary.me {
        return Err(InputError::usage("You cannot be your own successor.", "Name somebody else."));
    }
    if !person.is_current() {
        return Err(InputError::not_allowed("Only somebody who is in the circle now can be your successor."));
    }
    if person.role >= Some(Role::Steward) {
        return Ok(());
    }
    if summary.my_role() != Some(Role::Founder) {
        return Err(InputError::not_allowed("Only the founder makes somebody a steward, so you cannot name a successor."));
    }
    let raise = Statement::Role { person: person.id, role: Role::Steward, points: Default::default(), proposal: None };
    circle.write(cx, raise, false).map(|_| ())
}

/// To the last steward, who is not the founder: so the founder is out, or waits to be confirmed.
fn only_the_founder(summary: &Summary) -> String {
    let waits = |person: &&PersonRow| person.role == Some(Role::Founder) && person.status == Status::Suspended;
    match summary.people.iter().find(waits) {
        Some(founder) => {
            format!(
                "Only {}, who founded the circle, could make somebody else a steward, once you confirm them.",
                summary.called(&founder.id)
            )
        }
        None => {
            "Nobody can make somebody else a steward: only the founder could, and this circle has no founder anymore.".to_owned()
        }
    }
}

/// Everybody who would be left without a steward, if this machine's member were none any more; nobody, where one is left, or where
/// they are none now.
fn stay_without_steward(summary: &Summary) -> Vec<&PersonRow> {
    let steward = |person: &PersonRow| person.is_current() && person.role >= Some(Role::Steward);
    let mine = |person: &PersonRow| summary.me == Some(person.id);
    if !summary.people.iter().any(|person| mine(person) && steward(person)) {
        return Vec::new();
    }
    let in_or_waiting = |person: &&PersonRow| matches!(person.status, Status::Current | Status::Suspended);
    let others: Vec<&PersonRow> = summary.people.iter().filter(|person| !mine(person)).filter(in_or_waiting).collect();
    if others.iter().any(|person| steward(person)) { Vec::new() } else { others }
}

/// Their names, as part of a sentence.
fn told(summary: &Summary, people: &[&PersonRow]) -> String {
    let mut ids: Vec<PersonId> = people.iter().map(|person| person.id).collect();
    ids.sort_by_key(|id| summary.called(id));
    let more = ids.len().saturating_sub(NAMES_TOLD);
    let mut names: Vec<String> = ids.iter().take(NAMES_TOLD).map(|id| summary.called(id)).collect();
    if more > 0 {
        names.push(format!("{more} more"));
    }
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}
