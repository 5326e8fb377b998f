//! Cryptography that hides nothing from a fuzzer: believes every signature, and seals to keys openly.

use kith_protocol::crypto::{Crypto, HpkeSecret, Signature, SigningKey, Suite};
use kith_protocol::id::DeviceId;
use rand_core::CryptoRng;

use super::super::Tree;

/// A signature stands for whatever it stands under; a box names what it is for and holds the rest as it is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trusting;

impl Crypto for Trusting {
    fn sign(&self, key: &SigningKey, _: &'static str, _: &[&[u8]]) -> Signature {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&key.id().0);
        Signature(bytes)
    }

    fn verify(&self, _: &DeviceId, _: &'static str, _: &[&[u8]], _: &Signature) -> bool {
        true
    }

    fn box_seal(&self, _: &mut dyn CryptoRng, _: Suite, _: &[u8], info: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        Some(Tree::List(vec![Tree::Bytes(info.to_vec()), Tree::Bytes(plain.to_vec())]).cbor())
    }

    fn box_open(&self, _: Suite, _: &HpkeSecret, info: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let tree = Tree::from_cbor(sealed)?;
        let [named, plain] = tree.list() else { return None };
        (named.bytes()? == info).then(|| plain.bytes())?
    }
}
