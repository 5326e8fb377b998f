//! A circle under construction for tests of the rules: plain facts, many views.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kith_protocol::circle::body::{Motion, Policy, Role, Statement};
use kith_protocol::circle::membership::{Fact, Membership, Rule, State, Status, Verdict, founder_id, person_id};
use kith_protocol::crypto::DeviceKeys;
use kith_protocol::id::{ActId, CircleId, DeviceId, PersonId};
use kith_protocol::time::Millis;

use crate::dice::Dice;

/// What the author of an act knows: numbers of acts, with the past of each.
pub type View = BTreeSet<usize>;

/// See the module.
#[derive(Debug)]
pub struct ModelWorld {
    /// Every choice.
    pub dice: Dice,
    /// The resolver, which knows everything.
    pub membership: Membership,
    /// Every admissible act, in the order it was written.
    pub facts: Vec<Fact>,
    /// What the honest know.
    pub view: View,
    /// The circle.
    pub circle: CircleId,
    /// The founder.
    pub founder: PersonId,
    /// Which act introduced which device.
    pub devices: Vec<(usize, DeviceId)>,
    /// Recovery keys, by person.
    pub recovery: BTreeMap<PersonId, DeviceId>,
    past: Vec<View>,
}

impl ModelWorld {
    /// A circle with its genesis.
    #[must_use]
    pub fn new(mut dice: Dice, off: &[Rule], policies: Vec<Policy>) -> Self {
        let circle = CircleId(bytes(&mut dice));
        let device = DeviceId(bytes(&mut dice));
        let recovery = DeviceId(bytes(&mut dice));
        let mut world = Self {
            dice,
            membership: Membership::without(circle, off),
            facts: Vec::new(),
            view: View::new(),
            circle,
            founder: founder_id(&device),
            devices: Vec::new(),
            recovery: BTreeMap::new(),
            past: Vec::new(),
        };
        world.recovery.insert(world.founder, recovery);
        let genesis =
            Statement::Genesis { devices: vec![keys(device)], policies, suite: 2, recovery: Some(recovery), nonce: [0; 16] };
        let fact = Fact {
            id: ActId(circle.0),
            author: device,
            parents: Vec::new(),
            statement: genesis,
            epoch: true,
            countersigned: false,
        };
        let mut view = View::new();
        world.enter(fact, &mut view);
        world.view = view;
        world
    }

    /// A new key.
    pub fn key(&mut self) -> DeviceId {
        DeviceId(bytes(&mut self.dice))
    }

    /// Writes an act on a view; `None` and no trace where it is not admissible.
    pub fn act(&mut self, author: DeviceId, view: &mut View, statement: Statement) -> Option<usize> {
        let epoch = matches!(statement, Statement::Remove { .. } | Statement::Rotate);
        self.write(author, view, statement, epoch)
    }

    /// The same on what the honest know.
    pub fn now(&mut self, author: DeviceId, statement: Statement) -> Option<usize> {
        let mut view = std::mem::take(&mut self.view);
        let done = self.act(author, &mut view, statement);
        self.view = view;
        done
    }

    /// Writes an act that carries an epoch or not.
    pub fn write(&mut self, author: DeviceId, view: &mut View, statement: Statement, epoch: bool) -> Option<usize> {
        let id = ActId(bytes(&mut self.dice));
        let parents = self.heads(view);
        let fact = Fact { id, author, parents, statement, epoch, countersigned: true };
        (self.membership.check(&fact) == Verdict::Admissible).then(|| self.enter(fact, view))
    }

    fn enter(&mut self, fact: Fact, view: &mut View) -> usize {
        let x = self.facts.len();
        match &fact.statement {
            Statement::Genesis { devices, .. } | Statement::Admit { devices, .. } => {
                self.devices.extend(devices.iter().map(|keys| (x, keys.sign)));
            }
            Statement::Device { device, .. } | Statement::Recover { device, .. } | Statement::Revouch { device, .. } => {
                self.devices.push((x, device.sign));
            }
            _ => {}
        }
        self.membership.add(fact.clone());
        self.facts.push(fact);
        self.past.push(view.clone());
        view.insert(x);
        x
    }

    /// The id of an act.
    #[must_use]
    pub fn id(&self, x: usize) -> ActId {
        self.facts[x].id
    }

    /// The acts before an act.
    #[must_use]
    pub fn past(&self, x: usize) -> &View {
        &self.past[x]
    }

    /// A view that knows an act and what is before it.
    #[must_use]
    pub fn upto(&self, x: usize) -> View {
        let mut view = self.past[x].clone();
        view.insert(x);
        view
    }

    /// The maximal acts of a view.
    #[must_use]
    pub fn heads(&self, view: &View) -> Vec<ActId> {
        let mut known = View::new();
        let mut heads = Vec::new();
        for x in view.iter().rev() {
            if !known.contains(x) {
                heads.push(self.id(*x));
                known.extend(&self.past[*x]);
            }
        }
        heads.sort_unstable();
        heads
    }

