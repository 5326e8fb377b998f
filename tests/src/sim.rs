//! The simulated world: real core nodes on virtual machines, with a virtual clock, network and disks, all from one seed.
//!
//! Nothing here decides what a circle believes: the nodes do, and the checks look at what they answer. The same seed gives the same
//! run, byte for byte; a run that fails names the command that replays it.

pub mod adversary;
pub mod cheap;
pub mod check;
pub mod clock;
pub mod deed;
pub mod disk;
pub mod fault;
pub mod fresh;
pub mod hostile;
pub mod machine;
pub mod net;
mod own;
pub mod planted;
pub mod rng;
pub mod run;
pub mod script;
pub mod shrink;
pub mod trace;
mod twist;
pub mod workload;
pub mod world;
