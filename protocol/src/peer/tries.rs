//! How often a peer may try tickets.

use crate::id::PeerId;
use crate::limits;
use crate::time::{MINUTE, Millis};

/// Tries with a ticket are counted per peer and minute, before anything is verified.
#[derive(Debug, Default)]
pub(crate) struct Tries(std::collections::BTreeMap<PeerId, (Millis, usize)>);

impl Tries {
    /// May this peer try once more?
    pub(crate) fn one_more(&mut self, peer: &PeerId, now: Millis) -> bool {
        self.0.retain(|_, (since, _)| now.since(*since) < MINUTE);
        if self.0.len() >= limits::LINKS
            && !self.0.contains_key(peer)
            && let Some(oldest) = self.0.iter().min_by_key(|(_, (since, _))| *since).map(|(peer, _)| peer.clone())
        {
            // Peer ids cost nothing: a crowd of them must not use up what is left for honest ones.
            self.0.remove(&oldest);
        }
        let (_, count) = self.0.entry(peer.clone()).or_insert((now, 0));
        *count += 1;
        *count <= limits::TICKET_TRIES
    }
}
