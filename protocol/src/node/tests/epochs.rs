//! What a hostile epoch, a wrong clock or a crowd of heads may bring about: newcomers read what the circle decided, keys change
//! on time, and everybody can go on writing.

use super::*;
use crate::circle::act::{ActBody, ActPlace, SealedAct, write_act};
use crate::circle::body::{History, NewEpoch, Statement};
use crate::circle::epoch::{self, EpochKeys, KeyRing};
use crate::circle::state::CircleState;
use crate::id::{ActId, EpochId};
use crate::limits::HEADS;
use crate::time::{DAY, HOUR};

/// An act as its author made it, and the keys that go with it.
struct Made {
    act: SealedAct,
    keys: BTreeMap<EpochId, EpochKeys>,
}

/// An epoch that somebody makes, whatever they say of it.
struct Forged {
    history: History,
    /// What they pretend to know; nothing: all.
    parents: Option<Vec<ActId>>,
    label: Millis,
    /// An epoch that is there already, claimed again.
    copied: Option<(NewEpoch, EpochKeys)>,
}

impl Village {
    fn state(&self, at: usize) -> &CircleState {
        self.machines[at].node.state.circles.all.values().next().expect("a circle")
    }

    /// A rotation by a machine's member, of which no node knows yet.
    fn forge(&mut self, at: usize, forged: &Forged) -> Made {
        let machine = &mut self.machines[at];
        let circle = machine.node.state.circles.all.values().next().expect("a circle");
        let under = circle.usable_epoch().expect("keys");
        let held = circle.ring().epoch(&under).expect("held").clone();
        let (mut new, keys) = epoch::new_epoch(&mut machine.rng, &[(under, &held)], forged.history);
        let keys = match &forged.copied {
            Some((copied, keys)) => {
                new = NewEpoch { history: forged.history, ..copied.clone() };
                keys.clone()
            }
            None => keys,
        };
        let parents = forged.parents.clone().unwrap_or_else(|| circle.membership().epoch_heads());
        let place = ActPlace::In { circle: circle.id(), parents, epoch: under, roster: &held.roster };
        let id = epoch::epoch_id(&circle.id(), &new);
        let body = ActBody { at: forged.label, statement: Statement::Rotate, epoch: Some(new) };
        let act = write_act(&Real, &mut machine.rng, circle.signer(), place, &body).expect("an act");
        Made { act, keys: BTreeMap::from([(id, keys)]) }
    }

    /// A machine learns acts and their keys, as if somebody had sent them.
    fn teach(&mut self, at: usize, made: &[Made]) {
        let machine = &mut self.machines[at];
        let mut batch = Turn::default();
        let mut env = Env { now: self.now, rng: &mut machine.rng, crypto: &Real, peer: &machine.peer };
        let mut cx = Cx::new(Tx::new(&machine.store, &batch), &mut env);
        let node = &mut machine.node.state;
        let circle = node.circles.all.values_mut().next().expect("a circle");
        for one in made {
            let taken = circle.take_act(&mut cx, one.act.bytes(), &mut one.keys.clone()).expect("memory never fails");
            assert_eq!(taken, crate::circle::state::ActTaken::New);
        }
        let id = circle.id();
        node.circles.touched(id);
        node.settle(&mut cx).expect("settles");
        cx.tx.finish().join(&mut batch);
        node.saved();
        machine.store.commit(&batch.writes).expect("memory never fails");
        batch.effects.into_iter().for_each(|effect| self.perform(at, effect));
    }

    fn passes(&mut self, millis: u64) {
        self.now = self.now.plus(millis);
        self.settle();
    }

    /// The epoch under which a machine's newest note stands.
    fn under(&self, at: usize) -> EpochId {
        self.state(at).usable_epoch().expect("keys")
    }

    fn policy(&mut self, history: &str) {
        let edit = control::EditCircle { history: Some(history.into()), ..Default::default() };
        self.call(0, Command::EditCircle("-".into(), edit)).expect("a policy");
    }

