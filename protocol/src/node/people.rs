//! Commands about circles and people: founding, policies, invites, joining, leaving.

use std::collections::BTreeMap;

use super::NodeState;
use crate::circle::act::{self, ActBody, ActPlace};
use crate::circle::body::{Policy, Role, Statement};
use crate::circle::epoch;
use crate::circle::overview::{InviteRow, Overview};
use crate::circle::state::{CircleRow, CircleState, OwnStanding, Taken};
use crate::circle::summary::{self, Summary};
use crate::circle::text;
use crate::circle::ticket::{self, PeerHint, Secret, Ticket, TicketError};
use crate::codec;
use crate::context::{Cx, InputError};
use crate::control::{self, Code, Error, Hint, InviteStatus, Time};
use crate::crypto::{DeviceSecrets, Suite};
use crate::id::{ActId, CircleId, DeviceId, Incarnation, short_text};
use crate::io::{Answer, CallId};
use crate::limits;
use crate::peer::join;
use crate::peer::join_row::{JoinRow, Looking};
use crate::peer::requests::RequestRow;
use crate::peer::tickets;
use crate::peer::welcome;
use crate::private::Private;
use crate::store::{Read, Table};
use crate::time::HOUR;

// ---- this machine's member ------------------------------------------------------------------------------------------

/// First start.
pub(crate) fn init(cx: &mut Cx<'_, '_>, name: &str) -> Result<Answer, InputError> {
    let name = text::name(name, "you")?;
    cx.tx.put(Table::Local, b"name", codec::encode(&Private(name)));
    Ok(Answer::Done)
}

/// The usual name.
pub(crate) fn usual_name(read: &dyn Read) -> Result<String, crate::store::StoreError> {
    let bytes = read.get(Table::Local, b"name")?;
    Ok(bytes.and_then(|b| codec::decode::<Private<String>>(&b, "name").ok()).map(|name| name.0).unwrap_or_default())
}

fn name_or_usual(cx: &Cx<'_, '_>, name: &str) -> Result<String, InputError> {
    let name = if name.trim().is_empty() { usual_name(&cx.tx)? } else { name.to_owned() };
    Ok(text::name(&name, "you")?)
}

// ---- circles --------------------------------------------------------------------------------------------------------

/// A new circle.
pub(crate) fn new_circle(node: &mut NodeState, cx: &mut Cx<'_, '_>, new: &control::NewCircle) -> Result<Answer, InputError> {
    node.room_for(None, cx.env.now)?;
    let name = text::name(&new.name, "a circle")?;
    let me = name_or_usual(cx, &new.as_name)?;
    let suite = match new.suite.as_str() {
        "" | "x-wing" => Suite::XWing,
        "x25519" => Suite::X25519,
        _ => return Err(InputError::usage("that is not a suite of keys", "use x-wing or x25519")),
    };
    let history = text::parse_history(&new.history)?;
    let mut policies = vec![
        Policy::Name(Private(name)),
        Policy::History(history),
        Policy::Retention(text::parse_retention(&new.retention)?),
        Policy::MembersInvite(text::parse_invite(&new.invite)?),
        Policy::ApprovalRequired(text::parse_approval(&new.approval)?),
    ];
    if !new.agreement.trim().is_empty() {
        policies.insert(1, Policy::Agreement(Private(agreement(&new.agreement)?)));
    }
    let secrets = DeviceSecrets::generate(cx.env.rng, suite);
    let (epoch, keys) = epoch::new_epoch(cx.env.rng, &[], history);
    let statement =
        Statement::Genesis { devices: vec![secrets.keys()], policies, suite: suite.byte(), recovery: None, nonce: cx.random() };
    let body = ActBody { at: cx.env.now, statement, epoch: Some(epoch.clone()) };
    let place = ActPlace::Genesis { roster: &keys.roster };
    let sealed = act::write_act(cx.env.crypto, cx.env.rng, &secrets.sign, place, &body)
        .map_err(|_| InputError::usage("that is more than a circle's first act can hold", "shorten the agreement"))?;
    let id = sealed.circle();
    let row = CircleRow::new(id, secrets, Incarnation(cx.random()), me, OwnStanding::In, suite);
    let mut circle = CircleState::empty(row);
    let mut offered = BTreeMap::from([(epoch::epoch_id(&id, &epoch), keys)]);
    if circle.take_act(cx, sealed.bytes(), &mut offered)? != Taken::New || circle.my_role() != Some(Role::Founder) {
        return Err(InputError::usage("the circle's first act does not hold", "try again with other settings"));
    }
    circle.save_row(cx);
    circle.publish(cx, &node.peers.addresses);
    let shown = Overview::of(&circle).shown();
    node.circles.put_circle(circle);
    node.circles.touched(id);
    Ok(Answer::Circle(shown))
}

