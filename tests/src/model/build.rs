//! From a vector's acts to ours.

mod names;
mod statement;

use std::collections::BTreeMap;

use kith_protocol::circle::act::{ActBody, ActPlace, SealedAct, write_act};
use kith_protocol::circle::body::{History, NewEpoch};
use kith_protocol::circle::epoch::{EpochKeys, epoch_id, new_epoch};
use kith_protocol::circle::membership::Fact;
use kith_protocol::crypto::{Real, Seeded};
use kith_protocol::id::{ActId, CircleId, EpochId};
use kith_protocol::limits;
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
    /// How many of them were signed, sealed, parsed, verified and opened.
    pub signed: usize,
    /// Those that the log has no form for, so that they stay plain facts, and why.
    pub formless: Vec<(String, Formless)>,
    /// Which id stands for which.
    pub names: Names,
}

/// Why the log has no form for an act of a vector. Nothing else excuses an act from being signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Formless {
    /// It names no parents, and is no genesis.
    NoParents,
    /// It names more parents than fit.
    ManyParents,
    /// It is a genesis and names parents.
    GenesisOnTop,
}

/// Builds a vector's acts. `seed` chooses every id.
///
/// # Errors
/// Where the vector cannot be understood.
pub fn build(vector: &Vector, making: Making, seed: u64) -> Result<Built, String> {
    let mut maker = Maker {
        names: Names::new(vector, seed),
        making,
        rng: Seeded::new(seed),
        epoch: None,
        facts: Vec::new(),
        signed: 0,
        formless: Vec::new(),
    };
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
    Ok(Built { circle, facts: maker.facts, signed: maker.signed, formless: maker.formless, names: maker.names })
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
    signed: usize,
    formless: Vec<(String, Formless)>,
}

impl Maker {
    fn make(&mut self, raw: &Raw) -> Result<(), String> {
        let id = text(raw, "id").ok_or("an act without id")?;
        let fact = match self.making {
            Making::Plain => self.plain(raw)?,
            Making::Signed => match formless(raw) {
                Some(why) => {
                    self.formless.push((id.to_owned(), why));
                    self.plain(raw)?
                }
                None => self.signed(raw).map_err(|e| format!("{id}: {e}"))?,
            },
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

    /// Writes the act as its author's device would, and reads it as any other machine would.
    fn signed(&mut self, raw: &Raw) -> Result<Fact, String> {
        let author = text(raw, "author").ok_or("an act without author")?;
        let signer = self.names.signing_key(author);
        let made = carries_epoch(raw).then(|| new_epoch(&mut self.rng, &[], History::SinceJoin));
        let statement = statement::statement(raw, &mut self.names, Some(&signer.id()))?;
        let parents = self.parents(raw);
        let genesis = text(raw, "type") == Some("genesis");
        let roster = match (&made, &self.epoch) {
            (Some((_, keys)), _) if genesis => keys.roster.clone(),
            (_, Some((_, keys))) => keys.roster.clone(),
            _ => return Err("there is no key to seal it under".to_owned()),
        };
        let place = match (&self.epoch, self.names.circle()) {
            _ if genesis => ActPlace::Genesis { roster: &roster },
            (Some((epoch, _)), Some(circle)) => ActPlace::In { circle, parents, epoch: *epoch, roster: &roster },
            _ => return Err("there is no circle to write it in".to_owned()),
        };
        let epoch: Option<NewEpoch> = made.as_ref().map(|(epoch, _)| epoch.clone());
        let at = Millis(self.rng.next_u64() % (1 << 50)); // a label that decides nothing (R12)
        let body = ActBody { at, statement, epoch };
        let act = write_act(&Real, &mut self.rng, &signer, place, &body).map_err(|e| format!("cannot be written: {e}"))?;
        let act = SealedAct::parse(act.bytes()).map_err(|e| format!("cannot be read: {e}"))?;
        if genesis && self.epoch.is_none() {
            self.epoch = made.map(|(epoch, keys)| (epoch_id(&act.circle(), &epoch), keys));
        }
        if !act.verify(&Real) {
            return Err("its signature does not verify".to_owned());
        }
        let opened = act.open(&roster).ok_or("it does not open")?;
        if !act.farewell_stands(&Real, &opened) {
            return Err("its farewell does not verify".to_owned());
        }
        if opened != body {
            return Err("it says something else once it is opened".to_owned());
        }
        self.signed += 1;
        Ok(Fact::read(&Real, &act, opened))
    }
}

fn formless(raw: &Raw) -> Option<Formless> {
    let genesis = text(raw, "type") == Some("genesis");
    match texts(raw, "parents").len() {
        0 => (!genesis).then_some(Formless::NoParents),
        _ if genesis => Some(Formless::GenesisOnTop),
        many => (many > limits::HEADS).then_some(Formless::ManyParents),
    }
}

fn carries_epoch(raw: &Raw) -> bool {
    let always = matches!(text(raw, "type"), Some("genesis" | "epoch" | "remove"));
    always || raw.get("epoch").and_then(serde_json::Value::as_bool) == Some(true)
}
