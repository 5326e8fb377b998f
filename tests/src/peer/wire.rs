//! Connections without a swarm: transports dialed by hand, streams negotiated by hand, so that a peer can open as many as it
//! likes, answer what it likes, and say anything.

use std::future::poll_fn;
use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::core::Endpoint;
use libp2p::core::muxing::{StreamMuxer, StreamMuxerBox, StreamMuxerExt, SubstreamBox};
use libp2p::core::transport::{DialOpts, PortUse, Transport};
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId, noise, quic, tcp, yamux};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{mpsc, oneshot};

/// The protocol under test.
pub const SYNC: &str = "/kith/sync/1";
/// Whatever the other side never answers is over by then.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where every peer of this process lives.
///
/// # Panics
/// Where no thread can be started.
pub fn runtime() -> &'static Handle {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let start = || Builder::new_multi_thread().worker_threads(2).thread_name("peers").enable_all().build();
    RUNTIME.get_or_init(|| start().expect("threads can be started")).handle()
}

/// What a peer answers on streams that the other side opens.
#[derive(Clone, Debug, Default)]
pub struct Manners {
    /// Sent as the answer to identify; none: it is not spoken here.
    pub identify: Option<Arc<Vec<u8>>>,
    /// Is a ping left without an answer?
    pub no_pong: bool,
}

/// A connection: streams can be opened on it until it is dropped.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Who is at the other end, as its handshake proved.
    pub peer: PeerId,
    wanted: mpsc::UnboundedSender<oneshot::Sender<SubstreamBox>>,
}

impl Connection {
    /// Dials over TCP or QUIC, whichever the address says.
    ///
    /// # Errors
    /// Where nobody listens, or the handshake fails.
    pub async fn dial(keys: &Keypair, addr: &Multiaddr, manners: Manners) -> Result<Self> {
        let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
        let (peer, muxer) = if is_quic(addr) {
            let mut config = quic::Config::new(keys);
            config.max_concurrent_stream_limit = 64;
            let mut transport = quic::tokio::Transport::new(config);
            let dial = transport.dial(addr.clone(), options).map_err(other)?;
            // The endpoint lives as long as its transport is polled or a connection stands; a dial does both.
            let (peer, connection) = within(dial).await?.map_err(other)?;
            (peer, StreamMuxerBox::new(connection))
        } else {
            let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
            let noise = noise::Config::new(keys).map_err(other)?;
            let mut transport = tcp.upgrade(Version::V1).authenticate(noise).multiplex(yamux::Config::default()).boxed();
            let dial = transport.dial(addr.clone(), options).map_err(other)?;
            within(dial).await?.map_err(other)?
        };
        Ok(Self::of(peer, muxer, manners))
    }

    /// Takes a connection's muxer over.
    #[must_use]
    pub fn of(peer: PeerId, muxer: StreamMuxerBox, manners: Manners) -> Self {
        let (wanted, todo) = mpsc::unbounded_channel();
        runtime().spawn(drive(muxer, todo, manners));
        Self { peer, wanted }
    }

    /// Opens a stream, nothing negotiated.
    ///
    /// # Errors
    /// Where the connection is over, or the other side takes no more streams.
    pub async fn stream(&self) -> Result<SubstreamBox> {
        let (give, take) = oneshot::channel();
        self.wanted.send(give).map_err(|_| Error::from(ErrorKind::NotConnected))?;
        within(take).await?.map_err(|_| Error::from(ErrorKind::NotConnected))
    }

    /// Opens a stream and agrees on a protocol.
    ///
    /// # Errors
    /// Where the other side does not speak it.
    pub async fn open(&self, protocol: &str) -> Result<SubstreamBox> {
        let mut stream = self.stream().await?;
        within(propose(&mut stream, protocol)).await??;
        Ok(stream)
    }

    /// Is it over?
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.wanted.is_closed()
    }
}

/// Is this an address of QUIC?
#[must_use]
pub fn is_quic(addr: &Multiaddr) -> bool {
    addr.to_string().contains("/quic-v1")
}

fn other(error: impl std::fmt::Display) -> Error {
    Error::other(error.to_string())
}

/// Waits so long and no longer.
///
/// # Errors
/// [`ErrorKind::TimedOut`].
pub async fn within<T>(future: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(PATIENCE, future).await.map_err(|_| ErrorKind::TimedOut.into())
}

/// Moves a connection along until nobody needs it or it ends.
async fn drive(mut muxer: StreamMuxerBox, mut todo: mpsc::UnboundedReceiver<oneshot::Sender<SubstreamBox>>, manners: Manners) {
    let mut next: Option<oneshot::Sender<SubstreamBox>> = None;
    poll_fn(|cx| poll_drive(&mut muxer, &mut todo, &mut next, &manners, cx)).await;
}

