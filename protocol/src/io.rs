//! What goes into the core and what comes out: closed enums, nothing else.

use crate::control;
use crate::id::{Addr, CircleId, PeerId};
use crate::time::Millis;

/// Names one call of the local API until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// Names one open stream with a peer. Never used again once closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link(pub u64);

/// One thing that happened outside.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "inputs are handed on one at a time; a box would be spent on every call instead")]
pub enum Input {
    /// The local API asks for something. Answered once, perhaps much later, by [`Effect::Reply`].
    Call(CallId, Command),
    /// A `/kith/sync/1` stream is open with an authenticated peer. `dialer`: we opened it.
    Opened {
        /// Its name.
        link: Link,
        /// Who, as the transport proved.
        peer: PeerId,
        /// Did this side open it?
        dialer: bool,
    },
    /// One whole frame came in (at most [`crate::limits::FRAME_BYTES`]).
    Bytes(Link, Vec<u8>),
    /// The stream is gone.
    Closed(Link),
    /// Dialing failed.
    Failed(PeerId),
    /// The addresses on which this node is reachable now (all of them, loopback included).
    Listening(Vec<Addr>),
    /// A deadline passed, or the wall clock jumped.
    Tick,
    /// The machine was asleep or the network changed: drop back-off, redial.
    Woke,
}

/// What the local API may ask that changes something. `circle`, `item`, `member` ... are ids, id prefixes or names as typed.
#[derive(Debug, Clone)]
pub enum Command {
    /// First start: a name for this machine's member and its transport id.
    Init {
        /// The usual name.
        name: String,
    },
    /// A new circle.
    NewCircle(control::NewCircle),
    /// Policies.
    EditCircle(String, control::EditCircle),
    /// Sign the agreement as it is now.
    Sign(String),
    /// Leave; silent. The last steward names who takes over, or says that nobody does.
    Leave(String, control::LeaveCircle),
    /// Delete all that is here of a circle that one is out of.
    Forget(String, control::ForgetCircle),
    /// A new invite.
    NewInvite(String, control::NewInvite),
    /// Close an invite.
    RevokeInvite(String, String),
    /// Show what a link offers; joins nothing. Answered when the card came.
    PreviewInvite(String),
    /// Ask to join.
    Accept(control::Accept),
    /// Having seen the members: publish my name and sync.
    ConfirmJoin(String),
    /// Walk away, or take a request back.
    AbandonJoin(String),
    /// Admit who asks.
    Approve(String, String),
    /// Say no.
    Decline(String, String),
    /// Remove somebody.
    RemoveMember(String, String),
    /// Bring back what waits of a removed person's writing for an entry that nobody has sent.
    RestoreMember(String, String),
    /// Say no more of it.
    LeaveAside(String, String),
    /// Set a role; or step down.
    SetRole(String, String, control::SetRole),
    /// A new item.
    New(String, control::NewItem),
    /// Many new items in one transaction.
    Batch(String, control::Batch),
    /// Forget what an import brought; its items stay.
    ForgetImport(String),
    /// What somebody says about an item: a reply, a reaction, an answer.
    Respond(String, String, control::Response),
    /// Change an item.
    Edit(String, String, control::EditItem),
    /// Delete an item; `now`: destroy its bytes at once instead of after 24 hours.
    Remove {
        /// The circle.
        circle: String,
        /// The item.
        item: String,
        /// Destroy at once.
        now: bool,
    },
    /// Bring back an item that one deleted less than a day ago.
    Restore(String, String),
    /// Hide (or show again) an item; facilitators and up.
    Hide(String, String, bool),
    /// Pin (or unpin) an item; facilitators and up.
    Pin(String, String, bool),
    /// Mark as seen: one item, or everything there is (`None`); in one circle, or in all (`None`).
    Seen {
        /// The circle.
        circle: Option<String>,
        /// The item.
        item: Option<String>,
        /// Were bodies behind warnings shown?
        reveal: bool,
    },
    /// Build all derived tables again from the log.
    Rebuild,
    /// Bring words that wait into the index, a slice; answered by [`Answer::Indexed`].
    Index,
    /// Keep a text that could not be saved, in this machine's store only.
    KeepDraft(control::NewDraft),
    /// Throw such a text away.
    RemoveDraft(String),
    /// Contact everybody again now.
    SyncNow,
}

