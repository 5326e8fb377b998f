//! Cuts name entries, not places: what a removed member signs beside what stood is shown nowhere, whatever comes when.
#![allow(clippy::indexing_slicing, reason = "a test that fails is what a wrong index should be")]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::circle::body::{ChainId, KeyClass, Point, Points, Statement};
use crate::id::{CircleId, EntryId};
use crate::log::chain;
use crate::sync::message::Bytes;
use crate::sync::rate_limit::RateLimit;
use crate::sync::take::{Sender, take};
use crate::tx::{Turn, Tx};

/// One entry of Chioma's, signed by one of their copies.
#[derive(Clone, Debug)]
struct Signed {
    words: String,
    /// The one that it follows: its place in [`Scrolls::signed`].
    after: Option<usize>,
    point: Point,
    run: Vec<u8>,
}

/// Chioma's chain of talk, with all its branches, and the copies of their folder that wrote them.
struct Scrolls {
    circle: CircleId,
    chain: ChainId,
    /// Before their first entry, and after each.
    folders: Vec<MemoryStore>,
    signed: Vec<Signed>,
}

/// Where machines look for a moment that is past.
const BEFORE: usize = 0;

impl Scrolls {
    /// What a circle of three knows of Chioma before they wrote anything.
    fn new(village: &Village) -> Self {
        let circle = village.machines[2].node.state.circles.all.values().next().expect("a circle");
        let chain = ChainId { device: circle.device(), incarnation: circle.own().incarnation(), class: KeyClass::Talk };
        Self { circle: circle.id(), chain, folders: vec![village.machines[2].store.clone()], signed: Vec::new() }
    }

    /// Another note behind one that is there, by a copy of their folder from then.
    fn write(&mut self, village: &Village, after: Option<usize>) -> usize {
        let mut store = self.folders[after.map_or(BEFORE, |after| after + 1)].clone();
        let mut node = Node::open(&store, &Real, peer(2)).expect("opens");
        let at = self.signed.len();
        let (words, mut batch, peer) = (format!("note {at}"), Turn::default(), peer(2));
        let mut rng = Seeded::new(1_000 + at as u64);
        let mut env = Env { now: village.now, rng: &mut rng, crypto: &Real, peer: &peer };
        let new = control::NewNote { body: words.clone(), ..Default::default() };
        node.handle(&mut env, &store, &mut batch, Input::Call(CallId(1), Command::New("-".into(), NewItem::Note(new))))
            .expect("writes");
        store.commit(&batch.writes).expect("memory never fails");
        let ring = node.state.circles.all[&self.circle].ring();
        let seq = after.map_or(0, |after| self.signed[after].point.seq) + 1;
        let head = chain::branches(&store, &self.circle, &self.chain).expect("reads").remove(0);
        let served = chain::endless::serve_branch(&store, ring, head.no, seq - 1, 1 << 20, None).expect("serves");
        let point = Point { seq: head.seq, entry: head.head };
        self.signed.push(Signed { words, after, point, run: served.expect("one").run });
        self.folders.push(store);
        at
    }

    fn points(&self, named: &[usize]) -> Points {
        let mut points: Vec<Point> = named.iter().map(|at| self.signed[*at].point).collect();
        points.sort_unstable();
        points.dedup();
        if points.is_empty() { Points::new() } else { [(self.chain, points)].into() }
    }

    /// The words of what leads to some entries, and of those.
    fn leading_to(&self, named: &[usize]) -> BTreeSet<String> {
        let mut words = BTreeSet::new();
        for start in named {
            let mut at = Some(*start);
            while let Some(here) = at {
                words.insert(self.signed[here].words.clone());
                at = self.signed[here].after;
            }
        }
        words
    }
}

impl Village {
    /// Does something to a machine's rooms as an input would.
    fn within(
        &mut self,
        at: usize,
        change: impl FnOnce(&mut NodeState, &mut Cx<'_, '_>) -> Result<(), InputError>,
    ) -> Result<(), InputError> {
        let machine = &mut self.machines[at];
        let mut batch = Turn::default();
        let mut env = Env { now: self.now, rng: &mut machine.rng, crypto: &Real, peer: &machine.peer };
        let mut cx = Cx::new(Tx::new(&machine.store, &batch), &mut env);
        let node = &mut machine.node.state;
        let done = change(node, &mut cx).and_then(|()| node.settle(&mut cx));
        if done.is_ok() {
            cx.tx.finish().join(&mut batch);
            node.saved();
        }
        machine.store.commit(&batch.writes).expect("memory never fails");
        batch.effects.into_iter().for_each(|effect| self.perform(at, effect));
        done
    }

