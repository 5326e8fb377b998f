//! What is found when everything is looked over.

use crate::circle::body::{Policy, Role};
use crate::circle::membership::{Person, Status};
use crate::circle::overview::{self};
use crate::circle::record;
use crate::circle::state::{CircleState, OwnStanding};
use crate::circle::summary::Summary;
use crate::circle::text;
use crate::context::InputError;
use crate::control::{self, ClockDoubt, Finding, Hint, Hints, Level, Time};
use crate::crypto::Crypto;
use crate::id::PersonId;
use crate::io::Answer;
use crate::item;
use crate::limits::{NAMES_TOLD, OVER_MILLIS, STEWARDS};
use crate::lines::counted;
use crate::log::chain;
use crate::store::Read;
use crate::sync::{clocks, cuts};
use crate::time::{DAY, Millis};

/// What is found about one circle.
struct Findings<'a> {
    circle: String,
    all: &'a mut Vec<Finding>,
}

impl<'a> Findings<'a> {
    /// Of a circle by its name; empty: of none.
    const fn of(circle: String, all: &'a mut Vec<Finding>) -> Self {
        Self { circle, all }
    }

    /// One thing.
    fn say(&mut self, level: Level, message: impl Into<String>, hints: impl Into<Hints>) {
        self.all.push(Finding::new(level, self.circle.clone(), message, hints));
    }
}

pub(super) fn doctor(base: &dyn Read, crypto: &dyn Crypto, now: Millis) -> Result<Answer, InputError> {
    let (mut findings, mut newer) = (Vec::new(), 0);
    for circle in CircleState::load_all(base, crypto)?.values() {
        circle_health(circle, base, &mut findings)?;
        clock_health(circle, base, now, &mut findings)?;
        if !is_out(circle) {
            // To somebody who is out nothing comes any more.
            records_health(circle, &mut findings);
            log_health(circle, base, &mut findings)?;
        }
        newer += items_health(circle, base, &mut findings)?;
    }
    if findings.is_empty() {
        let hints = [Hint::run("circle", "new", &["NAME"], "starts one"), Hint::run("", "join", &["LINK"], "joins one")];
        Findings::of(String::new(), &mut findings).say(Level::Ok, "Nothing to look at yet: you are in no circle.", hints);
    }
    let ok = findings.iter().all(|f| f.level != Level::Problem);
    Ok(Answer::Doctor(control::Doctor { ok, newer, findings }))
}

fn circle_health(circle: &CircleState, base: &dyn Read, findings: &mut Vec<Finding>) -> Result<(), InputError> {
    let state = circle.now();
    let mut found = Findings::of(circle.name(), findings);
    if is_out(circle) {
        let forget = Hint::run("circle", "forget", &["-c", &circle.name()], "deletes what is here of it");
        found.say(Level::Ok, "You are no longer in this circle; what is on this computer stays.", forget);
    } else {
        let current = state.people.values().filter(|p| p.status == Status::Current).count();
        let members = counted(current, "member", "members");
        found.say(Level::Ok, format!("{members}, member check {}.", overview::roster_hash(circle)), "");
        stewards_health(circle, current, &mut found);
    }
    if !circle.unread().is_empty() {
        found.say(
            Level::Problem,
            "Members decided something that this Kith does not understand: its list of members may be out of date.",
            "Update Kith before you rely on who is in.",
        );
    }
    if !overview::agrees(circle, base)? {
        found.say(
            Level::Problem,
            "Lists of this circle do not show what its log says.",
            Hint::run("", "doctor", &["--rebuild"], "rebuilds them"),
        );
    }
    Ok(())
}

/// Has the member of this machine left, or been removed? Then they can do nothing about the circle any more.
fn is_out(circle: &CircleState) -> bool {
    let out = matches!(circle.standing(), OwnStanding::Leaving | OwnStanding::Left | OwnStanding::Removed);
    out || circle.my_role().is_none()
}

