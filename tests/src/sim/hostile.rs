//! A hostile member: a machine with the real keys of somebody who was admitted, whose frames, acts and entries are not what an
//! honest program would send.
//!
//! Their node is the ordinary one, so that they get as far as a member gets. What it sends passes through a [`Mask`], and what it
//! keeps is written behind its back ([`forge`]): whatever can be signed with their keys, and whatever can be said in a frame.

pub mod below;
pub mod forge;
pub mod old;

use std::collections::VecDeque;

use kith_protocol::circle::body::ChainId;
use kith_protocol::codec;
use serde::{Deserialize, Serialize};

use super::rng::Rng;
use crate::cbor::Cbor;

pub use forge::Forgery;

/// Frames that they keep, to send them again.
const KEPT: usize = 64;

/// What a hostile member does with their next frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tamper {
    /// It is not sent.
    Withhold,
    /// It is sent after the one that follows it.
    Swap,
    /// It is sent later, when they withhold nothing else.
    Late,
    /// It is sent twice.
    Twice,
    /// An older frame of any stream is sent with it.
    Again,
    /// Some of its bits are others.
    Bend,
    /// One of its values is another.
    Twist,
    /// A list of acts or records is longer by one that is bent.
    Stuff,
    /// The signature of a run is another.
    Unsign,
    /// With it goes a message that means nothing but trouble.
    Invent,
}

impl Tamper {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Withhold,
        Self::Swap,
        Self::Late,
        Self::Twice,
        Self::Again,
        Self::Bend,
        Self::Twist,
        Self::Stuff,
        Self::Unsign,
        Self::Invent,
    ];

    /// Is it worth while with this frame?
    fn fits(self, frame: &[u8]) -> bool {
        let kind = message(frame).map(|(kind, _)| kind);
        match self {
            Self::Stuff => matches!(kind, Some(4 | 5)),
            Self::Unsign => kind == Some(6),
            Self::Bend | Self::Twist | Self::Invent => kind.is_some(),
            Self::Withhold | Self::Swap | Self::Late | Self::Twice | Self::Again => true,
        }
    }
}

/// What stands between a hostile member's node and the network.
#[derive(Debug, Default)]
pub struct Mask {
    plans: VecDeque<(Tamper, u64)>,
    kept: VecDeque<Vec<u8>>,
    swapped: Option<Vec<u8>>,
    late: VecDeque<Vec<u8>>,
    /// Chains that they know of, to name them.
    pub chains: Vec<ChainId>,
    /// Devices' owners whom they let in by themself: their ids.
    pub socks: Vec<String>,
}

impl Mask {
    /// What to do with the next frame.
    pub fn plan(&mut self, tamper: Tamper, pick: u64) {
        self.plans.push_back((tamper, pick));
    }

    /// A frame of their node's: what goes out instead.
    pub fn sends(&mut self, frame: Vec<u8>) -> Vec<Vec<u8>> {
        self.kept.push_back(frame.clone());
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
        let next = self.plans.iter().position(|(tamper, _)| tamper.fits(&frame));
        let Some((tamper, pick)) = next.and_then(|next| self.plans.remove(next)) else {
            return [Some(frame), self.swapped.take(), self.late.pop_front()].into_iter().flatten().collect();
        };
        let mut rng = Rng::new(pick, "tamper");
        let mut out = match tamper {
            Tamper::Withhold => Vec::new(),
            Tamper::Swap => match self.swapped.replace(frame) {
                Some(before) => vec![before],
                None => return Vec::new(),
            },
            Tamper::Late => {
                self.late.push_back(frame);
                Vec::new()
            }
            Tamper::Twice => vec![frame.clone(), frame],
            Tamper::Again => {
                let old = self.kept.get(rng.index(self.kept.len())).cloned();
                [Some(frame), old].into_iter().flatten().collect()
            }
            Tamper::Bend => vec![bend(frame, &mut rng)],
            Tamper::Twist => vec![twist(&frame, &mut rng)],
            Tamper::Stuff => vec![stuff(&frame, &mut rng)],
            Tamper::Unsign => vec![unsign(&frame)],
            Tamper::Invent => {
                let invented = invent(&frame, &self.chains, &mut rng);
                [Some(frame), invented].into_iter().flatten().collect()
            }
        };
        if tamper != Tamper::Swap {
            out.extend(self.swapped.take());
        }
        out
    }
}

fn bend(mut frame: Vec<u8>, rng: &mut Rng) -> Vec<u8> {
    for _ in 0..rng.between(1, 3) {
        let at = rng.index(frame.len());
        if let Some(byte) = frame.get_mut(at) {
            *byte ^= 1 << rng.below(8);
        }
    }
    frame
}

fn twist(frame: &[u8], rng: &mut Rng) -> Vec<u8> {
    let Some(mut tree) = Cbor::parse(frame) else { return frame.to_vec() };
    let at = rng.below(tree.count());
    if let Some(value) = tree.nth(at) {
        value.twist(rng);
    }
    tree.encode()
}

