//! Every kind of items, wherever the table says that it appears: lists, searches, inboxes, exports, the local API and its
//! description, and the command line. A kind that is in the table and missing somewhere is named.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use kith_protocol::control::Kind;
use kith_protocol::item::kind::Targets;
use kith_tests::proc::{Home, http, until};
use serde_json::Value;

use crate::text;

const CIRCLE: &str = "Night shift";

/// What is typed to write one of a kind, given the ids of what is there. What it says can be told from everything else.
fn typed(kind: Kind, ids: &BTreeMap<Kind, String>) -> Vec<String> {
    let id = |kind: Kind| ids.get(&kind).cloned().unwrap_or_default();
    let words = mark(kind);
    let line = match kind {
        Kind::Note => format!("note new --title {words} {words}"),
        Kind::Reply => format!("note reply {} {words}", id(Kind::Note)),
        Kind::Reaction => format!("note react {} {words}", id(Kind::Note)),
        Kind::Event => format!("event new --title {words} --starts 2030-12-01T18:00 --tz UTC"),
        Kind::Rsvp => format!("event rsvp {} maybe", id(Kind::Event)),
        Kind::Resource => format!("resource new --title {words}"),
        Kind::Tombstone => format!("note remove {0} --confirm {0}", id(Kind::Note)),
        Kind::Hide => format!("note hide {}", id(Kind::Note)),
        Kind::Pin => format!("note pin {}", id(Kind::Note)),
    };
    line.split(' ').map(str::to_owned).collect()
}

/// By what one of a kind is known where it is shown.
fn mark(kind: Kind) -> String {
    match kind {
        Kind::Reaction => "🌿".to_owned(),
        Kind::Rsvp => "\"maybe\":1".to_owned(),
        Kind::Tombstone => "\"state\":\"removed\"".to_owned(),
        Kind::Hide => "\"state\":\"hidden\"".to_owned(),
        Kind::Pin => "\"pinned\":true".to_owned(),
        Kind::Note | Kind::Reply | Kind::Event | Kind::Resource => format!("walked{}", kind.noun()),
    }
}

/// The kind whose list shows one of a kind.
fn shown_in(kind: Kind) -> Option<Kind> {
    Kind::listed().find(|listed| kind == *listed || kind.may_target(*listed))
}

/// Both members, one of each kind, and what is missing.
struct Walk {
    amara: Home,
    bea: Home,
    ids: BTreeMap<Kind, String>,
    missing: Vec<String>,
}

impl Walk {
    fn misses(&mut self, kind: Kind, place: &str, there: bool) {
        if !there {
            self.missing.push(format!("{}: {place}", kind.noun()));
        }
    }

    /// Amara writes one of a kind.
    fn write(&mut self, kind: Kind) {
        let line = typed(kind, &self.ids);
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        let made = self.amara.json(&line);
        if kind.is_listed() {
            self.ids.insert(kind, text(&made, "id"));
        }
    }

    /// A list as Bea's machine serves it.
    fn list(&self, kind: Kind) -> String {
        http(&self.bea.path(), "GET", &format!("/v1/circles/-/{}?reveal=true", kind.path()), "").body
    }

    /// Waits until Bea's machine shows one of a kind; says where it does not.
    fn appears(&mut self, kind: Kind) {
        let Some(listed) = shown_in(kind) else { return self.misses(kind, "no list shows it", false) };
        let there = until_or(|| self.list(listed).contains(&mark(kind)));
        self.misses(kind, &format!("GET /v1/circles/-/{}", listed.path()), there);
        if kind.is_listed() {
            let rows = self.bea.rows(&[kind.noun(), "list"], kind.path());
            self.misses(kind, &format!("kith {} list", kind.noun()), rows.iter().any(|row| text(row, "id") == self.ids[&kind]));
            let shown = self.bea.json(&[kind.noun(), "show", &self.ids[&kind]]);
            self.misses(kind, &format!("kith {} show", kind.noun()), shown.to_string().contains(&mark(kind)));
        }
        let appears = kind.spec().appears;
        let rows = |list: Value, name: &str| list.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let named = |rows: &[Value]| rows.iter().any(|row| text(row, "kind") == kind.noun());
        let inbox = named(&rows(self.bea.json(&["inbox"]), "inbox"));
        self.misses(kind, if appears.inbox { "kith inbox" } else { "an inbox tells of it all the same" }, inbox == appears.inbox);
        let hits = named(&self.bea.search(&mark(kind)));
        self.misses(kind, if appears.index { "kith search" } else { "a search finds it all the same" }, hits == appears.index);
    }

