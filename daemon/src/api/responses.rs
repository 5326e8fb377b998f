//! What people say about an item that is there: replies, reactions, answers to events.

use std::sync::Arc;

use axum::http::StatusCode;
use kith_protocol::control::{Event, NewReaction, NewReply, Note, Response, Rsvped};
use kith_protocol::node::Command;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Reply, shown};
use super::extract::{Body, Path, Unlocked};
use crate::app::App;
use crate::limits::CALL;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(reply)).routes(routes!(react)).routes(routes!(rsvp))
}

/// Reply to it
#[utoipa::path(post, path = "/v1/circles/{c}/notes/{id}/replies", params(("c" = String, Path), ("id" = String, Path)), request_body = NewReply, responses((status = 201, body = Note)))]
async fn reply(Unlocked(session): Unlocked, Path((circle, id)): Path<(String, String)>, Body(new): Body<NewReply>) -> Reply {
    shown("kith.note.reply/1", StatusCode::CREATED, session.call(Command::Respond(circle, id, Response::Reply(new)), CALL).await)
}

/// React to it, or take that back
#[utoipa::path(post, path = "/v1/circles/{c}/notes/{id}/reactions", params(("c" = String, Path), ("id" = String, Path)), request_body = NewReaction, responses((status = 201, body = Note)))]
async fn react(Unlocked(session): Unlocked, Path((circle, id)): Path<(String, String)>, Body(new): Body<NewReaction>) -> Reply {
    shown(
        "kith.note.react/1",
        StatusCode::CREATED,
        session.call(Command::Respond(circle, id, Response::Reaction(new)), CALL).await,
    )
}

/// Answer it
#[utoipa::path(post, path = "/v1/circles/{c}/events/{id}/rsvp", params(("c" = String, Path), ("id" = String, Path)), request_body = Rsvped, responses((status = 200, body = Event)))]
async fn rsvp(
    Unlocked(session): Unlocked,
    Path((circle, id)): Path<(String, String)>,
    Body(Rsvped { answer }): Body<Rsvped>,
) -> Reply {
    shown("kith.event.rsvp/1", StatusCode::OK, session.call(Command::Respond(circle, id, Response::Rsvp(answer)), CALL).await)
}
