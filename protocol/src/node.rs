//! The router: passes each input to the room it concerns, and what came of it to the next.
//!
//! Owns nothing but the rooms. An input is handled into a draft; a refused one drops its draft, and what it had changed in
//! memory is read from the store again. Nothing is carried out here.

pub(crate) mod content;
pub(crate) mod cuts;
pub(crate) mod delivery;
pub(crate) mod entries;
mod full;
#[cfg(feature = "switches")]
mod memory;
pub(crate) mod people;
mod query;
mod roles;
mod state;
#[cfg(test)]
mod tests;

use crate::context::Cx;
pub use crate::context::InputError;
pub use crate::io::{Answer, CallId, Command, Effect, Env, Filter, Input, Link, Noun, Query};
pub use query::answer;
pub(crate) use state::NodeState;

use crate::control::{Code, Error};
use crate::crypto::Crypto;
use crate::id::PeerId;
use crate::planted::{Bug, planted};
use crate::store::{Read, StoreError};
use crate::sync::frame::{self, Frame, Message};
use crate::sync::{dial, exchange, hello, join, receive, welcome};
use crate::time::Millis;
use crate::tx::{Turn, Tx};

/// The core of one member's daemon. Holds only what a crash may forget.
#[derive(Debug)]
pub struct Node {
    rooms: NodeState,
}

impl Node {
    /// Reads what the store holds. `peer`: this node's own transport id.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails or is damaged.
    pub fn open(base: &dyn Read, crypto: &dyn Crypto, peer: PeerId) -> Result<Self, StoreError> {
        Ok(Self { rooms: NodeState::open(base, crypto, peer)? })
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
        let done = step(&mut self.rooms, &mut cx, input).and_then(|()| self.rooms.settle(&mut cx));
        let stop = match done {
            Ok(()) => {
                cx.tx.finish().join(batch);
                self.rooms.saved();
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
                self.rooms.gather_soon(env.now);
                batch.effects.push(Effect::Reply(call, Err(error)));
            }
            (InputError::Peer(why), _, link) => {
                batch.effects.push(Effect::Log(why, None));
                if let Some(link) = link {
                    self.rooms.ended(env, link);
                    batch.effects.push(Effect::Close(link));
                }
            }
            (InputError::Later(id, size), _, Some(link)) => {
                let mut tx = Tx::new(base, batch);
                self.rooms.put_off(&mut tx, link, &id, size);
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
        self.rooms.reload(&view, env.crypto)
    }

    /// When [`Input::Tick`] is due next.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub fn deadline(&self, base: &dyn Read) -> Result<Option<Millis>, StoreError> {
        self.rooms.deadline(base)
    }

    /// Open streams to different peers.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.rooms.dialer.connected_count()
    }

    /// When entries last arrived from somebody else.
    #[must_use]
    pub const fn last_arrival(&self) -> Option<Millis> {
        self.rooms.last_arrival
    }
}

fn step(rooms: &mut NodeState, cx: &mut Cx<'_, '_>, input: Input) -> Result<(), InputError> {
    match input {
        Input::Call(call, command) => command_came(rooms, cx, call, command),
        Input::Opened { link, peer, .. } => {
            hello::opened(rooms, cx, link, peer);
            Ok(())
        }
        Input::Bytes(link, bytes) => frame_came(rooms, cx, link, &bytes),
        Input::Closed(link) => {
            rooms.ended(cx.env, link);
            Ok(())
        }
        Input::Failed(peer) => {
            rooms.dialer.failed(cx, &peer);
            Ok(())
        }
        Input::Listening(addresses) => {
            rooms.listening(cx, addresses);
            Ok(())
        }
        Input::Tick => rooms.tick(cx),
        Input::Woke => {
            rooms.dialer.all_now();
            Ok(())
        }
    }
}

fn frame_came(rooms: &mut NodeState, cx: &mut Cx<'_, '_>, link: Link, bytes: &[u8]) -> Result<(), InputError> {
    let Some(session) = rooms.sessions.get_mut(&link) else {
        cx.tx.then(Effect::Close(link));
        return Ok(());
    };
    if !session.one_more() {
        return Err(InputError::Peer("too much from somebody who proved nothing"));
    }
    let frame: Frame = crate::codec::decode_within(bytes, crate::limits::FRAME_BYTES, "frame")
        .map_err(|_| InputError::Peer("a frame that is none"))?;
    match frame {
        Frame::Hello { version: frame::VERSION, salt } => hello::hello(rooms, cx, link, salt),
        Frame::Hello { .. } => Err(InputError::Peer("another protocol version")),
        Frame::Tokens(tokens) => hello::tokens(rooms, cx, link, tokens),
        Frame::Intro(sealed) => hello::introduced(rooms, cx, link, &sealed.0),
        Frame::Ticket(proof) => welcome::ticket(rooms, cx, link, &proof),
        Frame::Answer(answer) => join::answered(rooms, cx, link, &answer),
        Frame::Request(request) => welcome::request(rooms, cx, link, request),
        Frame::Taken(freed) => welcome::taken(rooms, cx, link, freed),
        Frame::Circle(token, message) => message_came(rooms, cx, link, token, message),
    }
}

