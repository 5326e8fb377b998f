//! Inputs that ask for much work while they are small: what a member, or the holder of a link, may send in a frame.

use kith_protocol::crypto::Seeded;
use kith_protocol::id::ItemId;
use kith_protocol::item::edit::{Edit, Op, Value};
use kith_protocol::item::kind::Kind;
use rand_core::Rng;

use super::Peer;
use super::forge::{Run, from_now};
use crate::cbor::{Cbor, array, bytes, encoded};

/// Notes of 59,000 letters ([`Peer::heavy`]) that one run may hold, however few bytes they are on the wire.
pub const HEAVY_NOTES: usize = 47;

impl Run {
    /// The chain that it belongs to, as a frame names it.
    #[must_use]
    pub fn chain(&self) -> Cbor {
        array([bytes(self.signer.id().0), bytes(self.incarnation), Cbor::Uint(self.class)])
    }
}

impl Peer {
    /// Says that it has these chains, and these gaps in them.
    pub fn has(&self, chains: Vec<Cbor>, gaps: Vec<Cbor>) {
        let none = || Cbor::Array(Vec::new());
        self.say(3, vec![array([none(), none(), none(), none(), Cbor::Array(chains), Cbor::Array(gaps)])]);
    }

    /// A run of so many small notes, in a chain of its own.
    #[must_use]
    pub fn small(&self, count: usize) -> Run {
        let mut run = self.run("x");
        let like = run.entry().clone();
        let mut random = Seeded::new(super::member::fresh_seed());
        for _ in 1..count {
            let mut entry = like.clone();
            entry.heads = None;
            random.fill_bytes(&mut entry.nonce);
            random.fill_bytes(&mut entry.sealing);
            run.entries.push(entry);
        }
        run
    }

    /// A run that holds a tombstone: an event of its own is to be destroyed at once.
    #[must_use]
    pub fn stone(&self, item: ItemId) -> Run {
        let mut run = self.run_of(Kind::Event, Vec::new());
        run.entry().kind = u64::from(Kind::Tombstone.number());
        run.entry().edit = encoded(&Edit::opening(from_now(0), Some(item), vec![Op::Set(0, Value::Flag(true))])).encode();
        run
    }
}

/// A request to come in, made as large as it may be, with nothing in it that anybody could open. `steward`: to whom the first part
/// says that it is sealed.
#[must_use]
pub fn swollen(request: &Cbor, steward: &Cbor) -> Cbor {
    let sealed = (0..16).map(|n: u8| array([if n == 0 { steward.clone() } else { bytes([n; 32]) }, bytes([n; 8 << 10])]));
    let fields = request.at(1).at(0);
    array([6.into(), array([array([fields.at(0).clone(), fields.at(1).clone(), Cbor::Array(sealed.collect())])])])
}
