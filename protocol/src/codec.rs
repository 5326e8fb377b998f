//! The one wire codec: canonical CBOR (RFC 8949) through `minicbor`.
//!
//! Bytes are accepted only if decoding consumes all of them and encoding the value again gives the same bytes, so a value
//! has exactly one encoding. What is signed and hashed is always the received bytes.

use minicbor::{Decode, Encode};

use crate::limits;

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

/// A value of a form that this program does not know: kept and passed on as it came, and ignored.
///
/// It is made of integers, byte and text strings, truth values, null, and arrays of these, each in its one encoding, so that a program
/// that knows its form reads it from the same bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnknownValue(Vec<u8>);

impl UnknownValue {
    /// As it came.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for UnknownValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<unknown>")
    }
}

impl<C> Encode<C> for UnknownValue {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.writer_mut().write_all(&self.0).map_err(minicbor::encode::Error::write)
    }
}

impl<'b, C> Decode<'b, C> for UnknownValue {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let start = d.position();
        let mut canonical = minicbor::Encoder::new(Vec::new());
        copy(d, &mut canonical, limits::UNKNOWN_DEPTH)?;
        let canonical = canonical.into_writer();
        match d.input().get(start..d.position()) {
            Some(came) if came == canonical => Ok(Self(canonical)),
            Some(_) | None => Err(minicbor::decode::Error::message("another encoding of a value")),
        }
    }
}

/// Writes a value of any known shape again, in its one encoding.
fn copy(d: &mut minicbor::Decoder<'_>, e: &mut minicbor::Encoder<Vec<u8>>, depth: usize) -> Result<(), minicbor::decode::Error> {
    use minicbor::data::Type;
    let unknown = || minicbor::decode::Error::message("a value of an unknown shape");
    let kind = d.datatype()?;
    let done = if kind == Type::Bytes {
        e.bytes(d.bytes()?).is_ok()
    } else if kind == Type::String {
        e.str(d.str()?).is_ok()
    } else if kind == Type::Bool {
        e.bool(d.bool()?).is_ok()
    } else if kind == Type::Null {
        d.null()?;
        e.null().is_ok()
    } else if kind == Type::Array {
        let inner = depth.checked_sub(1).ok_or_else(unknown)?;
        let count = d.array()?.ok_or_else(unknown)?;
        let begun = e.array(count).is_ok();
        for _ in 0..count {
            copy(d, e, inner)?;
        }
        begun
    } else {
        e.int(d.int()?).is_ok()
    };
    if done { Ok(()) } else { Err(unknown()) }
}

/// Refuses every version but `known`, which is the first element of every top-level form.
///
/// # Errors
/// [`CodecError::Version`], or [`CodecError::Malformed`] where no version stands first.
pub(crate) fn check_version(bytes: &[u8], known: u64, what: &'static str) -> Result<(), CodecError> {
    let version = version(bytes, what)?;
    if version == known { Ok(()) } else { Err(CodecError::Version(version)) }
}

/// The version of a top-level form.
///
/// # Errors
/// [`CodecError::Malformed`] where none stands first.
pub(crate) fn version(bytes: &[u8], what: &'static str) -> Result<u64, CodecError> {
    let mut decoder = minicbor::Decoder::new(bytes);
    decoder.array().and_then(|_| decoder.u64()).map_err(|_| CodecError::Malformed(what))
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::frozen::{Form, frozen};

    frozen![Form::new("unknown-value", 1, &[UnknownValue(vec![0x85, 0x17, 0x20, 0xf6, 0x42, 1, 2, 0x81, 0x61, b'a'])])];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_not_known_has_one_encoding_and_a_bounded_shape() {
        let read = |bytes: &[u8]| decode::<UnknownValue>(bytes, "value").map(|value| encode(&value));
        let nested = |depth: usize| [vec![0x81; depth], vec![0x00]].concat();
        for good in [&[0x17][..], &[0x38, 0xff], &[0xf5], &[0xf6], &[0x42, 1, 2], &[0x61, b'a'], &[0x80], &nested(8)] {
            assert_eq!(read(good).as_deref(), Ok(good), "{good:02x?}");
        }
        let wide: &[u8] = &[0x18, 0x17];
        let bad: [(&[u8], &str); 11] = [
            (wide, "a wider number than needed"),
            (&[0x81, 0x18, 0x01], "the same inside"),
            (&[0x58, 0x01, 0x00], "a wider length than needed"),
            (&[0x9f, 0xff], "an array without a length"),
            (&[0xa1, 0x01, 0x02], "a map"),
            (&[0xc0, 0x01], "a tag"),
            (&[0xf9, 0x3c, 0x00], "a fraction"),
            (&[0xf7], "undefined"),
            (&[0x61, 0xff], "words that are none"),
            (&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "an array of more than there is"),
            (&[0x01, 0x01], "more behind it"),
        ];
        for (bytes, why) in bad {
            assert!(read(bytes).is_err(), "{why}");
        }
        assert!(read(&nested(9)).is_err() && read(&nested(60_000)).is_err(), "too deep");
    }
}
