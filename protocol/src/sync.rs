//! What two devices of a circle lack and bring, whatever carries it; and entries on their way between log and items.
//!
//! Knows neither links nor mailboxes, and must never judge membership: acts go to `circle`, entries to `log` and `item`.
//!
//! The one who carries messages (`peer` over streams) keeps one `known::Known` for each conversation with a device: what that one
//! has, as far as this side knows. It is plain data and can be stored between conversations. The rest is two functions:
//!
//! 1. `take::take` is given every message that came, and by whom. It judges and keeps what is in it, and notes in `Known` what
//!    its sender has from now on. `take::Taken` says what to answer and what is left to do. A conversation begins with their
//!    `Have` or a digest like ours: before that nothing is known, and nothing is sent.
//! 2. `plan::plan` names the messages that bring them what they lack by then, as far as there is room, and counts them as known.
//!    What does not arrive after all is put right by their next `Have`.
//!
//! What is ours to say is `have::have`. Everything new, from anyone, shows in `circles::Circles`; the node sees to it
//! behind each input. `node/tests/carried.rs` does all of this by hand, with nothing between two devices.

pub(crate) mod act_batches;
pub(crate) mod branches;
pub(crate) mod circles;
pub(crate) mod clocks;
pub(crate) mod cuts;
pub(crate) mod delivery;
pub(crate) mod entries;
pub(crate) mod gaps;
pub(crate) mod have;
pub(crate) mod known;
pub(crate) mod message;
pub(crate) mod plan;
pub(crate) mod rate_limit;
pub(crate) mod take;
