//! Frozen examples of every form that is stored or sent: what was written once is read for ever, from the first release on.
//!
//! A form is what is encoded by itself: a frame, a row, what lies inside a seal. Its examples lie in `protocol/testdata`, in a file
//! named after form and version: the type's name, then hex, one example behind the other, with a blank line between them. They
//! stand beside the type, in a module `frozen`, and show every variant and every optional field, present and absent:
//! `tests/architecture/frozen.rs` walks through them along the types and names what no example shows. From the first release on
//! a new version adds a file and keeps the old one. `cargo test -p kith-protocol freeze -- --ignored` writes the files that are
//! missing.

use std::path::PathBuf;

use data_encoding::HEXLOWER;
use minicbor::{Decode, Encode};

use crate::codec;

/// One form and its examples.
pub(crate) struct Form {
    /// Name and version, as in the file's name.
    name: String,
    /// The type that is encoded, without its path.
    of: String,
    examples: Vec<Vec<u8>>,
    /// Reads bytes and writes them again.
    again: fn(&[u8]) -> Option<Vec<u8>>,
}

impl Form {
    /// A form that the codec writes, by values that say everything it can say.
    pub(crate) fn new<T: Encode<()> + for<'b> Decode<'b, ()>>(name: &str, version: u32, values: &[T]) -> Self {
        let again = |bytes: &[u8]| codec::decode::<T>(bytes, "example").ok().map(|value| codec::encode(&value));
        Self::borrowed(name, version, std::any::type_name::<T>(), values.iter().map(codec::encode).collect(), again)
    }

    /// A form whose type borrows from the bytes; `again` decodes them as it and encodes it.
    pub(crate) fn borrowed(
        name: &str,
        version: u32,
        of: &str,
        examples: Vec<Vec<u8>>,
        again: fn(&[u8]) -> Option<Vec<u8>>,
    ) -> Self {
        Self { name: format!("{name}.v{version}"), of: without_paths(of), examples, again }
    }

    /// The bytes are what they were, and are still read.
    pub(crate) fn hold(&self) {
        let Self { name, of, examples, again } = self;
        let (frozen_of, frozen) = read(name);
        assert_eq!(&frozen_of, of, "{name}");
        assert_eq!(frozen.len(), examples.len(), "examples of {name}");
        for (number, (frozen, example)) in (1..).zip(frozen.iter().zip(examples)) {
            assert_eq!(HEXLOWER.encode(frozen), HEXLOWER.encode(example), "{name}, example {number}: other bytes than before");
            assert_eq!(again(frozen).as_ref(), Some(frozen), "{name}, example {number} is not read as it was written");
        }
    }

    /// Writes the file, unless it is there.
    pub(crate) fn write(&self) {
        let path = path(&self.name);
        if path.exists() {
            return;
        }
        let lines = |bytes: &Vec<u8>| -> String {
            let hex = HEXLOWER.encode(bytes);
            hex.as_bytes().chunks(120).map(|line| String::from_utf8_lossy(line).into_owned() + "\n").collect()
        };
        let examples: Vec<String> = self.examples.iter().map(lines).collect();
        std::fs::write(path, format!("# {}\n{}", self.of, examples.join("\n"))).expect("writes");
    }
}

/// Two tests for the forms of one file: they hold, and (ignored) their files are written.
macro_rules! frozen {
    ($($form:expr),+ $(,)?) => {
        #[test]
        fn these_forms_are_what_they_were() {
            $($form.hold();)+
        }

        #[test]
        #[ignore = "writes the frozen examples that are missing"]
        fn freeze() {
            $($form.write();)+
        }
    };
}
pub(crate) use frozen;

/// The type of a form, and its examples.
pub(crate) fn read(name: &str) -> (String, Vec<Vec<u8>>) {
    let text = std::fs::read_to_string(path(name)).unwrap_or_else(|_| panic!("{name} has no frozen example"));
    let (of, hex) = text.split_once('\n').expect("a type and hex");
    let bytes = |hex: &str| HEXLOWER.decode(hex.split_whitespace().collect::<String>().as_bytes()).expect("hex");
    (of.trim_start_matches("# ").to_owned(), hex.split("\n\n").map(bytes).collect())
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata").join(format!("{name}.hex"))
}

/// `alloc::vec::Vec<crate::id::ActId>` is `Vec<ActId>`.
fn without_paths(of: &str) -> String {
    let (mut out, mut word) = (String::new(), String::new());
    for c in of.chars() {
        match c {
            ':' => word.clear(),
            c if c.is_alphanumeric() || c == '_' => word.push(c),
            c => {
                out.push_str(&std::mem::take(&mut word));
                out.push(c);
            }
        }
    }
    out + &word
}
