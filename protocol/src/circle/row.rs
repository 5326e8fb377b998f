//! What only this machine knows of a circle: one row of the store.

use minicbor::{Decode, Encode};

use super::record::Digest;
use crate::codec;
use crate::crypto::{DeviceSecrets, Suite};
use crate::id::{CircleId, Incarnation};
use crate::private::Private;
use crate::store::{self, Read, StoreError, Table};
use crate::time::Millis;
use crate::tx::Tx;

const VERSION: u8 = 1;

/// How this member stands to the circle, as far as their own machine is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub(crate) enum OwnStanding {
    /// Admitted, has not said yes yet; only the stewards know the name that was given.
    #[n(0)]
    Admitted,
    /// In.
    #[n(1)]
    In,
    /// Left, and the farewell act still has to reach somebody.
    #[n(2)]
    Leaving,
    /// Left.
    #[n(3)]
    Left,
    /// Removed by somebody who could.
    #[n(4)]
    Removed,
}

/// What only this machine knows of a circle.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(array)]
pub(crate) struct CircleRow {
    #[n(0)]
    version: u8,
    /// The genesis.
    #[n(1)]
    circle: CircleId,
    /// This device's secrets in this circle.
    #[n(2)]
    secrets: DeviceSecrets,
    /// The set of chains this device writes now.
    #[n(3)]
    incarnation: Incarnation,
    /// How they want to be known.
    #[n(4)]
    name: Private<String>,
    /// See [`OwnStanding`].
    #[n(5)]
    standing: OwnStanding,
    /// How many records this device has written.
    #[n(6)]
    records: u64,
    /// HPKE suite of the circle.
    #[n(7)]
    suite: u8,
    /// When this machine heard that the member was removed.
    #[n(8)]
    ended: Option<Millis>,
    /// The agreement that the member signed last.
    #[n(9)]
    signed: Option<Digest>,
}

impl CircleRow {
    /// A fresh row for a device that has just been made.
    #[must_use]
    pub(crate) const fn new(
        circle: CircleId,
        secrets: DeviceSecrets,
        incarnation: Incarnation,
        name: String,
        standing: OwnStanding,
        suite: Suite,
    ) -> Self {
        Self {
            version: VERSION,
            circle,
            secrets,
            incarnation,
            name: Private(name),
            standing,
            records: 0,
            suite: suite.byte(),
            ended: None,
            signed: None,
        }
    }

    /// The row of a circle, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails or holds what no version wrote.
    pub(crate) fn get(read: &dyn Read, circle: &CircleId) -> Result<Option<Self>, StoreError> {
        read.get(Table::Circle, &circle.0)?.map(|bytes| Self::decode(&bytes)).transpose()
    }

    /// The rows of all circles.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(crate) fn all(read: &dyn Read) -> Result<Vec<Self>, StoreError> {
        store::all(read, Table::Circle, &[])?.iter().map(|(_, bytes)| Self::decode(bytes)).collect()
    }

    fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        codec::decode(bytes, "circle").map_err(|e| StoreError::Corrupt(format!("a circle's row: {e}")))
    }

    /// Writes it.
    pub(super) fn put(&self, tx: &mut Tx<'_>) {
        tx.put(Table::Circle, &self.circle.0, codec::encode(self));
    }

    // ---- what it says ------------------------------------------------------------------------------------------------

    /// The circle.
    #[must_use]
    pub(crate) const fn circle(&self) -> CircleId {
        self.circle
    }

    /// This device's secrets in the circle.
    #[must_use]
    pub(crate) const fn secrets(&self) -> &DeviceSecrets {
        &self.secrets
    }

    /// The suite of the circle's boxes, if this program knows it.
    #[must_use]
    pub(crate) fn suite(&self) -> Option<Suite> {
        Suite::from_byte(self.suite)
    }

    /// The set of chains this device writes now.
    #[must_use]
    pub(crate) const fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// How the member wants to be known.
    #[must_use]
    pub(crate) const fn name(&self) -> &Private<String> {
        &self.name
    }

    /// See [`OwnStanding`].
    pub(super) const fn standing(&self) -> OwnStanding {
        self.standing
    }

    /// When this machine heard that the member was removed.
    #[must_use]
    pub(crate) const fn ended(&self) -> Option<Millis> {
        self.ended
    }

    /// The agreement that the member signed last.
    pub(super) const fn signed(&self) -> Option<Digest> {
        self.signed
    }

    // ---- what becomes of it ------------------------------------------------------------------------------------------

    /// The member's standing changes.
    pub(super) const fn stand(&mut self, standing: OwnStanding) {
        self.standing = standing;
    }

    /// The member was removed.
    pub(super) const fn remove(&mut self, now: Millis) {
        self.standing = OwnStanding::Removed;
        self.ended = Some(now);
    }

    /// The device writes another set of chains from now on.
    pub(super) const fn begin(&mut self, incarnation: Incarnation) {
        self.incarnation = incarnation;
    }

    /// The member signs an agreement, or there is none.
    pub(super) const fn sign(&mut self, agreement: Option<Digest>) {
        self.signed = agreement;
    }

    /// The number of the next record that this device writes.
    pub(super) const fn count_record(&mut self) -> u64 {
        self.records += 1;
        self.records
    }

    /// This device has written so many records before, as others have them.
    pub(super) fn counted(&mut self, records: u64) {
        self.records = self.records.max(records);
    }
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::crypto::Seeded;
    use crate::frozen::{Form, frozen};

    fn row(standing: OwnStanding) -> CircleRow {
        let secrets = DeviceSecrets::generate(&mut Seeded::new(1), Suite::X25519);
        let (circle, incarnation) = (CircleId([1; 32]), Incarnation([7; 16]));
        let ended = (standing == OwnStanding::Removed).then_some(Millis(1_795_359_600_000));
        let signed = ended.map(|_| Digest([9; 32]));
        CircleRow {
            records: 300,
            ended,
            signed,
            ..CircleRow::new(circle, secrets, incarnation, "Amara".to_owned(), standing, Suite::X25519)
        }
    }

    frozen![Form::new(
        "circle-row",
        1,
        &[OwnStanding::Admitted, OwnStanding::In, OwnStanding::Leaving, OwnStanding::Left, OwnStanding::Removed].map(row)
    )];
}
