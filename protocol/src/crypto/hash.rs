//! BLAKE3 in its three modes, each use under its own purpose.

use super::Key;

fn absorb(hasher: &mut blake3::Hasher, parts: &[&[u8]]) {
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
}

/// A key for one purpose and context, from another: BLAKE3 in derive-key mode over the key and the length-prefixed context.
#[must_use]
pub fn derive(purpose: &'static str, key: &Key, context: &[&[u8]]) -> Key {
    let mut hasher = blake3::Hasher::new_derive_key(purpose);
    hasher.update(key.as_bytes());
    absorb(&mut hasher, context);
    Key::from_bytes(hasher.finalize().into())
}

/// A message authentication code: BLAKE3 in keyed mode over the length-prefixed parts, under a key derived for the purpose.
#[must_use]
pub fn mac(purpose: &'static str, key: &Key, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_keyed(derive(purpose, key, &[]).as_bytes());
    absorb(&mut hasher, parts);
    hasher.finalize().into()
}

/// A domain-separated hash: BLAKE3 in derive-key mode over the length-prefixed parts.
#[must_use]
pub fn hash(purpose: &'static str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key(purpose);
    absorb(&mut hasher, parts);
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purpose_key_and_borders_of_parts_all_matter() {
        let (one, two) = (Key::from_bytes([1; 32]), Key::from_bytes([2; 32]));
        let all = [
            hash("kith/v1/test", &[b"ab", b"c"]),
            hash("kith/v1/test", &[b"a", b"bc"]),
            hash("kith/v1/test", &[b"abc"]),
            hash("kith/v1/other", &[b"abc"]),
            mac("kith/v1/test", &one, &[b"abc"]),
            mac("kith/v1/test", &two, &[b"abc"]),
            *derive("kith/v1/test", &one, &[b"abc"]).as_bytes(),
            *derive("kith/v1/test", &two, &[b"abc"]).as_bytes(),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
