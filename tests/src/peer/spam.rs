//! Acts by the thousand, each signed and sealed as it should be.

use kith_protocol::circle::act::{ActBody, ActPlace, write_act};
use kith_protocol::circle::body::{History, Role, Statement};
use kith_protocol::circle::epoch::new_epoch;
use kith_protocol::crypto::{Real, Seeded};
use kith_protocol::id::{ActId, DeviceId};

use super::Peer;
use super::forge::from_now;
use super::member::{fresh_seed, now};

impl Peer {
    /// So many new sets of keys that nobody needs: the first half beside each other, the second one after the other.
    ///
    /// # Panics
    /// Where one cannot be written.
    #[must_use]
    pub fn rotations(&self, count: usize) -> Vec<Vec<u8>> {
        let (epoch, keys) = self.newest_epoch(&self.circle());
        let mut random = Seeded::new(fresh_seed());
        let body = move |_| {
            let (new, _) = new_epoch(&mut random, &[(epoch, &keys)], History::All);
            ActBody { at: now(), statement: Statement::Rotate, epoch: Some(new) }
        };
        self.many(count, |n| n * 2 < count, body)
    }

    /// So many acts, each of which knows all before it: invites, as a steward may make them.
    ///
    /// # Panics
    /// Where one cannot be written.
    #[must_use]
    pub fn deep(&self, count: usize) -> Vec<Vec<u8>> {
        let expires = from_now(60_000);
        let body = |n: usize| {
            let key = DeviceId(*blake3::hash(&n.to_be_bytes()).as_bytes());
            ActBody { at: now(), statement: Statement::Invite { role: Role::Member, uses: 1, key, expires }, epoch: None }
        };
        self.many(count, |_| false, body)
    }

    /// So many acts; `beside`: is this one written beside the one before, knowing what the first one knows?
    fn many(&self, count: usize, beside: impl Fn(usize) -> bool, mut body: impl FnMut(usize) -> ActBody) -> Vec<Vec<u8>> {
        let circle = self.circle();
        let (signer, tips, (epoch, keys)) = (self.signing_key(&circle), self.tips(&circle), self.newest_epoch(&circle));
        let (mut random, mut last): (_, Option<ActId>) = (Seeded::new(fresh_seed()), None);
        let act = |n| {
            let parents = last.filter(|_| !beside(n)).map_or_else(|| tips.clone(), |last| vec![last]);
            let place = ActPlace::In { circle, parents, epoch, roster: &keys.roster };
            let act = write_act(&Real, &mut random, &signer, place, &body(n)).expect("an act is written");
            last = Some(act.id());
            act.bytes().to_vec()
        };
        (0..count).map(act).collect()
    }

    /// How many acts of its circle it has.
    ///
    /// # Panics
    /// Where the store in memory fails.
    #[must_use]
    pub fn acts_known(&self) -> usize {
        let circle = self.circle();
        kith_protocol::circle::act::acts(&self.lock().store, &circle).expect("memory does not fail").len()
    }
}
