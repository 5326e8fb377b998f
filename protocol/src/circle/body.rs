//! What an act says. These are wire types: canonical CBOR, positional, versioned by the act that carries them.
//!
//! Only shapes live here. Who may say what, and what it means, is `circle::membership`.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use crate::codec::UnknownValue;
pub use crate::control::Role;
use crate::crypto::DeviceKeys;
use crate::id::{ActId, DeviceId, EpochId, Incarnation, PersonId};
use crate::private::Private;
use crate::time::Millis;

/// Key classes of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum KeyClass {
    /// Acts and records.
    #[n(0)]
    Roster,
    /// What a newcomer is meant to find: events, RSVPs, resources.
    #[n(1)]
    Library,
    /// What was said: notes, replies, reactions.
    #[n(2)]
    Talk,
}

/// A new epoch, as the act that starts it carries it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct NewEpoch {
    /// Commitments to the roster, library and talk key, in this order (32 bytes each).
    #[n(0)]
    pub commitments: [Commitment; 3],
    /// The epochs it supersedes, ascending.
    #[n(1)]
    pub parents: Vec<EpochId>,
    /// The history policy in force when it was made; what a newcomer may read of this epoch's talk.
    #[n(2)]
    pub history: History,
    /// The parents' roster and library keys, sealed under this epoch's roster key, in the order of `parents`.
    #[n(3)]
    pub links: Vec<SealedLink>,
}

/// A hiding commitment to a key: BLAKE3 in derive-key mode over circle, class and key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Commitment(#[cbor(with = "minicbor::bytes")] pub [u8; 32]);

/// Two sealed keys (roster, library).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct SealedLink(#[cbor(with = "minicbor::bytes")] pub Vec<u8>);

/// How much conversation from before their time a newcomer may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub enum History {
    /// All of it.
    #[n(0)]
    All,
    /// None.
    #[n(1)]
    SinceJoin,
    /// Of epochs superseded less than so many days ago.
    #[n(2)]
    Days(#[n(0)] u32),
}

impl History {
    /// How much it opens, in days of what came before; the strictest first.
    #[must_use]
    pub(crate) const fn looseness(self) -> u32 {
        match self {
            Self::All => u32::MAX,
            Self::SinceJoin => 0,
            Self::Days(days) => days,
        }
    }

    /// Of two, the one that opens less.
    #[must_use]
    pub(crate) const fn stricter(self, other: Self) -> Self {
        if other.looseness() < self.looseness() { other } else { self }
    }
}

/// How long conversation is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub enum Retention {
    /// Until somebody deletes it.
    #[n(0)]
    Keep,
    /// So many days from an item's creation.
    #[n(1)]
    Days(#[n(0)] u32),
}

/// One policy field and its value: `[field, [value]]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    /// 0: the circle's name, at most 80 characters.
    Name(Private<String>),
    /// 1: the agreement's text; each member signs it when joining.
    Agreement(Private<String>),
    /// 2: what newcomers may read.
    History(History),
    /// 3: how long conversation is kept.
    Retention(Retention),
    /// 4: may every member invite (else only stewards)?
    MembersInvite(bool),
    /// 5: must a steward approve a request (else a steward's daemon admits by itself)?
    ApprovalRequired(bool),
    /// Any other: a newer program's, with its value and the array around it as they came. It is set like the others and never decides
    /// what anybody may do, so that programs that do not know it judge alike.
    Later(u32, UnknownValue),
}

impl<C> Encode<C> for Policy {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        c: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(2)?.u32(self.number())?;
        if let Self::Later(_, value) = self {
            return value.encode(e, c);
        }
        e.array(1)?;
        match self {
            Self::Name(words) | Self::Agreement(words) => words.encode(e, c),
            Self::History(history) => history.encode(e, c),
            Self::Retention(retention) => retention.encode(e, c),
            Self::MembersInvite(yes) | Self::ApprovalRequired(yes) => yes.encode(e, c),
            Self::Later(..) => Ok(()),
        }
    }
}

impl<'b, C> Decode<'b, C> for Policy {
    fn decode(d: &mut minicbor::Decoder<'b>, c: &mut C) -> Result<Self, minicbor::decode::Error> {
        let fields = |d: &mut minicbor::Decoder<'b>, count| match d.array()? {
            Some(found) if found == count => Ok(()),
            Some(_) | None => Err(minicbor::decode::Error::message("a policy of another shape")),
        };
        fields(d, 2)?;
        let number = d.u32()?;
        if number > 5 {
            return Ok(Self::Later(number, UnknownValue::decode(d, c)?));
        }
        fields(d, 1)?;
        Ok(match number {
            0 => Self::Name(Private::decode(d, c)?),
            1 => Self::Agreement(Private::decode(d, c)?),
            2 => Self::History(History::decode(d, c)?),
            3 => Self::Retention(Retention::decode(d, c)?),
            4 => Self::MembersInvite(d.bool()?),
            _ => Self::ApprovalRequired(d.bool()?),
        })
    }
}

