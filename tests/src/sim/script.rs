//! What is done to a world and in it, as a list: a run is a function of such a script.
//!
//! A seed draws its script while it runs and writes it down. The same script can be played again with steps left out, which is
//! how a failing run is shrunk to something that a person can read. As a file it holds everything that the seed decided about
//! people, faults and the world's shape, so that it means the same when other seeds draw other things; only what a core draws
//! for itself and how long a frame takes follow from the seed's number alone.

use std::fmt;

use kith_protocol::control::Kind;
use serde::{Deserialize, Serialize};

use super::deed::Deed;
use super::fault::Fault;
use super::net::{Weather, Who};
use super::workload::Plan;

/// The form of script files that this program writes and reads.
const SCHEMA: &str = "kith.sim.script/1";
/// More machines than any seed draws.
const MACHINES: usize = 16;

/// One thing that happens from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// Somebody does something.
    Deed(Deed),
    /// Something goes wrong.
    Fault(Fault),
    /// The network behaves otherwise from now on.
    Weather(Weather),
}

/// A thing and its moment, in milliseconds since the world began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// When.
    pub at: u64,
    /// What.
    pub what: What,
}

/// What a world is made of, before anything happens in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// The seed of all that is drawn while it runs.
    pub seed: u64,
    /// How many machines.
    pub machines: usize,
    /// One of them belongs to somebody hostile.
    pub hostile: Option<Who>,
    /// Real signatures and boxes, or cheap ones?
    pub real: bool,
    /// Does it live for weeks?
    pub long: bool,
    /// Are machines told when all is well again?
    pub told: bool,
    /// The circles that people have in mind.
    pub plans: Vec<Plan>,
}

/// A whole run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// In order of their moments.
    pub steps: Vec<Step>,
    /// When everybody was in who was to be.
    pub formed: u64,
    /// When all became well again.
    pub healed: u64,
    /// When it did so at the end of a long life.
    pub aged: u64,
}

impl Script {
    /// The same run with only some of its steps.
    #[must_use]
    pub fn with(&self, steps: Vec<Step>) -> Self {
        Self { steps, ..*self }
    }
}

/// A script as a file: the world, what happened in it, and which check failed when it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The check that failed.
    pub check: String,
    /// The world.
    pub shape: Shape,
    /// What happens in it.
    pub script: Script,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    check: String,
    world: Shape,
    formed: u64,
    healed: u64,
    aged: u64,
    steps: Vec<Step>,
}

impl Case {
    /// The same in a world that draws from another seed.
    #[must_use]
    pub fn under(&self, seed: u64) -> Self {
        let mut other = self.clone();
        other.shape.seed = seed;
        other
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it: another form, an unknown deed or fault, a machine that is not there.
    pub fn read(text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|why| format!("it is no script: {why}"))?;
        let File { schema, check, world: shape, formed, healed, aged, steps } = file;
        if schema != SCHEMA {
            return Err(format!("its form is {schema}, and only {SCHEMA} is known"));
        }
        if steps.is_empty() || !steps.is_sorted_by_key(|step| step.at) {
            return Err("its steps are none, or not in the order of their moments".to_owned());
        }
        let last = steps.last().map_or(0, |step| step.at);
        if formed > healed || last > healed.max(aged) || aged > 0 && !(shape.long && aged >= healed) {
            return Err("its moments do not follow each other".to_owned());
        }
        shape.check(&steps)?;
        Ok(Self { check, shape, script: Script { steps, formed, healed, aged } })
    }

    /// The file's text: one line a step.
    #[must_use]
    pub fn write(&self) -> String {
        let Self { check, shape, script } = self;
        let steps: Vec<String> = script.steps.iter().map(|step| format!("    {}", json(step))).collect();
        let Script { formed, healed, aged, .. } = script;
        let (schema, check, world, steps) = (json(&SCHEMA), json(check), json(shape), steps.join(",\n"));
        format!(
            "{{\n  \"schema\": {schema},\n  \"check\": {check},\n  \"world\": {world},\n  \"formed\": {formed}, \"healed\": {healed}, \"aged\": {aged},\n  \"steps\": [\n{steps}\n  ]\n}}\n"
        )
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("has no maps but with text for keys")
}

impl Shape {
    /// Is everybody there of whom it speaks? (A copy may be made of one machine.)
    fn check(&self, steps: &[Step]) -> Result<(), String> {
        let is_there = |who: &Who| *who < self.machines;
        let plan_fits = |plan: &Plan| {
            let others = plan.guests.iter().chain(&plan.late).chain(&plan.hostile);
            is_there(&plan.founder) && others.into_iter().all(is_there)
        };
        let sound = (1..=MACHINES).contains(&self.machines) && !self.plans.is_empty();
        if !sound || !self.hostile.iter().all(is_there) || !self.plans.iter().all(plan_fits) {
            return Err("its world names machines that are not in it".to_owned());
        }
        let known = |step: &&Step| match &step.what {
            What::Deed(deed) => deed.who <= self.machines && deed.circle < self.plans.len(),
            What::Fault(fault) => fault.machine().is_none_or(|who| who <= self.machines),
            What::Weather(_) => true,
        };
        match steps.iter().find(|step| !known(step)) {
            Some(step) => Err(format!("its step at {} names what is not in its world", step.at)),
            None => Ok(()),
        }
    }
}

/// How a kind is named in a file.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Kind")]
pub(super) enum KindName {
    Note,
    Reply,
    Reaction,
    Event,
    Rsvp,
    Resource,
    Tombstone,
    Hide,
    Pin,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (minutes, millis) = (self.at / 60_000, self.at % 60_000);
        write!(f, "{minutes:>3}:{:02}.{:03}  ", millis / 1_000, millis % 1_000)?;
        match &self.what {
            What::Deed(deed) => write!(f, "{deed}"),
            What::Fault(fault) => write!(f, "{fault:?}"),
            What::Weather(weather) => write!(f, "{weather:?}"),
        }
    }
}
