//! Structure-aware fuzzing on stable Rust: valid values are bent and handed to whatever decodes what peers and people send.
//!
//! A target has valid samples and says what became of any bytes; it panics where a promise is broken. Checksums, seals and
//! signatures that would hide the deeper code are made again inside the target. A run is decided by its seed. It happens in a
//! process of its own with bounded memory and a stack as small as the daemon's, so that an overflow, an abort or a hang is a
//! finding too, and the bytes that did it are known.

mod bend;
mod child;
mod drive;
mod target;
pub mod targets;
mod text;
mod tree;

pub use bend::{Bend, bend_bytes, bend_tree};
pub use child::{RECORD, check, inside, watched};
pub use drive::{FuzzReport, cases, kept, run};
pub use target::{Form, Judge, Prepared, Target, Verdict};
pub use tree::{NULL, Tree};

/// A test that runs a target.
#[macro_export]
macro_rules! fuzz_test {
    ($test:ident, $target:expr) => {
        #[test]
        fn $test() {
            $crate::fuzz::check(&$target, concat!(module_path!(), "::", stringify!($test)));
        }
    };
}
