//! The daemon: everything of Kith that touches a disk, a network, a clock or another process.
//!
//! Drives the pure core (`kith-protocol`): one thread owns node and store, one task owns the network, and a local API over a
//! Unix socket takes what people ask. Decides nothing that a circle believes.

mod address;
mod api;
mod app;
mod clock;
mod config;
mod driver;
mod files;
mod home;
mod hub;
mod keystore;
mod limits;
mod logging;
mod memory;
mod net;
mod queue;
mod random;
mod run;
mod session;
mod store;

pub use config::{ConfigError, Setting, set_setting, settings};
pub use home::HomeError;
pub use run::{Options, RunError, keep_secrets};

/// Runs the daemon until it is told to end, by a signal or through the local API. Blocks. The process may begin again with its
/// own arguments, so nothing that outlasts it is to be opened before.
///
/// # Errors
/// [`RunError`] where it cannot run; [`RunError::told`] says so in words for people.
pub fn run(options: &Options) -> Result<(), RunError> {
    memory::keep_house();
    run::run_with::<driver::Core>(options)
}
