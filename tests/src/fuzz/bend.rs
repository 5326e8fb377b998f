//! Bends: small hostile changes to valid values. Each is four numbers, so that a long list of them is easily made smaller.

use proptest::prelude::*;

use super::tree::{NULL, Tree};

/// One change. What the numbers mean depends on `how`; any numbers mean something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bend {
    /// Which change.
    pub how: u8,
    /// Where.
    pub at: u32,
    /// Of what nature.
    pub with: u32,
    /// With which value.
    pub value: u64,
}

impl Bend {
    fn bit(&self) -> u8 {
        1 << (self.value % 8)
    }

    /// One of these.
    pub(super) fn one<T: Copy>(number: u64, of: &[T]) -> Option<T> {
        of.get(usize::try_from(number % of.len().max(1) as u64).ok()?).copied()
    }
}

/// A few changes.
pub fn bends() -> impl Strategy<Value = Vec<Bend>> {
    let bend = (any::<u8>(), any::<u32>(), any::<u32>(), any::<u64>());
    let bend = bend.prop_map(|(how, at, with, value)| Bend { how, at, with, value });
    prop_oneof![1 => Just(Vec::new()), 60 => proptest::collection::vec(bend, 1..5)]
}

/// Numbers at which something may turn over.
pub(super) const NUMBERS: [u64; 26] = [
    0,
    1,
    2,
    3,
    4,
    8,
    16,
    17,
    23,
    24,
    255,
    256,
    257,
    4_096,
    65_535,
    65_536,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    1 << 32,
    1 << 48,
    (1 << 53) + 1,
    (1 << 63) - 1,
    1 << 63,
    u64::MAX - 1,
    u64::MAX,
];

/// Lengths at which something may turn over.
const LENGTHS: [usize; 14] = [0, 1, 15, 16, 17, 24, 31, 32, 33, 63, 64, 65, 1_025, 65_537];

/// Words that have broken programs: controls, escapes, turned and unseen letters, formulas, paths, many bytes a letter, no text.
pub(super) const WORDS: [&[u8]; 24] = [
    b"",
    b"\0",
    b"\x1b[2J\x1b]52;c;aGk=\x07",
    "abc\u{202e}txt.exe".as_bytes(),
    "ad\u{200b}min".as_bytes(),
    "\u{feff}".as_bytes(),
    "=cmd|' /C calc'!A0".as_bytes(),
    "../../etc/passwd".as_bytes(),
    "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f466}".as_bytes(),
    "\u{10ffff}".as_bytes(),
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"e\xcc\x81\xcc\x81\xcc\x81\xcc\x81",
    b"9999999999999999999",
    b"-1",
    b"1e400",
    b"NaN",
    b"2026-02-30T25:61:61Z",
    b"-271821-04-20T00:00:00Z",
    b"9999-12-31T23:59:59Z",
    b"FREQ=SECONDLY;INTERVAL=0",
    b"\r\n",
    b"javascript:alert(1)",
    b"days:4294967296",
];

/// Bends a tree. `other`: a valid value of which a part may be taken.
pub fn bend_tree(tree: &mut Tree, other: &Tree, bends: &[Bend]) {
    bends.iter().for_each(|bend| one(tree, other, bend));
}

