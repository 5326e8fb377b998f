//! Plays every transcript of this folder. They are the command line's documentation: what they show is what one sees.

use std::path::Path;

use kith_tests::proc::play;

#[test]
fn every_transcript_shows_what_one_sees() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let mut names: Vec<_> =
        std::fs::read_dir(&folder).expect("the folder of transcripts").flatten().map(|entry| entry.path()).collect();
    names.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    names.sort();
    let played: Vec<_> = std::thread::scope(|scope| {
        let plays: Vec<_> = names.iter().map(|path| scope.spawn(move || one(path))).collect();
        plays.into_iter().map(|play| play.join().expect("a transcript is played to its end")).collect()
    });
    let wrong: Vec<String> = played.into_iter().flatten().collect();
    assert!(!names.is_empty(), "there are transcripts");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn one(path: &Path) -> Option<String> {
    let place = tempfile::Builder::new().prefix("kt").tempdir_in("/tmp").expect("a folder");
    let text = std::fs::read_to_string(path).expect("a transcript can be read");
    play(&text, place.path()).err().map(|why| format!("{}: {why}", path.display()))
}
