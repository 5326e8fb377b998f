//! Planted bugs: each is switched on for itself, and some seed must find it by a check that is there for it.

use kith_protocol::planted::Bug;
use serde::Serialize;

use super::run::{self, Options, Report};

/// A planted bug, and who found it.
#[derive(Debug, Serialize)]
pub struct Find {
    /// Its name.
    pub name: &'static str,
    /// The promise that it breaks.
    pub promise: &'static str,
    /// The first seed whose run such a check ended; none, where none did.
    pub seed: Option<u64>,
    /// The check that noticed.
    pub check: Option<&'static str>,
    /// How the names of the checks begin that are there to notice it.
    pub expected: &'static [&'static str],
}

/// The checks that are there to notice a bug: whatever else it may bring about, one of them must.
const fn expected(bug: Bug) -> &'static [&'static str] {
    match bug {
        Bug::OldKeys => &["confidentiality/sealed"],
        Bug::RemovedStay => &["confidentiality/removed", "confidentiality/sealed"],
        Bug::OldTalk | Bug::LooseEpoch => &["confidentiality/history"],
        Bug::NoCut => &["membership/cut"],
        Bug::SeqCut => &["membership/forked"],
        Bug::Unsealed => &["confidentiality/clear"],
        Bug::Unsigned => &["authenticity/signed"],
        Bug::OneBranch | Bug::EarlyEdit | Bug::NoRejudge | Bug::BlindDigest => &["convergence/"],
        Bug::GivesUp => &["convergence/", "availability/forming"],
        Bug::Boundless => &["bounds/"],
        Bug::AnyoneEdits => &["authenticity/"],
        Bug::Restless => &["availability/"],
        Bug::EarlyDelivery => &["honesty/delivered"],
        // What was to be done once is done again and again.
        Bug::LostDeletes => &["durability/", "availability/rest"],
        Bug::KeptDraft => &["durability/refused"],
        Bug::KeptMemory => &["durability/memory"],
        Bug::KeptBytes => &["confidentiality/expired", "confidentiality/destroyed"],
        Bug::Ageless => &["confidentiality/rotation"],
        Bug::Greets => &["confidentiality/stranger"],
        Bug::OneShare => &["availability/item"],
        Bug::StaleSummary => &["convergence/members", "convergence/rebuild"],
        Bug::SendsFirst => &["durability/sent"],
    }
}

/// Does it take somebody hostile to bring it to light? Then the other seeds need not be run.
const fn needs_hostile(bug: Bug) -> bool {
    matches!(bug, Bug::LooseEpoch | Bug::NoCut | Bug::Unsigned | Bug::Boundless | Bug::OneShare)
}

/// Where the search for a bug begins, if not at the first seed: few seeds show these, and they were found there when this was
/// written. Where a run's course has changed, the search comes round to all others.
const BEGINS: [(Bug, u64); 4] = [(Bug::KeptDraft, 720), (Bug::GivesUp, 360), (Bug::NoCut, 725), (Bug::KeptMemory, 720)];

/// Looks for a bug in the seeds below `seeds`, from where it begins and then round: the first run in which one of the checks that
/// are there for it notices.
#[must_use]
pub fn find(bug: Bug, seeds: u64) -> (Find, Option<Report>) {
    let (name, promise) = Bug::ALL.iter().find(|(its, ..)| *its == bug).map_or(("", ""), |(_, name, promise)| (name, promise));
    let expected = expected(bug);
    let meant = |report: &Report| report.check.is_some_and(|check| expected.iter().any(|start| check.starts_with(start)));
    let forks = |seed: u64| bug != Bug::SeqCut || run::forks_below(seed);
    let fits = |seed: &u64| (!needs_hostile(bug) || run::has_hostile(*seed)) && forks(*seed);
    let begin = BEGINS.iter().find(|(its, _)| *its == bug).map_or(0, |(_, begin)| seeds.min(*begin));
    let report = (begin..seeds)
        .chain(0..begin)
        .filter(fits)
        .map(|seed| run::run(seed, Options { bug: Some(bug), ..Options::default() }))
        .find(meant);
    let found = report.as_ref();
    let (seed, check) = (found.map(|report| report.seed), found.and_then(|report| report.check));
    (Find { name, promise, seed, check, expected }, report)
}
