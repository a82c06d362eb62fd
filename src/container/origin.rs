//! What the rows were read from, so that the same kind of file can be made of them again.

use super::bytes::Cursor;
#[cfg(feature = "compress")]
use super::bytes::put_varint;
use super::forever::{
    FIRST_LONG_DECIMALS, FIRST_SIGNIFICANT, MAX_ORIGIN_PART, MAX_ORIGIN_TEXT, MAX_TEXT_COLUMNS,
    UNDEFINED_COLUMN,
};
use super::shuffle;
use crate::error::{Error, Result};
use crate::limits;
use crate::matrix::{Digits, Origin, TextColumn, TextLayout};

/// What stands in the place of a delimiter where the rows were a part of a file.
const PART: u8 = 0;
/// Lines end in CR and LF.
const CRLF: u8 = 1;
/// Names that look like numbers have no quotes.
const BARE_NAMES: u8 = 2;
/// What is known of the columns follows.
const COLUMNS: u8 = 4;
/// The columns' ranges follow, too.
const RANGES: u8 = 8;

/// Level of zstd for what is known of columns, a few bytes of each.
#[cfg(feature = "compress")]
const LEVEL: i32 = 19;
/// Most bytes of a varint.
const VARINT: usize = 10;

/// Returns the payload for rows of `width` numbers; `ranges` says whether those of the columns are
/// worth their bytes.
#[cfg(feature = "compress")]
pub(crate) fn encode(origin: &Origin, width: usize, ranges: bool) -> Vec<u8> {
    let mut out = Vec::new();
    put_text(&mut out, &origin.format);
    // What no reader would take is left out.
    if let Some(part) = origin.part.as_ref().filter(|p| (1..=MAX_ORIGIN_PART).contains(&p.len())) {
        out.push(PART);
        out.extend(shuffle::compress(part.as_bytes(), LEVEL));
        return out;
    }
    let Some(text) = &origin.text else { return out };
    let known = text.columns.len() == width && width <= MAX_TEXT_COLUMNS;
    let ranges = known && ranges && text.columns.iter().any(|c| c.range > 0);
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    let flags = flag(text.crlf, CRLF)
        | flag(text.bare_names, BARE_NAMES)
        | flag(known, COLUMNS)
        | flag(ranges, RANGES);
    out.extend([text.delimiter, text.decimal_mark, flags]);
    put_text(&mut out, &text.missing);
    if known {
        let mut columns: Vec<u8> = text.columns.iter().map(code).collect();
        if ranges {
            text.columns.iter().for_each(|c| put_varint(&mut columns, c.range));
        }
        out.extend(shuffle::compress(&columns, LEVEL));
    }
    out
}

/// Returns the byte that says how a column was written.
#[cfg(feature = "compress")]
fn code(column: &TextColumn) -> u8 {
    match (column.decimals, column.digits) {
        (Some(d), _) => 1 + 2 * d + u8::from(column.fixed),
        (None, Digits::Significant(n)) if Digits::SIGNIFICANT.contains(&n) => {
            FIRST_SIGNIFICANT + (n - Digits::SIGNIFICANT.start())
        }
        (None, Digits::Decimals(n)) if Digits::DECIMALS.contains(&n) => {
            FIRST_LONG_DECIMALS + (n - Digits::DECIMALS.start())
        }
        _ => 0,
    }
}

/// Returns what such a byte says; `None` if it is not defined.
fn column(code: u8) -> Option<TextColumn> {
    let unknown = TextColumn::default();
    Some(match code {
        0 => unknown,
        1..FIRST_SIGNIFICANT => {
            TextColumn { decimals: Some((code - 1) >> 1), fixed: (code - 1) & 1 == 1, ..unknown }
        }
        FIRST_SIGNIFICANT..FIRST_LONG_DECIMALS => {
            let n = Digits::SIGNIFICANT.start() + (code - FIRST_SIGNIFICANT);
            TextColumn { digits: Digits::Significant(n), ..unknown }
        }
        FIRST_LONG_DECIMALS..UNDEFINED_COLUMN => {
            let n = Digits::DECIMALS.start() + (code - FIRST_LONG_DECIMALS);
            TextColumn { digits: Digits::Decimals(n), ..unknown }
        }
        _ => return None,
    })
}

