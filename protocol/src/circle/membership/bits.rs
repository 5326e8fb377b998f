//! Sets of small numbers (acts, keys) as bit words, so that "is this act in that past" costs a shift.

/// A growing set of indices.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits {
    words: Vec<u64>,
}

impl Bits {
    pub(super) const fn new() -> Self {
        Self { words: Vec::new() }
    }

    /// Is `i` in the set?
    pub(super) fn get(&self, i: usize) -> bool {
        self.words.get(i / 64).is_some_and(|word| (word >> (i % 64)) & 1 == 1)
    }

    /// Puts `i` in.
    pub(super) fn set(&mut self, i: usize) {
        if self.words.len() <= i / 64 {
            self.words.resize(i / 64 + 1, 0);
        }
        if let Some(word) = self.words.get_mut(i / 64) {
            *word |= 1 << (i % 64);
        }
    }

    /// Takes `i` out.
    pub(super) fn unset(&mut self, i: usize) {
        if let Some(word) = self.words.get_mut(i / 64) {
            *word &= !(1 << (i % 64));
        }
    }

    /// Everything of `other` too.
    pub(super) fn join(&mut self, other: &Self) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (mine, theirs) in self.words.iter_mut().zip(&other.words) {
            *mine |= theirs;
        }
    }

    /// This and everything of `other`.
    pub(super) fn union(&self, other: &Self) -> Self {
        let mut all = self.clone();
        all.join(other);
        all
    }

    /// Is anything in both?
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).any(|(mine, theirs)| mine & theirs != 0)
    }

    /// This without what is in `other`.
    pub(super) fn minus(&self, other: &Self) -> Self {
        let rest = self.words.iter().enumerate().map(|(n, word)| word & !other.words.get(n).copied().unwrap_or(0));
        Self { words: rest.collect() }
    }

    /// Is all of this in `other`?
    pub(super) fn within(&self, other: &Self) -> bool {
        self.words.iter().enumerate().all(|(n, word)| word & !other.words.get(n).copied().unwrap_or(0) == 0)
    }

    /// What of this is not in `other`, ascending.
    pub(super) fn beyond(&self, other: &Self) -> Vec<usize> {
        let mut out = Vec::new();
        for (n, word) in self.words.iter().enumerate() {
            let mut rest = word & !other.words.get(n).copied().unwrap_or(0);
            while rest != 0 {
                out.push(n * 64 + rest.trailing_zeros() as usize);
                rest &= rest - 1;
            }
        }
        out
    }

    /// All of it, ascending.
    pub(super) fn list(&self) -> Vec<usize> {
        self.beyond(&Self::default())
    }

    /// How many.
    pub(super) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_behave_like_sets() {
        let (mut a, mut b) = (Bits::default(), Bits::default());
        for i in [0, 63, 64, 700] {
            a.set(i);
        }
        b.set(64);
        assert!(b.within(&a) && !a.within(&b));
        assert_eq!(a.beyond(&b), [0, 63, 700]);
        b.join(&a);
        b.unset(700);
        assert_eq!((b.count(), b.list()), (3, vec![0, 63, 64]));
        assert!(a.get(700) && !b.get(700) && !a.get(9_999));
    }
}
