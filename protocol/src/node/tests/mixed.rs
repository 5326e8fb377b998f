//! Two versions of the program in one circle.

use super::*;
use crate::circle::act::{self, SealedAct};
use crate::circle::state::CircleState;
use crate::crypto::SigningKey;
use crate::id::ActId;
use crate::limits::UNREAD_ACTS_EACH;
use crate::sync::message::{Acts, Bytes};
use crate::tomorrow::{MOOD, MOTTO};

impl Village {
    /// The next version is put on a machine, or this one again, and started.
    fn install(&mut self, at: usize, next: bool) {
        self.offline(at);
        let _version = tomorrow(next);
        let machine = &mut self.machines[at];
        machine.tomorrow = next;
        machine.node = Node::open(&machine.store, &Real, machine.peer.clone()).expect("opens");
        let mut env = Env { now: self.now, rng: &mut machine.rng, crypto: &Real, peer: &machine.peer };
        let mut turn = Turn::default();
        machine.node.refresh(&mut env, &machine.store, &mut turn).expect("reads");
        machine.store.commit(&turn.writes).expect("memory never fails");
        let node = Node::open(&machine.store, &Real, machine.peer.clone()).expect("opens");
        assert_eq!(node.state.circles.all.values().next().map(kept), machine.node.state.circles.all.values().next().map(kept));
        self.online(at);
    }

    fn diagnosis(&self, at: usize) -> control::Doctor {
        match self.ask(at, Query::Doctor) {
            Answer::Doctor(doctor) => doctor,
            other => panic!("{other:?}"),
        }
    }

    /// How many things need a newer program, and what is said about it.
    fn newer(&self, at: usize) -> (u64, Vec<String>) {
        let control::Doctor { newer, findings, .. } = self.diagnosis(at);
        let about = |finding: &control::Finding| finding.message.contains("newer Kith") || finding.message.contains("this Kith");
        (newer, findings.into_iter().filter(about).map(|finding| finding.message).collect())
    }

    fn role(&self, at: usize, name: &str) -> String {
        let Answer::Members(members) = self.ask(at, Query::Members("-".into())) else { panic!("no list") };
        let member = members.into_iter().find(|member| member.name == name).expect("a member");
        member.role.map(|role| role.to_string()).unwrap_or_default()
    }

    fn words_found(&self, at: usize, words: &str) -> usize {
        let Answer::Found(hits) = self.ask(at, Query::Search { words: words.into(), circle: None, limit: 9 }) else {
            panic!("no hits")
        };
        hits.len()
    }

    fn react(&mut self, at: usize, note: &str) {
        let heart = control::NewReaction { emoji: "❤".into(), remove: false };
        self.call(at, Command::Respond("-".into(), note.into(), Response::Reaction(heart))).expect("a reaction");
    }

    fn raise(&mut self, at: usize, name: &str, role: &str) {
        let set = control::SetRole::to(role.parse().expect("a role"));
        self.call(at, Command::SetRole("-".into(), name.into(), set)).expect("a role");
    }
}

/// What is kept of a circle, in short.
fn kept(circle: &CircleState) -> (Vec<ActId>, Vec<ActId>, Vec<ActId>, usize) {
    let mut unread = circle.unread().to_vec();
    unread.sort_unstable();
    let mut judged = circle.judged().to_vec();
    judged.sort_unstable();
    (judged, unread, circle.tips().iter().copied().collect(), circle.weight())
}

/// Amara and Chioma run the next version, Bea this one; Amara has written all that Bea does not understand.
fn mixed() -> (Village, String) {
    let mut village = circle_of_three();
    let bea_wrote = village.note(1, "", "of Bea's");
    village.install(0, true);
    village.install(2, true);
    village.offline(2);
    village.note(0, "", "with a mood");
    village.react(0, &bea_wrote);
    let edit = control::EditCircle { agreement: Some("Be kind.".into()), ..Default::default() };
    village.call(0, Command::EditCircle("-".into(), edit)).expect("changed");
    village.raise(0, "Chioma", "facilitator");
    village.note(0, "", "after all that");
    (village, bea_wrote)
}

