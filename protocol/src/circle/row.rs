//! What only this machine knows of a circle: one row of the store.

use minicbor::{Decode, Encode};

use super::record::Digest;
use crate::crypto::{DeviceSecrets, Suite};
use crate::id::{CircleId, Incarnation};
use crate::private::Private;
use crate::time::Millis;

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
    pub(crate) circle: CircleId,
    /// This device's secrets in this circle.
    #[n(2)]
    pub(crate) secrets: DeviceSecrets,
    /// The set of chains this device writes now.
    #[n(3)]
    pub(crate) incarnation: Incarnation,
    /// How they want to be known.
    #[n(4)]
    pub(crate) name: Private<String>,
    /// See [`OwnStanding`].
    #[n(5)]
    pub(crate) standing: OwnStanding,
    /// How many records this device has written.
    #[n(6)]
    pub(crate) records: u64,
    /// HPKE suite of the circle.
    #[n(7)]
    pub(crate) suite: u8,
    /// When this machine heard that the member was removed.
    #[n(8)]
    pub(crate) ended: Option<Millis>,
    /// The agreement that the member signed last.
    #[n(9)]
    pub(crate) signed: Option<Digest>,
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
