//! Exit codes.

use kith_protocol::control::Code;

/// Interrupted from the keyboard.
pub(crate) const INTERRUPTED: u8 = 130;
/// Told to end by another process.
pub(crate) const TERMINATED: u8 = 143;
/// The terminal went away.
pub(crate) const HUNG_UP: u8 = 129;

/// The exit code of a kind of refusal.
pub(crate) const fn code(code: Code) -> u8 {
    match code {
        Code::Failed | Code::DiskFull | Code::Damaged => 1,
        Code::Usage | Code::TooLarge => 2,
        Code::NotRunning => 3,
        Code::Locked => 4,
        Code::NotAllowed => 5,
        Code::NotFound | Code::Ambiguous => 6,
        Code::NeedsConfirmation | Code::NeedsPassphrase => 7,
        Code::TimedOut => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_contract() {
        let pairs = [
            (Code::Failed, 1),
            (Code::Usage, 2),
            (Code::NotRunning, 3),
            (Code::Locked, 4),
            (Code::NotAllowed, 5),
            (Code::Ambiguous, 6),
            (Code::NeedsPassphrase, 7),
            (Code::TimedOut, 8),
        ];
        for (kind, expected) in pairs {
            assert_eq!(code(kind), expected, "{kind:?}");
        }
    }
}
