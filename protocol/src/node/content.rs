//! Commands and queries about what members write: from names and requests to entries, and from rows to what is shown.

use super::NodeState;
use super::query::Findings;
use crate::circle::epoch::Ring;
use crate::circle::state::{CircleState, OwnStanding};
use crate::circle::summary::{self, Summary};
use crate::context::{Cx, InputError};
use crate::control::{self, Finding, Hint, Level, NewItem};
use crate::crypto::Crypto;
use crate::id::{CircleId, ItemKey};
use crate::io::{Answer, Command, Query};
use crate::item::compose::{self, ComposeContext};
use crate::item::kind::Kind;
use crate::item::kinds::{self, tombstone};
use crate::item::{self, ItemReader, Outcome, Report, Reveal, Source};
use crate::limits::{MOST_SEARCH_HITS, SEARCH_HITS};
use crate::log::chain::{self, Skimmer};
use crate::log::entry::{EntryAt, NewEntry, Opened, Said};
use crate::store::{Read, StoreError};
use crate::sync::cuts;
use crate::sync::entries::{self, Travelled};
use crate::time::Millis;

impl From<compose::ComposeError> for InputError {
    fn from(stop: compose::ComposeError) -> Self {
        match stop {
            compose::ComposeError::Refused(error) => Self::Refused(*error),
            compose::ComposeError::Store(error) => Self::Store(error),
        }
    }
}

// ---- where ----------------------------------------------------------------------------------------------------------

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
struct Shelf {
    summary: Summary,
    entries: Entries,
    travelled: Travelled,
    veil: item::Veil,
}

impl Shelf {
    fn open(read: &dyn Read, summary: Summary) -> Result<Self, StoreError> {
        let ring = Ring::load(read, &summary.id)?;
        let travelled = Travelled::of(read, &summary.id, &summary.device, &summary.other_devices())?;
        let veil = cuts::veil(read, &summary.id)?;
        let entries = Entries { ring, skimmer: Skimmer::default() };
        Ok(Self { summary, entries, travelled, veil })
    }

