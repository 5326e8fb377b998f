//! A failing run, made short: steps of its script are left out as long as the same check still fails.

use super::run::{Options, Report, play};
use super::script::{Script, Step};

/// The shortest script that was found.
#[derive(Debug)]
pub struct Shrunk {
    /// What is left.
    pub script: Script,
    /// How it fails.
    pub report: Report,
    /// How often it was tried.
    pub runs: usize,
}

/// Shrinks a run that failed, in at most so many tries (delta debugging: halves first, single steps last).
#[must_use]
pub fn shrink(failed: Report, of: &Options, tries: usize) -> Shrunk {
    let mut best = Shrunk { script: failed.script.clone(), report: failed, runs: 0 };
    let Some(found) = best.report.found.clone() else { return best };
    let early: Vec<Step> = best.script.steps.iter().filter(|step| step.at <= found.at).cloned().collect();
    try_with(&mut best, early, found.check, of);
    let mut size = best.script.steps.len().div_ceil(2);
    while size > 0 && best.runs < tries {
        let (mut from, before) = (0, best.script.steps.len());
        while from < best.script.steps.len() && best.runs < tries {
            let steps = &best.script.steps;
            let to = (from + size).min(steps.len());
            let rest = steps[..from].iter().chain(&steps[to..]).cloned().collect();
            if !try_with(&mut best, rest, found.check, of) {
                from = to;
            }
        }
        if size > 1 || best.script.steps.len() == before {
            size /= 2;
        }
    }
    best
}

fn try_with(best: &mut Shrunk, steps: Vec<Step>, check: &str, of: &Options) -> bool {
    best.runs += 1;
    let script = best.script.with(steps);
    let report =
        play(&best.report.shape, Options { bug: of.bug, mixed: of.mixed, script: Some(script.clone()), keep_trace: false });
    let same = report.check == Some(check);
    if same {
        (best.script, best.report) = (script, report);
    }
    same
}
