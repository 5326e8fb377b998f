//! Cuts and the log (R4): which entries a removal, a demotion or a revocation leaves, on each branch of each chain that is here.
//!
//! An entry stands with regard to a cut if it leads to the entry of one of the cut's points, or is that entry itself. The id
//! decides, not the place: a member who was cut can go on signing, beside what stood as well as behind it. (What somebody wrote who
//! knew that they had been demoted is judged by the role that they had then, as if that demotion cut nothing.) So a point counts once its
//! entry is known here; until then what it may leave is held. What follows from a chain's cuts is one derived row, written together
//! with what changed it: new cuts, a point's entry that arrives, a gap that is filled, a branch that begins. Entries are judged
//! by that row as they come; those that came before are judged again behind it, a slice at a time, from places that the row keeps.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use super::entries;
use crate::circle::body::{ChainId, Point, Role};
use crate::circle::left::Left;
use crate::circle::membership::Cut;
use crate::circle::state::CircleState;
use crate::codec;
use crate::context::{Cx, InputError};
use crate::id::{CircleId, PersonId};
use crate::item::kind::Kind;
use crate::item::{self, Ports, Source};
use crate::limits::{CUT_LOOKS, CUT_SLICE, CUT_SLICE_BYTES};
use crate::log::chain::{self, ChainHead, Glance, Opener};
use crate::log::entry::{EntryAt, Opened};
use crate::planted::{Bug, planted};
use crate::store::{self, Read, StoreError, Table};
use crate::tx::Tx;

const VERSION: u8 = 1;

/// What the cuts in effect leave of one chain.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
struct CutRow {
    #[n(0)]
    version: u8,
    /// The points whose entry is here, and the number of the branch that holds it.
    #[n(1)]
    found: Vec<(Point, u32)>,
    /// Those whose entry is not, or not known to be.
    #[n(2)]
    sought: Vec<Point>,
    /// Places inside blocks that are still to be opened to look for them.
    #[n(3)]
    look: Vec<EntryAt>,
    /// What stands, by number of the branch.
    #[n(4)]
    left: Vec<(u32, Left)>,
    /// Stretches that are still to be judged again: number of the branch, first and last place.
    #[n(5)]
    again: Vec<(u32, u64, u64)>,
}

const ROWS: &[u8] = b"cut/";
const AGAIN: &[u8] = b"cut-again/";

fn key(prefix: &[u8], circle: &CircleId, id: &ChainId) -> Vec<u8> {
    let class = match id.class {
        crate::circle::body::KeyClass::Roster => 0,
        crate::circle::body::KeyClass::Library => 1,
        crate::circle::body::KeyClass::Talk => 2,
    };
    [prefix, &circle.0, &id.device.0, &id.incarnation.0, &[class]].concat()
}

impl CutRow {
    const fn new() -> Self {
        Self { version: VERSION, found: Vec::new(), sought: Vec::new(), look: Vec::new(), left: Vec::new(), again: Vec::new() }
    }

    fn read(bytes: &[u8]) -> Result<Self, StoreError> {
        let row: Self = codec::decode(bytes, "what cuts leave").map_err(|error| StoreError::Corrupt(error.to_string()))?;
        if row.version == VERSION { Ok(row) } else { Err(StoreError::Corrupt("what cuts leave, of a newer form".to_owned())) }
    }

    fn get(read: &dyn Read, circle: &CircleId, id: &ChainId) -> Result<Option<Self>, StoreError> {
        read.get(Table::Local, &key(ROWS, circle, id))?.map(|bytes| Self::read(&bytes)).transpose()
    }

    fn waits(&self) -> bool {
        !self.look.is_empty() || !self.again.is_empty()
    }

    /// Writes the row where it changed, and whether something of it is still to be done. `cut`: some cut covers the chain.
    fn put(&self, tx: &mut Tx<'_>, circle: &CircleId, id: &ChainId, before: Option<&Self>, cut: bool) {
        let (row, again) = (key(ROWS, circle, id), key(AGAIN, circle, id));
        if !cut && !self.waits() {
            tx.delete(Table::Local, &row);
        } else if before != Some(self) {
            tx.put(Table::Local, &row, codec::encode(self));
        }
        match (before.is_some_and(Self::waits), self.waits()) {
            (false, true) => tx.put(Table::Local, &again, vec![1]),
            (true, false) => tx.delete(Table::Local, &again),
            (false, false) | (true, true) => {}
        }
    }