#[test]
fn what_is_not_understood_is_kept_said_and_decides_nothing() {
    let (mut village, _) = mixed();
    // The mood of a note, the reaction, the motto, the role, and the note by somebody who knew of the role.
    let problem = "Members decided something that this Kith does not understand: its list of members may be out of date.";
    assert_eq!(village.newer(1), (5, vec![problem.to_owned(), "5 items need a newer Kith.".to_owned()]));
    assert!(!village.diagnosis(1).ok);
    assert_eq!(village.newer(0), (0, Vec::new()));
    assert_eq!(village.bodies(1), ["of Bea's", "with a mood"]);
    assert!(village.notes(1)[0].reactions.is_empty());
    assert_eq!(village.circle(1).policies.get("agreement").map(String::as_str), Some("Be kind."));
    assert_eq!((village.circle(1).policies.get("motto"), village.role(1, "Chioma").as_str()), (None, "member"));
    assert_eq!(village.circle(1).roster_hash, village.circle(0).roster_hash);
    assert_eq!(village.words_found(1, MOOD), 0);
    // The other way round all is as ever.
    village.note(1, "", "from Bea");
    assert!(village.bodies(0).contains(&"from Bea".to_owned()));
    let remove = village.call(1, Command::RemoveMember("-".into(), "Chioma".into())).expect_err("no steward");
    assert_eq!(remove.code, Code::NotAllowed);
    // A restart and a rebuild change none of it.
    village.offline(1);
    village.online(1);
    village.call(1, Command::Rebuild).expect("rebuilt");
    assert_eq!((village.newer(1).0, village.bodies(1).len()), (5, 3));
    let quiet = village.sent;
    village.now = village.now.plus(3_600_000);
    village.settle();
    assert_eq!(village.sent, quiet, "nothing is asked for again and again");
}

#[test]
fn a_machine_that_does_not_understand_it_passes_everything_on() {
    let (mut village, bea_wrote) = mixed();
    village.offline(0);
    village.online(2);
    assert_eq!(village.newer(2), (0, Vec::new()));
    assert_eq!(village.bodies(2), ["of Bea's", "with a mood", "after all that"]);
    assert_eq!(village.notes(2)[0].reactions["❤"], ["Amara"]);
    assert_eq!(village.circle(2).policies.get("motto").map(String::as_str), Some(MOTTO));
    assert_eq!((village.role(2, "Chioma").as_str(), village.words_found(2, MOOD)), ("facilitator", 2));
    // Chioma uses the role that Bea knows nothing of: what Chioma pins stays hidden from Bea until Bea knows it.
    village.call(2, Command::Pin("-".into(), bea_wrote, true)).expect("a facilitator");
    assert!(village.notes(2)[0].pinned && !village.notes(1)[0].pinned);
    village.online(0);
    assert!(village.notes(0)[0].pinned);
}

#[test]
fn after_an_update_all_of_it_shows() {
    let (mut village, _) = mixed();
    village.online(2);
    village.note(1, "", "from Bea");
    village.install(1, true);
    for at in 0..3 {
        assert_eq!(village.newer(at), (0, Vec::new()), "at machine {at}");
        let mut bodies = village.bodies(at);
        bodies.sort();
        assert_eq!(bodies, ["after all that", "from Bea", "of Bea's", "with a mood"], "at machine {at}");
        assert_eq!(village.notes(at).iter().filter(|note| note.reactions.contains_key("❤")).count(), 1, "at machine {at}");
        assert_eq!(village.circle(at).policies.get("motto").map(String::as_str), Some(MOTTO));
        assert_eq!((village.role(at, "Chioma").as_str(), village.words_found(at, MOOD)), ("facilitator", 2));
        assert_eq!(village.circle(at).heads, village.circle(0).heads);
        assert!(village.diagnosis(at).ok);
    }
    // And anyone who goes back to this version loses nothing either.
    village.install(1, false);
    assert_eq!(village.newer(1).0, 5);
    village.install(1, true);
    assert_eq!((village.newer(1).0, village.circle(1).heads), (0, village.circle(0).heads));
}