    /// A run comes, from anyone who has it. Refused for now where something before it is missing.
    fn bring(&mut self, at: usize, id: CircleId, run: &[u8]) -> Result<(), InputError> {
        let (device, run) = (self.device(0), Message::Run(Bytes(run.to_vec()), false));
        self.within(at, |node, cx| {
            let from = Sender { device, known: &mut None, limit: &mut RateLimit::default() };
            if take(&mut node.circles, cx, &id, &run, from)?.entries {
                node.peers.announce_soon(id, cx.env.now);
            }
            Ok(())
        })
    }

    /// Brings entries in some order, again and again until all are there.
    fn bring_all(&mut self, at: usize, scrolls: &Scrolls, order: &[usize]) {
        let mut left: Vec<usize> = order.to_vec();
        while !left.is_empty() {
            let (before, mut why) = (left.len(), None);
            left.retain(|which| {
                let refused = self.bring(at, scrolls.circle, &scrolls.signed[*which].run).err();
                why = refused.or(why.take());
                // What parts from a branch that is not here is neither kept nor refused.
                !self.has(at, scrolls, scrolls.signed[*which].point)
            });
            let tree: Vec<Option<usize>> = scrolls.signed.iter().map(|signed| signed.after).collect();
            assert!(left.len() < before, "{left:?} of {tree:?} cannot come to {at}: {why:?}; in order {order:?}");
        }
        self.settle();
    }

    fn has(&self, at: usize, scrolls: &Scrolls, point: Point) -> bool {
        let Machine { store, node, .. } = &self.machines[at];
        let ring = node.state.circles.all[&scrolls.circle].ring();
        let branches = chain::branches(store, &scrolls.circle, &scrolls.chain).expect("reads");
        let mut ids = branches.iter().filter(|head| (head.first..=head.seq).contains(&point.seq)).map(|head| {
            let at = crate::log::entry::EntryAt { chain: head.no, seq: point.seq };
            chain::id_of(store, ring, at).expect("reads")
        });
        ids.any(|id| id == Some(point.entry))
    }

    fn removes(&mut self, at: usize, scrolls: &Scrolls, points: Points) {
        let done = self.within(at, |node, cx| {
            let circle = node.circles.all.get_mut(&scrolls.circle).expect("a circle");
            let person = circle.now().person_of(&scrolls.chain.device).expect("theirs");
            circle.write(cx, Statement::Remove { person, points, proposal: None }, true)?;
            node.circles.touched(scrolls.circle);
            Ok(())
        });
        done.expect("founders may");
        self.settle();
    }

    fn shows(&self, at: usize) -> BTreeSet<String> {
        self.bodies(at).into_iter().collect()
    }
}

/// Three who know each other; Chioma is away from now on, and what they sign comes by hand.
fn apart() -> (Village, Scrolls) {
    let mut village = circle_of_three();
    let scrolls = Scrolls::new(&village);
    village.offline(2);
    (village, scrolls)
}

fn words(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|words| (*words).to_owned()).collect()
}

#[test]
fn what_is_signed_beside_what_stood_is_shown_nowhere() {
    let (mut village, mut scrolls) = apart();
    let first = scrolls.write(&village, None);
    let second = scrolls.write(&village, Some(first));
    let third = scrolls.write(&village, Some(second));
    village.bring_all(0, &scrolls, &[first, second, third]);
    village.settle();
    village.call(0, Command::RemoveMember("-".into(), "Chioma".into())).expect("removed");
    let behind = scrolls.write(&village, Some(third));
    let beside = scrolls.write(&village, Some(first));
    let further = scrolls.write(&village, Some(beside));
    for at in [0, 1] {
        village.bring_all(at, &scrolls, &[behind, beside, further]);
        assert_eq!(village.shows(at), words(&["note 0", "note 1", "note 2"]), "machine {at}");
    }
    // Nor after everything is built again.
    village.call(1, Command::Rebuild).expect("builds");
    assert_eq!(village.shows(1), words(&["note 0", "note 1", "note 2"]));
}

#[test]
fn of_a_chain_with_two_branches_both_are_named() {
    let (mut village, mut scrolls) = apart();
    let first = scrolls.write(&village, None);
    let left = scrolls.write(&village, Some(first));
    let longer = scrolls.write(&village, Some(left));
    let right = scrolls.write(&village, Some(first));
    village.bring_all(0, &scrolls, &[first, left, longer, right]);
    village.settle();
    village.call(0, Command::RemoveMember("-".into(), "Chioma".into())).expect("removed");
    let beyond = scrolls.write(&village, Some(right));
    for at in [0, 1] {
        village.bring_all(at, &scrolls, &[beyond]);
        assert_eq!(village.shows(at), words(&["note 0", "note 1", "note 2", "note 3"]), "machine {at}");
    }
}

