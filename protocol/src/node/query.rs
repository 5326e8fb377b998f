//! Queries: what the local API reads, on a connection of its own. Changes nothing.

mod doctor;
mod items;

use crate::circle::body::Role;
use crate::circle::membership::Status;
use crate::circle::overview::{self, InviteList, Overview};
use crate::circle::state::{CircleRow, OwnStanding};
use crate::circle::summary::Summary;
use crate::circle::ticket::PeerHint;
use crate::context::InputError;
use crate::control::{self, ClockDoubt, Error, Time};
use crate::crypto::Crypto;
use crate::id::{PeerId, short_text};
use crate::io::{Answer, Query};
use crate::log::chain;
use crate::node::{draft_row, full, named, notices, shown};
use crate::peer;
use crate::peer::join_row::JoinRow;
use crate::peer::requests::RequestRow;
use crate::peer::{tickets, welcome};
use crate::store::{Read, StoreError};
use crate::sync::clocks;
use crate::time::Millis;

/// Answers a query from a snapshot of the store.
///
/// # Errors
/// The outer error where the store fails; the inner one is for the caller.
pub fn answer(base: &dyn Read, crypto: &dyn Crypto, now: Millis, query: Query) -> Result<Result<Answer, Error>, StoreError> {
    match ask(base, crypto, now, query) {
        Ok(answer) => Ok(Ok(answer)),
        Err(InputError::Refused(error)) => Ok(Err(error)),
        Err(InputError::Store(error)) => Err(error),
        Err(InputError::Peer(_) | InputError::Later(..)) => {
            Ok(Err(Error::new(control::Code::Failed, "That could not be answered.", "")))
        }
    }
}

fn ask(base: &dyn Read, crypto: &dyn Crypto, now: Millis, query: Query) -> Result<Answer, InputError> {
    match query {
        Query::Status => Ok(Answer::Status(Box::new(status(base, now)?))),
        Query::Circles => circles(base),
        Query::Circle(circle) => one_circle(base, &circle),
        Query::Members(circle) => Ok(Answer::Members(overview::named(base, &circle)?.members())),
        Query::Invites(circle) => invites(base, now, &circle),
        Query::Pending(circle) => Ok(Answer::Pending(pending(stewarded(&overview::named(base, &circle)?)?, base, crypto)?)),
        Query::Joins => joins(base),
        Query::Room(link) => full::ask(base, link.as_deref(), now),
        Query::Drafts => Ok(Answer::Drafts(draft_row::all(base)?)),
        Query::Draft(draft) => Ok(Answer::Draft(Box::new(draft_row::one(base, &draft)?))),
        Query::Doctor => doctor::doctor(base, crypto, now),
        Query::List { circle, kind, filter } => items::list(base, now, circle.as_deref(), kind, &filter),
        Query::Show { circle, kind, item, reveal } => items::one(base, now, circle.as_deref(), kind, &item, reveal),
        Query::History { circle, item, reveal } => items::history(base, now, circle.as_deref(), &item, reveal),
        Query::Import(import) => items::import(base, &import),
        Query::Inbox { circle } => items::inbox(base, crypto, now, circle.as_deref()),
        Query::Search { words, circle, limit } => items::search(base, now, &words, circle.as_deref(), limit),
    }
}

fn status(base: &dyn Read, now: Millis) -> Result<control::DaemonStatus, InputError> {
    let all = Summary::all(base)?;
    let mut status =
        control::DaemonStatus { circles: all.iter().filter(|s| s.standing == OwnStanding::In).count(), ..Default::default() };
    status.name = Some(named::usual_name(base)?).filter(|name| !name.is_empty());
    for circle in &all {
        let heads = chain::chains(base, &circle.id)?;
        let others =
            circle.people.iter().filter(|person| person.status == Status::Current && Some(person.id) != circle.me).count();
        let doubt =
            clocks::ahead_of(base, &circle.id, others, now)?.map(|others| ClockDoubt { says: Time(now), others: Time(others) });
        status.clock = status.clock.or(doubt);
        status.store.entries += heads.iter().map(|c| (c.seq + 1).saturating_sub(c.first)).sum::<u64>();
        let seen = crate::sync::delivery::load(base, &circle.id)?;
        if !circle.other_devices().is_empty() {
            for own in heads.iter().filter(|c| c.id.device == circle.device) {
                let best = seen.values().filter_map(|chains| chains.get(&own.id)).max().copied().unwrap_or(0);
                status.sync.pending_out += own.seq.saturating_sub(best);
            }
        }
    }
    status.store.items = items::items(base)?;
    status.notices = notices::of_joins(base)?;
    status.notices.extend(notices::of_circles(base)?);
    Ok(status)
}

