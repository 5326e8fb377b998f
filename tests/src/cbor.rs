//! CBOR by hand, so that a peer can send what no encoder would write. Knows nothing of what the values mean.

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cbor {
    /// An unsigned number, in as few bytes as it needs.
    Uint(u64),
    /// An unsigned number in nine bytes, however small: not canonical.
    LongUint(u64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Words.
    Text(String),
    /// A list.
    Array(Vec<Self>),
    /// Pairs, in this order.
    Map(Vec<(Self, Self)>),
    /// A truth value.
    Bool(bool),
    /// Nothing.
    Null,
    /// These bytes as they are, whatever they say.
    Raw(Vec<u8>),
}

/// A list of values.
#[must_use]
pub fn array<const N: usize>(values: [Cbor; N]) -> Cbor {
    Cbor::Array(values.into())
}

/// Bytes.
#[must_use]
pub fn bytes(bytes: impl AsRef<[u8]>) -> Cbor {
    Cbor::Bytes(bytes.as_ref().to_vec())
}

/// What the codec of the core writes for a value.
#[must_use]
pub fn encoded<T: Encoded>(value: &T) -> Cbor {
    Cbor::Raw(value.bytes())
}

/// A value that the core can write.
pub trait Encoded {
    /// As the core writes it.
    fn bytes(&self) -> Vec<u8>;
}

macro_rules! core_values {
    ($($kind:ty),*) => {$(
        impl Encoded for $kind {
            fn bytes(&self) -> Vec<u8> {
                kith_protocol::codec::encode(self)
            }
        }
    )*};
}

core_values!(
    kith_protocol::item::edit::Edit,
    kith_protocol::circle::body::Retention,
    kith_protocol::circle::body::Statement,
    kith_protocol::circle::body::NewEpoch,
    kith_protocol::crypto::DeviceKeys
);

impl From<u64> for Cbor {
    fn from(number: u64) -> Self {
        Self::Uint(number)
    }
}

impl From<&str> for Cbor {
    fn from(words: &str) -> Self {
        Self::Text(words.to_owned())
    }
}

impl Cbor {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Uint(number) => head(out, 0, *number),
            Self::LongUint(number) => {
                out.push(27);
                out.extend_from_slice(&number.to_be_bytes());
            }
            Self::Bytes(bytes) => {
                head(out, 2, bytes.len() as u64);
                out.extend_from_slice(bytes);
            }
            Self::Text(words) => {
                head(out, 3, words.len() as u64);
                out.extend_from_slice(words.as_bytes());
            }
            Self::Array(values) => {
                head(out, 4, values.len() as u64);
                values.iter().for_each(|value| value.write(out));
            }
            Self::Map(pairs) => {
                head(out, 5, pairs.len() as u64);
                for (key, value) in pairs {
                    key.write(out);
                    value.write(out);
                }
            }
            Self::Bool(value) => out.push(if *value { 0xf5 } else { 0xf4 }),
            Self::Null => out.push(0xf6),
            Self::Raw(bytes) => out.extend_from_slice(bytes),
        }
    }

    /// Reads one value; `None` where the bytes are none, or more than one. Only what Kith uses.
    #[must_use]
    pub fn parse(mut bytes: &[u8]) -> Option<Self> {
        let value = read(&mut bytes, 16)?;
        bytes.is_empty().then_some(value)
    }

    /// An element of a list.
    #[must_use]
    pub fn at(&self, index: usize) -> &Self {
        if let Self::Array(values) = self { values.get(index).unwrap_or(&Self::Null) } else { &Self::Null }
    }

    /// An element of a list, to be changed.
    ///
    /// # Panics
    /// Where there is none.
    pub fn at_mut(&mut self, index: usize) -> &mut Self {
        let Self::Array(values) = self else { panic!("no list: {self:?}") };
        values.get_mut(index).expect("the list is that long")
    }

    /// A list's elements; none where it is no list.
    #[must_use]
    pub fn elements(&self) -> &[Self] {
        if let Self::Array(values) = self { values } else { &[] }
    }

    /// A number.
    #[must_use]
    pub const fn number(&self) -> Option<u64> {
        if let Self::Uint(number) = self { Some(*number) } else { None }
    }

    /// Bytes; none where it is something else.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        if let Self::Bytes(bytes) = self { bytes } else { &[] }
    }
}

fn head(out: &mut Vec<u8>, major: u8, number: u64) {
    let major = major << 5;
    let bytes = number.to_be_bytes();
    match number {
        0..=23 => out.push(major | bytes[7]),
        24..=0xff => out.extend_from_slice(&[major | 24, bytes[7]]),
        0x100..=0xffff => out.extend_from_slice(&[major | 25, bytes[6], bytes[7]]),
        0x1_0000..=0xffff_ffff => {
            out.push(major | 26);
            out.extend_from_slice(&bytes[4..]);
        }
        _ => {
            out.push(major | 27);
            out.extend_from_slice(&bytes);
        }
    }
}

fn take<'b>(bytes: &mut &'b [u8], many: usize) -> Option<&'b [u8]> {
    let (taken, rest) = bytes.split_at_checked(many)?;
    *bytes = rest;
    Some(taken)
}

fn read(bytes: &mut &[u8], depth: usize) -> Option<Cbor> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    let number = match first & 31 {
        small @ 0..=23 => u64::from(small),
        wide @ 24..=27 => take(bytes, 1 << (wide - 24))?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)),
        _ => return None,
    };
    let length = usize::try_from(number).ok()?;
    Some(match first >> 5 {
        0 => Cbor::Uint(number),
        2 => Cbor::Bytes(take(bytes, length)?.to_vec()),
        3 => Cbor::Text(String::from_utf8(take(bytes, length)?.to_vec()).ok()?),
        4 if depth > 0 => Cbor::Array((0..length).map(|_| read(bytes, depth - 1)).collect::<Option<_>>()?),
        5 if depth > 0 => {
            let pairs = (0..length).map(|_| Some((read(bytes, depth - 1)?, read(bytes, depth - 1)?)));
            Cbor::Map(pairs.collect::<Option<_>>()?)
        }
        7 if number == 20 || number == 21 => Cbor::Bool(number == 21),
        7 if number == 22 => Cbor::Null,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let numbers = [0, 23, 24, 255, 256, 65_536, u64::from(u32::MAX) + 1].map(Cbor::Uint);
        let value = array([array(numbers), bytes([1, 2]), "words".into(), Cbor::Null, Cbor::Bool(true)]);
        assert_eq!(Cbor::parse(&value.encode()), Some(value));
        assert_eq!(Cbor::parse(&Cbor::LongUint(1).encode()), Some(Cbor::Uint(1)));
        assert_eq!(Cbor::parse(&[1, 1]), None);
    }
}
