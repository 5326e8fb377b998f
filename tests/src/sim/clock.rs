//! Virtual time: a queue of what happens when. Time moves only by taking the next event.

use std::collections::BTreeMap;

use kith_protocol::time::Millis;

/// Events in order of their moment; events of one moment in the order in which they were planned.
#[derive(Debug)]
pub struct Clock<E> {
    now: Millis,
    planned: u64,
    queue: BTreeMap<(Millis, u64), E>,
}

impl<E> Clock<E> {
    /// Starts at a moment.
    #[must_use]
    pub const fn new(start: Millis) -> Self {
        Self { now: start, planned: 0, queue: BTreeMap::new() }
    }

    /// The moment.
    #[must_use]
    pub const fn now(&self) -> Millis {
        self.now
    }

    /// Plans an event `after` milliseconds from now.
    pub fn plan(&mut self, after: u64, event: E) {
        self.plan_at(self.now.plus(after), event);
    }

    /// Plans an event for a moment; a moment that is past means now.
    pub fn plan_at(&mut self, at: Millis, event: E) {
        self.queue.insert((at.max(self.now), self.planned), event);
        self.planned += 1;
    }

    /// The next event before `end`; without one, time stands at `end`.
    pub fn next_before(&mut self, end: Millis) -> Option<E> {
        let due = self.queue.first_entry().filter(|entry| entry.key().0 < end);
        match due {
            Some(entry) => {
                let ((at, _), event) = entry.remove_entry();
                self.now = at;
                Some(event)
            }
            None => {
                self.now = self.now.max(end);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_order_and_time_stops_at_the_end() {
        let mut clock = Clock::new(Millis(100));
        clock.plan(5, "b");
        clock.plan(5, "c");
        clock.plan(1, "a");
        clock.plan(50, "late");
        let mut seen = Vec::new();
        while let Some(event) = clock.next_before(Millis(120)) {
            seen.push((clock.now().0, event));
        }
        assert_eq!(seen, [(101, "a"), (105, "b"), (105, "c")]);
        assert_eq!(clock.now(), Millis(120));
    }
}
