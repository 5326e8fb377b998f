//! The admissible acts of one circle with their pasts, and indexes over them. Append only; people, keys and acts are numbered
//! in the order they came, and no number decides anything.
//!
//! Inadmissible acts carry no weight (R3): only their pasts are kept, so that what was written on top can be judged.

use std::collections::BTreeMap;

use super::bits::Bits;
use super::fact::{Fact, given, introduced, is_add, proposal, subject};
use super::rules::Rules;
use crate::circle::body::{Role, Statement};
use crate::id::{ActId, CircleId, DeviceId, PersonId};

/// To which role a down cuts; `None`: out.
pub(super) type Level = Option<Role>;

/// A removal, a leave or a demotion by somebody else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Down {
    pub(super) target: usize,
    pub(super) level: Level,
}

/// The votes that carried a quorum act, in its own past.
#[derive(Clone, Debug)]
pub(super) struct Quorum {
    /// Act and voter. (With the rule *one vote* off, the act stands in for the voter.)
    pub(super) votes: Vec<(usize, usize)>,
    /// How many other stewards there were.
    pub(super) others: usize,
}

/// What judging an act in its own past (R3) found out, once and for all.
#[derive(Clone, Debug)]
pub(super) struct Ruling {
    /// Its author.
    pub(super) who: usize,
    /// The least role that may write it.
    pub(super) need: Role,
    /// By the founder or a quorum.
    pub(super) high: bool,
    pub(super) down: Option<Down>,
    /// An identity act: the keys it takes.
    pub(super) kills: Option<Bits>,
    pub(super) quorum: Option<Quorum>,
}

/// An admissible act.
#[derive(Clone, Debug)]
pub(super) struct Act {
    pub(super) id: ActId,
    pub(super) author: usize,
    pub(super) statement: Statement,
    pub(super) epoch: bool,
    /// The admissible acts before it, plain rotations included.
    pub(super) past: Bits,
    /// The maximal ones of them, without plain rotations.
    heads: Vec<usize>,
    pub(super) ruling: Ruling,
    /// Whom it is about.
    pub(super) subject: Option<usize>,
    /// The keys it introduces, the recovery key included, and whose they are.
    pub(super) keys: Vec<usize>,
    pub(super) recovery: Option<usize>,
    pub(super) owner: usize,
    /// Acts it names; all in its past.
    pub(super) proposal: Option<usize>,
    pub(super) vouch: Option<usize>,
    pub(super) invite: Option<usize>,
}

impl Act {
    /// Does it make somebody a member?
    pub(super) const fn is_add(&self) -> bool {
        is_add(&self.statement)
    }

    /// The role an add or a role act gives.
    pub(super) const fn role(&self) -> Option<Role> {
        given(&self.statement)
    }
}

/// The acts that concern one person.
#[derive(Clone, Debug, Default)]
pub(super) struct Dossier {
    pub(super) adds: Vec<usize>,
    pub(super) downs: Vec<usize>,
    /// Role acts and re-vouches.
    pub(super) settings: Vec<usize>,
    /// Acts that introduce their keys.
    pub(super) intros: Vec<usize>,
    /// Their revocations, recoveries and re-vouches.
    pub(super) identity: Vec<usize>,
    pub(super) delegations: Vec<usize>,
    /// Invites that they opened.
    pub(super) invites: Vec<usize>,
    pub(super) restorations: Vec<usize>,
}

/// Where an act stands: what it knows.
///
/// Nothing rests on a plain rotation, so it takes no part in judging (and being no head, it would keep every act after it
/// from knowing all before it): `core` and `heads` leave rotations out.
#[derive(Clone, Debug, Default)]
pub(super) struct Ancestry {
    pub(super) past: Bits,
    pub(super) core: Bits,
    /// The maximal acts of `core`.
    pub(super) heads: Vec<usize>,
    /// The maximal acts of `past`.
    pub(super) tips: Vec<usize>,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct ActGraph {
    pub(super) rules: Rules,
    pub(super) circle: CircleId,
    pub(super) suite: u8,
    acts: Vec<Act>,
    index: BTreeMap<ActId, usize>,
    refused: BTreeMap<ActId, Ancestry>,
    rotations: Bits,
    people: Vec<(PersonId, Dossier)>,
    person_index: BTreeMap<PersonId, usize>,
    keys: Vec<(DeviceId, Vec<usize>)>,
    key_index: BTreeMap<DeviceId, usize>,
    votes: BTreeMap<usize, Vec<usize>>,
    enacted: BTreeMap<usize, Vec<usize>>,
    uses: BTreeMap<usize, Vec<usize>>,
    uninvites: BTreeMap<usize, Vec<usize>>,
}

impl ActGraph {
    pub(super) const fn new(circle: CircleId, rules: Rules) -> Self {
        Self {
            rules,
            circle,
            suite: 0,
            acts: Vec::new(),
            index: BTreeMap::new(),
            refused: BTreeMap::new(),
            rotations: Bits::new(),
            people: Vec::new(),
            person_index: BTreeMap::new(),
            keys: Vec::new(),
            key_index: BTreeMap::new(),
            votes: BTreeMap::new(),
            enacted: BTreeMap::new(),
            uses: BTreeMap::new(),
            uninvites: BTreeMap::new(),
        }
    }

