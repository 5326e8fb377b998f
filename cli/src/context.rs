//! What every command is given: how to talk, where home is, and a daemon to speak to.

use std::cell::OnceCell;
use std::path::Path;
use std::time::{Duration, Instant};

use kith_protocol::control::{Circle, CircleStatus, Code, DaemonStatus, Error};
use zeroize::Zeroizing;

use crate::client::{Client, Reply, Route, launch};
use crate::error::{self, Result, Stop};
use crate::files;
use crate::global::{Global, Wait};
use crate::home::Home;
use crate::limits::{ID_TYPED, LOOK, PASSPHRASE_BYTES, PASSPHRASE_TRIES};
use crate::ui::{Line, Ui};

/// A secret as typed.
pub(crate) type Passphrase = Zeroizing<String>;

/// One setting of a home.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) key: &'static str,
    /// Its value; several are separated by commas.
    pub(crate) value: String,
    /// Does a daemon that is running take it up only when it starts again?
    pub(crate) restart: bool,
}

/// How a home's settings are read and changed: the daemon's own rules, which only `main` can hand down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) list: fn(&Path) -> std::result::Result<Vec<Setting>, Error>,
    pub(crate) set: fn(&Path, &str, &str) -> std::result::Result<(), Error>,
}

/// One run of one command.
#[derive(Debug)]
pub(crate) struct Context {
    ui: Ui,
    home: Home,
    global: Global,
    settings: Settings,
    /// The usual circle, or the one that was chosen.
    circle: OnceCell<String>,
    passphrase: OnceCell<Passphrase>,
}

impl Context {
    /// `homeless`: what is asked for needs no home, so it works where there can be none.
    pub(crate) fn new(global: Global, settings: Settings, homeless: bool) -> std::result::Result<Self, (Ui, Stop)> {
        let ui = Ui::new(&global);
        let found = Home::find(global.home.as_deref());
        match found.or_else(|stop| if homeless { Ok(Home::nowhere()) } else { Err(stop) }) {
            Ok(home) => Ok(Self { ui, home, global, settings, circle: OnceCell::new(), passphrase: OnceCell::new() }),
            Err(stop) => Err((ui, stop)),
        }
    }

    pub(crate) const fn ui(&self) -> &Ui {
        &self.ui
    }

    pub(crate) const fn home(&self) -> &Home {
        &self.home
    }

    pub(crate) const fn global(&self) -> &Global {
        &self.global
    }

    /// The circle that was named, else the usual one (`KITH_CIRCLE`, or the setting `circle`); `-` is the only one there is. On a
    /// terminal it is asked for where there are several.
    pub(crate) fn circle(&self) -> &str {
        self.global.circle.as_deref().unwrap_or_else(|| self.circle.get_or_init(|| self.usual_or_chosen_circle()))
    }

    /// The circle that this command is about, as far as it is known without asking: the named one, else the one that was used.
    pub(crate) fn circle_in_use(&self) -> Option<String> {
        let named = self.global.circle.clone().or_else(|| self.circle.get().cloned());
        named.filter(|circle| circle != "-")
    }

    /// The same command, about a circle that it named by a word of its own.
    pub(crate) fn is_about(&self, circle: &str) {
        self.circle.set(circle.to_owned()).unwrap_or_default();
    }

    /// Where nobody named a circle and the usual one is not there, says that it is the usual one that is looked for.
    pub(crate) fn explained(&self, stop: Stop) -> Stop {
        let looked_for = matches!(stop.code(), Some(Code::NotFound | Code::Ambiguous));
        if !looked_for || self.global.circle.is_some() || self.circle.get() != Some(&self.usual_circle()) {
            return stop;
        }
        let (usual, here) = (self.usual_circle(), Route::new("circles"));
        let missing = self.bare_client().and_then(|client| client.get(&here.seg(&usual))).err();
        let Some(Stop::Refused(why)) = missing.filter(|_| usual != "-") else { return stop };
        let (what, forget) = if self.usual_is_of_shell() {
            ("the variable KITH_CIRCLE names it", "`unset KITH_CIRCLE` forgets it, and -c names another one.")
        } else {
            (
                "it is set as your usual circle",
                "`kith config set circle NAME` sets another one, `kith config set circle \"\"` none.",
            )
        };
        let message = if why.code == Code::Ambiguous {
            format!("Several circles are called \"{usual}\", and {what}.")
        } else {
            format!("No circle of yours has the name or id \"{usual}\", and {what}.")
        };
        error::refused(why.code, message, forget)
    }

