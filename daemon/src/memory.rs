//! Memory that is given back: glibc reads how it keeps house from the environment, before `main` and only there.
//!
//! By default it keeps what a large import left behind, in one arena per thread: 55 MB where 40 are used.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// One arena, and no more than so many free bytes at its end. Other C libraries ignore both.
const HOUSEKEEPING: [(&str, &str); 2] = [("MALLOC_ARENA_MAX", "1"), ("MALLOC_TRIM_THRESHOLD_", "131072")];

/// Starts this program again, as the same process, so that memory is given back; does nothing where somebody chose already.
/// To be called before anything is opened.
pub(crate) fn keep_house() {
    if HOUSEKEEPING.iter().any(|(name, _)| std::env::var_os(name).is_some()) {
        return;
    }
    let mut args = std::env::args_os();
    let (Ok(program), Some(name)) = (std::env::current_exe(), args.next()) else { return };
    // Only comes back where it failed, and then the daemon runs as well, only larger.
    let _failed = Command::new(program).arg0(name).args(args).envs(HOUSEKEEPING).exec();
}
