//! A member's machine inside the test: the real core over a store in memory, on real connections. What it hears and says is
//! written down; it can be made deaf, so that only the test speaks for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::{AsyncReadExt, AsyncWriteExt};
use kith_protocol::control;
use kith_protocol::crypto::{Real, Seeded};
use kith_protocol::id::{Addr, PeerId};
use kith_protocol::node::{Answer, CallId, Command, Effect, Env, Input, Link, Node};
use kith_protocol::store::{MemoryStore, Store};
use kith_protocol::time::Millis;
use kith_protocol::tx::Turn;
use libp2p::Multiaddr;
use libp2p::core::muxing::SubstreamBox;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use tokio::sync::mpsc;

use super::wire::{Connection, Manners, SYNC, framed, is_quic, read_frame, runtime};

/// How often the core is asked whether something is due.
const TICK: Duration = Duration::from_millis(20);

/// The wall clock.
pub(super) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Numbers that differ in every process and for every peer.
pub(super) fn fresh_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}

/// One stream and what went over it.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) out: Option<mpsc::UnboundedSender<Vec<u8>>>,
    pub(super) heard: Vec<Vec<u8>>,
    pub(super) said: Vec<Vec<u8>>,
    /// Stands as long as somebody holds it.
    connection: Connection,
}

impl Stream {
    /// Who is at the other end.
    pub(super) fn other_end(&self) -> Vec<u8> {
        self.connection.peer.to_bytes()
    }
}

/// What a peer knows and holds.
#[derive(Debug)]
pub(super) struct State {
    pub(super) node: Node,
    pub(super) store: MemoryStore,
    pub(super) rng: Seeded,
    pub(super) streams: BTreeMap<Link, Stream>,
    pub(super) replies: BTreeMap<CallId, Result<Answer, control::Error>>,
    pub(super) manners: Manners,
    /// Prefer QUIC where both are offered?
    pub(super) quic: bool,
    /// Is what comes in kept from the core?
    pub(super) deaf: bool,
    /// May the core call anybody?
    pub(super) calls: bool,
    next: u64,
    gone: bool,
}

/// The machine.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) keys: Keypair,
    pub(super) id: PeerId,
    state: Mutex<State>,
}