    fn founded(history: &str) -> Self {
        let mut village = Self::new(3);
        village.found(control::NewCircle { history: history.into(), ..Default::default() });
        village.join(1);
        village
    }
}

fn loose(village: &Village) -> Forged {
    Forged { history: History::All, parents: None, label: village.now, copied: None }
}

// ---- what newcomers read --------------------------------------------------------------------------------------------

#[test]
fn a_members_epoch_opens_the_past_to_nobody() {
    let mut village = Village::founded("since-join");
    let made = [village.forge(1, &loose(&village))];
    (0..2).for_each(|at| village.teach(at, &made));
    village.note(0, "", "before their time");
    assert!(made[0].keys.contains_key(&village.under(0)), "honest people write under it");
    village.join(2);
    village.note(0, "", "after");
    village.offline(0);
    village.note(1, "", "by the maker");
    assert_eq!(village.bodies(2), ["after", "by the maker"]);
}

#[test]
fn an_epoch_that_pretends_not_to_know_the_policy_is_not_written_under() {
    let mut village = Village::founded("all");
    village.note(0, "", "for everybody");
    let before = village.state(1).membership().epoch_heads();
    village.policy("since-join");
    // Of the epochs side by side the one whose act has the smallest id would be used.
    let now = village.state(0).epoch(&village.under(0)).expect("known").act().expect("an act");
    let made = loop {
        let made = village.forge(1, &Forged { parents: Some(before.clone()), ..loose(&village) });
        if made.act.id() < now {
            break [made];
        }
    };
    (0..2).for_each(|at| village.teach(at, &made));
    village.note(0, "", "before their time");
    village.note(1, "", "before their time, too");
    village.join(2);
    village.note(0, "", "after");
    assert_eq!(village.bodies(2), ["for everybody", "after"]);
}

#[test]
fn a_policy_that_becomes_stricter_closes_what_is_written_from_then_on() {
    let mut village = Village::founded("all");
    village.note(0, "", "for everybody");
    // The founder's machine writes the policy and stops before it makes new keys.
    let machine = &mut village.machines[0];
    let mut batch = Turn::default();
    let mut env = Env { now: village.now, rng: &mut machine.rng, crypto: &Real, peer: &machine.peer };
    let mut cx = Cx::new(Tx::new(&machine.store, &batch), &mut env);
    let circle = machine.node.state.circles.all.values_mut().next().expect("a circle");
    let set = vec![crate::circle::body::Policy::History(History::SinceJoin)];
    circle.write(&mut cx, Statement::Policy { set, proposal: None }, false).expect("the founder may");
    cx.tx.finish().join(&mut batch);
    machine.store.commit(&batch.writes).expect("memory never fails");
    village.note(0, "", "before their time");
    village.join(2);
    assert_eq!(village.bodies(2), ["for everybody"]);
}

/// Who comes so many days after an epoch was superseded by one with this label: do they read what was written under it?
fn reads_after(days: u64, label: impl Fn(Millis) -> Millis, restart: bool) -> bool {
    let mut village = Village::founded("days:7");
    village.note(0, "", "old words");
    let made = [village.forge(1, &Forged { label: label(village.now), ..loose(&village) })];
    (0..2).for_each(|at| village.teach(at, &made));
    village.note(0, "", "new words");
    village.passes(days * DAY);
    if restart {
        village.offline(0);
        village.online(0);
    }
    village.join(2);
    village.bodies(2).contains(&"old words".to_owned())
}

#[test]
fn days_of_history_count_from_when_an_epoch_ended_here_whatever_a_label_says() {
    let century = |now: Millis| now.plus(36_500 * DAY);
    for restart in [false, true] {
        assert!(reads_after(6, |now| now, restart) && reads_after(6, century, restart), "so much the circle wants them to read");
        assert!(!reads_after(8, |now| now, restart));
        assert!(!reads_after(8, century, restart), "a label that lies ahead keeps the door open");
    }
    assert!(!reads_after(1, |now| Millis(now.0 - 9 * DAY), true), "a label counts where it is earlier");
}

