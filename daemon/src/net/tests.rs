#![expect(clippy::wildcard_enum_match_arm, reason = "each test waits for one thing")]

use std::collections::VecDeque;
use std::io::Read as _;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use kith_protocol::limits::HELLO_BYTES;
use kith_protocol::node::Input;

use super::convert::{addr_bytes, multiaddr};
use super::*;
use crate::address::Transports;
use crate::queue::{Event, Inbound};

struct Node {
    net: Net,
    peer: PeerId,
    events: mpsc::Receiver<Event>,
    later: VecDeque<Input>,
}

impl Node {
    async fn start(listen: &[&str]) -> Self {
        let keypair = Keypair::generate_ed25519();
        let peer = peer_bytes(&keypair.public().to_peer_id());
        let (sender, events) = mpsc::channel(64);
        let listen = listen.iter().map(|addr| addr.parse().expect("an address")).collect();
        let options =
            NetOptions { keypair, listen, external: Vec::new(), transports: Transports { tcp: true, quic: true }, strict: true };
        let net = Net::start(options, DriverQueue::new(sender)).expect("starts");
        Self { net, peer, events, later: VecDeque::new() }
    }

    /// The next input that `wanted` takes; the others are kept for later.
    async fn wait<T>(&mut self, mut wanted: impl FnMut(&Input) -> Option<T>) -> T {
        for at in 0..self.later.len() {
            if let Some(found) = wanted(&self.later[at]) {
                self.later.remove(at);
                return found;
            }
        }
        loop {
            let heard = tokio::time::timeout(Duration::from_secs(20), self.events.recv()).await;
            let Some(Event::Heard(Inbound { input, .. })) = heard.expect("in time") else { panic!("the network ended") };
            match wanted(&input) {
                Some(found) => return found,
                None => self.later.push_back(input),
            }
        }
    }

    async fn addr(&mut self) -> Addr {
        self.wait(|input| if let Input::Listening(addrs) = input { addrs.first().cloned() } else { None }).await
    }

    /// A link with a peer that was dialed. As the core does, dials again where that failed: two that dial each other from the
    /// ports they listen on, at the same moment, can meet in one TCP connection (RFC 9293, 3.5) that neither of them answers.
    async fn reaches(&mut self, peer: &PeerId, addr: &Addr) -> Link {
        loop {
            let came = self.wait(|input| match input {
                Input::Opened { link, .. } => Some(Some(*link)),
                Input::Failed(_) => Some(None),
                _ => None,
            });
            match came.await {
                Some(link) => return link,
                None => self.net.handle().dial(peer.clone(), vec![addr.clone()]).expect("room"),
            }
        }
    }

    async fn opened(&mut self) -> (Link, PeerId, bool) {
        self.wait(|input| match input {
            Input::Opened { link, peer, dialer } => Some((*link, peer.clone(), *dialer)),
            _ => None,
        })
        .await
    }

    async fn frame(&mut self, from: Link) -> Vec<u8> {
        self.wait(|input| match input {
            Input::Bytes(link, frame) if *link == from => Some(frame.clone()),
            _ => None,
        })
        .await
    }

    async fn closed(&mut self, which: Link) {
        self.wait(|input| matches!(input, Input::Closed(link) if *link == which).then_some(())).await;
    }

    fn port(&self) -> u16 {
        let ports = self.net.listening().iter().flat_map(|addr| addr.iter().collect::<Vec<_>>()).find_map(|part| match part {
            Protocol::Tcp(port) => Some(port),
            _ => None,
        });
        ports.expect("listens on TCP")
    }
}

const TCP: &str = "/ip4/127.0.0.1/tcp/0";
const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

async fn linked(listen: &str) -> (Node, Link, Node, Link) {
    let mut a = Node::start(&[listen]).await;
    let mut b = Node::start(&[listen]).await;
    let addr = b.addr().await;
    a.net.handle().dial(b.peer.clone(), vec![addr]).expect("room");
    let (at_a, peer, dialer) = a.opened().await;
    assert_eq!((peer, dialer), (b.peer.clone(), true));
    let (at_b, peer, dialer) = b.opened().await;
    assert_eq!((peer, dialer), (a.peer.clone(), false));
    (a, at_a, b, at_b)
}