#[cfg(feature = "compress")]
fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend(text.as_bytes());
}

/// Reads the payload, which begins at `at`, for rows of `width` numbers; what is known of columns
/// may take `room` bytes in memory.
pub(crate) fn decode(payload: &[u8], width: usize, room: u64, at: u64) -> Result<Origin> {
    let wrong = |what: String| Error::corrupt(what).at(at);
    let mut cursor = Cursor::new(payload, at);
    let format = short_text(&mut cursor, at)?;
    if format.is_empty() || !format.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(wrong(format!("{format:?} is not the name of a file format")));
    }
    if cursor.rest().is_empty() {
        return Ok(Origin::new(format));
    }
    if cursor.rest()[0] == PART {
        cursor.u8()?;
        let part = Some(decode_part(cursor.rest(), room, at)?);
        return Ok(Origin { format, part, text: None });
    }
    let (delimiter, decimal_mark, flags) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
    if !is_delimiter(delimiter) || !b".,".contains(&decimal_mark) || delimiter == decimal_mark {
        return Err(wrong("no delimiter or decimal mark of a table".to_string()));
    }
    let undefined = flags >= RANGES << 1 || flags & (COLUMNS | RANGES) == RANGES;
    if undefined || (flags & COLUMNS != 0 && width > MAX_TEXT_COLUMNS) {
        return Err(wrong(format!("flags of a table that are not defined: {flags:#x}")));
    }
    let missing = short_text(&mut cursor, at)?;
    let columns = if flags & COLUMNS == 0 {
        cursor.finish()?;
        Vec::new()
    } else {
        let table = (width * size_of::<TextColumn>()) as u64;
        let claimed = shuffle::claimed_len(cursor.rest(), at)?;
        limits::check("the columns of a table", claimed.saturating_add(table), room)
            .map_err(|e| e.at(at))?;
        let bytes = shuffle::decompress(cursor.rest(), width * (1 + VARINT), at)?;
        decode_columns(&bytes, width, flags & RANGES != 0, at)?
    };
    let (crlf, bare_names) = (flags & CRLF != 0, flags & BARE_NAMES != 0);
    let text =
        TextLayout { delimiter, decimal_mark, crlf, bare_names, missing, columns, kept: None };
    Ok(Origin::new(format).with_text(text))
}

/// Reads which part of a file the rows were.
fn decode_part(packed: &[u8], room: u64, at: u64) -> Result<String> {
    let claimed = shuffle::claimed_len(packed, at)?;
    if claimed == 0 || claimed > MAX_ORIGIN_PART as u64 {
        let what =
            format!("a part of a file in {claimed} bytes; 1 to {MAX_ORIGIN_PART} are allowed");
        return Err(Error::corrupt(what).at(at));
    }
    limits::check("the name of a part", claimed, room).map_err(|e| e.at(at))?;
    let bytes = shuffle::decompress(packed, MAX_ORIGIN_PART, at)?;
    String::from_utf8(bytes).map_err(|_| Error::corrupt("a part's name is not UTF-8").at(at))
}

/// What can stand between fields without being taken for a part of them, or for a line's end.
fn is_delimiter(byte: u8) -> bool {
    byte == b'\t'
        || ((b' '..=b'~').contains(&byte) && !byte.is_ascii_alphanumeric() && byte != b'"')
}

fn short_text(cursor: &mut Cursor<'_>, at: u64) -> Result<String> {
    let length = cursor.varint()?;
    if length > MAX_ORIGIN_TEXT as u64 {
        let what = format!("a text of {length} bytes where at most {MAX_ORIGIN_TEXT} belong");
        return Err(Error::corrupt(what).at(at));
    }
    cursor.text(length as usize)
}

