//! What was acknowledged, and must stay: items, their versions, what was said about them.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::circle::body::Retention;
use kith_protocol::control::{self, Item};
use kith_protocol::id::{DeviceId, EpochId};
use kith_protocol::item::edit::Edit;
use kith_protocol::item::kind::Kind;
use kith_protocol::log::entry::Opened;
use kith_protocol::node::Answer;
use kith_protocol::time::{DAY, Millis};
use serde_json::Value;

use super::keys::{self, Before};
use super::time::{self, SLACK};
use super::{Found, asker, circle_id};
use crate::sim::net::Who;
use crate::sim::workload::{CANARY, Intent, known};
use crate::sim::world::World;

/// Something that was written and acknowledged.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) circle: usize,
    pub(super) noun: Kind,
    pub(super) author: Who,
    /// Members who were in, as the writer knew before and after.
    pub(super) readers: BTreeSet<String>,
    /// Members who were out, as the writer knew before.
    strangers: BTreeSet<String>,
    /// Somebody asked for its deletion.
    pub(super) deleting: bool,
    /// Somebody asked that it be destroyed at once, whether or not that was answered.
    pub(super) destroying: bool,
    /// Their machine acknowledged the deletion.
    deleted_at: BTreeSet<Who>,
    /// When its author's machine first acknowledged that, in true time, and whether it is destroyed at once.
    pub(super) deleted: Option<(Millis, bool)>,
    /// When its retention is over, by its author's clock.
    pub(super) until: Option<Millis>,
}

impl Written {
    /// Did its author's machine acknowledge that it is destroyed at once?
    pub(super) fn gone_at_once(&self) -> bool {
        self.deleted.is_some_and(|(_, at_once)| at_once)
    }

    /// Has nobody's clock come near the end of its retention?
    pub(super) fn stays(&self, now: Millis) -> bool {
        self.until.is_none_or(|until| now.plus(SLACK) < until)
    }

    /// Is its retention over by somebody's clock, and by somebody else's not, perhaps?
    pub(super) fn is_ending(&self, now: Millis) -> bool {
        self.until.is_some_and(|until| until <= now.plus(SLACK) && now <= until.plus(SLACK))
    }
}

/// What a person said about an item, of which the last word counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    /// A reply to this note, in these words; nobody writes any twice.
    Reply(String, String),
    /// This emoji at this note.
    Reaction(String, String),
    /// An answer to this event.
    Rsvp(String),
}

impl About {
    /// What an intent says, in which circle, and the answer.
    fn of(intent: &Intent) -> Option<(usize, Self, String)> {
        Some(match intent {
            Intent::Reply { circle, note, words } => (*circle, Self::Reply(note.clone(), words.clone()), String::new()),
            Intent::React { circle, note, emoji, .. } => (*circle, Self::Reaction(note.clone(), emoji.clone()), String::new()),
            Intent::Rsvp { circle, event, answer } => (*circle, Self::Rsvp(event.clone()), answer.clone()),
            _ => return None,
        })
    }

    fn item(&self) -> &str {
        let (Self::Reply(item, _) | Self::Reaction(item, _) | Self::Rsvp(item)) = self;
        item
    }

    const fn noun(&self) -> Kind {
        match self {
            Self::Reply(..) | Self::Reaction(..) => Kind::Note,
            Self::Rsvp(_) => Kind::Event,
        }
    }
}

/// What stands of it: the words of the last answer, and when its retention is over.
#[derive(Debug)]
struct Said {
    circle: usize,
    answer: String,
    until: Option<Millis>,
}

/// What was acknowledged.
#[derive(Debug, Default)]
pub struct Ledger {
    pub(super) written: BTreeMap<String, Written>,
    versions: BTreeMap<(Who, String), u64>,
    said: BTreeMap<(Who, About), Said>,
    /// How many entries of each kind, by number, people wrote.
    pub(crate) entries: BTreeMap<u8, u64>,
    /// When a machine was first seen to hold an epoch's keys, by its own clock.
    pub(super) held: BTreeMap<(Who, EpochId), Millis>,
    /// How often its people had changed when its keys were looked at.
    pub(super) looked: BTreeMap<Who, u64>,
}

