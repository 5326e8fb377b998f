//! Resources.

use std::sync::Arc;

use axum::http::StatusCode;
use kith_protocol::control::{EditItem, EditResource, NewResource, Resource};
use kith_protocol::node::{Command, Noun};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Reply, ResourceList, shown};
use super::extract::{Asked, Body, In, Unlocked};
use super::items::{self, How, Narrow};
use crate::app::App;
use crate::limits::CALL;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list, new)).routes(routes!(show, edit, remove))
}

/// Resources, oldest first
#[utoipa::path(get, path = "/v1/circles/{c}/resources", params(("c" = String, Path), Narrow), responses((status = 200, body = ResourceList)))]
async fn list(Unlocked(session): Unlocked, In(circle): In<String>, Asked(narrow): Asked<Narrow>) -> Reply {
    items::list(&session, "kith.resource.list/1", circle, Noun::Resource, narrow).await
}

/// A new resource
#[utoipa::path(post, path = "/v1/circles/{c}/resources", params(("c" = String, Path)), request_body = NewResource, responses((status = 201, body = Resource)))]
async fn new(Unlocked(session): Unlocked, In(circle): In<String>, Body(new): Body<NewResource>) -> Reply {
    shown("kith.resource.new/1", StatusCode::CREATED, session.call(Command::NewResource(circle, new), CALL).await)
}

/// One resource
#[utoipa::path(get, path = "/v1/circles/{c}/resources/{id}", params(("c" = String, Path), ("id" = String, Path), How), responses((status = 200, body = Resource)))]
async fn show(Unlocked(session): Unlocked, In(at): In<(String, String)>, Asked(how): Asked<How>) -> Reply {
    items::show(&session, "kith.resource.show/1", at, Noun::Resource, how).await
}

/// Change it
#[utoipa::path(patch, path = "/v1/circles/{c}/resources/{id}", params(("c" = String, Path), ("id" = String, Path)), request_body = EditResource, responses((status = 200, body = Resource)))]
async fn edit(Unlocked(session): Unlocked, In((circle, id)): In<(String, String)>, Body(edit): Body<EditResource>) -> Reply {
    shown("kith.resource.edit/1", StatusCode::OK, session.call(Command::Edit(circle, id, EditItem::Resource(edit)), CALL).await)
}

/// Delete it
#[utoipa::path(delete, path = "/v1/circles/{c}/resources/{id}", params(("c" = String, Path), ("id" = String, Path), How), responses((status = 200)))]
async fn remove(Unlocked(session): Unlocked, In(at): In<(String, String)>, Asked(how): Asked<How>) -> Reply {
    items::remove(&session, "kith.resource.remove/1", at, how).await
}