fn message_came(
    rooms: &mut NodeState,
    cx: &mut Cx<'_, '_>,
    link: Link,
    token: frame::Token,
    message: Message,
) -> Result<(), InputError> {
    if let Message::Farewell(bytes) = &message {
        let Some(id) = hello::circle_of_farewell(rooms, cx.env.now, link, &token) else { return Ok(()) };
        return receive::farewell(rooms, cx, id, &bytes.0);
    }
    if matches!(&message, Message::Got(chains, 0) if chains.is_empty()) {
        if let Some(id) = hello::circle_of_farewell(rooms, cx.env.now, link, &token) {
            receive::noted(rooms, cx, &id);
        }
        return Ok(());
    }
    // A circle that this side has just closed may still be spoken of: not an offence.
    let Some(id) = rooms.sessions.get(&link).and_then(|s| s.circle_of(&token)) else { return Ok(()) };
    if let Message::Prove(device, signature) = &message {
        return hello::prove(rooms, cx, link, id, *device, signature);
    }
    if !rooms.still_welcome(link, &id) {
        return Ok(());
    }
    match message {
        Message::Prove(..) | Message::Farewell(_) => Ok(()),
        Message::Digest(digest) => exchange::digest_came(rooms, cx, link, id, digest),
        Message::Have(have) => exchange::have_came(rooms, cx, link, id, have),
        Message::Acts(acts) => receive::acts(rooms, cx, link, id, &acts),
        Message::Records(records) => receive::records(rooms, cx, link, id, &records),
        Message::Run(run, skipped) => receive::run(rooms, cx, link, id, &run.0, skipped),
        Message::Got(chains, freed) => exchange::got(rooms, cx, link, id, &chains, freed),
        Message::Want(chains) => exchange::want(rooms, cx, link, id, &chains),
        Message::Requests(requests) => welcome::requests(rooms, cx, id, requests),
    }
}

fn command_came(rooms: &mut NodeState, cx: &mut Cx<'_, '_>, call: CallId, command: Command) -> Result<(), InputError> {
    let answer = match command {
        Command::PreviewInvite(link) => return people::preview(rooms, cx, call, &link),
        Command::Init { name } => people::init(cx, &name)?,
        Command::NewCircle(new) => people::new_circle(rooms, cx, &new)?,
        Command::EditCircle(circle, edit) => people::edit_circle(rooms, cx, &circle, &edit)?,
        Command::Leave(circle) => people::leave(rooms, cx, &circle)?,
        Command::NewInvite(circle, new) => people::new_invite(rooms, cx, &circle, &new)?,
        Command::RevokeInvite(circle, invite) => people::revoke_invite(rooms, cx, &circle, &invite)?,
        Command::Accept(accept) => people::accept(rooms, cx, &accept)?,
        Command::ConfirmJoin(circle) => people::confirm(rooms, cx, &circle)?,
        Command::AbandonJoin(circle) => people::abandon(rooms, cx, &circle)?,
        Command::Approve(circle, request) => people::approve(rooms, cx, &circle, &request)?,
        Command::Decline(circle, request) => people::decline(rooms, cx, &circle, &request)?,
        Command::RemoveMember(circle, member) => roles::remove(rooms, cx, &circle, &member)?,
        Command::RestoreMember(circle, member) => roles::restore(rooms, cx, &circle, &member)?,
        Command::LeaveAside(circle, member) => roles::leave_aside(rooms, cx, &circle, &member)?,
        Command::SetRole(circle, member, role) => roles::set_role(rooms, cx, &circle, &member, &role)?,
        Command::SyncNow => {
            rooms.dialer.all_now();
            Answer::Done
        }
        item @ (Command::NewNote(..)
        | Command::NewEvent(..)
        | Command::NewResource(..)
        | Command::NewReply(..)
        | Command::React(..)
        | Command::Rsvp(..)
        | Command::Batch(..)
        | Command::Edit(..)
        | Command::Remove { .. }
        | Command::Hide(..)
        | Command::Pin(..)
        | Command::Seen { .. }
        | Command::Rebuild
        | Command::Index) => content::command(rooms, cx, item)?,
    };
    cx.tx.then(Effect::Reply(call, Ok(answer)));
    Ok(())
}

/// A refusal for what only a current member may do.
pub(crate) fn outside() -> Error {
    Error::new(Code::NotAllowed, "you are no longer in this circle", "you can still read and export what is here")
}

/// Keeps the dialer's wishes in step with the circles and the tickets.
pub(crate) fn call_whom(rooms: &mut NodeState, env: Option<&mut Env<'_>>) {
    let wanted = rooms.wanted();
    rooms.dialer.want(env, wanted);
}

pub(crate) use dial::Dialer;
