//! The driver: one ordinary thread that owns node and store.
//!
//! Inputs in, one commit, then effects: nothing leaves the machine before it is on disk. What arrives while a commit is under
//! way shares the next one, until a turn's time is over; the rest waits for the turn after it. A commit that fails takes the
//! node's memory with it: everything concerned is told, every link closes, and the node is opened again from the store.

mod machine;
mod wait;

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kith_protocol::control::{Code, Error, Hint};
use kith_protocol::id::{Addr, PeerId};
use kith_protocol::node::{CallId, Effect, Input};
use kith_protocol::store::{Store, StoreError};
use kith_protocol::time::Millis;
use kith_protocol::tx::Turn;
use tokio::sync::{mpsc, oneshot};

pub(crate) use machine::{Core, Machine};
use wait::Next;

use crate::clock;
use crate::hub::Hub;
use crate::limits::{EVENTS_PER_COMMIT, LONGEST_REST, LONGEST_SLEEP, MAX_FAILURES, REST, SAME_DEADLINE, SCRUB_AGAIN, TURN};
use crate::net::NetHandle;
use crate::queue::{Event, Outcome};
use crate::store::SqliteStore;

/// Why a turn came to nothing.
#[derive(Debug)]
enum Trouble {
    Store(StoreError),
    /// The core broke one of its own invariants.
    Fault,
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Trouble {
    fn told(&self) -> Error {
        match self {
            Self::Store(error) => store_trouble(error),
            Self::Fault => Error::new(
                Code::Failed,
                "Something went wrong inside kithd; nothing was changed.",
                [
                    Hint::Text("Try again. If it happens again, the log may say more.".to_owned()),
                    Hint::run("", "doctor", &[], "looks for damage"),
                ],
            ),
        }
    }
}

/// What people read about a store that cannot go on.
pub(crate) fn store_trouble(error: &StoreError) -> Error {
    match error {
        StoreError::Full => Error::new(
            Code::DiskFull,
            "The disk is full; nothing was changed.",
            "Make some room, then try again. Everything saved before is safe.",
        ),
        StoreError::Corrupt(_) => Error::new(
            Code::Damaged,
            "The store is damaged, so nothing more is written to it.",
            "Copy the home folder somewhere safe first. Circles come back from the other members on a new home.",
        ),
        StoreError::Io(_) => Error::new(
            Code::Failed,
            "The disk refused to write; nothing was changed.",
            "See whether the disk is there and writable, then try again. The log in the home folder says more.",
        ),
    }
}

/// Opens the core, and writes what it has to write before anybody asks.
fn open_machine<M: Machine>(store: &mut SqliteStore, peer: &PeerId) -> Result<M, StoreError> {
    let mut turn = Turn::default();
    let machine = M::open(clock::now(), store, peer, &mut turn)?;
    if !turn.writes.is_empty() {
        store.commit(&turn.writes)?;
    }
    Ok(machine)
}

/// The driver and all it owns.
pub(crate) struct Driver<M> {
    pub(crate) store: SqliteStore,
    pub(crate) events: mpsc::Receiver<Event>,
    pub(crate) net: NetHandle,
    pub(crate) hub: Arc<Hub>,
    pub(crate) peer: PeerId,
    machine: M,
    calls: BTreeMap<CallId, oneshot::Sender<Outcome>>,
    next_call: u64,
    /// The last addresses heard of; a reopened node must hear them again.
    listening: Option<Vec<Addr>>,
    /// What the driver itself has to tell the node, in the next turn.
    later: Vec<Input>,
    /// Events that the last turn had no time for.
    waiting: VecDeque<Event>,
    scrub_due: bool,
    failures: u32,
    /// Until when nothing is done unasked.
    rest: Option<Instant>,
}

impl<M> std::fmt::Debug for Driver<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("calls", &self.calls.len()).finish_non_exhaustive()
    }
}

impl<M: Machine> Driver<M> {
    /// Opens the node from the store.
    pub(crate) fn open(
        mut store: SqliteStore,
        events: mpsc::Receiver<Event>,
        net: NetHandle,
        hub: Arc<Hub>,
        peer: PeerId,
        listening: Vec<Addr>,
    ) -> Result<Self, StoreError> {
        let machine = open_machine(&mut store, &peer)?;
        let (calls, listening, waiting) = (BTreeMap::new(), Some(listening).filter(|addrs| !addrs.is_empty()), VecDeque::new());
        // Before the first call, so that an invite made right away names addresses.
        let later = listening.clone().map(Input::Listening).into_iter().collect();
        let (next_call, scrub_due, failures, rest) = (1, false, 0, None);
        Ok(Self {
            store,
            events,
            net,
            hub,
            peer,
            machine,
            calls,
            next_call,
            listening,
            later,
            waiting,
            scrub_due,
            failures,
            rest,
        })
    }

