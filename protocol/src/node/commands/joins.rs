//! Commands of somebody who comes in by a link.

use super::circles::name_or_usual;
use crate::circle::overview::Overview;
use crate::circle::state::OwnStanding;
use crate::circle::summary::Summary;
use crate::circle::ticket::Ticket;
use crate::context::{Cx, InputError};
use crate::control::{self, Code, Error, Hint};
use crate::crypto::{DeviceSecrets, Suite};
use crate::id::CircleId;
use crate::io::{Answer, CallId};
use crate::limits::PREVIEWS;
use crate::node::named::parse_link;
use crate::node::{NodeState, shown};
use crate::peer::join;
use crate::peer::join_row::{JoinRow, Looking};
use crate::time::DAY;

fn not_expired(ticket: &Ticket, cx: &Cx<'_, '_>) -> Result<(), InputError> {
    // Only the admitting steward's clock decides; this spares a wait that must end in a no.
    if cx.env.now > ticket.expires.plus(DAY) {
        return Err(InputError::not_found("The invite has expired.", "Ask for a new invite."));
    }
    Ok(())
}

/// Shows what a link offers; answered when the card came.
pub(crate) fn preview(node: &mut NodeState, cx: &mut Cx<'_, '_>, call: CallId, link: &str) -> Result<(), InputError> {
    let ticket = parse_link(link)?;
    not_expired(&ticket, cx)?;
    if node.peers.looking.len() >= PREVIEWS {
        return Err(InputError::usage("Several links are being looked at already.", "Wait a moment and try again."));
    }
    let secrets = DeviceSecrets::generate(cx.env.rng, Suite::X25519);
    node.peers.looking.push(Looking { call, ticket, secrets, since: cx.env.now });
    call_again(node, cx)
}

/// Calls whom tickets name, at once; where a stream is open already, greets on it.
fn call_again(node: &mut NodeState, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
    node.peers.call_whom(&node.circles, Some(&mut *cx.env));
    node.peers.dialer.all_now();
    let links: Vec<crate::io::Link> = node.peers.sessions.keys().copied().collect();
    for link in links {
        join::greet(&mut node.peers, cx, link)?;
    }
    Ok(())
}

/// Asks to join.
pub(crate) fn accept(node: &mut NodeState, cx: &mut Cx<'_, '_>, accept: &control::Accept) -> Result<Answer, InputError> {
    let ticket = parse_link(&accept.link)?;
    let name = name_or_usual(cx, &accept.as_name)?;
    let id = ticket.circle;
    if let Some(circle) = node.circles.all.get(&id) {
        if circle.standing() == OwnStanding::Admitted && accept.confirm {
            join::confirm_join(&mut node.circles, &mut node.peers, cx, &id)?;
            return Ok(node.peers.joins.get(&id).map_or(Answer::Done, |join| Answer::Join(show_join(node, join))));
        } else if circle.is_in() && !node.peers.joins.contains_key(&id) {
            return Err(InputError::usage("You are in this circle already.", Hint::run("circle", "list", &[], "shows it")));
        }
        if let Some(join) =
            node.peers.joins.get(&id).filter(|join| !join.over() || matches!(circle_standing(node, &id), Some(OwnStanding::In)))
        {
            return Ok(Answer::Join(show_join(node, join)));
        }
    }
    if let Some(join) = node.peers.joins.get_mut(&id).filter(|join| join.open() && join.ticket.secret == ticket.secret) {
        join.confirm |= accept.confirm;
        // The same invite with other addresses: the link that was typed last says where to ask.
        join.ticket = ticket;
        join.save(cx);
    } else {
        not_expired(&ticket, cx)?;
        node.room_for(Some(&id), cx.env.now)?;
        let secrets = DeviceSecrets::generate(cx.env.rng, Suite::XWing);
        let join = JoinRow::new(ticket, name, accept.confirm, secrets, cx.env.now);
        join.save(cx);
        node.peers.joins.insert(id, join);
    }
    call_again(node, cx)?;
    match node.peers.joins.get(&id) {
        Some(join) => Ok(Answer::Join(show_join(node, join))),
        None => Ok(Answer::Done),
    }
}

fn circle_standing(node: &NodeState, id: &CircleId) -> Option<OwnStanding> {
    node.circles.all.get(id).map(|circle| circle.standing())
}

/// A join as the local API shows it.
fn show_join(node: &NodeState, join: &JoinRow) -> control::Join {
    let circle = node.circles.all.get(&join.ticket.circle);
    shown::join(circle.map(|circle| (Summary::of(circle), Overview::of(circle))), join)
}

fn pick_join(node: &NodeState, text: &str) -> Result<CircleId, InputError> {
    let lower = text.to_lowercase();
    let fits = |j: &&JoinRow| {
        text.len() > 2 && j.ticket.circle.text().starts_with(&lower) || j.circle_name.0.to_lowercase() == lower || text == "-"
    };
    let found: Vec<CircleId> = node.peers.joins.values().filter(fits).map(|j| j.ticket.circle).collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            Err(InputError::not_found("No join under way has that name or id.", Hint::run("", "join", &["LINK"], "starts one")))
        }
        _ => Err(InputError::Refused(Error::new(Code::Ambiguous, "Several joins are under way.", "Name one by its id."))),
    }
}

/// Yes, having seen the members.
pub(crate) fn confirm(node: &mut NodeState, cx: &mut Cx<'_, '_>, circle: &str) -> Result<Answer, InputError> {
    let id = pick_join(node, circle)?;
    if node.circles.all.get(&id).is_some_and(|c| c.standing() == OwnStanding::Admitted) {
        join::confirm_join(&mut node.circles, &mut node.peers, cx, &id)?;
    } else if node.peers.joins.get(&id).is_some_and(JoinRow::open) {
        return Err(InputError::usage("A steward has not approved yet.", Hint::run("", "join", &[], "goes on waiting")));
    }
    match node.peers.joins.get(&id) {
        Some(join) => Ok(Answer::Join(show_join(node, join))),
        None => Ok(Answer::Done),
    }
}

/// No; only the stewards saw the name that was given.
pub(crate) fn abandon(node: &mut NodeState, cx: &mut Cx<'_, '_>, circle: &str) -> Result<Answer, InputError> {
    let id = pick_join(node, circle)?;
    if let Some(circle) = node.circles.all.get_mut(&id).filter(|c| c.standing() == OwnStanding::Admitted) {
        circle.decline(cx)?;
        node.circles.touched(id);
    }
    join::take_back(&node.peers, cx, &id);
    join::forget(&mut node.circles, &mut node.peers, cx, &id)?;
    Ok(Answer::Done)
}
