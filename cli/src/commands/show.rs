//! How things are shown that several nouns share.

use kith_protocol::control::{Author, DeliveryStatus, ItemState, Member, Notice, Time};

use crate::error::Result;
use crate::limits::{ID_CHARS, TEXT_START};
use crate::ui::{Line, Ui};
use kith_protocol::limits::NAMES_TOLD;

/// Does a moment still lie ahead, by this computer's clock?
pub(crate) fn is_ahead(at: Time) -> bool {
    i64::try_from(at.0.0).is_ok_and(|at| at > jiff::Timestamp::now().as_millisecond())
}

/// Short forms of ids that stay distinct among themselves. With `--plain` and `-v` whole.
pub(crate) fn short_ids<'a>(ui: &Ui, ids: impl Iterator<Item = &'a str>) -> Vec<String> {
    let ids: Vec<&str> = ids.collect();
    if ui.plain || ui.verbose > 0 {
        return ids.iter().map(|id| (*id).to_owned()).collect();
    }
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    sorted.dedup();
    let need = sorted.windows(2).filter_map(|pair| Some(shared(pair.first()?, pair.get(1)?) + 1)).max().unwrap_or(0);
    ids.iter().map(|id| id.chars().take(need.max(ID_CHARS)).collect()).collect()
}

/// One id in short form.
pub(crate) fn short_id(ui: &Ui, id: &str) -> String {
    short_ids(ui, std::iter::once(id)).pop().unwrap_or_default()
}

fn shared(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count()
}

/// Who wrote it.
pub(crate) fn author(author: &Author) -> Line {
    let id = if author.member.is_empty() { like_whom(author.alike_former) } else { &author.member };
    Line::new().person(&author.name, author.alike, id)
}

/// Somebody inside a sentence: their name, and their id where the name is not enough.
pub(crate) fn named(member: &Member) -> String {
    let which = if member.alike { format!(" ({}; somebody else's name looks like it)", member.id) } else { String::new() };
    format!("{}{which}", member.name)
}

/// Names as part of a sentence; of many only how many more there are.
pub(crate) fn listed(names: &[String]) -> String {
    let mut told: Vec<String> = names.iter().take(NAMES_TOLD).cloned().collect();
    if names.len() > told.len() {
        told.push(format!("{} more", names.len() - told.len()));
    }
    match told.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => told.concat(),
    }
}

/// How a text begins.
pub(crate) fn start(text: &str) -> String {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let start: String = first.chars().take(TEXT_START).collect();
    if start.len() < first.len() { format!("{start}…") } else { start }
}

/// Whose name the one of somebody who asks to come in looks like.
pub(crate) const fn like_whom(former: bool) -> &'static str {
    if former { "somebody who was in" } else { "somebody who is in" }
}

/// How one stands to circles that one is not simply in, and what to do next.
pub(crate) fn notices(ui: &Ui, notices: &[Notice]) -> Result<()> {
    notices.iter().try_for_each(|notice| ui.out(said(notice)))
}

/// One of them.
pub(crate) fn said(notice: &Notice) -> Line {
    Line::new().warn(&notice.message).text(" ").text(&notice.hints.to_string())
}

/// Why something is not shown.
pub(crate) fn state(state: ItemState) -> Line {
    match state {
        ItemState::Visible => Line::new(),
        ItemState::Expired => Line::new().dim("past what this circle keeps"),
        ItemState::Removed => Line::new().dim("deleted"),
        ItemState::Hidden => Line::new().dim("hidden by a facilitator"),
        ItemState::Held => Line::new().dim("held for a steward to look at"),
    }
}

/// How far one's own words have come.
pub(crate) fn delivery(delivery: Option<DeliveryStatus>, counts: Option<(u32, u32)>, verbose: bool) -> Line {
    let words = match delivery {
        Some(DeliveryStatus::Local) => "on this computer",
        Some(DeliveryStatus::Relay) => "waiting on a relay",
        Some(DeliveryStatus::Some) => "delivered to some",
        Some(DeliveryStatus::All) => "delivered to everyone",
        None => return Line::new(),
    };
    match counts {
        Some((some, all)) if verbose => Line::new().dim(&format!("{words} ({some} of {all} computers)")),
        _ => Line::new().dim(words),
    }
}

/// Parts with a quiet dot between them; empty ones are left out.
pub(crate) fn dotted(parts: Vec<Line>) -> Line {
    let mut line = Line::new();
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        line = if line.is_empty() { part } else { line.dim(" · ").and(part) };
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_make_a_part_of_a_sentence() {
        let names =
            |count: usize| ["A", "B", "C", "D", "E", "F"].iter().take(count).map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let told: Vec<String> = [1, 2, 3, 6].into_iter().map(|count| listed(&names(count))).collect();
        assert_eq!(told, ["A", "A and B", "A, B and C", "A, B, C, D and 2 more"]);
    }

    #[test]
    fn alike_ids_are_shown_longer() {
        let ui = Ui::for_tests();
        assert_eq!(short_ids(&ui, ["n-abcdefghij", "n-xyzxyzxyz1"].into_iter()), ["n-abcdef", "n-xyzxyz"]);
        assert_eq!(short_ids(&ui, ["n-abcdefghij", "n-abcdefgxyz"].into_iter()), ["n-abcdefgh", "n-abcdefgx"]);
    }
}
