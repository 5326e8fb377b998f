//! The daemon between its states: no identity yet, locked, unlocked. Locked means offline: nothing but status answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kith_protocol::control::{Code, DaemonStatus, Error, Hint, Needed};
use kith_protocol::id::Addr;
use kith_protocol::node::{Answer, Command, Query};
use kith_protocol::time::{MINUTE, Millis};
use tokio::sync::{Mutex, RwLock, watch};
use zeroize::Zeroizing;

use crate::address::bytes;
use crate::clock;
use crate::config::{Config, outside};
use crate::driver::Machine;
use crate::home::{Home, another_home};
use crate::keystore::{Cost, KeyError, Keystore, MasterKey};
use crate::limits;
use crate::session::{Session, SessionError};
use crate::store;

/// Opens a session with the machine that this daemon runs.
type Starter = fn(&Home, &Config, &MasterKey) -> Result<Session, SessionError>;

/// The daemon.
#[derive(Debug)]
pub(crate) struct App {
    home: Home,
    config: Config,
    cost: Cost,
    starter: Starter,
    session: RwLock<Option<Arc<Session>>>,
    /// One change of state at a time, and one guess at a passphrase.
    changing: Mutex<()>,
    stop: watch::Sender<bool>,
    /// When the local API was last used, for the idle lock.
    used: AtomicU64,
}

impl App {
    pub(crate) fn new<M: Machine>(home: Home, config: Config, cost: Cost) -> Self {
        Self {
            home,
            config,
            cost,
            starter: Session::start::<M>,
            session: RwLock::new(None),
            changing: Mutex::new(()),
            stop: watch::Sender::new(false),
            used: AtomicU64::new(clock::now().0),
        }
    }

    pub(crate) const fn home(&self) -> &Home {
        &self.home
    }

    /// Addresses at which this computer is said to be reachable from outside, as the core has them.
    pub(crate) fn outside(&self, text: &str) -> Result<Vec<Addr>, Error> {
        let found = outside(text, self.config.port).map_err(|_| {
            Error::new(
                Code::Usage,
                format!("{text:?} is not an address."),
                "It is an IP address with a port, written like 203.0.113.5:4001 or [2001:db8::1]:4001; names of computers are not \
                 looked up.",
            )
        })?;
        Ok(bytes(&found))
    }

    /// Is set once the daemon is to end.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Asks the daemon to end.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// The session, or why there is none.
    pub(crate) async fn session(&self) -> Result<Arc<Session>, Error> {
        self.used.store(clock::now().0, Ordering::Relaxed);
        if let Some(session) = self.session.read().await.as_ref() {
            return Ok(Arc::clone(session));
        }
        Err(match self.keystore()? {
            Some(_) => locked(),
            None => not_initialized(),
        })
    }

    /// The first start: keys, store, name. Nothing is left behind where it fails.
    pub(crate) async fn init(&self, name: String, passphrase: Option<Zeroizing<String>>) -> Result<(), Error> {
        let _one_at_a_time = self.changing.lock().await;
        if self.keystore()?.is_some() {
            return Err(Error::new(
                Code::Usage,
                format!("There is a Kith at {} already.", self.home.root().display()),
                [Hint::run("", "status", &[], "shows how things are"), another_home("sets up another one")],
            ));
        }
        if passphrase.as_ref().is_some_and(|passphrase| passphrase.is_empty()) {
            return Err(Error::new(Code::Usage, "The passphrase is empty.", "Choose a few random words."));
        }
        self.set_orphan_aside()?;
        let master = MasterKey::random();
        let (home, key, cost) = (self.home.clone(), master.clone(), self.cost);
        let keystore = blocking(move || {
            Session::create_store(&home.store(), &key).map_err(|error| error.told(&home))?;
            Keystore::wrap(&key, passphrase.as_ref().map(|text| text.as_str()), cost).map_err(|error| key_trouble(&error, &home))
        });
        let keystore = keystore.await?;
        let session = self.start(master).await?;
        let named = session.call(Command::Init { name }, limits::CALL).await;
        // The keys file makes it a home: until it is there, nothing was promised.
        let done = named.and_then(|_| keystore.write(&self.home.keys()).map_err(|error| key_trouble(&error, &self.home)));
        match done {
            Ok(()) => {
                *self.session.write().await = Some(Arc::new(session));
                tracing::info!("this home has an identity now");
                Ok(())
            }
            Err(error) => {
                drop(session.stop().await);
                self.set_orphan_aside()?;
                Err(error)
            }
        }
    }

