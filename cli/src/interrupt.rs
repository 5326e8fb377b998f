//! Ctrl-C: put the terminal right, clean up what a command left to be cleaned up, exit 130.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

use crate::exit::{HUNG_UP, INTERRUPTED, TERMINATED};

/// A password is being read, so the terminal shows no letters now.
static SILENT: AtomicBool = AtomicBool::new(false);

/// An editor has the terminal, and with it Ctrl-C.
static EDITING: AtomicBool = AtomicBool::new(false);

type Cleanup = Box<dyn FnOnce() + Send>;

/// What is to be done if the person stops us; the demo puts its three daemons here.
static CLEANUP: Mutex<Vec<Cleanup>> = Mutex::new(Vec::new());

/// Listen in the background until the process ends.
pub(crate) fn listen() {
    std::thread::spawn(|| {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        if let Some(code) = runtime.block_on(told_to_end()) {
            leave(code);
        }
    });
}

/// Until Ctrl-C, an order to end, or a terminal that goes away; the exit code that shells expect of it.
async fn told_to_end() -> Option<u8> {
    let mut terminate = signal(SignalKind::terminate()).ok()?;
    let mut hangup = signal(SignalKind::hangup()).ok()?;
    loop {
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => match pressed {
                Ok(()) if EDITING.load(Ordering::SeqCst) => {}
                pressed => return pressed.ok().map(|()| INTERRUPTED),
            },
            _ = terminate.recv() => return Some(TERMINATED),
            _ = hangup.recv() => return Some(HUNG_UP),
        }
    }
}

/// Run `edit` while Ctrl-C is the editor's alone.
pub(crate) fn left_to_the_editor<T>(edit: impl FnOnce() -> T) -> T {
    EDITING.store(true, Ordering::SeqCst);
    let value = edit();
    EDITING.store(false, Ordering::SeqCst);
    value
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

fn leave(code: u8) -> ! {
    if SILENT.load(Ordering::SeqCst) {
        drop(std::process::Command::new("stty").arg("echo").status());
    }
    let list = CLEANUP.lock().map(|mut list| std::mem::take(&mut *list)).unwrap_or_default();
    for cleanup in list {
        cleanup();
    }
    std::process::exit(i32::from(code));
}
