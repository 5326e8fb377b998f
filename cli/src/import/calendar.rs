//! A calendar file.

use kith_protocol::control::BatchItem;

use super::{Found, Haul};
use crate::calendar::read;
use crate::left_out::{LeftOut, Origin};

/// Its events; `usual` is the zone of times that name none.
pub(crate) fn haul(text: &str, usual: &str) -> Result<Haul, String> {
    let calendar = read::read(text, usual)?;
    let found = calendar.events.into_iter().map(|event| Found {
        title: event.title.clone(),
        item: BatchItem::Event(event),
        origin: Origin::default(),
    });
    let left_out = calendar.left.into_iter().map(|left| LeftOut {
        origin: Origin::default(),
        what: left.item,
        why: left.part,
        weight: left.weight,
    });
    Ok(Haul { found: found.collect(), left_out: left_out.collect() })
}
