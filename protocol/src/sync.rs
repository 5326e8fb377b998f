//! What two devices of a circle lack and bring, whatever carries it; and entries on their way between log and items.
//!
//! `plan` says what another device lacks, `take` keeps what it brought. Knows neither links nor mailboxes. Must never judge
//! membership: acts go to `circle`, entries to `log` and `item`.

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