#[test]
fn entries_wait_for_the_entry_of_a_point_that_came_before_it() {
    let (mut village, mut scrolls) = apart();
    let first = scrolls.write(&village, None);
    let second = scrolls.write(&village, Some(first));
    let third = scrolls.write(&village, Some(second));
    let beside = scrolls.write(&village, Some(first));
    village.offline(1);
    village.bring_all(1, &scrolls, &[first, beside]);
    village.removes(0, &scrolls, scrolls.points(&[third]));
    village.online(1);
    assert!(village.shows(1).is_empty(), "which of these it leaves is not known yet");
    village.bring_all(1, &scrolls, &[second]);
    assert!(village.shows(1).is_empty());
    village.bring_all(1, &scrolls, &[third]);
    village.settle();
    assert_eq!(village.shows(1), words(&["note 0", "note 1", "note 2"]));
}

#[test]
fn one_known_point_is_enough_for_what_leads_to_it() {
    let (mut village, mut scrolls) = apart();
    let first = scrolls.write(&village, None);
    let second = scrolls.write(&village, Some(first));
    let third = scrolls.write(&village, Some(second));
    let beside = scrolls.write(&village, Some(first));
    village.removes(0, &scrolls, scrolls.points(&[second, third]));
    village.bring_all(1, &scrolls, &[first, second, beside]);
    assert_eq!(village.shows(1), words(&["note 0", "note 1"]));
    let fourth = scrolls.write(&village, Some(third));
    village.bring_all(1, &scrolls, &[third, fourth]);
    village.settle();
    assert_eq!(village.shows(1), words(&["note 0", "note 1", "note 2"]));
}

#[test]
fn what_a_steward_brings_back_is_named_in_the_same_way() {
    let (mut village, mut scrolls) = apart();
    let first = scrolls.write(&village, None);
    let second = scrolls.write(&village, Some(first));
    let beside = scrolls.write(&village, Some(first));
    village.removes(0, &scrolls, scrolls.points(&[first]));
    for at in [0, 1] {
        village.bring_all(at, &scrolls, &[first, second, beside]);
    }
    let points = scrolls.points(&[second]);
    let person =
        village.machines[0].node.state.circles.all[&scrolls.circle].now().person_of(&scrolls.chain.device).expect("theirs");
    let id = scrolls.circle;
    let done = village.within(0, |node, cx| {
        node.circles.all.get_mut(&id).expect("a circle").write(cx, Statement::Restore { person, points }, false)?;
        node.circles.touched(id);
        Ok(())
    });
    done.expect("stewards may");
    village.settle();
    for at in [0, 1] {
        assert_eq!(village.shows(at), words(&["note 0", "note 1"]), "machine {at}");
    }
}

/// A chain with branches, points named of it, and two orders of arrival.
#[derive(Clone, Debug)]
struct Story {
    after: Vec<prop::sample::Index>,
    named: Vec<prop::sample::Index>,
    orders: [Vec<u32>; 2],
    /// How much each machine has before it hears of the removal.
    early: [prop::sample::Index; 2],
    twice: bool,
}

