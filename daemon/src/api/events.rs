//! Events.

use std::sync::Arc;

use axum::http::StatusCode;
use kith_protocol::control::{EditEvent, EditItem, Event, NewEvent, Rsvped};
use kith_protocol::node::{Command, Noun};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{EventList, Reply, shown};
use super::extract::{Asked, Body, In, Unlocked};
use super::items::{self, How, Narrow};
use crate::app::App;
use crate::limits::CALL;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list, new)).routes(routes!(show, edit, remove)).routes(routes!(rsvp))
}

/// Events, oldest first
#[utoipa::path(get, path = "/v1/circles/{c}/events", params(("c" = String, Path), Narrow), responses((status = 200, body = EventList)))]
async fn list(Unlocked(session): Unlocked, In(circle): In<String>, Asked(narrow): Asked<Narrow>) -> Reply {
    items::list(&session, "kith.event.list/1", circle, Noun::Event, narrow).await
}

/// A new event
#[utoipa::path(post, path = "/v1/circles/{c}/events", params(("c" = String, Path)), request_body = NewEvent, responses((status = 201, body = Event)))]
async fn new(Unlocked(session): Unlocked, In(circle): In<String>, Body(new): Body<NewEvent>) -> Reply {
    shown("kith.event.new/1", StatusCode::CREATED, session.call(Command::NewEvent(circle, new), CALL).await)
}

/// One event
#[utoipa::path(get, path = "/v1/circles/{c}/events/{id}", params(("c" = String, Path), ("id" = String, Path), How), responses((status = 200, body = Event)))]
async fn show(Unlocked(session): Unlocked, In(at): In<(String, String)>, Asked(how): Asked<How>) -> Reply {
    items::show(&session, "kith.event.show/1", at, Noun::Event, how).await
}

/// Change it
#[utoipa::path(patch, path = "/v1/circles/{c}/events/{id}", params(("c" = String, Path), ("id" = String, Path)), request_body = EditEvent, responses((status = 200, body = Event)))]
async fn edit(Unlocked(session): Unlocked, In((circle, id)): In<(String, String)>, Body(edit): Body<EditEvent>) -> Reply {
    shown("kith.event.edit/1", StatusCode::OK, session.call(Command::Edit(circle, id, EditItem::Event(edit)), CALL).await)
}

/// Delete it
#[utoipa::path(delete, path = "/v1/circles/{c}/events/{id}", params(("c" = String, Path), ("id" = String, Path), How), responses((status = 200)))]
async fn remove(Unlocked(session): Unlocked, In(at): In<(String, String)>, Asked(how): Asked<How>) -> Reply {
    items::remove(&session, "kith.event.remove/1", at, how).await
}

/// Answer it
#[utoipa::path(post, path = "/v1/circles/{c}/events/{id}/rsvp", params(("c" = String, Path), ("id" = String, Path)), request_body = Rsvped, responses((status = 200, body = Event)))]
async fn rsvp(
    Unlocked(session): Unlocked,
    In((circle, id)): In<(String, String)>,
    Body(Rsvped { answer }): Body<Rsvped>,
) -> Reply {
    shown("kith.event.rsvp/1", StatusCode::OK, session.call(Command::Rsvp(circle, id, answer), CALL).await)
}
