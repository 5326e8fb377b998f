//! What people do with their machines: found, invite, ask, approve, write, edit, answer, remove, leave.
//!
//! Nobody remembers anything between two acts: each person looks in turn at what their machine shows them and does something that
//! fits, as people do. So the same people go on after any crash.

mod intent;

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::control::{self, ItemState, Items, JoinStatus, Kind, NewItem, Response};
use kith_protocol::limits;
use kith_protocol::node::{Answer, Command, Filter, Query};
use kith_protocol::time::HOUR;
use serde::{Deserialize, Serialize};

use super::deed::{Act, Deed, Wrong};
use super::net::Who;
use super::rng::Rng;
pub use intent::Intent;

/// A word that stands in everything people write here, and nowhere else.
pub const CANARY: &str = "kanarienvogel";

/// Member ids as somebody knows them at some moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Current members.
    pub current: BTreeSet<String>,
    /// Removed ones, and those who left.
    pub out: BTreeSet<String>,
}

/// A circle that people have in mind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Who founds it.
    pub founder: Who,
    /// Who is to be in it.
    pub guests: BTreeSet<Who>,
    /// Who comes long after the others, where the world lives long enough.
    pub late: Option<Who>,
    /// The policies it begins with.
    pub policies: control::NewCircle,
    /// Did conversation never have a history policy but `all`?
    pub whole: bool,
    /// Had it ever a history policy but the one that it began with and `since-join`?
    #[serde(skip)]
    pub loosened: bool,
    /// Its id, once founded.
    #[serde(skip)]
    pub id: Option<String>,
    /// Who was removed or left, or is about to be.
    #[serde(skip)]
    pub gone: BTreeSet<Who>,
    /// How many may still be removed or leave.
    pub departures: usize,
    /// In how many of 100 cases the founder invites rather than does something else, while somebody is not invited yet.
    pub haste: u64,
    /// Whose owner is hostile.
    pub hostile: Option<Who>,
    /// Are they to be made a steward?
    pub raises: bool,
    /// They were made one.
    #[serde(skip)]
    pub raised: bool,
    /// Do they let friends in while the founder, apart from them, expels them?
    pub behind: bool,
}

/// The people.
#[derive(Debug)]
pub struct Workload {
    /// The seed of their choices.
    pub seed: u64,
    /// The circles.
    pub plans: Vec<Plan>,
    /// Do people still write, or only finish what they began?
    pub writing: bool,
    /// May people be removed or leave?
    pub parting: bool,
    /// Have they been together for long? Then who comes late is invited.
    pub aged: bool,
    /// Every title that anybody ever gave, and every reply, and whose machine was told to.
    pub said: BTreeMap<String, Who>,
    rng: Rng,
    words: u64,
    letters: BTreeMap<(Who, usize), String>,
}

/// How a person sees what their machine shows.
pub type Ask<'a> = &'a dyn Fn(Query) -> Result<Answer, control::Error>;

impl Workload {
    /// People with plans.
    #[must_use]
    pub fn new(seed: u64, plans: Vec<Plan>) -> Self {
        let (rng, said, letters) = (Rng::new(seed, "people"), BTreeMap::new(), BTreeMap::new());
        Self { seed, plans, writing: true, parting: false, aged: false, said, rng, words: 0, letters }
    }

    /// Are all in who are to be?
    #[must_use]
    pub fn formed(&self, ask: &dyn Fn(Who, Query) -> Result<Answer, control::Error>) -> bool {
        self.plans.iter().all(|plan| {
            let joined = |who: Who| plan.id.as_ref().is_some_and(|id| named(&|query| ask(who, query), id));
            joined(plan.founder) && plan.guests.iter().all(|who| plan.gone.contains(who) || joined(*who))
        })
    }

    /// What somebody does next, if anything.
    pub fn idea(&mut self, who: Who, ask: Ask<'_>) -> Option<Deed> {
        let circle = self.rng.index(self.plans.len());
        let pick = self.rng.below(1 << 32);
        let act = self.inclination(who, circle, ask)?;
        Some(Deed { who, circle, act, pick })
    }

