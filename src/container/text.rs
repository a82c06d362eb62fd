//! Columns of a table that are no numbers, as text.

use super::bytes::Cursor;
#[cfg(feature = "compress")]
use super::bytes::put_varint;
use super::forever::{MAX_NAME_BYTES, MAX_TEXT_COLUMNS};
use super::shuffle;
use crate::error::{Error, Result};
use crate::limits;
use crate::matrix::{KeptText, kept_memory};

/// Level of zstd: above it, words and dates hardly shrink further, and take many times as long.
#[cfg(feature = "compress")]
const LEVEL: i32 = 12;

/// Returns the payload; it is made once.
#[cfg(feature = "compress")]
pub(crate) fn packed(text: &KeptText) -> &[u8] {
    text.packed.0.get_or_init(|| encode(text))
}

#[cfg(feature = "compress")]
fn encode(text: &KeptText) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, text.columns().len() as u64);
    for column in text.columns() {
        put_varint(&mut out, column.place as u64);
        put_varint(&mut out, column.name.len() as u64);
        out.extend(column.name.as_bytes());
    }
    let mut fields = Vec::new();
    for column in text.columns() {
        fields.clear();
        for field in (0..text.rows()).map(|row| column.field(row)) {
            put_varint(&mut fields, field.len() as u64);
            fields.extend(field);
        }
        let packed = shuffle::compress(&fields, LEVEL);
        put_varint(&mut out, packed.len() as u64);
        out.extend(packed);
    }
    out
}

/// Reads the payload, which begins at `at`, for `rows` rows of `width` numbers; the text may take
/// `room` bytes in memory.
pub(crate) fn decode(
    payload: &[u8],
    rows: usize,
    width: usize,
    room: u64,
    at: u64,
) -> Result<KeptText> {
    let wrong = |what: String| Error::corrupt(what).at(at);
    let mut cursor = Cursor::new(payload, at);
    let count = cursor.varint()?;
    if count == 0 || count > MAX_TEXT_COLUMNS as u64 {
        return Err(wrong(format!("{count} columns of text; 1 to {MAX_TEXT_COLUMNS} are allowed")));
    }
    let count = count as usize;
    let mut columns: Vec<(usize, String)> = Vec::new();
    for _ in 0..count {
        let place = cursor.varint()?;
        let above = columns.last().is_none_or(|(last, _)| place > *last as u64);
        if !above || place >= (width + count) as u64 {
            return Err(wrong(format!("a column of text cannot be at place {place}")));
        }
        let length = cursor.varint()?.min(MAX_NAME_BYTES as u64 + 1);
        columns.push((place as usize, cursor.text(length as usize)?));
    }
    let mut packed = Vec::new();
    let mut claimed = 0_u64;
    for _ in 0..count {
        let length = cursor.varint()?.min(payload.len() as u64 + 1);
        let column = cursor.take(length as usize)?;
        let own = shuffle::claimed_len(column, at)?;
        if own < rows as u64 {
            return Err(wrong(format!("{own} bytes are not the lengths of {rows} fields")));
        }
        claimed = claimed.saturating_add(own);
        packed.push((column, own as usize));
    }
    cursor.finish()?;
    let memory = kept_memory(claimed, rows, count);
    limits::check("the columns of text", memory, room).map_err(|e| e.at(at))?;
    let columns = columns.into_iter().zip(packed).map(|((place, name), (packed, claimed))| {
        let bytes = shuffle::decompress(packed, claimed, at)?;
        let (bytes, ends) = split(&bytes, rows, at)?;
        Ok((place, name, bytes, ends))
    });
    KeptText::from_parts(rows, columns)
}

/// Takes the lengths of fields out from between them.
fn split(bytes: &[u8], rows: usize, at: u64) -> Result<(Vec<u8>, Vec<u32>)> {
    let mut cursor = Cursor::new(bytes, at);
    let mut fields = Vec::with_capacity(bytes.len() - rows);
    let mut ends = Vec::with_capacity(rows);
    for _ in 0..rows {
        let length = cursor.varint()?.min(bytes.len() as u64 + 1);
        fields.extend(cursor.take(length as usize)?);
        let end = u32::try_from(fields.len())
            .map_err(|_| Error::limit("a column of text has more than 4 GiB").at(at))?;
        ends.push(end);
    }
    cursor.finish()?;
    Ok((fields, ends))
}

#[cfg(all(test, feature = "compress"))]
mod tests {
    use super::*;

    fn text() -> KeptText {
        let mut text = KeptText::new([(0, "station".to_string()), (2, String::new())]);
        for row in [[&b"Oslo"[..], b"2020-01-01"], [b"", b"\xff\n\""], [b"Oslo", b""]] {
            text.push(row).unwrap();
        }
        text
    }

    fn back(payload: &[u8]) -> Result<KeptText> {
        decode(payload, 3, 1, 1 << 20, 0)
    }

    #[test]
    fn what_is_written_is_read() {
        let text = text();
        assert_eq!(back(packed(&text)).unwrap(), text);
        assert!(decode(packed(&text), 4, 1, 1 << 20, 0).is_err());
        assert!(decode(packed(&text), 2, 1, 1 << 20, 0).is_err());
        let error = decode(packed(&text), 3, 1, text.memory() / 4, 0).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Limit);
        // What the writer makes room for is enough.
        assert!(decode(packed(&text), 3, 1, text.memory(), 0).is_ok());
    }

    #[test]
    fn no_byte_makes_it_panic() {
        let text = text();
        let good = packed(&text);
        for at in 0..good.len() {
            for value in 0..=255 {
                let mut bad = good.to_vec();
                bad[at] = value;
                let _ = back(&bad);
            }
            assert!(back(&good[..at]).is_err(), "{at}");
        }
    }
}
