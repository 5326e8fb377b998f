//! A fault of ours: what a panic says may carry what somebody wrote, so only its place is told.

use std::io::Write;

/// From here on a panic tells where, and nothing else.
pub(crate) fn redact() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        // Nobody may be reading; that is no reason to fail once more.
        drop(writeln!(std::io::stderr(), "kith: a fault at {place}"));
    }));
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    /// The hook belongs to a whole process, so the test runs itself in one of its own.
    #[test]
    fn u8_a_fault_tells_its_place_and_no_content() {
        const INSIDE: &str = "KITH_TEST_FAULT";
        if std::env::var_os(INSIDE).is_some() {
            super::redact();
            std::panic::catch_unwind(|| "1x".parse::<u8>().expect("somebody's zaunkönig")).ok();
            std::process::exit(0);
        }
        let test = "panic::tests::u8_a_fault_tells_its_place_and_no_content";
        let mut command = Command::new(std::env::current_exe().expect("a test knows its own path"));
        let out = command.args([test, "--exact", "--nocapture"]).env(INSIDE, "1").output().expect("runs");
        let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        assert!(said.contains("a fault at ") && said.contains("panic.rs"), "{said}");
        assert!(!said.contains("zaunkönig") && !said.contains("somebody"), "{said}");
    }
}
