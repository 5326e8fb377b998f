//! Tickets: what an invite link carries. The secret stands in the link's fragment and never enters a log.

use data_encoding::BASE64URL_NOPAD;
use minicbor::{Decode, Encode};
use zeroize::Zeroize;

use super::body::Role;
use crate::codec;
use crate::crypto::{self, Key, SigningKey};
use crate::id::{Addr, CircleId, DeviceId, PeerId};
use crate::limits;
use crate::time::Millis;

const VERSION: u8 = 1;
const PREFIX: &str = "kith://join#";

/// A 128-bit secret.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub(crate) struct Secret(#[cbor(with = "minicbor::bytes")] pub [u8; 16]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<secret>")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Who may be asked, and where.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct PeerHint {
    /// The transport id.
    #[n(0)]
    pub(crate) peer: PeerId,
    /// Addresses, at most [`limits::ADDRESSES`].
    #[n(1)]
    pub(crate) addresses: Vec<Addr>,
}

/// What an invite link carries.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Ticket {
    #[n(0)]
    version: u8,
    /// The circle.
    #[n(1)]
    pub(crate) circle: CircleId,
    /// Proves the right to ask.
    #[n(2)]
    pub(crate) secret: Secret,
    /// The role it gives.
    #[n(3)]
    pub(crate) role: Role,
    /// When it ends.
    #[n(4)]
    pub(crate) expires: Millis,
    /// The inviter's device, whose signature the card bears.
    #[n(5)]
    pub(crate) inviter: DeviceId,
    /// Whom to ask.
    #[n(6)]
    pub(crate) hints: Vec<PeerHint>,
}

/// Why a link is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TicketError {
    /// It does not begin as links of this program do.
    #[error("not an invite link")]
    NotALink,
    /// It is cut off or mistyped.
    #[error("the link is damaged or cut off")]
    Damaged,
    /// A later version's.
    #[error("the link was made by a newer version")]
    Newer,
}

/// The same link, its inviter to be asked at these addresses first. `None` where it is no link.
#[must_use]
pub fn link_at(link: &str, addresses: &[Addr]) -> Option<String> {
    let mut ticket = Ticket::parse(link).ok()?;
    let hint = ticket.hints.first_mut()?;
    let known = std::mem::take(&mut hint.addresses);
    let others = known.into_iter().filter(|address| !addresses.contains(address));
    hint.addresses = addresses.iter().cloned().chain(others).take(limits::ADDRESSES).collect();
    Some(ticket.link())
}

/// Where a link says that somebody can be asked; nothing where it is no link.
#[must_use]
pub fn link_addresses(link: &str) -> Vec<Addr> {
    Ticket::parse(link).map(|ticket| ticket.hints.into_iter().flat_map(|hint| hint.addresses).collect()).unwrap_or_default()
}

impl Ticket {
    /// A ticket for a circle.
    #[must_use]
    pub(crate) const fn new(
        circle: CircleId,
        secret: Secret,
        role: Role,
        expires: Millis,
        inviter: DeviceId,
        hints: Vec<PeerHint>,
    ) -> Self {
        Self { version: VERSION, circle, secret, role, expires, inviter, hints }
    }

    /// The link; anyone who has it may ask to come in.
    #[must_use]
    pub(crate) fn link(&self) -> String {
        let body = codec::encode(self);
        let check = crypto::hash("kith/v1/link-check", &[&body]);
        let (check, _) = check.split_at(4);
        format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&[&body[..], check].concat()))
    }

    /// Reads a link.
    ///
    /// # Errors
    /// [`TicketError`] says what is wrong with it.
    pub(crate) fn parse(link: &str) -> Result<Self, TicketError> {
        let link = link.trim();
        let text = link.strip_prefix(PREFIX).ok_or(TicketError::NotALink)?;
        let bytes = Some(text).filter(|t| t.len() <= limits::LINK_CHARS).and_then(|t| BASE64URL_NOPAD.decode(t.as_bytes()).ok());
        let bytes = bytes.filter(|b| b.len() > 4).ok_or(TicketError::Damaged)?;
        let (body, check) = bytes.split_at(bytes.len() - 4);
        if !crypto::hash("kith/v1/link-check", &[body]).starts_with(check) {
            return Err(TicketError::Damaged);
        }
        if body.get(1).is_some_and(|version| *version > VERSION && *version < 24) {
            return Err(TicketError::Newer);
        }
        let ticket: Self = codec::decode(body, "ticket").map_err(|_| TicketError::Damaged)?;
        let fits = ticket.version == VERSION
            && ticket.hints.len() <= limits::HINTS
            && ticket.hints.iter().all(|h| h.peer.0.len() <= limits::PEER_ID_BYTES && h.addresses.len() <= limits::ADDRESSES);
        if fits { Ok(ticket) } else { Err(TicketError::Damaged) }
    }

    /// The key whose public half stands in the invite.
    #[must_use]
    pub(crate) fn key(&self) -> SigningKey {
        ticket_key(&self.circle, &self.secret)
    }

    /// The key under which the card comes.
    #[must_use]
    pub(crate) fn card_key(&self) -> Key {
        card_key(&self.circle, &self.secret)
    }
}

