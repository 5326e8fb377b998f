//! The worst that a member may send in 1 MiB: how long another member's driver is busy with it at a stretch, and what lists take.
//!
//! Each input is sent by the hostile peer kit to a real daemon that says how long its turns take (`-v`). A figure is the longest
//! turn from then until all is handled, of a fresh circle each time; of lists and `status`, the time of the API call.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use kith_protocol::control::{Batch, BatchItem, EditItem, EditNote, Item, NewItem, NewNote};
use kith_protocol::crypto::{Seeded, SigningKey};
use kith_protocol::id::{ItemId, PeerId};
use kith_protocol::item::edit::{Edit, Op, Value};
use kith_protocol::item::kind::Kind;
use kith_protocol::node::{Answer, Command};
use kith_protocol::private::Private;
use rand_core::Rng;
use serde_json::Value as Json;

use super::circle::BenchMember;
use super::report::Row;
use super::rows::{Bench, pause};
use super::turns;
use crate::cbor::{Cbor, array, bytes, encoded};
use crate::peer::Peer;
use crate::peer::costly::{HEAVY_NOTES, swollen};
use crate::peer::forge::{Run, from_now};
use crate::peer::guest::{opened, proof, request, ticket_key};
use crate::peer::raw;
use crate::proc::until;

/// Of quiet after which everything is handled, what was left over for later turns included.
const QUIET: Duration = Duration::from_secs(1);

/// A circle with somebody hostile in it.
struct Ring {
    amara: BenchMember,
    circle: String,
    log: PathBuf,
    mallory: Peer,
}

impl Ring {
    fn new() -> Result<Self, String> {
        let mut amara = BenchMember::new("Amara")?;
        let circle = amara.found()?;
        let log = amara.home.beside().join("turns");
        amara.stop();
        let _ = amara.start_telling(&log)?;
        let mallory = Peer::member_of(&amara.home, "Bench", "Mallory");
        Ok(Self { amara, circle, log, mallory })
    }

    /// The longest turn from now until all that this sends is handled, in seconds.
    fn longest(&mut self, send: impl FnOnce(&mut Self) -> Result<(), String>) -> Result<f64, String> {
        pause(QUIET);
        let before = turns::longest(&self.log, 0).1;
        send(self)?;
        if self.mallory.link().is_some() {
            let _ = self.mallory.handled();
        }
        pause(QUIET);
        Ok(turns::longest(&self.log, before).0)
    }

    fn calls(&mut self, path: &str) -> Result<f64, String> {
        let start = Instant::now();
        let _ = self.amara.client.get(path)?;
        Ok(start.elapsed().as_secs_f64())
    }
}

/// A Have full of heads and gaps of chains in whose blocks they lie.
fn a_have(ring: &mut Ring) -> Result<f64, String> {
    let runs: Vec<Run> = (0..20).map(|_| ring.mallory.small(256)).collect();
    for run in &runs {
        ring.mallory.send_run(run);
    }
    let _ = ring.mallory.handled();
    ring.mallory.deaf(true);
    let heads = |run: &Run| (0..9).map(|n| array([run.chain(), Cbor::Uint(10 + n), bytes([9; 32])])).collect::<Vec<_>>();
    let gaps =
        |run: &Run| (0..65_u64).map(|n| array([run.chain(), Cbor::Uint(2 + 3 * n), Cbor::Uint(2 + 3 * n)])).collect::<Vec<_>>();
    let (heads, gaps) = (runs.iter().flat_map(heads).collect(), runs.iter().flat_map(gaps).collect());
    ring.longest(|ring| {
        ring.mallory.has(heads, gaps);
        ring.mallory.deaf(false);
        Ok(())
    })
}

/// A run of as many long notes as it may hold, which compress to next to nothing.
fn a_large_run(ring: &mut Ring) -> Result<f64, String> {
    let run = ring.mallory.heavy(HEAVY_NOTES);
    ring.longest(|ring| {
        ring.mallory.send_run(&run);
        Ok(())
    })
}

/// An event with so many edits, as a run after the other.
fn event(ring: &Ring, sets: usize, runs: usize) -> ItemId {
    let ops = vec![Op::Set(0, Value::text("an event")), Op::Set(6, Value::Moment(1_900_000_000_000))];
    let first = ring.mallory.run_of(Kind::Event, encoded(&Edit::opening(from_now(0), None, ops)).encode());
    let (creator, nonce) = (first.entries[0].creator, first.entries[0].nonce);
    for set in 0..sets {
        let mut run = first.clone();
        if set > 0 {
            Seeded::new(set as u64).fill_bytes(&mut run.incarnation);
            let last = first.build().1;
            let edit = Edit {
                version: 1,
                at: from_now(0),
                about: None,
                deps: vec![last],
                names: Vec::new(),
                ops: vec![Op::Set(14, Value::text("x"))],
            };
            run.entry().edit = encoded(&edit).encode();
        }
        run.deepen(249);
        for _ in 0..runs {
            ring.mallory.send_run(&run);
            // One input at a time.
            let _ = ring.mallory.handled();
            run = run.deeper();
        }
    }
    ItemId { creator, nonce }
}

