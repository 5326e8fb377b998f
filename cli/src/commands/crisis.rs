//! `kith crisis`: needs no home and no daemon, and never fails for want of one.

mod country;

use std::path::PathBuf;

use serde_json::json;

use crate::context::Context;
use crate::error::{self, Result};
use crate::files;
use crate::home::private_dir;
use crate::limits::CARD_BYTES;
use crate::ui::{Line, Ui};

/// When the table below was last looked at.
const AS_OF: &str = "2026-11";

/// Show crisis hotlines, also with no home and with Kith stopped
#[derive(Debug, clap::Args)]
pub(crate) struct CrisisArgs {
    /// Show only this country: a code such as DE, or a name
    country: Option<String>,
    /// Keep this file as your circle's own crisis card, unencrypted, so that it is always shown here
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
    /// Remove the card
    #[arg(long, conflicts_with = "keep")]
    forget: bool,
}

impl CrisisArgs {
    /// Does it change nothing, so that it needs no home?
    pub(crate) const fn only_shows(&self) -> bool {
        self.keep.is_none() && !self.forget
    }
}

/// Who answers in one country.
struct Help {
    code: &'static str,
    country: &'static str,
    /// The number for every emergency.
    emergency: &'static str,
    /// Somebody who listens, and their name.
    line: Option<(&'static str, &'static str)>,
    source: &'static str,
}

/// Shortens the table below.
const fn help(
    code: &'static str,
    country: &'static str,
    emergency: &'static str,
    line: (&'static str, &'static str),
    source: &'static str,
) -> Help {
    Help { code, country, emergency, line: Some(line), source }
}

/// Long-standing national numbers, from those who run them.
const HELP: &[Help] = &[
    Help {
        code: "EU",
        country: "European Union",
        emergency: "112",
        line: None,
        source: "https://digital-strategy.ec.europa.eu/en/policies/112",
    },
    help("AU", "Australia", "000", ("13 11 14", "Lifeline"), "https://www.lifeline.org.au"),
    help("CA", "Canada", "911", ("988", "Suicide Crisis Helpline"), "https://988.ca"),
    help("FR", "France", "112", ("3114", "prévention du suicide"), "https://3114.fr"),
    help("DE", "Germany", "112", ("0800 111 0 111", "TelefonSeelsorge"), "https://www.telefonseelsorge.de"),
    help("IE", "Ireland", "112", ("116 123", "Samaritans"), "https://www.samaritans.org/ireland"),
    help("NZ", "New Zealand", "111", ("1737", "Need to talk?"), "https://1737.org.nz"),
    help("ES", "Spain", "112", ("024", "atención a la conducta suicida"), "https://www.sanidad.gob.es/linea024"),
    help("GB", "United Kingdom", "999", ("116 123", "Samaritans"), "https://www.samaritans.org"),
    help("US", "United States", "911", ("988", "Suicide & Crisis Lifeline"), "https://988lifeline.org"),
];

const ELSEWHERE: &str = "https://findahelpline.com";

impl Help {
    /// Is it this country's, by its code or its name?
    fn is_for(&self, typed: &str) -> bool {
        let typed = typed.trim();
        let also = match self.code {
            "GB" => "UK",
            "US" => "USA",
            _ => self.code,
        };
        [self.code, self.country, also].iter().any(|name| name.eq_ignore_ascii_case(typed))
    }

    /// The numbers in one line, as `--json` has them.
    fn number(&self) -> String {
        match self.line {
            Some((number, _)) => format!("{} emergency, {number}", self.emergency),
            None => self.emergency.to_owned(),
        }
    }

    fn name(&self) -> &'static str {
        self.line.map_or("emergency, any kind", |(_, name)| name)
    }
}

/// The entry for a country: its own, else the one of the union that it is in.
fn entry(country: &str) -> Option<&'static Help> {
    let code = country.trim().to_ascii_uppercase();
    let own = HELP.iter().find(|help| help.is_for(country));
    own.or_else(|| HELP.iter().find(|help| help.code == "EU" && country::in_union(&code)))
}

