//! What another device lacks, as messages in causal order.
//!
//! Knows no link: the one who carries the messages says how many bytes there is room for, and comes again when there is more.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use super::act_batches::ActBatches;
use super::known::Known;
use super::message::{Bytes, Message};
use super::{entries, gaps};
use crate::circle::body::KeyClass;
use crate::circle::state::CircleState;
use crate::context::{Cx, InputError};
use crate::limits;
use crate::log::chain::{self, ChainHead, Compared, Heads, Lack, Serving};
use crate::work;

/// What is to be sent now.
#[derive(Debug)]
pub(crate) struct Plan {
    /// In the order in which they are to arrive.
    pub(crate) messages: Vec<Message>,
    /// What they count against credit, in bytes.
    pub(crate) bytes: u64,
    /// The turn's budget was spent before everything was looked at: plan again in a later turn.
    pub(crate) unfinished: bool,
    room: u64,
}

impl Plan {
    /// Is there no room for another message?
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= self.room
    }

    /// One more message, which counts so many bytes.
    pub(super) fn add(&mut self, message: Message, bytes: u64) {
        self.bytes += bytes;
        self.messages.push(message);
    }
}

/// What a device lacks that has what is `known`, of what it may have. Messages are added as long as they are less than `room`
/// bytes together. What was planned counts as known from then on.
///
/// # Errors
/// [`InputError::Store`] where the store fails.
pub(crate) fn plan(
    circle: &CircleState,
    heads: &Heads,
    cx: &mut Cx<'_, '_>,
    known: &mut Known,
    room: u64,
) -> Result<Plan, InputError> {
    let mut plan = Plan { messages: Vec::new(), bytes: 0, unfinished: false, room };
    // In this order: records and entries are judged by acts.
    if membership(circle, cx, known, &mut plan)? && !runs(circle, heads, cx, known, &mut plan)? {
        plan.unfinished = true;
    }
    Ok(plan)
}

/// Acts, keys and records. True where nothing is left to send. Most plans are about entries: as long as the circle is what it was
/// when the other side last had all of this, none of it is looked at.
fn membership(circle: &CircleState, cx: &mut Cx<'_, '_>, known: &mut Known, plan: &mut Plan) -> Result<bool, InputError> {
    if known.complete_at == Some(circle.revision()) {
        return Ok(true);
    }
    let done = acts(circle, cx, known, plan)? && records(circle, known, plan);
    if done {
        known.complete_at = Some(circle.revision());
    }
    Ok(done)
}

/// True where nothing is left to send.
fn acts(circle: &CircleState, cx: &mut Cx<'_, '_>, known: &mut Known, plan: &mut Plan) -> Result<bool, InputError> {
    let mut batches = ActBatches::of(circle, cx, known.device, (&known.acts, &known.epochs, &known.talk));
    while !plan.is_full() {
        let Some(batch) = batches.next(circle, cx)? else { return Ok(true) };
        known.has_acts(batch.acts, &batch.keys);
        let bytes = batch.message.weight();
        plan.add(Message::Acts(batch.message), bytes);
    }
    Ok(false)
}

/// True where nothing is left to send.
fn records(circle: &CircleState, known: &mut Known, plan: &mut Plan) -> bool {
    let newer: Vec<_> =
        circle.current_records().filter(|r| known.records.get(&r.device).is_none_or(|count| *count < r.count)).collect();
    let mut newer = newer.into_iter().peekable();
    while newer.peek().is_some() {
        if plan.is_full() {
            return false;
        }
        let (mut batch, mut size) = (Vec::new(), 0);
        while size <= limits::RECORDS_BYTES
            && batch.len() < limits::FRAME_RECORDS
            && let Some(record) = newer.next()
        {
            known.has_record(record.device, record.count);
            size += record.bytes.len();
            batch.push(Bytes(record.bytes.clone()));
        }
        plan.add(Message::Records(batch), size as u64);
    }
    true
}

/// `false`: the turn's budget is spent, and something may be left. Looks only at chains of which they may lack something.
fn runs(
    circle: &CircleState,
    heads: &Heads,
    cx: &mut Cx<'_, '_>,
    known: &mut Known,
    plan: &mut Plan,
) -> Result<bool, InputError> {
    if !compare_branches(circle, cx, known, heads)? {
        return Ok(false);
    }
    known.follow(heads, circle.revision());
    let behind: Vec<&ChainHead> = known.behind.iter().flat_map(|chain| heads.branches(chain)).collect();
    work::did(|work| work.compared += behind.len() as u64);
    let (mains, branches): (Vec<&ChainHead>, Vec<&ChainHead>) = behind.into_iter().partition(|head| head.parent.is_none());
    for head in mains {
        let after = known.chains.get(&head.id).copied().unwrap_or(0);
        if chain_behind(circle, cx, known, plan, head, after)?.is_none() {
            return Ok(false);
        }
        if plan.is_full() {
            // The rest follows once they have acknowledged some of it.
            return Ok(true);
        }
        if heads.branches(&head.id).count() == 1 {
            known.behind.remove(&head.id);
        }
    }
    for branch in branches {
        if !side_branch(circle, cx, known, plan, branch)? {
            return Ok(false);
        }
    }
    if !plan.is_full() {
        known.behind.clear();
    }
    fill_gaps(circle, heads, cx, known, plan)
}

