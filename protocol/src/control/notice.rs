//! How one stands to circles that one is not simply in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Hints;

/// How the member of this machine stands to a circle that they are not simply in, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Notice {
    /// The circle's short id.
    pub circle: String,
    /// Its name; empty while it is not known.
    pub circle_name: String,
    /// The sentence.
    pub message: String,
    /// What to do next.
    #[serde(flatten)]
    pub hints: Hints,
}