impl Ledger {
    /// How many items were acknowledged.
    #[must_use]
    pub fn len(&self) -> usize {
        self.written.len()
    }

    /// None?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// How many replies, reactions and answers were acknowledged and still hold.
    #[must_use]
    pub fn said(&self) -> usize {
        self.said.len()
    }
}

/// Before a command is given: what it asks for may happen without ever being acknowledged.
pub fn about_to(world: &mut World, who: Who, intent: &Intent) {
    if let Intent::Remove { id, now, .. } = intent
        && let Some(item) = world.ledger.written.get_mut(id)
    {
        item.deleting = true;
        item.destroying |= *now;
    }
    if let Some((_, about, _)) = About::of(intent) {
        world.ledger.said.remove(&(who, about));
    }
}

/// A command is answered: what is acknowledged must stay, and be sealed as its writer knew that it must be.
pub fn replied(
    world: &mut World,
    who: Who,
    (intent, before): (&Intent, Option<&Before>),
    answer: &Result<Answer, control::Error>,
) {
    if world.machines[who].mask.is_some() {
        return;
    }
    if let (Intent::Edit { id, .. }, Err(why)) = (intent, answer) {
        let theirs = world.ledger.written.get(id).is_some_and(|item| item.author == who);
        // Nobody changes anything so often here that it would be their own doing.
        let full = ["That cannot be written", "You have changed this as often as one person may"];
        if theirs && why.code == control::Code::Failed && full.iter().any(|said| why.message.starts_with(said)) {
            world.breaks(
                "availability/item",
                format!("machine {who} cannot change {id} any more, which is theirs: {}", why.message),
            );
        }
    }
    let Ok(answer) = answer else { return };
    let fresh = before.map(|before| keys::fresh(world, who, before)).unwrap_or_default();
    fresh.iter().for_each(|entry| *world.ledger.entries.entry(entry.kind).or_default() += 1);
    if let Some(before) = before {
        keys::sealed(world, who, before, &fresh);
    }
    match intent {
        Intent::Wrong(what) => world.breaks("authenticity/refused", format!("machine {who} does what nobody may: {what:?}")),
        Intent::Write { circle, noun } => match made(answer).first() {
            Some(id) => note(world, who, (*circle, *noun, id), before, &fresh),
            None => world.breaks("contract/answer", format!("{noun:?} new answers {}", kind(answer))),
        },
        Intent::Batch { circle, nouns } => {
            let ids = made(answer);
            if ids.len() != nouns.len() {
                return world.breaks("contract/answer", format!("a batch of {} answers {}", nouns.len(), ids.len()));
            }
            ids.iter().zip(nouns).for_each(|(id, noun)| note(world, who, (*circle, *noun, id), before, &fresh));
        }
        Intent::Edit { noun: Kind::Note, id, version, .. } => {
            let key = (who, id.clone());
            let newest = world.ledger.versions.get(&key).copied().unwrap_or(0).max(version + 1);
            world.ledger.versions.insert(key, newest);
        }
        Intent::Remove { id, now, .. } => {
            let moment = world.now();
            if let Some(item) = world.ledger.written.get_mut(id) {
                item.deleted_at.insert(who);
                let (first, at_once) = item.deleted.unwrap_or((moment, false));
                item.deleted = Some((first, at_once || *now));
            }
        }
        Intent::Approve { expires: Some(expires), .. } if world.machines[who].local(world.now()) > expires.plus(SLACK) => {
            world.breaks("authenticity/expired", format!("machine {who} lets somebody in by an invite that ended at {expires}"));
        }
        _ => said(world, who, (intent, answer), &fresh),
    }
}

fn note(world: &mut World, who: Who, (circle, noun, id): (usize, Kind, &str), before: Option<&Before>, fresh: &[Opened]) {
    let after = known(&asker(world, who), &circle_id(world, circle));
    let before = before.map(|before| before.known.clone()).unwrap_or_default();
    let letter = id.chars().next().unwrap_or('n');
    let Some(entry) = fresh.iter().find(|entry| entry.item.key(&entry.circle).text(letter) == id) else {
        return world.breaks("durability/write", format!("machine {who} acknowledged {id}, of which its log holds nothing"));
    };
    let written = Written {
        circle,
        noun,
        author: who,
        readers: before.current.intersection(&after.current).cloned().collect(),
        strangers: before.out,
        deleting: false,
        destroying: false,
        deleted_at: BTreeSet::new(),
        deleted: None,
        until: until(entry),
    };
    world.ledger.written.insert(id.to_owned(), written);
}

