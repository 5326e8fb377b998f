//! Names that look alike: one letter of another alphabet, a capital I for an l, the same name once more. Nobody is kept from such
//! a name (two people may be called alike); but wherever a name is shown, it must be seen that there are two.

use std::collections::{BTreeMap, BTreeSet};

use super::body::Statement;
use super::membership::{Status, Verdict};
use super::state::CircleState;
use crate::id::{ActId, PersonId};

/// Whose name, wherever it stands, needs the id beside it: everybody with whose name somebody's looks alike who is in, and anyone
/// who came after somebody who is out and bore such a name. (Who was there first stays who they are, no matter who came and
/// went.)
pub(crate) fn marked(circle: &CircleState, names: &BTreeMap<PersonId, String>) -> BTreeSet<PersonId> {
    let state = circle.now();
    let is_in = |id: &PersonId| state.people.get(id).is_some_and(|person| person.status == Status::Current);
    let (mut crowd, mut out) = (Crowd::default(), BTreeMap::<String, BTreeSet<PersonId>>::new());
    for (id, name) in names {
        match state.people.get(id).map(|person| person.status) {
            Some(Status::Current) => crowd.add(name),
            Some(Status::Removed | Status::Left) => {
                for look in looks(name) {
                    out.entry(look).or_default().insert(*id);
                }
            }
            Some(Status::Suspended) | None => {}
        }
    }
    let like_out = |id: &PersonId, name: &str| -> BTreeSet<PersonId> {
        looks(name).iter().filter_map(|look| out.get(look)).flatten().filter(|other| *other != id).copied().collect()
    };
    let others: BTreeMap<&PersonId, BTreeSet<PersonId>> =
        names.iter().map(|(id, name)| (id, like_out(id, name))).filter(|(_, others)| !others.is_empty()).collect();
    // Who came when is asked of all acts, so only where it matters.
    let came = if others.is_empty() { BTreeMap::new() } else { came(circle) };
    let after_another =
        |id: &PersonId| others.get(id).is_some_and(|o| o.iter().any(|o| !before(circle, came.get(id), came.get(o))));
    let needs = |(id, name): &(&PersonId, &String)| crowd.like(name) > usize::from(is_in(id)) || after_another(id);
    names.iter().filter(needs).map(|(id, _)| *id).collect()
}

/// By which acts each person was let in, the founder by the first.
fn came(circle: &CircleState) -> BTreeMap<PersonId, Vec<ActId>> {
    let state = circle.now();
    let mut came: BTreeMap<PersonId, Vec<ActId>> = BTreeMap::new();
    for act in circle.judged().iter().filter(|act| circle.membership().verdict(act) == Some(Verdict::Admissible)) {
        let statement = circle.membership().statement(act);
        let person = if let Some(Statement::Admit { person, .. }) = statement {
            Some(*person)
        } else if let Some(Statement::Genesis { devices, .. }) = statement {
            devices.first().and_then(|keys| state.person_of(&keys.sign))
        } else {
            None
        };
        if let Some(person) = person {
            came.entry(person).or_default().push(*act);
        }
    }
    came
}

/// Was the one let in before the other ever was, as far as acts can say?
fn before(circle: &CircleState, one: Option<&Vec<ActId>>, other: Option<&Vec<ActId>>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return false };
    one.iter().any(|act| other.iter().all(|later| circle.membership().within(act, std::slice::from_ref(later))))
}

/// What a name looks like, written small or as it is: whatever agrees in one of them looks alike (Unicode TS 39).
#[must_use]
pub(crate) fn looks(name: &str) -> [String; 2] {
    let seen: String = name.chars().filter(|c| !unseen(*c)).collect();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let look = |text: &str| words(&unicode_security::confusable_detection::skeleton(&words(text)).collect::<String>());
    [look(&seen), look(&seen.to_lowercase())]
}

/// Takes no room on a screen, or none that is noticed.
fn unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Looks of several names, and how many bear each.
#[derive(Debug, Default)]
pub(crate) struct Crowd(BTreeMap<String, usize>);

impl Crowd {
    /// One more of that name.
    pub(crate) fn add(&mut self, name: &str) {
        let [one, other] = looks(name);
        *self.0.entry(one.clone()).or_default() += 1;
        if other != one {
            *self.0.entry(other).or_default() += 1;
        }
    }

    /// How many bear a name that looks like this one, itself included where it was added.
    pub(crate) fn like(&self, name: &str) -> usize {
        looks(name).iter().filter_map(|look| self.0.get(look)).copied().max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(a: &str, b: &str) -> bool {
        let mut crowd = Crowd::default();
        crowd.add(a);
        crowd.like(b) > 0
    }

    #[test]
    fn u2_what_looks_alike_is_alike() {
        for other in
            ["Amara", "amara", "\u{410}mara", "Am\u{430}r\u{430}", "Am\u{200b}ara", " Amara ", "\u{ff21}mara", "Am\u{e0041}ara"]
        {
            assert!(alike("Amara", other) && alike(other, "Amara"), "{other:?}");
        }
        assert!(alike("\u{421}\u{430}\u{440}\u{430}", "Capa"), "in one alphabet each");
        assert!(alike("Alice", "AIice") && alike("Jane  Roe", "Jane Roe") && alike("modern", "rnodern"));
    }

    #[test]
    fn what_does_not_is_not() {
        for other in ["Amaras", "Bea", "Tamara", "Амар", "", "Am ara"] {
            assert!(!alike("Amara", other), "{other:?}");
        }
        assert!(!alike("Zoë", "Zoe"), "a mark is seen");
    }
}
