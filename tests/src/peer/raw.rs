//! Sockets byte by byte: plain TCP and UDP, and Yamux frames written by hand on an encrypted connection.

use std::io::{Read, Result};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::core::Endpoint;
use libp2p::core::transport::{DialOpts, PortUse, Transport, TransportEvent};
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade};
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, noise, tcp};

use super::wire::{accept, is_quic, propose, runtime, within};
use crate::proc::Home;

/// Where a daemon listens.
///
/// # Panics
/// Where it does not say.
#[must_use]
pub fn addresses(home: &Home) -> Vec<Multiaddr> {
    crate::proc::until("it to listen somewhere", || {
        let status = home.json(&["status"]);
        let listening = status.get("listening").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
        let parse = |addr: &serde_json::Value| addr.as_str()?.parse().ok();
        let addrs: Vec<Multiaddr> = listening.iter().filter_map(parse).collect();
        (addrs.iter().any(is_quic) && !addrs.iter().all(is_quic)).then_some(addrs)
    })
}

/// The daemon's address on loopback, of TCP or QUIC.
///
/// # Panics
/// Where there is none.
#[must_use]
pub fn address(home: &Home, quic: bool) -> Multiaddr {
    let loopback = |addr: &Multiaddr| addr.iter().any(|part| matches!(part, Protocol::Ip4(ip) if ip.is_loopback()));
    let found = addresses(home).into_iter().find(|addr| loopback(addr) && is_quic(addr) == quic);
    found.expect("a loopback address")
}

/// The same as a socket's address.
///
/// # Panics
/// Where there is none.
#[must_use]
pub fn socket(home: &Home, quic: bool) -> SocketAddr {
    let addr = address(home, quic);
    let port = addr.iter().find_map(|part| match part {
        Protocol::Tcp(port) | Protocol::Udp(port) => Some(port),
        _ => None,
    });
    (Ipv4Addr::LOCALHOST, port.expect("an address has a port")).into()
}

/// A plain TCP connection with the daemon.
///
/// # Panics
/// Where nobody listens.
#[must_use]
pub fn tcp(home: &Home) -> TcpStream {
    TcpStream::connect(socket(home, false)).expect("the daemon listens")
}

/// A UDP socket that is connected to the daemon's QUIC port.
///
/// # Panics
/// Where there is none.
#[must_use]
pub fn udp(home: &Home) -> UdpSocket {
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    udp.connect(socket(home, true)).expect("an address");
    udp
}

/// Reads until the other side closes; whether it did within so long.
///
/// # Panics
/// Where the socket takes no deadline.
pub fn is_closed_within(stream: &mut TcpStream, patience: Duration) -> bool {
    stream.set_read_timeout(Some(patience)).expect("a deadline");
    let start = std::time::Instant::now();
    let mut bytes = [0; 4_096];
    while start.elapsed() < patience {
        match stream.read(&mut bytes) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => return false,
            Err(_) => return true,
        }
    }
    false
}

/// A connection with Noise around it, where the other side now expects Yamux frames.
pub type Encrypted = noise::Output<tcp::tokio::TcpStream>;

/// Connects and encrypts, up to where Yamux begins.
///
/// # Errors
/// Where the other side does not take part.
pub async fn encrypted(keys: &Keypair, addr: &Multiaddr) -> Result<Encrypted> {
    let other = |error: &dyn std::fmt::Display| std::io::Error::other(error.to_string());
    let mut transport = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
    let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
    let dial = transport.dial(addr.clone(), options).map_err(|error| other(&error))?;
    let mut stream = within(dial).await?.map_err(|error| other(&error))?;
    within(propose(&mut stream, "/noise")).await??;
    let config = noise::Config::new(keys).map_err(|error| other(&error))?;
    let (_, mut stream) = within(config.upgrade_outbound(stream, "/noise")).await?.map_err(|error| other(&error))?;
    within(propose(&mut stream, "/yamux/1.0.0")).await??;
    Ok(stream)
}