    fn usual_is_of_shell(&self) -> bool {
        std::env::var("KITH_CIRCLE").is_ok_and(|name| !name.is_empty())
    }

    /// The circle that was named, where what follows names it too: an item's id is enough, whatever its circle.
    pub(crate) fn named_circle(&self) -> &str {
        self.global.circle.as_deref().unwrap_or("-")
    }

    fn usual_or_chosen_circle(&self) -> String {
        let usual = self.usual_circle();
        if usual != "-" || !self.ui.interactive {
            return usual;
        }
        // Where nobody answers, the daemon says that there are several.
        self.choose_circle().unwrap_or(usual)
    }

    /// The circle that is meant where nobody names one; `-`: the only one.
    pub(crate) fn usual_circle(&self) -> String {
        let named = std::env::var("KITH_CIRCLE").ok().filter(|name| !name.is_empty());
        let kept = || self.setting("circle").ok().map(|setting| setting.value).filter(|name| !name.is_empty());
        named.or_else(kept).unwrap_or_else(|| "-".to_owned())
    }

    /// All settings of this home.
    pub(crate) fn settings(&self) -> Result<Vec<Setting>> {
        self.home.must_be_mine()?;
        Ok((self.settings.list)(self.home.path())?)
    }

    /// One of them.
    pub(crate) fn setting(&self, key: &str) -> Result<Setting> {
        let mut all = self.settings()?;
        let names: Vec<&str> = all.iter().map(|setting| setting.key).collect();
        let hint = format!("There are: {}.", names.join(", "));
        let found = all.iter().position(|setting| setting.key == key);
        found
            .map(|at| all.swap_remove(at))
            .ok_or_else(|| error::refused(Code::NotFound, format!("There is no setting \"{key}\"."), hint))
    }

    /// Changes one of them.
    pub(crate) fn set(&self, key: &str, value: &str) -> Result<()> {
        self.home.must_be_mine()?;
        if !self.home.exists() {
            return Err(self.nothing_here());
        }
        Ok((self.settings.set)(self.home.path(), key, value)?)
    }

    fn choose_circle(&self) -> Result<String> {
        let mut circles: Vec<Circle> = self.client()?.get(&Route::new("circles"))?.field("circles")?;
        circles.retain(|circle| circle.status == CircleStatus::Current);
        if circles.len() < 2 {
            return Ok("-".to_owned());
        }
        let alike = |name: &str| circles.iter().filter(|circle| circle.name.to_lowercase() == name.to_lowercase()).count() > 1;
        let names: Vec<String> = circles
            .iter()
            .map(|circle| if alike(&circle.name) { format!("{} ({})", circle.name, circle.id) } else { circle.name.clone() })
            .collect();
        let at = self.ui.choose("Which circle?", &names)?;
        Ok(circles.get(at).map_or_else(|| "-".to_owned(), |circle| circle.id.clone()))
    }

    /// A client, whether or not anything answers.
    pub(crate) fn bare_client(&self) -> Result<Client> {
        Client::new(&self.home, self.global.dry_run, self.ui.clone())
    }

    /// A client whose daemon runs and is unlocked. On a terminal both are seen to; scripts are told what to do.
    pub(crate) fn client(&self) -> Result<Client> {
        let client = self.bare_client()?;
        if !self.ui.interactive && self.global.passphrase_file.is_none() {
            return Ok(client);
        }
        if !client.answers() {
            if !self.ui.interactive {
                return Err(client.not_running());
            }
            if !self.home.exists() {
                return Err(self.nothing_here());
            }
            launch::start(&self.home, &client, &self.ui)?;
        }
        let status = client.status()?;
        if !status.initialized {
            return Err(self.nothing_here());
        }
        if status.locked {
            self.unlock(&client)?;
        }
        Ok(client)
    }

