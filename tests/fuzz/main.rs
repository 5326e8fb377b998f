//! Every decoder of what peers and people send, fuzzed with a fixed seed; see `tests/README.md` for longer runs.

use kith_tests::fuzz::targets;
use kith_tests::fuzz_test;

/// A corpus that belongs to no target is played by nobody.
#[test]
fn every_folder_of_the_corpus_belongs_to_a_target() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/src/import/fuzz.rs");
    let source = std::fs::read_to_string(source).expect("the command line's own targets are there");
    let of_cli = source.split("name: \"").skip(1).filter_map(|rest| rest.split('"').next());
    let names: Vec<&str> = targets::ALL.iter().map(|target| target.name).chain(of_cli).collect();
    assert!(names.len() > targets::ALL.len(), "{names:?}");
    let kept = kith_tests::fuzz::kept();
    assert!(kept.len() > 2, "{kept:?}");
    // Scripts of the simulated world lie beside them; `tests/sim` plays those.
    for folder in kept.into_iter().filter(|folder| folder != "sim") {
        assert!(names.contains(&folder.as_str()), "tests/corpus/{folder} belongs to none of {names:?}");
    }
}

fuzz_test!(acts, targets::ACT);
fuzz_test!(what_acts_say, targets::ACT_BODY);
fuzz_test!(farewells, targets::FAREWELL);
fuzz_test!(records, targets::RECORD);
fuzz_test!(boxes, targets::BOX);
fuzz_test!(runs_of_single_entries, targets::SINGLE);
fuzz_test!(joined_runs, targets::BLOCK);
fuzz_test!(edit_lists, targets::EDIT);
fuzz_test!(histories_of_items, targets::ITEMS);
fuzz_test!(frames, targets::FRAME);
fuzz_test!(introductions, targets::INTRODUCTION);
fuzz_test!(requests, targets::REQUEST);
fuzz_test!(cards, targets::CARD);
fuzz_test!(links, targets::LINK);
fuzz_test!(the_resolver, targets::RESOLVER);
fuzz_test!(whole_nodes, targets::NODE);
fuzz_test!(bodies_of_the_local_api, targets::COMPOSE);
fuzz_test!(words_for_policies, targets::WORDS);
fuzz_test!(the_real_daemons_api, targets::DAEMON);
