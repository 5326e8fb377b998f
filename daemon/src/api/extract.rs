//! What handlers take from a request, with refusals in the one form.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{self, FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use kith_protocol::control::{Code, Error};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::answer::Refused;
use crate::app::App;
use crate::session::Session;

/// The unlocked session; refuses while there is none.
pub(super) struct Unlocked(pub(super) Arc<Session>);

impl FromRequestParts<Arc<App>> for Unlocked {
    type Rejection = Refused;

    async fn from_request_parts(_: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        Ok(Self(app.session().await?))
    }
}

/// A body as it came. No body at all counts as `{}`.
pub(super) struct Raw(Bytes);

impl Raw {
    /// As a control type.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Refused> {
        let text = if self.0.is_empty() { &b"{}"[..] } else { &self.0 };
        serde_json::from_slice(text).map_err(|error| {
            let hint = "The fields are in GET /v1/openapi.json.";
            Error::new(Code::Usage, format!("That body makes no sense here: {error}."), hint).into()
        })
    }
}

impl FromRequest<Arc<App>> for Raw {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Refused> {
        Bytes::from_request(request, app).await.map(Self).map_err(|rejection| body_refused(&rejection))
    }
}

/// The body as a control type.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Refused> {
        Raw::from_request(request, app).await?.read().map(Self)
    }
}

fn body_refused(rejection: &BytesRejection) -> Refused {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Error::new(Code::TooLarge, "That is too large to send at once.", "Send less at a time.").into();
    }
    Error::new(Code::Usage, "The body could not be read.", "Send it again.").into()
}

/// The path's parts; refusals in the one form.
pub(super) struct Path<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<App>> for Path<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        let found = extract::Path::from_request_parts(parts, app).await;
        found.map(|extract::Path(found)| Self(found)).map_err(|_| unreadable("path"))
    }
}

/// The query's fields; refusals in the one form.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<App>> for Query<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        let found = extract::Query::from_request_parts(parts, app).await;
        found.map(|extract::Query(found)| Self(found)).map_err(|_| unreadable("query"))
    }
}

fn unreadable(what: &str) -> Refused {
    Error::new(Code::Usage, format!("The {what} makes no sense here."), "GET /v1/openapi.json says what is expected.").into()
}

/// `?flag`, `?flag=true`, `?flag=1`.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "" | "1" | "true" | "yes" => Ok(true),
        "0" | "false" | "no" => Ok(false),
        _ => Err(serde::de::Error::custom("a flag is true or false")),
    }
}

/// A passphrase, if one came. Wiped when dropped; shows nothing of itself.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub(super) struct WithPassphrase {
    passphrase: Option<String>,
}

impl WithPassphrase {
    pub(super) fn take(self) -> Option<Zeroizing<String>> {
        self.passphrase.map(Zeroizing::new)
    }
}

/// `-` in a path means "the only circle".
pub(super) fn one_of(circle: String) -> Option<String> {
    (circle != "-").then_some(circle)
}