impl Policy {
    /// The number of its field.
    const fn number(&self) -> u32 {
        match self {
            Self::Name(_) => 0,
            Self::Agreement(_) => 1,
            Self::History(_) => 2,
            Self::Retention(_) => 3,
            Self::MembersInvite(_) => 4,
            Self::ApprovalRequired(_) => 5,
            Self::Later(number, _) => *number,
        }
    }

    /// Which field this sets; also its place in a circle's settings.
    #[must_use]
    pub const fn field(&self) -> PolicyField {
        match self {
            Self::Name(_) => PolicyField::Name,
            Self::Agreement(_) => PolicyField::Agreement,
            Self::History(_) => PolicyField::History,
            Self::Retention(_) => PolicyField::Retention,
            Self::MembersInvite(_) => PolicyField::MembersInvite,
            Self::ApprovalRequired(_) => PolicyField::ApprovalRequired,
            Self::Later(number, _) => PolicyField::Later(*number),
        }
    }
}

/// The fields that policies set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyField {
    /// See [`Policy::Name`].
    Name,
    /// See [`Policy::Agreement`].
    Agreement,
    /// See [`Policy::History`].
    History,
    /// See [`Policy::Retention`].
    Retention,
    /// See [`Policy::MembersInvite`].
    MembersInvite,
    /// See [`Policy::ApprovalRequired`].
    ApprovalRequired,
    /// See [`Policy::Later`].
    Later(u32),
}

/// One chain of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(array)]
pub struct ChainId {
    /// Who writes it.
    #[n(0)]
    pub device: DeviceId,
    /// Which set of their chains.
    #[n(1)]
    pub incarnation: Incarnation,
    /// Under which of an epoch's keys.
    #[n(2)]
    pub class: KeyClass,
}

/// Up to where a chain stands: the entry's sequence number (from 1; 0: nothing) and id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct Point {
    /// Sequence number.
    #[n(0)]
    pub seq: u64,
    /// The entry's id.
    #[n(1)]
    pub entry: crate::id::EntryId,
}

/// What a cut leaves standing, by chain: what lies at or before any of its points, on a branch that passes through the point's
/// entry. Each chain names at least one point, ascending; a chain that is not named stands up to 0.
pub type Points = BTreeMap<ChainId, Vec<Point>>;

