//! Commands about what members write: from names to entries.

use crate::circle::news;
use crate::circle::state::OwnStanding;
use crate::circle::summary::{self, Summary};
use crate::context::{Cx, InputError};
use crate::control::{self, NewItem};
use crate::id::ItemKey;
use crate::io::{Answer, Command};
use crate::item::compose::{self, ComposeContext};
use crate::item::imports::ImportId;
use crate::item::kind::Kind;
use crate::item::kinds::{self, tombstone};
use crate::item::{self, ItemReader, Outcome, Report, Reveal};
use crate::log::entry::NewEntry;
use crate::node::NodeState;
use crate::node::shelf::{Shelf, candidates, find, shown};
use crate::sync::entries::{self};
use crate::time::Millis;

impl From<compose::ComposeError> for InputError {
    fn from(stop: compose::ComposeError) -> Self {
        match stop {
            compose::ComposeError::Refused(error) => Self::Refused(*error),
            compose::ComposeError::Store(error) => Self::Store(error),
        }
    }
}

/// A command about items.
pub(crate) fn command(node: &mut NodeState, cx: &mut Cx<'_, '_>, command: Command) -> Result<Answer, InputError> {
    match command {
        Command::New(circle, new) => {
            fresh(node, cx, &circle, |place, cx| Ok(vec![kinds::compose(place, cx.env.rng, &new)?])).map(Fresh::shown)?
        }
        Command::Batch(circle, new) => batch(node, cx, &circle, new),
        Command::ForgetImport(import) => {
            let import = ImportId::named(&cx.tx, &import)??;
            item::imports::forget(&mut cx.tx, import)?;
            Ok(Answer::Done)
        }
        Command::Respond(circle, item, response) => {
            let targets: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| response.kind().may_target(*kind)).collect();
            let mut written = None;
            let answer = on(node, cx, &circle, &targets, &item, |reader, place, rng, key| {
                let entries = kinds::respond(reader, place, rng, key, &response)?;
                let told = entries.first().filter(|_| response.kind().is_told());
                written = told.map(|entry| entry.item.key(&reader.circle).text(response.kind().letter()));
                Ok(entries)
            })?;
            Ok(if let Answer::Item(item) = answer { Answer::Item(item.written(written)) } else { answer })
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
        Command::Restore(circle, item) => {
            on(node, cx, &circle, &[], &item, |reader, place, _, key| tombstone::restore(reader, place, key))
        }
        Command::Hide(circle, item, hide) => {
            on(node, cx, &circle, &[], &item, |reader, place, rng, key| compose::mark(reader, place, rng, Kind::Hide, key, hide))
        }
        Command::Pin(circle, item, pin) => {
            on(node, cx, &circle, &[], &item, |reader, place, rng, key| compose::mark(reader, place, rng, Kind::Pin, key, pin))
        }
        Command::Seen { circle, item, reveal } => seen(cx, circle.as_deref(), item.as_deref(), reveal),
        Command::Rebuild => entries::rebuild(&node.circles, cx).map(|()| Answer::Done),
        Command::Index => {
            let _some = entries::index(&node.circles, cx)?;
            Ok(Answer::Indexed(!item::unindexed(&cx.tx)?))
        }
        Command::Init { .. }
        | Command::NewCircle(_)
        | Command::EditCircle(..)
        | Command::Leave(..)
        | Command::Forget(_)
        | Command::Sign(_)
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
        | Command::KeepDraft(_)
        | Command::RemoveDraft(_)
        | Command::SyncNow => Ok(Answer::Done),
    }
}

/// Writes many new items at once, and notes which import they are of.
fn batch(node: &mut NodeState, cx: &mut Cx<'_, '_>, circle: &str, new: control::Batch) -> Result<Answer, InputError> {
    let import = match new.import.as_deref() {
        None => None,
        Some("") => Some(ImportId::new(&mut *cx.env.rng)),
        Some(text) => Some(ImportId::named(&cx.tx, text)??),
    };
    let items: Vec<NewItem> = new.items.into_iter().map(NewItem::from).collect();
    let made = fresh(node, cx, circle, |place, cx| Ok(kinds::batch(place, cx.env.rng, &items)?))?;
    if let Some(import) = import {
        item::imports::note(&mut cx.tx, import, made.keys.iter().map(|(key, _)| *key));
    }
    let ids = made.keys.iter().map(|(key, kind)| key.text(kind.letter())).collect();
    Ok(Answer::Made(control::Made { ids, import: import.map(|import| import.text()) }))
}

/// What writing new items came to.
struct Fresh {
    answer: Result<Answer, InputError>,
    keys: Vec<(ItemKey, Kind)>,
}

impl Fresh {
    fn shown(self) -> Result<Answer, InputError> {
        self.answer
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
    let answer = match keys.as_slice() {
        [(key, kind)] => shown(&cx.tx, &summary, *kind, key, cx.env.now),
        _ => Ok(Answer::Done),
    };
    Ok(Fresh { answer, keys })
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

fn seen(cx: &mut Cx<'_, '_>, circle: Option<&str>, item: Option<&str>, reveal: bool) -> Result<Answer, InputError> {
    if let Some(text) = item {
        let (summary, _, key) = find(&cx.tx, circle, &[], text)?;
        let shelf = Shelf::open(&cx.tx, summary)?;
        let seen = item::seen_with(&shelf.reader(&cx.tx, cx.env.now), &key, Reveal::asked(reveal))?;
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
