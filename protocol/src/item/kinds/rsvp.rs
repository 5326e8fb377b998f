//! RSVPs: a person's answer to an event, counted with it. The last one counts.

use std::collections::BTreeMap;

use rand_core::CryptoRng;

use crate::circle::body::{KeyClass, Role};
use crate::control::{Author, Rsvp, RsvpCounts, RsvpPerson, Subject};
use crate::id::{ItemKey, PersonId};
use crate::item::compose::{Changing, ComposeContext, ComposeError, target};
use crate::item::edit::{Op, Value};
use crate::item::kind::{Appears, Editors, Field, Form, Kind, Spec, Targets};
use crate::item::load::Move;
use crate::item::reader::{ItemReader, Shown};
use crate::item::show::How;
use crate::log::entry::NewEntry;
use crate::store::StoreError;
use crate::time::{DAY, Millis};

/// The answer.
const ANSWER: u8 = 0;

/// Its row.
pub const SPEC: Spec = Spec {
    kind: Kind::Rsvp,
    noun: Subject::Rsvp,
    path: "rsvp",
    letter: 'v',
    class: Some(KeyClass::Library),
    opened_by: Role::Member,
    edited_by: Editors::Creator,
    targets: Targets::Kinds(&[Kind::Event]),
    fields: &[Field::new(ANSWER, "answer", Form::Word(Rsvp::WORDS)).required()],
    appears: Appears { export: true, ..Appears::NOWHERE },
};

/// An answer to an event. Empty: that was the answer already.
pub(in crate::item) fn compose(
    reader: &ItemReader<'_>,
    place: &ComposeContext,
    rng: &mut dyn CryptoRng,
    event: &ItemKey,
    answer: Rsvp,
) -> Result<Vec<NewEntry>, ComposeError> {
    let (_, about) = target(reader, event, &[Kind::Event])?;
    let answer = answer.word();
    let keys = reader.children(Kind::Rsvp, event)?;
    // Later than what it answers, whatever the clock says: else it would be asked for again.
    let moved = reader.visible(event)?.and_then(|event| event.whole?.moved).filter(|moved| is_near(moved.at, place.now));
    let place = &ComposeContext { now: moved.map_or(place.now, |moved| place.now.max(moved.at)), ..*place };
    let mine = reader.shown(&keys, false)?.into_iter().filter(|shown| shown.author == Some(place.me) && shown.whole.is_some());
    let Some(mine) = mine.max_by_key(Shown::last_when) else {
        let ops = vec![Op::Set(ANSWER, Value::text(answer))];
        return Ok(vec![place.open(rng, Kind::Rsvp, Some(about), ops)?]);
    };
    place.may_open(Kind::Rsvp)?;
    let mut change = Changing::begin(reader, place, &mine.key, None)?;
    if moved.is_some_and(|moved| mine.last_when().0 < moved.at) {
        // Asked for again, and given again, even where it is the same.
        change.put(ANSWER, Value::text(answer));
    } else {
        change.value(ANSWER, Value::text(answer));
    }
    // Later than the answer it replaces, whatever the clock says.
    change.done(place.now.max(mine.last_when().0.plus(1)))
}

/// May others' words be labeled after this label? One that lies far ahead would else make all that follows it lie ahead.
fn is_near(label: Millis, now: Millis) -> bool {
    label <= now.plus(DAY)
}

/// The label of the last answer that is there, but for those that lie far ahead.
pub(super) fn last_label(reader: &ItemReader<'_>, event: &ItemKey, now: Millis) -> Result<Option<Millis>, StoreError> {
    let keys = reader.children(Kind::Rsvp, event)?;
    Ok(reader.shown(&keys, false)?.iter().map(|shown| shown.last_when().0).filter(|label| is_near(*label, now)).max())
}

/// One answer a person: the last by its author's clock, ties by key, so that all machines agree. Those from before the event was
/// moved are asked for again. People who are out do not come, so their answers do not count; they still see their own.
pub(super) fn count(
    reader: &ItemReader<'_>,
    event: &ItemKey,
    moved: Option<Move>,
    how: How<'_>,
) -> Result<RsvpCounts, StoreError> {
    let moved = moved.filter(|moved| is_near(moved.at, reader.now));
    let (keys, _) = reader.children_in(how.all, Kind::Rsvp, event, usize::MAX)?;
    let mut last: BTreeMap<PersonId, Shown> = BTreeMap::new();
    for shown in reader.shown(&keys, how.full)?.into_iter().filter(|shown| shown.whole.is_some()) {
        let Some(author) = shown.author else { continue };
        if last.get(&author).is_none_or(|before| before.last_when() < shown.last_when()) {
            last.insert(author, shown);
        }
    }
    let mut counts = RsvpCounts::default();
    for (author, shown) in last {
        let mine = author == reader.people.me();
        if !mine && !reader.people.is_in(&author) {
            continue;
        }
        let answer = shown.words(ANSWER).parse().unwrap_or(Rsvp::Maybe);
        let Author { member, name, alike, .. } = reader.author(Some(author));
        let person = RsvpPerson { member, name, alike, answer };
        if moved.is_some_and(|moved| shown.last_when().0 < moved.at) {
            counts.asked_again.push(person);
            continue;
        }
        match answer {
            Rsvp::Yes => counts.yes += 1,
            Rsvp::No => counts.no += 1,
            Rsvp::Maybe => counts.maybe += 1,
        }
        if mine {
            counts.mine = Some(answer);
        }
        counts.people.push(person);
    }
    // By id, not by name: not every machine knows the name of somebody who is out.
    counts.people.sort_by(|a, b| a.member.cmp(&b.member));
    counts.asked_again.sort_by(|a, b| a.member.cmp(&b.member));
    Ok(counts)
}