fn agreement(text: &str) -> Result<String, InputError> {
    if text.len() > limits::AGREEMENT_BYTES {
        let message = format!("the agreement is {} kB long; 32 kB is the most", text.len() / 1024);
        return Err(InputError::Refused(Error::new(Code::TooLarge, message, "shorten it")));
    }
    Ok(text.to_owned())
}

/// The circle that a command names.
pub(crate) fn pick(cx: &Cx<'_, '_>, text: &str) -> Result<Summary, InputError> {
    Ok(summary::pick(&Summary::all(&cx.tx)?, text)?.clone())
}

/// The circle that a command names, if one is in it.
pub(super) fn inside<'a>(
    node: &'a mut NodeState,
    cx: &Cx<'_, '_>,
    text: &str,
) -> Result<(&'a mut CircleState, Summary), InputError> {
    let summary = pick(cx, text)?;
    match node.circles.all.get_mut(&summary.id) {
        Some(circle) if circle.row.standing == OwnStanding::In && circle.my_role().is_some() => Ok((circle, summary)),
        _ => Err(InputError::outside()),
    }
}

/// Policies.
pub(crate) fn edit_circle(
    node: &mut NodeState,
    cx: &mut Cx<'_, '_>,
    circle: &str,
    edit: &control::EditCircle,
) -> Result<Answer, InputError> {
    let (circle, _) = inside(node, cx, circle)?;
    let mut set = Vec::new();
    if let Some(name) = &edit.name {
        set.push(Policy::Name(Private(text::name(name, "a circle")?)));
    }
    if let Some(text) = &edit.agreement {
        set.push(Policy::Agreement(Private(agreement(text)?)));
    }
    if let Some(text) = &edit.history {
        set.push(Policy::History(text::parse_history(text)?));
    }
    if let Some(text) = &edit.retention {
        set.push(Policy::Retention(text::parse_retention(text)?));
    }
    if let Some(text) = &edit.invite {
        set.push(Policy::MembersInvite(text::parse_invite(text)?));
    }
    if let Some(text) = &edit.approval {
        set.push(Policy::ApprovalRequired(text::parse_approval(text)?));
    }
    if set.is_empty() {
        return Err(InputError::usage(
            "nothing to change",
            "give at least one of --name --agreement --history --retention --invite --approval",
        ));
    }
    if circle.my_role() != Some(Role::Founder) {
        return Err(InputError::not_allowed("only the founder changes a circle's policies"));
    }
    let history_changed = set.iter().any(|p| matches!(p, Policy::History(value) if *value != circle.history()));
    circle.write(cx, Statement::Policy { set, proposal: None }, false)?;
    if history_changed {
        // Another history applies to new epochs only: start one.
        circle.rotate(cx)?;
    }
    let (id, shown) = (circle.id, Overview::of(circle).shown());
    node.circles.touched(id);
    Ok(Answer::Circle(shown))
}

/// Leave; silent.
pub(crate) fn leave(node: &mut NodeState, cx: &mut Cx<'_, '_>, circle: &str) -> Result<Answer, InputError> {
    let (circle, _) = inside(node, cx, circle)?;
    circle.write(cx, Statement::Leave, false)?;
    circle.row.standing = if circle.others().is_empty() { OwnStanding::Left } else { OwnStanding::Leaving };
    circle.save_row(cx);
    let (id, shown) = (circle.id, Overview::of(circle).shown());
    node.circles.touched(id);
    Ok(Answer::Circle(shown))
}

// ---- invites --------------------------------------------------------------------------------------------------------

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
    let role = if new.role.is_empty() { Role::Member } else { text::parse_role(&new.role)? };
    if role > Role::Member {
        return Err(InputError::usage(
            "an invite gives the role of member or guest",
            Hint::run("member", "role", &["NAME", "ROLE"], "sets a higher role once they are in"),
        ));
    }
    let uses = new.uses.max(1);
    if uses > limits::INVITE_USES {
        return Err(InputError::usage("an invite brings at most 1,000 people", "make several"));
    }
    let lasts = if new.expires_in == 0 { limits::INVITE_HOURS * HOUR } else { new.expires_in };
    let expires = cx.env.now.plus(lasts);
    let secret = Secret(cx.random());
    let key = ticket::ticket_key(&circle.id, &secret).id();
    let act = circle.write(cx, Statement::Invite { role, uses, key, expires }, false)?;
    tickets::keep_secret(cx, &circle.id, &act, &secret);
    let shown = invite(circle, cx, &act, &PeerHint { peer, addresses })?;
    let id = circle.id;
    node.circles.touched(id);
    shown.map(Answer::Invite).ok_or_else(|| InputError::not_found("the invite did not come to stand", "try again"))
}

