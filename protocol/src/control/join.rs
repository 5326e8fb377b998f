//! Invites and joining.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::word::words;
use super::{Member, Notice, Role, Shortened, Time};

/// An invite of mine or, for stewards, of the circle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invite {
    /// Short id.
    pub id: String,
    /// The link; a secret, held only by the inviter's own machine, else `null`.
    pub link: Option<String>,
    /// The role it gives.
    pub role: Role,
    /// When it ends.
    pub expires_at: Time,
    /// How many people may come by it.
    pub uses: u32,
    /// How many came.
    pub used: u32,
    /// How it stands.
    pub status: InviteStatus,
}

words! {
    /// How an invite stands, by this machine's clock.
    pub enum InviteStatus {
        /// People can still come by it.
        Open = "open",
        /// As many came as it was for.
        Used = "used",
        /// Its time is over.
        Expired = "expired",
        /// It was closed, or its inviter is out.
        Revoked = "revoked",
    }
}

/// A new invite.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct NewInvite {
    /// Which role it gives: that of a guest or of a member. Absent or empty: that of a member.
    #[serde(deserialize_with = "given_or_empty")]
    pub role: Option<Role>,
    /// Milliseconds from now; 0: 72 hours.
    pub expires_in: u64,
    /// How many people; 0: one.
    pub uses: u32,
}

/// What an invite shows before anything is joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Preview {
    /// The circle's name.
    pub circle: String,
    /// Who invites.
    pub inviter: String,
    /// How many members, never who.
    pub members: u32,
    /// The agreement that one signs by joining.
    pub agreement: String,
    /// How much earlier conversation one will read.
    pub history: String,
    /// How long conversation is kept.
    pub retention: String,
    /// As for circles: since when newcomers read as much as `history` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_since: Option<Time>,
    /// As for circles: set where `retention` is a shorter one than before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortened: Option<Shortened>,
    /// Who will see that one joined, in a sentence.
    pub visible_to: String,
    /// The role it gives.
    pub role: Role,
    /// When the invite ends.
    pub expires_at: Time,
}

/// Accepting an invite.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Accept {
    /// The link.
    pub link: String,
    /// My name in that circle; empty: the name given at `kith init`.
    #[serde(rename = "as")]
    pub as_name: String,
    /// Join at once when admitted, without being shown the members first.
    pub confirm: bool,
}

words! {
    /// How far a join is.
    #[derive(minicbor::Encode, minicbor::Decode)]
    #[cbor(index_only)]
    pub enum JoinStatus {
        /// Looking for somebody to send your request to.
        #[n(0)]
        Contacting = "contacting",
        /// A member holds the request; a steward has to approve.
        #[n(1)]
        Requested = "requested",
        /// Admitted; the members are known, and only the stewards know my name. Confirm or walk away.
        #[n(2)]
        Admitted = "admitted",
        /// In.
        #[n(3)]
        Joined = "joined",
        /// A steward said no.
        #[n(4)]
        Declined = "declined",
        /// The invite is used up, ended or closed.
        #[n(5)]
        Refused = "refused",
    }
}

/// A join under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Join {
    /// The circle's short id; use it to confirm or walk away.
    pub id: String,
    /// The circle's name, once known.
    pub circle: String,
    /// How far.
    pub status: JoinStatus,
    /// Why, where it failed.
    pub reason: String,
    /// Nobody was asked: this circle lets in everybody who has a link. Known once admitted; left out where a steward approves.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unasked: bool,
    /// The members, once admitted.
    pub members: Vec<Member>,
    /// How it stands, in one sentence. Left out once one is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Notice>,
}

/// Somebody who asks to come in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PendingRequest {
    /// Short id.
    pub id: String,
    /// The name they gave, for stewards only.
    pub name: String,
    /// When the request arrived here.
    pub requested_at: Time,
    /// The role the invite gives.
    pub role: Role,
    /// Which invite.
    pub invite: String,
    /// Is or was somebody in whose name looks like the one given? Left out where nobody is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alike: bool,
    /// Is it only somebody who is out? Left out where it is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alike_former: bool,
}

fn given_or_empty<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Role>, D::Error> {
    let word = Option::<String>::deserialize(d)?.filter(|word| !word.trim().is_empty());
    word.map(|word| Role::given(&word).map_err(|unknown| unknown.of(&word))).transpose()
}
