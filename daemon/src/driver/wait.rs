//! Waiting on the driver's own thread. A runtime's timer would wake one of its threads at each wait, which a live note feels.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

/// What came of waiting.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<T> {
    /// Something arrived.
    Event(T),
    /// Nothing did.
    Nothing,
    /// Nothing will any more.
    Ended,
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

/// For [`next`] on the calling thread.
pub(super) fn unparks_this_thread() -> Waker {
    Waker::from(Arc::new(Unpark(std::thread::current())))
}

/// The next of these events, waited for so long at most.
pub(super) fn next<T>(events: &mut mpsc::Receiver<T>, waker: &Waker, patience: Duration) -> Next<T> {
    let start = Instant::now();
    loop {
        match events.poll_recv(&mut Context::from_waker(waker)) {
            Poll::Ready(Some(event)) => return Next::Event(event),
            Poll::Ready(None) => return Next::Ended,
            Poll::Pending => {}
        }
        match patience.checked_sub(start.elapsed()) {
            Some(left) if !left.is_zero() => std::thread::park_timeout(left),
            _ => return Next::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_for_an_event_for_the_end_or_for_the_time_given() {
        let waker = unparks_this_thread();
        let (send, mut events) = mpsc::channel(1);
        assert_eq!(next(&mut events, &waker, Duration::ZERO), Next::Nothing);
        assert_eq!(next(&mut events, &waker, Duration::from_millis(1)), Next::Nothing);
        let sender = std::thread::spawn(move || {
            for number in 0..100 {
                send.blocking_send(number).expect("somebody waits");
            }
        });
        for number in 0..100 {
            assert_eq!(next(&mut events, &waker, Duration::from_secs(60)), Next::Event(number));
        }
        assert_eq!(next(&mut events, &waker, Duration::from_secs(60)), Next::Ended);
        sender.join().expect("sent all");
    }
}
