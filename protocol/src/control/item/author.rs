//! What all items show: who wrote them, and whether they are shown at all.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::control::word::words;

/// Who wrote something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Author {
    /// Short member id.
    pub member: String,
    /// Their name.
    pub name: String,
    /// Does somebody else bear a name that looks like it, who is in or was in before? Left out where nobody does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alike: bool,
    /// Of somebody who asks to come in: is it only somebody who is out whose name looks like it?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alike_former: bool,
}

/// What was changed in an item while it was edited: by somebody else, or by the same person in another window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Crossed {
    /// The field's name.
    pub field: String,
    /// Who changed it.
    pub author: Author,
    /// Was it the person of this machine, in another window or on another day?
    #[serde(default)]
    pub mine: bool,
}

words! {
    /// Whether an item is shown, and if not, why.
    pub enum ItemState {
        /// Shown.
        Visible = "visible",
        /// Past the circle's retention.
        Expired = "expired",
        /// Deleted.
        Removed = "removed",
        /// Hidden by a facilitator.
        Hidden = "hidden",
        /// Held for a steward to look at.
        Held = "held",
    }
}

words! {
    /// How far something of one's own has come.
    pub enum DeliveryStatus {
        /// It is on this machine alone.
        Local = "local",
        /// It waits on a relay.
        Relay = "relay",
        /// Some of the other devices have it.
        Some = "some",
        /// All of them have it.
        All = "all",
    }
}
