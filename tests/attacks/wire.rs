//! W: what comes over the wire before anybody has proved anything, and in frames after.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use kith_tests::peer::raw::{self, flag, kind};
use kith_tests::peer::wire::{Connection, Manners, SYNC, framed, runtime};
use kith_tests::peer::{Peer, Scene};
use libp2p::identity::Keypair;

/// Those who have not finished their handshake by then are closed: ten seconds in the daemon, and one for the machine.
const HANDSHAKE: Duration = Duration::from_secs(11);
/// The same for a stream on which nothing is proved: fifteen, and five to say goodbye.
const STRANGER: Duration = Duration::from_secs(21);

fn garbage(length: usize, seed: u8) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at % 251).unwrap_or(0).wrapping_mul(31).wrapping_add(seed)).collect()
}

/// All are closed within their deadline, counted from `opened`.
fn all_close(streams: Vec<TcpStream>, opened: Instant) {
    for mut stream in streams {
        let left = HANDSHAKE.saturating_sub(opened.elapsed()).max(Duration::from_millis(50));
        assert!(raw::is_closed_within(&mut stream, left), "a connection that says nothing useful is still open");
    }
}

#[test]
fn w1_garbage_and_half_open_connections_are_closed() {
    let scene = Scene::new();
    let socket = raw::socket(&scene.amara, false);
    let tcp = || TcpStream::connect(socket).expect("the daemon listens");
    let opened = Instant::now();
    let silent: Vec<TcpStream> = (0..100).map(|_| tcp()).collect();
    for wave in 0..10 {
        let noisy: Vec<TcpStream> = (0..100)
            .map(|seed| {
                let mut stream = tcp();
                // It may be closed already: then writing fails, which is as well.
                drop(stream.write_all(&garbage(wave * 97 + 1, seed)));
                stream
            })
            .collect();
        drop(noisy);
    }
    let udp = raw::udp(&scene.amara);
    for seed in 0..=255 {
        drop(udp.send(&garbage(1_200, seed)));
        drop(udp.send(&[seed | 0xc0, 0, 0, 0, 1, 20, 1, 2]));
    }
    // Those who are in the middle of it keep nobody out.
    scene.bea.hang_up();
    scene.bea.redial();
    scene.holds();
    all_close(silent, opened);
    scene.holds();
}

/// Is it closed by the other side? Looks and does not wait.
fn is_closed(stream: &mut TcpStream) -> bool {
    let mut bytes = [0; 256];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }
}

#[test]
fn w2_a_handshake_that_drips_is_closed_by_its_deadline() {
    let scene = Scene::new();
    // What a handshake begins with, and then bytes that it could go on with.
    let begin = b"\x13/multistream/1.0.0\n\x07/noise\n";
    let socket = raw::socket(&scene.amara, false);
    let opened = Instant::now();
    let mut slow: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(socket).expect("the daemon listens")).collect();
    slow.iter().for_each(|stream| stream.set_nonblocking(true).expect("a socket that does not wait"));
    // Dripping is the attack itself, for as long as anybody listens: a deadline that each byte moves never comes.
    let (mut last, mut sent) = (Duration::ZERO, 0);
    for byte in begin {
        for stream in &mut slow {
            drop(stream.write_all(&[*byte]));
        }
        sent += 1;
        thread::sleep(Duration::from_millis(500));
        slow.retain_mut(|stream| !is_closed(stream));
        if slow.is_empty() {
            break;
        }
        last = opened.elapsed();
        assert!(last < HANDSHAKE, "{} are still open after {last:?} and {sent} bytes", slow.len());
    }
    assert!(slow.is_empty(), "all was said before the deadline");
    assert!(last > Duration::from_secs(5), "a slow honest peer would be cut off after {last:?}");
    scene.holds();
}

