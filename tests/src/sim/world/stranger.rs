//! Somebody whose address nobody knows dials a machine and introduces themself as a newcomer of a circle would, with what they
//! kept of it. Whether the machine is in that circle must not show.

use kith_protocol::id::PeerId;
use kith_protocol::node::{Input, Link};

use super::{Who, World};
use crate::cbor::Cbor;
use crate::sim::hostile::old;
use crate::sim::net::STRANGER;
use crate::sim::rng::Rng;

/// Frames that every machine sends to everybody who says hello: its own hello, and tokens.
const TO_ANYBODY: [u8; 2] = [0, 1];

impl World {
    /// Anyone who is or was in the circle introduces themself from a fresh peer id to some machine whose owner is honest.
    pub(super) fn introduce(&mut self, who: Who, number: usize, pick: u64) {
        let Some(id) = self.workload.plans.get(number).and_then(|plan| plan.id.clone()) else { return };
        let on = |at: &Who| *at != who && self.machines[*at].is_on();
        let homes: Vec<Who> = self.sound().into_iter().filter(on).collect();
        let mut rng = Rng::new(pick, "introduction");
        let Some(at) = rng.pick(&homes).copied() else { return };
        let salt: [u8; 32] = std::array::from_fn(|_| rng.below(256).to_le_bytes()[0]);
        let Some(sealed) = old::introduction(&self.machines[who].disk, &id, &salt, &mut rng) else { return };
        self.say(&format!("somebody introduces themself to m{at} with what m{who} kept"));
        let (near, far) = self.net.open(STRANGER, at);
        let peer = PeerId([b"stranger ".as_slice(), far.0.to_string().as_bytes()].concat());
        self.give(at, Input::Opened { link: far, peer, dialer: false });
        let hello = Cbor::Array(vec![0.into(), Cbor::Array(vec![1.into(), Cbor::Bytes(salt.to_vec())])]);
        let intro = Cbor::Array(vec![2.into(), Cbor::Array(vec![Cbor::Bytes(sealed)])]);
        self.hand_over(near, hello.encode());
        self.hand_over(near, intro.encode());
    }

    /// A machine sends a frame to such a stranger.
    pub(super) fn tell_stranger(&mut self, who: Who, link: Link, frame: Vec<u8>) {
        let kind = frame.get(1).copied();
        let told = self.told_strangers.entry(link).or_default();
        if told.len() >= TO_ANYBODY.len() || kind != TO_ANYBODY.get(told.len()).copied() {
            let what = format!("machine {who} answers a stranger's introduction by a frame of kind {kind:?}");
            return self.breaks("confidentiality/stranger", what);
        }
        told.extend(kind);
        self.hand_over(link, frame);
    }
}