    /// Unlocks; does nothing where it is so already.
    pub(crate) async fn unlock(&self, passphrase: Option<Zeroizing<String>>) -> Result<(), Error> {
        let _one_at_a_time = self.changing.lock().await;
        self.used.store(clock::now().0, Ordering::Relaxed);
        if self.session.read().await.is_some() {
            return Ok(());
        }
        let keystore = self.keystore()?.ok_or_else(not_initialized)?;
        let master = self.open(keystore, passphrase).await?;
        let session = self.start(master).await?;
        *self.session.write().await = Some(Arc::new(session));
        tracing::info!("unlocked");
        Ok(())
    }

    /// Locks: network, store and keys are gone when this returns.
    pub(crate) async fn lock(&self) -> Result<(), Error> {
        let _one_at_a_time = self.changing.lock().await;
        let Some(session) = self.session.write().await.take() else { return Ok(()) };
        let ended = sole(session).await.stop().await;
        tracing::info!("locked");
        ended
    }

    /// Is this the home's passphrase? Right where there is none.
    pub(crate) async fn prove(&self, passphrase: Option<Zeroizing<String>>) -> Result<(), Error> {
        let _one_at_a_time = self.changing.lock().await;
        let keystore = self.keystore()?.ok_or_else(not_initialized)?;
        self.open(keystore, passphrase).await.map(drop)
    }

    /// Seals the master key under another passphrase. The old one is needed, also while unlocked.
    pub(crate) async fn change_passphrase(&self, old: Option<Zeroizing<String>>, new: Zeroizing<String>) -> Result<(), Error> {
        let _one_at_a_time = self.changing.lock().await;
        let keystore = self.keystore()?.ok_or_else(not_initialized)?;
        if new.is_empty() {
            return Err(Error::new(Code::Usage, "The new passphrase is empty.", "Choose a few random words."));
        }
        let master = self.open(keystore, old).await?;
        let (home, cost) = (self.home.clone(), self.cost);
        blocking(move || {
            let fresh = Keystore::wrap(&master, Some(&new), cost).map_err(|error| key_trouble(&error, &home))?;
            fresh.write(&home.keys()).map_err(|error| key_trouble(&error, &home))
        })
        .await?;
        tracing::info!("the passphrase was changed");
        Ok(())
    }

    /// What runs here, as much as may be told in this state.
    pub(crate) async fn status(&self) -> Result<DaemonStatus, Error> {
        let keystore = self.keystore();
        let session = self.session.read().await.clone();
        let mut status = DaemonStatus::default();
        if let Some(session) = &session
            && let Answer::Status(counts) = session.ask(Query::Status).await?
        {
            status = *counts;
        }
        status.version = env!("CARGO_PKG_VERSION").to_owned();
        status.pid = std::process::id();
        status.home = self.home.root().display().to_string();
        status.initialized = !matches!(keystore, Ok(None));
        status.locked = session.is_none() && status.initialized;
        status.unprotected = matches!(&keystore, Ok(Some(keystore)) if keystore.unprotected());
        if let Some(session) = &session {
            status.peers.connected = session.net.connected();
            status.listening = session.net.listening().iter().map(ToString::to_string).collect();
            status.store.bytes = store::bytes_on_disk(&self.home.store());
        }
        Ok(status)
    }

    /// Opens a home without a passphrase right away.
    pub(crate) async fn open_unprotected(&self) -> Result<(), Error> {
        match self.keystore()? {
            Some(keystore) if keystore.unprotected() => self.unlock(None).await,
            _ => Ok(()),
        }
    }

    /// What has to be looked at now and then: a clock that jumped, a driver that gave up, an idle lock that is due.
    pub(crate) async fn watch_over(&self) {
        let mut jumps = clock::JumpWatch::start();
        loop {
            tokio::time::sleep(limits::CLOCK_LOOK).await;
            self.look(jumps.jumped(), clock::now()).await;
        }
    }