    /// Nobody has run `kith init` here.
    pub(crate) fn nothing_here(&self) -> Stop {
        error::refused(
            Code::NotRunning,
            format!("There is no Kith at {} yet.", self.home.path().display()),
            "`kith init` sets one up; `kith join` also joins a circle. After that, `kith start` starts it.",
        )
    }

    /// Unlock a locked daemon, asking or reading the passphrase.
    pub(crate) fn unlock(&self, client: &Client) -> Result<Reply> {
        let route = Route::new("unlock");
        for attempt in 1.. {
            let passphrase = self.passphrase("Passphrase:")?;
            let result = client.secretly("POST", &route, &serde_json::json!({ "passphrase": passphrase.as_str() }));
            match result {
                Err(stop) if stop.code() == Some(Code::NeedsPassphrase) && self.asks_secret() && attempt < PASSPHRASE_TRIES => {
                    self.ui.complain(
                        &Line::new()
                            .warn("Wrong passphrase. ")
                            .text(&format!("Try again ({} left).", PASSPHRASE_TRIES - attempt)),
                    );
                }
                result => return result,
            }
        }
        Err(error::refused(Code::NeedsPassphrase, "Wrong passphrase.", ""))
    }

    /// Would a passphrase be asked for, rather than read?
    pub(crate) const fn asks_secret(&self) -> bool {
        self.global.passphrase_file.is_none() && self.ui.interactive
    }

    /// The passphrase from its file (read once), or asked for.
    pub(crate) fn passphrase(&self, question: &str) -> Result<Passphrase> {
        let Some(path) = &self.global.passphrase_file else { return self.ui.ask_secret(question) };
        if let Some(known) = self.passphrase.get() {
            return Ok(known.clone());
        }
        let first = self.passphrase_in(path)?;
        Ok(self.passphrase.get_or_init(|| first).clone())
    }

    /// The first line of a file, or of stdin (`-`).
    pub(crate) fn passphrase_in(&self, path: &Path) -> Result<Passphrase> {
        let bytes = if path.as_os_str() == "-" {
            files::up_to(std::io::stdin().lock(), PASSPHRASE_BYTES)
                .map_err(|e| error::failed(format!("Cannot read stdin: {}.", error::reason(&e)), ""))?
                .ok_or_else(|| error::usage("That is too long for a passphrase.", ""))?
        } else {
            files::read(path, PASSPHRASE_BYTES)?
        };
        let text = Zeroizing::new(String::from_utf8(bytes).map_err(|_| error::usage("The passphrase is not UTF-8 text.", ""))?);
        let first: Passphrase = Zeroizing::new(text.lines().next().unwrap_or_default().to_owned());
        if first.is_empty() {
            return Err(error::usage(
                "The passphrase file's first line is empty.",
                "A home without a passphrase is made with `kith init --no-passphrase` (for development).",
            ));
        }
        Ok(first)
    }

    /// After something was written: with `--wait`, until another member's machine has it.
    pub(crate) fn delivered(&self, client: &Client) -> Result<()> {
        if let Some(doubt) = client.status().ok().and_then(|status| status.clock) {
            self.ui.say(Line::new().warn(&doubt.to_string()));
        }
        let Some(Wait(limit)) = self.global.wait else { return Ok(()) };
        if self.alone(client) {
            self.ui.detail("Nobody else is in this circle yet; it is kept here.");
            return Ok(());
        }
        let spinner = self.ui.spinner("Waiting until somebody else has it");
        let outcome = self.until(limit, || {
            let status = client.status()?;
            Ok((status.sync.pending_out == 0).then_some(()))
        });
        drop(spinner);
        outcome.map_err(|stop| match stop.code() {
            Some(Code::TimedOut) => error::refused(
                Code::TimedOut,
                "It is saved here, but not delivered to anybody yet.",
                "Nothing is lost: it goes out by itself when somebody is reachable.",
            ),
            _ => stop,
        })
    }

