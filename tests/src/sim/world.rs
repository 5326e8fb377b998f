//! The world: takes the next event, lets the machine concerned take its turn, carries out what comes of it.

use std::collections::BTreeMap;

use kith_protocol::crypto::{Crypto, Real};
use kith_protocol::id::PeerId;
use kith_protocol::limits;
use kith_protocol::node::{CallId, Command, Effect, Input, Link};
use kith_protocol::time::Millis;

use super::check::{self, Ledger};
use super::clock::Clock;
use super::fault::{self, Fault, Roughness};
use super::machine::{Machine, Turn};
use super::net::{Arrival, Net, Weather, Who};
use super::rng::Rng;
use super::trace::Trace;
use super::workload::{Intent, Workload};

/// When every world begins.
pub const START: Millis = Millis(1_795_359_600_000);
/// More events than any sound run needs; beyond it the machines talk in circles.
const EVENTS: u64 = 400_000;
/// A stream that is cut for so long is given up, in milliseconds: what a transport's keep-alive does.
const STALL: u64 = 20_000;
/// After a refused commit the node is opened again at once and begins again after this pause, in milliseconds.
const RETRY: u64 = 500;

#[derive(Debug)]
enum Event {
    Boot(Who),
    Begin(Who),
    Wake(Who),
    Turn(Who),
    Timer(Who, Millis),
    Look(Link),
    Stalled(Link),
    Dialled { from: Who, to: PeerId, addr: Option<Who> },
    Double(Who),
    Mend,
    DiskEmptied(Who),
    Fault,
    Work,
}

/// Counters of a run, for the reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Events taken.
    pub events: u64,
    /// Times a machine was switched on.
    pub boots: u64,
    /// Faults that happened.
    pub faults: u64,
    /// Commands acknowledged.
    pub done: u64,
    /// Commands refused.
    pub refused: u64,
}

/// The world.
#[derive(Debug)]
pub struct World {
    /// The machines.
    pub machines: Vec<Machine>,
    /// The network.
    pub net: Net,
    /// What was acknowledged.
    pub ledger: Ledger,
    /// What people do.
    pub workload: Workload,
    /// What happened.
    pub trace: Trace,
    /// How much happened.
    pub counts: Counts,
    /// Why commands were refused, and how often.
    pub refusals: BTreeMap<String, u64>,
    /// How rough it is now.
    pub rough: Roughness,
    /// What broke a promise; the first one ends the run.
    pub broken: Option<String>,
    crypto: Box<dyn Crypto>,
    clock: Clock<Event>,
    chance: Rng,
    calls: BTreeMap<CallId, (Who, Intent)>,
    next_call: u64,
    working: bool,
}

impl World {
    /// A world in which every machine is about to be switched on for the first time.
    #[must_use]
    pub fn new(seed: u64, machines: usize, workload: Workload, keep_trace: bool) -> Self {
        let mut world = Self {
            machines: (0..machines).map(|number| Machine::new(seed, number)).collect(),
            net: Net::new(seed),
            ledger: Ledger::default(),
            workload,
            trace: Trace::new(START, keep_trace),
            counts: Counts::default(),
            refusals: BTreeMap::new(),
            rough: Roughness { every: 0, machines: false },
            broken: None,
            crypto: Box::new(Real),
            clock: Clock::new(START),
            chance: Rng::new(seed, "faults"),
            calls: BTreeMap::new(),
            next_call: 1,
            working: false,
        };
        for who in 0..machines {
            world.clock.plan(who as u64 * 50, Event::Boot(who));
        }
        world
    }

    /// True time.
    #[must_use]
    pub const fn now(&self) -> Millis {
        self.clock.now()
    }

    /// The cryptography in use.
    #[must_use]
    pub fn crypto(&self) -> &dyn Crypto {
        &*self.crypto
    }

    /// People begin to do things, or rest.
    pub fn work(&mut self, on: bool) {
        if on && !self.working {
            self.clock.plan(100, Event::Work);
        }
        self.working = on;
    }

