//! The world: takes the next event, lets the machine concerned take its turn, carries out what comes of it.

mod below;
mod life;
mod show;
mod stranger;
mod streams;
mod turn;

pub use below::Forked;

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::crypto::{Crypto, Real};
use kith_protocol::id::PeerId;
use kith_protocol::node::{CallId, Command, Input, Link};
use kith_protocol::time::{MINUTE, Millis};

use super::cheap::Cheap;
use super::check::{Before, Ledger};
use super::clock::Clock;
use super::fault::{Fault, Roughness};
use super::machine::Machine;
use super::net::{Arrival, Net, Weather, Who};
use super::rng::Rng;
use super::run::Options;
use super::script::{Script, Shape, Step, What};
use super::trace::Trace;
use super::workload::{Intent, Workload};

/// When every world begins.
pub const START: Millis = Millis(1_795_359_600_000);
/// More events than any sound run needs; beyond it the machines talk in circles.
const EVENTS: u64 = 150_000;
/// The same for each further minute of a long life: calls to machines that are off for weeks.
const EVENTS_A_MINUTE: u64 = 10;
/// A stream that is cut for so long is given up, in milliseconds: what a transport's keep-alive does.
const STALL: u64 = 20_000;
/// After a refused commit the node is opened again at once and begins again after this pause, in milliseconds.
const RETRY: u64 = 500;
/// What a machine shows is looked at so long after it changed, in milliseconds: once for all that changed meanwhile.
const JUDGED: u64 = 1_000;

#[derive(Debug)]
enum Event {
    Boot(Who),
    Begin(Who),
    Wake(Who),
    Turn(Who),
    Timer(Who, Millis),
    Judge(Who),
    Look(Link),
    Stalled(Link),
    Dialled {
        from: Who,
        to: PeerId,
        addr: Option<Who>,
    },
    Double(Who),
    Mend(Who, Who),
    /// What somebody planned before happens now.
    Later(What),
    DiskEmptied(Who),
    Fault,
    Work,
    Step(usize),
}

/// A promise that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which check noticed: `promise/check`.
    pub check: &'static str,
    /// How it showed.
    pub what: String,
    /// When, in milliseconds since the world began.
    pub at: u64,
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
    pub broken: Option<Broken>,
    /// What happened from outside, or is to happen.
    pub script: Script,
    /// How many things machines said to need a newer program, before all had it.
    pub newer: u64,
    /// What people did, and how often.
    pub deeds: BTreeMap<&'static str, u64>,
    /// What removed people signed below their cuts.
    pub forked: Vec<Forked>,
    /// Whose removal was answered by yes, by number of the circle.
    expelled: BTreeSet<(usize, Who)>,
    /// The frames, by kind, that a machine sent on a stream to somebody whom nobody knows.
    told_strangers: BTreeMap<Link, Vec<u8>>,
    /// By which token the owner of a link's end names its circle, once proved.
    tokens: BTreeMap<Link, [u8; 16]>,
    /// Draws what people sign below their cuts who were removed; none where they do not.
    spite: Option<Rng>,
    crypto: Box<dyn Crypto>,
    clock: Clock<Event>,
    chance: Rng,
    calls: BTreeMap<CallId, (Who, Intent, Option<Before>)>,
    next_call: u64,
    working: bool,
    playing: bool,
}

impl World {
    /// A world in which every machine is about to be switched on for the first time.
    #[must_use]
    pub fn new(shape: &Shape, workload: Workload, options: Options) -> Self {
        let (seed, machines, script) = (shape.seed, shape.machines, options.script);
        let mut world = Self {
            machines: (0..machines).map(|number| Machine::new(seed, number)).collect(),
            net: Net::new(seed),
            ledger: Ledger::default(),
            workload,
            trace: Trace::new(START, options.keep_trace),
            counts: Counts::default(),
            refusals: BTreeMap::new(),
            rough: Roughness::NONE,
            broken: None,
            playing: script.is_some(),
            script: script.unwrap_or_default(),
            newer: 0,
            deeds: BTreeMap::new(),
            forked: Vec::new(),
            expelled: BTreeSet::new(),
            told_strangers: BTreeMap::new(),
            tokens: BTreeMap::new(),
            spite: super::run::forks_below(seed).then(|| Rng::new(seed, "spite")),
            crypto: if shape.real { Box::new(Real) } else { Box::<Cheap>::default() },
            clock: Clock::new(START),
            chance: Rng::new(seed, "faults"),
            calls: BTreeMap::new(),
            next_call: 1,
            working: false,
        };
        if options.mixed {
            world.machines.iter_mut().for_each(|machine| machine.tomorrow = Some(false));
        }
        if let Some(who) = shape.hostile {
            world.machines[who].mask = Some(super::hostile::Mask::default());
        }
        for who in 0..machines {
            world.clock.plan(who as u64 * 50, Event::Boot(who));
        }
        for (number, step) in world.script.steps.iter().enumerate() {
            world.clock.plan_at(START.plus(step.at), Event::Step(number));
        }
        world
    }