async fn frames_both_ways(listen: &str) {
    let (mut a, at_a, mut b, at_b) = linked(listen).await;
    let large = vec![9; kith_protocol::limits::FRAME_BYTES];
    for n in 0..3u8 {
        a.net.handle().send(at_a, vec![n; 10]);
        b.net.handle().send(at_b, vec![n; 20]);
    }
    a.net.handle().send(at_a, large.clone());
    b.net.handle().widen(at_b);
    for n in 0..3u8 {
        assert_eq!(b.frame(at_b).await, vec![n; 10]);
        assert_eq!(a.frame(at_a).await, vec![n; 20]);
    }
    assert_eq!(b.frame(at_b).await, large);
    assert_eq!((a.net.connected(), b.net.connected()), (1, 1));
    a.net.handle().send(at_a, b"last words".to_vec());
    a.net.handle().close(at_a);
    assert_eq!(b.frame(at_b).await, b"last words");
    b.closed(at_b).await;
    a.closed(at_a).await;
    a.net.stop().await;
    b.net.stop().await;
}

#[tokio::test]
async fn frames_go_both_ways_over_tcp() {
    frames_both_ways(TCP).await;
}

#[tokio::test]
async fn frames_go_both_ways_over_quic() {
    frames_both_ways(QUIC).await;
}

#[tokio::test]
async fn a_network_that_ended_can_begin_again_at_once() {
    for listen in [TCP, QUIC] {
        let (a, _, mut b, at_b) = linked(listen).await;
        let addrs: Vec<String> = a.net.listening().iter().map(ToString::to_string).collect();
        let begin = std::time::Instant::now();
        a.net.stop().await;
        assert!(begin.elapsed() < GOODBYE + RELEASE);
        let again = Node::start(&addrs.iter().map(String::as_str).collect::<Vec<_>>()).await;
        b.closed(at_b).await;
        again.net.stop().await;
    }
}

#[tokio::test]
async fn a_frame_over_the_hello_limit_is_not_read_before_the_link_is_wide() {
    let (a, at_a, mut b, at_b) = linked(TCP).await;
    let large = vec![0; HELLO_BYTES + 1];
    a.net.handle().send(at_a, b"small".to_vec());
    a.net.handle().send(at_a, large.clone());
    a.net.handle().send(at_a, b"behind it".to_vec());
    assert_eq!(b.frame(at_b).await, b"small");
    b.net.handle().widen(at_b);
    assert_eq!(b.frame(at_b).await, large);
    assert_eq!(b.frame(at_b).await, b"behind it");
}

#[tokio::test]
async fn a_link_that_waits_to_be_wide_ends_when_it_is_closed() {
    let (mut a, at_a, mut b, at_b) = linked(TCP).await;
    a.net.handle().send(at_a, vec![0; HELLO_BYTES + 1]);
    b.net.handle().close(at_b);
    b.closed(at_b).await;
    a.closed(at_a).await;
}

#[tokio::test]
async fn two_that_dial_each_other_end_with_one_link_that_works() {
    let mut a = Node::start(&[TCP]).await;
    let mut b = Node::start(&[TCP]).await;
    let (to_a, to_b) = (a.addr().await, b.addr().await);
    a.net.handle().dial(b.peer.clone(), vec![to_b.clone()]).expect("room");
    b.net.handle().dial(a.peer.clone(), vec![to_a]).expect("room");
    // Whichever links come and go, one that both have carries a frame in the end.
    let mut at_a = a.reaches(&b.peer, &to_b).await;
    loop {
        a.net.handle().send(at_a, b"hello".to_vec());
        let next = a.wait(|input| match input {
            Input::Opened { link, .. } => Some(Some(*link)),
            Input::Closed(link) if *link == at_a => Some(None),
            Input::Bytes(link, _) if *link == at_a => Some(Some(at_a)),
            _ => None,
        });
        tokio::select! {
            next = next => match next {
                Some(link) => at_a = link,
                None => at_a = a.reaches(&b.peer, &to_b).await,
            },
            () = async { b.wait(|input| matches!(input, Input::Bytes(..)).then_some(())).await } => break,
        }
    }
    assert_eq!((a.net.connected(), b.net.connected()), (1, 1));
}

