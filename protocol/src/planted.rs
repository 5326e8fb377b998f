//! Bugs on purpose: with the feature `switches` (tests only) one of them can be switched on for the running thread, to prove that
//! the simulator would notice. Production code asks a function that is constantly false. Must never hold anything but names.

/// A planted bug, named after what goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// `circle::membership`: an epoch stays usable although somebody who holds its keys is out.
    OldKeys,
    /// `circle::state`: anyone who was in once counts as current.
    RemovedStay,
    /// `circle::state`: a newcomer is handed talk keys from before their time.
    OldTalk,
    /// `circle::state`: what an epoch says of itself decides what newcomers are handed of it.
    LooseEpoch,
    /// `circle::membership`: a removal does not void what the removed write behind its back.
    NoCut,
    /// `log`: an entry's payload stands as it is where it should be sealed.
    Unsealed,
    /// `log`: the signature at the end of a run is not looked at.
    Unsigned,
    /// `log`: of two branches only the one that came first is kept.
    OneBranch,
    /// `item`: an edit that comes before its item is dropped.
    EarlyEdit,
    /// `item`: what peers write may be of any length.
    Boundless,
    /// `item`: everybody may change everything.
    AnyoneEdits,
    /// `node`: cuts do not reach entries that came before them.
    NoRejudge,
    /// `sync`: chains are left out of the digest.
    BlindDigest,
    /// `node`: of a cut's point only the place counts, not the entry.
    SeqCut,
    /// `sync`: nobody is called again after two failures.
    GivesUp,
    /// `sync`: who is there already is called all the same.
    Restless,
    /// `node`: one acknowledgement counts for everything to come.
    EarlyDelivery,
    /// `tx`: deleted rows come back.
    LostDeletes,
    /// The router: what a refused input wrote joins the batch.
    KeptDraft,
    /// The router: what a refused input changed in memory stays.
    KeptMemory,
    /// `item`: what is deleted or over is hidden, and its bytes stay.
    KeptBytes,
    /// `circle::state`: keys are never overdue.
    Ageless,
    /// `sync`: anyone who introduces themself is answered.
    Greets,
    /// `item`: what anybody writes into an item counts against its creator's share.
    OneShare,
    /// `circle::summary`: the people's row is not written again.
    StaleSummary,
    /// The turn: effects are carried out before the commit.
    SendsFirst,
}

impl Bug {
    /// All that seeds of the simulated world find, each with its name and the promise that it breaks.
    pub const ALL: [(Self, &'static str, &'static str); 26] = [
        (Self::OldKeys, "old-keys", "nothing is sealed under a key that a removed device holds, once the removal is known"),
        (Self::RemovedStay, "removed-stay", "a removed device is given nothing"),
        (Self::OldTalk, "old-talk", "a newcomer reads only what the history policy allows"),
        (Self::LooseEpoch, "loose-epoch", "what an epoch says of itself opens nothing that the circle did not want open"),
        (Self::NoCut, "no-cut", "nobody is in whom somebody expelled let in behind the expulsion"),
        (Self::Unsealed, "unsealed", "nobody's words leave a machine but sealed"),
        (Self::Unsigned, "unsigned", "everything kept and passed on was signed by its device"),
        (Self::OneBranch, "one-branch", "all branches of a copied device stand, everywhere alike"),
        (Self::EarlyEdit, "early-edit", "the same entries give the same items in any order"),
        (Self::Boundless, "boundless", "nobody's message exceeds a bound"),
        (Self::AnyoneEdits, "anyone-edits", "only its author changes a note"),
        (Self::NoRejudge, "no-rejudge", "entries beyond a cut are held aside wherever they came first"),
        (Self::SeqCut, "seq-cut", "nothing that a removed member signs beside what stood is shown"),
        (Self::BlindDigest, "blind-digest", "after a heal everybody shows the same within the stated time"),
        (Self::GivesUp, "gives-up", "machines find each other again by themselves"),
        (Self::Restless, "restless", "a quiet world sends nothing"),
        (Self::EarlyDelivery, "early-delivery", "what is called delivered has arrived"),
        (Self::LostDeletes, "lost-deletes", "a commit is written whole"),
        (Self::KeptDraft, "kept-draft", "a refused input leaves no trace in the store"),
        (Self::KeptMemory, "kept-memory", "a refused input leaves no trace in memory"),
        (Self::KeptBytes, "kept-bytes", "what is deleted or over is destroyed when its time has come"),
        (Self::Ageless, "ageless", "keys are made again every 30 days, and earlier where conversation is kept for less"),
        (Self::Greets, "greets", "no stranger learns who is in a circle"),
        (Self::OneShare, "one-share", "nobody keeps others from changing what is theirs"),
        (Self::StaleSummary, "stale-summary", "what is shown follows from the log alone"),
        (Self::SendsFirst, "sends-first", "nothing leaves a machine before it is on its disk"),
    ];

    /// The bug of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, its, _)| *its == name).map(|(bug, ..)| *bug)
    }
}

#[cfg(feature = "switches")]
mod switch {
    use std::cell::Cell;

    use super::Bug;

    thread_local! {
        static ON: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// A bug is on in this thread while this lives.
    #[derive(Debug)]
    #[must_use = "the bug is off again once this is dropped"]
    pub struct Planted(Option<Bug>);

    /// Switches a bug on (or all off) for this thread only.
    pub fn plant(bug: Option<Bug>) -> Planted {
        Planted(ON.replace(bug))
    }

    impl Drop for Planted {
        fn drop(&mut self) {
            ON.set(self.0);
        }
    }

    /// Is it on?
    #[must_use]
    pub fn planted(bug: Bug) -> bool {
        ON.get() == Some(bug)
    }
}

#[cfg(feature = "switches")]
pub use switch::{Planted, plant, planted};

/// Is it on? Never, outside of tests.
#[cfg(not(feature = "switches"))]
pub(crate) const fn planted(_: Bug) -> bool {
    false
}
