//! What happened, told so that a person enjoys reading it, and counted so that a script can trust it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::error::{Result, failed};
use crate::ui::{Line, Ui};

/// The telling of one demo.
#[derive(Debug)]
pub(crate) struct Story<'a> {
    ui: &'a Ui,
    begin: Instant,
    scene: Instant,
    checks: Vec<Value>,
}

impl<'a> Story<'a> {
    pub(crate) fn new(ui: &'a Ui) -> Self {
        Self { ui, begin: Instant::now(), scene: Instant::now(), checks: Vec::new() }
    }

    /// A new scene.
    pub(crate) fn scene(&mut self, title: &str) -> Result<()> {
        self.scene = Instant::now();
        if self.ui.json {
            return Ok(());
        }
        self.ui.gap()?;
        self.ui.out(Line::new().strong(title))
    }

    /// Something happened; how long it took since the last thing.
    pub(crate) fn tell(&mut self, what: &str) -> Result<()> {
        let took = self.scene.elapsed();
        self.scene = Instant::now();
        if self.ui.json {
            return Ok(());
        }
        self.ui.hanging(Line::new().dim(&format!("{:>9}", length(took))), what.into())
    }

    /// Something has to hold. It is told when it does; when it does not, the demo has failed.
    pub(crate) fn check(&mut self, holds: bool, what: &str) -> Result<()> {
        let took = self.scene.elapsed();
        self.scene = Instant::now();
        self.checks.push(json!({ "check": what, "held": holds, "ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX) }));
        if !self.ui.json {
            let mark = if holds { Line::new().good("✓ ") } else { Line::new().warn("✗ ") };
            self.ui.hanging(Line::new().dim(&format!("{:>9}", length(took))), mark.text(what))?;
        }
        if holds {
            Ok(())
        } else {
            Err(failed(format!("A check did not hold. {what}"), "The demo keeps everything with --keep, for looking at."))
        }
    }

    /// The end.
    pub(crate) fn end(&self, outcome: &Result<()>) -> Result<()> {
        let held = self.checks.iter().filter(|check| check.get("held") == Some(&Value::Bool(true))).count();
        let seconds = self.begin.elapsed().as_secs_f64();
        if self.ui.json {
            let error = outcome.as_ref().err().map(ToString::to_string);
            return self.ui.out_value(&json!({
                "schema": "kith.demo/1", "ok": outcome.is_ok(), "seconds": (seconds * 100.0).round() / 100.0, "checks": self.checks, "error": error,
            }));
        }
        if outcome.is_ok() {
            self.ui.gap()?;
            self.ui.out(Line::new().good(&format!("All {held} checks held, in {seconds:.1} seconds.")))?;
        }
        Ok(())
    }
}

fn length(took: Duration) -> String {
    if took.as_millis() < 1_000 { format!("{} ms", took.as_millis()) } else { format!("{:.1} s", took.as_secs_f64()) }
}