#[tokio::test]
async fn a_dial_while_the_old_link_closes_brings_a_new_one() {
    let (mut a, at_a, mut b, at_b) = linked(TCP).await;
    a.net.handle().close(at_a);
    let addr = b.net.listening().first().map(addr_bytes).expect("listens");
    a.net.handle().dial(b.peer.clone(), vec![addr]).expect("room");
    let (again, _, _) = a.opened().await;
    assert_ne!(again, at_a);
    b.closed(at_b).await;
    let (at_b, _, _) = b.opened().await;
    a.net.handle().send(again, b"new".to_vec());
    assert_eq!(b.frame(at_b).await, b"new");
}

#[tokio::test]
async fn a_dial_that_cannot_succeed_is_told() {
    let mut a = Node::start(&[TCP]).await;
    let nobody = peer_bytes(&libp2p::PeerId::random());
    let free = TcpListener::bind("127.0.0.1:0").expect("binds").local_addr().expect("an address").port();
    let dead: Multiaddr = format!("/ip4/127.0.0.1/tcp/{free}").parse().expect("an address");
    for addrs in [vec![], vec![Addr(vec![1, 2, 3])], vec![addr_bytes(&dead)]] {
        a.net.handle().dial(nobody.clone(), addrs).expect("room");
        a.wait(|input| matches!(input, Input::Failed(peer) if *peer == nobody).then_some(())).await;
    }
    // The one who answers there is somebody else: the handshake proves it.
    let mut b = Node::start(&[TCP]).await;
    let addr = b.addr().await;
    a.net.handle().dial(nobody.clone(), vec![addr]).expect("room");
    a.wait(|input| matches!(input, Input::Failed(peer) if *peer == nobody).then_some(())).await;
}

#[tokio::test]
async fn garbage_is_hung_up_on() {
    let mut a = Node::start(&[TCP]).await;
    a.addr().await;
    let port = a.port();
    let closed = tokio::task::spawn_blocking(move || {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).expect("connects");
        socket.set_read_timeout(Some(Duration::from_secs(15))).expect("a timeout");
        let _refused = socket.write_all(&[0xa5; 4096]);
        let mut rest = Vec::new();
        match socket.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    });
    assert!(closed.await.expect("runs"));
    assert_eq!(a.net.connected(), 0);
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("binds");
    let addr = format!("/ip4/127.0.0.1/tcp/{}", taken.local_addr().expect("an address").port());
    let (sender, _events) = mpsc::channel(64);
    let options = NetOptions {
        external: Vec::new(),
        keypair: Keypair::generate_ed25519(),
        listen: vec![addr.parse().expect("an address")],
        transports: Transports { tcp: true, quic: true },
        strict: true,
    };
    assert!(matches!(Net::start(options, DriverQueue::new(sender)), Err(NetError::Listen { addr: named, .. }) if named == addr));
}

#[test]
fn only_plain_addresses_are_dialed() {
    let peer = libp2p::PeerId::random();
    let take = |text: &str| multiaddr(&addr_bytes(&text.parse().expect("an address")));
    assert!(take("/ip4/10.0.0.1/tcp/4001").is_some());
    assert!(take(&format!("/ip6/::1/udp/4001/quic-v1/p2p/{peer}")).is_some());
    for other in ["/dns4/example.org/tcp/1", "/ip4/10.0.0.1/tcp/0", "/ip4/10.0.0.1/udp/5", "/unix/a", "/ip4/10.0.0.1/tcp/1/ws"] {
        assert!(take(other).is_none(), "{other}");
    }
    assert!(multiaddr(&Addr(vec![0xff; 400])).is_none());
}

#[test]
fn what_is_told_begins_with_the_addresses_from_outside() {
    let addr = |text: &str| text.parse::<Multiaddr>().expect("an address");
    let outside = [addr("/ip4/203.0.113.5/tcp/4001")];
    let listening: Vec<Multiaddr> = (0..9).map(|n| addr(&format!("/ip4/10.0.0.{n}/tcp/4001"))).chain(outside.clone()).collect();
    let told = task::told(&outside, &listening);
    assert_eq!(told.len(), kith_protocol::limits::ADDRESSES);
    assert_eq!(told.first(), outside.first().map(addr_bytes).as_ref());
    assert_eq!(told.iter().filter(|addr| Some(*addr) == told.first()).count(), 1);
}