    /// Is it a machine whose owner does what they should, and only one of it?
    #[must_use]
    pub fn is_sound(&self, who: Who) -> bool {
        self.machines[who].mask.is_none() && self.machines[who].copy_of.is_none()
    }

    /// All such machines.
    #[must_use]
    pub fn sound(&self) -> Vec<Who> {
        (0..self.machines.len()).filter(|who| self.is_sound(*who)).collect()
    }

    /// Is a script being played?
    #[must_use]
    pub const fn playing(&self) -> bool {
        self.playing
    }

    /// Something happens from outside, and is written down.
    fn outside(&mut self, what: What) {
        if !self.playing {
            let at = self.clock.now().since(START);
            self.script.steps.push(Step { at, what: what.clone() });
        }
        match what {
            What::Deed(deed) => self.deed(&deed),
            // A script that was cut short may hold one at the very moment at which all is well again.
            What::Fault(_) if self.playing && self.now().since(START) >= self.script.healed.max(self.script.aged) => {}
            What::Fault(fault) => self.happen(fault),
            What::Weather(weather) => self.net.weather = weather,
        }
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
        if on && !self.working && !self.playing {
            self.clock.plan(100, Event::Work);
        }
        self.working = on;
    }

    /// From now on it is as rough as this, unless a script says how rough it is.
    pub fn roughen(&mut self, rough: Roughness, weather: Weather) {
        if self.playing {
            return;
        }
        if self.rough.every == 0 && rough.every > 0 {
            self.clock.plan(1 + self.chance.below(rough.every), Event::Fault);
        }
        self.rough = rough;
        if self.net.weather != weather {
            self.outside(What::Weather(weather));
        }
    }

    /// Everything is well again: fair weather, room on disks, power everywhere. `woke`: the machines are told so. Hostile
    /// machines and copies are gone for good.
    pub fn heal(&mut self, woke: bool) {
        (self.rough, self.net.weather) = (Roughness::NONE, Weather::FAIR);
        let looks = self.net.mend_all(self.clock.now());
        self.look(looks);
        for who in 0..self.machines.len() {
            if !self.is_sound(who) {
                self.retire(who);
                continue;
            }
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
    pub fn breaks(&mut self, check: &'static str, what: impl std::fmt::Display) {
        self.say(&format!("BROKEN {check}: {what}"));
        let at = self.clock.now().since(START);
        self.broken.get_or_insert(Broken { check, what: what.to_string(), at });
    }

    /// Adds a line to the trace.
    pub fn say(&mut self, what: &str) {
        let now = self.clock.now();
        self.trace.line(now, what);
    }

    /// Somebody asks something of their machine.
    pub fn command(&mut self, who: Who, command: Command, intent: Intent) {
        let id = CallId(self.next_call);
        self.next_call += 1;
        self.say(&format!("m{who} {id:?} {intent:?}"));
        let before =
            intent.circle().filter(|_| self.machines[who].mask.is_none()).and_then(|number| Before::of(self, who, number));
        self.calls.insert(id, (who, intent, before));
        self.give(who, Input::Call(id, command));
    }

    /// Is something of that kind asked of a machine, and not answered yet?
    #[must_use]
    pub fn asks(&self, who: Who, what: impl Fn(&Intent) -> bool) -> bool {
        self.calls.values().any(|(caller, intent, _)| *caller == who && what(intent))
    }

    /// Something goes wrong now, unless a script says what does.
    pub fn afflict(&mut self, fault: Fault) {
        if !self.playing {
            self.outside(What::Fault(fault));
        }
    }

    fn give(&mut self, who: Who, input: Input) {
        let Some(machine) = self.machines.get_mut(who).filter(|machine| machine.is_on()) else { return };
        machine.inbox.push_back(input);
        if !machine.turn_planned && !machine.asleep {
            machine.turn_planned = true;
            let pause = self.machines[who].pace.below(4);
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
        if self.counts.events > EVENTS + self.clock.now().since(START) / MINUTE * EVENTS_A_MINUTE {
            return self.breaks("availability/rest", "the machines never come to rest");
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
            Event::Judge(who) => {
                self.machines[who].to_be_judged = false;
                if self.machines[who].is_on() {
                    super::check::at_any_time(self, who);
                }
            }
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
            Event::Mend(from, to) => {
                let looks = self.net.mend(self.clock.now(), from, to);
                self.look(looks);
            }
            Event::Later(what) => self.outside(what),
            Event::DiskEmptied(who) => self.machines[who].disk.set_full(false),
            Event::Fault => self.fault(),
            Event::Work => self.people(),
            Event::Step(number) => {
                if let Some(step) = self.script.steps.get(number) {
                    self.outside(step.what.clone());
                }
            }
        }
    }
}
