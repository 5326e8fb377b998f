//! The network between machines: streams that keep their order, lose their tail when they break, stall when the way is cut.
//!
//! What a real transport guarantees is guaranteed here, and nothing more: frames of one stream arrive in order and whole; when a
//! stream breaks, some of the last ones never arrive and either side learns of it at its own time.

use std::collections::{BTreeMap, VecDeque};

use kith_protocol::node::Link;
use kith_protocol::time::Millis;
use serde::{Deserialize, Serialize};

use super::rng::Rng;

/// A machine's number.
pub type Who = usize;

/// Somebody at the end of a stream who has none of the machines.
pub const STRANGER: Who = Who::MAX;

/// How the network behaves now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weather {
    /// Shortest delay of a frame, in milliseconds.
    pub delay: u64,
    /// Added at random, in milliseconds; links differ, so what travels on two links changes order.
    pub jitter: u64,
    /// Percent of frames during which the stream breaks.
    pub breaks: u64,
    /// Percent of dials that fail for no reason.
    pub refuses: u64,
    /// Percent of dials that give two streams.
    pub doubles: u64,
}

impl Weather {
    /// A local network on a good day.
    pub const FAIR: Self = Self { delay: 1, jitter: 20, breaks: 0, refuses: 0, doubles: 0 };
    /// A train through tunnels.
    pub const STORM: Self = Self { delay: 5, jitter: 800, breaks: 3, refuses: 25, doubles: 10 };
}

#[derive(Debug)]
struct End {
    owner: Who,
    peer: Who,
    other: Link,
    arriving: VecDeque<(Millis, Vec<u8>)>,
    hangup: Option<Millis>,
}

/// What comes out at one end of a stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Arrival {
    /// A frame for its owner.
    Frame(Who, Vec<u8>),
    /// The stream is gone; its owner learns it now.
    Hangup(Who),
    /// Nothing, yet.
    Nothing,
}

