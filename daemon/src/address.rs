//! Addresses that Kith listens on and dials: IP addresses and ports, over TCP or QUIC. No names.

use kith_protocol::id::Addr;
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

/// Ways to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transports {
    /// TCP with Noise and Yamux.
    pub(crate) tcp: bool,
    /// QUIC.
    pub(crate) quic: bool,
}

impl Transports {
    /// May this address be used?
    pub(crate) fn take(self, addr: &Multiaddr) -> bool {
        if addr.iter().any(|part| part == Protocol::QuicV1) { self.quic } else { self.tcp }
    }
}

/// Is it `/ip4|ip6/…/tcp/…` or `/ip4|ip6/…/udp/…/quic-v1`, and nothing else?
pub(crate) fn plain(addr: &Multiaddr) -> bool {
    let mut parts = addr.iter();
    let ip = matches!(parts.next(), Some(Protocol::Ip4(_) | Protocol::Ip6(_)));
    let transport = match parts.next() {
        Some(Protocol::Tcp(port)) => port != 0,
        Some(Protocol::Udp(port)) => port != 0 && parts.next() == Some(Protocol::QuicV1),
        _ => false,
    };
    ip && transport && parts.next().is_none()
}

/// An address as the core has it.
pub(crate) fn addr_bytes(addr: &Multiaddr) -> Addr {
    Addr(addr.to_vec())
}

/// Addresses as the core has them.
pub(crate) fn bytes(addrs: &[Multiaddr]) -> Vec<Addr> {
    addrs.iter().map(addr_bytes).collect()
}

/// Addresses as people write them, each place once: `192.168.1.5:4001`.
pub(crate) fn shown(addrs: &[Addr]) -> Vec<String> {
    let mut places = Vec::new();
    for addr in addrs.iter().filter_map(|addr| Multiaddr::try_from(addr.0.clone()).ok().filter(plain)) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_as_people_write_them_each_once() {
        let addr = |text: &str| text.parse::<Multiaddr>().expect("an address");
        let all = ["/ip4/192.168.1.5/tcp/4001", "/ip4/192.168.1.5/udp/4001/quic-v1", "/ip6/::1/tcp/4001", "/dns4/x.org/tcp/1"];
        let mut given = bytes(&all.map(addr));
        given.push(Addr(vec![0xff; 9]));
        assert_eq!(shown(&given), ["192.168.1.5:4001", "[::1]:4001"]);
    }
}
