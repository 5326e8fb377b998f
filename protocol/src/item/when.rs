//! When an event is, as one value. Peers can write its parts one by one, and in any way; what is shown is possible all the same, and
//! the same everywhere: no part of this asks a database of time zones, which differ between machines.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::valid;
use crate::limits::CLOCK_OFFSET_MILLIS;
use crate::time::Millis;

/// How much a change of clocks makes between a start and an end at most.
const SHIFT: SignedDuration = SignedDuration::from_hours(3);

/// Start and end of an event, the moments and what the wall clock shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct When {
    pub(super) starts: Millis,
    pub(super) ends: Option<Millis>,
    pub(super) starts_local: String,
    pub(super) ends_local: String,
    pub(super) tz: String,
}

impl When {
    /// Is it about whole days?
    pub(super) fn is_days(&self) -> bool {
        day(&self.starts_local).is_some()
    }

    /// So that it can be: what contradicts the start on the wall clock gives way. An end that is none is left out.
    pub(super) fn possible(mut self) -> Self {
        if valid::zone(&self.tz).is_err() || self.tz.is_empty() {
            self.tz = "UTC".to_owned();
        }
        let Some(start) = wall(&self.starts_local) else {
            // Without a wall clock, the moment is all there is.
            let start = utc(self.starts);
            self.starts_local = start.map(written).unwrap_or_default();
            self.tz = "UTC".to_owned();
            return self.with_end(start);
        };
        if moment(start).is_none_or(|at| apart(at, self.starts) > CLOCK_OFFSET_MILLIS) {
            self.ends = self.ends.and_then(|ends| moment(start).map(|at| at.plus(ends.since(self.starts))));
            self.starts = moment(start).unwrap_or(Millis(0));
            self.tz = "UTC".to_owned();
        }
        self.with_end(Some(start))
    }

    /// With the end that fits, or none.
    fn with_end(self, start: Option<DateTime>) -> Self {
        let (Some(start), Some(ends)) = (start, self.ends.filter(|ends| *ends >= self.starts)) else { return self.endless() };
        if self.is_days() {
            let fits = day(&self.ends_local).is_some_and(|end| end > start.date());
            return if fits { self } else { self.endless() };
        }
        let Ok(length) = i64::try_from(ends.since(self.starts)).map(SignedDuration::from_millis) else { return self.endless() };
        let fits = |end: DateTime| end.duration_since(start).checked_sub(length).is_some_and(|shift| shift.abs() <= SHIFT);
        let said = wall(&self.ends_local).filter(|end| day(&self.ends_local).is_none() && fits(*end)).is_some();
        let counted = start.checked_add(length).ok().map(written);
        match (said, counted) {
            (true, _) => self,
            (false, Some(ends_local)) => Self { ends_local, ..self },
            (false, None) => self.endless(),
        }
    }

    fn endless(self) -> Self {
        Self { ends: None, ends_local: String::new(), ..self }
    }
}

/// A whole day, as the wall clock shows it.
pub(super) fn day(text: &str) -> Option<Date> {
    text.parse().ok().filter(|_| text.len() == 10)
}

/// What a wall clock shows.
fn wall(text: &str) -> Option<DateTime> {
    valid::wall(text, "").ok().filter(|text| !text.is_empty())?.parse().ok()
}

fn written(at: DateTime) -> String {
    format!("{at:.0}")
}

fn utc(at: Millis) -> Option<DateTime> {
    let stamp = jiff::Timestamp::from_millisecond(i64::try_from(at.0).ok()?).ok()?;
    Some(TimeZone::UTC.to_datetime(stamp))
}

/// The moment when a clock in UTC shows that.
fn moment(at: DateTime) -> Option<Millis> {
    let stamp = TimeZone::UTC.to_timestamp(at).ok()?;
    u64::try_from(stamp.as_millisecond()).ok().map(Millis)
}

