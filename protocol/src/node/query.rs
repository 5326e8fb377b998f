//! Queries: what the local API reads, on a connection of its own. Changes nothing.

use crate::circle::body::Role;
use crate::circle::membership::Status;
use crate::circle::overview::{self, InviteList, Overview};
use crate::circle::record;
use crate::circle::state::{CircleState, OwnStanding};
use crate::circle::summary::{self, Summary};
use crate::circle::text;
use crate::circle::ticket::PeerHint;
use crate::context::InputError;
use crate::control::{self, Error, Finding, Hint, Hints, Level, Time};
use crate::crypto::Crypto;
use crate::id::{PeerId, short_text};
use crate::io::{Answer, Query};
use crate::log::chain;
use crate::node::{content, full, people};
use crate::peer;
use crate::peer::join_row::JoinRow;
use crate::peer::requests::RequestRow;
use crate::peer::{tickets, welcome};
use crate::store::{Read, StoreError};
use crate::sync::cuts;
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
            Ok(Err(Error::new(control::Code::Failed, "that could not be answered", "")))
        }
    }
}

fn ask(base: &dyn Read, crypto: &dyn Crypto, now: Millis, query: Query) -> Result<Answer, InputError> {
    match query {
        Query::Status => Ok(Answer::Status(Box::new(status(base)?))),
        Query::Circles => circles(base),
        Query::Circle(circle) => one_circle(base, &circle),
        Query::Members(circle) => Ok(Answer::Members(named(base, &circle)?.members())),
        Query::Invites(circle) => invites(base, now, &circle),
        Query::Pending(circle) => Ok(Answer::Pending(pending(&named(base, &circle)?, base, crypto)?)),
        Query::Joins => joins(base),
        Query::Room(link) => full::ask(base, link.as_deref(), now),
        Query::Doctor => doctor(base, crypto, now),
        other @ (Query::List { .. } | Query::Show { .. } | Query::History { .. } | Query::Inbox | Query::Search { .. }) => {
            content::query(base, crypto, now, other)
        }
    }
}

/// The circle that a query names.
fn named(base: &dyn Read, circle: &str) -> Result<Summary, InputError> {
    Ok(summary::pick(&Summary::all(base)?, circle)?.clone())
}

fn status(base: &dyn Read) -> Result<control::DaemonStatus, InputError> {
    let all = Summary::all(base)?;
    let mut status =
        control::DaemonStatus { circles: all.iter().filter(|s| s.standing == OwnStanding::In).count(), ..Default::default() };
    status.name = Some(people::usual_name(base)?).filter(|name| !name.is_empty());
    for circle in &all {
        let heads = chain::chains(base, &circle.id)?;
        status.store.entries += heads.iter().map(|c| (c.seq + 1).saturating_sub(c.first)).sum::<u64>();
        let seen = crate::sync::delivery::load(base, &circle.id)?;
        if !circle.other_devices().is_empty() {
            for own in heads.iter().filter(|c| c.id.device == circle.device) {
                let best = seen.values().filter_map(|chains| chains.get(&own.id)).max().copied().unwrap_or(0);
                status.sync.pending_out += own.seq.saturating_sub(best);
            }
        }
    }
    status.store.items = content::items(base)?;
    Ok(status)
}

fn one_circle(base: &dyn Read, circle: &str) -> Result<Answer, InputError> {
    let overview = Overview::load(base, &named(base, circle)?.id)?;
    let missing = || StoreError::Corrupt("a circle without its derived row".to_owned());
    Ok(Answer::Circle(overview.ok_or_else(missing)?.shown()))
}

fn circles(base: &dyn Read) -> Result<Answer, InputError> {
    let mut shown: Vec<control::Circle> = Overview::all(base)?.iter().map(Overview::shown).collect();
    shown.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    Ok(Answer::Circles(shown))
}

fn invites(base: &dyn Read, now: Millis, circle: &str) -> Result<Answer, InputError> {
    let circle = named(base, circle)?;
    let here = peer::here(base)?.unwrap_or(PeerHint { peer: PeerId(Vec::new()), addresses: Vec::new() });
    let mut shown = Vec::new();
    for row in InviteList::load(base, &circle.id)? {
        let secret = tickets::secret_of(base, &circle.id, &row.act)?;
        shown.push(people::show_invite((circle.id, circle.device), &row, secret, &here, now));
    }
    shown.sort_by(|a, b| (a.expires_at, &a.id).cmp(&(b.expires_at, &b.id)));
    Ok(Answer::Invites(shown))
}

/// Who asks to come in: shown to stewards, whose devices alone can open requests.
pub(crate) fn pending(
    summary: &Summary,
    base: &dyn Read,
    crypto: &dyn Crypto,
) -> Result<Vec<control::PendingRequest>, InputError> {
    let mut waiting = RequestRow::all(base, &summary.id)?;
    waiting.retain(|row| !row.declined);
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    let Some(own) = CircleState::row(base, &summary.id)? else { return Ok(Vec::new()) };
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
            role: text::role(invite.role),
            invite: short_text('i', &invite.act.0),
        });
    }
    shown.sort_by(|a, b| (a.requested_at, &a.id).cmp(&(b.requested_at, &b.id)));
    Ok(shown)
}

fn joins(base: &dyn Read) -> Result<Answer, InputError> {
    let mut shown = Vec::new();
    for join in JoinRow::all(base)?.values() {
        shown.push(people::show_join_in(Summary::load(base, &join.ticket.circle)?.as_ref(), join));
    }
    Ok(Answer::Joins(shown))
}

// ---- health ---------------------------------------------------------------------------------------------------------

