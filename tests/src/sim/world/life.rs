//! What happens from outside: people do things, things go wrong, machines go off and come back.

use kith_protocol::control::Kind;
use kith_protocol::node::Input;

use super::{Event, STALL, What, Who, World};
use crate::sim::check;
use crate::sim::deed::{Act, Deed};
use crate::sim::fault::{self, Fault};
use crate::sim::hostile::{Forgery, Tamper, forge};
use crate::sim::machine::Machine;

/// A machine that restarts at its owner's wish is off for so long, in milliseconds.
const RESTART: u64 = 50;
/// How long a founder is apart from a steward who lets friends in, in milliseconds; and how long both are together before.
const APART: u64 = 9_000;

/// Within how long a flood has come to the others, mostly, in milliseconds.
const FLOODED: u64 = 6_000;

impl World {
    /// Stops a machine (its memory and its streams are gone) and plans its next start.
    pub fn crash(&mut self, who: Who, off_for: u64) {
        self.say(&format!("m{who} is off"));
        self.machines[who].off();
        self.calls.retain(|_, (caller, ..)| *caller != who);
        for link in self.net.held_by(who) {
            let looks = self.net.break_stream(self.clock.now(), link);
            self.look(looks);
            let looks = self.net.close(self.clock.now(), link);
            self.look(looks);
        }
        if !self.machines[who].retired {
            self.clock.plan(off_for, Event::Boot(who));
        }
    }

    /// The next version of the program is put on a machine.
    pub fn update(&mut self, who: Who) {
        self.say(&format!("m{who} gets the next version"));
        self.machines[who].tomorrow = Some(true);
        self.crash(who, RESTART);
    }

    /// Stops a machine for good.
    pub(super) fn retire(&mut self, who: Who) {
        self.machines[who].retired = true;
        self.crash(who, 0);
    }

    pub(super) fn people(&mut self) {
        if !self.working {
            return;
        }
        if let Some(deed) = self.spite() {
            self.outside(What::Deed(deed));
        }
        let who = self.chance.index(self.machines.len());
        if self.machines[who].is_on() && !self.machines[who].asleep {
            let idea = self.mischief(who).or_else(|| {
                let (now, crypto, machine) = (self.clock.now(), &*self.crypto, &self.machines[who]);
                self.workload.idea(who, &|query| machine.glance(now, crypto, query))
            });
            if let Some(deed) = idea {
                self.outside(What::Deed(deed));
            }
        }
        let pause = self.chance.between(50, 1_500);
        self.clock.plan(pause, Event::Work);
    }

    /// Somebody who was removed does not leave it at that. What others do is drawn as if nothing had happened.
    fn spite(&mut self) -> Option<Deed> {
        let gone: Vec<(usize, Who)> = self.expelled.iter().copied().collect();
        let (circle, who) = self.spite.as_mut()?.pick(&gone).copied()?;
        let spite = self.spite.as_mut()?;
        if !spite.chance(40) {
            return None;
        }
        let act = if spite.chance(25) { Act::Introduce } else { Act::Fork };
        Some(Deed { who, circle, act, pick: spite.below(1 << 32) })
    }

    /// What a hostile member does instead of what people do.
    fn mischief(&mut self, who: Who) -> Option<Deed> {
        let circle = 0;
        let plan = self.workload.plans.first()?;
        if plan.hostile == Some(who) && self.workload.parting && self.chance.chance(75) {
            let act = if self.chance.chance(5) {
                Act::Introduce
            } else if self.chance.chance(40) {
                let sock = self.chance.chance(25).then_some(Forgery::Act(forge::Claim::AdmitSock));
                Act::Forge(sock.or_else(|| self.chance.pick(&Forgery::ALL).copied())?)
            } else {
                Act::Tamper(self.chance.pick(&Tamper::ALL).copied()?)
            };
            return Some(Deed { who, circle, act, pick: self.chance.below(1 << 32) });
        }
        // Keys that open everything are made while others are still to come.
        if plan.hostile == Some(who) && plan.id.is_some() && !self.workload.parting && self.chance.chance(10) {
            let act = Act::Forge(Forgery::Act(forge::Claim::Loosen));
            return Some(Deed { who, circle, act, pick: self.chance.below(1 << 32) });
        }
        let there = |raise: &Who| plan.founder == who && plan.raises && self.workload.parting && !self.machines[*raise].retired;
        let raise = plan.hostile.filter(there)?;
        if !plan.raised {
            if plan.behind {
                self.scheme(who, raise);
            }
            return Some(Deed { who, circle, act: Act::Raise(raise), pick: 0 });
        }
        let found_out = plan.departures > 0 && self.chance.chance(15);
        found_out.then_some(Deed { who, circle, act: Act::Expel, pick: 1 })
    }

    /// Once somebody is a steward: while the founder is cut off and expels them, they let friends in behind the founder's back, and
    /// the others hear of them first.
    fn scheme(&mut self, founder: Who, steward: Who) {
        let deed = |who, act, pick| What::Deed(Deed { who, circle: 0, act, pick });
        let cut = Fault::Cut { side: 1 << founder, one_way: false, millis: APART, pieces: 0 };
        self.clock.plan(APART, Event::Later(What::Fault(cut)));
        for time in 1..=3 {
            let friend = Act::Forge(Forgery::Act(forge::Claim::AdmitFriend));
            self.clock.plan(APART + APART * time / 6, Event::Later(deed(steward, friend, time)));
        }
        // Somewhere in between, and not only once: the machine may be off.
        for time in 1..=4 {
            self.clock.plan(APART + APART * time / 5, Event::Later(deed(founder, Act::Expel, 1)));
        }
    }

