//! Notes, events, resources, and what is said about them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Time;

/// Who wrote something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Author {
    /// Short member id.
    pub member: String,
    /// Her name.
    pub name: String,
    /// Does somebody else bear a name that looks like it, who is in or was in before? Left out where nobody does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alike: bool,
    /// Of somebody who asks to come in: is it only somebody who is out whose name looks like it?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alike_former: bool,
}

/// What a post asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Want {
    /// To be heard.
    Listen,
    /// Advice.
    Advice,
    /// Links, numbers, people.
    Resources,
}

/// Whether an item is shown, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum NoteState {
    /// Shown.
    Visible,
    /// Past the circle's retention.
    Expired,
    /// Deleted.
    Removed,
    /// Hidden by a facilitator.
    Hidden,
    /// Held for a steward to look at.
    Held,
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Note {
    /// Short id.
    pub id: String,
    /// The circle's short id.
    pub circle: String,
    /// Its title; may be empty.
    pub title: String,
    /// Its body; `null` behind a content warning until asked for, and in states other than `visible`.
    pub body: Option<String>,
    /// There is more of it than a list shows: of its text, its replies or its reactions. Left out where there is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// Who wrote it.
    pub author: Author,
    /// Her clock's label.
    pub created_at: Time,
    /// Of the last edit, if any.
    pub edited_at: Option<Time>,
    /// How many edits made it.
    pub version: u64,
    /// What to expect behind it.
    pub content_warning: Option<String>,
    /// What it asks for.
    pub want: Option<Want>,
    /// Language tag (BCP 47); may be empty.
    pub lang: String,
    /// Tags.
    pub tags: Vec<String>,
    /// Pinned by a facilitator.
    pub pinned: bool,
    /// Replies, oldest first.
    pub replies: Vec<Reply>,
    /// Emoji to the names of those who reacted.
    pub reactions: BTreeMap<String, Vec<String>>,
    /// The same with ids, in the same order: two may bear one name.
    #[serde(default)]
    pub reacted: BTreeMap<String, Vec<Author>>,
    /// Shown or not.
    pub state: NoteState,
    /// To its author: `local`, `relay`, `some` or `all`; to others `null`.
    pub delivery: Option<String>,
    /// To its author, on how many of how many other current devices it is.
    pub delivered: Option<(u32, u32)>,
    /// Not yet seen here.
    pub new: bool,
    /// The author's clock is more than a day off ours.
    pub clock_skewed: bool,
}

/// A reply to a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reply {
    /// Short id.
    pub id: String,
    /// Its text; `null` behind a warning (its own, or its note's) until asked for.
    pub body: Option<String>,
    /// There is more of its text than a list shows. Left out where there is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// What to expect behind it.
    pub content_warning: Option<String>,
    /// Who wrote it.
    pub author: Author,
    /// Her clock's label.
    pub created_at: Time,
    /// Of the last edit, if any.
    pub edited_at: Option<Time>,
    /// Shown or not.
    pub state: NoteState,
    /// As for notes.
    pub delivery: Option<String>,
    /// Not yet seen here.
    pub new: bool,
}

/// A new note.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct NewNote {
    /// Its title; may be empty.
    pub title: String,
    /// Its body.
    pub body: String,
    /// What to expect behind it.
    pub content_warning: Option<String>,
    /// What it asks for.
    pub want: Option<Want>,
    /// Language tag (BCP 47).
    pub lang: String,
    /// Tags.
    pub tags: Vec<String>,
}

/// Changes of a note or reply; absent fields stay. An empty warning takes it off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EditNote {
    /// Title.
    pub title: Option<String>,
    /// Body.
    pub body: Option<String>,
    /// Content warning.
    pub content_warning: Option<String>,
    /// `listen`, `advice`, `resources` or empty.
    pub want: Option<String>,
    /// Language.
    pub lang: Option<String>,
    /// Tags, all of them.
    pub tags: Option<Vec<String>>,
}

/// A new reply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct NewReply {
    /// Its text.
    pub body: String,
    /// What to expect behind it.
    pub content_warning: Option<String>,
}

/// A reaction; asking for the same again takes it back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct NewReaction {
    /// One emoji.
    pub emoji: String,
    /// Take it back.
    pub remove: bool,
}

/// How many answered what, and one's own answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RsvpCounts {
    /// Coming.
    pub yes: u32,
    /// Not coming.
    pub no: u32,
    /// Perhaps.
    pub maybe: u32,
    /// One's own: `yes`, `no`, `maybe` or `null`.
    pub mine: Option<String>,
}

