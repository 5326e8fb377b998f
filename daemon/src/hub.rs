//! Who watches, and what they may have missed: events of ids, kept in a bounded buffer, never content.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use kith_protocol::control::WatchEvent;
use rand_core::Rng;
use tokio::sync::broadcast;

use crate::limits::WATCH_EVENTS;
use crate::random::Random;

/// One event and its number in this run.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    pub(crate) number: u64,
    pub(crate) event: WatchEvent,
}

/// Where events are published and watched. Dropping it ends all watching.
#[derive(Debug)]
pub(crate) struct Hub {
    /// Tells ids of this run from those of an earlier one.
    run: u32,
    inner: Mutex<Inner>,
    live: broadcast::Sender<Arc<Numbered>>,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    recent: VecDeque<Arc<Numbered>>,
}

/// What somebody who starts watching gets.
#[derive(Debug)]
pub(crate) struct Watching {
    /// Events since the one they name.
    pub(crate) missed: VecDeque<Arc<Numbered>>,
    /// They named one, and what came after it is no longer known.
    pub(crate) gap: bool,
    /// What comes.
    pub(crate) live: broadcast::Receiver<Arc<Numbered>>,
    /// Of this run, for ids.
    pub(crate) run: u32,
}

impl Hub {
    pub(crate) fn new() -> Self {
        let (live, _) = broadcast::channel(WATCH_EVENTS);
        Self { run: Random.next_u32(), inner: Mutex::default(), live }
    }

    /// Tells everybody who watches.
    pub(crate) fn publish(&self, event: WatchEvent) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.next += 1;
        let event = Arc::new(Numbered { number: inner.next, event });
        if inner.recent.len() >= WATCH_EVENTS {
            inner.recent.pop_front();
        }
        inner.recent.push_back(Arc::clone(&event));
        // Nobody may be watching. Sent under the lock, so that numbers arrive in order.
        drop(self.live.send(event));
    }

    /// Starts watching, after the event with this id if one is given.
    pub(crate) fn watch(&self, last: Option<&str>) -> Watching {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let live = self.live.subscribe();
        let (missed, gap) = match last {
            None => (VecDeque::new(), false),
            Some(last) => match self.parse(last).filter(|last| inner.knows_after(*last)) {
                Some(last) => (inner.recent.iter().filter(|event| event.number > last).cloned().collect(), false),
                None => (VecDeque::new(), true),
            },
        };
        Watching { missed, gap, live, run: self.run }
    }

    fn parse(&self, id: &str) -> Option<u64> {
        let (run, number) = id.split_once('-')?;
        (run == format!("{:08x}", self.run)).then(|| number.parse().ok()).flatten()
    }
}

impl Inner {
    fn knows_after(&self, last: u64) -> bool {
        let first = self.recent.front().map_or(self.next + 1, |event| event.number);
        last <= self.next && last + 1 >= first
    }
}

/// An event's id, as `Last-Event-ID` brings it back.
pub(crate) fn event_id(run: u32, number: u64) -> String {
    format!("{run:08x}-{number}")
}

#[cfg(test)]
mod tests {
    use kith_protocol::control::{Subject, Topic, WatchChange};

    use super::*;

    fn event(id: usize) -> WatchEvent {
        let (event, noun, change) = (Topic::Item, Subject::Note, WatchChange::New);
        WatchEvent::new(event, ("c-a".to_owned(), id.to_string()), noun, change, kith_protocol::time::Millis(0))
    }

    #[test]
    fn one_who_resumes_gets_what_they_missed_or_is_told() {
        let hub = Hub::new();
        for n in 1..=3 {
            hub.publish(event(n));
        }
        let id = |number| event_id(hub.run, number);
        assert_eq!(hub.watch(Some(&id(1))).missed.iter().map(|event| event.number).collect::<Vec<_>>(), [2, 3]);
        assert!(hub.watch(Some(&id(3))).missed.is_empty());
        assert!(!hub.watch(Some(&id(3))).gap);
        assert!(hub.watch(Some(&id(4))).gap);
        assert!(hub.watch(Some("00000000-zzz")).gap);
        for n in 0..WATCH_EVENTS {
            hub.publish(event(n));
        }
        assert!(hub.watch(Some(&id(2))).gap);
        assert_eq!(hub.watch(Some(&id(3))).missed.len(), WATCH_EVENTS);
    }
}
