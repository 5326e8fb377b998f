//! Newcomers, seen from inside: proving a ticket, the card, keeping requests until a steward looks, letting in.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use super::Peers;
use super::frame::{Frame, Refusal, RequestBody, TicketAnswer};
use super::requests::{RequestRow, Requests};
use super::session::Session;
use super::session::{say, send};
use super::tickets::{invite_status, refuse, why_not};
use crate::circle::body::{History, Role, Statement};
use crate::circle::record::Record;
use crate::circle::state::{CircleRow, CircleState};
use crate::circle::text;
use crate::codec;
use crate::context::{Cx, InputError};
use crate::control::{Code, Error, Hint, InviteStatus, Subject, Topic, WatchChange, WatchEvent};
use crate::crypto::{self, Crypto, SigningKey};
use crate::id::{CircleId, DeviceId, PersonId};
use crate::io::{Effect, Link};
use crate::limits;
use crate::sync::act_batches::ActBatches;
use crate::sync::circles::Circles;
use crate::sync::message::{Acts, Bytes, Message, Request};

pub(crate) const REQUEST: &str = "kith/v1/request";
pub(crate) const TAKEN_BACK: &str = "kith/v1/request-taken-back";

// ---- requests -------------------------------------------------------------------------------------------------------

/// A proved ticket's holder asks to come in.
pub(crate) fn request(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    request: Request,
) -> Result<(), InputError> {
    let Some(guest) = peers.sessions.get(&link).and_then(|s| s.guest) else {
        return Err(InputError::Peer("a request without a ticket"));
    };
    if request.device != guest.device || request.ticket != guest.ticket {
        return Err(InputError::Peer("a request by somebody else"));
    }
    if let Some(circle) = circles.all.get(&guest.circle) {
        let ended = forget_requests(circle, &mut peers.requests, cx);
        refuse_guests(peers, cx, &guest.circle, &ended);
    }
    if request.taken_back.is_some() {
        return take_back(circles, peers, cx, &guest.circle, request);
    }
    if !peers.requests.room(&guest.circle) {
        return refuse(cx, link, Refusal::Busy);
    }
    keep_request(circles, peers, cx, &guest.circle, request)?;
    if peers.sessions.get(&link).and_then(|s| s.guest).is_some_and(|g| !g.welcomed) {
        send(cx, link, &Frame::Answer(TicketAnswer::Waiting));
    }
    Ok(())
}

/// Keeps a request, if there is room and it is one. One that cannot be used takes nothing with it.
fn keep_request(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    id: &CircleId,
    request: Request,
) -> Result<(), InputError> {
    let Some(circle) = circles.all.get(id) else { return Ok(()) };
    let known = circle.keys_of(&request.device).is_some() || peers.requests.holds(id, &request.device);
    let open = circle.invite_of(&request.ticket).is_some_and(|i| invite_status(circle, &i, cx.env.now) == InviteStatus::Open);
    let small = request.sealed.len() <= limits::HEADS
        && request.sealed.iter().all(|sealed| sealed.sealed.len() <= limits::SEALED_REQUEST_BYTES);
    if known || !open || !small || !peers.requests.room_by(id, &request.ticket) {
        return Ok(());
    }
    let steward = circle.my_role().is_some_and(|role| role >= Role::Steward);
    let asks = request.taken_back.is_none();
    let mine = asks && steward && request.sealed.iter().any(|sealed| sealed.to == circle.device());
    if mine && open_request(circle.own(), cx.env.crypto, &request).is_none() {
        return Ok(());
    }
    let (device, at_once) = (request.device, mine && !circle.now().approval_required());
    peers.requests.keep(cx, id, &RequestRow { version: 1, request, at: cx.env.now, declined: false });
    if steward && asks {
        tell_watchers(cx, id, &device, WatchChange::New);
    }
    if at_once {
        match admit(circles, peers, cx, id, &device) {
            Ok(_) => return Ok(()),
            // It waits for a steward who can.
            Err(InputError::Refused(_)) => {}
            Err(stop) => return Err(stop),
        }
    }
    for link in peers.links_of(id) {
        forward(circles, peers, cx, link, id, Some(device))?;
    }
    Ok(())
}