    fn inclination(&mut self, who: Who, circle: usize, ask: Ask<'_>) -> Option<Act> {
        if !matches!(ask(Query::Status), Ok(Answer::Status(status)) if status.name.is_some()) {
            return Some(Act::Init);
        }
        let plan = self.plans.get(circle)?.clone();
        let Some(id) = plan.id.clone() else { return (plan.founder == who).then_some(Act::Found) };
        match my_circle(ask, &id) {
            None => self.enters(who, circle, &plan, ask),
            Some(circle) if circle.status != control::CircleStatus::Current => None,
            Some(mine) => self.acts(who, circle, &plan, &mine, ask),
        }
    }

    /// Somebody outside a circle: waits for their letter, asks, looks, confirms.
    fn enters(&mut self, who: Who, number: usize, plan: &Plan, ask: Ask<'_>) -> Option<Act> {
        let Ok(Answer::Joins(joins)) = ask(Query::Joins) else { return None };
        let id = plan.id.as_deref().unwrap_or_default();
        let status = joins.iter().find(|join| join.id == id).map(|join| join.status);
        let under_way = matches!(status, Some(JoinStatus::Contacting | JoinStatus::Requested | JoinStatus::Admitted));
        if under_way && self.aged && self.writing && self.rng.chance(8) {
            return Some(Act::Abandon);
        }
        match status {
            Some(JoinStatus::Admitted) => Some(Act::Confirm),
            Some(JoinStatus::Contacting | JoinStatus::Requested | JoinStatus::Joined) => None,
            Some(JoinStatus::Declined | JoinStatus::Refused) | None => {
                (self.letters.contains_key(&(who, number)) && !plan.gone.contains(&who)).then_some(Act::Accept)
            }
        }
    }

    /// Somebody inside a circle.
    fn acts(&mut self, who: Who, number: usize, plan: &Plan, circle: &control::Circle, ask: Ask<'_>) -> Option<Act> {
        let steward = matches!(circle.role, Some(control::Role::Founder | control::Role::Steward));
        if steward && matches!(ask(Query::Pending(circle.id.clone())), Ok(Answer::Pending(pending)) if !pending.is_empty()) {
            return Some(if self.aged && self.rng.chance(12) { Act::Decline } else { Act::Approve });
        }
        let uninvited = plan.guests.iter().find(|guest| !self.letters.contains_key(&(**guest, number)));
        if let Some(guest) = uninvited.filter(|_| who == plan.founder && self.rng.chance(plan.haste)) {
            return Some(Act::Invite(*guest));
        }
        if !self.writing {
            return None;
        }
        let late = plan.late.filter(|_| self.aged && who == plan.founder && self.rng.chance(40));
        if let Some(late) = late.filter(|late| !plan.gone.contains(late) && !expected(&circle.id, *late, ask)) {
            return Some(Act::Invite(late));
        }
        Some(match self.rng.below(100) {
            0..29 => Act::Write(self.noun()),
            29..32 => Act::Batch,
            32..36 => Act::Wrong(*self.rng.pick(&Wrong::ALL)?),
            36..54 => Act::Edit(self.noun()),
            54..60 => Act::Remove(self.noun()),
            60..68 => Act::Reply,
            68..72 => Act::React,
            72..80 => Act::Rsvp,
            80..82 => Act::Seen,
            82..85 => Act::Mark,
            85..91 if self.parting && steward => Act::Expel,
            91..95 if self.parting && who != plan.founder => Act::Leave,
            95..97 if steward => Act::Role,
            97..99 if self.parting && who == plan.founder => Act::Policy,
            99 if self.parting && steward => Act::Revoke,
            _ => Act::Sync,
        })
    }

