//! Whom to call, and when: everybody we share a circle with, and those whom a ticket names. Back-off 1 s to 10 min.
//!
//! Where to call somebody is what their record says, and a record may name anybody's addresses. So a change of it makes nobody
//! call at once: everybody waits for a moment of their own, and what changes again within a minute waits for that.

use std::collections::{BTreeMap, BTreeSet};

use crate::context::Cx;
use crate::id::{Addr, CircleId, DeviceId, PeerId};
use crate::io::{Effect, Env};
use crate::limits;
use crate::planted::{Bug, planted};
use crate::time::Millis;

/// Back-off and calls under way.
#[derive(Debug, Default)]
pub(crate) struct Dialer {
    peers: BTreeMap<PeerId, Call>,
    /// When a device's record last made somebody or some address worth calling.
    changed: BTreeMap<(CircleId, DeviceId), Millis>,
}

/// Somebody worth calling.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    addresses: BTreeSet<Addr>,
    /// Whose records say so; nobody's where a ticket does.
    by: BTreeSet<(CircleId, DeviceId)>,
}

impl Wanted {
    /// May be reached at these addresses, too.
    pub(crate) fn at<'a>(&mut self, addresses: impl Iterator<Item = &'a Addr>) {
        let room = limits::DIAL_ADDRESSES.saturating_sub(self.addresses.len());
        self.addresses.extend(addresses.take(room.min(limits::ADDRESSES)).cloned());
    }

    /// This device's record says that it is reached there.
    pub(crate) fn says<'a>(&mut self, circle: CircleId, device: DeviceId, addresses: impl Iterator<Item = &'a Addr>) {
        self.at(addresses);
        self.by.insert((circle, device));
    }
}

#[derive(Debug, Default)]
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
    /// When to call, if at all. A call that nobody answers is made again.
    fn due(&self) -> Option<Millis> {
        let gone = self.open == 0 || planted(Bug::Restless);
        let idle = gone && !self.addresses.is_empty() && !(planted(Bug::GivesUp) && self.failures > 1);
        idle.then(|| self.calling.map_or(self.next, |since| since.plus(limits::CALL_AGAIN_MILLIS)))
    }

    /// Where to call this time: a few of the addresses, others after each failure.
    fn where_to(&self) -> Vec<Addr> {
        let (many, failures) = (self.addresses.len(), usize::try_from(self.failures).unwrap_or(0));
        let from = failures.saturating_mul(limits::ADDRESSES).checked_rem(many).unwrap_or(0);
        self.addresses.iter().cycle().skip(from).take(many.min(limits::ADDRESSES)).cloned().collect()
    }
}

