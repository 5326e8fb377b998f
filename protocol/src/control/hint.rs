//! What to do next, as data: a terminal shows a command where a page shows a link.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::word::words;

/// One thing that helps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Hint {
    /// A sentence.
    Text(String),
    /// Something that Kith does.
    Run {
        /// What it is done with, as in the command grammar; empty for what has no noun.
        noun: String,
        /// What is done; may be empty only where there is a noun.
        verb: String,
        /// What goes with it, in order. Capitals stand for something to fill in.
        args: Vec<String>,
        /// What comes of it, as the end of a sentence that begins with the command; may be empty.
        brings: String,
    },
    /// Something that was left out has to be said.
    Need {
        /// What it is.
        what: Needed,
        /// What there is to choose from; may be empty.
        from: Vec<String>,
    },
}

words! {
    /// What a command may lack.
    pub enum Needed {
        /// Which circle is meant.
        Circle = "circle",
        /// The passphrase.
        Passphrase = "passphrase",
    }
}

impl Hint {
    /// Which circle is meant has to be said.
    pub(crate) const fn which_circle(from: Vec<String>) -> Self {
        Self::Need { what: Needed::Circle, from }
    }

    /// Something that Kith does, and what comes of it.
    #[must_use]
    pub fn run(noun: &str, verb: &str, args: &[&str], brings: &str) -> Self {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self::Run { noun: noun.to_owned(), verb: verb.to_owned(), args, brings: brings.to_owned() }
    }
}

/// As a terminal shows it.
impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Run { noun, verb, args, brings } => {
                f.write_str("`kith")?;
                for word in [noun, verb].into_iter().filter(|word| !word.is_empty()) {
                    write!(f, " {word}")?;
                }
                for arg in args {
                    write!(f, " {}", quoted(arg))?;
                }
                let gap = if brings.is_empty() { "" } else { " " };
                write!(f, "`{gap}{brings}.")
            }
            Self::Need { what: Needed::Circle, from } => write!(f, "Name one with `--circle`: {}.", from.join(", ")),
            Self::Need { what: Needed::Passphrase, .. } => {
                f.write_str("Type it on a terminal, or give it with `--passphrase-file FILE`.")
            }
        }
    }
}

/// An argument as a shell takes it for one: a member's name may hold anything.
fn quoted(arg: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@<>".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) { arg.to_owned() } else { format!("'{}'", arg.replace('\'', r"'\''")) }
}

/// All that helps, the best first. In JSON `hint` is the text that a terminal shows; where it is more than text, `hints` is the data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "HintsJson", into = "HintsJson")]
pub struct Hints(pub Vec<Hint>);

impl Hints {
    /// Is there nothing that helps?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Hints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, hint) in self.0.iter().enumerate() {
            let gap = if at == 0 { "" } else { " " };
            write!(f, "{gap}{hint}")?;
        }
        Ok(())
    }
}

impl From<&str> for Hints {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Hints {
    fn from(text: String) -> Self {
        Self(if text.is_empty() { Vec::new() } else { vec![Hint::Text(text)] })
    }
}

impl From<Hint> for Hints {
    fn from(hint: Hint) -> Self {
        Self(vec![hint])
    }
}

impl<const N: usize> From<[Hint; N]> for Hints {
    fn from(hints: [Hint; N]) -> Self {
        Self(hints.into())
    }
}

/// As they travel.
#[derive(Serialize, Deserialize, ToSchema)]
struct HintsJson {
    /// What to do next, as a terminal shows it; may be empty.
    #[serde(default)]
    hint: String,
    /// The same as data; left out where it is only text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hints: Vec<Hint>,
}

impl From<Hints> for HintsJson {
    fn from(hints: Hints) -> Self {
        let is_data = hints.0.iter().any(|hint| !matches!(hint, Hint::Text(_)));
        Self { hint: hints.to_string(), hints: if is_data { hints.0 } else { Vec::new() } }
    }
}

impl From<HintsJson> for Hints {
    fn from(told: HintsJson) -> Self {
        if told.hints.is_empty() { told.hint.into() } else { Self(told.hints) }
    }
}

impl utoipa::PartialSchema for Hints {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        HintsJson::schema()
    }
}

impl ToSchema for Hints {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        HintsJson::schemas(schemas);
        schemas.push((Hint::name().into_owned(), <Hint as utoipa::PartialSchema>::schema()));
        Hint::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Code, Error};
    use super::*;

    #[test]
    fn a_hint_is_text_for_a_terminal_and_data_for_a_page() {
        let run = Hint::run("circle", "list", &[], "shows yours");
        let error = Error::new(Code::NotFound, "No circle has that name.", [Hint::Text("Look again.".into()), run.clone()]);
        let json = serde_json::to_value(&error).expect("JSON");
        assert_eq!(json["hint"], "Look again. `kith circle list` shows yours.");
        assert_eq!(json["hints"][1]["run"]["noun"], "circle");
        assert_eq!(serde_json::from_value::<Error>(json).expect("an error"), error);
        // Text alone is what it always was.
        let plain = Error::new(Code::Failed, "It failed.", "Try again.");
        let json = serde_json::to_value(&plain).expect("JSON");
        assert_eq!((json["hint"].as_str(), json.get("hints")), (Some("Try again."), None));
        assert_eq!(serde_json::from_value::<Error>(json).expect("an error"), plain);
        let silent = serde_json::to_value(Error::new(Code::Failed, "It failed.", "")).expect("JSON");
        assert_eq!(silent["hint"], "");
    }

    #[test]
    fn what_is_lacking_is_data_too() {
        let which = Hint::which_circle(vec!["c-abc (Tea)".to_owned(), "c-def (Night shift)".to_owned()]);
        let error = Error::new(Code::Ambiguous, "You are in several circles.", which);
        let json = serde_json::to_value(&error).expect("JSON");
        assert_eq!(json["hint"], "Name one with `--circle`: c-abc (Tea), c-def (Night shift).");
        assert_eq!(json["hints"][0]["need"]["what"], "circle");
        assert_eq!(json["hints"][0]["need"]["from"][1], "c-def (Night shift)");
        assert_eq!(serde_json::from_value::<Error>(json).expect("an error"), error);
    }

    #[test]
    fn a_name_in_a_command_is_one_argument() {
        let shown = |name: &str| Hint::run("member", "restore", &[name], "").to_string();
        assert_eq!(shown("Bea"), "`kith member restore Bea`.");
        assert_eq!(shown("Bea; rm -rf ~"), "`kith member restore 'Bea; rm -rf ~'`.");
        assert_eq!(shown("it's"), r"`kith member restore 'it'\''s'`.");
        assert_eq!(Hint::run("", "doctor", &["--rebuild"], "helps").to_string(), "`kith doctor --rebuild` helps.");
    }
}
