//! From start to end: harden the process, take the home, serve, and leave in order.

use std::future::IntoFuture;
use std::path::PathBuf;
use std::sync::Arc;

use kith_protocol::control::{Code, Error, Hint};
use rustix::process::{Resource, Rlimit};
use tokio::signal::unix::{SignalKind, signal};

use crate::api::{self, Socket};
use crate::app::App;
use crate::config::{Config, ConfigError};
use crate::driver::Machine;
use crate::home::{Home, HomeError, another_home};
use crate::keystore::Cost;
use crate::limits;
use crate::logging;

/// How the daemon is started.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The home folder; made where it is missing.
    pub home: PathBuf,
    /// Listen addresses in place of those of `config.toml`.
    pub listen: Vec<String>,
    /// Log to standard error, with more detail.
    pub verbose: bool,
}

/// Why the daemon does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The home cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The operating system refused something that is needed.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What was said.
        source: std::io::Error,
    },
    /// A home without a passphrase did not open.
    #[error("{}", .0.message)]
    Open(Error),
}

impl RunError {
    /// In words for people, with what to do next.
    #[must_use]
    pub fn told(&self) -> Error {
        match self {
            Self::Home(HomeError::Taken) => Error::new(
                Code::Failed,
                "Another kithd already runs for this home.",
                [Hint::run("", "status", &[], "shows its status"), Hint::run("", "stop", &[], "ends it")],
            ),
            Self::Home(HomeError::TooLong(over)) => Error::new(
                Code::Usage,
                format!("The home's path is too long for a local socket, by {over} bytes."),
                another_home("uses a folder with a shorter path"),
            ),
            Self::Home(HomeError::NotMine(path)) => Error::new(
                Code::Failed,
                format!("The folder {} belongs to another user.", path.display()),
                [Hint::Text("Start kithd as that user.".to_owned()), another_home("uses another folder")],
            ),
            Self::Home(HomeError::Io { path, source }) => Error::new(
                Code::Failed,
                format!("The home cannot be used: {}: {}.", path.display(), source.kind()),
                [
                    Hint::Text("See whether the folder is there and yours to write.".to_owned()),
                    another_home("uses another folder"),
                ],
            ),
            Self::Config(error) => Error::new(
                Code::Usage,
                format!("The settings cannot be used: {error}."),
                "Correct config.toml in the home folder, or the address to listen on that was given.",
            ),
            Self::System { what, source } => Error::new(
                Code::Failed,
                format!("{what} failed: {}.", source.kind()),
                "Try again; the log in the home folder says more.",
            ),
            Self::Open(error) => error.clone(),
        }
    }
}

/// Runs the daemon until it is told to end.
pub(crate) fn run_with<M: Machine>(options: &Options) -> Result<(), RunError> {
    harden();
    let home = Home::prepare(&options.home)?;
    let _only_one = home.lock()?;
    logging::start(&home.log(), options.verbose).map_err(system("Opening the log"))?;
    let config = Config::load(&home.config(), &options.listen)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(limits::API_THREADS)
        .thread_name("kithd")
        .enable_all()
        .build()
        .map_err(system("Starting the runtime"))?;
    let app = Arc::new(App::new::<M>(home, config, Cost::NORMAL));
    let served = runtime.block_on(serve(Arc::clone(&app)));
    runtime.shutdown_timeout(limits::RUNTIME_END);
    served
}

async fn serve(app: Arc<App>) -> Result<(), RunError> {
    let mut end = signal(SignalKind::terminate()).map_err(system("Waiting for signals"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(system("Waiting for signals"))?;
    // Before the socket: anyone who sees the socket finds an open home open.
    app.open_unprotected().await.map_err(RunError::Open)?;
    let socket = Socket::bind(&app.home().socket()).map_err(system("Making the socket"))?;
    let mut stopping = app.stopping();
    let asked = async move {
        tokio::select! {
            _ = end.recv() => {}
            _ = interrupt.recv() => {}
            _ = stopping.wait_for(|stop| *stop) => {}
        }
    };
    tracing::info!("ready, version {}", env!("CARGO_PKG_VERSION"));
    let mut ending = app.stopping();
    let server = axum::serve(socket, api::router(Arc::clone(&app))).with_graceful_shutdown(async move {
        drop(ending.wait_for(|stop| *stop).await);
    });
    let server = tokio::spawn(server.into_future());
    let watch = tokio::spawn({
        let app = Arc::clone(&app);
        async move { app.watch_over().await }
    });
    asked.await;
    app.stop();
    watch.abort();
    // Ends streams and answers calls under way, so that the server has nobody left to wait for.
    let ended = app.lock().await;
    if tokio::time::timeout(limits::SERVER_END, server).await.is_err() {
        tracing::warn!("a connection to the local API did not end");
    }
    tracing::info!("ended");
    ended.map_err(RunError::Open)
}

/// Files for this user only, and [`keep_secrets`].
fn harden() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    keep_secrets();
}

/// No core dumps of this process, and no looks into its memory by others of the same user: for a program that holds a passphrase
/// or keys. To be called before it does.
pub fn keep_secrets() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if rustix::process::setrlimit(Resource::Core, none).is_err() {
        tracing::warn!("core dumps could not be switched off");
    }
    #[cfg(target_os = "linux")]
    if rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable).is_err() {
        tracing::warn!("tracing by other processes could not be switched off");
    }
}

fn system(what: &'static str) -> impl Fn(std::io::Error) -> RunError {
    move |source| RunError::System { what, source }
}
