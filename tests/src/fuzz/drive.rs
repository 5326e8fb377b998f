//! Runs a target: its corpus, then bent samples; makes what fails small and says how to keep it.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER_PERMISSIVE;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use super::bend::{bend_bytes, bend_tree, bends};
use super::text::bend_text;
use super::{Bend, Form, Target, Tree, Verdict};

/// Executions of each target in the checks.
const CASES: u32 = 50_000;

/// Targets that not only read: some of their samples are read well and refused for what they ask, or are there to be changed.
const JUDGED: [&str; 4] = ["compose", "resolver", "daemon-api", "shown"];

/// How many executions are asked for: `KITH_FUZZ_CASES`, else what the checks take.
#[must_use]
pub fn cases() -> u32 {
    std::env::var("KITH_FUZZ_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES)
}

/// What a run found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FuzzReport {
    /// Executions.
    pub runs: u32,
    /// How many of them meant something.
    pub taken: u32,
    /// Files of the corpus that were played again.
    pub corpus: usize,
    /// The longest that one of them took.
    pub slowest: Duration,
}

/// Plays the corpus, the samples and so many bent ones. `watch` sees every input before it is judged.
///
/// # Errors
/// What broke, the smallest bytes found that break it, and how to keep them.
pub fn run(target: &Target, cases: u32, seed: u64, watch: &dyn Fn(&[u8])) -> Result<FuzzReport, String> {
    let prepared = (target.prepare)();
    let judge = RefCell::new(prepared.judge);
    let samples = prepared.samples;
    assert!(!samples.is_empty(), "{} has no samples", target.name);
    let slowest = Cell::new(Duration::ZERO);
    let judged = |bytes: &[u8]| {
        watch(bytes);
        let start = Instant::now();
        let verdict = (judge.borrow_mut())(bytes);
        slowest.set(slowest.get().max(start.elapsed()));
        verdict
    };
    let corpus = corpus(target.name);
    for (name, bytes) in &corpus {
        let guarded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| judged(bytes)));
        guarded.map_err(|_| format!("fuzz {}: the corpus' {name} fails again", target.name))?;
    }
    let mut meaningless = 0;
    for sample in &samples {
        let guarded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| judged(sample)));
        let verdict = guarded.map_err(|_| failure(target, seed, "a sample, not even bent, breaks it", sample))?;
        if verdict == Verdict::Refused && !JUDGED.contains(&target.name) {
            return Err(failure(target, seed, "a sample, not even bent, is refused", sample));
        }
        meaningless += usize::from(verdict == Verdict::Refused);
    }
    if 4 * meaningless > 3 * samples.len() {
        return Err(format!("fuzz {}: {meaningless} of {} samples are refused", target.name, samples.len()));
    }
    let trees: Vec<Tree> = samples.iter().map(|sample| tree(target.form, sample)).collect();
    let make = |case: &Case| bent(target, &samples, &trees, case);
    let (runs, taken) = (Cell::new(0), Cell::new(0));
    let cases = (cases / target.share).max(1);
    let mut config = Config { cases, failure_persistence: None, max_shrink_iters: 4_000, ..Config::default() };
    config.rng_seed = RngSeed::Fixed(seed);
    let strategy = (any::<Index>(), any::<Index>(), bends(), proptest::option::weighted(0.15, bends()));
    let outcome = TestRunner::new(config).run(&strategy, |case| {
        let verdict = judged(&make(&case));
        runs.set(runs.get() + 1);
        taken.set(taken.get() + u32::from(verdict == Verdict::Taken));
        Ok::<(), TestCaseError>(())
    });
    match outcome {
        Ok(()) => Ok(FuzzReport { runs: runs.get(), taken: taken.get(), corpus: corpus.len(), slowest: slowest.get() }),
        Err(TestError::Fail(why, case)) => Err(failure(target, seed, &why.to_string(), &make(&case))),
        Err(TestError::Abort(why)) => Err(format!("fuzz {}: {why}", target.name)),
    }
}

/// A sample, another one of which parts are taken, changes of the tree and perhaps of the bytes.
type Case = (Index, Index, Vec<Bend>, Option<Vec<Bend>>);

fn tree(form: Form, sample: &[u8]) -> Tree {
    let tree = match form {
        Form::Cbor => Tree::from_cbor(sample),
        Form::Json => Tree::from_json(sample),
        Form::Text => None,
    };
    tree.unwrap_or_else(|| Tree::Raw(sample.to_vec()))
}

fn bent(target: &Target, samples: &[Vec<u8>], trees: &[Tree], (one, other, bends, after): &Case) -> Vec<u8> {
    let (one, other) = (one.index(samples.len()), other.index(samples.len()));
    let mut bytes = match target.form {
        Form::Text => bend_text(&samples[one], &samples[other], target.words, bends),
        Form::Cbor | Form::Json => {
            let mut tree = trees[one].clone();
            bend_tree(&mut tree, &trees[other], bends);
            if target.form == Form::Cbor { tree.cbor() } else { tree.json() }
        }
    };
    after.iter().flatten().for_each(|bend| bend_bytes(&mut bytes, bend));
    bytes
}

/// The targets that the corpus has folders for.
///
/// # Panics
/// Where it cannot be read.
#[must_use]
pub fn kept() -> Vec<String> {
    let folders = std::fs::read_dir(folder("")).expect("the corpus is there");
    folders.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// The inputs that broke something once, and some made by hand: `.hex` files hold hex, others the bytes themselves.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = std::fs::read_dir(folder(name)) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let bytes = std::fs::read(&path).expect("a file of the corpus can be read");
        let hex = path.extension().is_some_and(|extension| extension == "hex");
        let digits: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let bytes = if hex { HEXLOWER_PERMISSIVE.decode(&digits).expect("a file of the corpus holds hex") } else { bytes };
        (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), bytes)
    };
    paths.into_iter().map(read).collect()
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name)
}

/// What to tell about bytes that break something.
pub(super) fn failure(target: &Target, seed: u64, why: &str, bytes: &[u8]) -> String {
    let text = target.form != Form::Cbor && std::str::from_utf8(bytes).is_ok();
    let hex = data_encoding::HEXLOWER.encode(bytes);
    let hash = blake3::hash(bytes).to_hex();
    let name = format!("{}.hex", hash.get(..12).unwrap_or_default());
    let shown = if text { format!("{:?}", String::from_utf8_lossy(bytes)) } else { hex.clone() };
    let shown: String = shown.chars().take(2_000).collect();
    let (target, len) = (target.name, bytes.len());
    format!(
        "fuzz {target}, seed {seed}: {why}\nthe smallest input found, {len} bytes: {shown}\n\
         to keep it, so that it is played again in every run:\n  \
         mkdir -p tests/corpus/{target} && echo {hex} > tests/corpus/{target}/{name}"
    )
}
