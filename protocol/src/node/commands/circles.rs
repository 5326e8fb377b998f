//! Commands about circles: founding, policies, leaving. And the name that one usually goes by.

use super::handover::{Handover, hand_over};
use super::inside::inside;
use crate::circle::act::{self, ActBody, ActPlace};
use crate::circle::body::{Policy, Role, Statement};
use crate::circle::epoch;
use crate::circle::news;
use crate::circle::overview::{self, Overview};
use crate::circle::state::{ActTaken, CircleRow, CircleState, OwnStanding};
use crate::circle::text;
use crate::codec;
use crate::context::{Cx, InputError};
use crate::control::{self, Code, Error, Hint};
use crate::crypto::{DeviceSecrets, Suite};
use crate::id::Incarnation;
use crate::io::{Answer, Effect};
use crate::item;
use crate::limits;
use crate::node::named::usual_name;
use crate::node::{NodeState, draft_row};
use crate::peer::join_row::JoinRow;
use crate::peer::requests::RequestRow;
use crate::peer::tickets;
use crate::private::Private;
use crate::store::Table;
use crate::sync::{clocks, delivery, entries};
use crate::tomorrow::{self, is_tomorrow};
use std::collections::BTreeMap;

/// First start.
pub(crate) fn init(cx: &mut Cx<'_, '_>, name: &str) -> Result<Answer, InputError> {
    let name = text::name(name, "you")?;
    cx.tx.put(Table::Local, b"name", codec::encode(&Private(name)));
    Ok(Answer::Done)
}

pub(super) fn name_or_usual(cx: &Cx<'_, '_>, name: &str) -> Result<String, InputError> {
    let name = if name.trim().is_empty() { usual_name(&cx.tx)? } else { name.to_owned() };
    Ok(text::name(&name, "you")?)
}

/// A new circle.
pub(crate) fn new_circle(node: &mut NodeState, cx: &mut Cx<'_, '_>, new: &control::NewCircle) -> Result<Answer, InputError> {
    node.room_for(None, cx.env.now)?;
    let name = text::name(&new.name, "a circle")?;
    let me = name_or_usual(cx, &new.as_name)?;
    let suite = match new.suite.as_str() {
        "" | "x-wing" => Suite::XWing,
        "x25519" => Suite::X25519,
        _ => return Err(InputError::usage("That is not a suite of keys.", "Use x-wing or x25519.")),
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
        .map_err(|_| InputError::usage("That is more than a circle's first act can hold.", "Shorten the agreement."))?;
    let id = sealed.circle();
    let row = CircleRow::new(id, secrets, Incarnation(cx.random()), me, OwnStanding::In, suite);
    let mut circle = CircleState::empty(row);
    let mut offered = BTreeMap::from([(epoch::epoch_id(&id, &epoch), keys)]);
    if circle.take_act(cx, sealed.bytes(), &mut offered)? != ActTaken::New || circle.my_role() != Some(Role::Founder) {
        return Err(InputError::usage("The circle's first act does not hold.", "Try again with other settings."));
    }
    circle.sign_agreement(cx);
    circle.publish(cx, &node.peers.addresses);
    let shown = Overview::of(&circle).shown();
    node.circles.put_circle(circle);
    node.circles.touched(id);
    Ok(Answer::Circle(Box::new(shown)))
}

fn agreement(text: &str) -> Result<String, InputError> {
    if text.len() > limits::AGREEMENT_BYTES {
        let message = format!(
            "The agreement is {} kB long; {} kB is the most.",
            text.len().div_ceil(1 << 10),
            limits::AGREEMENT_BYTES >> 10
        );
        return Err(InputError::Refused(Error::new(Code::TooLarge, message, "Shorten it.")));
    }
    Ok(text.to_owned())
}

/// Policies.
pub(crate) fn edit_circle(
    node: &mut NodeState,
    cx: &mut Cx<'_, '_>,
    circle: &str,
    edit: &control::EditCircle,
) -> Result<Answer, InputError> {
    let addresses = node.peers.addresses.clone();
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
            "Nothing to change.",
            Hint::run("circle", "edit", &["--help"], "lists what can be changed"),
        ));
    }
    if circle.my_role() != Some(Role::Founder) {
        return Err(InputError::not_allowed("Only the founder changes a circle's policies."));
    }
    if is_tomorrow() {
        set.extend(tomorrow_motto());
    }
    let history_changed = set.iter().any(|p| matches!(p, Policy::History(value) if *value != circle.history()));
    circle.write(cx, Statement::Policy { set, proposal: None }, false)?;
    if edit.agreement.is_some() {
        // Who writes it signs it.
        circle.sign_agreement(cx);
        circle.publish(cx, &addresses);
    }
    if history_changed {
        // Another history applies to new epochs only: start one.
        circle.rotate(cx)?;
    }
    let (id, shown) = (circle.id(), Overview::of(circle).shown());
    node.circles.touched(id);
    Ok(Answer::Circle(Box::new(shown)))
}

