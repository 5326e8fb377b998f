//! `kith config ...`: the home's settings, without an editor.

use serde_json::{Map, Value, json};

use crate::client::Route;
use crate::context::{Context, Setting};
use crate::error::{Result, usage};
use crate::global::not_empty;
use crate::ui::Line;
use kith_protocol::control::Circle;

/// What can be done with settings.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ConfigVerb {
    /// List all settings and their values
    List,
    /// Show one setting
    Get {
        /// Its name, such as circle
        #[arg(value_parser = not_empty)]
        key: String,
    },
    /// Change a setting; an empty value brings its default back, which all but the port have
    Set {
        /// Its name, such as circle
        #[arg(value_parser = not_empty)]
        key: String,
        /// Its new value; several are separated by commas
        value: String,
    },
}

pub(crate) fn run(context: &Context, verb: &ConfigVerb) -> Result<()> {
    match verb {
        ConfigVerb::List => list(context),
        ConfigVerb::Get { key } => get(context, key),
        ConfigVerb::Set { key, value } => set(context, key, value),
    }
}

fn list(context: &Context) -> Result<()> {
    let (ui, settings) = (context.ui(), context.settings()?);
    if ui.json {
        let mut values: Map<String, Value> = settings.iter().map(|s| (s.key.to_owned(), readable(context, s).into())).collect();
        values.insert("schema".to_owned(), "kith.config.list/1".into());
        return ui.out_value(&Value::Object(values));
    }
    let rows: Vec<Vec<Line>> = settings
        .iter()
        .map(|setting| {
            let value = readable(context, setting);
            vec![setting.key.into(), if value.is_empty() { Line::new().dim("not set") } else { value.as_str().into() }]
        })
        .collect();
    ui.table(&["setting", "value"], &rows)
}

fn get(context: &Context, key: &str) -> Result<()> {
    let setting = context.setting(key)?;
    let value = readable(context, &setting);
    if context.ui().json {
        return context.ui().out_value(&json!({ "schema": "kith.config.get/1", "key": setting.key, "value": value }));
    }
    context.ui().out(value)
}

fn set(context: &Context, key: &str, value: &str) -> Result<()> {
    let (ui, before) = (context.ui(), context.setting(key)?);
    if before.key == "port" && value.trim().is_empty() {
        let kept =
            if before.value.is_empty() { "Nothing was changed.".to_owned() } else { format!("It is still {}.", before.value) };
        return Err(usage(
            format!("The port has no default: it was chosen for this home, and others know it. {kept}"),
            "Name another one only if something else on this computer uses it.",
        ));
    }
    let restart = before.restart && before.value != value && context.bare_client()?.answers();
    if context.global().dry_run {
        ui.tell(format!("This would set {} to \"{value}\".", before.key));
        return Ok(());
    }
    let usual = if before.key == "circle" && !value.trim().is_empty() { Some(resolved(context, value)?) } else { None };
    context.set(before.key, usual.as_ref().map_or(value, |usual| usual.kept.as_str()))?;
    let setting = context.setting(before.key)?;
    if ui.json {
        let (key, value) = (setting.key, readable(context, &setting));
        return ui.out_value(&json!({ "schema": "kith.config.set/1", "key": key, "value": value, "restart": restart }));
    }
    if let Some(usual) = usual {
        ui.tell(usual.told);
    } else if restart {
        ui.tell("Saved. It takes effect when Kith starts again: `kith stop`, then `kith start`.");
    } else {
        ui.tell("Saved.");
    }
    Ok(())
}

/// A circle as it is kept, and what is said about it.
struct Usual {
    kept: String,
    told: Line,
}

/// The circle's id, which stays the same when its name does not. Where the daemon cannot say which circle is meant, what was typed.
fn resolved(context: &Context, typed: &str) -> Result<Usual> {
    let client = context.bare_client()?;
    if client.answers() && client.status()?.initialized && !client.status()?.locked {
        let circle: Circle = client.get(&Route::new("circles").seg(typed.trim()))?.read()?;
        let told = Line::new().text("Saved: the usual circle is ").strong(&circle.name).text(&format!(" ({}).", circle.id));
        return Ok(Usual { kept: circle.id, told });
    }
    let told = "Saved as it was typed: Kith is not running and unlocked, so nobody could look whether there is such a circle.";
    Ok(Usual { kept: typed.to_owned(), told: told.into() })
}

/// A setting as people read it: of the usual circle the name, where it can be known and says which circle is meant.
fn readable(context: &Context, setting: &Setting) -> String {
    let name = if setting.key == "circle" { name_of(context, &setting.value) } else { None };
    name.unwrap_or_else(|| setting.value.clone())
}

fn name_of(context: &Context, usual: &str) -> Option<String> {
    let client = context.bare_client().ok().filter(|client| !usual.is_empty() && client.answers())?;
    let here = |named: &str| client.get(&Route::new("circles").seg(named)).and_then(|reply| reply.read::<Circle>()).ok();
    let circle = here(usual)?;
    here(&circle.name).filter(|named| named.id == circle.id).map(|named| named.name)
}