    fn stands(&self, at: EntryAt, needed: Role) -> bool {
        // Of a branch that the row does not know, nothing stands.
        self.left.iter().find(|(no, _)| *no == at.chain).is_some_and(|(_, left)| left.stands(at.seq, needed))
    }

    /// Takes notice of the points that the cuts name; where to look for those that are new is noted.
    fn seek(&mut self, read: &dyn Read, points: &[Point], branches: &[ChainHead]) -> Result<(), StoreError> {
        self.found.retain(|(point, _)| points.contains(point));
        self.sought.retain(|point| points.contains(point));
        for point in points {
            if self.sought.contains(point) || self.found.iter().any(|(found, _)| found == point) {
                continue;
            }
            match glimpse(read, point, branches)? {
                Ok(no) => self.found.push((*point, no)),
                Err(inside) => {
                    self.sought.push(*point);
                    self.look.extend(inside);
                }
            }
        }
        Ok(())
    }

    /// An entry that is here now: is it a point's?
    fn meet(&mut self, entry: &Opened) -> bool {
        let point = Point { seq: entry.at.seq, entry: entry.id };
        let Some(at) = self.sought.iter().position(|sought| *sought == point) else { return false };
        self.found.push((self.sought.swap_remove(at), entry.at.chain));
        true
    }

    /// What so many cuts leave of a branch.
    fn left<'a>(&self, cuts: impl Iterator<Item = &'a Cut>, id: &ChainId, branches: &[ChainHead], no: u32) -> Left {
        let path = |(point, no): &(Point, u32)| (*point, chain::path(branches, EntryAt { chain: *no, seq: point.seq }));
        let paths: BTreeMap<Point, Vec<(u32, u64, u64)>> = self.found.iter().map(path).collect();
        cuts.fold(Left::default(), |left, cut| {
            let stretches: Vec<(u64, u64)> = if planted(Bug::SeqCut) {
                cut.points(id).map(|point| (1, point.seq)).collect()
            } else {
                let leads = cut.points(id).filter_map(|point| paths.get(point)).flatten();
                leads.filter(|(branch, ..)| *branch == no).map(|(_, from, to)| (*from, *to)).collect()
            };
            left.cut(cut.keeps_role, &stretches)
        })
    }

    /// Says again what stands. What may be judged otherwise than before is to be judged again; of branches that are new here nothing
    /// is, unless `known`.
    fn restate(&mut self, circle: &CircleState, id: &ChainId, branches: &[ChainHead], known: bool) {
        let state = circle.now();
        let mut stated = Vec::with_capacity(branches.len());
        for head in branches {
            let left = self.left(state.cuts_of(&id.device), id, branches, head.no);
            let before = self.left.iter().find(|(no, _)| *no == head.no).map(|(_, left)| left.clone());
            if let Some(before) = before.or_else(|| known.then(Left::default)) {
                self.again.extend(
                    before
                        .differences(&left)
                        .into_iter()
                        .map(|(from, to)| (head.no, from.max(head.first), to.min(head.seq)))
                        .filter(|(_, from, to)| from <= to),
                );
            }
            stated.push((head.no, left));
        }
        self.left = stated;
        self.again = joined(std::mem::take(&mut self.again));
    }
}

/// Where a point's entry is, as far as that shows without opening a block; else the places that may hold it.
fn glimpse(read: &dyn Read, point: &Point, branches: &[ChainHead]) -> Result<Result<u32, Vec<EntryAt>>, StoreError> {
    let mut inside = Vec::new();
    for head in branches {
        let at = EntryAt { chain: head.no, seq: point.seq };
        match chain::glance(read, at)? {
            Glance::Id(id) if id == point.entry => return Ok(Ok(head.no)),
            Glance::Id(_) | Glance::Absent => {}
            Glance::Inside => inside.push(at),
        }
    }
    Ok(Err(inside))
}

/// Ascending, none touching another.
fn joined(mut stretches: Vec<(u32, u64, u64)>) -> Vec<(u32, u64, u64)> {
    stretches.sort_unstable();
    let mut out: Vec<(u32, u64, u64)> = Vec::with_capacity(stretches.len());
    for (no, from, to) in stretches {
        match out.last_mut() {
            Some((last, _, end)) if *last == no && from <= end.saturating_add(1) => *end = (*end).max(to),
            _ => out.push((no, from, to)),
        }
    }
    out
}

/// The points that cuts in effect name of a chain; `None`: none covers it.
fn points(circle: &CircleState, id: &ChainId) -> Option<Vec<Point>> {
    let state = circle.now();
    let mut cuts = state.cuts_of(&id.device).peekable();
    cuts.peek()?;
    // Place 0 names no entry: nothing of the chain stands.
    let mut points: Vec<Point> = cuts.flat_map(|cut| cut.points(id).copied()).filter(|point| point.seq > 0).collect();
    points.sort_unstable();
    points.dedup();
    Some(points)
}

