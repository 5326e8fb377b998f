//! Circles and their people.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::word::{UnknownWord, words};
use super::{Notice, Time};

words! {
    /// What a person may do in a circle, the least first. The numbers are wire and storage form.
    #[derive(Hash, minicbor::Encode, minicbor::Decode)]
    #[cbor(index_only)]
    pub enum Role {
        /// Reads, and reacts.
        #[n(0)]
        Guest = "guest",
        /// Writes.
        #[n(1)]
        Member = "member",
        /// Hides and pins what others wrote, too.
        #[n(2)]
        Facilitator = "facilitator",
        /// Lets people in and removes them, too.
        #[n(3)]
        Steward = "steward",
        /// Decides on policies and stewards, too. From the genesis; one, never given.
        #[n(4)]
        Founder = "founder",
    }
}

impl Role {
    /// A word's role, of those that somebody can be given.
    ///
    /// # Errors
    /// For every other word, with those there are.
    pub fn given(word: &str) -> Result<Self, UnknownWord> {
        const GIVEN: &[&str] = Role::WORDS.split_at(Role::Founder as usize).0;
        word.parse().ok().filter(|role| *role != Self::Founder).ok_or(UnknownWord(GIVEN))
    }
}

words! {
    /// How somebody stands to a circle.
    pub enum MemberStatus {
        /// In.
        Current = "current",
        /// Waits for a steward to confirm them.
        Suspended = "suspended",
        /// Removed by somebody.
        Removed = "removed",
        /// Left.
        Left = "left",
    }
}

words! {
    /// How this machine's member stands to a circle.
    pub enum CircleStatus {
        /// In.
        Current = "current",
        /// Let in, and has not said yes yet.
        Admitted = "admitted",
        /// Waits for a steward to confirm them.
        Suspended = "suspended",
        /// Removed by somebody.
        Removed = "removed",
        /// Left.
        Left = "left",
    }
}

/// A circle, as one of its members sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Circle {
    /// Short id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// My role; `null` once removed or left.
    pub role: Option<Role>,
    /// How I stand to it.
    pub status: CircleStatus,
    /// How many current members.
    pub members: usize,
    /// How many current devices.
    pub devices: usize,
    /// `history`, `retention`, `invite`, `approval` and `agreement`.
    pub policies: BTreeMap<String, String>,
    /// The epoch in use; `null` where the next writer makes one.
    pub epoch: Option<Epoch>,
    /// Ids of the membership heads.
    pub heads: Vec<String>,
    /// Hash of the exact set of current devices; equal among members who agree.
    pub roster_hash: String,
    /// Set where the retention in force is a shorter one than before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortened: Option<Shortened>,
    /// Since when newcomers read as much as `history` says, where it said less before: what is older stays closed to them. Left out
    /// where nothing was stricter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_since: Option<Time>,
    /// No steward and no founder is left.
    pub frozen: bool,
    /// My member id.
    pub me: String,
    /// Did I sign the agreement as it is now? Also where there is none.
    #[serde(default)]
    pub agreement_signed: bool,
    /// Where I am not simply in: how I stand to it. Left out where I am.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Notice>,
}

/// A retention that was shortened: it binds what is written from the next day on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Shortened {
    /// From when on it binds.
    pub from: Time,
    /// What binds until then: `keep` or `days:N`.
    pub before: String,
}

/// An epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Epoch {
    /// Short id.
    pub id: String,
    /// Its maker's label.
    pub created_at: Time,
}

/// A person in a circle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// Short id.
    pub id: String,
    /// Their name, or their short id while they have not published one.
    pub name: String,
    /// Their role; `null` once out.
    pub role: Option<Role>,
    /// How they stand to the circle.
    pub status: MemberStatus,
    /// Their devices.
    pub devices: Vec<Device>,
    /// Is it me?
    pub me: bool,
    /// Does somebody else bear a name that looks like theirs, who is in or was in before? Left out where nobody does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alike: bool,
}

/// A device of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Device {
    /// Short id.
    pub id: String,
    /// The name its owner gave it.
    pub name: String,
    /// May it write now?
    pub current: bool,
}

/// A new circle. Values as on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct NewCircle {
    /// At most 80 characters.
    pub name: String,
    /// The founder's name in it; empty: the name given at `kith init`.
    #[serde(rename = "as")]
    pub as_name: String,
    /// Text of the agreement; empty: none.
    pub agreement: String,
    /// `all`, `since-join` or `days:N`; empty: `since-join`.
    pub history: String,
    /// `keep`, `Nd` or `days:N`; empty: `keep`.
    pub retention: String,
    /// `stewards` or `members`; empty: `stewards`.
    pub invite: String,
    /// `required` or `none`; empty: `required`.
    pub approval: String,
    /// `x-wing` (the default) or `x25519`.
    pub suite: String,
}

/// Policies to change; absent ones stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EditCircle {
    /// At most 80 characters.
    pub name: Option<String>,
    /// Text of the agreement.
    pub agreement: Option<String>,
    /// `all`, `since-join` or `days:N`.
    pub history: Option<String>,
    /// `keep`, `Nd` or `days:N`.
    pub retention: Option<String>,
    /// `stewards` or `members`.
    pub invite: Option<String>,
    /// `required` or `none`.
    pub approval: Option<String>,
}

/// Leaving a circle. The last steward says who takes over; for everybody else both are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct LeaveCircle {
    /// Who becomes a steward in the same commit; only the founder can name somebody who is none yet.
    pub successor: Option<String>,
    /// Nobody takes over, and the others stay without a steward.
    pub without_successor: bool,
}

/// Forgetting a circle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ForgetCircle {
    /// Also where nobody has heard yet that one left.
    pub unheard: bool,
}

/// A role to set. The last two are for the last steward who steps down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SetRole {
    /// Which one; nobody is made a founder.
    #[serde(deserialize_with = "given")]
    pub role: Role,
    /// Who becomes a steward in the same commit; only the founder can name somebody who is none yet.
    #[serde(default)]
    pub successor: Option<String>,
    /// Nobody takes over, and the circle stays without a steward.
    #[serde(default)]
    pub without_successor: bool,
}

impl SetRole {
    /// A role, and nothing about who takes over.
    #[must_use]
    pub const fn to(role: Role) -> Self {
        Self { role, successor: None, without_successor: false }
    }
}

fn given<'de, D: Deserializer<'de>>(d: D) -> Result<Role, D::Error> {
    let word = String::deserialize(d)?;
    Role::given(&word).map_err(|unknown| unknown.of(&word))
}
