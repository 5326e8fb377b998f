//! How the member of this machine stands to circles that they are not simply in: one honest sentence each, and what to do next.

use crate::circle::overview::Overview;
use crate::control::{CircleStatus, Hint, Hints, JoinStatus, Notice};
use crate::peer::join_row::{JoinReason, JoinRow};
use crate::store::{Read, StoreError};

/// Of a circle that is here; `None` where they are in.
pub(super) fn of_circle(overview: &Overview) -> Option<Notice> {
    let shown = overview.shown();
    // Another circle may have the name: commands take the id.
    let (name, id) = (&shown.name, shown.id);
    let stays = "What is on this computer stays; nothing new comes.";
    let forget: Hints = Hint::run("circle", "forget", &["-c", &id], "deletes it here").into();
    let (message, hints) = match shown.status {
        CircleStatus::Current | CircleStatus::Admitted => return None,
        CircleStatus::Suspended => (
            format!("You are no longer confirmed in {name}: a steward has to confirm you before you can write again."),
            Hint::run("member", "list", &["-c", &id], "shows the stewards").into(),
        ),
        CircleStatus::Removed => (format!("You were removed from {name}. {stays}"), forget),
        CircleStatus::Left => (format!("You left {name}. {stays}"), forget),
    };
    Some(Notice { circle: id, circle_name: name.clone(), message, hints })
}

/// Of a join; `None` once they are in.
pub(super) fn of_join(join: &JoinRow) -> Option<Notice> {
    let (id, name) = (join.ticket.circle.text(), join.circle_name.0.clone());
    let circle = if name.is_empty() { "a circle".to_owned() } else { name.clone() };
    let cancel = |brings: &str| Hint::run("", "join", &["--cancel", &id], brings);
    let on = || Hint::run("", "join", &[], "goes on waiting");
    let (message, hints): (String, Hints) = match join.status {
        JoinStatus::Contacting => {
            let why = join.reason.map(|reason| format!(" {}", reason.words())).unwrap_or_default();
            let message =
                format!("Your request to join {circle} has reached nobody yet.{why} It goes on trying while Kith is running.");
            (message, [on(), cancel("takes it back")].into())
        }
        JoinStatus::Requested => {
            (format!("Your request to join {circle} waits for a steward to approve it."), [on(), cancel("takes it back")].into())
        }
        JoinStatus::Admitted => (
            format!("You were let into {circle}. Only its stewards know the name you gave until you say yes."),
            [Hint::run("", "join", &[], "shows the members and asks"), cancel("says no")].into(),
        ),
        JoinStatus::Joined => return None,
        JoinStatus::Declined => (
            format!("A steward of {circle} declined your request."),
            [
                Hint::Text(
                    "The person who invited you may know why. While the link is good, it can be used to ask again.".to_owned(),
                ),
                cancel("hides this"),
            ]
            .into(),
        ),
        JoinStatus::Refused => {
            let reason = join.reason.unwrap_or(JoinReason::Unknown);
            (
                format!("Your request to join {circle} did not go through. {}", reason.words()),
                [Hint::Text(reason.advice().to_owned()), cancel("hides this")].into(),
            )
        }
    };
    Some(Notice { circle: id, circle_name: name, message, hints })
}

/// All there are of joins.
pub(super) fn of_joins(read: &dyn Read) -> Result<Vec<Notice>, StoreError> {
    Ok(JoinRow::all(read)?.values().filter_map(of_join).collect())
}

/// All there are of circles.
pub(super) fn of_circles(read: &dyn Read) -> Result<Vec<Notice>, StoreError> {
    let mut notices = Vec::new();
    for overview in Overview::all(read)? {
        notices.extend(of_circle(&overview));
    }
    Ok(notices)
}