/// What the cuts leave of the chain that entries came in, which are in the log by now; nothing where none covers it.
pub(super) struct Verdicts<'a>(Option<Covered<'a>>);

struct Covered<'a> {
    circle: &'a CircleState,
    id: ChainId,
    branches: Vec<ChainHead>,
    row: CutRow,
}

impl Verdicts<'_> {
    pub(super) fn stands(&self, entry: &Opened) -> bool {
        let needed = Kind::of(entry.kind).map_or(Role::Guest, Kind::opened_by);
        self.0.as_ref().is_none_or(|covered| covered.row.stands(entry.at, needed) || covered.stands_by_role(entry, needed))
    }
}

impl Covered<'_> {
    /// A demotion takes nothing of what its person wrote knowing it: that is judged by the role that they had then, which somebody
    /// may have raised again since. (So are their acts, R4.)
    fn stands_by_role(&self, entry: &Opened, needed: Role) -> bool {
        let membership = self.circle.membership();
        let knows = |cut: &&Cut| cut.keeps_role.is_some() && membership.covers(&entry.heads, &[cut.act]);
        let state = self.circle.now();
        let others = || state.cuts_of(&self.id.device).filter(|cut| !knows(cut));
        others().count() < state.cuts_of(&self.id.device).count()
            && self.row.left(others(), &self.id, &self.branches, entry.at.chain).stands(entry.at.seq, needed)
    }
}

/// Entries of one chain came: what they show of the cuts' points is noted, and what stands is said again.
pub(super) fn arrived<'a>(
    circle: &'a CircleState,
    cx: &mut Cx<'_, '_>,
    id: &ChainId,
    entries: &[Opened],
) -> Result<Verdicts<'a>, StoreError> {
    let Some(points) = points(circle, id) else { return Ok(Verdicts(None)) };
    let before = CutRow::get(&cx.tx, &circle.id(), id)?;
    // No row: the chain was not here when it was cut, so that all of it is among these entries.
    let mut row = before.clone().unwrap_or_else(|| CutRow { sought: points, ..CutRow::new() });
    for entry in entries {
        row.meet(entry);
    }
    let branches = chain::branches(&cx.tx, &circle.id(), id)?;
    row.restate(circle, id, &branches, false);
    row.put(&mut cx.tx, &circle.id(), id, before.as_ref(), true);
    Ok(Verdicts(Some(Covered { circle, id: *id, branches, row })))
}

/// Where the cuts in effect changed, says again what stands of the chains that they cover or covered.
pub(crate) fn changed(circle: &mut CircleState, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
    let now = circle.now();
    if now.cuts == circle.noted_cuts() || planted(Bug::NoRejudge) {
        return Ok(());
    }
    let same = |device| now.cuts_of(device).eq(circle.noted_cuts().iter().filter(|cut| cut.devices.contains(device)));
    let mut ids: Vec<ChainId> = chain::chains(&cx.tx, &circle.id())?.into_iter().map(|head| head.id).collect();
    ids.dedup();
    for id in ids.iter().filter(|id| !same(&id.device)) {
        let branches = chain::branches(&cx.tx, &circle.id(), id)?;
        let (before, points) = (CutRow::get(&cx.tx, &circle.id(), id)?, points(circle, id));
        let mut row = before.clone().unwrap_or(const { CutRow::new() });
        row.seek(&cx.tx, points.as_deref().unwrap_or_default(), &branches)?;
        row.restate(circle, id, &branches, true);
        row.put(&mut cx.tx, &circle.id(), id, before.as_ref(), points.is_some());
    }
    circle.note_cuts();
    Ok(())
}

/// The log, each block opened once.
struct Once<'a> {
    circle: &'a CircleState,
    opener: Opener,
}

impl Source for Once<'_> {
    fn load(&self, read: &dyn Read, at: EntryAt) -> Result<Option<Opened>, StoreError> {
        self.opener.load(read, self.circle.ring(), at)
    }

    fn load_many(&self, read: &dyn Read, at: &[EntryAt]) -> Result<Vec<Opened>, StoreError> {
        self.opener.load_many(read, self.circle.ring(), at)
    }
}

