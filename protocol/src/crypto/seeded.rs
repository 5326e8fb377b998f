//! A reproducible generator for tests, the simulator and frozen examples.

use std::convert::Infallible;
use std::fmt;

use rand_core::{TryCryptoRng, TryRng};

/// The output of BLAKE3 over a seed, as a generator. Anyone who knows the seed knows every secret made with it: never for real
/// keys.
#[derive(Clone)]
pub struct Seeded(blake3::OutputReader);

impl Seeded {
    /// The generator of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("kith/v1/seeded");
        hasher.update(&seed.to_le_bytes());
        Self(hasher.finalize_xof())
    }
}

impl fmt::Debug for Seeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seeded generator at {}", self.0.position())
    }
}

impl TryRng for Seeded {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(dst);
        Ok(())
    }
}

impl TryCryptoRng for Seeded {}
