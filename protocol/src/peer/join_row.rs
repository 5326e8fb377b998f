//! Joins and previews under way, as they are kept.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use crate::circle::ticket::Ticket;
use crate::codec;
use crate::context::Cx;
use crate::control::{self, JoinStatus, Subject, Topic, WatchChange};
use crate::crypto::{DeviceSecrets, Suite};
use crate::id::CircleId;
use crate::io::{CallId, Effect};
use crate::private::Private;
use crate::store::{self, Read, StoreError, Table};
use crate::time::Millis;
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;

/// The only version of a [`JoinRow`] that is read.
const VERSION: u8 = 2;

/// Why a join does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub(crate) enum JoinReason {
    /// Those who were reached do not know the invite.
    #[n(0)]
    Unknown,
    /// Its time is over,
    #[n(1)]
    Expired,
    /// somebody else came by it,
    #[n(2)]
    Used,
    /// or it was revoked.
    #[n(3)]
    Revoked,
    /// Too many ask at the moment.
    #[n(4)]
    Busy,
    /// The circle's keys, or what it decided, are of a kind that this program does not know.
    #[n(5)]
    NewerKith,
}

impl JoinReason {
    #[cfg(test)]
    const ALL: [Self; 6] = [Self::Unknown, Self::Expired, Self::Used, Self::Revoked, Self::Busy, Self::NewerKith];

    /// Why, as a sentence.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Unknown => "This invite is not known there.",
            Self::Expired => "The invite has expired.",
            Self::Used => "The invite has been used.",
            Self::Revoked => "The invite was revoked.",
            Self::Busy => "Too many people are asking there at the moment.",
            Self::NewerKith => "This circle needs a newer Kith.",
        }
    }

    /// What to do about it.
    pub(crate) const fn advice(self) -> &'static str {
        match self {
            Self::Unknown | Self::Expired | Self::Used | Self::Revoked => "Ask the person who invited you for a new link.",
            Self::Busy => "Try again in a few minutes.",
            Self::NewerKith => "Update Kith, then use the link again.",
        }
    }
}

/// A join under way, as stored.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(array)]
pub(crate) struct JoinRow {
    #[n(0)]
    version: u8,
    /// The ticket.
    #[n(1)]
    pub(crate) ticket: Ticket,
    /// How they want to be known.
    #[n(2)]
    pub(crate) name: Private<String>,
    /// Say yes as soon as admitted.
    #[n(3)]
    pub(crate) confirm: bool,
    /// The new device.
    #[n(4)]
    pub(crate) secrets: DeviceSecrets,
    /// The circle's name, once the card told.
    #[n(5)]
    pub(crate) circle_name: Private<String>,
    /// How far it is.
    #[n(6)]
    pub(crate) status: JoinStatus,
    /// Why, where it failed.
    #[n(7)]
    pub(crate) reason: Option<JoinReason>,
    /// HPKE suite, once the card told.
    #[n(8)]
    pub(crate) suite: u8,
    /// When the state last changed.
    #[n(9)]
    pub(crate) at: Millis,
}

impl JoinRow {
    /// A new join.
    pub(crate) fn new(ticket: Ticket, name: String, confirm: bool, secrets: DeviceSecrets, now: Millis) -> Self {
        let (circle_name, suite) = (Private(String::new()), Suite::XWing.byte());
        Self {
            version: VERSION,
            ticket,
            name: Private(name),
            confirm,
            secrets,
            circle_name,
            status: JoinStatus::Contacting,
            reason: None,
            suite,
            at: now,
        }
    }

    /// Is it at an end, and only kept to be told?
    pub(crate) const fn over(&self) -> bool {
        matches!(self.status, JoinStatus::Joined | JoinStatus::Declined | JoinStatus::Refused)
    }

    /// Is there still somebody to ask?
    pub(crate) const fn open(&self) -> bool {
        matches!(self.status, JoinStatus::Contacting | JoinStatus::Requested)
    }

    /// Why it failed or waits, as a sentence; empty where there is nothing to say.
    pub(crate) const fn why(&self) -> &'static str {
        match (self.status, self.reason) {
            (JoinStatus::Declined, _) => "A steward declined the request.",
            (_, Some(reason)) => reason.words(),
            (_, None) => "",
        }
    }

    /// Keeps the row.
    pub(crate) fn save(&self, cx: &mut Cx<'_, '_>) {
        cx.tx.put(Table::Outbox, &[b"join", &self.ticket.circle.0[..]].concat(), codec::encode(self));
    }

    /// Forgets the row.
    pub(crate) fn delete(cx: &mut Cx<'_, '_>, circle: &CircleId) {
        cx.tx.delete(Table::Outbox, &[b"join", &circle.0[..]].concat());
    }

    /// All joins.
    pub(crate) fn all(read: &dyn Read) -> Result<BTreeMap<CircleId, Self>, StoreError> {
        let rows = store::all(read, Table::Outbox, b"join")?;
        let rows = rows.into_iter().filter_map(|(_, bytes)| codec::decode::<Self>(&bytes, "join row").ok());
        Ok(rows.map(|row| (row.ticket.circle, row)).collect())
    }

    pub(super) fn set(&mut self, cx: &mut Cx<'_, '_>, status: JoinStatus, reason: Option<JoinReason>) {
        if self.status == status && self.reason == reason {
            return;
        }
        self.status = status;
        self.reason = reason;
        self.at = cx.env.now;
        self.save(cx);
        notify(cx, &self.ticket.circle, self.status.into());
    }
}

pub(super) fn notify(cx: &mut Cx<'_, '_>, id: &CircleId, change: WatchChange) {
    let event = control::WatchEvent::new(Topic::Join, (id.text(), id.text()), Subject::Join, change, cx.env.now);
    cx.tx.then(Effect::Notify(event));
}

/// Somebody looks at a link without joining.
#[derive(Debug)]
pub(crate) struct Looking {
    pub(crate) call: CallId,
    pub(crate) ticket: Ticket,
    pub(crate) secrets: DeviceSecrets,
    pub(crate) since: Millis,
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::circle::body::Role;
    use crate::circle::ticket::{PeerHint, Secret};
    use crate::crypto::Seeded;
    use crate::frozen::{Form, frozen};
    use crate::id::{Addr, DeviceId, PeerId};

    fn row(status: JoinStatus, suite: Suite) -> JoinRow {
        let hint = PeerHint { peer: PeerId(vec![12; 38]), addresses: vec![Addr(vec![4, 127, 0, 0, 1, 6, 16, 0])] };
        let (circle, expires) = (CircleId([1; 32]), Millis(1_795_618_800_000));
        let ticket = Ticket::new(circle, Secret([14; 16]), Role::Guest, expires, DeviceId([3; 32]), vec![hint]);
        let secrets = DeviceSecrets::generate(&mut Seeded::new(1), suite);
        let row = JoinRow::new(ticket, "Bea".to_owned(), true, secrets, Millis(1_795_359_600_000));
        JoinRow {
            circle_name: Private("Night shift".to_owned()),
            status,
            reason: Some(JoinReason::Expired),
            suite: suite.byte(),
            ..row
        }
    }

    fn rows() -> Vec<JoinRow> {
        let with = |suite| JoinStatus::ALL.iter().map(move |status| row(*status, suite));
        let why = JoinReason::ALL.into_iter().map(Some).chain([None]);
        let why = why.map(|reason| JoinRow { reason, ..row(JoinStatus::Refused, Suite::XWing) });
        with(Suite::XWing).chain(with(Suite::X25519)).chain(why).collect()
    }

    frozen![Form::new("join-row", 2, &rows())];
}
