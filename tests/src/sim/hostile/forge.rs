//! What can be written with a member's real keys and should not be: acts without authority or behind one's back, entries of
//! every shape. Put into their own store, from where their node passes them on.

mod say;

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::circle::act::{self, ActBody, ActPlace, SealedAct, write_act};
use kith_protocol::circle::body::{History, KeyClass, Policy, Retention, Role, Statement};
use kith_protocol::circle::epoch::{EpochRow, KeyRing, Ring, epoch_id, new_epoch, put_epoch};
use kith_protocol::circle::membership::person_id;
use kith_protocol::codec;
use kith_protocol::crypto::DeviceKeys;
use kith_protocol::crypto::{Crypto, DeviceSecrets, SigningKey, Suite};
use kith_protocol::id::{ActId, EntryId, EpochId, Incarnation, ItemId, PersonId};
use kith_protocol::item::edit::{Edit, Op, Value};
use kith_protocol::item::kind::Kind;
use kith_protocol::log::chain::{self, ChainPlace};
use kith_protocol::log::entry::{EntryAt, NewEntry, Opened};
use kith_protocol::private::Private;
use kith_protocol::store::{Read, Store, StoreError, Table};
use kith_protocol::time::Millis;
use kith_protocol::tx::{Turn, Tx};
use rand_core::Rng as _;
use serde::{Deserialize, Serialize};

use super::Mask;
use crate::sim::disk::Disk;
use crate::sim::own::OwnRow;
use crate::sim::rng::Rng;

/// The word that stands in everything a hostile member forges, and in nothing else.
pub const HOSTILE: &str = "kuckucksei";

/// Sets of chains from which they flood an item.
const SETS: u8 = 5;

/// A forgery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Forgery {
    /// An act that only others may write, or nobody.
    Act(Claim),
    /// An entry that no program writes.
    Entry(Lie),
}

/// What a forged act claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Claim {
    /// I am a steward.
    RaiseSelf,
    /// Somebody is out.
    Remove,
    /// Somebody is a guest.
    Lower,
    /// A friend of mine is in.
    AdmitSock,
    /// The same, so that it holds if they are a steward: it knows all that they know.
    AdmitFriend,
    /// The circle has another name.
    Policy,
    /// There are new keys.
    Rotate,
    /// The same, for all who come later to read everything; and they hand them on as the protocol asks, so that all use them.
    Loosen,
    /// Somebody's device is stolen.
    Revoke,
    /// This is a further device of mine; it never agreed.
    Certify,
    /// An invite for a steward.
    Invite,
}

/// What is wrong with a forged entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lie {
    /// A kind that nobody knows.
    Kind,
    /// No edit list.
    Garbage,
    /// A title beyond the bound.
    Long,
    /// It opens an item in somebody else's name.
    Name,
    /// It changes somebody else's note.
    Meddle,
    /// It deletes somebody else's note.
    Delete,
    /// An item of some kind, about whatever there is or is not, with values at the ends of what its fields hold.
    Item,
    /// A change of an item of theirs or of others, well-formed and as odd.
    Change,
    /// A deletion, a hide or a pin of an item of theirs or of others.
    Mark,
    /// Of somebody else's event, change after change, from several sets of chains.
    Flood,
    /// It depends on what is nowhere.
    Orphan,
    /// It is written under keys of long ago.
    Keys,
    /// It knows the genesis only.
    Heads,
    /// Another entry stands in the same place of the chain.
    Fork,
}

impl Forgery {
    /// All of them; what comes in many shapes, twice.
    pub const ALL: [Self; 28] = [
        Self::Act(Claim::RaiseSelf),
        Self::Act(Claim::Remove),
        Self::Act(Claim::Lower),
        Self::Act(Claim::AdmitSock),
        Self::Act(Claim::Policy),
        Self::Act(Claim::Rotate),
        Self::Act(Claim::Loosen),
        Self::Act(Claim::Loosen),
        Self::Act(Claim::Revoke),
        Self::Act(Claim::Certify),
        Self::Act(Claim::Invite),
        Self::Entry(Lie::Kind),
        Self::Entry(Lie::Garbage),
        Self::Entry(Lie::Long),
        Self::Entry(Lie::Name),
        Self::Entry(Lie::Meddle),
        Self::Entry(Lie::Delete),
        Self::Entry(Lie::Item),
        Self::Entry(Lie::Item),
        Self::Entry(Lie::Change),
        Self::Entry(Lie::Change),
        Self::Entry(Lie::Mark),
        Self::Entry(Lie::Flood),
        Self::Entry(Lie::Flood),
        Self::Entry(Lie::Orphan),
        Self::Entry(Lie::Keys),
        Self::Entry(Lie::Heads),
        Self::Entry(Lie::Fork),
    ];
}