/// When the retention of an item that opens with this entry is over.
fn until(entry: &Opened) -> Option<Millis> {
    let Retention::Days(days) = entry.retention else { return None };
    let edit = Kind::of(entry.kind).zip(entry.payload.as_deref()).and_then(|(kind, bytes)| Edit::parse(bytes, kind).ok());
    Some(edit.map_or(Millis(0), |edit| edit.at).plus(u64::from(days) * DAY))
}

/// A reply, a reaction or an answer to an event: the last that was acknowledged stands, unless another is on its way.
fn said(world: &mut World, who: Who, (intent, answered): (&Intent, &Answer), fresh: &[Opened]) {
    let Some((circle, about, answer)) = About::of(intent) else { return };
    let other = |intent: &Intent| About::of(intent).is_some_and(|(_, other, _)| other == about);
    // The same reaction again takes it back.
    let stands = match (&about, answered) {
        (About::Reaction(_, emoji), Answer::Item(Item::Note(note))) => {
            note.reactions.get(emoji).is_some_and(|by| by.iter().any(|name| named(name, who)))
        }
        (About::Reaction(..), _) => false,
        (About::Reply(..) | About::Rsvp(_), _) => true,
    };
    if !stands || world.asks(who, other) {
        return;
    }
    let says = |entry: &&Opened| Kind::of(entry.kind).is_some_and(|kind| matches!(kind, Kind::Reply | Kind::Reaction));
    let until = fresh.iter().filter(says).filter_map(until).min();
    world.ledger.said.insert((who, about), Said { circle, answer, until });
}

/// What a machine shows, against what it acknowledged.
pub(super) fn judge(
    world: &World,
    who: Who,
    (number, circle): (usize, &control::Circle),
    noun: Kind,
    rows: &BTreeMap<String, Value>,
) -> Option<Found> {
    let now = world.machines[who].local(world.now());
    let of = |written: &&Written| written.circle == number && written.noun == noun;
    let mut items = world.ledger.written.iter().filter(|(_, written)| of(written));
    let found = items.find_map(|(id, written)| {
        let found = item(&world.ledger, (who, now), circle, (id, written), rows.get(id))?;
        (!gone_by_founder(world, who, (number, &circle.id), id)).then_some(found)
    });
    if found.is_some() || circle.status != control::CircleStatus::Current || copied(world, who) {
        return found;
    }
    let hostile = world.machines.iter().any(|machine| machine.mask.is_some());
    let mine = world.ledger.said.iter().filter(|((by, about), said)| *by == who && said.circle == number && about.noun() == noun);
    mine.filter(|(_, said)| said.until.is_none_or(|until| now.plus(SLACK) < until)).find_map(|((_, about), said)| {
        let row = rows.get(about.item()).filter(|row| visible(row))?;
        let lost =
            !stands(row, (who, about), said, &circle.me, hostile) && !founder_deletes_theirs(world, who, (number, circle), about);
        lost.then(|| ("durability/said", format!("machine {who} acknowledged {about:?} {} and shows {row}", said.answer)))
    })
}

/// Did the founder delete it, where the founder is hostile and tells nobody? That is for the founder to do.
pub(super) fn gone_by_founder(world: &World, who: Who, (number, circle): (usize, &str), item: &str) -> bool {
    let Some(founder) = world.workload.plans.get(number).map(|plan| plan.founder) else { return false };
    if world.machines.get(founder).is_none_or(|machine| machine.mask.is_none()) {
        return false;
    }
    let Some((_, device)) = keys::own(world, founder, circle) else { return false };
    time::kept(world, who, circle).iter().any(|entry| deletes(entry, &device, item))
}

