//! What is done to a world and in it, as a list: a run is a function of a seed and such a script.
//!
//! A seed draws its script while it runs and writes it down. The same script can be played again with steps left out, which is
//! how a failing run is shrunk to something that a person can read.

use std::fmt;

use super::deed::Deed;
use super::fault::Fault;
use super::net::Weather;

/// One thing that happens from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Somebody does something.
    Deed(Deed),
    /// Something goes wrong.
    Fault(Fault),
    /// The network behaves otherwise from now on.
    Weather(Weather),
}

/// A thing and its moment, in milliseconds since the world began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: u64,
    /// What.
    pub what: What,
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
