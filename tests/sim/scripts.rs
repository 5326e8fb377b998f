//! Scripts of runs that failed once: each must pass from now on, and each could fail.

use std::fs;
use std::path::Path;

use kith_protocol::planted::Bug;
use kith_tests::sim::run::{Options, replay};
use kith_tests::sim::script::{Case, What};
use kith_tests::sim::shrink::shrink;

use crate::{found_again, on_all_cores};

/// Each script is played under its own seed and under so many others: what a core draws for itself and how long frames take is
/// not part of a script, and a change of the core changes both.
const SPINS: u64 = 15;

/// Every kept script, with its file's name.
fn kept() -> Vec<(String, Case)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/sim");
    let files = fs::read_dir(&folder).expect("the folder is there").map(|file| file.expect("a file"));
    let mut kept: Vec<(String, Case)> = files
        .map(|file| {
            let name = file.file_name().into_string().expect("a plain name");
            let text = fs::read_to_string(file.path()).expect("text");
            let case = Case::read(&text).unwrap_or_else(|why| panic!("{name}: {why}"));
            (name, case)
        })
        .collect();
    kept.sort_by(|(a, _), (b, _)| a.cmp(b));
    kept
}

#[test]
fn every_kept_script_passes_whatever_the_network_and_the_cores_draw() {
    let kept = kept();
    assert!(kept.len() >= 14, "scripts are lost: {}", kept.len());
    let broken = on_all_cores(kept.len() as u64, |number| {
        let (name, case) = &kept[usize::try_from(number).expect("few")];
        let seed = case.shape.seed;
        let seeds = std::iter::once(seed).chain((1..=SPINS).map(|spin| seed + spin));
        let broken = seeds.filter_map(|seed| Some((seed, replay(&case.under(seed), None, false).broken?)));
        broken
            .map(|(seed, what)| format!("{what}\n  sim replay --script tests/corpus/sim/{name} --seed {seed} --trace"))
            .collect::<Vec<_>>()
    });
    let broken: Vec<String> = broken.into_iter().flatten().collect();
    assert!(broken.is_empty(), "{} runs of kept scripts broke a promise:\n{}", broken.len(), broken.join("\n"));
}

#[test]
fn a_script_is_named_after_what_it_showed_and_is_the_same_when_it_is_written_again() {
    for (name, case) in kept() {
        assert_eq!(name, format!("{}-{}.json", case.check.replace('/', "-"), case.shape.seed));
        assert_eq!(Case::read(&case.write()), Ok(case), "{name}");
    }
}

#[test]
fn a_script_from_a_file_fails_where_the_bug_is_there_that_it_was_found_by() {
    let bug = Some(Bug::OldKeys);
    let shrunk = shrink(found_again(Bug::OldKeys, "confidentiality/sealed"), &Options { bug, ..Options::default() }, 40);
    let check = shrunk.report.check.expect("it fails");
    let case = Case { check: check.to_owned(), shape: shrunk.report.shape, script: shrunk.script };
    let read = Case::read(&case.write()).expect("it was just written");
    let again = replay(&read, bug, false);
    assert_eq!((again.check, again.trace), (Some(check), shrunk.report.trace));
    assert_eq!(replay(&read, None, false).broken, None);
}

#[test]
fn what_is_no_script_is_an_error_that_says_why() {
    let (_, good) = kept().into_iter().next().expect("one");
    let text = good.write();
    let refused = |text: &str| Case::read(text).expect_err("it is none");
    assert!(refused("").contains("no script"));
    assert!(refused(&text.replace("script/1", "script/9")).contains("script/9"));
    assert!(refused(&text.replacen("\"Init\"", "\"Dance\"", 1)).contains("Dance"));
    assert!(refused(&text.replacen("\"healed\"", "\"ended\"", 1)).contains("ended"));
    assert!(refused(&text.replacen("\"who\":0", "\"who\":9", 1)).contains("not in its world"));
    let mut bent = good.clone();
    bent.script.steps.clear();
    assert!(refused(&bent.write()).contains("steps"));
    let mut bent = good.clone();
    bent.script.steps.reverse();
    assert!(refused(&bent.write()).contains("order"));
    let mut bent = good.clone();
    bent.shape.plans[0].founder = 7;
    assert!(refused(&bent.write()).contains("machines"));
    let mut bent = good;
    bent.script.healed = 0;
    assert!(refused(&bent.write()).contains("moments"));
    assert!(matches!(bent.script.steps[0].what, What::Deed(_) | What::Weather(_)));
}
