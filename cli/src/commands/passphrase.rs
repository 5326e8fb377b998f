//! `kith passphrase`, and how a new one is chosen: typed twice, weighed, or made of random words.

use std::path::PathBuf;

use serde_json::json;
use zeroize::Zeroizing;

use crate::client::{Client, Route, launch};
use crate::context::{Context, Passphrase};
use crate::error::{self, Result};
use crate::limits::{PASSPHRASE_TRIES, WEAK_BITS, WEIGHED_CHARS, WORDS};
use crate::ui::Line;
use kith_protocol::control::Code;

/// Change the passphrase of this home
#[derive(Debug, clap::Args)]
pub(crate) struct PassphraseArgs {
    /// Read the new passphrase from the first line of a file; --passphrase-file gives the present one
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
}

/// The 2,048 English words of BIP 39 (CC0): common, and told apart by their first four letters.
const LIST: &str = include_str!("../words.txt");

const ADVICE: &str = "\
The passphrase opens everything here, and nobody can reset it for you. Press Enter to be given five random words, or type your own. \
A note of it in a safe place is fine.";

pub(crate) fn run(context: &Context, args: &PassphraseArgs) -> Result<()> {
    let ui = context.ui();
    let client = context.bare_client()?;
    if !client.answers() && ui.interactive && context.home().is_begun() {
        launch::start(context.home(), &client, ui)?;
    }
    let status = client.status()?;
    if !status.initialized {
        return Err(context.nothing_here());
    }
    let old = if status.unprotected { None } else { Some(present(context, &client, args)?) };
    let new = match &args.new_passphrase_file {
        Some(path) => context.passphrase_in(path)?,
        None if ui.interactive => choose(context)?,
        None => return Err(error::usage("A new passphrase is needed.", "Give it with --new-passphrase-file FILE.")),
    };
    if context.global().dry_run {
        ui.tell("This would change the passphrase.");
        return Ok(());
    }
    let body = json!({ "passphrase": old.as_ref().map(|old| old.as_str()), "new": new.as_str() });
    let spinner = ui.spinner("Changing the passphrase");
    let reply = client.secretly("POST", &Route::new("passphrase"), &body);
    drop(spinner);
    let reply = reply?;
    if ui.json {
        return ui.out_json(reply.text());
    }
    ui.tell(
        "The passphrase was changed. The old one opens nothing here anymore; copies of this home made before still open with it.",
    );
    Ok(())
}

/// The present passphrase. On a terminal it is tried before a new one is chosen: nobody thinks one up in vain.
fn present(context: &Context, client: &Client, args: &PassphraseArgs) -> Result<Passphrase> {
    for left in (1..PASSPHRASE_TRIES).rev() {
        let typed = context.passphrase("Present passphrase:")?;
        if !context.ui().interactive || args.new_passphrase_file.is_some() || context.global().dry_run {
            return Ok(typed);
        }
        match check(client, &typed) {
            Err(stop) if stop.code() == Some(Code::NeedsPassphrase) && context.asks_secret() => {
                context.ui().complain(&Line::new().warn("Wrong passphrase. ").text(&format!("Try again ({left} left).")));
            }
            checked => return checked.map(|()| typed),
        }
    }
    let typed = context.passphrase("Present passphrase:")?;
    check(client, &typed).map(|()| typed)
}

fn check(client: &Client, passphrase: &str) -> Result<()> {
    client.secretly("POST", &Route::new("passphrase").seg("check"), &json!({ "passphrase": passphrase })).map(drop)
}

/// A new passphrase, on a terminal.
pub(crate) fn choose(context: &Context) -> Result<Passphrase> {
    let ui = context.ui();
    ui.say_block(ADVICE);
    loop {
        let first = ui.ask_secret("Passphrase (Enter for five words):")?;
        if first.is_empty() {
            if let Some(words) = offered(context)? {
                return Ok(words);
            }
            continue;
        }
        if bits(&first) < WEAK_BITS {
            ui.warn(&Line::new().warn("This passphrase is easy to guess: ").text(
                "somebody who takes this computer could try all that are like it. Press Enter at the next question for another one.",
            ));
            if !ui.agree("Keep it?")? {
                continue;
            }
        }
        let again = ui.ask_secret("Once more:")?;
        if first == again {
            return Ok(first);
        }
        ui.warn(&Line::new().warn("The two differ. ").text("Try again."));
    }
}

