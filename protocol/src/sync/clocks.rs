//! What other people's clocks say, and whether this machine's looks wrong.
//!
//! No clock alone destroys anything. So for each circle this machine notes the latest moments that two other people wrote down: time
//! has passed them, unless both are wrong. A moment ahead of this machine's clock says nothing of what has passed; it is noted apart,
//! since it may be this machine's clock that lies behind.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use minicbor::{Decode, Encode};

use crate::circle::state::CircleState;
use crate::codec;
use crate::context::Cx;
use crate::id::{CircleId, DeviceId, PersonId};
use crate::item;
use crate::limits::{CLOCK_SPEAKERS, CLOCK_WITNESSES};
use crate::store::{Read, StoreError, Table};
use crate::time::{DAY, HOUR, Millis};
use crate::tx::Tx;

/// The only version so far.
const VERSION: u8 = 1;
/// What this machine's clock said last, in `Local`.
const LAST: &[u8] = b"clock";

/// What somebody's clock said.
type Word = (PersonId, Millis);

/// What others' clocks said, in one circle.
#[derive(Debug, Encode, Decode)]
#[cbor(array)]
struct HeardRow {
    #[n(0)]
    version: u8,
    /// Moments that were not ahead of this machine's clock when they came.
    #[n(1)]
    passed: Vec<Word>,
    /// What people said last, whatever it was.
    #[n(2)]
    said: Vec<Word>,
}

impl HeardRow {
    fn get(read: &dyn Read, circle: &CircleId) -> Result<Self, StoreError> {
        let Some(bytes) = read.get(Table::Local, &place(circle))? else {
            return Ok(Self { version: VERSION, passed: Vec::new(), said: Vec::new() });
        };
        let row: Self = codec::decode(&bytes, "what clocks said").map_err(|error| StoreError::Corrupt(error.to_string()))?;
        if row.version == VERSION { Ok(row) } else { Err(StoreError::Corrupt("what clocks said, of a newer form".to_owned())) }
    }
}

fn place(circle: &CircleId) -> Vec<u8> {
    [b"clock/".as_slice(), &circle.0].concat()
}

/// Keeps what the two furthest people said; whether that changed by an hour or more.
fn keep(words: &mut Vec<Word>, person: PersonId, label: Millis) -> bool {
    let before = words.clone();
    match words.iter_mut().find(|(other, _)| *other == person) {
        Some((_, said)) if said.plus(HOUR) <= label => *said = label,
        Some(_) => {}
        None => words.push((person, label)),
    }
    words.sort_unstable_by_key(|(person, label)| (std::cmp::Reverse(*label), *person));
    words.truncate(CLOCK_WITNESSES);
    *words != before
}

/// Keeps what people said last: somebody whose clock was set right says so by what they write next.
fn keep_last(words: &mut Vec<Word>, person: PersonId, label: Millis) -> bool {
    let same = words.iter().any(|(other, said)| *other == person && label.since(*said).max(said.since(label)) < HOUR);
    if same {
        return false;
    }
    words.retain(|(other, _)| *other != person);
    words.push((person, label));
    words.sort_unstable_by_key(|(person, label)| (std::cmp::Reverse(*label), *person));
    words.truncate(CLOCK_SPEAKERS);
    true
}

/// Another person wrote a moment down.
pub(crate) fn heard(cx: &mut Cx<'_, '_>, circle: &CircleId, person: PersonId, label: Millis) -> Result<(), StoreError> {
    let mut row = HeardRow::get(&cx.tx, circle)?;
    let before = passed_of(&row);
    let not_ahead = label <= cx.env.now.plus(HOUR);
    let passes = not_ahead && keep(&mut row.passed, person, label);
    if !(keep_last(&mut row.said, person, label) | passes) {
        return Ok(());
    }
    cx.tx.put(Table::Local, &place(circle), codec::encode(&row));
    if passed_of(&row) > before { item::look_again(&mut cx.tx, false) } else { Ok(()) }
}