/// All that a forger has: their keys, the circle's keys as they hold them, and what they know of the log.
struct Forger<'a> {
    disk: &'a mut Disk,
    crypto: &'a dyn Crypto,
    rng: &'a mut Rng,
    row: OwnRow,
    ring: Ring,
    acts: Vec<SealedAct>,
    at: Millis,
    pick: Rng,
}

/// Writes a forgery into a member's own store. False where they have nothing to forge with.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn forge(
    disk: &mut Disk,
    (crypto, rng): (&dyn Crypto, &mut Rng),
    mask: &mut Mask,
    at: Millis,
    (forgery, pick): (Forgery, u64),
) -> Result<bool, StoreError> {
    let Some((_, bytes)) = disk.scan(Table::Circle, &[], &[], 1)?.into_iter().next() else { return Ok(false) };
    let Ok(row) = minicbor::decode::<OwnRow>(&bytes) else { return Ok(false) };
    let ring = Ring::load(disk, &row.circle)?;
    let acts = act::acts(disk, &row.circle)?;
    mask.chains = chain::chains(disk, &row.circle)?.into_iter().map(|head| head.id).collect();
    if ring.is_empty() || acts.is_empty() {
        return Ok(false);
    }
    let mut forger = Forger { disk, crypto, rng, row, ring, acts, at, pick: Rng::new(pick, "forgery") };
    match forgery {
        Forgery::Act(claim) => forger.act(claim, mask),
        Forgery::Entry(Lie::Fork) => forger.fork(),
        Forgery::Entry(Lie::Item) => forger.item(),
        Forgery::Entry(Lie::Change) => forger.change(),
        Forgery::Entry(Lie::Mark) => forger.mark(),
        Forgery::Entry(Lie::Flood) => forger.flood(),
        Forgery::Entry(lie) => forger.entry(lie),
    }
}

