//! The names of things. Every id is fixed-size bytes; on screen it is a type letter and a short text.
//!
//! The short text is `<letter>-<base32>` of a hash of the id, so nobody can craft an id whose text equals another's;
//! any unambiguous prefix of it is accepted where a person types one.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use minicbor::{Decode, Encode};

/// The short text of an id: a type letter, a dash and 16 characters (80 bits).
#[must_use]
pub fn short_text(letter: char, id: &[u8]) -> String {
    format!("{letter}-{}", short_tail(id))
}

/// The same without a letter: 16 characters.
pub(crate) fn short_tail(id: &[u8]) -> String {
    let hash = blake3::hash(id);
    let (head, _) = hash.as_bytes().split_at(10);
    BASE32_NOPAD.encode(head).to_ascii_lowercase()
}

macro_rules! bytes_id {
    ($(#[$doc:meta])* $name:ident, $len:literal, $letter:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[cbor(with = "minicbor::bytes")] pub [u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// The raw bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// Exactly `LEN` bytes, or nothing.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// What people see and type.
            #[must_use]
            pub fn text(&self) -> String {
                short_text($letter, &self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.text())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.text())
            }
        }
    };
}

bytes_id!(
    /// A circle: the id of its genesis act.
    CircleId, 32, 'c'
);
bytes_id!(
    /// A membership act: BLAKE3 of its bytes without the signatures.
    ActId, 32, 'a'
);
bytes_id!(
    /// A person in one circle: BLAKE3 of the circle and the first signing key of their request; the founder's of that key alone.
    PersonId, 32, 'm'
);
bytes_id!(
    /// A device of a person in one circle: its Ed25519 verification key (RFC 8032).
    DeviceId, 32, 'd'
);
bytes_id!(
    /// An epoch: BLAKE3 of the circle and the commitments to its three keys.
    EpochId, 32, 'k'
);
bytes_id!(
    /// An entry: BLAKE3 of its header's bytes, the signature left out.
    EntryId, 32, 'y'
);
bytes_id!(
    /// A fresh set of chains of one device.
    Incarnation, 16, 'n'
);

/// An item: its creator and 16 random bytes, so only they can open it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(array)]
pub struct ItemId {
    /// Who made it.
    #[n(0)]
    pub creator: PersonId,
    /// Random.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub nonce: [u8; 16],
}

impl ItemId {
    /// The item's key in the store: 16 bytes of BLAKE3 over circle, creator and nonce.
    #[must_use]
    pub fn key(&self, circle: &CircleId) -> ItemKey {
        let mut hasher = blake3::Hasher::new_derive_key("kith/v1/item-key");
        hasher.update(&circle.0).update(&self.creator.0).update(&self.nonce);
        let mut out = [0; 16];
        hasher.finalize_xof().fill(&mut out);
        ItemKey(out)
    }
}

impl fmt::Debug for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "item({}/{:02x?})", self.creator, &self.nonce)
    }
}

/// An item's name on this machine and on screen; unique over all circles.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct ItemKey(#[cbor(with = "minicbor::bytes")] pub [u8; 16]);

impl ItemKey {
    /// What people see and type: the kind's letter and 16 characters of base32 of the key's first 10 bytes.
    #[must_use]
    pub fn text(&self, letter: char) -> String {
        let (head, _) = self.0.split_at(10);
        format!("{letter}-{}", BASE32_NOPAD.encode(head).to_ascii_lowercase())
    }
}

impl fmt::Debug for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text('i'))
    }
}

/// A libp2p node's id, as multihash bytes; the core never looks inside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct PeerId(#[cbor(with = "minicbor::bytes")] pub Vec<u8>);

/// A libp2p address, as multiaddr bytes; the core never looks inside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Addr(#[cbor(with = "minicbor::bytes")] pub Vec<u8>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_short_and_typed() {
        let text = CircleId([7; 32]).text();
        assert_eq!(text.len(), 18);
        assert!(text.starts_with("c-"));
        assert_ne!(text.get(2..), PersonId([8; 32]).text().get(2..));
    }
}