    /// From now on it is as rough as this.
    pub fn roughen(&mut self, rough: Roughness, weather: Weather) {
        if self.rough.every == 0 && rough.every > 0 {
            self.clock.plan(1 + self.chance.below(rough.every), Event::Fault);
        }
        self.rough = rough;
        self.net.weather = weather;
    }

    /// Everything is well again: fair weather, room on disks, power everywhere. `woke`: the machines are told so.
    pub fn heal(&mut self, woke: bool) {
        self.roughen(Roughness { every: 0, machines: false }, Weather::FAIR);
        self.take(Event::Mend);
        for who in 0..self.machines.len() {
            self.machines[who].disk.set_full(false);
            self.machines[who].disk.recovered();
            self.machines[who].crash_after_effects = None;
            if self.machines[who].asleep {
                self.take(Event::Wake(who));
            }
            if !self.machines[who].is_on() {
                self.take(Event::Boot(who));
            }
            if woke {
                self.woke(who);
            }
        }
        self.say("all is well again");
    }

    /// Lets so many milliseconds pass, or stops at the first broken promise.
    pub fn pass(&mut self, millis: u64) {
        let end = self.now().plus(millis);
        while self.broken.is_none() {
            let Some(event) = self.clock.next_before(end) else { break };
            self.take(event);
        }
    }

    /// Notes a broken promise.
    pub fn breaks(&mut self, promise: &str, what: impl std::fmt::Display) {
        self.say(&format!("BROKEN {promise}: {what}"));
        self.broken.get_or_insert(format!("{promise}: {what}"));
    }

    /// Adds a line to the trace.
    pub fn say(&mut self, what: &str) {
        let now = self.clock.now();
        self.trace.line(now, what);
    }

    /// Somebody asks something of her machine.
    pub fn command(&mut self, who: Who, command: Command, intent: Intent) {
        let id = CallId(self.next_call);
        self.next_call += 1;
        self.say(&format!("m{who} {id:?} {intent:?}"));
        self.calls.insert(id, (who, intent));
        self.give(who, Input::Call(id, command));
    }

    /// Stops a machine (its memory and its streams are gone) and plans its next start.
    pub fn crash(&mut self, who: Who, off_for: u64) {
        self.say(&format!("m{who} is off"));
        self.machines[who].off();
        self.calls.retain(|_, (caller, _)| *caller != who);
        for link in self.net.held_by(who) {
            let looks = self.net.break_stream(self.clock.now(), link);
            self.look(looks);
            let looks = self.net.close(self.clock.now(), link);
            self.look(looks);
        }
        self.clock.plan(off_for, Event::Boot(who));
    }

    fn give(&mut self, who: Who, input: Input) {
        let machine = &mut self.machines[who];
        if !machine.is_on() {
            return;
        }
        machine.inbox.push_back(input);
        if !machine.turn_planned && !machine.asleep {
            machine.turn_planned = true;
            let pause = self.chance.below(4);
            self.clock.plan(pause, Event::Turn(who));
        }
    }

    fn look(&mut self, looks: Vec<(Link, Millis)>) {
        for (link, at) in looks {
            self.clock.plan_at(at, Event::Look(link));
        }
    }

