//! Links as the rest of the daemon sees them: a name, a queue of frames to send, and whether they are to close.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures::task::AtomicWaker;
use kith_protocol::node::Link;
use libp2p::PeerId;

use super::frames;
use crate::limits::{SEND_QUEUE_BYTES, WRITE_BYTES};

/// One link: shared by its connection's handler, which sends, and anyone who queues.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) link: Link,
    pub(super) peer: PeerId,
    /// Was the driver told that it is open, so that it must hear that it closed?
    pub(super) announced: AtomicBool,
    /// May frames be larger than a hello?
    wide: AtomicBool,
    queue: Mutex<Queue>,
    waker: AtomicWaker,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Vec<u8>>,
    bytes: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    /// Send what is queued, then close.
    Draining,
    /// Close now.
    Dropped,
}

/// What a handler finds to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Todo {
    /// Bytes to write were appended.
    Write,
    /// Nothing is left, and the link is to close.
    Finish,
    /// Close at once.
    Drop,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends waiting frames to `out`, as many as make one good write.
    pub(super) fn poll(&self, cx: &Context<'_>, out: &mut Vec<u8>) -> Poll<Todo> {
        self.waker.register(cx.waker());
        let mut queue = self.lock();
        if queue.state == State::Dropped {
            return Poll::Ready(Todo::Drop);
        }
        let before = out.len();
        while out.len() < WRITE_BYTES {
            let Some(frame) = queue.frames.pop_front() else { break };
            queue.bytes = queue.bytes.saturating_sub(frame.len());
            frames::put(out, &frame);
        }
        match (out.len() > before, queue.state) {
            (true, _) => Poll::Ready(Todo::Write),
            (false, State::Draining) => Poll::Ready(Todo::Finish),
            (false, _) => Poll::Pending,
        }
    }

    /// Is it to close, at once or after what is queued?
    pub(super) fn closing(&self) -> bool {
        self.lock().state != State::Open
    }

    fn send(&self, frame: Vec<u8>) {
        let mut queue = self.lock();
        if queue.state == State::Open {
            queue.bytes += frame.len();
            queue.frames.push_back(frame);
            if queue.bytes > SEND_QUEUE_BYTES {
                queue.state = State::Dropped;
                queue.frames.clear();
                tracing::warn!("a peer takes nothing; its connection is closed");
            }
        }
        drop(queue);
        self.waker.wake();
    }

    fn close(&self, state: State) {
        let mut queue = self.lock();
        if queue.state != State::Dropped {
            queue.state = state;
        }
        drop(queue);
        self.waker.wake();
    }

    pub(super) fn drop_now(&self) {
        self.close(State::Dropped);
    }

    fn widen(&self) {
        self.wide.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// May frames be larger than a hello? The handler is woken when they may.
    pub(super) fn is_wide(&self) -> bool {
        self.wide.load(Ordering::Acquire)
    }

    pub(super) fn is_announced(&self) -> bool {
        self.announced.load(Ordering::Acquire)
    }
}

/// All links of a running network.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links {
    open: Arc<Mutex<BTreeMap<Link, Arc<Shared>>>>,
    next: Arc<AtomicU64>,
}

impl Links {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Link, Arc<Shared>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A link for a new connection; nobody can send on it before [`Links::open`].
    pub(super) fn name(&self, peer: PeerId) -> Arc<Shared> {
        let link = Link(self.next.fetch_add(1, Ordering::Relaxed) + 1);
        let (announced, wide, queue, waker) =
            (AtomicBool::new(false), AtomicBool::new(false), Mutex::default(), AtomicWaker::new());
        Arc::new(Shared { link, peer, announced, wide, queue, waker })
    }

    pub(super) fn open(&self, shared: &Arc<Shared>) {
        self.lock().insert(shared.link, Arc::clone(shared));
    }

    pub(super) fn forget(&self, link: Link) {
        self.lock().remove(&link);
    }

    pub(crate) fn send(&self, link: Link, frame: Vec<u8>) {
        if let Some(shared) = self.lock().get(&link) {
            shared.send(frame);
        }
    }

    pub(crate) fn widen(&self, link: Link) {
        if let Some(shared) = self.lock().get(&link) {
            shared.widen();
        }
    }

    pub(crate) fn close(&self, link: Link) {
        if let Some(shared) = self.lock().get(&link) {
            shared.close(State::Draining);
        }
    }

    pub(crate) fn close_all(&self) {
        self.lock().values().for_each(|shared| shared.drop_now());
    }

    pub(crate) fn peers(&self) -> usize {
        self.lock().values().map(|shared| shared.peer).collect::<BTreeSet<_>>().len()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn link() -> (Links, Arc<Shared>) {
        let links = Links::default();
        let shared = links.name(PeerId::random());
        links.open(&shared);
        (links, shared)
    }

    #[test]
    fn queued_frames_leave_in_one_write_and_then_it_closes() {
        let (links, shared) = link();
        let cx = Context::from_waker(Waker::noop());
        let mut out = Vec::new();
        assert_eq!(shared.poll(&cx, &mut out), Poll::Pending);
        links.send(shared.link, b"ab".to_vec());
        links.send(shared.link, b"c".to_vec());
        links.close(shared.link);
        links.send(shared.link, b"too late".to_vec());
        assert_eq!(shared.poll(&cx, &mut out), Poll::Ready(Todo::Write));
        assert_eq!(out, b"\0\0\0\x02ab\0\0\0\x01c");
        assert_eq!(shared.poll(&cx, &mut out), Poll::Ready(Todo::Finish));
    }

    #[test]
    fn a_link_is_narrow_until_it_is_widened() {
        let (links, shared) = link();
        assert!(!shared.is_wide());
        links.widen(shared.link);
        assert!(shared.is_wide());
    }

    #[test]
    fn a_peer_that_takes_nothing_is_dropped() {
        let (links, shared) = link();
        for _ in 0..=SEND_QUEUE_BYTES >> 20 {
            links.send(shared.link, vec![0; 1 << 20]);
        }
        let cx = Context::from_waker(Waker::noop());
        assert_eq!(shared.poll(&cx, &mut Vec::new()), Poll::Ready(Todo::Drop));
    }
}
