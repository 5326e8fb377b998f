//! What reaches the driver, and how: one bounded queue, and a budget for the bytes that wait in it.

use std::sync::Arc;

use kith_protocol::control::Error;
use kith_protocol::node::{Answer, Command, Input};
use tokio::sync::mpsc::{Permit, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::limits::INBOUND_BYTES;

/// What a call comes to.
pub(crate) type Outcome = Result<Answer, Error>;

/// What reaches the driver.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "inputs are the many, and a box for each would cost more than the queue's room")]
pub(crate) enum Event {
    /// From the network.
    Heard(Inbound),
    /// From the local API. Nobody may be waiting for the answer any more.
    Call(Box<Command>, oneshot::Sender<Outcome>),
    /// The machine slept, or its clock was set.
    Woke,
    /// Finish.
    Stop,
}

/// What the network tells the driver, with the bytes it holds in the shared budget until it was handled.
#[derive(Debug)]
pub(crate) struct Inbound {
    pub(crate) input: Input,
    _budget: Option<OwnedSemaphorePermit>,
}

/// Where the network puts what it hears.
#[derive(Clone, Debug)]
pub(crate) struct DriverQueue {
    events: Sender<Event>,
    budget: Arc<Semaphore>,
}

/// A place in the queue for one input.
#[derive(Debug)]
pub(crate) struct Room<'a> {
    place: Permit<'a, Event>,
    budget: Option<OwnedSemaphorePermit>,
}

impl DriverQueue {
    pub(crate) fn new(events: Sender<Event>) -> Self {
        Self { events, budget: Arc::new(Semaphore::new(INBOUND_BYTES)) }
    }

    /// Waits for a place. None: the driver is gone.
    pub(crate) async fn room(&self) -> Option<Room<'_>> {
        Some(Room { place: self.events.reserve().await.ok()?, budget: None })
    }

    /// Waits for so many bytes of the budget, then for a place. None: the driver is gone.
    pub(crate) async fn room_for(&self, bytes: u32) -> Option<Room<'_>> {
        let budget = Arc::clone(&self.budget).acquire_many_owned(bytes).await.ok()?;
        Some(Room { place: self.events.reserve().await.ok()?, budget: Some(budget) })
    }
}

impl Room<'_> {
    /// Hands it over.
    pub(crate) fn hear(self, input: Input) {
        self.place.send(Event::Heard(Inbound { input, _budget: self.budget }));
    }
}
