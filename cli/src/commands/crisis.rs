//! `kith crisis`: needs no home and no daemon, and never fails for want of one.

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

/// Where help is found now; also with no home and with Kith stopped
#[derive(Debug, clap::Args)]
pub(crate) struct CrisisArgs {
    /// Keep this file as your circle's own crisis card, unencrypted, so that it is shown here always
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
    /// Throw the kept card away
    #[arg(long, conflicts_with = "keep")]
    forget: bool,
}

/// A place to call.
struct Help {
    country: &'static str,
    number: &'static str,
    name: &'static str,
    source: &'static str,
}

/// Long-standing national numbers, from those who run them.
const HELP: &[Help] = &[
    Help {
        country: "European Union",
        number: "112",
        name: "emergency, any kind",
        source: "https://digital-strategy.ec.europa.eu/en/policies/112",
    },
    Help { country: "Australia", number: "000 emergency, 13 11 14", name: "Lifeline", source: "https://www.lifeline.org.au" },
    Help { country: "Canada", number: "911 emergency, 988", name: "Suicide Crisis Helpline", source: "https://988.ca" },
    Help { country: "France", number: "112 emergency, 3114", name: "prévention du suicide", source: "https://3114.fr" },
    Help {
        country: "Germany",
        number: "112 emergency, 0800 111 0 111",
        name: "TelefonSeelsorge",
        source: "https://www.telefonseelsorge.de",
    },
    Help {
        country: "Ireland",
        number: "112 emergency, 116 123",
        name: "Samaritans",
        source: "https://www.samaritans.org/ireland",
    },
    Help { country: "New Zealand", number: "111 emergency, 1737", name: "Need to talk?", source: "https://1737.org.nz" },
    Help {
        country: "Spain",
        number: "112 emergency, 024",
        name: "atención a la conducta suicida",
        source: "https://www.sanidad.gob.es/linea024",
    },
    Help {
        country: "United Kingdom",
        number: "999 emergency, 116 123",
        name: "Samaritans",
        source: "https://www.samaritans.org",
    },
    Help {
        country: "United States",
        number: "911 emergency, 988",
        name: "Suicide & Crisis Lifeline",
        source: "https://988lifeline.org",
    },
];

const ELSEWHERE: &str = "https://findahelpline.com";

pub(crate) fn run(context: &Context, args: &CrisisArgs) -> Result<()> {
    if let Some(file) = &args.keep {
        return keep(context, file);
    }
    if args.forget {
        return forget(context);
    }
    let path = context.home().crisis_card();
    let card = match files::read_text(&path, CARD_BYTES) {
        Ok(text) => Some(text),
        Err(_) if !path.exists() => None,
        // A card that cannot be read must not hide the numbers.
        Err(stop) => {
            context.ui().complain(&Line::new().warn("Your own card cannot be shown: ").text(&stop.to_string()));
            None
        }
    };
    if context.ui().json { context.ui().out_value(&as_json(card.as_deref())) } else { show(context.ui(), card.as_deref()) }
}

fn as_json(card: Option<&str>) -> serde_json::Value {
    let help: Vec<serde_json::Value> = HELP
        .iter()
        .map(|help| json!({ "country": help.country, "number": help.number, "name": help.name, "source": help.source }))
        .collect();
    json!({ "schema": "kith.crisis/1", "emergency_service": false, "as_of": AS_OF, "help": help, "elsewhere": ELSEWHERE, "card": card })
}

fn show(ui: &Ui, card: Option<&str>) -> Result<()> {
    ui.out(Line::new().strong("Kith is not an emergency service. Nobody watches it, and a circle may be asleep or offline."))?;
    ui.out(
        "If somebody is in danger now, call the emergency number where you are: 112 in the European Union, 911 in North America,",
    )?;
    ui.out("999 in the United Kingdom, 000 in Australia. You may call for somebody else, too.")?;
    ui.gap()?;
    if let Some(card) = card {
        ui.out(Line::new().strong("Your circle's own card"))?;
        ui.block(2, card)?;
        ui.gap()?;
    }
    let rows: Vec<Vec<Line>> = HELP
        .iter()
        .map(|help| vec![help.country.into(), Line::new().strong(help.number), help.name.into(), Line::new().dim(help.source)])
        .collect();
    ui.table(&["where", "number", "who", "source"], &rows)?;
    ui.gap()?;
    ui.out(format!("Elsewhere, and for other languages or by chat: {ELSEWHERE}"))?;
    ui.out(Line::new().dim(&format!("As of {AS_OF}. Numbers change; the sources say what holds today.")))
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
    context.ui().say(
        Line::new()
            .warn("It is not encrypted: ")
            .text("whoever has this computer can read it. `kith crisis --forget` throws it away."),
    );
    Ok(())
}

fn forget(context: &Context) -> Result<()> {
    let card = context.home().crisis_card();
    if context.global().dry_run {
        context.ui().say(format!("This would throw away {}.", card.display()));
        return Ok(());
    }
    match std::fs::remove_file(&card) {
        Ok(()) => context.ui().say("The card is gone from this computer."),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => context.ui().say("There is no card."),
        Err(e) => return Err(error::io("Cannot throw away", &card, &e)),
    }
    Ok(())
}
