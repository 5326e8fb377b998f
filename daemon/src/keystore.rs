//! The master key and its slots: `<home>/keys.toml`.
//!
//! A home's data is sealed under one random master key, which is only ever on disk wrapped by a passphrase (Argon2id,
//! XChaCha20-Poly1305), or, in a development home, bare. Nothing here knows what the key is for beyond deriving those of the store.

use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use data_encoding::HEXLOWER;
use rand_core::TryRng;
use toml_edit::{DocumentMut, Item, Table as TomlTable, value};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::files::write_whole;
use crate::limits::{KEYS_FILE_BYTES, KEYS_LANES, KEYS_MEMORY_KIB, KEYS_PASSES};
use crate::random::Random;

const VERSION: i64 = 1;
const SALT: usize = 16;
const NONCE: usize = 24;
const MASTER: usize = 32;

/// 32 random bytes from which the keys of the store and of its journal derive. Wiped when dropped; shows nothing of itself.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct MasterKey([u8; MASTER]);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

impl MasterKey {
    /// A fresh key.
    #[must_use]
    pub(crate) fn random() -> Self {
        let mut bytes = [0; MASTER];
        let Ok(()) = Random.try_fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// A known key.
    #[cfg(test)]
    pub(crate) const fn from_bytes(bytes: [u8; MASTER]) -> Self {
        Self(bytes)
    }

    /// The raw key of the store's file.
    #[must_use]
    pub(crate) fn store_key(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(blake3::derive_key("kith/v1/store", &self.0))
    }

    /// The key of the records in the store's journal.
    #[must_use]
    pub(crate) fn journal_key(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(blake3::derive_key("kith/v1/journal", &self.0))
    }
}

/// What a guess at a passphrase costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cost {
    /// KiB of memory.
    pub(crate) memory_kib: u32,
    /// Passes over it.
    pub(crate) passes: u32,
    /// Lanes.
    pub(crate) lanes: u32,
}

impl Cost {
    /// 64 MiB, three passes: about a fifth of a second here (RFC 9106 names these for small machines).
    pub(crate) const NORMAL: Self = Self { memory_kib: 64 << 10, passes: 3, lanes: 1 };

    fn argon2(self) -> Result<Argon2<'static>, KeyError> {
        let Self { memory_kib, passes, lanes } = self;
        if memory_kib > KEYS_MEMORY_KIB || passes > KEYS_PASSES || lanes > KEYS_LANES {
            return Err(KeyError::Damaged("it asks for more work than any kith writes"));
        }
        let params =
            Params::new(memory_kib, passes, lanes, Some(32)).map_err(|_| KeyError::Damaged("its costs make no sense"))?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// Why the master key is not to be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    /// Another passphrase is the right one.
    #[error("the passphrase is not right")]
    WrongPassphrase,
    /// One is needed and none was given.
    #[error("a passphrase is needed")]
    PassphraseNeeded,
    /// Written by a newer program.
    #[error("the keys file has version {0}, this program knows {VERSION}")]
    Newer(i64),
    /// Not what any version wrote.
    #[error("the keys file is damaged: {0}")]
    Damaged(&'static str),
    /// The disk or the operating system refused.
    #[error("the keys file: {0}")]
    Io(#[from] std::io::Error),
}

/// A home's key slots, read but not opened.
#[derive(Debug)]
pub(crate) struct Keystore {
    slot: Slot,
}

enum Slot {
    Passphrase { cost: Cost, salt: [u8; SALT], nonce: [u8; NONCE], sealed: Vec<u8> },
    Unprotected(MasterKey),
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Passphrase { .. } => "Passphrase",
            Self::Unprotected(_) => "Unprotected",
        })
    }
}

