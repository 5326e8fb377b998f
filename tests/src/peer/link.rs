//! Invite links, taken apart and put together again with one thing bent and the check made right.

use kith_protocol::crypto::hash;

use crate::cbor::Cbor;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What a link carries: `[version, circle, secret, role, expires, inviter, [[peer, [address]]]]`.
///
/// # Panics
/// Where it is no link.
#[must_use]
pub fn ticket_of(link: &str) -> Cbor {
    let (_, words) = link.split_once('#').expect("a link");
    let bytes = decode(words);
    let (body, _) = bytes.split_at(bytes.len() - 4);
    Cbor::parse(body).expect("a ticket")
}

/// The link with its ticket bent.
///
/// # Panics
/// Where it is no link.
#[must_use]
pub fn bent(link: &str, bend: impl FnOnce(&mut Cbor)) -> String {
    let (prefix, _) = link.split_once('#').expect("a link");
    let mut ticket = ticket_of(link);
    bend(&mut ticket);
    let body = ticket.encode();
    let check = hash("kith/v1/link-check", &[&body]);
    format!("{prefix}#{}", encode(&[&body[..], &check[..4]].concat()))
}

fn decode(words: &str) -> Vec<u8> {
    let (mut out, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in words.bytes() {
        let value = ALPHABET.iter().position(|other| *other == letter).expect("base64url");
        held = held << 6 | u32::try_from(value).expect("below 64");
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits).to_le_bytes()[0]);
        }
    }
    out
}

fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let mut held = [0; 4];
        held[1..=chunk.len()].copy_from_slice(chunk);
        let number = u32::from_be_bytes(held);
        for at in 0..=chunk.len() {
            out.push(char::from(ALPHABET[(number >> (18 - 6 * at)) as usize & 63]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_come_back() {
        for bytes in [&b"f"[..], b"fo", b"foo", b"foob", &[0xff, 0xfe, 0]] {
            assert_eq!(decode(&encode(bytes)), bytes);
        }
        assert_eq!(encode(b"fooba"), "Zm9vYmE");
    }
}
