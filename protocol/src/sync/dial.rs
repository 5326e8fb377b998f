//! Whom to call, and when: everybody we share a circle with, and those whom a ticket names. Back-off 1 s to 10 min.

use std::collections::BTreeMap;

use crate::id::{Addr, PeerId};
use crate::node::{Cx, Effect, Env};
use crate::planted::{Bug, planted};
use crate::time::{MINUTE, Millis, SECOND};

/// Back-off and calls under way.
#[derive(Debug, Default)]
pub(crate) struct Dialer {
    peers: BTreeMap<PeerId, Call>,
}

#[derive(Debug)]
struct Call {
    addresses: Vec<Addr>,
    next: Millis,
    failures: u32,
    /// Asked for at that time, not answered yet.
    calling: Option<Millis>,
    /// How many streams are open.
    open: usize,
}

impl Call {
    /// When to call, if at all. A call that nobody answered for two minutes is made again.
    fn due(&self) -> Option<Millis> {
        let gone = self.open == 0 || planted(Bug::Restless);
        let idle = gone && !self.addresses.is_empty() && !(planted(Bug::GivesUp) && self.failures > 1);
        idle.then(|| self.calling.map_or(self.next, |since| since.plus(2 * MINUTE)))
    }
}

impl Dialer {
    /// Sets who is wanted; others are forgotten unless a stream is open.
    pub(crate) fn want(&mut self, wanted: BTreeMap<PeerId, Vec<Addr>>) {
        self.peers.retain(|peer, call| wanted.contains_key(peer) || call.open > 0);
        for (peer, addresses) in wanted {
            let call = self.peers.entry(peer).or_insert(Call {
                addresses: Vec::new(),
                next: Millis(0),
                failures: 0,
                calling: None,
                open: 0,
            });
            if call.addresses != addresses {
                // A new address may work where the old ones failed.
                call.next = Millis(0);
                call.addresses = addresses;
            }
        }
    }

    /// Everybody may be called at once.
    pub(crate) fn all_now(&mut self) {
        for call in self.peers.values_mut() {
            call.next = Millis(0);
            call.failures = 0;
        }
    }

    /// A stream opened.
    pub(crate) fn connected(&mut self, peer: &PeerId) {
        let call = self.peers.entry(peer.clone()).or_insert(Call {
            addresses: Vec::new(),
            next: Millis(0),
            failures: 0,
            calling: None,
            open: 0,
        });
        call.calling = None;
        call.open += 1;
    }

    /// The other side proved itself: calling it is worth while.
    pub(crate) fn proved(&mut self, peer: &PeerId) {
        if let Some(call) = self.peers.get_mut(peer) {
            call.failures = 0;
        }
    }

    /// A stream was closed on which nothing was proved: calling again soon would come to the same.
    pub(crate) fn in_vain(&mut self, env: &mut Env<'_>, peer: &PeerId) {
        if let Some(call) = self.peers.get_mut(peer) {
            call.open = call.open.saturating_sub(1);
            call.failures = call.failures.saturating_add(1);
            call.next = env.now.plus(back_off(call.failures, env));
        }
    }

    /// A stream closed.
    pub(crate) fn closed(&mut self, env: &mut Env<'_>, peer: &PeerId) {
        if let Some(call) = self.peers.get_mut(peer) {
            call.open = call.open.saturating_sub(1);
            call.next = env.now.plus(back_off(0, env));
        }
    }

    /// A call failed.
    pub(crate) fn failed(&mut self, cx: &mut Cx<'_, '_>, peer: &PeerId) {
        if let Some(call) = self.peers.get_mut(peer) {
            call.calling = None;
            call.failures = call.failures.saturating_add(1);
            let failures = call.failures;
            call.next = cx.env.now.plus(back_off(failures, cx.env));
        }
    }

    /// Calls whoever is due.
    pub(crate) fn run(&mut self, cx: &mut Cx<'_, '_>) {
        for (peer, call) in &mut self.peers {
            if call.due().is_some_and(|due| due <= cx.env.now) {
                call.calling = Some(cx.env.now);
                cx.tx.then(Effect::Dial(peer.clone(), call.addresses.clone()));
            }
        }
    }

    /// When somebody is due next.
    pub(crate) fn deadline(&self) -> Option<Millis> {
        self.peers.values().filter_map(Call::due).min()
    }

    /// How many peers are connected.
    pub(crate) fn connected_count(&self) -> usize {
        self.peers.values().filter(|call| call.open > 0).count()
    }
}

/// 1 s doubling to 10 min, with up to a quarter of jitter.
fn back_off(failures: u32, env: &mut Env<'_>) -> u64 {
    let base = (SECOND << failures.min(10)).min(10 * MINUTE);
    let mut byte = [0];
    env.rng.fill_bytes(&mut byte);
    let [byte] = byte;
    base + base * u64::from(byte) / 1024
}
