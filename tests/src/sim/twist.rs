//! One value of a frame becomes another, and the rest stays well-formed.

use super::rng::Rng;
use crate::cbor::Cbor;

impl Cbor {
    /// How many values there are in it, itself included.
    #[must_use]
    pub(super) fn count(&self) -> u64 {
        1 + match self {
            Self::Array(list) => list.iter().map(Self::count).sum(),
            Self::Map(pairs) => pairs.iter().map(|(key, value)| key.count() + value.count()).sum(),
            _ => 0,
        }
    }

    /// One value of it, by its number.
    pub(super) fn nth(&mut self, mut at: u64) -> Option<&mut Self> {
        if at == 0 {
            return Some(self);
        }
        at -= 1;
        let parts: Vec<&mut Self> = match self {
            Self::Array(list) => list.iter_mut().collect(),
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
    pub(super) fn twist(&mut self, rng: &mut Rng) {
        match self {
            Self::Uint(n) => {
                let near =
                    [0, 1, n.wrapping_add(1), n.wrapping_sub(1), u64::MAX, 1 << 32, *n ^ (1 << rng.below(63)), rng.below(300)];
                *n = near[rng.index(near.len())];
            }
            Self::Bytes(bytes) => twist_bytes(bytes, rng),
            Self::Text(text) => *text = text.chars().rev().chain(['\u{1}']).collect(),
            Self::Array(list) => twist_list(list, rng),
            Self::Map(pairs) => pairs.truncate(rng.index(pairs.len() + 1)),
            Self::Bool(flag) => *flag = !*flag,
            Self::Null => *self = Self::Bytes(vec![0; 64]),
            // Nothing that was read is one of these.
            Self::LongUint(_) | Self::Raw(_) => {}
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
        *bytes = inner.encode();
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
        return list.push(Cbor::Uint(rng.below(30)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_comes_back_as_it_went_and_every_value_can_be_reached() {
        let inner = Cbor::Array(vec![Cbor::Uint(70_000), Cbor::Null, Cbor::Text("a".to_owned())]);
        let tree = Cbor::Array(vec![
            Cbor::Uint(3),
            Cbor::Bytes(inner.encode()),
            Cbor::Map(vec![(Cbor::Uint(1), Cbor::Bool(true))]),
            inner,
        ]);
        assert_eq!(Cbor::parse(&tree.encode()), Some(tree.clone()));
        assert_eq!(tree.count(), 10);
        let mut rng = Rng::new(1, "twist");
        for at in 0..10 {
            let mut bent = tree.clone();
            bent.nth(at).expect("there").twist(&mut rng);
            assert!(Cbor::parse(&bent.encode()).is_some());
        }
        assert_eq!(tree.clone().nth(10), None);
        assert_eq!(Cbor::parse(&[0x82, 0x01]), None);
    }
}
