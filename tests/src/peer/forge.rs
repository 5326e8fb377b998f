//! Runs and entries written by hand from the byte-level specification, signed with a real member's keys, any field of which
//! may be hostile. An independent second writer of these forms: what it writes unchanged must be taken.

use kith_protocol::circle::act::ActBody;
use kith_protocol::circle::body::{KeyClass, Retention};
use kith_protocol::circle::membership::person_id;
use kith_protocol::crypto::{self, Crypto, Key, Real, Signature, SigningKey};
use kith_protocol::id::{ActId, CircleId, EntryId, EpochId, PersonId};
use kith_protocol::item::edit::{Edit, Op, Value};
use kith_protocol::item::kind::Kind;
use kith_protocol::time::Millis;
use rand_core::Rng;

use super::Peer;
use super::member::now;
use crate::cbor::{Cbor, array, bytes, encoded};

/// One entry of a run that is being made.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The kind's number.
    pub kind: u64,
    /// Who created its item.
    pub creator: PersonId,
    /// The item's random half.
    pub nonce: [u8; 16],
    /// The nonce of its seal.
    pub sealing: [u8; 24],
    /// How long it is kept.
    pub retention: Cbor,
    /// The membership heads it names; none: the predecessor's.
    pub heads: Option<Vec<ActId>>,
    /// The edit's bytes.
    pub edit: Vec<u8>,
    /// What stands inside the seal, padding included, in place of the packed edit.
    pub inside: Option<Vec<u8>>,
    /// Is its edit one that depends on the entry before it in the run, and on nothing else? Then this is what it does.
    pub on_top: Option<Vec<Op>>,
    /// What is sent in place of what was sealed.
    pub sealed: Option<Vec<u8>>,
    /// Is only hash and length sent?
    pub hollow: bool,
}

/// A run that is being made: a chain of its own, one good note, unless changed.
#[derive(Clone, Debug)]
pub struct Run {
    /// Whose circle is signed and sealed for.
    pub circle: CircleId,
    /// Who signs.
    pub signer: SigningKey,
    /// The chain's set.
    pub incarnation: [u8; 16],
    /// The chain's class: 1 library, 2 talk.
    pub class: u64,
    /// The epoch named.
    pub epoch: EpochId,
    /// The key sealed under.
    pub key: Key,
    /// The first entry's number.
    pub first: u64,
    /// What the first entry names as its predecessor.
    pub previous: EntryId,
    /// Its entries.
    pub entries: Vec<Entry>,
    /// The signature sent, in place of the right one.
    pub signature: Option<[u8; 64]>,
}

impl Entry {
    /// The item's id, as a value.
    #[must_use]
    pub fn item(&self) -> Cbor {
        array([bytes(self.creator.0), bytes(self.nonce)])
    }
}

/// An edit that opens a note with a title.
#[must_use]
pub fn titled(title: &str) -> Vec<u8> {
    encoded(&Edit::opening(now(), None, vec![Op::Set(0, Value::text(title))])).encode()
}

/// What stands inside a seal where it is one zstd frame of this.
///
/// # Panics
/// Where the frame cannot be padded.
#[must_use]
pub fn packed(form: u8, bytes: &[u8]) -> Vec<u8> {
    crypto::pad([&[form], bytes].concat())
}

