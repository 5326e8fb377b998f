//! Finds the binaries under test, built from the sources as they are now.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Where the binaries are.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// The command line.
    pub kith: PathBuf,
    /// The daemon.
    pub kithd: PathBuf,
    /// The folder that holds both.
    pub folder: PathBuf,
}

/// The binaries, brought up to date once per process: `cargo test -p kith-tests` alone would build none.
///
/// # Panics
/// Where cargo fails.
pub fn binaries() -> &'static Binaries {
    static BUILT: OnceLock<Binaries> = OnceLock::new();
    BUILT.get_or_init(build)
}

fn build() -> Binaries {
    let test = std::env::current_exe().expect("a test knows its own path");
    // <target>/<profile>/deps/<test>, or <target>/<profile>/<program>
    let beside = test.parent().expect("a test lies in a target folder");
    let folder = if beside.ends_with("deps") { beside.parent().unwrap_or(beside) } else { beside }.to_owned();
    let target = folder.parent().expect("a profile lies in a target folder");
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a folder of the workspace");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The whole workspace is selected so that its features are those of `cargo test --workspace`: then this builds nothing twice.
    cargo.args(["build", "--quiet", "--workspace", "--bin", "kith", "--bin", "kithd"]).arg("--target-dir").arg(target);
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo.current_dir(workspace).status().expect("cargo runs");
    assert!(status.success(), "the binaries do not build");
    Binaries { kith: folder.join("kith"), kithd: folder.join("kithd"), folder }
}