    fn take(&mut self, event: Event) {
        self.counts.events += 1;
        if self.counts.events > EVENTS {
            return self.breaks("availability", "the machines never come to rest");
        }
        match event {
            Event::Boot(who) => self.boot(who),
            Event::Begin(who) => self.begin(who),
            Event::Wake(who) => {
                self.machines[who].asleep = false;
                self.woke(who);
            }
            Event::Turn(who) => self.turn(who),
            Event::Timer(who, at) if self.machines[who].timer == Some(at) => {
                self.machines[who].timer = None;
                self.give(who, Input::Tick);
            }
            Event::Timer(..) => {}
            Event::Look(link) => match self.net.arrive(self.clock.now(), link) {
                Arrival::Frame(who, frame) => self.give(who, Input::Bytes(link, frame)),
                Arrival::Hangup(who) => self.give(who, Input::Closed(link)),
                Arrival::Nothing => {}
            },
            Event::Stalled(link) => {
                if self.net.stalled().contains(&link) {
                    let looks = self.net.break_stream(self.clock.now(), link);
                    self.look(looks);
                }
            }
            Event::Dialled { from, to, addr } => self.dialled(from, to, addr),
            Event::Double(who) => {
                let link = self.net.held_by(who).first().copied();
                if let Some((_, peer)) = link.and_then(|link| self.net.owners(link)) {
                    self.connect(who, peer);
                }
            }
            Event::Mend => {
                let looks = self.net.mend(self.clock.now());
                self.look(looks);
            }
            Event::DiskEmptied(who) => self.machines[who].disk.set_full(false),
            Event::Fault => self.fault(),
            Event::Work => self.people(),
        }
    }

    fn boot(&mut self, who: Who) {
        if self.machines[who].is_on() {
            return;
        }
        self.counts.boots += 1;
        self.say(&format!("m{who} is on"));
        if let Err(why) = self.machines[who].boot(&*self.crypto) {
            return self.breaks("durability", format!("machine {who} does not start again: {why}"));
        }
        self.begin(who);
        check::after_restart(self, who);
    }

    /// What every node is told first.
    fn begin(&mut self, who: Who) {
        let addr = self.machines[who].addr.clone();
        self.give(who, Input::Listening(vec![addr]));
        self.give(who, Input::Tick);
    }

    fn turn(&mut self, who: Who) {
        self.machines[who].turn_planned = false;
        if !self.machines[who].is_on() || self.machines[who].asleep {
            return;
        }
        for input in &self.machines[who].inbox {
            self.trace.line(self.clock.now(), &show_input(who, input));
        }
        match self.machines[who].turn(self.clock.now(), &*self.crypto) {
            Ok(Turn::Effects(effects)) => self.carry_out(who, effects),
            Ok(Turn::PowerFailed) => return self.power_failed(who),
            Ok(Turn::Refused(calls, why)) => {
                self.say(&format!("m{who} the store refused: {why}"));
                if !matches!(why, kith_protocol::store::StoreError::Full) {
                    self.breaks("availability", format!("machine {who}'s store fails: {why}"));
                }
                for call in calls {
                    self.calls.remove(&call);
                }
                self.close_streams(who);
                self.clock.plan(RETRY, Event::Begin(who));
            }
            Err(why) => return self.breaks("durability", format!("machine {who} cannot reopen its store: {why}")),
        }
        self.set_timer(who);
    }

    /// The node was opened anew: streams that it does not know any more are closed.
    fn close_streams(&mut self, who: Who) {
        for link in self.net.held_by(who) {
            let looks = self.net.close(self.clock.now(), link);
            self.look(looks);
        }
    }

    fn power_failed(&mut self, who: Who) {
        let off_for = self.chance.between(100, 20_000);
        self.crash(who, off_for);
    }

    fn set_timer(&mut self, who: Who) {
        match self.machines[who].deadline() {
            Ok(at) => {
                let at = at.map(|at| at.max(self.clock.now().plus(1)));
                if let Some(at) = at.filter(|at| self.machines[who].timer != Some(*at)) {
                    self.clock.plan_at(at, Event::Timer(who, at));
                }
                self.machines[who].timer = at;
            }
            Err(why) => self.breaks("availability", format!("machine {who} has no deadline: {why}")),
        }
    }

