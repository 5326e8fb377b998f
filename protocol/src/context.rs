//! What every room gets for one input: a draft and the outside's loan; and how an input ends early.

use crate::budget::Budget;
use crate::control::{Code, Error, Hint, Hints};
use crate::id::CircleId;
use crate::io::{Effect, Env};
use crate::store::StoreError;
use crate::tx::Tx;

/// A draft, and time, randomness and signatures.
#[derive(Debug)]
pub(crate) struct Cx<'a, 'e> {
    pub(crate) tx: Tx<'a>,
    pub(crate) env: &'a mut Env<'e>,
    /// What may still be done for this input on behalf of others.
    pub(crate) budget: Budget,
}

impl<'a, 'e> Cx<'a, 'e> {
    /// For one input.
    pub(crate) fn new(tx: Tx<'a>, env: &'a mut Env<'e>) -> Self {
        Self { tx, env, budget: Budget::default() }
    }

    /// Random bytes.
    pub(crate) fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.env.rng.fill_bytes(&mut out);
        out
    }

    /// A line for the log, without content.
    pub(crate) fn log(&mut self, line: &'static str, circle: Option<CircleId>) {
        self.tx.then(Effect::Log(line, circle));
    }
}

/// Why an input ended early. Its draft is dropped.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A command cannot be done; the caller is told.
    #[error("refused: {}", .0.message)]
    Refused(Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A peer's bytes cannot be judged yet; so many are acknowledged, and asked for again once more is known.
    #[error("not yet")]
    Later(CircleId, u64),
    /// A peer broke the protocol; its stream is closed.
    #[error("a peer sent {0}")]
    Peer(&'static str),
}

impl From<Error> for InputError {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl InputError {
    /// A refusal because of somebody's role.
    pub(crate) fn not_allowed(message: &str) -> Self {
        Self::Refused(Error::new(Code::NotAllowed, message, Hint::run("member", "list", &[], "shows who may")))
    }

    /// A refusal of what only a current member may do.
    pub(crate) fn outside() -> Self {
        let hint = "You can still read and export what is here.";
        Self::Refused(Error::new(Code::NotAllowed, "You are no longer in this circle.", hint))
    }

    /// A refusal because something has to arrive first.
    pub(crate) fn not_yet(message: &str) -> Self {
        Self::Refused(Error::new(Code::Failed, message, "Wait until another member is online, then try again."))
    }

    /// A refusal of what makes no sense.
    pub(crate) fn usage(message: &str, hint: impl Into<Hints>) -> Self {
        Self::Refused(Error::new(Code::Usage, message, hint))
    }

    /// A refusal because nothing has that name.
    pub(crate) fn not_found(message: &str, hint: impl Into<Hints>) -> Self {
        Self::Refused(Error::new(Code::NotFound, message, hint))
    }
}