    /// What a deed comes to, as their machine shows things now; nothing, where it makes no sense.
    pub fn command(&mut self, deed: &Deed, ask: Ask<'_>) -> Option<(Command, Intent)> {
        let (who, number, pick) = (deed.who, deed.circle, deed.pick);
        let plan = self.plans.get(number)?.clone();
        match &deed.act {
            Act::Init => return Some((Command::Init { name: format!("{CANARY} person {who}") }, Intent::Init)),
            Act::Found => return Some((Command::NewCircle(plan.policies), Intent::Found(number))),
            _ => {}
        }
        let id = plan.id?;
        Some(match &deed.act {
            Act::Init | Act::Found | Act::Forge(_) | Act::Fork | Act::Introduce | Act::Tamper(_) => return None,
            Act::Invite(guest) => {
                // Anyone who comes late may come too late.
                let expires_in = if plan.late == Some(*guest) { (pick % 96 + 1) * HOUR } else { 0 };
                let invite = control::NewInvite { expires_in, ..control::NewInvite::default() };
                (Command::NewInvite(id, invite), Intent::Invite(number, *guest))
            }
            Act::Accept => {
                let link = self.letters.get(&(who, number))?.clone();
                let accept = control::Accept { link, as_name: format!("{CANARY} guest {who}"), confirm: pick.is_multiple_of(2) };
                (Command::Accept(accept), Intent::Accept(number))
            }
            Act::Confirm => (Command::ConfirmJoin(id), Intent::Confirm(number)),
            Act::Approve => {
                let Ok(Answer::Pending(pending)) = ask(Query::Pending(id.clone())) else { return None };
                let request = pending.first()?;
                let invites = ask(Query::Invites(id.clone()));
                let invites = if let Ok(Answer::Invites(invites)) = invites { invites } else { Vec::new() };
                let expires = invites.iter().find(|invite| invite.id == request.invite).map(|invite| invite.expires_at.0);
                (Command::Approve(id, request.id.clone()), Intent::Approve { circle: number, expires })
            }
            Act::Decline => {
                let Ok(Answer::Pending(pending)) = ask(Query::Pending(id.clone())) else { return None };
                (Command::Decline(id, pending.first()?.id.clone()), Intent::Small(number))
            }
            Act::Abandon => (Command::AbandonJoin(id), Intent::Abandon(number)),
            Act::Batch => self.batch(who, number, id, pick),
            Act::Reply => {
                let (note, words) = (some_item(&id, Kind::Note, pick, ask)?.0, self.title(who));
                let new = control::NewReply { body: words.clone(), content_warning: None };
                (Command::Respond(id, note.clone(), Response::Reply(new)), Intent::Reply { circle: number, note, words })
            }
            Act::React => {
                let note = some_item(&id, Kind::Note, pick, ask)?.0;
                let emoji = (*one_of(&["❤", "🙏", "👍"], pick / 7)?).to_owned();
                let new = control::NewReaction { emoji: emoji.clone(), remove: pick.is_multiple_of(5) };
                (Command::Respond(id, note.clone(), Response::Reaction(new)), Intent::React { circle: number, note, emoji })
            }
            Act::Rsvp => {
                let event = some_item(&id, Kind::Event, pick, ask)?.0;
                let answer = *one_of(control::Rsvp::ALL, pick / 7)?;
                (
                    Command::Respond(id, event.clone(), Response::Rsvp(answer)),
                    Intent::Rsvp { circle: number, event, answer: answer.word().to_owned() },
                )
            }
            Act::Write(noun) => return self.write(who, number, id, *noun, pick),
            Act::Edit(noun) => return self.edit(who, number, id, *noun, pick, ask),
            Act::Remove(noun) => {
                let (item, _, mine) = some_item(&id, *noun, pick, ask)?;
                let now = pick.is_multiple_of(2);
                let remove = Command::Remove { circle: id, item: item.clone(), now };
                return mine.then_some((remove, Intent::Remove { circle: number, noun: *noun, id: item, now }));
            }
            Act::Wrong(wrong) => (self.wrong(who, id, *wrong, pick, &plan.founder, ask)?, Intent::Wrong(*wrong)),
            Act::Expel => return self.expel(number, &id, pick, ask),
            Act::Leave => {
                let plan = self.plans.get_mut(number).filter(|plan| plan.departures > 0)?;
                plan.departures -= 1;
                plan.gone.insert(who);
                (
                    Command::Leave(id, control::LeaveCircle { without_successor: true, ..Default::default() }),
                    Intent::Leave(number),
                )
            }
            small => (self.small(number, id, small, pick, ask)?, Intent::Small(number)),
        })
    }

