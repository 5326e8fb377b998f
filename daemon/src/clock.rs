//! The clocks: the only place that reads them.

use crate::limits::JUMP;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kith_protocol::time::Millis;

/// The wall clock, now.
pub(crate) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Notices that the machine slept or its clock was set: the wall clock then moved differently than the monotonic one.
#[derive(Debug)]
pub(crate) struct JumpWatch {
    wall: Millis,
    steady: Instant,
}

impl JumpWatch {
    pub(crate) fn start() -> Self {
        Self { wall: now(), steady: Instant::now() }
    }

    /// Did the clock jump since the last look?
    pub(crate) fn jumped(&mut self) -> bool {
        let last = std::mem::replace(self, Self::start());
        differs(self.wall.0.abs_diff(last.wall.0), self.steady.duration_since(last.steady))
    }
}

fn differs(wall_millis: u64, steady: Duration) -> bool {
    Duration::from_millis(wall_millis).abs_diff(steady) > JUMP
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_is_a_jump_and_drift_is_not() {
        assert!(!differs(15_000, Duration::from_millis(15_400)));
        assert!(differs(600_000, Duration::from_secs(15)));
        assert!(!JumpWatch::start().jumped());
    }
}
