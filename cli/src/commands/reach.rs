//! From where this computer can be reached, as far as its own addresses tell.

use std::net::{IpAddr, SocketAddr};

use kith_protocol::control::DaemonStatus;

use crate::context::Context;

/// From where others can reach this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It has an address that means something everywhere. Whether a router lets anything through to it is not known.
    Anywhere,
    /// Only from its own network (or a VPN), at these addresses.
    Network(Vec<String>),
    /// Only from this computer itself.
    Here,
}

/// As the daemon's addresses and the setting `external` tell.
pub(crate) fn reach(context: &Context, status: &DaemonStatus) -> Reach {
    let external = context.setting("external").map(|setting| setting.value).unwrap_or_default();
    of(status.listening.iter().map(String::as_str), !external.is_empty())
}

/// Where a link works that names these addresses, too, as they were typed: what they say comes first.
pub(crate) fn reach_at(context: &Context, status: &DaemonStatus, typed: &[String]) -> Reach {
    with(reach(context, status), typed)
}

fn with(known: Reach, typed: &[String]) -> Reach {
    let named: Vec<String> = typed.iter().map(|text| in_full(text.trim())).collect();
    match (known, of(named.iter().map(String::as_str), false)) {
        (Reach::Anywhere, _) | (_, Reach::Anywhere) => Reach::Anywhere,
        (_, Reach::Network(addresses)) => Reach::Network(addresses),
        (known, Reach::Here) => known,
    }
}

/// `192.168.1.5:4001` as the daemon has it, as far as that is needed here.
fn in_full(text: &str) -> String {
    let ip = text.parse::<SocketAddr>().map(|place| place.ip()).or_else(|_| text.parse());
    ip.map_or_else(|_| text.to_owned(), |ip| format!("/ip/{ip}"))
}

fn of<'a>(listening: impl Iterator<Item = &'a str>, external: bool) -> Reach {
    let mut near: Vec<String> = Vec::new();
    let mut anywhere = external;
    for ip in listening.filter_map(ip_of) {
        if is_near(&ip) {
            near.push(ip.to_string());
        } else if !ip.is_loopback() {
            anywhere = true;
        }
    }
    near.sort();
    near.dedup();
    match (anywhere, near.is_empty()) {
        (true, _) => Reach::Anywhere,
        (false, false) => Reach::Network(near),
        (false, true) => Reach::Here,
    }
}

/// The IP address in `/ip4/192.168.1.5/tcp/4001`.
fn ip_of(address: &str) -> Option<IpAddr> {
    address.split('/').nth(2)?.parse().ok()
}

/// Does it mean something in one network only? Shared addresses (RFC 6598) are those of providers and VPNs.
const fn is_near(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private() || ip.is_link_local() || ip.is_unspecified() || a == 100 && b >= 64 && b < 128
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_unspecified(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_link_works_follows_from_the_addresses_in_it() {
        let of = |addresses: &[&str], external| of(addresses.iter().copied(), external);
        assert_eq!(of(&["/ip4/127.0.0.1/tcp/4001", "/ip6/::1/tcp/4001"], false), Reach::Here);
        assert_eq!(of(&[], true), Reach::Anywhere);
        let home = ["/ip4/127.0.0.1/tcp/1", "/ip4/192.168.1.5/tcp/1", "/ip4/192.168.1.5/udp/1/quic-v1", "/ip6/fe80::1/tcp/1"];
        assert_eq!(of(&home, false), Reach::Network(vec!["192.168.1.5".to_owned(), "fe80::1".to_owned()]));
        assert_eq!(of(&home, true), Reach::Anywhere);
        for near in ["10.1.1.1", "172.31.0.1", "100.64.0.9", "169.254.3.3"] {
            assert!(matches!(of(&[&format!("/ip4/{near}/tcp/1")], false), Reach::Network(_)), "{near}");
        }
        for far in ["/ip4/8.8.8.8/tcp/1", "/ip4/100.128.0.1/tcp/1", "/ip6/2001:db8::1/tcp/1"] {
            assert_eq!(of(&[far], false), Reach::Anywhere, "{far}");
        }
    }

    #[test]
    fn a_named_address_says_where_a_link_works() {
        let at = |known: Reach, typed: &str| with(known, &[typed.to_owned()]);
        let home = || Reach::Network(vec!["192.168.1.5".to_owned()]);
        for here in ["127.0.0.1:5", "[::1]:5", "/ip4/127.0.0.1/tcp/5", "127.0.0.1"] {
            assert_eq!(at(Reach::Here, here), Reach::Here, "{here}");
            assert_eq!(at(home(), here), home(), "{here}");
        }
        for (near, shown) in
            [("10.9.8.7:4001", "10.9.8.7"), ("/ip4/192.168.7.7/udp/1/quic-v1", "192.168.7.7"), ("[fd00::1]:9", "fd00::1")]
        {
            assert_eq!(at(home(), near), Reach::Network(vec![shown.to_owned()]), "{near}");
            assert_eq!(at(Reach::Here, near), Reach::Network(vec![shown.to_owned()]), "{near}");
            assert_eq!(at(Reach::Anywhere, near), Reach::Anywhere, "{near}");
        }
        for far in ["203.0.113.5:4001", "[2001:db8::1]:4001", "/ip4/203.0.113.5/tcp/4001"] {
            assert_eq!(at(home(), far), Reach::Anywhere, "{far}");
        }
    }
}
