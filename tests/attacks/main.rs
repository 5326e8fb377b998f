//! Attacks, each a test named by its label, against the real binaries wherever that shows it. What lives in other layers, and what
//! cannot be shown from outside, stands in the table of `tests/README.md`.

mod disk;
mod entries;
mod forms;
mod kit;
mod local_api;
mod members;
mod network;
mod people;
mod wire;

use kith_tests::peer::cbor::Cbor;
use kith_tests::peer::{Peer, Scene, raw};
use kith_tests::proc::until;
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

/// A text field of a row.
fn text(row: &Value, field: &str) -> String {
    row.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}
