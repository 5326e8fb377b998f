//! Peers and addresses as the core has them, and as libp2p has them.

use kith_protocol::id::{Addr, PeerId};
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

pub(super) use crate::address::addr_bytes;
use crate::address::plain;

/// A libp2p peer id as the core has it.
pub(crate) fn peer_bytes(peer: &libp2p::PeerId) -> PeerId {
    PeerId(peer.to_bytes())
}

pub(super) fn peer_id(peer: &PeerId) -> Option<libp2p::PeerId> {
    libp2p::PeerId::from_bytes(&peer.0).ok()
}

/// An address as a peer may give it: nothing but an IP address and a port of ours. No names: looking one up would tell a
/// stranger's name server that we exist.
pub(super) fn multiaddr(addr: &Addr) -> Option<Multiaddr> {
    if addr.0.len() > kith_protocol::limits::ADDRESS_BYTES {
        return None;
    }
    let mut addr = Multiaddr::try_from(addr.0.clone()).ok()?;
    if matches!(addr.iter().last(), Some(Protocol::P2p(_))) {
        addr.pop();
    }
    plain(&addr).then_some(addr)
}