    /// Act number `x`; numbers come from this graph only.
    pub(super) fn act(&self, x: usize) -> &Act {
        &self.acts[x]
    }

    pub(super) fn len(&self) -> usize {
        self.acts.len()
    }

    pub(super) fn find(&self, id: &ActId) -> Option<usize> {
        self.index.get(id).copied()
    }

    /// Judged already, one way or the other?
    pub(super) fn judged(&self, id: &ActId) -> Option<bool> {
        if self.index.contains_key(id) { Some(true) } else { self.refused.get(id).map(|_| false) }
    }

    pub(super) fn refused(&self) -> impl Iterator<Item = ActId> + '_ {
        self.refused.keys().copied()
    }

    pub(super) fn people(&self) -> usize {
        self.people.len()
    }

    pub(super) fn person(&self, id: &PersonId) -> Option<usize> {
        self.person_index.get(id).copied()
    }

    pub(super) fn person_id(&self, p: usize) -> PersonId {
        self.people[p].0
    }

    pub(super) fn dossier(&self, p: usize) -> &Dossier {
        &self.people[p].1
    }

    pub(super) fn key(&self, id: &DeviceId) -> Option<usize> {
        self.key_index.get(id).copied()
    }

    pub(super) fn key_id(&self, k: usize) -> DeviceId {
        self.keys[k].0
    }

    /// The acts that introduce a key.
    pub(super) fn introductions(&self, k: usize) -> &[usize] {
        &self.keys[k].1
    }

    /// The votes on a proposal, besides itself.
    pub(super) fn votes(&self, proposal: usize) -> &[usize] {
        list(&self.votes, proposal)
    }

    /// The acts that enact a proposal.
    pub(super) fn enacted(&self, proposal: usize) -> &[usize] {
        list(&self.enacted, proposal)
    }

    /// The admissions by an invite.
    pub(super) fn uses(&self, invite: usize) -> &[usize] {
        list(&self.uses, invite)
    }

    /// The acts that close an invite.
    pub(super) fn uninvites(&self, invite: usize) -> &[usize] {
        list(&self.uninvites, invite)
    }

    /// Is act `x` before act `y`?
    pub(super) fn knows(&self, y: usize, x: usize) -> bool {
        self.act(y).past.get(x)
    }

    /// Neither knows the other.
    pub(super) fn concurrent(&self, x: usize, y: usize) -> bool {
        x != y && !self.knows(x, y) && !self.knows(y, x)
    }

    /// What these acts and all before them are; `None` where one is unknown or held.
    pub(super) fn place(&self, parents: &[ActId]) -> Option<Ancestry> {
        let mut past = Bits::default();
        let (mut heads, mut tips) = (Vec::new(), Vec::new());
        for id in parents {
            if let Some(x) = self.find(id) {
                past.join(&self.act(x).past);
                past.set(x);
                tips.push(x);
                if self.rotations.get(x) {
                    heads.extend(&self.act(x).heads);
                } else {
                    heads.push(x);
                }
            } else {
                let refused = self.refused.get(id)?;
                past.join(&refused.past);
                tips.extend(&refused.tips);
                heads.extend(&refused.heads);
            }
        }
        Some(Ancestry { core: past.minus(&self.rotations), past, heads: self.maximal(heads), tips: self.maximal(tips) })
    }

    /// Those of `tips` that no other of them knows, ascending.
    pub(super) fn maximal(&self, mut tips: Vec<usize>) -> Vec<usize> {
        tips.sort_unstable();
        tips.dedup();
        let known: Vec<usize> = tips.iter().copied().filter(|x| tips.iter().any(|y| self.knows(*y, *x))).collect();
        tips.retain(|x| !known.contains(x));
        tips
    }

    pub(super) fn refuse(&mut self, id: ActId, place: Ancestry) {
        self.refused.insert(id, place);
    }

