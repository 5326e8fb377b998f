//! A calendar file.

use kith_protocol::control::{BatchItem, NewEvent};

use super::{Found, Haul};
use crate::calendar::read;
use crate::left_out::{LeftOut, Origin, Weight};

/// Its events; `usual` is the zone of times that name none.
pub(crate) fn haul(bytes: &[u8], usual: &str) -> Result<Haul, String> {
    let calendar = read::read(bytes, usual)?;
    let found = |line: usize, event: NewEvent| Found {
        title: event.title.clone(),
        item: BatchItem::Event(event),
        origin: Origin::line(line),
    };
    let events = calendar.events.into_iter().filter(|incoming| !incoming.cancels);
    let mut haul = Haul { found: events.map(|incoming| found(incoming.line, incoming.event)).collect(), left_out: calendar.left };
    for change in calendar.changes {
        let why = "changes one time of an event that is not in the file; it is imported as an event of its own".to_owned();
        let (origin, what) = (Origin::line(change.line), change.title.clone());
        haul.left_out.push(LeftOut { origin, what, why, weight: Weight::Changed });
        let event = NewEvent { uid: format!("{}#{}", change.uid, change.at.text()), ..change.event };
        haul.found.push(found(change.line, event));
    }
    Ok(haul)
}