fn poll_drive(
    muxer: &mut StreamMuxerBox,
    todo: &mut mpsc::UnboundedReceiver<oneshot::Sender<SubstreamBox>>,
    next: &mut Option<oneshot::Sender<SubstreamBox>>,
    manners: &Manners,
    cx: &mut Context<'_>,
) -> Poll<()> {
    loop {
        match Pin::new(&mut *muxer).poll(cx) {
            Poll::Ready(Ok(_)) => continue,
            Poll::Ready(Err(_)) => return Poll::Ready(()),
            Poll::Pending => {}
        }
        match muxer.poll_inbound_unpin(cx) {
            Poll::Ready(Ok(stream)) => {
                runtime().spawn(answer(stream, manners.clone()));
                continue;
            }
            Poll::Ready(Err(_)) => return Poll::Ready(()),
            Poll::Pending => {}
        }
        if next.is_none() {
            match todo.poll_recv(cx) {
                Poll::Ready(Some(wanted)) => *next = Some(wanted),
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
        match muxer.poll_outbound_unpin(cx) {
            Poll::Ready(Ok(stream)) => drop(next.take().map(|wanted| wanted.send(stream))),
            Poll::Ready(Err(_)) => return Poll::Ready(()),
            Poll::Pending => return Poll::Pending,
        }
    }
}

/// Proposes a protocol by multistream-select 1.0.
///
/// # Errors
/// Where the other side does not speak it.
pub async fn propose(stream: &mut (impl futures::AsyncRead + futures::AsyncWrite + Unpin), protocol: &str) -> Result<()> {
    stream.write_all(&[line("/multistream/1.0.0"), line(protocol)].concat()).await?;
    stream.flush().await?;
    let spoken = [read_line(stream).await?, read_line(stream).await?];
    if spoken[1] == protocol { Ok(()) } else { Err(Error::new(ErrorKind::Unsupported, spoken[1].clone())) }
}

/// Agrees to whatever protocol is proposed.
///
/// # Errors
/// Where the stream ends before.
pub async fn accept(stream: &mut (impl futures::AsyncRead + futures::AsyncWrite + Unpin)) -> Result<String> {
    let header = read_line(stream).await?;
    let protocol = read_line(stream).await?;
    stream.write_all(&[line(&header), line(&protocol)].concat()).await?;
    stream.flush().await?;
    Ok(protocol)
}

fn line(words: &str) -> Vec<u8> {
    let length = u8::try_from(words.len() + 1).expect("protocols have short names");
    [&[length], words.as_bytes(), b"\n"].concat()
}

async fn read_line(stream: &mut (impl futures::AsyncRead + Unpin)) -> Result<String> {
    let mut length = [0];
    stream.read_exact(&mut length).await?;
    let mut words = vec![0; usize::from(length[0])];
    stream.read_exact(&mut words).await?;
    Ok(String::from_utf8_lossy(&words).trim_end().to_owned())
}

/// Answers a stream that the other side opened: ping and identify, as manners say.
async fn answer(mut stream: SubstreamBox, manners: Manners) -> Result<()> {
    read_line(&mut stream).await?;
    stream.write_all(&line("/multistream/1.0.0")).await?;
    loop {
        let protocol = read_line(&mut stream).await?;
        match (protocol.as_str(), &manners.identify) {
            ("/ipfs/ping/1.0.0", _) if manners.no_pong => return std::future::pending().await,
            ("/ipfs/ping/1.0.0", _) => {
                stream.write_all(&line(&protocol)).await?;
                stream.flush().await?;
                return pong(stream).await;
            }
            ("/ipfs/id/1.0.0", Some(message)) => {
                stream.write_all(&line(&protocol)).await?;
                stream.write_all(message).await?;
                return stream.close().await;
            }
            _ => {
                stream.write_all(&line("na")).await?;
                stream.flush().await?;
            }
        }
    }
}

async fn pong(mut stream: SubstreamBox) -> Result<()> {
    let mut ping = [0; 32];
    loop {
        stream.read_exact(&mut ping).await?;
        stream.write_all(&ping).await?;
        stream.flush().await?;
    }
}

/// Puts a frame's length before it.
#[must_use]
pub fn framed(frame: &[u8]) -> Vec<u8> {
    let length = u32::try_from(frame.len()).expect("frames are shorter");
    [&length.to_be_bytes(), frame].concat()
}

/// Reads one frame.
///
/// # Errors
/// Where the stream ends.
pub async fn read_frame(stream: &mut (impl futures::AsyncRead + Unpin)) -> Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let mut frame = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut frame).await?;
    Ok(frame)
}
