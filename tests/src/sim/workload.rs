//! What people do with their machines: found, invite, ask, approve, write, edit, answer, remove, leave.
//!
//! Nobody remembers anything between two acts: whoever's turn it is looks at what her machine shows her and does something that
//! fits, as people do. So the same people go on after any crash.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::control::{self, JoinStatus, NoteState};
use kith_protocol::node::{Answer, Command, Filter, Noun, Query};

use super::net::Who;
use super::rng::Rng;

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

/// Why a command was given; what the ledger needs to know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// First start.
    Init,
    /// Found the circle with this number.
    Found(usize),
    /// Invite a machine's owner into a circle.
    Invite(usize, Who),
    /// Ask to join.
    Accept(usize),
    /// See the members and stay.
    Confirm(usize),
    /// Admit.
    Approve(usize),
    /// Write something new.
    Write {
        /// The circle's number.
        circle: usize,
        /// What.
        noun: Noun,
        /// Who was in, and who was out, as the writer knew.
        known: Known,
    },
    /// Give an item a new title.
    Edit {
        /// The circle's number.
        circle: usize,
        /// What.
        noun: Noun,
        /// Which.
        id: String,
        /// The version that it had before.
        version: u64,
    },
    /// Delete an item.
    Remove {
        /// The circle's number.
        circle: usize,
        /// What.
        noun: Noun,
        /// Which.
        id: String,
    },
    /// Remove a person.
    Expel(usize, String),
    /// Leave.
    Leave(usize),
    /// Something small: a reply, a reaction, an answer, a mark, a role.
    Small(usize),
}

/// A circle that people have in mind.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Who founds it.
    pub founder: Who,
    /// Who is to be in it.
    pub guests: BTreeSet<Who>,
    /// Its policies.
    pub policies: control::NewCircle,
    /// Its id, once founded.
    pub id: Option<String>,
    /// Who was removed or left, or is about to be.
    pub gone: BTreeSet<Who>,
    /// How many may still be removed or leave.
    pub departures: usize,
}

/// The people.
#[derive(Debug)]
pub struct Workload {
    /// The circles.
    pub plans: Vec<Plan>,
    /// Do people still write, or only finish what they began?
    pub writing: bool,
    /// May people be removed or leave?
    pub parting: bool,
    rng: Rng,
    words: u64,
    letters: BTreeMap<(Who, usize), String>,
}

/// How a person sees what her machine shows.
pub type Ask<'a> = &'a dyn Fn(Query) -> Result<Answer, control::Error>;

