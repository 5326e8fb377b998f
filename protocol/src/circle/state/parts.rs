//! What a circle in memory is made of, for tests that compare it with what the store says.

use std::fmt::Debug;

use super::CircleState;
use crate::codec;

impl CircleState {
    /// Tells each part of it by name, but not what depends on the order of arrival.
    pub(crate) fn parts(&self, part: &mut dyn FnMut(&str, &dyn Debug)) {
        part("what only this machine knows", &codec::encode(&self.row));
        self.acts.parts(part);
        self.keys.parts(part);
        self.records.parts(part);
    }
}