/// What fell to cuts in a circle, of the chains whose entries are still to be judged again.
pub(crate) fn veil(read: &dyn Read, circle: &CircleId) -> Result<item::Veil, StoreError> {
    let mut left = BTreeMap::new();
    for (again, _) in store::all(read, Table::Local, &[AGAIN, &circle.0].concat())? {
        let row = again.strip_prefix(AGAIN).map(|id| [ROWS, id].concat());
        if let Some(bytes) = row.map(|row| read.get(Table::Local, &row)).transpose()?.flatten() {
            left.extend(CutRow::read(&bytes)?.left);
        }
    }
    Ok(item::Veil::new(left))
}

/// Is anything of any circle still to be judged again?
pub(crate) fn waits(read: &dyn Read) -> Result<bool, StoreError> {
    Ok(!read.scan(Table::Local, AGAIN, &[], 1)?.is_empty())
}

/// Judges a slice of what waits again; `false`: nothing waited in this circle.
pub(crate) fn advance(circle: &CircleState, cx: &mut Cx<'_, '_>) -> Result<bool, InputError> {
    let prefix = [AGAIN, &circle.id().0].concat();
    let Some((again, _)) = cx.tx.scan(Table::Local, &prefix, &[], 1)?.pop() else { return Ok(false) };
    let named = again.strip_prefix(AGAIN).and_then(chain::split_key);
    let Some((_, id, _)) = named else { return Err(StoreError::Corrupt("key of a cut chain".to_owned()).into()) };
    let Some(before) = CutRow::get(&cx.tx, &circle.id(), &id)? else {
        cx.tx.delete(Table::Local, &again);
        return Ok(true);
    };
    let (source, mut row) = (Once { circle, opener: Opener::default() }, before.clone());
    let mut found = false;
    for at in row.look.split_off(row.look.len().saturating_sub(CUT_LOOKS)) {
        found |= source.load(&cx.tx, at)?.is_some_and(|entry| row.meet(&entry));
    }
    if found {
        row.restate(circle, &id, &chain::branches(&cx.tx, &circle.id(), &id)?, false);
    }
    if row.look.is_empty() {
        judge(circle, cx, &source, &id, &mut row)?;
    }
    row.put(&mut cx.tx, &circle.id(), &id, Some(&before), points(circle, &id).is_some());
    Ok(true)
}

/// Judges the first of what is to be judged again.
fn judge(circle: &CircleState, cx: &mut Cx<'_, '_>, source: &Once<'_>, id: &ChainId, row: &mut CutRow) -> Result<(), InputError> {
    let places = row.again.iter().flat_map(|(no, from, to)| (*from..=*to).map(|seq| EntryAt { chain: *no, seq })).take(CUT_SLICE);
    let (mut opened, mut bytes, mut last) = (Vec::new(), 0, None);
    for at in places {
        if bytes >= CUT_SLICE_BYTES {
            break;
        }
        last = Some(at);
        if let Some(entry) = source.load(&cx.tx, at)? {
            bytes += entry.payload.as_ref().map_or(0, Vec::len);
            opened.push(entry);
        }
    }
    let branches = chain::branches(&cx.tx, &circle.id(), id)?;
    let verdicts = Verdicts(Some(Covered { circle, id: *id, branches, row: row.clone() }));
    let judged: Vec<(&Opened, bool)> = opened.iter().map(|entry| (entry, verdicts.stands(entry))).collect();
    let ports = Ports { source, people: circle, now: cx.env.now };
    let (report, done) = item::rejudge(&mut cx.tx, ports, &circle.id(), &judged)?;
    // What is not done yet is where the next slice begins.
    let last = opened.get(done).map_or(last, |next| Some(EntryAt { seq: next.at.seq - 1, ..next.at }));
    if let Some(last) = last {
        row.again.retain(|(no, _, to)| (*no, *to) > (last.chain, last.seq));
        if let Some((no, from, _)) = row.again.first_mut()
            && *no == last.chain
        {
            *from = (*from).max(last.seq + 1);
        }
    }
    entries::carry_out(circle.ring(), cx, &report)
}

/// What of somebody's writing waits for the entry of a point.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// How many entries: on each branch, those that lead nowhere yet and lie no further than the furthest such point.
    pub(crate) entries: u64,
    /// The last of them on each branch.
    pub(crate) ends: Vec<(ChainId, EntryAt)>,
}

