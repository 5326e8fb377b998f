//! `<home>/config.toml`: what a person may set. The daemon writes it once, with the port that was chosen, and later only reads it.

mod settings;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use rand_core::Rng;
use toml_edit::{DocumentMut, Item};

use crate::address::{Transports, plain};
use crate::files::write_whole;
use crate::limits::{LISTEN_ADDRESSES, PORT_TRIES};
use crate::random::Random;

pub use settings::{Setting, set_setting, settings};

/// Ports to choose from: below those that systems give to outgoing connections, so that ours is free again after a restart.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

const FIRST: &str = "\
# Settings of this home; `kith config` lists and changes them. Read when kithd starts, except `circle`.

# The circle that commands mean where no other is named.
# circle = \"Night shift\"

# Addresses under which others reach this computer from outside: a forwarded port, a VPN. They go into invites.
# external = [\"/ip4/203.0.113.5/tcp/4001\"]

# Where to listen: `tcp` and `udp` addresses; port 0 stands for the port below.
# listen = [\"/ip4/0.0.0.0/tcp/0\", \"/ip4/0.0.0.0/udp/0/quic-v1\", \"/ip6/::/tcp/0\", \"/ip6/::/udp/0/quic-v1\"]

# Which ways to connect: \"tcp\", \"quic\" or both.
# transports = [\"tcp\", \"quic\"]

# Lock after this many minutes without a command; 0: never.
# idle_lock_minutes = 0

# Chosen at random when this home was made. Others know it: change it only if it is taken.
";

const DEFAULT_LISTEN: [&str; 4] = ["/ip4/0.0.0.0/tcp/0", "/ip4/0.0.0.0/udp/0/quic-v1", "/ip6/::/tcp/0", "/ip6/::/udp/0/quic-v1"];

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A setting that makes no sense.
    #[error("config.toml: {0}")]
    Invalid(String),
    /// No free port was found.
    #[error("no free port was found")]
    NoPort,
    /// The disk or the operating system refused.
    #[error("config.toml: {0}")]
    Io(#[from] std::io::Error),
}

/// The settings, every default filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// Where to listen, ports filled in. Those marked optional may fail.
    pub(crate) listen: Vec<Multiaddr>,
    /// Where others reach this computer from outside, besides.
    pub(crate) external: Vec<Multiaddr>,
    /// Ways to connect.
    pub(crate) transports: Transports,
    /// Minutes without a command until the daemon locks itself; 0: never.
    pub(crate) idle_lock_minutes: u64,
    /// The home's own port.
    pub(crate) port: u16,
    /// Was `listen` asked for, so that an address that cannot be had is an error?
    pub(crate) strict: bool,
}

impl Config {
    /// Reads the settings; the first time, chooses a port and writes it down. `listen` takes the place of the file's.
    ///
    /// # Errors
    /// [`ConfigError`] where they make no sense or cannot be kept.
    pub(crate) fn load(path: &Path, listen: &[String]) -> Result<Self, ConfigError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => FIRST.to_owned(),
            Err(error) => return Err(error.into()),
        };
        let mut document: DocumentMut =
            text.parse().map_err(|error: toml_edit::TomlError| ConfigError::Invalid(error.message().to_owned()))?;
        let port = match document.get("port") {
            Some(port) => port_of(port)?,
            None => {
                let port = free_port()?;
                keep_port(&mut document, port);
                write_whole(path, document.to_string().as_bytes())?;
                port
            }
        };
        Self::read(&document, port, listen)
    }

    /// Do these settings make sense? The port may be chosen later.
    pub(crate) fn check(document: &DocumentMut) -> Result<(), ConfigError> {
        let port = document.get("port").map_or(Ok(PORTS.start), port_of)?;
        if document.get("circle").is_some_and(|circle| circle.as_str().is_none()) {
            return Err(ConfigError::Invalid("`circle` is the name of a circle, in quotes".to_owned()));
        }
        Self::read(document, port, &[]).map(drop)
    }

    fn read(document: &DocumentMut, port: u16, listen: &[String]) -> Result<Self, ConfigError> {
        let transports = transports(document)?;
        let asked = if listen.is_empty() { strings(document, "listen")? } else { Some(listen.to_vec()) };
        let strict = asked.is_some();
        let asked = asked.unwrap_or_else(|| DEFAULT_LISTEN.map(str::to_owned).to_vec());
        let mut listen =
            asked.iter().take(LISTEN_ADDRESSES).map(|text| listen_addr(text, port)).collect::<Result<Vec<_>, _>>()?;
        listen.retain(|addr| transports.take(addr));
        let external = strings(document, "external")?.unwrap_or_default();
        let external = external.iter().take(LISTEN_ADDRESSES).map(|text| outside(text, port)).collect::<Result<Vec<_>, _>>()?;
        let external = external.into_iter().flatten().filter(|addr| transports.take(addr)).collect();
        Ok(Self { listen, external, transports, idle_lock_minutes: idle(document)?, port, strict })
    }
}

