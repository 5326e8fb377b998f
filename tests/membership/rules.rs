//! One test for each rule (R1 to R12) and each *Decided here* (D-1 to D-20) of the model, by the vectors that tell its story.

use kith_tests::model::Making;

use super::vectors::{agrees, all};

/// Runs the named vectors; a name that ends in `-` stands for all that begin so.
fn stories(names: &[&str], making: Making) {
    let vectors = all();
    for name in names {
        let told =
            |vector: &&kith_tests::model::Vector| vector.name == *name || name.ends_with('-') && vector.name.starts_with(name);
        let mut count = 0;
        vectors.iter().filter(told).for_each(|vector| {
            agrees(vector, making, 16);
            count += 1;
        });
        assert!(count > 0, "no vector is called {name}");
    }
}

macro_rules! rules {
    ($($test:ident: $($story:literal)+;)+) => {
        $(#[test]
        fn $test() {
            stories(&[$($story),+], Making::Plain);
        })+
    };
}

rules! {
    r01_one_genesis_names_the_founder: "r01-";
    r02_an_act_waits_for_its_parents: "r02-";
    r03_authority_is_that_of_ones_own_past: "r03-" "r05-sockpuppets";
    r04_a_down_cuts_acts_and_content: "r04-" "invite-of-removed";
    r05_who_may_and_whose_downs_stand: "r05-";
    r06_removal_beats_a_concurrent_add: "r06-";
    r07_admitted_before_the_cut_stay_others_wait: "r07-";
    r08_the_least_privilege_wins: "r08-";
    r09_ties_decide_no_more_than_policies: "r09-";
    r10_a_circle_without_stewards_is_frozen: "r10-";
    r11_a_fork_is_no_verdict: "r11-";
    d01_heads_and_held_acts: "r01-two-geneses" "r02-missing-parent";
    d02_what_a_lone_steward_sets: "r03-bad-roles" "r05-lone-steward-limits";
    d03_who_counts_as_another_steward: "r05-two-stewards-no-quorum" "r05-half-is-not-enough";
    d04_votes_are_exact_fresh_and_spent_once: "r05-other-motion" "r05-stale-votes" "r05-votes-are-spent" "r05-motion-enacted-twice";
    d05_a_quorum_falls_with_its_votes: "r05-forged-votes";
    d06_high_removals_and_demotions_apply: "r05-backdated-quorum" "r05-demotion-stands" "r05-lone-removal-void";
    d07_late_downs_cut_nothing: "r05-late-removal-cuts-nothing" "r05-opposing-quorums" "leave-sealed";
    d08_a_demotion_cuts_what_the_lower_role_may_not: "r04-demotion-cuts" "r08-step-down";
    d09_a_late_down_counts_as_before: "r05-late-removal-yields" "r05-motion-enacted-twice";
    d10_an_act_falls_with_its_authority: "r05-sockpuppets" "revouch-by-sockpuppets";
    d11_standing_adds_join_the_lesser_role_counts: "r06-two-readds" "r08-chain";
    d12_who_is_suspended_and_what_they_may: "r07-suspended-acts" "r07-suspended-and-confirmed" "device-mutual-revocation";
    d13_a_leave_can_be_sealed: "leave-";
    d14_no_revocation_voids_a_down: "device-revoked-steward" "device-selfrevocation-after-expulsion";
    d15_recovery_over_device_each_takes_its_keys: "device-" "recovery-";
    d16_who_may_vouch_whom_back: "revouch" "revouch-";
    d17_an_invite_counts_people: "invite-";
    d18_keys_are_fresh: "device-link" "device-under-another" "r06-bad-readds";
    d19_policies_by_quorum_then_strictness: "r09-policies";
    d20_what_a_usable_epoch_knows: "epoch-" "r10-guests-only";
    delegates_by_founder_or_quorum: "delegates";
}

/// Acts carry their author's clock as a label. Here each act's is set at random, children before their parents and thousands of
/// years apart: every act is written, read, verified and opened all the same, and what they mean does not change.
#[test]
fn r12_clocks_decide_nothing() {
    stories(&["r04-", "r06-", "epoch-"], Making::Signed);
}
