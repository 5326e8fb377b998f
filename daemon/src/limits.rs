//! The daemon's bounds, with unit and reason. What the protocol fixes is in `kith_protocol::limits`.

use std::time::Duration;

use kith_protocol::limits::{CREDIT_BYTES, LINKS};

/// Events that wait for the driver: inputs and calls. A full queue makes senders wait, never grow.
pub(crate) const EVENTS: usize = 512;
/// Events handled into one commit, so that a flood cannot keep a writer waiting.
pub(crate) const EVENTS_PER_COMMIT: usize = 128;
/// Time after which a commit takes no further event: each may take a part of that, or more than all of it.
pub(crate) const TURN: Duration = Duration::from_millis(50);
/// Bytes of frames that wait for the driver, over all peers.
pub(crate) const INBOUND_BYTES: usize = 32 << 20;
/// Bytes of frames that wait to be sent to one peer. The core keeps at most its credit in flight; twice that means it is stuck.
pub(crate) const SEND_QUEUE_BYTES: usize = 2 * CREDIT_BYTES + (4 << 20);
/// Bytes of one coalesced write.
pub(crate) const WRITE_BYTES: usize = 256 << 10;
/// Bytes of one read.
pub(crate) const READ_BYTES: usize = 16 << 10;
/// How long unlocking waits for the first address to listen on: without one, nothing that asks others to call makes sense.
pub(crate) const FIRST_ADDRESS: Duration = Duration::from_secs(2);
/// Dials and closings that wait for the network task.
pub(crate) const NET_COMMANDS: usize = 512;
/// Addresses tried in one dial.
pub(crate) const DIAL_ADDRESSES: usize = 16;

/// Connections: each carries at most one link.
pub(crate) const CONNECTIONS: u32 = {
    assert!(LINKS < 1 << 16, "fits");
    #[expect(clippy::cast_possible_truncation, reason = "checked above, while compiling")]
    {
        LINKS as u32
    }
};
/// Connections that others opened; the rest stays for our own dials.
pub(crate) const CONNECTIONS_IN: u32 = CONNECTIONS - 64;
/// Connections with one peer: a simultaneous dial over two transports makes four.
pub(crate) const CONNECTIONS_PER_PEER: u32 = 4;
/// Unfinished handshakes that others began.
pub(crate) const PENDING_IN: u32 = 256;
/// Unfinished handshakes that we began.
pub(crate) const PENDING_OUT: u32 = 64;
/// Of these, handshakes from one place: an IPv4 address, an IPv6 /64. Offices share one address.
pub(crate) const PENDING_PER_PLACE: usize = 24;
/// Connections from one place.
pub(crate) const ESTABLISHED_PER_PLACE: usize = 96;
/// Bytes of memory from which no new connections are taken.
pub(crate) const MEMORY_BYTES: usize = 1 << 30;
/// Streams of one connection: sync, ping and identify, each way, and a few being refused.
pub(crate) const STREAMS: usize = 16;

/// Bytes of one stream that a peer may send over QUIC before this side has read them: as many as the core lets be in flight.
pub(crate) const STREAM_WINDOW_BYTES: u32 = 4 << 20;
/// The same of a whole connection.
pub(crate) const CONNECTION_WINDOW_BYTES: u32 = 6 << 20;
/// Milliseconds after which a connection over QUIC on which nothing comes is closed: more than two pings.
pub(crate) const IDLE_MILLIS: u32 = 60_000;