    /// What must be refused whatever their role is; nothing, where it would not be wrong.
    fn wrong(&mut self, who: Who, id: String, wrong: Wrong, pick: u64, founder: &Who, ask: Ask<'_>) -> Option<Command> {
        let seat = || {
            let Ok(Answer::Members(members)) = ask(Query::Members(id.clone())) else { return None };
            let other = |m: &control::Member| !m.me && m.role == Some(control::Role::Founder);
            members.into_iter().find(other).filter(|_| who != *founder).map(|member| member.id)
        };
        let note = |words: String, bytes: usize| {
            let body = words.repeat(bytes / words.len() + 1);
            control::NewNote { title: words, body, ..Default::default() }
        };
        Some(match wrong {
            Wrong::Meddle => {
                let (item, _, mine) = some_item(&id, Kind::Note, pick, ask)?;
                let edit = control::EditNote { title: Some(self.words()), ..Default::default() };
                return (!mine).then_some(Command::Edit(id, item, control::EditItem::Note(edit)));
            }
            Wrong::Unseat => Command::RemoveMember(id.clone(), seat()?),
            Wrong::Lower => Command::SetRole(id.clone(), seat()?, control::SetRole::to(control::Role::Guest)),
            Wrong::Long => Command::New(id, NewItem::Note(note(self.words(), limits::BODY_BYTES))),
            Wrong::Several => {
                let notes = [note(self.words(), 1), note(self.words(), limits::BODY_BYTES)];
                Command::Batch(id, control::Batch { items: notes.map(control::BatchItem::Note).into(), import: None })
            }
            Wrong::Invite => {
                Command::NewInvite(id, control::NewInvite { role: Some(control::Role::Steward), ..control::NewInvite::default() })
            }
        })
    }

    fn small(&mut self, number: usize, id: String, act: &Act, pick: u64, ask: Ask<'_>) -> Option<Command> {
        let item = |noun| some_item(&id, noun, pick, ask).map(|(item, ..)| item);
        Some(match act {
            Act::Mark => {
                let note = item(Kind::Note)?;
                if pick.is_multiple_of(2) {
                    Command::Hide(id, note, pick.is_multiple_of(3))
                } else {
                    Command::Pin(id, note, pick.is_multiple_of(3))
                }
            }
            Act::Role => {
                let roles = [control::Role::Member, control::Role::Facilitator, control::Role::Steward];
                let role = *one_of(&roles, pick / 7)?;
                Command::SetRole(id.clone(), other_member(&id, pick, false, ask)?, control::SetRole::to(role))
            }
            Act::Raise(whom) => {
                let name = format!("{CANARY} guest {whom}");
                let Ok(Answer::Members(members)) = ask(Query::Members(id.clone())) else { return None };
                let member =
                    members.into_iter().find(|member| member.name == name && member.status == control::MemberStatus::Current)?;
                self.plans.get_mut(number)?.raised = true;
                Command::SetRole(id, member.id, control::SetRole::to(control::Role::Steward))
            }
            Act::Policy => Command::EditCircle(id, self.policy(number, pick)?),
            Act::Revoke => {
                let Ok(Answer::Invites(invites)) = ask(Query::Invites(id.clone())) else { return None };
                Command::RevokeInvite(id, invites.into_iter().find(|invite| invite.status == control::InviteStatus::Open)?.id)
            }
            Act::Seen => Command::Seen { circle: Some(id), item: None, reveal: false },
            _ => Command::SyncNow,
        })
    }

    /// What somebody learns from an answer.
    pub fn replied(&mut self, who: Who, intent: &Intent, answer: &Result<Answer, control::Error>) {
        let Ok(answer) = answer else { return };
        match (intent, answer) {
            (Intent::Found(number), Answer::Circle(circle)) => self.plans[*number].id = Some(circle.id.clone()),
            (Intent::Invite(number, guest), Answer::Invite(invite)) => {
                let link = invite.link.clone().unwrap_or_default();
                self.letters.insert((*guest, *number), link);
            }
            (Intent::Leave(number), _) => {
                self.plans[*number].gone.insert(who);
            }
            _ => {}
        }
    }

    /// Words that nobody wrote before.
    fn words(&mut self) -> String {
        self.words += 1;
        format!("{CANARY} {}", self.words)
    }

    /// A title that nobody gave before; from now on it is known whose it is.
    fn title(&mut self, who: Who) -> String {
        let title = self.words();
        self.said.insert(title.clone(), who);
        title
    }