    pub(super) fn deed(&mut self, deed: &Deed) {
        let who = deed.who;
        if matches!(deed.act, Act::Fork | Act::Introduce) && who < self.machines.len() {
            // It takes a copy of the folder, and no machine that is on.
            *self.deeds.entry(deed.act.name()).or_default() += 1;
            self.say(&format!("DEED {deed}"));
            return match deed.act {
                Act::Fork => self.sign_below(who, deed.circle, deed.pick),
                _ => self.introduce(who, deed.circle, deed.pick),
            };
        }
        if !self.machines.get(who).is_some_and(|machine| machine.is_on() && !machine.asleep) {
            return;
        }
        // Who leaves on a copy cannot tell the original: nobody in the circle talks with either from then on.
        if deed.act == Act::Leave
            && (self.machines[who].copy_of.is_some() || self.machines.iter().any(|m| m.copy_of == Some(who)))
        {
            return;
        }
        *self.deeds.entry(deed.act.name()).or_default() += 1;
        match deed.act {
            Act::Tamper(tamper) => {
                self.say(&format!("DEED {deed}"));
                if let Some(mask) = &mut self.machines[who].mask {
                    mask.plan(tamper, deed.pick);
                }
            }
            Act::Forge(forgery) => {
                self.say(&format!("DEED {deed}"));
                self.forge(who, forgery, deed.pick);
            }
            _ => {
                let (now, crypto, machine) = (self.clock.now(), &*self.crypto, &self.machines[who]);
                let command = self.workload.command(deed, &|query| machine.glance(now, crypto, query));
                if let Some((command, intent)) = command {
                    check::about_to(self, who, &intent);
                    self.command(who, command, intent);
                }
            }
        }
    }

    fn forge(&mut self, who: Who, forgery: Forgery, pick: u64) {
        let (now, crypto) = (self.clock.now(), &*self.crypto);
        let machine = &mut self.machines[who];
        let (Some(mut mask), at) = (machine.mask.take(), machine.local(now)) else { return };
        let done = forge::forge(&mut machine.disk, (crypto, &mut machine.rng), &mut mask, at, (forgery, pick));
        machine.mask = Some(mask);
        if matches!(done, Ok(true)) {
            self.crash(who, RESTART);
            if forgery == Forgery::Entry(forge::Lie::Flood) && !self.playing {
                self.change_events(pick);
            }
        }
    }

    /// A flood is on its way: by when it came, everybody changes events of theirs, where they may.
    fn change_events(&mut self, pick: u64) {
        for who in self.sound() {
            for time in 1..=2 {
                let deed = Deed { who, circle: 0, act: Act::Edit(Kind::Event), pick: pick.wrapping_add(time) };
                self.clock.plan(FLOODED * time, Event::Later(What::Deed(deed)));
            }
        }
    }

    pub(super) fn fault(&mut self) {
        if self.rough.every == 0 {
            return;
        }
        let pause = 1 + self.chance.below(self.rough.every);
        self.clock.plan(pause, Event::Fault);
        let fault = fault::draw(&mut self.chance, self.machines.len(), self.rough);
        self.outside(What::Fault(fault));
    }

    pub(super) fn happen(&mut self, fault: Fault) {
        // Of a machine that is there only as a copy, which this script leaves out.
        if fault.machine().is_some_and(|who| who >= self.machines.len()) {
            return;
        }
        self.counts.faults += 1;
        self.say(&format!("FAULT {fault:?}"));
        match fault {
            Fault::CrashInCommit(who, torn, off_for) => {
                self.machines[who].disk.crash_in_next_commit(torn);
                self.machines[who].off_for = off_for;
            }
            Fault::CrashAmongEffects(who, after, off_for) => {
                self.machines[who].crash_after_effects = Some(after);
                self.machines[who].off_for = off_for;
            }
            Fault::CrashNow(who, off_for) if self.machines[who].is_on() => self.crash(who, off_for),
            Fault::CrashNow(..) => {}
            Fault::DiskFull(who, millis) => {
                self.machines[who].disk.set_full(true);
                self.clock.plan(millis, Event::DiskEmptied(who));
            }
            Fault::Cut { side, one_way, millis, pieces } => {
                for (from, to) in fault::ways(self.machines.len(), side, one_way) {
                    self.net.cut(from, to);
                    self.clock.plan(fault::open_again(pieces, (from, to), millis), Event::Mend(from, to));
                }
                for link in self.net.stalled() {
                    self.clock.plan(STALL, Event::Stalled(link));
                }
            }
            Fault::Break(who, which) => {
                let links = self.net.held_by(who);
                let which = usize::try_from(which).unwrap_or(0) % links.len().max(1);
                if let Some(link) = links.get(which).copied() {
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
            Fault::Copy(who) => self.copy(who),
        }
    }

    /// A machine's folder, keys and all, is put on another machine; it happens once in a world.
    fn copy(&mut self, who: Who) {
        if !self.is_sound(who) || self.machines.iter().any(|machine| machine.copy_of.is_some()) {
            return;
        }
        let number = self.machines.len();
        let twin = Machine::twin(&self.machines[who], who, self.workload.seed, number);
        self.machines.push(twin);
        self.clock.plan(RESTART, Event::Boot(number));
    }
}
