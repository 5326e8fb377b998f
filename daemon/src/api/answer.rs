//! Answers as they leave: control types with their schema, refusals with their HTTP status.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kith_protocol::control::{Code, Error};
use kith_protocol::node::Answer;
use serde::Serialize;

use crate::queue::Outcome;

/// A refusal and its HTTP status.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Error, pub(super) StatusCode);

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let status = match error.code {
            Code::Usage => StatusCode::BAD_REQUEST,
            Code::NeedsPassphrase => StatusCode::UNAUTHORIZED,
            Code::NotAllowed => StatusCode::FORBIDDEN,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::Ambiguous | Code::NeedsConfirmation => StatusCode::CONFLICT,
            Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Code::Locked => StatusCode::LOCKED,
            Code::Failed | Code::Damaged => StatusCode::INTERNAL_SERVER_ERROR,
            Code::NotRunning => StatusCode::SERVICE_UNAVAILABLE,
            Code::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Code::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
        };
        Self(error, status)
    }
}

/// Nothing is served there.
pub(super) fn no_such_path() -> Refused {
    let error = Error::new(Code::NotFound, "There is no such route.", "GET /v1/openapi.json names them all.");
    Refused(error, StatusCode::NOT_FOUND)
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.1, Json(self.0)).into_response()
    }
}

/// What every handler gives back.
pub(super) type Reply = Result<Response, Refused>;

/// A control type and its schema, side by side.
#[derive(Debug, Serialize)]
pub(super) struct With<'a, T> {
    schema: &'a str,
    #[serde(flatten)]
    body: T,
}

/// An answer of 200.
pub(super) fn ok<T: Serialize>(schema: &str, body: T) -> Response {
    Json(With { schema, body }).into_response()
}

/// Nothing to say but that it is done.
#[derive(Debug, Serialize)]
pub(super) struct Nothing {}

/// Lists, each under its noun's plural.
macro_rules! lists {
    ($($(#[$doc:meta])* $name:ident { $field:ident: $item:ty }),* $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Serialize, utoipa::ToSchema)]
            pub(super) struct $name {
                $(#[$doc])*
                pub(super) $field: Vec<$item>,
            }
        )*
    };
}

lists! {
    /// Circles.
    CircleList { circles: kith_protocol::control::Circle },
    /// Members.
    MemberList { members: kith_protocol::control::Member },
    /// Invites.
    InviteList { invites: kith_protocol::control::Invite },
    /// Requests to come in.
    PendingList { pending: kith_protocol::control::PendingRequest },
    /// Joins under way.
    JoinList { joins: kith_protocol::control::Join },
    /// Drafts, the oldest first.
    DraftList { drafts: kith_protocol::control::Draft },
    /// Steps of an item's history, oldest first.
    RevisionList { history: kith_protocol::control::Revision },
    /// What was found, best first.
    HitList { hits: kith_protocol::control::SearchHit },
}

/// The core's answer as JSON: a single thing is the object itself, a list stands under its plural.
pub(super) fn shown(schema: &str, status: StatusCode, outcome: Outcome) -> Reply {
    let response = match outcome? {
        Answer::Done | Answer::Indexed(_) => ok(schema, Nothing {}),
        Answer::Made(made) => ok(schema, made),
        Answer::Import(import) => ok(schema, import),
        Answer::Circle(circle) => ok(schema, circle),
        Answer::Circles(circles) => ok(schema, CircleList { circles }),
        Answer::Members(members) => ok(schema, MemberList { members }),
        Answer::Member(member) => ok(schema, member),
        Answer::Invite(invite) => ok(schema, invite),
        Answer::Invites(invites) => ok(schema, InviteList { invites }),
        Answer::Preview(preview) => ok(schema, preview),
        Answer::Join(join) => ok(schema, join),
        Answer::Joins(joins) => ok(schema, JoinList { joins }),
        Answer::Pending(pending) => ok(schema, PendingList { pending }),
        Answer::Item(item) => ok(schema, item),
        Answer::Items(items) => ok(schema, items),
        Answer::History(history) => ok(schema, RevisionList { history }),
        Answer::Inbox(inbox) => ok(schema, inbox),
        Answer::Found(hits) => ok(schema, HitList { hits }),
        Answer::Draft(draft) => ok(schema, draft),
        Answer::Drafts(drafts) => ok(schema, DraftList { drafts }),
        Answer::Status(status) => ok(schema, status),
        Answer::Doctor(doctor) => ok(schema, doctor),
    };
    Ok((status, response).into_response())
}