/// Yamux frame types.
pub mod kind {
    /// Bytes of a stream.
    pub const DATA: u8 = 0;
    /// More room for a stream.
    pub const WINDOW: u8 = 1;
    /// A ping.
    pub const PING: u8 = 2;
    /// The end.
    pub const GO_AWAY: u8 = 3;
}

/// Yamux flags.
pub mod flag {
    /// Opens a stream.
    pub const SYN: u16 = 1;
    /// Takes a stream.
    pub const ACK: u16 = 2;
    /// Ends one half.
    pub const FIN: u16 = 4;
    /// Breaks a stream.
    pub const RST: u16 = 8;
}

/// A Yamux frame's head.
#[must_use]
pub fn yamux(kind: u8, flags: u16, stream: u32, length: u32) -> Vec<u8> {
    let mut frame = vec![0, kind];
    frame.extend_from_slice(&flags.to_be_bytes());
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(&length.to_be_bytes());
    frame
}

/// Sends bytes, and says whether they went out.
pub async fn push(stream: &mut Encrypted, bytes: &[u8]) -> bool {
    stream.write_all(bytes).await.is_ok() && stream.flush().await.is_ok()
}

/// Reads until the other side ends it; whether it does.
pub async fn ends(stream: &mut Encrypted) -> bool {
    let mut bytes = [0; 4_096];
    let reading = async { while !matches!(stream.read(&mut bytes).await, Ok(0) | Err(_)) {} };
    within(reading).await.is_ok()
}

/// Somebody who listens where another is expected, with keys of their own, and writes down what they are told.
#[derive(Debug)]
pub struct Trap {
    /// Where it listens.
    pub addr: Multiaddr,
    /// What was said on each connection that is over, decrypted.
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Trap {
    /// Begins to listen.
    ///
    /// # Panics
    /// Where it cannot.
    #[must_use]
    pub fn new() -> Self {
        let (told, addr) = std::sync::mpsc::channel();
        let heard = Arc::<Mutex<Vec<Vec<u8>>>>::default();
        let writing = Arc::clone(&heard);
        runtime().spawn(async move {
            let mut transport = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
            let anywhere = "/ip4/127.0.0.1/tcp/0".parse().expect("an address");
            transport.listen_on(libp2p::core::transport::ListenerId::next(), anywhere).expect("it listens");
            loop {
                match std::future::poll_fn(|cx| std::pin::Pin::new(&mut transport).poll(cx)).await {
                    TransportEvent::NewAddress { listen_addr, .. } => drop(told.send(listen_addr)),
                    TransportEvent::Incoming { upgrade, .. } => {
                        let writing = Arc::clone(&writing);
                        runtime().spawn(async move {
                            let words = match upgrade.await {
                                Ok(stream) => listen(stream).await.unwrap_or_default(),
                                Err(_) => Vec::new(),
                            };
                            writing.lock().unwrap_or_else(PoisonError::into_inner).push(words);
                        });
                    }
                    _ => {}
                }
            }
        });
        Self { addr: addr.recv().expect("it listens"), heard }
    }

    /// What was said on connections that are over.
    #[must_use]
    pub fn heard(&self) -> Vec<Vec<u8>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Default for Trap {
    fn default() -> Self {
        Self::new()
    }
}

/// Takes the handshake with keys of its own, agrees to Yamux, and reads to the end.
async fn listen(mut stream: tcp::tokio::TcpStream) -> Result<Vec<u8>> {
    let other = |error: &dyn std::fmt::Display| std::io::Error::other(error.to_string());
    within(accept(&mut stream)).await??;
    let config = noise::Config::new(&Keypair::generate_ed25519()).map_err(|error| other(&error))?;
    let (_, mut stream) = within(config.upgrade_inbound(stream, "/noise")).await?.map_err(|error| other(&error))?;
    let mut heard = Vec::new();
    drop(within(accept(&mut stream)).await);
    drop(within(stream.read_to_end(&mut heard)).await);
    Ok(heard)
}