    /// One look.
    pub(crate) async fn look(&self, jumped: bool, now: Millis) {
        let Some(session) = self.session.read().await.clone() else { return };
        if jumped {
            session.woke().await;
        }
        let ended = session.ended();
        drop(session);
        if (ended || self.idle(now))
            && let Err(error) = self.lock().await
        {
            tracing::error!("locked, since the store could not go on: {}", error.message);
        }
    }

    /// Was no command given for so long that the home is to lock? One without a passphrase never does.
    fn idle(&self, now: Millis) -> bool {
        let limit = self.config.idle_lock_minutes.saturating_mul(MINUTE);
        let quiet = now.since(Millis(self.used.load(Ordering::Relaxed)));
        limit > 0 && quiet >= limit && matches!(self.keystore(), Ok(Some(keystore)) if !keystore.unprotected())
    }

    fn keystore(&self) -> Result<Option<Keystore>, Error> {
        Keystore::read(&self.home.keys()).map_err(|error| key_trouble(&error, &self.home))
    }

    async fn open(&self, keystore: Keystore, passphrase: Option<Zeroizing<String>>) -> Result<MasterKey, Error> {
        let home = self.home.clone();
        blocking(move || {
            let opened = keystore.open(passphrase.as_ref().map(|text| text.as_str()));
            opened.map_err(|error| key_trouble(&error, &home))
        })
        .await
    }

    async fn start(&self, master: MasterKey) -> Result<Session, Error> {
        let (home, config, starter) = (self.home.clone(), self.config.clone(), self.starter);
        blocking(move || {
            starter(&home, &config, &master).map_err(|error| {
                tracing::error!("unlocking failed: {error}");
                error.told(&home)
            })
        })
        .await
    }

    /// A store without a keys file was never finished, or its keys file is lost: moved aside, never deleted.
    fn set_orphan_aside(&self) -> Result<(), Error> {
        let store = self.home.store();
        if !store.exists() {
            return Ok(());
        }
        let aside = self.home.root().join(format!("store-without-keys-{}.db", clock::now().0));
        store::move_aside(&store, &aside).map_err(|error| {
            Error::new(
                Code::Failed,
                format!("Cannot move {} aside: {}.", store.display(), error.kind()),
                another_home("uses another folder"),
            )
        })
    }
}

/// Waits until nobody else uses the session.
async fn sole(mut session: Arc<Session>) -> Session {
    session.wind_down().await;
    loop {
        match Arc::try_unwrap(session) {
            Ok(session) => return session,
            Err(shared) => session = shared,
        }
        tokio::time::sleep(limits::SOLE_LOOK).await;
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(Error::new(
            Code::Failed,
            "Something went wrong inside kithd; nothing was changed.",
            "Try again; the log may say more.",
        ))
    })
}

fn locked() -> Error {
    Error::new(Code::Locked, "Kith is locked.", Hint::run("", "unlock", &[], "unlocks it"))
}

fn not_initialized() -> Error {
    Error::new(Code::Usage, "There is no identity here yet.", Hint::run("", "init", &[], "sets one up"))
}

fn key_trouble(error: &KeyError, home: &Home) -> Error {
    let file = home.keys();
    match error {
        KeyError::WrongPassphrase => Error::new(Code::NeedsPassphrase, "Wrong passphrase. Nothing was changed.", "Try again."),
        KeyError::PassphraseNeeded => Error::new(
            Code::NeedsPassphrase,
            "The passphrase is needed for this.",
            Hint::Need { what: Needed::Passphrase, from: Vec::new() },
        ),
        KeyError::Newer(_) => Error::new(
            Code::Failed,
            "The keys file was written by a newer kith.",
            [Hint::Text("Use the newer one with this home.".to_owned()), another_home("sets up another one")],
        ),
        KeyError::Damaged(what) => Error::new(
            Code::Damaged,
            format!("The keys file {} is damaged: {what}.", file.display()),
            "Put back a copy of it if there is one. Without it the store cannot be read.",
        ),
        KeyError::Io(source) => Error::new(
            Code::Failed,
            format!("The keys file {} cannot be used: {}.", file.display(), source.kind()),
            "See whether the disk is there, writable and not full.",
        ),
    }
}