/// A branch behind `after`, as far as there is room; says how far they are then. `None`: the turn's budget is spent.
fn chain_behind(
    circle: &CircleState,
    cx: &mut Cx<'_, '_>,
    known: &mut Known,
    plan: &mut Plan,
    head: &ChainHead,
    mut after: u64,
) -> Result<Option<u64>, InputError> {
    while after < head.seq && !plan.is_full() {
        let talk = (head.id.class == KeyClass::Talk).then_some(&known.talk);
        let lack = Lack { branch: head.no, after: known.skip(head.no, after), until: u64::MAX, talk };
        let served = match chain::serve(&cx.tx, circle.ring(), &lack, limits::RUN_BYTES, &mut cx.budget).map_err(entries::stop)? {
            Serving::Run(served) => served,
            Serving::Nothing => {
                known.pass(head.no, head.seq);
                break;
            }
            Serving::Later(looked) => {
                known.pass(head.no, looked);
                return Ok(None);
            }
        };
        let (skipped, bytes) = (served.first > after.saturating_add(1), served.run.len() as u64);
        after = served.last;
        known.sent(head, after);
        plan.add(Message::Run(Bytes(served.run), skipped), bytes);
    }
    Ok(Some(after))
}

/// A branch beside the main one is sent once to anyone who does not know its head. `false`: the turn's budget is spent.
fn side_branch(
    circle: &CircleState,
    cx: &mut Cx<'_, '_>,
    known: &mut Known,
    plan: &mut Plan,
    branch: &ChainHead,
) -> Result<bool, InputError> {
    if known.heads.contains(&branch.head) {
        return Ok(true);
    }
    let after = known.branches.get(&branch.no).copied().unwrap_or_else(|| branch.first.saturating_sub(1));
    let Some(after) = chain_behind(circle, cx, known, plan, branch, after)? else { return Ok(false) };
    if after >= branch.seq || !plan.is_full() {
        known.heads.insert(branch.head);
    }
    Ok(true)
}

/// What is missing in their chains is sent once, as far as it is here. `false`: the turn's budget is spent.
fn fill_gaps(
    circle: &CircleState,
    heads: &Heads,
    cx: &mut Cx<'_, '_>,
    known: &mut Known,
    plan: &mut Plan,
) -> Result<bool, InputError> {
    let mut spent = false;
    for gap in &mut known.gaps {
        let Some(head) = heads.main(&gap.chain) else { continue };
        while !spent && gap.first <= gap.last.min(head.seq) && !plan.is_full() {
            let lack = gaps::lack(head, gap, &known.talk);
            match chain::serve(&cx.tx, circle.ring(), &lack, limits::RUN_BYTES, &mut cx.budget).map_err(entries::stop)? {
                Serving::Run(served) => {
                    let (skipped, bytes) = (served.first > gap.first, served.run.len() as u64);
                    gap.first = served.last.saturating_add(1);
                    gap.looked = gap.first;
                    plan.add(Message::Run(Bytes(served.run), skipped), bytes);
                }
                Serving::Nothing => gap.first = gap.last.min(head.seq).saturating_add(1),
                Serving::Later(looked) => {
                    gap.looked = looked.saturating_add(1);
                    spent = true;
                }
            }
        }
    }
    known.gaps.retain(|gap| gap.first <= gap.last);
    Ok(!spent)
}

/// Compares as much as the budget allows; `false`: some is left for a later turn. A chain of which none of their heads is on our
/// main branch is sent from the start, once.
fn compare_branches(circle: &CircleState, cx: &mut Cx<'_, '_>, known: &mut Known, heads: &Heads) -> Result<bool, InputError> {
    if known.unsure.is_empty() {
        return Ok(true);
    }
    while let Some((chain, claims)) = known.unsure.pop_first() {
        let Some(main) = heads.main(&chain) else { continue };
        match chain::compare(&cx.tx, circle.ring(), main.no, &claims, &mut cx.budget)? {
            Compared::Alike => {}
            Compared::Other => {
                if known.shown.insert(chain) {
                    known.lower(chain, 0);
                }
            }
            Compared::Later(claims) => {
                known.unsure.insert(chain, claims);
                return Ok(false);
            }
        }
    }
    Ok(true)
}
