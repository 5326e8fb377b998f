//! Where a circle's derived rows stand, and of which version they are. What they say: [`super::summary`], [`super::overview`].

use minicbor::Decode;

use crate::codec;
use crate::id::CircleId;
use crate::store::{self, Read, StoreError, Table};

/// The version of all of these rows together. Rows of another version are made again when a store is opened.
pub(super) const VERSION: u8 = 5;

/// The first byte of a key says what the row tells of; the circle's id follows. Its people,
pub(super) const PEOPLE: u8 = b'p';
/// what a list of circles shows of it,
pub(super) const CIRCLE: u8 = b'c';
/// and its invites.
pub(super) const INVITES: u8 = b'i';

pub(super) fn key(kind: u8, circle: &CircleId) -> Vec<u8> {
    [&[kind], &circle.0[..]].concat()
}

/// A circle's row of a kind.
pub(super) fn get<T: for<'b> Decode<'b, ()>>(read: &dyn Read, kind: u8, circle: &CircleId) -> Result<Option<T>, StoreError> {
    read.get(Table::Member, &key(kind, circle))?.map(|bytes| row(&bytes)).transpose()
}

/// All rows of a kind.
pub(super) fn all<T: for<'b> Decode<'b, ()>>(read: &dyn Read, kind: u8) -> Result<Vec<T>, StoreError> {
    store::all(read, Table::Member, &[kind])?.iter().map(|(_, bytes)| row(bytes)).collect()
}

/// Did this version of the program write it?
pub(super) fn is_of_this_version(key: &[u8], value: &[u8]) -> bool {
    let kind = key.first().is_some_and(|kind| [PEOPLE, CIRCLE, INVITES].contains(kind));
    kind && key.len() == 1 + size_of::<CircleId>() && codec::check_version(value, u64::from(VERSION), "derived row").is_ok()
}

/// Only this program writes these rows, so their encoding is not looked at.
fn row<T: for<'b> Decode<'b, ()>>(bytes: &[u8]) -> Result<T, StoreError> {
    let known = codec::check_version(bytes, u64::from(VERSION), "derived row");
    known.map_err(|error| StoreError::Corrupt(format!("a circle's derived row: {error}")))?;
    minicbor::decode(bytes).map_err(|_| StoreError::Corrupt("a circle's derived row".to_owned()))
}