/// What of a person's writing waits for an entry that is not here.
pub(crate) fn waiting(circle: &CircleState, read: &dyn Read, person: &PersonId) -> Result<Waiting, StoreError> {
    let state = circle.now();
    let mut waiting = Waiting::default();
    for head in chain::chains(read, &circle.id())?.iter().filter(|head| state.person_of(&head.id.device) == Some(*person)) {
        let Some(row) = CutRow::get(read, &circle.id(), &head.id)? else { continue };
        let Some(furthest) = row.sought.iter().map(|point| point.seq).max() else { continue };
        let Some((_, left)) = row.left.iter().find(|(no, _)| *no == head.no) else { continue };
        let upto = head.seq.min(furthest);
        let held = left.differences(&Left::default()).into_iter().map(|(from, to)| (from.max(head.first), to.min(upto)));
        let mut last = None;
        for (from, to) in held.filter(|(from, to)| from <= to) {
            let missing = head.missing.iter().map(|(first, last)| (last.min(&to) + 1).saturating_sub(*first.max(&from)));
            waiting.entries += (to + 1 - from).saturating_sub(missing.sum());
            last = Some(to);
        }
        let gap = |to: u64| head.missing.iter().find(|(first, last)| (*first..=*last).contains(&to)).map(|(first, _)| first - 1);
        let last = last.map(|to| gap(to).unwrap_or(to)).filter(|to| *to >= head.first);
        waiting.ends.extend(last.map(|seq| (head.id, EntryAt { chain: head.no, seq })));
    }
    Ok(waiting)
}

const ASIDE: &[u8] = b"aside/";

fn aside(circle: &CircleId, person: &PersonId) -> Vec<u8> {
    [ASIDE, &circle.0, &person.0].concat()
}

/// Notes that nothing is to be said of so many entries of somebody's that wait.
pub(crate) fn leave_aside(tx: &mut Tx<'_>, circle: &CircleId, person: &PersonId, entries: u64) {
    tx.put(Table::Local, &aside(circle, person), codec::encode(&entries));
}

/// Of how many entries of somebody's that wait nothing is to be said.
pub(crate) fn left_aside(read: &dyn Read, circle: &CircleId, person: &PersonId) -> Result<u64, StoreError> {
    let bytes = read.get(Table::Local, &aside(circle, person))?;
    Ok(bytes.and_then(|bytes| codec::decode(&bytes, "what was left aside").ok()).unwrap_or_default())
}

/// Forgets all that was left aside in a circle.
pub(super) fn forget_aside(tx: &mut Tx<'_>, circle: &CircleId) -> Result<(), StoreError> {
    tx.delete_all(Table::Local, &[ASIDE, &circle.0].concat())
}

/// Forgets everything that follows from cuts, because every entry is about to be judged again.
pub(super) fn forget(cx: &mut Cx<'_, '_>, circle: &CircleId) -> Result<(), StoreError> {
    for prefix in [ROWS, AGAIN].map(|prefix| [prefix, &circle.0].concat()) {
        cx.tx.delete_all(Table::Local, &prefix)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::EntryId;

    #[test]
    fn frozen_bytes_of_what_cuts_leave() {
        let point = |seq, byte| Point { seq, entry: EntryId([byte; 32]) };
        let row = CutRow {
            found: vec![(point(3, 7), 2)],
            sought: vec![point(9, 8)],
            look: vec![EntryAt { chain: 2, seq: 9 }],
            left: vec![(2, Left::default().cut(None, &[(1, 3)]))],
            again: vec![(2, 4, 6)],
            ..CutRow::new()
        };
        let bytes = codec::encode(&row);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let (seven, eight) = ("07".repeat(32), "08".repeat(32));
        assert_eq!(hex, format!("8601818282035820{seven}028182095820{eight}81820209818202818204f68183020406"));
        assert_eq!(CutRow::read(&bytes), Ok(row));
        assert!(CutRow::read(&[&[0x86, 2], &bytes[2..]].concat()).is_err());
    }

    #[test]
    fn stretches_join_where_they_touch() {
        assert_eq!(joined(vec![(2, 4, 6), (1, 5, 9), (2, 7, 7), (1, 1, 3), (1, 2, 4)]), [(1, 1, 9), (2, 4, 7)]);
    }
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::frozen::{Form, frozen};
    use crate::id::EntryId;

    fn row() -> CutRow {
        let point = |seq, byte| Point { seq, entry: EntryId([byte; 32]) };
        CutRow {
            found: vec![(point(3, 6), 2)],
            sought: vec![point(9, 26)],
            look: vec![EntryAt { chain: 2, seq: 9 }],
            left: vec![(2, Left::default().cut(None, &[(1, 3)]).cut(Some(Role::Member), &[(1, 2)]))],
            again: vec![(2, 4, 6)],
            ..CutRow::new()
        }
    }

    frozen![Form::new("cut-row", 1, &[row()]), Form::new("left-aside", 1, &[300_u64])];
}
