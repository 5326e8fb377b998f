//! Newcomers, seen from outside: asking with a ticket, being shown the card, waiting, being let in.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::BTreeMap;

use super::Peers;
use super::frame::{Card, Frame, Refusal, RequestBody, TicketAnswer, TicketProof};
use super::join_row::{JoinReason, JoinRow};
use super::session::{Arriving, AskedWith, Session, send};
use super::{hello, tickets, welcome};
use crate::circle::record;
use crate::circle::state::{ActTaken, CircleRow, CircleState, OwnStanding};
use crate::circle::text;
use crate::circle::ticket::Ticket;
use crate::codec;
use crate::context::{Cx, InputError};
use crate::control::{self, JoinStatus, Time};
use crate::crypto::{self, HpkeSecret, Suite};
use crate::id::{CircleId, Incarnation, PeerId};
use crate::io::{Answer, Effect, Link};
use crate::limits;
use crate::store::Table;
use crate::sync::circles::Circles;
use crate::sync::message::{Acts, Bytes, Request, SealedRequest};
use crate::time::{DAY, MINUTE};

/// On a link that we opened to a ticket's peer: prove the ticket. A look at a link is answered first: a request that waits
/// goes on waiting meanwhile.
pub(crate) fn greet(peers: &mut Peers, cx: &mut Cx<'_, '_>, link: Link) -> Result<(), InputError> {
    let Some(session) = peers.sessions.get(&link).filter(|s| s.ask_again.is_none_or(|at| at <= cx.env.now)) else {
        return Ok(());
    };
    let Some(their_salt) = session.their_salt else { return Ok(()) };
    let named = |ticket: &Ticket| ticket.hints.iter().any(|hint| hint.peer == session.peer);
    let mut looking = peers.looking.iter().filter(|l| named(&l.ticket)).map(|l| (&l.ticket, &l.secrets));
    let mut joining = peers.joins.values().filter(|j| j.open() && named(&j.ticket)).map(|j| (&j.ticket, &j.secrets));
    let found = match session.asked {
        None => looking.next().or_else(|| joining.next()),
        // Nothing is under way for somebody who waits.
        Some(asked) if peers.waits(&asked) && session.arriving.is_none() => looking.next(),
        Some(_) => None,
    };
    let Some((ticket, secrets)) = found else { return Ok(()) };
    let device = secrets.sign.id();
    let bound = tickets::proof_parts((&peers.peer, &session.my_salt), (&session.peer, &their_salt), &device);
    let key = ticket.key();
    let proof = TicketProof {
        key: key.id(),
        signature: cx.env.crypto.sign(&key, tickets::TICKET, &[&bound]),
        device,
        device_signature: cx.env.crypto.sign(&secrets.sign, tickets::TICKET, &[&bound]),
    };
    let asked = AskedWith { circle: ticket.circle, key: key.id() };
    cx.tx.then(Effect::Widen(link));
    send(cx, link, &Frame::Ticket(proof));
    if let Some(session) = peers.sessions.get_mut(&link) {
        (session.asked, session.ask_again) = (Some(asked), None);
    }
    Ok(())
}

impl Peers {
    /// Does a request that was made with that ticket wait for somebody's decision?
    fn waits(&self, asked: &AskedWith) -> bool {
        self.joins.get(&asked.circle).is_some_and(|join| join.status == JoinStatus::Requested && asked.is(&join.ticket))
    }
}

/// A member answers our ticket.
pub(crate) fn answered(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    answer: &TicketAnswer,
) -> Result<(), InputError> {
    let Some(asked) = peers.sessions.get(&link).and_then(|s| s.asked) else { return Ok(()) };
    match answer {
        TicketAnswer::Card(sealed) => card(peers, cx, link, &asked, sealed)?,
        TicketAnswer::Waiting => with_join(peers, cx, &asked, |join, cx| join.set(cx, JoinStatus::Requested, None)),
        TicketAnswer::Declined => {
            with_join(peers, cx, &asked, |join, cx| join.set(cx, JoinStatus::Declined, None));
        }
        TicketAnswer::Refused(Refusal::Busy) => {
            busy(peers, cx, link, &asked);
            return Ok(());
        }
        TicketAnswer::Refused(why) => refused(peers, cx, &asked, *why),
        TicketAnswer::Welcome(acts, records) => welcomed(circles, peers, cx, link, &asked.circle, acts, records)?,
    }
    // One ticket at a time on a link: the next one once nobody waits for an answer to this one.
    let waits = peers.joins.get(&asked.circle).is_some_and(|join| join.open() && asked.is(&join.ticket))
        || peers.looking.iter().any(|l| asked.is(&l.ticket));
    if !waits && let Some(session) = peers.sessions.get_mut(&link) {
        session.asked = None;
    }
    greet(peers, cx, link)
}

