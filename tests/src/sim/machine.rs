//! One machine: a core node over a disk, its clock's error, its generator of randomness, and whether it is on.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use kith_protocol::control;
use kith_protocol::crypto::Crypto;
use kith_protocol::id::{Addr, CircleId, DeviceId, PeerId};
use kith_protocol::limits;
use kith_protocol::node::{self, Answer, CallId, Effect, Env, Input, Node, Query};
use kith_protocol::planted::{Bug, planted};
use kith_protocol::store::{Read, Store, StoreError, Table};
use kith_protocol::time::Millis;
use kith_protocol::tomorrow::{Version, tomorrow};
use kith_protocol::tx::Turn;

use super::disk::Disk;
use super::hostile::Mask;
use super::own::OwnRow;
use super::rng::Rng;

/// How old what a person sees on their screen may be, in milliseconds.
const SCREEN: u64 = 10_000;

/// What one turn led to.
#[derive(Debug)]
pub enum TurnEnd {
    /// Committed: these effects are to be carried out, in order.
    Effects(Vec<Effect>),
    /// The store refused: the node forgot everything in memory; these calls are told so.
    Refused(Vec<CallId>, StoreError),
    /// Power failed in the commit; what was already carried out by then (nothing, in a sound machine).
    PowerFailed(Vec<Effect>),
}

/// Are these the effects of a refused command, or of a frame for which its sender is cut off? Of a frame with a bad act in it,
/// what stood before that act is kept all the same: it would only be sent again.
fn refused(effects: &[Effect]) -> bool {
    match effects {
        [Effect::Reply(_, Err(_))] => true,
        [Effect::Log(why, _), Effect::Close(_)] => *why != "an act that is not what it claims",
        _ => false,
    }
}

/// An answer, as it was given.
type Said = Result<Answer, control::Error>;

/// Answers with the state of the disk that they are of, and what is on a person's screen since when.
#[derive(Debug, Default)]
struct Screen {
    fresh: BTreeMap<String, (u64, Said)>,
    shown: BTreeMap<String, (Millis, Said)>,
}

/// The machine.
#[derive(Debug)]
pub struct Machine {
    /// Its transport id.
    pub peer: PeerId,
    /// Where it listens.
    pub addr: Addr,
    /// Its disk.
    pub disk: Disk,
    /// Its wall clock minus true time, in milliseconds.
    pub skew: i64,
    /// Inputs for the next turn.
    pub inbox: VecDeque<Input>,
    /// Is a turn planned?
    pub turn_planned: bool,
    /// It shows something new, which is about to be looked at.
    pub to_be_judged: bool,
    /// Power fails once so many effects of the next turn with effects are carried out.
    pub crash_after_effects: Option<u64>,
    /// For which moment (true time) the timer is set.
    pub timer: Option<Millis>,
    /// Does it sleep? Then inputs wait.
    pub asleep: bool,
    /// When power fails, it is back after so many milliseconds.
    pub off_for: u64,
    /// It is a copy of that machine.
    pub copy_of: Option<usize>,
    /// It is never switched on again.
    pub retired: bool,
    /// Its owner is hostile: what they do with frames.
    pub mask: Option<Mask>,
    /// How long it takes to get around to things.
    pub pace: Rng,
    /// Randomness for anyone who writes to its disk behind its node's back.
    pub rng: Rng,
    /// An input was refused and wrote something all the same.
    pub left_a_trace: bool,
    /// Does the next version of the program run on it, or this one? None: whichever the thread runs.
    pub tomorrow: Option<bool>,
    node: Option<Node>,
    screen: RefCell<Screen>,
    devices: RefCell<BTreeMap<Vec<u8>, (CircleId, DeviceId)>>,
}

