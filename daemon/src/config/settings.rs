//! The settings of `config.toml` one by one, for those who change them without an editor.

use std::path::Path;

use toml_edit::{Array, DocumentMut, Item, value};

use super::{Config, ConfigError, FIRST};
use crate::files::write_whole;

/// One setting, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub key: &'static str,
    /// Its value, the default where none is set; several are separated by commas. Empty where there is none.
    pub value: String,
    /// Does a running daemon have to start again before it takes effect?
    pub restart: bool,
}

/// How a setting is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Number,
    List,
}

/// Every setting: name, shape, default, and whether the daemon reads it.
const KNOWN: &[(&str, Shape, &str, bool)] = &[
    ("circle", Shape::Text, "", false),
    ("external", Shape::List, "", true),
    ("idle_lock_minutes", Shape::Number, "0", true),
    ("listen", Shape::List, "/ip4/0.0.0.0/tcp/0, /ip4/0.0.0.0/udp/0/quic-v1, /ip6/::/tcp/0, /ip6/::/udp/0/quic-v1", true),
    ("port", Shape::Number, "", true),
    ("transports", Shape::List, "tcp, quic", true),
];

/// All settings of a home; defaults where it has no file yet. Writes nothing.
///
/// # Errors
/// [`ConfigError`] where the file cannot be read or makes no sense.
pub fn settings(home: &Path) -> Result<Vec<Setting>, ConfigError> {
    let document = read(home)?;
    let shown = |(key, _, default, restart): &(&'static str, Shape, &str, bool)| Setting {
        key,
        value: document.get(key).map_or_else(|| (*default).to_owned(), plain),
        restart: *restart,
    };
    Ok(KNOWN.iter().map(shown).collect())
}

/// Changes one setting; an empty text brings the default back. What a person wrote beside it stays.
///
/// # Errors
/// [`ConfigError`] where there is no such setting, where the value makes no sense, or where it cannot be kept. Nothing is changed then.
pub fn set_setting(home: &Path, key: &str, text: &str) -> Result<(), ConfigError> {
    let known = KNOWN.iter().find(|(name, ..)| *name == key);
    let Some((key, shape, ..)) = known else { return Err(unknown(key)) };
    let mut document = read(home)?;
    let text = text.trim();
    if text.is_empty() {
        if *key == "port" {
            return Err(ConfigError::Invalid("`port` is needed: others know it".to_owned()));
        }
        document.remove(key);
    } else {
        let fresh = item(key, *shape, text)?;
        match document.get_mut(key) {
            Some(old) => *old = fresh,
            None => document[key] = fresh,
        }
    }
    Config::check(&document)?;
    write_whole(&home.join("config.toml"), document.to_string().as_bytes())?;
    Ok(())
}

fn unknown(key: &str) -> ConfigError {
    let names: Vec<&str> = KNOWN.iter().map(|(name, ..)| *name).collect();
    ConfigError::Invalid(format!("there is no setting {key:?}; there are {}", names.join(", ")))
}

fn read(home: &Path) -> Result<DocumentMut, ConfigError> {
    let text = match std::fs::read_to_string(home.join("config.toml")) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => FIRST.to_owned(),
        Err(error) => return Err(error.into()),
    };
    text.parse().map_err(|error: toml_edit::TomlError| ConfigError::Invalid(error.message().to_owned()))
}

fn item(key: &str, shape: Shape, text: &str) -> Result<Item, ConfigError> {
    Ok(match shape {
        Shape::Text => value(text),
        Shape::Number => {
            let number: i64 = text.parse().map_err(|_| ConfigError::Invalid(format!("`{key}` is a number, not {text:?}")))?;
            value(number)
        }
        Shape::List => value(text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect::<Array>()),
    })
}

/// A value as a person reads it.
fn plain(item: &Item) -> String {
    let texts = item.as_array().map(|list| list.iter().map(|part| part.as_str().unwrap_or_default()).collect::<Vec<_>>());
    match (texts, item.as_str()) {
        (Some(texts), _) => texts.join(", "),
        (None, Some(text)) => text.to_owned(),
        (None, None) => item.to_string().trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(home: &Path) -> Vec<(String, String)> {
        settings(home).expect("reads").into_iter().map(|s| (s.key.to_owned(), s.value)).collect()
    }

    #[test]
    fn settings_change_one_by_one_and_what_stands_beside_them_stays() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("config.toml");
        assert!(values(dir.path()).contains(&("transports".to_owned(), "tcp, quic".to_owned())));
        assert!(!path.exists(), "reading writes nothing");
        Config::load(&path, &[]).expect("loads");
        std::fs::write(&path, format!("# mine\n{}", std::fs::read_to_string(&path).expect("reads"))).expect("writes");
        set_setting(dir.path(), "circle", "Night \"shift\"").expect("sets");
        set_setting(dir.path(), "transports", "tcp").expect("sets");
        set_setting(dir.path(), "idle_lock_minutes", "15").expect("sets");
        assert!(values(dir.path()).contains(&("circle".to_owned(), "Night \"shift\"".to_owned())));
        assert!(values(dir.path()).contains(&("idle_lock_minutes".to_owned(), "15".to_owned())));
        set_setting(dir.path(), "circle", "").expect("takes it away");
        assert!(values(dir.path()).contains(&("circle".to_owned(), String::new())));
        let text = std::fs::read_to_string(&path).expect("reads");
        assert!(text.starts_with("# mine\n") && text.contains("transports = [\"tcp\"]"), "{text}");
        Config::load(&path, &[]).expect("still loads");
    }

    #[test]
    fn what_makes_no_sense_changes_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("config.toml");
        Config::load(&path, &[]).expect("loads");
        let before = std::fs::read_to_string(&path).expect("reads");
        for (key, text) in [
            ("colour", "red"),
            ("port", "70000"),
            ("port", ""),
            ("port", "many"),
            ("listen", "everywhere"),
            ("transports", "pigeon"),
            ("external", "example.org"),
            ("idle_lock_minutes", "-1"),
        ] {
            assert!(matches!(set_setting(dir.path(), key, text), Err(ConfigError::Invalid(_))), "{key} = {text}");
        }
        assert_eq!(std::fs::read_to_string(&path).expect("reads"), before);
    }
}
