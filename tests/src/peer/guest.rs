//! A newcomer's side by hand, and the side that shows them a card: tickets proved, requests and cards written from the byte-level
//! specification, so that any word in them may be hostile.

use kith_protocol::crypto::DeviceKeys;
use kith_protocol::crypto::{self, Crypto, HelloSecret, HpkeSecret, Key, Real, Seeded, SigningKey, Suite};

use super::Peer;
use super::link::ticket_of;
use crate::cbor::{Cbor, array, bytes, encoded};

/// The secret of a link, as a key from which its keys derive.
fn secret(link: &str) -> Key {
    let mut wide = [0; 32];
    wide[..16].copy_from_slice(ticket_of(link).at(2).as_bytes());
    Key::from_bytes(wide)
}

fn circle(link: &str) -> Vec<u8> {
    ticket_of(link).at(1).as_bytes().to_vec()
}

/// The key that a link's holder proves.
#[must_use]
pub fn ticket_key(link: &str) -> SigningKey {
    SigningKey::from_seed(*crypto::derive("kith/v1/ticket", &secret(link), &[&circle(link)]).as_bytes())
}

fn card_key(link: &str) -> Key {
    crypto::derive("kith/v1/card", &secret(link), &[&circle(link)])
}

/// A proof of a ticket's key on the newest link, for a device.
///
/// # Panics
/// Where nobody said hello yet.
#[must_use]
pub fn proof(peer: &Peer, key: &SigningKey, device: &SigningKey) -> Cbor {
    let salt = |frames: Vec<Cbor>| {
        let hello = frames.into_iter().find(|frame| frame.at(0).number() == Some(0)).expect("a hello");
        hello.at(1).at(1).clone()
    };
    let (mine, theirs) = (salt(peer.said()), salt(peer.heard()));
    let me = bytes(peer.keys().public().to_peer_id().to_bytes());
    let bound = array([me, bytes(peer.other_end()), mine, theirs, bytes(device.id().0)]).encode();
    let sign = |key: &SigningKey| bytes(Real.sign(key, "kith/v1/ticket-proof", &[&bound]).0);
    array([4.into(), array([array([bytes(key.id().0), sign(key), bytes(device.id().0), sign(device)])])])
}

/// A card that came in an answer, opened.
///
/// # Panics
/// Where it is none.
#[must_use]
pub fn opened(link: &str, answer: &Cbor) -> Cbor {
    let plain = crypto::open(&card_key(link), &ticket_key(link).id().0, answer.at(1).at(0).as_bytes()).expect("a card");
    Cbor::parse(&plain).expect("a card")
}

/// The frame by which a device asks to come in under a name, sealed to the stewards that a card names.
///
/// # Panics
/// Where nothing can be sealed to them.
#[must_use]
pub fn request(link: &str, card: &Cbor, device: &SigningKey, name: &str) -> Cbor {
    let mut random = Seeded::new(super::member::fresh_seed());
    let suite = Suite::from_byte(u8::try_from(card.at(6).number().expect("a suite")).expect("a byte")).expect("a suite");
    let hpke = HpkeSecret::generate(&mut random, suite).public();
    let keys = DeviceKeys { sign: device.id(), hpke, hello: HelloSecret::generate(&mut random).public() };
    let agreement = Cbor::Null;
    let bound = array([bytes(circle(link)), encoded(&keys), agreement.clone()]).encode();
    let key = ticket_key(link);
    let sign = |key: &SigningKey| bytes(Real.sign(key, "kith/v1/request", &[&bound]).0);
    let body = array([encoded(&keys), name.into(), agreement, sign(&key), sign(device)]).encode();
    let seal = |steward: &Cbor| {
        let info = array(["kith/v1/request".into(), bytes(circle(link)), steward.at(0).clone()]).encode();
        let sealed = Real.box_seal(&mut random, suite, steward.at(1).as_bytes(), &info, &body).expect("it is sealed");
        array([steward.at(0).clone(), bytes(sealed)])
    };
    let sealed = Cbor::Array(card.at(7).elements().iter().map(seal).collect());
    array([6.into(), array([array([bytes(key.id().0), bytes(device.id().0), sealed])])])
}

/// The frame that shows a ticket's holder a card with these names of circle and inviter, signed by the inviter's device.
#[must_use]
pub fn card(link: &str, inviter: &SigningKey, names: (&str, &str)) -> Cbor {
    let key = ticket_key(link);
    let none = || Cbor::Array(Vec::new());
    let with = |signature: [u8; 64]| {
        Cbor::Array(vec![
            names.0.into(),
            names.1.into(),
            1.into(),
            "".into(),
            array([1.into(), none()]),
            array([0.into(), none()]),
            1.into(),
            none(),
            bytes(signature),
        ])
    };
    let covered = array([with([0; 64]), bytes(key.id().0)]).encode();
    let plain = with(Real.sign(inviter, "kith/v1/card", &[&covered]).0).encode();
    let mut random = Seeded::new(super::member::fresh_seed());
    let sealed = crypto::seal(&card_key(link), &mut random, &key.id().0, &plain);
    array([5.into(), array([array([0.into(), array([bytes(sealed)])])])])
}
