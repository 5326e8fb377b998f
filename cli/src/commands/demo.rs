//! `kith demo`.

use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::context::Context;
use crate::demo::person::{Children, PASSPHRASE, Person, Transport, end_all};
use crate::demo::scenes;
use crate::demo::story::Story;
use crate::error::{Result, failed};
use crate::interrupt;
use crate::ui::Line;

/// Watch three people use Kith on this computer, in a minute
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// Connect by TCP only
    #[arg(long)]
    tcp_only: bool,
    /// Connect by QUIC only
    #[arg(long, conflicts_with = "tcp_only")]
    quic_only: bool,
    /// Keep the three homes, to look around in
    #[arg(long)]
    keep: bool,
}

pub(crate) fn run(context: &Context, args: &DemoArgs) -> Result<()> {
    let ui = context.ui();
    if context.global().dry_run {
        if ui.json {
            return ui
                .out_value(&json!({ "schema": "kith.dry-run/1", "would": "start three daemons, play the demo and end them" }));
        }
        ui.tell("This would start three daemons with homes of their own in a temporary folder, and remove them again.");
        return Ok(());
    }
    let transport = match (args.tcp_only, args.quic_only) {
        (true, _) => Transport::Tcp,
        (_, true) => Transport::Quic,
        _ => Transport::Both,
    };
    // Names stay short: the paths of sockets have to.
    let folder =
        tempfile::Builder::new().prefix("kith-").tempdir().map_err(|e| failed(format!("Cannot make a folder: {e}."), ""))?;
    let children: Children = Arc::new(Mutex::new(Vec::new()));
    let (doomed, place) = (Arc::clone(&children), folder.path().to_path_buf());
    interrupt::on_interrupt(move || {
        end_all(&doomed);
        drop(std::fs::remove_dir_all(place));
    });
    let mut story = Story::new(ui);
    let outcome = play(context, &mut story, folder.path(), transport, &children);
    end_all(&children);
    story.end(&outcome)?;
    if args.keep {
        let kept = folder.keep();
        ui.say(
            Line::new()
                .text("The homes are kept in ")
                .strong(&kept.display().to_string())
                .text(&format!("; their passphrase is \"{PASSPHRASE}\".")),
        );
        ui.say(format!("`kith --home {} start` starts one of them.", kept.join("amara").display()));
    } else if let Err(e) = folder.close() {
        return Err(failed(format!("The demo's folder could not be removed: {e}."), ""));
    } else if outcome.is_ok() {
        ui.say(Line::new().dim("The three homes and their daemons were removed again."));
    }
    outcome
}

fn play(context: &Context, story: &mut Story<'_>, folder: &Path, transport: Transport, children: &Children) -> Result<()> {
    let ui = context.ui();
    if !ui.json {
        ui.out("Three people, three computers (all of them this one), one circle. No server.")?;
    }
    story.scene("Three computers")?;
    let mut begin = |name: &'static str, words: &str| -> Result<Person> {
        let person = Person::begin(name, folder, transport, children, ui)?;
        story.tell(&format!("{name} {words}"))?;
        Ok(person)
    };
    let amara = begin("Amara", "starts Kith and chooses a passphrase.")?;
    let mut bea = begin("Bea", "does, too.")?;
    let chioma = begin("Chioma", "does, too.")?;
    ui.detail(format!("homes: {} and beside it", amara.home().display()));
    let id = scenes::found(story, &amara)?;
    scenes::join(story, &amara, &bea, &id, 1)?;
    scenes::join(story, &amara, &chioma, &id, 2)?;
    scenes::talk(story, [&amara, &bea, &chioma], &id)?;
    scenes::meet(story, [&amara, &bea, &chioma], &id)?;
    scenes::import(story, [&amara, &bea, &chioma], &id, folder)?;
    scenes::remove(story, [&amara, &bea, &chioma], &id)?;
    scenes::restart(story, &amara, &mut bea, &id)?;
    scenes::agree(story, [&amara, &bea, &chioma], &id)
}
