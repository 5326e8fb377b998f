//! What is new for the member of this machine.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::author::Author;
use super::event::EventStatus;
use super::note::Want;
use crate::control::word::words;
use crate::control::{Hints, Notice, Subject, Time};

/// What is new for me. Marks are local and never synced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Inbox {
    /// Oldest first.
    pub inbox: Vec<InboxEntry>,
    /// Circles that one waits for or was removed from. Left out where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
}

/// One new thing; no body behind a content warning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InboxEntry {
    /// What it is: an item; `changed`, an item that was changed; `member`, `circle` or `request`.
    pub kind: Subject,
    /// Short id: of the item, the person, the circle or the request.
    pub id: String,
    /// Of the note, for replies.
    pub parent: Option<String>,
    /// The note's title, for replies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_title: Option<String>,
    /// The circle's short id.
    pub circle: String,
    /// The circle's name.
    pub circle_name: String,
    /// Title; empty behind a content warning.
    pub title: String,
    /// How its text begins where it has no title; `null` behind a content warning.
    #[serde(default)]
    pub excerpt: Option<String>,
    /// What to expect behind it.
    pub content_warning: Option<String>,
    /// What a note asks for.
    pub want: Option<Want>,
    /// Whether an event takes place. Left out of everything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<EventStatus>,
    /// Is an event about whole days? Left out where it is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all_day: bool,
    /// Who wrote it or did it; of a changed item, who gave the changed fields what they say now. Empty where nobody is known.
    pub author: Author,
    /// Their clock's label.
    pub created_at: Time,
    /// What happened, where that is not that an item is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<Happening>,
    /// What kind of item was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Subject>,
    /// Whom it happened to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<Author>,
    /// Is that the member of this machine? Left out where it is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub me: bool,
    /// What says something else now. Left out where nothing does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<FieldChange>,
    /// From when on a rule holds that holds only for what is written later: a shorter retention, or what newcomers read where it was
    /// less before. Left out of everything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Time>,
    /// How many items of this kind their author brought along at once; `id` and the rest are those of the first. Left out where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// What to do about it.
    #[serde(flatten)]
    pub hints: Hints,
}

impl InboxEntry {
    /// Something of a circle, named by id and name, and nothing more yet.
    pub(crate) fn new(kind: Subject, id: String, circle: (String, String), author: Author, created_at: Time) -> Self {
        let (circle, circle_name) = circle;
        Self {
            kind,
            id,
            parent: None,
            parent_title: None,
            circle,
            circle_name,
            title: String::new(),
            excerpt: None,
            content_warning: None,
            want: None,
            status: None,
            all_day: false,
            author,
            created_at,
            what: None,
            of: None,
            member: None,
            me: false,
            changes: Vec::new(),
            from: None,
            count: None,
            hints: Hints::default(),
        }
    }
}

/// A field that says something else than when it was last seen here. Long texts are named and not repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    /// Its name.
    pub field: String,
    /// What it said.
    pub before: Option<String>,
    /// What it says now.
    pub after: Option<String>,
    /// It said what I had set, and who set what it says now did not know of that: of two changes at the same time, theirs holds. Left
    /// out where it is not so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
}

impl FieldChange {
    /// A field that somebody gave another value, knowing what it said.
    pub(crate) fn new(field: &str, before: Option<String>, after: Option<String>) -> Self {
        Self { field: field.to_owned(), before, after, lost: false }
    }
}

words! {
    /// What happened while somebody was away.
    pub enum Happening {
        /// Somebody came in.
        Joined = "joined",
        /// Somebody was removed.
        Removed = "removed",
        /// Somebody waits for a steward to confirm them.
        Suspended = "suspended",
        /// Somebody has another role.
        Role = "role",
        /// The circle has another name,
        Name = "name",
        /// agreement,
        Agreement = "agreement",
        /// rule on what newcomers read,
        History = "history",
        /// time that conversation is kept,
        Retention = "retention",
        /// rule on who invites,
        Invite = "invite",
        /// or rule on who approves.
        Approval = "approval",
        /// No steward is left.
        Frozen = "frozen",
        /// An event takes place at another time.
        Moved = "moved",
        /// It does not take place,
        Cancelled = "cancelled",
        /// or takes place after all.
        Confirmed = "confirmed",
        /// An item says something else.
        Edited = "edited",
    }
}