/// An invite as the local API shows it.
fn invite(circle: &CircleState, cx: &Cx<'_, '_>, act: &ActId, here: &PeerHint) -> Result<Option<control::Invite>, InputError> {
    let Some(row) = circle.now().invites.get(act).map(|open| InviteRow::of(act, open)) else { return Ok(None) };
    let secret = tickets::secret_of(&cx.tx, &circle.id, act)?;
    Ok(Some(show_invite((circle.id, circle.device()), &row, secret, here, cx.env.now)))
}

/// An invite as the local API shows it; with its link where the secret is held here. `whose`: the circle, and this device in it.
pub(crate) fn show_invite(
    whose: (CircleId, DeviceId),
    row: &InviteRow,
    secret: Option<Secret>,
    here: &PeerHint,
    now: crate::time::Millis,
) -> control::Invite {
    let status = row.status(now);
    let link = secret.filter(|_| status == InviteStatus::Open).map(|secret| {
        let hint =
            PeerHint { peer: here.peer.clone(), addresses: here.addresses.iter().take(limits::ADDRESSES).cloned().collect() };
        Ticket::new(whose.0, secret, row.role, row.expires, whose.1, vec![hint]).link()
    });
    control::Invite {
        id: short_text('i', &row.act.0),
        link,
        role: text::role(row.role),
        expires_at: Time(row.expires),
        uses: row.uses,
        used: row.used,
        status,
    }
}

/// One of several by short id or prefix.
fn by_prefix<T: Copy>(all: impl Iterator<Item = (String, T)>, text: &str, what: &str, hint: Hint) -> Result<T, InputError> {
    let found: Vec<(String, T)> = all.filter(|(id, _)| text.len() > 1 && id.starts_with(&text.to_lowercase())).collect();
    match found.as_slice() {
        [(_, one)] => Ok(*one),
        [] => Err(InputError::not_found(&format!("no {what} has that id"), hint)),
        _ => {
            let ids: Vec<&str> = found.iter().take(5).map(|(id, _)| id.as_str()).collect();
            Err(InputError::Refused(Error::new(
                Code::Ambiguous,
                format!("several {what}s begin like that"),
                format!("use more of the id: {}", ids.join(", ")),
            )))
        }
    }
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
    let id = circle.id;
    node.circles.touched(id);
    Ok(shown.map_or(Answer::Done, Answer::Invite))
}

// ---- joining --------------------------------------------------------------------------------------------------------

pub(super) fn parse_link(link: &str) -> Result<Ticket, InputError> {
    Ticket::parse(link).map_err(|error| match error {
        TicketError::NotALink => {
            InputError::usage("that is not an invite link", "a link begins with kith://join#; copy all of it")
        }
        TicketError::Damaged => InputError::usage("the link is cut off or mistyped", "copy all of it again, in one line"),
        TicketError::Newer => InputError::usage("the link was made by a newer version of Kith", "update Kith and try again"),
    })
}

fn not_expired(ticket: &Ticket, cx: &Cx<'_, '_>) -> Result<(), InputError> {
    // Only the admitting steward's clock decides; this spares a wait that must end in a no.
    if cx.env.now > ticket.expires.plus(24 * HOUR) {
        return Err(InputError::not_found("the invite has expired", "ask for a new invite"));
    }
    Ok(())
}

/// Shows what a link offers; answered when the card came.
pub(crate) fn preview(node: &mut NodeState, cx: &mut Cx<'_, '_>, call: CallId, link: &str) -> Result<(), InputError> {
    let ticket = parse_link(link)?;
    not_expired(&ticket, cx)?;
    if node.peers.looking.len() >= 8 {
        return Err(InputError::usage("several links are being looked at already", "wait a moment and try again"));
    }
    let secrets = DeviceSecrets::generate(cx.env.rng, Suite::X25519);
    node.peers.looking.push(Looking { call, ticket, secrets, since: cx.env.now });
    call_again(node, cx)
}

