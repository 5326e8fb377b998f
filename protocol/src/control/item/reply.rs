//! Replies to notes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::author::{Author, DeliveryStatus, ItemState};
use crate::control::Time;

/// A reply to a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reply {
    /// Short id.
    pub id: String,
    /// The state that is shown, to be given with an edit; left out in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Its text; `null` behind a warning (its own, or its note's) until asked for.
    pub body: Option<String>,
    /// There is more of its text than a list shows. Left out where there is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// What to expect behind it.
    pub content_warning: Option<String>,
    /// Who wrote it.
    pub author: Author,
    /// Their clock's label.
    pub created_at: Time,
    /// Of the last edit, if any.
    pub edited_at: Option<Time>,
    /// Shown or not.
    pub state: ItemState,
    /// As for notes.
    pub delivery: Option<DeliveryStatus>,
    /// Not yet seen here.
    pub new: bool,
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
