//! N: neighbours on the network who pretend, crowd, listen, or hope for an echo.

use std::time::{Duration, Instant};

use kith_protocol::control::JoinStatus;
use kith_tests::cbor::{Cbor, array, bytes};
use kith_tests::peer::link::bent;
use kith_tests::peer::raw::{self, Trap};
use kith_tests::peer::{Peer, Scene};
use kith_tests::proc::{Home, until};

use crate::{stranger, text};

#[test]
fn n1_two_hundred_strangers_take_the_room_no_longer_than_their_deadline() {
    let scene = Scene::new();
    let sybils: Vec<Peer> = (0..150).map(|_| stranger(&scene)).collect();
    scene.bea.hang_up();
    let crowd: Vec<Peer> = (0..50).map(|_| Peer::named("Eve")).collect();
    for eve in &crowd {
        eve.knock(&raw::address(&scene.amara, false));
    }
    // Somebody who was known before comes back, though every place was taken meanwhile.
    scene.bea.redial();
    scene.holds();
    until("the strangers to be gone", || sybils.iter().all(|sybil| sybil.link().is_none()).then_some(()));
    scene.holds();
}

/// A socket's inodes of a process, and the UDP ports of this machine by inode.
fn udp_ports(pid: u32) -> Vec<u16> {
    let fds = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("our child");
    let inodes: Vec<String> = fds
        .flatten()
        .filter_map(|fd| {
            std::fs::read_link(fd.path()).ok()?.to_str()?.strip_prefix("socket:[")?.strip_suffix(']').map(str::to_owned)
        })
        .collect();
    let mut ports = Vec::new();
    for table in ["udp", "udp6"] {
        let rows = std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        for row in rows.lines().skip(1) {
            let columns: Vec<&str> = row.split_whitespace().collect();
            let (Some(local), Some(inode)) = (columns.get(1), columns.get(9)) else { continue };
            if inodes.iter().any(|mine| mine == inode) {
                ports.extend(local.rsplit(':').next().and_then(|port| u16::from_str_radix(port, 16).ok()));
            }
        }
    }
    ports
}

/// Nothing is announced on the local network: there is no discovery on it yet, and none that is on without being asked for.
#[test]
fn n3_nothing_is_announced_on_the_local_network() {
    let home = Home::named("Amara");
    home.found("Night shift");
    let ports = udp_ports(home.pid().expect("our child"));
    assert!(!ports.is_empty(), "QUIC listens on UDP, or this shows nothing");
    assert!(!ports.contains(&5_353), "somebody listens for mDNS: {ports:?}");
}

#[test]
fn n4_who_listens_under_another_peer_id_is_told_nothing() {
    let amara = Home::named("Amara");
    drop(amara.json(&["circle", "new", "Night shift", "--approval", "none"]));
    let bea = Home::named("Bea");
    let trap = Trap::new();
    let link = amara.field(&["invite", "new", "-c", "Night shift"], "link");
    // Amara's peer id, the trap's address: as if somebody on the network answered in Amara's place.
    let spoofed = bent(&link, |ticket| {
        let peer = ticket.at(6).at(0).at(0).clone();
        *ticket.at_mut(6) = array([array([peer, array([bytes(trap.addr.to_vec())])])]);
    });
    drop(bea.json(&["invite", "accept", &spoofed, "--yes"]));
    until("Bea to call the trap", || (!trap.heard().is_empty()).then_some(()));
    let heard = trap.heard().concat();
    assert!(!heard.windows(9).any(|part| part == b"kith/sync"), "a stream is opened with somebody else");
    assert!(bea.rows(&["circle", "list"], "circles").is_empty(), "Bea is in something");
    // The trap was no dead end: the true address still leads to Amara.
    drop(bea.json(&["invite", "accept", &link, "--yes"]));
    until("Bea to be in", || (!bea.rows(&["circle", "list"], "circles").is_empty()).then_some(()));
    let members = amara.rows(&["member", "list", "-c", "Night shift"], "members");
    assert!(members.iter().all(|row| text(row, "status") == "current"), "{members:?}");
}