    fn carry_out(&mut self, who: Who, effects: Vec<Effect>) {
        let crash_at = if effects.is_empty() { None } else { self.machines[who].crash_after_effects.take() };
        for (number, effect) in (0..).zip(effects) {
            if crash_at == Some(number) {
                return self.power_failed(who);
            }
            self.trace.line(self.clock.now(), &show_effect(who, &effect));
            match effect {
                Effect::Reply(call, answer) => {
                    if let Some((_, intent)) = self.calls.remove(&call) {
                        self.replied(who, intent, &answer);
                    }
                }
                Effect::Send(link, frame) => self.send(who, link, frame),
                Effect::Dial(peer, addrs) => {
                    let addr = self.machines.iter().position(|machine| addrs.contains(&machine.addr));
                    let delay = self.net.delay();
                    self.clock.plan(delay, Event::Dialled { from: who, to: peer, addr });
                }
                Effect::Close(link) => {
                    let looks = self.net.close(self.clock.now(), link);
                    self.look(looks);
                }
                Effect::Widen(_) | Effect::Notify(_) | Effect::Scrub | Effect::Log(..) => {}
            }
        }
        if crash_at.is_some() {
            self.power_failed(who);
        }
    }

    fn replied(&mut self, who: Who, intent: Intent, answer: &Result<kith_protocol::node::Answer, kith_protocol::control::Error>) {
        match answer {
            Ok(_) => self.counts.done += 1,
            Err(why) => {
                self.counts.refused += 1;
                *self.refusals.entry(format!("{:?}: {}", why.code, why.message)).or_default() += 1;
            }
        }
        check::replied(self, who, &intent, answer);
        self.workload.replied(who, &intent, answer);
    }

    fn send(&mut self, who: Who, link: Link, frame: Vec<u8>) {
        if frame.len() > limits::FRAME_BYTES {
            return self.breaks("availability", format!("machine {who} sends a frame of {} bytes", frame.len()));
        }
        if check::holds_canary(&frame) {
            return self.breaks("confidentiality", format!("machine {who} sends words in the clear"));
        }
        let looks = self.net.send(self.clock.now(), link, frame);
        self.look(looks);
        if self.net.stalled().contains(&link) {
            self.clock.plan(STALL, Event::Stalled(link));
        }
    }

    fn dialled(&mut self, from: Who, to: PeerId, addr: Option<Who>) {
        if !self.machines[from].is_on() {
            return;
        }
        let reached = addr.filter(|at| self.machines[*at].is_on() && self.machines[*at].peer == to && *at != from);
        let streams = reached.map_or(0, |at| self.net.dialled(from, at));
        match reached {
            Some(at) if streams > 0 => (0..streams).for_each(|_| self.connect(from, at)),
            Some(_) | None => self.give(from, Input::Failed(to)),
        }
    }

    fn connect(&mut self, from: Who, to: Who) {
        if !self.machines[from].is_on() || !self.machines[to].is_on() {
            return;
        }
        let (near, far) = self.net.open(from, to);
        let (dialer, listener) = (self.machines[from].peer.clone(), self.machines[to].peer.clone());
        self.give(from, Input::Opened { link: near, peer: listener, dialer: true });
        self.give(to, Input::Opened { link: far, peer: dialer, dialer: false });
    }

    fn people(&mut self) {
        if !self.working {
            return;
        }
        let who = self.chance.index(self.machines.len());
        if self.machines[who].is_on() && !self.machines[who].asleep {
            let (now, crypto, machine) = (self.clock.now(), &*self.crypto, &self.machines[who]);
            let idea = self.workload.next(who, &|query| machine.ask(now, crypto, query));
            if let Some((command, intent)) = idea {
                check::about_to(self, who, &intent);
                self.command(who, command, intent);
            }
            // Looking is dear and a fault stays: one look in eight finds it a little later.
            if self.chance.chance(12) {
                check::at_any_time(self, who);
            }
        }
        let pause = self.chance.between(50, 1_500);
        self.clock.plan(pause, Event::Work);
    }

    fn fault(&mut self) {
        if self.rough.every == 0 {
            return;
        }
        let pause = 1 + self.chance.below(self.rough.every);
        self.clock.plan(pause, Event::Fault);
        let fault = fault::draw(&mut self.chance, self.machines.len(), self.rough);
        self.counts.faults += 1;
        self.say(&format!("FAULT {fault:?}"));
        self.happen(fault);
    }

