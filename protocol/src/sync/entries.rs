//! Entries on their way between log and items: one's own written, others' judged, cuts and time applied.

use std::collections::{BTreeMap, BTreeSet};

use super::circles::Circles;
use super::clocks;
use super::cuts::{self, Verdicts};
use crate::circle::body::ChainId;
use crate::circle::epoch::{EpochKeys, KeyRing};
use crate::circle::membership::State;
use crate::circle::state::CircleState;
use crate::context::{Cx, InputError};
use crate::control::{Code, Error, Hint};
use crate::id::{ActId, CircleId, DeviceId, EpochId, ItemKey, PersonId};
use crate::io::Effect;
use crate::item::edit::Edit;
use crate::item::kind::Kind;
use crate::item::{self, Ports, Report, Source, Writer};
use crate::limits;
use crate::log::LogError;
use crate::log::chain::{self, ChainPlace};
use crate::log::entry::{EntryAt, NewEntry, Opened};
use crate::store::{Read, StoreError, Table};
use crate::time::Millis;

/// The keys of every circle.
struct AllKeys<'a>(&'a Circles);

impl KeyRing for AllKeys<'_> {
    fn epoch(&self, id: &EpochId) -> Option<&EpochKeys> {
        self.0.all.values().find_map(|circle| circle.ring().epoch(id))
    }
}

/// A log error, where this device writes or reads what is its own.
pub(crate) fn stop(error: LogError) -> InputError {
    match error {
        LogError::Store(error) => InputError::Store(error),
        LogError::NoKey(_) => InputError::not_yet("The circle's keys have not arrived yet."),
        other @ (LogError::Codec(_) | LogError::Closed | LogError::Signature | LogError::Rule(_) | LogError::Quota(_)) => {
            InputError::Refused(Error::new(
                Code::Failed,
                format!("That could not be written: {other}."),
                Hint::run("", "doctor", &[], "looks for damage"),
            ))
        }
    }
}

/// Writes entries of one's own and applies them.
pub(crate) fn write(
    circles: &mut Circles,
    cx: &mut Cx<'_, '_>,
    id: &CircleId,
    entries: Vec<NewEntry>,
) -> Result<Report, InputError> {
    let Some(circle) = circles.all.get_mut(id) else { return Err(InputError::outside()) };
    let before = circle.judged().len();
    let epoch = circle.epoch_for_writing(cx)?;
    let heads = circle.heads(&epoch);
    let place = ChainPlace { circle: *id, incarnation: circle.own().incarnation() };
    let signer = circle.signer();
    let (crypto, rng) = (cx.env.crypto, &mut *cx.env.rng);
    let written = chain::append(&mut cx.tx, crypto, rng, circle.ring(), signer, &place, &epoch, &heads, entries).map_err(stop)?;
    let rotated = circle.judged().len() != before;
    let report = apply(circle, cx, &written, None)?;
    let chains: BTreeSet<ChainId> = written.iter().map(|entry| entry.chain).collect();
    let heads = circles.heads.entry(*id).or_default();
    chains.iter().try_for_each(|chain| heads.update(&cx.tx, id, chain))?;
    if rotated {
        circles.touched(*id);
    }
    circles.push_soon(*id);
    circles.new_words = true;
    Ok(report)
}