fn one(tree: &mut Tree, other: &Tree, bend: &Bend) {
    match bend.how % 20 {
        0 | 1 => each(tree, bend, &is_number, |number| {
            let now = number.number().unwrap_or(0);
            *number = Tree::Uint(match bend.with % 4 {
                0 => now.wrapping_add(1),
                1 => now.wrapping_sub(1),
                2 => bend.value,
                _ => Bend::one(bend.value, &NUMBERS).unwrap_or(0),
            });
        }),
        2 | 3 => each(tree, bend, &is_string, |string| with_bytes(string, |bytes| flip(bytes, bend))),
        4 => each(tree, bend, &is_string, |string| {
            let len = Bend::one(bend.value, &LENGTHS).unwrap_or(0);
            with_bytes(string, |bytes| bytes.resize(len, 7));
        }),
        5 => each(tree, bend, &has_elements, |list| elements(list, |list| drop(list.remove(bend.with as usize % list.len())))),
        6 => each(tree, bend, &has_elements, |list| {
            elements(list, |list| {
                let copy = list[bend.with as usize % list.len()].clone();
                let times = Bend::one(bend.value, &[1, 1, 2, 16, 17, 33, 257, 600]).unwrap_or(1);
                // What grows is no longer small: bounded, so that a run stays fast.
                let times = if copy.cbor().len() > 200 { times.min(17) } else { times };
                list.extend(std::iter::repeat_n(copy, times));
            });
        }),
        7 => {
            let taken = part(tree, bend.value);
            each(tree, bend, &|_| true, |here| *here = taken.clone());
        }
        8 | 9 => {
            let taken = part(other, bend.value);
            each(tree, bend, &|_| true, |here| *here = taken.clone());
        }
        10 => {
            let values = [NULL, Tree::Simple(20), Tree::Simple(21), Tree::Simple(23), Tree::Simple(255), Tree::Uint(0)];
            let more = [Tree::Negative(0), Tree::List(Vec::new()), Tree::Map(Vec::new()), Tree::Text(Vec::new())];
            let with = values.into_iter().chain(more).nth(bend.with as usize % 10).unwrap_or(NULL);
            each(tree, bend, &|_| true, |here| *here = with.clone());
        }
        11 => each(tree, bend, &has_elements, |list| elements(list, |list| list.reverse())),
        12 => each(tree, bend, &has_elements, |list| {
            elements(list, |list| {
                let by = bend.with as usize % list.len();
                list.rotate_left(by);
            });
        }),
        13 => each(tree, bend, &|_| true, |here| {
            let depth = Bend::one(bend.value, &[1, 2, 16, 200, 5_000, 100_000]).unwrap_or(1);
            *here = Tree::Nested(depth, Box::new(here.clone()));
        }),
        14 => each(tree, bend, &is_number, |number| *number = Tree::Wide(number.number().unwrap_or(0))),
        15 => each(tree, bend, &has_elements, |list| {
            if let Tree::List(inner) = list {
                *list = Tree::Endless(inner.clone());
            }
        }),
        16 | 17 => {
            let word = Bend::one(bend.value, &WORDS).unwrap_or_default();
            each(tree, bend, &is_string, |text| with_bytes(text, |bytes| insert(bytes, bend.with, word)));
        }
        18 => each(tree, bend, &is_string, |text| {
            let times = Bend::one(bend.value, &[2, 40, 300, 4_000]).unwrap_or(2);
            with_bytes(text, |bytes| *bytes = bytes.repeat(times.min(70_000 / bytes.len().max(1))));
        }),
        _ => each(tree, bend, &|_| true, |here| *here = Tree::Raw([&[0xc1], here.cbor().as_slice()].concat())),
    }
}

/// Bends bytes that are finished: cuts off, appends, flips, puts in.
pub fn bend_bytes(bytes: &mut Vec<u8>, bend: &Bend) {
    match bend.how % 4 {
        0 => bytes.truncate(bend.at as usize % (bytes.len() + 1)),
        1 => bytes.extend_from_slice(&bend.value.to_be_bytes()[..1 + bend.with as usize % 8]),
        2 => flip(bytes, bend),
        _ => insert(bytes, bend.at, &bend.value.to_be_bytes()[..1 + bend.with as usize % 8]),
    }
}

fn flip(bytes: &mut [u8], bend: &Bend) {
    let len = bytes.len().max(1);
    if let Some(byte) = bytes.get_mut(bend.with as usize % len) {
        *byte ^= bend.bit();
    }
}

fn insert(bytes: &mut Vec<u8>, at: u32, what: &[u8]) {
    let at = at as usize % (bytes.len() + 1);
    bytes.splice(at..at, what.iter().copied());
}

fn each(tree: &mut Tree, bend: &Bend, fit: &impl Fn(&Tree) -> bool, change: impl Fn(&mut Tree)) {
    let mut count = 0_usize;
    tree.visit(&mut |one| count += usize::from(fit(one)));
    if count > 0
        && let Some(found) = tree.nth(&mut (bend.at as usize % count), fit)
    {
        change(found);
    }
}

fn part(tree: &Tree, number: u64) -> Tree {
    let mut all = Vec::new();
    tree.visit(&mut |one| all.push(one));
    Bend::one(number, &all).cloned().unwrap_or(NULL)
}

const fn is_number(tree: &Tree) -> bool {
    matches!(tree, Tree::Uint(_))
}

const fn is_string(tree: &Tree) -> bool {
    matches!(tree, Tree::Bytes(_) | Tree::Text(_))
}

fn has_elements(tree: &Tree) -> bool {
    matches!(tree, Tree::List(list) if !list.is_empty()) || matches!(tree, Tree::Map(pairs) if !pairs.is_empty())
}

fn with_bytes(tree: &mut Tree, change: impl FnOnce(&mut Vec<u8>)) {
    if let Tree::Bytes(bytes) | Tree::Text(bytes) = tree {
        change(bytes);
    }
}

/// The elements of a list, or the pairs of a map as lists of two.
fn elements(tree: &mut Tree, change: impl FnOnce(&mut Vec<Tree>)) {
    match tree {
        Tree::List(list) => change(list),
        Tree::Map(pairs) => {
            let mut list: Vec<Tree> = pairs.drain(..).map(|(key, value)| Tree::List(vec![key, value])).collect();
            change(&mut list);
            let pair = |one: Tree| if let Tree::List(two) = one { two.try_into().ok() } else { None };
            *pairs = list.into_iter().filter_map(pair).map(|[key, value]: [Tree; 2]| (key, value)).collect();
        }
        _ => {}
    }
}