impl Dialer {
    /// Sets who is wanted; others are forgotten unless a stream is open. `env`: none while the node opens, when nobody is to
    /// wait.
    pub(crate) fn want(&mut self, mut env: Option<&mut Env<'_>>, wanted: BTreeMap<PeerId, Wanted>) {
        self.peers.retain(|peer, call| wanted.contains_key(peer) || call.open > 0);
        let named: BTreeSet<_> = wanted.values().flat_map(|wanted| wanted.by.iter().copied()).collect();
        self.changed.retain(|by, _| named.contains(by));
        for (peer, Wanted { addresses, by }) in wanted {
            let addresses: Vec<Addr> = addresses.into_iter().collect();
            let known = self.peers.contains_key(&peer);
            let call = self.peers.entry(peer).or_default();
            if known && call.addresses == addresses {
                continue;
            }
            call.addresses = addresses;
            let soon = env.as_deref_mut().map_or(Millis(0), |env| {
                let last = by.iter().filter_map(|by| self.changed.get(by)).max();
                // A clock that was set back makes nobody wait.
                let last = last.filter(|last| **last <= env.now).map_or(env.now, |last| last.plus(limits::RECORD_DIAL_MILLIS));
                if by.is_empty() { env.now } else { last.max(env.now).plus(moment(env)) }
            });
            // A new address may work where the old ones failed.
            call.next = if known { call.next.min(soon) } else { soon };
            if let Some(env) = &env {
                self.changed.extend(by.into_iter().map(|by| (by, env.now)));
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
        let call = self.peers.entry(peer.clone()).or_default();
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

    /// Calls anyone who is due.
    pub(crate) fn run(&mut self, cx: &mut Cx<'_, '_>) {
        for (peer, call) in &mut self.peers {
            if call.due().is_some_and(|due| due <= cx.env.now) {
                call.calling = Some(cx.env.now);
                cx.tx.then(Effect::Dial(peer.clone(), call.where_to()));
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
    let base = (limits::BACK_OFF_MILLIS << failures.min(limits::BACK_OFF_DOUBLINGS)).min(limits::LONGEST_BACK_OFF_MILLIS);
    let mut byte = [0];
    env.rng.fill_bytes(&mut byte);
    let [byte] = byte;
    // A quarter of it, times the byte, by 256.
    base + ((base * u64::from(byte)) >> 10)
}

/// Up to two seconds, so that not everybody calls at the same moment.
fn moment(env: &mut Env<'_>) -> u64 {
    let mut byte = [0];
    env.rng.fill_bytes(&mut byte);
    let [byte] = byte;
    (limits::CALL_SPREAD_MILLIS * u64::from(byte)) >> 8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{Real, Seeded};
    use crate::store::MemoryStore;
    use crate::time::HOUR;
    use crate::time::SECOND;
    use crate::tx::{Turn, Tx};

    const CIRCLE: CircleId = CircleId([1; 32]);
    const START: Millis = Millis(1_000 * HOUR);

    fn peer(number: u16) -> PeerId {
        PeerId(number.to_be_bytes().to_vec())
    }

    fn addresses(number: u16, many: u8) -> Vec<Addr> {
        (0..many).map(|at| Addr([&number.to_be_bytes()[..], &[at]].concat())).collect()
    }

    fn with_env<T>(now: Millis, run: impl FnOnce(&mut Env<'_>) -> T) -> T {
        let (mut rng, me) = (Seeded::new(now.0), peer(0));
        run(&mut Env { now, rng: &mut rng, crypto: &Real, peer: &me })
    }

    /// A device's record says this; whom it makes us call within the coming five seconds, and where.
    fn says(dialer: &mut Dialer, now: Millis, device: u8, (number, many): (u16, u8), whom: PeerId) -> Vec<(PeerId, Vec<Addr>)> {
        let mut wanted = BTreeMap::<PeerId, Wanted>::new();
        wanted.entry(whom).or_default().says(CIRCLE, DeviceId([device; 32]), addresses(number, many).iter());
        with_env(now, |env| dialer.want(Some(env), wanted));
        calls(dialer, now.plus(5 * SECOND))
    }

    fn calls(dialer: &mut Dialer, now: Millis) -> Vec<(PeerId, Vec<Addr>)> {
        let (store, mut batch) = (MemoryStore::default(), Turn::default());
        with_env(now, |env| {
            let mut cx = Cx::new(Tx::new(&store, &batch), env);
            dialer.run(&mut cx);
            cx.tx.finish()
        })
        .join(&mut batch);
        let dialed = |effect: Effect| if let Effect::Dial(peer, addresses) = effect { Some((peer, addresses)) } else { None };
        batch.effects.into_iter().filter_map(dialed).collect()
    }

    #[test]
    fn a_record_that_changes_all_the_time_makes_one_call_a_minute() {
        for same_peer in [true, false] {
            let mut dialer = Dialer::default();
            let mut called = 0;
            // Every ten seconds for an hour; anyone who is called is not there.
            for number in 0..360_u16 {
                let now = START.plus(u64::from(number) * 10 * SECOND);
                let whom = peer(if same_peer { 1 } else { 1 + number });
                for (peer, addresses) in says(&mut dialer, now, 7, (number, 8), whom.clone()) {
                    called += 1;
                    assert!(addresses.len() <= limits::ADDRESSES);
                    let (store, batch) = (MemoryStore::default(), Turn::default());
                    with_env(now.plus(5 * SECOND), |env| dialer.failed(&mut Cx::new(Tx::new(&store, &batch), env), &peer));
                }
            }
            assert!((1..=70).contains(&called), "{called} calls in an hour");
        }
    }

    #[test]
    fn not_everybody_calls_at_the_same_moment_and_a_ticket_waits_for_nothing() {
        let moments: BTreeSet<Millis> = (0..40)
            .filter_map(|seed| {
                let (mut dialer, me, mut rng) = (Dialer::default(), peer(0), Seeded::new(seed));
                let mut wanted = BTreeMap::<PeerId, Wanted>::new();
                wanted.entry(peer(1)).or_default().says(CIRCLE, DeviceId([7; 32]), addresses(1, 1).iter());
                dialer.want(Some(&mut Env { now: START, rng: &mut rng, crypto: &Real, peer: &me }), wanted);
                dialer.deadline()
            })
            .collect();
        assert!(moments.len() > 10, "{moments:?}");
        let mut wanted = BTreeMap::<PeerId, Wanted>::new();
        wanted.entry(peer(1)).or_default().at(addresses(1, 1).iter());
        let mut dialer = Dialer::default();
        with_env(START, |env| dialer.want(Some(env), wanted));
        assert_eq!(calls(&mut dialer, START).len(), 1);
    }

    #[test]
    fn of_many_addresses_a_few_are_called_and_others_the_next_time() {
        let mut dialer = Dialer::default();
        let mut wanted = BTreeMap::<PeerId, Wanted>::new();
        // A crowd of devices that all claim to be this one.
        for device in 0..200_u16 {
            let id = DeviceId([u8::try_from(device).expect("few"); 32]);
            wanted.entry(peer(1)).or_default().says(CIRCLE, id, addresses(device, 20).iter());
        }
        with_env(START, |env| dialer.want(Some(env), wanted));
        let (mut now, mut seen) = (START.plus(5 * SECOND), BTreeSet::new());
        for _ in 0..limits::DIAL_ADDRESSES / limits::ADDRESSES {
            let call = calls(&mut dialer, now).pop().expect("a call");
            assert_eq!(call.1.len(), limits::ADDRESSES);
            seen.extend(call.1);
            let (store, batch) = (MemoryStore::default(), Turn::default());
            with_env(now, |env| dialer.failed(&mut Cx::new(Tx::new(&store, &batch), env), &call.0));
            now = now.plus(HOUR);
        }
        assert_eq!(seen.len(), limits::DIAL_ADDRESSES, "in turn all that are kept");
    }
}
