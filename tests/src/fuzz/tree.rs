//! Values of any shape, as trees: read from CBOR or JSON, bent, and written again, canonically or not.

use serde_json::Value;

/// Deeper than any form; what lies below is left as bytes.
const DEPTH: usize = 48;

/// A value. The last few variants are things that no honest writer writes.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// A number.
    Uint(u64),
    /// A number below zero, as CBOR counts it: -1 - n.
    Negative(u64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Bytes that hold exactly one value.
    Wrapped(Box<Self>),
    /// Text, which may be none.
    Text(Vec<u8>),
    /// A list.
    List(Vec<Self>),
    /// Pairs, in their order.
    Map(Vec<(Self, Self)>),
    /// `false`, `true`, `null`, `undefined` and the other simple values by their numbers.
    Simple(u8),
    /// Bytes as they stand.
    Raw(Vec<u8>),
    /// A number in more bytes than it needs.
    Wide(u64),
    /// A list without a length.
    Endless(Vec<Self>),
    /// So many lists around a value.
    Nested(usize, Box<Self>),
}

/// `null`.
pub const NULL: Tree = Tree::Simple(22);

impl Tree {
    /// From a CBOR value and nothing behind it.
    #[must_use]
    pub fn from_cbor(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let tree = read(&mut rest, 0)?;
        rest.is_empty().then_some(tree)
    }

    /// As CBOR.
    #[must_use]
    pub fn cbor(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Uint(n) => head(out, 0, *n),
            Self::Negative(n) => head(out, 1, *n),
            Self::Bytes(bytes) => string(out, 2, bytes),
            Self::Wrapped(tree) => string(out, 2, &tree.cbor()),
            Self::Text(text) => string(out, 3, text),
            Self::List(list) => {
                head(out, 4, list.len() as u64);
                list.iter().for_each(|one| one.write(out));
            }
            Self::Map(pairs) => {
                head(out, 5, pairs.len() as u64);
                for (key, value) in pairs {
                    key.write(out);
                    value.write(out);
                }
            }
            Self::Simple(n) if *n < 24 => out.push(0xe0 | n),
            Self::Simple(n) => out.extend([0xf8, *n]),
            Self::Raw(bytes) => out.extend_from_slice(bytes),
            Self::Wide(n) => {
                out.push(0x1b);
                out.extend_from_slice(&n.to_be_bytes());
            }
            Self::Endless(list) => {
                out.push(0x9f);
                list.iter().for_each(|one| one.write(out));
                out.push(0xff);
            }
            Self::Nested(depth, inner) => {
                out.extend(std::iter::repeat_n(0x81, *depth));
                inner.write(out);
            }
        }
    }

    /// From JSON text.
    #[must_use]
    pub fn from_json(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok().map(of_json)
    }

    /// As JSON text, or what comes nearest to it.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_json(&mut out);
        out
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Uint(n) => out.extend_from_slice(n.to_string().as_bytes()),
            Self::Negative(n) => out.extend_from_slice(format!("-{}", u128::from(*n) + 1).as_bytes()),
            Self::Bytes(text) | Self::Text(text) => match std::str::from_utf8(text) {
                Ok(text) => out.extend_from_slice(Value::from(text).to_string().as_bytes()),
                Err(_) => out.extend([b"\"".as_slice(), text, b"\""].concat()),
            },
            Self::Wrapped(tree) => tree.write_json(out),
            Self::List(list) | Self::Endless(list) => joined(out, b"[]", list, |one, out| one.write_json(out)),
            Self::Map(pairs) => joined(out, b"{}", pairs, |(key, value), out| {
                key.write_json(out);
                out.push(b':');
                value.write_json(out);
            }),
            Self::Simple(20) => out.extend_from_slice(b"false"),
            Self::Simple(21) => out.extend_from_slice(b"true"),
            Self::Simple(_) => out.extend_from_slice(b"null"),
            Self::Raw(bytes) => out.extend_from_slice(bytes),
            Self::Wide(n) => out.extend_from_slice(format!("{n}e0").as_bytes()),
            Self::Nested(depth, inner) => {
                out.extend(std::iter::repeat_n(b'[', *depth));
                inner.write_json(out);
                out.extend(std::iter::repeat_n(b']', *depth));
            }
        }
    }

    /// This value and all within it, outermost first.
    pub fn visit<'t>(&'t self, see: &mut impl FnMut(&'t Self)) {
        see(self);
        match self {
            Self::List(list) | Self::Endless(list) => list.iter().for_each(|one| one.visit(see)),
            Self::Map(pairs) => pairs.iter().for_each(|(key, value)| {
                key.visit(see);
                value.visit(see);
            }),
            Self::Wrapped(inner) | Self::Nested(_, inner) => inner.visit(see),
            _ => {}
        }
    }

    /// The value that is number `at` of those that `fit`, in the order of [`Tree::visit`].
    pub fn nth(&mut self, at: &mut usize, fit: &impl Fn(&Self) -> bool) -> Option<&mut Self> {
        if fit(self) {
            if *at == 0 {
                return Some(self);
            }
            *at -= 1;
        }
        match self {
            Self::List(list) | Self::Endless(list) => list.iter_mut().find_map(|one| one.nth(at, fit)),
            Self::Map(pairs) => pairs.iter_mut().find_map(|(key, value)| key.nth(at, fit).or_else(|| value.nth(at, fit))),
            Self::Wrapped(inner) | Self::Nested(_, inner) => inner.nth(at, fit),
            _ => None,
        }
    }

    /// The elements of a list.
    #[must_use]
    pub fn list(&self) -> &[Self] {
        if let Self::List(list) = self { list } else { &[] }
    }

    /// The number that it is.
    #[must_use]
    pub const fn number(&self) -> Option<u64> {
        if let Self::Uint(n) = self { Some(*n) } else { None }
    }

    /// The bytes that it holds.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Some(bytes.clone()),
            Self::Wrapped(inner) => Some(inner.cbor()),
            _ => None,
        }
    }

    /// Exactly so many bytes.
    #[must_use]
    pub fn array<const N: usize>(&self) -> Option<[u8; N]> {
        self.bytes()?.try_into().ok()
    }
}

