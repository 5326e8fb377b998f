//! Vectors as they are written down.

use std::path::Path;

use serde_json::{Map, Value};

/// One act of a vector, in the vector's own ids.
pub type Raw = Map<String, Value>;

/// A vector.
#[derive(Clone, Debug)]
pub struct Vector {
    /// Its name.
    pub name: String,
    /// The id of its genesis act.
    pub circle: String,
    /// Its acts, in an order that means nothing.
    pub acts: Vec<Raw>,
    /// What they mean.
    pub expect: Raw,
}

/// A field that is a text.
#[must_use]
pub fn text<'a>(raw: &'a Raw, field: &str) -> Option<&'a str> {
    raw.get(field)?.as_str()
}

/// A field that is a list of texts; empty where it is missing.
#[must_use]
pub fn texts<'a>(raw: &'a Raw, field: &str) -> Vec<&'a str> {
    raw.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Reads a vector.
///
/// # Errors
/// Where it is none.
pub fn read(json: &str) -> Result<Vector, String> {
    let value: Value = serde_json::from_str(json).map_err(|e| e.to_string())?;
    let object = |value: Option<&Value>| value.and_then(Value::as_object).cloned();
    let top = object(Some(&value)).ok_or("not an object")?;
    let acts = top.get("acts").and_then(Value::as_array).ok_or("no acts")?;
    let acts =
        acts.iter().map(|act| object(Some(act)).ok_or_else(|| "an act is no object".to_owned())).collect::<Result<_, _>>()?;
    Ok(Vector {
        name: text(&top, "name").ok_or("no name")?.to_owned(),
        circle: text(&top, "circle").ok_or("no circle")?.to_owned(),
        acts,
        expect: object(top.get("expect")).ok_or("nothing expected")?,
    })
}

/// Every vector of a folder, by name.
///
/// # Errors
/// Where the folder or one of its files cannot be read.
pub fn load(folder: &Path) -> Result<Vec<Vector>, String> {
    let mut vectors = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))? {
        let path = entry.map_err(|e| e.to_string())?.path();
        if path.extension().is_some_and(|end| end == "json") {
            let json = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            vectors.push(read(&json).map_err(|e| format!("{}: {e}", path.display()))?);
        }
    }
    vectors.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(vectors)
}
