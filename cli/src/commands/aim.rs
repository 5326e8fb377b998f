//! Printed commands that work as they are typed: where one is in several circles, each of them names the circle that is meant.

use kith_protocol::control::{Circle, Hint, Hints};

use crate::client::{Client, Route};
use crate::context::Context;
use crate::error::Stop;

/// What a printed command needs besides its own words: the circle, by a name that only one has, else by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Aim(Option<String>);

impl Aim {
    /// At a circle, named by id or as it was typed. Nothing is added where the command would mean this circle anyway, or where
    /// nobody is there to say which circles there are.
    pub(super) fn at(context: &Context, client: &Client, circle: &str) -> Self {
        Self(Self::needed(context, client, Some(circle)))
    }

    /// At some circle, where it is not known which.
    pub(super) fn anywhere(context: &Context, client: &Client) -> Self {
        Self(Self::needed(context, client, None))
    }

    fn needed(context: &Context, client: &Client, circle: Option<&str>) -> Option<String> {
        if !client.answers() {
            return None;
        }
        let one = |named: &str| client.get(&Route::new("circles").seg(named)).and_then(|reply| reply.read::<Circle>()).ok();
        let all: Vec<Circle> = client.get(&Route::new("circles")).ok()?.field("circles").ok()?;
        let unsaid = one(&context.usual_circle());
        let Some(meant) = circle.and_then(one) else {
            return (unsaid.is_none() && all.len() > 1).then(|| "CIRCLE".to_owned());
        };
        if unsaid.is_some_and(|unsaid| unsaid.id == meant.id) {
            return None;
        }
        let alike = |other: &&Circle| other.name.to_lowercase() == meant.name.to_lowercase();
        Some(if all.iter().filter(alike).count() > 1 { meant.id } else { meant.name })
    }

    /// A sentence of Kith's own, in which commands stand between backticks.
    pub(super) fn text(&self, sentence: &str) -> String {
        let Some(circle) = &self.0 else { return sentence.to_owned() };
        let aimed = sentence.split('`').enumerate().map(|(at, part)| {
            // Every second part stands between backticks.
            let words: Vec<&str> = part.split(' ').collect();
            let aims = at % 2 == 1 && words.first() == Some(&"kith") && takes_circle(words.get(1..).unwrap_or_default());
            if aims { format!("{part}{}", flag(circle)) } else { part.to_owned() }
        });
        aimed.collect::<Vec<String>>().join("`")
    }

    /// A command without backticks.
    pub(super) fn command(&self, command: &str) -> String {
        self.text(&format!("`{command}`")).trim_matches('`').to_owned()
    }

    /// What to do next.
    pub(super) fn hints(&self, hints: Hints) -> Hints {
        let Some(circle) = &self.0 else { return hints };
        let aimed = hints.0.into_iter().map(|hint| match hint {
            Hint::Text(text) => Hint::Text(self.text(&text)),
            Hint::Run { noun, verb, mut args, brings } => {
                let words: Vec<&str> = [&noun, &verb].into_iter().chain(&args).map(String::as_str).collect();
                if takes_circle(&words) {
                    args.extend(["-c".to_owned(), circle.clone()]);
                }
                Hint::Run { noun, verb, args, brings }
            }
            need @ Hint::Need { .. } => need,
        });
        Hints(aimed.collect())
    }
}

/// How a command ends early, with commands that can be typed as they are printed.
pub(super) fn aimed(context: &Context, stop: Stop) -> Stop {
    let Stop::Refused(mut error) = stop else { return stop };
    let Ok(client) = context.bare_client() else { return error.into() };
    let about = context.circle_in_use();
    let aim = about.map_or_else(|| Aim::anywhere(context, &client), |circle| Aim::at(context, &client, &circle));
    error.hints = aim.hints(error.hints);
    Stop::Refused(error)
}

/// ` -c NAME`, as a shell takes it.
fn flag(circle: &str) -> String {
    let shown = Hint::run("", "-c", &[circle], "").to_string();
    shown.trim_start_matches("`kith").trim_end_matches("`.").to_owned()
}

/// Is it done in one circle, and does not say in which?
fn takes_circle(words: &[&str]) -> bool {
    let (noun, rest) = words.split_first().map_or(("", &[][..]), |(noun, rest)| (*noun, rest));
    let verb = rest.first().copied().unwrap_or_default();
    let takes = match noun {
        "note" | "event" | "resource" => matches!(verb, "new" | "list"),
        "circle" => matches!(verb, "edit" | "agreement" | "leave" | "forget"),
        "invite" => matches!(verb, "new" | "list" | "pending" | "approve" | "decline" | "revoke"),
        "member" => !verb.is_empty(),
        "export" => true,
        "import" => !rest.contains(&"--undo"),
        _ => false,
    };
    takes && !rest.iter().any(|word| matches!(*word, "-c" | "--circle" | "--help"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_one_circle_name_it() {
        let aim = Aim(Some("Night shift".to_owned()));
        let told = aim.text(
            "Invite people with `kith invite new`. `kith inbox` and `kith note show n-abc` need none, nor kith invite new.",
        );
        assert_eq!(
            told,
            "Invite people with `kith invite new -c 'Night shift'`. `kith inbox` and `kith note show n-abc` need none, nor kith invite new."
        );
        assert_eq!(
            aim.text("`kith note list -c Tea` and `kith circle edit --help`"),
            "`kith note list -c Tea` and `kith circle edit --help`"
        );
        assert_eq!(aim.command("kith note new"), "kith note new -c 'Night shift'");
        assert_eq!(aim.command("kith week"), "kith week");
        assert_eq!(Aim(None).text("`kith invite new`"), "`kith invite new`");
        assert_eq!(Aim(Some("c-abc".to_owned())).command("kith export"), "kith export -c c-abc");
    }

    #[test]
    fn what_the_daemon_says_can_be_run_names_it_too() {
        let aim = Aim(Some("it's".to_owned()));
        let hints = Hints(vec![
            Hint::run("member", "role", &["NAME", "steward"], "makes somebody a steward first"),
            Hint::run("circle", "leave", &["-c", "Tea"], "leaves it"),
            Hint::run("", "doctor", &[], "looks"),
            Hint::run("note", "remove", &["n-abc"], "deletes it"),
            Hint::Text("See `kith member list`.".to_owned()),
        ]);
        assert_eq!(
            aim.hints(hints).to_string(),
            r"`kith member role NAME steward -c 'it'\''s'` makes somebody a steward first. `kith circle leave -c Tea` leaves it. `kith doctor` looks. `kith note remove n-abc` deletes it. See `kith member list -c 'it'\''s'`."
        );
    }
}
