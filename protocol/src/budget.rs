//! How much may still be done for the input at hand. What is left over is done in later turns, so that nobody waits for it.

use crate::limits;

/// What is left for one input. Spent by what opens, joins or rewrites blocks because somebody else asked.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    blocks: usize,
    looks: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { blocks: limits::TURN_BLOCKS, looks: limits::TURN_LOOKS }
    }
}

impl Budget {
    /// For callers that wait for all of it.
    pub const ENDLESS: Self = Self { blocks: usize::MAX, looks: usize::MAX };

    /// May one more block be opened, or rewritten?
    pub fn block(&mut self) -> bool {
        take(&mut self.blocks)
    }

    /// May one more stored block be looked at, without being opened? As much as eight single entries opened.
    pub fn look(&mut self) -> bool {
        take(&mut self.looks)
    }

    /// Is there nothing left to open a block with, or to look for one?
    #[must_use]
    pub const fn spent(&self) -> bool {
        self.blocks == 0 || self.looks == 0
    }
}

fn take(left: &mut usize) -> bool {
    let some = *left > 0;
    *left = left.saturating_sub(1);
    some
}
