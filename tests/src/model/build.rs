//! From a vector's acts to ours.

mod names;
mod statement;

use std::collections::BTreeMap;

use kith_protocol::circle::body::{History, NewEpoch};
use kith_protocol::circle::epoch::{EpochKeys, epoch_id, new_epoch};
use kith_protocol::circle::membership::Fact;
use kith_protocol::crypto::{Real, Seeded};
use kith_protocol::id::{ActId, CircleId, EpochId};
use kith_protocol::log::act::{ActBody, ActPlace, SealedAct, write_act};
use kith_protocol::time::Millis;
use rand_core::Rng;

use super::vector::{Raw, Vector, text, texts};
pub use names::Names;

/// How acts are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Making {
    /// Signed with real keys and sealed, then parsed, verified and opened again.
    Signed,
    /// Facts as the resolver takes them.
    Plain,
}

/// A vector's acts under our ids.
#[derive(Clone, Debug)]
pub struct Built {
    /// The circle.
    pub circle: CircleId,
    /// Its acts.
    pub facts: Vec<Fact>,
    /// Which id stands for which.
    pub names: Names,
}

/// Builds a vector's acts. `seed` chooses every id.
///
/// # Errors
/// Where the vector cannot be understood.
pub fn build(vector: &Vector, making: Making, seed: u64) -> Result<Built, String> {
    let mut maker = Maker { names: Names::new(vector, seed), making, rng: Seeded::new(seed), epoch: None, facts: Vec::new() };
    let mut waiting: Vec<&Raw> = vector.acts.iter().collect();
    waiting.sort_by_key(|raw| text(raw, "id") != Some(&vector.circle));
    let known: BTreeMap<&str, ()> = vector.acts.iter().filter_map(|raw| Some((text(raw, "id")?, ()))).collect();
    while !waiting.is_empty() {
        let before = waiting.len();
        let mut rest = Vec::new();
        for raw in waiting {
            let named = names_of(raw);
            if named.iter().all(|id| maker.names.has_act(id) || !known.contains_key(id)) {
                maker.make(raw)?;
            } else {
                rest.push(raw);
            }
        }
        if rest.len() == before {
            return Err("acts that name each other".to_owned());
        }
        waiting = rest;
    }
    let circle = maker.names.circle().ok_or("no genesis")?;
    Ok(Built { circle, facts: maker.facts, names: maker.names })
}

/// The acts that an act names.
fn names_of(raw: &Raw) -> Vec<&str> {
    let mut named = texts(raw, "parents");
    named.extend(["invite", "proposal", "vouch"].into_iter().filter_map(|field| text(raw, field)));
    named
}

struct Maker {
    names: Names,
    making: Making,
    rng: Seeded,
    /// The genesis epoch, which all acts are sealed under.
    epoch: Option<(EpochId, EpochKeys)>,
    facts: Vec<Fact>,
}

impl Maker {
    fn make(&mut self, raw: &Raw) -> Result<(), String> {
        let id = text(raw, "id").ok_or("an act without id")?;
        let fact = match self.making {
            Making::Plain => None,
            Making::Signed => self.signed(raw)?,
        };
        let fact = match fact {
            Some(fact) => fact,
            None => self.plain(raw)?,
        };
        self.names.act_is(id, fact.id);
        self.facts.push(fact);
        Ok(())
    }

    fn parents(&mut self, raw: &Raw) -> Vec<ActId> {
        let mut parents: Vec<ActId> = texts(raw, "parents").into_iter().map(|id| self.names.act(id)).collect();
        parents.sort_unstable();
        parents.dedup();
        parents
    }

    fn plain(&mut self, raw: &Raw) -> Result<Fact, String> {
        let id = self.names.act(text(raw, "id").unwrap_or_default());
        Ok(Fact {
            id,
            author: self.names.device(text(raw, "author").ok_or("an act without author")?),
            parents: self.parents(raw),
            statement: statement::statement(raw, &mut self.names, None)?,
            epoch: carries_epoch(raw),
            countersigned: statement::countersigned(raw),
        })
    }

    /// `None` where the log itself would not take such an act.
    fn signed(&mut self, raw: &Raw) -> Result<Option<Fact>, String> {
        let author = text(raw, "author").ok_or("an act without author")?;
        let signer = self.names.signing_key(author);
        let made = carries_epoch(raw).then(|| new_epoch(&mut self.rng, &[], History::SinceJoin));
        let statement = statement::statement(raw, &mut self.names, Some(&signer.id()))?;
        let parents = self.parents(raw);
        let genesis = text(raw, "type") == Some("genesis");
        let roster = match (&made, &self.epoch) {
            (Some((_, keys)), _) if genesis => keys.roster.clone(),
            (_, Some((_, keys))) => keys.roster.clone(),
            _ => return Ok(None),
        };
        let place = match (&self.epoch, self.names.circle()) {
            _ if genesis => ActPlace::Genesis { roster: &roster },
            (Some((epoch, _)), Some(circle)) => ActPlace::In { circle, parents, epoch: *epoch, roster: &roster },
            _ => return Ok(None),
        };
        let epoch: Option<NewEpoch> = made.as_ref().map(|(epoch, _)| epoch.clone());
        let at = Millis(self.rng.next_u64() % (1 << 50)); // a label that decides nothing (R12)
        let body = ActBody { at, statement, epoch };
        let Ok(act) = write_act(&Real, &mut self.rng, &signer, place, &body) else { return Ok(None) };
        let act = SealedAct::parse(act.bytes()).map_err(|e| e.to_string())?;
        if genesis && self.epoch.is_none() {
            self.epoch = made.map(|(epoch, keys)| (epoch_id(&act.circle(), &epoch), keys));
        }
        let body = act.open(&roster).filter(|body| act.verify(&Real) && act.farewell_stands(&Real, body));
        Ok(body.map(|body| Fact::read(&Real, &act, body)))
    }
}

fn carries_epoch(raw: &Raw) -> bool {
    let always = matches!(text(raw, "type"), Some("genesis" | "epoch" | "remove"));
    always || raw.get("epoch").and_then(serde_json::Value::as_bool) == Some(true)
}
