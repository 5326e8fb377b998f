//! `kith doctor`.

use kith_protocol::control::{Code, Doctor, Level};
use serde_json::json;

use crate::client::Route;
use crate::context::Context;
use crate::error::{Result, Stop};
use crate::ui::{Line, Ui};

/// Look after everything: members who see something else, gaps, forks, too few stewards
#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// Build lists, documents and the search index again from the signed log
    #[arg(long)]
    rebuild: bool,
}

pub(crate) fn run(context: &Context, args: &DoctorArgs) -> Result<()> {
    let client = context.client()?;
    if args.rebuild {
        let spinner = context.ui().spinner("Building everything again from the log");
        let done = client.send("POST", &Route::new("doctor").seg("rebuild"), &json!({}));
        drop(spinner);
        done?;
        context.ui().say("Built again from the signed log.");
    }
    let reply = client.get(&Route::new("doctor"))?;
    let doctor: Doctor = reply.read()?;
    context.show(&reply, show)?;
    if !context.ui().json {
        tell_of_drafts(context)?;
    }
    if doctor.ok { Ok(()) } else { Err(Stop::Said(Code::Failed)) }
}

/// Texts that could not be saved lie beside the store, not in it.
fn tell_of_drafts(context: &Context) -> Result<()> {
    let folder = context.home().drafts();
    let count = std::fs::read_dir(&folder).into_iter().flatten().flatten().count();
    if count == 0 {
        return Ok(());
    }
    let what =
        if count == 1 { "1 text that was not saved lies".to_owned() } else { format!("{count} texts that were not saved lie") };
    context.ui().out(Line::new().dim("note    ").text(&format!("{what} unencrypted in {}", folder.display())))?;
    context.ui().out(Line::new().dim("        save what you need of it, and delete the rest"))
}

fn show(ui: &Ui, doctor: Doctor) -> Result<()> {
    for finding in &doctor.findings {
        let mark = match finding.level {
            Level::Ok => Line::new().good("ok      "),
            Level::Problem => Line::new().warn("problem "),
            Level::Note => Line::new().dim("note    "),
        };
        let circle = if finding.circle.is_empty() { Line::new() } else { Line::new().strong(&finding.circle).text(": ") };
        ui.out(mark.and(circle).text(&finding.message))?;
        if !finding.hints.is_empty() {
            ui.out(Line::new().dim(&format!("        {}", finding.hints)))?;
        }
    }
    if doctor.ok && doctor.findings.is_empty() {
        ui.out(Line::new().good("All is well."))?;
    }
    Ok(())
}
