//! The router: passes each input to what it concerns, and sees to what follows from it.
//!
//! Owns the node's state, its circles and its peers, and nothing else. An input is handled into a draft; a refused one drops its draft, and what it had changed in
//! memory is read from the store again. Nothing is carried out here.

mod commands;
mod draft_row;
mod full;
#[cfg(feature = "switches")]
mod memory;
mod named;
mod notices;
mod opened;
mod query;
mod shown;
mod state;
#[cfg(test)]
mod tests;
mod timers;

use crate::context::Cx;
pub use crate::context::InputError;
pub use crate::io::{Answer, CallId, Command, Effect, Env, Filter, Input, Link, Query};
pub use query::answer;
pub(crate) use state::NodeState;

use crate::crypto::Crypto;
use crate::id::PeerId;
use crate::peer::{dispatch, hello};
use crate::planted::{Bug, planted};
use crate::store::{Read, StoreError};
use crate::time::Millis;
use crate::tx::{Turn, Tx};

/// The core of one member's daemon. Holds only what a crash may forget.
#[derive(Debug)]
pub struct Node {
    state: NodeState,
}

impl Node {
    /// Reads what the store holds. `peer`: this node's own transport id.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails or is damaged.
    pub fn open(base: &dyn Read, crypto: &dyn Crypto, peer: PeerId) -> Result<Self, StoreError> {
        Ok(Self { state: NodeState::open(base, crypto, peer)? })
    }

    /// Makes derived rows again that another version of this program wrote, and judges what that one could not: to be committed before
    /// anything is asked.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails or is damaged.
    pub fn refresh(&mut self, env: &mut Env<'_>, base: &dyn Read, turn: &mut Turn) -> Result<(), StoreError> {
        let mut cx = Cx::new(Tx::new(base, turn), env);
        match self.state.refresh(&mut cx) {
            Ok(()) => {}
            Err(InputError::Store(error)) => return Err(error),
            Err(other) => return Err(StoreError::Corrupt(format!("what another version left: {other}"))),
        }
        cx.tx.finish().join(turn);
        self.state.saved();
        Ok(())
    }

    /// Handles one input. Its writes and effects join `batch`; a refusal is replied and leaves no trace.
    ///
    /// # Errors
    /// [`StoreError`]: the node is to be dropped and opened again, and so is every stream.
    pub fn handle(&mut self, env: &mut Env<'_>, base: &dyn Read, batch: &mut Turn, input: Input) -> Result<(), StoreError> {
        let (call, link) = match &input {
            Input::Call(call, _) => (Some(*call), None),
            Input::Bytes(link, _) => (None, Some(*link)),
            Input::Opened { .. } | Input::Closed(_) | Input::Failed(_) | Input::Listening(_) | Input::Tick | Input::Woke => {
                (None, None)
            }
        };
        let mut cx = Cx::new(Tx::new(base, batch), env);
        let done = step(&mut self.state, &mut cx, input).and_then(|()| self.state.settle(&mut cx));
        let stop = match done {
            Ok(()) => {
                cx.tx.finish().join(batch);
                self.state.saved();
                return Ok(());
            }
            Err(stop) => stop,
        };
        let spent = cx.tx.spent();
        if planted(Bug::KeptDraft) && !matches!(stop, InputError::Store(_)) {
            let mut kept = Turn::default();
            cx.tx.finish().join(&mut kept);
            batch.writes.extend(kept.writes);
        } else {
            drop(cx);
        }
        batch.spent = spent;
        match (stop, call, link) {
            (InputError::Store(error), _, _) => return Err(error),
            (InputError::Refused(error), Some(call), _) => {
                self.state.gather_soon(env.now);
                batch.effects.push(Effect::Reply(call, Err(error)));
            }
            (InputError::Peer(why), _, link) => {
                batch.effects.push(Effect::Log(why, None));
                if let Some(link) = link {
                    self.state.peers.ended(env, link);
                    batch.effects.push(Effect::Close(link));
                }
            }
            (InputError::Later(id, size), _, Some(link)) => {
                let mut tx = Tx::new(base, batch);
                self.state.peers.put_off(&self.state.circles, &mut tx, link, &id, size);
                tx.finish().join(batch);
            }
            (InputError::Refused(_), None, _) | (InputError::Later(..), _, None) => {
                batch.effects.push(Effect::Log("an input could not be used", None))
            }
        }
        if planted(Bug::KeptMemory) {
            return Ok(());
        }
        let view = Tx::new(base, batch);
        self.state.reload(&view, env.crypto)
    }

    /// When [`Input::Tick`] is due next.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub fn deadline(&self, base: &dyn Read) -> Result<Option<Millis>, StoreError> {
        self.state.deadline(base)
    }

    /// Open streams to different peers.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.state.peers.dialer.connected_count()
    }
}

fn step(node: &mut NodeState, cx: &mut Cx<'_, '_>, input: Input) -> Result<(), InputError> {
    match input {
        Input::Call(call, command) => commands::command_came(node, cx, call, command),
        Input::Opened { link, peer, .. } => {
            hello::opened(&mut node.peers, cx, link, peer);
            Ok(())
        }
        Input::Bytes(link, bytes) => dispatch::frame_came(&mut node.circles, &mut node.peers, cx, link, &bytes),
        Input::Closed(link) => {
            node.peers.ended(cx.env, link);
            Ok(())
        }
        Input::Failed(peer) => {
            node.peers.dialer.failed(cx, &peer);
            Ok(())
        }
        Input::Listening(addresses) => {
            node.peers.listening(&mut node.circles, cx, addresses);
            Ok(())
        }
        Input::Tick => node.tick(cx),
        Input::Woke => {
            node.peers.dialer.all_now();
            Ok(())
        }
    }
}
