//! Joins and invites as the local API shows them.

use crate::circle::overview::{InviteRow, Overview};
use crate::circle::summary::Summary;
use crate::circle::ticket::{PeerHint, Secret, Ticket};
use crate::control::{self, InviteStatus, JoinStatus, Time};
use crate::id::{CircleId, DeviceId, short_text};
use crate::limits;
use crate::node::notices;
use crate::peer::join_row::JoinRow;
use crate::time::Millis;

/// A join, with the circle's people and rules where they are known.
pub(crate) fn join(circle: Option<(Summary, Overview)>, row: &JoinRow) -> control::Join {
    control::Join {
        id: row.ticket.circle.text(),
        circle: row.circle_name.0.clone(),
        status: row.status,
        reason: row.why().to_owned(),
        unasked: circle.as_ref().is_some_and(|(_, rules)| !rules.asks_first()),
        members: circle.map(|(people, _)| with_own_name(people.members(), row)).unwrap_or_default(),
        notice: notices::of_join(row),
    }
}

/// Oneself by the name that one gave, which no other member has yet.
fn with_own_name(mut members: Vec<control::Member>, join: &JoinRow) -> Vec<control::Member> {
    if join.status == JoinStatus::Admitted {
        members.iter_mut().filter(|member| member.me).for_each(|me| me.name.clone_from(&join.name.0));
    }
    members
}

/// An invite; with its link where the secret is held here. `whose`: the circle, and this device in it.
pub(crate) fn invite(
    whose: (CircleId, DeviceId),
    row: &InviteRow,
    secret: Option<Secret>,
    here: &PeerHint,
    now: Millis,
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
        role: row.role,
        expires_at: Time(row.expires),
        uses: row.uses,
        used: row.used,
        status,
    }
}