/// All streams.
#[derive(Debug)]
pub struct Net {
    seed: u64,
    // Each way has a generator of its own, so that leaving out what one pair does changes little for the others.
    rngs: BTreeMap<(Who, Who), Rng>,
    next: u64,
    ends: BTreeMap<Link, End>,
    /// How many partitions keep one machine from another.
    cut: BTreeMap<(Who, Who), usize>,
    /// How it behaves now.
    pub weather: Weather,
    /// Frames handed over so far.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Net {
    /// No streams yet.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            rngs: BTreeMap::new(),
            next: 1,
            ends: BTreeMap::new(),
            cut: BTreeMap::new(),
            weather: Weather::FAIR,
            frames: 0,
            bytes: 0,
        }
    }

    fn rng(&mut self, from: Who, to: Who) -> &mut Rng {
        let seed = self.seed;
        self.rngs.entry((from, to)).or_insert_with(|| Rng::new(seed, &format!("net {from} {to}")))
    }

    /// A delay between two machines, as the weather has it.
    pub fn delay(&mut self, from: Who, to: Who) -> u64 {
        let Weather { delay, jitter, .. } = self.weather;
        delay + self.rng(from, to).below(jitter + 1)
    }

    /// How many streams a dial gives now: 0, 1 or 2.
    pub fn dialled(&mut self, from: Who, to: Who) -> usize {
        let blocked = self.cut.contains_key(&(from, to)) || self.cut.contains_key(&(to, from));
        let Weather { refuses, doubles, .. } = self.weather;
        if blocked || self.rng(from, to).chance(refuses) {
            return 0;
        }
        1 + usize::from(self.rng(from, to).chance(doubles))
    }

    /// A new stream: its two ends.
    pub fn open(&mut self, from: Who, to: Who) -> (Link, Link) {
        let (near, far) = (Link(self.next), Link(self.next + 1));
        self.next += 2;
        let end = |owner, peer, other| End { owner, peer, other, arriving: VecDeque::new(), hangup: None };
        self.ends.insert(near, end(from, to, far));
        self.ends.insert(far, end(to, from, near));
        (near, far)
    }

    /// Who sits at the two ends of a stream: the end's owner, then the other.
    #[must_use]
    pub fn owners(&self, link: Link) -> Option<(Who, Who)> {
        self.ends.get(&link).map(|end| (end.owner, end.peer))
    }

    /// Sends a frame from an end: where and when it arrives, unless the stream is gone. May break the stream instead.
    pub fn send(&mut self, now: Millis, link: Link, frame: Vec<u8>) -> Vec<(Link, Millis)> {
        let end = self.ends.get(&link).filter(|end| end.hangup.is_none());
        let Some((other, from, to)) = end.map(|end| (end.other, end.owner, end.peer)) else { return Vec::new() };
        self.frames += 1;
        self.bytes += frame.len() as u64;
        let delay = self.delay(from, to);
        let Some(end) = self.ends.get_mut(&other).filter(|end| end.hangup.is_none()) else { return Vec::new() };
        let at = end.arriving.back().map_or(now, |(last, _)| *last).max(now.plus(delay));
        end.arriving.push_back((at, frame));
        let breaks = self.weather.breaks;
        if self.rng(from, to).chance(breaks) {
            return self.break_stream(now, link);
        }
        vec![(other, at)]
    }

    /// What arrives at an end now.
    pub fn arrive(&mut self, now: Millis, link: Link) -> Arrival {
        let Some((owner, sender)) = self.owners(link) else { return Arrival::Nothing };
        let cut = self.cut.contains_key(&(sender, owner));
        let Some(end) = self.ends.get_mut(&link) else { return Arrival::Nothing };
        if !cut && end.arriving.front().is_some_and(|(at, _)| *at <= now) {
            return end.arriving.pop_front().map_or(Arrival::Nothing, |(_, frame)| Arrival::Frame(owner, frame));
        }
        self.last_words(now, link)
    }

    fn last_words(&mut self, now: Millis, link: Link) -> Arrival {
        let gone = self.ends.get(&link).is_some_and(|end| end.hangup.is_some_and(|at| at <= now));
        if !gone {
            return Arrival::Nothing;
        }
        self.ends.remove(&link).map_or(Arrival::Nothing, |end| Arrival::Hangup(end.owner))
    }

    /// The stream breaks: of what is under way a part is lost, each side learns it on its own. Returns when to look at which end.
    pub fn break_stream(&mut self, now: Millis, link: Link) -> Vec<(Link, Millis)> {
        let other = self.ends.get(&link).map(|end| end.other);
        let mut looks = Vec::new();
        for link in [Some(link), other].into_iter().flatten() {
            let Some((owner, peer)) = self.owners(link) else { continue };
            let (keep, late) = (self.rng(peer, owner).next_below(8), self.delay(peer, owner));
            let Some(end) = self.ends.get_mut(&link).filter(|end| end.hangup.is_none()) else { continue };
            end.arriving.truncate(keep);
            let last = end.arriving.back().map_or(now, |(at, _)| *at);
            let at = last.max(now.plus(late));
            end.hangup = Some(at);
            looks.extend(end.arriving.iter().map(|(at, _)| (link, *at)));
            looks.push((link, at));
        }
        looks
    }

    /// An end's owner closes it: it is gone at once here; the other side still gets what is under way, then learns it.
    pub fn close(&mut self, now: Millis, link: Link) -> Vec<(Link, Millis)> {
        let Some(near) = self.ends.remove(&link) else { return Vec::new() };
        let late = self.delay(near.owner, near.peer);
        let Some(end) = self.ends.get_mut(&near.other).filter(|end| end.hangup.is_none()) else { return Vec::new() };
        let at = end.arriving.back().map_or(now, |(at, _)| *at).max(now.plus(late));
        end.hangup = Some(at);
        vec![(near.other, at)]
    }

    /// All ends that a machine holds.
    #[must_use]
    pub fn held_by(&self, who: Who) -> Vec<Link> {
        self.ends.iter().filter(|(_, end)| end.owner == who).map(|(link, _)| *link).collect()
    }

    /// Nothing passes from one machine to another (one way), until every partition that keeps them apart is mended.
    pub fn cut(&mut self, from: Who, to: Who) {
        *self.cut.entry((from, to)).or_default() += 1;
    }

    /// Streams with an end on either side of a cut.
    #[must_use]
    pub fn stalled(&self) -> Vec<Link> {
        let cut = |link: Link| self.owners(link).is_some_and(|(owner, other)| self.cut.contains_key(&(other, owner)));
        self.ends.keys().copied().filter(|link| cut(*link)).collect()
    }

    /// One partition keeps these two apart no more (one way): when to look at which end.
    pub fn mend(&mut self, now: Millis, from: Who, to: Who) -> Vec<(Link, Millis)> {
        let Some(count) = self.cut.get_mut(&(from, to)) else { return Vec::new() };
        *count -= 1;
        if *count > 0 {
            return Vec::new();
        }
        self.cut.remove(&(from, to));
        self.waiting(now, |end| (end.peer, end.owner) == (from, to))
    }

    /// All partitions are mended at once.
    pub fn mend_all(&mut self, now: Millis) -> Vec<(Link, Millis)> {
        self.cut.clear();
        self.waiting(now, |_| true)
    }

    fn waiting(&self, now: Millis, which: impl Fn(&End) -> bool) -> Vec<(Link, Millis)> {
        let late = self.weather.delay;
        let ends = self.ends.iter().filter(|(_, end)| which(end));
        let waiting = ends.flat_map(|(link, end)| end.arriving.iter().map(|(at, _)| (*link, *at)));
        waiting.map(|(link, at)| (link, at.max(now.plus(late)))).collect()
    }
}