    /// One of the circle's policies becomes another.
    fn policy(&mut self, number: usize, pick: u64) -> Option<control::EditCircle> {
        let mut edit = control::EditCircle::default();
        let word = |from: &[&str]| one_of(from, pick / 7).map(|word| (*word).to_owned());
        match pick % 6 {
            0 => edit.history = word(&["all", "since-join", "days:3"]),
            1 => edit.approval = word(&["required", "none"]),
            2 => edit.invite = word(&["stewards", "members"]),
            _ => edit.retention = word(&["keep", "days:1", "days:2", "days:7", "days:30"]),
        }
        let plan = self.plans.get_mut(number)?;
        plan.loosened |= edit.history.as_deref().is_some_and(|history| history != "since-join");
        plan.whole &= edit.history.as_deref().is_none_or(|history| history == "all");
        Some(edit)
    }

    fn batch(&mut self, who: Who, circle: usize, id: String, pick: u64) -> (Command, Intent) {
        let mut nouns = Vec::new();
        let items = (0..pick % 4 + 2).map(|number| {
            let (title, body) = (self.title(who), self.words());
            if (pick >> number) & 1 == 0 {
                nouns.push(Kind::Note);
                control::BatchItem::Note(control::NewNote { title, body, ..Default::default() })
            } else {
                nouns.push(Kind::Event);
                control::BatchItem::Event(event(title, body))
            }
        });
        let items = items.collect();
        (Command::Batch(id, control::Batch { items, import: None }), Intent::Batch { circle, nouns })
    }

    fn write(&mut self, who: Who, circle: usize, id: String, noun: Kind, pick: u64) -> Option<(Command, Intent)> {
        let (title, mut body) = (self.title(who), self.words());
        if pick.is_multiple_of(10) {
            body = body.repeat(usize::try_from(pick / 10 % 400).unwrap_or(0) + 1);
        }
        let command = match noun {
            Kind::Note => {
                let content_warning = (pick.is_multiple_of(5)).then(|| self.words());
                Command::New(id, NewItem::Note(control::NewNote { title, body, content_warning, ..Default::default() }))
            }
            Kind::Event => Command::New(id, NewItem::Event(event(title, body))),
            Kind::Resource => {
                let tags = vec!["eap".to_owned(), format!("{CANARY} tag")];
                let url = "https://example.org/help".to_owned();
                Command::New(id, NewItem::Resource(control::NewResource { title, url, note: body, tags, ..Default::default() }))
            }
            _ => return None,
        };
        Some((command, Intent::Write { circle, noun }))
    }

    fn edit(&mut self, who: Who, circle: usize, id: String, noun: Kind, pick: u64, ask: Ask<'_>) -> Option<(Command, Intent)> {
        let (item, version, mine) = some_item(&id, noun, pick, ask)?;
        if noun == Kind::Note && !mine {
            return None;
        }
        let title = Some(self.title(who));
        let change = match noun {
            Kind::Note => control::EditItem::Note(control::EditNote { title, body: Some(self.words()), ..Default::default() }),
            Kind::Event => control::EditItem::Event(control::EditEvent { title, ..Default::default() }),
            Kind::Resource => {
                control::EditItem::Resource(control::EditResource { title, note: Some(self.words()), ..Default::default() })
            }
            _ => return None,
        };
        Some((Command::Edit(id, item.clone(), change), Intent::Edit { circle, noun, id: item, version }))
    }

    /// Somebody is removed: a hostile steward, if there is one, more likely than others.
    fn expel(&mut self, number: usize, id: &str, pick: u64, ask: Ask<'_>) -> Option<(Command, Intent)> {
        let plan = self.plans.get(number).filter(|plan| plan.departures > 0)?;
        let hostile = plan.hostile.filter(|_| !pick.is_multiple_of(3)).map(|who| format!("{CANARY} guest {who}"));
        let Ok(Answer::Members(members)) = ask(Query::Members(id.to_owned())) else { return None };
        let found =
            members.iter().find(|m| !m.me && m.status == control::MemberStatus::Current && Some(&m.name) == hostile.as_ref());
        let target = match found {
            Some(member) => member.id.clone(),
            None => other_member(id, pick, true, ask)?,
        };
        self.plans.get_mut(number)?.departures -= 1;
        Some((Command::RemoveMember(id.to_owned(), target.clone()), Intent::Expel(number, target)))
    }

    fn noun(&mut self) -> Kind {
        // Notes twice as often as others.
        let kinds: Vec<Kind> = std::iter::once(Kind::Note).chain(Kind::listed()).collect();
        *self.rng.pick(&kinds).unwrap_or(&Kind::Note)
    }
}

