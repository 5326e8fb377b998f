//! D14: what was destroyed at its author's word is on no page of anybody's disk, no matter who has the key.

use std::collections::HashSet;
use std::path::Path;

use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey};
use kith_tests::proc::{Home, http, until};
use serde_json::{Value, json};

use crate::{opened, store_key, text};

const CIRCLE: &str = "Night shift";
/// Words that stand nowhere but in what is destroyed. None begins like another, since an index leaves out how words begin alike.
const WORDS: [&str; 3] = ["quastenflosser", "zwiebelturm", "wasserkocher"];
/// Bytes of a page, and of them those that SQLCipher keeps: an initialisation vector and a MAC.
const PAGE: usize = 4_096;
const RESERVED: usize = 80;
/// Bytes by which a stored value is known again: none of them is the same by chance.
const PIECE: usize = 32;

/// What stands on one page as it lies on disk. The first one begins with the file's salt.
fn plain(key: &[u8; 32], page: &[u8], first: bool) -> Vec<u8> {
    let (body, reserved) = page.split_at(PAGE - RESERVED);
    let mut body = body[if first { 16 } else { 0 }..].to_vec();
    let vector: [u8; 16] = reserved[..16].try_into().expect("16 bytes");
    let cipher = DecryptingKey::cbc(UnboundCipherKey::new(&AES_256, key).expect("a key")).expect("a key");
    cipher.decrypt(&mut body, DecryptionContext::Iv128((&vector).into())).expect("whole blocks");
    body
}

/// Every page of the store's file and of its log, free and outdated ones included, decrypted. (What the journal holds of what was
/// destroyed: beside the code, `daemon/src/store/tests.rs`.)
fn pages(home: &Path) -> Vec<Vec<u8>> {
    let key = store_key(home);
    let file = std::fs::read(home.join("store.db")).expect("reads");
    let log = std::fs::read(home.join("store.db-wal")).unwrap_or_default();
    let pages = file.chunks_exact(PAGE).enumerate().map(|(at, page)| plain(&key, page, at == 0));
    let frames = log.get(32..).unwrap_or_default().chunks_exact(24 + PAGE);
    pages.chain(frames.map(|frame| plain(&key, &frame[24..], frame[..4] == [0, 0, 0, 1]))).collect()
}

fn holds(pages: &[Vec<u8>], word: &str) -> bool {
    pages.iter().any(|page| String::from_utf8_lossy(page).to_lowercase().contains(word))
}

/// Every value of the tables that hold what people wrote: sealed entries, blocks, items, what is shown of them.
fn values(home: &Path) -> Vec<Vec<u8>> {
    let store = opened(home);
    let mut found = Vec::new();
    for table in ["tail", "block", "item", "view", "built"] {
        let mut rows = store.prepare(&format!("SELECT value FROM {table}")).expect("the key is right");
        let rows = rows.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("reads");
        found.extend(rows.map(|row| row.expect("a value")));
    }
    found
}

/// Those of these pieces that stand somewhere in the bytes.
fn standing<'p>(pieces: &HashSet<&'p [u8]>, bytes: &[Vec<u8>]) -> HashSet<&'p [u8]> {
    // Most places are none at which any begins.
    let start = |bytes: &[u8]| usize::from(bytes[0]) << 8 | usize::from(bytes[1]);
    let mut begins = vec![false; 1 << 16];
    pieces.iter().for_each(|piece| begins[start(piece)] = true);
    let windows = bytes.iter().flat_map(|bytes| bytes.windows(PIECE)).filter(|window| begins[start(window)]);
    windows.filter_map(|window| pieces.get(window).copied()).collect()
}

/// A home at some moment at which it is stopped.
struct Before {
    values: Vec<Vec<u8>>,
}

impl Before {
    /// Everything is there, words and sealed bytes, or finding nothing later would mean nothing.
    fn of(home: &mut Home, who: &str) -> Self {
        home.stop();
        assert!(!home.path().join("store.db-log").exists(), "{who}: a home that is stopped keeps no journal");
        let pages = pages(&home.path());
        for word in WORDS {
            assert!(holds(&pages, word), "{who}: “{word}” is not found even where it must be");
        }
        let values = values(&home.path());
        let found = standing(&pieces(&values), &pages).len();
        assert!(found * 2 > pieces(&values).len(), "{who}: of what is stored only {found} pieces are found");
        home.start();
        Self { values }
    }

