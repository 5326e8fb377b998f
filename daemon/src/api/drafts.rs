//! Drafts: texts that could not be saved, sealed in this machine's store for a week.

use std::sync::Arc;

use axum::http::StatusCode;
use kith_protocol::control::{Draft, NewDraft};
use kith_protocol::node::{Command, Query};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{DraftList, Reply, shown};
use super::extract::{Body, Path, Unlocked};
use crate::app::App;
use crate::limits::CALL;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list, keep)).routes(routes!(show, remove))
}

/// All drafts, the oldest first
#[utoipa::path(get, path = "/v1/drafts", responses((status = 200, body = DraftList)))]
async fn list(Unlocked(session): Unlocked) -> Reply {
    shown("kith.draft.list/1", StatusCode::OK, session.ask(Query::Drafts).await)
}

/// Keep a text for a week
#[utoipa::path(post, path = "/v1/drafts", request_body = NewDraft, responses((status = 201, body = Draft)))]
async fn keep(Unlocked(session): Unlocked, Body(text): Body<NewDraft>) -> Reply {
    shown("kith.draft.new/1", StatusCode::CREATED, session.call(Command::KeepDraft(text), CALL).await)
}

/// One draft
#[utoipa::path(get, path = "/v1/drafts/{id}", params(("id" = String, Path)), responses((status = 200, body = Draft)))]
async fn show(Unlocked(session): Unlocked, Path(id): Path<String>) -> Reply {
    shown("kith.draft.show/1", StatusCode::OK, session.ask(Query::Draft(id)).await)
}

/// Throw one away
#[utoipa::path(delete, path = "/v1/drafts/{id}", params(("id" = String, Path)), responses((status = 200)))]
async fn remove(Unlocked(session): Unlocked, Path(id): Path<String>) -> Reply {
    shown("kith.draft.remove/1", StatusCode::OK, session.call(Command::RemoveDraft(id), CALL).await)
}