fn one_of<T>(from: &[T], pick: u64) -> Option<&T> {
    let at = pick.checked_rem(from.len() as u64)?;
    usize::try_from(at).ok().and_then(|at| from.get(at))
}

/// Another current member; perhaps not the founder.
fn other_member(circle: &str, pick: u64, spare_founder: bool, ask: Ask<'_>) -> Option<String> {
    let Ok(Answer::Members(mut members)) = ask(Query::Members(circle.to_owned())) else { return None };
    members.retain(|m| {
        !m.me && m.status == control::MemberStatus::Current && !(spare_founder && m.role == Some(control::Role::Founder))
    });
    one_of(&members, pick).map(|member| member.id.clone())
}

/// An item that is shown: its id, its version, whether it is mine (who sees a delivery state wrote it).
fn some_item(circle: &str, noun: Kind, pick: u64, ask: Ask<'_>) -> Option<(String, u64, bool)> {
    let query = Query::List { circle: Some(circle.to_owned()), kind: noun, filter: Filter::default() };
    let shown = |state: &ItemState| *state == ItemState::Visible;
    let rows: Vec<_> = match ask(query).ok()? {
        Answer::Items(Items::Notes(list)) => {
            list.into_iter().filter(|n| shown(&n.state)).map(|n| (n.id, n.version, n.delivery.is_some())).collect()
        }
        Answer::Items(Items::Events(list)) => {
            list.into_iter().filter(|e| shown(&e.state)).map(|e| (e.id, 0, e.delivery.is_some())).collect()
        }
        Answer::Items(Items::Resources(list)) => {
            list.into_iter().filter(|r| shown(&r.state)).map(|r| (r.id, 0, r.delivery.is_some())).collect()
        }
        _ => Vec::new(),
    };
    one_of(&rows, pick).cloned()
}

fn event(title: String, description: String) -> control::NewEvent {
    control::NewEvent {
        title,
        description,
        starts: "2026-12-01T17:00:00Z".to_owned(),
        ends: "2026-12-01T18:00:00Z".to_owned(),
        starts_local: "2026-12-01T18:00:00".to_owned(),
        ends_local: "2026-12-01T19:00:00".to_owned(),
        tz: "Europe/Madrid".to_owned(),
        rrule: Some("FREQ=WEEKLY;COUNT=8".to_owned()),
        ..Default::default()
    }
}

/// A circle as its member's machine shows it, if they are or were in it.
#[must_use]
pub fn my_circle(ask: Ask<'_>, id: &str) -> Option<control::Circle> {
    let Ok(Answer::Circles(circles)) = ask(Query::Circles) else { return None };
    circles.into_iter().find(|circle| circle.id == id)
}

/// Who is in and who is out, as a machine knows it.
#[must_use]
pub fn known(ask: Ask<'_>, circle: &str) -> Known {
    let mut known = Known::default();
    if let Ok(Answer::Members(members)) = ask(Query::Members(circle.to_owned())) {
        for member in members {
            match member.status {
                control::MemberStatus::Current => known.current.insert(member.id),
                control::MemberStatus::Removed | control::MemberStatus::Left => known.out.insert(member.id),
                control::MemberStatus::Suspended => false,
            };
        }
    }
    known
}

/// Is there an invite that they may still come by, or are they in?
fn expected(circle: &str, guest: Who, ask: Ask<'_>) -> bool {
    let (Ok(Answer::Invites(invites)), Ok(Answer::Members(members))) =
        (ask(Query::Invites(circle.to_owned())), ask(Query::Members(circle.to_owned())))
    else {
        return true;
    };
    let name = format!("{CANARY} guest {guest}");
    invites.iter().any(|invite| invite.status == control::InviteStatus::Open) || members.iter().any(|member| member.name == name)
}

/// Are they in, and have they said their name?
fn named(ask: Ask<'_>, id: &str) -> bool {
    let Ok(Answer::Joins(joins)) = ask(Query::Joins) else { return false };
    let busy = joins.iter().any(|join| join.id == id && join.status != JoinStatus::Joined);
    !busy && my_circle(ask, id).is_some_and(|circle| circle.status == control::CircleStatus::Current)
}