/// A tombstone that destroys 1,000 edits at once.
fn destroying(ring: &mut Ring) -> Result<f64, String> {
    let item = event(ring, 1, 4);
    let _ = ring.mallory.handled();
    let stone = ring.mallory.stone(item);
    ring.longest(|ring| {
        ring.mallory.send_run(&stone);
        Ok(())
    })
}

/// 5,000 edits of one item, from five sets of chains.
fn filling_an_item(ring: &mut Ring) -> Result<f64, String> {
    ring.longest(|ring| {
        let _ = event(ring, 5, 4);
        Ok(())
    })
}

/// Amara removes somebody with 1,024 notes of 60 kB.
fn a_removal(ring: &mut Ring) -> Result<f64, String> {
    for part in 0..32 {
        let note =
            |n: usize| BatchItem::Note(NewNote { title: format!("{part} {n}"), body: "a".repeat(60_000), ..NewNote::default() });
        let batch = Batch { items: (0..32).map(note).collect(), import: None };
        drop(ring.mallory.call(Command::Batch("-".to_owned(), batch)).map_err(|error| error.message)?);
    }
    ring.amara.holds(1_024)?;
    let circle = ring.circle.clone();
    ring.longest(|ring| {
        let members = ring.amara.client.get(&format!("/v1/circles/{circle}/members"))?;
        let rows = members.get("members").and_then(Json::as_array).cloned().unwrap_or_default();
        let written =
            rows.iter().find(|row| row.get("name").and_then(Json::as_str) == Some("Mallory")).cloned().unwrap_or_default();
        let id = written.get("id").and_then(Json::as_str).unwrap_or_default();
        drop(ring.amara.client.call("DELETE", &format!("/v1/circles/{circle}/members/{id}"), &Json::Null)?);
        Ok(())
    })
}

/// 256 acts on top of each other, as many as one frame may hold.
fn acts(ring: &mut Ring) -> Result<f64, String> {
    let known = ring.mallory.acts_known();
    drop(ring.amara.home.json(&["member", "role", "Mallory", "steward", "-c", "Bench"]));
    until("the role to arrive", || (ring.mallory.acts_known() > known).then_some(()));
    let acts = ring.mallory.deep(256);
    ring.longest(|ring| {
        ring.mallory.send_acts(&acts);
        Ok(())
    })
}

/// As many records as one frame may hold, each newer than the one before.
fn records(ring: &mut Ring) -> Result<f64, String> {
    let peer = PeerId(vec![7; 38]);
    let record = |n: u64| {
        let mut body = ring.mallory.about("Mallory");
        body.peer = peer.clone();
        ring.mallory.record(100 + n, body)
    };
    let records: Vec<Vec<u8>> = (0..1_000).map(record).collect();
    ring.longest(|ring| {
        ring.mallory.send_records(&records);
        Ok(())
    })
}

/// One more request where as many wait as may, each as large as it may be.
fn a_request(ring: &mut Ring) -> Result<f64, String> {
    let mut last = None;
    for invite in 0..4_u64 {
        let link = ring.amara.link(&ring.circle.clone(), 100)?;
        for number in 0..16_u64 {
            let eve = Peer::named("Eve");
            eve.dial(&raw::address(&ring.amara.home, false));
            let device = SigningKey::generate(&mut Seeded::new(invite * 100 + number));
            eve.send(&proof(&eve, &ticket_key(&link), &device));
            let answer = until("an answer to a ticket", || {
                eve.heard().iter().rev().find(|frame| frame.at(0).number() == Some(5)).map(|frame| frame.at(1).at(0).clone())
            });
            let asked = request(&link, &opened(&link, &answer), &device, "Eve");
            let full = swollen(&asked, &bytes([0; 32]));
            if invite == 3 && number == 15 {
                last = Some((eve, full));
            } else {
                eve.send(&full);
                last = last.or(None);
            }
        }
    }
    let (eve, full) = last.ok_or("nobody asks")?;
    ring.longest(|_| {
        for _ in 0..10 {
            eve.send(&full);
        }
        Ok(())
    })
}

/// 24 notes of 60 kB, each edited once, as they come.
fn edited_notes(ring: &mut Ring) -> Result<f64, String> {
    ring.longest(|ring| {
        for n in 0..24_u8 {
            let letter = char::from(b'a' + n);
            let new = NewNote { title: format!("long {n}"), body: letter.to_string().repeat(60_000), ..NewNote::default() };
            let Ok(Answer::Item(Item::Note(note))) = ring.mallory.call(Command::New("-".to_owned(), NewItem::Note(new))) else {
                return Err("no note".to_owned());
            };
            let edit = EditItem::Note(EditNote { body: Some("z".repeat(60_000)), ..EditNote::default() });
            drop(ring.mallory.call(Command::Edit("-".to_owned(), note.id, edit)).map_err(|error| error.message)?);
        }
        ring.amara.holds(48)?;
        Ok(())
    })
}

