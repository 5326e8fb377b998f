//! What a node holds in memory of its circles and joins, in short, for tests that compare it with what the store says. Leaves out
//! what a crash may forget, and what depends on the order of arrival.

use std::collections::BTreeMap;
use std::fmt::Debug;

use super::Node;
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
            circle.parts(&mut part);
            part("chains", &self.state.circles.heads_of(id).all().collect::<Vec<_>>());
        }
        for (id, join) in &self.state.peers.joins {
            parts.insert(format!("join of {id}"), blake3::hash(&codec::encode(join)).to_hex().to_string());
        }
        parts
    }
}