impl Rng {
    fn next_below(&mut self, bound: u64) -> usize {
        usize::try_from(self.below(bound)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_keep_their_order_and_a_close_comes_last() {
        let mut net = Net::new(1);
        let (near, far) = net.open(0, 1);
        net.weather = Weather { jitter: 500, ..Weather::FAIR };
        for frame in 0..20_u8 {
            net.send(Millis(0), near, vec![frame]);
        }
        net.close(Millis(0), near);
        let late = Millis(100_000);
        for frame in 0..20_u8 {
            assert_eq!(net.arrive(late, far), Arrival::Frame(1, vec![frame]));
        }
        assert_eq!(net.arrive(late, far), Arrival::Hangup(1));
        assert_eq!(net.arrive(late, far), Arrival::Nothing);
    }

    #[test]
    fn a_cut_stalls_one_direction_until_it_is_mended() {
        let mut net = Net::new(2);
        let (near, far) = net.open(0, 1);
        net.cut(0, 1);
        net.send(Millis(0), near, vec![1]);
        net.send(Millis(0), far, vec![2]);
        assert_eq!(net.arrive(Millis(900), far), Arrival::Nothing);
        assert_eq!(net.arrive(Millis(900), near), Arrival::Frame(0, vec![2]));
        assert_eq!(net.mend_all(Millis(900)).len(), 1);
        assert_eq!(net.arrive(Millis(901), far), Arrival::Frame(1, vec![1]));
    }

    #[test]
    fn a_way_that_two_partitions_close_is_open_once_both_are_mended() {
        let mut net = Net::new(4);
        let (near, far) = net.open(0, 1);
        net.cut(0, 1);
        net.cut(0, 1);
        net.cut(2, 1);
        net.send(Millis(0), near, vec![1]);
        assert!(net.mend(Millis(900), 0, 1).is_empty());
        assert!(net.mend(Millis(900), 2, 1).is_empty());
        assert_eq!(net.arrive(Millis(900), far), Arrival::Nothing);
        assert_eq!(net.mend(Millis(900), 0, 1).len(), 1);
        assert_eq!(net.arrive(Millis(901), far), Arrival::Frame(1, vec![1]));
        assert!(net.mend(Millis(900), 0, 1).is_empty(), "there is nothing left to mend");
    }

    #[test]
    fn a_break_reaches_both_ends() {
        let mut net = Net::new(3);
        let (near, far) = net.open(0, 1);
        net.break_stream(Millis(0), near);
        assert_eq!(net.arrive(Millis(9_999), near), Arrival::Hangup(0));
        assert_eq!(net.arrive(Millis(9_999), far), Arrival::Hangup(1));
        assert!(net.send(Millis(9_999), near, vec![1]).is_empty());
    }
}
