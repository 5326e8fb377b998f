//! Streams: opened, written to, broken, closed.

use kith_protocol::id::PeerId;
use kith_protocol::limits;
use kith_protocol::node::{Input, Link};

use super::{Event, STALL, Who, World};
use crate::sim::check;
use crate::sim::machine::Machine;
use crate::sim::net::STRANGER;

impl World {
    pub(super) fn send(&mut self, who: Who, link: Link, frame: Vec<u8>) {
        if self.net.owners(link).is_some_and(|(_, other)| other == STRANGER) {
            return self.tell_stranger(who, link, frame);
        }
        self.notice_token(link, &frame);
        if let Some(mask) = &mut self.machines[who].mask {
            for frame in mask.sends(frame) {
                self.hand_over(link, frame);
            }
            return;
        }
        if frame.len() > limits::FRAME_BYTES {
            return self.breaks("bounds/frame", format!("machine {who} sends a frame of {} bytes", frame.len()));
        }
        if check::holds_canary(&frame) {
            return self.breaks("confidentiality/clear", format!("machine {who} sends words in the clear"));
        }
        check::sent(self, who, &frame);
        self.hand_over(link, frame);
    }

    pub(super) fn hand_over(&mut self, link: Link, frame: Vec<u8>) {
        let looks = self.net.send(self.clock.now(), link, frame);
        self.look(looks);
        if self.net.stalled().contains(&link) {
            self.clock.plan(STALL, Event::Stalled(link));
        }
    }

    pub(super) fn dialled(&mut self, from: Who, to: PeerId, addr: Option<Who>) {
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

    pub(super) fn connect(&mut self, from: Who, to: Who) {
        if ![from, to].iter().all(|who| self.machines.get(*who).is_some_and(Machine::is_on)) {
            return;
        }
        let (near, far) = self.net.open(from, to);
        let (dialer, listener) = (self.machines[from].peer.clone(), self.machines[to].peer.clone());
        self.give(from, Input::Opened { link: near, peer: listener, dialer: true });
        self.give(to, Input::Opened { link: far, peer: dialer, dialer: false });
    }

    /// The node was opened again: streams that it does not know any more are closed.
    pub(super) fn close_streams(&mut self, who: Who) {
        for link in self.net.held_by(who) {
            let looks = self.net.close(self.clock.now(), link);
            self.look(looks);
        }
    }

    /// A machine that slept, or whose clock was set, trusts none of its streams.
    pub(super) fn woke(&mut self, who: Who) {
        self.break_streams(who);
        self.give(who, Input::Woke);
    }

    pub(super) fn break_streams(&mut self, who: Who) {
        for link in self.net.held_by(who) {
            let looks = self.net.break_stream(self.clock.now(), link);
            self.look(looks);
        }
    }
}
