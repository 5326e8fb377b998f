//! What time does: what is over is destroyed, what is not stays.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::circle::body::{Retention, Statement};
use kith_protocol::control;
use kith_protocol::id::{ActId, DeviceId, ItemKey};
use kith_protocol::item::edit::Edit;
use kith_protocol::item::kind::Kind;
use kith_protocol::limits::{DESTROY_MILLIS, OVER_MILLIS};
use kith_protocol::log::chain;
use kith_protocol::log::entry::{EntryAt, Opened};
use kith_protocol::store::{Read, Table};
use kith_protocol::time::{DAY, HOUR, Millis};

use super::{Found, items, keys};
use crate::sim::machine::Machine;
use crate::sim::net::Who;
use crate::sim::workload::my_circle;
use crate::sim::world::World;

/// How far two machines' clocks may be from each other, and how long anything may take, in milliseconds: more than both.
pub(super) const SLACK: u64 = 2 * HOUR;
/// Entries opened at once.
const SLICE: u64 = 256;
/// Rows of the word index looked at.
const WORDS: usize = 100_000;

/// Every entry of a circle whose bytes a machine still has.
pub(super) fn kept(world: &World, who: Who, id: &str) -> Vec<Opened> {
    let Some((circle, _)) = keys::own(world, who, id) else { return Vec::new() };
    let (disk, ring) = (&world.machines[who].disk, keys::ring(world, who, &circle));
    let mut found = Vec::new();
    for head in chain::chains(disk, &circle).unwrap_or_default() {
        let mut from = head.first.max(1);
        while from <= head.seq {
            let until = head.seq.min(from + SLICE - 1);
            let places: Vec<EntryAt> = (from..=until).map(|seq| EntryAt { chain: head.no, seq }).collect();
            found.extend(chain::load_many(disk, &ring, &places).unwrap_or_default());
            from = until + 1;
        }
    }
    found.retain(|entry| entry.payload.is_some());
    found
}

/// On a machine that has been on for a while: nothing is kept longer than it says of itself, and nothing that is destroyed can be
/// found by its words.
pub fn kept_too_long(world: &mut World, who: Who) {
    let ids: Vec<String> = world.workload.plans.iter().filter_map(|plan| plan.id.clone()).collect();
    let now = world.machines[who].local(world.now());
    // Hostile people may say anything of how long their own words are to be kept.
    let hostile: BTreeSet<DeviceId> = world
        .machines
        .iter()
        .filter(|machine| machine.mask.is_some())
        .flat_map(Machine::devices)
        .map(|(_, device)| device)
        .collect();
    let mut there = BTreeSet::new();
    for id in ids {
        for entry in kept(world, who, &id) {
            there.insert(entry.item.key(&entry.circle));
            let Retention::Days(days) = entry.retention else { continue };
            if hostile.contains(&entry.chain.device) {
                continue;
            }
            let edit = Kind::of(entry.kind).zip(entry.payload.as_deref()).and_then(|(kind, bytes)| Edit::parse(bytes, kind).ok());
            // For a week nobody's clock but the machine's own may say that it is over.
            let over = edit.is_some_and(|edit| edit.at.plus(u64::from(days) * DAY + OVER_MILLIS + SLACK) < now);
            if over {
                let what = format!("machine {who} keeps an entry of kind {} beyond its {days} days: {:?}", entry.kind, entry.at);
                return world.breaks("confidentiality/expired", what);
            }
        }
    }
    let words = world.machines[who].disk.scan(Table::Search, &[], &[], WORDS).unwrap_or_default();
    let item = |key: &[u8]| key.get(8..)?.try_into().ok().map(ItemKey);
    if let Some(lost) = words.iter().filter_map(|(key, _)| item(key)).find(|item| !there.contains(item)) {
        world.breaks("confidentiality/index", format!("machine {who} finds {lost:?} by its words and has nothing of it"));
    }
    let built = world.machines[who].disk.scan(Table::Built, &[], &[], WORDS).unwrap_or_default();
    let item = |key: &[u8]| key.get(..16)?.try_into().ok().map(ItemKey);
    if let Some(lost) = built.iter().filter_map(|(key, _)| item(key)).find(|item| !there.contains(item)) {
        world.breaks("confidentiality/built", format!("machine {who} keeps what {lost:?} says and has nothing of it"));
    }
}

