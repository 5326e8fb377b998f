//! What stands inside an entry's seal: one byte for the form, the bytes, padding.
#![deny(clippy::indexing_slicing, clippy::expect_used)]

use super::LogError;
use super::entry::Packed;
use crate::crypto::{padded_len, unpad};
use crate::limits;
use crate::work;

const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
/// zstd's own default; a payload is compressed alone only above 4 KiB.
const LEVEL: i32 = 3;

/// Puts a payload into the form in which it is sealed.
pub(super) fn pack(payload: Vec<u8>) -> Result<Packed, LogError> {
    if payload.len() > limits::PAYLOAD_BYTES {
        return Err(LogError::Rule("payload too large"));
    }
    if payload.len() > limits::PLAIN_PAYLOAD_BYTES
        && let Ok(bytes) = zstd::bulk::compress(&payload, LEVEL)
        && bytes.len() < payload.len()
    {
        return Ok(Packed { zstd: true, bytes });
    }
    Ok(Packed { zstd: false, bytes: payload })
}

/// The payload; `None` where it is larger than allowed or does not inflate.
pub(super) fn unpack(packed: Packed) -> Option<Vec<u8>> {
    let limit = inflated_len(&packed).min(limits::PAYLOAD_BYTES);
    let payload = if packed.zstd { inflate(&packed.bytes, limit)? } else { packed.bytes };
    (payload.len() <= limits::PAYLOAD_BYTES).then_some(payload)
}

/// What it may inflate to: as much as its frame says, and if that says nothing, as much as a payload may have. [`unpack`] takes no
/// more than this.
pub(super) fn inflated_len(packed: &Packed) -> usize {
    if !packed.zstd {
        return packed.bytes.len();
    }
    let said = zstd::zstd_safe::get_frame_content_size(&packed.bytes).ok().flatten();
    said.and_then(|len| usize::try_from(len).ok()).unwrap_or(limits::PAYLOAD_BYTES)
}

/// Inflates at most `limit` bytes.
pub(super) fn inflate(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    let inflated = zstd::bulk::decompress(bytes, limit).ok();
    work::did(|work| work.inflated += inflated.as_ref().map_or(limit, Vec::len) as u64);
    inflated
}

/// Appends form, bytes and padding to a buffer that holds the nonce.
pub(super) fn write_padded(buffer: &mut Vec<u8>, packed: &Packed) {
    let start = buffer.len();
    buffer.push(if packed.zstd { ZSTD } else { PLAIN });
    buffer.extend_from_slice(&packed.bytes);
    buffer.push(0x80);
    buffer.resize(start + padded_len(buffer.len() - start), 0);
}

/// Reads what [`write_padded`] wrote; `None` for anything else, so that sealing it again gives the same bytes.
pub(super) fn read_padded(plain: &[u8]) -> Option<Packed> {
    let (form, bytes) = unpad(plain)?.split_first()?;
    match *form {
        PLAIN => Some(Packed { zstd: false, bytes: bytes.to_vec() }),
        ZSTD => Some(Packed { zstd: true, bytes: bytes.to_vec() }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_come_back() {
        for len in [0, 1, 300, 5_000, limits::PAYLOAD_BYTES] {
            let payload: Vec<u8> = (0..len).map(|i| u8::try_from(i % 251).unwrap_or(0)).collect();
            let packed = pack(payload.clone()).expect("fits");
            assert_eq!(packed.zstd, len > limits::PLAIN_PAYLOAD_BYTES);
            let mut buffer = Vec::new();
            write_padded(&mut buffer, &packed);
            assert_eq!(read_padded(&buffer).and_then(unpack), Some(payload));
        }
        assert!(pack(vec![0; limits::PAYLOAD_BYTES + 1]).is_err());
    }

    #[test]
    fn what_a_frame_says_is_what_it_may_inflate_to() {
        let small = zstd::bulk::compress(b"few", LEVEL).expect("compresses");
        let large = zstd::bulk::compress(&vec![b'x'; 60_000], LEVEL).expect("compresses");
        let packed = |bytes: Vec<u8>| Packed { zstd: true, bytes };
        assert_eq!(inflated_len(&packed(large.clone())), 60_000);
        // A second frame behind a small one is no way around it.
        let both = [small, large].concat();
        assert_eq!(inflated_len(&packed(both.clone())), 3);
        assert_eq!(unpack(packed(both)), None);
        // A frame need not say how long it is: then it counts as the longest.
        let mut unsaid = zstd::bulk::Compressor::new(LEVEL).expect("starts");
        unsaid.include_contentsize(false).expect("is a setting");
        let bytes = unsaid.compress(&[b'y'; 9_000]).expect("compresses");
        assert_eq!(inflated_len(&packed(bytes.clone())), limits::PAYLOAD_BYTES);
        assert_eq!(unpack(packed(bytes)), Some(vec![b'y'; 9_000]));
    }

    #[test]
    fn w14_a_bomb_inflates_to_nothing() {
        let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 19).expect("compresses");
        assert_eq!(unpack(Packed { zstd: true, bytes: bomb }), None);
    }
}
