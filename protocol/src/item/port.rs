//! What the item room asks of others, and nothing else of them.

use crate::circle::body::{ChainId, KeyClass, Retention, Role};
use crate::id::{CircleId, DeviceId, EntryId, ItemId, PersonId};
use crate::store::{Read, StoreError};
use crate::time::Millis;

/// Stand-in until the log room is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, minicbor::Encode, minicbor::Decode)]
#[cbor(array)]
pub struct EntryAt {
    /// Local chain number.
    #[n(0)]
    pub chain: u32,
    /// Place in it.
    #[n(1)]
    pub seq: u64,
}

/// Stand-in until the log room is there.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// Key class.
    pub class: KeyClass,
    /// Kind.
    pub kind: u8,
    /// Item.
    pub item: ItemId,
    /// Retention.
    pub retention: Retention,
    /// Payload.
    pub payload: Vec<u8>,
}

/// Stand-in until the log room is there.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Id.
    pub id: EntryId,
    /// Where it is stored.
    pub at: EntryAt,
    /// Chain.
    pub chain: ChainId,
    /// Circle.
    pub circle: CircleId,
    /// Kind.
    pub kind: u8,
    /// Item.
    pub item: ItemId,
    /// Retention.
    pub retention: Retention,
    /// Payload; none where destroyed.
    pub payload: Option<Vec<u8>>,
}

/// Opens stored entries.
pub trait Source {
    /// The entry at a place, or nothing where it is not (or no longer) stored or its key is not held.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    fn load(&self, read: &dyn Read, at: EntryAt) -> Result<Option<Opened>, StoreError>;

    /// Several at once, ascending by place; a block is then opened once.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    fn load_many(&self, read: &dyn Read, at: &[EntryAt]) -> Result<Vec<Option<Opened>>, StoreError> {
        at.iter().map(|at| self.load(read, *at)).collect()
    }
}

/// The people of one circle.
pub trait People {
    /// Who the reader is.
    fn me(&self) -> PersonId;
    /// Whose device that is, or was.
    fn person(&self, device: &DeviceId) -> Option<PersonId>;
    /// Her name, where she has published one.
    fn name(&self, person: &PersonId) -> Option<String>;
}

/// How far own entries have travelled.
pub trait Delivery {
    /// On how many of how many other current devices an entry of one's own is known to be.
    fn of(&self, at: EntryAt) -> Option<(u32, u32)>;
}

/// Who wrote an entry, as membership judges it.
#[derive(Clone, Copy, Debug)]
pub struct Writer {
    /// Who.
    pub person: PersonId,
    /// Her role at the entry's own membership heads; none: she was no member there.
    pub role: Option<Role>,
    /// Is it the member of this machine?
    pub me: bool,
    /// Is the entry within every cut in effect? Else it is held.
    pub standing: bool,
}

/// What [`super::apply()`] reads through, for one circle.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    /// Opens entries.
    pub source: &'a dyn Source,
    /// Names people.
    pub people: &'a dyn People,
    /// The clock.
    pub now: Millis,
}

impl std::fmt::Debug for Ports<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").field("now", &self.now).finish_non_exhaustive()
    }
}
