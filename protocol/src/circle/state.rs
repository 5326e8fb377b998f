//! A circle in memory: its acts, what they mean, the keys held and the records known. A cache of the store; built again from
//! it whenever an input was refused half-way or a commit failed.
//!
//! Owns acts' acceptance and one's own acts. Must never send: what peers need is asked for by `sync`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minicbor::{Decode, Encode};

use super::body::{DeviceKeys, History, NewEpoch, Policy, PolicyField, Retention, Role, Statement};
use super::epoch::{self, EpochKeys, EpochRow, KeyRing, Ring};
use super::membership::{Cut, Fact, Membership, State, Verdict};
use super::record::{self, Record};
use crate::codec;
use crate::crypto::{Crypto, DeviceSecrets, Signature, Suite};
use crate::id::{ActId, CircleId, DeviceId, EpochId, Incarnation, PersonId};
use crate::limits;
use crate::log::act::{self, ActBody, ActPlace, Farewell, SealedAct};
use crate::node::{Cx, Stop};
use crate::private::Private;
use crate::store::{Read, StoreError, Table};
use crate::time::{DAY, Millis};

const VERSION: u8 = 1;
/// An epoch is overdue after so many days, whatever the policies.
const ROTATE_DAYS: u64 = 30;

/// How this member stands to the circle, as far as her own machine is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub(crate) enum Standing {
    /// Admitted, has not said yes yet; nobody knows her name.
    #[n(0)]
    Admitted,
    /// In.
    #[n(1)]
    In,
    /// Left, and the farewell act still has to reach somebody.
    #[n(2)]
    Leaving,
    /// Left.
    #[n(3)]
    Left,
    /// Removed by somebody who could.
    #[n(4)]
    Removed,
}

/// What only this machine knows of a circle.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(array)]
pub(crate) struct CircleRow {
    #[n(0)]
    version: u8,
    /// The genesis.
    #[n(1)]
    pub(crate) circle: CircleId,
    /// This device's secrets in this circle.
    #[n(2)]
    pub(crate) secrets: DeviceSecrets,
    /// The set of chains this device writes now.
    #[n(3)]
    pub(crate) incarnation: Incarnation,
    /// How she wants to be known.
    #[n(4)]
    pub(crate) name: Private<String>,
    /// See [`Standing`].
    #[n(5)]
    pub(crate) standing: Standing,
    /// How many records this device has written.
    #[n(6)]
    pub(crate) records: u64,
    /// HPKE suite of the circle.
    #[n(7)]
    pub(crate) suite: u8,
}

impl CircleRow {
    /// A fresh row for a device that has just been made.
    #[must_use]
    pub(crate) const fn new(
        circle: CircleId,
        secrets: DeviceSecrets,
        incarnation: Incarnation,
        name: String,
        standing: Standing,
        suite: Suite,
    ) -> Self {
        Self { version: VERSION, circle, secrets, incarnation, name: Private(name), standing, records: 0, suite: suite.byte() }
    }
}

/// One epoch, as its act tells it.
#[derive(Clone, Debug)]
pub(crate) struct EpochMeta {
    /// The act that carries it.
    pub(crate) act: ActId,
    /// Its maker's label.
    pub(crate) at: Millis,
    /// The history policy it records.
    pub(crate) history: History,
    /// What it supersedes.
    pub(crate) parents: Vec<EpochId>,
    /// When another epoch first superseded it, by that one's label.
    pub(crate) superseded: Option<Millis>,
}

/// What became of an act that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Taken {
    /// New, and part of the circle's history from now on.
    New,
    /// Known already.
    Known,
    /// Its parents or the key to open it are missing; it was not kept.
    Held,
    /// Not what it claims to be.
    Bad,
}

