//! Frames and what is sealed in them, through doors that the core opens to these tests only; and links.

use data_encoding::BASE64URL_NOPAD;
use kith_protocol::crypto::hash;
use kith_protocol::peer::fuzz;

use super::super::{Form, NULL, Prepared, Target, Tree, Verdict};
use super::world;

/// Frames.
pub const FRAME: Target = Target { name: "frame", form: Form::Cbor, words: &[], share: 1, prepare: frame };
/// A newcomer's introduction.
pub const INTRODUCTION: Target = Target { name: "introduction", form: Form::Cbor, words: &[], share: 1, prepare: introduction };
/// A request to come in.
pub const REQUEST: Target = Target { name: "request", form: Form::Cbor, words: &[], share: 1, prepare: request };
/// The card that an invite shows.
pub const CARD: Target = Target { name: "card", form: Form::Cbor, words: &[], share: 1, prepare: card };
/// Invite links, their check made again.
pub const LINK: Target = Target { name: "link", form: Form::Cbor, words: &[], share: 1, prepare: link };

fn through(samples: Vec<Vec<u8>>, door: fn(&[u8]) -> Option<Vec<u8>>) -> Prepared {
    let judge = move |bytes: &[u8]| match door(bytes) {
        Some(again) => {
            assert_eq!(again, bytes, "what is read is written again as it was");
            Verdict::Taken
        }
        None => Verdict::Refused,
    };
    Prepared { samples, judge: Box::new(judge) }
}

fn frame() -> Prepared {
    let chapters = world::chapters();
    let samples: Vec<Vec<u8>> = chapters.iter().flat_map(world::Chapter::frames).collect();
    through(samples, fuzz::frame)
}

fn id(n: u8) -> Tree {
    Tree::Bytes(vec![n; 32])
}

fn signature() -> Tree {
    Tree::Bytes(vec![6; 64])
}

fn text(text: &str) -> Tree {
    Tree::Text(text.as_bytes().to_vec())
}

fn introduction() -> Prepared {
    let blob = |n: u8| Tree::Bytes(vec![n; 90]);
    let one = |acts: Vec<Tree>| Tree::List(vec![Tree::List(acts), blob(9)]).cbor();
    through(vec![one(Vec::new()), one((1..4).map(blob).collect())], fuzz::introduction)
}

fn request() -> Prepared {
    let keys = Tree::List(vec![id(1), Tree::Bytes(vec![2; 1_216]), id(3)]);
    let one = |agreement: Tree| Tree::List(vec![keys.clone(), text("Béa"), agreement, signature(), signature()]).cbor();
    through(vec![one(NULL), one(id(4))], fuzz::request)
}

fn card() -> Prepared {
    let steward = |n: u8| Tree::List(vec![id(n), Tree::Bytes(vec![n; 32])]);
    let one = |history: Tree, retention: Tree, stewards: u8| {
        let words = vec![text("Night shift"), text("Amara"), Tree::Uint(5), text("Be kind."), history, retention];
        let rest = vec![Tree::Uint(1), Tree::List((0..stewards).map(steward).collect()), signature()];
        Tree::List([words, rest].concat()).cbor()
    };
    let none = |n: u64| Tree::List(vec![Tree::Uint(n), Tree::List(Vec::new())]);
    let days = |n: u64| Tree::List(vec![Tree::Uint(n), Tree::List(vec![Tree::Uint(30)])]);
    through(vec![one(none(1), none(0), 1), one(days(2), days(1), 3)], fuzz::card)
}

fn link() -> Prepared {
    let address = Tree::Bytes(vec![4, 127, 0, 0, 1, 6, 0, 80]);
    let hint = Tree::List(vec![Tree::Bytes(vec![1; 38]), Tree::List(vec![address.clone(), address])]);
    let one = |hints: Vec<Tree>| {
        let head = vec![Tree::Uint(1), id(1), Tree::Bytes(vec![2; 16]), Tree::Uint(1), Tree::Uint(1_795_359_600_000), id(3)];
        Tree::List([head, vec![Tree::List(hints)]].concat()).cbor()
    };
    let judge = |bytes: &[u8]| {
        let check = hash("kith/v1/link-check", &[bytes]);
        let link = format!("kith://join#{}", BASE64URL_NOPAD.encode(&[bytes, &check[..4]].concat()));
        let read = fuzz::link(&link);
        if let Some(again) = &read {
            assert_eq!(*again, link, "a link is written again as it was");
        }
        // And as what somebody pastes.
        drop(fuzz::link(&String::from_utf8_lossy(bytes)));
        drop(fuzz::link(&format!("kith://join#{}", String::from_utf8_lossy(bytes))));
        Verdict::taken(read.is_some())
    };
    Prepared { samples: vec![one(Vec::new()), one(vec![hint.clone()]), one(vec![hint; 4])], judge: Box::new(judge) }
}
