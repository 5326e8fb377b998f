//! The daemon itself: status, first start, locking, stopping. All of it answers in every state.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use kith_protocol::control::{Code, DaemonStatus, Error};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::answer::{Nothing, Reply, ok};
use super::extract::{Body, WithPassphrase};
use crate::app::App;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(status))
        .routes(routes!(init))
        .routes(routes!(unlock))
        .routes(routes!(lock))
        .routes(routes!(passphrase))
        .routes(routes!(check_passphrase))
        .routes(routes!(stop))
}

/// A first start.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
struct Init {
    /// The member's usual name.
    name: String,
    /// Absent: a development home that anybody with its files can read.
    passphrase: Option<String>,
}

/// What runs here
#[utoipa::path(get, path = "/v1/status", responses((status = 200, body = DaemonStatus)))]
async fn status(State(app): State<Arc<App>>) -> Reply {
    Ok(ok("kith.status/1", app.status().await?))
}

/// First start: keys, store, name
#[utoipa::path(post, path = "/v1/init", request_body = Init, responses((status = 201, body = DaemonStatus)))]
async fn init(State(app): State<Arc<App>>, Body(init): Body<Init>) -> Reply {
    let passphrase = init.passphrase.map(Zeroizing::new);
    if init.name.trim().is_empty() {
        return Err(Error::new(Code::Usage, "A name is needed.", "Give the name that others should see.").into());
    }
    app.init(init.name, passphrase).await?;
    Ok((StatusCode::CREATED, ok("kith.init/1", app.status().await?)).into_response())
}

/// Unlock; nothing happens where it is so already
#[utoipa::path(post, path = "/v1/unlock", request_body = WithPassphrase, responses((status = 200, body = DaemonStatus)))]
async fn unlock(State(app): State<Arc<App>>, Body(given): Body<WithPassphrase>) -> Reply {
    app.unlock(given.take()).await?;
    Ok(ok("kith.unlock/1", app.status().await?))
}

/// Lock: offline, keys wiped
#[utoipa::path(post, path = "/v1/lock", responses((status = 200, body = DaemonStatus)))]
async fn lock(State(app): State<Arc<App>>) -> Reply {
    app.lock().await?;
    Ok(ok("kith.lock/1", app.status().await?))
}

/// A changed passphrase.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
struct NewPassphrase {
    /// The present one; absent in a home without one.
    passphrase: Option<String>,
    /// The new one.
    new: String,
}

/// Change the passphrase
#[utoipa::path(post, path = "/v1/passphrase", request_body = NewPassphrase, responses((status = 200, body = DaemonStatus)))]
async fn passphrase(State(app): State<Arc<App>>, Body(given): Body<NewPassphrase>) -> Reply {
    app.change_passphrase(given.passphrase.map(Zeroizing::new), Zeroizing::new(given.new)).await?;
    Ok(ok("kith.passphrase/1", app.status().await?))
}

/// Is this the passphrase? Asked before anybody thinks up a new one
#[utoipa::path(post, path = "/v1/passphrase/check", request_body = WithPassphrase, responses((status = 200)))]
async fn check_passphrase(State(app): State<Arc<App>>, Body(given): Body<WithPassphrase>) -> Reply {
    app.prove(given.take()).await?;
    Ok(ok("kith.passphrase.check/1", Nothing {}))
}

/// End the daemon
#[utoipa::path(post, path = "/v1/stop", responses((status = 200)))]
async fn stop(State(app): State<Arc<App>>) -> Reply {
    app.stop();
    Ok(ok("kith.stop/1", Nothing {}))
}
