//! Commands about invites, and about those who ask to come in.

use super::inside::inside;
use crate::circle::body::{Role, Statement};
use crate::circle::overview::InviteRow;
use crate::circle::state::CircleState;
use crate::circle::summary::Summary;
use crate::circle::ticket::{self, PeerHint, Secret};
use crate::context::{Cx, InputError};
use crate::control::{self, Code, Error, Hint};
use crate::id::{ActId, short_text};
use crate::io::Answer;
use crate::limits;
use crate::lines::grouped;
use crate::node::named::by_prefix;
use crate::node::{NodeState, shown};
use crate::peer::requests::RequestRow;
use crate::peer::tickets;
use crate::peer::welcome;
use crate::time::HOUR;

/// A new invite.
pub(crate) fn new_invite(
    node: &mut NodeState,
    cx: &mut Cx<'_, '_>,
    circle: &str,
    new: &control::NewInvite,
) -> Result<Answer, InputError> {
    let addresses = node.peers.addresses.clone();
    let peer = node.peers.peer.clone();
    let (circle, _) = inside(node, cx, circle)?;
    if addresses.is_empty() {
        // A link without an address would look like any other, and bring nobody.
        return Err(InputError::Refused(Error::new(
            Code::Failed,
            "Nobody could use an invite now: this machine has no address yet at which others can reach it.",
            [
                Hint::Text("Wait a moment, or connect to a network.".to_owned()),
                Hint::run("", "status", &[], "shows the addresses"),
            ],
        )));
    }
    let role = new.role.unwrap_or(Role::Member);
    if role > Role::Member {
        return Err(InputError::usage(
            "An invite gives the role of member or guest.",
            Hint::run("member", "role", &["NAME", "ROLE"], "sets a higher role once they are in"),
        ));
    }
    let uses = new.uses.max(1);
    if uses > limits::INVITE_USES {
        return Err(InputError::usage(
            &format!("An invite brings at most {} people.", grouped(limits::INVITE_USES)),
            "Make several.",
        ));
    }
    let lasts = if new.expires_in == 0 { limits::INVITE_HOURS * HOUR } else { new.expires_in };
    let expires = cx.env.now.plus(lasts);
    let secret = Secret(cx.random());
    let key = ticket::ticket_key(&circle.id(), &secret).id();
    let act = circle.write(cx, Statement::Invite { role, uses, key, expires }, false)?;
    tickets::keep_secret(cx, &circle.id(), &act, &secret);
    let shown = invite(circle, cx, &act, &PeerHint { peer, addresses })?;
    let id = circle.id();
    node.circles.touched(id);
    shown.map(Answer::Invite).ok_or_else(|| InputError::not_found("The invite could not be created.", "Try again."))
}

/// An invite as the local API shows it.
fn invite(circle: &CircleState, cx: &Cx<'_, '_>, act: &ActId, here: &PeerHint) -> Result<Option<control::Invite>, InputError> {
    let Some(row) = circle.now().invites.get(act).map(|open| InviteRow::of(act, open)) else { return Ok(None) };
    let secret = tickets::secret_of(&cx.tx, &circle.id(), act)?;
    Ok(Some(shown::invite((circle.id(), circle.device()), &row, secret, here, cx.env.now)))
}

/// Close an invite.
pub(crate) fn revoke_invite(node: &mut NodeState, cx: &mut Cx<'_, '_>, circle: &str, id: &str) -> Result<Answer, InputError> {
    let here = PeerHint { peer: node.peers.peer.clone(), addresses: node.peers.addresses.clone() };
    let (circle, _) = inside(node, cx, circle)?;
    let state = circle.now();
    let all = state.invites.keys().map(|act| (short_text('i', &act.0), *act));
    let act = by_prefix(all, id, "invite", Hint::run("invite", "list", &[], "shows them"))?;
    circle.write(cx, Statement::Uninvite { invite: act }, false)?;
    let shown = invite(circle, cx, &act, &here)?;
    let id = circle.id();
    node.circles.touched(id);
    Ok(shown.map_or(Answer::Done, Answer::Invite))
}

fn pick_request(cx: &Cx<'_, '_>, circle: &CircleState, text: &str) -> Result<RequestRow, InputError> {
    let rows: Vec<RequestRow> = RequestRow::all(&cx.tx, &circle.id())?.into_iter().filter(RequestRow::waits).collect();
    let named = rows.iter().enumerate().filter(|(_, row)| {
        welcome::open_request(circle.own(), cx.env.crypto, &row.request)
            .is_some_and(|body| body.name.0.to_lowercase() == text.to_lowercase())
    });
    let named: Vec<usize> = named.map(|(at, _)| at).collect();
    let at = match named.as_slice() {
        [one] => *one,
        _ => {
            let all = rows.iter().enumerate().map(|(at, row)| (short_text('q', &row.request.device.0), at));
            by_prefix(all, text, "request", Hint::run("invite", "pending", &[], "shows them"))?
        }
    };
    rows.into_iter()
        .nth(at)
        .ok_or_else(|| InputError::not_found("No request has that id.", Hint::run("invite", "pending", &[], "shows them")))
}

/// Lets somebody in who asks.
pub(crate) fn approve(node: &mut NodeState, cx: &mut Cx<'_, '_>, circle: &str, request: &str) -> Result<Answer, InputError> {
    let (circle, _) = inside(node, cx, circle)?;
    let id = circle.id();
    let row = pick_request(cx, circle, request)?;
    let person = welcome::admit(&mut node.circles, &mut node.peers, cx, &id, &row.request.device)?;
    let Some(circle) = node.circles.all.get(&id) else { return Ok(Answer::Done) };
    let summary = Summary::of(circle);
    Ok(summary.row_of(&person).map_or(Answer::Done, |row| Answer::Member(summary.member(row))))
}

/// Says no.
pub(crate) fn decline(node: &mut NodeState, cx: &mut Cx<'_, '_>, circle: &str, request: &str) -> Result<Answer, InputError> {
    let (circle, _) = inside(node, cx, circle)?;
    if circle.my_role().is_none_or(|role| role < Role::Steward) {
        return Err(InputError::not_allowed("Only stewards decide on requests."));
    }
    let id = circle.id();
    let mut row = pick_request(cx, circle, request)?;
    row.declined = true;
    node.peers.requests.keep(cx, &id, &row);
    welcome::decline_guest(&node.peers, cx, &id, &row.request.device);
    Ok(Answer::Done)
}
