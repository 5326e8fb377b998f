//! Items as the local API shows and takes them: what all kinds share. What a kind has of its own lies in a file of its own.

mod author;
mod event;
mod inbox;
mod note;
mod reaction;
mod reply;
mod resource;
mod rsvp;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use author::{Author, Crossed, DeliveryStatus, ItemState};
pub use event::{EditEvent, Event, EventStatus, EventTimes, NewEvent};
pub use inbox::{FieldChange, Happening, Inbox, InboxEntry};
pub use note::{EditNote, NewNote, Note, Want, WantChange};
pub use reaction::NewReaction;
pub use reply::{NewReply, Reply};
pub use resource::{EditResource, NewResource, NewResourceInBatch, Resource};
pub use rsvp::{Rsvp, RsvpCounts, RsvpPerson, Rsvped};

use super::{Kind, Subject, Time};

/// An item that has a list, with what is shown with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Item {
    /// A note.
    Note(Box<Note>),
    /// An event.
    Event(Box<Event>),
    /// A resource.
    Resource(Box<Resource>),
}

/// Items of one kind, in JSON under the kind's path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Items {
    /// Notes.
    Notes(Vec<Note>),
    /// Events.
    Events(Vec<Event>),
    /// Resources.
    Resources(Vec<Resource>),
}

/// A new item of a kind that has a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewItem {
    /// A note.
    Note(NewNote),
    /// An event.
    Event(NewEvent),
    /// A resource.
    Resource(NewResource),
}

impl From<BatchItem> for NewItem {
    fn from(item: BatchItem) -> Self {
        match item {
            BatchItem::Note(new) => Self::Note(new),
            BatchItem::Event(new) => Self::Event(new),
            BatchItem::Resource(new) => Self::Resource(new.into()),
        }
    }
}

impl From<NewItem> for BatchItem {
    fn from(item: NewItem) -> Self {
        match item {
            NewItem::Note(new) => Self::Note(new),
            NewItem::Event(new) => Self::Event(new),
            NewItem::Resource(new) => Self::Resource(new.into()),
        }
    }
}

/// What somebody says about an item that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// A reply to a note.
    Reply(NewReply),
    /// A reaction to a note.
    Reaction(NewReaction),
    /// An answer to an event.
    Rsvp(Rsvp),
}

impl Response {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Reply(_) => Kind::Reply,
            Self::Reaction(_) => Kind::Reaction,
            Self::Rsvp(_) => Kind::Rsvp,
        }
    }
}

impl Item {
    /// Says what was written about it just now, where people ask for that by its id.
    #[must_use]
    pub fn written(mut self, id: Option<String>) -> Self {
        if let Self::Note(note) = &mut self {
            note.written = id;
        }
        self
    }

    /// Says what else was changed while it was edited.
    #[must_use]
    pub(crate) fn crossed_by(mut self, crossed: Vec<Crossed>) -> Self {
        match &mut self {
            Self::Note(note) => note.crossed = crossed,
            Self::Event(event) => event.crossed = crossed,
            Self::Resource(resource) => resource.crossed = crossed,
        }
        self
    }
}

impl EditItem {
    /// The state that it is a change of.
    #[must_use]
    pub fn base(&self) -> Option<&str> {
        match self {
            Self::Note(edit) => edit.base.as_deref(),
            Self::Event(edit) => edit.base.as_deref(),
            Self::Resource(edit) => edit.base.as_deref(),
        }
    }

    /// The kind as which people edit it: a reply as a note.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Note(_) => Kind::Note,
            Self::Event(_) => Kind::Event,
            Self::Resource(_) => Kind::Resource,
        }
    }
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

/// Many new items in one transaction; the answer is their ids in the same order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Batch {
    /// The items; at most 2,000.
    pub items: Vec<BatchItem>,
    /// Of which import they are, so that what it brings can be removed together: its id, which the answer for its first batch has.
    /// Empty: a new one. Absent: of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<String>,
}

/// What a batch became.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Made {
    /// Short ids of the new items, in order.
    pub ids: Vec<String>,
    /// The id of the import that they are of, or `null`.
    pub import: Option<String>,
}

/// What an import brought, as far as it is still here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Import {
    /// Its short id.
    pub id: String,
    /// The circle's short id.
    pub circle: String,
    /// Short ids of its items, oldest first.
    pub items: Vec<String>,
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
    /// Their clock's label.
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
    /// What it is.
    pub kind: Subject,
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
    /// Their clock's label.
    pub created_at: Time,
}
