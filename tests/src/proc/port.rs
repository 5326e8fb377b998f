//! Ports for homes of tests: no two homes of all tests that run on this machine have the same, also while a daemon is stopped.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::Range;
use std::path::Path;

/// Below those that a daemon chooses by itself, and those that a system gives to clients.
const RANGE: Range<u16> = 5_000..10_000;
/// A file for each, locked by the one who has it.
const FOLDER: &str = "/tmp/kt-ports";

/// A port that nobody else takes as long as this is there.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// Its lock ends with the process, however that ends.
    _lock: File,
}

impl Port {
    /// One that is free for both transports.
    ///
    /// # Panics
    /// Where none is left.
    #[must_use]
    pub fn reserve() -> Self {
        let folder = Path::new(FOLDER);
        fs::create_dir_all(folder).expect("a folder");
        // Processes begin at different places, so that they seldom look at each other's.
        let begin = u16::try_from(std::process::id() * 97 % u32::from(RANGE.end - RANGE.start)).unwrap_or_default();
        let all = (RANGE.start + begin..RANGE.end).chain(RANGE.start..RANGE.start + begin);
        let mut free = all.filter_map(|number| {
            let lock = File::options().create(true).truncate(false).write(true).open(folder.join(number.to_string())).ok()?;
            lock.try_lock().ok()?;
            is_free(number).then_some(Self { number, _lock: lock })
        });
        free.next().expect("a port is left")
    }

    /// Its number.
    #[must_use]
    pub const fn number(&self) -> u16 {
        self.number
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok() && UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn nobody_gets_a_port_that_somebody_has_though_nobody_listens_there() {
        let ports: Vec<Port> = (0..8).map(|_| Port::reserve()).collect();
        let numbers: BTreeSet<u16> = ports.iter().map(Port::number).collect();
        assert_eq!(numbers.len(), ports.len());
        assert!(numbers.iter().all(|number| is_free(*number)));
    }
}
