//! Epochs: three random keys of a circle, in force from one act on.
//!
//! Owns the keys, the commitments that bind an epoch's id to them, the links from an epoch to its parents' keys, boxes (the
//! keys one device is entitled to, sealed to it) and the rows of [`crate::store::Table::Epoch`]. Must never decide who is
//! entitled to what, nor hand out a key that does not match its commitment.

mod boxes;
mod ring;

pub use boxes::{BoxKeys, pack, unpack};
pub use ring::{EpochRow, Ring, get_epoch, put_epoch};

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use super::body::{Commitment, History, KeyClass, NewEpoch, SealedLink};
use crate::crypto::{Key, derive, hash, seal};
use crate::id::{CircleId, EpochId};
use crate::limits;

/// The keys of one epoch, as far as this device may have them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct EpochKeys {
    /// Acts and records.
    #[n(0)]
    pub roster: Key,
    /// What a newcomer is meant to find.
    #[n(1)]
    pub library: Key,
    /// What was said. `None`: from before their time, or destroyed.
    #[n(2)]
    pub talk: Option<Key>,
}

impl EpochKeys {
    /// Three new keys.
    #[must_use]
    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        Self { roster: Key::random(rng), library: Key::random(rng), talk: Some(Key::random(rng)) }
    }

    /// The key of a class, if held.
    #[must_use]
    pub const fn class(&self, class: KeyClass) -> Option<&Key> {
        match class {
            KeyClass::Roster => Some(&self.roster),
            KeyClass::Library => Some(&self.library),
            KeyClass::Talk => self.talk.as_ref(),
        }
    }
}

/// Where the keys of a circle's epochs are found.
pub trait KeyRing {
    /// The keys held of an epoch.
    fn epoch(&self, id: &EpochId) -> Option<&EpochKeys>;
}

/// A new epoch and its keys. `parents`: the epochs it supersedes, with their keys.
#[must_use]
pub fn new_epoch(rng: &mut dyn CryptoRng, parents: &[(EpochId, &EpochKeys)], history: History) -> (NewEpoch, EpochKeys) {
    let keys = EpochKeys::random(rng);
    let commitments = commitments(&keys);
    let mut parents = parents.to_vec();
    parents.sort_by_key(|(id, _)| *id);
    parents.dedup_by_key(|(id, _)| *id);
    let links = parents.iter().map(|(id, old)| {
        let plain = [*old.roster.as_bytes(), *old.library.as_bytes()].concat();
        SealedLink(seal(&link_key(&keys.roster), rng, &link_place(&commitments, id), &plain))
    });
    let links = links.collect();
    let parents = parents.iter().map(|(id, _)| *id).collect();
    (NewEpoch { commitments, parents, history, links }, keys)
}

/// The id of an epoch: a hash of its circle and commitments, so that nobody can be handed other keys under one id.
#[must_use]
pub fn epoch_id(circle: &CircleId, epoch: &NewEpoch) -> EpochId {
    let [roster, library, talk] = &epoch.commitments;
    EpochId(hash("kith/v1/epoch", &[&circle.0, &roster.0, &library.0, &talk.0]))
}

/// Are parents ascending and unique, and is there one link of the right size for each?
#[must_use]
pub(crate) fn well_formed(epoch: &NewEpoch) -> bool {
    epoch.parents.len() <= limits::HEADS
        && epoch.parents.len() == epoch.links.len()
        && epoch.parents.is_sorted_by(|a, b| a < b)
        && epoch.links.iter().all(|link| link.0.len() == LINK_BYTES)
}

/// The commitment to a key. It does not name the circle, whose id is a hash over the genesis and so over the first commitments.
#[must_use]
pub fn commitment(class: KeyClass, key: &Key) -> Commitment {
    let class: &[u8] = match class {
        KeyClass::Roster => b"roster",
        KeyClass::Library => b"library",
        KeyClass::Talk => b"talk",
    };
    Commitment(hash("kith/v1/commitment", &[class, key.as_bytes()]))
}

