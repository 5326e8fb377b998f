//! The resolver's edges: what the node asks it for, and what a peer could break.

use std::collections::BTreeMap;

use super::*;
use crate::circle::body::{ChainId, KeyClass, Point, Points, Policy, PolicyField, Role};
use crate::crypto::DeviceKeys;
use crate::id::DeviceId;
use crate::id::{EntryId, Incarnation, PersonId};
use crate::time::Millis;

/// A circle in which everything is a byte: act 1 is the genesis, device 1 the founder's.
struct Small {
    membership: Membership,
    last: ActId,
}

const CIRCLE: CircleId = CircleId([1; 32]);

fn device(n: u8) -> DeviceId {
    DeviceId([n; 32])
}

fn keys(n: u8) -> DeviceKeys {
    DeviceKeys { sign: device(n), hpke: vec![n; 32], hello: [n; 32] }
}

fn person(n: u8) -> PersonId {
    if n == 1 { founder_id(&device(1)) } else { person_id(&CIRCLE, &device(n)) }
}

fn admit(n: u8, role: Role) -> Statement {
    Statement::Admit { person: person(n), role, devices: vec![keys(n)], recovery: None, invite: None, proposal: None }
}

fn remove(n: u8, points: Points) -> Statement {
    Statement::Remove { person: person(n), points, proposal: None }
}

fn fact(id: u8, author: u8, parents: &[ActId], statement: Statement) -> Fact {
    let epoch = matches!(statement, Statement::Genesis { .. } | Statement::Remove { .. } | Statement::Rotate);
    let parents = parents.to_vec();
    Fact { id: ActId([id; 32]), author: device(author), parents, statement, epoch, countersigned: true }
}

impl Small {
    fn new(policies: Vec<Policy>) -> Self {
        let mut membership = Membership::new(CIRCLE);
        let genesis = Statement::Genesis { devices: vec![keys(1)], policies, suite: 2, recovery: None, nonce: [0; 16] };
        assert_eq!(membership.add(fact(1, 1, &[], genesis)), Verdict::Admissible);
        Self { membership, last: ActId([1; 32]) }
    }

    /// Writes an act on all that is known.
    fn act(&mut self, id: u8, author: u8, statement: Statement) -> Verdict {
        let parents = self.membership.heads();
        self.last = ActId([id; 32]);
        self.membership.add(fact(id, author, &parents, statement))
    }
}

#[test]
fn r02_plain_rotations_are_no_heads() {
    let mut small = Small::new(Vec::new());
    assert_eq!(small.act(2, 1, admit(2, Role::Member)), Verdict::Admissible);
    assert_eq!(small.act(3, 2, Statement::Rotate), Verdict::Admissible);
    assert_eq!(small.membership.heads(), [ActId([2; 32])]);
    assert_eq!(small.membership.epoch_heads(), [ActId([3; 32])]);
    assert_eq!(small.membership.state().epoch(), Some(ActId([3; 32])));
    assert_eq!(small.act(4, 1, admit(4, Role::Member)), Verdict::Admissible);
    assert_eq!(small.membership.epoch_heads(), [ActId([3; 32]), ActId([4; 32])]);
    assert!(small.membership.covers(&[ActId([4; 32])], &[ActId([2; 32])]));
    assert!(!small.membership.covers(&[ActId([2; 32])], &[ActId([4; 32])]));
    // Nobody goes back behind a rotation: it decided nothing.
    assert!(small.membership.covers(&[ActId([4; 32])], &[ActId([3; 32])]));
}

#[test]
fn r02_acts_wait_for_their_parents_and_no_longer() {
    let mut small = Small::new(Vec::new());
    let first = fact(2, 1, &[ActId([1; 32])], admit(2, Role::Steward));
    let second = fact(3, 2, &[first.id], admit(3, Role::Member));
    let third = fact(4, 3, &[second.id], Statement::Rotate);
    assert_eq!(small.membership.add(third.clone()), Verdict::Held);
    assert_eq!(small.membership.add(second), Verdict::Held);
    assert_eq!(small.membership.held().count(), 2);
    assert_eq!(small.membership.add(first), Verdict::Admissible);
    assert_eq!(small.membership.verdict(&third.id), Some(Verdict::Admissible));
    assert_eq!(small.membership.add(third), Verdict::Known);
    assert_eq!(small.membership.held().count(), 0);
}