#[test]
fn an_end_that_a_wrong_clock_saw_is_seen_again() {
    let mut village = Village::founded("days:7");
    village.note(0, "", "old words");
    let made = [village.forge(1, &Forged { label: village.now.plus(36_500 * DAY), ..loose(&village) })];
    let right = village.now;
    village.now = right.plus(9_000 * DAY);
    village.teach(0, &made);
    village.now = right.plus(DAY);
    village.teach(1, &made);
    village.note(0, "", "new words");
    village.now = right.plus(10 * DAY);
    village.join(2);
    assert!(!village.bodies(2).contains(&"old words".to_owned()));
}

// ---- keys change on time --------------------------------------------------------------------------------------------

/// Acts of a circle that one person founded by this clock, after notes at these moments.
fn acts_after(founded: Millis, retention: &str, notes: &[Millis]) -> usize {
    let mut village = Village::new(1);
    village.now = founded;
    village.found(control::NewCircle { retention: retention.into(), ..Default::default() });
    for moment in notes {
        village.now = *moment;
        village.note(0, "", "x");
    }
    village.state(0).judged().len()
}

#[test]
fn a_clock_that_was_ahead_pins_no_keys() {
    let begin = Millis(1_795_359_600_000);
    let ahead = begin.plus(36_500 * DAY);
    let late = begin.plus(40 * DAY);
    assert_eq!(acts_after(begin, "keep", &[late]), 2);
    assert_eq!(acts_after(ahead, "keep", &[late]), 2);
    assert_eq!(acts_after(ahead, "keep", &[late, late.plus(HOUR), late.plus(29 * DAY)]), 2, "once is enough");
    assert_eq!(acts_after(begin.plus(12 * HOUR), "keep", &[begin]), 1, "a clock that was set right by some hours");
    for (days, acts) in [(1, 1), (2, 2)] {
        assert_eq!(acts_after(begin, "days:5", &[begin.plus(days * DAY + HOUR)]), acts, "after {days} days");
    }
    assert_eq!(acts_after(ahead, "days:5", &[begin.plus(3 * DAY)]), 2);
}

#[test]
fn a_clock_that_is_behind_makes_new_keys_once() {
    let begin = Millis(1_795_359_600_000);
    let behind = |hours: u64| Millis(begin.0 - 50 * DAY + hours * HOUR);
    let notes: Vec<Millis> = (0..5).map(behind).collect();
    assert_eq!(acts_after(begin, "keep", &notes), 2);
}

#[test]
fn a_members_label_pins_no_keys() {
    for (label, restart) in [(0, false), (36_500 * DAY, false), (36_500 * DAY, true)] {
        let mut village = Village::founded("since-join");
        let made = [village.forge(1, &Forged { label: village.now.plus(label), ..loose(&village) })];
        (0..2).for_each(|at| village.teach(at, &made));
        village.note(0, "", "one");
        assert!(made[0].keys.contains_key(&village.under(0)), "to begin with it is as good as any");
        let before = village.state(0).judged().len();
        village.passes(29 * DAY);
        village.note(0, "", "two");
        assert_eq!(village.state(0).judged().len(), before, "it is not time yet");
        if restart {
            village.offline(0);
            village.online(0);
        }
        village.passes(2 * DAY);
        village.note(0, "", "three");
        village.note(0, "", "four");
        assert_eq!(village.state(0).judged().len(), before + 1, "label {label}");
        assert!(!made[0].keys.contains_key(&village.under(0)));
    }
}

// ---- one epoch that two acts claim ----------------------------------------------------------------------------------