/// Signs the agreement as it is now.
pub(crate) fn sign(node: &mut NodeState, cx: &mut Cx<'_, '_>, circle: &str) -> Result<Answer, InputError> {
    let addresses = node.peers.addresses.clone();
    let (circle, _) = inside(node, cx, circle)?;
    if circle.agreement().is_empty() {
        let hint = Hint::run("circle", "edit", &["--agreement", "FILE"], "gives it one");
        return Err(InputError::usage("This circle has no agreement to sign.", hint));
    }
    circle.sign_agreement(cx);
    circle.publish(cx, &addresses);
    let (id, shown) = (circle.id(), Overview::of(circle).shown());
    node.circles.touched(id);
    Ok(Answer::Circle(Box::new(shown)))
}

/// What [`crate::tomorrow`] sets beside what the founder asked for.
fn tomorrow_motto() -> Option<Policy> {
    let value = codec::encode(&(tomorrow::MOTTO,));
    Some(Policy::Later(tomorrow::POLICY, codec::decode(&value, "policy").ok()?))
}

/// Leave; silent. A successor becomes a steward in the same commit.
pub(crate) fn leave(
    node: &mut NodeState,
    cx: &mut Cx<'_, '_>,
    circle: &str,
    leave: &control::LeaveCircle,
) -> Result<Answer, InputError> {
    let (circle, summary) = inside(node, cx, circle)?;
    let args = ["--without-successor", "--confirm", &summary.name.0];
    let again = Hint::run("circle", "leave", &args, "leaves all the same");
    let handover = Handover { successor: leave.successor.as_deref(), nobody: leave.without_successor, again };
    hand_over(circle, cx, &summary, handover)?;
    circle.leave(cx)?;
    let (id, shown) = (circle.id(), Overview::of(circle).shown());
    node.circles.touched(id);
    Ok(Answer::Circle(Box::new(shown)))
}

/// Deletes all that is here of a circle that one is out of. `unheard`: also where nobody has heard yet that one left.
pub(crate) fn forget(node: &mut NodeState, cx: &mut Cx<'_, '_>, circle: &str, unheard: bool) -> Result<Answer, InputError> {
    let id = Overview::named(&cx.tx, circle)?.id;
    match node.circles.all.get(&id).map(|circle| circle.standing()) {
        Some(OwnStanding::Left | OwnStanding::Removed) => {}
        Some(OwnStanding::Leaving) if unheard => {}
        Some(OwnStanding::Leaving) => {
            let message = "Nobody has heard yet that you left: the others would list you for good.";
            let again = Hint::run("circle", "forget", &["--unheard", "-c", circle], "forgets it all the same");
            let hints = [Hint::Text("It goes out by itself when somebody of the circle is online.".to_owned()), again];
            return Err(InputError::Refused(Error::new(Code::NeedsConfirmation, message, hints)));
        }
        Some(OwnStanding::In | OwnStanding::Admitted) | None => {
            let hint = Hint::run("circle", "leave", &["-c", circle], "leaves it first");
            return Err(InputError::usage("You are in this circle, so it cannot be forgotten.", hint));
        }
    }
    JoinRow::delete(cx, &id);
    news::forget(&mut cx.tx, &id);
    item::forget(&mut cx.tx, &id)?;
    entries::forget(cx, &id)?;
    overview::forget(&mut cx.tx, &id);
    draft_row::forget(&mut cx.tx, &id)?;
    tickets::forget(&mut cx.tx, &id)?;
    delivery::forget(&mut cx.tx, &id)?;
    clocks::forget(&mut cx.tx, &id);
    RequestRow::forget(&mut cx.tx, &id)?;
    for table in [Table::Circle, Table::Act, Table::Epoch, Table::Record] {
        cx.tx.delete_all(table, &id.0)?;
    }
    node.peers.joins.remove(&id);
    node.peers.close_circle(&id);
    node.circles.forget(&id);
    // What lies in freed pages goes, too.
    cx.tx.then(Effect::Scrub);
    Ok(Answer::Done)
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::frozen::{Form, frozen};

    frozen![Form::new("usual-name", 1, &[Private("Amara".to_owned())])];
}