/// A circle in memory.
#[derive(Debug)]
pub(crate) struct CircleState {
    /// Its id.
    pub(crate) id: CircleId,
    /// What only this machine knows.
    pub(crate) row: CircleRow,
    /// What the acts mean.
    pub(crate) membership: Membership,
    /// Keys held.
    pub(crate) ring: Ring,
    /// Epochs known.
    pub(crate) epochs: BTreeMap<EpochId, EpochMeta>,
    /// Which epoch an act carries.
    pub(crate) carried: BTreeMap<ActId, EpochId>,
    /// Acts in the order of acceptance: parents first.
    pub(crate) order: Vec<ActId>,
    /// Acts that no other act names as parent.
    pub(crate) tips: BTreeSet<ActId>,
    /// Parents of each act.
    pub(crate) parents: BTreeMap<ActId, Vec<ActId>>,
    /// Public keys of every device an act ever introduced.
    pub(crate) keys: BTreeMap<DeviceId, DeviceKeys>,
    /// Farewells of removed people, and when they were signed.
    pub(crate) farewells: BTreeMap<PersonId, (Farewell, Millis)>,
    /// The newest record of each device.
    pub(crate) records: BTreeMap<DeviceId, Record>,
    /// The genesis' suite.
    pub(crate) suite: Suite,
    /// Public keys of the invites' tickets.
    pub(crate) tickets: BTreeMap<DeviceId, ActId>,
    /// The content cuts that the items' rows know of.
    pub(crate) cuts: Vec<Cut>,
    /// Memory is ahead of the store.
    pub(crate) dirty: bool,
}

impl CircleState {
    /// An empty state around a row, before any act.
    #[must_use]
    pub(crate) fn empty(row: CircleRow) -> Self {
        let suite = Suite::from_byte(row.suite).unwrap_or(Suite::XWing);
        Self {
            id: row.circle,
            membership: Membership::new(row.circle),
            row,
            ring: Ring::default(),
            epochs: BTreeMap::new(),
            carried: BTreeMap::new(),
            order: Vec::new(),
            tips: BTreeSet::new(),
            parents: BTreeMap::new(),
            keys: BTreeMap::new(),
            farewells: BTreeMap::new(),
            records: BTreeMap::new(),
            suite,
            tickets: BTreeMap::new(),
            cuts: Vec::new(),
            dirty: false,
        }
    }

    /// All circles of a store.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails or holds what no version wrote.
    pub(crate) fn load_all(read: &dyn Read, crypto: &dyn Crypto) -> Result<BTreeMap<CircleId, Self>, StoreError> {
        let mut circles = BTreeMap::new();
        for (_, bytes) in read.scan(Table::Circle, &[], &[], limits::CIRCLES)? {
            let row: CircleRow =
                codec::decode(&bytes, "circle").map_err(|e| StoreError::Corrupt(format!("a circle's row: {e}")))?;
            circles.insert(row.circle, Self::load(read, crypto, row)?);
        }
        Ok(circles)
    }

    /// One circle's row.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails or holds what no version wrote.
    pub(crate) fn row(read: &dyn Read, id: &CircleId) -> Result<Option<CircleRow>, StoreError> {
        let decode =
            |bytes: Vec<u8>| codec::decode(&bytes, "circle").map_err(|e| StoreError::Corrupt(format!("a circle's row: {e}")));
        read.get(Table::Circle, &id.0)?.map(decode).transpose()
    }

