//! Comparing what members show: without what is each one's own, those who agree show the same.

use serde_json::Value;

/// Takes out what is each member's own: marks, delivery, one's own answer, and what depends on one's own clock.
pub fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let own = ["new", "changed", "agreement_signed", "delivery", "delivered", "mine", "me", "clock_skewed"];
            fields.retain(|name, _| !own.contains(&name.as_str()));
            fields.values_mut().for_each(strip);
        }
        Value::Array(rows) => rows.iter_mut().for_each(strip),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
