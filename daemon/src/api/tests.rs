use std::path::{Path, PathBuf};

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::UnixStream;

use super::*;
use crate::config::Config;
use crate::driver::fake::Fake;
use crate::home::Home;
use crate::keystore::Cost;

const CHEAP: Cost = Cost { memory_kib: 32, passes: 1, lanes: 1 };

struct Served {
    _dir: tempfile::TempDir,
    app: Arc<App>,
    socket: PathBuf,
}

async fn served() -> Served {
    served_with("").await
}

async fn served_with(settings: &str) -> Served {
    let dir = tempfile::tempdir().expect("a folder");
    let home = Home::prepare(&dir.path().join("h")).expect("a home");
    std::fs::write(home.config(), settings).expect("writes");
    let config = Config::load(&home.config(), &["/ip4/127.0.0.1/tcp/0".to_owned()]).expect("loads");
    let path = home.socket();
    let app = Arc::new(App::new::<Fake>(home, config, CHEAP));
    let socket = Socket::bind(&path).expect("binds");
    tokio::spawn(axum::serve(socket, router(Arc::clone(&app))).into_future());
    Served { _dir: dir, app, socket: path }
}

async fn send(socket: &Path, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> hyper::Response<Incoming> {
    let stream = UnixStream::connect(socket).await.expect("connects");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("speaks HTTP");
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header("host", "kith");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    sender.send_request(request.body(Full::new(Bytes::from(body))).expect("a request")).await.expect("an answer")
}

async fn ask(served: &Served, method: &str, path: &str, body: &str) -> (u16, Value) {
    let response = send(&served.socket, method, path, &[], body.as_bytes().to_vec()).await;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.expect("a body").to_bytes();
    (status, serde_json::from_slice(&bytes).expect("JSON"))
}

async fn init(served: &Served) {
    let (status, body) = ask(served, "POST", "/v1/init", r#"{"name":"Amara","passphrase":"correct horse"}"#).await;
    assert_eq!((status, &body["schema"], &body["name"]), (201, &json!("kith.init/1"), &json!("Amara")), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_goes_through_its_states() {
    let served = served().await;
    let (status, body) = ask(&served, "GET", "/v1/status", "").await;
    assert_eq!((status, &body["initialized"], &body["locked"]), (200, &json!(false), &json!(false)));
    let (status, body) = ask(&served, "GET", "/v1/circles", "").await;
    assert_eq!((status, &body["code"], &body["hint"]), (400, &json!("usage"), &json!("`kith init` sets one up.")));
    let (status, _) = ask(&served, "POST", "/v1/unlock", "{}").await;
    assert_eq!(status, 400);
    init(&served).await;
    let (status, body) = ask(&served, "POST", "/v1/init", r#"{"name":"Amara"}"#).await;
    assert_eq!((status, &body["schema"]), (400, &json!("kith.error/1")));
    let (status, _) = ask(&served, "POST", "/v1/circles", r#"{"name":"Night shift"}"#).await;
    assert_eq!(status, 201);
    let (status, body) = ask(&served, "POST", "/v1/lock", "").await;
    assert_eq!((status, &body["locked"], &body["name"], &body["circles"]), (200, &json!(true), &Value::Null, &json!(0)));
    for log in ["store.db-wal", "store.db-log"] {
        assert!(!served.app.home().root().join(log).exists(), "nothing is left beside the store");
    }
    for (method, path) in [("GET", "/v1/circles"), ("GET", "/v1/watch"), ("POST", "/v1/sync"), ("GET", "/v1/search?q=a")] {
        let (status, body) = ask(&served, method, path, "").await;
        assert_eq!((status, &body["code"], &body["hint"]), (423, &json!("locked"), &json!("`kith unlock` unlocks it.")));
    }
    let (status, body) = ask(&served, "POST", "/v1/unlock", r#"{"passphrase":"wrong"}"#).await;
    assert_eq!((status, &body["code"]), (401, &json!("needs-passphrase")));
    let (status, body) = ask(&served, "POST", "/v1/unlock", r#"{"passphrase":"correct horse"}"#).await;
    assert_eq!((status, &body["locked"], &body["circles"], &body["unprotected"]), (200, &json!(false), &json!(1), &json!(false)));
    assert!(!body["listening"].as_array().expect("a list").is_empty() || body["listening"] == json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_waits_for_a_list_without_end() {
    let served = served().await;
    init(&served).await;
    let socket = served.socket.clone();
    let list = tokio::spawn(async move { send(&socket, "GET", "/v1/circles/endless/notes", &[], Vec::new()).await.status() });
    while !crate::driver::fake::READING.load(std::sync::atomic::Ordering::Acquire) {
        tokio::task::yield_now().await;
    }
    let (status, body) = ask(&served, "GET", "/v1/status", "").await;
    assert_eq!((status, &body["name"]), (200, &json!("Amara")));
    let (status, body) = ask(&served, "POST", "/v1/lock", "").await;
    assert_eq!((status, &body["locked"]), (200, &json!(true)));
    assert_eq!(list.await.expect("an answer"), 500, "and the list is told that it came to nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_that_nobody_uses_locks_itself_if_asked_to() {
    let served = served_with("idle_lock_minutes = 5").await;
    init(&served).await;
    let begin = crate::clock::now();
    served.app.look(false, begin.plus(4 * 60_000)).await;
    let (status, _) = ask(&served, "GET", "/v1/circles/c-1/notes", "").await;
    assert_eq!(status, 200);
    // A machine that wakes long after is locked too, before anything else is done with it.
    served.app.look(true, begin.plus(600 * 60_000)).await;
    let (status, body) = ask(&served, "GET", "/v1/circles/c-1/notes", "").await;
    assert_eq!((status, &body["code"]), (423, &json!("locked")));
    served.app.look(false, begin.plus(900 * 60_000)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_that_fails_leaves_no_home() {
    let served = served().await;
    for body in [r#"{"name":""}"#, r#"{"name":"A","passphrase":""}"#, "{", r#"{"name":7}"#] {
        let (status, _) = ask(&served, "POST", "/v1/init", body).await;
        assert_eq!(status, 400);
    }
    assert!(!served.app.home().keys().exists() && !served.app.home().store().exists());
    init(&served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_and_refusals_have_one_form() {
    let served = served().await;
    init(&served).await;
    let (status, body) = ask(&served, "GET", "/v1/circles/c-1/notes?limit=5&new=true&reveal", "").await;
    assert_eq!((status, body), (200, json!({"schema": "kith.note.list/1", "notes": []})));
    let (status, body) = ask(&served, "POST", "/v1/circles", r#"{"name":"a"}"#).await;
    assert_eq!((status, body), (201, json!({"schema": "kith.circle.new/1", "ids": ["a"], "import": null})));
    let (status, body) = ask(&served, "GET", "/v1/circles/none", "").await;
    assert_eq!((status, &body["code"], &body["schema"]), (404, &json!("not-found"), &json!("kith.error/1")));
    let (status, body) = ask(&served, "GET", "/v1/search?q=two%20words&limit=7", "").await;
    assert_eq!((status, &body["message"]), (409, &json!("two words 7")));
    for (method, path, expected) in [
        ("GET", "/v1/nothing", 404),
        ("PUT", "/v1/circles", 405),
        ("GET", "/v1/circles/c/notes?limit=x", 400),
        ("GET", "/v1/circles/c/pies/i/history", 404),
    ] {
        let (status, body) = ask(&served, method, path, "").await;
        assert_eq!((status, &body["schema"]), (expected, &json!("kith.error/1")), "{method} {path}");
    }
    for (method, path) in [
        ("GET", "/v1/circles/c/notes/n/history"),
        ("GET", "/v1/circles/c/notes/n/history?reveal=true"),
        ("PUT", "/v1/circles/c/events/e/pin"),
        ("DELETE", "/v1/circles/c/notes/n/hide"),
    ] {
        let (_, body) = ask(&served, method, path, "").await;
        assert_eq!(body["message"], json!("Nothing is called that."), "{method} {path} reaches the core");
    }
    let (status, body) = ask(&served, "PATCH", "/v1/circles/c/notes/n", "not json").await;
    assert_eq!((status, &body["code"]), (400, &json!("usage")));
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_somebody_asks_for_the_passphrase_again() {
    let served = served().await;
    init(&served).await;
    for body in ["", "{}", r#"{"passphrase":"wrong"}"#] {
        let (status, body) = ask(&served, "DELETE", "/v1/circles/c/members/m", body).await;
        assert_eq!((status, &body["code"]), (401, &json!("needs-passphrase")));
    }
    let (status, body) = ask(&served, "DELETE", "/v1/circles/c/members/m", r#"{"passphrase":"correct horse"}"#).await;
    assert_eq!((status, &body["code"]), (404, &json!("not-found")), "the core was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_end_is_refused() {
    let served = served().await;
    init(&served).await;
    let response = send(&served.socket, "POST", "/v1/circles", &[], vec![b' '; crate::limits::BODY_BYTES + 1]).await;
    assert_eq!(response.status().as_u16(), 413);
    let (status, _) =
        ask(&served, "POST", "/v1/circles/c/batch", &format!(r#"{{"items":[]{}}}"#, " ".repeat(crate::limits::BODY_BYTES))).await;
    assert_eq!(status, 404, "a batch may be larger");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_described() {
    let served = served().await;
    let (status, document) = ask(&served, "GET", "/v1/openapi.json", "").await;
    assert_eq!(status, 200);
    let routes: usize =
        document["paths"].as_object().expect("paths").values().map(|item| item.as_object().expect("operations").len()).sum();
    assert_eq!(routes, 70);
    assert!(document["components"]["schemas"]["Note"].is_object());
    let refusal = &document["paths"]["/v1/circles/{c}/notes/{id}"]["delete"]["responses"]["default"];
    assert!(refusal["content"]["application/json"]["schema"]["$ref"].as_str().expect("a schema").ends_with("/Error"));
}

/// Reads a stream until it held all of `wanted`, and gives it.
async fn read_until(body: &mut Incoming, wanted: &str) -> String {
    let mut text = String::new();
    while !text.contains(wanted) {
        let frame = body.frame().await.expect("goes on").expect("reads");
        text.push_str(std::str::from_utf8(frame.data_ref().expect("data")).expect("text"));
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn watchers_hear_of_changes_resume_and_end_with_the_lock() {
    let served = served().await;
    init(&served).await;
    let mut body = send(&served.socket, "GET", "/v1/watch", &[], Vec::new()).await.into_body();
    read_until(&mut body, "watching").await;
    ask(&served, "POST", "/v1/circles", r#"{"name":"one"}"#).await;
    ask(&served, "POST", "/v1/circles", r#"{"name":"two"}"#).await;
    let text = read_until(&mut body, "\"two\"").await;
    assert!(text.contains("event: item\n") && text.contains("\"schema\":\"kith.watch/1\""), "{text}");
    let first = text.lines().find_map(|line| line.strip_prefix("id: ")).expect("an id").to_owned();
    let mut again = send(&served.socket, "GET", "/v1/watch", &[("last-event-id", &first)], Vec::new()).await.into_body();
    let text = read_until(&mut again, "\"two\"").await;
    assert!(!text.contains("\"one\"") && !text.contains("reset"), "{text}");
    let mut lost = send(&served.socket, "GET", "/v1/watch", &[("last-event-id", "old-1")], Vec::new()).await.into_body();
    read_until(&mut lost, "event: reset").await;
    ask(&served, "POST", "/v1/lock", "").await;
    while let Some(frame) = body.frame().await {
        frame.expect("reads to its end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_changes_only_with_the_present_one() {
    let served = served().await;
    init(&served).await;
    for body in [r#"{"new":"next"}"#, r#"{"passphrase":"wrong","new":"next"}"#] {
        let (status, body) = ask(&served, "POST", "/v1/passphrase", body).await;
        assert_eq!((status, &body["code"]), (401, &json!("needs-passphrase")), "{body}");
    }
    let (status, _) = ask(&served, "POST", "/v1/passphrase/check", r#"{"passphrase":"wrong"}"#).await;
    assert_eq!(status, 401);
    let (status, _) = ask(&served, "POST", "/v1/passphrase/check", r#"{"passphrase":"correct horse"}"#).await;
    assert_eq!(status, 200);
    let (status, _) = ask(&served, "POST", "/v1/passphrase", r#"{"passphrase":"correct horse","new":""}"#).await;
    assert_eq!(status, 400, "an empty one is none");
    let (status, _) = ask(&served, "POST", "/v1/passphrase", r#"{"passphrase":"correct horse","new":"battery staple"}"#).await;
    assert_eq!(status, 200);
    let (_, body) = ask(&served, "POST", "/v1/lock", "{}").await;
    assert_eq!(body["locked"], json!(true));
    let (status, _) = ask(&served, "POST", "/v1/unlock", r#"{"passphrase":"correct horse"}"#).await;
    assert_eq!(status, 401, "the old one opens nothing");
    let (status, body) = ask(&served, "POST", "/v1/unlock", r#"{"passphrase":"battery staple"}"#).await;
    assert_eq!((status, &body["locked"]), (200, &json!(false)));
}