    /// A kind with a list is in each file of its own, any other in some file.
    fn is_exported(&mut self, kind: Kind) {
        if !kind.spec().appears.export {
            return;
        }
        let folder = self.bea.beside().join(format!("export-{}", kind.noun()));
        drop(self.bea.json(&["export", "--reveal", "-o", &folder.to_string_lossy()]));
        let says = |file: &Path| std::fs::read_to_string(file).is_ok_and(|text| text.contains(&mark(kind)));
        if kind.is_listed() {
            for name in ["json", "md", "csv"].map(|ending| format!("{}.{ending}", kind.path())) {
                self.misses(kind, &format!("{name} of kith export"), says(&folder.join(&name)));
            }
        } else {
            let mut files = std::fs::read_dir(&folder).expect("a folder").flatten();
            self.misses(kind, "kith export", files.any(|file| says(&file.path())));
        }
    }

    /// The routes that a kind has, as the description names them.
    fn is_described(&mut self, kind: Kind, document: &Value) {
        let path = kind.path();
        let mut routes: Vec<(String, &[&str])> = Vec::new();
        if kind.is_listed() {
            routes.push((format!("/v1/circles/{{c}}/{path}"), &["get", "post"]));
            routes.push((format!("/v1/circles/{{c}}/{path}/{{id}}"), &["get", "patch", "delete"]));
        } else if let Targets::Kinds(targets) = kind.spec().targets {
            let below = |target: &Kind| (format!("/v1/circles/{{c}}/{}/{{id}}/{path}", target.path()), &["post"][..]);
            routes.extend(targets.iter().map(below));
        } else if !path.is_empty() {
            routes.push((format!("/v1/circles/{{c}}/{{noun}}/{{id}}/{path}"), &["put", "delete"]));
        }
        for (route, methods) in routes {
            let described = |method: &&str| document["paths"][&route][*method]["responses"].is_object();
            self.misses(kind, &format!("{route} in openapi.json"), methods.iter().all(described));
        }
        if kind.is_listed() {
            let schema = &document["components"]["schemas"]["BatchItem"];
            self.misses(kind, "BatchItem in openapi.json", schema.to_string().contains(&format!("\"{}\"", kind.noun())));
        }
    }

    /// What people can type of a kind that has a list.
    fn can_be_typed(&mut self, kind: Kind) {
        for verb in ["new", "list", "show", "edit", "remove"].iter().filter(|_| kind.is_listed()) {
            let help = self.bea.kith(&[kind.noun(), verb, "--help"]);
            self.misses(kind, &format!("kith {} {verb}", kind.noun()), help.code == 0);
        }
    }
}

/// Waits; says whether it came.
fn until_or(come: impl Fn() -> bool) -> bool {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| until("one of a kind", || come().then_some(())))).is_ok()
}

#[test]
fn every_kind_appears_wherever_the_table_says() {
    let (amara, bea) = (Home::named("Amara"), Home::named("Bea"));
    amara.found(CIRCLE);
    amara.admit(CIRCLE, &bea, "Bea");
    let mut walk = Walk { amara, bea, ids: BTreeMap::new(), missing: Vec::new() };
    let document: Value = serde_json::from_str(&http(&walk.bea.path(), "GET", "/v1/openapi.json", "").body).expect("JSON");
    // Marks last, and the one that deletes after all others.
    let mut kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Tombstone).collect();
    kinds.sort_by_key(|kind| (!kind.is_listed(), kind.is_mark(), std::cmp::Reverse(*kind)));
    for kind in kinds {
        walk.write(kind);
        walk.appears(kind);
        walk.is_exported(kind);
    }
    walk.write(Kind::Tombstone);
    let gone = until_or(|| !walk.list(Kind::Note).contains(&walk.ids[&Kind::Note]));
    walk.misses(Kind::Tombstone, "its note is still listed", gone);
    for kind in Kind::ALL {
        walk.is_described(kind, &document);
        walk.can_be_typed(kind);
    }
    let mut missing = String::new();
    walk.missing.iter().for_each(|one| writeln!(missing, "  {one}").expect("a string takes all"));
    assert!(walk.missing.is_empty(), "kinds that are in the table and missing somewhere:\n{missing}");
}
