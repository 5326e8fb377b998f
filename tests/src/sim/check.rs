//! The promises: what must hold at every step, after every restart, and once all is well again.

mod healed;
mod items;
mod keys;
mod sent;

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::control;
use kith_protocol::node::{Answer, Filter, Noun, Query};
use serde_json::Value;

use super::net::Who;
use super::workload::{CANARY, Intent, known, my_circle};
use super::world::World;
use crate::alike::strip;

pub use healed::{converged, everything};
pub use sent::sent;

/// The nouns of lists.
pub const NOUNS: [Noun; 3] = [Noun::Note, Noun::Event, Noun::Resource];

/// What a check found: its name, and how it showed.
type Found = (&'static str, String);

/// Something that was written and acknowledged.
#[derive(Debug)]
struct Written {
    circle: usize,
    noun: Noun,
    author: Who,
    /// Members who were in, as the writer knew before and after.
    readers: BTreeSet<String>,
    /// Members who were out, as the writer knew before.
    strangers: BTreeSet<String>,
    /// Somebody asked for its deletion.
    deleting: bool,
    /// Her machine acknowledged the deletion.
    deleted_at: BTreeSet<Who>,
}

/// What was acknowledged.
#[derive(Debug, Default)]
pub struct Ledger {
    written: BTreeMap<String, Written>,
    versions: BTreeMap<(Who, String), u64>,
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
}

/// Do people's words stand in these bytes?
#[must_use]
pub fn holds_canary(bytes: &[u8]) -> bool {
    bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
}

/// Before a command is given: a deletion may happen without ever being acknowledged.
pub fn about_to(world: &mut World, _who: Who, intent: &Intent) {
    if let Intent::Remove { id, .. } = intent
        && let Some(item) = world.ledger.written.get_mut(id)
    {
        item.deleting = true;
    }
}

/// A command is answered: what is acknowledged must stay.
pub fn replied(world: &mut World, who: Who, intent: &Intent, answer: &Result<Answer, control::Error>) {
    let Ok(answer) = answer else { return };
    match intent {
        Intent::Wrong(what) => world.breaks("authenticity/refused", format!("machine {who} does what nobody may: {what:?}")),
        Intent::Write { circle, noun, known: before } => {
            let after = known(&asker(world, who), &circle_id(world, *circle));
            let readers = before.current.intersection(&after.current).cloned().collect();
            let written = Written {
                circle: *circle,
                noun: *noun,
                author: who,
                readers,
                strangers: before.out.clone(),
                deleting: false,
                deleted_at: BTreeSet::new(),
            };
            keys::written(world, who, *circle, *noun, before);
            match made(answer) {
                Some(id) => drop(world.ledger.written.insert(id, written)),
                None => world.breaks("contract/answer", format!("{noun:?} new answers {}", kind(answer))),
            }
        }
        Intent::Edit { noun: Noun::Note, id, version, .. } => {
            let key = (who, id.clone());
            let newest = world.ledger.versions.get(&key).copied().unwrap_or(0).max(version + 1);
            world.ledger.versions.insert(key, newest);
        }
        Intent::Remove { id, .. } => {
            if let Some(item) = world.ledger.written.get_mut(id) {
                item.deleted_at.insert(who);
            }
        }
        _ => {}
    }
}

/// An input was refused: memory is what the store says, as if it had never come.
pub fn nothing_left(world: &mut World, who: Who) {
    if !world.is_sound(who) {
        return;
    }
    if world.machines[who].left_a_trace {
        world.breaks("durability/refused", format!("machine {who} writes what a refused input wanted written"));
    }
    match world.machines[who].astray(world.crypto()) {
        Ok(None) => {}
        Ok(Some(part)) => {
            world.breaks("durability/memory", format!("machine {who} remembers what its store does not say: the {part}"));
        }
        Err(why) => world.breaks("durability/start", format!("machine {who} would not start again: {why}")),
    }
}

/// After a restart all that was acknowledged here is here.
pub fn after_restart(world: &mut World, who: Who) {
    at_any_time(world, who);
}

/// What holds at any time on any machine that is on: acknowledged writes are there, acknowledged deletions hold, and nothing that was
/// written after its writer knew of a removal is readable by the removed.
pub fn at_any_time(world: &mut World, who: Who) {
    if !world.is_sound(who) {
        return;
    }
    let mut broken = None;
    for (number, plan) in world.workload.plans.iter().enumerate() {
        let Some(id) = plan.id.as_deref() else { continue };
        let Some(circle) = my_circle(&asker(world, who), id) else { continue };
        for noun in NOUNS {
            let rows = rows(world, who, id, noun, false);
            broken = broken.or_else(|| items::judge(world, who, id, noun, &rows));
            let of = |item: &&Written| item.circle == number && item.noun == noun;
            for (item, written) in world.ledger.written.iter().filter(|(_, written)| of(written)) {
                broken = broken.or_else(|| judge(&circle, who, item, written, rows.get(item), &world.ledger.versions));
            }
        }
        broken = broken.or_else(|| keys::at_any_time(world, who, number, id));
    }
    if let Some((promise, what)) = broken {
        world.breaks(promise, what);
    }
}

fn judge(
    circle: &control::Circle,
    who: Who,
    item: &str,
    written: &Written,
    row: Option<&Value>,
    versions: &BTreeMap<(Who, String), u64>,
) -> Option<Found> {
    let visible = row.is_some_and(|row| row.get("state").and_then(Value::as_str) == Some("visible"));
    if written.author == who && circle.status == "current" && !written.deleting && row.is_none() {
        return Some(("durability/write", format!("machine {who} acknowledged {item} and has it no more")));
    }
    if written.deleted_at.contains(&who) && visible {
        return Some(("durability/deletion", format!("machine {who} acknowledged the deletion of {item} and shows it")));
    }
    if written.strangers.contains(&circle.me) && row.is_some() && circle.status != "current" {
        return Some((
            "confidentiality/removed",
            format!("machine {who} reads {item}, written after its writer knew of its removal"),
        ));
    }
    let version = row.and_then(|row| row.get("version")).and_then(Value::as_u64);
    let expected = versions.get(&(who, item.to_owned())).copied();
    if let (Some(version), Some(expected)) = (version, expected)
        && visible
        && version < expected
    {
        return Some(("durability/edit", format!("machine {who} acknowledged version {expected} of {item} and has {version}")));
    }
    None
}

/// The rows of a list by id, without what is each member's own.
fn rows(world: &World, who: Who, circle: &str, noun: Noun, reveal: bool) -> BTreeMap<String, Value> {
    let filter = Filter { reveal, ..Filter::default() };
    let query = Query::List { circle: Some(circle.to_owned()), noun, filter };
    let Ok(answer) = asker(world, who)(query) else { return BTreeMap::new() };
    let id = |row: &Value| row.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    list(&answer).into_iter().map(|row| (id(&row), row)).collect()
}

fn list(answer: &Answer) -> Vec<Value> {
    let value = match answer {
        Answer::Notes(list) => serde_json::to_value(list),
        Answer::Events(list) => serde_json::to_value(list),
        Answer::Resources(list) => serde_json::to_value(list),
        Answer::Members(list) => serde_json::to_value(list),
        Answer::Joins(list) => serde_json::to_value(list),
        _ => Ok(Value::Array(Vec::new())),
    };
    let mut rows = match value {
        Ok(Value::Array(rows)) => rows,
        Ok(_) | Err(_) => Vec::new(),
    };
    rows.iter_mut().for_each(strip);
    rows
}

fn shared(circle: &control::Circle) -> Value {
    let mut value = serde_json::to_value(circle).unwrap_or_default();
    strip(&mut value);
    if let Value::Object(fields) = &mut value {
        fields.retain(|name, _| !matches!(name.as_str(), "role" | "status" | "me"));
    }
    value
}

fn made(answer: &Answer) -> Option<String> {
    match answer {
        Answer::Note(note) => Some(note.id.clone()),
        Answer::Event(event) => Some(event.id.clone()),
        Answer::Resource(resource) => Some(resource.id.clone()),
        Answer::Made(ids) => ids.first().cloned(),
        _ => None,
    }
}

fn kind(answer: &Answer) -> String {
    format!("{answer:?}").chars().take(12).collect()
}

fn circle_id(world: &World, number: usize) -> String {
    world.workload.plans.get(number).and_then(|plan| plan.id.clone()).unwrap_or_default()
}

fn asker(world: &World, who: Who) -> impl Fn(Query) -> Result<Answer, control::Error> + '_ {
    move |query| world.machines[who].recall(world.now(), world.crypto(), query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canary_is_found_where_it_is() {
        assert!(holds_canary(format!("..{CANARY}..").as_bytes()));
        assert!(!holds_canary(b"kanarienvoge"));
    }
}
