//! A whole node that hears anything from those it talks to: it goes on, its store stays sound, and what it sends is bounded.

use kith_protocol::limits::FRAME_BYTES;
use kith_protocol::node::Effect;

use super::super::{Form, Prepared, Target, Tree, Verdict};
use super::world::{Chapter, NodeStep, chapters};

/// Frames of a conversation, bent.
pub const NODE: Target = Target { name: "node", form: Form::Cbor, words: &[], share: 1, prepare };

/// What one conversation may make a node send at most, in bytes: what it has, a few times.
const SENT: usize = 16 << 20;
/// One conversation in so many is also looked at through every query, which costs as much as ten.
const LOOK: u32 = 16;

fn prepare() -> Prepared {
    let chapters = chapters();
    let wrap = |frame: Vec<u8>| Tree::from_cbor(&frame).map_or(Tree::Bytes(frame), |tree| Tree::Wrapped(Box::new(tree)));
    let sample = |(n, chapter): (usize, &Chapter)| {
        let frames = chapter.frames().into_iter().map(wrap).collect();
        Tree::List(vec![Tree::Uint(n as u64), Tree::List(frames)]).cbor()
    };
    let samples = chapters.iter().enumerate().map(sample).collect();
    let mut played = 0_u32;
    let judge = move |bytes: &[u8]| {
        let tree = Tree::from_cbor(bytes);
        let Some([which, frames]) = tree.as_ref().map(Tree::list) else { return Verdict::Refused };
        let which = usize::try_from(which.number().unwrap_or(0)).unwrap_or(0) % chapters.len();
        played = played.wrapping_add(1);
        play(&chapters[which], frames, played.is_multiple_of(LOOK))
    };
    Prepared { samples, judge: Box::new(judge) }
}

/// Plays a chapter with these frames in the places of those that came; more of them at the end.
fn play(chapter: &Chapter, frames: &Tree, look: bool) -> Verdict {
    let mut frames =
        frames.list().iter().map(|frame| frame.bytes().unwrap_or_default()).filter(|frame| frame.len() <= FRAME_BYTES);
    let mut machine = chapter.machine();
    let (mut sent, mut closed, mut last) = (0, false, None);
    let mut hear = |effects: Vec<Effect>| {
        for effect in effects {
            match effect {
                Effect::Send(_, bytes) => {
                    assert!(bytes.len() <= FRAME_BYTES, "a frame of {} bytes", bytes.len());
                    sent += bytes.len();
                }
                Effect::Close(_) => closed = true,
                _ => {}
            }
        }
    };
    for (now, step) in &chapter.steps {
        let step = match step {
            NodeStep::Bytes(link, _) => {
                last = Some((*now, *link));
                let Some(frame) = frames.next() else { continue };
                NodeStep::Bytes(*link, frame)
            }
            other => other.clone(),
        };
        hear(machine.turn(*now, step));
    }
    if let Some((now, link)) = last {
        frames.take(20).for_each(|frame| hear(machine.turn(now, NodeStep::Bytes(link, frame))));
        // What is stored must be good for a restart, and for anyone who looks.
        let after = machine.restarted();
        if look {
            drop((machine.look(now), after.look(now)));
        }
    }
    assert!(sent < SENT, "{sent} bytes were sent");
    Verdict::taken(!closed)
}