impl Forger<'_> {
    fn epoch(&mut self) -> EpochId {
        let ids: Vec<EpochId> = self.ring.iter().map(|(id, _)| *id).collect();
        self.pick.pick(&ids).copied().unwrap_or(EpochId([0; 32]))
    }

    /// The epoch whose act knows most of the others.
    fn newest(&self) -> EpochId {
        let newest = self.ring.iter().max_by_key(|(id, row)| (self.past(&row.act), **id)).map(|(id, _)| *id);
        newest.unwrap_or(EpochId([0; 32]))
    }

    /// How many acts an act knows.
    fn past(&self, act: &ActId) -> usize {
        let parents: BTreeMap<ActId, &[ActId]> = self.acts.iter().map(|act| (act.id(), act.parents())).collect();
        let (mut open, mut seen) = (vec![*act], BTreeSet::new());
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(parents.get(&id).into_iter().flat_map(|parents| parents.iter()));
            }
        }
        seen.len()
    }

    /// All that nothing else names.
    fn heads(&self) -> Vec<ActId> {
        let named: Vec<ActId> = self.acts.iter().flat_map(|act| act.parents().to_vec()).collect();
        self.acts.iter().map(SealedAct::id).filter(|id| !named.contains(id)).take(16).collect()
    }

    /// All heads, one act of some time, or nothing but the genesis.
    fn parents(&mut self) -> Vec<ActId> {
        let all: Vec<ActId> = self.acts.iter().map(SealedAct::id).collect();
        match self.pick.below(4) {
            0 | 1 => self.heads(),
            2 => self.pick.pick(&all).copied().into_iter().collect(),
            _ => self.genesis(),
        }
    }

    fn genesis(&self) -> Vec<ActId> {
        self.acts.iter().filter(|act| act.is_genesis()).map(SealedAct::id).collect()
    }

    /// Somebody whose device they know.
    fn somebody(&mut self) -> PersonId {
        let circle = self.row.circle;
        let founder = self.acts.iter().find(|act| act.is_genesis()).map(SealedAct::author);
        let mut people: Vec<PersonId> = self.acts.iter().map(|act| person_id(&circle, &act.author())).collect();
        people.extend(founder.map(|device| kith_protocol::circle::membership::founder_id(&device)));
        self.pick.pick(&people).copied().unwrap_or(PersonId([0; 32]))
    }

    fn me(&self) -> PersonId {
        let device = self.row.secrets.sign.id();
        if self.acts.iter().any(|act| act.is_genesis() && act.author() == device) {
            return kith_protocol::circle::membership::founder_id(&device);
        }
        person_id(&self.row.circle, &device)
    }

    fn act(&mut self, claim: Claim, mask: &mut Mask) -> Result<bool, StoreError> {
        let sock = DeviceSecrets::generate(self.rng, Suite::X25519).keys();
        let points = BTreeMap::new();
        let statement = match claim {
            Claim::RaiseSelf => Statement::Role { person: self.me(), role: Role::Steward, points, proposal: None },
            Claim::Remove => Statement::Remove { person: self.somebody(), points, proposal: None },
            Claim::Lower => Statement::Role { person: self.somebody(), role: Role::Guest, points, proposal: None },
            Claim::AdmitSock | Claim::AdmitFriend => {
                let person = person_id(&self.row.circle, &sock.sign);
                mask.socks.push(person.text());
                let devices = vec![DeviceKeys { hpke: self.row.secrets.hpke.public(), ..sock }];
                Statement::Admit { person, role: Role::Member, devices, recovery: None, invite: None, proposal: None }
            }
            Claim::Policy => Statement::Policy { set: vec![Policy::Name(Private(HOSTILE.to_owned()))], proposal: None },
            Claim::Rotate | Claim::Loosen => Statement::Rotate,
            Claim::Revoke => {
                let devices: Vec<_> = self.acts.iter().map(SealedAct::author).collect();
                let device = self.pick.pick(&devices).copied().unwrap_or(sock.sign);
                Statement::Revoke { device, keep: Vec::new(), points }
            }
            Claim::Certify => Statement::Device { device: sock, countersignature: [0; 64] },
            Claim::Invite => Statement::Invite { role: Role::Steward, uses: 9, key: sock.sign, expires: Millis(u64::MAX) },
        };
        let epoch = if claim == Claim::Loosen { self.newest() } else { self.epoch() };
        let Some(keys) = self.ring.epoch(&epoch).cloned() else { return Ok(false) };
        let rekeys = matches!(statement, Statement::Remove { .. } | Statement::Rotate);
        let (fresh, held) = rekeys.then(|| new_epoch(self.rng, &[(epoch, &keys)], History::All)).unzip();
        let body = ActBody { at: self.label(), statement, epoch: fresh };
        let knowing = matches!(claim, Claim::AdmitFriend | Claim::Loosen);
        let parents = if knowing { self.heads() } else { self.parents() };
        let place = ActPlace::In { circle: self.row.circle, parents, epoch, roster: &keys.roster };
        let signer: &SigningKey = &self.row.secrets.sign;
        let Ok(sealed) = write_act(self.crypto, self.rng, signer, place, &body) else { return Ok(false) };
        let handed = body.epoch.as_ref().zip(held).filter(|_| claim == Claim::Loosen);
        let (circle, at) = (self.row.circle, self.at);
        self.commit(|tx| {
            act::put_act(tx, &sealed);
            if let Some((new, keys)) = handed {
                let row = EpochRow::new(keys, sealed.id(), body.at, new.history, at);
                put_epoch(tx, &circle, &epoch_id(&circle, new), &row);
            }
            true
        })
    }

    /// The first entries of items that they can read.
    fn known(&self) -> Result<Vec<Opened>, StoreError> {
        let mut found = Vec::new();
        for head in chain::chains(self.disk, &self.row.circle)? {
            let places: Vec<EntryAt> = (head.first.max(1)..=head.seq).map(|seq| EntryAt { chain: head.no, seq }).collect();
            found.extend(chain::load_many(self.disk, &self.ring, &places).unwrap_or_default());
        }
        let opens = |entry: &Opened| {
            let edit = Kind::of(entry.kind).zip(entry.payload.as_deref());
            edit.is_some_and(|(kind, bytes)| Edit::parse(bytes, kind).is_ok_and(|edit| edit.opens()))
        };
        found.retain(opens);
        Ok(found)
    }

    /// Somebody's note, if they know one.
    fn others_item(&mut self) -> Result<Option<(ItemId, EntryId)>, StoreError> {
        let (me, note) = (self.row.secrets.sign.id(), Kind::Note.number());
        let mut found = self.known()?;
        found.retain(|entry| entry.chain.device != me && entry.kind == note);
        Ok(self.pick.pick(&found).map(|entry| (entry.item, entry.id)))
    }

    /// Some item that they can read, theirs or another's.
    fn some_item(&mut self) -> Result<Option<Opened>, StoreError> {
        let found = self.known()?;
        Ok(self.pick.pick(&found).cloned())
    }

    fn item(&mut self) -> Result<bool, StoreError> {
        let kinds = [Kind::Note, Kind::Reply, Kind::Reaction, Kind::Event, Kind::Rsvp, Kind::Resource];
        let kind = self.pick.pick(&kinds).copied().unwrap_or(Kind::Note);
        let nowhere = ItemId { creator: self.somebody(), nonce: [9; 16] };
        let target = self.some_item()?.map(|entry| entry.item).filter(|_| self.pick.chance(80)).unwrap_or(nowhere);
        let about = kind.has_target().then_some(target);
        let edit = Edit::opening(self.label(), about, say::ops(&mut self.pick, kind, true));
        let item = self.fresh_item();
        self.say(kind, kind.class().unwrap_or(KeyClass::Talk), item, &edit)
    }

    fn change(&mut self) -> Result<bool, StoreError> {
        let Some(entry) = self.some_item()? else { return Ok(false) };
        let Some(kind) = Kind::of(entry.kind) else { return Ok(false) };
        let (version, at, deps, names) = (1, self.label(), vec![entry.id], vec![entry.id]);
        let edit = Edit { version, at, about: None, deps, names, ops: say::ops(&mut self.pick, kind, false) };
        self.say(kind, entry.chain.class, entry.item, &edit)
    }

    fn mark(&mut self) -> Result<bool, StoreError> {
        let Some(entry) = self.some_item()? else { return Ok(false) };
        let kind = self.pick.pick(&[Kind::Tombstone, Kind::Hide, Kind::Pin]).copied().unwrap_or(Kind::Hide);
        let edit = Edit::opening(self.label(), Some(entry.item), say::ops(&mut self.pick, kind, true));
        let item = self.fresh_item();
        self.say(kind, entry.chain.class, item, &edit)
    }

    /// More changes of somebody else's event than one person may write into an item, or a few, from sets of chains that they begin for it.
    fn flood(&mut self) -> Result<bool, StoreError> {
        let (me, event) = (self.row.secrets.sign.id(), Kind::Event.number());
        let mut events = self.known()?;
        events.retain(|entry| entry.chain.device != me && entry.kind == event);
        let Some(opening) = self.pick.pick(&events).cloned() else { return Ok(false) };
        let each = if self.pick.chance(50) { 256 } else { 8 };
        let (heads, epoch, at) = (self.heads(), self.writable(false), self.label());
        let mut done = false;
        for set in 0..SETS {
            let change = |number: usize| {
                let title = Op::Set(0, Value::Text(Private(format!("{HOSTILE} {set} {number}"))));
                let (deps, names) = (vec![opening.id], Vec::new());
                let payload = codec::encode(&Edit { version: 1, at, about: None, deps, names, ops: vec![title] });
                NewEntry { class: opening.chain.class, kind: event, item: opening.item, retention: Retention::Keep, payload }
            };
            let mut bytes = [0; 16];
            self.rng.fill_bytes(&mut bytes);
            let place = ChainPlace { circle: self.row.circle, incarnation: Incarnation(bytes) };
            let (crypto, signer, ring) = (self.crypto, self.row.secrets.sign.clone(), self.ring.clone());
            let mut rng = Rng::new(self.rng.next_u64(), "entry");
            let new: Vec<NewEntry> = (0..each).map(change).collect();
            done |= self.commit(|tx| chain::append(tx, crypto, &mut rng, &ring, &signer, &place, &epoch, &heads, new).is_ok())?;
        }
        Ok(done)
    }

    fn fresh_item(&mut self) -> ItemId {
        let mut nonce = [0; 16];
        self.rng.fill_bytes(&mut nonce);
        ItemId { creator: self.me(), nonce }
    }

    /// Their clock, or none.
    fn label(&mut self) -> Millis {
        if self.pick.chance(70) { self.at } else { say::moment(&mut self.pick) }
    }

    /// Writes an edit, with any retention, as somebody who knows everything.
    fn say(&mut self, kind: Kind, class: KeyClass, item: ItemId, edit: &Edit) -> Result<bool, StoreError> {
        let retentions = [Retention::Keep, Retention::Keep, Retention::Days(0), Retention::Days(1), Retention::Days(u32::MAX)];
        let retention = self.pick.pick(&retentions).copied().unwrap_or(Retention::Keep);
        let new = NewEntry { class, kind: kind.number(), item, retention, payload: codec::encode(edit) };
        let (heads, epoch) = (self.heads(), self.writable(false));
        self.append(&epoch, &heads, new)
    }

    fn append(&mut self, epoch: &EpochId, heads: &[ActId], new: NewEntry) -> Result<bool, StoreError> {
        let place = ChainPlace { circle: self.row.circle, incarnation: self.row.incarnation };
        let (crypto, signer, ring) = (self.crypto, self.row.secrets.sign.clone(), self.ring.clone());
        let mut rng = Rng::new(self.rng.next_u64(), "entry");
        self.commit(|tx| chain::append(tx, crypto, &mut rng, &ring, &signer, &place, epoch, heads, vec![new]).is_ok())
    }

    fn entry(&mut self, lie: Lie) -> Result<bool, StoreError> {
        let mut item = self.fresh_item();
        let title = |words: String| Op::Set(0, Value::Text(Private(words)));
        let mut edit = Edit {
            version: 1,
            at: self.at,
            about: None,
            deps: Vec::new(),
            names: Vec::new(),
            ops: vec![title(format!("{HOSTILE} {}", item.nonce[0]))],
        };
        let (mut kind, mut garbage) = (1, None);
        match lie {
            Lie::Kind => kind = 200,
            Lie::Garbage => garbage = Some(vec![0xff; 40]),
            Lie::Long => edit.ops = vec![title(HOSTILE.repeat(100))],
            Lie::Name => item.creator = self.somebody(),
            Lie::Meddle => {
                let Some((whose, entry)) = self.others_item()? else { return Ok(false) };
                (item, edit.deps) = (whose, vec![entry]);
            }
            Lie::Delete => {
                let Some((whose, _)) = self.others_item()? else { return Ok(false) };
                (kind, edit.about, edit.ops) = (7, Some(whose), vec![Op::Set(0, Value::Flag(true))]);
            }
            Lie::Orphan => edit.deps = vec![EntryId([9; 32])],
            Lie::Keys | Lie::Heads | Lie::Fork | Lie::Item | Lie::Change | Lie::Mark | Lie::Flood => {}
        }
        let payload = garbage.unwrap_or_else(|| codec::encode(&edit));
        let new = NewEntry { class: KeyClass::Talk, kind, item, retention: Retention::Keep, payload };
        let heads = if lie == Lie::Heads { self.genesis() } else { self.parents() };
        let epoch = self.writable(lie == Lie::Keys);
        self.append(&epoch, &heads, new)
    }

    /// An epoch with a talk key: any, or the newest by its maker's label.
    fn writable(&mut self, any: bool) -> EpochId {
        let mut ids: Vec<(Millis, EpochId)> =
            self.ring.iter().filter(|(_, row)| row.keys.talk.is_some()).map(|(id, row)| (row.made_at, *id)).collect();
        ids.sort_unstable();
        let old = self.pick.pick(&ids).copied();
        let chosen = if any { old } else { ids.last().copied() };
        chosen.map_or(EpochId([0; 32]), |(_, id)| id)
    }

    /// Two entries for one place: one is written, the other is received as from a twin.
    fn fork(&mut self) -> Result<bool, StoreError> {
        let before = self.disk.clone();
        if !self.entry(Lie::Heads)? {
            return Ok(false);
        }
        let first = std::mem::replace(self.disk, before);
        if !self.entry(Lie::Heads)? {
            *self.disk = first;
            return Ok(false);
        }
        let second = std::mem::replace(self.disk, first);
        let (circle, me) = (self.row.circle, self.row.secrets.sign.id());
        let class = KeyClass::Talk;
        let id = kith_protocol::circle::body::ChainId { device: me, incarnation: self.row.incarnation, class };
        let Some(head) = chain::branches(&second, &circle, &id)?.into_iter().find(|head| head.parent.is_none()) else {
            return Ok(false);
        };
        let served = chain::endless::serve_single(&second, &self.ring, head.no, head.seq.saturating_sub(1), 1 << 16, None);
        let Ok(Some(served)) = served else { return Ok(false) };
        let (crypto, ring) = (self.crypto, self.ring.clone());
        self.commit(|tx| chain::receive(tx, crypto, &ring, &circle, &served.run, false).is_ok())
    }

    fn commit(&mut self, write: impl FnOnce(&mut Tx<'_>) -> bool) -> Result<bool, StoreError> {
        let mut batch = Turn::default();
        let mut tx = Tx::new(&*self.disk, &batch);
        if !write(&mut tx) {
            return Ok(false);
        }
        tx.finish().join(&mut batch);
        self.disk.commit(&batch.writes)?;
        Ok(true)
    }
}
