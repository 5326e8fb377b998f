//! The task that owns the Swarm: translates its events for the driver, and the driver's dials for it.
//!
//! Waits for nothing but its own select: what the driver has no room for yet waits in a short queue.

use std::collections::{BTreeMap, VecDeque};

use futures::StreamExt;
use kith_protocol::id::{Addr, PeerId as CorePeer};
use kith_protocol::limits::ADDRESSES;
use kith_protocol::node::Input;
use libp2p::core::multiaddr::Protocol;
use libp2p::identity::Keypair;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{NetworkBehaviour, Swarm, SwarmEvent};
use libp2p::{Multiaddr, PeerId, SwarmBuilder, connection_limits, identify, memory_connection_limits, noise, ping, tcp, yamux};
use tokio::sync::{mpsc, watch};

use super::behaviour::{Sync, SyncEvent};
use super::convert::{addr_bytes, multiaddr, peer_bytes, peer_id};
use super::link::Links;
use crate::address::Transports;
use crate::limits;
use crate::queue::DriverQueue;

/// What the driver asks of the network task.
#[derive(Debug)]
pub(crate) enum NetCommand {
    Dial(CorePeer, Vec<Addr>),
    /// Close every connection: the machine slept, or the node forgot its sessions.
    CloseAll,
}

/// Why the network does not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetError {
    /// An address is not to be had.
    #[error("cannot listen on {addr}: {reason}")]
    Listen {
        /// Which.
        addr: String,
        /// What the operating system said.
        reason: String,
    },
    /// A transport did not start.
    #[error("the network does not start: {0}")]
    Start(String),
}

/// What is needed to start.
#[derive(Debug)]
pub(crate) struct NetOptions {
    pub(crate) keypair: Keypair,
    pub(crate) listen: Vec<Multiaddr>,
    /// Where others reach this computer from outside, besides.
    pub(crate) external: Vec<Multiaddr>,
    pub(crate) transports: Transports,
    /// Is every listen address needed? Else IPv6 may be missing.
    pub(crate) strict: bool,
}

/// Everything that lives on a connection. Limits come first: what they deny, the others never see.
#[derive(NetworkBehaviour)]
#[behaviour(to_swarm = "Event")]
struct Behaviour {
    limits: connection_limits::Behaviour,
    memory: memory_connection_limits::Behaviour,
    ping: ping::Behaviour,
    identify: identify::Behaviour,
    sync: Sync,
}

#[derive(Debug)]
enum Event {
    Sync(SyncEvent),
    Ping(ping::Event),
    Quiet,
}

impl From<SyncEvent> for Event {
    fn from(event: SyncEvent) -> Self {
        Self::Sync(event)
    }
}

impl From<ping::Event> for Event {
    fn from(event: ping::Event) -> Self {
        Self::Ping(event)
    }
}

impl From<identify::Event> for Event {
    fn from(_: identify::Event) -> Self {
        Self::Quiet
    }
}

impl From<std::convert::Infallible> for Event {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

/// A dial that is not answered yet.
enum Wish {
    /// Under way.
    Dialed,
    /// A connection is there: dial these once it is gone, unless it brings a link.
    After(Vec<Multiaddr>),
}

/// The task.
pub(super) struct Task {
    swarm: Swarm<Behaviour>,
    queue: DriverQueue,
    todo: mpsc::Receiver<NetCommand>,
    told: watch::Sender<Vec<Multiaddr>>,
    external: Vec<Multiaddr>,
    transports: Transports,
    /// Dials that the core waits for an answer to.
    wishes: BTreeMap<PeerId, Wish>,
    /// For the driver, in order.
    waiting: VecDeque<Input>,
}

impl Task {
    pub(super) fn build(
        options: NetOptions,
        queue: DriverQueue,
        links: Links,
        todo: mpsc::Receiver<NetCommand>,
        told: watch::Sender<Vec<Multiaddr>>,
    ) -> Result<Self, NetError> {
        let NetOptions { keypair, listen, external, transports, strict } = options;
        let mut swarm = swarm(keypair, queue.clone(), links)?;
        for addr in listen {
            let optional = !strict && matches!(addr.iter().next(), Some(Protocol::Ip6(_)));
            if let Err(error) = listen_on(&mut swarm, &addr) {
                if !optional {
                    return Err(error);
                }
                tracing::info!("no IPv6 here");
            }
        }
        Ok(Self { swarm, queue, todo, told, external, transports, wishes: BTreeMap::new(), waiting: VecDeque::new() })
    }

