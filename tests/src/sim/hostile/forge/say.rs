//! What a hostile member says in an entry that is well-formed: values at the ends of what each field may hold, and beyond.

use kith_protocol::item::edit::{CharacterId, Op, Value};
use kith_protocol::item::kind::{Field, Form, Kind, fields};
use kith_protocol::limits;
use kith_protocol::private::Private;
use kith_protocol::time::Millis;

use super::HOSTILE;
use crate::sim::rng::Rng;

/// Turned letters, unseen ones, terminal commands that are none yet, formulas, an address that runs something.
const WORDS: [&str; 6] =
    ["\u{202e}txet", "\u{200b}\u{feff}", "[2J]0;", "=HYPERLINK(1)", "javascript:alert(1)", "DTSTART:19700101\\n"];
/// Recurrences that no calendar can hold.
const RULES: [&str; 3] = ["FREQ=SECONDLY;COUNT=4294967295", "FREQ=YEARLY;INTERVAL=0;BYMONTH=13", "EXDATE:99999999T999999Z"];

/// Operations that open an item of a kind, or change one whose entry is named: each field once, as its form allows it.
pub(super) fn ops(rng: &mut Rng, kind: Kind, opens: bool) -> Vec<Op> {
    let mut ops = Vec::new();
    // A deletion that is taken back counts only where the bytes are still there; machines that were apart for a day may differ.
    let lifts = |field: &&Field| kind == Kind::Tombstone && field.number == fields::OFF;
    for field in kind.fields().iter().filter(|field| !lifts(field)) {
        if (opens && (field.required || field.number == 0)) || rng.chance(40) {
            ops.extend(op(rng, field, opens));
        }
    }
    ops
}

fn op(rng: &mut Rng, field: &Field, opens: bool) -> Vec<Op> {
    let number = field.number;
    let value = match field.form {
        Form::Line(limit) => Value::Text(words(rng, limit)),
        Form::Lines(_) => Value::text(rng.pick(&RULES).copied().unwrap_or_default()),
        Form::Word(known) if rng.chance(80) => Value::text(rng.pick(known).copied().unwrap_or_default()),
        Form::Word(_) => Value::text(HOSTILE),
        Form::Moment => Value::Moment(moment(rng).0),
        Form::Flag => Value::Flag(rng.chance(70)),
        Form::Tags => {
            let tag = |number| Private(format!("{HOSTILE} {number}"));
            let mut tags: Vec<Op> = (0..rng.below(limits::TAGS as u64 + 2)).map(|n| Op::Add(number, tag(n))).collect();
            tags.push(Op::Remove(number, Private("eap".to_owned())));
            return tags;
        }
        Form::Text(_) if opens => return vec![Op::Insert(number, None, words(rng, 400))],
        Form::Text(limit) => return text(rng, number, limit),
    };
    vec![Op::Set(number, value)]
}

/// Words of theirs: odd ones, or as many as fit, or one character more.
fn words(rng: &mut Rng, limit: usize) -> Private<String> {
    if rng.chance(25) {
        let end = limit + usize::from(rng.chance(20));
        return Private(HOSTILE.repeat(limit / HOSTILE.len() + 2).chars().take(end).collect());
    }
    let odd = format!("{HOSTILE} {} {}", rng.below(1_000), rng.pick(&WORDS).copied().unwrap_or_default());
    Private(odd.chars().take(limit).collect())
}

/// Text behind characters and deletions of characters, of which some are there.
fn text(rng: &mut Rng, number: u8, limit: usize) -> Vec<Op> {
    let counter = [0, 3, 4_000_000_000, u32::MAX][rng.index(4)];
    let after = rng.chance(70).then_some(CharacterId { entry: 0, counter });
    let words = Private(HOSTILE.repeat(if rng.chance(10) { limit / HOSTILE.len() } else { 2 }));
    let mut ops = vec![Op::Insert(number, after, words)];
    if rng.chance(60) {
        ops.push(Op::Delete(number, CharacterId { entry: 0, counter: 0 }, [1, 5, 1 << 20, u32::MAX][rng.index(4)]));
    }
    ops
}

/// A moment that is no likely one.
pub(super) fn moment(rng: &mut Rng) -> Millis {
    Millis([0, 1, 253_402_300_800_000, u64::MAX][rng.index(4)])
}

#[cfg(test)]
mod tests {
    use kith_protocol::id::{EntryId, ItemId, PersonId};
    use kith_protocol::item::edit::Edit;

    use super::*;

    #[test]
    fn of_every_kind_much_is_well_formed_and_some_is_not() {
        let about = ItemId { creator: PersonId([1; 32]), nonce: [2; 16] };
        for kind in Kind::ALL {
            let mut rng = Rng::new(u64::from(kind.number()), "say");
            let good = (0..400).filter(|_| {
                let target = kind.has_target().then_some(about);
                Edit::opening(Millis(1), target, ops(&mut rng, kind, true)).check(kind).is_ok()
            });
            let good = good.count();
            assert!(good > 60, "{kind:?}: {good} of 400 would be taken");
            assert!(good < 400 || kind.is_mark(), "{kind:?}: all would be taken");
            let names = vec![EntryId([3; 32])];
            let changes = (0..400).filter(|_| {
                let ops = ops(&mut rng, kind, false);
                let edit = Edit { version: 1, at: Millis(1), about: None, deps: names.clone(), names: names.clone(), ops };
                edit.check(kind).is_ok()
            });
            assert!(changes.count() > 20, "{kind:?}: hardly a change would be taken");
        }
    }
}