/// Items that their authors wanted gone at once are gone everywhere, once everybody knows; and those for which a day is left to
/// think again are still with their authors.
pub(super) fn destroyed_at_once(world: &World, number: usize, id: &str, current: &[&(Who, control::Circle)]) -> Option<Found> {
    gone(world, number, id, current, |_, at_once| at_once)
}

/// A day after a deletion that everybody has known since `known`, it is gone everywhere.
pub fn destroyed(world: &mut World, known: Millis) {
    let now = world.now();
    let over = |at: Millis, at_once: bool| at_once || at <= known && known.plus(DESTROY_MILLIS + SLACK) < now;
    for number in 0..world.workload.plans.len() {
        let Some(id) = world.workload.plans[number].id.clone() else { continue };
        let mine = |who: Who| my_circle(&super::asker(world, who), &id);
        let all: Vec<(Who, control::Circle)> = world.sound().into_iter().filter_map(|who| Some((who, mine(who)?))).collect();
        let current: Vec<&(Who, control::Circle)> =
            all.iter().filter(|(_, circle)| circle.status == control::CircleStatus::Current).collect();
        if let Some((check, what)) = gone(world, number, &id, &current, over) {
            return world.breaks(check, what);
        }
    }
}

fn gone(
    world: &World,
    number: usize,
    id: &str,
    current: &[&(Who, control::Circle)],
    over: impl Fn(Millis, bool) -> bool,
) -> Option<Found> {
    // What somebody wrote who is out by now may be held aside, their deletions with it; what was copied may say both.
    let author_in = |author: Who| {
        current.iter().any(|(who, _)| *who == author) && !world.machines.iter().any(|machine| machine.copy_of == Some(author))
    };
    let deleted = world.ledger.written.iter().filter(|(_, item)| item.circle == number && author_in(item.author));
    let deleted: BTreeMap<&String, (Who, Millis, bool)> =
        deleted.filter_map(|(id, item)| item.deleted.map(|(at, at_once)| (id, (item.author, at, at_once)))).collect();
    if deleted.is_empty() {
        return None;
    }
    let destroying = |item: &String| world.ledger.written.get(item).is_some_and(|item| item.destroying);
    for (who, _) in current {
        let mut held: BTreeSet<String> = BTreeSet::new();
        for entry in kept(world, *who, id) {
            let letter = Kind::of(entry.kind).map_or('?', Kind::letter);
            held.insert(entry.item.key(&entry.circle).text(letter));
        }
        for (item, (author, at, at_once)) in &deleted {
            if over(*at, *at_once) && held.contains(*item) {
                return Some(("confidentiality/destroyed", format!("machine {who} keeps {item}, deleted at {at}")));
            }
            let early = !at_once && !destroying(item) && world.now().since(*at) + SLACK < DESTROY_MILLIS && !held.contains(*item);
            let stays = world.ledger.written.get(*item).is_some_and(|item| item.stays(world.now()));
            if early && stays && who == author {
                return Some(("durability/destroyed", format!("machine {who} destroyed {item} at once, deleted at {at}")));
            }
        }
    }
    None
}

/// Nobody honest lets anybody in by an invite that had ended, by their own clock.
pub(super) fn invites(world: &World, who: Who, circle: &str) -> Option<Found> {
    let acts = items::opened(world, who, circle);
    let sound: BTreeSet<_> = world.sound().into_iter().filter_map(|other| Some(keys::own(world, other, circle)?.1)).collect();
    let ends: BTreeMap<ActId, Millis> = acts
        .iter()
        .filter_map(
            |(act, body)| {
                if let Statement::Invite { expires, .. } = &body.statement { Some((act.id(), *expires)) } else { None }
            },
        )
        .collect();
    acts.iter().filter(|(act, _)| sound.contains(&act.author())).find_map(|(_, body)| {
        let Statement::Admit { invite: Some(invite), .. } = &body.statement else { return None };
        let end = ends.get(invite).filter(|end| body.at > **end)?;
        Some((
            "authenticity/expired",
            format!("machine {who} knows of an admission at {} by an invite that ended at {end}", body.at),
        ))
    })
}
