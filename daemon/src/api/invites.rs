//! Invites, requests, and joins.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use kith_protocol::circle::{link_addresses, link_at};
use kith_protocol::control::{Accept, Code, Error, Hint, Invite, Join, NewInvite, Preview};
use kith_protocol::node::{Answer, Command, Query};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{InviteList, JoinList, PendingList, Reply, shown};
use super::extract::{Body, Path, Unlocked};
use crate::address::shown as shown_addresses;
use crate::app::App;
use crate::limits::CALL;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, new))
        .routes(routes!(revoke))
        .routes(routes!(pending))
        .routes(routes!(approve))
        .routes(routes!(decline))
        .routes(routes!(preview))
        .routes(routes!(room))
        .routes(routes!(joins, accept))
        .routes(routes!(confirm))
        .routes(routes!(abandon))
}

/// A link; a secret.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
struct Link {
    link: String,
}

/// Invites of a circle
#[utoipa::path(get, path = "/v1/circles/{c}/invites", params(("c" = String, Path)), responses((status = 200, body = InviteList)))]
async fn list(Unlocked(session): Unlocked, Path(circle): Path<String>) -> Reply {
    shown("kith.invite.list/1", StatusCode::OK, session.ask(Query::Invites(circle)).await)
}

/// A new invite, and where else its maker can be reached.
#[derive(Deserialize, ToSchema)]
struct NewInviteAt {
    #[serde(flatten)]
    new: NewInvite,
    /// Addresses besides those that the daemon knows, such as `203.0.113.5:4001`.
    #[serde(default)]
    at: Vec<String>,
}

/// A new invite
#[utoipa::path(post, path = "/v1/circles/{c}/invites", params(("c" = String, Path)), request_body = NewInviteAt, responses((status = 201, body = Invite)))]
async fn new(
    State(app): State<Arc<App>>,
    Unlocked(session): Unlocked,
    Path(circle): Path<String>,
    Body(NewInviteAt { new, at }): Body<NewInviteAt>,
) -> Reply {
    let mut addresses = Vec::new();
    for text in &at {
        addresses.extend(app.outside(text)?);
    }
    let mut outcome = session.call(Command::NewInvite(circle, new), CALL).await;
    if !addresses.is_empty()
        && let Ok(Answer::Invite(invite)) = &mut outcome
    {
        invite.link = invite.link.take().and_then(|link| link_at(&link, &addresses));
    }
    shown("kith.invite.new/1", StatusCode::CREATED, outcome)
}

/// Close one
#[utoipa::path(delete, path = "/v1/circles/{c}/invites/{id}", params(("c" = String, Path), ("id" = String, Path)), responses((status = 200)))]
async fn revoke(Unlocked(session): Unlocked, Path((circle, id)): Path<(String, String)>) -> Reply {
    shown("kith.invite.revoke/1", StatusCode::OK, session.call(Command::RevokeInvite(circle, id), CALL).await)
}

/// Who asks to come in
#[utoipa::path(get, path = "/v1/circles/{c}/pending", params(("c" = String, Path)), responses((status = 200, body = PendingList)))]
async fn pending(Unlocked(session): Unlocked, Path(circle): Path<String>) -> Reply {
    shown("kith.invite.pending/1", StatusCode::OK, session.ask(Query::Pending(circle)).await)
}

/// Say yes
#[utoipa::path(post, path = "/v1/circles/{c}/pending/{id}/approve", params(("c" = String, Path), ("id" = String, Path)), responses((status = 200)))]
async fn approve(Unlocked(session): Unlocked, Path((circle, id)): Path<(String, String)>) -> Reply {
    shown("kith.invite.approve/1", StatusCode::OK, session.call(Command::Approve(circle, id), CALL).await)
}

/// Say no
#[utoipa::path(post, path = "/v1/circles/{c}/pending/{id}/decline", params(("c" = String, Path), ("id" = String, Path)), responses((status = 200)))]
async fn decline(Unlocked(session): Unlocked, Path((circle, id)): Path<(String, String)>) -> Reply {
    shown("kith.invite.decline/1", StatusCode::OK, session.call(Command::Decline(circle, id), CALL).await)
}

/// What a link offers; joins nothing
#[utoipa::path(post, path = "/v1/invites/preview", request_body = Link, responses((status = 200, body = Preview)))]
async fn preview(Unlocked(session): Unlocked, Body(link): Body<Link>) -> Reply {
    let outcome = session.call(Command::PreviewInvite(link.link.clone()), CALL).await;
    let outcome = outcome.map_err(|error| if error.code == Code::TimedOut { unreachable(error, &link.link) } else { error });
    shown("kith.invite.show/1", StatusCode::OK, outcome)
}

/// Nobody was reached: where Kith tried, and what helps in nine of ten cases.
fn unreachable(error: Error, link: &str) -> Error {
    let tried = shown_addresses(&link_addresses(link));
    let tried = if tried.is_empty() { String::new() } else { format!("Kith tried {}. ", tried.join(", ")) };
    let ways = "The computer of the person who invites you has to be on, with Kith running and unlocked. If it is, the two of you are \
                probably in different networks: use the same Wi-Fi, a VPN such as Tailscale, or ask for a link with a forwarded port.";
    let at = Hint::run("invite", "new", &["--at", "ADDRESS:PORT"], "makes such a link");
    Error { hints: [Hint::Text(format!("{tried}{ways}")), at].into(), ..error }
}

/// Where one more circle is to go.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
struct Wanted {
    /// The invite link, where it is to be joined; else it is to be founded.
    link: Option<String>,
}

/// Is there room for one more circle? Refused where there is none; asks nobody
#[utoipa::path(post, path = "/v1/room", request_body = Wanted, responses((status = 200)))]
async fn room(Unlocked(session): Unlocked, Body(Wanted { link }): Body<Wanted>) -> Reply {
    shown("kith.room/1", StatusCode::OK, session.ask(Query::Room(link)).await)
}

/// Joins under way
#[utoipa::path(get, path = "/v1/joins", responses((status = 200, body = JoinList)))]
async fn joins(Unlocked(session): Unlocked) -> Reply {
    shown("kith.join.list/1", StatusCode::OK, session.ask(Query::Joins).await)
}

/// Ask to join
#[utoipa::path(post, path = "/v1/joins", request_body = Accept, responses((status = 201, body = Join)))]
async fn accept(Unlocked(session): Unlocked, Body(accept): Body<Accept>) -> Reply {
    shown("kith.invite.accept/1", StatusCode::CREATED, session.call(Command::Accept(accept), CALL).await)
}

/// Having seen the members: join
#[utoipa::path(post, path = "/v1/joins/{c}/confirm", params(("c" = String, Path)), responses((status = 200, body = Join)))]
async fn confirm(Unlocked(session): Unlocked, Path(circle): Path<String>) -> Reply {
    shown("kith.join.confirm/1", StatusCode::OK, session.call(Command::ConfirmJoin(circle), CALL).await)
}

/// Walk away
#[utoipa::path(delete, path = "/v1/joins/{c}", params(("c" = String, Path)), responses((status = 200)))]
async fn abandon(Unlocked(session): Unlocked, Path(circle): Path<String>) -> Reply {
    shown("kith.join.abandon/1", StatusCode::OK, session.call(Command::AbandonJoin(circle), CALL).await)
}
