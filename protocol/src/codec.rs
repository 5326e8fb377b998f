//! The one wire codec: canonical CBOR (RFC 8949) through `minicbor`.
//!
//! Bytes are accepted only if decoding consumes all of them and encoding the value again gives the same bytes, so a value
//! has exactly one encoding. What is signed and hashed is always the received bytes.

use minicbor::{Decode, Encode};

/// Why bytes were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Not the expected shape.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// Another encoding of an acceptable value, or bytes behind it.
    #[error("not in canonical form")]
    NotCanonical,
    /// Larger than the limit that its kind has.
    #[error("{what} of {size} bytes is over the limit of {limit}")]
    TooLarge {
        /// What was measured.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A version this program does not know.
    #[error("version {0} is not known to this program")]
    Version(u64),
}

/// The one encoding of a value.
#[must_use]
pub fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    let done = minicbor::encode(value, &mut out);
    debug_assert!(done.is_ok(), "writing to a vector cannot fail");
    out
}

/// A value from exactly its canonical bytes.
///
/// # Errors
/// [`CodecError`] where the bytes are of another shape, another encoding, or followed by more.
pub fn decode<'b, T: Decode<'b, ()> + Encode<()>>(bytes: &'b [u8], what: &'static str) -> Result<T, CodecError> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let value: T = decoder.decode().map_err(|_| CodecError::Malformed(what))?;
    if decoder.position() != bytes.len() || encode(&value) != bytes {
        return Err(CodecError::NotCanonical);
    }
    Ok(value)
}

/// Like [`decode`], refusing more than `limit` bytes before looking at them.
///
/// # Errors
/// [`CodecError::TooLarge`] or those of [`decode`].
pub(crate) fn decode_within<'b, T: Decode<'b, ()> + Encode<()>>(
    bytes: &'b [u8],
    limit: usize,
    what: &'static str,
) -> Result<T, CodecError> {
    if bytes.len() > limit {
        return Err(CodecError::TooLarge { what, size: bytes.len(), limit });
    }
    decode(bytes, what)
}

/// Refuses every version but `known`, which is the first element of every top-level form.
///
/// # Errors
/// [`CodecError::Version`], or [`CodecError::Malformed`] where no version stands first.
pub(crate) fn check_version(bytes: &[u8], known: u64, what: &'static str) -> Result<(), CodecError> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let version = decoder.array().and_then(|_| decoder.u64()).map_err(|_| CodecError::Malformed(what))?;
    if version == known { Ok(()) } else { Err(CodecError::Version(version)) }
}
