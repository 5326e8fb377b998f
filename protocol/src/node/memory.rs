//! What a node holds in memory of its circles and joins, in short, for tests that compare it with what the store says. Leaves out
//! what a crash may forget, and what depends on the order of arrival.

use std::collections::BTreeMap;
use std::fmt::Debug;

use super::Node;
use crate::circle::epoch::KeyRing;
use crate::codec;

impl Node {
    /// Each part of it by name, as a hash.
    #[must_use]
    pub fn memory(&self) -> BTreeMap<String, String> {
        let mut parts = BTreeMap::new();
        for (id, circle) in &self.state.circles.all {
            let mut part = |name: &str, what: &dyn Debug| {
                parts.insert(format!("{name} of {id}"), blake3::hash(format!("{what:?}").as_bytes()).to_hex().to_string());
            };
            part("what only this machine knows", &codec::encode(&circle.row));
            part("acts", &circle.parents);
            part("heads", &circle.tips);
            part("standing", &circle.now());
            part("devices", &circle.keys.keys().collect::<Vec<_>>());
            part("farewells", &circle.farewells.keys().collect::<Vec<_>>());
            part("chains", &self.state.circles.heads_of(id).all().collect::<Vec<_>>());
            part("records", &circle.records.values().map(|record| &record.bytes).collect::<Vec<_>>());
            part("epochs", &(&circle.epochs, &circle.carried));
            let keys = |id| circle.ring.epoch(id).map(|keys| [Some(&keys.roster), Some(&keys.library), keys.talk.as_ref()]);
            let hold = |id| keys(id).map(|keys| keys.map(|key| key.map(|key| *key.as_bytes())));
            part(
                "keys",
                &circle.ring.iter().map(|(id, row)| (id, hold(id), row.act, row.held_at, row.superseded_at)).collect::<Vec<_>>(),
            );
        }
        for (id, join) in &self.state.peers.joins {
            parts.insert(format!("join of {id}"), blake3::hash(&codec::encode(join)).to_hex().to_string());
        }
        parts
    }
}