fn apart(one: Millis, other: Millis) -> u64 {
    one.0.abs_diff(other.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn when(starts: &str, ends: &str, starts_local: &str, ends_local: &str) -> When {
        let moment = |text: &str| super::moment(text.parse().expect("a time")).expect("a moment");
        When {
            starts: moment(starts),
            ends: (!ends.is_empty()).then(|| moment(ends)),
            starts_local: starts_local.to_owned(),
            ends_local: ends_local.to_owned(),
            tz: "Europe/Madrid".to_owned(),
        }
    }

    /// Nobody could have meant anything else.
    fn is_possible(when: &When) -> bool {
        let start = wall(&when.starts_local);
        let near = start.and_then(moment).is_some_and(|at| apart(at, when.starts) <= CLOCK_OFFSET_MILLIS);
        let end = match (when.ends, when.ends_local.as_str()) {
            (None, "") => true,
            (Some(ends), local) if when.is_days() => ends >= when.starts && day(local) > day(&when.starts_local),
            (Some(ends), local) => ends >= when.starts && wall(local).is_some() && day(local).is_none(),
            (None, _) => false,
        };
        (near || start.is_none()) && end && !when.tz.is_empty()
    }

    #[test]
    fn what_makes_sense_stays() {
        for good in [
            when("2026-12-01T17:00", "2026-12-01T18:00", "2026-12-01T18:00:00", "2026-12-01T19:00:00"),
            when("2026-12-01T17:00", "", "2026-12-01T18:00:00", ""),
            when("2026-11-30T23:00", "2026-12-02T23:00", "2026-12-01", "2026-12-03"),
            // The clocks go forward, and back, between start and end.
            when("2027-03-28T00:30", "2027-03-28T01:30", "2027-03-28T01:30:00", "2027-03-28T03:30:00"),
            when("2026-10-25T00:30", "2026-10-25T01:10", "2026-10-25T02:30:00", "2026-10-25T02:10:00"),
        ] {
            assert_eq!(good.clone().possible(), good);
        }
    }

    #[test]
    fn what_contradicts_itself_gives_way() {
        let moved = when("2026-12-01T19:00", "2026-12-01T18:00", "2026-12-01T20:00:00", "2026-12-01T19:00:00").possible();
        assert_eq!((moved.ends, moved.ends_local.as_str()), (None, ""));
        let mixed = when("2026-11-30T23:00", "2026-12-01T18:00", "2026-12-01", "2026-12-01T19:00:00").possible();
        assert_eq!((mixed.ends, mixed.ends_local.as_str()), (None, ""));
        let other = when("2026-12-01T17:00", "2026-12-01T18:00", "2026-12-01T18:00:00", "2026-12-05").possible();
        assert_eq!(other.ends_local, "2026-12-01T19:00:00");
        let far = when("2026-12-09T17:00", "2026-12-09T18:00", "2026-12-01T18:00:00", "2026-12-01T19:00:00").possible();
        assert_eq!(
            far,
            When {
                tz: "UTC".to_owned(),
                ..when("2026-12-01T18:00", "2026-12-01T19:00", "2026-12-01T18:00:00", "2026-12-01T19:00:00")
            }
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..Default::default() })]

        #[test]
        fn whatever_peers_write_is_possible_and_stays_so(
            starts in prop_oneof![0..4_000_000_000_000_u64, any::<u64>()],
            ends in proptest::option::of(prop_oneof![0..4_000_000_000_000_u64, any::<u64>()]),
            starts_local in prop_oneof!["20[0-9]{2}-0[1-9]-[012][0-9](T[012][0-9]:[0-5][0-9]:00)?", ".{0,32}"],
            ends_local in prop_oneof!["20[0-9]{2}-0[1-9]-[012][0-9](T[012][0-9]:[0-5][0-9]:00)?", ".{0,32}"],
            tz in prop_oneof!["Europe/Madrid", ".{0,64}"],
        ) {
            let when = When { starts: Millis(starts), ends: ends.map(Millis), starts_local, ends_local, tz }.possible();
            prop_assert!(is_possible(&when), "{when:?}");
            prop_assert_eq!(when.clone().possible(), when);
        }
    }
}
