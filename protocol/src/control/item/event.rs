//! Events.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::RsvpCounts;
use super::author::{Author, Crossed, DeliveryStatus, ItemState};
use crate::control::Time;
use crate::control::word::{or_empty, read, words};

words! {
    /// Whether an event takes place.
    pub enum EventStatus {
        /// It does.
        Confirmed = "confirmed",
        /// It may.
        Tentative = "tentative",
        /// It does not.
        Cancelled = "cancelled",
    }
}

/// An event; a recurring one is one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Event {
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
    /// What it is about.
    pub description: String,
    /// There is more of its text than a list shows. Left out where there is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// First start, UTC.
    pub starts: Time,
    /// First end, UTC; may be absent.
    pub ends: Option<Time>,
    /// First start as the wall clock shows it: `YYYY-MM-DDTHH:MM:SS`, or `YYYY-MM-DD` for all-day events.
    pub starts_local: String,
    /// First end as the wall clock shows it, or empty.
    pub ends_local: String,
    /// Is it about whole days?
    pub all_day: bool,
    /// IANA time zone.
    pub tz: String,
    /// RFC 5545 recurrence: the `RRULE` value, then lines `RDATE:...` and `EXDATE:...` if any; or `null`.
    pub rrule: Option<String>,
    /// Where.
    pub location: String,
    /// Whether it takes place.
    pub status: EventStatus,
    /// Answers.
    pub rsvp: RsvpCounts,
    /// Who made it.
    pub author: Author,
    /// Their clock's label.
    pub created_at: Time,
    /// Of the last edit, if any.
    pub edited_at: Option<Time>,
    /// Who made the last edit, if any.
    #[serde(default)]
    pub changed_by: Option<Author>,
    /// Who moved it last, where it was moved: changed when it takes place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_by: Option<Author>,
    /// Their clock's label of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_at: Option<Time>,
    /// When it was before that; left out in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<EventTimes>,
    /// The calendar's own id where it was imported, or empty.
    pub uid: String,
    /// How often its organizer had changed it when it was imported.
    #[serde(default)]
    pub sequence: u64,
    /// Tags.
    pub tags: Vec<String>,
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

/// When an event takes place; the fields are those of [`Event`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventTimes {
    /// First start, UTC.
    pub starts: Time,
    /// First end, UTC.
    pub ends: Option<Time>,
    /// First start on the wall clock.
    pub starts_local: String,
    /// First end on the wall clock, or empty.
    pub ends_local: String,
    /// IANA time zone.
    pub tz: String,
    /// How it repeats.
    pub rrule: Option<String>,
}

/// A new event. The CLI has resolved wall clock and zone to UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct NewEvent {
    /// Its title.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// RFC 3339.
    pub starts: String,
    /// RFC 3339, or empty.
    pub ends: String,
    /// Wall clock: `YYYY-MM-DDTHH:MM:SS` or `YYYY-MM-DD`.
    pub starts_local: String,
    /// Wall clock, or empty.
    pub ends_local: String,
    /// IANA time zone.
    pub tz: String,
    /// As in [`Event::rrule`].
    pub rrule: Option<String>,
    /// Where.
    pub location: String,
    /// Whether it takes place; absent or empty: confirmed.
    #[serde(deserialize_with = "or_empty")]
    pub status: Option<EventStatus>,
    /// The calendar's own id, or empty.
    pub uid: String,
    /// How often its organizer has changed it.
    pub sequence: u64,
    /// Tags.
    pub tags: Vec<String>,
}

/// Changes of an event; absent fields stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EditEvent {
    /// The state that was shown, of which this is a change: what came since stays. Absent: the state as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Title.
    pub title: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// RFC 3339.
    pub starts: Option<String>,
    /// RFC 3339, or empty.
    pub ends: Option<String>,
    /// Wall clock.
    pub starts_local: Option<String>,
    /// Wall clock, or empty.
    pub ends_local: Option<String>,
    /// IANA time zone.
    pub tz: Option<String>,
    /// As in [`Event::rrule`]; empty takes it off.
    pub rrule: Option<String>,
    /// Where.
    pub location: Option<String>,
    /// Whether it takes place; empty: confirmed.
    #[serde(deserialize_with = "or_confirmed")]
    pub status: Option<EventStatus>,
    /// How often its organizer has changed it.
    pub sequence: Option<u64>,
    /// Tags, all of them.
    pub tags: Option<Vec<String>>,
}

/// An empty status takes off what was said before, and that means confirmed.
fn or_confirmed<'de, D: Deserializer<'de>>(d: D) -> Result<Option<EventStatus>, D::Error> {
    let Some(word) = Option::<String>::deserialize(d)? else { return Ok(None) };
    if word.trim().is_empty() { Ok(Some(EventStatus::Confirmed)) } else { read(&word).map(Some) }
}
