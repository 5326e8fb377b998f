//! Everything that exists only while a home is unlocked: store, driver, network. Dropped whole by a lock.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use kith_protocol::control::{Code, Error, Hint};
use kith_protocol::node::{Command, Query};
use kith_protocol::store::{Read, Store, Table, Writes};
use rand_core::TryRng;
use tokio::sync::{mpsc, oneshot};
use zeroize::Zeroizing;

use crate::clock;
use crate::config::Config;
use crate::driver::{Driver, Machine, store_trouble};
use crate::home::{Home, another_home};
use crate::hub::Hub;
use crate::keystore::MasterKey;
use crate::limits::{EVENTS, FIRST_ADDRESS, READ};
use crate::net::{self, Net, NetError, NetOptions};
use crate::queue::{DriverQueue, Event, Outcome};
use crate::random::Random;
use crate::store::{Leased, Leave, OpenError, Reader, SqliteStore};

/// Where the transport key lies: in a table of the core, under a first byte that the core does not use.
const TRANSPORT_KEY: &[u8] = b"\xffkithd/transport";

/// Why an unlocked home does not come up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error(transparent)]
    Net(#[from] NetError),
    #[error("the store holds no usable transport key")]
    NoTransportKey,
    #[error("{0}")]
    Core(kith_protocol::store::StoreError),
    #[error("no thread could be started: {0}")]
    Thread(std::io::Error),
}

impl SessionError {
    /// In words for people.
    pub(crate) fn told(&self, home: &Home) -> Error {
        let safe = "Copy the home folder somewhere safe before anything else; nothing in it was changed.";
        match self {
            Self::Store(OpenError::Newer { found, known }) => {
                let message = format!("The store has version {found}, and this program knows version {known}.");
                Error::new(Code::Failed, message, [Hint::Text("Use the newer Kith with this home.".to_owned()), another_home("sets up another one")])
            }
            Self::Store(OpenError::Older { found, oldest }) => Error::new(
                Code::Failed,
                format!("The store has version {found}, written before the first release; this program reads version {oldest} and later."),
                [
                    Hint::Text("Export with the Kith that wrote it, then begin in another home: found the circle again, or ask to be let in.".to_owned()),
                    Hint::run("", "export", &[], "exports"),
                    another_home("sets up another one"),
                ],
            ),
            Self::Store(OpenError::Damaged(_)) | Self::NoTransportKey => {
                Error::new(Code::Damaged, format!("The store at {} is damaged.", home.store().display()), safe)
            }
            Self::Store(OpenError::Missing) => Error::new(
                Code::Damaged,
                format!("The store at {} is missing.", home.store().display()),
                [Hint::Text("Put it back from where it was moved.".to_owned()), another_home("begins again in another folder")],
            ),
            Self::Store(OpenError::Full) => store_trouble(&kith_protocol::store::StoreError::Full),
            Self::Core(error) => store_trouble(error),
            Self::Net(NetError::Listen { addr, .. }) => Error::new(
                Code::Failed,
                format!("Cannot listen on {addr}: another program may have that port."),
                format!("Stop that program, or choose another `port` in {}, then unlock again.", home.config().display()),
            ),
            Self::Store(OpenError::Io(_)) | Self::Net(NetError::Start(_)) | Self::Thread(_) => {
                Error::new(Code::Failed, format!("This home cannot be opened: {self}."), "Try again; the log in the home folder says more.")
            }
        }
    }
}

type Answerer = fn(&dyn Read, kith_protocol::time::Millis, Query) -> Result<Outcome, kith_protocol::store::StoreError>;

/// The connections that questions are answered on, besides the driver's.
#[derive(Clone, Debug)]
struct Readers {
    /// For everything that may take a while.
    lists: Arc<Mutex<Option<Reader>>>,
    /// For what never waits for anybody: how everything is.
    status: Arc<Mutex<Option<Reader>>>,
    /// Nobody reads any more.
    ended: Arc<AtomicBool>,
}

impl Readers {
    fn open(store: &SqliteStore, key: &MasterKey) -> Result<Self, OpenError> {
        let reader = || Ok::<_, OpenError>(Arc::new(Mutex::new(Some(store.reader(key)?))));
        Ok(Self { lists: reader()?, status: reader()?, ended: Arc::default() })
    }

    fn of(&self, query: &Query) -> Arc<Mutex<Option<Reader>>> {
        Arc::clone(if matches!(query, Query::Status) { &self.status } else { &self.lists })
    }