fn decode_columns(bytes: &[u8], width: usize, ranges: bool, at: u64) -> Result<Vec<TextColumn>> {
    let mut cursor = Cursor::new(bytes, at);
    let mut columns = Vec::with_capacity(width);
    for &code in cursor.take(width)? {
        let undefined =
            || Error::corrupt(format!("a column written as {code}, which is not defined"));
        columns.push(column(code).ok_or_else(|| undefined().at(at))?);
    }
    if ranges {
        for column in &mut columns {
            column.range = cursor.varint()?;
        }
    }
    cursor.finish()?;
    Ok(columns)
}

#[cfg(all(test, feature = "compress"))]
mod tests {
    use super::*;

    fn table() -> Origin {
        let column =
            |decimals, fixed, range| TextColumn { decimals, fixed, range, ..TextColumn::default() };
        let columns =
            vec![column(Some(3), true, 12345), column(None, false, 0), column(Some(0), false, 7)];
        let text = TextLayout {
            delimiter: b';',
            decimal_mark: b',',
            crlf: true,
            bare_names: true,
            missing: "NA".to_string(),
            columns,
            kept: None,
        };
        Origin::new("csv").with_text(text)
    }

    fn back(payload: &[u8]) -> Result<Origin> {
        decode(payload, 3, 1 << 20, 0)
    }

    #[test]
    fn what_is_written_is_read() {
        let origin = table();
        assert_eq!(back(&encode(&origin, 3, true)).unwrap(), origin);
        let mut without = origin.clone();
        without.text.iter_mut().flat_map(|t| &mut t.columns).for_each(|c| c.range = 0);
        assert_eq!(back(&encode(&origin, 3, false)).unwrap(), without);
        // Columns of other rows are left out.
        assert_eq!(back(&encode(&origin, 4, true)).unwrap().text.unwrap().columns, []);
        let plain = Origin::new("fvecs");
        assert_eq!(back(&encode(&plain, 3, true)).unwrap(), plain);
        let part = Origin::new("npz").with_part("layers/é");
        assert_eq!(back(&encode(&part, 3, true)).unwrap(), part);
        let long = Origin::new("npz").with_part("x".repeat(MAX_ORIGIN_PART + 1));
        assert_eq!(back(&encode(&long, 3, true)).unwrap(), Origin::new("npz"));
    }

    #[test]
    fn all_ways_of_writing_digits_are_kept() {
        let significant = Digits::SIGNIFICANT.map(Digits::Significant);
        let all = significant.chain(Digits::DECIMALS.map(Digits::Decimals));
        let columns: Vec<TextColumn> =
            all.map(|digits| TextColumn { digits, range: 9, ..TextColumn::default() }).collect();
        let width = columns.len();
        let text = Some(TextLayout { columns, ..TextLayout::default() });
        let origin = Origin { format: "csv".to_string(), part: None, text };
        assert_eq!(decode(&encode(&origin, width, true), width, 1 << 20, 0).unwrap(), origin);
        assert!((UNDEFINED_COLUMN..=u8::MAX).all(|code| column(code).is_none()));
    }

    #[test]
    fn no_byte_makes_it_panic_and_much_memory_is_refused() {
        let part = encode(&Origin::new("npz").with_part("weights".repeat(9)), 3, true);
        assert!(decode(&part, 3, 62, 0).is_err());
        for at in 0..part.len() {
            for value in 0..=255 {
                let mut bad = part.clone();
                bad[at] = value;
                let _ = back(&bad);
            }
            assert!(back(&part[..at]).is_err() || at == 4, "{at}");
        }
        let good = encode(&table(), 3, true);
        for at in 0..good.len() {
            for value in 0..=255 {
                let mut bad = good.clone();
                bad[at] = value;
                let _ = back(&bad);
            }
            assert!(back(&good[..at]).is_err() || at == 4, "{at}");
        }
        let error = decode(&good, 3, 8, 0).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Limit);
    }
}