/// What a quorum is asked to agree on: the act that may follow, said exactly.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub enum Motion {
    /// Admit somebody in a role.
    #[n(0)]
    Admit(#[n(0)] PersonId, #[n(1)] Role),
    /// Remove somebody.
    #[n(1)]
    Remove(#[n(0)] PersonId),
    /// Set a role.
    #[n(2)]
    Role(#[n(0)] PersonId, #[n(1)] Role),
    /// Set policies.
    #[n(3)]
    Policy(#[n(0)] Vec<Policy>),
    /// Appoint or dismiss a delegate.
    #[n(4)]
    Delegate(#[n(0)] PersonId, #[n(1)] bool),
    /// Vouch somebody in again with a new device.
    #[n(5)]
    Revouch(#[n(0)] PersonId, #[n(1)] DeviceId),
}

/// What an act says. Any act may also carry a new epoch (see [`crate::circle::act::ActBody`]).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub enum Statement {
    /// The circle begins (R1). The person is the founder; the id follows from their first device.
    #[n(0)]
    Genesis {
        /// The founder's first devices.
        #[n(0)]
        devices: Vec<DeviceKeys>,
        /// The circle's first policies.
        #[n(1)]
        policies: Vec<Policy>,
        /// HPKE suite of the circle's boxes: 1 = X-Wing, 2 = X25519.
        #[n(2)]
        suite: u8,
        /// Their recovery key, if they have one.
        #[n(3)]
        recovery: Option<DeviceId>,
        /// Random, so that two circles never share an id.
        #[cbor(n(4), with = "minicbor::bytes")]
        nonce: [u8; 16],
    },
    /// Somebody comes in, or back in.
    #[n(1)]
    Admit {
        /// Whom.
        #[n(0)]
        person: PersonId,
        /// As what.
        #[n(1)]
        role: Role,
        /// With which devices.
        #[n(2)]
        devices: Vec<DeviceKeys>,
        /// Their recovery key, if they have one.
        #[n(3)]
        recovery: Option<DeviceId>,
        /// The invite they came by.
        #[n(4)]
        invite: Option<ActId>,
        /// The proposal that a quorum carried.
        #[n(5)]
        proposal: Option<ActId>,
    },
    /// A suspended person becomes current (R7).
    #[n(2)]
    Confirm {
        /// Whom.
        #[n(0)]
        person: PersonId,
        /// As what; at most facilitator, never above their admission.
        #[n(1)]
        role: Role,
    },
    /// Somebody is removed (R4); carries its new epoch.
    #[n(3)]
    Remove {
        /// Whom.
        #[n(0)]
        person: PersonId,
        /// What of their writing stands.
        #[n(1)]
        points: Points,
        /// The proposal that a quorum carried.
        #[n(2)]
        proposal: Option<ActId>,
    },
    /// The author leaves.
    #[n(4)]
    Leave,
    /// A role changes.
    #[n(5)]
    Role {
        /// Whose.
        #[n(0)]
        person: PersonId,
        /// To what.
        #[n(1)]
        role: Role,
        /// For a demotion: what of their writing stands.
        #[n(2)]
        points: Points,
        /// The proposal that a quorum carried.
        #[n(3)]
        proposal: Option<ActId>,
    },
    /// A motion is put; also its author's vote.
    #[n(6)]
    Propose {
        /// What is proposed.
        #[n(0)]
        motion: Motion,
    },
    /// A steward votes for a proposal.
    #[n(7)]
    Vote {
        /// Which.
        #[n(0)]
        proposal: ActId,
    },
    /// Policies are set.
    #[n(8)]
    Policy {
        /// Which, to what.
        #[n(0)]
        set: Vec<Policy>,
        /// The proposal that a quorum carried.
        #[n(1)]
        proposal: Option<ActId>,
    },
    /// A delegate is appointed or dismissed.
    #[n(9)]
    Delegate {
        /// Whom.
        #[n(0)]
        person: PersonId,
        /// Appointed?
        #[n(1)]
        on: bool,
        /// The proposal that a quorum carried.
        #[n(2)]
        proposal: Option<ActId>,
    },
    /// An invite is opened; its id is the act's.
    #[n(10)]
    Invite {
        /// The role it gives; at most member.
        #[n(0)]
        role: Role,
        /// How many people may come by it.
        #[n(1)]
        uses: u32,
        /// Ed25519 key derived from the ticket's secret; only this public half is ever logged.
        #[n(2)]
        key: DeviceId,
        /// When it ends, by the admitting steward's clock.
        #[n(3)]
        expires: Millis,
    },
    /// An invite is closed.
    #[n(11)]
    Uninvite {
        /// Which.
        #[n(0)]
        invite: ActId,
    },
    /// The author certifies a further device of theirs.
    #[n(12)]
    Device {
        /// Its keys.
        #[n(0)]
        device: DeviceKeys,
        /// The new device's signature over circle and certifier.
        #[cbor(n(1), with = "minicbor::bytes")]
        countersignature: [u8; 64],
    },
    /// The author revokes another device of theirs.
    #[n(13)]
    Revoke {
        /// Which.
        #[n(0)]
        device: DeviceId,
        /// Devices certified by it that stay.
        #[n(1)]
        keep: Vec<DeviceId>,
        /// What of its writing stands.
        #[n(2)]
        points: Points,
    },
    /// A recovery key brings a new device and names the next recovery key.
    #[n(14)]
    Recover {
        /// The new device.
        #[n(0)]
        device: DeviceKeys,
        /// The next recovery key.
        #[n(1)]
        recovery: DeviceId,
        /// Devices that stay.
        #[n(2)]
        keep: Vec<DeviceId>,
    },
    /// A steward vouches that a device is that person's.
    #[n(15)]
    Vouch {
        /// Whose.
        #[n(0)]
        person: PersonId,
        /// Which.
        #[n(1)]
        device: DeviceId,
    },
    /// Somebody who lost everything returns with one new device.
    #[n(16)]
    Revouch {
        /// Whose.
        #[n(0)]
        person: PersonId,
        /// The new device.
        #[n(1)]
        device: DeviceKeys,
        /// Another steward's vouch.
        #[n(2)]
        vouch: Option<ActId>,
        /// The proposal that a quorum carried.
        #[n(3)]
        proposal: Option<ActId>,
        /// Their next recovery key.
        #[n(4)]
        recovery: Option<DeviceId>,
    },
    /// Nothing but the epoch it carries: a rotation.
    #[n(17)]
    Rotate,
    /// A steward brings cut content back.
    #[n(18)]
    Restore {
        /// Whose.
        #[n(0)]
        person: PersonId,
        /// Up to where.
        #[n(1)]
        points: Points,
    },
}
