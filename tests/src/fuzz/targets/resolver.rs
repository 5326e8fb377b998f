//! The resolver: any acts, in any order, twice.

use std::collections::BTreeSet;
use std::path::Path;

use kith_protocol::circle::membership::{Fact, Membership, Verdict as Judged};
use kith_protocol::codec;
use kith_protocol::id::{ActId, CircleId, DeviceId};

use super::super::{Form, Prepared, Target, Tree, Verdict};
use crate::dice::Dice;
use crate::model::{Making, build, load};

/// Histories of acts: the membership vectors, bent.
pub const RESOLVER: Target = Target { name: "resolver", form: Form::Cbor, words: &[], share: 1, prepare };

/// Acts of a history; longer ones are measured elsewhere.
const ACTS: usize = 24;

/// `[id, author, [parent], statement, carries an epoch, counter-signed]`.
fn written(fact: &Fact) -> Tree {
    let id = |bytes: &[u8; 32]| Tree::Bytes(bytes.to_vec());
    let parents = fact.parents.iter().map(|parent| id(&parent.0)).collect();
    let statement = Tree::from_cbor(&codec::encode(&fact.statement)).expect("a statement is CBOR");
    let flag = |yes: bool| Tree::Simple(20 + u8::from(yes));
    Tree::List(vec![
        id(&fact.id.0),
        id(&fact.author.0),
        Tree::List(parents),
        statement,
        flag(fact.epoch),
        flag(fact.countersigned),
    ])
}

fn read(tree: &Tree, before: &BTreeSet<ActId>) -> Option<Fact> {
    let [id, author, parents, statement, epoch, countersigned] = tree.list() else { return None };
    let parents: Option<Vec<ActId>> = parents.list().iter().map(|parent| parent.array().map(ActId)).collect();
    let mut parents = parents?;
    parents.sort_unstable();
    parents.dedup();
    parents.truncate(kith_protocol::limits::HEADS);
    // An id is a hash over the parents': no act can name one that is written later. One that never comes is named still.
    parents.retain(|parent| before.contains(parent) || parent.0[0] == 0xee);
    Some(Fact {
        id: ActId(id.array()?),
        author: DeviceId(author.array()?),
        parents,
        statement: codec::decode(&statement.cbor(), "statement").ok()?,
        epoch: *epoch == Tree::Simple(21),
        countersigned: *countersigned == Tree::Simple(21),
    })
}

fn resolved(circle: CircleId, facts: &[Fact]) -> Membership {
    let mut membership = Membership::new(circle);
    for fact in facts {
        let _: Judged = membership.add(fact.clone());
    }
    membership
}

fn prepare() -> Prepared {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/membership");
    let vectors = load(&folder).expect("the project carries the vectors");
    let mut samples = Vec::new();
    for vector in vectors.iter().filter(|vector| vector.acts.len() <= ACTS) {
        let built = build(vector, Making::Plain, 3).expect("a vector can be understood");
        samples.push(Tree::List(built.facts.iter().map(written).collect()).cbor());
    }
    let judge = |bytes: &[u8]| {
        let Some(tree) = Tree::from_cbor(bytes) else { return Verdict::Refused };
        let mut known = BTreeSet::new();
        let mut facts = Vec::new();
        for one in tree.list().iter().take(ACTS + 8) {
            let Some(fact) = read(one, &known) else { continue };
            if known.insert(fact.id) {
                facts.push(fact);
            }
        }
        let Some(circle) = facts.first().map(|fact| CircleId(fact.id.0)) else { return Verdict::Refused };
        let mut one = resolved(circle, &facts);
        let mut other = facts.clone();
        Dice::new(bytes.iter().fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)))).shuffle(&mut other);
        let shuffled = resolved(circle, &other);
        let void = |membership: &Membership| membership.void().into_iter().collect::<BTreeSet<_>>();
        let held = |membership: &Membership| membership.held().map(|(id, _)| id).collect::<BTreeSet<_>>();
        assert_eq!(one.state(), shuffled.state(), "the order of arrival decides nothing");
        assert_eq!((void(&one), held(&one)), (void(&shuffled), held(&shuffled)));
        let before = one.state();
        for fact in &facts {
            assert_eq!(one.add(fact.clone()), Judged::Known, "an act is taken once");
        }
        assert_eq!(one.state(), before, "applying twice changes nothing");
        drop((one.heads(), one.epoch_heads()));
        Verdict::taken(one.len() * 2 > facts.len())
    };
    Prepared { samples, judge: Box::new(judge) }
}
