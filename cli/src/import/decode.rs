//! From a file's bytes to its text: UTF-8, UTF-16 that says so, and the usual Western code page where the bytes are plainly that.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// A text, and in which other form it was kept.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) text: String,
    /// What it was read as, where that is not UTF-8.
    pub(crate) read_as: Option<&'static str>,
}

/// The text of a file.
pub(crate) fn text(bytes: &[u8]) -> Result<Decoded, String> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let rest = bytes.get(mark..).unwrap_or_default();
        let read_as = match encoding {
            encoding if encoding == UTF_16LE || encoding == UTF_16BE => Some("UTF-16"),
            _ => None,
        };
        let text = encoding.decode_without_bom_handling_and_without_replacement(rest);
        let text = text.ok_or_else(|| format!("it begins as {} text, but what follows is not", encoding.name()))?;
        return Ok(Decoded { text: text.into_owned(), read_as });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Decoded { text: text.to_owned(), read_as: None }),
        Err(_) if is_plainly_western(bytes) => {
            let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
            Ok(Decoded { text: text.into_owned(), read_as: Some("Windows-1252") })
        }
        Err(_) => Err("it is not text in UTF-8, UTF-16 or Windows-1252".to_owned()),
    }
}

/// Words of a Western language in Windows-1252: mostly ASCII, no controls, and what is not ASCII is letters and the marks of
/// typesetters.
fn is_plainly_western(bytes: &[u8]) -> bool {
    let control = |byte: u8| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0xc) || byte == 0x7f;
    let unused = |byte: u8| matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d);
    let usual = |byte: u8| {
        byte >= 0xc0 && !matches!(byte, 0xd7 | 0xf7)
            || matches!(byte, 0x80 | 0x85 | 0x8a..=0x8e | 0x91..=0x97 | 0x9a..=0x9f | 0xa0 | 0xa1 | 0xa7 | 0xab | 0xb0 | 0xb4 | 0xb7 | 0xbb | 0xbf)
    };
    if bytes.iter().any(|byte| control(*byte) || unused(*byte)) {
        return false;
    }
    let high = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    let letters = bytes.iter().filter(|byte| usual(**byte)).count();
    high.saturating_mul(4) <= bytes.len() && letters.saturating_mul(10) >= high.saturating_mul(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<(String, Option<&'static str>)> {
        text(bytes).ok().map(|decoded| (decoded.text, decoded.read_as))
    }

    #[test]
    fn text_is_told_from_what_is_none() {
        let some = |text: &str, read_as| Some((text.to_owned(), read_as));
        assert_eq!(read("Grüße".as_bytes()), some("Grüße", None));
        assert_eq!(read("\u{feff}Grüße".as_bytes()), some("Grüße", None));
        for (mark, bytes_of) in [([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]), ([0xfe, 0xff], u16::to_be_bytes)] {
            let bytes: Vec<u8> = mark.into_iter().chain("Grüße, 压力 ❤".encode_utf16().flat_map(bytes_of)).collect();
            assert_eq!(read(&bytes), some("Grüße, 压力 ❤", Some("UTF-16")));
            assert_eq!(read(&bytes[..bytes.len() - 1]), None, "half a letter at its end");
        }
        assert_eq!(
            read(b"title;url\nStra\xdfe \x96 \x84Caf\xe9\x93;x\n"),
            some("title;url\nStraße – „Café“;x\n", Some("Windows-1252"))
        );
        for bytes in [&b"\x89PNG\r\n\x1a\n\0\0"[..], b"\xff\xfe\xfd", b"a\x81b", b"\xcf\xf0\xe8\xe2\xe5\xf2, \xec\xe8\xf0"] {
            assert_eq!(read(bytes), None, "{bytes:x?}");
        }
    }
}