/// What is found about one circle.
pub(super) struct Findings<'a> {
    circle: String,
    all: &'a mut Vec<Finding>,
}

impl<'a> Findings<'a> {
    /// Of a circle by its name; empty: of none.
    pub(super) const fn of(circle: String, all: &'a mut Vec<Finding>) -> Self {
        Self { circle, all }
    }

    /// One thing.
    pub(super) fn say(&mut self, level: Level, message: impl Into<String>, hints: impl Into<Hints>) {
        self.all.push(Finding { level, circle: self.circle.clone(), message: message.into(), hints: hints.into() });
    }
}

fn doctor(base: &dyn Read, crypto: &dyn Crypto, now: Millis) -> Result<Answer, InputError> {
    let mut findings = Vec::new();
    for circle in CircleState::load_all(base, crypto)?.values() {
        circle_health(circle, base, &mut findings)?;
        records_health(circle, now, &mut findings);
        log_health(circle, base, &mut findings)?;
        content::health(circle, base, &mut findings)?;
    }
    if findings.is_empty() {
        let hints = [Hint::run("circle", "new", &["NAME"], "founds one"), Hint::run("", "join", &["LINK"], "joins one")];
        Findings::of(String::new(), &mut findings).say(Level::Ok, "nothing to look at yet: you are in no circle", hints);
    }
    let ok = findings.iter().all(|f| f.level != Level::Problem);
    Ok(Answer::Doctor(control::Doctor { ok, findings }))
}

fn circle_health(circle: &CircleState, base: &dyn Read, findings: &mut Vec<Finding>) -> Result<(), InputError> {
    let (state, summary) = (circle.now(), Summary::of(circle));
    let mut found = Findings::of(circle.name(), findings);
    let current = state.people.values().filter(|p| p.status == Status::Current).count();
    found.say(Level::Ok, format!("{current} members, member check {}", overview::roster_hash(circle)), "");
    let stewards =
        state.people.values().filter(|p| p.role.is_some_and(|r| r >= Role::Steward) && p.status == Status::Current).count();
    if state.frozen {
        found.say(
            Level::Problem,
            "no steward is left: nobody can be admitted or removed any more",
            "found a new circle together",
        );
    } else if stewards < 3 && current > 1 {
        found.say(
            Level::Note,
            format!("{stewards} of three stewards: a circle should not hang on one person"),
            Hint::run("member", "role", &["NAME", "steward"], "makes somebody a steward"),
        );
    }
    for person in state.people.iter().filter(|(_, p)| p.status == Status::Suspended) {
        found.say(
            Level::Note,
            format!("{} waits for a steward", summary.called(person.0)),
            Hint::run("member", "role", &["NAME", "member"], "by a steward confirms them"),
        );
    }
    if !overview::agrees(circle, base)? {
        found.say(
            Level::Problem,
            "lists of this circle do not show what its log says",
            Hint::run("", "doctor", &["--rebuild"], "makes them again"),
        );
    }
    Ok(())
}

/// What the circle's keys, records and clocks say.
fn records_health(circle: &CircleState, now: Millis, findings: &mut Vec<Finding>) {
    let state = circle.now();
    let mut found = Findings::of(circle.name(), findings);
    let lacking = circle.epochs.keys().filter(|id| circle.ring.row(id).is_none()).count();
    if lacking > 0 {
        found.say(
            Level::Note,
            format!("keys of {lacking} periods have not arrived yet"),
            "they come from any member who is online",
        );
    }
    let agreement = circle.agreement();
    if !agreement.is_empty() {
        let digest = record::agreement_digest(&agreement);
        let unsigned =
            circle.records.values().filter(|r| state.is_current(&r.device) && r.body.agreement != Some(digest)).count();
        if unsigned > 0 {
            found.say(Level::Note, format!("{unsigned} devices have signed an earlier agreement"), "");
        }
    }
    let skewed = circle.records.values().filter(|r| r.body.at.since(now) > crate::time::DAY).count();
    if skewed > 0 {
        found.say(Level::Note, format!("the clocks of {skewed} devices are more than a day ahead"), "compare clocks");
    }
}

/// What the circle's log says.
fn log_health(circle: &CircleState, base: &dyn Read, findings: &mut Vec<Finding>) -> Result<(), InputError> {
    let (state, summary) = (circle.now(), Summary::of(circle));
    let mut found = Findings::of(circle.name(), findings);
    for evidence in chain::forks(base, &circle.id)? {
        let who = state.person_of(&evidence.chain.device).map_or_else(|| evidence.chain.device.text(), |p| summary.called(&p));
        found.say(
            Level::Problem,
            format!("a device of {who} signed two different entries at one place"),
            "ask her whether a copy of her folder runs elsewhere",
        );
    }
    if circle.my_role().is_some_and(|role| role >= Role::Steward) {
        for person in state.people.keys() {
            let waiting = cuts::waiting(circle, base, person)?.entries;
            if waiting > cuts::left_aside(base, &circle.id, person)? {
                let who = circle.name_of(person);
                found.say(
                    Level::Note,
                    format!("{waiting} entries of {who} wait: the last one that their removal left standing has not come"),
                    [
                        Hint::run("member", "restore", &[&who], "brings them back"),
                        Hint::run("member", "aside", &[&who], "leaves them where they are"),
                    ],
                );
            }
        }
    }
    for head in chain::chains(base, &circle.id)?.iter().filter(|head| !head.missing.is_empty()) {
        let count: u64 = head.missing.iter().map(|(first, last)| last + 1 - first).sum();
        found.say(Level::Problem, format!("{count} entries of one writer are missing"), "they come from any member who has them");
    }
    Ok(())
}
