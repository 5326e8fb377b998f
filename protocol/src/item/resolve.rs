//! From what a person types to an item: a short id, or the unambiguous start of one.

use super::kind::Kind;
use super::row::{Flags, ItemRow, Tag};
use crate::control::{Code, Error, Hint, Hints};
use crate::id::{CircleId, ItemKey};
use crate::limits::{NAMED_CANDIDATES, PAGE_ROWS, REPEATED_CHARS, SHORT_ID_CHARS};
use crate::store::{Read, StoreError, Table};

/// The item that `text` names, of one of these kinds (empty: any kind that people name), in one of these circles.
/// The outer error is the store's, the inner one is for the person.
///
/// # Errors
/// [`StoreError`] where the store fails.
pub fn resolve(
    read: &dyn Read,
    circles: &[CircleId],
    kinds: &[Kind],
    text: &str,
) -> Result<Result<(CircleId, Kind, ItemKey), Error>, StoreError> {
    let named = text.trim().to_ascii_lowercase();
    let (letter, tail) = match named.split_once('-') {
        Some((letter, tail)) if letter.chars().count() == 1 => (letter.chars().next(), tail),
        Some(_) | None => (None, named.as_str()),
    };
    // A letter alone names nothing: neither a kind's only item, nor one whose id happens to go on with it.
    let enough = if letter.is_some() { !tail.is_empty() } else { tail.len() > 1 };
    let good = enough && tail.len() <= SHORT_ID_CHARS && tail.chars().all(|c| matches!(c, 'a'..='z' | '2'..='7'));
    if !good {
        return Ok(Err(not_found(text, letter, kinds)));
    }
    let mut found: Vec<(CircleId, Kind, ItemKey, bool)> = Vec::new();
    let mut other = None;
    let prefix = head(tail);
    let mut after = Vec::new();
    loop {
        let rows = read.scan(Table::Item, &prefix, &after, PAGE_ROWS)?;
        for (key, value) in &rows {
            let Some(key) = key.as_slice().try_into().ok().map(ItemKey) else { continue };
            let row = ItemRow::read(value)?;
            let Some(kind) = row.kind().filter(|kind| !kind.is_mark()) else { continue };
            let Some(circle) = circles.iter().find(|circle| Tag::of(circle) == row.circle) else { continue };
            let fits = letter.is_none_or(|letter| letter == kind.letter())
                && key.text('-').get(2..).is_some_and(|id| id.starts_with(tail));
            let gone = row.flags.has(Flags::REMOVED | Flags::GONE | Flags::EXPIRED);
            if fits && (kinds.is_empty() || kinds.contains(&kind)) {
                found.push((*circle, kind, key, gone));
            } else if fits && !gone && kind.is_told() {
                other = other.or(Some((kind, key, row.parent)));
            }
        }
        match rows.last() {
            // Two that stand are enough to be ambiguous; those that are gone do not matter, however many begin alike.
            Some((last, _)) if rows.len() == PAGE_ROWS && found.iter().filter(|(.., gone)| !gone).count() < 2 => {
                after.clone_from(last)
            }
            Some(_) | None => break,
        }
    }
    match other.filter(|_| found.is_empty()) {
        Some((kind, key, parent)) => Ok(Err(of_another_kind(kinds, kind, &key, parent))),
        None => Ok(pick(text, letter, kinds, &found)),
    }
}

fn pick(
    text: &str,
    letter: Option<char>,
    kinds: &[Kind],
    found: &[(CircleId, Kind, ItemKey, bool)],
) -> Result<(CircleId, Kind, ItemKey), Error> {
    let mut standing = found.iter().filter(|(.., gone)| !gone);
    let one = match (standing.next(), standing.next(), found) {
        (Some(one), None, _) | (None, _, [one]) => one,
        (None, _, []) => return Err(not_found(text, letter, kinds)),
        _ => return Err(ambiguous(text, found)),
    };
    Ok((one.0, one.1, one.2))
}

/// `letter`: the one that was typed before the dash. Where the command takes any kind, it says which one was meant.
fn not_found(text: &str, letter: Option<char>, kinds: &[Kind]) -> Error {
    let typed = Kind::ALL.into_iter().filter(|kind| !kind.is_mark() && Some(kind.letter()) == letter);
    let meant: Vec<Kind> = if let [kind, ..] = kinds { vec![*kind] } else { typed.collect() };
    let noun = if let [kind] = meant.as_slice() { kind.noun() } else { "item" };
    Error::new(Code::NotFound, format!("There is no {noun} `{}` here.", clipped(text)), where_listed(&meant))
}

/// Where items of these kinds are listed, with their ids: each kind names its own list, or that of what it is shown with. Empty: of
/// any kind.
#[must_use]
pub(crate) fn where_listed(kinds: &[Kind]) -> Hints {
    let any = kinds.is_empty();
    let lists = Kind::listed().filter(|list| any || kinds.iter().any(|kind| kind == list || kind.about() == Some(*list)));
    Hints(lists.map(|list| Hint::run(list.noun(), "list", &[], &format!("shows the {} with their ids", list.path()))).collect())
}

/// An item is there, and is not what was asked for: what it is, and what can be done about it.
fn of_another_kind(kinds: &[Kind], kind: Kind, key: &ItemKey, parent: Option<ItemKey>) -> Error {
    let id = key.text(kind.letter());
    let noun = kind.noun();
    let Some((about, parent)) = kind.about().zip(parent) else {
        let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        return Error::new(Code::NotFound, format!("`{id}` is {article} {noun}."), Hint::run(noun, "show", &[&id], "shows it"));
    };
    let parent = parent.text(about.letter());
    let hints: Hints = if kinds.contains(&about) {
        let replies = Hint::run(about.noun(), "reply", &[&parent], &format!("replies to the {}", about.noun()));
        [replies, Hint::run(about.noun(), "react", &[&parent, "EMOJI"], "reacts to it")].into()
    } else {
        Hint::run(about.noun(), "show", &[&parent], "shows both").into()
    };
    Error::new(Code::Usage, format!("`{id}` is a {noun} to the {} {parent}.", about.noun()), hints)
}

fn ambiguous(text: &str, found: &[(CircleId, Kind, ItemKey, bool)]) -> Error {
    let ids: Vec<String> = found.iter().take(NAMED_CANDIDATES).map(|(_, kind, key, _)| key.text(kind.letter())).collect();
    let more = if found.len() > NAMED_CANDIDATES { " and others" } else { "" };
    let message = format!("`{}` could be {}{more}.", clipped(text), ids.join(", "));
    Error::new(Code::Ambiguous, message, "Type a few more characters of the one you mean.")
}

/// What somebody typed, as an error repeats it.
pub(super) fn clipped(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(REPEATED_CHARS).collect()
}

/// The whole bytes that the start of a base32 text stands for.
fn head(tail: &str) -> Vec<u8> {
    let (mut out, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for byte in tail.bytes() {
        let value = if byte.is_ascii_lowercase() { byte - b'a' } else { byte.saturating_sub(b'2') + 26 };
        bits = (bits << 5) | u32::from(value);
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from((bits >> held) & 0xff).unwrap_or_default());
            bits &= (1 << held) - 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_of_a_text_is_the_start_of_its_bytes() {
        let key = ItemKey([0x9a, 0xbc, 0xde, 0xf0, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 1, 2, 3, 4, 5, 6]);
        let text = key.text('n');
        let tail = text.get(2..).expect("a tail");
        for length in 1..=tail.len() {
            let start = head(tail.get(..length).expect("within"));
            assert!(key.0.starts_with(&start) && start.len() == length * 5 / 8);
        }
    }
}
