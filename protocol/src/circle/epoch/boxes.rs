//! Boxes: the keys that one device is entitled to and lacks, sealed to it with HPKE. Unlogged; any member may make one.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use crate::codec::{self, CodecError};
use crate::crypto::DeviceKeys;
use crate::crypto::{Crypto, HpkeSecret, Key, Suite, pad, unpad};
use crate::id::{CircleId, DeviceId, EpochId};
use crate::limits;

const VERSION: u64 = 1;

/// Keys of one epoch, as a box carries them; only those the device lacks.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct BoxKeys {
    /// Whose keys.
    #[n(0)]
    pub epoch: EpochId,
    /// Its roster key.
    #[n(1)]
    pub roster: Option<Key>,
    /// Its library key.
    #[n(2)]
    pub library: Option<Key>,
    /// Its talk key.
    #[n(3)]
    pub talk: Option<Key>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct BoxWire {
    #[n(0)]
    version: u64,
    #[n(1)]
    suite: Suite,
    #[cbor(n(2), with = "minicbor::bytes")]
    sealed: Vec<u8>,
}

/// Seals keys to a device; `None` where there are more than [`limits::BOX_EPOCHS`] or its key is none of the suite.
#[must_use]
pub fn pack(
    crypto: &dyn Crypto,
    rng: &mut dyn CryptoRng,
    suite: Suite,
    circle: &CircleId,
    to: &DeviceKeys,
    keys: &[BoxKeys],
) -> Option<Vec<u8>> {
    if keys.len() > limits::BOX_EPOCHS {
        return None;
    }
    let plain = zeroize::Zeroizing::new(pad(codec::encode(&keys.to_vec())));
    let sealed = crypto.box_seal(rng, suite, &to.hpke, &info(circle, &to.sign), &plain)?;
    Some(codec::encode(&BoxWire { version: VERSION, suite, sealed }))
}

/// Opens a box for `device`. The caller compares the keys with the epochs' commitments: a box proves nothing by itself.
///
/// # Errors
/// [`CodecError`] where these are not the bytes of a box that this secret opens.
pub fn unpack(
    crypto: &dyn Crypto,
    circle: &CircleId,
    device: &DeviceId,
    secret: &HpkeSecret,
    bytes: &[u8],
) -> Result<Vec<BoxKeys>, CodecError> {
    codec::check_version(bytes, VERSION, "box")?;
    let wire: BoxWire = codec::decode_within(bytes, limits::BOX_BYTES, "box")?;
    let plain = crypto.box_open(wire.suite, secret, &info(circle, device), &wire.sealed);
    let plain = zeroize::Zeroizing::new(plain.ok_or(CodecError::Malformed("a box for another device"))?);
    let keys: Vec<BoxKeys> = codec::decode(unpad(&plain).ok_or(CodecError::Malformed("padding of a box"))?, "keys of a box")?;
    if keys.len() > limits::BOX_EPOCHS {
        return Err(CodecError::Malformed("too many epochs in a box"));
    }
    Ok(keys)
}

fn info(circle: &CircleId, device: &DeviceId) -> Vec<u8> {
    [b"kith/v1/box".as_slice(), &circle.0, &device.0].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::crypto::{DeviceSecrets, Real, Seeded};

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn e1_no_bent_box_opens(at in any::<prop::sample::Index>(), bit in 0..8u32) {
            let mut rng = Seeded::new(22);
            let mine = DeviceSecrets::generate(&mut rng, Suite::X25519);
            let circle = CircleId([3; 32]);
            let keys = [BoxKeys { epoch: EpochId([4; 32]), roster: None, library: None, talk: Some(Key::from_bytes([5; 32])) }];
            let bytes = pack(&Real, &mut rng, Suite::X25519, &circle, &mine.keys(), &keys).unwrap_or_default();
            let mut bent = bytes.clone();
            let at = at.index(bent.len());
            if let Some(byte) = bent.get_mut(at) {
                *byte ^= 1 << bit;
            }
            prop_assert!(unpack(&Real, &circle, &mine.sign.id(), &mine.hpke, &bytes).is_ok());
            // X25519 ignores the highest bit of a public key, HPKE hashes it into the key all the same.
            prop_assert!(unpack(&Real, &circle, &mine.sign.id(), &mine.hpke, &bent).is_err());
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mine = DeviceSecrets::generate(&mut Seeded::new(23), Suite::X25519);
            prop_assert!(unpack(&Real, &CircleId([3; 32]), &mine.sign.id(), &mine.hpke, &bytes).is_err());
        }
    }

    #[test]
    fn only_its_device_in_its_circle_opens_a_box() {
        let mut rng = Seeded::new(21);
        for suite in [Suite::XWing, Suite::X25519] {
            let (mine, other) = (DeviceSecrets::generate(&mut rng, suite), DeviceSecrets::generate(&mut rng, suite));
            let circle = CircleId([3; 32]);
            let key = |byte| Some(Key::from_bytes([byte; 32]));
            let keys = vec![
                BoxKeys { epoch: EpochId([4; 32]), roster: key(5), library: key(6), talk: None },
                BoxKeys { epoch: EpochId([7; 32]), roster: None, library: None, talk: key(8) },
            ];
            let bytes = pack(&Real, &mut rng, suite, &circle, &mine.keys(), &keys).expect("packs");
            assert_eq!(unpack(&Real, &circle, &mine.sign.id(), &mine.hpke, &bytes), Ok(keys.clone()));
            assert!(unpack(&Real, &circle, &other.sign.id(), &other.hpke, &bytes).is_err());
            assert!(unpack(&Real, &circle, &other.sign.id(), &mine.hpke, &bytes).is_err());
            assert!(unpack(&Real, &CircleId([9; 32]), &mine.sign.id(), &mine.hpke, &bytes).is_err());
            let mut longer = bytes.clone();
            longer.push(0);
            assert!(unpack(&Real, &circle, &mine.sign.id(), &mine.hpke, &longer).is_err());
        }
    }
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::frozen::{Form, frozen};

    fn keys(all: bool) -> BoxKeys {
        let key = |byte| all.then(|| Key::from_bytes([byte; 32]));
        BoxKeys { epoch: EpochId([5; 32]), roster: key(15), library: key(16), talk: key(17) }
    }

    fn sealed(suite: Suite) -> BoxWire {
        BoxWire { version: VERSION, suite, sealed: vec![11; 40] }
    }

    frozen![
        Form::new("box", 1, &[sealed(Suite::XWing), sealed(Suite::X25519)]),
        Form::new("box-keys", 1, &[vec![keys(true), keys(false)]]),
    ];
}
