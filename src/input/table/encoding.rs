//! Texts in other encodings than UTF-8, or with other line ends than LF.

use crate::error::{Error, Result};
use crate::input::magic::{UTF16_LOOK, byte_order};
use crate::input::source::{Source, Spool};

/// Bytes turned at a time; even, so that no unit is split.
const CHUNK: usize = 1 << 16;

/// What Windows-1252, and in practice Latin-1, has from 0x80 to 0x9f.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Returns a text's characters: UTF-8, or else Windows-1252, in which every byte is one.
pub(super) fn decode(text: &[u8]) -> String {
    let one = |b: &u8| match b {
        0x80..=0x9f => HIGH[usize::from(b - 0x80)],
        _ => char::from(*b),
    };
    match std::str::from_utf8(text) {
        Ok(text) => text.to_string(),
        Err(_) => text.iter().map(one).collect(),
    }
}

/// Returns the same text in UTF-8 if it is UTF-16; `None` if it is not.
pub(super) fn to_utf8(source: &Source) -> Result<Option<Source>> {
    let Some((unit, mark)) = byte_order(&source.head(UTF16_LOOK)?) else { return Ok(None) };
    let mut spool = Spool::new();
    let mut buffer = vec![0; CHUNK];
    let mut at = mark as u64;
    let mut text = String::new();
    // The first half of a character that takes two units.
    let mut half = None;
    loop {
        let count = source.read_up_to(at, &mut buffer)?;
        let (pairs, rest) = buffer[..count].as_chunks::<2>();
        if !rest.is_empty() {
            return Err(Error::truncated("the text is UTF-16, but ends within a character")
                .at(at + count as u64));
        }
        let mut units: Vec<u16> = half.take().into_iter().collect();
        units.extend(pairs.iter().map(|pair| unit(*pair)));
        if count > 0 && units.last().is_some_and(|u| (0xd800..0xdc00).contains(u)) {
            half = units.pop();
        }
        text.clear();
        text.extend(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
        spool.write(text.as_bytes())?;
        if count == 0 {
            return spool.finish().map(Some);
        }
        at += count as u64;
    }
}

/// Returns the same text with LF at the ends of lines if those are CR alone, as old programs for Macs wrote
/// them; `None` if they are not.
pub(super) fn with_line_feeds(source: &Source) -> Result<Option<Source>> {
    let head = source.head(CHUNK)?;
    let ends_line = head.windows(2).any(|pair| pair[0] == b'\r' && pair[1] != b'\n')
        || (head.len() < CHUNK && head.last() == Some(&b'\r'));
    if !ends_line || head.contains(&b'\n') {
        return Ok(None);
    }
    let mut spool = Spool::new();
    let mut buffer = vec![0; CHUNK];
    let mut at = 0;
    loop {
        let count = source.read_up_to(at, &mut buffer)?;
        if count == 0 {
            return spool.finish().map(Some);
        }
        buffer[..count].iter_mut().filter(|b| **b == b'\r').for_each(|b| *b = b'\n');
        spool.write(&buffer[..count])?;
        at += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carriage_returns_end_lines_where_nothing_else_does() {
        let text = "a,b\r1,2\r".repeat(20_000);
        let changed = with_line_feeds(&Source::from_memory(text.clone().into_bytes())).unwrap();
        let expected = text.replace('\r', "\n");
        assert_eq!(changed.unwrap().head(expected.len() + 1).unwrap(), expected.as_bytes());
        for other in ["a\r\n1\r\n", "\"a\rb\"\n1\n", "a,b", ""] {
            let source = Source::from_memory(other.as_bytes().to_vec());
            assert!(with_line_feeds(&source).unwrap().is_none(), "{other:?}");
        }
    }

    #[test]
    fn utf16_becomes_utf8() {
        let text = "Größe (🚀)\n".repeat(9000);
        let units: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> = [0xfeff].iter().chain(&units).flat_map(|u| u.to_le_bytes()).collect();
        let big: Vec<u8> = [0xfeff].iter().chain(&units).flat_map(|u| u.to_be_bytes()).collect();
        let plain: Vec<u8> = "a,b\n1,2\n".encode_utf16().flat_map(|u| u.to_le_bytes()).collect();
        for (bytes, expected) in [(little, &text[..]), (big, &text), (plain, "a,b\n1,2\n")] {
            let out = to_utf8(&Source::from_memory(bytes)).unwrap().unwrap();
            assert_eq!(out.head(expected.len() + 1).unwrap(), expected.as_bytes());
        }
        assert!(to_utf8(&Source::from_memory(b"a,b\n1,2\n".to_vec())).unwrap().is_none());
    }

    #[test]
    fn what_is_not_utf8_is_latin() {
        assert_eq!(decode(b"Temp\xe9rature (\xb0C) \x80"), "Température (°C) €");
        assert_eq!(decode("Größe".as_bytes()), "Größe");
    }
}
