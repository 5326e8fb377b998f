//! What the driver needs of the core, so that its own tests can put something smaller in the core's place.

use kith_protocol::control::Error;
use kith_protocol::id::PeerId;
use kith_protocol::node::{Answer, Input, Query};
use kith_protocol::store::{Read, StoreError};
use kith_protocol::time::Millis;
use kith_protocol::tx::Batch;

/// A node, as the driver sees it.
pub(crate) trait Machine: Sized + Send + 'static {
    /// From what is stored.
    fn open(base: &dyn Read) -> Result<Self, StoreError>;

    /// One input; its writes and effects join the batch.
    fn handle(&mut self, now: Millis, peer: &PeerId, base: &dyn Read, batch: &mut Batch, input: Input) -> Result<(), StoreError>;

    /// When it wants a tick.
    fn deadline(&self, base: &dyn Read) -> Result<Option<Millis>, StoreError>;

    /// A question that changes nothing, answered from a snapshot.
    fn answer(base: &dyn Read, now: Millis, query: Query) -> Result<Result<Answer, Error>, StoreError>;
}