impl Machine {
    /// A new machine, off, with an empty disk.
    #[must_use]
    pub fn new(seed: u64, number: usize) -> Self {
        let peer = PeerId([b"peer ".as_slice(), number.to_string().as_bytes()].concat());
        let addr = Addr([b"addr ".as_slice(), number.to_string().as_bytes()].concat());
        Self {
            peer,
            addr,
            disk: Disk::default(),
            skew: 0,
            inbox: VecDeque::new(),
            turn_planned: false,
            to_be_judged: false,
            crash_after_effects: None,
            timer: None,
            asleep: false,
            off_for: 1_000,
            copy_of: None,
            retired: false,
            mask: None,
            pace: Rng::new(seed, &format!("pace {number}")),
            rng: Rng::new(seed, &format!("node {number}")),
            left_a_trace: false,
            tomorrow: None,
            node: None,
            screen: RefCell::default(),
            devices: RefCell::default(),
        }
    }

    /// Another machine, off, with everything that stands on this one's disk.
    #[must_use]
    pub fn twin(of: &Self, who: usize, seed: u64, number: usize) -> Self {
        let mut disk = of.disk.clone();
        disk.recovered();
        disk.set_full(false);
        Self { peer: of.peer.clone(), disk, copy_of: Some(who), tomorrow: of.tomorrow, ..Self::new(seed, number) }
    }

