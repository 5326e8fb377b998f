//! Commands about what members write: from names to entries.

use crate::circle::news;
use crate::circle::overview;
use crate::circle::state::OwnStanding;
use crate::circle::summary::Summary;
use crate::context::{Cx, InputError};
use crate::control::{self, EditItem, NewItem, Response};
use crate::id::ItemKey;
use crate::io::Answer;
use crate::item::compose::{self, ComposeContext};
use crate::item::imports::ImportId;
use crate::item::kind::Kind;
use crate::item::kinds::{self, tombstone};
use crate::item::mark;
use crate::item::{self, ItemReader, Outcome, Report, Reveal};
use crate::log::entry::NewEntry;
use crate::node::NodeState;
use crate::node::opened::{OpenedCircle, candidates, find, shown};
use crate::sync::entries;
use crate::time::Millis;

impl From<compose::ComposeError> for InputError {
    fn from(stop: compose::ComposeError) -> Self {
        match stop {
            compose::ComposeError::Refused(error) => Self::Refused(*error),
            compose::ComposeError::Store(error) => Self::Store(error),
        }
    }
}

/// Writes a new item, and shows it.
pub(crate) fn new(node: &mut NodeState, cx: &mut Cx<'_, '_>, circle: &str, new: &NewItem) -> Result<Answer, InputError> {
    let (summary, keys) = fresh(node, cx, circle, |place, cx| Ok(vec![kinds::compose(place, cx.env.rng, new)?]))?;
    keys.first().map_or(Ok(Answer::Done), |(key, kind)| shown(&cx.tx, &summary, *kind, key, cx.env.now))
}

/// Forgets what an import brought; its items stay.
pub(crate) fn forget_import(cx: &mut Cx<'_, '_>, import: &str) -> Result<Answer, InputError> {
    let import = ImportId::named(&cx.tx, import)??;
    item::imports::forget(&mut cx.tx, import)?;
    Ok(Answer::Done)
}

/// Replies, reacts or answers, and says what the reply is called.
pub(crate) fn respond(
    node: &mut NodeState,
    cx: &mut Cx<'_, '_>,
    circle: &str,
    item: &str,
    response: &Response,
) -> Result<Answer, InputError> {
    let targets: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| response.kind().may_target(*kind)).collect();
    let mut written = None;
    let answer = on(node, cx, circle, &targets, item, |reader, place, rng, key| {
        let entries = kinds::respond(reader, place, rng, key, response)?;
        let told = entries.first().filter(|_| response.kind().is_told());
        written = told.map(|entry| entry.item.key(&reader.circle).text(response.kind().letter()));
        Ok(entries)
    })?;
    Ok(if let Answer::Item(item) = answer { Answer::Item(item.written(written)) } else { answer })
}

/// Changes an item, and says what crossed.
pub(crate) fn edit(
    node: &mut NodeState,
    cx: &mut Cx<'_, '_>,
    circle: &str,
    item: &str,
    edit: &EditItem,
) -> Result<Answer, InputError> {
    let mut crossed = Vec::new();
    let answer = on(node, cx, circle, &edit.kind().named(), item, |reader, place, _, key| {
        let (entries, since) = kinds::edit(reader, place, key, edit)?;
        crossed = since;
        Ok(entries)
    })?;
    Ok(if let Answer::Item(item) = answer { Answer::Item(item.crossed_by(crossed)) } else { answer })
}

/// Deletes an item.
pub(crate) fn remove(
    node: &mut NodeState,
    cx: &mut Cx<'_, '_>,
    circle: &str,
    item: &str,
    now: bool,
) -> Result<Answer, InputError> {
    on(node, cx, circle, &[], item, |reader, place, rng, key| tombstone::remove(reader, place, rng, key, now))
}

/// Brings back what this machine's member deleted.
pub(crate) fn restore(node: &mut NodeState, cx: &mut Cx<'_, '_>, circle: &str, item: &str) -> Result<Answer, InputError> {
    on(node, cx, circle, &[], item, |reader, place, _, key| tombstone::restore(reader, place, key))
}

/// Hides or pins the item of a circle, or takes that back.
pub(crate) fn mark(
    node: &mut NodeState,
    cx: &mut Cx<'_, '_>,
    (circle, item): (&str, &str),
    kind: Kind,
    says: bool,
) -> Result<Answer, InputError> {
    on(node, cx, circle, &[], item, |reader, place, rng, key| mark::set(reader, place, rng, kind, key, says))
}

/// Makes everything again that follows from the log.
pub(crate) fn rebuild(node: &NodeState, cx: &mut Cx<'_, '_>) -> Result<Answer, InputError> {
    entries::rebuild(&node.circles, cx).map(|()| Answer::Done)
}