/// Did a hostile founder delete what the machine's owner said about something, and tell nobody? That is theirs to do.
fn founder_deletes_theirs(world: &World, who: Who, (number, circle): (usize, &control::Circle), about: &About) -> bool {
    let Some(founder) = world.workload.plans.get(number).map(|plan| plan.founder) else { return false };
    let hostile = world.machines.get(founder).is_some_and(|machine| machine.mask.is_some());
    let Some((_, device)) = keys::own(world, founder, &circle.id).filter(|_| hostile) else { return false };
    let (kind, words) = match about {
        About::Reply(_, words) => (Kind::Reply, words.as_str()),
        About::Reaction(_, emoji) => (Kind::Reaction, emoji.as_str()),
        About::Rsvp(_) => (Kind::Rsvp, ""),
    };
    let kept = time::kept(world, who, &circle.id);
    let says = |payload: &[u8]| words.is_empty() || payload.windows(words.len()).any(|window| window == words.as_bytes());
    let is_it = |entry: &Opened| entry.kind == kind.number() && entry.payload.as_deref().is_none_or(says);
    let target = |entry: &Opened| Edit::parse(entry.payload.as_deref()?, Kind::Tombstone).ok()?.about;
    let deleted = kept.iter().filter(|entry| entry.kind == Kind::Tombstone.number() && entry.chain.device == device);
    let mut deleted = deleted.filter_map(target).filter(|item| item.creator.text() == circle.me);
    deleted.any(|item| kept.iter().any(|entry| entry.item == item && is_it(entry)))
}

/// Is it a tombstone that this device wrote for that item?
fn deletes(entry: &Opened, device: &DeviceId, item: &str) -> bool {
    let edit = entry.payload.as_deref().and_then(|bytes| Edit::parse(bytes, Kind::Tombstone).ok());
    let about = edit.and_then(|edit| edit.about).map(|about| about.key(&entry.circle));
    let letter = item.chars().next().unwrap_or('n');
    let theirs = entry.kind == Kind::Tombstone.number() && entry.chain.device == *device;
    theirs && about.is_some_and(|about| about.text(letter) == item)
}

fn copied(world: &World, who: Who) -> bool {
    world.machines[who].copy_of.is_some() || world.machines.iter().any(|machine| machine.copy_of == Some(who))
}

fn visible(row: &Value) -> bool {
    row.get("state").and_then(Value::as_str) == Some("visible")
}

/// Is this the name of a machine's owner, as founder or as guest?
fn named(name: &str, who: Who) -> bool {
    [format!("{CANARY} person {who}"), format!("{CANARY} guest {who}")].iter().any(|its| its == name)
}

fn stands(row: &Value, (who, about): (Who, &About), said: &Said, me: &str, hostile: bool) -> bool {
    match about {
        About::Reply(_, words) => {
            let replies = row.get("replies").and_then(Value::as_array).into_iter().flatten();
            replies.into_iter().any(|reply| {
                let by = reply.get("author").and_then(|author| author.get("member")).and_then(Value::as_str);
                // Anyone who may hide notes may hide replies, though no honest program does.
                let hidden = hostile && reply.get("state").and_then(Value::as_str) == Some("hidden");
                by == Some(me) && (hidden || reply.get("body").and_then(Value::as_str) == Some(words))
            })
        }
        About::Reaction(_, emoji) => {
            let names = row.get("reactions").and_then(|reactions| reactions.get(emoji)).and_then(Value::as_array);
            names.into_iter().flatten().filter_map(Value::as_str).any(|name| named(name, who))
        }
        About::Rsvp(_) => {
            let Some(rsvp) = row.get("rsvp") else { return false };
            let word = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).map(str::to_owned);
            // Somebody moved the event since: the answer is kept, and asked for again.
            let again = rsvp.get("asked_again").and_then(Value::as_array).into_iter().flatten();
            let mut again = again.filter(|person| word(person, "member").as_deref() == Some(me));
            let answer = Some(said.answer.clone());
            word(rsvp, "mine") == answer || again.any(|person| word(person, "answer") == answer)
        }
    }
}

