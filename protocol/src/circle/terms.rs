//! From when on a changed retention binds.
//!
//! A shorter one binds what is written from the next day on, by the label of the act that set it: if it was a slip, there is a day to
//! set it right, and the others to hear of it, before words are written that end sooner. A longer one binds at once. Each entry
//! carries its retention in its header, so this decides what writers put there, and nothing else.

use minicbor::{Decode, Encode};

use super::body::{Policy, Retention, Statement};
use crate::id::ActId;
use crate::limits::RETENTION_TERMS;
use crate::time::{DAY, Millis};

/// How long conversation was to be kept, and when that was set, by its author's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct RetentionTerm {
    #[n(0)]
    pub(crate) set: Millis,
    #[n(1)]
    pub(crate) value: Retention,
}

/// The retention that a statement sets.
pub(super) fn set_by(statement: &Statement) -> Option<Retention> {
    let (Statement::Genesis { policies: set, .. } | Statement::Policy { set, .. }) = statement else { return None };
    set.iter().find_map(|policy| if let Policy::Retention(retention) = policy { Some(*retention) } else { None })
}

/// The last settings up to the one in force, which is the last.
pub(super) fn up_to(all: &[(Millis, ActId, Retention)], in_force: Retention) -> Vec<RetentionTerm> {
    let mut all = all.to_vec();
    all.sort_unstable_by_key(|(set, act, _)| (*set, *act));
    all.truncate(all.iter().rposition(|(.., value)| *value == in_force).map_or(0, |at| at + 1));
    if all.is_empty() {
        return vec![RetentionTerm { set: Millis(0), value: in_force }];
    }
    let last = all.iter().skip(all.len().saturating_sub(RETENTION_TERMS));
    last.map(|(set, _, value)| RetentionTerm { set: *set, value: *value }).collect()
}

/// What binds words that are written now.
pub(crate) fn binding(terms: &[RetentionTerm], now: Millis) -> Retention {
    let Some((first, later)) = terms.split_first() else { return Retention::Keep };
    later.iter().fold(first.value, |bound, term| {
        // What is labeled more than a day ahead of this machine's clock would else never bind.
        let waits = now < term.set.plus(DAY) && term.set <= now.plus(DAY);
        if waits && is_shorter(term.value, bound) { bound } else { term.value }
    })
}

/// Where the last setting is a shorter one: from when on it binds, and what does until then.
pub(crate) fn shortened(terms: &[RetentionTerm]) -> Option<RetentionTerm> {
    let (last, before) = terms.split_last()?;
    let value = binding(before, last.set);
    (!before.is_empty() && is_shorter(last.value, value)).then(|| RetentionTerm { set: last.set.plus(DAY), value })
}

/// Is less kept with the one than with the other?
pub(crate) const fn is_shorter(one: Retention, other: Retention) -> bool {
    match (one, other) {
        (Retention::Days(one), Retention::Days(other)) => one < other,
        (Retention::Days(_), Retention::Keep) => true,
        (Retention::Keep, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::HOUR;

    const START: Millis = Millis(1_795_359_600_000);

    fn term(hours: u64, days: u32) -> RetentionTerm {
        let value = if days == 0 { Retention::Keep } else { Retention::Days(days) };
        RetentionTerm { set: START.plus(hours * HOUR), value }
    }

    fn bound(terms: &[RetentionTerm], hours: u64) -> u32 {
        match binding(terms, START.plus(hours * HOUR)) {
            Retention::Keep => 0,
            Retention::Days(days) => days,
        }
    }

    #[test]
    fn a_shorter_one_binds_a_day_later_and_a_longer_one_at_once() {
        let terms = [term(0, 0), term(10, 7)];
        assert_eq!([bound(&terms, 10), bound(&terms, 33), bound(&terms, 34)], [0, 0, 7]);
        let terms = [term(0, 7), term(10, 30)];
        assert_eq!([bound(&terms, 10), bound(&terms, 60)], [30, 30]);
        assert_eq!(bound(&[term(0, 7)], 0), 7, "what a circle begins with binds at once");
    }

    #[test]
    fn a_slip_that_is_set_right_within_the_day_never_binds() {
        let terms = [term(0, 90), term(10, 1), term(20, 90)];
        assert!((0..100).all(|hours| bound(&terms[..2], hours.min(33)) == 90 && bound(&terms, hours) == 90));
    }

    #[test]
    fn of_several_steps_each_binds_a_day_after_it_was_set() {
        let terms = [term(0, 90), term(10, 30), term(20, 7)];
        assert_eq!([bound(&terms, 20), bound(&terms, 35), bound(&terms, 44)], [90, 30, 7]);
    }

    #[test]
    fn a_label_far_ahead_does_not_wait_for_ever() {
        let terms = [term(0, 90), term(24 * 365 * 100, 7)];
        assert_eq!(bound(&terms, 50), 7);
        let skewed = [term(0, 90), term(11, 7)];
        assert_eq!(bound(&skewed, 10), 90, "a clock that is an hour ahead takes no day away");
    }

    #[test]
    fn what_is_in_force_is_the_last_and_only_so_many_are_kept() {
        let act = |n: u8| ActId([n; 32]);
        let all = [
            (START.plus(2), act(2), Retention::Days(7)),
            (START, act(1), Retention::Keep),
            (START.plus(3), act(3), Retention::Days(30)),
        ];
        let terms = up_to(&all, Retention::Days(7));
        assert_eq!(terms.iter().map(|term| term.value).collect::<Vec<_>>(), [Retention::Keep, Retention::Days(7)]);
        assert_eq!(shortened(&terms), Some(RetentionTerm { set: START.plus(2 + DAY), value: Retention::Keep }));
        let again = shortened(&up_to(&all, Retention::Days(30))).map(|term| (term.set, term.value));
        assert_eq!(
            again,
            Some((START.plus(3 + DAY), Retention::Keep)),
            "longer than the last, and shorter than what binds still"
        );
        assert_eq!(up_to(&[], Retention::Days(5)).len(), 1);
        let many: Vec<_> = (1..100).map(|n| (START.plus(u64::from(n)), act(n), Retention::Days(u32::from(n)))).collect();
        assert_eq!(up_to(&many, Retention::Days(99)).len(), RETENTION_TERMS);
    }
}
