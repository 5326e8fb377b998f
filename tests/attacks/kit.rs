//! The hostile peer kit itself: what it writes unchanged is taken, or no refusal below would mean anything.

use kith_protocol::circle::body::{Role, Statement};
use kith_protocol::id::DeviceId;
use kith_protocol::item::edit::{Edit, Op, Value};
use kith_protocol::item::kind::Kind;
use kith_tests::cbor::encoded;
use kith_tests::peer::forge::{from_now, said_now};
use kith_tests::peer::{Peer, Scene};
use kith_tests::proc::until;

#[test]
fn what_the_kit_writes_by_hand_is_taken() {
    let scene = Scene::new();
    let mallory = scene.mallory();
    let run = mallory.run("written by hand");
    mallory.send_run(&run);
    drop(scene.amara.awaits_note(Scene::CIRCLE, "written by hand"));
    mallory.send_run(&run.next("and another behind it"));
    drop(scene.amara.awaits_note(Scene::CIRCLE, "and another behind it"));
    let edit = Edit::opening(
        from_now(0),
        None,
        vec![Op::Set(0, Value::text("a resource")), Op::Set(6, Value::text("https://example.org"))],
    );
    mallory.send_run(&mallory.run_of(Kind::Resource, encoded(&edit).encode()));
    until("the resource", || {
        let found = scene.amara.rows(&["resource", "list", "-c", Scene::CIRCLE], "resources");
        found.iter().any(|row| super::text(row, "title") == "a resource").then_some(())
    });
    assert!(mallory.handled(), "the link stands");
    // Mallory is made a steward and opens an invite by an act of their own making.
    scene.make_steward(&mallory);
    let before = scene.amara.rows(&["invite", "list", "-c", Scene::CIRCLE], "invites").len();
    let invite = Statement::Invite { role: Role::Member, uses: 1, key: DeviceId([9; 32]), expires: from_now(60_000) };
    mallory.send_acts(&[mallory.act(&said_now(invite))]);
    until("the invite", || (scene.amara.rows(&["invite", "list", "-c", Scene::CIRCLE], "invites").len() > before).then_some(()));
    scene.bea.awaits_note("written by hand");
    scene.holds();
}

#[test]
fn the_kit_speaks_quic() {
    let scene = Scene::new();
    let mallory = Peer::member_by_quic(&scene.amara, Scene::CIRCLE, "Mallory");
    mallory.send_run(&mallory.run("over QUIC"));
    drop(scene.amara.awaits_note(Scene::CIRCLE, "over QUIC"));
    scene.holds();
}