/// An answer to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Rsvp {
    /// Coming.
    Yes,
    /// Not coming.
    No,
    /// Perhaps.
    Maybe,
}

/// The body of an RSVP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rsvped {
    /// The answer.
    pub answer: Rsvp,
}

/// An event; a recurring one is one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Short id.
    pub id: String,
    /// The circle's short id.
    pub circle: String,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// There is more of its text than a list shows. Left out where there is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// First start, UTC.
    pub starts: Time,
    /// First end, UTC; may be absent.
    pub ends: Option<Time>,
    /// First start as the wall clock shows it: `YYYY-MM-DDTHH:MM:SS`, or `YYYY-MM-DD` for all-day events.
    pub starts_local: String,
    /// First end as the wall clock shows it, or empty.
    pub ends_local: String,
    /// Is it about whole days?
    pub all_day: bool,
    /// IANA time zone.
    pub tz: String,
    /// RFC 5545 recurrence: the `RRULE` value, then lines `RDATE:...` and `EXDATE:...` if any; or `null`.
    pub rrule: Option<String>,
    /// Where.
    pub location: String,
    /// `confirmed`, `tentative` or `cancelled`.
    pub status: String,
    /// Answers.
    pub rsvp: RsvpCounts,
    /// Who made it.
    pub author: Author,
    /// Her clock's label.
    pub created_at: Time,
    /// Of the last edit, if any.
    pub edited_at: Option<Time>,
    /// The calendar's own id where it was imported, or empty.
    pub uid: String,
    /// Tags.
    pub tags: Vec<String>,
    /// Shown or not.
    pub state: NoteState,
    /// As for notes.
    pub delivery: Option<String>,
    /// Not yet seen here.
    pub new: bool,
}

/// A new event. The CLI has resolved wall clock and zone to UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct NewEvent {
    /// Its title.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// RFC 3339.
    pub starts: String,
    /// RFC 3339, or empty.
    pub ends: String,
    /// Wall clock: `YYYY-MM-DDTHH:MM:SS` or `YYYY-MM-DD`.
    pub starts_local: String,
    /// Wall clock, or empty.
    pub ends_local: String,
    /// IANA time zone.
    pub tz: String,
    /// As in [`Event::rrule`].
    pub rrule: Option<String>,
    /// Where.
    pub location: String,
    /// `confirmed` (empty), `tentative` or `cancelled`.
    pub status: String,
    /// The calendar's own id, or empty.
    pub uid: String,
    /// Tags.
    pub tags: Vec<String>,
}

/// Changes of an event; absent fields stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EditEvent {
    /// Title.
    pub title: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// RFC 3339.
    pub starts: Option<String>,
    /// RFC 3339, or empty.
    pub ends: Option<String>,
    /// Wall clock.
    pub starts_local: Option<String>,
    /// Wall clock, or empty.
    pub ends_local: Option<String>,
    /// IANA time zone.
    pub tz: Option<String>,
    /// As in [`Event::rrule`]; empty takes it off.
    pub rrule: Option<String>,
    /// Where.
    pub location: Option<String>,
    /// `confirmed`, `tentative` or `cancelled`.
    pub status: Option<String>,
    /// Tags, all of them.
    pub tags: Option<Vec<String>>,
}

/// A resource: a link or a pointer worth keeping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Resource {
    /// Short id.
    pub id: String,
    /// The circle's short id.
    pub circle: String,
    /// Its title.
    pub title: String,
    /// Where it is; may be empty.
    pub url: String,
    /// What somebody gave as an address that runs or opens something on the reader's machine: words, never a link. `url` is empty
    /// then. Left out where there is nothing of the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_url: Option<String>,
    /// `link`, `phone`, `place`, `person`, `book` or another word.
    pub kind: String,
    /// Tags.
    pub tags: Vec<String>,
    /// Language tag (BCP 47); may be empty.
    pub lang: String,
    /// A few words about it.
    pub note: String,
    /// There is more of its text than a list shows. Left out where there is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// Who added it.
    pub author: Author,
    /// When it should be looked at again: `YYYY-MM-DD`, or `null`.
    pub review_by: Option<String>,
    /// Always `null`: files come later.
    pub file: Option<String>,
    /// The author's clock's label.
    pub created_at: Time,
    /// Of the last edit, if any.
    pub edited_at: Option<Time>,
    /// Shown or not.
    pub state: NoteState,
    /// As for notes.
    pub delivery: Option<String>,
    /// Not yet seen here.
    pub new: bool,
}

