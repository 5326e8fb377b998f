//! Cuts a stream of bytes into frames: four bytes of length, big-endian, then so many bytes.
//!
//! A length over the bound is refused before anything is kept, and memory grows with what came, not with what was announced.

#![deny(clippy::indexing_slicing, clippy::expect_used)]

use kith_protocol::limits::{FRAME_BYTES, HELLO_BYTES};

use crate::limits::{HELLO_FRAMES, READ_BYTES};

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
    seen: u32,
}

impl Frames {
    /// Takes bytes in and gives the frames that they complete.
    pub(super) fn take(&mut self, mut bytes: &[u8], out: &mut impl Extend<Vec<u8>>) -> Result<(), TooLarge> {
        while !bytes.is_empty() {
            let need = match self.need {
                Some(need) => need,
                None => match self.take_header(&mut bytes)? {
                    Some(need) => need,
                    None => return Ok(()),
                },
            };
            let missing = need.saturating_sub(self.body.len());
            let (head, rest) = bytes.split_at_checked(missing).unwrap_or((bytes, &[]));
            self.body.extend_from_slice(head);
            bytes = rest;
            if self.body.len() == need {
                self.need = None;
                self.seen = self.seen.saturating_add(1);
                out.extend([std::mem::take(&mut self.body)]);
            }
        }
        Ok(())
    }

    fn take_header(&mut self, bytes: &mut &[u8]) -> Result<Option<usize>, TooLarge> {
        let missing = 4_usize.saturating_sub(self.header.len());
        let (head, rest) = bytes.split_at_checked(missing).unwrap_or((bytes, &[]));
        self.header.extend_from_slice(head);
        *bytes = rest;
        let Some(length) = self.header.first_chunk::<4>() else { return Ok(None) };
        let need = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let limit = if self.seen < HELLO_FRAMES { HELLO_BYTES } else { FRAME_BYTES };
        if need == 0 || need > limit {
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
        let mut frames = Frames::default();
        let mut out = Vec::new();
        let length = u32::try_from(HELLO_BYTES + 1).expect("fits").to_be_bytes();
        assert_eq!(frames.take(&length, &mut out), Err(TooLarge(HELLO_BYTES + 1)));
        assert_eq!(Frames::default().take(&[0; 4], &mut out), Err(TooLarge(0)));
        let mut frames = Frames::default();
        for _ in 0..HELLO_FRAMES {
            frames.take(&[0, 0, 0, 1, 7], &mut out).expect("small");
        }
        assert_eq!(frames.take(&length, &mut out), Ok(()));
        assert!(frames.body.capacity() <= READ_BYTES);
        let length = u32::try_from(FRAME_BYTES + 1).expect("fits").to_be_bytes();
        let mut frames = Frames { seen: 9, ..Frames::default() };
        assert_eq!(frames.take(&length, &mut out), Err(TooLarge(FRAME_BYTES + 1)));
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
                prop_assert!(frames.take(head, &mut got).is_ok());
                rest = tail;
            }
            prop_assert_eq!(got, sent);
        }
    }
}
