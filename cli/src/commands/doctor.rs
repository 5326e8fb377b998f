//! `kith doctor`.

use kith_protocol::control::{Code, DaemonStatus, Doctor, Finding, Level};
use serde_json::json;

use super::aim::Aim;
use super::reach::{Reach, reach};
use crate::client::Route;
use crate::context::Context;
use crate::error::{Result, Stop};
use crate::ui::{Line, Ui};

/// Check that all is well
#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// Rebuild lists, documents and the search index from the signed log
    #[arg(long)]
    rebuild: bool,
}

pub(crate) fn run(context: &Context, args: &DoctorArgs) -> Result<()> {
    let client = context.client()?;
    if args.rebuild {
        let spinner = context.ui().spinner("Rebuilding everything from the log");
        let done = client.send("POST", &Route::new("doctor").seg("rebuild"), &json!({}));
        drop(spinner);
        done?;
        context.ui().tell("Rebuilt from the signed log.");
    }
    let reply = client.get(&Route::new("doctor"))?;
    let mut doctor: Doctor = reply.read()?;
    for finding in doctor.findings.iter_mut().filter(|finding| !finding.circle.is_empty() && !finding.hints.is_empty()) {
        finding.hints = Aim::at(context, &client, &finding.circle).hints(std::mem::take(&mut finding.hints));
    }
    doctor.findings.extend(reachability(context, &client.status()?));
    if context.ui().json {
        let mut value: serde_json::Value = reply.read()?;
        value["findings"] = json!(doctor.findings);
        context.ui().out_value(&value)?;
    } else {
        show(context.ui(), &doctor)?;
    }
    if doctor.ok { Ok(()) } else { Err(Stop::Said(Code::Failed)) }
}

/// Can others reach this computer? What it cannot know it does not claim: a router may let nothing through all the same.
fn reachability(context: &Context, status: &DaemonStatus) -> Option<Finding> {
    let message = match reach(context, status) {
        Reach::Anywhere => return None,
        Reach::Network(addresses) => {
            format!("This computer can be reached in its own network only ({}).", addresses.join(", "))
        }
        Reach::Here => "This computer cannot be reached by any other: Kith listens on loopback addresses only.".to_owned(),
    };
    let hint = "Members elsewhere reach it over a VPN such as Tailscale, or by a forwarded port: `kith config set external ADDRESS:PORT`.";
    Some(Finding::new(Level::Note, String::new(), message, hint))
}

/// Columns: how it is, circle, what was found, what to do.
fn plain(ui: &Ui, doctor: &Doctor) -> Result<()> {
    let word = |level: Level| match level {
        Level::Ok => "ok",
        Level::Problem => "problem",
        Level::Note => "note",
    };
    let rows = doctor.findings.iter().map(|finding| {
        vec![
            word(finding.level).into(),
            finding.circle.as_str().into(),
            finding.message.as_str().into(),
            finding.hints.to_string().into(),
        ]
    });
    ui.table(&[], &rows.collect::<Vec<Vec<Line>>>())
}

fn show(ui: &Ui, doctor: &Doctor) -> Result<()> {
    if ui.plain {
        return plain(ui, doctor);
    }
    for finding in &doctor.findings {
        let mark = match finding.level {
            Level::Ok => Line::new().good("ok      "),
            Level::Problem => Line::new().warn("problem "),
            Level::Note => Line::new().dim("note    "),
        };
        let circle = if finding.circle.is_empty() { Line::new() } else { Line::new().strong(&finding.circle).text(": ") };
        ui.out(mark.and(circle).text(&finding.message))?;
        if !finding.hints.is_empty() {
            ui.prose(&Line::new().dim(&format!("        {}", finding.hints)))?;
        }
    }
    if doctor.ok && doctor.findings.iter().all(|finding| finding.level == Level::Note) {
        ui.out(Line::new().good("All is well."))?;
    }
    Ok(())
}
