//! Time as the core knows it: a number it was given. Nothing here reads a clock.

use std::fmt;

use minicbor::{Decode, Encode};

/// Milliseconds since 1970-01-01T00:00:00Z, by the clock of the one who says so.
///
/// A label, never a proof: clocks trigger local hiding, destruction and rotation, they decide no validity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Millis(#[n(0)] pub u64);

/// One second.
pub const SECOND: u64 = 1_000;
/// One minute.
pub const MINUTE: u64 = 60 * SECOND;
/// One hour.
pub const HOUR: u64 = 60 * MINUTE;
/// One day of exactly 24 hours.
pub const DAY: u64 = 24 * HOUR;

impl Millis {
    /// This moment and `millis` more; saturates instead of wrapping.
    #[must_use]
    pub const fn plus(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// How long ago `earlier` was, zero if it lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Millis {
    /// RFC 3339 in UTC, whole seconds; what no calendar can show becomes the epoch's start.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = i64::try_from(self.0).unwrap_or(0);
        let stamp = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        write!(f, "{stamp:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_rfc_3339() {
        assert_eq!(Millis(1_795_359_600_000).to_string(), "2026-11-22T15:00:00Z");
        assert_eq!(Millis(u64::MAX).to_string(), "1970-01-01T00:00:00Z");
    }
}
