//! Somebody who was removed goes on signing below the end of their chain, and a friend who is in passes it on.

use kith_protocol::id::ActId;
use kith_protocol::node::Link;

use super::{Who, World};
use crate::cbor::Cbor;
use crate::sim::check;
use crate::sim::hostile::below;

/// Something that was signed below a cut: by whom (a person's id in their circle), and the removals known then.
#[derive(Clone, Debug)]
pub struct Forked {
    /// Who signed it.
    pub by: String,
    /// What had removed them by then.
    pub removals: Vec<ActId>,
}

impl World {
    /// Keeps the token by which a machine names a circle on a link: frames other than proofs say that it was proved.
    pub(super) fn notice_token(&mut self, link: Link, frame: &[u8]) {
        let Some((&[0x82, 0x03, 0x82, 0x50], rest)) = frame.split_first_chunk() else { return };
        if let Some((token, &[_, kind, ..])) = rest.split_first_chunk::<16>()
            && kind > 1
        {
            self.tokens.insert(link, *token);
        }
    }

    /// The machine's owner signs one entry for a place that is taken, if some machine that is on counts them out; and it comes to
    /// that machine from a friend.
    pub(super) fn sign_below(&mut self, who: Who, number: usize, pick: u64) {
        let Some(id) = self.workload.plans.get(number).and_then(|plan| plan.id.clone()) else { return };
        let by = check::person(self, who, &id);
        let out = |other: &Who| *other != who && self.machines[*other].is_on() && check::counts_out(self, *other, &id, &by);
        let ends: Vec<(Link, Who)> = self
            .tokens
            .keys()
            .filter_map(|link| self.net.owners(*link).map(|(from, to)| (*link, from, to)))
            .filter(|(_, from, _)| *from != who && self.machines[*from].is_on())
            .map(|(link, _, to)| (link, to))
            .collect();
        let there: Vec<(Link, Who)> = ends.into_iter().filter(|(_, to)| out(to)).collect();
        let Some((link, to)) = there.get(usize::try_from(pick).unwrap_or(0) % there.len().max(1)).copied() else { return };
        let at = self.machines[who].local(self.clock.now());
        let Some(run) = below::below(&self.machines[who].disk, &*self.crypto, &id, (at, pick)) else { return };
        let removals = check::removals_of(self, to, &id, &by);
        self.forked.push(Forked { by, removals });
        let token = self.tokens.get(&link).map(|token| token.to_vec()).unwrap_or_default();
        let message = Cbor::Array(vec![6.into(), Cbor::Array(vec![Cbor::Bytes(run), Cbor::Bool(false)])]);
        let frame = Cbor::Array(vec![3.into(), Cbor::Array(vec![Cbor::Bytes(token), message])]).encode();
        self.say(&format!("m{who} signs below the cut; it comes to m{to}"));
        self.hand_over(link, frame);
    }
}