    fn happen(&mut self, fault: Fault) {
        let off_for = self.chance.between(100, 30_000);
        match fault {
            Fault::CrashInCommit(who, torn) => self.machines[who].disk.crash_in_next_commit(torn),
            Fault::CrashAmongEffects(who, after) => self.machines[who].crash_after_effects = Some(after),
            Fault::CrashNow(who) | Fault::Stop(who) if self.machines[who].is_on() => self.crash(who, off_for),
            Fault::CrashNow(_) | Fault::Stop(_) => {}
            Fault::DiskFull(who, millis) => {
                self.machines[who].disk.set_full(true);
                self.clock.plan(millis, Event::DiskEmptied(who));
            }
            Fault::Cut { side, one_way, millis } => {
                fault::cut(&mut self.net, self.machines.len(), side, one_way);
                for link in self.net.stalled() {
                    self.clock.plan(STALL, Event::Stalled(link));
                }
                self.clock.plan(millis, Event::Mend);
            }
            Fault::Break(who) => {
                let links = self.net.held_by(who);
                if let Some(link) = self.chance.pick(&links).copied() {
                    let looks = self.net.break_stream(self.clock.now(), link);
                    self.look(looks);
                }
            }
            Fault::Double(who) => self.clock.plan(1, Event::Double(who)),
            Fault::ClockJump(who, by) => {
                self.machines[who].skew = self.machines[who].skew.saturating_add(by);
                self.woke(who);
                self.give(who, Input::Tick);
            }
            Fault::Sleep(who, millis) => {
                self.machines[who].asleep = true;
                self.clock.plan(millis, Event::Wake(who));
                if millis > STALL {
                    self.break_streams(who);
                }
            }
        }
    }

    /// A machine that slept, or whose clock was set, trusts none of its streams.
    fn woke(&mut self, who: Who) {
        self.break_streams(who);
        self.give(who, Input::Woke);
    }

    fn break_streams(&mut self, who: Who) {
        for link in self.net.held_by(who) {
            let looks = self.net.break_stream(self.clock.now(), link);
            self.look(looks);
        }
    }
}

fn show_input(who: Who, input: &Input) -> String {
    match input {
        Input::Bytes(link, bytes) => format!("m{who} < l{} {} B {}", link.0, bytes.len(), &blake3::hash(bytes).to_hex()[..8]),
        Input::Opened { link, peer, dialer } => {
            format!(
                "m{who} < l{} open with {}{}",
                link.0,
                String::from_utf8_lossy(&peer.0),
                if *dialer { ", dialled" } else { "" }
            )
        }
        Input::Closed(link) => format!("m{who} < l{} closed", link.0),
        Input::Failed(peer) => format!("m{who} < no way to {}", String::from_utf8_lossy(&peer.0)),
        Input::Call(id, _) => format!("m{who} < {id:?}"),
        Input::Listening(_) => format!("m{who} < listening"),
        Input::Tick => format!("m{who} < tick"),
        Input::Woke => format!("m{who} < woke"),
    }
}

fn show_effect(who: Who, effect: &Effect) -> String {
    match effect {
        Effect::Send(link, bytes) => format!("m{who} > l{} {} B {}", link.0, bytes.len(), &blake3::hash(bytes).to_hex()[..8]),
        Effect::Reply(id, Ok(_)) => format!("m{who} > {id:?} done"),
        Effect::Reply(id, Err(why)) => format!("m{who} > {id:?} refused: {:?} {}", why.code, why.message),
        Effect::Dial(peer, _) => format!("m{who} > dial {}", String::from_utf8_lossy(&peer.0)),
        Effect::Close(link) => format!("m{who} > close l{}", link.0),
        Effect::Widen(link) => format!("m{who} > widen l{}", link.0),
        Effect::Notify(event) => format!("m{who} > notify {} {} {} {}", event.event, event.noun, event.id, event.change),
        Effect::Scrub => format!("m{who} > scrub"),
        Effect::Log(line, _) => format!("m{who} > log {line}"),
    }
}
