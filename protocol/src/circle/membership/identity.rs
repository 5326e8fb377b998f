//! D-12, D-15: re-vouch over recovery key over device. Which identity acts count, and which keys they take.

use std::sync::Arc;

use super::bits::Bits;
use super::graph::ActGraph;
use super::rules::Rule;
use crate::circle::body::Statement;

/// An identity act that counts, with every key it takes.
#[derive(Clone, Debug)]
pub(super) struct Taking {
    pub(super) by: usize,
    pub(super) keys: Bits,
}

/// What a pass decides about the identity acts among the news.
#[derive(Clone, Debug, Default)]
pub(super) struct Identity {
    pub(super) takings: Vec<Arc<Taking>>,
    pub(super) opposed: Vec<usize>,
}

/// Settles `acts` among each other; they are concurrent with nothing before `news`.
pub(super) fn settle(g: &ActGraph, news: &[usize], acts: Vec<usize>) -> Identity {
    let all: Vec<_> = acts.iter().map(|w| Arc::new(Taking { by: *w, keys: taken(g, news, *w) })).collect();
    let falls = |x: usize, to: &dyn Fn(usize) -> bool| all.iter().any(|w| to(w.by) && overrides(g, w, x));
    let (mut good, mut late) = (Bits::default(), Bits::default());
    let mut open = acts;
    loop {
        let before = open.len();
        open.retain(|x| {
            if falls(*x, &|w| good.get(w)) {
                late.set(*x);
            } else if !falls(*x, &|w| !late.get(w)) {
                good.set(*x);
            } else {
                return true;
            }
            false
        });
        if open.is_empty() || open.len() == before {
            let takings = all.iter().filter(|w| !late.get(w.by)).cloned().collect();
            return Identity { takings, opposed: open };
        }
    }
}

/// `w` voids `x`: concurrent, and it takes the key that signed `x`. A revocation takes devices, a recovery also the recovery key
/// it spends, a re-vouch every key: so re-vouch > recovery > device.
fn overrides(g: &ActGraph, w: &Taking, x: usize) -> bool {
    if !g.concurrent(w.by, x) || !g.rules.on(Rule::DeviceCut) {
        return false;
    }
    let revouches = |x: usize| matches!(g.act(x).statement, Statement::Revouch { .. });
    if revouches(w.by) && revouches(x) {
        return g.act(w.by).subject == g.act(x).subject;
    }
    w.keys.get(g.act(x).author)
}

/// The keys `w` names, and every key that such a key certified beyond `w`'s knowledge.
fn taken(g: &ActGraph, news: &[usize], w: usize) -> Bits {
    let mut keys = g.act(w).ruling.kills.clone().unwrap_or_default();
    loop {
        let mut grew = false;
        for y in news.iter().map(|y| (*y, g.act(*y))).filter(|(_, act)| matches!(act.statement, Statement::Device { .. })) {
            let (y, act) = y;
            if keys.get(act.author) && g.concurrent(y, w) {
                for key in act.keys.iter().filter(|key| !keys.get(**key)).copied().collect::<Vec<_>>() {
                    keys.set(key);
                    grew = true;
                }
            }
        }
        if !grew {
            return keys;
        }
    }
}