/// Five random words, shown once; none where they are not wanted.
fn offered(context: &Context) -> Result<Option<Passphrase>> {
    let ui = context.ui();
    let words = random_words()?;
    ui.tell("");
    ui.tell(Line::new().text("  ").strong(&words));
    ui.tell("");
    ui.tell("Write these words down now. They are not shown again.");
    loop {
        let typed = ui.ask_secret("Type them to use them (Enter: choose another):")?;
        if typed.is_empty() {
            return Ok(None);
        }
        match unlike(&typed, &words) {
            None => return Ok(Some(words)),
            Some(what) => ui.warn(&Line::new().warn(&what).text(" Try again.")),
        }
    }
}

/// How what was typed differs from the words, if it does. Capitals and more spaces are no difference: the words are what is used.
fn unlike(typed: &str, words: &str) -> Option<String> {
    let typed: Zeroizing<String> = Zeroizing::new(typed.to_lowercase());
    let (typed, words): (Vec<&str>, Vec<&str>) = (typed.split_whitespace().collect(), words.split(' ').collect());
    if typed == words {
        return None;
    }
    if typed.len() != words.len() {
        return Some(format!("There are {} words, and you typed {}.", words.len(), typed.len()));
    }
    let at = typed.iter().zip(&words).position(|(typed, word)| typed != word)?;
    Some(format!("Word {} is another one.", at + 1))
}

/// Words with 11 random bits each.
fn random_words() -> Result<Passphrase> {
    let list: Vec<&str> = LIST.lines().collect();
    let mut bytes = [0_u8; WORDS * 2];
    getrandom::fill(&mut bytes).map_err(|e| error::failed(format!("This computer gives no random numbers: {e}."), ""))?;
    let numbers = bytes.as_chunks::<2>().0.iter().map(|pair| usize::from(u16::from_le_bytes(*pair)));
    // 65,536 is a multiple of the 2,048 words, so each is as likely as any other.
    let words: Vec<&str> = numbers.filter_map(|number| list.get(number % list.len()).copied()).collect();
    Ok(Zeroizing::new(words.join(" ")))
}

/// How many bits somebody has to guess, at the most.
fn bits(passphrase: &str) -> f64 {
    // What comes after many characters makes it no weaker, and weighing takes longer with each.
    let weighed: Zeroizing<String> = Zeroizing::new(passphrase.chars().take(WEIGHED_CHARS).collect());
    zxcvbn::zxcvbn(&weighed, &["kith"]).guesses_log10() * std::f64::consts::LOG2_10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_and_spaces_make_no_other_words() {
        let words = "seven quiet herons at dusk";
        for typed in [words, "Seven Quiet Herons At Dusk", "  seven  quiet herons\tat dusk "] {
            assert_eq!(unlike(typed, words), None, "{typed}");
        }
        assert_eq!(unlike("seven quiet herons dusk", words).as_deref(), Some("There are 5 words, and you typed 4."));
        assert_eq!(unlike("seven quiet heron at dusk", words).as_deref(), Some("Word 3 is another one."));
        assert!(unlike("sevenquiet herons at dusk", words).is_some() && unlike("", words).is_some());
    }

    #[test]
    fn weak_ones_are_known_and_what_is_offered_is_not_weak() {
        for weak in ["a", "password1", "kithkith", "qwertyuiop", "Berlin2026!", "aaaaaaaaaaaaaaaaaaaaaaaa"] {
            assert!(bits(weak) < WEAK_BITS, "{weak}: {}", bits(weak));
        }
        let (one, other) = (random_words().unwrap(), random_words().unwrap());
        assert_ne!(*one, *other);
        assert_eq!(LIST.lines().count(), 2_048, "each word has 11 bits");
        for words in [one, other] {
            assert_eq!(words.split(' ').count(), WORDS, "{}", *words);
            assert!(bits(&words) >= WEAK_BITS, "{}: {}", *words, bits(&words));
        }
        assert!(bits("seven quiet herons at dusk") >= WEAK_BITS);
        assert!(bits(&"x9".repeat(10_000)) > 0.0);
    }
}