    /// What a view means.
    #[must_use]
    pub fn state(&self, view: &View) -> Arc<State> {
        self.membership.state_at(&self.heads(view)).unwrap_or_else(|| self.membership.state())
    }

    /// One of their devices that is good for anything.
    pub fn device(&mut self, person: &PersonId, view: &View) -> Option<DeviceId> {
        let state = self.state(view);
        let person = state.people.get(person)?;
        let from = if person.devices.is_empty() { &person.dormant } else { &person.devices };
        self.dice.pick(from).copied()
    }

    /// Everybody who is in with this role.
    #[must_use]
    pub fn with_role(&self, role: Role, view: &View) -> Vec<PersonId> {
        let state = self.state(view);
        state.members().filter(|(_, person)| person.role == Some(role)).map(|(id, _)| *id).collect()
    }

    /// An admission of somebody new; says who.
    pub fn newcomer(&mut self, role: Role, invite: Option<ActId>, proposal: Option<ActId>) -> (PersonId, Statement) {
        let device = self.key();
        let person = person_id(&self.circle, &device);
        let recovery = self.key();
        self.recovery.insert(person, recovery);
        (person, admission(person, role, device, Some(recovery), invite, proposal))
    }

    /// An admission of somebody who was here.
    pub fn readmission(&mut self, person: PersonId, role: Role) -> Statement {
        let device = self.key();
        admission(person, role, device, None, None, None)
    }

    /// Proposes, votes and enacts with the hands of `voters`; the enacting act.
    pub fn quorum(&mut self, voters: &[PersonId], view: &mut View, motion: Motion) -> Option<usize> {
        let mut hands = Vec::new();
        for voter in voters {
            hands.extend(self.device(voter, view));
        }
        self.carry(&hands, view, motion)
    }

    /// The same with these devices.
    pub fn carry(&mut self, hands: &[DeviceId], view: &mut View, motion: Motion) -> Option<usize> {
        let enacted = motion.clone();
        let proposal = self.act(*hands.first()?, view, Statement::Propose { motion })?;
        let proposal = self.id(proposal);
        for hand in hands.iter().skip(1) {
            self.act(*hand, view, Statement::Vote { proposal });
        }
        let hand = *self.dice.pick(hands)?;
        let statement = self.enactment(enacted, proposal);
        self.act(hand, view, statement)
    }

    /// The act that a motion asks for.
    pub fn enactment(&mut self, motion: Motion, proposal: ActId) -> Statement {
        let proposal = Some(proposal);
        let points = BTreeMap::new();
        match motion {
            Motion::Admit(person, role) => {
                let device = self.key();
                admission(person, role, device, None, None, proposal)
            }
            Motion::Remove(person) => Statement::Remove { person, points, proposal },
            Motion::Role(person, role) => Statement::Role { person, role, points, proposal },
            Motion::Policy(set) => Statement::Policy { set, proposal },
            Motion::Delegate(person, on) => Statement::Delegate { person, on, proposal },
            Motion::Revouch(person, device) => {
                Statement::Revouch { person, device: keys(device), vouch: None, proposal, recovery: None }
            }
        }
    }

    /// The current device of everybody who is in, by status.
    #[must_use]
    pub fn those(&self, view: &View, status: Status) -> Vec<PersonId> {
        self.state(view).people.iter().filter(|(_, person)| person.status == status).map(|(id, _)| *id).collect()
    }
}

/// Keys of a device of which only the signing key matters.
#[must_use]
pub fn keys(sign: DeviceId) -> DeviceKeys {
    DeviceKeys { sign, hpke: vec![0; 32], hello: [0; 32] }
}

/// A removal by hand.
#[must_use]
pub const fn removal(person: PersonId) -> Statement {
    Statement::Remove { person, points: BTreeMap::new(), proposal: None }
}

/// A role by hand.
#[must_use]
pub const fn role(person: PersonId, role: Role) -> Statement {
    Statement::Role { person, role, points: BTreeMap::new(), proposal: None }
}

/// A further device.
#[must_use]
pub fn certificate(device: DeviceId) -> Statement {
    Statement::Device { device: keys(device), countersignature: [0; 64] }
}

/// A revocation.
#[must_use]
pub const fn revocation(device: DeviceId, keep: Vec<DeviceId>) -> Statement {
    Statement::Revoke { device, keep, points: BTreeMap::new() }
}

/// An invite.
#[must_use]
pub const fn invitation(role: Role, uses: u32, key: DeviceId) -> Statement {
    Statement::Invite { role, uses, key, expires: Millis(0) }
}

fn admission(
    person: PersonId,
    role: Role,
    device: DeviceId,
    recovery: Option<DeviceId>,
    invite: Option<ActId>,
    proposal: Option<ActId>,
) -> Statement {
    Statement::Admit { person, role, devices: vec![keys(device)], recovery, invite, proposal }
}

fn bytes(dice: &mut Dice) -> [u8; 32] {
    let mut out = [0; 32];
    for chunk in out.chunks_mut(8) {
        chunk.copy_from_slice(&dice.roll().to_be_bytes());
    }
    out
}