/// Are these the keys that an epoch committed to? A missing talk key is no objection.
#[must_use]
pub fn check(commitments: &[Commitment; 3], keys: &EpochKeys) -> bool {
    let [roster, library, talk] = commitments;
    commitment(KeyClass::Roster, &keys.roster) == *roster
        && commitment(KeyClass::Library, &keys.library) == *library
        && keys.talk.as_ref().is_none_or(|key| commitment(KeyClass::Talk, key) == *talk)
}

/// Nonce, two keys, tag.
const LINK_BYTES: usize = 24 + 64 + 16;

fn commitments(keys: &EpochKeys) -> [Commitment; 3] {
    let talk = keys.talk.as_ref().map_or(Commitment([0; 32]), |key| commitment(KeyClass::Talk, key));
    [commitment(KeyClass::Roster, &keys.roster), commitment(KeyClass::Library, &keys.library), talk]
}

fn link_key(roster: &Key) -> Key {
    derive("kith/v1/epoch-link", roster, &[])
}

fn link_place(commitments: &[Commitment; 3], parent: &EpochId) -> Vec<u8> {
    let [roster, library, talk] = commitments;
    [roster.0, library.0, talk.0, parent.0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{Seeded, open};

    /// The roster and library keys of an epoch's parents, in the order of its parents; `None` where a link does not open.
    /// The caller checks them against the parents' own commitments.
    fn open_links(epoch: &NewEpoch, roster: &Key) -> Option<Vec<(EpochId, EpochKeys)>> {
        if !well_formed(epoch) {
            return None;
        }
        let key = link_key(roster);
        let open_one = |(id, link): (&EpochId, &SealedLink)| {
            let plain = open(&key, &link_place(&epoch.commitments, id), &link.0)?;
            let (roster, library) = plain.split_first_chunk::<32>()?;
            let library: &[u8; 32] = library.try_into().ok()?;
            let keys = EpochKeys { roster: Key::from_bytes(*roster), library: Key::from_bytes(*library), talk: None };
            Some((*id, keys))
        };
        epoch.parents.iter().zip(&epoch.links).map(open_one).collect()
    }

    #[test]
    fn links_lead_to_the_parents_keys_but_never_to_talk() {
        let mut rng = Seeded::new(11);
        let circle = CircleId([1; 32]);
        let (first, first_keys) = new_epoch(&mut rng, &[], History::All);
        let (second, second_keys) = new_epoch(&mut rng, &[], History::All);
        let parents = [(epoch_id(&circle, &first), &first_keys), (epoch_id(&circle, &second), &second_keys)];
        let (third, third_keys) = new_epoch(&mut rng, &parents, History::SinceJoin);
        assert!(well_formed(&third));
        let opened = open_links(&third, &third_keys.roster).expect("opens");
        assert_eq!(opened.len(), 2);
        for (id, keys) in opened {
            let (old, old_keys) = if id == parents[0].0 { (&first, &first_keys) } else { (&second, &second_keys) };
            assert!(check(&old.commitments, &keys));
            assert_eq!((&keys.roster, &keys.library, keys.talk), (&old_keys.roster, &old_keys.library, None));
        }
        assert!(open_links(&third, &first_keys.roster).is_none());
        let swapped = NewEpoch { links: third.links.iter().rev().cloned().collect(), ..third };
        assert!(open_links(&swapped, &third_keys.roster).is_none());
    }

    #[test]
    fn an_id_names_its_keys_and_its_circle() {
        let mut rng = Seeded::new(12);
        let (epoch, keys) = new_epoch(&mut rng, &[], History::All);
        assert_ne!(epoch_id(&CircleId([1; 32]), &epoch), epoch_id(&CircleId([2; 32]), &epoch));
        assert!(check(&epoch.commitments, &keys));
        assert!(check(&epoch.commitments, &EpochKeys { talk: None, ..keys.clone() }));
        assert!(!check(&epoch.commitments, &EpochKeys { talk: Some(keys.library.clone()), ..keys.clone() }));
        assert!(!check(&epoch.commitments, &EpochKeys { roster: keys.library.clone(), ..keys }));
    }
}
