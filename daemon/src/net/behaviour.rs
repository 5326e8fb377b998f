//! Which connections become links: at most one a peer, decided alike on both sides.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    CloseConnection, ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

use super::address_limits::AddressLimits;
use super::handler::{Decision, Handler, Happened};
use super::link::{Links, Shared};
use crate::queue::DriverQueue;

/// What the task must hear of.
#[derive(Debug)]
pub(super) enum SyncEvent {
    /// A link with this peer stands.
    Up(PeerId),
    /// A link that the driver knows is gone.
    Down(kith_protocol::node::Link),
}

#[derive(Debug)]
struct Conn {
    shared: Arc<Shared>,
    dialer: bool,
}

/// The `/kith/sync/1` behaviour.
#[derive(Debug)]
pub(super) struct Sync {
    me: PeerId,
    links: Links,
    queue: DriverQueue,
    conns: BTreeMap<ConnectionId, Conn>,
    /// The connection that carries a peer's link.
    chosen: BTreeMap<PeerId, ConnectionId>,
    todo: VecDeque<ToSwarm<SyncEvent, Decision>>,
    waker: Option<Waker>,
    limits: AddressLimits,
}

impl Sync {
    pub(super) fn new(me: PeerId, links: Links, queue: DriverQueue) -> Self {
        Self {
            me,
            links,
            queue,
            conns: BTreeMap::new(),
            chosen: BTreeMap::new(),
            todo: VecDeque::new(),
            waker: None,
            limits: AddressLimits::default(),
        }
    }

    fn handler(&mut self, id: ConnectionId, peer: PeerId, dialer: bool) -> Handler {
        let shared = self.links.name(peer);
        self.conns.insert(id, Conn { shared: Arc::clone(&shared), dialer });
        Handler::new(shared, dialer, self.queue.clone())
    }

    /// Closes every connection, those without a link too.
    pub(super) fn close_all(&mut self) {
        self.links.close_all();
        let all: Vec<_> = self.conns.iter().map(|(id, conn)| (conn.shared.peer, *id)).collect();
        for (peer, id) in all {
            self.close(peer, id);
        }
    }

    fn push(&mut self, todo: ToSwarm<SyncEvent, Decision>) {
        self.todo.push_back(todo);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn close(&mut self, peer_id: PeerId, id: ConnectionId) {
        self.push(ToSwarm::CloseConnection { peer_id, connection: CloseConnection::One(id) });
    }

    fn negotiated(&mut self, peer: PeerId, id: ConnectionId) {
        let Some(Conn { shared, dialer: mine }) = self.conns.get(&id) else { return };
        let (shared, mine) = (Arc::clone(shared), *mine);
        let rival = self.chosen.get(&peer).and_then(|old| self.conns.get(old).map(|conn| (*old, conn.dialer)));
        match rival {
            Some((_, dialer)) if dialer != mine && !dialed_by_smaller(&self.me, &peer, mine) => {
                return self.close(peer, id);
            }
            Some((old, _)) => self.close(peer, old),
            None => {}
        }
        self.links.open(&shared);
        self.chosen.insert(peer, id);
        let handler = NotifyHandler::One(id);
        self.push(ToSwarm::NotifyHandler { peer_id: peer, handler, event: Decision::Accept });
        self.push(ToSwarm::GenerateEvent(SyncEvent::Up(peer)));
    }

    fn closed(&mut self, peer: PeerId, id: ConnectionId) {
        self.limits.end(id);
        let Some(conn) = self.conns.remove(&id) else { return };
        self.links.forget(conn.shared.link);
        if self.chosen.get(&peer) == Some(&id) {
            self.chosen.remove(&peer);
        }
        if conn.shared.is_announced() {
            self.push(ToSwarm::GenerateEvent(SyncEvent::Down(conn.shared.link)));
        }
    }
}

/// Was a connection dialed by the one with the smaller id? Both sides agree on it.
fn dialed_by_smaller(me: &PeerId, peer: &PeerId, dialer: bool) -> bool {
    (me < peer) == dialer
}

impl NetworkBehaviour for Sync {
    type ConnectionHandler = Handler;
    type ToSwarm = SyncEvent;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        _: &Multiaddr,
        from: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.limits.begin(id, from)
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        from: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.limits.establish(id, from)?;
        Ok(self.handler(id, peer, false))
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(id, peer, true))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the swarm tells of much that does not concern links")]
    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, .. }) => self.closed(peer_id, connection_id),
            // A later behaviour denied what this one had taken.
            FromSwarm::DialFailure(failure) => drop(self.conns.remove(&failure.connection_id)),
            FromSwarm::ListenFailure(failure) => {
                self.limits.end(failure.connection_id);
                self.conns.remove(&failure.connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {
            Happened::Negotiated => self.negotiated(peer, id),
            Happened::Ended => self.close(peer, id),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<SyncEvent, THandlerInEvent<Self>>> {
        if let Some(todo) = self.todo.pop_front() {
            return Poll::Ready(todo);
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_keep_the_same_of_two_crossing_connections() {
        let (a, b) = (PeerId::random(), PeerId::random());
        // `a` dialed the first: it is the dialer there, `b` is not. `b` dialed the second.
        assert_eq!(dialed_by_smaller(&a, &b, true), dialed_by_smaller(&b, &a, false));
        assert_eq!(dialed_by_smaller(&a, &b, false), dialed_by_smaller(&b, &a, true));
        assert_ne!(dialed_by_smaller(&a, &b, true), dialed_by_smaller(&a, &b, false));
    }
}