fn item(
    ledger: &Ledger,
    (who, now): (Who, Millis),
    circle: &control::Circle,
    (id, written): (&str, &Written),
    row: Option<&Value>,
) -> Option<Found> {
    let shown = row.is_some_and(visible);
    if written.author == who
        && circle.status == control::CircleStatus::Current
        && !written.deleting
        && written.stays(now)
        && row.is_none()
    {
        return Some(("durability/write", format!("machine {who} acknowledged {id} and has it no more")));
    }
    if written.deleted_at.contains(&who) && shown {
        return Some(("durability/deletion", format!("machine {who} acknowledged the deletion of {id} and shows it")));
    }
    if written.strangers.contains(&circle.me) && row.is_some() && circle.status != control::CircleStatus::Current {
        return Some((
            "confidentiality/removed",
            format!("machine {who} reads {id}, written after its writer knew of its removal"),
        ));
    }
    let version = row.and_then(|row| row.get("version")).and_then(Value::as_u64);
    let expected = ledger.versions.get(&(who, id.to_owned())).copied();
    if let (Some(version), Some(expected)) = (version, expected)
        && shown
        && circle.status == control::CircleStatus::Current
        && version < expected
    {
        return Some(("durability/edit", format!("machine {who} acknowledged version {expected} of {id} and has {version}")));
    }
    None
}

/// The ids of what was made.
fn made(answer: &Answer) -> Vec<String> {
    match answer {
        Answer::Item(Item::Note(note)) => vec![note.id.clone()],
        Answer::Item(Item::Event(event)) => vec![event.id.clone()],
        Answer::Item(Item::Resource(resource)) => vec![resource.id.clone()],
        Answer::Made(made) => made.ids.clone(),
        _ => Vec::new(),
    }
}

fn kind(answer: &Answer) -> String {
    format!("{answer:?}").chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use kith_protocol::circle::body::{ChainId, KeyClass};
    use kith_protocol::codec;
    use kith_protocol::id::{CircleId, EntryId, Incarnation, ItemId, PersonId};
    use kith_protocol::item::edit::{Op, Value as Field};
    use kith_protocol::log::entry::EntryAt;
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_tombstone_of_that_device_about_that_item_says_that_its_founder_deleted_it() {
        let (founder, circle) = (DeviceId([1; 32]), CircleId([2; 32]));
        let item = |n| ItemId { creator: PersonId([3; 32]), nonce: [n; 16] };
        let entry = Opened {
            id: EntryId([4; 32]),
            at: EntryAt { chain: 1, seq: 1 },
            chain: ChainId { device: founder, incarnation: Incarnation([5; 16]), class: KeyClass::Talk },
            circle,
            heads: [].into(),
            epoch: EpochId([6; 32]),
            kind: Kind::Tombstone.number(),
            item: item(7),
            retention: Retention::Keep,
            payload: Some(codec::encode(&Edit::opening(Millis(1), Some(item(8)), vec![Op::Set(0, Field::Flag(false))]))),
        };
        let (about, other) = (item(8).key(&circle).text('n'), item(9).key(&circle).text('n'));
        assert!(deletes(&entry, &founder, &about));
        assert!(!deletes(&entry, &founder, &other));
        assert!(!deletes(&entry, &DeviceId([9; 32]), &about));
        assert!(!deletes(&Opened { kind: Kind::Hide.number(), ..entry.clone() }, &founder, &about));
        assert!(!deletes(&Opened { payload: None, ..entry }, &founder, &about));
    }

    #[test]
    fn what_was_said_stands_only_as_it_was_said_and_by_whom() {
        let row = json!({
            "replies": [{ "author": { "member": "m-a" }, "body": "words" }],
            "reactions": { "❤": [format!("{CANARY} guest 2")] },
            "rsvp": { "mine": "yes" },
        });
        let said = |answer: &str| Said { circle: 0, answer: answer.to_owned(), until: None };
        let reply = |words: &str| About::Reply("n-1".to_owned(), words.to_owned());
        let heart = About::Reaction("n-1".to_owned(), "❤".to_owned());
        let event = About::Rsvp("e-1".to_owned());
        assert!(stands(&row, (2, &reply("words")), &said(""), "m-a", false));
        assert!(!stands(&row, (2, &reply("words")), &said(""), "m-b", false));
        assert!(!stands(&row, (2, &reply("other words")), &said(""), "m-a", false));
        assert!(stands(&row, (2, &heart), &said(""), "m-a", false) && !stands(&row, (1, &heart), &said(""), "m-a", false));
        assert!(stands(&row, (2, &event), &said("yes"), "m-a", false) && !stands(&row, (2, &event), &said("no"), "m-a", false));
        assert!(!stands(&json!({}), (2, &event), &said("yes"), "m-a", false));
    }
}
