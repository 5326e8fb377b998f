//! Resources.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::author::{Author, Crossed, DeliveryStatus, ItemState};
use crate::control::Time;

/// A resource: a link or a pointer worth keeping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Resource {
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
    /// Who changed it last. Left out where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<Author>,
    /// When somebody should look at it again: `YYYY-MM-DD`, or `null`.
    pub review_by: Option<String>,
    /// Always `null`: files come later.
    pub file: Option<String>,
    /// The author's clock's label.
    pub created_at: Time,
    /// Of the last edit, if any.
    pub edited_at: Option<Time>,
    /// Shown or not.
    pub state: ItemState,
    /// As for notes.
    pub delivery: Option<DeliveryStatus>,
    /// Not yet seen here.
    pub new: bool,
    /// Somebody changed it since it was seen here. Left out where nobody did.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changed: bool,
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
    /// The state that was shown, of which this is a change: what came since stays. Absent: the state as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
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
