//! Frozen examples of every wire and stored form: what was written once is read for ever, from the first release on.
//!
//! The files hold hex, and are named by the form's version. From then on a new version adds files and keeps these. `cargo test -p kith-protocol freeze -- --ignored` writes those
//! that are missing.

use std::collections::BTreeMap;
use std::path::PathBuf;

use data_encoding::HEXLOWER;

use super::chain::{ChainPlace, append, receive, serve};
use super::entry::NewEntry;
use super::rows::{BlockRow, ChainRow, TailRow};
use crate::circle::act::{ActBody, ActPlace, Farewell, SealedAct, write_act};
use crate::circle::body::{ChainId, History, KeyClass, NewEpoch, Point, Policy, Retention, Statement};
use crate::circle::epoch::{BoxKeys, EpochKeys, EpochRow, epoch_id, get_epoch, new_epoch, pack, put_epoch, unpack};
use crate::codec::{self, CodecError};
use crate::crypto::{DeviceSecrets, Real, Seeded, Suite};
use crate::id::{CircleId, DeviceId, EntryId, EpochId, Incarnation, ItemId, PersonId};
use crate::private::Private;
use crate::store::{MemoryStore, Read, Store, Table};
use crate::time::Millis;
use crate::tx::{Turn, Tx};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/log/testdata")
}

fn file(name: &str) -> String {
    let version = if matches!(name, "genesis" | "removal" | "epoch-row") { 2 } else { 1 };
    format!("{name}.v{version}.hex")
}

fn frozen(name: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(folder().join(file(name))).expect("frozen example");
    HEXLOWER.decode(text.split_whitespace().collect::<String>().as_bytes()).expect("hex")
}

/// Everything follows from one seed.
struct Cast {
    device: DeviceSecrets,
    circle: CircleId,
    genesis: SealedAct,
    opening: ActBody,
    first: NewEpoch,
    keys: EpochKeys,
    epoch: EpochId,
    rng: Seeded,
}

fn cast() -> Cast {
    let mut rng = Seeded::new(1);
    let device = DeviceSecrets::generate(&mut rng, Suite::X25519);
    let (first, keys) = new_epoch(&mut rng, &[], History::Days(30));
    let policies = vec![Policy::Name(Private("Night shift".to_owned())), Policy::Retention(Retention::Days(90))];
    let statement = Statement::Genesis { devices: vec![device.keys()], policies, suite: 2, recovery: None, nonce: [7; 16] };
    let opening = ActBody { at: Millis(1_795_359_600_000), statement, epoch: Some(first.clone()) };
    let place = ActPlace::Genesis { roster: &keys.roster };
    let genesis = write_act(&Real, &mut rng, &device.sign, place, &opening).expect("writes");
    let circle = genesis.circle();
    Cast { device, circle, genesis, opening, epoch: epoch_id(&circle, &first), first, keys, rng }
}

impl Cast {
    fn removal(&mut self) -> (SealedAct, ActBody) {
        let (next, _) = new_epoch(&mut self.rng, &[(self.epoch, &self.keys)], History::SinceJoin);
        let chain = ChainId { device: DeviceId([8; 32]), incarnation: Incarnation([3; 16]), class: KeyClass::Talk };
        let point = |seq| Point { seq, entry: EntryId([7; 32]) };
        let points = BTreeMap::from([(chain, vec![point(4), point(400)])]);
        let statement = Statement::Remove { person: PersonId([9; 32]), points, proposal: None };
        let body = ActBody { at: Millis(1_795_359_700_000), statement, epoch: Some(next) };
        let place =
            ActPlace::In { circle: self.circle, parents: vec![self.genesis.id()], epoch: self.epoch, roster: &self.keys.roster };
        (write_act(&Real, &mut self.rng, &self.device.sign, place, &body).expect("writes"), body)
    }

    fn ring(&self) -> BTreeMap<EpochId, EpochKeys> {
        [(self.epoch, self.keys.clone())].into()
    }

    fn chain(&self) -> ChainId {
        ChainId { device: self.device.sign.id(), incarnation: Incarnation([3; 16]), class: KeyClass::Talk }
    }

    fn entries(count: u8) -> Vec<NewEntry> {
        let item = |at| ItemId { creator: PersonId([4; 32]), nonce: [at; 16] };
        let words = |at: u8| format!("words that were written {at} times").into_bytes();
        let entry =
            |at| NewEntry { class: KeyClass::Talk, kind: 1, item: item(at), retention: Retention::Days(90), payload: words(at) };
        (0..count).map(entry).collect()
    }

    /// A store with a block of 64 entries and one single entry behind it.
    fn store(&mut self) -> MemoryStore {
        let mut store = MemoryStore::default();
        let ring = self.ring();
        for count in [64, 1] {
            let mut batch = Turn::default();
            let mut tx = Tx::new(&store, &batch);
            let place = ChainPlace { circle: self.circle, incarnation: Incarnation([3; 16]) };
            let heads = [self.genesis.id()];
            let entries = Self::entries(count);
            append(&mut tx, &Real, &mut self.rng, &ring, &self.device.sign, &place, &self.epoch, &heads, entries)
                .expect("appends");
            let row = EpochRow::new(
                self.keys.clone(),
                self.genesis.id(),
                Millis(1_795_359_600_000),
                History::Days(30),
                Millis(1_795_359_660_000),
            );
            put_epoch(&mut tx, &self.circle, &self.epoch, &row);
            let draft = tx.finish();
            draft.join(&mut batch);
            store.commit(&batch.writes).expect("memory never fails");
        }
        store
    }
}

