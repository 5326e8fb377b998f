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

/// Appends 0x80 and zeros up to the size class.
#[must_use]
pub fn pad(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.push(0x80);
    bytes.resize(padded_len(bytes.len()), 0);
    bytes
}

/// What [`pad`] was given; `None` where the padding is any other than its own.
#[must_use]
pub fn unpad(padded: &[u8]) -> Option<&[u8]> {
    let end = padded.iter().rposition(|byte| *byte != 0)?;
    let (bytes, marker) = padded.split_at_checked(end)?;
    (marker.first() == Some(&0x80) && padded_len(end + 1) == padded.len()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_padding_comes_off() {
        for len in [0, 1, 62, 63, 64, 500, 5_000] {
            let bytes = vec![0x80; len];
            assert_eq!(unpad(&pad(bytes.clone())), Some(bytes.as_slice()));
        }
        let mut longer = pad(vec![1]);
        longer.resize(128, 0);
        assert_eq!([unpad(&longer), unpad(&[0; 64]), unpad(&[]), unpad(&[1; 64])], [None; 4]);
    }

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
