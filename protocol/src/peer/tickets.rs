//! Tickets: what the holder of a link proves, what they may have for it, and what a link shows.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use super::Peers;
use super::frame::{Card, Frame, Refusal, StewardKey, TicketAnswer, TicketProof};
use super::requests::RequestRow;
use super::session::{Guest, Welcome, send};
use super::welcome::welcome;
use crate::circle::body::Role;
use crate::circle::overview::InviteRow;
use crate::circle::state::CircleState;
use crate::circle::terms;
use crate::circle::ticket::{self, Secret};
use crate::codec;
use crate::context::{Cx, InputError};
use crate::control::InviteStatus;
use crate::crypto::{self, Crypto};
use crate::id::{ActId, CircleId, DeviceId, PeerId};
use crate::io::{Effect, Link};
use crate::limits;
use crate::private::Private;
use crate::store::{Read, StoreError, Table};
use crate::sync::circles::Circles;
use crate::sync::message::Bytes;
use crate::time::Millis;
use crate::tx::Tx;

pub(crate) const TICKET: &str = "kith/v1/ticket-proof";
pub(crate) const CARD: &str = "kith/v1/card";

const SECRETS: &[u8] = b"invite";

fn secret_key(circle: &CircleId, invite: &ActId) -> Vec<u8> {
    [SECRETS, &circle.0, &invite.0].concat()
}

/// Forgets the secrets of a circle's invites.
pub(crate) fn forget(tx: &mut Tx<'_>, circle: &CircleId) -> Result<(), StoreError> {
    tx.delete_all(Table::Local, &[SECRETS, &circle.0].concat())
}

/// The secret of an invite that was made on this machine.
pub(crate) fn secret_of(read: &dyn Read, circle: &CircleId, invite: &ActId) -> Result<Option<Secret>, StoreError> {
    let bytes = read.get(Table::Local, &secret_key(circle, invite))?;
    Ok(bytes.and_then(|b| codec::decode(&b, "invite secret").ok()))
}

/// Keeps an invite's secret.
pub(crate) fn keep_secret(cx: &mut Cx<'_, '_>, circle: &CircleId, invite: &ActId, secret: &Secret) {
    cx.tx.put(Table::Local, &secret_key(circle, invite), codec::encode(secret));
}

/// The parts that both of a ticket's proofs sign: this link and the device that asks.
pub(crate) fn proof_parts(
    joiner: (&PeerId, &super::frame::Salt),
    member: (&PeerId, &super::frame::Salt),
    device: &DeviceId,
) -> Vec<u8> {
    codec::encode(&(&joiner.0, &member.0, &joiner.1, &member.1, device))
}

/// Somebody proves a ticket.
pub(crate) fn ticket(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    proof: &TicketProof,
) -> Result<(), InputError> {
    let Some(session) = peers.sessions.get_mut(&link) else { return Ok(()) };
    let Some(their_salt) = session.their_salt else { return Err(InputError::Peer("a ticket before hello")) };
    let peer = session.peer.clone();
    if !peers.tries.one_more(&peer, cx.env.now) {
        return refuse(cx, link, Refusal::Busy);
    }
    let Some(session) = peers.sessions.get_mut(&link) else { return Ok(()) };
    let bound = proof_parts((&peer, &their_salt), (&peers.peer, &session.my_salt), &proof.device);
    let right = cx.env.crypto.verify(&proof.key, TICKET, &[&bound], &proof.signature)
        && cx.env.crypto.verify(&proof.device, TICKET, &[&bound], &proof.device_signature);
    let said = if right { concern(circles, cx, proof)? } else { Word::Unknown };
    let (circle, answer) = match said {
        Word::Unknown => (None, Some(TicketAnswer::Refused(Refusal::Unknown))),
        Word::Nothing(answer) => (None, Some(answer)),
        Word::Something(circle, answer) => (Some(circle), answer),
    };
    if let Some(session) = peers.sessions.get_mut(&link) {
        // What was proved last counts; where it gives nothing, its holder is a stranger like any other.
        session.guest = circle.map(|circle| Guest { circle, ticket: proof.key, device: proof.device, welcomed: false });
        session.asked_since(cx.env.now);
        session.welcome = Welcome::default();
    }
    if circle.is_some() {
        peers.dialer.proved(&peer);
        cx.tx.then(Effect::Widen(link));
        make_room(peers, cx, link);
    }
    match answer {
        Some(answer) => send(cx, link, &Frame::Answer(answer)),
        None => welcome(circles, peers, cx, link)?,
    }
    Ok(())
}

/// Guests' streams are few: who came first goes, and may come back. (Peer ids cost nothing, so a crowd must not keep others out.)
fn make_room(peers: &mut Peers, cx: &mut Cx<'_, '_>, link: Link) {
    let guests = peers.sessions.iter().filter_map(|(link, session)| Some((session.guest_since()?, *link)));
    let mut guests: Vec<(Millis, Link)> = guests.filter(|(_, other)| *other != link).collect();
    guests.sort_unstable();
    for (_, link) in guests.iter().take((guests.len() + 1).saturating_sub(limits::GUESTS)) {
        peers.part_with(cx, *link, "more guests than there is room for");
    }
}

