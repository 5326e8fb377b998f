//! Hands each frame, and each message in a circle, to what it concerns.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use super::frame::{self, Frame};
use super::{Peers, hello, join, receive, tickets, welcome};
use crate::context::{Cx, InputError};
use crate::io::{Effect, Link};
use crate::sync::circles::Circles;
use crate::sync::message::Message;

/// A frame came: to whom it is handed.
pub(crate) fn frame_came(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    bytes: &[u8],
) -> Result<(), InputError> {
    let Some(session) = peers.sessions.get_mut(&link) else {
        cx.tx.then(Effect::Close(link));
        return Ok(());
    };
    if !session.one_more() {
        return Err(InputError::Peer("too much from somebody who proved nothing"));
    }
    let frame: Frame = crate::codec::decode_within(bytes, crate::limits::FRAME_BYTES, "frame")
        .map_err(|_| InputError::Peer("a malformed frame"))?;
    match frame {
        Frame::Hello { version: frame::VERSION, salt } => hello::hello(circles, peers, cx, link, salt),
        Frame::Hello { .. } => Err(InputError::Peer("another protocol version")),
        Frame::Tokens(tokens) => hello::tokens(circles, peers, cx, link, tokens),
        Frame::Intro(sealed) => hello::introduced(circles, peers, cx, link, &sealed.0),
        Frame::Ticket(proof) => tickets::ticket(circles, peers, cx, link, &proof),
        Frame::Answer(answer) => join::answered(circles, peers, cx, link, &answer),
        Frame::Request(request) => welcome::request(circles, peers, cx, link, request),
        Frame::Taken(freed) => welcome::taken(circles, peers, cx, link, freed),
        Frame::Circle(token, message) => message_came(circles, peers, cx, link, token, message),
    }
}

fn message_came(
    circles: &mut Circles,
    peers: &mut Peers,
    cx: &mut Cx<'_, '_>,
    link: Link,
    token: frame::Token,
    message: Message,
) -> Result<(), InputError> {
    if let Message::Farewell(bytes) = &message {
        let Some(id) = hello::circle_of_farewell(circles, peers, cx.env.now, link, &token) else { return Ok(()) };
        return receive::farewell(circles, peers, cx, id, &bytes.0);
    }
    if matches!(&message, Message::Got(chains, 0) if chains.is_empty()) {
        if let Some(id) = hello::circle_of_farewell(circles, peers, cx.env.now, link, &token) {
            peers.left(circles, cx, &id);
        }
        return Ok(());
    }
    // A circle that this side has just closed may still be spoken of: not an offence.
    let Some(id) = peers.sessions.get(&link).and_then(|s| s.circle_of(&token)) else { return Ok(()) };
    if let Message::Prove(device, signature) = &message {
        return hello::prove(circles, peers, cx, link, id, *device, signature);
    }
    if !peers.still_welcome(circles, link, &id) {
        return Ok(());
    }
    match message {
        Message::Prove(..) | Message::Farewell(_) => Ok(()),
        Message::Requests(requests) => welcome::requests(circles, peers, cx, id, requests),
        Message::Have(have) => receive::have_came(circles, peers, cx, link, id, have),
        Message::Digest(_) | Message::Acts(_) | Message::Records(_) | Message::Run(..) | Message::Got(..) | Message::Want(_) => {
            receive::message(circles, peers, cx, link, id, &message)
        }
    }
}
