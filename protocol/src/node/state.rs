//! What a node keeps in memory, and what has to happen after each input whatever it was.

use std::collections::BTreeMap;

use super::draft_row;
use crate::circle::act;
use crate::circle::membership::Status;
use crate::circle::{news, overview};
use crate::context::{Cx, InputError};
use crate::control::{Subject, Topic, WatchChange, WatchEvent};
use crate::crypto::{Crypto, hash};
use crate::id::{CircleId, PeerId};
use crate::io::Effect;
use crate::item;
use crate::limits::{INDEX_AFTER_MILLIS, INDEX_BY_MILLIS, MERGES};
use crate::peer::{Peers, exchange, hello, join, receive, welcome};
use crate::planted::{Bug, planted};
use crate::store::{Read, StoreError, Table};
use crate::sync::circles::Circles;
use crate::sync::{clocks, cuts, entries};
use crate::time::Millis;
use crate::tomorrow::is_tomorrow;

/// Names what the program knows that made the derived rows of this store; under this key in `Local`.
const VOCABULARY: &[u8] = b"vocabulary";

/// Is it time for the next slice? A clock that was set back makes nobody wait.
fn of_time(at: Millis, now: Millis) -> bool {
    at <= now || at > now.plus(1)
}

/// A node's memory: its circles, its peers, and what it goes on with in later turns.
#[derive(Debug)]
pub(crate) struct NodeState {
    pub(crate) circles: Circles,
    pub(crate) peers: Peers,
    /// When it is gone on with what the budget of a turn did not reach to.
    go_on_at: Millis,
    /// Circles with more heads than an act can name, which a refused command began to bring together, and when to go on.
    gathering: BTreeMap<CircleId, Millis>,
    /// When words that wait are indexed.
    index_at: Millis,
    /// And when at the latest.
    index_by: Option<Millis>,
    /// When items are gone on with that are to be put together.
    build_at: Millis,
    /// How many slices were judged again since the node was opened: a deadline that has passed, and moves.
    rejudged: u64,
}

impl NodeState {
    pub(crate) fn open(base: &dyn Read, crypto: &dyn Crypto, peer: PeerId) -> Result<Self, StoreError> {
        let mut node = Self {
            circles: Circles::open(base, crypto)?,
            peers: Peers::open(base, peer)?,
            go_on_at: Millis(0),
            gathering: BTreeMap::new(),
            index_at: Millis(0),
            index_by: None,
            build_at: Millis(0),
            rejudged: 0,
        };
        node.peers.call_whom(&node.circles, None);
        Ok(node)
    }

    /// There are new words to index, once it is quiet.
    fn index_soon(&mut self, now: Millis) {
        let by = *self.index_by.get_or_insert(now.plus(INDEX_BY_MILLIS));
        self.index_at = now.plus(INDEX_AFTER_MILLIS).min(by);
    }

    /// Makes derived rows again that another version wrote, and judges what it could not.
    pub(super) fn refresh(&mut self, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
        let ours = hash("kith/v1/vocabulary", &[&item::vocabulary(), act::VERSIONS, &[u8::from(is_tomorrow())]]).to_vec();
        if cx.tx.get(Table::Local, VOCABULARY)?.as_ref() != Some(&ours) {
            for circle in self.circles.all.values_mut() {
                circle.judge_unread(cx)?;
            }
            entries::rebuild(&self.circles, cx)?;
            cx.tx.put(Table::Local, VOCABULARY, ours);
        }
        overview::refresh(self.circles.all.values(), &mut cx.tx)?;
        self.circles.all.values().try_for_each(|circle| news::begin(circle, &mut cx.tx))?;
        Ok(item::renew(&mut cx.tx)?)
    }

    /// After every input: derived rows, pushes, calls.
    pub(crate) fn settle(&mut self, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
        clocks::watch(cx)?;
        let (touched, to_push) = self.circles.take_news();
        for id in &touched {
            self.changed(cx, id)?;
        }
        // Keys may be learned, and one's own standing change, without anything else of a circle.
        for circle in self.circles.all.values().filter(|circle| circle.is_unsaved()) {
            let somebody_is_out = || circle.now().people.values().any(|person| person.status != Status::Current);
            if planted(Bug::StaleSummary) && somebody_is_out() {
                continue;
            }
            overview::save(circle, &mut cx.tx)?;
            news::begin(circle, &mut cx.tx)?;
        }
        for id in touched.union(&to_push) {
            exchange::push_all(&self.circles, &mut self.peers, cx, id)?;
        }
        if std::mem::take(&mut self.circles.new_words) {
            self.index_soon(cx.env.now);
        }
        if !touched.is_empty() {
            self.peers.call_whom(&self.circles, Some(&mut *cx.env));
        }
        self.peers.dialer.run(cx);
        Ok(())
    }