    /// Is it on?
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.node.is_some()
    }

    /// Its wall clock at a moment of true time.
    #[must_use]
    pub fn local(&self, now: Millis) -> Millis {
        Millis(now.0.saturating_add_signed(self.skew))
    }

    /// While this lives, the thread runs the version of the program that is on it.
    fn version(&self) -> Option<Version> {
        self.tomorrow.map(tomorrow)
    }

    /// Switches it on. What another version of the program left is made its own first.
    ///
    /// # Errors
    /// [`StoreError`] where the node cannot be opened from what is on disk.
    pub fn boot(&mut self, now: Millis, crypto: &dyn Crypto) -> Result<(), StoreError> {
        let _version = self.version();
        self.disk.recovered();
        let mut node = Node::open(&self.disk, crypto, self.peer.clone())?;
        let mut turn = Turn::default();
        let mut env = Env { now: self.local(now), rng: &mut self.rng, crypto, peer: &self.peer };
        node.refresh(&mut env, &self.disk, &mut turn)?;
        if !turn.writes.is_empty() {
            self.disk.commit(&turn.writes)?;
        }
        self.node = Some(node);
        self.inbox.clear();
        Ok(())
    }

    /// Switches it off; memory is gone.
    pub fn off(&mut self) {
        self.node = None;
        self.screen = RefCell::default();
        self.inbox.clear();
        self.asleep = false;
        self.crash_after_effects = None;
        self.timer = None;
    }

    /// Handles what is in the inbox: all inputs, one commit.
    ///
    /// # Errors
    /// [`StoreError`] where the node cannot be opened again after a refused commit.
    pub fn turn(&mut self, now: Millis, crypto: &dyn Crypto) -> Result<TurnEnd, StoreError> {
        let _version = self.version();
        let local = self.local(now);
        let inputs = std::mem::take(&mut self.inbox);
        let Some(node) = &mut self.node else { return Ok(TurnEnd::Effects(Vec::new())) };
        let calls: Vec<CallId> =
            inputs.iter().filter_map(|i| if let Input::Call(id, _) = i { Some(*id) } else { None }).collect();
        let mut batch = Turn::default();
        let mut env = Env { now: local, rng: &mut self.rng, crypto, peer: &self.peer };
        let mut outcome = Ok(());
        for input in inputs {
            let (before, effects) = (batch.writes.clone(), batch.effects.len());
            outcome = node.handle(&mut env, &self.disk, &mut batch, input);
            if outcome.is_err() {
                break;
            }
            self.left_a_trace |= refused(batch.effects.get(effects..).unwrap_or_default()) && batch.writes != before;
        }
        let power = self.disk.crashes_next() && !batch.is_empty();
        let early = if planted(Bug::SendsFirst) { std::mem::take(&mut batch.effects) } else { Vec::new() };
        if outcome.is_ok() && (power || !batch.writes.is_empty()) {
            outcome = self.disk.commit(&batch.writes);
        }
        match outcome {
            Ok(()) => Ok(TurnEnd::Effects(early.into_iter().chain(batch.effects).collect())),
            Err(_) if power => Ok(TurnEnd::PowerFailed(early)),
            Err(why) => {
                self.boot(now, crypto)?;
                Ok(TurnEnd::Refused(calls, why))
            }
        }
    }

    /// Where memory and store disagree: a part that a node opened afresh from this disk would hold otherwise.
    ///
    /// # Errors
    /// [`StoreError`] where none can be opened.
    pub fn astray(&self, crypto: &dyn Crypto) -> Result<Option<String>, StoreError> {
        let _version = self.version();
        let Some(node) = &self.node else { return Ok(None) };
        let (held, stored) = (node.memory(), Node::open(&self.disk, crypto, self.peer.clone())?.memory());
        let other = |name: &&String| held.get(*name) != stored.get(*name);
        Ok(held.keys().chain(stored.keys()).find(other).cloned())
    }

    /// Its device in each circle, as its disk says. (To know a public key takes a computation: each row is read once.)
    #[must_use]
    pub fn devices(&self) -> Vec<(CircleId, DeviceId)> {
        let rows = self.disk.scan(Table::Circle, &[], &[], limits::CIRCLES).unwrap_or_default();
        let mut known = self.devices.borrow_mut();
        let read = |row: OwnRow| (row.circle, row.secrets.sign.id());
        let device = |(_, bytes): (Vec<u8>, Vec<u8>)| {
            if let Some(device) = known.get(&bytes) {
                return Some(*device);
            }
            let device = minicbor::decode::<OwnRow>(&bytes).ok().map(read)?;
            known.insert(bytes, device);
            Some(device)
        };
        rows.into_iter().filter_map(device).collect()
    }

    /// Devices that it was ever seen to have, in any circle.
    #[must_use]
    pub fn devices_ever(&self) -> BTreeSet<DeviceId> {
        self.devices.borrow().values().map(|(_, device)| *device).collect()
    }

    /// When the node next wants a tick, in true time.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub fn deadline(&self) -> Result<Option<Millis>, StoreError> {
        let _version = self.version();
        let Some(node) = &self.node else { return Ok(None) };
        let local = node.deadline(&self.disk)?;
        Ok(local.map(|at| Millis(at.0.saturating_add_signed(self.skew.saturating_neg()))))
    }

    /// What it answers, as one reads it from its disk.
    ///
    /// # Errors
    /// [`control::Error`] as the core says it; a failing store as such an error, too.
    pub fn ask(&self, now: Millis, crypto: &dyn Crypto, query: Query) -> Said {
        let _version = self.version();
        node::answer(&self.disk, crypto, self.local(now), query)
            .unwrap_or_else(|why| Err(control::Error::new(control::Code::Damaged, why.to_string(), "")))
    }

    /// The same, remembered until its disk changes. Not for what depends on the clock.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn recall(&self, now: Millis, crypto: &dyn Crypto, query: Query) -> Said {
        let of_people = matches!(query, Query::Circles | Query::Members(_));
        let version = if of_people { self.disk.people } else { self.disk.version };
        let name = format!("{query:?}");
        let mut screen = self.screen.borrow_mut();
        match screen.fresh.get(&name) {
            Some((at, said)) if *at == version => said.clone(),
            _ => {
                let said = self.ask(now, crypto, query);
                screen.fresh.insert(name, (version, said.clone()));
                said
            }
        }
    }

    /// What its owner sees: perhaps a screen that they have been looking at for a while.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn glance(&self, now: Millis, crypto: &dyn Crypto, query: Query) -> Said {
        let name = format!("{query:?}");
        let shown = self.screen.borrow().shown.get(&name).filter(|(since, _)| now.since(*since) < SCREEN).cloned();
        if let Some((_, said)) = shown {
            return said;
        }
        let said = self.recall(now, crypto, query);
        self.screen.borrow_mut().shown.insert(name, (now, said.clone()));
        said
    }
}