/// A device wrote a moment down; one's own say nothing of others' clocks.
pub(crate) fn heard_of(circle: &CircleState, cx: &mut Cx<'_, '_>, device: &DeviceId, label: Millis) -> Result<(), StoreError> {
    let person = circle.now().person_of(device).filter(|person| circle.me() != Some(*person));
    person.map_or(Ok(()), |person| heard(cx, &circle.id(), person, label))
}

/// Forgets what others' clocks said in a circle.
pub(crate) fn forget(tx: &mut Tx<'_>, circle: &CircleId) {
    tx.delete(Table::Local, &place(circle));
}

fn passed_of(row: &HeardRow) -> Option<Millis> {
    row.passed.get(CLOCK_WITNESSES - 1).map(|(_, label)| *label)
}

/// The moment that has passed as two other people say.
pub(crate) fn passed(read: &dyn Read, circle: &CircleId) -> Result<Option<Millis>, StoreError> {
    Ok(passed_of(&HeardRow::get(read, circle)?))
}

/// What others' clocks say, where this machine's lies more than a day behind them: two people's, or one's where there are no more.
pub(crate) fn ahead_of(read: &dyn Read, circle: &CircleId, others: usize, now: Millis) -> Result<Option<Millis>, StoreError> {
    let row = HeardRow::get(read, circle)?;
    let word = row.said.get(others.clamp(1, CLOCK_WITNESSES) - 1).map(|(_, label)| *label);
    Ok(word.filter(|label| label.since(now) > DAY))
}

/// Notes what this machine's clock says, hour by hour. Where it was set back, nothing that it said was over is so any more.
pub(crate) fn watch(cx: &mut Cx<'_, '_>) -> Result<(), StoreError> {
    let now = cx.env.now;
    let last = cx.tx.get(Table::Local, LAST)?;
    let last: Option<Millis> =
        last.map(|bytes| codec::decode(&bytes, "clock")).transpose().map_err(|error| StoreError::Corrupt(error.to_string()))?;
    match last {
        Some(last) if now.plus(HOUR) < last => item::look_again(&mut cx.tx, true)?,
        Some(last) if now < last.plus(HOUR) => return Ok(()),
        Some(_) | None => {}
    }
    cx.tx.put(Table::Local, LAST, codec::encode(&now));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_person_says_alone_proves_nothing() {
        let (one, two) = (PersonId([1; 32]), PersonId([2; 32]));
        let mut row = HeardRow { version: VERSION, passed: Vec::new(), said: Vec::new() };
        assert!(keep(&mut row.passed, one, Millis(50 * HOUR)) && keep(&mut row.passed, one, Millis(90 * HOUR)));
        assert_eq!(passed_of(&row), None);
        assert!(!keep(&mut row.passed, one, Millis(90 * HOUR + 1)), "less than an hour later is nothing new");
        assert!(keep(&mut row.passed, two, Millis(60 * HOUR)));
        assert_eq!(passed_of(&row), Some(Millis(60 * HOUR)));
        assert!(keep(&mut row.passed, PersonId([3; 32]), Millis(70 * HOUR)), "another says more");
        assert_eq!(passed_of(&row), Some(Millis(70 * HOUR)));
        assert!(!keep(&mut row.passed, two, Millis(65 * HOUR)));
        let century = Millis(876_000 * HOUR);
        assert!(keep_last(&mut row.said, one, century) && keep_last(&mut row.said, one, Millis(70 * HOUR)));
        assert_eq!(row.said, [(one, Millis(70 * HOUR))], "a clock that was set right");
    }
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::frozen::{Form, frozen};

    fn full() -> HeardRow {
        let word = |byte, moment| (PersonId([byte; 32]), Millis(moment));
        let passed = vec![word(2, 1_795_359_700_000), word(3, 1_795_359_600_000)];
        HeardRow { version: VERSION, passed, said: vec![word(4, 4_951_119_600_000)] }
    }

    frozen![
        Form::new("heard-row", 1, &[full(), HeardRow { version: VERSION, passed: Vec::new(), said: Vec::new() }]),
        // What this machine's clock said last.
        Form::new("clock", 1, &[Millis(1_795_359_600_000)]),
    ];
}
