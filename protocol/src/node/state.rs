//! What a node keeps in memory, and what has to happen after each input whatever it was.

use super::draft_row;
use super::timers::Timers;
use crate::circle::act;
use crate::circle::membership::Status;
use crate::circle::{news, overview};
use crate::context::{Cx, InputError};
use crate::control::{Subject, Topic, WatchChange, WatchEvent};
use crate::crypto::{Crypto, hash};
use crate::id::{CircleId, PeerId};
use crate::io::Effect;
use crate::item;
use crate::limits::MERGES;
use crate::peer::{Peers, exchange, hello, join, receive, welcome};
use crate::planted::{Bug, planted};
use crate::store::{Read, StoreError, Table};
use crate::sync::circles::Circles;
use crate::sync::{clocks, cuts, entries};
use crate::time::Millis;
use crate::tomorrow::is_tomorrow;

/// Names what the program knows that made the derived rows of this store; under this key in `Local`.
const VOCABULARY: &[u8] = b"vocabulary";

/// A node's memory: its circles, its peers, and what it goes on with in later turns.
#[derive(Debug)]
pub(crate) struct NodeState {
    pub(crate) circles: Circles,
    pub(crate) peers: Peers,
    timers: Timers,
}

impl NodeState {
    pub(crate) fn open(base: &dyn Read, crypto: &dyn Crypto, peer: PeerId) -> Result<Self, StoreError> {
        let mut node = Self { circles: Circles::open(base, crypto)?, peers: Peers::open(base, peer)?, timers: Timers::new() };
        node.peers.call_whom(&node.circles, None);
        Ok(node)
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
            self.timers.index_soon(cx.env.now);
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
        let begun = self.circles.all.values().filter(|circle| circle.is_gathering());
        self.timers.gather(begun.map(|circle| circle.id()), now);
    }

    fn gather(&mut self, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
        let now = cx.env.now;
        for id in self.timers.take_gathering(now) {
            let Some(circle) = self.circles.all.get_mut(&id) else { continue };
            match circle.gather(cx, MERGES) {
                Ok(false) if circle.is_gathering() => self.timers.gather(std::iter::once(id), now),
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
        if self.timers.go_on.strikes(now) {
            // Destroying goes first: what others ask for has no end.
            if entries::next_sweep(&cx.tx)?.is_some_and(|due| due <= now) {
                entries::sweep(circles, cx)?;
            }
            receive::go_on(circles, peers, cx)?;
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

    /// Goes on with derived rows: items, verdicts, the word index.
    fn derive(&mut self, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
        let now = cx.env.now;
        if self.timers.build.strikes(now) && entries::catch_up(&self.circles, cx)? {
            self.timers.index_soon(now);
        }
        if cuts::waits(&cx.tx)? {
            self.timers.rejudged();
            for circle in self.circles.all.values() {
                if cuts::advance(circle, cx)? {
                    break;
                }
            }
        }
        if self.timers.index.strikes(now) && !entries::index(&self.circles, cx)? {
            self.timers.indexed();
        }
        Ok(())
    }

    /// When something is due next.
    pub(crate) fn deadline(&self, base: &dyn Read) -> Result<Option<Millis>, StoreError> {
        self.timers.deadline(base, &self.circles, &self.peers)
    }
}
