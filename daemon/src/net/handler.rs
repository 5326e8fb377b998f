//! One connection's side of `/kith/sync/1`: opens or takes the one stream, then moves its frames both ways.
//!
//! Runs inside the connection's own task. The dialer opens the stream; the listener takes one and refuses more.

use std::collections::VecDeque;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use futures::{AsyncRead, AsyncWrite, FutureExt};
use kith_protocol::node::Input;
use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::swarm::handler::{ConnectionEvent, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{ConnectionHandler, ConnectionHandlerEvent, Stream, StreamProtocol, SubstreamProtocol};
use tokio::time::{Sleep, sleep};

use super::convert::peer_bytes;
use super::frames::Frames;
use super::link::{Shared, Todo};
use crate::limits::{CLOSING, HANDSHAKE, READ_BYTES, READS_PER_TURN, STREAM_OPENING};
use crate::queue::DriverQueue;

pub(super) const PROTOCOL: StreamProtocol = StreamProtocol::new("/kith/sync/1");

/// What the behaviour tells a handler.
#[derive(Debug)]
pub(super) enum Decision {
    /// The link may be used.
    Accept,
}

/// What a handler tells the behaviour.
#[derive(Debug)]
pub(super) enum Happened {
    /// The stream stands; may it be used?
    Negotiated,
    /// The stream is gone, or never came.
    Ended,
}

type ToDo = ConnectionHandlerEvent<ReadyUpgrade<StreamProtocol>, (), Happened>;

/// The handler.
#[derive(Debug)]
pub(super) struct Handler {
    shared: Arc<Shared>,
    dialer: bool,
    queue: DriverQueue,
    state: State,
    deadline: Pin<Box<Sleep>>,
    tell: VecDeque<Happened>,
}

enum State {
    /// No stream yet. `asked`: the dialer asked for it.
    Opening { asked: bool },
    /// A stream that is not accepted yet.
    Waiting(Stream),
    /// Frames move.
    Moving(Box<Moving>),
    /// Nothing happens here any more.
    Ended,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Opening { .. } => "Opening",
            Self::Waiting(_) => "Waiting",
            Self::Moving(_) => "Moving",
            Self::Ended => "Ended",
        })
    }
}

impl Handler {
    pub(super) fn new(shared: Arc<Shared>, dialer: bool, queue: DriverQueue) -> Self {
        let deadline = Box::pin(sleep(STREAM_OPENING));
        Self { shared, dialer, queue, state: State::Opening { asked: false }, deadline, tell: VecDeque::new() }
    }

    fn negotiated(&mut self, stream: Stream) {
        if matches!(self.state, State::Opening { .. }) {
            self.state = State::Waiting(stream);
            self.tell.push_back(Happened::Negotiated);
        }
    }

    fn accepted(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Ended);
        self.state = match state {
            State::Waiting(stream) => State::Moving(Box::new(Moving::new(stream, &self.shared, self.dialer, self.queue.clone()))),
            State::Opening { .. } | State::Moving(_) | State::Ended => state,
        };
    }

    fn end(&mut self) {
        if !matches!(self.state, State::Ended) {
            self.state = State::Ended;
            self.tell.push_back(Happened::Ended);
        }
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Decision;
    type ToBehaviour = Happened;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ()).with_timeout(HANDSHAKE)
    }

    fn connection_keep_alive(&self) -> bool {
        !matches!(self.state, State::Ended)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToDo> {
        if let Some(happened) = self.tell.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(happened));
        }
        let overdue = |deadline: &mut Pin<Box<Sleep>>, cx: &mut Context<'_>| deadline.as_mut().poll(cx).is_ready();
        let over = match &mut self.state {
            State::Opening { asked } if self.dialer && !*asked => {
                *asked = true;
                let protocol = SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ()).with_timeout(HANDSHAKE);
                return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
            }
            State::Opening { .. } | State::Waiting(_) => overdue(&mut self.deadline, cx),
            State::Moving(moving) => moving.poll(cx).is_ready(),
            State::Ended => false,
        };
        if over {
            self.end();
            return self.poll(cx);
        }
        Poll::Pending
    }

    fn on_behaviour_event(&mut self, event: Decision) {
        match event {
            Decision::Accept => self.accepted(),
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "connections tell of much that does not concern the stream")]
    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Self::InboundProtocol, Self::OutboundProtocol, (), ()>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. }) if !self.dialer => {
                self.negotiated(protocol);
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, .. }) => self.negotiated(protocol),
            ConnectionEvent::DialUpgradeError(_) => self.end(),
            _ => {}
        }
    }
}

/// Is it done?
type Done = Poll<()>;

