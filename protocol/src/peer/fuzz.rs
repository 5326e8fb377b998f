//! Doors for the fuzz tests: each decoder of a form that is private to this room, from its bytes to what it would write again.
//! Must never be used by anything else.

use super::frame::{Card, Frame, Introduction, RequestBody};
use crate::circle::ticket::Ticket;
use crate::codec;
use crate::limits;

/// A frame.
#[must_use]
pub fn frame(bytes: &[u8]) -> Option<Vec<u8>> {
    codec::decode_within::<Frame>(bytes, limits::FRAME_BYTES, "frame").ok().map(|frame| codec::encode(&frame))
}

/// A newcomer's introduction, inside its seal.
#[must_use]
pub fn introduction(bytes: &[u8]) -> Option<Vec<u8>> {
    codec::decode_within::<Introduction>(bytes, limits::HELLO_BYTES, "introduction").ok().map(|intro| codec::encode(&intro))
}

/// A request, inside its seal.
#[must_use]
pub fn request(bytes: &[u8]) -> Option<Vec<u8>> {
    codec::decode_within::<RequestBody>(bytes, limits::ACT_BYTES, "request").ok().map(|body| codec::encode(&body))
}

/// A card, inside its seal.
#[must_use]
pub fn card(bytes: &[u8]) -> Option<Vec<u8>> {
    codec::decode_within::<Card>(bytes, limits::FRAME_BYTES, "card").ok().map(|card| codec::encode(&card))
}

/// A link, as a person pastes it.
#[must_use]
pub fn link(text: &str) -> Option<String> {
    Ticket::parse(text).ok().map(|ticket| ticket.link())
}