pub(crate) fn run(context: &Context, args: &CrisisArgs) -> Result<()> {
    if let Some(file) = &args.keep {
        return keep(context, file);
    }
    if args.forget {
        return forget(context);
    }
    let ui = context.ui();
    let path = context.home().crisis_card();
    let card = match files::read_text(&path, CARD_BYTES) {
        Ok(text) => Some(text),
        Err(_) if !path.exists() => None,
        // A card that cannot be read must not hide the numbers.
        Err(stop) => {
            ui.complain(&Line::new().warn("Your own card cannot be shown: ").text(&stop.to_string()));
            None
        }
    };
    let asked = args.country.as_deref().and_then(entry);
    if let (Some(typed), None) = (&args.country, asked) {
        ui.complain(&Line::new().warn("Kith has no numbers for ").text(typed).text(". This is all it has."));
    }
    let own = country::own();
    let own = own.as_deref().and_then(entry);
    let mut order: Vec<&Help> = HELP.iter().filter(|help| asked.is_none_or(|asked| asked.code == help.code)).collect();
    order.sort_by_key(|help| own.is_none_or(|own| own.code != help.code));
    if ui.json { ui.out_value(&as_json(&order, own, card.as_deref())) } else { show(ui, &order, card.as_deref()) }
}

fn as_json(order: &[&Help], own: Option<&Help>, card: Option<&str>) -> serde_json::Value {
    let help: Vec<serde_json::Value> = order
        .iter()
        .map(|help| {
            json!({
                "code": help.code, "country": help.country, "number": help.number(), "name": help.name(), "source": help.source,
                "emergency": help.emergency, "line": help.line.map(|(number, _)| number),
            })
        })
        .collect();
    json!({
        "schema": "kith.crisis/1", "emergency_service": false, "as_of": AS_OF, "country": own.map(|own| own.code), "help": help,
        "elsewhere": ELSEWHERE, "card": card,
    })
}

fn show(ui: &Ui, order: &[&Help], card: Option<&str>) -> Result<()> {
    ui.prose(&Line::new().strong("Kith is not an emergency service. Nobody watches it, and a circle may be asleep or offline."))?;
    ui.prose(&Line::from("If somebody is in danger now, call the emergency number. You may call for somebody else, too."))?;
    ui.gap()?;
    if let Some(card) = card {
        ui.out(Line::new().strong("Your circle's own card"))?;
        ui.block(2, card)?;
        ui.gap()?;
    }
    order.iter().try_for_each(|help| block(ui, help))?;
    ui.prose(&Line::from("Elsewhere, in other languages, or by chat:"))?;
    ui.prose(&Line::from(ELSEWHERE))?;
    ui.prose(&Line::new().dim(&format!("As of {AS_OF}. Numbers change; the addresses say what holds today.")))
}

/// One country: the numbers come first, since that is what somebody looks for.
fn block(ui: &Ui, help: &Help) -> Result<()> {
    if ui.plain {
        let cells = [help.country, &help.number(), help.name(), help.source].map(Line::from);
        return ui.table(&[], &[cells.to_vec()]);
    }
    ui.out(help.country)?;
    let emergency = (help.emergency, if help.line.is_some() { "emergency" } else { help.name() });
    let rows: Vec<(&str, &str)> = std::iter::once(emergency).chain(help.line).collect();
    let width = rows.iter().map(|(number, _)| number.len()).max().unwrap_or(0);
    for (number, who) in rows {
        let gap = " ".repeat(width - number.len() + 2);
        ui.prose(&Line::new().text("  ").strong(number).text(&gap).text(who))?;
    }
    ui.prose(&Line::new().text("  ").dim(help.source))?;
    ui.gap()
}

fn keep(context: &Context, file: &std::path::Path) -> Result<()> {
    let text = files::read_text(file, CARD_BYTES)?;
    let card = context.home().crisis_card();
    if context.global().dry_run {
        context.ui().say(format!("This would be kept, unencrypted, as {}.", card.display()));
        return Ok(());
    }
    context.home().must_be_mine()?;
    private_dir(context.home().path())?;
    files::write(&card, text.as_bytes(), true)?;
    context.ui().say(format!("Kept as {}; `kith crisis` shows it from now on.", card.display()));
    context.ui().tell(
        Line::new()
            .warn("It is not encrypted: ")
            .text("anyone who has this computer can read it. `kith crisis --forget` removes it."),
    );
    Ok(())
}

fn forget(context: &Context) -> Result<()> {
    let card = context.home().crisis_card();
    if context.global().dry_run {
        context.ui().say(format!("This would remove {}.", card.display()));
        return Ok(());
    }
    match std::fs::remove_file(&card) {
        Ok(()) => context.ui().tell("The card was removed from this computer."),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => context.ui().tell("There is no card."),
        Err(e) => return Err(error::io("Cannot remove", &card, &e)),
    }
    Ok(())
}
