//! What a member sees of a circle, without what is theirs alone: two members who hold the same see the same bytes.

use kith_protocol::control::Kind;
use serde_json::{Map, Value};

use crate::client::{Client, Route};
use crate::error::Result;

/// Fields that are one member's own: marks, delivery, own answers.
const OWN: [&str; 9] = ["new", "changed", "agreement_signed", "delivery", "delivered", "mine", "me", "role", "clock_skewed"];

/// All of it, as one text.
pub(crate) fn of(client: &Client, circle: &str) -> Result<String> {
    let base = Route::new("circles").seg(circle);
    let mut all = Map::new();
    for noun in Kind::listed().map(Kind::path).chain(["members"]) {
        let mut list: Value = client.get(&base.clone().seg(noun).flag("reveal", noun != "members"))?.field(noun)?;
        // A role is everybody's to see in the list of members, and one's own in the circle.
        strip(&mut list, noun == "members");
        all.insert(noun.to_owned(), list);
    }
    let mut whole: Value = client.get(&base)?.read()?;
    strip(&mut whole, false);
    all.insert("circle".to_owned(), whole);
    Ok(Value::Object(all).to_string())
}

fn strip(value: &mut Value, keep_role: bool) {
    match value {
        Value::Object(map) => {
            map.retain(|name, _| !OWN.contains(&name.as_str()) || keep_role && name == "role");
            map.values_mut().for_each(|value| strip(value, keep_role));
        }
        Value::Array(list) => list.iter_mut().for_each(|value| strip(value, keep_role)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Where two texts part, for anyone who has to find out why.
pub(crate) fn difference(a: &str, b: &str) -> String {
    let at = a.char_indices().zip(b.chars()).find(|((_, x), y)| x != y).map_or(a.len().min(b.len()), |((at, _), _)| at);
    let around = |text: &str| {
        let from = (0..=at.saturating_sub(60)).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        text.get(from..).unwrap_or_default().chars().take(140).collect::<String>()
    };
    format!("\n  one: …{}\n  two: …{}", around(a), around(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ones_own_is_left_out() {
        let mut value = serde_json::json!([{ "id": "n", "new": true, "rsvp": { "yes": 1, "mine": "yes" }, "role": "member" }]);
        strip(&mut value, false);
        assert_eq!(value, serde_json::json!([{ "id": "n", "rsvp": { "yes": 1 } }]));
        assert!(difference("abcdef", "abcxef").contains("abcxef"));
    }
}