    /// Nothing that is not in the store any more stands anywhere on the disk. The daemon runs on until after that was read.
    fn is_gone(&self, home: &mut Home, who: &str) {
        let left = until(&format!("{who}'s pages to be rid of the words"), || {
            let pages = pages(&home.path());
            (!WORDS.iter().any(|word| holds(&pages, word))).then_some(pages)
        });
        home.stop();
        let pieces = pieces(&self.values);
        let live = standing(&pieces, &values(&home.path()));
        let gone: HashSet<&[u8]> = pieces.difference(&live).copied().collect();
        assert!(gone.len() > 4, "{who}: nothing was destroyed");
        let found = standing(&gone, &left);
        assert!(found.is_empty(), "{who}: {} of {} pieces of what was destroyed are left", found.len(), gone.len());
        home.start();
    }
}

fn pieces(values: &[Vec<u8>]) -> HashSet<&[u8]> {
    values.iter().flat_map(|value| value.chunks_exact(PIECE)).collect()
}

fn secret() -> Value {
    let body = format!("{} ", WORDS[1]).repeat(40);
    json!({"kind": "note", "title": WORDS[0], "body": body, "content_warning": WORDS[2]})
}

fn listed(home: &Home) -> Vec<Value> {
    home.rows(&["note", "list", "--limit", "500"], "notes")
}

/// Amara writes these notes, one of them the secret; Bea has it; Amara destroys it at once; nobody's disk holds it.
fn destroyed_everywhere(notes: &[Value], edits: &[&str]) {
    let (mut amara, mut bea) = (Home::named("Amara"), Home::named("Bea"));
    amara.found(CIRCLE);
    amara.admit(CIRCLE, &bea, "Bea");
    let answer = http(&amara.path(), "POST", "/v1/circles/-/batch", &json!({"items": notes}).to_string());
    assert!(answer.status < 300, "{answer:?}");
    for home in [&amara, &bea] {
        until("all notes", || (listed(home).len() == notes.len()).then_some(()));
        // The index is made a moment later.
        until("the words in the index", || (!home.search(WORDS[1]).is_empty()).then_some(()));
    }
    let secret = |home: &Home| listed(home).into_iter().find(|note| text(note, "title") == WORDS[0]);
    let id = text(&secret(&amara).expect("it is there"), "id");
    for edit in edits {
        drop(amara.json(&["note", "edit", &id, edit]));
    }
    until("the changes", || secret(&bea).filter(|note| note["version"] == 1 + edits.len()));
    let before = [Before::of(&mut amara, "Amara"), Before::of(&mut bea, "Bea")];
    drop(amara.json(&["note", "remove", &id, "--now", "--confirm", WORDS[0]]));
    for (home, who, before) in [(&mut amara, "Amara", &before[0]), (&mut bea, "Bea", &before[1])] {
        until("the note to go", || secret(home).is_none().then_some(()));
        before.is_gone(home, who);
    }
    for home in [&amara, &bea] {
        assert_eq!(listed(home).len(), notes.len() - 1, "the others stay");
        assert!(home.search(WORDS[1]).is_empty());
    }
}

#[test]
fn d14_a_note_removed_now_is_on_no_page_of_its_author_and_of_no_reader() {
    destroyed_everywhere(&[json!({"kind": "note", "title": "stays", "body": "x"}), secret()], &[]);
}

#[test]
fn d14_nothing_of_a_note_that_was_changed_is_left_either() {
    // More than a list shows, so that its text has a row of its own, and every word of it in two forms.
    let long = [WORDS[0], WORDS[1], WORDS[2]].join(" ").repeat(150);
    let edits = [long.as_str(), "Nothing of quastenflosser, zwiebelturm, wasserkocher."];
    destroyed_everywhere(&[json!({"kind": "note", "title": "stays", "body": "x"}), secret()], &edits);
}

#[test]
fn d14_a_note_in_the_middle_of_a_block_is_destroyed_too() {
    let other = |number: usize| {
        let body = format!("what somebody said on night {number}, which stays");
        json!({"kind": "note", "title": format!("night {number}"), "body": body})
    };
    let mut notes: Vec<Value> = (0..150).map(other).collect();
    notes.insert(75, secret());
    destroyed_everywhere(&notes, &[]);
}