impl Workload {
    /// People with plans.
    #[must_use]
    pub fn new(seed: u64, plans: Vec<Plan>) -> Self {
        Self { plans, writing: true, parting: false, rng: Rng::new(seed, "people"), words: 0, letters: BTreeMap::new() }
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
    pub fn next(&mut self, who: Who, ask: Ask<'_>) -> Option<(Command, Intent)> {
        if !matches!(ask(Query::Status), Ok(Answer::Status(status)) if status.name.is_some()) {
            return Some((Command::Init { name: format!("{CANARY} person {who}") }, Intent::Init));
        }
        let number = self.rng.index(self.plans.len());
        let plan = self.plans.get(number)?.clone();
        let Some(id) = plan.id.clone() else {
            let found = (Command::NewCircle(plan.policies.clone()), Intent::Found(number));
            return (plan.founder == who).then_some(found);
        };
        match my_circle(ask, &id) {
            None => self.enter(who, number, &plan, ask),
            Some(circle) if circle.status != "current" => None,
            Some(circle) => self.act(who, number, &plan, &circle, ask),
        }
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

    fn words(&mut self) -> String {
        self.words += 1;
        format!("{CANARY} {}", self.words)
    }

    /// Somebody outside a circle: waits for her letter, asks, looks, confirms.
    fn enter(&mut self, who: Who, number: usize, plan: &Plan, ask: Ask<'_>) -> Option<(Command, Intent)> {
        let Ok(Answer::Joins(joins)) = ask(Query::Joins) else { return None };
        let id = plan.id.as_deref().unwrap_or_default();
        match joins.iter().find(|join| join.id == id).map(|join| join.status) {
            Some(JoinStatus::Admitted) => Some((Command::ConfirmJoin(id.to_owned()), Intent::Confirm(number))),
            Some(JoinStatus::Contacting | JoinStatus::Requested | JoinStatus::Joined) => None,
            Some(JoinStatus::Declined | JoinStatus::Refused) | None => {
                let link = self.letters.get(&(who, number)).filter(|_| !plan.gone.contains(&who))?.clone();
                let accept = control::Accept { link, as_name: format!("{CANARY} guest {who}"), confirm: self.rng.chance(50) };
                Some((Command::Accept(accept), Intent::Accept(number)))
            }
        }
    }

    /// Somebody inside a circle.
    fn act(&mut self, who: Who, number: usize, plan: &Plan, circle: &control::Circle, ask: Ask<'_>) -> Option<(Command, Intent)> {
        let id = circle.id.clone();
        let steward = matches!(circle.role.as_deref(), Some("founder" | "steward"));
        if steward
            && let Ok(Answer::Pending(pending)) = ask(Query::Pending(id.clone()))
            && let Some(request) = pending.first()
        {
            return Some((Command::Approve(id, request.id.clone()), Intent::Approve(number)));
        }
        let uninvited = plan.guests.iter().find(|guest| !self.letters.contains_key(&(**guest, number)));
        if let Some(guest) = uninvited.filter(|_| who == plan.founder) {
            return Some((Command::NewInvite(id, control::NewInvite::default()), Intent::Invite(number, *guest)));
        }
        if !self.writing {
            return None;
        }
        match self.rng.below(100) {
            0..40 => Some(self.write(number, id, ask)),
            40..60 => self.edit(number, id, ask),
            60..66 => self.remove(number, id, ask),
            66..92 => self.small(number, id, ask),
            92..95 if self.parting && steward => self.expel(number, circle, ask),
            95..96 if self.parting && who != plan.founder => self.leave(who, number, id),
            96..98 if steward => self.role(number, id, ask),
            _ => Some((Command::SyncNow, Intent::Small(number))),
        }
    }

    fn write(&mut self, circle: usize, id: String, ask: Ask<'_>) -> (Command, Intent) {
        let known = known(ask, &id);
        let (title, mut body) = (self.words(), self.words());
        if self.rng.chance(10) {
            let more = self.rng.index(400);
            body = body.repeat(more + 1);
        }
        let (noun, command) = match self.rng.below(10) {
            0..6 => {
                let content_warning = self.rng.chance(20).then(|| self.words());
                (Noun::Note, Command::NewNote(id, control::NewNote { title, body, content_warning, ..Default::default() }))
            }
            6..8 => (Noun::Event, Command::NewEvent(id, event(title, body))),
            _ => {
                let tags = vec!["eap".to_owned(), format!("{CANARY} tag")];
                let url = "https://example.org/help".to_owned();
                (
                    Noun::Resource,
                    Command::NewResource(id, control::NewResource { title, url, note: body, tags, ..Default::default() }),
                )
            }
        };
        (command, Intent::Write { circle, noun, known })
    }

    fn edit(&mut self, circle: usize, id: String, ask: Ask<'_>) -> Option<(Command, Intent)> {
        let noun = self.noun();
        let (item, version, mine) = self.some_item(&id, noun, ask)?;
        let title = Some(self.words());
        let change = match noun {
            Noun::Note if !mine => return None,
            Noun::Note => control::Edit::Note(control::EditNote { title, body: Some(self.words()), ..Default::default() }),
            Noun::Event => control::Edit::Event(control::EditEvent { title, ..Default::default() }),
            Noun::Resource => {
                control::Edit::Resource(control::EditResource { title, note: Some(self.words()), ..Default::default() })
            }
        };
        Some((Command::Edit(id, item.clone(), change), Intent::Edit { circle, noun, id: item, version }))
    }

    fn remove(&mut self, circle: usize, id: String, ask: Ask<'_>) -> Option<(Command, Intent)> {
        let noun = self.noun();
        let (item, _, mine) = self.some_item(&id, noun, ask)?;
        let now = self.rng.chance(50);
        mine.then(|| (Command::Remove { circle: id, item: item.clone(), now }, Intent::Remove { circle, noun, id: item }))
    }

    fn small(&mut self, number: usize, id: String, ask: Ask<'_>) -> Option<(Command, Intent)> {
        let note = |people: &mut Self| people.some_item(&id, Noun::Note, ask).map(|(item, ..)| item);
        let command = match self.rng.below(6) {
            0 | 1 => {
                let item = note(self)?;
                Command::NewReply(id, item, control::NewReply { body: self.words(), content_warning: None })
            }
            2 => {
                let item = note(self)?;
                let emoji = (*self.rng.pick(&["❤", "🙏", "👍"])?).to_owned();
                Command::React(id, item, control::NewReaction { emoji, remove: self.rng.chance(20) })
            }
            3 | 4 => {
                let (item, ..) = self.some_item(&id, Noun::Event, ask)?;
                let answer = *self.rng.pick(&[control::Rsvp::Yes, control::Rsvp::No, control::Rsvp::Maybe])?;
                Command::Rsvp(id, item, answer)
            }
            _ => Command::Seen { circle: Some(id), item: None },
        };
        Some((command, Intent::Small(number)))
    }

    fn expel(&mut self, number: usize, circle: &control::Circle, ask: Ask<'_>) -> Option<(Command, Intent)> {
        let Ok(Answer::Members(members)) = ask(Query::Members(circle.id.clone())) else { return None };
        let others: Vec<_> =
            members.into_iter().filter(|m| !m.me && m.status == "current" && m.role.as_deref() != Some("founder")).collect();
        let target = self.rng.pick(&others)?.id.clone();
        let plan = self.plans.get_mut(number).filter(|plan| plan.departures > 0)?;
        plan.departures -= 1;
        Some((Command::RemoveMember(circle.id.clone(), target.clone()), Intent::Expel(number, target)))
    }

    fn leave(&mut self, who: Who, number: usize, id: String) -> Option<(Command, Intent)> {
        let plan = self.plans.get_mut(number).filter(|plan| plan.departures > 0)?;
        plan.departures -= 1;
        plan.gone.insert(who);
        Some((Command::Leave(id), Intent::Leave(number)))
    }

    fn role(&mut self, number: usize, id: String, ask: Ask<'_>) -> Option<(Command, Intent)> {
        let Ok(Answer::Members(members)) = ask(Query::Members(id.clone())) else { return None };
        let others: Vec<_> = members.into_iter().filter(|m| !m.me && m.status == "current").collect();
        let target = self.rng.pick(&others)?.id.clone();
        let role = (*self.rng.pick(&["member", "facilitator", "steward"])?).to_owned();
        Some((Command::SetRole(id, target, control::SetRole { role }), Intent::Small(number)))
    }

    fn noun(&mut self) -> Noun {
        *self.rng.pick(&[Noun::Note, Noun::Note, Noun::Event, Noun::Resource]).unwrap_or(&Noun::Note)
    }

    /// An item that is shown: its id, its version, whether it is mine (who sees a delivery state wrote it).
    fn some_item(&mut self, circle: &str, noun: Noun, ask: Ask<'_>) -> Option<(String, u64, bool)> {
        let query = Query::List { circle: Some(circle.to_owned()), noun, filter: Filter::default() };
        let shown = |state: &NoteState| *state == NoteState::Visible;
        let rows: Vec<_> = match ask(query).ok()? {
            Answer::Notes(list) => {
                list.into_iter().filter(|n| shown(&n.state)).map(|n| (n.id, n.version, n.delivery.is_some())).collect()
            }
            Answer::Events(list) => {
                list.into_iter().filter(|e| shown(&e.state)).map(|e| (e.id, 0, e.delivery.is_some())).collect()
            }
            Answer::Resources(list) => {
                list.into_iter().filter(|r| shown(&r.state)).map(|r| (r.id, 0, r.delivery.is_some())).collect()
            }
            _ => Vec::new(),
        };
        self.rng.pick(&rows).cloned()
    }
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

/// A circle as its member's machine shows it, if she is or was in it.
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
            match member.status.as_str() {
                "current" => known.current.insert(member.id),
                "removed" | "left" => known.out.insert(member.id),
                _ => false,
            };
        }
    }
    known
}

/// Is she in, and has she said her name?
fn named(ask: Ask<'_>, id: &str) -> bool {
    let Ok(Answer::Joins(joins)) = ask(Query::Joins) else { return false };
    let busy = joins.iter().any(|join| join.id == id && join.status != JoinStatus::Joined);
    !busy && my_circle(ask, id).is_some_and(|circle| circle.status == "current")
}