fn head(out: &mut Vec<u8>, major: u8, n: u64) {
    let major = major << 5;
    match n {
        0..=23 => out.push(major | u8::try_from(n).unwrap_or(0)),
        24..=0xff => out.extend([major | 24, u8::try_from(n).unwrap_or(0)]),
        0x100..=0xffff => {
            out.push(major | 25);
            out.extend_from_slice(&u16::try_from(n).unwrap_or(0).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(major | 26);
            out.extend_from_slice(&u32::try_from(n).unwrap_or(0).to_be_bytes());
        }
        _ => {
            out.push(major | 27);
            out.extend_from_slice(&n.to_be_bytes());
        }
    }
}

fn string(out: &mut Vec<u8>, major: u8, bytes: &[u8]) {
    head(out, major, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn take<'b>(rest: &mut &'b [u8], n: u64) -> Option<&'b [u8]> {
    let (taken, after) = rest.split_at_checked(usize::try_from(n).ok()?)?;
    *rest = after;
    Some(taken)
}

fn read(rest: &mut &[u8], depth: usize) -> Option<Tree> {
    if depth > DEPTH {
        return None;
    }
    let first = *take(rest, 1)?.first()?;
    let n = match first & 31 {
        n @ 0..=23 => u64::from(n),
        n @ 24..=27 => take(rest, 1 << (n - 24))?.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)),
        _ => return None,
    };
    Some(match first >> 5 {
        0 => Tree::Uint(n),
        1 => Tree::Negative(n),
        2 => {
            let bytes = take(rest, n)?;
            // A list of at least two: shorter ones are found in noise.
            let inner = (bytes.len() > 2 && bytes.first()? >> 5 == 4).then(|| Tree::from_cbor(bytes)).flatten();
            match inner.filter(|inner| inner.list().len() > 1 && inner.cbor() == bytes) {
                Some(inner) => Tree::Wrapped(Box::new(inner)),
                None => Tree::Bytes(bytes.to_vec()),
            }
        }
        3 => Tree::Text(take(rest, n)?.to_vec()),
        4 => Tree::List((0..n).map(|_| read(rest, depth + 1)).collect::<Option<_>>()?),
        5 => Tree::Map((0..n).map(|_| Some((read(rest, depth + 1)?, read(rest, depth + 1)?))).collect::<Option<_>>()?),
        7 if first & 31 < 25 => Tree::Simple(u8::try_from(n).ok()?),
        _ => return None,
    })
}

fn of_json(value: Value) -> Tree {
    match value {
        Value::Null => NULL,
        Value::Bool(yes) => Tree::Simple(20 + u8::from(yes)),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(n), _) => Tree::Uint(n),
            (_, Some(n)) => Tree::Negative(n.unsigned_abs() - 1),
            _ => Tree::Raw(number.to_string().into_bytes()),
        },
        Value::String(text) => Tree::Text(text.into_bytes()),
        Value::Array(list) => Tree::List(list.into_iter().map(of_json).collect()),
        Value::Object(fields) => {
            Tree::Map(fields.into_iter().map(|(key, value)| (Tree::Text(key.into_bytes()), of_json(value))).collect())
        }
    }
}

fn joined<T>(out: &mut Vec<u8>, brackets: &[u8; 2], list: &[T], mut write: impl FnMut(&T, &mut Vec<u8>)) {
    let [open, close] = brackets;
    out.push(*open);
    for (at, one) in list.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(one, out);
    }
    out.push(*close);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_again() {
        let inner = Tree::List(vec![Tree::Uint(1), Tree::Text(b"x".to_vec())]);
        let tree = Tree::List(vec![
            Tree::Uint(1 << 40),
            Tree::Negative(300),
            Tree::Bytes(vec![7; 300]),
            Tree::Wrapped(Box::new(inner)),
            Tree::Map(vec![(Tree::Uint(0), NULL)]),
            Tree::Simple(21),
        ]);
        assert_eq!(Tree::from_cbor(&tree.cbor()), Some(tree));
        let json = br#"{"a":[1,-2,null,true,"x\n"]}"#;
        assert_eq!(Tree::from_json(json).map(|tree| tree.json()), Some(json.to_vec()));
        assert_eq!(Tree::from_cbor(&Tree::Nested(100_000, Box::new(NULL)).cbor()), None);
    }
}