    /// Takes an admissible act in and says its number.
    pub(super) fn insert(&mut self, fact: Fact, place: Ancestry, ruling: Ruling) -> usize {
        let x = self.acts.len();
        let (devices, recovery) = introduced(&fact.statement);
        let keys: Vec<DeviceId> = devices.iter().map(|keys| keys.sign).chain(recovery).collect();
        let keys: Vec<usize> = keys.into_iter().map(|key| self.intern_key(key)).collect();
        let recovery = recovery.map(|key| self.intern_key(key));
        let author = self.intern_key(fact.author);
        if let Statement::Genesis { suite, .. } = &fact.statement {
            self.suite = *suite;
            self.intern_person(super::fact::founder_id(&fact.author));
        }
        let subject = subject(&fact.statement).map(|person| self.intern_person(person));
        let elsewhere = matches!(fact.statement, Statement::Admit { .. } | Statement::Revouch { .. });
        let owner = subject.filter(|_| elsewhere).unwrap_or(ruling.who);
        let named = |id: Option<ActId>| id.and_then(|id| self.index.get(&id).copied());
        let vouch = if let Statement::Revouch { vouch, .. } = &fact.statement { named(*vouch) } else { None };
        let invite = if let Statement::Admit { invite, .. } = &fact.statement { named(*invite) } else { None };
        let invite = if let Statement::Uninvite { invite } = &fact.statement { named(Some(*invite)) } else { invite };
        let proposal = named(proposal(&fact.statement));
        let act = Act {
            id: fact.id,
            author,
            statement: fact.statement,
            epoch: fact.epoch,
            past: place.past,
            heads: place.heads,
            ruling,
            subject,
            keys,
            recovery,
            owner,
            proposal,
            vouch,
            invite,
        };
        self.file(x, &act);
        self.index.insert(act.id, x);
        self.acts.push(act);
        x
    }

    /// Enters an act in the indexes.
    fn file(&mut self, x: usize, act: &Act) {
        for key in &act.keys {
            self.keys[*key].1.push(x);
        }
        if !act.keys.is_empty() {
            self.people[act.owner].1.intros.push(x);
        }
        if let Some(proposal) = act.proposal {
            self.enacted.entry(proposal).or_default().push(x);
        }
        if let Some(down) = act.ruling.down {
            self.people[down.target].1.downs.push(x);
        }
        if act.ruling.kills.is_some() {
            self.people[act.owner].1.identity.push(x);
        }
        let subject = act.subject.unwrap_or(act.ruling.who);
        let dossier = &mut self.people[subject].1;
        match &act.statement {
            Statement::Genesis { .. } | Statement::Confirm { .. } => dossier.adds.push(x),
            Statement::Admit { .. } => {
                dossier.adds.push(x);
                if let Some(invite) = act.invite {
                    self.uses.entry(invite).or_default().push(x);
                }
            }
            Statement::Role { .. } | Statement::Revouch { .. } => dossier.settings.push(x),
            Statement::Delegate { .. } => dossier.delegations.push(x),
            Statement::Invite { .. } => dossier.invites.push(x),
            Statement::Restore { .. } => dossier.restorations.push(x),
            Statement::Uninvite { .. } => {
                if let Some(invite) = act.invite {
                    self.uninvites.entry(invite).or_default().push(x);
                }
            }
            Statement::Vote { proposal } => {
                if let Some(proposal) = self.index.get(proposal) {
                    self.votes.entry(*proposal).or_default().push(x);
                }
            }
            Statement::Remove { .. }
            | Statement::Leave
            | Statement::Propose { .. }
            | Statement::Policy { .. }
            | Statement::Device { .. }
            | Statement::Revoke { .. }
            | Statement::Recover { .. }
            | Statement::Vouch { .. } => {}
            Statement::Rotate => self.rotations.set(x),
        }
    }

    /// The plain rotations.
    pub(super) const fn rotations(&self) -> &Bits {
        &self.rotations
    }

    fn intern_key(&mut self, id: DeviceId) -> usize {
        let next = self.keys.len();
        let k = *self.key_index.entry(id).or_insert(next);
        if k == next {
            self.keys.push((id, Vec::new()));
        }
        k
    }

    fn intern_person(&mut self, id: PersonId) -> usize {
        let next = self.people.len();
        let p = *self.person_index.entry(id).or_insert(next);
        if p == next {
            self.people.push((id, Dossier::default()));
        }
        p
    }
}

fn list(map: &BTreeMap<usize, Vec<usize>>, key: usize) -> &[usize] {
    map.get(&key).map_or(&[], Vec::as_slice)
}
