//! Cheap stand-ins for signatures and boxes: BLAKE3 under secrets, for the many seeds in which the mathematics is not the point.
//!
//! A signature is a keyed hash under a secret that only the signing key yields. Verifying looks the secret up in this world's
//! own registry, which is filled by anyone who signs and read by nobody else: so a forger who holds no key fails here as with the
//! real thing. A box is bound to its addressee's public key, its `info` and every byte of it, and opens only for the secret
//! that the public key belongs to. Sizes are those of the real suites, so that every bound is met or broken alike.

use std::cell::RefCell;
use std::collections::BTreeMap;

use kith_protocol::codec;
use kith_protocol::crypto::{Crypto, HpkeSecret, Signature, SigningKey, Suite};
use kith_protocol::id::DeviceId;
use rand_core::CryptoRng;

const TAG: usize = 16;

/// Cheap signatures and boxes of one world.
#[derive(Debug, Default)]
pub struct Cheap {
    secrets: RefCell<BTreeMap<DeviceId, [u8; 32]>>,
    publics: RefCell<BTreeMap<Vec<u8>, Vec<u8>>>,
}

fn signature(secret: &[u8; 32], purpose: &str, parts: &[&[u8]]) -> Signature {
    let mut hasher = blake3::Hasher::new_keyed(secret);
    for part in [purpose.as_bytes()].iter().chain(parts) {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    let mut out = [0; 64];
    hasher.finalize_xof().fill(&mut out);
    Signature(out)
}

const fn encapsulated(suite: Suite) -> usize {
    match suite {
        Suite::XWing => 1_120,
        Suite::X25519 => 32,
    }
}

/// Hides a box's plain text, or shows it again.
fn hide(to: &[u8], nonce: &[u8], info: &[u8], text: &[u8]) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new_derive_key("kith/v1/simulator-box");
    for part in [to, nonce, info] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    let mut pad = vec![0; text.len()];
    hasher.finalize_xof().fill(&mut pad);
    text.iter().zip(&pad).map(|(byte, pad)| byte ^ pad).collect()
}

fn tag(to: &[u8], nonce: &[u8], info: &[u8], hidden: &[u8]) -> [u8; TAG] {
    let mut hasher = blake3::Hasher::new_derive_key("kith/v1/simulator-box-tag");
    for part in [to, nonce, info, hidden] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    let mut out = [0; TAG];
    hasher.finalize_xof().fill(&mut out);
    out
}

impl Cheap {
    fn public(&self, secret: &HpkeSecret) -> Vec<u8> {
        let key = codec::encode(secret);
        self.publics.borrow_mut().entry(key).or_insert_with(|| secret.public()).clone()
    }
}

impl Crypto for Cheap {
    fn sign(&self, key: &SigningKey, purpose: &'static str, parts: &[&[u8]]) -> Signature {
        let secret = blake3::derive_key("kith/v1/simulator-signature", &codec::encode(key));
        self.secrets.borrow_mut().insert(key.id(), secret);
        signature(&secret, purpose, parts)
    }

    fn verify(&self, key: &DeviceId, purpose: &'static str, parts: &[&[u8]], sig: &Signature) -> bool {
        self.secrets.borrow().get(key).is_some_and(|secret| signature(secret, purpose, parts) == *sig)
    }

    fn box_seal(&self, rng: &mut dyn CryptoRng, suite: Suite, to: &[u8], info: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        if !suite.accepts(to) || info.len() > 4_096 {
            return None;
        }
        let mut out = vec![0; encapsulated(suite)];
        rng.fill_bytes(&mut out);
        let hidden = hide(to, &out, info, plain);
        let tag = tag(to, &out, info, &hidden);
        out.extend(hidden);
        out.extend(tag);
        Some(out)
    }

    fn box_open(&self, suite: Suite, secret: &HpkeSecret, info: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_at_checked(encapsulated(suite)).filter(|_| secret.suite() == suite)?;
        let (hidden, end) = rest.split_at_checked(rest.len().checked_sub(TAG)?)?;
        let to = self.public(secret);
        (tag(&to, nonce, info, hidden) == end).then(|| hide(&to, nonce, info, hidden))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kith_protocol::crypto::Seeded;

    #[test]
    fn nobody_signs_for_a_key_that_is_not_theirs() {
        let (cheap, mut rng) = (Cheap::default(), Seeded::new(1));
        let (mine, another) = (SigningKey::generate(&mut rng), SigningKey::generate(&mut rng));
        let good = cheap.sign(&mine, "kith/v1/test", &[b"ab", b"c"]);
        cheap.sign(&another, "kith/v1/test", &[b"ab", b"c"]);
        assert!(cheap.verify(&mine.id(), "kith/v1/test", &[b"ab", b"c"], &good));
        assert!(!cheap.verify(&another.id(), "kith/v1/test", &[b"ab", b"c"], &good));
        assert!(!cheap.verify(&mine.id(), "kith/v1/other", &[b"ab", b"c"], &good));
        assert!(!cheap.verify(&mine.id(), "kith/v1/test", &[b"a", b"bc"], &good));
        let stranger = SigningKey::generate(&mut rng);
        assert!(!cheap.verify(&stranger.id(), "kith/v1/test", &[b"ab", b"c"], &good));
        let mut bent = good;
        bent.0[63] ^= 1;
        assert!(!cheap.verify(&mine.id(), "kith/v1/test", &[b"ab", b"c"], &bent));
    }

    #[test]
    fn only_the_addressee_opens_a_box_and_only_as_it_was_sealed() {
        let (cheap, mut rng) = (Cheap::default(), Seeded::new(2));
        for (suite, overhead) in [(Suite::XWing, 1_136), (Suite::X25519, 48)] {
            let (one, two) = (HpkeSecret::generate(&mut rng, suite), HpkeSecret::generate(&mut rng, suite));
            let sealed = cheap.box_seal(&mut rng, suite, &one.public(), b"info", b"keys").expect("seals");
            assert_eq!(sealed.len(), overhead + 4);
            assert_eq!(cheap.box_open(suite, &one, b"info", &sealed).as_deref(), Some(&b"keys"[..]));
            assert_eq!(cheap.box_open(suite, &two, b"info", &sealed), None);
            assert_eq!(cheap.box_open(suite, &one, b"other", &sealed), None);
            for at in [0, 31, sealed.len() - 17, sealed.len() - 1] {
                let mut bent = sealed.clone();
                bent[at] ^= 1;
                assert_eq!(cheap.box_open(suite, &one, b"info", &bent), None, "byte {at}");
            }
            assert!(!sealed.windows(4).any(|window| window == b"keys"));
        }
    }
}
