//! Notes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Reply;
use super::author::{Author, Crossed, DeliveryStatus, ItemState};
use crate::control::Time;
use crate::control::word::words;

/// A note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Note {
    /// Short id.
    pub id: String,
    /// The state that is shown, to be given with an edit; left out in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// In the answer to an edit with a base: what others have changed since. Left out where that is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crossed: Vec<Crossed>,
    /// The circle's short id.
    pub circle: String,
    /// The circle's name.
    #[serde(default)]
    pub circle_name: String,
    /// In the answer to a reply: the reply's own short id.
    #[serde(default, rename = "reply", skip_serializing_if = "Option::is_none")]
    pub written: Option<String>,
    /// Its title; may be empty.
    pub title: String,
    /// Its body; `null` behind a content warning until asked for, and in states other than `visible`.
    pub body: Option<String>,
    /// There is more of it than a list shows: of its text, its replies or its reactions. Left out where there is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// Who wrote it.
    pub author: Author,
    /// Their clock's label.
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
    pub state: ItemState,
    /// To its author, how far it has come; to others `null`.
    pub delivery: Option<DeliveryStatus>,
    /// To its author, on how many of how many other current devices it is.
    pub delivered: Option<(u32, u32)>,
    /// Not yet seen here.
    pub new: bool,
    /// Somebody changed it since it was seen here. Left out where nobody did.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changed: bool,
    /// The author's clock is more than a day off ours.
    pub clock_skewed: bool,
}

words! {
    /// What a note asks for.
    pub enum Want {
        /// To be heard.
        Listen = "listen",
        /// Advice.
        Advice = "advice",
        /// Links, numbers, people.
        Resources = "resources",
    }
}

words! {
    /// What a note shall ask for: a [`Want`], or nothing any more.
    pub enum WantChange {
        /// To be heard.
        Listen = "listen",
        /// Advice.
        Advice = "advice",
        /// Links, numbers, people.
        Resources = "resources",
        /// Nothing: takes off what it asked for.
        Nothing = "",
    }
}

impl WantChange {
    /// What the note asks for then.
    #[must_use]
    pub const fn want(self) -> Option<Want> {
        match self {
            Self::Listen => Some(Want::Listen),
            Self::Advice => Some(Want::Advice),
            Self::Resources => Some(Want::Resources),
            Self::Nothing => None,
        }
    }
}

impl From<Want> for WantChange {
    fn from(want: Want) -> Self {
        match want {
            Want::Listen => Self::Listen,
            Want::Advice => Self::Advice,
            Want::Resources => Self::Resources,
        }
    }
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
    /// The state that was shown, of which this is a change: what came since stays. Absent: the state as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Title.
    pub title: Option<String>,
    /// Body.
    pub body: Option<String>,
    /// Content warning.
    pub content_warning: Option<String>,
    /// What it asks for: a word of `Want`; empty: nothing.
    #[schema(value_type = Option<String>)]
    pub want: Option<WantChange>,
    /// Language.
    pub lang: Option<String>,
    /// Tags, all of them.
    pub tags: Option<Vec<String>>,
}