    /// A circle from its row and the log.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub(crate) fn load(read: &dyn Read, crypto: &dyn Crypto, row: CircleRow) -> Result<Self, StoreError> {
        let mut state = Self::empty(row);
        state.ring = Ring::load(read, &state.id)?;
        let mut waiting = act::acts(read, &state.id)?;
        // The store holds acts by id; feed them parents first.
        loop {
            let before = waiting.len();
            let mut later = Vec::new();
            for sealed in waiting {
                if sealed.parents().iter().all(|p| state.parents.contains_key(p)) {
                    if let Some(body) = state.opened(&sealed) {
                        state.absorb(crypto, &sealed, body);
                    }
                } else {
                    later.push(sealed);
                }
            }
            waiting = later;
            if waiting.is_empty() || waiting.len() == before {
                break;
            }
        }
        for bytes in record::stored(read, &state.id)? {
            state.absorb_record(crypto, &bytes);
        }
        state.dirty = false;
        state.cuts.clone_from(&state.now().cuts);
        Ok(state)
    }

    fn opened(&self, sealed: &SealedAct) -> Option<ActBody> {
        match sealed.epoch() {
            Some(epoch) => sealed.open(&self.ring.epoch(&epoch)?.roster),
            // A genesis is sealed under the epoch it carries itself: whichever key held opens it.
            None => self.ring.iter().find_map(|(_, row)| sealed.open(&row.keys.roster)),
        }
    }

    /// Takes a verified, opened act into memory.
    fn absorb(&mut self, crypto: &dyn Crypto, sealed: &SealedAct, body: ActBody) {
        let id = sealed.id();
        self.dirty = true;
        if let (Statement::Remove { person, .. }, Some(farewell)) = (&body.statement, sealed.farewell(&body)) {
            self.farewells.insert(*person, (farewell, body.at));
        }
        if let Statement::Invite { key, .. } = &body.statement {
            self.tickets.entry(*key).or_insert(id);
        }
        for keys in introduced(&body.statement) {
            self.keys.entry(keys.sign).or_insert_with(|| keys.clone());
        }
        if let Some(new) = &body.epoch {
            self.absorb_epoch(id, body.at, new);
        }
        for parent in sealed.parents() {
            self.tips.remove(parent);
        }
        self.tips.insert(id);
        self.parents.insert(id, sealed.parents().to_vec());
        self.order.push(id);
        let (author, parents) = (sealed.author(), sealed.parents().to_vec());
        let countersigned = countersigned(crypto, &self.id, &author, &body.statement);
        let fact = Fact { id, author, parents, statement: body.statement, epoch: body.epoch.is_some(), countersigned };
        // Inadmissible acts are part of the history too; their parents are known, so none is held.
        self.membership.add(fact);
    }

    fn absorb_epoch(&mut self, act: ActId, at: Millis, new: &NewEpoch) {
        let epoch = epoch::epoch_id(&self.id, new);
        for parent in &new.parents {
            if let Some(meta) = self.epochs.get_mut(parent) {
                meta.superseded = Some(meta.superseded.map_or(at, |before| before.min(at)));
            }
        }
        let meta = EpochMeta { act, at, history: new.history, parents: new.parents.clone(), superseded: None };
        self.epochs.entry(epoch).or_insert(meta);
        self.carried.insert(act, epoch);
    }

    /// Judges an act that a peer sent, and keeps it if it belongs to this circle. `offered`: keys that came with it.
    ///
    /// # Errors
    /// [`Stop::Store`] where the store fails.
    pub(crate) fn take_act(
        &mut self,
        cx: &mut Cx<'_, '_>,
        bytes: &[u8],
        offered: &mut BTreeMap<EpochId, EpochKeys>,
    ) -> Result<Taken, Stop> {
        let Ok(sealed) = SealedAct::parse(bytes) else { return Ok(Taken::Bad) };
        if self.parents.contains_key(&sealed.id()) {
            return Ok(Taken::Known);
        }
        if sealed.circle() != self.id {
            return Ok(Taken::Bad);
        }
        if !sealed.parents().iter().all(|p| self.parents.contains_key(p)) {
            return Ok(Taken::Held);
        }
        if !sealed.verify(cx.env.crypto) {
            return Ok(Taken::Bad);
        }
        let body = match sealed.epoch() {
            Some(_) => self.opened(&sealed),
            None => offered.values().find_map(|keys| sealed.open(&keys.roster)),
        };
        let Some(body) = body else { return Ok(Taken::Held) };
        if !sealed.farewell_stands(cx.env.crypto, &body) {
            return Ok(Taken::Bad);
        }
        act::put_act(&mut cx.tx, &sealed);
        let carried = body.epoch.clone();
        self.absorb(cx.env.crypto, &sealed, body);
        if let Some(new) = carried {
            let id = epoch::epoch_id(&self.id, &new);
            if let Some(keys) = offered.remove(&id).filter(|keys| epoch::check(&new.commitments, keys)) {
                self.learn_keys(cx, id, keys);
            }
        }
        Ok(Taken::New)
    }

    /// Keeps keys of a known epoch, joined with those already held.
    fn learn_keys(&mut self, cx: &mut Cx<'_, '_>, id: EpochId, keys: EpochKeys) {
        let Some(meta) = self.epochs.get(&id) else { return };
        let row = match self.ring.row(&id) {
            Some(held) if held.keys.talk.is_some() || held.talk_destroyed_at.is_some() || keys.talk.is_none() => return,
            Some(held) => {
                let mut row = held.clone();
                row.keys = keys;
                row
            }
            None => EpochRow::new(keys, meta.act, meta.at, meta.history),
        };
        self.dirty = true;
        epoch::put_epoch(&mut cx.tx, &self.id, &id, &row);
        self.ring.insert(id, row);
    }

    /// Takes keys that a box brought for epochs whose acts are known. True where any was new.
    pub(crate) fn take_keys(&mut self, cx: &mut Cx<'_, '_>, offered: BTreeMap<EpochId, EpochKeys>) -> bool {
        let mut learned = false;
        for (id, keys) in offered {
            let Some(meta) = self.epochs.get(&id) else { continue };
            let lacking = self.ring.epoch(&id).is_none_or(|held| held.talk.is_none() && keys.talk.is_some());
            let act = meta.act;
            if lacking && self.new_epoch_of(&cx.tx, &act).is_some_and(|new| epoch::check(&new.commitments, &keys)) {
                self.learn_keys(cx, id, keys);
                learned = true;
            }
        }
        learned
    }

    /// Reads a stored act's epoch again.
    fn new_epoch_of(&self, read: &dyn Read, id: &ActId) -> Option<NewEpoch> {
        let sealed = act::get_act(read, &self.id, id).ok()??;
        self.opened(&sealed)?.epoch
    }

    /// Verifies a record and keeps it if it is newer. True where it was.
    pub(crate) fn take_record(&mut self, cx: &mut Cx<'_, '_>, bytes: &[u8]) -> bool {
        let newer = self.absorb_record(cx.env.crypto, bytes);
        if let Some(device) = newer
            && let Some(record) = self.records.get(&device)
        {
            record::put(&mut cx.tx, &self.id, record);
        }
        newer.is_some()
    }

    fn absorb_record(&mut self, crypto: &dyn Crypto, bytes: &[u8]) -> Option<DeviceId> {
        let (device, count, epoch) = Record::peek(bytes).ok()?;
        if !self.keys.contains_key(&device) || self.records.get(&device).is_some_and(|held| held.count >= count) {
            return None;
        }
        let roster = &self.ring.epoch(&epoch)?.roster;
        let record = Record::read(crypto, &self.id, roster, bytes)?;
        self.dirty = true;
        self.records.insert(device, record);
        Some(device)
    }

    /// The invite that a ticket's public key belongs to.
    #[must_use]
    pub(crate) fn invite_of(&self, ticket: &DeviceId) -> Option<ActId> {
        self.tickets.get(ticket).copied()
    }

    /// Did this act bring that device?
    #[must_use]
    pub(crate) fn introduces(&self, act: &ActId, device: &DeviceId) -> bool {
        self.membership.statement(act).is_some_and(|statement| introduced(statement).iter().any(|keys| keys.sign == *device))
    }

    /// The keys in a box for this device; none where it is none of ours.
    #[must_use]
    pub(crate) fn open_box(&self, crypto: &dyn Crypto, sealed: &[u8]) -> BTreeMap<EpochId, EpochKeys> {
        let keys = epoch::unpack(crypto, &self.id, &self.device(), &self.row.secrets.hpke, sealed).unwrap_or_default();
        let whole = |k: epoch::BoxKeys| Some((k.epoch, EpochKeys { roster: k.roster?, library: k.library?, talk: k.talk }));
        keys.into_iter().filter_map(whole).collect()
    }

    // ---- what the state says --------------------------------------------------------------------------------------

    /// The present judgement.
    #[must_use]
    pub(crate) fn now(&self) -> Arc<State> {
        self.membership.state()
    }

    /// This device.
    #[must_use]
    pub(crate) fn device(&self) -> DeviceId {
        self.row.secrets.sign.id()
    }

    /// Me.
    #[must_use]
    pub(crate) fn me(&self) -> Option<PersonId> {
        self.now().person_of(&self.device())
    }

    /// My role, while I am current.
    #[must_use]
    pub(crate) fn my_role(&self) -> Option<Role> {
        self.now().role_of(&self.device())
    }

    /// The name of a person: from the newest record of any of her devices, else her short id.
    #[must_use]
    pub(crate) fn name_of(&self, person: &PersonId) -> String {
        let state = self.now();
        let record = self.records.values().filter(|r| state.person_of(&r.device) == Some(*person));
        record.max_by_key(|r| (r.body.at, r.count)).map_or_else(|| person.text(), |r| r.body.name.0.clone())
    }

    /// Is the device current?
    #[must_use]
    pub(crate) fn is_current(&self, device: &DeviceId) -> bool {
        self.now().is_current(device)
    }

    /// Every current device but this one.
    #[must_use]
    pub(crate) fn others(&self) -> Vec<DeviceId> {
        let me = self.device();
        self.now().roster().into_iter().filter(|d| *d != me).collect()
    }

    fn policy(&self, field: PolicyField) -> Option<Policy> {
        self.now().policies.get(&field).cloned()
    }

    /// The circle's name.
    #[must_use]
    pub(crate) fn name(&self) -> String {
        if let Some(Policy::Name(name)) = self.policy(PolicyField::Name) { name.0 } else { String::new() }
    }

    /// The agreement's text; empty where there is none.
    #[must_use]
    pub(crate) fn agreement(&self) -> String {
        if let Some(Policy::Agreement(text)) = self.policy(PolicyField::Agreement) { text.0 } else { String::new() }
    }

    /// How long conversation is kept.
    #[must_use]
    pub(crate) fn retention(&self) -> Retention {
        self.now().retention()
    }

    /// What newcomers may read.
    #[must_use]
    pub(crate) fn history(&self) -> History {
        self.now().history()
    }

    /// The epoch that a writer uses now, if one is usable.
    #[must_use]
    pub(crate) fn usable_epoch(&self) -> Option<EpochId> {
        self.now().epoch().and_then(|act| self.carried.get(&act).copied())
    }

    /// The newest epochs held, none of which supersedes another; for sealing a rotation when none is usable.
    fn newest_epochs(&self) -> Vec<EpochId> {
        let superseded: BTreeSet<EpochId> = self.epochs.values().flat_map(|meta| meta.parents.iter().copied()).collect();
        let void = self.membership.void();
        let admissible = |act: &ActId| self.membership.verdict(act) == Some(Verdict::Admissible);
        let standing = |meta: &EpochMeta| !void.contains(&meta.act) && admissible(&meta.act);
        let newest =
            self.epochs.iter().filter(|(id, meta)| !superseded.contains(id) && standing(meta) && self.ring.epoch(id).is_some());
        newest.map(|(id, _)| *id).take(limits::HEADS).collect()
    }

    /// Is it time for new keys, by this clock?
    #[must_use]
    pub(crate) fn overdue(&self, epoch: &EpochId, now: Millis) -> bool {
        let days = match self.retention() {
            Retention::Keep => ROTATE_DAYS,
            Retention::Days(n) => ROTATE_DAYS.min(u64::from(n / 2).max(1)),
        };
        self.epochs.get(epoch).is_some_and(|meta| now.since(meta.at) > days * DAY)
    }

    /// May a person read an epoch's conversation?
    #[must_use]
    pub(crate) fn may_talk(&self, person: &PersonId, meta: &EpochMeta, now: Millis) -> bool {
        if self.membership.member_during(person, &meta.act) {
            return true;
        }
        match meta.history {
            History::All => true,
            History::SinceJoin => false,
            History::Days(n) => meta.superseded.is_none_or(|at| now.since(at) < u64::from(n) * DAY),
        }
    }

    /// The keys a person is entitled to, of those held here.
    #[must_use]
    pub(crate) fn keys_for(
        &self,
        person: &PersonId,
        lacking: &dyn Fn(&EpochId) -> bool,
        now: Millis,
    ) -> BTreeMap<EpochId, EpochKeys> {
        let held = self.ring.iter().filter(|(id, _)| lacking(id));
        held.filter_map(|(id, row)| {
            let meta = self.epochs.get(id)?;
            let talk = row.keys.talk.clone().filter(|_| self.may_talk(person, meta, now));
            Some((*id, EpochKeys { roster: row.keys.roster.clone(), library: row.keys.library.clone(), talk }))
        })
        .collect()
    }

    // ---- one's own acts -------------------------------------------------------------------------------------------

    /// Heads for a new act or entry: every head known, and the act of the epoch used where nothing names it yet.
    #[must_use]
    pub(crate) fn heads(&self, epoch: &EpochId) -> Vec<ActId> {
        let mut heads = self.membership.heads();
        if let Some(meta) = self.epochs.get(epoch)
            && !self.membership.within(&meta.act, &heads)
        {
            heads.truncate(limits::HEADS - 1);
            heads.push(meta.act);
            heads.sort_unstable();
        }
        heads
    }

    /// Writes an act of one's own, with a new epoch where `rekey`.
    ///
    /// # Errors
    /// [`Stop::Refused`] where the rules do not allow it.
    pub(crate) fn write(&mut self, cx: &mut Cx<'_, '_>, statement: Statement, rekey: bool) -> Result<ActId, Stop> {
        if !matches!(statement, Statement::Rotate | Statement::Leave) && self.usable_epoch().is_none() {
            self.rotate(cx)?;
        }
        let under = self.usable_epoch().or_else(|| self.newest_epochs().first().copied());
        let under = under.ok_or_else(keys_missing)?;
        let parents = if rekey { self.membership.epoch_heads() } else { self.heads(&under) };
        let (author, countersigned) = (self.device(), false);
        let fact = Fact { id: ActId([0; 32]), author, parents, statement, epoch: rekey, countersigned };
        if self.membership.check(&fact) != Verdict::Admissible {
            return Err(Stop::not_allowed("your role in this circle does not allow that"));
        }
        let (epoch, keys) = if rekey { self.fresh_epoch(cx) } else { (None, None) };
        let Some(roster) = self.ring.epoch(&under).map(|keys| keys.roster.clone()) else { return Err(keys_missing()) };
        let place = ActPlace::In { circle: self.id, parents: fact.parents, epoch: under, roster: &roster };
        let body = ActBody { at: cx.env.now, statement: fact.statement, epoch };
        let sealed = act::write_act(cx.env.crypto, cx.env.rng, &self.row.secrets.sign, place, &body)
            .map_err(|_| Stop::usage("that is more than one membership act can hold", "shorten the agreement"))?;
        act::put_act(&mut cx.tx, &sealed);
        let id = sealed.id();
        self.absorb(cx.env.crypto, &sealed, body);
        if let (Some(epoch), Some(keys)) = (self.carried.get(&id).copied(), keys) {
            self.learn_keys(cx, epoch, keys);
        }
        Ok(id)
    }

    fn fresh_epoch(&self, cx: &mut Cx<'_, '_>) -> (Option<NewEpoch>, Option<EpochKeys>) {
        let superseded = self.newest_epochs();
        let parents: Vec<_> = superseded.iter().filter_map(|id| Some((*id, self.ring.epoch(id)?))).collect();
        let (new, keys) = epoch::new_epoch(cx.env.rng, &parents, self.history());
        (Some(new), Some(keys))
    }

    /// Starts a new epoch.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub(crate) fn rotate(&mut self, cx: &mut Cx<'_, '_>) -> Result<ActId, Stop> {
        self.write(cx, Statement::Rotate, true)
    }

    /// The epoch to write content under: the usable one, or a new one where there is none or it is overdue.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub(crate) fn epoch_for_writing(&mut self, cx: &mut Cx<'_, '_>) -> Result<EpochId, Stop> {
        match self.usable_epoch() {
            Some(epoch) if !self.overdue(&epoch, cx.env.now) => Ok(epoch),
            _ if self.my_role().is_some_and(|role| role > Role::Guest) => {
                self.rotate(cx)?;
                self.usable_epoch().ok_or_else(|| Stop::not_yet("no keys can be made for this circle yet"))
            }
            Some(epoch) => Ok(epoch),
            None => Err(Stop::not_yet("somebody who writes in this circle has to renew its keys first")),
        }
    }

    /// Writes the row of what only this machine knows.
    pub(crate) fn save_row(&mut self, cx: &mut Cx<'_, '_>) {
        cx.tx.put(Table::Circle, &self.id.0, codec::encode(&self.row));
        self.dirty = true;
    }

    /// Publishes this device's record: name, address, agreement.
    pub(crate) fn publish(&mut self, cx: &mut Cx<'_, '_>, addresses: &[crate::id::Addr]) {
        let Some(epoch) = self.usable_epoch().or_else(|| self.newest_epochs().first().copied()) else { return };
        let Some(roster) = self.ring.epoch(&epoch).map(|keys| keys.roster.clone()) else { return };
        let agreement = self.agreement();
        let body = record::RecordBody {
            at: cx.env.now,
            name: self.row.name.clone(),
            device_name: Private(String::new()),
            peer: cx.env.peer.clone(),
            addresses: addresses.iter().filter(|a| a.0.len() <= limits::ADDRESS_BYTES).take(limits::ADDRESSES).cloned().collect(),
            agreement: (!agreement.is_empty()).then(|| record::agreement_digest(&agreement)),
        };
        let same = self.records.get(&self.device()).is_some_and(|held| {
            (&held.body.name, &held.body.peer, &held.body.addresses, &held.body.agreement)
                == (&body.name, &body.peer, &body.addresses, &body.agreement)
        });
        if same {
            return;
        }
        self.row.records += 1;
        let signer = &self.row.secrets.sign;
        let written = Record::write(cx.env.crypto, cx.env.rng, &self.id, signer, (&epoch, &roster), self.row.records, body);
        record::put(&mut cx.tx, &self.id, &written);
        self.records.insert(written.device, written);
        self.save_row(cx);
    }
}

