//! The local API's types: what `kith` and `kithd` say to each other, as JSON. Shapes only.
//!
//! Field names here are a promise to scripts: add freely, change only with a CHANGELOG entry. Unknown fields are ignored.

mod circle;
mod draft;
mod error;
mod hint;
mod item;
mod join;
mod kind;
mod notice;
mod status;
mod word;

pub use circle::{
    Circle, CircleStatus, Device, EditCircle, Epoch, ForgetCircle, LeaveCircle, Member, MemberStatus, NewCircle, Role, SetRole,
    Shortened,
};
pub use draft::{Draft, DraftOf, NewDraft};
pub use error::{Code, Error};
pub use hint::{Hint, Hints, Needed};
pub use item::{
    Author, Batch, BatchItem, Change, Crossed, DeliveryStatus, EditEvent, EditItem, EditNote, EditResource, Event, EventStatus,
    EventTimes, FieldChange, Happening, Import, Inbox, InboxEntry, Item, ItemState, Items, Made, NewEvent, NewItem, NewNote,
    NewReaction, NewReply, NewResource, NewResourceInBatch, Note, Reply, Resource, Response, Revision, Rsvp, RsvpCounts,
    RsvpPerson, Rsvped, SearchHit, Want, WantChange,
};
pub use join::{Accept, Invite, InviteStatus, Join, JoinStatus, NewInvite, PendingRequest, Preview};
pub use kind::Kind;
pub use notice::Notice;
pub use status::{
    ClockDoubt, DaemonStatus, Doctor, Finding, Level, PeerCounts, StoreStatus, Subject, Sync, Topic, WatchChange, WatchEvent,
};
pub use word::UnknownWord;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::Millis;

/// A moment, in JSON as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Millis);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let stamp: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(Millis(u64::try_from(stamp.as_millisecond()).map_err(serde::de::Error::custom)?)))
    }
}

impl utoipa::PartialSchema for Time {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        String::schema()
    }
}

impl utoipa::ToSchema for Time {}