/// Judges verified entries of one chain and hands them to the items.
/// `before`: the heads in force before the first entry, behind which no later one may go.
pub(crate) fn apply(
    circle: &CircleState,
    cx: &mut Cx<'_, '_>,
    entries: &[Opened],
    before: Option<&[ActId]>,
) -> Result<Report, InputError> {
    let me = circle.device();
    let mut verdicts: BTreeMap<ChainId, Verdicts> = BTreeMap::new();
    for part in entries.chunk_by(|a, b| a.chain == b.chain) {
        let Some(first) = part.first() else { continue };
        verdicts.insert(first.chain, cuts::arrived(circle, cx, &first.chain, part)?);
    }
    let mut judged = Vec::with_capacity(entries.len());
    let mut before: Option<(ChainId, std::sync::Arc<[ActId]>)> =
        entries.first().zip(before.filter(|heads| !heads.is_empty())).map(|(entry, heads)| (entry.chain, heads.into()));
    let mut seen: Option<(std::sync::Arc<[ActId]>, std::sync::Arc<State>)> = None;
    for entry in entries {
        let there = match &seen {
            Some((heads, state)) if *heads == entry.heads => std::sync::Arc::clone(state),
            _ => match circle.membership().state_at(&entry.heads) {
                Some(state) => state,
                None => {
                    // They rest on an act that this program cannot read: kept, and judged by one that can.
                    let person = PersonId([0; 32]);
                    judged.push((
                        Writer { person, judged: false, role: None, me: entry.chain.device == me, standing: true },
                        entry,
                    ));
                    before = Some((entry.chain, entry.heads.clone()));
                    continue;
                }
            },
        };
        seen = Some((entry.heads.clone(), std::sync::Arc::clone(&there)));
        let back = before.as_ref().is_some_and(|(chain, heads)| {
            *chain == entry.chain && *heads != entry.heads && !circle.membership().covers(&entry.heads, heads)
        });
        let role = if back { None } else { there.role_of(&entry.chain.device) };
        let person = there.person_of(&entry.chain.device).unwrap_or(PersonId([0; 32]));
        let standing = verdicts.get(&entry.chain).is_none_or(|verdicts| verdicts.stands(entry));
        judged.push((Writer { person, judged: true, role, me: entry.chain.device == me, standing }, entry));
        before = Some((entry.chain, entry.heads.clone()));
    }
    let mut latest: BTreeMap<PersonId, Millis> = BTreeMap::new();
    for (writer, entry) in judged.iter().filter(|(writer, _)| !writer.me && writer.role.is_some()) {
        let label = entry.payload.as_deref().and_then(Edit::label).unwrap_or_default();
        let last = latest.entry(writer.person).or_default();
        *last = label.max(*last);
    }
    let my_own = circle.me();
    for (person, label) in latest.into_iter().filter(|(person, _)| Some(*person) != my_own) {
        clocks::heard(cx, &circle.id(), person, label)?;
    }
    let ports = Ports { source: circle.ring(), people: circle, now: cx.env.now };
    let report = item::apply(&mut cx.tx, ports, &circle.id(), &judged)?;
    carry_out(circle.ring(), cx, &report)?;
    Ok(report)
}

/// Tells watchers, and destroys what is to be destroyed.
pub(super) fn carry_out(ring: &dyn KeyRing, cx: &mut Cx<'_, '_>, report: &Report) -> Result<(), InputError> {
    for applied in &report.changes {
        cx.tx.then(Effect::Notify(applied.notice(cx.env.now)));
    }
    destroy(ring, cx, &report.destroy)
}

/// Entries whose bytes are still to be destroyed stand in `Local`: this, the chain's number, the entry's (both big-endian).
const DOOMED: &[u8] = b"destroy/";

fn doomed(at: EntryAt) -> Vec<u8> {
    [DOOMED, &at.chain.to_be_bytes(), &at.seq.to_be_bytes()].concat()
}

fn named_by(key: &[u8]) -> Option<EntryAt> {
    let (chain, seq) = key.get(DOOMED.len()..)?.split_first_chunk()?;
    Some(EntryAt { chain: u32::from_be_bytes(*chain), seq: u64::from_be_bytes(seq.try_into().ok()?) })
}

/// Destroys bytes, as many as the turn's budget allows; what is left is noted down, and follows in later turns.
fn destroy(ring: &dyn KeyRing, cx: &mut Cx<'_, '_>, entries: &[EntryAt]) -> Result<(), InputError> {
    if entries.is_empty() {
        return Ok(());
    }
    let left = chain::destroy_some(&mut cx.tx, ring, entries, &mut cx.budget).map_err(stop)?;
    for at in &left {
        cx.tx.put(Table::Local, &doomed(*at), vec![1]);
    }
    if left.is_empty() {
        cx.tx.then(Effect::Scrub);
    }
    Ok(())
}

/// Destroys some of what was noted down; `false`: nothing was.
fn destroy_more(circles: &Circles, cx: &mut Cx<'_, '_>) -> Result<bool, InputError> {
    let noted = cx.tx.scan(Table::Local, DOOMED, &[], limits::TURN_DESTROYED)?;
    let entries: Vec<EntryAt> = noted.iter().filter_map(|(key, _)| named_by(key)).collect();
    let left = chain::destroy_some(&mut cx.tx, &AllKeys(circles), &entries, &mut cx.budget).map_err(stop)?;
    let left: BTreeSet<Vec<u8>> = left.into_iter().map(doomed).collect();
    for (key, _) in noted.iter().filter(|(key, _)| !left.contains(key)) {
        cx.tx.delete(Table::Local, key);
    }
    if !noted.is_empty() && left.is_empty() {
        cx.tx.then(Effect::Scrub);
    }
    Ok(!noted.is_empty())
}

