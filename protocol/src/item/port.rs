//! What the item room asks of others, and nothing else of them.

use crate::circle::body::Role;
use crate::circle::epoch::Ring;
use crate::circle::membership::Status;
use crate::circle::state::CircleState;
use crate::circle::summary::Summary;
use crate::id::{DeviceId, PersonId};
use crate::log::chain;
use crate::log::entry::{EntryAt, Opened, Said};
use crate::store::{Read, StoreError};
use crate::time::Millis;

/// Opens stored entries.
pub trait Source {
    /// The entry at a place, or nothing where it is not (or no longer) stored or its key is not held.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    fn load(&self, read: &dyn Read, at: EntryAt) -> Result<Option<Opened>, StoreError>;

    /// Several at once, asked for in ascending order, so that a block is opened once; those that are not here are left out.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    fn load_many(&self, read: &dyn Read, at: &[EntryAt]) -> Result<Vec<Opened>, StoreError>;

    /// What several entries say, in ascending order: all that lists need, and cheaper.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    fn skim(&self, read: &dyn Read, at: &[EntryAt]) -> Result<Vec<Said>, StoreError> {
        Ok(self.load_many(read, at)?.into_iter().map(Said::from).collect())
    }
}

impl Source for Ring {
    fn load(&self, read: &dyn Read, at: EntryAt) -> Result<Option<Opened>, StoreError> {
        chain::load(read, self, at)
    }

    fn load_many(&self, read: &dyn Read, at: &[EntryAt]) -> Result<Vec<Opened>, StoreError> {
        chain::load_many(read, self, at)
    }
}

/// The people of one circle.
pub trait People {
    /// Who the reader is.
    fn me(&self) -> PersonId;
    /// Whose device that is, or was.
    fn person(&self, device: &DeviceId) -> Option<PersonId>;
    /// Their name, where they have published one.
    fn name(&self, person: &PersonId) -> Option<String>;
    /// Are they in the circle, or waiting to be confirmed?
    fn is_in(&self, person: &PersonId) -> bool;
    /// Does somebody else bear a name that looks like theirs?
    fn alike(&self, person: &PersonId) -> bool;
}

impl People for CircleState {
    fn me(&self) -> PersonId {
        self.me().unwrap_or(PersonId([0; 32]))
    }

    fn person(&self, device: &DeviceId) -> Option<PersonId> {
        self.now().person_of(device)
    }

    fn name(&self, person: &PersonId) -> Option<String> {
        Some(self.name_of(person))
    }

    fn is_in(&self, person: &PersonId) -> bool {
        self.now().people.get(person).is_some_and(|known| matches!(known.status, Status::Current | Status::Suspended))
    }

    fn alike(&self, _: &PersonId) -> bool {
        // Here entries are settled; names are shown from the summary.
        false
    }
}

impl People for Summary {
    fn me(&self) -> PersonId {
        self.me.unwrap_or(PersonId([0; 32]))
    }

    fn person(&self, device: &DeviceId) -> Option<PersonId> {
        self.people.iter().find(|p| p.devices.iter().any(|own| own.id == *device)).map(|p| p.id)
    }

    fn name(&self, person: &PersonId) -> Option<String> {
        self.row_of(person).map(|p| p.name.0.clone())
    }

    fn is_in(&self, person: &PersonId) -> bool {
        self.row_of(person).is_some_and(|row| matches!(row.status, Status::Current | Status::Suspended))
    }

    fn alike(&self, person: &PersonId) -> bool {
        self.row_of(person).is_some_and(|row| row.alike)
    }
}

/// How far own entries have travelled.
pub trait DeliveryCounts {
    /// On how many of how many other current devices an entry of one's own is known to be.
    fn of(&self, at: EntryAt) -> Option<(u32, u32)>;
}

/// Who wrote an entry, as membership judges it.
#[derive(Clone, Copy, Debug)]
pub struct Writer {
    /// Who.
    pub person: PersonId,
    /// Can membership be judged at the entry's own heads? Else they rest on an act that only a newer program knows.
    pub judged: bool,
    /// Their role at the entry's own membership heads; none: they were no member there.
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
