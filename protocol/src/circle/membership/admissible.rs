//! R3: is an act admissible by its author's authority in the state of its own past? Judged once, never again.

use std::collections::BTreeSet;

use super::bits::Bits;
use super::fact::{Fact, enacts, introduced, motion_subject, person_id, proposal, subject};
use super::graph::{ActGraph, Down, Quorum, Ruling};
use super::judgement::Judgement;
use super::people::Status;
use super::rules::Rule;
use super::wellformed::wellformed;
use crate::circle::body::{Role, Statement};
use crate::id::{ActId, DeviceId, PersonId};
use crate::limits;

/// R5: a strict majority, at least two, of the other stewards, counting the votes that stand.
pub(super) fn carries(quorum: &Quorum, stands: impl Fn(usize) -> bool) -> bool {
    let voters: BTreeSet<usize> = quorum.votes.iter().filter(|(act, _)| stands(*act)).map(|(_, voter)| *voter).collect();
    voters.len() >= 2 && 2 * voters.len() > quorum.others
}

/// What the act is, if it is admissible; `state` is that of its own past.
pub(super) fn rule(g: &ActGraph, state: &Judgement, fact: &Fact) -> Option<Ruling> {
    if let Statement::Genesis { suite, devices, recovery, .. } = &fact.statement {
        // R1: one genesis; the circle's id is its id, and it names the founder.
        let keys: Vec<DeviceId> = devices.iter().map(|keys| keys.sign).chain(*recovery).collect();
        let fits =
            wellformed(fact, *suite) && fact.id.0 == g.circle.0 && fact.parents.is_empty() && g.len() == 0 && distinct(&keys);
        return fits.then_some(Ruling { who: 0, need: Role::Guest, high: true, down: None, kills: None, quorum: None });
    }
    if state.ids.count() == 0 || !wellformed(fact, g.suite) {
        return None;
    }
    let me = author(g, state, &fact.author)?;
    let role = state.person(me)?.rank;
    let mut hearing = Hearing { g, state, fact, me, role, need: Role::Guest, high: role == Role::Founder };
    hearing.need = hearing.level_needed();
    hearing.entitled().then_some(())?;
    let mut ruling = Ruling { who: me, need: hearing.need, high: hearing.high, down: None, kills: None, quorum: None };
    if let Some(proposal) = proposal(&fact.statement) {
        ruling.quorum = Some(hearing.quorum(&proposal)?);
        ruling.high = true;
        hearing.high = true;
    }
    ruling.down = hearing.down();
    ruling.kills = hearing.kills();
    hearing.may().then_some(ruling)
}

/// The one person whose key this is; a key introduced for two persons is nobody's (D-18).
fn author(g: &ActGraph, state: &Judgement, key: &DeviceId) -> Option<usize> {
    let introductions = g.introductions(g.key(key)?).iter().filter(|x| state.ids.get(**x));
    let owners: BTreeSet<usize> = introductions.map(|x| g.act(*x).owner).collect();
    let mut owners = owners.into_iter();
    owners.next().filter(|_| owners.next().is_none())
}

fn distinct(keys: &[DeviceId]) -> bool {
    keys.iter().collect::<BTreeSet<_>>().len() == keys.len()
}

struct Hearing<'a> {
    g: &'a ActGraph,
    state: &'a Judgement,
    fact: &'a Fact,
    me: usize,
    role: Role,
    need: Role,
    high: bool,
}

