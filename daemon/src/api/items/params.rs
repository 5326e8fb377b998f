//! What may stand in a query.

use kith_protocol::node::Filter;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::extract::flag;

/// Which of a list.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParams {
    /// The last so many.
    limit: Option<usize>,
    /// Only what is new here.
    #[serde(deserialize_with = "flag")]
    new: bool,
    /// Notes without a reply by somebody else; events not answered.
    #[serde(deserialize_with = "flag")]
    unanswered: bool,
    /// Events that are not over.
    #[serde(deserialize_with = "flag")]
    upcoming: bool,
    /// Bodies behind warnings too.
    #[serde(deserialize_with = "flag")]
    pub(super) reveal: bool,
    /// Only with this tag.
    tag: Option<String>,
    /// With all of long texts; else a list shows their start, and says `cut`.
    #[serde(deserialize_with = "flag")]
    full: bool,
}

impl From<ListParams> for Filter {
    fn from(params: ListParams) -> Self {
        let ListParams { limit, new, unanswered, upcoming, reveal, tag, full } = params;
        Self { limit, new, unanswered, upcoming, reveal, tag, full }
    }
}

/// How a history is shown.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Behind {
    /// Bodies behind warnings too.
    #[serde(deserialize_with = "flag")]
    pub(super) reveal: bool,
}

/// How one thing is shown or removed.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct ShowParams {
    /// Bodies behind warnings too.
    #[serde(deserialize_with = "flag")]
    pub(super) reveal: bool,
    /// Destroy at once instead of after 24 hours.
    #[serde(deserialize_with = "flag")]
    pub(super) now: bool,
}