fn widened(secret: &Secret) -> Key {
    let mut wide = [0; 32];
    let (head, _) = wide.split_at_mut(16);
    head.copy_from_slice(&secret.0);
    Key::from_bytes(wide)
}

/// The signing key of a ticket.
#[must_use]
pub(crate) fn ticket_key(circle: &CircleId, secret: &Secret) -> SigningKey {
    SigningKey::from_seed(*crypto::derive("kith/v1/ticket", &widened(secret), &[&circle.0]).as_bytes())
}

/// The sealing key of a ticket's card.
#[must_use]
pub(crate) fn card_key(circle: &CircleId, secret: &Secret) -> Key {
    crypto::derive("kith/v1/card", &widened(secret), &[&circle.0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_takes_further_addresses_and_no_more_than_fit() {
        let addr = |n: u8| Addr(vec![4, 10, 0, 0, n, 6, 0, 80]);
        let hint = PeerHint { peer: PeerId(vec![1; 38]), addresses: (0..8).map(addr).collect() };
        let (circle, device) = (CircleId([1; 32]), DeviceId([2; 32]));
        let link = Ticket::new(circle, Secret([3; 16]), Role::Member, Millis(4), device, vec![hint]).link();
        let longer = link_at(&link, &[addr(9), addr(2)]).expect("it is a link");
        assert_eq!(link_addresses(&longer), [9, 2, 0, 1, 3, 4, 5, 6].map(addr));
        assert_eq!((link_at("kith://join#x", &[addr(9)]), link_addresses("x")), (None, Vec::new()));
    }

    fn ticket() -> Ticket {
        let hint = PeerHint { peer: PeerId(vec![1; 38]), addresses: vec![Addr(vec![4, 127, 0, 0, 1, 6, 0, 80])] };
        Ticket::new(CircleId([1; 32]), Secret([2; 16]), Role::Member, Millis(9), DeviceId([3; 32]), vec![hint])
    }

    #[test]
    fn links_round_trip_and_notice_damage() {
        let link = ticket().link();
        assert_eq!(Ticket::parse(&format!("  {link}\n")), Ok(ticket()));
        assert_eq!(Ticket::parse("https://example.org"), Err(TicketError::NotALink));
        assert_eq!(Ticket::parse(&link[..link.len() - 3]), Err(TicketError::Damaged));
        let mut broken = link.into_bytes();
        broken[40] = if broken[40] == b'A' { b'B' } else { b'A' };
        assert_eq!(Ticket::parse(&String::from_utf8_lossy(&broken)), Err(TicketError::Damaged));
    }
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::frozen::{Form, frozen};

    fn ticket() -> Ticket {
        let hint = PeerHint { peer: PeerId(vec![12; 38]), addresses: vec![Addr(vec![4, 127, 0, 0, 1, 6, 16, 0])] };
        let (circle, expires) = (CircleId([1; 32]), Millis(1_795_618_800_000));
        Ticket::new(circle, Secret([14; 16]), Role::Member, expires, DeviceId([3; 32]), vec![hint])
    }

    frozen![Form::new("ticket", 1, &[ticket()]), Form::new("invite-secret", 1, &[Secret([14; 16])])];
}