impl Hearing<'_> {
    /// The least role that may say this. What needs only a guest's goes on whatever happens (R10).
    fn level_needed(&self) -> Role {
        let said = &self.fact.statement;
        let own = matches!(said, Statement::Device { .. } | Statement::Revoke { .. } | Statement::Recover { .. });
        // Anyone may step down, and close their own invite.
        let steps_down = matches!(said, Statement::Role { person, role, .. } if self.is_me(person) && *role < self.role);
        let closes = matches!(said, Statement::Uninvite { invite } if self.opened(invite));
        if own || steps_down || closes || matches!(said, Statement::Leave) {
            return Role::Guest;
        }
        let invites = matches!(said, Statement::Invite { .. }) && self.state.members_invite(self.g);
        // Any non-guest may rotate.
        if invites || matches!(said, Statement::Rotate) { Role::Member } else { Role::Steward }
    }

    fn opened(&self, invite: &ActId) -> bool {
        self.g.find(invite).is_some_and(|x| self.g.act(x).ruling.who == self.me)
    }

    /// Is the author's device good, are they in, and does their role suffice?
    fn entitled(&self) -> bool {
        let (Some(key), Some(me)) = (self.g.key(&self.fact.author), self.state.person(self.me)) else { return false };
        if self.state.killed.get(key) {
            return false;
        }
        let recovers = matches!(self.fact.statement, Statement::Recover { .. });
        match me.status {
            Status::Removed | Status::Left => false,
            Status::Current | Status::Suspended if recovers => self.state.recovery_keys(self.g, self.me).contains(&key),
            Status::Suspended => self.need == Role::Guest && me.dormant.contains(&key), // D-12
            Status::Current => me.devices.contains(&key) && self.role >= self.need,
        }
    }

    /// R5: the votes, where the proposal says exactly this, is not spent and is carried.
    fn quorum(&self, proposal: &ActId) -> Option<Quorum> {
        let (g, state) = (self.g, self.state);
        let p = self.standing(proposal)?;
        let Statement::Propose { motion: put } = &g.act(p).statement else { return None };
        if !enacts(&self.fact.statement, put) || g.enacted(p).iter().any(|x| state.ids.get(*x)) {
            return None; // one act a proposal (D-4)
        }
        let target = subject(&self.fact.statement).and_then(|person| g.person(&person));
        let stewards = state.everybody().filter(|(_, q)| q.status == Status::Current && q.rank == Role::Steward);
        let others: BTreeSet<usize> = stewards.map(|(q, _)| q).filter(|q| Some(*q) != target).collect(); // D-3
        let stint = target.and_then(|target| state.person(target)).map_or(&[][..], |person| &person.live);
        let mut votes = Vec::new();
        for x in std::iter::once(&p).chain(g.votes(p)).copied() {
            let who = g.act(x).ruling.who;
            let fresh = stint.is_empty() || stint.iter().any(|y| g.knows(x, *y)) || !g.rules.on(Rule::FreshVotes);
            if state.eff.get(x) && others.contains(&who) && fresh {
                votes.push((x, if g.rules.on(Rule::OneVote) { who } else { x }));
            }
        }
        let quorum = Quorum { votes, others: if g.rules.on(Rule::QuorumNeedsOthers) { others.len() } else { 1 } };
        carries(&quorum, |_| true).then_some(quorum)
    }

    /// The act's number if it stands in this past.
    fn standing(&self, id: &ActId) -> Option<usize> {
        self.g.find(id).filter(|x| self.state.eff.get(*x))
    }

    fn is_me(&self, person: &PersonId) -> bool {
        self.g.person(person) == Some(self.me)
    }

    /// Brings keys, each once, that its past does not know (D-18).
    fn fresh(&self) -> bool {
        let (devices, recovery) = introduced(&self.fact.statement);
        let keys: Vec<DeviceId> = devices.iter().map(|keys| keys.sign).chain(recovery).collect();
        let known = |key: &DeviceId| {
            let introductions = self.g.key(key).map_or(&[][..], |k| self.g.introductions(k));
            introductions.iter().any(|x| self.state.ids.get(*x))
        };
        let room = self.state.devices() + devices.len() <= limits::DEVICES;
        !keys.is_empty() && distinct(&keys) && !keys.iter().any(known) && room
    }

    /// Were they ever here, and if so: in what standing?
    fn known(&self, person: &PersonId) -> Option<(usize, &super::people::Standing)> {
        let p = self.g.person(person)?;
        Some((p, self.state.person(p)?))
    }

    /// Do they have a live admission?
    fn inside(&self, person: &PersonId) -> bool {
        self.known(person).is_some_and(|(_, standing)| !standing.live.is_empty())
    }

    fn may(&self) -> bool {
        match &self.fact.statement {
            Statement::Genesis { .. } => false,
            Statement::Admit { .. } => self.may_admit(),
            Statement::Confirm { person, role } => self.may_confirm(person, *role),
            Statement::Remove { person, .. } => self.may_remove(person),
            Statement::Leave | Statement::Rotate => true,
            Statement::Role { person, role, .. } => self.may_set_role(person, *role),
            Statement::Propose { motion } => {
                self.role == Role::Steward && !motion_subject(motion).is_some_and(|person| self.is_me(&person))
            }
            Statement::Vote { proposal } => {
                let proposes = |x| matches!(self.g.act(x).statement, Statement::Propose { .. });
                self.role == Role::Steward && self.standing(proposal).is_some_and(proposes)
            }
            Statement::Policy { .. } => self.high,
            Statement::Delegate { person, .. } => self.high && self.inside(person),
            Statement::Invite { role, .. } => *role <= Role::Member,
            Statement::Uninvite { invite } => {
                let invites = |x| matches!(self.g.act(x).statement, Statement::Invite { .. });
                self.standing(invite).is_some_and(invites)
            }
            Statement::Device { .. } => self.fact.countersigned && self.fresh() && self.room_for_a_device(),
            Statement::Revoke { device, .. } => self.may_revoke(device),
            Statement::Recover { .. } => self.fresh(),
            Statement::Vouch { person, .. } => self.inside(person) && !self.is_me(person),
            Statement::Revouch { person, device, vouch, .. } => self.may_revouch(person, &device.sign, vouch.as_ref()),
            Statement::Restore { person, .. } => self.known(person).is_some(),
        }
    }

    fn may_admit(&self) -> bool {
        let Statement::Admit { person, role, devices, invite, .. } = &self.fact.statement else { return false };
        if *role == Role::Founder || *role == Role::Steward && !self.high || !self.fresh() {
            return false;
        }
        match self.known(person) {
            // R6: a re-add has the removal in its past.
            Some((_, standing)) if !matches!(standing.status, Status::Removed | Status::Left) => return false,
            Some(_) => {}
            None => {
                let derived = devices.first().is_some_and(|keys| person_id(&self.g.circle, &keys.sign) == *person);
                if !derived && self.g.rules.on(Rule::DerivedIds) {
                    return false;
                }
            }
        }
        invite.as_ref().is_none_or(|invite| self.may_use(invite, *role))
    }

    /// D-17: an open invite, with a use left, for this role.
    fn may_use(&self, invite: &ActId, rank: Role) -> bool {
        let Some(i) = self.standing(invite) else { return false };
        let Statement::Invite { role, uses, .. } = &self.g.act(i).statement else { return false };
        let used = self.state.people_by(self.g, i).len();
        !self.state.closed.get(i) && rank <= *role && u32::try_from(used).is_ok_and(|used| used < *uses)
    }

    /// R7, D-12: at most facilitator, never above the admission.
    fn may_confirm(&self, person: &PersonId, role: Role) -> bool {
        let Some((p, standing)) = self.known(person) else { return false };
        let waits = standing.status == Status::Suspended && standing.live.is_empty() && p != self.me;
        let admitted = standing.void.iter().filter_map(|x| self.g.act(*x).role()).max();
        waits && admitted.is_some_and(|admitted| role <= admitted.min(Role::Facilitator))
    }

    /// R5; one who is already out may be removed again by any steward: a seal (D-13).
    fn may_remove(&self, person: &PersonId) -> bool {
        let Some((p, standing)) = self.known(person) else { return false };
        let inside = matches!(standing.status, Status::Current | Status::Suspended);
        p != self.me && (self.high || standing.rank < Role::Steward || !inside)
    }

    /// R5: a lone steward sets roles up to facilitator; founder is never given (D-2).
    fn may_set_role(&self, person: &PersonId, new: Role) -> bool {
        let Some((p, standing)) = self.known(person) else { return false };
        let old = standing.rank;
        if new == Role::Founder || standing.live.is_empty() {
            return false;
        }
        if p == self.me {
            return new < old;
        }
        old != new && old != Role::Founder && (self.high || old.max(new) < Role::Steward)
    }

    fn may_revoke(&self, device: &DeviceId) -> bool {
        let Some(key) = self.g.key(device) else { return false };
        let mine = self.state.person(self.me).is_some_and(|me| me.devices.contains(&key) || me.dormant.contains(&key));
        *device != self.fact.author && mine
    }

    /// D-16: a steward needs founder and one, or a quorum; the founder a quorum.
    fn may_revouch(&self, person: &PersonId, device: &DeviceId, vouch: Option<&ActId>) -> bool {
        let Some((p, standing)) = self.known(person) else { return false };
        if p == self.me || standing.live.is_empty() || !self.fresh() {
            return false;
        }
        let carried = proposal(&self.fact.statement).is_some();
        if standing.rank == Role::Founder && !carried || standing.rank == Role::Steward && !self.high {
            return false;
        }
        let second = vouch.and_then(|vouch| self.standing(vouch)).is_some_and(|v| {
            let act = self.g.act(v);
            act.ruling.who != self.me
                && matches!(&act.statement, Statement::Vouch { person: whose, device: which } if whose == person && which == device)
        });
        carried || second
    }

    fn room_for_a_device(&self) -> bool {
        self.state.person(self.me).is_some_and(|me| me.devices.len() + me.dormant.len() < limits::DEVICES_PER_PERSON)
    }

    /// A removal, a leave or a demotion by somebody else (nobody's own step down, D-8).
    fn down(&self) -> Option<Down> {
        let said = &self.fact.statement;
        if matches!(said, Statement::Leave) {
            return Some(Down { target: self.me, level: None });
        }
        let (target, standing) = self.known(&subject(said)?)?;
        if let Statement::Role { role, .. } = said {
            return (target != self.me && *role < standing.rank).then_some(Down { target, level: Some(*role) });
        }
        matches!(said, Statement::Remove { .. }).then_some(Down { target, level: None })
    }

    /// The keys an identity act takes (D-15).
    fn kills(&self) -> Option<Bits> {
        if let Statement::Revoke { device, keep, .. } = &self.fact.statement {
            Some(self.revoked(device, keep))
        } else if let Statement::Recover { keep, .. } = &self.fact.statement {
            Some(self.every_key(self.me, keep))
        } else if let Statement::Revouch { person, .. } = &self.fact.statement {
            self.g.person(person).map(|p| self.every_key(p, &[]))
        } else {
            None
        }
    }

    /// The device, and what it certified, unless kept; the author's own always is.
    fn revoked(&self, device: &DeviceId, keep: &[DeviceId]) -> Bits {
        let (g, mut gone) = (self.g, Bits::default());
        let keep: Vec<usize> = keep.iter().chain([&self.fact.author]).filter_map(|key| g.key(key)).collect();
        if let Some(key) = g.key(device) {
            gone.set(key);
        }
        for x in g.dossier(self.me).intros.iter().filter(|x| self.state.ids.get(**x)) {
            let act = g.act(*x);
            if matches!(act.statement, Statement::Device { .. }) && gone.get(act.author) {
                act.keys.iter().filter(|key| !keep.contains(key)).for_each(|key| gone.set(*key));
            }
        }
        gone
    }

    fn every_key(&self, p: usize, keep: &[DeviceId]) -> Bits {
        let (g, mut keys) = (self.g, Bits::default());
        for x in g.dossier(p).intros.iter().filter(|x| self.state.ids.get(**x)) {
            g.act(*x).keys.iter().for_each(|key| keys.set(*key));
        }
        keep.iter().filter_map(|key| g.key(key)).for_each(|key| keys.unset(key));
        keys
    }
}
