//! Ctrl-C: put the terminal right, clean up what a command left to be cleaned up, exit 130.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, OnceLock};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::exit::{HUNG_UP, INTERRUPTED, TERMINATED};

/// A password is being read, so the terminal shows no letters now.
static SILENT: AtomicBool = AtomicBool::new(false);

/// An editor has the terminal, and with it Ctrl-C.
static EDITING: AtomicBool = AtomicBool::new(false);

type Cleanup = Box<dyn FnOnce() + Send>;

/// What is to be done if the person stops us; the demo puts its three daemons here.
static CLEANUP: Mutex<Vec<Cleanup>> = Mutex::new(Vec::new());

/// Asks the listener whether it has heard all that was pressed by now.
static HEARD: OnceLock<UnboundedSender<Sender<()>>> = OnceLock::new();

/// Listens in the background until the process ends. From when this returns on, Ctrl-C is heard.
pub(crate) fn listen() {
    let (ready, listens) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        if let Some(code) = runtime.block_on(told_to_end(ready)) {
            leave(code);
        }
    });
    // An error: it does not listen, and Ctrl-C does what it does by itself.
    listens.recv().unwrap_or_default();
}

/// Until Ctrl-C, an order to end, or a terminal that goes away; the exit code that shells expect of it.
async fn told_to_end(ready: Sender<()>) -> Option<u8> {
    let mut terminate = signal(SignalKind::terminate()).ok()?;
    let mut hangup = signal(SignalKind::hangup()).ok()?;
    let mut pressed = signal(SignalKind::interrupt()).ok()?;
    let (ask, mut asked) = unbounded_channel();
    HEARD.set(ask).unwrap_or_default();
    ready.send(()).unwrap_or_default();
    loop {
        tokio::select! {
            // What was pressed comes before the question whether all of it was heard.
            biased;
            _ = pressed.recv() => if !EDITING.load(Ordering::SeqCst) {
                return Some(INTERRUPTED);
            },
            _ = terminate.recv() => return Some(TERMINATED),
            _ = hangup.recv() => return Some(HUNG_UP),
            Some(answer) = asked.recv() => answer.send(()).unwrap_or_default(),
        }
    }
}

/// Run `edit` while Ctrl-C is the editor's alone, also one that reaches us as the editor ends by it.
pub(crate) fn left_to_the_editor<T>(edit: impl FnOnce() -> T) -> T {
    EDITING.store(true, Ordering::SeqCst);
    let value = edit();
    let (answer, heard) = std::sync::mpsc::channel();
    if HEARD.get().is_some_and(|ask| ask.send(answer).is_ok()) {
        heard.recv().unwrap_or_default();
    }
    EDITING.store(false, Ordering::SeqCst);
    value
}

/// Reading broke off: if that was Ctrl-C, the process ends here as it does everywhere. Else this returns.
pub(crate) fn ends_if_pressed() {
    let Some(ask) = HEARD.get() else { return };
    let (answer, heard) = std::sync::mpsc::channel();
    let all_heard = ask.send(answer).is_ok() && heard.recv().is_ok();
    // No answer: the thread that listens for Ctrl-C is ending this process, with its own exit code.
    if !all_heard {
        loop {
            std::thread::park();
        }
    }
}

/// Run `read` while the terminal shows no letters.
pub(crate) fn silent<T>(read: impl FnOnce() -> T) -> T {
    SILENT.store(true, Ordering::SeqCst);
    let value = read();
    SILENT.store(false, Ordering::SeqCst);
    value
}

/// Do this too, should the person stop us.
pub(crate) fn on_interrupt(cleanup: impl FnOnce() + Send + 'static) {
    if let Ok(mut list) = CLEANUP.lock() {
        list.push(Box::new(cleanup));
    }
}

/// What is said where the person stops us while we only wait, until this is dropped.
#[derive(Debug)]
pub(crate) struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// Say this, should the person stop us before the answer is dropped.
pub(crate) fn while_waiting(say: impl FnOnce() + Send + 'static) -> Waiting {
    let waits = Arc::new(AtomicBool::new(true));
    let still = Arc::clone(&waits);
    on_interrupt(move || {
        if still.load(Ordering::SeqCst) {
            say();
        }
    });
    Waiting(waits)
}

fn leave(code: u8) -> ! {
    if SILENT.load(Ordering::SeqCst) {
        drop(std::process::Command::new("stty").arg("echo").stderr(std::process::Stdio::null()).status());
    }
    let list = CLEANUP.lock().map(|mut list| std::mem::take(&mut *list)).unwrap_or_default();
    for cleanup in list {
        cleanup();
    }
    std::process::exit(i32::from(code));
}