/// Who can let people in, and who can do something about it where that is too few: nobody is told to do what their role forbids.
fn stewards_health(circle: &CircleState, current: usize, found: &mut Findings<'_>) {
    let (state, summary) = (circle.now(), Summary::of(circle));
    let is_steward = |role: Option<Role>| role >= Some(Role::Steward);
    let current_ones = || state.people.iter().filter(|(_, person)| person.status == Status::Current);
    let stewards: Vec<&PersonId> = current_ones().filter(|(_, person)| is_steward(person.role)).map(|(id, _)| id).collect();
    let founder = current_ones().find(|(_, person)| person.role == Some(Role::Founder)).map(|(id, _)| id);
    if state.frozen {
        let hint = if current > 1 { "Start a new circle with the others." } else { "Start a new circle." };
        found.say(Level::Problem, "No steward is left, so nobody can be admitted or removed anymore.", hint);
    } else if stewards.len() < STEWARDS && current > 1 {
        let few = stewards.len();
        let hint: Hints = match founder {
            Some(founder) if circle.me() == Some(*founder) => {
                Hint::run("member", "role", &["NAME", "steward"], "makes somebody a steward").into()
            }
            Some(founder) => {
                format!("Ask {}: only they, who founded the circle, make somebody a steward.", summary.called(founder)).into()
            }
            None => without_founder(circle, &summary),
        };
        found.say(
            Level::Note,
            format!("There should be three stewards, so that the circle does not depend on one person; it has {few}."),
            hint,
        );
    }
    for person in state.people.iter().filter(|(_, p)| p.status == Status::Suspended) {
        let hint: Hints = if is_steward(circle.my_role()) {
            Hint::run("member", "role", &[&summary.called(person.0), "member"], "confirms them").into()
        } else {
            let names: Vec<String> = stewards.iter().take(NAMES_TOLD).map(|steward| summary.called(steward)).collect();
            if names.is_empty() { Hints::default() } else { format!("Ask {}.", names.join(" or ")).into() }
        };
        found.say(Level::Note, format!("A steward has to confirm {}.", summary.called(person.0)), hint);
    }
}

/// Where no founder is in: who could make somebody a steward.
fn without_founder(circle: &CircleState, summary: &Summary) -> Hints {
    let waits = |person: &Person| person.role == Some(Role::Founder) && person.status == Status::Suspended;
    match circle.now().people.iter().find(|(_, person)| waits(person)) {
        Some((founder, _)) => format!(
            "Only {}, who founded the circle, makes somebody a steward, once a steward has confirmed them.",
            summary.called(founder)
        )
        .into(),
        None => {
            "Nobody can make somebody a steward, because this circle has no founder anymore; in a new circle its founder can."
                .into()
        }
    }
}

/// What the circle's keys and records say.
fn records_health(circle: &CircleState, findings: &mut Vec<Finding>) {
    let mut found = Findings::of(circle.name(), findings);
    let lacking = circle.count_lacking();
    if lacking > 0 {
        found.say(
            Level::Note,
            format!("The keys of {} have not arrived yet.", counted(lacking, "period", "periods")),
            "They come from any member who is online.",
        );
    }
    let agreement = circle.agreement();
    if !agreement.is_empty() {
        let digest = record::agreement_digest(&agreement);
        let sign: Hints = if circle.agrees() {
            "Their members sign it when they have read it.".into()
        } else {
            Hint::run("circle", "agreement", &["--sign"], "signs it, if you agree").into()
        };
        let unsigned = circle.current_records().filter(|r| r.body.agreement != Some(digest)).count();
        if unsigned > 0 {
            found.say(
                Level::Note,
                format!("{} signed an earlier agreement.", counted(unsigned, "device has", "devices have")),
                sign,
            );
        }
    }
}

/// What others' clocks say of this machine's, and what only this machine's says.
fn clock_health(circle: &CircleState, base: &dyn Read, now: Millis, findings: &mut Vec<Finding>) -> Result<(), InputError> {
    let mut found = Findings::of(circle.name(), findings);
    let skewed = circle.records().filter(|r| r.body.at.since(now) > DAY).count();
    if let Some(others) = clocks::ahead_of(base, &circle.id(), circle.other_people(), now)? {
        let doubt = ClockDoubt { says: Time(now), others: Time(others) };
        found.say(
            Level::Problem,
            doubt.to_string(),
            "What you write until then carries a wrong date, and others see that it is off.",
        );
    } else if skewed > 0 {
        let whose = counted(skewed, "device's clock is", "devices' clocks are");
        found.say(Level::Note, format!("{whose} more than a day ahead."), "Compare clocks.");
    }
    if let Some((count, since)) = item::hidden(base, &circle.id())? {
        let until = since.plus(OVER_MILLIS);
        let message = format!(
            "{} over by this computer's clock, which says {now}; nobody else's has confirmed it.",
            counted(count, "item is hidden because its time is", "items are hidden because their time is")
        );
        let hint = format!(
            "If the clock is wrong, set it right, and they come back; if it is right, they are destroyed from {until} on."
        );
        found.say(Level::Note, message, hint);
    }
    Ok(())
}

