//! What questions about membership cost at the local API: in a store of 20 circles, one of them with 1,000 acts, while a join waits.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::circle::{BenchMember, text};
use super::report::Row;
use super::rows::{Bench, Done, pause};

/// Circles in the store that is asked.
const CIRCLES: usize = 20;
/// Acts of one of them.
const ACTS: usize = 1_000;
/// Between two looks at a join.
const LOOK: Duration = Duration::from_millis(20);
/// Until a join waits for a steward, at most.
const PATIENCE: Duration = Duration::from_secs(60);

impl<F: FnMut(&Row)> Bench<F> {
    /// `circle_list`: all 20 circles. `member_list`: of the one with 1,000 acts. `join_poll`: what `kith join` asks every 250 ms while it
    /// waits for a steward.
    pub(super) fn membership(&mut self) -> Done {
        let (mut a, mut b) = (BenchMember::new("Amara")?, BenchMember::new("Bea")?);
        let mut circle = String::new();
        for number in 0..CIRCLES {
            let new = json!({ "name": format!("Circle {number}"), "agreement": "Be kind to each other." });
            circle = text(&a.client.call("POST", "/v1/circles", &new)?, "id")?;
        }
        for act in 1..ACTS {
            // Each changes something, or it would be no act.
            let edit = json!({ "retention": format!("{}d", 90 + act % 2) });
            drop(a.client.call("PATCH", &format!("/v1/circles/{circle}"), &edit)?);
        }
        let theirs = text(&b.client.call("POST", "/v1/circles", &json!({ "name": "Bea's" }))?, "id")?;
        let link = b.link(&theirs, 1)?;
        drop(a.client.call("POST", "/v1/joins", &json!({ "link": link, "as": "Amara" }))?);
        waits(&mut a)?;
        self.asked(&mut a, "circle_list", "/v1/circles", |answer| length(answer, "circles") == CIRCLES)?;
        self.asked(&mut a, "member_list", &format!("/v1/circles/{circle}/members"), |answer| length(answer, "members") == 1)?;
        self.asked(&mut a, "join_poll", "/v1/joins", |answer| length(answer, "joins") == 1)
    }

    /// One question again and again, each time looked at.
    fn asked(&mut self, of: &mut BenchMember, metric: &str, path: &str, right: impl Fn(&Value) -> bool) -> Done {
        if !self.options.wants(metric) {
            return Ok(());
        }
        let mut times = Vec::new();
        for _ in 0..100 {
            let start = Instant::now();
            let answer = of.client.get(path)?;
            times.push(start.elapsed().as_secs_f64());
            if !right(&answer) {
                return Err(format!("{path} answers {answer}"));
            }
        }
        self.add(Row::of(metric, "s", times));
        Ok(())
    }
}

fn length(answer: &Value, plural: &str) -> usize {
    answer.get(plural).and_then(Value::as_array).map_or(0, Vec::len)
}

/// Until a steward has to say yes.
fn waits(of: &mut BenchMember) -> Done {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        let answer = of.client.get("/v1/joins")?;
        if answer.pointer("/joins/0/status").and_then(Value::as_str) == Some("requested") {
            return Ok(());
        }
        pause(LOOK);
    }
    Err("the request did not arrive".to_owned())
}