    /// Ends what is being read, at its next row, and closes the connections. Blocks until then.
    fn close(&self) {
        self.ended.store(true, Ordering::Release);
        for reader in [&self.lists, &self.status] {
            drop(reader.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

/// An unlocked home at work.
#[derive(Debug)]
pub(crate) struct Session {
    events: mpsc::Sender<Event>,
    readers: Readers,
    answerer: Answerer,
    pub(crate) hub: Arc<Hub>,
    pub(crate) net: Net,
    thread: JoinHandle<()>,
    /// What the driver had to say where it gave up by itself.
    fate: Arc<OnceLock<Error>>,
}

impl Session {
    /// Makes the store of a new home, with a fresh transport key in it.
    pub(crate) fn create_store(path: &Path, key: &MasterKey) -> Result<(), SessionError> {
        let mut seed = Zeroizing::new([0; 32]);
        let Ok(()) = Random.try_fill_bytes(seed.as_mut());
        let mut store = SqliteStore::create(path, key)?;
        let writes: Writes = [((Table::Local, TRANSPORT_KEY.to_vec()), Some(seed.to_vec()))].into_iter().collect();
        store.commit(&writes).map_err(SessionError::Core)?;
        store.close().map_err(SessionError::Core)
    }

    /// Opens store, node and network. Blocks on the disk.
    pub(crate) fn start<M: Machine>(home: &Home, config: &Config, key: &MasterKey) -> Result<Self, SessionError> {
        let store = SqliteStore::open(&home.store(), key)?;
        let readers = Readers::open(&store, key)?;
        let keypair = transport_key(&store)?;
        let peer = net::peer_bytes(&keypair.public().to_peer_id());
        let (events, queue) = mpsc::channel(EVENTS);
        let (listen, external) = (config.listen.clone(), config.external.clone());
        let options = NetOptions { keypair, listen, external, transports: config.transports, strict: config.strict };
        let net = Net::start(options, DriverQueue::new(events.clone()))?;
        let hub = Arc::new(Hub::new());
        let listening = net.first_addresses(FIRST_ADDRESS);
        let driver =
            Driver::<M>::open(store, queue, net.handle(), Arc::clone(&hub), peer, listening).map_err(SessionError::Core)?;
        let fate = Arc::new(OnceLock::new());
        let told = Arc::clone(&fate);
        let thread = std::thread::Builder::new().name("driver".to_owned()).spawn(move || {
            if let Err(error) = driver.run() {
                tracing::error!("the store cannot go on");
                drop(told.set(error));
            }
        });
        let thread = thread.map_err(SessionError::Thread)?;
        Ok(Self { events, readers, answerer: M::answer, hub, net, thread, fate })
    }

    /// Asks for a change, and waits for its answer so long at most.
    pub(crate) async fn call(&self, command: Command, patience: Duration) -> Outcome {
        let (reply, answer) = oneshot::channel();
        let asked = async {
            self.events.send(Event::Call(Box::new(command), reply)).await.map_err(|_| self.gone())?;
            answer.await.map_err(|_| self.gone())?
        };
        tokio::time::timeout(patience, asked).await.unwrap_or_else(|_| Err(timed_out()))
    }

    /// Asks a question that changes nothing.
    pub(crate) async fn ask(&self, query: Query) -> Outcome {
        let (readers, answerer) = (self.readers.clone(), self.answerer);
        let asked = tokio::task::spawn_blocking(move || {
            let reader = readers.of(&query);
            let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
            let reader = reader.as_mut().ok_or_else(gone)?;
            let leave = Leave::new(&readers.ended, READ);
            let answer = |read: &dyn Read| answerer(&Leased { read, leave: &leave }, clock::now(), query);
            reader.snapshot(answer).map_err(|error| match &leave {
                leave if leave.is_ended() => gone(),
                leave if leave.is_over() => too_long(),
                _ => store_trouble(&error),
            })?
        });
        asked.await.unwrap_or_else(|_| {
            Err(Error::new(Code::Failed, "Something went wrong inside kithd while reading.", "Try again; the log may say more."))
        })
    }

    /// The machine slept, or its clock was set.
    pub(crate) async fn woke(&self) {
        drop(self.events.send(Event::Woke).await);
    }

    fn gone(&self) -> Error {
        self.fate.get().cloned().unwrap_or_else(gone)
    }

    /// Has the driver given up?
    pub(crate) fn ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Begins to end: no more reading, and calls under way are answered, so that nobody holds on to the session.
    pub(crate) async fn wind_down(&self) {
        let readers = self.readers.clone();
        // The last connection to leave takes the log into the file: that must be the driver's.
        drop(tokio::task::spawn_blocking(move || readers.close()).await);
        drop(self.events.send(Event::Stop).await);
    }

    /// Ends network, driver, store; nothing is left in memory when it returns. What the driver had to say
    /// where it gave up by itself.
    pub(crate) async fn stop(self) -> Result<(), Error> {
        self.wind_down().await;
        let Self { net, thread, fate, .. } = self;
        net.stop().await;
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        match fate.get() {
            Some(error) => Err(error.clone()),
            None if matches!(joined, Ok(Ok(()))) => Ok(()),
            None => Err(gone()),
        }
    }
}

fn transport_key(store: &SqliteStore) -> Result<libp2p::identity::Keypair, SessionError> {
    let seed = store.get(Table::Local, TRANSPORT_KEY).map_err(SessionError::Core)?;
    let seed = Zeroizing::new(seed.ok_or(SessionError::NoTransportKey)?);
    let seed: [u8; 32] = seed.as_slice().try_into().map_err(|_| SessionError::NoTransportKey)?;
    net::keypair(seed).ok_or(SessionError::NoTransportKey)
}

fn gone() -> Error {
    Error::new(
        Code::Failed,
        "The daemon stopped in the middle of this.",
        [Hint::run("", "status", &[], "shows its status"), Hint::run("", "start", &[], "starts it")],
    )
}

fn too_long() -> Error {
    Error::new(Code::TimedOut, "Reading that took too long.", "Ask for less at a time.")
}

fn timed_out() -> Error {
    Error::new(
        Code::TimedOut,
        "No answer came in time.",
        [
            Hint::Text("It may still happen, and a new try is safe.".to_owned()),
            Hint::run("", "status", &[], "shows how things are"),
        ],
    )
}
