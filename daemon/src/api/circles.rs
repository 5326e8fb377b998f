//! Circles.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use kith_protocol::control::{Circle, EditCircle, ForgetCircle, LeaveCircle, NewCircle};
use kith_protocol::node::{Command, Query};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{CircleList, Reply, shown};
use super::extract::{Body, Path, Raw, Unlocked, WithPassphrase};
use crate::app::App;
use crate::limits::{BATCH_CALL, CALL};

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, new))
        .routes(routes!(show, edit))
        .routes(routes!(sign))
        .routes(routes!(leave))
        .routes(routes!(forget))
}

/// All circles
#[utoipa::path(get, path = "/v1/circles", responses((status = 200, body = CircleList)))]
async fn list(Unlocked(session): Unlocked) -> Reply {
    shown("kith.circle.list/1", StatusCode::OK, session.ask(Query::Circles).await)
}

/// A new circle
#[utoipa::path(post, path = "/v1/circles", request_body = NewCircle, responses((status = 201, body = Circle)))]
async fn new(Unlocked(session): Unlocked, Body(new): Body<NewCircle>) -> Reply {
    shown("kith.circle.new/1", StatusCode::CREATED, session.call(Command::NewCircle(new), CALL).await)
}

/// One circle
#[utoipa::path(get, path = "/v1/circles/{c}", params(("c" = String, Path)), responses((status = 200, body = Circle)))]
async fn show(Unlocked(session): Unlocked, Path(circle): Path<String>) -> Reply {
    shown("kith.circle.show/1", StatusCode::OK, session.ask(Query::Circle(circle)).await)
}

/// Change its policies
#[utoipa::path(patch, path = "/v1/circles/{c}", params(("c" = String, Path)), request_body = EditCircle, responses((status = 200, body = Circle)))]
async fn edit(Unlocked(session): Unlocked, Path(circle): Path<String>, Body(edit): Body<EditCircle>) -> Reply {
    shown("kith.circle.edit/1", StatusCode::OK, session.call(Command::EditCircle(circle, edit), CALL).await)
}

/// Sign its agreement as it is now
#[utoipa::path(post, path = "/v1/circles/{c}/agreement", params(("c" = String, Path)), responses((status = 200, body = Circle)))]
async fn sign(Unlocked(session): Unlocked, Path(circle): Path<String>) -> Reply {
    shown("kith.circle.agreement/1", StatusCode::OK, session.call(Command::Sign(circle), CALL).await)
}

/// Delete all that is here of a circle that one is out of
#[utoipa::path(post, path = "/v1/circles/{c}/forget", params(("c" = String, Path)), request_body = ForgetCircle, responses((status = 200)))]
async fn forget(Unlocked(session): Unlocked, Path(circle): Path<String>, body: Raw) -> Reply {
    shown("kith.circle.forget/1", StatusCode::OK, session.call(Command::Forget(circle, body.read()?), BATCH_CALL).await)
}

/// Leave it, silently. The last steward says who takes over, or that nobody does
#[utoipa::path(post, path = "/v1/circles/{c}/leave", params(("c" = String, Path)), request_body = LeaveCircle, responses((status = 200)))]
async fn leave(State(app): State<Arc<App>>, Unlocked(session): Unlocked, Path(circle): Path<String>, body: Raw) -> Reply {
    // Leaving needs no passphrase; one that is given must be right.
    if let Some(passphrase) = body.read::<WithPassphrase>()?.take() {
        app.prove(Some(passphrase)).await?;
    }
    let leave: LeaveCircle = body.read()?;
    shown("kith.circle.leave/1", StatusCode::OK, session.call(Command::Leave(circle, leave), CALL).await)
}
