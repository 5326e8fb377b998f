//! M: acts without end, each of them valid.

use kith_protocol::limits;
use kith_tests::peer::Scene;
use kith_tests::proc::until;

use crate::text;

/// Acts of one frame.
const PART: usize = limits::FRAME_ACTS;
/// Kilobytes that ten thousand acts, and what they mean, may take in memory.
const GROWTH_KB: u64 = 160 << 10;

#[test]
fn m10_of_ten_thousand_rotations_the_circle_takes_a_few_hundred_and_goes_on() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let before = scene.bea.acts_known();
    mallory.deaf(true);
    for part in mallory.rotations(10_000).chunks(PART) {
        mallory.send_acts(part);
    }
    assert!(mallory.handled(), "keys that nobody needs are no offence");
    scene.holds();
    let most = usize::try_from(limits::ROTATIONS).expect("few");
    // Those who write now make keys of their own, because nobody gave them those; a few of the honest ones' make no difference.
    let taken = scene.bea.acts_known() - before;
    assert!((most..most + 16).contains(&taken), "{taken} acts reached Bea");
    // As often as Mallory likes, on a new link, too.
    let again = mallory.rotations(1_000);
    mallory.send_acts(&again[..PART]);
    mallory.deaf(false);
    mallory.hang_up();
    mallory.redial();
    mallory.synced();
    for part in again[PART..].chunks(PART) {
        mallory.send_acts(part);
    }
    assert!(mallory.handled());
    scene.holds();
    let taken = scene.bea.acts_known() - before;
    assert!(taken < most + 32, "{taken} acts reached Bea");
    // And anyone who sees it puts an end to it at once.
    drop(scene.amara.json(&["member", "remove", "Mallory", "-c", Scene::CIRCLE, "--confirm", "Mallory"]));
    until("the removal to arrive at Bea's", || (status_of(&scene, "Mallory") == "removed").then_some(()));
    scene.holds();
}

/// How somebody stands, as Bea sees it.
fn status_of(scene: &Scene, name: &str) -> String {
    use kith_protocol::node::{Answer, Query};
    let Ok(Answer::Members(rows)) = scene.bea.ask(Query::Members(scene.bea.circle().text())) else { return String::new() };
    rows.into_iter().find(|row| row.name == name).map(|row| row.status.to_string()).unwrap_or_default()
}

#[test]
fn m17_ten_thousand_acts_on_top_of_each_other_are_judged_passed_on_and_read_again() {
    const ACTS: usize = 10_000;
    let mut scene = Scene::new();
    let mallory = scene.mallory();
    scene.make_steward(&mallory);
    let before = scene.bea.acts_known();
    mallory.deaf(true);
    for part in mallory.deep(ACTS).chunks(PART) {
        mallory.send_acts(part);
        // People go on meanwhile.
        drop(scene.amara.json(&["note", "new", "-c", Scene::CIRCLE, "--title", "meanwhile", "x"]));
    }
    assert!(mallory.handled());
    until("all of them at Bea's", || (scene.bea.acts_known() >= before + ACTS).then_some(()));
    scene.holds_within(GROWTH_KB);
    // What stands on the disk is judged again from nothing.
    scene.amara.restart();
    let members = scene.amara.rows(&["member", "list", "-c", Scene::CIRCLE], "members");
    let current = members.iter().filter(|row| text(row, "status") == "current").count();
    assert_eq!(current, 3, "{members:?}");
    assert_eq!(scene.amara.rows(&["invite", "list", "-c", Scene::CIRCLE], "invites").len(), ACTS + 2);
    drop(scene.amara.json(&["note", "new", "-c", Scene::CIRCLE, "--title", "still here", "x"]));
    scene.bea.redial();
    scene.bea.awaits_note("still here");
}