    /// What a circle's changed membership or records mean for everything else.
    fn changed(&mut self, cx: &mut Cx<'_, '_>, id: &CircleId) -> Result<(), InputError> {
        let Self { circles, peers, .. } = self;
        let mut ended = Vec::new();
        if let Some(circle) = circles.all.get_mut(id) {
            circle.note_ends(cx);
            for (device, label) in circle.unheard() {
                clocks::heard_of(circle, cx, &device, label)?;
            }
            cuts::changed(circle, cx)?;
            ended = welcome::forget_requests(circle, &mut peers.requests, cx);
            let at = (id.text(), id.text());
            let event = WatchEvent::new(Topic::Member, at, Subject::Circle, WatchChange::Edit, cx.env.now);
            cx.tx.then(Effect::Notify(event));
        }
        peers.drop_strangers(circles, cx, id);
        hello::offer(circles, peers, cx, id);
        welcome::welcome_guests(circles, peers, cx, id)?;
        welcome::refuse_guests(peers, cx, id, &ended);
        Ok(())
    }

    /// The draft joined a turn: memory and store agree.
    pub(crate) fn saved(&mut self) {
        self.circles.saved();
        self.peers.requests.saved();
    }

    /// The draft was dropped: reads again what it had changed in memory.
    pub(crate) fn reload(&mut self, view: &dyn Read, crypto: &dyn Crypto) -> Result<(), StoreError> {
        self.circles.reload(view, crypto)?;
        self.peers.reload(view)
    }

    /// A command was refused, and what it had brought together with it. It is done again in turns of its own, so that it need not be
    /// refused the next time.
    pub(crate) fn gather_soon(&mut self, now: Millis) {
        let begun = self.circles.all.values().filter(|circle| circle.is_gathering()).map(|circle| (circle.id(), now.plus(1)));
        self.gathering.extend(begun);
    }

    fn gather(&mut self, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
        let due: Vec<CircleId> = self.gathering.iter().filter(|(_, at)| of_time(**at, cx.env.now)).map(|(id, _)| *id).collect();
        for id in due {
            self.gathering.remove(&id);
            let Some(circle) = self.circles.all.get_mut(&id) else { continue };
            match circle.gather(cx, MERGES) {
                Ok(false) if circle.is_gathering() => drop(self.gathering.insert(id, cx.env.now.plus(1))),
                Ok(_) | Err(InputError::Refused(_)) => {}
                Err(other) => return Err(other),
            }
            self.circles.touched(id);
        }
        Ok(())
    }

    /// Whatever is due.
    pub(crate) fn tick(&mut self, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
        let now = cx.env.now;
        let Self { circles, peers, .. } = self;
        exchange::announce_due(circles, peers, cx);
        receive::ask_for_rest(circles, peers, cx);
        if of_time(self.go_on_at, now) {
            // The next slice is a new deadline, so that other inputs come in between and none waits for long. Destroying goes
            // first: what others ask for has no end.
            self.go_on_at = now.plus(1);
            if entries::next_sweep(&cx.tx)?.is_some_and(|due| due <= now) {
                entries::sweep(circles, cx)?;
            }
            exchange::go_on(circles, peers, cx)?;
        }
        draft_row::sweep(&mut cx.tx, now)?;
        self.gather(cx)?;
        let Self { circles, peers, .. } = self;
        if circles.delivery.due().is_some_and(|due| due <= now) {
            circles.delivery.write(&mut cx.tx)?;
        }
        join::tidy(circles, peers, cx)?;
        peers.part_with_strangers(cx);
        join::ask_again(peers, cx)?;
        self.derive(cx)?;
        self.peers.call_whom(&self.circles, Some(&mut *cx.env));
        Ok(())
    }

    /// Goes on with derived rows: items, verdicts, the word index. The next slice of each is a new deadline, so that other inputs
    /// come in between and none waits for long.
    fn derive(&mut self, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
        let now = cx.env.now;
        if self.build_at <= now {
            self.build_at = now.plus(1);
            if entries::catch_up(&self.circles, cx)? {
                self.index_soon(now);
            }
        }
        if cuts::waits(&cx.tx)? {
            self.rejudged += 1;
            for circle in self.circles.all.values() {
                if cuts::advance(circle, cx)? {
                    break;
                }
            }
        }
        if self.index_at <= now {
            self.index_at = now.plus(1);
            if !entries::index(&self.circles, cx)? {
                self.index_by = None;
            }
        }
        Ok(())
    }

    /// When something is due next.
    pub(crate) fn deadline(&self, base: &dyn Read) -> Result<Option<Millis>, StoreError> {
        let destroy = entries::next_sweep(base)?.map(|due| due.max(self.go_on_at));
        let index = item::unindexed(base)?.then_some(self.index_at);
        let build = item::unbuilt(base)?.then_some(self.build_at);
        let rejudge = cuts::waits(base)?.then_some(Millis(self.rejudged));
        let peers = self.peers.deadline(self.go_on_at);
        let delivery = self.circles.delivery.due();
        let drafts = draft_row::next_due(base)?;
        let some = [destroy, index, build, rejudge, peers, delivery, drafts].into_iter().flatten();
        Ok(some.chain(self.gathering.values().copied()).min())
    }
}
