//! What notes, events and resources share: filters, shown and removed things, pins, hides, history, batches.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use kith_protocol::control::Batch;
use kith_protocol::node::{Command, Filter, Noun, Query};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{IdList, Reply, RevisionList, shown};
use super::extract::{Asked, Body, In, Unlocked, flag, one_of};
use crate::app::App;
use crate::limits::{BATCH_BODY_BYTES, BATCH_CALL, CALL};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(batch))
        .layer(DefaultBodyLimit::max(BATCH_BODY_BYTES))
        .routes(routes!(history))
        .routes(routes!(pin, unpin))
        .routes(routes!(hide, unhide))
}

/// Which of a list.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Narrow {
    /// The last so many.
    limit: Option<usize>,
    /// Only what is new here.
    #[serde(deserialize_with = "flag")]
    new: bool,
    /// Notes without a reply by somebody else; events not answered.
    #[serde(deserialize_with = "flag")]
    unanswered: bool,
    /// Events that are not over.
    #[serde(deserialize_with = "flag")]
    upcoming: bool,
    /// Bodies behind warnings too.
    #[serde(deserialize_with = "flag")]
    reveal: bool,
    /// Only with this tag.
    tag: Option<String>,
    /// With all of long texts; else a list shows their start, and says `cut`.
    #[serde(deserialize_with = "flag")]
    full: bool,
}

impl From<Narrow> for Filter {
    fn from(narrow: Narrow) -> Self {
        let Narrow { limit, new, unanswered, upcoming, reveal, tag, full } = narrow;
        Self { limit, new, unanswered, upcoming, reveal, tag, full }
    }
}

/// How a history is shown.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Behind {
    /// Bodies behind warnings too.
    #[serde(deserialize_with = "flag")]
    reveal: bool,
}

/// How one thing is shown or removed.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct How {
    /// Bodies behind warnings too.
    #[serde(deserialize_with = "flag")]
    reveal: bool,
    /// Destroy at once instead of after 24 hours.
    #[serde(deserialize_with = "flag")]
    now: bool,
}

pub(super) async fn list(session: &Session, schema: &'static str, circle: String, noun: Noun, narrow: Narrow) -> Reply {
    let query = Query::List { circle: one_of(circle), noun, filter: narrow.into() };
    shown(schema, StatusCode::OK, session.ask(query).await)
}

pub(super) async fn show(session: &Session, schema: &'static str, at: (String, String), noun: Noun, how: How) -> Reply {
    let query = Query::Show { circle: one_of(at.0), noun, item: at.1, reveal: how.reveal };
    shown(schema, StatusCode::OK, session.ask(query).await)
}

pub(super) async fn remove(session: &Session, schema: &'static str, at: (String, String), how: How) -> Reply {
    let command = Command::Remove { circle: at.0, item: at.1, now: how.now };
    shown(schema, StatusCode::OK, session.call(command, CALL).await)
}

/// Many new items in one transaction
#[utoipa::path(post, path = "/v1/circles/{c}/batch", params(("c" = String, Path)), request_body = Batch, responses((status = 201, body = IdList)))]
async fn batch(Unlocked(session): Unlocked, In(circle): In<String>, Body(batch): Body<Batch>) -> Reply {
    shown("kith.batch.new/1", StatusCode::CREATED, session.call(Command::Batch(circle, batch), BATCH_CALL).await)
}

type Item = (String, String, String);

fn history_schema(noun: &str) -> Option<&'static str> {
    Some(match noun {
        "notes" => "kith.note.history/1",
        "events" => "kith.event.history/1",
        "resources" => "kith.resource.history/1",
        _ => return None,
    })
}

/// How it came to be what it is
#[utoipa::path(get, path = "/v1/circles/{c}/{noun}/{id}/history", params(("c" = String, Path), ("noun" = String, Path, description = "`notes`, `events` or `resources`"), ("id" = String, Path), Behind), responses((status = 200, body = RevisionList)))]
async fn history(
    Unlocked(session): Unlocked,
    In((circle, noun, item)): In<Item>,
    Asked(Behind { reveal }): Asked<Behind>,
) -> Reply {
    let Some(schema) = history_schema(&noun) else { return Err(super::no_such_route().await) };
    shown(schema, StatusCode::OK, session.ask(Query::History { circle: one_of(circle), item, reveal }).await)
}

async fn mark(session: &Session, (circle, noun, item): Item, command: fn(String, String, bool) -> Command, on: bool) -> Reply {
    if history_schema(&noun).is_none() {
        return Err(super::no_such_route().await);
    }
    shown("kith.item.edit/1", StatusCode::OK, session.call(command(circle, item, on), CALL).await)
}

/// Pin it
#[utoipa::path(put, path = "/v1/circles/{c}/{noun}/{id}/pin", params(("c" = String, Path), ("noun" = String, Path), ("id" = String, Path)), responses((status = 200)))]
async fn pin(Unlocked(session): Unlocked, In(at): In<Item>) -> Reply {
    mark(&session, at, Command::Pin, true).await
}

/// Take the pin off
#[utoipa::path(delete, path = "/v1/circles/{c}/{noun}/{id}/pin", params(("c" = String, Path), ("noun" = String, Path), ("id" = String, Path)), responses((status = 200)))]
async fn unpin(Unlocked(session): Unlocked, In(at): In<Item>) -> Reply {
    mark(&session, at, Command::Pin, false).await
}

/// Hide it
#[utoipa::path(put, path = "/v1/circles/{c}/{noun}/{id}/hide", params(("c" = String, Path), ("noun" = String, Path), ("id" = String, Path)), responses((status = 200)))]
async fn hide(Unlocked(session): Unlocked, In(at): In<Item>) -> Reply {
    mark(&session, at, Command::Hide, true).await
}

/// Show it again
#[utoipa::path(delete, path = "/v1/circles/{c}/{noun}/{id}/hide", params(("c" = String, Path), ("noun" = String, Path), ("id" = String, Path)), responses((status = 200)))]
async fn unhide(Unlocked(session): Unlocked, In(at): In<Item>) -> Reply {
    mark(&session, at, Command::Hide, false).await
}