/// What is signed by a device that takes its request back.
pub(super) fn taken_back_parts(circle: &CircleId, ticket: &DeviceId, device: &DeviceId) -> Vec<u8> {
    codec::encode(&(circle, ticket, device))
}

/// A request that its device takes back: nobody is asked any more. What stays of it tells the other stewards so, and keeps the request
/// from coming in again by another way. One that never came is kept the same way, if there is room for it.
fn take_back(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    id: &CircleId,
    request: Request,
) -> Result<(), InputError> {
    let (device, ticket) = (request.device, request.ticket);
    let Some(signature) = request.taken_back else { return Ok(()) };
    if !cx.env.crypto.verify(&device, TAKEN_BACK, &[&taken_back_parts(id, &ticket, &device)], &signature) {
        return Ok(());
    }
    let Some(row) = RequestRow::get(&cx.tx, id, &device)? else { return keep_request(circles, peers, cx, id, request) };
    if !row.waits() || row.request.ticket != ticket {
        return Ok(());
    }
    peers.requests.keep(cx, id, &row.taken_back(signature));
    tell_watchers(cx, id, &device, WatchChange::Removed);
    for link in peers.links_of(id) {
        forward(circles, peers, cx, link, id, Some(device))?;
    }
    Ok(())
}

fn tell_watchers(cx: &mut Cx<'_, '_>, id: &CircleId, device: &DeviceId, change: WatchChange) {
    let at = (id.text(), crate::id::short_text('q', &device.0));
    cx.tx.then(Effect::Notify(WatchEvent::new(Topic::Member, at, Subject::Request, change, cx.env.now)));
}

/// Forgets requests that have come to an end: admitted, or by an invite that gives nothing any more. Anyone who asked by such an
/// invite waits for nothing: their device, and why.
#[must_use = "those who wait want to hear of it"]
pub(crate) fn forget_requests(circle: &CircleState, requests: &mut Requests, cx: &mut Cx<'_, '_>) -> Vec<(DeviceId, Refusal)> {
    let mut over = Vec::new();
    for (device, waits) in requests.of(&circle.id()) {
        let why = match circle.invite_of(&waits.ticket) {
            Some(invite) => why_not(invite_status(circle, &invite, cx.env.now)),
            None => Some(Refusal::Unknown),
        };
        let admitted = circle.keys_of(&device).is_some();
        if admitted || why.is_some() {
            over.push((device, why.filter(|_| !admitted && !waits.declined)));
        }
    }
    for (device, _) in &over {
        requests.forget(cx, &circle.id(), device);
    }
    over.into_iter().filter_map(|(device, why)| Some((device, why?))).collect()
}

/// Tells open links of guests that they wait for nothing any more.
pub(crate) fn refuse_guests(peers: &mut Peers, cx: &mut Cx<'_, '_>, id: &CircleId, ended: &[(DeviceId, Refusal)]) {
    for (link, session) in &mut peers.sessions {
        let Some(guest) = session.guest.filter(|guest| guest.circle == *id) else { continue };
        if let Some((_, why)) = ended.iter().find(|(device, _)| *device == guest.device) {
            session.guest = None;
            send(cx, *link, &Frame::Answer(TicketAnswer::Refused(*why)));
        }
    }
}

/// Passes all that wait on to a steward's device.
pub(crate) fn forward_requests(
    circles: &Circles,
    peers: &Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    id: &CircleId,
) -> Result<(), InputError> {
    forward(circles, peers, cx, link, id, None)
}

