//! The operating system's randomness, as the core wants it.

use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};

/// The operating system's generator. A system without one cannot run this program: asking it then panics.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Random;

impl TryRng for Random {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    #[expect(clippy::expect_used, reason = "without randomness every key would be weak; stopping is the only safe answer")]
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        getrandom::fill(bytes).expect("the operating system gives randomness");
        Ok(())
    }
}

impl TryCryptoRng for Random {}