pub(super) fn refuse(cx: &mut Cx<'_, '_>, link: Link, why: Refusal) -> Result<(), InputError> {
    send(cx, link, &Frame::Answer(TicketAnswer::Refused(why)));
    Ok(())
}

/// What a ticket's holder is to be told here.
enum Word {
    /// What somebody says who is in no such circle.
    Unknown,
    /// Nothing is open to them here, and it is ours to say so.
    Nothing(TicketAnswer),
    /// Something is, in this circle: the answer, or the welcome where they are admitted.
    Something(CircleId, Option<TicketAnswer>),
}

/// A link may be old and in anybody's hands: only who made it here, keeps a request of the device that asks, or knows that
/// device as admitted, says anything but unknown. Everybody else looks up as much as somebody who is in no such circle.
fn concern(circles: &Circles, cx: &mut Cx<'_, '_>, proof: &TicketProof) -> Result<Word, InputError> {
    let ours = circles.all.values().filter(|circle| circle.is_in());
    let found: Vec<_> = ours.filter_map(|circle| Some((circle, circle.invite_of(&proof.key)?))).collect();
    if found.is_empty() {
        let (circle, invite) = (CircleId([0; 32]), ActId([0; 32]));
        drop((RequestRow::get(&cx.tx, &circle, &proof.device)?, secret_of(&cx.tx, &circle, &invite)?));
    }
    let mut said = Word::Unknown;
    for (circle, invite) in found {
        let request = RequestRow::get(&cx.tx, &circle.id(), &proof.device)?;
        let secret = secret_of(&cx.tx, &circle.id(), &invite)?;
        if matches!(said, Word::Unknown) {
            said = word(circle, cx, proof, (invite, secret), request);
        }
    }
    Ok(said)
}

fn word(
    circle: &CircleState,
    cx: &mut Cx<'_, '_>,
    proof: &TicketProof,
    (invite, secret): (ActId, Option<Secret>),
    request: Option<RequestRow>,
) -> Word {
    if circle.is_current(&proof.device) {
        return Word::Something(circle.id(), None);
    }
    if let Some(row) = request {
        let waits = Word::Something(circle.id(), Some(TicketAnswer::Waiting));
        return if row.declined { Word::Nothing(TicketAnswer::Declined) } else { waits };
    }
    let Some(secret) = secret else { return Word::Unknown };
    if let Some(why) = why_not(invite_status(circle, &invite, cx.env.now)) {
        return Word::Nothing(TicketAnswer::Refused(why));
    }
    let card = card(circle, cx.env.crypto, &proof.key);
    let sealed = crypto::seal(&ticket::card_key(&circle.id(), &secret), cx.env.rng, &proof.key.0, &codec::encode(&card));
    Word::Something(circle.id(), Some(TicketAnswer::Card(Bytes(sealed))))
}

/// Why nobody comes in by an invite; `None` where somebody does.
pub(super) const fn why_not(status: InviteStatus) -> Option<Refusal> {
    match status {
        InviteStatus::Open => None,
        InviteStatus::Expired => Some(Refusal::Expired),
        InviteStatus::Used => Some(Refusal::Used),
        InviteStatus::Revoked => Some(Refusal::Closed),
    }
}

/// How an invite stands.
pub(crate) fn invite_status(circle: &CircleState, invite: &ActId, now: Millis) -> InviteStatus {
    let state = circle.now();
    state.invites.get(invite).map_or(InviteStatus::Revoked, |open| InviteRow::of(invite, open).status(now))
}

/// What a card's signature covers.
pub(crate) fn card_parts(card: &Card, ticket: &DeviceId) -> Vec<u8> {
    let mut bare = card.clone();
    bare.signature = crypto::Signature([0; 64]);
    codec::encode(&(bare, ticket))
}

fn card(circle: &CircleState, crypto: &dyn Crypto, ticket: &DeviceId) -> Card {
    let state = circle.now();
    let stewards = state.people.values().filter(|p| p.role.is_some_and(|role| role >= Role::Steward));
    let devices = stewards.flat_map(|p| p.devices.iter()).take(limits::HEADS);
    let mut card = Card {
        circle_name: Private(circle.name()),
        inviter_name: circle.own().name().clone(),
        members: u32::try_from(state.people.values().filter(|p| !p.devices.is_empty()).count()).unwrap_or(u32::MAX),
        agreement: Private(circle.agreement()),
        history: circle.history(),
        retention: circle.retention(),
        suite: circle.suite().byte(),
        stewards: devices.filter_map(|d| Some(StewardKey { device: *d, hpke: circle.keys_of(d)?.hpke.clone() })).collect(),
        signature: crypto::Signature([0; 64]),
        open_since: circle.open_since(),
        shortened: terms::shortened(&circle.retention_terms()),
    };
    card.signature = crypto.sign(circle.signer(), CARD, &[&card_parts(&card, ticket)]);
    card
}
