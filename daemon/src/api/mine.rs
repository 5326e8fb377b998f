//! What concerns this machine's member over all circles: inbox, marks, search, health, sync.

use std::sync::Arc;
use std::time::Instant;

use axum::http::StatusCode;
use kith_protocol::control::{Doctor, Import, Inbox};
use kith_protocol::limits::{MOST_SEARCH_HITS, SEARCH_HITS};
use kith_protocol::node::{self, Answer, Command};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{HitList, Reply, shown};
use super::extract::{Body, Path, Query, Unlocked};
use crate::app::App;
use crate::limits::{BATCH_CALL, CALL, INDEXING};

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(inbox))
        .routes(routes!(seen))
        .routes(routes!(search))
        .routes(routes!(import, forget_import))
        .routes(routes!(doctor))
        .routes(routes!(rebuild))
        .routes(routes!(sync))
}

/// Whose inbox.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct OfCircle {
    /// One circle; else all.
    circle: Option<String>,
}

/// What is new for me
#[utoipa::path(get, path = "/v1/inbox", params(OfCircle), responses((status = 200, body = Inbox)))]
async fn inbox(Unlocked(session): Unlocked, Query(OfCircle { circle }): Query<OfCircle>) -> Reply {
    shown("kith.inbox/1", StatusCode::OK, session.ask(node::Query::Inbox { circle }).await)
}

/// What was seen: one item, or everything; in one circle, or in all.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
struct Seen {
    circle: Option<String>,
    item: Option<String>,
    /// Were bodies behind content warnings shown? If not, what stands behind one stays unseen.
    reveal: bool,
}

/// Mark as seen; never synced
#[utoipa::path(post, path = "/v1/seen", request_body = Seen, responses((status = 200)))]
async fn seen(Unlocked(session): Unlocked, Body(Seen { circle, item, reveal }): Body<Seen>) -> Reply {
    shown("kith.seen/1", StatusCode::OK, session.call(Command::Seen { circle, item, reveal }, CALL).await)
}

/// A search.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Words {
    /// Words; each matches as a prefix.
    q: String,
    /// One circle; else all.
    circle: Option<String>,
    /// At most so many; else 50.
    limit: Option<usize>,
}

/// Full-text search
#[utoipa::path(get, path = "/v1/search", params(Words), responses((status = 200, body = HitList)))]
async fn search(Unlocked(session): Unlocked, Query(Words { q, circle, limit }): Query<Words>) -> Reply {
    let query = node::Query::Search { words: q, circle, limit: limit.unwrap_or(SEARCH_HITS).min(MOST_SEARCH_HITS) };
    let start = Instant::now();
    // What cannot be indexed (the disk is full, say) keeps nobody from finding the rest.
    while let Ok(Answer::Indexed(false)) = session.call(Command::Index, CALL).await {
        if start.elapsed() > INDEXING {
            break;
        }
    }
    shown("kith.search/1", StatusCode::OK, session.ask(query).await)
}

/// What an import brought, as far as it is still here
#[utoipa::path(get, path = "/v1/imports/{id}", params(("id" = String, Path)), responses((status = 200, body = Import)))]
async fn import(Unlocked(session): Unlocked, Path(import): Path<String>) -> Reply {
    shown("kith.import.show/1", StatusCode::OK, session.ask(node::Query::Import(import)).await)
}

/// Forget what an import brought; its items stay
#[utoipa::path(delete, path = "/v1/imports/{id}", params(("id" = String, Path)), responses((status = 200)))]
async fn forget_import(Unlocked(session): Unlocked, Path(import): Path<String>) -> Reply {
    shown("kith.import.forget/1", StatusCode::OK, session.call(Command::ForgetImport(import), CALL).await)
}

/// The state of health
#[utoipa::path(get, path = "/v1/doctor", responses((status = 200, body = Doctor)))]
async fn doctor(Unlocked(session): Unlocked) -> Reply {
    shown("kith.doctor/1", StatusCode::OK, session.ask(node::Query::Doctor).await)
}

/// Build everything derived again from the log
#[utoipa::path(post, path = "/v1/doctor/rebuild", responses((status = 200)))]
async fn rebuild(Unlocked(session): Unlocked) -> Reply {
    shown("kith.doctor.rebuild/1", StatusCode::OK, session.call(Command::Rebuild, BATCH_CALL).await)
}

/// Contact everybody again now
#[utoipa::path(post, path = "/v1/sync", responses((status = 200)))]
async fn sync(Unlocked(session): Unlocked) -> Reply {
    shown("kith.sync.now/1", StatusCode::OK, session.call(Command::SyncNow, CALL).await)
}