/// A circle's message: its kind and its parts.
fn message(frame: &[u8]) -> Option<(u64, Vec<Cbor>)> {
    let Some(Cbor::Array(parts)) = Cbor::parse(frame) else { return None };
    let [Cbor::Uint(3), Cbor::Array(inner)] = parts.as_slice() else { return None };
    let [_, Cbor::Array(message)] = inner.as_slice() else { return None };
    match message.as_slice() {
        [Cbor::Uint(kind), Cbor::Array(said)] => Some((*kind, said.clone())),
        _ => None,
    }
}

/// The frame again, with other parts in its message.
fn instead(frame: &[u8], said: Vec<Cbor>) -> Vec<u8> {
    let (Some(token), Some((kind, _))) = (token(frame), message(frame)) else { return frame.to_vec() };
    let message = Cbor::Array(vec![Cbor::Uint(kind), Cbor::Array(said)]);
    Cbor::Array(vec![Cbor::Uint(3), Cbor::Array(vec![token, message])]).encode()
}

/// Acts and records: behind good ones comes a bent one.
fn stuff(frame: &[u8], rng: &mut Rng) -> Vec<u8> {
    let Some((kind, mut said)) = message(frame) else { return frame.to_vec() };
    let list = match (kind, said.as_mut_slice()) {
        (4, [Cbor::Array(acts)]) => acts.get_mut(1),
        (_, [list]) => Some(list),
        _ => None,
    };
    if let Some(Cbor::Array(list)) = list
        && let Some(Cbor::Bytes(last)) = list.last()
    {
        list.push(Cbor::Bytes(bend(last.clone(), rng)));
    }
    instead(frame, said)
}

/// A run: `[version, form, device, incarnation, class, epoch, first, previous, signature, body]`.
fn unsign(frame: &[u8]) -> Vec<u8> {
    let Some((_, mut said)) = message(frame) else { return frame.to_vec() };
    if let Some(Cbor::Bytes(run)) = said.first_mut()
        && let Some(Cbor::Array(mut parts)) = Cbor::parse(run)
        && let Some(Cbor::Bytes(signature)) = parts.get_mut(8)
    {
        signature.iter_mut().for_each(|byte| *byte ^= 0x55);
        *run = Cbor::Array(parts).encode();
    }
    instead(frame, said)
}

/// The token by which a frame names its circle.
fn token(frame: &[u8]) -> Option<Cbor> {
    let Some(Cbor::Array(parts)) = Cbor::parse(frame) else { return None };
    match parts.as_slice() {
        [Cbor::Uint(3), Cbor::Array(inner)] => inner.first().cloned(),
        _ => None,
    }
}

/// A message of any kind, in the circle of the frame before it.
fn invent(frame: &[u8], chains: &[ChainId], rng: &mut Rng) -> Option<Vec<u8>> {
    let token = token(frame)?;
    let number = |n: u64| Cbor::Uint(n);
    let id = |rng: &mut Rng| {
        let mut bytes = vec![0; 32];
        rand_core::Rng::fill_bytes(rng, &mut bytes);
        Cbor::Bytes(bytes)
    };
    let chain = rng.pick(chains).and_then(|chain| Cbor::parse(&codec::encode(chain))).unwrap_or(Cbor::Null);
    let far = [0, 1, 7, 1 << 20, u64::MAX][rng.index(5)];
    let kind = rng.below(10);
    let parts = match kind {
        0 => vec![id(rng), Cbor::Bytes(vec![0; 64])],
        1 => vec![Cbor::Bytes(vec![0x84, 1, 2, 3, 4])],
        2 => vec![id(rng)],
        3 => {
            let heads = vec![Cbor::Array(vec![chain, number(far), id(rng)])];
            let records = vec![Cbor::Array(vec![id(rng), number(far)])];
            vec![Cbor::Array(vec![
                Cbor::Array(vec![id(rng)]),
                Cbor::Array(vec![id(rng)]),
                Cbor::Array(vec![id(rng)]),
                Cbor::Array(records),
                Cbor::Array(heads),
            ])]
        }
        4 => vec![Cbor::Array(vec![Cbor::Null, Cbor::Array(vec![Cbor::Bytes(vec![1; 40])])])],
        5 => vec![Cbor::Array(vec![Cbor::Bytes(vec![0x80]); 3])],
        6 => vec![Cbor::Bytes(vec![0x8a, 1]), Cbor::Bool(true)],
        7 => vec![Cbor::Array(vec![Cbor::Array(vec![chain, number(far)])]), number(far)],
        8 => vec![Cbor::Array(vec![Cbor::Array(vec![id(rng), id(rng), Cbor::Array(Vec::new())])])],
        _ => vec![Cbor::Array(vec![Cbor::Array(vec![chain, number(far)])])],
    };
    let message = Cbor::Array(vec![number(kind), Cbor::Array(parts)]);
    Some(Cbor::Array(vec![number(3), Cbor::Array(vec![token, message])]).encode())
}