#[test]
fn r03_a_first_admission_names_the_person_that_follows_from_the_device() {
    let mut small = Small::new(Vec::new());
    let Statement::Admit { role, devices, .. } = admit(2, Role::Member) else { unreachable!() };
    let other = Statement::Admit { person: person(3), role, devices, recovery: None, invite: None, proposal: None };
    assert_eq!(small.act(2, 1, other), Verdict::Inadmissible);
    assert_eq!(small.act(3, 1, admit(2, Role::Member)), Verdict::Admissible);
    // A re-add keeps the id, with new keys.
    assert_eq!(small.act(4, 1, remove(2, Points::new())), Verdict::Admissible);
    let (person, role) = (person(2), Role::Guest);
    let again = Statement::Admit { person, role, devices: vec![keys(9)], recovery: None, invite: None, proposal: None };
    assert_eq!(small.act(5, 1, again), Verdict::Admissible);
    assert_eq!(small.membership.state().people[&person].devices, [device(9)]);
}

#[test]
fn r03_what_is_badly_formed_is_inadmissible_and_stops_nothing() {
    let mut small = Small::new(Vec::new());
    assert_eq!(small.act(2, 1, admit(2, Role::Member)), Verdict::Admissible);
    let admission = |devices: Vec<DeviceKeys>| Statement::Admit {
        person: devices.first().map_or(person(7), |keys| person_id(&CIRCLE, &keys.sign)),
        role: Role::Member,
        devices,
        recovery: None,
        invite: None,
        proposal: None,
    };
    let short = DeviceKeys { hpke: vec![0; 31], ..keys(7) };
    let name = Policy::Name(String::new().into());
    let twice = vec![Policy::MembersInvite(true), Policy::MembersInvite(false)];
    let none = (None, None);
    let bad = [
        admission(Vec::new()),
        admission((10..30).map(keys).collect()),
        admission(vec![keys(7), keys(7)]),
        admission(vec![short]),
        Statement::Policy { set: Vec::new(), proposal: None },
        Statement::Policy { set: vec![name], proposal: None },
        Statement::Policy { set: twice, proposal: None },
        Statement::Invite { role: Role::Steward, uses: 1, key: device(8), expires: Millis(0) },
        Statement::Invite { role: Role::Member, uses: 0, key: device(8), expires: Millis(0) },
        Statement::Revouch { person: person(2), device: keys(7), vouch: none.0, proposal: none.1, recovery: None },
    ];
    for (n, statement) in (50..).zip(bad) {
        assert_eq!(small.act(n, 1, statement.clone()), Verdict::Inadmissible, "{statement:?}");
    }
    let crowd: Vec<ActId> = (100..120).map(|n| ActId([n; 32])).collect();
    for id in &crowd {
        let fact = Fact { id: *id, ..fact(0, 1, &[ActId([1; 32])], Statement::Rotate) };
        assert_eq!(small.membership.add(fact), Verdict::Admissible);
    }
    assert_eq!(small.membership.add(fact(200, 1, &crowd, Statement::Rotate)), Verdict::Inadmissible);
    assert_eq!(small.membership.epoch_heads().len(), limits::HEADS);
    assert_eq!(small.membership.state().members().count(), 2);
}

#[test]
fn r04_cuts_name_what_they_leave_and_the_devices_they_cover() {
    let mut small = Small::new(Vec::new());
    let chain = |n: u8, class| ChainId { device: device(n), incarnation: Incarnation([n; 16]), class };
    let point = |seq| Point { seq, entry: EntryId([5; 32]) };
    let points = |seqs: &[u64]| BTreeMap::from([(chain(2, KeyClass::Talk), seqs.iter().map(|seq| point(*seq)).collect())]);
    assert_eq!(small.act(2, 1, admit(2, Role::Facilitator)), Verdict::Admissible);
    let lower = Statement::Role { person: person(2), role: Role::Guest, points: points(&[3]), proposal: None };
    assert_eq!(small.act(3, 1, lower), Verdict::Admissible);
    assert_eq!(small.act(4, 1, remove(2, points(&[2, 5]))), Verdict::Admissible);
    let back = Statement::Restore { person: person(2), points: points(&[9]) };
    assert_eq!(small.act(5, 1, back), Verdict::Admissible);
    let state = small.membership.state();
    assert_eq!(state.cuts_of(&device(1)).count(), 0);
    let left = |class| {
        let said = |cut: &Cut| (cut.keeps_role, cut.points(&chain(2, class)).copied().collect::<Vec<_>>());
        state.cuts_of(&device(2)).map(said).collect::<Vec<_>>()
    };
    assert_eq!(left(KeyClass::Talk), [(Some(Role::Guest), vec![point(3), point(9)]), (None, vec![point(2), point(5), point(9)])]);
    assert_eq!(left(KeyClass::Library), [(Some(Role::Guest), Vec::new()), (None, Vec::new())]);
    assert_eq!(state.person_of(&device(2)), Some(person(2)));
    assert!(!state.is_current(&device(2)));
}

