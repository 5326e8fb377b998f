//! Questions, asked only where somebody can answer.

use std::io::{BufRead, Write};

use kith_protocol::control::Code;
use zeroize::Zeroizing;

use super::{Line, Ui};
use crate::error::{Result, failed, refused};
use crate::interrupt;
use crate::limits::TYPED_BYTES;

impl Ui {
    /// A line of text; `default` when nothing is typed.
    pub(crate) fn ask(&self, question: &str, default: &str) -> Result<String> {
        self.must_ask(question)?;
        let mut prompt = Line::new().strong(question);
        if !default.is_empty() {
            prompt = prompt.dim(&format!(" [{default}]"));
        }
        self.prompt(&prompt.text(" "));
        let mut answer = String::new();
        let stdin = std::io::stdin();
        let read = std::io::Read::take(stdin.lock(), TYPED_BYTES).read_line(&mut answer);
        match read {
            Ok(0) | Err(_) => {
                interrupt::ends_if_pressed();
                Err(failed("No answer came, so nothing was done.", "Try again, and answer the question."))
            }
            Ok(_) => {
                let answer = answer.trim();
                Ok(if answer.is_empty() { default } else { answer }.to_owned())
            }
        }
    }

    /// One of several, by its number or as it is shown; asked again until it is one of them.
    pub(crate) fn choose(&self, question: &str, choices: &[String]) -> Result<usize> {
        self.must_ask(question)?;
        for (number, choice) in (1..).zip(choices) {
            self.complain(&Line::new().dim(&format!("  {number}) ")).text(choice));
        }
        loop {
            let answer = self.ask(question, "")?;
            if let Some(at) = chosen(&answer, choices) {
                return Ok(at);
            }
            self.complain(&Line::new().text(&format!("Type a number from 1 to {}, or press Ctrl-C.", choices.len())));
        }
    }

    /// Yes or no; no unless said.
    pub(crate) fn agree(&self, question: &str) -> Result<bool> {
        let answer = self.ask(&format!("{question} (y/N)"), "")?;
        Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }

    /// Yes or no; yes unless said.
    pub(crate) fn agree_unless_no(&self, question: &str) -> Result<bool> {
        let answer = self.ask(&format!("{question} (Y/n)"), "")?;
        Ok(!matches!(answer.to_lowercase().as_str(), "n" | "no"))
    }

    /// Yes or no, with neither as a default: asked until it is one of them. `else_what`: what one can do instead.
    pub(crate) fn decide(&self, question: &str, else_what: &str) -> Result<bool> {
        loop {
            match self.ask(&format!("{question} (y/n)"), "")?.to_lowercase().as_str() {
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => self.complain(&Line::new().text(&format!("Type y or n. {else_what}"))),
            }
        }
    }

    /// A secret, not shown while typed.
    pub(crate) fn ask_secret(&self, question: &str) -> Result<Zeroizing<String>> {
        if !self.interactive {
            return Err(refused(
                Code::NeedsPassphrase,
                "The passphrase is needed.",
                "Give it with --passphrase-file FILE, or - for stdin.",
            ));
        }
        self.prompt(&Line::new().strong(question).text(" "));
        let typed = interrupt::silent(|| rpassword::read_password().inspect_err(|_| interrupt::ends_if_pressed()));
        let nothing = |_| failed("No passphrase came, so nothing was done.", "Try again, and type the passphrase.");
        typed.map(Zeroizing::new).map_err(nothing)
    }

    fn must_ask(&self, question: &str) -> Result<()> {
        if self.interactive {
            return Ok(());
        }
        Err(refused(
            Code::NeedsConfirmation,
            format!("An answer is needed. {question}"),
            "Run it in a terminal without --no-input, or answer with a flag.",
        ))
    }

    fn prompt(&self, line: &Line) {
        let mut err = std::io::stderr().lock();
        drop(write!(err, "{}", line.render_in(self.color_err, self.columns_err.map(usize::from))));
        drop(err.flush());
    }
}

/// Which of the choices an answer means: the number, or the only one that reads like it.
fn chosen(answer: &str, choices: &[String]) -> Option<usize> {
    if let Ok(number) = answer.parse::<usize>() {
        return number.checked_sub(1).filter(|at| *at < choices.len());
    }
    let mut alike = choices.iter().enumerate().filter(|(_, choice)| choice.to_lowercase() == answer.to_lowercase());
    let found = alike.next()?;
    alike.next().is_none().then_some(found.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_a_number_or_a_name() {
        let choices = ["Night shift", "Tea", "tea"].map(str::to_owned);
        let at = |answer| chosen(answer, &choices);
        assert_eq!([at("1"), at("3"), at("night SHIFT")], [Some(0), Some(2), Some(0)]);
        assert_eq!([at(""), at("0"), at("4"), at("tea"), at("night")], [None; 5], "nothing, beyond, two alike, a part");
    }
}