/// The newest hundred of 25,600 notes, which came in a hundred runs, no two of them side by side. `words`: bytes of each body,
/// which compress to half of that.
fn spread_notes(ring: &mut Ring, words: usize) -> Result<f64, String> {
    let mut run = ring.mallory.small(256);
    let mut random = Seeded::new(8);
    for _ in 0..100 {
        for entry in &mut run.entries {
            random.fill_bytes(&mut entry.nonce);
            if words > 0 {
                let mut bytes = vec![0; words / 2];
                random.fill_bytes(&mut bytes);
                let body: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                let ops = vec![Op::Set(0, Value::text("long")), Op::Insert(1, None, Private(body))];
                entry.edit = encoded(&Edit::opening(from_now(0), None, ops)).encode();
            }
        }
        ring.mallory.send_run(&run);
        let _ = ring.mallory.handled();
        (run.first, run.previous) = (run.first + run.entries.len() as u64, run.build().1);
        run.entry().heads = None;
    }
    ring.calls(&format!("/v1/circles/{}/notes?limit=100", ring.circle))
}

/// A hundred notes with 64 replies each, in a list.
fn answered_notes(ring: &mut Ring) -> Result<f64, String> {
    let notes = ring.mallory.small(100);
    ring.mallory.send_run(&notes);
    let items: Vec<ItemId> = notes.entries.iter().map(|entry| ItemId { creator: entry.creator, nonce: entry.nonce }).collect();
    let mut run = ring.mallory.small(256);
    let mut random = Seeded::new(9);
    for part in 0..25 {
        for (number, entry) in run.entries.iter_mut().enumerate() {
            random.fill_bytes(&mut entry.nonce);
            let about = items.get((part * 256 + number) % items.len()).copied();
            entry.kind = u64::from(Kind::Reply.number());
            entry.edit = encoded(&Edit::opening(from_now(0), about, vec![Op::Insert(1, None, "yes".to_owned().into())])).encode();
        }
        ring.mallory.send_run(&run);
        let _ = ring.mallory.handled();
        (run.first, run.previous) = (run.first + run.entries.len() as u64, run.build().1);
        run.entry().heads = None;
    }
    ring.calls(&format!("/v1/circles/{}/notes?limit=100", ring.circle))
}

type Input = fn(&mut Ring) -> Result<f64, String>;

/// Each input by its name.
const INPUTS: [(&str, Input); 8] = [
    ("have", a_have),
    ("large_run", a_large_run),
    ("destroying", destroying),
    ("filling_an_item", filling_an_item),
    ("removal", a_removal),
    ("acts", acts),
    ("records", records),
    ("request", a_request),
];

impl<F: FnMut(&Row)> Bench<F> {
    /// A row for each input.
    pub(super) fn worst_inputs(&mut self) -> Result<(), String> {
        for (name, input) in INPUTS {
            let metric = format!("worst_inputs_{name}");
            if !self.options.wants(&metric) {
                continue;
            }
            let times = (0..self.times(5, 1)).map(|_| input(&mut Ring::new()?)).collect::<Result<Vec<f64>, _>>()?;
            self.add(Row::of(metric, "s", times));
        }
        for (metric, words) in [("worst_inputs_spread_list", 0), ("worst_inputs_spread_long_list", 2_700)] {
            if self.options.wants(metric) {
                let times =
                    (0..self.times(5, 1)).map(|_| spread_notes(&mut Ring::new()?, words)).collect::<Result<Vec<f64>, _>>()?;
                self.add(Row::of(metric, "s", times));
            }
        }
        if self.options.wants("worst_inputs_answered_list") {
            let times = (0..self.times(5, 1)).map(|_| answered_notes(&mut Ring::new()?)).collect::<Result<Vec<f64>, _>>()?;
            self.add(Row::of("worst_inputs_answered_list", "s", times));
        }
        if !self.options.wants("worst_inputs_edited") {
            return Ok(());
        }
        let (mut turns, mut first, mut list, mut status) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.times(5, 1) {
            let mut ring = Ring::new()?;
            turns.push(edited_notes(&mut ring)?);
            let path = format!("/v1/circles/{}/notes?limit=100", ring.circle);
            first.push(ring.calls(&path)?);
            list.push(ring.calls(&path)?);
            status.push(ring.calls("/v1/status")?);
        }
        self.add(Row::of("worst_inputs_edited_notes", "s", turns));
        self.add(Row::of("worst_inputs_edited_first_list", "s", first));
        self.add(Row::of("worst_inputs_edited_list", "s", list));
        self.add(Row::of("worst_inputs_edited_status", "s", status));
        Ok(())
    }
}
