//! Attacks, each a test named by its label, against the real binaries wherever that shows it. What lives in other layers, and
//! what cannot be shown from outside, stands in the table of `tests/README.md`.

mod apart;
mod clones;
mod costs;
mod cuts;
mod destroyed;
mod disk;
mod disk_fails;
mod edits;
mod entries;
mod exports;
mod forms;
mod items;
mod kit;
mod local_api;
mod members;
mod names;
mod network;
mod people;
mod spam;
mod strangers;
mod wire;

use kith_tests::cbor::Cbor;
use kith_tests::peer::{Peer, Scene, raw};
use kith_tests::proc::{Home, http, until};
use serde_json::Value;

/// Somebody in none of the daemon's circles, with an open link to it.
fn stranger(scene: &Scene) -> Peer {
    let peer = Peer::named("Eve");
    peer.dial(&raw::address(&scene.amara, false));
    peer
}

/// The last answer to a ticket, once there is one.
fn answer(peer: &Peer) -> Cbor {
    until("an answer to a ticket", || {
        peer.heard().iter().rev().find(|frame| frame.at(0).number() == Some(5)).map(|frame| frame.at(1).at(0).clone())
    })
}

/// A link that ends before anybody can use it. The command line makes none; anyone who speaks to the API does.
fn link_for_a_second(home: &Home, circle: &str) -> String {
    let circles = home.rows(&["circle", "list"], "circles");
    let id = circles.iter().find(|row| text(row, "name") == circle).map(|row| text(row, "id")).expect("their circle");
    let made = http(&home.path(), "POST", &format!("/v1/circles/{id}/invites"), r#"{"expires_in":1000}"#);
    text(&serde_json::from_str(&made.body).expect("JSON"), "link")
}

/// A text field of a row.
fn text(row: &Value, field: &str) -> String {
    row.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The key of a home without a passphrase, as its store is sealed with it: an outsider can have it.
fn store_key(home: &std::path::Path) -> [u8; 32] {
    let keys = std::fs::read_to_string(home.join("keys.toml")).expect("the keys are there");
    let hex = keys.lines().find_map(|line| line.strip_prefix("key = \"")?.strip_suffix('"')).expect("a bare key");
    let master = data_encoding::HEXLOWER.decode(hex.as_bytes()).expect("hexadecimal");
    blake3::derive_key("kith/v1/store", &master)
}

/// The store of such a home, opened with its key.
fn opened(home: &std::path::Path) -> rusqlite::Connection {
    let raw = data_encoding::HEXLOWER.encode(&store_key(home));
    let store = rusqlite::Connection::open(home.join("store.db")).expect("opens");
    store.execute_batch(&format!("PRAGMA key = \"x'{raw}'\"")).expect("takes the key");
    store
}