#[test]
fn a_newcomer_whose_admission_is_not_understood_is_told_so() {
    let mut village = Village::new(3);
    village.found(control::NewCircle { approval: "none".into(), ..Default::default() });
    village.join(1);
    village.install(0, true);
    village.raise(0, "Bea", "steward");
    let link = village.link();
    let accept = control::Accept { link, confirm: true, ..Default::default() };
    village.call(2, Command::Accept(accept)).expect("asks");
    let Answer::Joins(joins) = village.ask(2, Query::Joins) else { panic!("no list") };
    assert_eq!((joins[0].status, joins[0].reason.as_str()), (JoinStatus::Refused, "This circle needs a newer Kith."));
}

// ---- hostile --------------------------------------------------------------------------------------------------------

/// Some act by a key, of a version that nobody knows, on these parents.
fn unknown(village: &mut Village, signer: &SigningKey, parents: Vec<ActId>, pick: u64) -> SealedAct {
    let circle = village.the(0);
    let (id, epoch) = (circle.id(), circle.usable_epoch().expect("keys"));
    let roster = crate::circle::epoch::KeyRing::epoch(circle.ring(), &epoch).expect("keys").roster.clone();
    let body = act::ActBody { at: Millis(pick), statement: crate::circle::body::Statement::Leave, epoch: None };
    let place = act::ActPlace::In { circle: id, parents, epoch, roster: &roster };
    let written = act::write_act(&Real, &mut Seeded::new(pick), signer, place, &body).expect("writes");
    act::of_version(&Real, signer, &written, 99)
}

#[test]
fn acts_of_no_version_are_bounded_and_change_nothing() {
    let mut village = circle_of_three();
    let heads = village.the(1).membership().heads();
    let chioma = village.the(2).signer().clone();
    let take = |village: &mut Village, acts: &[SealedAct]| {
        let acts = acts.iter().map(|act| Bytes(act.bytes().to_vec())).collect();
        village.takes(1, 2, &Message::Acts(Acts { keys: None, acts })).expect("reads").acts
    };
    let before = (village.circle(1).roster_hash, village.members(1));
    // By somebody of whom nobody ever heard.
    let stranger = SigningKey::generate(&mut Seeded::new(77));
    let strange = unknown(&mut village, &stranger, heads.clone(), 1);
    assert!(!take(&mut village, &[strange]));
    // By a member, without end; and what rests on it, by anybody.
    let many: Vec<SealedAct> =
        (0..UNREAD_ACTS_EACH as u64 + 10).map(|n| unknown(&mut village, &chioma, heads.clone(), n)).collect();
    for some in many.chunks(100) {
        take(&mut village, some);
    }
    assert_eq!(village.the(1).unread().len(), UNREAD_ACTS_EACH);
    let upon = unknown(&mut village, &stranger, vec![many[0].id()], 2);
    assert!(take(&mut village, &[upon]), "somebody may have come in by what cannot be read");
    // Nothing of it decides anything, also not for what is written here.
    assert_eq!((village.circle(1).roster_hash, village.members(1)), before);
    assert_eq!(village.the(1).membership().heads(), heads);
    village.note(1, "", "all the same");
    assert_eq!(village.bodies(0), ["all the same"]);
    assert_eq!(village.newer(1).0, UNREAD_ACTS_EACH as u64 + 1);
    // One that is bent is no act.
    let mut bent = unknown(&mut village, &chioma, heads, 9_999).bytes().to_vec();
    *bent.last_mut().expect("bytes") ^= 0xf6;
    let bent = Message::Acts(Acts { keys: None, acts: vec![Bytes(bent)] });
    assert!(!village.takes(1, 2, &bent).expect("reads").acts);
}
