//! Addresses that Kith listens on and dials: IP addresses and ports, over TCP or QUIC. No names.

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
