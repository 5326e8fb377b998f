//! What people name: a link, one of several by its id, themselves.

use crate::circle::ticket::{Ticket, TicketError};
use crate::codec;
use crate::context::InputError;
use crate::control::{Code, Error, Hint};
use crate::limits::NAMED_CANDIDATES;
use crate::private::Private;
use crate::store::{Read, StoreError, Table};

/// An invite link, as somebody pastes it.
pub(crate) fn parse_link(link: &str) -> Result<Ticket, InputError> {
    Ticket::parse(link).map_err(|error| match error {
        TicketError::NotALink => {
            InputError::usage("That is not an invite link.", "A link begins with kith://join#; copy all of it.")
        }
        TicketError::Damaged => InputError::usage("The link is cut off or mistyped.", "Copy all of it again, in one line."),
        TicketError::Newer => InputError::usage("The link was made by a newer version of Kith.", "Update Kith and try again."),
    })
}

/// One of several by short id or prefix.
pub(super) fn by_prefix<T: Copy>(
    all: impl Iterator<Item = (String, T)>,
    text: &str,
    what: &str,
    hint: Hint,
) -> Result<T, InputError> {
    // A letter and its dash name nothing, however few there are.
    let found: Vec<(String, T)> = all.filter(|(id, _)| text.len() > 2 && id.starts_with(&text.to_lowercase())).collect();
    match found.as_slice() {
        [(_, one)] => Ok(*one),
        [] => Err(InputError::not_found(&format!("No {what} has that id."), hint)),
        _ => {
            let ids: Vec<&str> = found.iter().take(NAMED_CANDIDATES).map(|(id, _)| id.as_str()).collect();
            Err(InputError::Refused(Error::new(
                Code::Ambiguous,
                format!("Several {what}s begin like that."),
                format!("Use more of the id: {}.", ids.join(", ")),
            )))
        }
    }
}

/// The usual name.
pub(crate) fn usual_name(read: &dyn Read) -> Result<String, StoreError> {
    let bytes = read.get(Table::Local, b"name")?;
    Ok(bytes.and_then(|b| codec::decode::<Private<String>>(&b, "name").ok()).map(|name| name.0).unwrap_or_default())
}
