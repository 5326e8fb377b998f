//! A calendar file.

use kith_protocol::control::BatchItem;

use super::later::News;
use super::{Found, Haul};
use crate::calendar::read;
use crate::left_out::Origin;

/// Its events; `usual` is the zone of times that name none.
pub(crate) fn haul(bytes: &[u8], usual: &str) -> Result<Haul, String> {
    let calendar = read::read(bytes, usual)?;
    let (cancelled, events): (Vec<_>, Vec<_>) = calendar.events.into_iter().partition(|incoming| incoming.cancels);
    let modified = events.iter().filter_map(|incoming| Some((incoming.event.uid.clone(), incoming.modified?))).collect();
    let found = events.into_iter().map(|incoming| Found {
        title: incoming.event.title.clone(),
        item: BatchItem::Event(incoming.event),
        origin: Origin::line(incoming.line),
    });
    let later =
        News { calendar: true, modified, cancelled, changes: calendar.changes, applied: calendar.applied, plain: calendar.plain };
    Ok(Haul { found: found.collect(), left_out: calendar.left, later })
}