fn one_circle(base: &dyn Read, circle: &str) -> Result<Answer, InputError> {
    let overview = Overview::named(base, circle)?;
    let notice = notices::of_circle(&overview);
    Ok(Answer::Circle(Box::new(control::Circle { notice, ..overview.shown() })))
}

fn circles(base: &dyn Read) -> Result<Answer, InputError> {
    let mut shown = Vec::new();
    for overview in Overview::all(base)? {
        let notice = notices::of_circle(&overview);
        shown.push(control::Circle { notice, ..overview.shown() });
    }
    shown.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    Ok(Answer::Circles(shown))
}

fn invites(base: &dyn Read, now: Millis, circle: &str) -> Result<Answer, InputError> {
    let circle = overview::named(base, circle)?;
    let here = peer::here(base)?.unwrap_or(PeerHint { peer: PeerId(Vec::new()), addresses: Vec::new() });
    let mut all = Vec::new();
    for row in InviteList::load(base, &circle.id)? {
        let secret = tickets::secret_of(base, &circle.id, &row.act)?;
        all.push(shown::invite((circle.id, circle.device), &row, secret, &here, now));
    }
    all.sort_by(|a, b| (a.expires_at, &a.id).cmp(&(b.expires_at, &b.id)));
    Ok(Answer::Invites(all))
}

/// A circle whose requests the member of this machine can see.
fn stewarded(summary: &Summary) -> Result<&Summary, InputError> {
    if summary.my_role().is_some_and(|role| role >= Role::Steward) {
        return Ok(summary);
    }
    Err(InputError::not_allowed("Only stewards see requests."))
}

/// Who asks to come in: shown to stewards, whose devices alone can open requests.
pub(super) fn pending(
    summary: &Summary,
    base: &dyn Read,
    crypto: &dyn Crypto,
) -> Result<Vec<control::PendingRequest>, InputError> {
    let mut waiting = RequestRow::all(base, &summary.id)?;
    waiting.retain(RequestRow::waits);
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    let Some(own) = CircleRow::get(base, &summary.id)? else { return Ok(Vec::new()) };
    let (mut shown, invites) = (Vec::new(), InviteList::load(base, &summary.id)?);
    for row in waiting {
        let Some(body) = welcome::open_request(&own, crypto, &row.request) else { continue };
        let Some(invite) = overview::invite_by(&invites, &row.request.ticket) else { continue };
        let [like_present, like_former] = summary.likes(&body.name.0);
        shown.push(control::PendingRequest {
            id: short_text('q', &row.request.device.0),
            alike: like_present || like_former,
            alike_former: like_former && !like_present,
            name: body.name.0,
            requested_at: Time(row.at),
            role: invite.role,
            invite: short_text('i', &invite.act.0),
        });
    }
    shown.sort_by(|a, b| (a.requested_at, &a.id).cmp(&(b.requested_at, &b.id)));
    Ok(shown)
}

fn joins(base: &dyn Read) -> Result<Answer, InputError> {
    let mut all = Vec::new();
    for join in JoinRow::all(base)?.values() {
        let circle = Summary::load(base, &join.ticket.circle)?.zip(Overview::load(base, &join.ticket.circle)?);
        all.push(shown::join(circle, join));
    }
    Ok(Answer::Joins(all))
}
