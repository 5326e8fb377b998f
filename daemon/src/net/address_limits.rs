//! How many connections may come from one address: no single machine, nor one network's tenant, takes all the room.

use std::collections::BTreeMap;
use std::net::IpAddr;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{ConnectionDenied, ConnectionId};

use crate::limits::{ESTABLISHED_PER_PLACE, PENDING_PER_PLACE};

/// Too many from there.
#[derive(Debug, thiserror::Error)]
#[error("too many connections from one address")]
struct TooMany;

/// Inbound connections by where they come from.
#[derive(Debug, Default)]
pub(super) struct AddressLimits {
    pending: BTreeMap<ConnectionId, IpAddr>,
    established: BTreeMap<ConnectionId, IpAddr>,
}

impl AddressLimits {
    /// A handshake begins.
    pub(super) fn begin(&mut self, id: ConnectionId, from: &Multiaddr) -> Result<(), ConnectionDenied> {
        enter(&mut self.pending, id, from, PENDING_PER_PLACE)
    }

    /// A handshake is done.
    pub(super) fn establish(&mut self, id: ConnectionId, from: &Multiaddr) -> Result<(), ConnectionDenied> {
        self.pending.remove(&id);
        enter(&mut self.established, id, from, ESTABLISHED_PER_PLACE)
    }

    /// A connection, or a handshake, is over.
    pub(super) fn end(&mut self, id: ConnectionId) {
        self.pending.remove(&id);
        self.established.remove(&id);
    }
}

fn enter(
    inside: &mut BTreeMap<ConnectionId, IpAddr>,
    id: ConnectionId,
    from: &Multiaddr,
    most: usize,
) -> Result<(), ConnectionDenied> {
    let Some(place) = place(from) else { return Ok(()) };
    if inside.values().filter(|other| **other == place).count() >= most {
        return Err(ConnectionDenied::new(TooMany));
    }
    inside.insert(id, place);
    Ok(())
}

/// An IPv4 address, or the /64 that one subscriber has of IPv6. None: this machine itself.
fn place(from: &Multiaddr) -> Option<IpAddr> {
    let ip = match from.iter().next() {
        Some(Protocol::Ip4(ip)) => IpAddr::V4(ip),
        Some(Protocol::Ip6(ip)) => match ip.to_ipv4_mapped() {
            Some(ip) => IpAddr::V4(ip),
            None => IpAddr::V6((u128::from(ip) >> 64 << 64).into()),
        },
        _ => return None,
    };
    let here = match from.iter().next() {
        Some(Protocol::Ip6(ip)) => ip.is_loopback(),
        _ => ip.is_loopback(),
    };
    (!here).then_some(ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(limits: &mut AddressLimits, from: &str, first: usize, many: usize) -> usize {
        let from: Multiaddr = from.parse().expect("an address");
        (first..first + many).filter(|id| limits.begin(ConnectionId::new_unchecked(*id), &from).is_ok()).count()
    }

    #[test]
    fn one_place_does_not_take_all_the_room() {
        let mut limits = AddressLimits::default();
        assert_eq!(fill(&mut limits, "/ip4/203.0.113.5/tcp/1", 0, 500), PENDING_PER_PLACE);
        assert_eq!(fill(&mut limits, "/ip4/203.0.113.6/tcp/1", 500, 3), 3);
        assert_eq!(fill(&mut limits, "/ip6/2001:db8::1/tcp/1", 600, 500), PENDING_PER_PLACE);
        assert_eq!(fill(&mut limits, "/ip6/2001:db8::2/tcp/1", 1_200, 1), 0);
        assert_eq!(fill(&mut limits, "/ip6/2001:db8:0:1::2/tcp/1", 1_300, 1), 1);
        assert_eq!(fill(&mut limits, "/ip4/127.0.0.1/tcp/1", 1_400, 500), 500);
        limits.end(ConnectionId::new_unchecked(0));
        assert_eq!(fill(&mut limits, "/ip4/203.0.113.5/tcp/1", 2_000, 9), 1);
    }
}