/// Brings words that wait into the index; says whether it is complete.
pub(crate) fn index(node: &NodeState, cx: &mut Cx<'_, '_>) -> Result<Answer, InputError> {
    let _some = entries::index(&node.circles, cx)?;
    Ok(Answer::Indexed(!item::unindexed(&cx.tx)?))
}

/// Writes many new items at once, and notes which import they are of.
pub(crate) fn batch(node: &mut NodeState, cx: &mut Cx<'_, '_>, circle: &str, new: control::Batch) -> Result<Answer, InputError> {
    let import = match new.import.as_deref() {
        None => None,
        Some("") => Some(ImportId::new(&mut *cx.env.rng)),
        Some(text) => Some(ImportId::named(&cx.tx, text)??),
    };
    let items: Vec<NewItem> = new.items.into_iter().map(NewItem::from).collect();
    let (_, keys) = fresh(node, cx, circle, |place, cx| Ok(kinds::batch(place, cx.env.rng, &items)?))?;
    if let Some(import) = import {
        item::imports::note(&mut cx.tx, import, keys.iter().map(|(key, _)| *key));
    }
    let ids = keys.iter().map(|(key, kind)| key.text(kind.letter())).collect();
    Ok(Answer::Made(control::Made { ids, import: import.map(|import| import.text()) }))
}

/// Writes new items into a circle; says which they are.
fn fresh(
    node: &mut NodeState,
    cx: &mut Cx<'_, '_>,
    circle: &str,
    compose: impl FnOnce(&ComposeContext, &mut Cx<'_, '_>) -> Result<Vec<NewEntry>, InputError>,
) -> Result<(Summary, Vec<(ItemKey, Kind)>), InputError> {
    let summary = overview::named(&cx.tx, circle)?;
    let place = place(&summary, cx.env.now)?;
    let written = compose(&place, cx)?;
    let keys: Vec<(ItemKey, Kind)> =
        written.iter().filter_map(|entry| Some((entry.item.key(&summary.id), Kind::of(entry.kind)?))).collect();
    let report = entries::write(&mut node.circles, cx, &summary.id, written)?;
    refused(&report)?;
    Ok((summary, keys))
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
    let opened = OpenedCircle::open(&cx.tx, summary)?;
    let written = compose(&opened.reader(&cx.tx, cx.env.now), &place, &mut *cx.env.rng, &key)?;
    if !written.is_empty() {
        let report = entries::write(&mut node.circles, cx, &opened.summary.id, written)?;
        refused(&report)?;
    }
    shown(&cx.tx, &opened.summary, kind, &key, cx.env.now)
}

/// One's own entries must mean what they say; anything else is our bug, told instead of hidden.
fn refused(report: &Report) -> Result<(), InputError> {
    let aside = report.outcomes.iter().find_map(|outcome| match outcome {
        Outcome::SetAside(why) | Outcome::Newer(why) => Some(*why),
        Outcome::Applied(_) | Outcome::Kept | Outcome::Known => None,
    });
    aside.map_or(Ok(()), |why| {
        if why == item::BEYOND {
            let (message, hint) = ("You have changed this as often as one person may.", "Start a new one, and link to this one.");
            return Err(InputError::Refused(control::Error::new(control::Code::Failed, message, hint)));
        }
        let message = format!("That cannot be written: {why}.");
        Err(InputError::Refused(control::Error::new(control::Code::Failed, message, "Please report this.")))
    })
}

/// Marks an item as seen, or all.
pub(crate) fn seen(cx: &mut Cx<'_, '_>, circle: Option<&str>, item: Option<&str>, reveal: bool) -> Result<Answer, InputError> {
    if let Some(text) = item {
        let (summary, _, key) = find(&cx.tx, circle, &[], text)?;
        let opened = OpenedCircle::open(&cx.tx, summary)?;
        let seen = item::seen_with(&opened.reader(&cx.tx, cx.env.now), &key, Reveal::asked(reveal))?;
        item::see(&mut cx.tx, &seen)?;
    } else {
        for summary in candidates(&cx.tx, circle)? {
            item::see_all(&mut cx.tx, &summary.id)?;
            news::see(&mut cx.tx, &summary)?;
        }
    }
    Ok(Answer::Done)
}

fn place(summary: &Summary, now: Millis) -> Result<ComposeContext, InputError> {
    let (Some(me), Some(role), OwnStanding::In) = (summary.me, summary.my_role(), summary.standing) else {
        return Err(InputError::outside());
    };
    Ok(ComposeContext { me, role, now, retention: summary.retention(now) })
}