impl Run {
    /// The run's bytes, and the id of its last entry.
    #[must_use]
    pub fn build(&self) -> (Vec<u8>, EntryId) {
        let sealing = crypto::derive("kith/v1/entry-payload", &self.key, &[&self.circle.0]);
        let (mut previous, mut singles) = (self.previous, Vec::new());
        for (seq, entry) in (0..).map(|step| self.first.wrapping_add(step)).zip(&self.entries) {
            let place = [
                Cbor::Uint(1),
                bytes(self.circle.0),
                bytes(self.signer.id().0),
                bytes(self.incarnation),
                Cbor::Uint(self.class),
                Cbor::Uint(seq),
                bytes(previous.0),
                heads(entry.heads.as_deref()),
                bytes(self.epoch.0),
                Cbor::Uint(entry.kind),
                entry.item(),
                entry.retention.clone(),
            ];
            let edit = entry.on_top.clone().map(|ops| {
                // A fixed label, so that building twice gives the same bytes.
                let (version, at, about, names) = (1, Millis(1_795_359_600_000), None, Vec::new());
                encoded(&Edit { version, at, about, deps: vec![previous], names, ops }).encode()
            });
            let inside = entry.inside.clone().unwrap_or_else(|| packed(0, edit.as_ref().unwrap_or(&entry.edit)));
            let bound: Vec<u8> = place.iter().flat_map(Cbor::encode).collect();
            let sealed = entry.sealed.clone().unwrap_or_else(|| crypto::seal_with(&sealing, &entry.sealing, &bound, &inside));
            let hash = crypto::hash("kith/v1/entry-sealed", &[&sealed]);
            let length = Cbor::Uint(sealed.len() as u64);
            let header = Cbor::Array(place.into_iter().chain([bytes(hash), length.clone()]).collect());
            previous = EntryId(crypto::hash("kith/v1/entry", &[&header.encode()]));
            let payload = if entry.hollow {
                array([1.into(), array([bytes(hash), length])])
            } else {
                array([0.into(), array([bytes(sealed)])])
            };
            let fields = [entry.kind.into(), entry.item(), entry.retention.clone(), heads(entry.heads.as_deref()), payload];
            singles.push(array(fields));
        }
        (self.wrap(&previous, &Cbor::Array(singles).encode(), 1), previous)
    }

    /// The outer form around a body, signed for the entry that it ends with.
    #[must_use]
    pub fn wrap(&self, last: &EntryId, body: &[u8], form: u64) -> Vec<u8> {
        let right = Real.sign(&self.signer, "kith/v1/entry", &[&self.circle.0, &last.0]);
        array([
            1.into(),
            form.into(),
            bytes(self.signer.id().0),
            bytes(self.incarnation),
            self.class.into(),
            bytes(self.epoch.0),
            self.first.into(),
            bytes(self.previous.0),
            bytes(self.signature.unwrap_or(right.0)),
            bytes(body),
        ])
        .encode()
    }

    /// The run's bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.build().0
    }

    /// The only entry.
    ///
    /// # Panics
    /// Where there is none.
    pub fn entry(&mut self) -> &mut Entry {
        self.entries.first_mut().expect("a run has entries")
    }

    /// More entries of the first one's item, each an edit on top of the one before.
    pub fn deepen(&mut self, count: usize) {
        let like = self.entry().clone();
        for _ in 0..count {
            let mut entry = Entry { heads: None, on_top: Some(vec![Op::Set(14, Value::text("x"))]), ..like.clone() };
            crypto::Seeded::new(super::member::fresh_seed()).fill_bytes(&mut entry.sealing);
            self.entries.push(entry);
        }
    }

    /// A run behind this one that goes on in the same way.
    #[must_use]
    pub fn deeper(&self) -> Self {
        let mut next = self.clone();
        (next.first, next.previous) = (self.first + self.entries.len() as u64, self.build().1);
        next.entries.retain(|entry| entry.on_top.is_some());
        next
    }

    /// Another run behind this one in its chain, with one note.
    #[must_use]
    pub fn next(&self, title: &str) -> Self {
        let mut next = self.clone();
        (next.first, next.previous) = (self.first + self.entries.len() as u64, self.build().1);
        next.entries.truncate(1);
        let entry = next.entry();
        entry.edit = titled(title);
        entry.heads = None;
        let mut random = crypto::Seeded::new(super::member::fresh_seed());
        random.fill_bytes(&mut entry.nonce);
        random.fill_bytes(&mut entry.sealing);
        next
    }
}

fn heads(heads: Option<&[ActId]>) -> Cbor {
    heads.map_or(Cbor::Null, |heads| Cbor::Array(heads.iter().map(|head| bytes(head.0)).collect()))
}

