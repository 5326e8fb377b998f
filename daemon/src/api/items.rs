//! The routes of everything that has a list: lists, new items, one item, its changes, its deletion, its history and its marks.
//!
//! The table of kinds says which there are; each handler stands here once. [`shape`] has what travels for a kind, [`describe`] says
//! the same to OpenAPI.

mod describe;
mod params;
mod shape;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::get;
use kith_protocol::control::{Batch, Kind, Made};
use kith_protocol::node::{self, Command};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

use super::answer::{Reply, RevisionList, no_such_path, shown};
use super::extract::{Body, Path, Query, Raw, Unlocked, one_of};
use crate::app::App;
use crate::limits::{BATCH_BODY_BYTES, BATCH_CALL, CALL};
use crate::session::Session;
use params::{Behind, ListParams, ShowParams};
use shape::Shape;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    let shared = OpenApiRouter::new()
        .routes(routes!(batch))
        .layer(DefaultBodyLimit::max(BATCH_BODY_BYTES))
        .routes(routes!(history))
        .routes(routes!(pin, unpin))
        .routes(routes!(hide, unhide))
        .routes(routes!(restore));
    let shapes = Kind::listed().filter_map(Shape::of);
    shapes.fold(shared, |router, shape| router.routes(list_routes(&shape)).routes(item_routes(&shape)))
}

/// A circle and an item in it, as typed.
type At = (String, String);

/// The list of a kind: `GET`, and `POST` for a new item.
fn list_routes(shape: &Shape) -> UtoipaMethodRouter<Arc<App>> {
    let kind = shape.kind;
    let list = move |Unlocked(session): Unlocked, Path(circle): Path<String>, Query(params): Query<ListParams>| async move {
        let query = node::Query::List { circle: one_of(circle), kind, filter: params.into() };
        shown(&schema(kind, "list"), StatusCode::OK, session.ask(query).await)
    };
    let new = move |Unlocked(session): Unlocked, Path(circle): Path<String>, body: Raw| async move {
        let command = Command::New(circle, shape::new_item(kind, &body)?);
        shown(&schema(kind, "new"), StatusCode::CREATED, session.call(command, CALL).await)
    };
    (shape.schemas(), describe::list(shape), get(list).post(new))
}

/// An item of a kind: `GET`, `PATCH`, `DELETE`.
fn item_routes(shape: &Shape) -> UtoipaMethodRouter<Arc<App>> {
    let kind = shape.kind;
    let show = move |Unlocked(session): Unlocked, Path((circle, item)): Path<At>, Query(params): Query<ShowParams>| async move {
        let query = node::Query::Show { circle: one_of(circle), kind, item, reveal: params.reveal };
        shown(&schema(kind, "show"), StatusCode::OK, session.ask(query).await)
    };
    let edit = move |Unlocked(session): Unlocked, Path((circle, item)): Path<At>, body: Raw| async move {
        let command = Command::Edit(circle, item, shape::edit_item(kind, &body)?);
        shown(&schema(kind, "edit"), StatusCode::OK, session.call(command, CALL).await)
    };
    let remove = move |Unlocked(session): Unlocked, Path((circle, item)): Path<At>, Query(params): Query<ShowParams>| async move {
        let command = Command::Remove { circle, item, now: params.now };
        shown(&schema(kind, "remove"), StatusCode::OK, session.call(command, CALL).await)
    };
    (Vec::new(), describe::item(shape), get(show).patch(edit).delete(remove))
}

fn schema(kind: Kind, verb: &str) -> String {
    format!("kith.{}.{verb}/1", kind.noun())
}

/// Many new items in one transaction
#[utoipa::path(post, path = "/v1/circles/{c}/batch", params(("c" = String, Path)), request_body = Batch, responses((status = 201, body = Made)))]
async fn batch(Unlocked(session): Unlocked, Path(circle): Path<String>, Body(batch): Body<Batch>) -> Reply {
    shown("kith.batch.new/1", StatusCode::CREATED, session.call(Command::Batch(circle, batch), BATCH_CALL).await)
}

type Item = (String, String, String);

/// How it came to be what it is
#[utoipa::path(get, path = "/v1/circles/{c}/{noun}/{id}/history", params(("c" = String, Path), ("noun" = String, Path, description = "`notes`, `events` or `resources`"), ("id" = String, Path), Behind), responses((status = 200, body = RevisionList)))]
async fn history(
    Unlocked(session): Unlocked,
    Path((circle, noun, item)): Path<Item>,
    Query(Behind { reveal }): Query<Behind>,
) -> Reply {
    let Some(kind) = Kind::of_path(&noun) else { return Err(no_such_path()) };
    let query = node::Query::History { circle: one_of(circle), item, reveal };
    shown(&schema(kind, "history"), StatusCode::OK, session.ask(query).await)
}

async fn mark(session: &Session, (circle, noun, item): Item, command: fn(String, String, bool) -> Command, on: bool) -> Reply {
    let Some(kind) = Kind::of_path(&noun) else { return Err(no_such_path()) };
    let verb = if matches!(command(String::new(), String::new(), on), Command::Pin(..)) { "pin" } else { "hide" };
    shown(&schema(kind, verb), StatusCode::OK, session.call(command(circle, item, on), CALL).await)
}

/// Pin it
#[utoipa::path(put, path = "/v1/circles/{c}/{noun}/{id}/pin", params(("c" = String, Path), ("noun" = String, Path), ("id" = String, Path)), responses((status = 200)))]
async fn pin(Unlocked(session): Unlocked, Path(at): Path<Item>) -> Reply {
    mark(&session, at, Command::Pin, true).await
}

/// Take the pin off
#[utoipa::path(delete, path = "/v1/circles/{c}/{noun}/{id}/pin", params(("c" = String, Path), ("noun" = String, Path), ("id" = String, Path)), responses((status = 200)))]
async fn unpin(Unlocked(session): Unlocked, Path(at): Path<Item>) -> Reply {
    mark(&session, at, Command::Pin, false).await
}

/// Hide it
#[utoipa::path(put, path = "/v1/circles/{c}/{noun}/{id}/hide", params(("c" = String, Path), ("noun" = String, Path), ("id" = String, Path)), responses((status = 200)))]
async fn hide(Unlocked(session): Unlocked, Path(at): Path<Item>) -> Reply {
    mark(&session, at, Command::Hide, true).await
}

/// Show it again
#[utoipa::path(delete, path = "/v1/circles/{c}/{noun}/{id}/hide", params(("c" = String, Path), ("noun" = String, Path), ("id" = String, Path)), responses((status = 200)))]
async fn unhide(Unlocked(session): Unlocked, Path(at): Path<Item>) -> Reply {
    mark(&session, at, Command::Hide, false).await
}

/// Bring back what one deleted less than a day ago
#[utoipa::path(post, path = "/v1/circles/{c}/{noun}/{id}/restore", params(("c" = String, Path), ("noun" = String, Path), ("id" = String, Path)), responses((status = 200)))]
async fn restore(Unlocked(session): Unlocked, Path((circle, noun, item)): Path<Item>) -> Reply {
    let Some(kind) = Kind::of_path(&noun) else { return Err(no_such_path()) };
    shown(&schema(kind, "restore"), StatusCode::OK, session.call(Command::Restore(circle, item), CALL).await)
}