/// Passes requests on to a steward's device that can open them: one device's, or all.
fn forward(
    circles: &Circles,
    peers: &Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    id: &CircleId,
    only: Option<DeviceId>,
) -> Result<(), InputError> {
    let Some(circle) = circles.all.get(id) else { return Ok(()) };
    let state = circle.now();
    let Some(shared) = peers.sessions.get(&link).and_then(|s| s.circles.get(id)).filter(|s| s.proved) else { return Ok(()) };
    let role = state.person_of(&shared.device).and_then(|p| state.people.get(&p)?.role);
    if role.is_none_or(|role| role < Role::Steward) {
        return Ok(());
    }
    let (mut together, mut size) = (Vec::new(), 0);
    for device in peers.requests.open_to(id, &shared.device) {
        if only.is_some_and(|only| only != device) {
            continue;
        }
        let Some(row) = RequestRow::get(&cx.tx, id, &device)? else { continue };
        let weight = row.request.sealed.iter().map(|sealed| sealed.sealed.len()).sum::<usize>();
        if together.len() == limits::FRAME_REQUESTS || size + weight > limits::RECORDS_BYTES && !together.is_empty() {
            say(cx, link, shared.mine, Message::Requests(std::mem::take(&mut together)));
            size = 0;
        }
        size += weight;
        together.push(row.request);
    }
    if !together.is_empty() {
        say(cx, link, shared.mine, Message::Requests(together));
    }
    Ok(())
}

/// Requests that another member kept for us.
pub(crate) fn requests(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    id: CircleId,
    requests: Vec<Request>,
) -> Result<(), InputError> {
    if requests.len() > limits::FRAME_REQUESTS {
        return Err(InputError::Peer("more requests than travel together"));
    }
    for request in requests {
        if request.taken_back.is_some() {
            take_back(circles, peers, cx, &id, request)?;
        } else {
            keep_request(circles, peers, cx, &id, request)?;
        }
    }
    Ok(())
}

/// Opens a request that is sealed to this device and checks what it signs.
pub(crate) fn open_request(row: &CircleRow, crypto: &dyn Crypto, request: &Request) -> Option<RequestBody> {
    let me = row.secrets().sign.id();
    let sealed = request.sealed.iter().find(|s| s.to == me)?;
    let info = codec::encode(&(REQUEST, row.circle(), me));
    let plain = crypto.box_open(row.suite()?, &row.secrets().hpke, &info, &sealed.sealed)?;
    let body: RequestBody = codec::decode_within(&plain, limits::ACT_BYTES, "request").ok()?;
    let bound = codec::encode(&(row.circle(), &body.keys, &body.agreement));
    let right = body.keys.sign == request.device
        && text::is_name(&body.name.0)
        && crypto.verify(&request.ticket, REQUEST, &[&bound], &body.ticket_signature)
        && crypto.verify(&request.device, REQUEST, &[&bound], &body.signature);
    right.then_some(body)
}

/// Signs a request with a key.
pub(crate) fn sign_request(crypto: &dyn Crypto, key: &SigningKey, bound: &[u8]) -> crypto::Signature {
    crypto.sign(key, REQUEST, &[bound])
}

// ---- letting in -----------------------------------------------------------------------------------------------------

/// Lets every admitted guest on an open link in.
pub(crate) fn welcome_guests(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    id: &CircleId,
) -> Result<(), InputError> {
    let is_guest = |s: &Session| s.guest.is_some_and(|g| g.circle == *id && !g.welcomed);
    let links: Vec<Link> = peers.sessions.iter().filter(|(_, s)| is_guest(s)).map(|(link, _)| *link).collect();
    for link in links {
        let admitted = peers
            .sessions
            .get(&link)
            .and_then(|s| s.guest)
            .is_some_and(|guest| circles.all.get(id).is_some_and(|circle| circle.is_current(&guest.device)));
        if admitted {
            welcome(circles, peers, cx, link)?;
        }
    }
    Ok(())
}

/// Tells open links of a guest that a steward said no.
pub(crate) fn decline_guest(peers: &Peers, cx: &mut Cx<'_, '_>, id: &CircleId, device: &DeviceId) {
    for (link, session) in &peers.sessions {
        if session.guest.is_some_and(|g| g.circle == *id && g.device == *device) {
            send(cx, *link, &Frame::Answer(TicketAnswer::Declined));
        }
    }
}