/// What the circle's log says.
fn log_health(circle: &CircleState, base: &dyn Read, findings: &mut Vec<Finding>) -> Result<(), InputError> {
    let (state, summary) = (circle.now(), Summary::of(circle));
    let mut found = Findings::of(circle.name(), findings);
    for evidence in chain::forks(base, &circle.id())? {
        let who = state.person_of(&evidence.chain.device).map_or_else(|| evidence.chain.device.text(), |p| summary.called(&p));
        found.say(
            Level::Problem,
            format!("A device of {who} signed two different entries at one place."),
            "Ask them whether a copy of their folder is in use elsewhere.",
        );
    }
    if circle.my_role().is_some_and(|role| role >= Role::Steward) {
        for person in state.people.keys() {
            let waiting = cuts::waiting(circle, base, person)?.entries;
            if waiting > cuts::left_aside(base, &circle.id(), person)? {
                let who = circle.name_of(person);
                found.say(
                    Level::Note,
                    format!(
                        "{} of {who} {}: the last one that their removal left standing has not come.",
                        counted(waiting, "entry", "entries"),
                        if waiting == 1 { "waits" } else { "wait" }
                    ),
                    [
                        Hint::run("member", "restore", &[&who], "brings them back"),
                        Hint::run("member", "aside", &[&who], "leaves them where they are"),
                    ],
                );
            }
        }
    }
    for head in chain::chains(base, &circle.id())?.iter().filter(|head| !head.missing.is_empty()) {
        let count: u64 = head.missing.iter().map(|(first, last)| last + 1 - first).sum();
        found.say(
            Level::Problem,
            format!("{} missing.", counted(count, "entry of one writer is", "entries of one writer are")),
            "They come from any member who has them.",
        );
    }
    Ok(())
}

/// What there is to say about a circle's items. Says how many things need a newer program.
fn items_health(circle: &CircleState, base: &dyn Read, findings: &mut Vec<Finding>) -> Result<u64, InputError> {
    let health = item::health(base, &circle.id())?;
    let mut found = Findings::of(circle.name(), findings);
    if health.held > 0 {
        found.say(
            Level::Note,
            format!("{} held for a steward to look at.", counted(health.held, "item is", "items are")),
            "They lie beyond what a removal left standing.",
        );
    }
    if health.waiting > 0 {
        found.say(
            Level::Note,
            format!("{} something they depend on.", counted(health.waiting, "item waits for", "items wait for")),
            "It comes from any member who has it.",
        );
    }
    if health.unbuilt > 0 {
        found.say(
            Level::Note,
            format!("{} still being put together.", counted(health.unbuilt, "item is", "items are")),
            "They show as they were until then.",
        );
    }
    if health.refused > 0 {
        found.say(
            Level::Note,
            format!("{} nothing.", counted(health.refused, "entry broke a rule and means", "entries broke a rule and mean")),
            "",
        );
    }
    let newer = health.newer + newer_decisions(circle);
    if newer > 0 {
        let message = format!("{} a newer Kith.", counted(newer, "item needs", "items need"));
        found.say(Level::Note, message, "Update Kith: until then it keeps them and passes them on.");
    }
    Ok(newer)
}

/// How many acts, and policies in force, this program does not understand.
fn newer_decisions(circle: &CircleState) -> u64 {
    let state = circle.now();
    let policies = state.policies.values().filter(|policy| matches!(policy, Policy::Later(..)) && text::policy(policy).is_none());
    (circle.unread().len() + policies.count()) as u64
}