fn with_join(peers: &mut Peers, cx: &mut Cx<'_, '_>, asked: &AskedWith, then: impl FnOnce(&mut JoinRow, &mut Cx<'_, '_>)) {
    if let Some(join) = peers.joins.get_mut(&asked.circle).filter(|join| join.open() && asked.is(&join.ticket)) {
        then(join, cx);
    }
}

fn refused(peers: &mut Peers, cx: &mut Cx<'_, '_>, asked: &AskedWith, why: Refusal) {
    let reason = match why {
        Refusal::Expired => JoinReason::Expired,
        Refusal::Used => JoinReason::Used,
        Refusal::Closed => JoinReason::Revoked,
        Refusal::Unknown | Refusal::Busy | Refusal::Later(_) => JoinReason::Unknown,
    };
    let error = control::Error::new(control::Code::NotFound, reason.words(), reason.advice());
    for looking in peers.take_looking(|l| asked.is(&l.ticket)) {
        cx.tx.then(Effect::Reply(looking.call, Err(error.clone())));
    }
    with_join(peers, cx, asked, |join, cx| join.set(cx, JoinStatus::Refused, Some(reason)));
}

/// Too many ask there at the moment: anyone who looks is told, anyone who wants to join asks again in a minute.
fn busy(peers: &mut Peers, cx: &mut Cx<'_, '_>, link: Link, asked: &AskedWith) {
    let reason = JoinReason::Busy;
    let error = control::Error::new(control::Code::Failed, reason.words(), reason.advice());
    for looking in peers.take_looking(|l| asked.is(&l.ticket)) {
        cx.tx.then(Effect::Reply(looking.call, Err(error.clone())));
    }
    with_join(peers, cx, asked, |join, cx| join.set(cx, join.status, Some(reason)));
    if let Some(session) = peers.sessions.get_mut(&link) {
        (session.asked, session.ask_again) = (None, Some(cx.env.now.plus(MINUTE)));
    }
}

/// Asks again where we were told to, if its time has come.
pub(crate) fn ask_again(peers: &mut Peers, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
    let due = |s: &Session| s.ask_again.is_some_and(|at| at <= cx.env.now);
    let links: Vec<Link> = peers.sessions.iter().filter(|(_, s)| due(s)).map(|(link, _)| *link).collect();
    for link in links {
        greet(peers, cx, link)?;
        if let Some(session) = peers.sessions.get_mut(&link) {
            session.ask_again = None;
        }
    }
    Ok(())
}

/// The card came: show it to anyone who looks, and ask to come in where that was wanted.
fn card(peers: &mut Peers, cx: &mut Cx<'_, '_>, link: Link, asked: &AskedWith, sealed: &Bytes) -> Result<(), InputError> {
    for looking in peers.take_looking(|l| asked.is(&l.ticket)) {
        let answer = match open_card(cx, &looking.ticket, sealed) {
            Some(card) => Ok(Answer::Preview(preview(&looking.ticket, &card))),
            None => Err(control::Error::new(
                control::Code::Failed,
                "The invite could not be verified.",
                "Ask the inviter for a new link.",
            )),
        };
        cx.tx.then(Effect::Reply(looking.call, answer));
    }
    let join = peers.joins.get_mut(&asked.circle).filter(|join| join.open() && asked.is(&join.ticket));
    let Some(join) = join else { return Ok(()) };
    let Some(card) = open_card(cx, &join.ticket, sealed) else { return Err(InputError::Peer("a card that does not verify")) };
    let Some(suite) = Suite::from_byte(card.suite) else {
        join.set(cx, JoinStatus::Refused, Some(JoinReason::NewerKith));
        return Ok(());
    };
    if join.suite != card.suite {
        join.suite = card.suite;
        join.secrets.hpke = HpkeSecret::generate(cx.env.rng, suite);
    }
    join.circle_name = card.circle_name.clone();
    join.save(cx);
    let request = request(join, &card, suite, cx);
    send(cx, link, &Frame::Request(request));
    Ok(())
}

fn open_card(cx: &Cx<'_, '_>, ticket: &Ticket, sealed: &Bytes) -> Option<Card> {
    let key = ticket.key().id();
    let plain = crypto::open(&ticket.card_key(), &key.0, &sealed.0)?;
    let card: Card = codec::decode_within(&plain, limits::FRAME_BYTES, "card").ok()?;
    let right = cx.env.crypto.verify(&ticket.inviter, tickets::CARD, &[&tickets::card_parts(&card, &key)], &card.signature);
    let fits = card.stewards.len() <= limits::HEADS
        && text::is_name(&card.circle_name.0)
        && text::is_name(&card.inviter_name.0)
        && card.agreement.0.len() <= limits::AGREEMENT_BYTES;
    (right && fits).then_some(card)
}

