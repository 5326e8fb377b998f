//! The network: one task owns the Swarm; each connection's own task moves the frames of its link.
//!
//! Bytes of peers are counted and cut into frames here, never understood. libp2p's types end at this room's door: the core
//! sees [`PeerId`] and [`Addr`] as bytes. A link is the one `/kith/sync/1` stream of one connection; two peers keep one
//! connection: of two that cross, the one dialed by the smaller peer id stays; of two the same way, the newer.

mod address_limits;
mod behaviour;
mod convert;
mod frames;
mod handler;
mod link;
mod task;

use std::net::{IpAddr, TcpListener, UdpSocket};
use std::time::Duration;

use kith_protocol::id::{Addr, PeerId};
use kith_protocol::node::Link;
use libp2p::Multiaddr;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::limits::{GOODBYE, NET_COMMANDS, NET_THREADS, RELEASE, RELEASE_LOOK};
use crate::queue::DriverQueue;
pub(crate) use convert::peer_bytes;
use link::Links;
use task::{NetCommand, Task};
pub(crate) use task::{NetError, NetOptions};

/// The running network.
#[derive(Debug)]
pub(crate) struct Net {
    commands: mpsc::Sender<NetCommand>,
    links: Links,
    listening: watch::Receiver<Vec<Multiaddr>>,
    external: Vec<Multiaddr>,
    task: JoinHandle<()>,
    /// The network's own, so that nothing of it outlives a lock: QUIC says goodbye for seconds, and holds its port meanwhile.
    runtime: Option<Runtime>,
}

impl Net {
    /// Listens, and moves frames from then on.
    pub(crate) fn start(options: NetOptions, queue: DriverQueue) -> Result<Self, NetError> {
        let links = Links::default();
        let (commands, todo) = mpsc::channel(NET_COMMANDS);
        let (told, listening) = watch::channel(Vec::new());
        let external = options.external.clone();
        let runtime = Builder::new_multi_thread().worker_threads(NET_THREADS).thread_name("net").enable_all().build();
        let runtime = runtime.map_err(|error| NetError::Start(error.to_string()))?;
        let entered = runtime.enter();
        let task = match Task::build(options, queue, links.clone(), todo, told) {
            Ok(task) => tokio::spawn(task.run()),
            Err(error) => {
                drop(entered);
                runtime.shutdown_background();
                return Err(error);
            }
        };
        drop(entered);
        Ok(Self { commands, links, listening, external, task, runtime: Some(runtime) })
    }

    /// What the driver keeps: sends frames, dials, closes.
    pub(crate) fn handle(&self) -> NetHandle {
        NetHandle { commands: self.commands.clone(), links: self.links.clone() }
    }

    /// Addresses listened on now.
    pub(crate) fn listening(&self) -> Vec<Multiaddr> {
        self.listening.borrow().clone()
    }

    /// The first addresses on which this node can be reached, as soon as there are any; empty if there are none for so long.
    /// Blocks.
    pub(crate) fn first_addresses(&self, patience: Duration) -> Vec<Addr> {
        let mut listening = self.listening.clone();
        if let Some(runtime) = &self.runtime {
            let some = async { listening.wait_for(|addrs| !addrs.is_empty()).await.map(drop) };
            drop(runtime.block_on(async { tokio::time::timeout(patience, some).await }));
        }
        task::told(&self.external, &self.listening())
    }

    /// Peers with an open link.
    pub(crate) fn connected(&self) -> usize {
        self.links.peers()
    }

    /// Ends the task; every connection and listener is gone when this returns.
    pub(crate) async fn stop(mut self) {
        let listened = self.listening();
        self.task.abort();
        while !self.task.is_finished() {
            tokio::time::sleep(RELEASE_LOOK).await;
        }
        // Long enough for the goodbyes to leave, not for their answers.
        released(&listened, GOODBYE).await;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        released(&listened, RELEASE).await;
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Waits until the ports are free, so long at most.
async fn released(listened: &[Multiaddr], patience: Duration) {
    let begin = tokio::time::Instant::now();
    while !listened.iter().all(is_free) && begin.elapsed() < patience {
        tokio::time::sleep(RELEASE_LOOK).await;
    }
}

/// Sends frames, dials, closes. Never waits.
#[derive(Clone, Debug)]
pub(crate) struct NetHandle {
    commands: mpsc::Sender<NetCommand>,
    links: Links,
}

impl NetHandle {
    /// Queues one frame. A link that is gone, or whose queue is over its bound, drops it: the link closes then.
    pub(crate) fn send(&self, link: Link, frame: Vec<u8>) {
        self.links.send(link, frame);
    }

    /// Lets a link's frames be as large as they may be.
    pub(crate) fn widen(&self, link: Link) {
        self.links.widen(link);
    }

    /// Closes a link once what is queued was sent.
    pub(crate) fn close(&self, link: Link) {
        self.links.close(link);
    }

    /// Connected to nothing.
    #[cfg(test)]
    pub(crate) fn idle() -> Self {
        Self { commands: mpsc::channel(1).0, links: Links::default() }
    }

    /// Starts a dial; gives the peer back where too many wait.
    pub(crate) fn dial(&self, peer: PeerId, addrs: Vec<Addr>) -> Result<(), PeerId> {
        self.commands.try_send(NetCommand::Dial(peer.clone(), addrs)).map_err(|_| peer)
    }

    /// Closes everything, without waiting for what is queued.
    pub(crate) fn close_all(&self) {
        if self.commands.try_send(NetCommand::CloseAll).is_err() {
            self.links.close_all();
        }
    }
}

/// Could somebody listen there now?
fn is_free(addr: &Multiaddr) -> bool {
    let mut parts = addr.iter();
    let ip = match parts.next() {
        Some(Protocol::Ip4(ip)) => IpAddr::from(ip),
        Some(Protocol::Ip6(ip)) => IpAddr::from(ip),
        _ => return true,
    };
    match parts.next() {
        Some(Protocol::Tcp(port)) => TcpListener::bind((ip, port)).is_ok(),
        Some(Protocol::Udp(port)) => UdpSocket::bind((ip, port)).is_ok(),
        _ => true,
    }
}

/// This install's transport identity, from the bytes in the store.
pub(crate) fn keypair(mut seed: [u8; 32]) -> Option<Keypair> {
    Keypair::ed25519_from_bytes(&mut seed).ok()
}

#[cfg(test)]
mod tests;