/// Writes the port down where the comment about it ends.
fn keep_port(document: &mut DocumentMut, port: u16) {
    let above = document.trailing().as_str().unwrap_or_default().to_owned();
    document["port"] = toml_edit::value(i64::from(port));
    if let Some(mut key) = document.key_mut("port") {
        key.leaf_decor_mut().set_prefix(above);
        document.set_trailing("");
    }
}

fn port_of(item: &Item) -> Result<u16, ConfigError> {
    let port = item.as_integer().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
    port.ok_or_else(|| ConfigError::Invalid("`port` is a number from 1 to 65535".to_owned()))
}

fn idle(document: &DocumentMut) -> Result<u64, ConfigError> {
    let Some(item) = document.get("idle_lock_minutes") else { return Ok(0) };
    let minutes = item.as_integer().and_then(|minutes| u64::try_from(minutes).ok());
    minutes.ok_or_else(|| ConfigError::Invalid("`idle_lock_minutes` is a number of minutes, or 0".to_owned()))
}

fn strings(document: &DocumentMut, name: &str) -> Result<Option<Vec<String>>, ConfigError> {
    let Some(item) = document.get(name) else { return Ok(None) };
    let wrong = || ConfigError::Invalid(format!("`{name}` is a list of texts"));
    let list = item.as_array().ok_or_else(wrong)?;
    list.iter().map(|text| text.as_str().map(str::to_owned).ok_or_else(wrong)).collect::<Result<_, _>>().map(Some)
}

fn transports(document: &DocumentMut) -> Result<Transports, ConfigError> {
    let Some(names) = strings(document, "transports")? else { return Ok(Transports { tcp: true, quic: true }) };
    if let Some(other) = names.iter().find(|name| !["tcp", "quic"].contains(&name.as_str())) {
        return Err(ConfigError::Invalid(format!("`transports` knows \"tcp\" and \"quic\", not {other:?}")));
    }
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    let transports = Transports { tcp: has("tcp"), quic: has("quic") };
    if transports.tcp || transports.quic {
        Ok(transports)
    } else {
        Err(ConfigError::Invalid("`transports` names none, so nobody could be reached".to_owned()))
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only two of many kinds of parts carry a port of ours")]
fn listen_addr(text: &str, port: u16) -> Result<Multiaddr, ConfigError> {
    let wrong = || ConfigError::Invalid(format!("{text:?} is no address like /ip4/0.0.0.0/tcp/0 or /ip4/0.0.0.0/udp/0/quic-v1"));
    let addr: Multiaddr = text.parse().map_err(|_| wrong())?;
    let addr: Multiaddr = addr
        .iter()
        .map(|part| match part {
            Protocol::Tcp(0) => Protocol::Tcp(port),
            Protocol::Udp(0) => Protocol::Udp(port),
            other => other,
        })
        .collect();
    if plain(&addr) { Ok(addr) } else { Err(wrong()) }
}

/// An address from outside, as people write it: `203.0.113.5`, `203.0.113.5:4001`, `[2001:db8::1]:4001`, or in full. Without a
/// port the home's own is meant; without a transport both are.
pub(crate) fn outside(text: &str, port: u16) -> Result<Vec<Multiaddr>, ConfigError> {
    let text = text.trim();
    if text.starts_with('/') {
        return listen_addr(text, port).map(|addr| vec![addr]);
    }
    let place = text.parse::<SocketAddr>().or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, port)));
    let place = place.ok().filter(|place| place.port() != 0 && !place.ip().is_unspecified());
    let place = place.ok_or_else(|| ConfigError::Invalid(format!("{text:?} is not an IP address with a port")))?;
    let ip = Multiaddr::from(place.ip());
    Ok(vec![ip.clone().with(Protocol::Tcp(place.port())), ip.with(Protocol::Udp(place.port())).with(Protocol::QuicV1)])
}

