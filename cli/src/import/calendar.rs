//! A calendar file.

use kith_protocol::control::BatchItem;

use super::{Found, Haul, Remark};
use crate::calendar::read;

/// Its events; `usual` is the zone of times that name none.
pub(crate) fn haul(text: &str, usual: &str) -> Result<Haul, String> {
    let calendar = read::read(text, usual)?;
    Ok(Haul {
        found: calendar
            .events
            .into_iter()
            .map(|event| Found { title: event.title.clone(), item: BatchItem::Event(event) })
            .collect(),
        remarks: calendar.left.into_iter().map(|left| Remark { item: left.item, part: left.part, weight: left.weight }).collect(),
    })
}
