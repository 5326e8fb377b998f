//! Cuts a stream of bytes into frames: four bytes of length, big-endian, then so many bytes.
//!
//! A length over the bound is refused before anything is kept, and memory grows with what came, not with what was announced. A
//! frame larger than a hello waits until the link is wide: nobody who has proved nothing makes us hold more.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use kith_protocol::limits::{FRAME_BYTES, HELLO_BYTES};

use crate::limits::READ_BYTES;

/// A frame was announced that no peer may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {0} bytes is over the limit")]
pub(super) struct TooLarge(usize);

/// What came of the current frame.
#[derive(Debug, Default)]
pub(super) struct Frames {
    header: Vec<u8>,
    body: Vec<u8>,
    need: Option<usize>,
}

impl Frames {
    /// Takes bytes in and gives the frames that they complete. Returns how many were taken: all of them, unless a frame that needs
    /// a wide link was announced on one that is not.
    pub(super) fn take(&mut self, bytes: &[u8], wide: bool, out: &mut impl Extend<Vec<u8>>) -> Result<usize, TooLarge> {
        let mut left = bytes;
        while !left.is_empty() && !self.waits(wide) {
            let need = match self.need {
                Some(need) => need,
                None => match self.take_header(&mut left)? {
                    Some(need) if need > HELLO_BYTES && !wide => break,
                    Some(need) => need,
                    None => break,
                },
            };
            let missing = need.saturating_sub(self.body.len());
            let (head, rest) = left.split_at_checked(missing).unwrap_or((left, &[]));
            self.body.extend_from_slice(head);
            left = rest;
            if self.body.len() == need {
                self.need = None;
                out.extend([std::mem::take(&mut self.body)]);
            }
        }
        Ok(bytes.len() - left.len())
    }

    /// Does the next frame need a wider link than this?
    pub(super) fn waits(&self, wide: bool) -> bool {
        !wide && self.need.is_some_and(|need| need > HELLO_BYTES)
    }

    fn take_header(&mut self, bytes: &mut &[u8]) -> Result<Option<usize>, TooLarge> {
        let missing = 4_usize.saturating_sub(self.header.len());
        let (head, rest) = bytes.split_at_checked(missing).unwrap_or((bytes, &[]));
        self.header.extend_from_slice(head);
        *bytes = rest;
        let Some(length) = self.header.first_chunk::<4>() else { return Ok(None) };
        let need = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if need == 0 || need > FRAME_BYTES {
            return Err(TooLarge(need));
        }
        self.header.clear();
        self.need = Some(need);
        self.body.reserve(need.min(READ_BYTES));
        Ok(Some(need))
    }
}

/// Appends a frame as it travels.
pub(super) fn put(out: &mut Vec<u8>, frame: &[u8]) {
    let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(frame);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_what_is_too_large_before_keeping_it() {
        let mut out = Vec::new();
        let length = u32::try_from(FRAME_BYTES + 1).expect("fits").to_be_bytes();
        for wide in [false, true] {
            assert_eq!(Frames::default().take(&length, wide, &mut out), Err(TooLarge(FRAME_BYTES + 1)));
            assert_eq!(Frames::default().take(&[0; 4], wide, &mut out), Err(TooLarge(0)));
        }
    }

    #[test]
    fn a_large_frame_waits_for_a_wide_link() {
        let mut frames = Frames::default();
        let mut out = Vec::new();
        let mut wire = Vec::new();
        put(&mut wire, b"small");
        put(&mut wire, &vec![7; HELLO_BYTES + 1]);
        let taken = frames.take(&wire, false, &mut out).expect("within bounds");
        assert_eq!((taken, out.len()), (4 + 5 + 4, 1));
        assert!(frames.waits(false) && !frames.waits(true));
        assert_eq!(frames.take(wire.split_at(taken).1, false, &mut out), Ok(0), "nothing more is taken in");
        assert!(frames.body.capacity() <= READ_BYTES);
        assert_eq!(frames.take(wire.split_at(taken).1, true, &mut out), Ok(wire.len() - taken));
        assert_eq!(out.len(), 2);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn any_cutting_gives_the_same_frames(
            sent in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..600), 0..12),
            cuts in proptest::collection::vec(1_usize..90, 1..40),
        ) {
            let mut wire = Vec::new();
            for frame in &sent {
                put(&mut wire, frame);
            }
            let (mut frames, mut got, mut rest, mut cut) = (Frames::default(), Vec::new(), wire.as_slice(), cuts.iter().cycle());
            while !rest.is_empty() {
                let at = cut.next().copied().unwrap_or(1).min(rest.len());
                let (head, tail) = rest.split_at(at);
                prop_assert_eq!(frames.take(head, true, &mut got), Ok(head.len()));
                rest = tail;
            }
            prop_assert_eq!(got, sent);
        }
    }
}