impl Keystore {
    /// Wraps a master key under a passphrase; without one, keeps it bare.
    ///
    /// # Errors
    /// [`KeyError`] where the cost makes no sense.
    pub(crate) fn wrap(master: &MasterKey, passphrase: Option<&str>, cost: Cost) -> Result<Self, KeyError> {
        let Some(passphrase) = passphrase else { return Ok(Self { slot: Slot::Unprotected(master.clone()) }) };
        let (mut salt, mut nonce) = ([0; SALT], [0; NONCE]);
        let Ok(()) = Random.try_fill_bytes(&mut salt);
        let Ok(()) = Random.try_fill_bytes(&mut nonce);
        let cipher = cipher(passphrase, cost, &salt)?;
        let payload = Payload { msg: &master.0, aad: &bound(cost, &salt) };
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| KeyError::Damaged("sealing failed"))?;
        Ok(Self { slot: Slot::Passphrase { cost, salt, nonce, sealed } })
    }

    /// Reads the file; `None` where there is none.
    ///
    /// # Errors
    /// [`KeyError`] where it cannot be read or understood.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, KeyError> {
        match std::fs::metadata(path) {
            Ok(meta) if meta.len() > KEYS_FILE_BYTES => return Err(KeyError::Damaged("it is far too large")),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        parse(&Zeroizing::new(std::fs::read_to_string(path)?)).map(Some)
    }

    /// Writes the file: whole or not at all.
    ///
    /// # Errors
    /// [`KeyError::Io`]; an older file is still there then.
    pub(crate) fn write(&self, path: &Path) -> Result<(), KeyError> {
        Ok(write_whole(path, self.text().as_bytes())?)
    }

    /// Is there no passphrase?
    #[must_use]
    pub(crate) const fn unprotected(&self) -> bool {
        matches!(self.slot, Slot::Unprotected(_))
    }

    /// The master key. Slow on purpose where there is a passphrase.
    ///
    /// # Errors
    /// [`KeyError`]; a wrong passphrase changes nothing.
    pub(crate) fn open(&self, passphrase: Option<&str>) -> Result<MasterKey, KeyError> {
        match (&self.slot, passphrase) {
            (Slot::Unprotected(master), _) => Ok(master.clone()),
            (Slot::Passphrase { .. }, None) => Err(KeyError::PassphraseNeeded),
            (Slot::Passphrase { cost, salt, nonce, sealed }, Some(passphrase)) => {
                let payload = Payload { msg: sealed, aad: &bound(*cost, salt) };
                let opened = cipher(passphrase, *cost, salt)?.decrypt(&XNonce::from(*nonce), payload);
                let opened = Zeroizing::new(opened.map_err(|_| KeyError::WrongPassphrase)?);
                let bytes = opened.as_slice().try_into().map_err(|_| KeyError::Damaged("the key has a wrong length"))?;
                Ok(MasterKey(bytes))
            }
        }
    }

    fn text(&self) -> Zeroizing<String> {
        let mut slot = TomlTable::new();
        match &self.slot {
            Slot::Unprotected(master) => {
                slot["kind"] = value("none");
                slot["key"] = value(HEXLOWER.encode(&master.0));
            }
            Slot::Passphrase { cost, salt, nonce, sealed } => {
                slot["kind"] = value("passphrase");
                slot["memory_kib"] = value(i64::from(cost.memory_kib));
                slot["passes"] = value(i64::from(cost.passes));
                slot["lanes"] = value(i64::from(cost.lanes));
                slot["salt"] = value(HEXLOWER.encode(salt));
                slot["nonce"] = value(HEXLOWER.encode(nonce));
                slot["sealed"] = value(HEXLOWER.encode(sealed));
            }
        }
        let mut document = DocumentMut::new();
        document["version"] = value(VERSION);
        document["slot"] = Item::Table(slot);
        Zeroizing::new(format!(
            "# Without this file and its passphrase nothing in this folder can be read. Keep both.\n{document}"
        ))
    }
}

fn parse(text: &str) -> Result<Keystore, KeyError> {
    let document: DocumentMut = text.parse().map_err(|_| KeyError::Damaged("it is not TOML"))?;
    match document.get("version").and_then(Item::as_integer) {
        Some(VERSION) => {}
        Some(other) => return Err(KeyError::Newer(other)),
        None => return Err(KeyError::Damaged("it has no version")),
    }
    let slot = document.get("slot").and_then(Item::as_table).ok_or(KeyError::Damaged("it has no slot"))?;
    let slot = match slot.get("kind").and_then(Item::as_str) {
        Some("none") => Slot::Unprotected(MasterKey(bytes(slot, "key")?)),
        Some("passphrase") => Slot::Passphrase {
            cost: Cost {
                memory_kib: number(slot, "memory_kib")?,
                passes: number(slot, "passes")?,
                lanes: number(slot, "lanes")?,
            },
            salt: bytes(slot, "salt")?,
            nonce: bytes(slot, "nonce")?,
            sealed: bytes::<{ MASTER + 16 }>(slot, "sealed")?.to_vec(),
        },
        _ => return Err(KeyError::Damaged("its slot is of no known kind")),
    };
    Ok(Keystore { slot })
}

fn number(slot: &TomlTable, name: &str) -> Result<u32, KeyError> {
    let number = slot.get(name).and_then(Item::as_integer).and_then(|n| u32::try_from(n).ok());
    number.ok_or(KeyError::Damaged("a cost is missing"))
}

