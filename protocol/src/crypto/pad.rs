//! How long a text is says something about it: what is sealed is first padded to a size class.

/// The size class that `len` bytes fall into: a multiple of 64, at most 12 % above for more than 512 bytes (Padmé).
///
/// Padmé (Nikitin et al., *Reducing Metadata Leakage from Encrypted Files*, 2019) keeps only the first log2 log2 bits.
#[must_use]
pub fn padded_len(len: usize) -> usize {
    let exponent = usize::BITS - len.max(2).leading_zeros() - 1;
    let kept = u32::BITS - exponent.leading_zeros();
    let step = 1usize << exponent.saturating_sub(kept).max(6);
    len.max(1).div_ceil(step).saturating_mul(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_few_and_stable() {
        assert_eq!([0, 1, 64, 65, 350, 4_097, 32_500, 65_536].map(padded_len), [64, 64, 64, 128, 384, 4_352, 32_768, 65_536]);
        for len in 1..70_000 {
            let padded = padded_len(len);
            assert!(padded >= len && padded_len(padded) == padded, "{len}");
            assert!(len < 512 || padded - len <= len / 8, "{len}");
        }
    }
}