/// A link in use.
struct Moving {
    stream: Stream,
    shared: Arc<Shared>,
    queue: DriverQueue,
    frames: Frames,
    scratch: Box<[u8]>,
    /// What was read and not cut into frames yet.
    unread: Range<usize>,
    heard: VecDeque<Input>,
    /// The next input waits for room at the driver.
    handing: Option<BoxFuture<'static, bool>>,
    out: Vec<u8>,
    written: usize,
    unflushed: bool,
    finished: bool,
    closing: Option<Pin<Box<Sleep>>>,
}

impl Moving {
    fn new(stream: Stream, shared: &Arc<Shared>, dialer: bool, queue: DriverQueue) -> Self {
        let opened = Input::Opened { link: shared.link, peer: peer_bytes(&shared.peer), dialer };
        Self {
            stream,
            shared: Arc::clone(shared),
            queue,
            frames: Frames::default(),
            scratch: vec![0; READ_BYTES].into(),
            unread: 0..0,
            heard: VecDeque::from([opened]),
            handing: None,
            out: Vec::new(),
            written: 0,
            unflushed: false,
            finished: false,
            closing: None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Done {
        if self.poll_write(cx).is_ready() || self.poll_closing(cx).is_ready() {
            return Poll::Ready(());
        }
        self.poll_read(cx)
    }

    /// Sends what waits; ready when the link is over.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Done {
        loop {
            if self.written == self.out.len() {
                self.out.clear();
                self.written = 0;
                match self.shared.poll(cx, &mut self.out) {
                    Poll::Ready(Todo::Write) => {}
                    Poll::Ready(Todo::Drop) => return Poll::Ready(()),
                    Poll::Ready(Todo::Finish) => return self.poll_finish(cx),
                    Poll::Pending => return self.poll_flush(cx),
                }
            }
            let rest = self.out.get(self.written..).unwrap_or_default();
            match Pin::new(&mut self.stream).poll_write(cx, rest) {
                Poll::Ready(Ok(bytes @ 1..)) => {
                    self.written += bytes;
                    self.unflushed = true;
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Ready only where flushing failed.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Done {
        if self.unflushed {
            match Pin::new(&mut self.stream).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => {}
            }
        }
        Poll::Pending
    }

    /// Closes our half. The peer reads what is left and closes the rest: closing the connection now would lose it.
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Done {
        if !self.finished {
            match Pin::new(&mut self.stream).poll_close(cx) {
                Poll::Ready(Ok(())) => self.finished = true,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => {}
            }
        }
        Poll::Pending
    }

    /// A link that should close has so long to send the rest.
    fn poll_closing(&mut self, cx: &mut Context<'_>) -> Done {
        if self.closing.is_none() && self.shared.closing() {
            self.closing = Some(Box::pin(sleep(CLOSING)));
        }
        self.closing.as_mut().map_or(Poll::Pending, |deadline| deadline.as_mut().poll(cx))
    }

    /// Reads and hands over, one frame after the other; ready when the link is over.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Done {
        for _ in 0..READS_PER_TURN {
            match self.poll_hand_over(cx) {
                Poll::Ready(true) => {}
                Poll::Ready(false) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
            let wide = self.shared.is_wide();
            if self.frames.waits(wide) {
                // Widening wakes us; so does the end of the link, which comes where nothing is ever proved.
                return Poll::Pending;
            }
            if self.unread.is_empty() {
                match Pin::new(&mut self.stream).poll_read(cx, &mut self.scratch) {
                    Poll::Ready(Ok(bytes @ 1..)) => self.unread = 0..bytes,
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
            let came = self.scratch.get(self.unread.clone()).unwrap_or_default();
            let mut frames = Vec::new();
            match self.frames.take(came, wide, &mut frames) {
                Ok(taken) => self.unread.start += taken,
                Err(error) => {
                    tracing::info!("a peer was dropped: {error}");
                    return Poll::Ready(());
                }
            }
            if self.closing.is_none() {
                let link = self.shared.link;
                self.heard.extend(frames.into_iter().map(|frame| Input::Bytes(link, frame)));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Hands what was heard to the driver. Ready: all of it (`true`), or the driver is gone.
    fn poll_hand_over(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        loop {
            if let Some(handing) = &mut self.handing {
                match handing.poll_unpin(cx) {
                    Poll::Ready(true) => self.handing = None,
                    Poll::Ready(false) => return Poll::Ready(false),
                    Poll::Pending => return Poll::Pending,
                }
            }
            let Some(input) = self.heard.pop_front() else { return Poll::Ready(true) };
            let (queue, shared) = (self.queue.clone(), Arc::clone(&self.shared));
            self.handing = Some(hand_over(queue, shared, input).boxed());
        }
    }
}

async fn hand_over(queue: DriverQueue, shared: Arc<Shared>, input: Input) -> bool {
    let bytes = if let Input::Bytes(_, frame) = &input { u32::try_from(frame.len()).unwrap_or(u32::MAX) } else { 0 };
    let Some(room) = queue.room_for(bytes).await else { return false };
    shared.announced.store(true, Ordering::Release);
    room.hear(input);
    true
}
