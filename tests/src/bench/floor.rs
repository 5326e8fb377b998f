//! What the machine can do at best, in the same run: a durable append, a round trip, one signature, one sealed note.

use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Instant;

use ed25519_dalek::{Signer, SigningKey};
use kith_protocol::crypto::{self, Key};

/// Bytes of a note with its title, author, time and ids.
const NOTE: usize = 400;

/// The floors, in seconds each.
#[derive(Clone, Debug)]
pub struct Floors {
    /// Appending 400 bytes to a file and `fdatasync`: every value.
    pub fdatasync: Vec<f64>,
    /// 400 bytes there and back over TCP on loopback.
    pub round_trip: Vec<f64>,
    /// Ed25519, `verify_strict`, 400 bytes.
    pub verify: Vec<f64>,
    /// XChaCha20-Poly1305, opening 400 bytes.
    pub aead: Vec<f64>,
}

impl Floors {
    /// Measures them in a folder.
    ///
    /// # Errors
    /// Where the disk or the loopback refuses, in words.
    pub fn measure(folder: &Path, times: usize) -> Result<Self, String> {
        let failed = |error: std::io::Error| error.to_string();
        let fdatasync = fdatasync(folder, times).map_err(failed)?;
        let round_trip = round_trip(times * 4).map_err(failed)?;
        Ok(Self { fdatasync, round_trip, verify: verify(times), aead: aead(times * 4) })
    }
}

/// The middle value, or the mean of the two in the middle; NaN of none.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    let upper = values.len() / 2;
    if values.len() % 2 == 1 { at(upper) } else { f64::midpoint(at(upper.saturating_sub(1)), at(upper)) }
}

fn timed<T>(times: usize, mut f: impl FnMut() -> T) -> Vec<f64> {
    let one = |_| {
        let start = Instant::now();
        black_box(f());
        start.elapsed().as_secs_f64()
    };
    (0..times).map(one).collect()
}

fn fdatasync(folder: &Path, times: usize) -> std::io::Result<Vec<f64>> {
    let path = folder.join("floor");
    let mut file = File::create(&path)?;
    let note = [7; NOTE];
    let mut failed = None;
    let values = timed(times, || {
        if let Err(error) = file.write_all(&note).and_then(|()| file.sync_data()) {
            failed = Some(error);
        }
    });
    std::fs::remove_file(path)?;
    failed.map_or(Ok(values), Err)
}

fn round_trip(times: usize) -> std::io::Result<Vec<f64>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let echo = std::thread::spawn(move || -> std::io::Result<()> {
        let (mut stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        let mut note = [0; NOTE];
        while stream.read_exact(&mut note).is_ok() {
            stream.write_all(&note)?;
        }
        Ok(())
    });
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut note = [1; NOTE];
    let mut failed = None;
    let values = timed(times, || {
        if let Err(error) = stream.write_all(&note).and_then(|()| stream.read_exact(&mut note)) {
            failed = Some(error);
        }
    });
    drop(stream);
    drop(echo.join());
    failed.map_or(Ok(values), Err)
}

fn verify(times: usize) -> Vec<f64> {
    let key = SigningKey::from_bytes(&[7; 32]);
    let note = [9; NOTE];
    let (public, signature) = (key.verifying_key(), key.sign(&note));
    timed(times, || public.verify_strict(black_box(&note), &signature).is_ok())
}

fn aead(times: usize) -> Vec<f64> {
    let key = Key::from_bytes([3; 32]);
    let sealed = crypto::seal_with(&key, &[1; 24], b"", &[5; NOTE]);
    timed(times, || crypto::open(&key, b"", black_box(&sealed)))
}
