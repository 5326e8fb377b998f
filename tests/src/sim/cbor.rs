//! CBOR as a tree, to change one value of a frame and leave the rest well-formed.

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

use super::rng::Rng;

/// A value. Only the forms that frames use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cbor {
    /// A number.
    Number(u64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Words.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// Pairs.
    Map(Vec<(Self, Self)>),
    /// Yes or no.
    Flag(bool),
    /// Nothing.
    Null,
}

impl Cbor {
    /// The value that these bytes are, all of them.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut decoder = Decoder::new(bytes);
        let value = read(&mut decoder, 0)?;
        (decoder.position() == bytes.len()).then_some(value)
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut Encoder::new(&mut out));
        out
    }

    fn write(&self, e: &mut Encoder<&mut Vec<u8>>) {
        // Writing to a vector cannot fail.
        let done = match self {
            Self::Number(n) => e.u64(*n).is_ok(),
            Self::Bytes(bytes) => e.bytes(bytes).is_ok(),
            Self::Text(text) => e.str(text).is_ok(),
            Self::Flag(flag) => e.bool(*flag).is_ok(),
            Self::Null => e.null().is_ok(),
            Self::List(list) => {
                let begun = e.array(list.len() as u64).is_ok();
                list.iter().for_each(|value| value.write(e));
                begun
            }
            Self::Map(pairs) => {
                let begun = e.map(pairs.len() as u64).is_ok();
                pairs.iter().for_each(|(key, value)| {
                    key.write(e);
                    value.write(e);
                });
                begun
            }
        };
        debug_assert!(done);
    }

    /// How many values there are in it, itself included.
    #[must_use]
    pub fn count(&self) -> u64 {
        1 + match self {
            Self::List(list) => list.iter().map(Self::count).sum(),
            Self::Map(pairs) => pairs.iter().map(|(key, value)| key.count() + value.count()).sum(),
            _ => 0,
        }
    }

    /// One value of it, by its number.
    pub fn nth(&mut self, mut at: u64) -> Option<&mut Self> {
        if at == 0 {
            return Some(self);
        }
        at -= 1;
        let parts: Vec<&mut Self> = match self {
            Self::List(list) => list.iter_mut().collect(),
            Self::Map(pairs) => pairs.iter_mut().flat_map(|(key, value)| [key, value]).collect(),
            _ => Vec::new(),
        };
        for part in parts {
            let count = part.count();
            if at < count {
                return part.nth(at);
            }
            at -= count;
        }
        None
    }

    /// Becomes another value that could stand in its place.
    pub fn twist(&mut self, rng: &mut Rng) {
        match self {
            Self::Number(n) => {
                let near =
                    [0, 1, n.wrapping_add(1), n.wrapping_sub(1), u64::MAX, 1 << 32, *n ^ (1 << rng.below(63)), rng.below(300)];
                *n = near[rng.index(near.len())];
            }
            Self::Bytes(bytes) => twist_bytes(bytes, rng),
            Self::Text(text) => *text = text.chars().rev().chain(['\u{1}']).collect(),
            Self::List(list) => twist_list(list, rng),
            Self::Map(pairs) => pairs.truncate(rng.index(pairs.len() + 1)),
            Self::Flag(flag) => *flag = !*flag,
            Self::Null => *self = Self::Bytes(vec![0; 64]),
        }
    }
}

fn twist_bytes(bytes: &mut Vec<u8>, rng: &mut Rng) {
    // What is CBOR itself (an act, a record, a run) is changed inside as often as from outside.
    if let Some(mut inner) = Cbor::parse(bytes).filter(|inner| inner.count() > 2)
        && rng.chance(60)
    {
        let at = rng.below(inner.count());
        if let Some(value) = inner.nth(at) {
            value.twist(rng);
        }
        *bytes = inner.bytes();
        return;
    }
    match rng.below(5) {
        0 => bytes.truncate(rng.index(bytes.len() + 1)),
        1 => bytes.extend([0, 1, 2]),
        2 => bytes.iter_mut().for_each(|byte| *byte = 0),
        _ if bytes.is_empty() => bytes.push(7),
        _ => {
            let at = rng.index(bytes.len());
            bytes[at] ^= 1 << rng.below(8);
        }
    }
}

fn twist_list(list: &mut Vec<Cbor>, rng: &mut Rng) {
    if list.is_empty() {
        return list.push(Cbor::Number(rng.below(30)));
    }
    let at = rng.index(list.len());
    match rng.below(5) {
        0 => drop(list.remove(at)),
        1 => list.push(list[at].clone()),
        2 => list.swap(0, at),
        3 => {
            let again = list[at].clone();
            list.extend(std::iter::repeat_n(again, rng.index(300)));
        }
        _ => {
            let mut bent = list[at].clone();
            bent.twist(rng);
            list.push(bent);
        }
    }
}

fn read(d: &mut Decoder<'_>, depth: usize) -> Option<Cbor> {
    if depth > 16 {
        return None;
    }
    Some(match d.datatype().ok()? {
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => Cbor::Number(d.u64().ok()?),
        Type::Bytes => Cbor::Bytes(d.bytes().ok()?.to_vec()),
        Type::String => Cbor::Text(d.str().ok()?.to_owned()),
        Type::Bool => Cbor::Flag(d.bool().ok()?),
        Type::Null => {
            d.null().ok()?;
            Cbor::Null
        }
        Type::Array => {
            let count = d.array().ok()??;
            Cbor::List((0..count).map(|_| read(d, depth + 1)).collect::<Option<_>>()?)
        }
        Type::Map => {
            let count = d.map().ok()??;
            Cbor::Map((0..count).map(|_| Some((read(d, depth + 1)?, read(d, depth + 1)?))).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_comes_back_as_it_went_and_every_value_can_be_reached() {
        let inner = Cbor::List(vec![Cbor::Number(70_000), Cbor::Null, Cbor::Text("a".to_owned())]);
        let tree = Cbor::List(vec![
            Cbor::Number(3),
            Cbor::Bytes(inner.bytes()),
            Cbor::Map(vec![(Cbor::Number(1), Cbor::Flag(true))]),
            inner,
        ]);
        assert_eq!(Cbor::parse(&tree.bytes()), Some(tree.clone()));
        assert_eq!(tree.count(), 10);
        let mut rng = Rng::new(1, "twist");
        for at in 0..10 {
            let mut bent = tree.clone();
            bent.nth(at).expect("there").twist(&mut rng);
            assert!(Cbor::parse(&bent.bytes()).is_some());
        }
        assert_eq!(tree.clone().nth(10), None);
        assert_eq!(Cbor::parse(&[0x82, 0x01]), None);
    }
}