fn keys_missing() -> Stop {
    Stop::not_yet("the circle's keys have not arrived yet")
}

/// Did the new device of a certificate agree to it?
fn countersigned(crypto: &dyn Crypto, circle: &CircleId, author: &DeviceId, statement: &Statement) -> bool {
    let Statement::Device { device, countersignature } = statement else { return false };
    crypto.verify(&device.sign, "kith/v1/countersign", &[&circle.0, &author.0], &Signature(*countersignature))
}

/// The device keys that a statement introduces.
#[must_use]
pub(crate) fn introduced(statement: &Statement) -> Vec<&DeviceKeys> {
    match statement {
        Statement::Genesis { devices, .. } | Statement::Admit { devices, .. } => devices.iter().collect(),
        Statement::Device { device, .. } | Statement::Recover { device, .. } | Statement::Revouch { device, .. } => vec![device],
        Statement::Confirm { .. }
        | Statement::Remove { .. }
        | Statement::Leave
        | Statement::Role { .. }
        | Statement::Propose { .. }
        | Statement::Vote { .. }
        | Statement::Policy { .. }
        | Statement::Delegate { .. }
        | Statement::Invite { .. }
        | Statement::Uninvite { .. }
        | Statement::Revoke { .. }
        | Statement::Vouch { .. }
        | Statement::Rotate
        | Statement::Restore { .. } => Vec::new(),
    }
}
