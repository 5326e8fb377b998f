//! What cuts leave of one branch of a chain: a step function over its places, from 1 on.
//!
//! Pure data. Which places a cut leaves is for `sync::cuts`, which has the log; what may stand there is the cut's own word.

use minicbor::{Decode, Encode};

use super::body::Role;

/// For each place of a branch, the highest role whose writing stands there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub(crate) struct Left(
    /// From this place on, ascending: `None`, nothing stands. Before the first step everything does.
    #[n(0)]
    Vec<(u64, Option<Role>)>,
);

/// Everything stands.
const ALL: Option<Role> = Some(Role::Founder);

impl Left {
    /// Does an entry at this place stand, if its kind needs `needed` to be written?
    #[must_use]
    pub(crate) fn stands(&self, seq: u64, needed: Role) -> bool {
        self.at(seq) >= Some(needed)
    }

    fn at(&self, seq: u64) -> Option<Role> {
        self.0.iter().take_while(|(from, _)| *from <= seq).last().map_or(ALL, |(_, level)| *level)
    }

    /// The same behind one cut more, which leaves `stretches` (first and last place of each); beyond them only what `keeps` may write.
    #[must_use]
    pub(crate) fn cut(&self, keeps: Option<Role>, stretches: &[(u64, u64)]) -> Self {
        let inside = |seq: u64| stretches.iter().any(|(from, to)| (*from..=*to).contains(&seq));
        let ends = stretches.iter().flat_map(|(from, to)| [*from, to.saturating_add(1)]);
        let mut starts: Vec<u64> = self.0.iter().map(|(from, _)| *from).chain(ends).chain([1]).collect();
        starts.sort_unstable();
        starts.dedup();
        let levels = starts.into_iter().map(|seq| (seq, if inside(seq) { self.at(seq) } else { self.at(seq).min(keeps) }));
        let mut steps: Vec<(u64, Option<Role>)> = Vec::new();
        for (from, level) in levels {
            if steps.last().map_or(ALL, |(_, last)| *last) != level {
                steps.push((from, level));
            }
        }
        Self(steps)
    }

    /// The stretches in which the two say different things; the last may be without end.
    #[must_use]
    pub(crate) fn differences(&self, other: &Self) -> Vec<(u64, u64)> {
        let mut starts: Vec<u64> = self.0.iter().chain(&other.0).map(|(from, _)| *from).collect();
        starts.sort_unstable();
        starts.dedup();
        let ends = starts.iter().skip(1).map(|next| next - 1).chain([u64::MAX]);
        let mut found: Vec<(u64, u64)> = Vec::new();
        for (from, to) in starts.iter().zip(ends).filter(|(from, _)| self.at(**from) != other.at(**from)) {
            match found.last_mut() {
                Some((_, last)) if *last + 1 == *from => *last = to,
                _ => found.push((*from, to)),
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_demotion_takes_what_is_above_and_a_removal_all() {
        let demoted = Left::default().cut(Some(Role::Member), &[(1, 3)]);
        assert!(demoted.stands(3, Role::Facilitator) && !demoted.stands(4, Role::Facilitator) && demoted.stands(4, Role::Member));
        let removed = demoted.cut(None, &[(2, 6)]);
        let seen: Vec<bool> = (1..=7).map(|seq| removed.stands(seq, Role::Member)).collect();
        assert_eq!(seen, [false, true, true, true, true, true, false]);
        assert!(!removed.stands(4, Role::Facilitator) && removed.stands(3, Role::Facilitator));
        assert_eq!(Left::default().differences(&removed), [(1, 1), (4, u64::MAX)]);
        assert_eq!(removed.differences(&removed.clone()), []);
        assert_eq!(Left::default().cut(None, &[]).differences(&Left::default()), [(1, u64::MAX)]);
    }

    /// What each keeps, and its stretches.
    type Cuts = Vec<(Option<Role>, Vec<(u64, u64)>)>;

    fn cuts() -> impl Strategy<Value = Cuts> {
        let keeps = prop_oneof![Just(None), Just(Some(Role::Guest)), Just(Some(Role::Member))];
        let stretch = (1..12u64, 0..6u64).prop_map(|(from, len)| (from, from + len));
        prop::collection::vec((keeps, prop::collection::vec(stretch, 0..4)), 0..5)
    }

    fn all(cuts: &Cuts) -> Left {
        cuts.iter().fold(Left::default(), |left, (keeps, stretches)| left.cut(*keeps, stretches))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn steps_say_what_each_cut_says(one in cuts(), two in cuts()) {
            let (left, other) = (all(&one), all(&two));
            let differs = left.differences(&other);
            let mut turned = one.clone();
            turned.reverse();
            prop_assert_eq!(&all(&turned), &left);
            for seq in 1..24 {
                for needed in [Role::Guest, Role::Member, Role::Facilitator] {
                    let inside = |stretches: &[(u64, u64)]| stretches.iter().any(|(from, to)| (*from..=*to).contains(&seq));
                    let stands = one.iter().all(|(keeps, stretches)| inside(stretches) || *keeps >= Some(needed));
                    prop_assert_eq!(left.stands(seq, needed), stands);
                    if other.stands(seq, needed) != stands {
                        prop_assert!(inside(&differs));
                    }
                }
            }
        }
    }
}