/// What the local API may ask that changes nothing.
#[derive(Debug, Clone)]
pub enum Query {
    /// Counts for `status` (the daemon fills in what only it knows).
    Status,
    /// All circles.
    Circles,
    /// One circle.
    Circle(String),
    /// Its people.
    Members(String),
    /// Its invites.
    Invites(String),
    /// Who asks to come in.
    Pending(String),
    /// Joins under way.
    Joins,
    /// Is there room for one more circle; for the one that a link leads to? Answered by [`Answer::Done`] or a refusal.
    Room(Option<String>),
    /// A list of items.
    List {
        /// The circle; `None`: the only one.
        circle: Option<String>,
        /// Of which kind; one that has a list.
        kind: control::Kind,
        /// Which of them.
        filter: Filter,
    },
    /// One item, with its replies. `reveal`: bodies behind warnings too.
    Show {
        /// The circle; `None`: the only one.
        circle: Option<String>,
        /// Of which kind; one that has a list.
        kind: control::Kind,
        /// Which.
        item: String,
        /// Bodies behind warnings too.
        reveal: bool,
    },
    /// An item's edit history. `reveal`: bodies behind warnings too.
    History {
        /// The circle; `None`: the only one.
        circle: Option<String>,
        /// Which.
        item: String,
        /// Bodies behind warnings too.
        reveal: bool,
    },
    /// What an import brought.
    Import(String),
    /// What is new for me.
    Inbox {
        /// One circle, or all.
        circle: Option<String>,
    },
    /// Full-text search.
    Search {
        /// Words; each matches as a prefix.
        words: String,
        /// One circle, or all.
        circle: Option<String>,
        /// At most so many.
        limit: usize,
    },
    /// Texts that are kept here and not saved.
    Drafts,
    /// One of them.
    Draft(String),
    /// The state of health.
    Doctor,
}

/// Which rows of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The last so many.
    pub limit: Option<usize>,
    /// Only what is new here.
    pub new: bool,
    /// Notes without a reply by somebody else; events I have not answered.
    pub unanswered: bool,
    /// Events that are not over (judged by the asker's `now`, recurring ones by their rule's end as far as it is stated).
    pub upcoming: bool,
    /// Bodies behind warnings too.
    pub reveal: bool,
    /// Only with this tag.
    pub tag: Option<String>,
    /// With all of long texts; else a list shows their start, see [`crate::limits::LIST_TEXT`].
    pub full: bool,
}

/// An answer to a command or query.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Done; nothing to say.
    Done,
    /// See the type.
    Made(control::Made),
    /// See the type.
    Import(control::Import),
    /// See the type.
    Circle(Box<control::Circle>),
    /// See the type.
    Circles(Vec<control::Circle>),
    /// See the type.
    Members(Vec<control::Member>),
    /// See the type.
    Member(control::Member),
    /// See the type.
    Invite(control::Invite),
    /// See the type.
    Invites(Vec<control::Invite>),
    /// See the type.
    Preview(control::Preview),
    /// See the type.
    Join(control::Join),
    /// See the type.
    Joins(Vec<control::Join>),
    /// See the type.
    Pending(Vec<control::PendingRequest>),
    /// See the type.
    Item(control::Item),
    /// See the type.
    Items(control::Items),
    /// See the type.
    History(Vec<control::Revision>),
    /// See the type.
    Inbox(control::Inbox),
    /// See the type.
    Found(Vec<control::SearchHit>),
    /// See the type.
    Draft(Box<control::Draft>),
    /// See the type.
    Drafts(Vec<control::Draft>),
    /// Does the index hold the words of everything that is listed?
    Indexed(bool),
    /// See the type.
    Status(Box<control::DaemonStatus>),
    /// See the type.
    Doctor(control::Doctor),
}

/// What the core wants done once its writes are durable.
#[derive(Debug)]
pub enum Effect {
    /// Answer a call.
    Reply(CallId, Result<Answer, control::Error>),
    /// Send one frame; frames of a link stay in order.
    Send(Link, Vec<u8>),
    /// Open a stream with a peer at any of these addresses. Answered by `Opened` or `Failed`.
    Dial(PeerId, Vec<Addr>),
    /// Close a stream.
    Close(Link),
    /// The other side of a stream proved itself, or was asked for something: its frames may be larger than a hello from now on.
    Widen(Link),
    /// Tell watchers; ids only.
    Notify(control::WatchEvent),
    /// Bytes were destroyed: truncate what the store keeps beside its pages (WAL).
    Scrub,
    /// A circle's traffic or a peer misbehaved: a line for the log, without content.
    Log(&'static str, Option<CircleId>),
}

/// What the outside lends for one input.
pub struct Env<'a> {
    /// The wall clock.
    pub now: Millis,
    /// Randomness.
    pub rng: &'a mut dyn rand_core::CryptoRng,
    /// Signing, verifying, sealing to keys.
    pub crypto: &'a dyn crate::crypto::Crypto,
    /// This node's own transport id.
    pub peer: &'a PeerId,
}

impl std::fmt::Debug for Env<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Env").field("now", &self.now).finish_non_exhaustive()
    }
}
