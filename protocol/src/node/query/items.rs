//! Queries about what members wrote.

use std::collections::BTreeMap;

use crate::circle::news;
use crate::circle::overview::{self, Overview};
use crate::circle::state::OwnStanding;
use crate::circle::summary::Summary;
use crate::context::InputError;
use crate::control::{self, Hint, InboxEntry, Notice};
use crate::crypto::Crypto;
use crate::id::CircleId;
use crate::io::{Answer, Filter};
use crate::item::imports::ImportId;
use crate::item::kind::Kind;
use crate::item::{self, ItemReader, Reveal};
use crate::limits::{MOST_SEARCH_HITS, SEARCH_HITS};
use crate::node::notices;
use crate::node::opened::{OpenedCircle, candidates, find, show};
use crate::store::{Read, StoreError};
use crate::time::Millis;

/// Items of a kind.
pub(crate) fn list(
    base: &dyn Read,
    now: Millis,
    circle: Option<&str>,
    kind: Kind,
    filter: &Filter,
) -> Result<Answer, InputError> {
    let summary = overview::named(base, circle.unwrap_or("-"))?;
    let opened = OpenedCircle::open(base, summary)?;
    let items = item::list(&opened.reader(base, now), kind, filter)?;
    let no_list = || InputError::not_found(&format!("A {} has no list of its own.", kind.noun()), item::where_listed(&[kind]));
    Ok(Answer::Items(items.ok_or_else(no_list)?))
}

/// One item.
pub(crate) fn one(
    base: &dyn Read,
    now: Millis,
    circle: Option<&str>,
    kind: Kind,
    item: &str,
    reveal: bool,
) -> Result<Answer, InputError> {
    let (summary, kind, key) = find(base, circle, &kind.named(), item)?;
    show(base, &summary, kind, &key, now, Reveal::asked(reveal))
}

/// What an item said before.
pub(crate) fn history(
    base: &dyn Read,
    now: Millis,
    circle: Option<&str>,
    item: &str,
    reveal: bool,
) -> Result<Answer, InputError> {
    let (summary, _, key) = find(base, circle, &[], item)?;
    let opened = OpenedCircle::open(base, summary)?;
    Ok(Answer::History(item::history(&opened.reader(base, now), &key, Reveal::asked(reveal))?))
}

/// What an import brought.
pub(crate) fn import(base: &dyn Read, import: &str) -> Result<Answer, InputError> {
    let circles: Vec<CircleId> = candidates(base, None)?.iter().map(|summary| summary.id).collect();
    let import = ImportId::named(base, import)??;
    Ok(Answer::Import(item::imports::show(base, &circles, import)??))
}

/// Items that hold words.
pub(crate) fn search(
    base: &dyn Read,
    now: Millis,
    words: &str,
    circle: Option<&str>,
    limit: usize,
) -> Result<Answer, InputError> {
    let opened: Vec<OpenedCircle> =
        candidates(base, circle)?.into_iter().map(|s| OpenedCircle::open(base, s)).collect::<Result<_, _>>()?;
    let readers: Vec<ItemReader<'_>> = opened.iter().map(|opened| opened.reader(base, now)).collect();
    let limit = if limit == 0 { SEARCH_HITS } else { limit.min(MOST_SEARCH_HITS) };
    Ok(Answer::Found(item::search(base, &readers, words, limit)?))
}

/// What is new.
pub(crate) fn inbox(base: &dyn Read, crypto: &dyn Crypto, now: Millis, circle: Option<&str>) -> Result<Answer, InputError> {
    let mut inbox = Vec::new();
    let summaries = candidates(base, circle)?;
    let circles: BTreeMap<String, OwnStanding> = summaries.iter().map(|s| (s.id.text(), s.standing)).collect();
    for summary in summaries {
        let pending = super::pending(&summary, base, crypto)?;
        inbox.extend(pending.into_iter().map(|request| asks(&summary, request)));
        inbox.extend(news::news(base, &summary, now)?);
        let opened = OpenedCircle::open(base, summary)?;
        inbox.extend(item::inbox(&opened.reader(base, now))?);
    }
    inbox.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    // How a request stands is told whatever became of the circle before: somebody who left may ask to come back.
    let mut notices = notices::of_joins(base)?;
    // What they decided themselves is no news.
    let removed = |notice: &Notice| circles.get(&notice.circle) == Some(&OwnStanding::Removed);
    notices.extend(notices::of_circles(base)?.into_iter().filter(removed));
    if circle.is_some() {
        notices.retain(|notice| circles.contains_key(&notice.circle));
    }
    Ok(Answer::Inbox(control::Inbox { inbox, notices }))
}

/// Somebody asks to come in.
fn asks(summary: &Summary, request: control::PendingRequest) -> InboxEntry {
    let id = summary.id.text();
    let approve = Hint::run("invite", "approve", &[&request.id, "-c", &id], "lets them in");
    let control::PendingRequest { id: request_id, name, alike, alike_former, requested_at, .. } = request;
    let author = control::Author { member: String::new(), name: name.clone(), alike, alike_former };
    let circle = (id, summary.name.0.clone());
    let entry = InboxEntry::new(control::Subject::Request, request_id, circle, author, requested_at);
    InboxEntry { title: name, hints: approve.into(), ..entry }
}

/// How many items stand in lists.
pub(crate) fn items(base: &dyn Read) -> Result<u64, StoreError> {
    let mut items = 0;
    for circle in Overview::all(base)? {
        items += item::listed(base, &circle.id)?;
    }
    Ok(items)
}
