//! What is measured, and how each figure is taken.

use std::time::{Duration, Instant};

use serde_json::json;

use super::circle::BenchMember;
use super::client::Watcher;
use super::floor::{Floors, median};
use super::notes::Note;
use super::process::{on_disk, resident, used};
use super::report::Row;
use super::turns::{STAGES, Turns};
use super::{BenchOptions, network};
use crate::proc::Home;

/// Between two live notes, so that none waits behind another.
const PAUSE: Duration = Duration::from_millis(3);
/// Of quiet before memory, disk and wire are read.
const SETTLE: Duration = Duration::from_secs(3);
/// How long idling is watched.
const IDLE: Duration = Duration::from_secs(10);
/// Members who read when one writes.
const READERS: usize = 8;

/// The benchmark under way.
pub(super) struct Bench<F> {
    pub(super) options: BenchOptions,
    notes: Vec<Note>,
    tell: F,
    floors: Option<Floors>,
    pub(super) rows: Vec<Row>,
}

pub(super) type Done = Result<(), String>;

impl<F: FnMut(&Row)> Bench<F> {
    pub(super) fn new(options: BenchOptions, notes: Vec<Note>, tell: F) -> Self {
        Self { options, notes, tell, floors: None, rows: Vec::new() }
    }

    pub(super) fn all(&mut self) -> Done {
        self.floors()?;
        if self.options.wants("cold_sync_1000") {
            self.cold(1_000, &[])?;
        }
        let rest = ["live", "catch_up", "idle", "wire", "disk", "list", "search"];
        if self.options.wants("cold_sync_10000") || rest.iter().any(|metric| self.options.wants(metric)) {
            self.cold(10_000, &rest)?;
        }
        if self.options.wants("writes") {
            self.writes()?;
        }
        if self.options.wants("fan_out_8") {
            self.fan_out()?;
        }
        if ["circle_list", "member_list", "join_poll"].iter().any(|metric| self.options.wants(metric)) {
            self.membership()?;
        }
        if self.options.wants("profile") && (!self.options.quick || self.options.only.is_some()) {
            self.profile()?;
        }
        if self.options.wants("worst_inputs") && (!self.options.quick || self.options.only.is_some()) {
            self.worst_inputs()?;
        }
        if self.options.wants("growth") && (!self.options.quick || self.options.only.is_some()) {
            self.growth()?;
        }
        Ok(())
    }

    pub(super) fn add(&mut self, row: Row) {
        if self.options.wants(&row.metric) {
            (self.tell)(&row);
            self.rows.push(row);
        }
    }

    pub(super) const fn times(&self, full: usize, quick: usize) -> usize {
        if self.options.quick { quick } else { full }
    }

    fn notes(&self, from: usize, count: usize) -> Result<Vec<Note>, String> {
        let found = self.notes.get(from..from + count).map(<[Note]>::to_vec);
        found.ok_or_else(|| format!("{} notes are not enough", self.notes.len()))
    }

    fn floor(&self, of: impl Fn(&Floors) -> &Vec<f64>) -> f64 {
        self.floors.as_ref().map_or(f64::NAN, |floors| median(of(floors)))
    }

    fn floors(&mut self) -> Done {
        // On the disk that the homes are on.
        let place = Home::new();
        let floors = Floors::measure(place.beside(), self.times(500, 200))?;
        for (metric, values) in [
            ("fdatasync_p50", &floors.fdatasync),
            ("loopback_rtt", &floors.round_trip),
            ("verify", &floors.verify),
            ("aead", &floors.aead),
        ] {
            self.add(Row::of(metric, "s", values.clone()));
        }
        self.floors = Some(floors);
        Ok(())
    }

    /// At best: the fewest signatures, each note opened and sealed again, one commit.
    fn cold_floor(&self, notes: usize) -> f64 {
        let notes = notes as f64;
        let runs = (notes / 256.0).ceil();
        runs * self.floor(|f| &f.verify) + 2.0 * notes * self.floor(|f| &f.aead) + self.floor(|f| &f.fdatasync)
    }

