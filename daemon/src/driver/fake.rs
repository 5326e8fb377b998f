//! A machine for tests: remembers names, and does on request what a core might do.
#![expect(clippy::wildcard_enum_match_arm, reason = "it does only what tests ask of it")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use kith_protocol::control::{self, Code, Error, Items, Subject, Topic, WatchChange};
use kith_protocol::id::PeerId;
use kith_protocol::node::{Answer, Command, Effect, Input, Query};
use kith_protocol::store::{Read, StoreError, Table};
use kith_protocol::time::Millis;
use kith_protocol::tx::{Turn, Tx};

use super::Machine;
use crate::limits::TURN;

/// `SyncNow` waits for a frame; a circle named `panic` panics, `deadline` asks for a tick, `huge` writes 4 MiB, `slow` takes longer
/// than a turn has.
#[derive(Debug, Default)]
pub(crate) struct Fake {
    waiting: Option<kith_protocol::node::CallId>,
}

/// A list of the circle `endless` is being read.
pub(crate) static READING: AtomicBool = AtomicBool::new(false);

const NAME: &[u8] = b"name";
const DUE: &[u8] = b"due";
const TICKS: &[u8] = b"ticks";

impl Machine for Fake {
    fn open(_: Millis, _: &dyn Read, _: &PeerId, _: &mut Turn) -> Result<Self, StoreError> {
        Ok(Self::default())
    }

    fn handle(&mut self, now: Millis, _: &PeerId, base: &dyn Read, batch: &mut Turn, input: Input) -> Result<(), StoreError> {
        let mut tx = Tx::new(base, batch);
        match input {
            Input::Call(call, Command::Init { name }) => {
                tx.put(Table::Local, NAME, name.into_bytes());
                tx.then(Effect::Reply(call, Ok(Answer::Done)));
            }
            Input::Call(call, Command::NewCircle(new)) => {
                match new.name.as_str() {
                    "panic" => panic!("as asked: {}", new.agreement),
                    "deadline" => tx.put(Table::Local, DUE, now.0.to_be_bytes().to_vec()),
                    "slow" => {
                        let start = Instant::now();
                        while start.elapsed() <= TURN {}
                    }
                    "huge" => tx.put(Table::Block, b"huge", vec![7; 4 << 20]),
                    _ => {}
                }
                tx.put(Table::Circle, new.name.as_bytes(), Vec::new());
                let (event, noun, change) = (Topic::Item, Subject::Note, WatchChange::New);
                let (circle, id) = ("c-1".to_owned(), new.name.clone());
                tx.then(Effect::Notify(control::WatchEvent::new(event, (circle, id), noun, change, now)));
                tx.then(Effect::Reply(call, Ok(Answer::Made(control::Made { ids: vec![new.name], import: None }))));
            }
            Input::Call(call, Command::SyncNow) => self.waiting = Some(call),
            Input::Call(call, Command::Index) => tx.then(Effect::Reply(call, Ok(Answer::Indexed(true)))),
            Input::Call(call, _) => {
                let refused = Error::new(Code::NotFound, "Nothing is called that.", "Look again.");
                tx.then(Effect::Reply(call, Err(refused)));
            }
            Input::Tick => {
                tx.delete(Table::Local, DUE);
                tx.put(Table::Local, TICKS, b"1".to_vec());
                if let Some(call) = self.waiting.take() {
                    tx.then(Effect::Reply(call, Ok(Answer::Done)));
                }
            }
            _ => {}
        }
        tx.finish().join(batch);
        Ok(())
    }

    fn deadline(&self, base: &dyn Read) -> Result<Option<Millis>, StoreError> {
        let due = base.get(Table::Local, DUE)?;
        Ok(due.and_then(|due| due.as_slice().try_into().ok()).map(|due| Millis(u64::from_be_bytes(due))))
    }

    fn answer(base: &dyn Read, _: Millis, query: Query) -> Result<Result<Answer, Error>, StoreError> {
        Ok(match query {
            Query::Status => {
                let circles = base.scan(Table::Circle, b"", b"", 99)?.len();
                let name = base.get(Table::Local, NAME)?.map(|name| String::from_utf8_lossy(&name).into_owned());
                Ok(Answer::Status(Box::new(control::DaemonStatus { circles, name, ..control::DaemonStatus::default() })))
            }
            Query::List { circle, .. } if circle.as_deref() == Some("c-1") => Ok(Answer::Items(Items::Notes(Vec::new()))),
            Query::List { circle, .. } if circle.as_deref() == Some("endless") => loop {
                base.get(Table::Local, NAME)?;
                READING.store(true, Ordering::Release);
            },
            Query::Search { words, limit, .. } => Err(Error::new(Code::Ambiguous, format!("{words} {limit}"), "")),
            _ => Err(Error::new(Code::NotFound, "Nothing is called that.", "Look again.")),
        })
    }
}
