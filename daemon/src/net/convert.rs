//! Peers and addresses as the core has them, and as libp2p has them.

use kith_protocol::id::{Addr, PeerId};
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use crate::address::plain;

/// A libp2p peer id as the core has it.
pub(crate) fn peer_bytes(peer: &libp2p::PeerId) -> PeerId {
    PeerId(peer.to_bytes())
}

pub(super) fn peer_id(peer: &PeerId) -> Option<libp2p::PeerId> {
    libp2p::PeerId::from_bytes(&peer.0).ok()
}

pub(super) fn addr_bytes(addr: &Multiaddr) -> Addr {
    Addr(addr.to_vec())
}

/// Addresses as the core has them.
pub(crate) fn bytes(addrs: &[Multiaddr]) -> Vec<Addr> {
    addrs.iter().map(addr_bytes).collect()
}

/// Addresses as people write them, each place once: `192.168.1.5:4001`.
pub(crate) fn shown(addrs: &[Addr]) -> Vec<String> {
    let mut places = Vec::new();
    for addr in addrs.iter().filter_map(multiaddr) {
        let mut parts = addr.iter();
        let place = match (parts.next(), parts.next()) {
            (Some(Protocol::Ip4(ip)), Some(Protocol::Tcp(port) | Protocol::Udp(port))) => format!("{ip}:{port}"),
            (Some(Protocol::Ip6(ip)), Some(Protocol::Tcp(port) | Protocol::Udp(port))) => format!("[{ip}]:{port}"),
            _ => continue,
        };
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
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