/// A handshake takes no longer.
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(10);
/// A connection has its sync stream by then, or is closed.
pub(crate) const STREAM_OPENING: Duration = Duration::from_secs(15);
/// A link that is being closed has sent its last frames by then.
pub(crate) const CLOSING: Duration = Duration::from_secs(5);
/// So long a network that ends may say goodbye.
pub(crate) const GOODBYE: Duration = Duration::from_millis(150);
/// It has given its ports back by then.
pub(crate) const RELEASE: Duration = Duration::from_secs(2);
/// How often that is looked at.
pub(crate) const RELEASE_LOOK: Duration = Duration::from_millis(10);
/// How often a quiet connection is proved to live.
pub(crate) const PING: Duration = Duration::from_secs(25);
/// How often a peer is asked what it is: once is enough, and a quiet connection should stay quiet.
pub(crate) const IDENTIFY: Duration = Duration::from_secs(24 * 3_600);
/// How long a peer may take to answer a ping.
pub(crate) const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// Bytes of a request's body.
pub(crate) const BODY_BYTES: usize = 2 << 20;
/// Bytes of a batch's body: its items' texts may need escaping.
pub(crate) const BATCH_BODY_BYTES: usize = 64 << 20;
/// A call is answered by then, or told that it timed out.
pub(crate) const CALL: Duration = Duration::from_secs(30);
/// A list, a search or an export has read what it needs by then, or is told that it takes too long.
pub(crate) const READ: Duration = CALL;
/// The same for a batch, which may be large.
pub(crate) const BATCH_CALL: Duration = Duration::from_secs(120);
/// Events of `/v1/watch` that are kept for those who resume.
pub(crate) const WATCH_EVENTS: usize = 1_024;
/// How often the wall clock is compared with the monotonic one.
pub(crate) const CLOCK_LOOK: Duration = Duration::from_secs(15);
/// The longest that the driver sleeps without looking at its deadline again.
pub(crate) const LONGEST_SLEEP: Duration = Duration::from_secs(3_600);
/// Reads of one turn, so that one connection's task lets its muxer breathe.
pub(crate) const READS_PER_TURN: usize = 32;
/// How long a deadline that a tick did not move is left alone, so that a fault cannot become a busy loop.
pub(crate) const SAME_DEADLINE: Duration = Duration::from_millis(200);
/// How soon destroyed bytes are tried again to be removed from the log file.
pub(crate) const SCRUB_AGAIN: Duration = Duration::from_secs(1);
/// Failed commits in a row after which the store is given up: a disk that went read-only, a volume that was pulled. A full disk
/// is waited for.
pub(crate) const MAX_FAILURES: u32 = 5;
/// After a failed commit nothing is done unasked for so long; twice as long after each further one,
pub(crate) const REST: Duration = Duration::from_secs(1);
/// up to this.
pub(crate) const LONGEST_REST: Duration = Duration::from_secs(60);
/// How often it is looked whether others are done with a session that is to be closed.
pub(crate) const SOLE_LOOK: Duration = Duration::from_millis(5);
/// How long requests that are under way may take once the daemon is to end,
pub(crate) const SERVER_END: Duration = Duration::from_secs(5);
/// and how long everything else may.
pub(crate) const RUNTIME_END: Duration = Duration::from_secs(2);
/// SQL statements that a connection keeps prepared: more than there are.
pub(crate) const STATEMENTS: usize = 128;
/// Threads that serve the local API; what reads and writes the store has its own.
pub(crate) const API_THREADS: usize = 2;
/// Bytes of the log before it is moved aside; one older file is kept.
pub(crate) const LOG_BYTES: u64 = 2 << 20;
/// How often it is looked whether the local socket's file is still there, while nobody calls.
pub(crate) const SOCKET_LOOK: Duration = Duration::from_secs(1);
/// How long to wait where the system has no room for another connection.
pub(crate) const BREATH: Duration = Duration::from_millis(100);
/// How long a search waits for words that are still to be indexed; then it finds what it can.
pub(crate) const INDEXING: Duration = Duration::from_secs(5);
/// How often a quiet stream shows that it lives.
pub(crate) const ALIVE: Duration = Duration::from_secs(30);
/// How far the wall clock may drift from the monotonic one between two looks before it counts as a jump.
pub(crate) const JUMP: Duration = Duration::from_secs(30);
/// Threads of the network: enough to seal for one peer while reading another.
pub(crate) const NET_THREADS: usize = 2;
/// Bytes of pages kept in memory by the writing connection (KiB, as SQLite wants it).
pub(crate) const WRITER_CACHE_KIB: i64 = 8 << 10;
/// The same for the reading connection.
pub(crate) const READER_CACHE_KIB: i64 = 2 << 10;
/// Bytes that the write-ahead log keeps on disk after a checkpoint.
pub(crate) const WAL_BYTES: i64 = 6 << 20;
/// A file up to this size is checked completely on every open; a larger one after an unclean end only.
pub(crate) const ALWAYS_CHECK_BYTES: u64 = 2 << 20;
/// How long one connection waits for the other's lock.
pub(crate) const BUSY: Duration = Duration::from_secs(5);
/// Pages from which a commit waits for it after all, so that the log stays bounded.
pub(crate) const WAIT_PAGES: i32 = 16_000;
/// KiB of pages kept in memory by the connection that makes checkpoints.
pub(crate) const CHECKPOINT_CACHE_KIB: i64 = 512;
/// Bytes of writes from which a commit goes to the store's file at once.
pub(crate) const JOURNAL_COMMIT_BYTES: usize = 64 << 10;
/// Bytes of the journal from which the store's file takes all of it.
pub(crate) const JOURNAL_BYTES: u64 = 256 << 10;
/// Words of one search that are looked at.
pub(crate) const SEARCH_WORDS: usize = 16;
/// Characters of a word that are looked at.
pub(crate) const SEARCH_WORD_CHARS: usize = 64;
/// How many ports are tried before giving up.
pub(crate) const PORT_TRIES: usize = 64;
/// Listen addresses that are looked at.
pub(crate) const LISTEN_ADDRESSES: usize = 16;
/// The most memory that a file may ask us to spend (KiB), so that a swapped file cannot stop the machine.
pub(crate) const KEYS_MEMORY_KIB: u32 = 1 << 20;
/// The most passes over it,
pub(crate) const KEYS_PASSES: u32 = 64;
/// and lanes.
pub(crate) const KEYS_LANES: u32 = 16;
/// Bytes of a keys file; ours have a few hundred.
pub(crate) const KEYS_FILE_BYTES: u64 = 64 << 10;
/// Pages of the log from which it is taken into the file.
pub(crate) const CHECKPOINT_PAGES: i32 = 1_000;