fn preview(ticket: &Ticket, card: &Card) -> control::Preview {
    control::Preview {
        circle: card.circle_name.0.clone(),
        inviter: card.inviter_name.0.clone(),
        members: card.members,
        agreement: card.agreement.0.clone(),
        history: crate::circle::text::history(card.history),
        retention: crate::circle::text::retention(card.retention),
        open_since: card.open_since.map(Time),
        shortened: card.shortened.map(text::shortened),
        visible_to:
            "stewards see the name you give when you ask; all members see it once you have seen who they are and said yes".into(),
        role: ticket.role,
        expires_at: Time(ticket.expires),
    }
}

fn request(join: &JoinRow, card: &Card, suite: Suite, cx: &mut Cx<'_, '_>) -> Request {
    let circle = join.ticket.circle;
    let keys = join.secrets.keys();
    let agreement = (!card.agreement.0.is_empty()).then(|| record::agreement_digest(&card.agreement.0));
    let bound = codec::encode(&(circle, &keys, &agreement));
    let ticket = join.ticket.key();
    let body = RequestBody {
        keys,
        name: join.name.clone(),
        agreement,
        ticket_signature: welcome::sign_request(cx.env.crypto, &ticket, &bound),
        signature: welcome::sign_request(cx.env.crypto, &join.secrets.sign, &bound),
    };
    let plain = codec::encode(&body);
    let mut sealed = Vec::new();
    for steward in &card.stewards {
        let info = codec::encode(&(welcome::REQUEST, circle, steward.device));
        if let Some(bytes) = cx.env.crypto.box_seal(cx.env.rng, suite, &steward.hpke, &info, &plain) {
            sealed.push(SealedRequest { to: steward.device, sealed: bytes });
        }
    }
    Request { ticket: ticket.id(), device: join.secrets.sign.id(), sealed, taken_back: None }
}

/// Takes a request back: tells everybody it was made to who is connected. Others who keep it hear of it from them.
pub(crate) fn take_back(peers: &Peers, cx: &mut Cx<'_, '_>, id: &CircleId) {
    let Some(join) = peers.joins.get(id).filter(|join| join.status == JoinStatus::Requested) else { return };
    let (ticket, device) = (join.ticket.key().id(), join.secrets.sign.id());
    let signature =
        cx.env.crypto.sign(&join.secrets.sign, welcome::TAKEN_BACK, &[&welcome::taken_back_parts(id, &ticket, &device)]);
    let links = peers.sessions.iter().filter(|(_, session)| session.asked.is_some_and(|asked| asked.is(&join.ticket)));
    for (link, _) in links {
        send(cx, *link, &Frame::Request(Request { ticket, device, sealed: Vec::new(), taken_back: Some(signature) }));
    }
}

/// Admitted: take keys and acts, judge them, see who is there. Nobody sees anything of the circle before its last part is here.
fn welcomed(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    asked: &CircleId,
    acts: &Acts,
    records: &[Bytes],
) -> Result<(), InputError> {
    let Some(join) = peers.joins.get(asked).filter(|join| join.open()) else { return Ok(()) };
    let Some(session) = peers.sessions.get_mut(&link) else { return Ok(()) };
    session.welcomed += 1;
    if session.welcomed > limits::WELCOME_PARTS || acts.acts.len() > limits::FRAME_ACTS {
        return Err(InputError::Peer("a welcome without end"));
    }
    let mut arriving = match session.arriving.take().filter(|arriving| arriving.circle.device() == join.secrets.sign.id()) {
        Some(arriving) => arriving,
        None => match arrive(cx, join)? {
            Some(arriving) => arriving,
            None => return Ok(()),
        },
    };
    let Arriving { circle, offered } = &mut *arriving;
    if let Some(sealed) = &acts.keys {
        offered.extend(circle.open_box(cx.env.crypto, &sealed.0));
    }
    for bytes in &acts.acts {
        if circle.take_act(cx, &bytes.0, offered)? == ActTaken::Bad {
            peers.part_with(cx, link, "an act that is not what it claims");
            return Ok(());
        }
    }
    // What comes now is kept before anybody has shown that we are in.
    if circle.judged().len() > limits::WELCOME_ACTS
        || circle.weight() > limits::WELCOME_BYTES
        || offered.len() > limits::HELD_ACTS
    {
        return Err(InputError::Peer("a welcome without end"));
    }
    for bytes in records.iter().take(limits::FRAME_RECORDS) {
        circle.take_record(cx, &bytes.0);
    }
    if records.is_empty() {
        session.arriving = Some(arriving);
        send(cx, link, &Frame::Taken(acts.weight()));
        return Ok(());
    }
    settled(circles, peers, cx, *arriving)
}