    /// Runs until told to stop, or until the store cannot go on. Blocks the thread. The store is closed when it returns.
    pub(crate) fn run(mut self) -> Result<(), Error> {
        let ended = self.turns();
        for call in std::mem::take(&mut self.calls).into_values() {
            let stopped = Error::new(Code::Failed, "The daemon is stopping.", Hint::run("", "start", &[], "starts it again"));
            drop(call.send(Err(ended.clone().err().unwrap_or(stopped))));
        }
        drop(self.machine);
        let closed = if ended.is_ok() { self.store.close() } else { self.store.leave() };
        if let Err(error) = closed {
            tracing::warn!("the store did not close cleanly: {error}");
        }
        ended
    }

    fn turns(&mut self) -> Result<(), Error> {
        let waker = wait::unparks_this_thread();
        let (mut ticked_for, mut stopping) = (None, false);
        loop {
            let due = self.machine.deadline(&self.store).map_err(|error| store_trouble(&error))?.max(self.rested());
            let patience = self.patience(due, ticked_for);
            if self.waiting.is_empty() {
                match wait::next(&mut self.events, &waker, patience) {
                    Next::Event(first) => self.waiting.push_back(first),
                    Next::Ended => return Ok(()),
                    Next::Nothing => {}
                }
            }
            // Once it is to end, nothing more is taken in.
            let group = if stopping { std::mem::take(&mut self.waiting).into() } else { self.group() };
            ticked_for = None;
            let overdue = due.filter(|due| *due <= clock::now());
            if overdue.is_some() && group.is_empty() {
                ticked_for = due;
            }
            stopping |= group.iter().any(|event| matches!(event, Event::Stop));
            match self.turn(group, overdue.is_some()) {
                Ok(true) => (self.failures, self.rest) = (0, None),
                Ok(false) => {}
                Err(trouble) => self.start_over(&trouble)?,
            }
            if stopping && self.waiting.is_empty() {
                return Ok(());
            }
        }
    }

    /// When what is done unasked may go on, after a failed commit.
    fn rested(&self) -> Option<Millis> {
        let left = self.rest?.saturating_duration_since(Instant::now());
        Some(clock::now().plus(u64::try_from(left.as_millis()).unwrap_or(0)))
    }

    fn patience(&self, due: Option<Millis>, ticked_for: Option<Millis>) -> Duration {
        let patience = patience(due, clock::now(), ticked_for);
        match (self.later.is_empty(), self.scrub_due) {
            (false, _) => Duration::ZERO,
            (true, true) => patience.min(SCRUB_AGAIN),
            (true, false) => patience,
        }
    }

    /// What waits; what arrived already joins it, and shares the commit.
    fn group(&mut self) -> Vec<Event> {
        let mut group: Vec<Event> = std::mem::take(&mut self.waiting).into();
        while (1..EVENTS_PER_COMMIT).contains(&group.len()) {
            match self.events.try_recv() {
                Ok(event) => group.push(event),
                Err(_) => break,
            }
        }
        group
    }