/// A port that is free now for both transports.
fn free_port() -> Result<u16, ConfigError> {
    let span = u64::from(PORTS.end - PORTS.start);
    for _ in 0..PORT_TRIES {
        let offset = u16::try_from(Random.next_u64() % span).unwrap_or_default();
        let port = PORTS.start + offset;
        if port_is_free(Ipv4Addr::UNSPECIFIED, port) {
            return Ok(port);
        }
    }
    Err(ConfigError::NoPort)
}

fn port_is_free(ip: Ipv4Addr, port: u16) -> bool {
    TcpListener::bind((ip, port)).is_ok() && UdpSocket::bind((ip, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_chosen_once_and_what_a_person_wrote_stays() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("config.toml");
        let first = Config::load(&path, &[]).expect("loads");
        let text = std::fs::read_to_string(&path).expect("reads");
        assert!(text.ends_with(&format!("only if it is taken.\nport = {}\n", first.port)), "it stands below its comment: {text}");
        std::fs::write(&path, format!("{text}\n# mine\ntransports = [\"tcp\"]\nidle_lock_minutes = 5\n")).expect("writes");
        let again = Config::load(&path, &[]).expect("loads");
        assert_eq!((again.port, again.idle_lock_minutes, again.strict), (first.port, 5, false));
        assert_eq!(again.listen.len(), 2);
        assert!(again.listen.iter().all(|addr| !addr.to_string().contains("quic")));
    }

    #[test]
    fn port_zero_stands_for_the_kept_port() {
        let dir = tempfile::tempdir().expect("a folder");
        let asked = ["/ip4/127.0.0.1/tcp/0".to_owned(), "/ip4/127.0.0.1/udp/4444/quic-v1".to_owned()];
        let config = Config::load(&dir.path().join("config.toml"), &asked).expect("loads");
        let expected = [format!("/ip4/127.0.0.1/tcp/{}", config.port), "/ip4/127.0.0.1/udp/4444/quic-v1".to_owned()];
        assert_eq!(config.listen.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_address_from_outside_is_written_as_people_do() {
        let shown = |text: &str| {
            let found = outside(text, 4001).map_err(|_| ());
            found.map(|addrs| addrs.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let both = |ip: &str, port: u16| Ok(vec![format!("{ip}/tcp/{port}"), format!("{ip}/udp/{port}/quic-v1")]);
        assert_eq!(shown("203.0.113.5"), both("/ip4/203.0.113.5", 4001));
        assert_eq!(shown(" 203.0.113.5:99 "), both("/ip4/203.0.113.5", 99));
        assert_eq!(shown("[2001:db8::1]:99"), both("/ip6/2001:db8::1", 99));
        assert_eq!(shown("/ip4/203.0.113.5/tcp/0"), Ok(vec!["/ip4/203.0.113.5/tcp/4001".to_owned()]));
        for wrong in
            ["", "example.org", "example.org:4001", "203.0.113.5:0", "0.0.0.0", "/dns4/x.org/tcp/1", "203.0.113.5:4001/tcp"]
        {
            assert_eq!(shown(wrong), Err(()), "{wrong}");
        }
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("config.toml");
        std::fs::write(&path, "port = 4001\nexternal = [\"203.0.113.5:99\"]\ntransports = [\"tcp\"]\n").expect("writes");
        let config = Config::load(&path, &[]).expect("loads");
        assert_eq!(config.external.iter().map(ToString::to_string).collect::<Vec<_>>(), ["/ip4/203.0.113.5/tcp/99"]);
    }

    #[test]
    fn the_frozen_settings_say_what_they_said() {
        let load = |version: u8| {
            let path = format!("testdata/home.v{version}/config.toml");
            Config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(path), &[]).expect("loads")
        };
        let listen = ["/ip4/127.0.0.1/tcp/23456", "/ip6/::1/tcp/23456"].map(|addr| addr.parse().expect("an address"));
        let transports = Transports { tcp: true, quic: false };
        let (listen, external) = (listen.to_vec(), Vec::new());
        let third = Config { listen, external, transports, idle_lock_minutes: 15, port: 23_456, strict: true };
        assert_eq!(load(3), third);
        assert_eq!(load(4), Config { external: vec!["/ip4/203.0.113.5/tcp/4001".parse().expect("an address")], ..third });
    }

    #[test]
    fn nonsense_is_named() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("config.toml");
        for text in
            ["port = 0", "port = 1\ntransports = [\"carrier pigeon\"]", "port = 1\nlisten = [\"/dns4/x.org/tcp/1\"]", "port = ["]
        {
            std::fs::write(&path, text).expect("writes");
            assert!(matches!(Config::load(&path, &[]), Err(ConfigError::Invalid(_))), "{text}");
        }
    }
}