/// Keys, all acts and the members' records, for an admitted device that has not said yes yet.
pub(super) fn welcome(circles: &mut Circles, peers: &mut Peers, cx: &mut Cx<'_, '_>, link: Link) -> Result<(), InputError> {
    let Some(guest) = peers.sessions.get(&link).and_then(|s| s.guest) else { return Ok(()) };
    let Some(circle) = circles.all.get(&guest.circle) else { return Ok(()) };
    if !circle.is_current(&guest.device) {
        return refuse(cx, link, Refusal::Closed);
    }
    let Some(session) = peers.sessions.get_mut(&link) else { return Ok(()) };
    let sent = &mut session.welcome;
    // A talk key they may not have is not lacking either.
    let mut parts = ActBatches::of(circle, cx, guest.device, (&sent.acts, &sent.epochs, &sent.epochs));
    let mut next = parts.next(circle, cx)?;
    while let Some(part) = next {
        if sent.in_flight >= limits::CREDIT_BYTES as u64 {
            return Ok(());
        }
        sent.acts.extend(part.acts);
        sent.epochs.extend(part.keys.iter().map(|(id, _)| *id));
        sent.in_flight += part.message.weight();
        send(cx, link, &Frame::Answer(TicketAnswer::Welcome(part.message, Vec::new())));
        next = parts.next(circle, cx)?;
    }
    send(cx, link, &Frame::Answer(TicketAnswer::Welcome(Acts { keys: None, acts: Vec::new() }, some_records(circle))));
    if let Some(guest) = session.guest.as_mut() {
        guest.welcomed = true;
    }
    Ok(())
}

/// As many records as fit; the others come once they are in.
fn some_records(circle: &CircleState) -> Vec<Bytes> {
    let mut size = 0;
    let fits = |record: &&Record| {
        size += record.bytes.len();
        size <= limits::RECORDS_BYTES
    };
    circle.current_records().take_while(fits).map(|r| Bytes(r.bytes.clone())).collect()
}

/// A newcomer took in so much: the next parts.
pub(crate) fn taken(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    freed: u64,
) -> Result<(), InputError> {
    let Some(session) = peers.sessions.get_mut(&link) else { return Ok(()) };
    if session.welcome.in_flight == 0 || session.guest.is_none_or(|guest| guest.welcomed) {
        return Ok(());
    }
    session.welcome.in_flight = session.welcome.in_flight.saturating_sub(freed);
    welcome(circles, peers, cx, link)
}

/// Admits the device whose request is kept here.
pub(crate) fn admit(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    id: &CircleId,
    device: &DeviceId,
) -> Result<PersonId, InputError> {
    let Some(circle) = circles.all.get_mut(id) else { return Err(InputError::outside()) };
    let row = RequestRow::get(&cx.tx, id, device)?;
    let row =
        row.ok_or_else(|| InputError::not_found("No request has that id.", Hint::run("invite", "pending", &[], "shows them")))?;
    let body = open_request(circle.own(), cx.env.crypto, &row.request).ok_or_else(|| {
        InputError::Refused(Error::new(
            Code::Failed,
            "This request was not sealed to your device.",
            "Another steward can open it; or ask for a new one.",
        ))
    })?;
    let invite = circle.invite_of(&row.request.ticket);
    let invite = invite.ok_or_else(|| InputError::not_found("The invite of this request is gone.", "Make a new invite."))?;
    match invite_status(circle, &invite, cx.env.now) {
        InviteStatus::Open => {}
        InviteStatus::Used => {
            return Err(InputError::Refused(Error::new(Code::NotAllowed, "The invite has been used up.", "Make a new invite.")));
        }
        InviteStatus::Expired => {
            return Err(InputError::Refused(Error::new(Code::NotAllowed, "The invite has expired.", "Make a new invite.")));
        }
        InviteStatus::Revoked => {
            return Err(InputError::Refused(Error::new(Code::NotAllowed, "The invite was revoked.", "Make a new invite.")));
        }
    }
    let role = circle.now().invites.get(&invite).map_or(Role::Guest, |facts| facts.role);
    let person = crate::circle::membership::person_id(id, &body.keys.sign);
    let rekey = circle.history() == History::SinceJoin;
    let statement =
        Statement::Admit { person, role, devices: vec![body.keys], recovery: None, invite: Some(invite), proposal: None };
    circle.write(cx, statement, rekey)?;
    peers.requests.forget(cx, id, device);
    circles.touched(*id);
    Ok(person)
}
