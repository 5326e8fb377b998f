//! What the rest of the program asks a circle of its acts, keys and records, and of this machine's own part in it.

use std::collections::BTreeSet;

use super::{CircleRow, CircleState, EpochMeta, OwnStanding};
use crate::circle::act::Farewell;
use crate::circle::body::ChainId;
use crate::circle::epoch::Ring;
use crate::circle::membership::{Cut, Membership};
use crate::circle::record::Record;
use crate::crypto::{DeviceKeys, Key, SigningKey, Suite};
use crate::id::{ActId, CircleId, DeviceId, EpochId, PersonId};
use crate::time::Millis;

impl CircleState {
    /// Its id.
    #[must_use]
    pub(crate) const fn id(&self) -> CircleId {
        self.id
    }

    // ---- this machine's own part -------------------------------------------------------------------------------------

    /// What only this machine knows of it.
    #[must_use]
    pub(crate) const fn own(&self) -> &CircleRow {
        &self.row
    }

    /// How this member stands to it.
    #[must_use]
    pub(crate) const fn standing(&self) -> OwnStanding {
        self.row.standing()
    }

    /// Is this member in?
    #[must_use]
    pub(crate) fn is_in(&self) -> bool {
        self.standing() == OwnStanding::In
    }

    /// Do the others still have to hear from this member, who is in or has a leave to tell?
    #[must_use]
    pub(crate) fn is_in_touch(&self) -> bool {
        matches!(self.standing(), OwnStanding::In | OwnStanding::Leaving)
    }

    /// What this device signs with here.
    #[must_use]
    pub(crate) const fn signer(&self) -> &SigningKey {
        &self.row.secrets().sign
    }

    /// Is it one of the chains that this device writes now?
    #[must_use]
    pub(crate) fn writes(&self, chain: &ChainId) -> bool {
        (self.device(), self.row.incarnation()) == (chain.device, chain.incarnation)
    }

    /// What this device shares with another, so that the two recognize each other.
    #[must_use]
    pub(crate) fn shared_with(&self, device: &DeviceId) -> Option<Key> {
        self.row.secrets().hello.agree(&self.keys_of(device)?.hello)
    }

    // ---- acts --------------------------------------------------------------------------------------------------------

    /// Every judged act in the order of acceptance: parents first.
    #[must_use]
    pub(crate) fn judged(&self) -> &[ActId] {
        self.acts.judged()
    }

    /// Acts that are kept and cannot be judged here: parents first.
    #[must_use]
    pub(crate) fn unread(&self) -> &[ActId] {
        self.acts.unread().ids()
    }

    /// How many acts are judged, and how many are kept unread.
    #[must_use]
    pub(crate) fn count_kept(&self) -> (usize, usize) {
        (self.judged().len(), self.unread().len())
    }

    /// The acts that came since there were that many.
    pub(crate) fn kept_since(&self, (judged, unread): (usize, usize)) -> impl Iterator<Item = ActId> {
        self.judged().iter().skip(judged).chain(self.unread().iter().skip(unread)).copied()
    }

    /// Is the act here, judged or not?
    #[must_use]
    pub(crate) fn has_act(&self, id: &ActId) -> bool {
        self.acts.has(id)
    }

    /// What an act that is here rests on.
    #[must_use]
    pub(crate) fn parents_of(&self, id: &ActId) -> &[ActId] {
        self.acts.parents_of(id)
    }

    /// Acts that no other act names as parent, judged or not.
    #[must_use]
    pub(crate) const fn tips(&self) -> &BTreeSet<ActId> {
        self.acts.tips()
    }

    /// Bytes of all acts that are here.
    #[must_use]
    pub(crate) const fn weight(&self) -> usize {
        self.acts.weight()
    }

    /// What the acts mean.
    #[must_use]
    pub(crate) const fn membership(&self) -> &Membership {
        self.acts.membership()
    }

    /// The content cuts that the items' rows know of.
    #[must_use]
    pub(crate) fn noted_cuts(&self) -> &[Cut] {
        &self.cuts
    }

    // ---- keys --------------------------------------------------------------------------------------------------------

    /// The keys held, which open entries.
    #[must_use]
    pub(crate) const fn ring(&self) -> &Ring {
        self.keys.ring()
    }

    /// The key of an epoch that opens acts and records, if it is held.
    #[must_use]
    pub(crate) fn roster_key(&self, epoch: &EpochId) -> Option<&Key> {
        self.keys.roster(epoch)
    }

    /// An epoch as its acts tell it.
    #[must_use]
    pub(crate) fn epoch(&self, id: &EpochId) -> Option<&EpochMeta> {
        self.keys.epoch(id)
    }

    /// The epoch that an act carries.
    #[must_use]
    pub(crate) fn epoch_of(&self, act: &ActId) -> Option<&EpochId> {
        self.keys.epoch_of(act)
    }

    /// How many epochs are known whose keys are not here.
    #[must_use]
    pub(crate) fn count_lacking(&self) -> usize {
        self.keys.count_lacking()
    }

    /// The suite of everybody's boxes here.
    #[must_use]
    pub(crate) const fn suite(&self) -> Suite {
        self.suite
    }

    // ---- records -----------------------------------------------------------------------------------------------------

    /// The newest record of a device.
    #[must_use]
    pub(crate) fn record_of(&self, device: &DeviceId) -> Option<&Record> {
        self.records.of(device)
    }

    /// The newest record of every device that ever had one.
    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.all()
    }

    /// The newest record of every device that is in.
    pub(crate) fn current_records(&self) -> impl Iterator<Item = &Record> {
        let state = self.now();
        self.records().filter(move |record| state.is_current(&record.device))
    }

    /// The public keys of a device that an act ever introduced.
    #[must_use]
    pub(crate) fn keys_of(&self, device: &DeviceId) -> Option<&DeviceKeys> {
        self.records.keys_of(device)
    }

    /// Farewells of a removed person, and when they were signed, in the order in which they came.
    #[must_use]
    pub(crate) fn farewells_of(&self, person: &PersonId) -> &[(Farewell, Millis)] {
        self.records.farewells_of(person)
    }
}