/// Destroys what was left over; then hides and destroys what is due by now.
pub(crate) fn sweep(circles: &Circles, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
    if destroy_more(circles, cx)? {
        return Ok(());
    }
    let item::Sweep { destroy: deleted, mut over } = item::sweep(&mut cx.tx, cx.env.now, limits::SWEEP_ITEMS)?;
    destroy(&AllKeys(circles), cx, &deleted)?;
    judge_times(circles, cx, &mut over, true, false)?;
    let (mut hidden, back) = item::waiting(&mut cx.tx, cx.env.now, limits::SWEEP_ITEMS)?;
    judge_times(circles, cx, &mut hidden, false, back)?;
    over.append(&mut hidden);
    let lost = item::end_all(&mut cx.tx, &over)?;
    destroy(&AllKeys(circles), cx, &lost)
}

/// Judges items whose time may be over, circle by circle. `first`: they were not judged before. What no circle here has, is left.
fn judge_times(
    circles: &Circles,
    cx: &mut Cx<'_, '_>,
    items: &mut Vec<item::Ending>,
    first: bool,
    back: bool,
) -> Result<(), InputError> {
    for circle in circles.all.values() {
        let (mine, others): (Vec<_>, Vec<_>) = std::mem::take(items).into_iter().partition(|item| item.is_of(&circle.id()));
        *items = others;
        // What is not looked at in this turn is due as before.
        let mine = if first { within_turn(mine) } else { mine };
        if mine.is_empty() {
            continue;
        }
        let past = if first { pasts(circle, cx, &mine)? } else { BTreeMap::new() };
        let judged: Vec<_> = mine.iter().map(|item| (item.key, past.get(&item.key).copied())).collect();
        let times = item::Times { passed: clocks::passed(&cx.tx, &circle.id())?, back };
        let ports = Ports { source: circle.ring(), people: circle, now: cx.env.now };
        let report = item::judge_time(&mut cx.tx, ports, &circle.id(), &judged, times)?;
        carry_out(circle.ring(), cx, &report)?;
    }
    Ok(())
}

/// As many items as lie in so many stretches of chains as a turn opens; one in any case.
fn within_turn(items: Vec<item::Ending>) -> Vec<item::Ending> {
    let mut stretches = BTreeSet::new();
    let mut bears = |item: &item::Ending| {
        let first = stretches.is_empty();
        for at in item.entries.iter().take(limits::FIRST_AMONG) {
            let from = at.seq.saturating_sub(limits::PAST_ENTRIES);
            stretches.extend([(at.chain, from / limits::STRETCH), (at.chain, at.seq / limits::STRETCH)]);
        }
        first || stretches.len() <= limits::TURN_STRETCHES
    };
    items.into_iter().take_while(|item| bears(item)).collect()
}

/// The latest moment, up to now, that is known to lie before the first words of items: of the acts that their author knew, and of
/// what the author wrote before them.
fn pasts(circle: &CircleState, cx: &Cx<'_, '_>, items: &[item::Ending]) -> Result<BTreeMap<ItemKey, Millis>, InputError> {
    let mut places: BTreeSet<EntryAt> = BTreeSet::new();
    for at in items.iter().flat_map(|item| item.entries.iter().take(limits::FIRST_AMONG)) {
        let from = at.seq.saturating_sub(limits::PAST_ENTRIES).max(1);
        places.extend((from..=at.seq).map(|seq| EntryAt { seq, ..*at }));
    }
    let places: Vec<EntryAt> = places.into_iter().collect();
    let opened: BTreeMap<EntryAt, Opened> =
        circle.ring().load_many(&cx.tx, &places)?.into_iter().map(|entry| (entry.at, entry)).collect();
    let label = |entry: &Opened| Edit::label(entry.payload.as_deref()?).filter(|label| *label <= cx.env.now);
    let opens = |entry: &&Opened| {
        let edit = Kind::of(entry.kind).zip(entry.payload.as_deref());
        edit.is_some_and(|(kind, payload)| Edit::parse(payload, kind).is_ok_and(|edit| edit.opens()))
    };
    let mut pasts = BTreeMap::new();
    for item in items {
        let entries = item.entries.iter().take(limits::FIRST_AMONG).filter_map(|at| opened.get(at));
        let Some(first) = entries.into_iter().find(opens) else { continue };
        let from = EntryAt { seq: first.at.seq.saturating_sub(limits::PAST_ENTRIES), ..first.at };
        let before = opened.range(from..first.at).map(|(_, entry)| entry).filter(|entry| entry.chain == first.chain);
        let past = before.filter_map(label).max().max(circle.latest_before(&first.heads, cx.env.now));
        pasts.extend(past.map(|past| (item.key, past)));
    }
    Ok(pasts)
}

