//! What somebody who was removed signs below the end of their chain, with the keys that they keep: an entry for a place that is
//! taken, by heads and under an epoch that were right there.

use kith_protocol::circle::act;
use kith_protocol::circle::body::{ChainId, KeyClass, Retention};
use kith_protocol::circle::epoch::Ring;
use kith_protocol::circle::membership::{founder_id, person_id};
use kith_protocol::codec;
use kith_protocol::crypto::Crypto;
use kith_protocol::id::ItemId;
use kith_protocol::item::edit::{Edit, Op, Value};
use kith_protocol::item::kind::Kind;
use kith_protocol::limits;
use kith_protocol::log::chain::{self, ChainPlace};
use kith_protocol::log::entry::NewEntry;
use kith_protocol::private::Private;
use kith_protocol::store::{MemoryStore, Read, Store, Table};
use kith_protocol::time::Millis;
use kith_protocol::tx::{Turn, Tx};
use rand_core::Rng as _;

use crate::sim::disk::Disk;
use crate::sim::own::OwnRow;
use crate::sim::rng::Rng;

/// The word that stands in all that is signed like that, and in nothing else.
pub const FORKED: &str = "wechselbalg";

/// A run with one note that parts from the writer's chain of talk somewhere before its end; none where it is too short. The disk
/// stays as it is: it is a copy of the folder that signs.
#[must_use]
pub fn below(disk: &Disk, crypto: &dyn Crypto, circle: &str, (at, pick): (Millis, u64)) -> Option<Vec<u8>> {
    let rows = disk.scan(Table::Circle, &[], &[], limits::CIRCLES).ok()?;
    let mut rows = rows.iter().filter_map(|(_, bytes)| minicbor::decode::<OwnRow>(bytes).ok());
    let row = rows.find(|row| row.circle.text() == circle)?;
    let (ring, mut rng) = (Ring::load(disk, &row.circle).ok()?, Rng::new(pick, "below"));
    let id = ChainId { device: row.secrets.sign.id(), incarnation: row.incarnation, class: KeyClass::Talk };
    let head = chain::branches(disk, &row.circle, &id).ok()?.into_iter().find(|head| head.parent.is_none() && head.first == 1)?;
    let mut runs = Vec::new();
    let mut after = 0;
    while let Ok(Some(served)) = chain::endless::serve_single(disk, &ring, head.no, after, 1, None) {
        after = served.last;
        runs.push(served.run);
    }
    // At least the last stays behind.
    runs.pop()?;
    if runs.is_empty() {
        return None;
    }
    runs.truncate(1 + rng.index(runs.len()));
    let mut copy = MemoryStore::default();
    let mut last = None;
    for run in &runs {
        let taken = commit(&mut copy, |tx| chain::receive(tx, crypto, &ring, &row.circle, run, false).ok());
        last = taken?.entries.pop();
    }
    let last = last?;
    let device = row.secrets.sign.id();
    let founded = act::acts(disk, &row.circle).ok()?.iter().any(|act| act.is_genesis() && act.author() == device);
    let creator = if founded { founder_id(&device) } else { person_id(&row.circle, &device) };
    let mut nonce = [0; 16];
    rng.fill_bytes(&mut nonce);
    let title = Value::Text(Private(format!("{FORKED} {}", rng.below(1_000))));
    let edit = Edit::opening(at, None, vec![Op::Set(0, title)]);
    let (kind, item) = (Kind::Note.number(), ItemId { creator, nonce });
    let new = NewEntry { class: KeyClass::Talk, kind, item, retention: Retention::Keep, payload: codec::encode(&edit) };
    let place = ChainPlace { circle: row.circle, incarnation: row.incarnation };
    commit(&mut copy, |tx| {
        chain::append(tx, crypto, &mut rng, &ring, &row.secrets.sign, &place, &last.epoch, &last.heads, vec![new]).ok()
    })?;
    let main = chain::branches(&copy, &row.circle, &id).ok()?.first()?.no;
    Some(chain::endless::serve_branch(&copy, &ring, main, last.at.seq, 1 << 16, None).ok()??.run)
}

fn commit<T>(store: &mut MemoryStore, write: impl FnOnce(&mut Tx<'_>) -> Option<T>) -> Option<T> {
    let mut batch = Turn::default();
    let mut tx = Tx::new(&*store, &batch);
    let done = write(&mut tx)?;
    tx.finish().join(&mut batch);
    store.commit(&batch.writes).ok()?;
    Some(done)
}