    fn alone(&self, client: &Client) -> bool {
        // Where an item's id said which circle, none was asked for; and nobody is asked now.
        let route = Route::new("circles").seg(self.circle.get().map_or_else(|| self.named_circle(), String::as_str));
        client.get(&route).and_then(|reply| reply.read::<Circle>()).is_ok_and(|circle| circle.members <= 1)
    }

    /// Look again and again until `done` gives something, or the time is over.
    pub(crate) fn until<T>(&self, limit: Option<Duration>, mut done: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        let begin = Instant::now();
        loop {
            if let Some(value) = done()? {
                return Ok(value);
            }
            if limit.is_some_and(|limit| begin.elapsed() >= limit) {
                return Err(error::refused(Code::TimedOut, "Waited long enough; it is not done yet.", ""));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Destructive things: type the name, or give it with `--confirm`. Any of these names will do, or the beginning of an id, as
    /// everywhere else where something is named.
    pub(crate) fn confirm(&self, what: &str, names: &[&str], ids: &[&str]) -> Result<()> {
        if self.global.dry_run {
            return Ok(());
        }
        let name = names.first().copied().unwrap_or_default();
        let matches = |typed: &str| is_called(typed, names, ids);
        if let Some(typed) = &self.global.confirm {
            if matches(typed) {
                return Ok(());
            }
            return Err(error::refused(
                Code::NeedsConfirmation,
                format!("`--confirm` says \"{typed}\", and this is \"{name}\". Nothing was done."),
                "Check the name, and the circle (-c).",
            ));
        }
        if !self.ui.interactive {
            return Err(error::refused(
                Code::NeedsConfirmation,
                format!("{what} This needs a confirmation."),
                format!("Add --confirm \"{name}\"."),
            ));
        }
        self.ui.say(Line::new().warn(what));
        let typed = self.ui.ask(&format!("Type \"{name}\" to go on:"), "")?;
        if matches(&typed) {
            return Ok(());
        }
        Err(error::refused(
            Code::NeedsConfirmation,
            "That is not its name. Nothing was done.",
            "Try again, and type the name as it is shown.",
        ))
    }

    /// Print an answer: as it is with `--json`, else as told.
    pub(crate) fn show<T: serde::de::DeserializeOwned>(
        &self,
        reply: &Reply,
        human: impl FnOnce(&Ui, T) -> Result<()>,
    ) -> Result<()> {
        if self.ui.json { self.ui.out_json(reply.text()) } else { human(&self.ui, reply.read()?) }
    }
}

/// Does somebody who types this mean what has one of these names or ids?
fn is_called(typed: &str, names: &[&str], ids: &[&str]) -> bool {
    let typed = typed.trim().to_lowercase();
    let by_id = |id: &&str| typed.len() >= ID_TYPED && id.starts_with(&typed);
    !typed.is_empty() && (names.iter().any(|name| name.trim().to_lowercase() == typed) || ids.iter().any(by_id))
}

/// The status of the daemon as a client sees it.
impl Client {
    pub(crate) fn status(&self) -> Result<DaemonStatus> {
        self.get(&Route::new("status"))?.read()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_a_thing_elsewhere_confirms_it() {
        let called = |typed: &str| is_called(typed, &["Tea"], &["c-abcdefgh"]);
        for typed in ["Tea", "tea", " TEA ", "c-abcdefgh", "c-abc"] {
            assert!(called(typed), "{typed}");
        }
        for typed in ["", " ", "T", "Te", "Teas", "c-", "c", "c-abd", "abc"] {
            assert!(!called(typed), "{typed}");
        }
        assert!(!is_called("", &[""], &[""]), "what has no name is not confirmed by saying nothing");
    }
}