fn stories() -> impl Strategy<Value = Story> {
    let index = any::<prop::sample::Index>;
    (1..10usize).prop_flat_map(move |count| {
        let orders = prop::collection::vec(any::<u32>(), count);
        (
            prop::collection::vec(index(), count),
            prop::collection::vec(index(), 0..4),
            [orders.clone(), orders],
            [index(), index()],
            any::<bool>(),
        )
            .prop_map(|(after, named, orders, early, twice)| Story { after, named, orders, early, twice })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    /// Random forks, points and orders of arrival: every machine shows what leads to a named entry, and nothing else of theirs.
    #[test]
    fn in_any_order_all_show_what_leads_to_a_point(story in stories()) {
        let (mut village, mut scrolls) = apart();
        let mut leaves = 0;
        for index in &story.after {
            let count = scrolls.signed.len();
            // Mostly onward from the last; at most as many branches as are kept.
            let pick = index.index(3 * count + 1);
            let after = if pick < count && leaves + 1 < crate::limits::BRANCHES { Some(pick) } else { count.checked_sub(1) };
            let parts = after.is_some_and(|after| scrolls.signed.iter().any(|signed| signed.after == Some(after)));
            leaves += usize::from(parts);
            scrolls.write(&village, after);
        }
        let count = scrolls.signed.len();
        let named: Vec<usize> = story.named.iter().map(|index| index.index(count)).collect();
        let orders = story.orders.clone().map(|keys| {
            let mut order: Vec<usize> = (0..count).collect();
            order.sort_by_key(|at| keys[*at]);
            order
        });
        village.offline(1);
        let early = [0, 1].map(|at| orders[at][..story.early[at].index(count + 1)].to_vec());
        for at in [0, 1] {
            for which in &early[at] {
                let _kept = village.bring(at, scrolls.circle, &scrolls.signed[*which].run);
            }
        }
        village.removes(0, &scrolls, scrolls.points(&named));
        let mut expected = scrolls.leading_to(&named);
        if story.twice {
            // Two cuts: what both leave.
            let other: Vec<usize> = orders[0].iter().take(2).copied().collect();
            village.removes(0, &scrolls, scrolls.points(&other));
            expected = expected.intersection(&scrolls.leading_to(&other)).cloned().collect();
        }
        village.bring_all(0, &scrolls, &orders[0]);
        if story.early[1].index(2) == 0 {
            village.online(1);
        }
        village.bring_all(1, &scrolls, &orders[1]);
        village.online(1);
        for at in [0, 1] {
            prop_assert_eq!(village.shows(at), expected.clone(), "machine {}", at);
            village.call(at, Command::Rebuild).expect("builds");
            prop_assert_eq!(village.shows(at), expected.clone(), "machine {} built again", at);
        }
    }
}

#[test]
fn a_point_of_an_entry_that_nobody_signed_leaves_nothing() {
    let (mut village, mut scrolls) = apart();
    let first = scrolls.write(&village, None);
    village.bring_all(0, &scrolls, &[first]);
    let named = Points::from([(scrolls.chain, vec![Point { seq: 9, entry: EntryId([7; 32]) }])]);
    village.removes(0, &scrolls, named);
    assert!(village.shows(0).is_empty());
}

#[test]
fn a_removal_hides_from_its_commit_on_and_rows_follow() {
    let (mut village, mut scrolls) = apart();
    let first = scrolls.write(&village, None);
    let second = scrolls.write(&village, Some(first));
    village.bring_all(0, &scrolls, &[first, second]);
    village.queue.clear();
    let points = scrolls.points(&[first]);
    let id = scrolls.circle;
    let removed = |node: &mut NodeState, cx: &mut Cx<'_, '_>| {
        let circle = node.circles.all.get_mut(&id).expect("a circle");
        let person = circle.now().person_of(&scrolls.chain.device).expect("theirs");
        circle.write(cx, Statement::Remove { person, points, proposal: None }, true)?;
        node.circles.touched(id);
        Ok(())
    };
    village.within(0, removed).expect("founders may");
    assert_eq!(village.shows(0), words(&["note 0"]), "in the very commit");
    let waits = |village: &Village| crate::sync::cuts::waits(&village.machines[0].store).expect("reads");
    assert!(waits(&village), "and the rows are still to follow");
    // The power fails; the place was stored.
    let machine = &mut village.machines[0];
    machine.node = Node::open(&machine.store, &Real, machine.peer.clone()).expect("opens again");
    assert_eq!(village.shows(0), words(&["note 0"]));
    village.settle();
    assert!(!waits(&village));
    assert_eq!(village.shows(0), words(&["note 0"]));
}

#[test]
fn what_others_have_is_named_beside_the_end() {
    let (mut village, mut scrolls) = apart();
    let first = scrolls.write(&village, None);
    let second = scrolls.write(&village, Some(first));
    let third = scrolls.write(&village, Some(second));
    // Bea has two of them and says so; the third only Amara has, and their machine is lost with it.
    village.bring_all(0, &scrolls, &[first, second]);
    village.settle();
    village.offline(1);
    village.bring_all(0, &scrolls, &[third]);
    let node = &village.machines[0].node;
    let circle = &node.state.circles.all[&scrolls.circle];
    let before = circle.judged().len();
    village.call(0, Command::RemoveMember("-".into(), "Chioma".into())).expect("removed");
    let circle = &village.machines[0].node.state.circles.all[&scrolls.circle];
    let Some(Statement::Remove { points, .. }) = circle.membership().statement(&circle.judged()[before]) else {
        panic!("a removal")
    };
    assert_eq!(*points, scrolls.points(&[second, third]));
}

/// A circle of two in which Bea wrote many notes, in blocks, and Amara has them.
fn with_many(count: usize) -> Village {
    let mut village = circle_of_three();
    let note =
        |n| control::BatchItem::Note(control::NewNote { body: format!("note {n}, about nothing much"), ..Default::default() });
    for from in (0..count).step_by(256) {
        let batch = control::Batch { items: (from..count.min(from + 256)).map(note).collect(), import: None };
        village.call(1, Command::Batch("-".into(), batch)).expect("written");
    }
    assert_eq!(village.notes(0).len(), count);
    village
}

#[test]
fn a_removal_opens_no_block_of_what_stays_and_each_block_once_of_what_does_not() {
    use crate::work::counted;
    let mut village = with_many(1_024);
    // All of it is named: nothing has to be read again.
    let mut kept = with_many(512);
    kept.offline(1);
    kept.offline(2);
    let (_, work) = counted(|| kept.call(0, Command::RemoveMember("-".into(), "Bea".into())).expect("removed"));
    assert_eq!(work.opened, 0, "{work:?}");
    assert_eq!(kept.notes(0).len(), 512);
    // Nothing of it is named: each of four blocks is opened once, by the one who removes; and in one input only some are.
    village.offline(1);
    village.offline(2);
    let id = *village.machines[0].node.state.circles.all.keys().next().expect("one");
    let ((), work) = counted(|| {
        let done = village.within(0, |node, cx| {
            let circle = node.circles.all.get_mut(&id).expect("a circle");
            let bea = circle.now().members().map(|(person, _)| *person).find(|person| circle.name_of(person) == "Bea");
            let person = bea.expect("a member");
            circle.write(cx, Statement::Remove { person, points: Points::new(), proposal: None }, true)?;
            node.circles.touched(id);
            Ok(())
        });
        done.expect("founders may");
    });
    assert_eq!(work.opened, 0, "the removal itself reads nothing: {work:?}");
    assert!(village.notes(0).is_empty(), "and hides all of it");
    let mut opened = 0;
    while crate::sync::cuts::waits(&village.machines[0].store).expect("reads") {
        let ((), work) = counted(|| village.handle(0, Input::Tick));
        assert!(work.opened <= 2 && work.inflated <= 8 << 20, "one slice: {work:?}");
        opened += work.opened;
    }
    assert_eq!(opened, 4);
    assert!(village.notes(0).is_empty());
}

#[test]
fn what_waits_for_an_entry_that_never_comes_is_told_brought_back_or_left_aside() {
    let (mut village, mut scrolls) = apart();
    let first = scrolls.write(&village, None);
    let second = scrolls.write(&village, Some(first));
    let third = scrolls.write(&village, Some(second));
    let fourth = scrolls.write(&village, Some(third));
    village.removes(0, &scrolls, scrolls.points(&[third]));
    for at in [0, 1] {
        village.bring_all(at, &scrolls, &[first, second]);
        assert!(village.shows(at).is_empty());
    }
    let told = |village: &Village, at: usize| {
        let Answer::Doctor(doctor) = village.ask(at, Query::Doctor) else { panic!("no doctor") };
        doctor.findings.into_iter().filter(|finding| finding.message.contains("Chioma wait")).count()
    };
    // Bea is no steward.
    assert_eq!((told(&village, 0), told(&village, 1)), (1, 0));
    let aside = |at: usize, village: &mut Village| village.call(at, Command::LeaveAside("-".into(), "Chioma".into()));
    let back = |at: usize, village: &mut Village| village.call(at, Command::RestoreMember("-".into(), "Chioma".into()));
    assert_eq!(back(1, &mut village).expect_err("no steward").code, Code::NotAllowed);
    assert_eq!(aside(1, &mut village).expect_err("no steward").code, Code::NotAllowed);
    aside(0, &mut village).expect("left aside");
    assert_eq!(told(&village, 0), 0);
    assert!(village.shows(0).is_empty());
    back(0, &mut village).expect("brought back");
    for at in [0, 1] {
        assert_eq!(village.shows(at), words(&["note 0", "note 1"]), "machine {at}");
    }
    // Once it comes, what the removal named stands by itself, and what lies behind it does not.
    for at in [0, 1] {
        village.bring_all(at, &scrolls, &[third, fourth]);
        assert_eq!(village.shows(at), words(&["note 0", "note 1", "note 2"]), "machine {at}");
    }
    assert_eq!(back(0, &mut village).expect_err("nothing waits").code, Code::NotFound);
}