fn only(store: &MemoryStore, table: Table, prefix: &[u8]) -> Vec<u8> {
    store.scan(table, prefix, &[], 1).expect("reads").remove(0).1
}

#[test]
#[ignore = "writes the frozen examples that are missing"]
fn freeze() {
    let mut cast = cast();
    let (removal, body) = cast.removal();
    let store = cast.store();
    let (ring, chain) = (cast.ring(), cast.chain());
    let run = |after| serve(&store, &ring, &cast.circle, &chain, after, 1 << 20, None).expect("serves").expect("some").run;
    let keys = [BoxKeys { epoch: cast.epoch, roster: None, library: None, talk: cast.keys.talk.clone() }];
    let boxed = pack(&Real, &mut Seeded::new(2), Suite::X25519, &cast.circle, &cast.device.keys(), &keys).expect("packs");
    let forms: [(&str, Vec<u8>); 10] = [
        ("genesis", cast.genesis.bytes().to_vec()),
        ("removal", removal.bytes().to_vec()),
        ("farewell", removal.farewell(&body).expect("carries one").bytes()),
        ("box", boxed),
        ("block-run", run(0)),
        ("single-run", run(64)),
        ("epoch-row", only(&store, Table::Epoch, &[])),
        ("chain-row", only(&store, Table::Chain, b"c")),
        ("block-row", only(&store, Table::Block, &[])),
        ("tail-row", only(&store, Table::Tail, &[])),
    ];
    for (name, bytes) in forms {
        let path = folder().join(file(name));
        if !path.exists() {
            let hex = HEXLOWER.encode(&bytes);
            let lines: Vec<&str> = hex.as_bytes().chunks(120).filter_map(|line| std::str::from_utf8(line).ok()).collect();
            std::fs::write(path, lines.join("\n") + "\n").expect("writes");
        }
    }
}

#[test]
fn acts_of_version_2_and_farewells() {
    let mut cast = cast();
    let (_, said) = cast.removal();
    let genesis = SealedAct::parse(&frozen("genesis")).expect("parses");
    assert!(genesis.verify(&Real));
    assert_eq!(genesis.id(), cast.genesis.id());
    assert_eq!(genesis.open(&cast.keys.roster), Some(cast.opening));
    let removal = SealedAct::parse(&frozen("removal")).expect("parses");
    let body = removal.open(&cast.keys.roster).expect("opens");
    assert!(removal.verify(&Real) && removal.farewell_stands(&Real, &body));
    assert_eq!(body, said);
    let farewell = Farewell::parse(&frozen("farewell")).expect("parses");
    assert_eq!(removal.farewell(&body), Some(farewell.clone()));
    assert!(farewell.verify(&Real));
}

#[test]
fn boxes_and_epoch_rows_of_version_1() {
    let cast = cast();
    let keys = unpack(&Real, &cast.circle, &cast.device.sign.id(), &cast.device.hpke, &frozen("box")).expect("opens");
    assert_eq!((keys.len(), &keys[0].talk), (1, &cast.keys.talk));
    let mut store = MemoryStore::default();
    let key = [cast.circle.0, cast.epoch.0].concat();
    store.commit(&[((Table::Epoch, key), Some(frozen("epoch-row")))].into()).expect("memory never fails");
    let row = get_epoch(&store, &cast.circle, &cast.epoch).expect("reads").expect("is there");
    assert_eq!((row.keys, row.history), (cast.keys, cast.first.history));
}

#[test]
fn runs_of_version_1() {
    let cast = cast();
    let (store, batch) = (MemoryStore::default(), Turn::default());
    let mut tx = Tx::new(&store, &batch);
    for (name, count, id) in [("block-run", 64, "first"), ("single-run", 1, "last")] {
        let received = receive(&mut tx, &Real, &cast.ring(), &cast.circle, &frozen(name), false).expect(id);
        assert_eq!((received.entries.len(), received.gap, received.fork), (count, None, None));
        assert_eq!(received.entries[0].payload.as_deref(), Some(&b"words that were written 0 times"[..]));
        assert_eq!(received.entries[0].heads.as_ref(), [cast.genesis.id()]);
    }
}

#[test]
fn rows_of_version_1() {
    let chain: ChainRow = super::rows::decode(&frozen("chain-row"), "row").expect("decodes");
    let block: BlockRow = super::rows::decode(&frozen("block-row"), "row").expect("decodes");
    let tail: TailRow = super::rows::decode(&frozen("tail-row"), "row").expect("decodes");
    assert_eq!((chain.seq, chain.tail, block.count), (65, 65, 64));
    assert_eq!((chain.tail_before, chain.head), (block.last, tail.id));
    assert_eq!(block.run, frozen("block-run"));
    let forms = [codec::encode(&chain), codec::encode(&block), codec::encode(&tail)];
    assert_eq!(forms, ["chain-row", "block-row", "tail-row"].map(frozen));
}

#[test]
fn a_newer_version_is_told_apart_from_damage() {
    let cast = cast();
    let newer = |name: &str| {
        let mut bytes = frozen(name);
        bytes[1] += 1;
        bytes
    };
    assert_eq!(SealedAct::parse(&newer("genesis")), Err(CodecError::Version(3)));
    assert_eq!(Farewell::parse(&newer("farewell")), Err(CodecError::Version(2)));
    assert_eq!(super::chain::RunHead::peek(&newer("block-run")), Err(CodecError::Version(2)));
    let device = &cast.device;
    assert_eq!(unpack(&Real, &cast.circle, &device.sign.id(), &device.hpke, &newer("box")), Err(CodecError::Version(2)));
    assert!(super::rows::decode::<ChainRow>(&newer("chain-row"), "row").is_err());
}
