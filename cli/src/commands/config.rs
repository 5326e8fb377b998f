//! `kith config ...`: the home's settings, without an editor.

use serde_json::{Map, Value, json};

use crate::context::{Context, Setting};
use crate::error::Result;
use crate::ui::Line;

/// What can be done with settings.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ConfigVerb {
    /// List all settings and their values
    List,
    /// Show one setting
    Get {
        /// Its name, such as circle
        key: String,
    },
    /// Change a setting; an empty value brings the default back
    Set {
        /// Its name, such as circle
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
        let mut values: Map<String, Value> = settings.iter().map(|s| (s.key.to_owned(), s.value.clone().into())).collect();
        values.insert("schema".to_owned(), "kith.config.list/1".into());
        return ui.out_value(&Value::Object(values));
    }
    let rows: Vec<Vec<Line>> = settings
        .iter()
        .map(|setting| {
            let value = if setting.value.is_empty() { Line::new().dim("not set") } else { setting.value.as_str().into() };
            vec![setting.key.into(), value]
        })
        .collect();
    ui.table(&["setting", "value"], &rows)
}

fn get(context: &Context, key: &str) -> Result<()> {
    let setting = context.setting(key)?;
    if context.ui().json {
        return context.ui().out_value(&json!({ "schema": "kith.config.get/1", "key": setting.key, "value": setting.value }));
    }
    context.ui().out(setting.value)
}

fn set(context: &Context, key: &str, value: &str) -> Result<()> {
    let (ui, before) = (context.ui(), context.setting(key)?);
    let restart = before.restart && before.value != value && context.bare_client()?.answers();
    if context.global().dry_run {
        ui.tell(format!("This would set {} to \"{value}\".", before.key));
        return Ok(());
    }
    context.set(before.key, value)?;
    let Setting { key, value, .. } = context.setting(before.key)?;
    if ui.json {
        return ui.out_value(&json!({ "schema": "kith.config.set/1", "key": key, "value": value, "restart": restart }));
    }
    if restart {
        ui.tell("Saved. It takes effect when Kith starts again: `kith stop`, then `kith start`.");
    } else {
        ui.tell("Saved.");
    }
    Ok(())
}