    /// A has so many notes, each written by itself; B, up and empty, asks to join; until B lists all. Every note is then read back and compared.
    fn cold(&mut self, size: usize, rest: &[&str]) -> Done {
        let notes = self.notes(0, size)?;
        let mut a = BenchMember::new("Amara")?;
        let circle = a.found()?;
        for note in &notes {
            drop(a.write(&circle, note)?);
        }
        let (mut times, mut wire, mut searchable) = (Vec::new(), Vec::new(), Vec::new());
        let turns = self.times(5, 1);
        let mut last = None;
        for turn in 0..turns {
            let link = a.link(&circle, 1)?;
            let mut b = BenchMember::new("Bea")?;
            pause(Duration::from_millis(500));
            let before = network::bytes();
            let start = b.join(&link)?;
            times.push((b.holds(size)? - start).as_secs_f64());
            searchable.push(search_complete(&mut b, &notes, start)?);
            pause(SETTLE);
            wire.push((network::bytes() - before) as f64 / size as f64);
            b.check(&circle, &notes)?;
            if turn + 1 == turns {
                last = Some(b);
            } else {
                // Or B's absence would be on the wire of the turns to come.
                b.leave(&circle, &mut a)?;
                b.stop();
            }
        }
        let floor = self.cold_floor(size);
        self.add(Row::of(format!("cold_sync_{size}"), "s", times).above(floor));
        self.add(Row::of(format!("cold_search_{size}"), "s", searchable));
        let Some(b) = last.filter(|_| !rest.is_empty()) else { return Ok(()) };
        self.add(Row::of("wire_per_note", "B", wire));
        self.settled(a, b, &circle, size)
    }

    /// With 10,000 notes on both sides: idling, lists, search, live notes, catching up, disk.
    fn settled(&mut self, mut a: BenchMember, mut b: BenchMember, circle: &str, size: usize) -> Done {
        self.idle(&a, &b);
        self.reading(&mut b, circle, "")?;
        let mut have = size;
        if self.options.wants("live") {
            have += self.live(&mut a, &b, circle, have)?;
        }
        if self.options.wants("catch_up_100") {
            have = self.catch_up(&mut a, &mut b, circle, have)?;
        }
        a.stop();
        b.stop();
        let bytes = [&a, &b].map(|member| on_disk(&member.home.path()) as f64 / have as f64);
        self.add(Row::worst("disk_per_note", "B", bytes.to_vec()));
        Ok(())
    }

    /// Nobody does anything: memory, processor, and what a kept connection costs.
    fn idle(&mut self, a: &BenchMember, b: &BenchMember) {
        if !self.options.wants("idle") {
            return;
        }
        pause(SETTLE);
        let pids: Vec<u32> = [a, b].iter().filter_map(|member| member.home.pid()).collect();
        let (cpu, wire) = (pids.iter().map(|pid| used(*pid)).collect::<Vec<_>>(), network::bytes());
        pause(IDLE);
        let seconds = IDLE.as_secs_f64();
        let cpu = pids.iter().zip(cpu).map(|(pid, before)| (used(*pid) - before) * 100.0 / seconds);
        self.add(Row::worst("idle_cpu", "%", cpu.collect()));
        self.add(Row::of("idle_wire", "B/s", vec![(network::bytes() - wire) as f64 / seconds]));
        let memory: Vec<f64> = pids.iter().map(|pid| resident(*pid)).collect();
        for (side, value) in ["writer", "reader"].iter().zip(&memory) {
            self.add(Row::of(format!("idle_rss_{side}"), "MB", vec![*value]));
        }
        self.add(Row::worst("idle_rss", "MB", memory));
    }

    /// The last hundred notes, and words that people look for.
    fn reading(&mut self, member: &mut BenchMember, circle: &str, prefix: &str) -> Done {
        let times = self.times(20, 5);
        let list = (0..times).map(|_| {
            let start = Instant::now();
            member.client.get(&format!("/v1/circles/{circle}/notes?limit=100")).map(|_| start.elapsed().as_secs_f64())
        });
        let list: Vec<f64> = list.collect::<Result<_, _>>()?;
        let words = ["manager", "grief", "pager", "negotiation", "tea", "promotion", "river", "visa", "plums", "mentor"];
        let search = words.iter().cycle().take(times).map(|word| {
            let start = Instant::now();
            member.client.get(&format!("/v1/search?q={word}")).map(|_| start.elapsed().as_secs_f64())
        });
        let search: Vec<f64> = search.collect::<Result<_, _>>()?;
        self.add(Row::of(format!("{prefix}list_100"), "s", list));
        self.add(Row::of(format!("{prefix}search"), "s", search));
        Ok(())
    }

