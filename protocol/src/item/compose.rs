//! From what a person asks for to the entries that say it: checked in words they can act on, before anything is written.
//!
//! Nothing here writes. What is returned is given to the log, and what the log made of it to [`super::apply()`].

mod change;
mod first;

pub(super) use change::{Changing, any, target};
pub(super) use first::{First, needed};

use rand_core::CryptoRng;

use super::edit::{Edit, Op};
use super::kind::Kind;
use super::tomorrow;
use crate::circle::body::{KeyClass, Retention, Role};
use crate::codec;
use crate::control::{Code, Error, Hint};
use crate::id::{ItemId, PersonId};
use crate::limits::PAYLOAD_BYTES;
use crate::log::entry::NewEntry;
use crate::store::StoreError;
use crate::time::Millis;

/// Who writes, where and when.
#[derive(Clone, Copy, Debug)]
pub struct ComposeContext {
    /// The member of this machine.
    pub me: PersonId,
    /// Their role now.
    pub role: Role,
    /// The clock.
    pub now: Millis,
    /// How long the circle keeps conversation.
    pub retention: Retention,
}

/// Why nothing was written.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ComposeError {
    /// It cannot be done; tell the person.
    #[error("refused")]
    Refused(Box<Error>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Error> for ComposeError {
    fn from(error: Error) -> Self {
        Self::Refused(Box::new(error))
    }
}

impl ComposeContext {
    pub(super) fn may_open(&self, kind: Kind) -> Result<(), Error> {
        if kind.may_open(self.role) {
            return Ok(());
        }
        let (message, hint) = match kind.opened_by() {
            Role::Facilitator => {
                ("Only facilitators and stewards do that.", Hint::run("member", "list", &[], "shows whom you can ask"))
            }
            Role::Guest | Role::Member | Role::Steward | Role::Founder => {
                let hint = Hint::Text("A steward can change your role, if you would like to write.".to_owned());
                ("Guests read and react here; they do not write.", hint)
            }
        };
        Err(Error::new(Code::NotAllowed, message, hint))
    }

    /// A new item of a kind, with its first edit.
    pub(super) fn open(
        &self,
        rng: &mut dyn CryptoRng,
        kind: Kind,
        about: Option<Target>,
        mut ops: Vec<Op>,
    ) -> Result<NewEntry, Error> {
        self.may_open(kind)?;
        tomorrow::say(kind, &mut ops);
        let mut nonce = [0; 16];
        rng.fill_bytes(&mut nonce);
        let item = ItemId { creator: self.me, nonce };
        let class = kind.class().or(about.map(|about| about.class)).unwrap_or(KeyClass::Library);
        let retention = match about {
            // A deletion or a hide that ended before its target would bring it back.
            Some(about) if kind.is_mark() => about.retention,
            _ if class == KeyClass::Talk => self.retention,
            _ => Retention::Keep,
        };
        let opening = Edit::opening(self.now, about.map(|about| about.item), ops);
        entry(kind, class, item, retention, &opening).map(|entry| tomorrow::written(kind, entry))
    }
}

/// What a new item is about.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) item: ItemId,
    pub(super) class: KeyClass,
    pub(super) retention: Retention,
}

/// Writes an edit down, and reads it again as everybody else will.
fn entry(kind: Kind, class: KeyClass, item: ItemId, retention: Retention, edit: &Edit) -> Result<NewEntry, Error> {
    let payload = codec::encode(edit);
    if payload.len() > PAYLOAD_BYTES {
        let message = format!(
            "This {} is {} kB in all; it holds {} kB.",
            kind.noun(),
            payload.len().div_ceil(1 << 10),
            PAYLOAD_BYTES >> 10
        );
        return Err(Error::new(Code::TooLarge, message, "Split it into several, or change less at a time."));
    }
    if let Err(error) = Edit::parse(&payload, kind) {
        return Err(Error::new(Code::Failed, format!("This cannot be written down: {error}."), "Try with a smaller change."));
    }
    Ok(NewEntry { class, kind: kind.number(), item, retention, payload })
}
