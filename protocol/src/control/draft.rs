//! Texts that are not saved yet.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::word::words;
use super::{Time, WantChange};

words! {
    /// What a text is to become.
    pub enum DraftOf {
        /// A new note.
        Note = "note",
        /// A reply to a note.
        Reply = "reply",
        /// A change of a note or reply.
        Edit = "edit",
    }
}

/// A text that could not be saved, and all that saving it takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewDraft {
    /// What it is to become.
    pub becomes: DraftOf,
    /// The circle, by its id.
    pub circle: String,
    /// The note that is replied to or changed, by its id; `null` for a new one.
    pub item: Option<String>,
    /// The text.
    pub body: String,
    /// Its title.
    pub title: Option<String>,
    /// Its content warning.
    pub content_warning: Option<String>,
    /// What it asks for: a word of `Want`; empty: nothing.
    #[schema(value_type = Option<String>)]
    pub want: Option<WantChange>,
    /// Its language.
    pub lang: Option<String>,
    /// Its tags.
    pub tags: Option<Vec<String>>,
    /// The state that it is a change of.
    pub base: Option<String>,
}

/// A text that is kept, sealed in this machine's store, and is not sent to anybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Draft {
    /// Short id.
    pub id: String,
    /// The text, and what it is to become.
    #[serde(flatten)]
    pub text: NewDraft,
    /// Since when it is kept.
    pub kept_at: Time,
    /// Until when.
    pub until: Time,
}