/// A new resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct NewResource {
    /// Its title.
    pub title: String,
    /// Where it is.
    pub url: String,
    /// `link` (empty), `phone`, `place`, `person`, `book` or another word.
    pub kind: String,
    /// Tags.
    pub tags: Vec<String>,
    /// Language tag (BCP 47).
    pub lang: String,
    /// A few words about it.
    pub note: String,
    /// `YYYY-MM-DD`.
    pub review_by: Option<String>,
}

/// Changes of a resource; absent fields stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EditResource {
    /// Title.
    pub title: Option<String>,
    /// Address.
    pub url: Option<String>,
    /// Kind.
    pub kind: Option<String>,
    /// Tags, all of them.
    pub tags: Option<Vec<String>>,
    /// Language.
    pub lang: Option<String>,
    /// A few words.
    pub note: Option<String>,
    /// `YYYY-MM-DD`, or empty.
    pub review_by: Option<String>,
}

/// One item of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum BatchItem {
    /// A note.
    Note(NewNote),
    /// An event.
    Event(NewEvent),
    /// A resource. Its own kind stands under `type`, since `kind` names the item's.
    Resource(NewResourceInBatch),
}

/// A resource in a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct NewResourceInBatch {
    /// Its title.
    pub title: String,
    /// Where it is.
    pub url: String,
    /// As [`NewResource::kind`].
    #[serde(rename = "type")]
    pub kind: String,
    /// Tags.
    pub tags: Vec<String>,
    /// Language tag (BCP 47).
    pub lang: String,
    /// A few words about it.
    pub note: String,
    /// `YYYY-MM-DD`.
    pub review_by: Option<String>,
}

impl From<NewResourceInBatch> for NewResource {
    fn from(r: NewResourceInBatch) -> Self {
        Self { title: r.title, url: r.url, kind: r.kind, tags: r.tags, lang: r.lang, note: r.note, review_by: r.review_by }
    }
}

impl From<NewResource> for NewResourceInBatch {
    fn from(r: NewResource) -> Self {
        Self { title: r.title, url: r.url, kind: r.kind, tags: r.tags, lang: r.lang, note: r.note, review_by: r.review_by }
    }
}

/// Many new items in one transaction; the answer is their ids in the same order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Batch {
    /// The items; at most 2,000.
    pub items: Vec<BatchItem>,
}

/// An edit of any item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditItem {
    /// Of a note or a reply.
    Note(EditNote),
    /// Of an event.
    Event(EditEvent),
    /// Of a resource.
    Resource(EditResource),
}

/// One step of an item's edit history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Revision {
    /// Who.
    pub author: Author,
    /// Her clock's label.
    pub at: Time,
    /// What changed.
    pub changes: Vec<Change>,
}

/// A field and its new value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// Its name.
    pub field: String,
    /// Its value after this step, as text; `null` for a body behind a content warning, until asked for.
    pub value: Option<String>,
}

/// What a search found; no body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SearchHit {
    /// `note`, `reply`, `event` or `resource`.
    pub kind: String,
    /// Short id.
    pub id: String,
    /// The circle's short id.
    pub circle: String,
    /// Title; for replies their note's. Empty behind a content warning.
    pub title: String,
    /// The words around the match; `null` behind a content warning.
    pub excerpt: Option<String>,
    /// What to expect behind it.
    pub content_warning: Option<String>,
    /// Who wrote it.
    pub author: Author,
    /// Her clock's label.
    pub created_at: Time,
}

/// What is new for me. Marks are local and never synced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Inbox {
    /// Oldest first.
    pub inbox: Vec<InboxEntry>,
}

/// One new thing; no body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InboxEntry {
    /// `note`, `reply`, `event`, `resource` or `pending`.
    pub kind: String,
    /// Short id.
    pub id: String,
    /// Of the note, for replies.
    pub parent: Option<String>,
    /// The circle's short id.
    pub circle: String,
    /// The circle's name.
    pub circle_name: String,
    /// Title; empty behind a content warning.
    pub title: String,
    /// What to expect behind it.
    pub content_warning: Option<String>,
    /// What a note asks for.
    pub want: Option<Want>,
    /// Who wrote it.
    pub author: Author,
    /// Her clock's label.
    pub created_at: Time,
}