    /// One note on A, until B's watcher is told of it; both have it on disk by then.
    fn live(&mut self, a: &mut BenchMember, b: &BenchMember, circle: &str, have: usize) -> Result<usize, String> {
        let times = self.send(a, b, circle, have)?;
        let count = times.len();
        let floor = 2.0 * self.floor(|f| &f.fdatasync) + self.floor(|f| &f.round_trip) + self.floor(|f| &f.verify);
        self.add(Row::of("live_p50", "s", times.clone()).above(floor));
        self.add(Row::percentile("live_p99", "s", times, 99));
        Ok(count)
    }

    fn send(&self, a: &mut BenchMember, b: &BenchMember, circle: &str, have: usize) -> Result<Vec<f64>, String> {
        let watcher = Watcher::start(&b.home.path())?;
        let mut times = Vec::new();
        for note in self.notes(have, self.times(300, 100))? {
            let start = Instant::now();
            let id = a.write(circle, &note)?;
            times.push((watcher.sees(&id)? - start).as_secs_f64());
            pause(PAUSE);
        }
        Ok(times)
    }

    /// B's process is started; until it lists the hundred notes that were written meanwhile. B's home has no passphrase, so that it
    /// unlocks itself, and what a passphrase costs on purpose is not in the figure.
    fn catch_up(&mut self, a: &mut BenchMember, b: &mut BenchMember, circle: &str, mut have: usize) -> Result<usize, String> {
        let mut times = Vec::new();
        for _ in 0..self.times(5, 2) {
            b.stop();
            for note in self.notes(have, 100)? {
                drop(a.write(circle, &note)?);
            }
            have += 100;
            let start = b.start()?;
            times.push((b.holds(have)? - start).as_secs_f64());
        }
        let all = self.notes(0, have)?;
        b.check(circle, &all)?;
        self.add(Row::of("catch_up_100", "s", times));
        Ok(have)
    }

    /// Nobody connected: notes one by one, each awaited, and in batches. Durable when the call returns.
    fn writes(&mut self) -> Done {
        let (mut single, mut batched) = (Vec::new(), Vec::new());
        let notes = self.notes(0, 10_000)?;
        for _ in 0..self.times(5, 1) {
            let mut a = BenchMember::new("Amara")?;
            let circle = a.found()?;
            let few = notes.get(..self.times(1_000, 300)).unwrap_or_default();
            let start = Instant::now();
            for note in few {
                drop(a.write(&circle, note)?);
            }
            single.push(few.len() as f64 / start.elapsed().as_secs_f64());
            let start = Instant::now();
            a.write_all(&circle, &notes)?;
            batched.push(notes.len() as f64 / start.elapsed().as_secs_f64());
            a.stop();
        }
        let floor = 1.0 / self.floor(|f| &f.fdatasync);
        self.add(Row::of("writes_single", "1/s", single).above(floor));
        self.add(Row::of("writes_batched", "1/s", batched));
        Ok(())
    }

    /// One writes, eight watch; until the last of them is told.
    fn fan_out(&mut self) -> Done {
        let mut a = BenchMember::new("Amara")?;
        let circle = a.found()?;
        let base = 100;
        a.write_all(&circle, &self.notes(0, base)?)?;
        let link = a.link(&circle, READERS)?;
        let mut readers = Vec::new();
        for number in 0..READERS {
            let mut reader = BenchMember::new(&format!("Reader {number}"))?;
            reader.join(&link)?;
            reader.holds(base)?;
            readers.push(reader);
        }
        pause(SETTLE);
        let watchers: Vec<Watcher> =
            readers.iter().map(|reader| Watcher::start(&reader.home.path())).collect::<Result<_, _>>()?;
        let mut times = Vec::new();
        for note in self.notes(base, self.times(50, 20))? {
            let start = Instant::now();
            let id = a.write(&circle, &note)?;
            let last = watchers.iter().map(|watcher| watcher.sees(&id)).collect::<Result<Vec<_>, _>>()?.into_iter().max();
            times.push(last.map_or(f64::NAN, |last| (last - start).as_secs_f64()));
            pause(PAUSE * 3);
        }
        self.add(Row::of("fan_out_8", "s", times));
        Ok(())
    }