    pub(super) async fn run(mut self) {
        let queue = self.queue.clone();
        loop {
            tokio::select! {
                biased;
                room = queue.room(), if !self.waiting.is_empty() => {
                    let Some(room) = room else { return };
                    if let Some(input) = self.waiting.pop_front() {
                        room.hear(input);
                    }
                }
                command = self.todo.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return,
                },
                event = self.swarm.select_next_some() => self.translate(event),
            }
        }
    }

    fn obey(&mut self, command: NetCommand) {
        match command {
            NetCommand::Dial(peer, addrs) => self.dial(peer, &addrs),
            NetCommand::CloseAll => self.swarm.behaviour_mut().sync.close_all(),
        }
    }

    fn dial(&mut self, peer: CorePeer, addrs: &[Addr]) {
        let addrs: Vec<_> =
            addrs.iter().filter_map(multiaddr).filter(|addr| self.transports.take(addr)).take(limits::DIAL_ADDRESSES).collect();
        let Some(id) = peer_id(&peer).filter(|_| !addrs.is_empty()) else {
            return self.waiting.push_back(Input::Failed(peer));
        };
        if self.wishes.contains_key(&id) {
            return;
        }
        if self.swarm.is_connected(&id) {
            // A link that is on its way answers; one that is on its way out makes room for a new one.
            self.wishes.insert(id, Wish::After(addrs));
        } else {
            self.dial_now(id, addrs);
        }
    }

    fn dial_now(&mut self, peer: PeerId, addrs: Vec<Multiaddr>) {
        self.wishes.insert(peer, Wish::Dialed);
        let options = DialOpts::peer_id(peer).condition(PeerCondition::Always).addresses(addrs).build();
        if self.swarm.dial(options).is_err() {
            self.failed(peer);
        }
    }

    fn failed(&mut self, peer: PeerId) {
        if self.wishes.remove(&peer).is_some() {
            self.waiting.push_back(Input::Failed(peer_bytes(&peer)));
        }
    }