fn bytes<const N: usize>(slot: &TomlTable, name: &str) -> Result<[u8; N], KeyError> {
    let text = slot.get(name).and_then(Item::as_str).unwrap_or_default();
    let bytes = Zeroizing::new(HEXLOWER.decode(text.as_bytes()).map_err(|_| KeyError::Damaged("a field is not hexadecimal"))?);
    bytes.as_slice().try_into().map_err(|_| KeyError::Damaged("a field has a wrong length"))
}

fn cipher(passphrase: &str, cost: Cost, salt: &[u8]) -> Result<XChaCha20Poly1305, KeyError> {
    let mut wrapping = Zeroizing::new([0; 32]);
    let done = cost.argon2()?.hash_password_into(passphrase.as_bytes(), salt, wrapping.as_mut());
    done.map_err(|_| KeyError::Damaged("its costs make no sense"))?;
    Ok(XChaCha20Poly1305::new(&Key::from(*wrapping)))
}

/// What a wrapped key is bound to, so that a slot's costs cannot be lowered unnoticed.
fn bound(cost: Cost, salt: &[u8]) -> Vec<u8> {
    let mut out = b"kith/v1/keystore".to_vec();
    for number in [cost.memory_kib, cost.passes, cost.lanes] {
        out.extend(number.to_be_bytes());
    }
    out.extend(salt);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 32, passes: 1, lanes: 1 };

    fn written(passphrase: Option<&str>) -> (tempfile::TempDir, std::path::PathBuf, MasterKey) {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("keys.toml");
        let master = MasterKey::random();
        Keystore::wrap(&master, passphrase, CHEAP).expect("wraps").write(&path).expect("writes");
        (dir, path, master)
    }

    #[test]
    fn the_right_passphrase_opens_and_a_wrong_one_changes_nothing() {
        let (_dir, path, master) = written(Some("correct horse"));
        let before = std::fs::read(&path).expect("reads");
        let keystore = Keystore::read(&path).expect("reads").expect("is there");
        assert!(!keystore.unprotected());
        assert!(matches!(keystore.open(Some("wrong")), Err(KeyError::WrongPassphrase)));
        assert!(matches!(keystore.open(None), Err(KeyError::PassphraseNeeded)));
        assert_eq!(keystore.open(Some("correct horse")).expect("opens").0, master.0);
        assert_eq!(std::fs::read(&path).expect("reads"), before);
        assert!(!String::from_utf8_lossy(&before).contains(&HEXLOWER.encode(&master.0)));
    }

    #[test]
    fn an_unprotected_home_says_so() {
        let (_dir, path, master) = written(None);
        let keystore = Keystore::read(&path).expect("reads").expect("is there");
        assert!(keystore.unprotected());
        assert_eq!(keystore.open(None).expect("opens").0, master.0);
    }

    /// Those of the frozen homes, see `store/frozen.rs`.
    #[test]
    fn frozen_keys_files_are_read_and_written_as_they_were() {
        for file in ["v3/keys.toml", "v3/keys-bare.toml", "v4/keys.toml", "v4/keys-bare.toml"] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("testdata/home.{file}"));
            let keystore = Keystore::read(&path).expect("reads").expect("is there");
            assert_eq!(*keystore.text(), std::fs::read_to_string(&path).expect("reads"), "{file}");
            let passphrase = (!keystore.unprotected()).then_some("correct horse");
            assert_eq!(
                (keystore.open(passphrase).expect("opens").0, keystore.unprotected()),
                ([7; MASTER], file.contains("bare"))
            );
        }
    }

    #[test]
    fn lowered_costs_and_damage_are_noticed() {
        let (_dir, path, _) = written(Some("correct horse"));
        let text = std::fs::read_to_string(&path).expect("reads");
        let lowered = parse(&text.replace("passes = 1", "passes = 2")).expect("parses");
        assert!(matches!(lowered.open(Some("correct horse")), Err(KeyError::WrongPassphrase)));
        let greedy = parse(&text.replace("memory_kib = 32", "memory_kib = 99999999")).expect("parses");
        assert!(matches!(greedy.open(Some("correct horse")), Err(KeyError::Damaged(_))));
        assert!(matches!(parse(&text.replace("version = 1", "version = 7")), Err(KeyError::Newer(7))));
        assert!(matches!(parse("not toml ["), Err(KeyError::Damaged(_))));
        assert!(matches!(parse("version = 1"), Err(KeyError::Damaged(_))));
    }
}