    /// Handles some of these events, at least one, and leaves the others to the next turn. `true`: something was written.
    fn turn(&mut self, group: Vec<Event>, tick: bool) -> Result<bool, Trouble> {
        let (start, mut events, mut calls) = (Instant::now(), 0_usize, 0_usize);
        let mut batch = Turn::default();
        self.store.begin()?;
        for input in std::mem::take(&mut self.later) {
            self.handle(&mut batch, input)?;
        }
        let mut group = VecDeque::from(group);
        while events == 0 || start.elapsed() < TURN {
            let Some(event) = group.pop_front() else { break };
            (events, calls) = (events + 1, calls + usize::from(matches!(event, Event::Call(..))));
            match event {
                Event::Heard(inbound) => {
                    if let Input::Listening(addrs) = &inbound.input {
                        self.listening = Some(addrs.clone());
                    }
                    self.handle(&mut batch, inbound.input)?;
                }
                Event::Call(command, reply) => {
                    let call = CallId(self.next_call);
                    self.next_call += 1;
                    self.calls.insert(call, reply);
                    self.handle(&mut batch, Input::Call(call, *command))?;
                }
                Event::Woke => {
                    self.net.close_all();
                    self.handle(&mut batch, Input::Woke)?;
                }
                Event::Stop => {}
            }
        }
        self.waiting = group;
        if tick {
            self.handle(&mut batch, Input::Tick)?;
        }
        let handled = start.elapsed();
        self.store.commit(&batch.writes)?;
        let committed = start.elapsed();
        let notices = batch.effects.iter().filter(|effect| matches!(effect, Effect::Notify(_))).count();
        // What travels goes first: others wait for it, too, and waking those who asked takes a while.
        let (replies, others): (Vec<_>, Vec<_>) =
            batch.effects.into_iter().partition(|effect| matches!(effect, Effect::Reply(..)));
        for effect in others.into_iter().chain(replies) {
            self.perform(effect);
        }
        let (handle_us, commit_us) = (handled.as_micros(), (committed - handled).as_micros());
        let effects_us = (start.elapsed() - committed).as_micros();
        tracing::debug!(events, calls, notices, rows = batch.writes.len(), handle_us, commit_us, effects_us, "turn");
        self.calls.retain(|_, call| !call.is_closed());
        self.scrub()?;
        Ok(!batch.writes.is_empty())
    }

    fn handle(&mut self, batch: &mut Turn, input: Input) -> Result<(), Trouble> {
        let Self { machine, store, peer, .. } = self;
        match catch_unwind(AssertUnwindSafe(|| machine.handle(clock::now(), peer, store, batch, input))) {
            Ok(done) => Ok(done?),
            Err(_) => Err(Trouble::Fault),
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Reply(call, outcome) => {
                if let Some(reply) = self.calls.remove(&call) {
                    // The one who asked may have gone.
                    drop(reply.send(outcome));
                }
            }
            Effect::Send(link, frame) => self.net.send(link, frame),
            Effect::Dial(peer, addrs) => {
                if let Err(peer) = self.net.dial(peer, addrs) {
                    tracing::warn!("too many dials wait; one is left out");
                    self.later.push(Input::Failed(peer));
                }
            }
            Effect::Close(link) => self.net.close(link),
            Effect::Widen(link) => self.net.widen(link),
            Effect::Notify(event) => self.hub.publish(event),
            Effect::Scrub => self.scrub_due = true,
            Effect::Log(line, circle) => match circle {
                Some(circle) => tracing::info!(%circle, "{line}"),
                None => tracing::info!("{line}"),
            },
        }
    }

    /// A reader may be in the way, or the disk full: then again after the next turn.
    fn scrub(&mut self) -> Result<(), Trouble> {
        if !self.scrub_due {
            return Ok(());
        }
        match self.store.scrub() {
            Ok(()) => self.scrub_due = false,
            Err(error @ StoreError::Corrupt(_)) => return Err(error.into()),
            Err(error) => tracing::info!("destroyed bytes are still on the disk, to be tried again: {error}"),
        }
        Ok(())
    }

    /// Drops what is in memory and reopens from the store.
    fn start_over(&mut self, trouble: &Trouble) -> Result<(), Error> {
        let told = trouble.told();
        self.store.end();
        tracing::error!("a commit came to nothing: {trouble:?}");
        for call in std::mem::take(&mut self.calls).into_values() {
            drop(call.send(Err(told.clone())));
        }
        self.failures += 1;
        let given_up = match trouble {
            Trouble::Store(StoreError::Corrupt(_)) => true,
            Trouble::Store(StoreError::Full) => false,
            Trouble::Store(StoreError::Io(_)) | Trouble::Fault => self.failures >= MAX_FAILURES,
        };
        if given_up {
            return Err(told);
        }
        self.rest = Some(Instant::now() + (REST * (1 << self.failures.min(6))).min(LONGEST_REST));
        self.net.close_all();
        self.machine = open_machine(&mut self.store, &self.peer).map_err(|error| store_trouble(&error))?;
        // The next turn tells the new machine where it listens, and carries out what it then wants.
        self.later = self.listening.clone().map(Input::Listening).into_iter().collect();
        Ok(())
    }
}

/// How long to wait for an event before a deadline is due.
fn patience(due: Option<Millis>, now: Millis, ticked_for: Option<Millis>) -> Duration {
    match due {
        Some(due) if ticked_for == Some(due) => SAME_DEADLINE,
        Some(due) => Duration::from_millis(due.since(now)).min(LONGEST_SLEEP),
        None => LONGEST_SLEEP,
    }
}

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;