    fn reader<'a>(&'a self, read: &'a dyn Read, now: Millis) -> ItemReader<'a> {
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
fn candidates(read: &dyn Read, circle: Option<&str>) -> Result<Vec<Summary>, InputError> {
    let all = Summary::all(read)?;
    match circle.filter(|text| !text.is_empty() && *text != "-") {
        Some(text) => Ok(vec![summary::pick(&all, text)?.clone()]),
        None => Ok(all.into_iter().filter(|s| s.standing != OwnStanding::Admitted).collect()),
    }
}

/// The item that somebody names; an id alone is enough, whatever the circle.
fn find(read: &dyn Read, circle: Option<&str>, kinds: &[Kind], text: &str) -> Result<(Summary, Kind, ItemKey), InputError> {
    let all = candidates(read, circle)?;
    let ids: Vec<CircleId> = all.iter().map(|s| s.id).collect();
    let (id, kind, key) = item::resolve(read, &ids, kinds, text)??;
    let summary = all.into_iter().find(|s| s.id == id);
    let summary = summary
        .ok_or_else(|| InputError::not_found("no circle has that name or id", Hint::run("circle", "list", &[], "shows yours")))?;
    Ok((summary, kind, key))
}

fn place(summary: &Summary, now: Millis) -> Result<ComposeContext, InputError> {
    let (Some(me), Some(role), OwnStanding::In) = (summary.me, summary.my_role(), summary.standing) else {
        return Err(InputError::outside());
    };
    Ok(ComposeContext { me, role, now, retention: summary.retention })
}

// ---- commands -------------------------------------------------------------------------------------------------------

/// A command about items.
pub(crate) fn command(node: &mut NodeState, cx: &mut Cx<'_, '_>, command: Command) -> Result<Answer, InputError> {
    match command {
        Command::New(circle, new) => {
            fresh(node, cx, &circle, |place, cx| Ok(vec![kinds::compose(place, cx.env.rng, &new)?])).map(Fresh::shown)?
        }
        Command::Batch(circle, batch) => {
            let items: Vec<NewItem> = batch.items.into_iter().map(NewItem::from).collect();
            fresh(node, cx, &circle, |place, cx| Ok(kinds::batch(place, cx.env.rng, &items)?)).map(Fresh::ids)?
        }
        Command::Respond(circle, item, response) => {
            let targets: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| response.kind().may_target(*kind)).collect();
            on(node, cx, &circle, &targets, &item, |reader, place, rng, key| kinds::respond(reader, place, rng, key, &response))
        }
        Command::Edit(circle, item, edit) => {
            let mut crossed = Vec::new();
            let answer = on(node, cx, &circle, &edit.kind().named(), &item, |reader, place, _, key| {
                let (entries, since) = kinds::edit(reader, place, key, &edit)?;
                crossed = since;
                Ok(entries)
            })?;
            Ok(if let Answer::Item(item) = answer { Answer::Item(item.crossed_by(crossed)) } else { answer })
        }
        Command::Remove { circle, item, now } => {
            on(node, cx, &circle, &[], &item, |reader, place, rng, key| tombstone::remove(reader, place, rng, key, now))
        }
        Command::Hide(circle, item, hide) => {
            on(node, cx, &circle, &[], &item, |reader, place, rng, key| compose::mark(reader, place, rng, Kind::Hide, key, hide))
        }
        Command::Pin(circle, item, pin) => {
            on(node, cx, &circle, &[], &item, |reader, place, rng, key| compose::mark(reader, place, rng, Kind::Pin, key, pin))
        }
        Command::Seen { circle, item } => seen(cx, circle.as_deref(), item.as_deref()),
        Command::Rebuild => entries::rebuild(&node.circles, cx).map(|()| Answer::Done),
        Command::Index => {
            let _some = entries::index(&node.circles, cx)?;
            Ok(Answer::Indexed(!item::unindexed(&cx.tx)?))
        }
        Command::Init { .. }
        | Command::NewCircle(_)
        | Command::EditCircle(..)
        | Command::Leave(_)
        | Command::NewInvite(..)
        | Command::RevokeInvite(..)
        | Command::PreviewInvite(_)
        | Command::Accept(_)
        | Command::ConfirmJoin(_)
        | Command::AbandonJoin(_)
        | Command::Approve(..)
        | Command::Decline(..)
        | Command::RemoveMember(..)
        | Command::RestoreMember(..)
        | Command::LeaveAside(..)
        | Command::SetRole(..)
        | Command::SyncNow => Ok(Answer::Done),
    }
}

/// What writing new items came to.
struct Fresh {
    answer: Result<Answer, InputError>,
    ids: Vec<String>,
}

impl Fresh {
    fn shown(self) -> Result<Answer, InputError> {
        self.answer
    }