/// The circle of a join, before anything of it has come. Anyone who was in before comes back as a new device; what they held of
/// the circle stays theirs.
fn arrive(cx: &mut Cx<'_, '_>, join: &JoinRow) -> Result<Option<Box<Arriving>>, InputError> {
    let Some(suite) = Suite::from_byte(join.suite) else { return Ok(None) };
    let (id, secrets, name) = (join.ticket.circle, join.secrets.clone(), join.name.0.clone());
    let row = CircleRow::new(id, secrets, Incarnation(cx.random()), name, OwnStanding::Admitted, suite);
    let circle = CircleState::load(&cx.tx, cx.env.crypto, row)?;
    Ok(Some(Box::new(Arriving { circle, offered: BTreeMap::new() })))
}

/// All of a welcome is here.
fn settled(circles: &mut Circles, peers: &mut Peers, cx: &mut Cx<'_, '_>, arriving: Arriving) -> Result<(), InputError> {
    let Arriving { mut circle, offered } = arriving;
    let id = circle.id();
    circle.take_keys(cx, offered);
    if !circle.is_current(&circle.device()) && !circle.unread().is_empty() {
        // Our admission rests on something that only a newer program can judge.
        if let Some(join) = peers.joins.get_mut(&id).filter(|join| join.open()) {
            join.set(cx, JoinStatus::Refused, Some(JoinReason::NewerKith));
        }
        return Ok(());
    }
    if !circle.is_current(&circle.device()) {
        return Err(InputError::Peer("a welcome into a circle that does not know us"));
    }
    circle.save_row(cx);
    circles.put_circle(circle);
    circles.touched(id);
    if let Some(join) = peers.joins.get_mut(&id).filter(|join| join.open()) {
        join.set(cx, JoinStatus::Admitted, None);
    }
    let confirm = peers.joins.get(&id).is_some_and(|join| join.confirm);
    if confirm { confirm_join(circles, peers, cx, &id) } else { Ok(()) }
}

/// Yes: publish the name, meet the others.
pub(crate) fn confirm_join(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    id: &CircleId,
) -> Result<(), InputError> {
    let Some(circle) = circles.all.get_mut(id) else { return Ok(()) };
    circle.confirm(cx);
    circle.publish(cx, &peers.addresses);
    let members: Vec<PeerId> = circle.records().map(|r| r.body.peer.clone()).collect();
    if let Some(join) = peers.joins.get_mut(id) {
        join.set(cx, JoinStatus::Joined, None);
    }
    circles.touched(*id);
    // Streams opened before had nothing to prove in this circle.
    let links: Vec<Link> = peers.sessions.iter().filter(|(_, s)| members.contains(&s.peer)).map(|(link, _)| *link).collect();
    for link in links {
        hello::present(circles, peers, cx, link, id);
    }
    peers.dialer.all_now();
    Ok(())
}

/// Looks that nobody answered, and joins that are long over.
pub(crate) fn tidy(circles: &mut Circles, peers: &mut Peers, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
    let now = cx.env.now;
    for looking in peers.take_looking(|l| now.since(l.since) > limits::PREVIEW_MILLIS) {
        let error = control::Error::new(
            control::Code::TimedOut,
            "Nobody named in the invite could be reached.",
            "Ask the inviter to start Kith and try again.",
        );
        cx.tx.then(Effect::Reply(looking.call, Err(error)));
    }
    let over: Vec<CircleId> = peers.joins.iter().filter(|(_, j)| j.over() && now.since(j.at) > DAY).map(|(id, _)| *id).collect();
    for id in over {
        forget(circles, peers, cx, &id)?;
    }
    Ok(())
}

/// Forgets a join, and where it came to nothing all that came with it: acts, keys and records of a circle that we are not in.
pub(crate) fn forget(circles: &mut Circles, peers: &mut Peers, cx: &mut Cx<'_, '_>, id: &CircleId) -> Result<(), InputError> {
    if let Some(join) = peers.joins.remove(id) {
        // Nobody waits for an answer to it any more: another ticket may be shown on the same link.
        for session in peers.sessions.values_mut().filter(|session| session.asked.is_some_and(|asked| asked.is(&join.ticket))) {
            session.asked = None;
        }
    }
    JoinRow::delete(cx, id);
    if CircleRow::get(&cx.tx, id)?.is_some() {
        return Ok(());
    }
    circles.all.remove(id);
    circles.heads.remove(id);
    for table in [Table::Act, Table::Epoch, Table::Record] {
        cx.tx.delete_all(table, &id.0)?;
    }
    Ok(())
}
