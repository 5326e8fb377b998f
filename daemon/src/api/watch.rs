//! Server-sent events: ids of what changed, resumable within a bounded buffer. Ends when the daemon locks or stops.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, Stream};
use kith_protocol::control::WatchEvent;
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Reply;
use super::extract::Unlocked;
use crate::app::App;
use crate::hub::{Numbered, Watching, event_id};
use crate::limits::ALIVE;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(watch))
}

/// Server-sent events `item`, `member`, `sync`, `join`; `reset` where some were missed, so that lists should be read again
#[utoipa::path(get, path = "/v1/watch", responses((status = 200, content_type = "text/event-stream", body = WatchEvent)))]
async fn watch(Unlocked(session): Unlocked, headers: HeaderMap) -> Reply {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let watching = session.hub.watch(last);
    drop(session);
    Ok(Sse::new(events(watching)).keep_alive(KeepAlive::new().interval(ALIVE)).into_response())
}

fn events(watching: Watching) -> impl Stream<Item = Result<Event, Infallible>> {
    let Watching { missed, gap, live, run } = watching;
    let mut first: VecDeque<Event> = missed.iter().map(|event| shown(run, event)).collect();
    if gap {
        first.push_front(reset());
    }
    // Comes at once, so that a watcher knows that they watch.
    first.push_front(Event::default().comment("watching"));
    stream::unfold((first, live), move |(mut first, mut live)| async move {
        if let Some(event) = first.pop_front() {
            return Some((Ok(event), (first, live)));
        }
        let event = match live.recv().await {
            Ok(event) => shown(run, &event),
            Err(RecvError::Lagged(_)) => reset(),
            Err(RecvError::Closed) => return None,
        };
        Some((Ok(event), (first, live)))
    })
}

#[derive(Serialize)]
struct Data<'a> {
    schema: &'static str,
    #[serde(flatten)]
    event: &'a WatchEvent,
}

fn shown(run: u32, Numbered { number, event }: &Numbered) -> Event {
    let named = Event::default().id(event_id(run, *number)).event(event.event.word());
    let data = Data { schema: "kith.watch/1", event };
    named.json_data(data).unwrap_or_else(|_| reset())
}

fn reset() -> Event {
    Event::default().event("reset").data("{\"schema\":\"kith.watch/1\",\"event\":\"reset\"}")
}