/// The same with a member's published address: somebody who takes it over cannot be that member.
#[test]
fn n4_a_link_that_names_a_strangers_peer_id_gives_that_stranger_no_circle() {
    let scene = Scene::new();
    let link = scene.amara.field(&["invite", "new", "-c", Scene::CIRCLE], "link");
    let nobody = libp2p::identity::Keypair::generate_ed25519().public().to_peer_id().to_bytes();
    let spoofed = bent(&link, |ticket| {
        let addresses = ticket.at(6).at(0).at(1).clone();
        *ticket.at_mut(6) = array([array([bytes(nobody), addresses])]);
    });
    let guest = Peer::named("Guest");
    drop(guest.accept(&spoofed).expect("the link is read"));
    guest.dial(&raw::address(&scene.amara, false));
    assert_eq!(guest.joins(), [JoinStatus::Contacting], "a ticket is shown to nobody but whom it names");
    assert!(guest.said().iter().all(|frame| frame.at(0).number() != Some(4)), "{:?}", guest.said());
    scene.holds();
}

#[test]
fn n9_an_unproved_address_gets_no_more_than_three_times_what_it_sent() {
    let scene = Scene::new();
    let udp = raw::udp(&scene.amara);
    udp.set_read_timeout(Some(Duration::from_millis(400))).expect("a deadline");
    let answered = |sent: usize| {
        let (mut got, mut buffer, start) = (0, vec![0; 65_536], Instant::now());
        while start.elapsed() < Duration::from_secs(5) {
            let Ok(bytes) = udp.recv(&mut buffer) else { break };
            got += bytes;
        }
        assert!(got <= 3 * sent, "{sent} bytes are answered with {got}");
        got
    };
    // A version nobody speaks: in a small datagram, then in one as large as a first one has to be.
    let initial = |length: usize| {
        let mut datagram = vec![0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, 1, 2, 3, 4, 5, 6, 7, 8, 8, 1, 2, 3, 4, 5, 6, 7, 8];
        datagram.resize(length, 0);
        datagram
    };
    for _ in 0..50 {
        udp.send(&initial(60)).expect("sent");
    }
    assert_eq!(answered(50 * 60), 0, "small datagrams are not answered at all");
    for _ in 0..20 {
        udp.send(&initial(1_200)).expect("sent");
    }
    assert!(answered(20 * 1_200) > 0, "a large one is told which versions there are: so the counting counts");
    scene.holds();
}

/// What a stranger is sent looks the same of any home: the same frames of the same sizes. What comes in answer to what a stranger
/// says: `strangers`.
#[test]
fn a_stranger_sees_as_many_tokens_of_a_home_with_circles_as_of_one_without() {
    let scene = Scene::new();
    let empty = Home::named("Nobody");
    let sizes = |home: &Home| -> Vec<usize> {
        let eve = Peer::named("Eve");
        eve.dial(&raw::address(home, false));
        eve.heard().iter().map(|frame| frame.encode().len()).collect()
    };
    assert_eq!(sizes(&scene.amara), sizes(&empty));
    let eve = stranger(&scene);
    assert!(eve.heard().iter().all(|frame| frame.at(0).number().is_some_and(|number| number < 2)), "{:?}", eve.heard());
}

/// What a member's own link carries stands for what the network sees: it is sealed byte by byte, so sizes stay.
#[test]
fn n10_notes_of_different_lengths_travel_as_frames_of_few_sizes() {
    let scene = Scene::new();
    let run = |frame: &Cbor| frame.at(1).at(1).at(0).number() == Some(6);
    let lengths = [1, 5, 10, 20, 40, 60, 100, 140, 180, 220];
    for length in lengths {
        drop(scene.amara.json(&["note", "new", "-c", Scene::CIRCLE, "--title", "t", &"x".repeat(length)]));
    }
    until("the notes", || (scene.bea.notes().len() >= lengths.len()).then_some(()));
    // The first one names its membership heads, which is long whatever the note is.
    let heard = scene.bea.heard();
    let mut sizes: Vec<usize> = heard.iter().filter(|frame| run(frame)).skip(1).map(|frame| frame.encode().len()).collect();
    sizes.sort_unstable();
    sizes.dedup();
    assert!(sizes.len() <= lengths.len() / 2, "lengths show: {sizes:?}");
    assert!(sizes.len() > 1, "a long text is of another class, or nothing is measured: {sizes:?}");
}