#[test]
fn an_epoch_that_two_acts_claim_means_the_same_in_any_order() {
    let mut village = Village::founded("all");
    let strict = Forged { history: History::SinceJoin, ..loose(&village) };
    let first = village.forge(1, &strict);
    let (id, keys) = first.keys.first_key_value().map(|(id, keys)| (*id, keys.clone())).expect("keys");
    let new = village.state(1).opened_epoch(&first.act).expect("its epoch");
    let copied = Some((new, keys));
    let label = village.now.plus(5 * DAY);
    let second = village.forge(1, &Forged { label, copied, ..loose(&village) });
    assert!(second.keys.contains_key(&id), "the same keys are the same epoch");
    village.offline(0);
    village.offline(1);
    let mut seen = Vec::new();
    for order in [[&first, &second], [&second, &first]] {
        let mut other = Village::new(3);
        other.now = village.now;
        other.machines[0].store = village.machines[0].store.clone();
        other.online(0);
        for one in order {
            other.teach(0, std::slice::from_ref(&Made { act: one.act.clone(), keys: one.keys.clone() }));
        }
        let here = other.state(0);
        assert_eq!(here.epoch(&id).expect("known").history, History::SinceJoin);
        assert_ne!(here.usable_epoch(), Some(id), "nothing new is sealed under what two claim");
        let state = |circle: &CircleState| {
            let mut epochs = String::new();
            circle.parts(&mut |name, what| epochs.extend((name == "epochs").then(|| format!("{what:?}"))));
            format!("{epochs} {:?} {:?}", circle.now(), circle.usable_epoch())
        };
        seen.push(state(here));
        other.offline(0);
        other.online(0);
        seen.push(state(other.state(0)));
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:#?}");
}

#[test]
fn keys_that_a_removed_member_holds_are_not_taken_up_again() {
    let mut village = Village::founded("since-join");
    village.join(2);
    let old = village.under(1);
    let (act, keys) =
        (village.state(1).epoch(&old).expect("known").act().expect("an act"), village.state(1).ring().epoch(&old).cloned());
    let sealed =
        crate::circle::act::get_act(&village.machines[1].store, &village.state(1).id(), &act).expect("reads").expect("there");
    let new = village.state(1).opened_epoch(&sealed).expect("its epoch");
    village.call(0, Command::RemoveMember("-".into(), "Chioma".into())).expect("removed");
    let copied = Some((new, keys.expect("held")));
    let made = [village.forge(1, &Forged { copied, ..loose(&village) })];
    (0..2).for_each(|at| village.teach(at, &made));
    village.note(0, "", "just us");
    assert_ne!(village.under(0), old);
    assert_eq!(village.bodies(1), ["just us"]);
}

// ---- many heads -----------------------------------------------------------------------------------------------------

impl Village {
    /// What the member of a machine writes, again and again, on the same past: acts side by side.
    fn side_by_side(&mut self, at: usize, count: usize, statement: &Statement) -> Vec<Made> {
        let mut made = Vec::new();
        for _ in 0..count {
            let machine = &mut self.machines[at];
            let mut node = Node::open(&machine.store, &Real, machine.peer.clone()).expect("opens");
            let batch = Turn::default();
            let mut env = Env { now: self.now, rng: &mut machine.rng, crypto: &Real, peer: &machine.peer };
            let mut cx = Cx::new(Tx::new(&machine.store, &batch), &mut env);
            let circle = node.state.circles.all.values_mut().next().expect("a circle");
            let rekey = !matches!(statement, Statement::Policy { .. });
            let id = circle.write(&mut cx, statement.clone(), rekey).expect("allowed");
            let act = crate::circle::act::get_act(&cx.tx, &circle.id(), &id).expect("reads").expect("written");
            let carried = circle.epoch_of(&id).into_iter();
            let keys = carried.map(|epoch| (*epoch, circle.ring().epoch(epoch).expect("held").clone())).collect();
            made.push(Made { act, keys });
        }
        made
    }

    fn removal_of(&self, at: usize) -> Statement {
        let person = self.state(at).me().expect("in");
        Statement::Remove { person, points: BTreeMap::new(), proposal: None }
    }

    fn tips(&self, at: usize) -> usize {
        self.state(at).tips().len()
    }
}

fn four() -> Village {
    let mut village = Village::new(4);
    village.found(control::NewCircle::default());
    (1..4).for_each(|at| village.join(at));
    village.offline(3);
    village
}

#[test]
fn forty_removals_and_forty_rotations_side_by_side_stop_nobody_from_writing() {
    for removals_first in [true, false] {
        let mut village = four();
        let removals = village.side_by_side(0, 40, &village.removal_of(3));
        let rotations = village.side_by_side(2, 40, &Statement::Rotate);
        for at in 0..3 {
            let (first, second) = if removals_first { (&removals, &rotations) } else { (&rotations, &removals) };
            village.teach(at, first);
            village.teach(at, second);
        }
        assert_eq!(village.tips(1), 80);
        let members = village.members(1);
        village.note(1, "", "one");
        village.note(0, "", "two");
        village.note(2, "", "three");
        village
            .call(0, Command::NewInvite("-".into(), control::NewInvite::default()))
            .expect("what else is decided goes on, too");
        for at in 0..3 {
            assert_eq!(village.bodies(at), ["one", "two", "three"]);
            assert_eq!((village.tips(at), village.members(at)), (village.tips(0), members.clone()));
        }
        assert!(village.tips(0) <= HEADS, "heads merge: {}", village.tips(0));
        assert!(village.bodies(3).is_empty());
    }
}

#[test]
fn what_one_turn_cannot_bring_together_is_gone_on_with_although_the_command_was_refused() {
    let mut village = four();
    let removals = village.side_by_side(0, 150, &village.removal_of(3));
    (0..3).for_each(|at| village.teach(at, &removals));
    let refused = village.call(1, note("one")).expect_err("too much for one turn");
    assert_eq!(refused.hints.to_string(), "Try again in a moment.");
    assert!(village.tips(1) <= HEADS, "by now it is done: {}", village.tips(1));
    village.note(1, "", "one");
    village.note(0, "", "two");
    assert_eq!(village.bodies(2), ["one", "two"]);
}

fn note(body: &str) -> Command {
    Command::New("-".into(), NewItem::Note(control::NewNote { body: body.into(), ..Default::default() }))
}

#[test]
fn some_removals_among_newer_acts_are_what_new_keys_must_know() {
    let mut village = four();
    let removals = village.side_by_side(0, 14, &village.removal_of(3));
    let name = crate::circle::body::Policy::Name(crate::private::Private("Night shift".into()));
    let policies = village.side_by_side(0, 40, &Statement::Policy { set: vec![name], proposal: None });
    village.teach(1, &removals);
    village.teach(1, &policies);
    let parents = village.state(1).membership().epoch_heads();
    assert_eq!(parents.len(), HEADS);
    assert!(removals.iter().all(|one| parents.contains(&one.act.id())), "they come before what is newer");
    let before = village.state(1).judged().len();
    village.note(1, "", "at once");
    assert_eq!(village.state(1).judged().len(), before + 1, "one act does");
}

#[test]
fn who_is_let_in_among_many_heads_reads_nothing_from_before() {
    let mut village = Village::founded("since-join");
    let mut rotations = village.side_by_side(1, 40, &Statement::Rotate);
    rotations.sort_by_key(|one| one.act.id());
    // One is written under for a while, then others come before it, and it is not among the newest.
    (0..2).for_each(|at| village.teach(at, &rotations[20..]));
    let used = village.under(0);
    village.note(0, "", "before their time");
    (0..2).for_each(|at| village.teach(at, &rotations[..20]));
    assert!(village.under(0) != used && rotations[20].keys.contains_key(&used));
    village.join(2);
    village.note(0, "", "after");
    assert_eq!(village.bodies(2), ["after"]);
    assert!(village.state(2).ring().epoch(&used).is_some_and(|keys| keys.talk.is_none()));
}
