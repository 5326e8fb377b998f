//! The local API: HTTP/1.1 and JSON over a Unix socket that only this user reaches.
//!
//! Translates between the routes and the core's commands and queries; decides nothing. Each route's types are the control
//! types; answers carry `schema`, refusals are `kith.error/1` with a fitting HTTP status.

mod answer;
mod circles;
mod daemon;
mod drafts;
mod extract;
mod invites;
mod items;
mod listener;
mod members;
mod mine;
mod responses;
mod watch;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use kith_protocol::control::{Code, Error};
use utoipa::OpenApi;
use utoipa::openapi::{Content, Ref, RefOr, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::limits::BODY_BYTES;
use answer::{Refused, no_such_path};
pub(crate) use listener::Socket;

#[derive(OpenApi)]
#[openapi(
    info(title = "kithd", description = "The local API of Kith, over the Unix socket in the home folder."),
    components(schemas(Error))
)]
struct Document;

/// All routes, and their description.
pub(crate) fn router(app: Arc<App>) -> Router {
    let routes = OpenApiRouter::with_openapi(Document::openapi())
        .merge(daemon::routes())
        .merge(circles::routes())
        .merge(members::routes())
        .merge(invites::routes())
        .merge(items::routes())
        .merge(drafts::routes())
        .merge(responses::routes())
        .merge(mine::routes())
        .merge(watch::routes());
    let (router, mut document) = routes.split_for_parts();
    describe_refusals(&mut document);
    let document = document.to_json().unwrap_or_default();
    let json = [(header::CONTENT_TYPE, "application/json")];
    router
        .route("/v1/openapi.json", axum::routing::get(move || std::future::ready((json, document.clone()))))
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(app)
}

/// Every route may refuse in the one way.
fn describe_refusals(document: &mut utoipa::openapi::OpenApi) {
    let schema = RefOr::Ref(Ref::from_schema_name("Error"));
    let refusal = ResponseBuilder::new().description("a refusal").content("application/json", Content::new(Some(schema))).build();
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            operation.responses.responses.insert("default".to_owned(), RefOr::T(refusal.clone()));
        }
    }
}

async fn no_such_route() -> Refused {
    no_such_path()
}

async fn no_such_method() -> Refused {
    let error = Error::new(Code::Usage, "That route has no such method.", "GET /v1/openapi.json names them all.");
    Refused(error, StatusCode::METHOD_NOT_ALLOWED)
}

#[cfg(test)]
mod tests;
