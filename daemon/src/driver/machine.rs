//! What the driver needs of the core, so that its own tests can put something smaller in the core's place.

use kith_protocol::control::Error;
use kith_protocol::crypto::Real;
use kith_protocol::id::PeerId;
use kith_protocol::node::{self, Answer, Env, Input, Node, Query};
use kith_protocol::store::{Read, StoreError};
use kith_protocol::time::Millis;
use kith_protocol::tx::Turn;

use crate::random::Random;

/// A node, as the driver sees it.
pub(crate) trait Machine: Sized + Send + 'static {
    /// From what is stored. What has to be written before anybody asks joins the turn.
    fn open(now: Millis, base: &dyn Read, peer: &PeerId, turn: &mut Turn) -> Result<Self, StoreError>;

    /// One input; its writes and effects join the batch.
    fn handle(&mut self, now: Millis, peer: &PeerId, base: &dyn Read, batch: &mut Turn, input: Input) -> Result<(), StoreError>;

    /// When it wants a tick.
    fn deadline(&self, base: &dyn Read) -> Result<Option<Millis>, StoreError>;

    /// A question that changes nothing, answered from a snapshot.
    fn answer(base: &dyn Read, now: Millis, query: Query) -> Result<Result<Answer, Error>, StoreError>;
}

/// The core itself.
pub(crate) struct Core(Node);

impl Machine for Core {
    fn open(now: Millis, base: &dyn Read, peer: &PeerId, turn: &mut Turn) -> Result<Self, StoreError> {
        let mut node = Node::open(base, &Real, peer.clone())?;
        let mut env = Env { now, rng: &mut Random, crypto: &Real, peer };
        node.refresh(&mut env, base, turn)?;
        Ok(Self(node))
    }

    fn handle(&mut self, now: Millis, peer: &PeerId, base: &dyn Read, batch: &mut Turn, input: Input) -> Result<(), StoreError> {
        let mut env = Env { now, rng: &mut Random, crypto: &Real, peer };
        self.0.handle(&mut env, base, batch, input)
    }

    fn deadline(&self, base: &dyn Read) -> Result<Option<Millis>, StoreError> {
        self.0.deadline(base)
    }

    fn answer(base: &dyn Read, now: Millis, query: Query) -> Result<Result<Answer, Error>, StoreError> {
        node::answer(base, &Real, now, query)
    }
}