    /// The last connection with a peer is gone.
    fn disconnected(&mut self, peer: PeerId) {
        match self.wishes.remove(&peer) {
            Some(Wish::After(addrs)) => self.dial_now(peer, addrs),
            Some(Wish::Dialed) => self.waiting.push_back(Input::Failed(peer_bytes(&peer))),
            None => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the swarm tells of much that the core need not know")]
    fn translate(&mut self, event: SwarmEvent<Event>) {
        match event {
            SwarmEvent::Behaviour(Event::Sync(SyncEvent::Up(peer))) => drop(self.wishes.remove(&peer)),
            SwarmEvent::Behaviour(Event::Sync(SyncEvent::Down(link))) => self.waiting.push_back(Input::Closed(link)),
            SwarmEvent::Behaviour(Event::Ping(ping::Event { connection, result: Err(_), .. })) => {
                self.swarm.close_connection(connection);
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => self.disconnected(peer_id),
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), .. } if !self.swarm.is_connected(&peer) => {
                self.failed(peer);
            }
            SwarmEvent::NewListenAddr { .. } | SwarmEvent::ExpiredListenAddr { .. } => self.listening(),
            SwarmEvent::ListenerError { error, .. } => tracing::warn!("a listener: {}", error.kind()),
            SwarmEvent::ListenerClosed { reason: Err(error), .. } => {
                tracing::error!("a listener ended: {}", error.kind());
                self.listening();
            }
            _ => {}
        }
    }

    /// Tells the driver all addresses; of too many, loopback and one of each kind go first.
    fn listening(&mut self) {
        let mut addrs: Vec<_> = self.swarm.listeners().cloned().collect();
        addrs.sort_by_key(rank);
        self.told.send_replace(addrs.clone());
        self.waiting.retain(|input| !matches!(input, Input::Listening(_)));
        self.waiting.push_back(Input::Listening(told(&self.external, &addrs)));
    }
}

/// As many of these addresses as the core keeps; those from outside first, since they are what somebody asked for.
pub(super) fn told(external: &[Multiaddr], addrs: &[Multiaddr]) -> Vec<Addr> {
    let others = addrs.iter().filter(|addr| !external.contains(addr));
    external.iter().chain(others).take(ADDRESSES).map(addr_bytes).collect()
}

/// IPv4 before IPv6, since more networks route it; link-local addresses last, since they mean nothing elsewhere.
fn rank(addr: &Multiaddr) -> u8 {
    match addr.iter().next() {
        Some(Protocol::Ip4(ip)) if ip.is_link_local() => 3,
        Some(Protocol::Ip4(_)) => 0,
        Some(Protocol::Ip6(ip)) if ip.is_unicast_link_local() => 4,
        Some(Protocol::Ip6(ip)) if ip.is_loopback() => 2,
        _ => 1,
    }
}

fn listen_on(swarm: &mut Swarm<Behaviour>, addr: &Multiaddr) -> Result<(), NetError> {
    swarm
        .listen_on(addr.clone())
        .map(drop)
        .map_err(|error| NetError::Listen { addr: addr.to_string(), reason: error.to_string() })
}

fn swarm(keypair: Keypair, queue: DriverQueue, links: Links) -> Result<Swarm<Behaviour>, NetError> {
    let start = |error: &dyn std::error::Error| NetError::Start(error.to_string());
    let me = keypair.public().to_peer_id();
    let behaviour = Behaviour {
        limits: connection_limits::Behaviour::new(connection_limits()),
        memory: memory_connection_limits::Behaviour::with_max_bytes(limits::MEMORY_BYTES),
        ping: ping::Behaviour::new(ping::Config::new().with_interval(limits::PING).with_timeout(limits::PING_TIMEOUT)),
        identify: identify::Behaviour::new(
            identify::Config::new("kith/1".to_owned(), keypair.public())
                .with_agent_version("kith".to_owned())
                .with_hide_listen_addrs(true)
                .with_interval(limits::IDENTIFY)
                .with_cache_size(0),
        ),
        sync: Sync::new(me, links, queue),
    };
    let muxer = || {
        let mut config = yamux::Config::default();
        config.set_max_num_streams(limits::STREAMS);
        config
    };
    let swarm = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, muxer)
        .map_err(|error| start(&error))?
        .with_quic_config(|mut config| {
            config.handshake_timeout = limits::HANDSHAKE;
            config.max_concurrent_stream_limit = u32::try_from(limits::STREAMS).unwrap_or(u32::MAX);
            config.max_stream_data = limits::STREAM_WINDOW_BYTES;
            config.max_connection_data = limits::CONNECTION_WINDOW_BYTES;
            config.max_idle_timeout = limits::IDLE_MILLIS;
            config.keep_alive_interval = limits::PING;
            config
        })
        .with_behaviour(|_| behaviour)
        .map_err(|_| NetError::Start("its behaviour does not fit".to_owned()))?
        .with_swarm_config(|config| config.with_max_negotiating_inbound_streams(limits::STREAMS))
        .with_connection_timeout(limits::HANDSHAKE)
        .build();
    Ok(swarm)
}

fn connection_limits() -> connection_limits::ConnectionLimits {
    connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(limits::PENDING_IN))
        .with_max_pending_outgoing(Some(limits::PENDING_OUT))
        .with_max_established_incoming(Some(limits::CONNECTIONS_IN))
        .with_max_established(Some(limits::CONNECTIONS))
        .with_max_established_per_peer(Some(limits::CONNECTIONS_PER_PEER))
}
