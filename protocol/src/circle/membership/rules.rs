//! One name for each rule that an attacker would like to see gone. Production code follows all of them, always; with the
//! feature `switches` (tests only) each can be turned off, to prove that a test notices.

#[cfg(feature = "switches")]
use crate::planted::{Bug, planted};

/// A rule of the model that can be switched off in tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// R4: downs cut acts.
    Cut,
    /// D-8: demotions cut what the lower role may not write.
    DemotionCuts,
    /// R5: founder's and quorum's removals always apply.
    HighStand,
    /// D-6: so do their demotions.
    DemotionsStand,
    /// D-10: an act falls with what its author's authority rests on.
    Grounding,
    /// D-5: a quorum act falls with its votes.
    VotesFall,
    /// D-9: a late down counts as before anyone who knew the cut.
    LateYields,
    /// D-7: late downs cut nothing.
    LateCutsNothing,
    /// R6: removal beats a concurrent add.
    RemovalBeatsAdd,
    /// R8: of concurrent settings the least.
    LeastPrivilege,
    /// R5: one vote a person.
    OneVote,
    /// D-4: votes know the person's present membership.
    FreshVotes,
    /// D-4: all enactments of a proposal are one.
    OneMotion,
    /// D-17: an invite's uses are counted.
    SingleUse,
    /// D-17: closing an invite beats a concurrent admission.
    UninviteWins,
    /// D-20: what spoils an admission makes epochs unusable.
    SuspensionRekeys,
    /// D-3: a majority is of all the other stewards.
    QuorumNeedsOthers,
    /// D-15: identity acts cut what their keys wrote.
    DeviceCut,
    /// A person's id follows from their first device.
    DerivedIds,
}

impl Rule {
    /// The rules that the reference model also switches, by its names.
    pub const MODEL: [(Self, &'static str); 18] = [
        (Self::Cut, "cut"),
        (Self::DemotionCuts, "demotion_cuts"),
        (Self::HighStand, "high_stand"),
        (Self::DemotionsStand, "demotions_stand"),
        (Self::Grounding, "grounding"),
        (Self::VotesFall, "votes_fall"),
        (Self::LateYields, "late_yields"),
        (Self::LateCutsNothing, "late_cuts_nothing"),
        (Self::RemovalBeatsAdd, "removal_beats_add"),
        (Self::LeastPrivilege, "least_privilege"),
        (Self::OneVote, "one_vote"),
        (Self::FreshVotes, "fresh_votes"),
        (Self::OneMotion, "one_motion"),
        (Self::SingleUse, "single_use"),
        (Self::UninviteWins, "uninvite_wins"),
        (Self::SuspensionRekeys, "suspension_rekeys"),
        (Self::QuorumNeedsOthers, "quorum_needs_others"),
        (Self::DeviceCut, "device_cut"),
    ];
}

/// Which rules hold: all of them, except where a test says otherwise.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    #[cfg(feature = "switches")]
    pub(super) off: Vec<Rule>,
}

impl Rules {
    /// All of them.
    pub(super) const EVERY: Self = Self {
        #[cfg(feature = "switches")]
        off: Vec::new(),
    };

    /// Does `rule` hold?
    #[cfg(feature = "switches")]
    pub(super) fn on(&self, rule: Rule) -> bool {
        !(self.off.contains(&rule) || rule == Rule::Cut && planted(Bug::NoCut))
    }

    /// Does `rule` hold?
    #[cfg(not(feature = "switches"))]
    #[expect(clippy::unused_self, reason = "the same call with and without the switches")]
    pub(super) const fn on(&self, _rule: Rule) -> bool {
        true
    }
}