impl Member {
    pub(super) fn new() -> Arc<Self> {
        let keys = Keypair::generate_ed25519();
        let id = PeerId(keys.public().to_peer_id().to_bytes());
        let store = MemoryStore::default();
        let node = Node::open(&store, &Real, id.clone()).expect("an empty store opens");
        let state = State {
            node,
            store,
            rng: Seeded::new(fresh_seed()),
            streams: BTreeMap::new(),
            replies: BTreeMap::new(),
            manners: Manners::default(),
            quic: false,
            deaf: false,
            calls: true,
            next: 0,
            gone: false,
        };
        let member = Arc::new(Self { keys, id, state: Mutex::new(state) });
        runtime().spawn(tick(Arc::downgrade(&member)));
        member
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all of it.
    pub(super) fn leave(&self) {
        let mut state = self.lock();
        state.gone = true;
        state.streams.clear();
    }

    /// Asks the core something; its name.
    pub(super) fn call(self: &Arc<Self>, command: Command) -> CallId {
        let mut state = self.lock();
        state.next += 1;
        let call = CallId(state.next);
        self.turn(&mut state, Input::Call(call, command));
        call
    }

    pub(super) fn feed(self: &Arc<Self>, input: Input) {
        self.turn(&mut self.lock(), input);
    }

    /// One input, one commit, its effects.
    fn turn(self: &Arc<Self>, state: &mut State, input: Input) {
        let mut batch = Turn::default();
        let mut env = Env { now: now(), rng: &mut state.rng, crypto: &Real, peer: &self.id };
        state.node.handle(&mut env, &state.store, &mut batch, input).expect("memory does not fail");
        state.store.commit(&batch.writes).expect("memory does not fail");
        for effect in batch.effects {
            self.perform(state, effect);
        }
    }

    fn perform(self: &Arc<Self>, state: &mut State, effect: Effect) {
        match effect {
            Effect::Reply(call, reply) => drop(state.replies.insert(call, reply)),
            Effect::Send(link, frame) => say(state, link, frame),
            Effect::Dial(peer, addrs) => {
                let addr = pick(&addrs, state.quic).filter(|_| state.calls && !state.gone);
                runtime().spawn(meet(Arc::clone(self), Some(peer), addr));
            }
            Effect::Close(link) => {
                if let Some(stream) = state.streams.get_mut(&link) {
                    stream.out = None;
                }
            }
            Effect::Widen(_) | Effect::Notify(_) | Effect::Scrub | Effect::Log(..) => {}
        }
    }

    /// A stream stands: it is served until it ends.
    fn opened(self: &Arc<Self>, peer: PeerId, connection: Connection, stream: SubstreamBox) {
        let mut state = self.lock();
        if state.gone {
            return;
        }
        state.next += 1;
        let link = Link(state.next);
        let (out, lines) = mpsc::unbounded_channel();
        let opened = Stream { out: Some(out), heard: Vec::new(), said: Vec::new(), connection };
        state.streams.insert(link, opened);
        let (reading, writing) = stream.split();
        runtime().spawn(write(writing, lines));
        runtime().spawn(read(Arc::clone(self), link, reading));
        self.turn(&mut state, Input::Opened { link, peer, dialer: true });
    }

    fn heard(self: &Arc<Self>, link: Link, frame: Vec<u8>) {
        let mut state = self.lock();
        let Some(stream) = state.streams.get_mut(&link) else { return };
        stream.heard.push(frame.clone());
        if !state.deaf {
            self.turn(&mut state, Input::Bytes(link, frame));
        }
    }

    /// A stream is over, on either side's wish.
    pub(super) fn closed(self: &Arc<Self>, link: Link) {
        let mut state = self.lock();
        if state.streams.remove(&link).is_some() {
            self.turn(&mut state, Input::Closed(link));
        }
    }
}

/// Sends a frame on a link, if it is still there.
pub(super) fn say(state: &mut State, link: Link, frame: Vec<u8>) {
    if let Some(stream) = state.streams.get_mut(&link) {
        stream.said.push(frame.clone());
        if let Some(out) = &stream.out {
            // A stream that ended says so by itself.
            drop(out.send(framed(&frame)));
        }
    }
}

/// Of the addresses offered, the one on this machine that is of the wanted transport.
pub(super) fn pick(addrs: &[Addr], quic: bool) -> Option<Multiaddr> {
    let addrs = addrs.iter().filter_map(|addr| Multiaddr::try_from(addr.0.clone()).ok());
    let here = |addr: &Multiaddr| addr.iter().any(|part| matches!(part, Protocol::Ip4(ip) if ip.is_loopback()));
    addrs.filter(here).find(|addr| is_quic(addr) == quic)
}

/// Opens a stream at an address. `peer`: whom the core wants there.
pub(super) async fn meet(member: Arc<Member>, peer: Option<PeerId>, addr: Option<Multiaddr>) {
    let failed = |member: &Arc<Member>| {
        if let Some(peer) = peer {
            member.feed(Input::Failed(peer));
        }
    };
    let Some(addr) = addr else { return failed(&member) };
    let manners = member.lock().manners.clone();
    let met = async {
        let connection = Connection::dial(&member.keys, &addr, manners).await?;
        let stream = connection.open(SYNC).await?;
        std::io::Result::Ok((connection, stream))
    };
    match met.await {
        Ok((connection, stream)) => member.opened(PeerId(connection.peer.to_bytes()), connection, stream),
        Err(_) => failed(&member),
    }
}

async fn write(mut stream: impl futures::AsyncWrite + Unpin, mut lines: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(line) = lines.recv().await {
        if stream.write_all(&line).await.is_err() {
            return;
        }
        if lines.is_empty() && stream.flush().await.is_err() {
            return;
        }
    }
    // The other side hears it from its end of the stream.
    drop(stream.close().await);
}

async fn read(member: Arc<Member>, link: Link, mut stream: impl futures::AsyncRead + Unpin) {
    while let Ok(frame) = read_frame(&mut stream).await {
        member.heard(link, frame);
    }
    member.closed(link);
}

async fn tick(member: std::sync::Weak<Member>) {
    let mut interval = tokio::time::interval(TICK);
    loop {
        interval.tick().await;
        let Some(member) = member.upgrade() else { return };
        let mut state = member.lock();
        if state.gone {
            return;
        }
        if !state.deaf && matches!(state.node.deadline(&state.store), Ok(Some(due)) if due <= now()) {
            member.turn(&mut state, Input::Tick);
        }
    }
}
