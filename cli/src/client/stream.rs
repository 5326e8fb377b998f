//! Server-sent events from `/v1/watch`, line by line.

use http_body_util::BodyExt;

use super::{Client, Route, refusal};
use crate::error::{self, Result};
use crate::limits::EVENT_BYTES;

impl Client {
    /// Call `each` with the data of every event until the daemon ends the stream or `each` fails.
    /// `last` holds the id of the last one, so that a broken stream can go on where it stopped.
    pub(crate) fn watch(&self, last: &mut Option<String>, mut each: impl FnMut(&str) -> Result<()>) -> Result<()> {
        let response = self.runtime.block_on(self.open("GET", &Route::new("watch"), String::new(), last.as_deref()))?;
        let status = response.status();
        let mut body = response.into_body();
        if !status.is_success() {
            let bytes = self.runtime.block_on(body.collect()).map(http_body_util::Collected::to_bytes).unwrap_or_default();
            return Err(refusal(status, &String::from_utf8_lossy(&bytes)));
        }
        let mut parser = Parser::default();
        // `each` runs outside the runtime, so that it may ask the daemon for something itself.
        while let Some(frame) = self.runtime.block_on(body.frame()) {
            let Ok(frame) = frame else { return Ok(()) };
            let Some(bytes) = frame.data_ref() else { continue };
            for event in parser.push(bytes)? {
                if let Some(id) = event.id {
                    *last = Some(id);
                }
                if !event.data.is_empty() {
                    each(&event.data)?;
                }
            }
        }
        Ok(())
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Event {
    id: Option<String>,
    data: String,
}

#[derive(Debug, Default)]
struct Parser {
    buffer: Vec<u8>,
    event: Event,
}

impl Parser {
    fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>> {
        self.buffer.extend_from_slice(bytes);
        let mut events = Vec::new();
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.buffer.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\n', '\r']);
            if line.is_empty() {
                events.push(std::mem::take(&mut self.event));
            } else if let Some(id) = line.strip_prefix("id:") {
                self.event.id = Some(id.trim_start().to_owned());
            } else if let Some(data) = line.strip_prefix("data:") {
                self.event.data.push_str(data.strip_prefix(' ').unwrap_or(data));
            }
        }
        if self.buffer.len() + self.event.data.len() > EVENT_BYTES {
            return Err(error::failed("The daemon's event is too long.", ""));
        }
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_whole_however_they_are_cut() {
        let text = b": hello\n\nid: 7\nevent: item\ndata: {\"a\":1}\n\nid: 8\r\ndata: {}\r\n\r\n";
        for size in [1, 3, 1_000] {
            let mut parser = Parser::default();
            let events: Vec<Event> = text
                .chunks(size)
                .flat_map(|part| parser.push(part).unwrap())
                .filter(|event| *event != Event::default())
                .collect();
            assert_eq!(events.len(), 2, "{size}");
            assert_eq!(events[0], Event { id: Some("7".into()), data: "{\"a\":1}".into() });
            assert_eq!(events[1].id.as_deref(), Some("8"));
        }
    }
}