#[test]
fn r04_points_are_some_ascending_and_bounded() {
    let chain = ChainId { device: device(2), incarnation: Incarnation([2; 16]), class: KeyClass::Talk };
    let point = |seq| Point { seq, entry: EntryId([5; 32]) };
    let named = |points: Vec<Point>| remove(2, BTreeMap::from([(chain, points)]));
    let most: Vec<Point> = (1..=limits::POINTS_PER_CHAIN as u64).map(point).collect();
    let over: Vec<Point> = (0..=limits::POINTS_PER_CHAIN as u64).map(point).collect();
    let cases = [(most, true), (over, false), (Vec::new(), false), (vec![point(2), point(1)], false), (vec![point(1); 2], false)];
    for (points, fits) in cases {
        let mut small = Small::new(Vec::new());
        assert_eq!(small.act(2, 1, admit(2, Role::Member)), Verdict::Admissible);
        assert_eq!(small.act(3, 1, named(points.clone())) == Verdict::Admissible, fits, "{points:?}");
    }
}

#[test]
fn d17_an_invite_has_uses_left_until_it_is_closed() {
    let mut small = Small::new(vec![Policy::MembersInvite(true)]);
    assert_eq!(small.act(2, 1, admit(2, Role::Member)), Verdict::Admissible);
    let open = Statement::Invite { role: Role::Member, uses: 2, key: device(77), expires: Millis(5) };
    assert_eq!(small.act(3, 2, open), Verdict::Admissible);
    let id = small.last;
    assert_eq!(small.membership.state().invites[&id].left(), 2);
    let mut by_invite = admit(4, Role::Member);
    if let Statement::Admit { invite, .. } = &mut by_invite {
        *invite = Some(id);
    }
    assert_eq!(small.act(4, 1, by_invite), Verdict::Admissible);
    assert_eq!(small.membership.state().invites[&id].left(), 1);
    assert_eq!(small.act(5, 1, remove(2, Points::new())), Verdict::Admissible);
    let state = small.membership.state();
    assert!(state.invites[&id].closed && state.invites[&id].left() == 0);
    assert_eq!(state.policies[&PolicyField::MembersInvite], Policy::MembersInvite(true));
}

#[test]
fn talk_keys_are_of_epochs_during_ones_membership() {
    let mut small = Small::new(Vec::new());
    assert_eq!(small.act(2, 1, admit(2, Role::Member)), Verdict::Admissible);
    let parents = small.membership.epoch_heads();
    let with_epoch = Fact { epoch: true, ..fact(3, 1, &parents, admit(3, Role::Member)) };
    assert_eq!(small.membership.check(&with_epoch), Verdict::Admissible);
    assert_eq!(small.membership.add(with_epoch), Verdict::Admissible);
    let state = small.membership.state();
    let during = |who, act: u8| {
        let act = ActId([act; 32]);
        let since = state.people.get(&person(who)).map(|person| person.since.as_slice()).unwrap_or_default();
        since.iter().any(|add| *add == act || !small.membership.within(&act, &[*add]))
    };
    assert!(during(1, 1) && during(1, 3) && during(2, 3) && during(3, 3));
    assert!(!during(2, 1) && !during(3, 1) && !during(9, 3));
    assert_eq!(state.epoch(), Some(ActId([3; 32])));
    let before = small.membership.state_at(&[ActId([2; 32])]).expect("known");
    assert_ne!(state.roster_hash(), before.roster_hash());
    assert_eq!(before.role_of(&device(2)), Some(Role::Member));
    assert_eq!(before.role_of(&device(3)), None);
    assert!(small.membership.state_at(&[ActId([99; 32])]).is_none());
}

#[test]
fn a_policy_that_is_not_known_is_set_and_decides_nothing() {
    let later = |number, bytes: &[u8]| Policy::Later(number, crate::codec::decode(bytes, "value").expect("a value"));
    let mut small = Small::new(vec![later(6, &[0x81, 0xf5])]);
    assert_eq!(small.act(2, 1, admit(2, Role::Steward)), Verdict::Admissible);
    let set = |set| Statement::Policy { set, proposal: None };
    assert_eq!(small.act(3, 2, set(vec![later(6, &[0x80])])), Verdict::Inadmissible, "set like any other: by the founder");
    assert_eq!(small.act(4, 1, set(vec![Policy::MembersInvite(true), later(6, &[0x81, 0x01])])), Verdict::Admissible);
    let state = small.membership.state();
    assert!(state.members_invite());
    assert_eq!(state.policies[&PolicyField::Later(6)], later(6, &[0x81, 0x01]));
    // What nobody may write, known or not.
    let mut long = vec![0x81, 0x59, 0x80, 0x01];
    long.extend([0; 0x8001]);
    assert_eq!(small.act(5, 1, set(vec![later(64, &[0x80])])), Verdict::Inadmissible);
    assert_eq!(small.act(6, 1, set(vec![later(7, &long)])), Verdict::Inadmissible);
    assert_eq!(small.act(7, 1, set(vec![later(7, &[0x80]), later(6, &[0x80])])), Verdict::Inadmissible, "out of order");
}