/// Calls whom tickets name, at once; where a stream is open already, greets on it.
fn call_again(node: &mut NodeState, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
    node.peers.call_whom(&node.circles, Some(&mut *cx.env));
    node.peers.dialer.all_now();
    let links: Vec<super::Link> = node.peers.sessions.keys().copied().collect();
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
        if circle.row.standing == OwnStanding::Admitted && accept.confirm {
            join::confirm_join(&mut node.circles, &mut node.peers, cx, &id)?;
            return Ok(node.peers.joins.get(&id).map_or(Answer::Done, |join| Answer::Join(show_join(node, join))));
        } else if circle.row.standing == OwnStanding::In && !node.peers.joins.contains_key(&id) {
            return Err(InputError::usage("you are in this circle already", Hint::run("circle", "list", &[], "shows it")));
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
    node.circles.all.get(id).map(|circle| circle.row.standing)
}

/// A join as the local API shows it.
pub(crate) fn show_join(node: &NodeState, join: &JoinRow) -> control::Join {
    show_join_in(node.circles.all.get(&join.ticket.circle).map(Summary::of).as_ref(), join)
}

/// A join as the local API shows it, with the circle's people where they are known.
pub(crate) fn show_join_in(people: Option<&Summary>, join: &JoinRow) -> control::Join {
    control::Join {
        id: join.ticket.circle.text(),
        circle: join.circle_name.0.clone(),
        status: join.status,
        reason: join.reason.clone(),
        members: people.map(Summary::members).unwrap_or_default(),
    }
}

fn pick_join(node: &NodeState, text: &str) -> Result<CircleId, InputError> {
    let lower = text.to_lowercase();
    let fits =
        |j: &&JoinRow| j.ticket.circle.text().starts_with(&lower) || j.circle_name.0.to_lowercase() == lower || text == "-";
    let found: Vec<CircleId> = node.peers.joins.values().filter(fits).map(|j| j.ticket.circle).collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(InputError::not_found("no join under way has that name or id", Hint::run("", "join", &["LINK"], "starts one"))),
        _ => Err(InputError::Refused(Error::new(Code::Ambiguous, "several joins are under way", "name one by its id"))),
    }
}

/// Yes, having seen the members.
pub(crate) fn confirm(node: &mut NodeState, cx: &mut Cx<'_, '_>, circle: &str) -> Result<Answer, InputError> {
    let id = pick_join(node, circle)?;
    if node.circles.all.get(&id).is_some_and(|c| c.row.standing == OwnStanding::Admitted) {
        join::confirm_join(&mut node.circles, &mut node.peers, cx, &id)?;
    } else if node.peers.joins.get(&id).is_some_and(JoinRow::open) {
        return Err(InputError::usage("a steward has not approved yet", Hint::run("", "join", &[], "goes on waiting")));
    }
    match node.peers.joins.get(&id) {
        Some(join) => Ok(Answer::Join(show_join(node, join))),
        None => Ok(Answer::Done),
    }
}

/// No; nobody saw my name.
pub(crate) fn abandon(node: &mut NodeState, cx: &mut Cx<'_, '_>, circle: &str) -> Result<Answer, InputError> {
    let id = pick_join(node, circle)?;
    if let Some(circle) = node.circles.all.get_mut(&id).filter(|c| c.row.standing == OwnStanding::Admitted) {
        circle.write(cx, Statement::Leave, false)?;
        circle.row.standing = OwnStanding::Leaving;
        circle.save_row(cx);
        node.circles.touched(id);
    }
    join::forget(&mut node.circles, &mut node.peers, cx, &id)?;
    Ok(Answer::Done)
}

fn pick_request(cx: &Cx<'_, '_>, circle: &CircleState, text: &str) -> Result<RequestRow, InputError> {
    let rows: Vec<RequestRow> = RequestRow::all(&cx.tx, &circle.id)?.into_iter().filter(|row| !row.declined).collect();
    let named = rows.iter().enumerate().filter(|(_, row)| {
        welcome::open_request(&circle.row, cx.env.crypto, &row.request)
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
        .ok_or_else(|| InputError::not_found("no request has that id", Hint::run("invite", "pending", &[], "shows them")))
}

/// Lets somebody in who asks.
pub(crate) fn approve(node: &mut NodeState, cx: &mut Cx<'_, '_>, circle: &str, request: &str) -> Result<Answer, InputError> {
    let (circle, _) = inside(node, cx, circle)?;
    let id = circle.id;
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
        return Err(InputError::not_allowed("only stewards decide on requests"));
    }
    let id = circle.id;
    let mut row = pick_request(cx, circle, request)?;
    row.declined = true;
    node.peers.requests.keep(cx, &id, &row);
    welcome::decline_guest(&node.peers, cx, &id, &row.request.device);
    Ok(Answer::Done)
}
