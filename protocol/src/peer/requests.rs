//! Requests to come in that wait: what is kept of them here, without their bodies.
//!
//! Anyone who holds a link sends requests at will, each up to 128 KiB. How many wait, by which ticket and for whom stands in
//! memory, so that a further one makes nobody read the others again.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use crate::codec;
use crate::context::Cx;
use crate::crypto::Signature;
use crate::id::{CircleId, DeviceId};
use crate::limits;
use crate::store::{self, Read, StoreError, Table};
use crate::sync::message::Request;
use crate::time::Millis;
use crate::tx::Tx;

/// A request that waits here.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(array)]
pub(crate) struct RequestRow {
    #[n(0)]
    pub(super) version: u8,
    #[n(1)]
    pub(crate) request: Request,
    /// When it came, by our clock.
    #[n(2)]
    pub(crate) at: Millis,
    /// A steward said no here.
    #[n(3)]
    pub(crate) declined: bool,
}

impl RequestRow {
    /// Before a circle's and a device's id.
    pub(crate) const PREFIX: &[u8] = b"req";

    fn key(circle: &CircleId, device: &DeviceId) -> Vec<u8> {
        [Self::PREFIX, &circle.0[..], &device.0].concat()
    }

    /// Does it wait for somebody's decision here? Not once a steward said no here, or the device that asked took it back.
    pub(crate) const fn waits(&self) -> bool {
        !self.declined && self.request.taken_back.is_none()
    }

    /// What is kept once it was taken back: whom it went to, so that they hear of it, and no word of it.
    pub(super) fn taken_back(mut self, signature: Signature) -> Self {
        self.request.sealed.iter_mut().for_each(|sealed| sealed.sealed.clear());
        self.request.taken_back = Some(signature);
        self
    }

    /// By [`super::requests::Requests`] only, which knows what is kept.
    pub(super) fn save(&self, cx: &mut Cx<'_, '_>, circle: &CircleId) {
        cx.tx.put(Table::Outbox, &Self::key(circle, &self.request.device), codec::encode(self));
    }

    pub(super) fn delete(cx: &mut Cx<'_, '_>, circle: &CircleId, device: &DeviceId) {
        cx.tx.delete(Table::Outbox, &Self::key(circle, device));
    }

    /// A device's.
    pub(crate) fn get(read: &dyn Read, circle: &CircleId, device: &DeviceId) -> Result<Option<Self>, StoreError> {
        let bytes = read.get(Table::Outbox, &Self::key(circle, device))?;
        Ok(bytes.and_then(|b| codec::decode(&b, "request row").ok()))
    }

    /// Forgets all requests of a circle.
    pub(crate) fn forget(tx: &mut Tx<'_>, circle: &CircleId) -> Result<(), StoreError> {
        tx.delete_all(Table::Outbox, &[Self::PREFIX, &circle.0].concat())
    }

    /// All requests of a circle.
    pub(crate) fn all(read: &dyn Read, circle: &CircleId) -> Result<Vec<Self>, StoreError> {
        let rows = read.scan(Table::Outbox, &[Self::PREFIX, &circle.0].concat(), &[], limits::REQUEST_ROWS)?;
        Ok(rows.into_iter().filter_map(|(_, bytes)| codec::decode(&bytes, "request row").ok()).collect())
    }
}

/// What is known of a request without its body.
#[derive(Clone, Debug)]
pub(crate) struct Waits {
    /// By which ticket it came.
    pub(crate) ticket: DeviceId,
    /// To which stewards' devices it is sealed.
    to: Vec<DeviceId>,
    /// A steward said no here.
    pub(crate) declined: bool,
}

/// What waits in each circle, by the device that asks.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    waits: BTreeMap<(CircleId, DeviceId), Waits>,
    /// Changed by the input at hand.
    dirty: bool,
}

impl Requests {
    /// Of all circles.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub(crate) fn load(read: &dyn Read) -> Result<Self, StoreError> {
        let mut requests = Self::default();
        for (key, bytes) in store::all(read, Table::Outbox, RequestRow::PREFIX)? {
            let circle = key.get(RequestRow::PREFIX.len()..).and_then(|key| key.first_chunk()).map(|id| CircleId(*id));
            if let (Some(circle), Ok(row)) = (circle, codec::decode::<RequestRow>(&bytes, "request row")) {
                requests.put(circle, &row);
            }
        }
        Ok(requests)
    }

    /// The input at hand was kept.
    pub(crate) const fn saved(&mut self) {
        self.dirty = false;
    }

    /// It was not: reads again what it changed.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub(crate) fn reload(&mut self, read: &dyn Read) -> Result<(), StoreError> {
        if self.dirty {
            *self = Self::load(read)?;
        }
        Ok(())
    }

    fn put(&mut self, circle: CircleId, row: &RequestRow) {
        let to = row.request.sealed.iter().map(|sealed| sealed.to).take(limits::HEADS).collect();
        let waits = Waits { ticket: row.request.ticket, to, declined: row.declined };
        self.waits.insert((circle, row.request.device), waits);
    }

    /// Keeps a request, or what a steward said to it.
    pub(crate) fn keep(&mut self, cx: &mut Cx<'_, '_>, circle: &CircleId, row: &RequestRow) {
        row.save(cx, circle);
        self.put(*circle, row);
        self.dirty = true;
    }

    /// Forgets a request.
    pub(crate) fn forget(&mut self, cx: &mut Cx<'_, '_>, circle: &CircleId, device: &DeviceId) {
        RequestRow::delete(cx, circle, device);
        self.dirty |= self.waits.remove(&(*circle, *device)).is_some();
    }

    /// What waits in a circle.
    pub(crate) fn of(&self, circle: &CircleId) -> impl Iterator<Item = (DeviceId, &Waits)> {
        let all = (*circle, DeviceId([0; 32]))..=(*circle, DeviceId([0xff; 32]));
        self.waits.range(all).map(|((_, device), waits)| (*device, waits))
    }

    /// Does this device's wait?
    pub(crate) fn holds(&self, circle: &CircleId, device: &DeviceId) -> bool {
        self.waits.contains_key(&(*circle, *device))
    }

    /// Is there room for one more in this circle?
    pub(crate) fn room(&self, circle: &CircleId) -> bool {
        self.of(circle).count() < limits::REQUESTS
    }

    /// And by this ticket?
    pub(crate) fn room_by(&self, circle: &CircleId, ticket: &DeviceId) -> bool {
        self.room(circle) && self.of(circle).filter(|(_, waits)| waits.ticket == *ticket).count() < limits::REQUESTS_PER_TICKET
    }

    /// Those that a steward's device can open and that nobody declined here.
    pub(crate) fn open_to(&self, circle: &CircleId, steward: &DeviceId) -> Vec<DeviceId> {
        let open = |(_, waits): &(DeviceId, &Waits)| !waits.declined && waits.to.contains(steward);
        self.of(circle).filter(open).map(|(device, _)| device).collect()
    }
}

#[cfg(test)]
mod frozen {
    use super::*;
    use crate::frozen::{Form, frozen};
    use crate::sync::message::SealedRequest;

    fn row() -> RequestRow {
        let sealed = vec![SealedRequest { to: DeviceId([3; 32]), sealed: vec![11; 40] }];
        let request = Request { ticket: DeviceId([33; 32]), device: DeviceId([23; 32]), sealed, taken_back: None };
        RequestRow { version: 1, request, at: Millis(1_795_359_600_000), declined: true }
    }

    frozen![Form::new("request-row", 1, &[row(), row().taken_back(Signature([7; 64]))])];
}
