//! Words that hide themselves: what a person wrote never reaches a log, a panic message or a debug print.

use std::fmt;

use minicbor::{Decode, Encode};

/// A value whose `Debug` shows only that it is there.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Private<T>(#[n(0)] pub T);

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<private>")
    }
}

impl<T> From<T> for Private<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_redacts() {
        assert_eq!(format!("{:?}", Private("grief".to_owned())), "<private>");
    }
}
