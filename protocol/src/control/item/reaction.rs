//! Reactions to notes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A reaction; asking for the same again takes it back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct NewReaction {
    /// One emoji.
    pub emoji: String,
    /// Take it back.
    pub remove: bool,
}
