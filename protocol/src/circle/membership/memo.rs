//! Judgements already made, by frontier: the last ones, and landmarks along the way from which any other is soon reached.
//! Bounded, whatever the history is.

use std::sync::Arc;

use super::graph::{ActGraph, Ancestry};
use super::judgement::Judgement;
use crate::limits::{LANDMARK_ACTS, LANDMARKS, RECENT_JUDGEMENTS};

/// See the module.
#[derive(Debug)]
pub(super) struct Memo {
    /// The one asked for last comes last.
    recent: Vec<Arc<Judgement>>,
    landmarks: Vec<Arc<Judgement>>,
    stride: usize,
    /// Acts judged and judgements looked at, to show how the cost grows.
    work: usize,
}

impl Memo {
    pub(super) const fn new() -> Self {
        Self { recent: Vec::new(), landmarks: Vec::new(), stride: LANDMARK_ACTS, work: 0 }
    }

    /// The judgement of `place`.
    pub(super) fn judgement(&mut self, g: &ActGraph, place: Ancestry) -> Arc<Judgement> {
        if let Some(n) = self.recent.iter().rposition(|known| known.heads == place.heads) {
            let known = self.recent.remove(n);
            self.recent.push(Arc::clone(&known));
            return known;
        }
        let base = self.base(g, &place);
        self.work += self.recent.len() + self.landmarks.len() + place.core.count() - base.count;
        let made = Arc::new(base.extended(g, place));
        if self.recent.len() >= RECENT_JUDGEMENTS {
            self.recent.remove(0);
        }
        self.recent.push(Arc::clone(&made));
        self.mark(&made);
        made
    }

    /// What judging has cost so far, in acts judged and judgements looked at.
    #[cfg(feature = "switches")]
    pub(super) const fn work(&self) -> usize {
        self.work
    }

    /// The largest known judgement on which only news must be judged.
    fn base(&self, g: &ActGraph, place: &Ancestry) -> Arc<Judgement> {
        let size = place.core.count();
        let mut best: Option<&Arc<Judgement>> = None;
        for known in self.recent.iter().rev().chain(self.landmarks.iter().rev()) {
            let better = known.count <= size && best.is_none_or(|best| known.count > best.count);
            if better && known.is_base_of(g, place) {
                best = Some(known);
            }
        }
        best.map_or_else(Arc::default, Arc::clone)
    }

    fn mark(&mut self, made: &Arc<Judgement>) {
        let next = self.landmarks.last().map_or(self.stride, |last| last.count + self.stride);
        let follows = self.landmarks.last().is_none_or(|last| last.ids.within(&made.ids));
        if made.count < next || !follows {
            return;
        }
        self.landmarks.push(Arc::clone(made));
        if self.landmarks.len() > LANDMARKS {
            self.stride *= 2;
            let mut keep = false;
            self.landmarks.retain(|_| {
                keep = !keep;
                keep
            });
        }
    }
}