/// Deletes every entry that is here of a circle, and what was still to be done with them.
pub(crate) fn forget(cx: &mut Cx<'_, '_>, id: &CircleId) -> Result<(), StoreError> {
    cuts::forget(cx, id)?;
    cuts::forget_aside(&mut cx.tx, id)?;
    for number in chain::forget(&mut cx.tx, id)? {
        cx.tx.delete_all(Table::Local, &[DOOMED, &number.to_be_bytes()].concat())?;
    }
    Ok(())
}

/// Brings the words of some of the items that wait into the index; `false`: none waited.
pub(crate) fn index(circles: &Circles, cx: &mut Cx<'_, '_>) -> Result<bool, InputError> {
    for circle in circles.all.values() {
        let ports = Ports { source: circle.ring(), people: circle, now: cx.env.now };
        if item::index(&mut cx.tx, ports, &circle.id())? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Puts together some of the items that earlier turns left; `false`: none waited. What comes in all the time cannot keep this from
/// going on: it has the budget of a turn for itself.
pub(crate) fn catch_up(circles: &Circles, cx: &mut Cx<'_, '_>) -> Result<bool, InputError> {
    let before = std::mem::take(cx.tx.spend());
    let done = catch_up_within(circles, cx);
    cx.tx.spend().add(before);
    done
}

fn catch_up_within(circles: &Circles, cx: &mut Cx<'_, '_>) -> Result<bool, InputError> {
    for circle in circles.all.values() {
        let ports = Ports { source: circle.ring(), people: circle, now: cx.env.now };
        if let Some(report) = item::catch_up(&mut cx.tx, ports, &circle.id())? {
            carry_out(circle.ring(), cx, &report)?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// When [`sweep`] has something to do next.
pub(crate) fn next_sweep(read: &dyn Read) -> Result<Option<Millis>, StoreError> {
    if read.scan(Table::Local, DOOMED, &[], 1)?.is_empty() { item::next_due(read) } else { Ok(Some(Millis(0))) }
}

/// Builds every derived row again from the log, however long that takes: nothing is missing meanwhile that was shown before.
pub(crate) fn rebuild(circles: &Circles, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
    let kept = item::clear(&mut cx.tx)?;
    for circle in circles.all.values() {
        cuts::forget(cx, &circle.id())?;
        for head in chain::chains(&cx.tx, &circle.id())? {
            let mut from = head.first.max(1);
            let mut before: Option<std::sync::Arc<[ActId]>> = None;
            while from <= head.seq {
                let until = head.seq.min(from + limits::ENTRY_SLICE - 1);
                let places: Vec<EntryAt> = (from..=until).map(|seq| EntryAt { chain: head.no, seq }).collect();
                let entries = circle.ring().load_many(&cx.tx, &places)?;
                drop(apply(circle, cx, &entries, before.as_deref())?);
                before = entries.last().map(|entry| entry.heads.clone()).or(before);
                from = until + 1;
            }
        }
        while cuts::advance(circle, cx)? {}
        crate::circle::overview::save(circle, &mut cx.tx)?;
    }
    while catch_up(circles, cx)? {}
    item::restore(&mut cx.tx, &kept)?;
    for _ in 0..limits::REBUILD_SWEEPS {
        if next_sweep(&cx.tx)?.is_none_or(|due| due > cx.env.now) {
            break;
        }
        sweep(circles, cx)?;
    }
    Ok(())
}

/// How far own entries have travelled: for each of our chains, on how many other current devices each entry is.
#[derive(Debug)]
pub(crate) struct Travelled {
    others: usize,
    /// By local chain number: how far each other current device is.
    reached: BTreeMap<u32, Vec<u64>>,
}

impl Travelled {
    /// Of one circle.
    pub(crate) fn of(read: &dyn Read, circle: &CircleId, device: &DeviceId, others: &[DeviceId]) -> Result<Self, StoreError> {
        let seen = super::delivery::load(read, circle)?;
        let mut reached = BTreeMap::new();
        for head in chain::of_device(read, circle, device)? {
            let far = others.iter().map(|d| seen.get(d).and_then(|chains| chains.get(&head.id)).copied().unwrap_or(0));
            reached.insert(head.no, far.collect());
        }
        Ok(Self { others: others.len(), reached })
    }
}

impl item::DeliveryCounts for Travelled {
    fn of(&self, at: EntryAt) -> Option<(u32, u32)> {
        let reached = self.reached.get(&at.chain)?;
        let have = reached.iter().filter(|seq| **seq >= at.seq).count();
        Some((u32::try_from(have).unwrap_or(u32::MAX), u32::try_from(self.others).unwrap_or(u32::MAX)))
    }
}
