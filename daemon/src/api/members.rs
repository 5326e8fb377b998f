//! Members of a circle.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use kith_protocol::control::{Code, Error, Hint, Member, SetRole};
use kith_protocol::node::{Answer, Command, Query};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{MemberList, Reply, ok, shown};
use super::extract::{Body, Path, Unlocked, WithPassphrase};
use crate::app::App;
use crate::limits::CALL;
use crate::queue::Outcome;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, set_role, remove))
        .routes(routes!(restore))
        .routes(routes!(aside))
}

/// Its people
#[utoipa::path(get, path = "/v1/circles/{c}/members", params(("c" = String, Path)), responses((status = 200, body = MemberList)))]
async fn list(Unlocked(session): Unlocked, Path(circle): Path<String>) -> Reply {
    shown("kith.member.list/1", StatusCode::OK, session.ask(Query::Members(circle)).await)
}

/// One of them
#[utoipa::path(get, path = "/v1/circles/{c}/members/{id}", params(("c" = String, Path), ("id" = String, Path)), responses((status = 200, body = Member)))]
async fn show(Unlocked(session): Unlocked, Path((circle, id)): Path<(String, String)>) -> Reply {
    let member = pick(session.ask(Query::Members(circle)).await, &id)?;
    Ok((StatusCode::OK, ok("kith.member.show/1", member)).into_response())
}

/// Set a role, or step down
#[utoipa::path(patch, path = "/v1/circles/{c}/members/{id}", params(("c" = String, Path), ("id" = String, Path)), request_body = SetRole, responses((status = 200, body = Member)))]
async fn set_role(Unlocked(session): Unlocked, Path((circle, id)): Path<(String, String)>, Body(role): Body<SetRole>) -> Reply {
    shown("kith.member.role/1", StatusCode::OK, session.call(Command::SetRole(circle, id, role), CALL).await)
}

/// Remove somebody; asks for the passphrase again
#[utoipa::path(delete, path = "/v1/circles/{c}/members/{id}", params(("c" = String, Path), ("id" = String, Path)), request_body = WithPassphrase, responses((status = 200)))]
async fn remove(
    State(app): State<Arc<App>>,
    Unlocked(session): Unlocked,
    Path((circle, id)): Path<(String, String)>,
    Body(given): Body<WithPassphrase>,
) -> Reply {
    app.prove(given.take()).await?;
    shown("kith.member.remove/1", StatusCode::OK, session.call(Command::RemoveMember(circle, id), CALL).await)
}

/// Bring back what waits of their writing for an entry that has not come
#[utoipa::path(post, path = "/v1/circles/{c}/members/{id}/restore", params(("c" = String, Path), ("id" = String, Path)), responses((status = 200, body = Member)))]
async fn restore(Unlocked(session): Unlocked, Path((circle, id)): Path<(String, String)>) -> Reply {
    shown("kith.member.restore/1", StatusCode::OK, session.call(Command::RestoreMember(circle, id), CALL).await)
}

/// Say no more of it
#[utoipa::path(post, path = "/v1/circles/{c}/members/{id}/aside", params(("c" = String, Path), ("id" = String, Path)), responses((status = 200, body = Member)))]
async fn aside(Unlocked(session): Unlocked, Path((circle, id)): Path<(String, String)>) -> Reply {
    shown("kith.member.aside/1", StatusCode::OK, session.call(Command::LeaveAside(circle, id), CALL).await)
}

/// One member of a list, by id, unambiguous prefix of it, or name.
fn pick(outcome: Outcome, wanted: &str) -> Result<Member, Error> {
    let Answer::Members(members) = outcome? else {
        return Err(Error::new(Code::Failed, "The members could not be read.", "Try again."));
    };
    let exact = |member: &Member| member.id == wanted || member.name == wanted;
    // A letter and its dash name nobody, however few there are.
    let begins = |member: &Member| wanted.len() > 2 && member.id.starts_with(wanted);
    let near = |member: &Member| begins(member) || member.name.eq_ignore_ascii_case(wanted);
    let mut found: Vec<Member> = members.iter().filter(|member| exact(member)).cloned().collect();
    if found.is_empty() {
        found = members.into_iter().filter(|member| !wanted.is_empty() && near(member)).collect();
    }
    match (found.pop(), found.is_empty()) {
        (Some(member), true) => Ok(member),
        (Some(_), false) => Err(Error::new(Code::Ambiguous, "More than one member is called that.", "Use the id.")),
        (None, _) => {
            Err(Error::new(Code::NotFound, "No member is called that.", Hint::run("member", "list", &[], "names them all")))
        }
    }
}