    fn ids(self) -> Result<Answer, InputError> {
        Ok(Answer::Made(self.ids))
    }
}

/// Writes new items into a circle.
fn fresh(
    node: &mut NodeState,
    cx: &mut Cx<'_, '_>,
    circle: &str,
    compose: impl FnOnce(&ComposeContext, &mut Cx<'_, '_>) -> Result<Vec<NewEntry>, InputError>,
) -> Result<Fresh, InputError> {
    let summary = summary::pick(&Summary::all(&cx.tx)?, circle)?.clone();
    let place = place(&summary, cx.env.now)?;
    let written = compose(&place, cx)?;
    let keys: Vec<(ItemKey, Kind)> =
        written.iter().filter_map(|entry| Some((entry.item.key(&summary.id), Kind::of(entry.kind)?))).collect();
    let report = entries::write(&mut node.circles, cx, &summary.id, written)?;
    refused(&report)?;
    let ids = keys.iter().map(|(key, kind)| key.text(kind.letter())).collect();
    let answer = match keys.as_slice() {
        [(key, kind)] => shown(&cx.tx, &summary, *kind, key, cx.env.now),
        _ => Ok(Answer::Done),
    };
    Ok(Fresh { answer, ids })
}

/// Writes about an item that is there, and shows what people look at: the item, or for a reply its note.
fn on(
    node: &mut NodeState,
    cx: &mut Cx<'_, '_>,
    circle: &str,
    kinds: &[Kind],
    item: &str,
    compose: impl FnOnce(
        &ItemReader<'_>,
        &ComposeContext,
        &mut dyn rand_core::CryptoRng,
        &ItemKey,
    ) -> Result<Vec<NewEntry>, compose::ComposeError>,
) -> Result<Answer, InputError> {
    let (summary, kind, key) = find(&cx.tx, Some(circle), kinds, item)?;
    let place = place(&summary, cx.env.now)?;
    let shelf = Shelf::open(&cx.tx, summary)?;
    let written = compose(&shelf.reader(&cx.tx, cx.env.now), &place, &mut *cx.env.rng, &key)?;
    if !written.is_empty() {
        let report = entries::write(&mut node.circles, cx, &shelf.summary.id, written)?;
        refused(&report)?;
    }
    shown(&cx.tx, &shelf.summary, kind, &key, cx.env.now)
}

/// One's own entries must mean what they say; anything else is our bug, told instead of hidden.
fn refused(report: &Report) -> Result<(), InputError> {
    let aside = report.outcomes.iter().find_map(|outcome| match outcome {
        Outcome::SetAside(why) => Some(*why),
        Outcome::Applied(_) | Outcome::Kept | Outcome::Known => None,
    });
    aside.map_or(Ok(()), |why| {
        if why == item::BEYOND {
            let (message, hint) = ("you have changed this as often as one person may", "Start a new one, and link to this one.");
            return Err(InputError::Refused(control::Error::new(control::Code::Failed, message, hint)));
        }
        let message = format!("that cannot be written: {why}");
        Err(InputError::Refused(control::Error::new(control::Code::Failed, message, "please report this")))
    })
}

fn seen(cx: &mut Cx<'_, '_>, circle: Option<&str>, item: Option<&str>) -> Result<Answer, InputError> {
    if let Some(text) = item {
        let (_, _, key) = find(&cx.tx, circle, &[], text)?;
        item::see(&mut cx.tx, &key)?;
    } else {
        for summary in candidates(&cx.tx, circle)? {
            item::see_all(&mut cx.tx, &summary.id)?;
        }
    }
    Ok(Answer::Done)
}

// ---- queries --------------------------------------------------------------------------------------------------------

/// A query about items.
pub(crate) fn query(base: &dyn Read, crypto: &dyn Crypto, now: Millis, query: Query) -> Result<Answer, InputError> {
    match query {
        Query::List { circle, kind, filter } => {
            let all = Summary::all(base)?;
            let summary = summary::pick(&all, circle.as_deref().unwrap_or("-"))?.clone();
            let shelf = Shelf::open(base, summary)?;
            let items = item::list(&shelf.reader(base, now), kind, &filter)?;
            let no_list = || {
                InputError::not_found(
                    &format!("there is no list of {}", kind.noun()),
                    Hint::run("note", "list", &[], "shows the ids"),
                )
            };
            Ok(Answer::Items(items.ok_or_else(no_list)?))
        }
        Query::Show { circle, kind, item, reveal } => {
            let (summary, kind, key) = find(base, circle.as_deref(), &kind.named(), &item)?;
            show(base, &summary, kind, &key, now, Reveal::asked(reveal))
        }
        Query::History { circle, item, reveal } => {
            let (summary, _, key) = find(base, circle.as_deref(), &[], &item)?;
            let shelf = Shelf::open(base, summary)?;
            Ok(Answer::History(item::history(&shelf.reader(base, now), &key, Reveal::asked(reveal))?))
        }
        Query::Inbox => inbox(base, crypto, now),
        Query::Search { words, circle, limit } => {
            let shelves: Vec<Shelf> =
                candidates(base, circle.as_deref())?.into_iter().map(|s| Shelf::open(base, s)).collect::<Result<_, _>>()?;
            let readers: Vec<ItemReader<'_>> = shelves.iter().map(|shelf| shelf.reader(base, now)).collect();
            let limit = if limit == 0 { SEARCH_HITS } else { limit.min(MOST_SEARCH_HITS) };
            Ok(Answer::Found(item::search(base, &readers, &words, limit)?))
        }
        Query::Status
        | Query::Circles
        | Query::Circle(_)
        | Query::Members(_)
        | Query::Invites(_)
        | Query::Pending(_)
        | Query::Joins
        | Query::Room(_)
        | Query::Doctor => Ok(Answer::Done),
    }
}

/// What is answered right after writing. A warning hides nothing that one wrote oneself; what others put behind one stays there,
/// since nobody asked to see it.
fn shown(read: &dyn Read, summary: &Summary, kind: Kind, key: &ItemKey, now: Millis) -> Result<Answer, InputError> {
    show(read, summary, kind, key, now, Reveal::Own)
}

fn show(
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
    let shelf = Shelf::open(read, summary.clone())?;
    let found = item::show(&shelf.reader(read, now), key, reveal)?;
    found
        .map(Answer::Item)
        .ok_or_else(|| InputError::not_found("that is not here", Hint::run("note", "list", &[], "shows what is")))
}

fn inbox(base: &dyn Read, crypto: &dyn Crypto, now: Millis) -> Result<Answer, InputError> {
    let mut inbox = Vec::new();
    for summary in candidates(base, None)? {
        let (id, name) = (summary.id, summary.name.0.clone());
        let pending = super::query::pending(&summary, base, crypto)?;
        let shelf = Shelf::open(base, summary)?;
        inbox.extend(item::inbox(&shelf.reader(base, now))?);
        for request in pending {
            inbox.push(control::InboxEntry {
                kind: control::Subject::Pending,
                id: request.id,
                parent: None,
                circle: id.text(),
                circle_name: name.clone(),
                title: request.name.clone(),
                content_warning: None,
                want: None,
                author: control::Author {
                    member: String::new(),
                    name: request.name,
                    alike: request.alike,
                    alike_former: request.alike_former,
                },
                created_at: request.requested_at,
            });
        }
    }
    inbox.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    Ok(Answer::Inbox(control::Inbox { inbox }))
}

/// What there is to say about a circle's items.
pub(crate) fn health(circle: &CircleState, base: &dyn Read, findings: &mut Vec<Finding>) -> Result<(), InputError> {
    let health = item::health(base, &circle.id)?;
    let mut found = Findings::of(circle.name(), findings);
    if health.held > 0 {
        found.say(
            Level::Note,
            format!("{} items are held for a steward to look at", health.held),
            "they lie beyond what a removal left standing",
        );
    }
    if health.waiting > 0 {
        found.say(
            Level::Note,
            format!("{} items wait for something they depend on", health.waiting),
            "it comes from any member who has it",
        );
    }
    if health.unbuilt > 0 {
        found.say(
            Level::Note,
            format!("{} items are still being put together", health.unbuilt),
            "they show as they were until then",
        );
    }
    if health.refused > 0 {
        found.say(Level::Note, format!("{} entries broke a rule and mean nothing", health.refused), "");
    }
    Ok(())
}

/// How many items stand in lists.
pub(crate) fn items(base: &dyn Read) -> Result<u64, StoreError> {
    let mut items = 0;
    for summary in Summary::all(base)? {
        items += item::listed(base, &summary.id)?;
    }
    Ok(items)
}