impl Peer {
    /// A run that is as it should be: one note in a chain of its own.
    ///
    /// # Panics
    /// Where the peer is in no circle.
    #[must_use]
    pub fn run(&self, title: &str) -> Run {
        let circle = self.circle();
        let signer = self.signing_key(&circle);
        let (epoch, keys) = self.newest_epoch(&circle);
        let mut random = crypto::Seeded::new(super::member::fresh_seed());
        let (mut incarnation, mut nonce, mut sealing) = ([0; 16], [0; 16], [0; 24]);
        random.fill_bytes(&mut incarnation);
        random.fill_bytes(&mut nonce);
        random.fill_bytes(&mut sealing);
        let entry = Entry {
            kind: u64::from(Kind::Note.number()),
            creator: person_id(&circle, &signer.id()),
            nonce,
            sealing,
            retention: encoded(&Retention::Keep),
            heads: Some(self.tips(&circle)),
            edit: titled(title),
            inside: None,
            on_top: None,
            sealed: None,
            hollow: false,
        };
        Run {
            circle,
            signer,
            incarnation,
            class: 2,
            epoch,
            key: keys.talk.expect("a member holds the newest talk key"),
            first: 1,
            previous: EntryId([0; 32]),
            entries: vec![entry],
            signature: None,
        }
    }

    /// The same of another kind and edit.
    #[must_use]
    pub fn run_of(&self, kind: Kind, edit: Vec<u8>) -> Run {
        let mut run = self.run("");
        let (_, keys) = self.newest_epoch(&run.circle);
        let library = kind.class() == Some(KeyClass::Library);
        (run.class, run.key) = if library { (1, keys.library) } else { (2, run.key) };
        run.entry().kind = u64::from(kind.number());
        run.entry().edit = edit;
        run
    }

    /// A run of so many notes of 59,000 characters each, which compress to next to nothing.
    #[must_use]
    pub fn heavy(&self, many: usize) -> Run {
        let mut run = self.run("x");
        let long = "a".repeat(59_000);
        let edit = encoded(&Edit::opening(now(), None, vec![Op::Insert(1, None, long.clone().into())])).encode();
        let head = edit.get(..edit.len() - long.len()).unwrap_or_default();
        run.entry().inside = Some(packed(1, &repeated(head, b'a', long.len())));
        let like = run.entry().clone();
        let mut random = crypto::Seeded::new(super::member::fresh_seed());
        for _ in 1..many {
            let mut entry = Entry { heads: None, ..like.clone() };
            random.fill_bytes(&mut entry.nonce);
            random.fill_bytes(&mut entry.sealing);
            run.entries.push(entry);
        }
        run
    }

    /// Sends a run.
    pub fn send_run(&self, run: &Run) {
        self.send_run_bytes(run.bytes());
    }

    /// Sends any bytes as a run.
    pub fn send_run_bytes(&self, run: Vec<u8>) {
        self.say(6, vec![Cbor::Bytes(run), Cbor::Bool(false)]);
    }

    /// The epoch with the newest label, and its keys.
    ///
    /// # Panics
    /// Where it holds none.
    #[must_use]
    pub fn newest_epoch(&self, circle: &CircleId) -> (EpochId, kith_protocol::circle::epoch::EpochKeys) {
        let ring = self.ring(circle);
        let newest = ring.iter().max_by_key(|(id, row)| (row.made_at, **id)).expect("it holds keys");
        (*newest.0, newest.1.keys.clone())
    }
}

/// One zstd frame of these bytes and then one byte, so many times (RFC 8878: a raw block and a repeated one).
fn repeated(head: &[u8], byte: u8, count: usize) -> Vec<u8> {
    let size = |len: usize| u32::try_from(len).unwrap_or(u32::MAX) << 3;
    let block = |header: u32| header.to_le_bytes().into_iter().take(3);
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    out.extend(block(size(head.len())));
    out.extend_from_slice(head);
    out.extend(block(1 | 1 << 1 | size(count)));
    out.push(byte);
    out
}

/// A signature that is none.
#[must_use]
pub const fn no_signature() -> Signature {
    Signature([0; 64])
}

/// A body of an act, said now.
#[must_use]
pub fn said_now(statement: kith_protocol::circle::body::Statement) -> ActBody {
    ActBody { at: now(), statement, epoch: None }
}

/// A moment from now, in milliseconds.
#[must_use]
pub fn from_now(millis: u64) -> Millis {
    now().plus(millis)
}