#[test]
fn w2_a_hello_that_drips_is_closed_by_its_deadline() {
    let scene = Scene::new();
    let addr = raw::address(&scene.amara, false);
    runtime().block_on(async {
        let connection = Connection::dial(&Keypair::generate_ed25519(), &addr, Manners::default()).await.expect("a connection");
        let mut stream = connection.open(SYNC).await.expect("a stream");
        let opened = Instant::now();
        let hello = framed(&[0x82; 1_000]);
        for byte in &hello {
            let written = futures::AsyncWriteExt::write_all(&mut stream, &[*byte]).await;
            if written.is_err() || futures::AsyncWriteExt::flush(&mut stream).await.is_err() || connection.is_over() {
                break;
            }
            assert!(opened.elapsed() < STRANGER, "a hello that never ends holds its connection");
            // As above: the pause is the attack.
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        assert!(opened.elapsed() > Duration::from_secs(5), "a slow honest peer would be cut off after {:?}", opened.elapsed());
    });
    scene.holds();
}

#[test]
fn w2_a_peer_that_opens_a_stream_and_says_nothing_is_closed() {
    let scene = Scene::new();
    let keys = Keypair::generate_ed25519();
    let addr = raw::address(&scene.amara, false);
    let connection = runtime().block_on(Connection::dial(&keys, &addr, Manners::default())).expect("a connection");
    let _stream = runtime().block_on(connection.open(SYNC)).expect("a stream");
    let start = Instant::now();
    kith_tests::proc::until("a link that proves nothing to be closed", || connection.is_over().then_some(()));
    let after = start.elapsed();
    assert!(after > Duration::from_secs(2), "a slow honest peer would be cut off after {after:?}");
    assert!(after < STRANGER, "it is held for {after:?}");
    scene.holds();
}

#[test]
fn w4_yamux_frames_that_overflow_end_their_connection_only() {
    let scene = Scene::new();
    let addr = raw::address(&scene.amara, false);
    let opened = raw::yamux(kind::WINDOW, flag::SYN, 1, 0);
    // Whether the frame alone must end the connection, or means nothing.
    let attacks: [(&str, bool, Vec<u8>); 7] = [
        ("more room than there can be", true, [opened.clone(), raw::yamux(kind::WINDOW, 0, 1, 0xffff_0000).repeat(3)].concat()),
        ("room for a stream that is not there", false, raw::yamux(kind::WINDOW, 0, 77, 0xffff_ffff)),
        ("a session that opens itself", true, raw::yamux(kind::WINDOW, flag::SYN, 0, 0xffff_0000)),
        ("data beyond the window", true, [opened.clone(), raw::yamux(kind::DATA, 0, 1, u32::MAX)].concat()),
        ("a stream opened twice", true, [opened.clone(), opened.clone()].concat()),
        ("a stream with the other side's number", true, raw::yamux(kind::DATA, flag::SYN, 2, 0)),
        ("no frame at all", true, vec![9, 9, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1]),
    ];
    runtime().block_on(async {
        for (what, over, bytes) in attacks {
            let mut stream = raw::encrypted(&Keypair::generate_ed25519(), &addr).await.expect("a handshake");
            raw::push(&mut stream, &bytes).await;
            // Answered, in order, by anyone who goes on.
            raw::push(&mut stream, &raw::yamux(kind::PING, flag::SYN, 0, 7)).await;
            let over_there = tokio::time::timeout(Duration::from_secs(8), told_over(&mut stream)).await;
            assert_eq!(over_there.ok(), Some(over), "{what}: is the connection over?");
        }
    });
    scene.holds();
}

/// Reads frames until the other side says that it is over, or hangs up: true. False: it answers a ping.
async fn told_over(stream: &mut raw::Encrypted) -> bool {
    let mut head = [0; 12];
    while futures::AsyncReadExt::read_exact(stream, &mut head).await.is_ok() {
        match head[1] {
            kind::GO_AWAY => return true,
            kind::PING if u16::from_be_bytes([head[2], head[3]]) & flag::ACK != 0 => return false,
            _ => {}
        }
        let body = if head[1] == kind::DATA { u32::from_be_bytes([head[8], head[9], head[10], head[11]]) } else { 0 };
        let mut rest = vec![0; body as usize];
        if futures::AsyncReadExt::read_exact(stream, &mut rest).await.is_err() {
            break;
        }
    }
    true
}

/// Streams of the flood.
const STREAMS: u32 = 10_000;

/// Reads until the other side says that it takes no more, or all but a few streams were reset: true. False: neither comes about.
async fn resets(reading: &mut (impl futures::AsyncRead + Unpin)) -> bool {
    let mut reset = 0;
    let count = async {
        let mut head = [0; 12];
        while reset < STREAMS - 32 && futures::AsyncReadExt::read_exact(reading, &mut head).await.is_ok() {
            if head[1] == kind::GO_AWAY {
                break;
            }
            reset += u32::from(u16::from_be_bytes([head[2], head[3]]) & (flag::RST | flag::FIN) != 0);
            let body = if head[1] == kind::DATA { u32::from_be_bytes([head[8], head[9], head[10], head[11]]) } else { 0 };
            let mut rest = vec![0; body as usize];
            if futures::AsyncReadExt::read_exact(reading, &mut rest).await.is_err() {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), count).await.is_ok()
}

#[test]
fn w5_streams_past_the_cap_are_refused() {
    let scene = Scene::new();
    let addr = raw::address(&scene.amara, false);
    let refused = runtime().block_on(async {
        let stream = raw::encrypted(&Keypair::generate_ed25519(), &addr).await.expect("a handshake");
        let (mut reading, mut writing) = futures::AsyncReadExt::split(stream);
        let flood: Vec<u8> = (0..STREAMS).flat_map(|number| raw::yamux(kind::WINDOW, flag::SYN, 2 * number + 1, 0)).collect();
        let send = async {
            drop(futures::AsyncWriteExt::write_all(&mut writing, &flood).await);
            drop(futures::AsyncWriteExt::flush(&mut writing).await);
            std::future::pending::<()>().await
        };
        tokio::select! {
            () = send => unreachable!("it waits for ever"),
            refused = resets(&mut reading) => refused,
        }
    });
    assert!(refused, "ten thousand streams are taken");
    let quic = raw::address(&scene.amara, true);
    let opened = runtime().block_on(async {
        let connection = Connection::dial(&Keypair::generate_ed25519(), &quic, Manners::default()).await.expect("a connection");
        let mut streams = Vec::new();
        // A stream is only told of by its first byte; the one past the cap is never granted.
        while let Ok(Ok(mut stream)) = tokio::time::timeout(Duration::from_secs(1), connection.stream()).await {
            drop(futures::AsyncWriteExt::write_all(&mut stream, b"\x13").await);
            drop(futures::AsyncWriteExt::flush(&mut stream).await);
            streams.push(stream);
            if streams.len() > 64 {
                break;
            }
        }
        streams.len()
    });
    assert!(opened <= 16, "{opened} streams are granted over QUIC");
    scene.holds();
}

/// A protobuf field of bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [vec![number << 3 | 2], varint(bytes.len()), bytes.to_vec()].concat()
}

fn varint(mut number: usize) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or(0);
        number >>= 7;
        out.push(if number > 0 { low | 0x80 } else { low });
        if number == 0 {
            return out;
        }
    }
}

