//! A circle opened for its items: from the names that people type to items, and from rows to what is shown.

use crate::circle::epoch::Ring;
use crate::circle::overview::{self, Overview};
use crate::circle::state::OwnStanding;
use crate::circle::summary::Summary;
use crate::context::InputError;
use crate::control::Hint;
use crate::id::{CircleId, ItemKey};
use crate::io::Answer;
use crate::item::kind::Kind;
use crate::item::{self, ItemReader, Reveal, Source};
use crate::log::chain::{self, Skimmer};
use crate::log::entry::{EntryAt, Opened, Said};
use crate::store::{Read, StoreError};
use crate::sync::cuts;
use crate::sync::entries::Travelled;
use crate::time::Millis;

/// A circle's entries, for one question: blocks that were opened for lists are kept at hand.
struct Entries {
    ring: Ring,
    skimmer: Skimmer,
}

impl Source for Entries {
    fn load(&self, read: &dyn Read, at: EntryAt) -> Result<Option<Opened>, StoreError> {
        chain::load(read, &self.ring, at)
    }

    fn load_many(&self, read: &dyn Read, at: &[EntryAt]) -> Result<Vec<Opened>, StoreError> {
        chain::load_many(read, &self.ring, at)
    }

    fn skim(&self, read: &dyn Read, at: &[EntryAt]) -> Result<Vec<Said>, StoreError> {
        let said = at.iter().map(|at| self.skimmer.load(read, &self.ring, *at));
        said.filter_map(Result::transpose).collect()
    }
}

/// One circle, opened for reading its items.
pub(super) struct OpenedCircle {
    pub(super) summary: Summary,
    entries: Entries,
    travelled: Travelled,
    veil: item::Veil,
}

impl OpenedCircle {
    pub(super) fn open(read: &dyn Read, summary: Summary) -> Result<Self, StoreError> {
        let ring = Ring::load(read, &summary.id)?;
        let travelled = Travelled::of(read, &summary.id, &summary.device, &summary.other_devices())?;
        let veil = cuts::veil(read, &summary.id)?;
        let entries = Entries { ring, skimmer: Skimmer::default() };
        Ok(Self { summary, entries, travelled, veil })
    }

    pub(super) fn reader<'a>(&'a self, read: &'a dyn Read, now: Millis) -> ItemReader<'a> {
        ItemReader {
            read,
            source: &self.entries,
            people: &self.summary,
            delivery: &self.travelled,
            veil: &self.veil,
            circle: self.summary.id,
            name: &self.summary.name.0,
            now,
        }
    }
}

/// The circles that may be meant: the named one, or all.
pub(super) fn candidates(read: &dyn Read, circle: Option<&str>) -> Result<Vec<Summary>, InputError> {
    match circle.filter(|text| !text.is_empty() && *text != "-") {
        Some(text) => Ok(vec![overview::named(read, text)?]),
        None => Ok(Summary::all(read)?.into_iter().filter(|s| s.standing != OwnStanding::Admitted).collect()),
    }
}

/// The item that somebody names; an id alone is enough, whatever the circle.
pub(super) fn find(
    read: &dyn Read,
    circle: Option<&str>,
    kinds: &[Kind],
    text: &str,
) -> Result<(Summary, Kind, ItemKey), InputError> {
    let ids: Vec<CircleId> = match circle.filter(|text| !text.is_empty() && *text != "-") {
        Some(text) => vec![Overview::named(read, text)?.id],
        None => Overview::all(read)?.iter().map(|circle| circle.id).collect(),
    };
    let (id, kind, key) = item::resolve(read, &ids, kinds, text)??;
    let summary = Summary::load(read, &id)?;
    let summary = summary.ok_or_else(|| {
        InputError::not_found("No circle has that name or id.", Hint::run("circle", "list", &[], "shows yours"))
    })?;
    Ok((summary, kind, key))
}

pub(super) fn show(
    read: &dyn Read,
    summary: &Summary,
    kind: Kind,
    key: &ItemKey,
    now: Millis,
    reveal: Reveal,
) -> Result<Answer, InputError> {
    if !kind.is_told() {
        return Ok(Answer::Done);
    }
    let opened = OpenedCircle::open(read, summary.clone())?;
    let found = item::show(&opened.reader(read, now), key, reveal)?;
    found.map(Answer::Item).ok_or_else(|| InputError::not_found("That is not here.", item::where_listed(&[kind])))
}

/// What is answered right after writing. A warning hides nothing that one wrote oneself; what others put behind one stays there,
/// since nobody asked to see it.
pub(super) fn shown(read: &dyn Read, summary: &Summary, kind: Kind, key: &ItemKey, now: Millis) -> Result<Answer, InputError> {
    show(read, summary, kind, key, now, Reveal::Own)
}