    /// Where the time goes in a daemon's own turns: all turns of a cold sync of 10,000 notes together, and one note on its way,
    /// at its writer and at its reader.
    fn profile(&mut self) -> Done {
        let size = 10_000;
        let (mut a, mut b) = (BenchMember::new("Amara")?, BenchMember::new("Bea")?);
        let circle = a.found()?;
        a.write_all(&circle, &self.notes(0, size)?)?;
        let logs = [&a, &b].map(|member| member.home.beside().join("turns"));
        for (member, log) in [&mut a, &mut b].into_iter().zip(&logs) {
            member.stop();
            let _ = member.start_telling(log)?;
        }
        let link = a.link(&circle, 1)?;
        b.join(&link)?;
        b.holds(size)?;
        // A turn tells its times when it is over, which is after its commit.
        pause(SETTLE);
        let turns = Turns::read(&logs[1], 0, |_| true);
        for (stage, _) in STAGES {
            let all: f64 = turns.stages.get(stage).into_iter().flatten().sum();
            self.add(Row::of(format!("profile_cold_{stage}"), "s", vec![all / 1e6]));
        }
        let before = logs.each_ref().map(|log| Turns::read(log, 0, |_| true).lines);
        let _ = self.send(&mut a, &b, &circle, size)?;
        // The turns that carry a note: at its writer those of a call, at its reader those that tell a watcher.
        let carries = [" calls=1 ", " notices=1 "];
        for (((who, log), lines), mark) in ["writer", "reader"].iter().zip(&logs).zip(before).zip(carries) {
            let turns = Turns::read(log, lines, |turn| turn.contains(mark));
            for (stage, _) in STAGES {
                let values = turns.stages.get(stage).into_iter().flatten().map(|micros| micros / 1e6).collect();
                self.add(Row::of(format!("profile_live_{who}_{stage}"), "s", values));
            }
        }
        Ok(())
    }

    /// One member alone, ever more notes: what each step costs once they are there.
    fn growth(&mut self) -> Done {
        let mut a = BenchMember::new("Amara")?;
        let circle = a.found()?;
        let (mut have, steps) = (0, [1_000, 10_000, 100_000]);
        for size in steps.into_iter().take(if self.options.quick { 2 } else { 3 }) {
            let added = self.notes(have, size - have)?;
            a.write_all(&circle, &added)?;
            // What is measured is a store that rests.
            let _ = search_complete(&mut a, &added, Instant::now())?;
            let single = (0..self.times(100, 20)).map(|number| {
                let note = Note { title: format!("growth {number}"), body: "one more".to_owned() };
                let start = Instant::now();
                a.write(&circle, &note).map(|_| start.elapsed().as_secs_f64())
            });
            let single: Vec<f64> = single.collect::<Result<_, _>>()?;
            have = size;
            self.add(Row::of(format!("growth_{size}_write"), "s", single));
            self.reading(&mut a, &circle, &format!("growth_{size}_"))?;
            a.stop();
            let bytes = on_disk(&a.home.path()) as f64 / size as f64;
            self.add(Row::of(format!("growth_{size}_disk_per_note"), "B", vec![bytes]));
            let start = a.start()?;
            a.holds(size)?;
            self.add(Row::of(format!("growth_{size}_start"), "s", vec![start.elapsed().as_secs_f64()]));
            pause(SETTLE);
            self.add(Row::of(format!("growth_{size}_rss"), "MB", a.home.pid().map(resident).into_iter().collect()));
        }
        Ok(())
    }
}

/// Until the last note of all is found by its words.
fn search_complete(member: &mut BenchMember, notes: &[Note], start: Instant) -> Result<f64, String> {
    let title = notes.last().map(|note| note.title.replace(' ', "%20")).unwrap_or_default();
    loop {
        let answer = member.client.get(&format!("/v1/search?q={title}"))?;
        let found = answer.as_object().into_iter().flatten().filter_map(|(_, list)| list.as_array()).any(|list| !list.is_empty());
        if found {
            return Ok(start.elapsed().as_secs_f64());
        }
        if start.elapsed() > Duration::from_secs(60) {
            return Err(json!({"not found": title}).to_string());
        }
        pause(PAUSE);
    }
}

/// Quiet is what is measured, or what a measurement needs before it.
pub(super) fn pause(time: Duration) {
    std::thread::sleep(time);
}
