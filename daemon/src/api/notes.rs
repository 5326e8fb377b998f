//! Notes.

use std::sync::Arc;

use axum::http::StatusCode;
use kith_protocol::control::{EditItem, EditNote, NewNote, NewReaction, NewReply, Note};
use kith_protocol::node::{Command, Noun};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{NoteList, Reply, shown};
use super::extract::{Asked, Body, In, Unlocked};
use super::items::{self, How, Narrow};
use crate::app::App;
use crate::limits::CALL;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, new))
        .routes(routes!(show, edit, remove))
        .routes(routes!(reply))
        .routes(routes!(react))
}

/// Notes, oldest first
#[utoipa::path(get, path = "/v1/circles/{c}/notes", params(("c" = String, Path), Narrow), responses((status = 200, body = NoteList)))]
async fn list(Unlocked(session): Unlocked, In(circle): In<String>, Asked(narrow): Asked<Narrow>) -> Reply {
    items::list(&session, "kith.note.list/1", circle, Noun::Note, narrow).await
}

/// A new note
#[utoipa::path(post, path = "/v1/circles/{c}/notes", params(("c" = String, Path)), request_body = NewNote, responses((status = 201, body = Note)))]
async fn new(Unlocked(session): Unlocked, In(circle): In<String>, Body(new): Body<NewNote>) -> Reply {
    shown("kith.note.new/1", StatusCode::CREATED, session.call(Command::NewNote(circle, new), CALL).await)
}

/// One note
#[utoipa::path(get, path = "/v1/circles/{c}/notes/{id}", params(("c" = String, Path), ("id" = String, Path), How), responses((status = 200, body = Note)))]
async fn show(Unlocked(session): Unlocked, In(at): In<(String, String)>, Asked(how): Asked<How>) -> Reply {
    items::show(&session, "kith.note.show/1", at, Noun::Note, how).await
}

/// Change it
#[utoipa::path(patch, path = "/v1/circles/{c}/notes/{id}", params(("c" = String, Path), ("id" = String, Path)), request_body = EditNote, responses((status = 200, body = Note)))]
async fn edit(Unlocked(session): Unlocked, In((circle, id)): In<(String, String)>, Body(edit): Body<EditNote>) -> Reply {
    shown("kith.note.edit/1", StatusCode::OK, session.call(Command::Edit(circle, id, EditItem::Note(edit)), CALL).await)
}

/// Delete it
#[utoipa::path(delete, path = "/v1/circles/{c}/notes/{id}", params(("c" = String, Path), ("id" = String, Path), How), responses((status = 200)))]
async fn remove(Unlocked(session): Unlocked, In(at): In<(String, String)>, Asked(how): Asked<How>) -> Reply {
    items::remove(&session, "kith.note.remove/1", at, how).await
}

/// Reply to it
#[utoipa::path(post, path = "/v1/circles/{c}/notes/{id}/replies", params(("c" = String, Path), ("id" = String, Path)), request_body = NewReply, responses((status = 201, body = Note)))]
async fn reply(Unlocked(session): Unlocked, In((circle, id)): In<(String, String)>, Body(new): Body<NewReply>) -> Reply {
    shown("kith.note.reply/1", StatusCode::CREATED, session.call(Command::NewReply(circle, id, new), CALL).await)
}

/// React to it, or take that back
#[utoipa::path(post, path = "/v1/circles/{c}/notes/{id}/reactions", params(("c" = String, Path), ("id" = String, Path)), request_body = NewReaction, responses((status = 201, body = Note)))]
async fn react(Unlocked(session): Unlocked, In((circle, id)): In<(String, String)>, Body(new): Body<NewReaction>) -> Reply {
    shown("kith.note.react/1", StatusCode::CREATED, session.call(Command::React(circle, id, new), CALL).await)
}
