//! What a machine's own program keeps of its keys in a circle, read from its disk.

use kith_protocol::crypto::DeviceSecrets;
use kith_protocol::id::{CircleId, Incarnation};
use minicbor::Decode;

/// The first fields of a circle's row.
#[derive(Decode)]
#[cbor(array)]
pub(super) struct OwnRow {
    #[n(0)]
    _version: u8,
    #[n(1)]
    pub(super) circle: CircleId,
    #[n(2)]
    pub(super) secrets: DeviceSecrets,
    #[n(3)]
    pub(super) incarnation: Incarnation,
}
