//! A machine's turn: switched on, its inputs handled, its effects carried out, its timer set.

use kith_protocol::node::{Answer, Effect, Input};
use kith_protocol::store::StoreError;

use super::show::{show_effect, show_input};
use super::{Event, JUDGED, RETRY, Who, World};
use crate::sim::check::{self, Before};
use crate::sim::machine::TurnEnd;
use crate::sim::workload::Intent;

impl World {
    pub(super) fn boot(&mut self, who: Who) {
        if self.machines[who].is_on() || self.machines[who].retired {
            return;
        }
        self.counts.boots += 1;
        self.say(&format!("m{who} is on"));
        let booted = self.machines[who].boot(self.clock.now(), &*self.crypto);
        if matches!(booted, Err(StoreError::Full)) {
            // What another version left cannot be made its own yet.
            return self.clock.plan(RETRY, Event::Boot(who));
        }
        if let Err(why) = booted {
            return self.breaks("durability/start", format!("machine {who} does not start again: {why}"));
        }
        self.begin(who);
        check::after_restart(self, who);
    }

    /// What every node is told first.
    pub(super) fn begin(&mut self, who: Who) {
        let addr = self.machines[who].addr.clone();
        self.give(who, Input::Listening(vec![addr]));
        self.give(who, Input::Tick);
    }

    pub(super) fn turn(&mut self, who: Who) {
        self.machines[who].turn_planned = false;
        if !self.machines[who].is_on() || self.machines[who].asleep {
            return;
        }
        let before = self.machines[who].disk.seen;
        for input in &self.machines[who].inbox {
            self.trace.line(self.clock.now(), &show_input(who, input));
        }
        match self.machines[who].turn(self.clock.now(), &*self.crypto) {
            Ok(TurnEnd::Effects(effects)) => self.carry_out(who, effects),
            Ok(TurnEnd::PowerFailed(early)) => {
                self.carry_out(who, early);
                return self.power_failed(who);
            }
            Ok(TurnEnd::Refused(calls, why)) => {
                self.say(&format!("m{who} the store refused: {why}"));
                if !matches!(why, StoreError::Full) {
                    self.breaks("availability/store", format!("machine {who}'s store fails: {why}"));
                }
                for call in calls {
                    self.calls.remove(&call);
                }
                self.close_streams(who);
                self.clock.plan(RETRY, Event::Begin(who));
            }
            Err(why) => return self.breaks("durability/start", format!("machine {who} cannot reopen its store: {why}")),
        }
        self.set_timer(who);
        if self.machines[who].disk.seen != before && !self.machines[who].to_be_judged {
            self.machines[who].to_be_judged = true;
            self.clock.plan(JUDGED, Event::Judge(who));
        }
    }

    fn power_failed(&mut self, who: Who) {
        let off_for = self.machines[who].off_for;
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
            Err(why) => self.breaks("availability/store", format!("machine {who} has no deadline: {why}")),
        }
    }

    fn carry_out(&mut self, who: Who, effects: Vec<Effect>) {
        let crash_at = if effects.is_empty() { None } else { self.machines[who].crash_after_effects.take() };
        if effects.iter().any(|effect| matches!(effect, Effect::Reply(_, Err(_)) | Effect::Log(..))) {
            check::nothing_left(self, who);
        }
        for (number, effect) in (0..).zip(effects) {
            if crash_at == Some(number) {
                return self.power_failed(who);
            }
            self.trace.line(self.clock.now(), &show_effect(who, &effect));
            match effect {
                Effect::Reply(call, answer) => {
                    if let Some((_, intent, before)) = self.calls.remove(&call) {
                        self.replied(who, (&intent, before.as_ref()), &answer);
                    }
                }
                Effect::Send(link, frame) => self.send(who, link, frame),
                Effect::Dial(peer, addrs) => {
                    let addr = self.machines.iter().position(|machine| addrs.contains(&machine.addr));
                    let delay = self.net.delay(who, who);
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

    fn replied(
        &mut self,
        who: Who,
        (intent, before): (&Intent, Option<&Before>),
        answer: &Result<Answer, kith_protocol::control::Error>,
    ) {
        match answer {
            Ok(_) => self.counts.done += 1,
            Err(why) => {
                self.counts.refused += 1;
                *self.refusals.entry(format!("{:?}: {}", why.code, why.message)).or_default() += 1;
            }
        }
        if let (Intent::Expel(number, target), Ok(_)) = (intent, answer)
            && let Some(id) = self.workload.plans.get(*number).and_then(|plan| plan.id.clone())
        {
            let is_out = |who: &Who| check::person(self, *who, &id) == *target;
            let out: Vec<(usize, Who)> = (0..self.machines.len()).filter(is_out).map(|who| (*number, who)).collect();
            self.expelled.extend(out);
        }
        check::replied(self, who, (intent, before), answer);
        self.workload.replied(who, intent, answer);
    }
}