#[test]
fn w11_an_identify_with_ten_thousand_addresses_gives_nothing_and_calls_nobody() {
    let scene = Scene::new();
    // One address is really somebody's: anyone who believed it would call there.
    let victim = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
    victim.set_nonblocking(true).expect("a socket that does not wait");
    let port = victim.local_addr().expect("bound").port();
    let addr: libp2p::Multiaddr = format!("/ip4/127.0.0.1/tcp/{port}").parse().expect("an address");
    let agent = field(6, &vec![b'A'; 1 << 20]);
    let addresses: Vec<u8> = (0..10_000).flat_map(|_| field(2, &addr.to_vec())).collect();
    let few: Vec<u8> = (0..100).flat_map(|_| field(2, &addr.to_vec())).collect();
    for message in [agent, addresses, few] {
        let mallory = Peer::named("Mallory");
        let whole = [varint(message.len()), message].concat();
        mallory.behave(Manners { identify: Some(Arc::new(whole)), no_pong: false });
        mallory.join(&scene.amara, Scene::CIRCLE);
        mallory.note("an honest note of theirs");
        assert!(mallory.handled(), "Mallory is not worse off for it");
    }
    scene.holds();
    assert!(victim.accept().is_err(), "the daemon calls whom an identify names");
}

#[test]
fn a_peer_that_answers_no_ping_is_let_go_of_and_holds_up_nobody() {
    let scene = Scene::new();
    let mallory = Peer::named("Mallory");
    mallory.behave(Manners { identify: None, no_pong: true });
    mallory.join(&scene.amara, Scene::CIRCLE);
    scene.holds();
}
