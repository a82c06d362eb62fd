//! Numbers as text: as the table was written that they were read from, else with commas.

use super::encode::{Encode, cannot_write};
use crate::error::{Error, Result};
use crate::input::table::{Field, Notation, looks_like_names, reads_as_names, written};
use crate::matrix::{DType, Digits, F16, KeptText, Schema, TextColumn, TextLayout};
use std::fmt::LowerExp;
use std::io::{self, Write};
use std::sync::Arc;

/// Lines by which names that are numbers are told from rows; a reader looks at as many.
const FIRST_LINES: usize = 200;
/// Bytes after which fewer lines must do.
const FIRST_BYTES: usize = 1 << 16;

/// Columns of a line, at most: for each is kept how its numbers are written, and no file has longer rows.
const MOST_COLUMNS: usize = 1 << 24;

pub(super) struct TextEncoder<W> {
    out: W,
    dtype: DType,
    width: usize,
    layout: TextLayout,
    /// What is written where a number is missing.
    missing: Vec<u8>,
    /// The row to write is the first, and nothing stands above it.
    is_top: bool,
    /// Columns of text among those of numbers.
    kept: Option<Arc<KeptText>>,
    /// Rows begun.
    row: usize,
    line: Vec<u8>,
    /// The row that `line` is.
    last: Vec<u8>,
    number: Vec<u8>,
    /// What is not written yet: names that are numbers, and the rows below.
    first: Option<FirstLines>,
}

/// Names that are to be written as numbers, without quotes, and the rows below.
struct FirstLines {
    names: Vec<String>,
    rows: Vec<u8>,
    count: usize,
}

impl<W: Write> TextEncoder<W> {
    /// Writes what stands above `rows` rows.
    pub(super) fn new(mut out: W, schema: &Schema, rows: u64) -> Result<Self> {
        let width = schema.width();
        if width > MOST_COLUMNS {
            let what =
                format!("lines of {width} numbers: a table has up to {MOST_COLUMNS} columns");
            return Err(Error::argument(what));
        }
        let mut layout = schema.origin.as_ref().and_then(|o| o.text.clone()).unwrap_or_default();
        if layout.columns.len() != width {
            layout.columns = vec![TextColumn::default(); width];
        }
        let kept = layout.kept.take().filter(|kept| kept.rows() as u64 == rows);
        if let Some(names) = schema.columns.as_ref().filter(|names| names.len() != width) {
            let what = format!("{} column names for {width} columns", names.len());
            return Err(Error::argument(what));
        }
        let names = schema.columns.as_ref().map(|names| all_names(names, kept.as_deref()));
        if let Some(names) = names.as_ref().filter(|_| !layout.bare_names) {
            out.write_all(&header(names, &layout)).map_err(cannot_write)?;
        }
        let first = names.filter(|_| layout.bare_names);
        let first = first.map(|names| FirstLines { names, rows: Vec::new(), count: 0 });
        let missing = missing(&layout);
        let (dtype, is_top) = (schema.dtype, schema.columns.is_none() && kept.is_none());
        Ok(Self {
            out,
            dtype,
            width,
            layout,
            missing,
            is_top,
            kept,
            row: 0,
            line: Vec::new(),
            last: Vec::new(),
            number: Vec::new(),
            first,
        })
    }

    /// Writes the names that are numbers, in quotes where the rows below do not tell that they are
    /// names, and those rows.
    fn write_first(&mut self) -> io::Result<()> {
        let Some(FirstLines { names, rows, .. }) = self.first.take() else { return Ok(()) };
        let bare = header(&names, &self.layout);
        let text = [&bare[..], &rows].concat();
        if reads_as_names(&text, self.layout.delimiter, self.layout.decimal_mark) {
            return self.out.write_all(&text);
        }
        self.layout.bare_names = false;
        self.out.write_all(&header(&names, &self.layout))?;
        self.out.write_all(&rows)
    }

    /// Appends the number in column `j`.
    fn put(&mut self, j: usize, bytes: &[u8]) -> io::Result<()> {
        self.number.clear();
        print(&mut self.number, self.dtype, bytes, self.layout.columns[j])?;
        if self.number.is_empty() {
            self.line.extend(&self.missing);
            return Ok(());
        }
        let mark = self.layout.decimal_mark;
        self.line.extend(self.number.iter().map(|b| if *b == b'.' { mark } else { *b }));
        Ok(())
    }

    /// Appends a row of numbers, each with a delimiter behind it.
    fn put_numbers(&mut self, row: &[u8]) -> Result<()> {
        for (j, number) in row.chunks_exact(self.dtype.size()).enumerate() {
            self.put(j, number).map_err(cannot_write)?;
            self.line.push(self.layout.delimiter);
        }
        Ok(())
    }

    /// Appends a row of numbers with the text between them.
    fn put_all(&mut self, row: &[u8], kept: &KeptText) -> Result<()> {
        let mut numbers = row.chunks_exact(self.dtype.size()).enumerate();
        for text in fields(Some(kept), self.width) {
            if let Some(column) = text.map(|t| &kept.columns()[t]) {
                put_text(&mut self.line, column.field(self.row - 1), &self.layout);
            } else if let Some((j, number)) = numbers.next() {
                self.put(j, number).map_err(cannot_write)?;
            }
            self.line.push(self.layout.delimiter);
        }
        Ok(())
    }

    /// Makes the line of a row.
    fn put_line(&mut self, row: &[u8]) -> Result<()> {
        self.line.clear();
        match self.kept.clone() {
            None => self.put_numbers(row)?,
            Some(kept) => self.put_all(row, &kept)?,
        }
        self.line.pop();
        if std::mem::take(&mut self.is_top) {
            self.mark_top(row).map_err(cannot_write)?;
        }
        // An empty line would not be read as a row, and by those of blanks no delimiter is known.
        if self.line.trim_ascii().is_empty() {
            self.line.splice(..0, *b"\"\"");
        }
        end_line(&mut self.line, &self.layout);
        Ok(())
    }

    /// Marks a first row that might be taken for names as numbers: by an exponent, which no name has,
    /// and by quotes around what is empty.
    fn mark_top(&mut self, row: &[u8]) -> io::Result<()> {
        let values: io::Result<Vec<f64>> = row
            .chunks_exact(self.dtype.size())
            .map(|bytes| {
                let mut text = Vec::new();
                print(&mut text, self.dtype, bytes, TextColumn::default())?;
                Ok(std::str::from_utf8(&text).ok().and_then(|t| t.parse().ok()).unwrap_or(f64::NAN))
            })
            .collect();
        let delimiter = self.layout.delimiter;
        let is_whole = |column: &TextColumn| column.decimals == Some(0);
        let fractions = self.dtype.is_float() && !self.layout.columns.iter().any(is_whole);
        let whole = !self.line.contains(&self.layout.decimal_mark);
        let ends = self.line.iter().position(|b| *b == delimiter);
        let first = ends.unwrap_or(self.line.len());
        if looks_like_names(&values?, whole, fractions) && !self.line[..first].contains(&b'e') {
            self.line.splice(first..first, *b"e0");
        }
        // An empty corner is that of labels, and an empty end is none.
        if first == 0 && ends.is_some() {
            self.line.splice(..0, *b"\"\"");
        }
        if self.line.last() == Some(&delimiter) && delimiter != b' ' {
            self.line.extend(b"\"\"");
        }
        Ok(())
    }
}

impl<W: Write> Encode for TextEncoder<W> {
    fn rows(&mut self, rows: &[u8]) -> Result<()> {
        let size = self.dtype.size();
        for row in rows.chunks_exact(self.width * size) {
            self.row += 1;
            // Rows that are all alike take thousands of times as long to print as to decode. The
            // first may look otherwise.
            let again = self.row > 2 && self.kept.is_none() && self.last == row;
            if !again {
                self.last.clear();
                self.last.extend(row);
                self.put_line(row)?;
            }
            let Some(first) = &mut self.first else {
                self.out.write_all(&self.line).map_err(cannot_write)?;
                continue;
            };
            first.rows.extend(&self.line);
            first.count += 1;
            if first.count == FIRST_LINES || first.rows.len() > FIRST_BYTES {
                self.write_first().map_err(cannot_write)?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_first()?;
        self.out.flush()
    }
}

fn end_line(line: &mut Vec<u8>, layout: &TextLayout) {
    line.extend(if layout.crlf { &b"\r\n"[..] } else { b"\n" });
}

/// Returns the names of all columns, in the order of the fields.
fn all_names(names: &[String], kept: Option<&KeptText>) -> Vec<String> {
    let mut numbers = names.iter();
    let name = |text: Option<usize>| match (text, kept) {
        (Some(t), Some(kept)) => Some(&kept.columns()[t].name),
        _ => numbers.next(),
    };
    fields(kept, names.len()).filter_map(name).cloned().collect()
}

/// Goes through the fields of a line: which column of text each is, or none where it is a number.
fn fields(kept: Option<&KeptText>, width: usize) -> impl Iterator<Item = Option<usize>> {
    let columns = kept.map_or(&[][..], KeptText::columns);
    let mut next = 0;
    (0..width + columns.len()).map(move |place| {
        let is_text = columns.get(next).is_some_and(|column| column.place == place);
        next += usize::from(is_text);
        is_text.then(|| next - 1)
    })
}

/// Appends a field of text, in quotes where it would be read as something else without.
fn put_text(line: &mut Vec<u8>, text: &[u8], layout: &TextLayout) {
    let special = |b: &u8| b"\"\r\n".contains(b) || *b == layout.delimiter;
    let blanks = layout.delimiter == b' ' && (text.is_empty() || text.contains(&b'\t'));
    let comment = line.is_empty() && text.starts_with(b"#");
    if text.iter().any(special) || blanks || comment {
        quote(line, text);
    } else {
        line.extend(text);
    }
}

fn quote(line: &mut Vec<u8>, text: &[u8]) {
    line.push(b'"');
    for &byte in text {
        line.extend(std::iter::repeat_n(byte, if byte == b'"' { 2 } else { 1 }));
    }
    line.push(b'"');
}

/// Returns what stands for a missing number; between blanks something must.
fn missing(layout: &TextLayout) -> Vec<u8> {
    let missing = layout.missing.as_bytes();
    let usual = Notation { mark: layout.decimal_mark, grouping: None };
    let reads = usual.parse(missing) == Field::Missing;
    match layout.delimiter {
        b' ' if missing.is_empty() || !reads || missing.contains(&b' ') => b"nan".to_vec(),
        delimiter if !reads || missing.contains(&delimiter) => Vec::new(),
        _ => missing.to_vec(),
    }
}

/// Returns the line of names.
fn header(names: &[String], layout: &TextLayout) -> Vec<u8> {
    let mut line = Vec::new();
    for name in names {
        // Without delimiters, blanks would be taken for them.
        if names.len() == 1 && name.contains(' ') {
            quote(&mut line, name.as_bytes());
        } else {
            put_name(&mut line, name, layout);
        }
        line.push(layout.delimiter);
    }
    line.pop();
    end_line(&mut line, layout);
    line
}

/// Appends a column's name, in quotes where it would be read as something else without.
fn put_name(line: &mut Vec<u8>, name: &str, layout: &TextLayout) {
    let bytes = name.as_bytes();
    // What might be taken for a delimiter, too, else it would be for that of the table.
    let special = |b: &u8| b"\"\r\n\t;,|".contains(b) || *b == layout.delimiter;
    let number = [Notation::PLAIN, Notation { mark: b',', grouping: None }]
        .iter()
        .any(|n| matches!(n.parse(bytes), Field::Number(_)) && !layout.bare_names);
    let missing = Notation::PLAIN.parse(bytes) == Field::Missing;
    let blank = name.trim() != name;
    let comment = name.starts_with('#') || name.to_ascii_lowercase().starts_with("sep=");
    if bytes.iter().any(special) || number || missing || blank || comment {
        quote(line, bytes);
    } else {
        line.extend(bytes);
    }
}

/// Appends the number that `bytes`, as many as its type has, stand for; nothing if it is none.
fn print(line: &mut Vec<u8>, dtype: DType, bytes: &[u8], column: TextColumn) -> io::Result<()> {
    macro_rules! number {
        ($t:ty) => {
            <$t>::from_le_bytes(bytes.try_into().map_err(io::Error::other)?)
        };
    }
    match dtype {
        // Every half is an f32, and the shortest text of that one gives the half back.
        DType::F16 => print_float(line, F16(number!(u16)).to_f64() as f32),
        DType::F32 => print_float(line, number!(f32)),
        DType::F64 => print_double(line, number!(f64), column),
        DType::U8 => write!(line, "{}", number!(u8)),
        DType::I8 => write!(line, "{}", number!(i8)),
        DType::U16 => write!(line, "{}", number!(u16)),
        DType::I16 => write!(line, "{}", number!(i16)),
        DType::U32 => write!(line, "{}", number!(u32)),
        DType::I32 => write!(line, "{}", number!(i32)),
        DType::U64 => write!(line, "{}", number!(u64)),
        DType::I64 => write!(line, "{}", number!(i64)),
    }
}

/// Appends a number with as many digits as all of its column have, where they give it back.
fn print_double(line: &mut Vec<u8>, value: f64, column: TextColumn) -> io::Result<()> {
    let own = match column {
        TextColumn { decimals: Some(places), fixed: true, .. } => Digits::Decimals(places),
        TextColumn { digits, .. } => digits,
    };
    if own != Digits::Fewest && value.is_finite() {
        let text = written(value, own);
        if text.parse::<f64>().is_ok_and(|back| back.to_bits() == value.to_bits()) {
            line.extend(text.bytes());
            return Ok(());
        }
    }
    print_float(line, value)
}

/// Sizes of numbers that are whole and not told apart by their last digits, and that an integer of 64
/// bits can have: 2^53 to 2^64.
const INTEGERS: std::ops::Range<f64> = 9_007_199_254_740_992.0..18_446_744_073_709_551_616.0;

fn print_float<T: Into<f64> + LowerExp + std::fmt::Display + Copy>(
    line: &mut Vec<u8>,
    value: T,
) -> io::Result<()> {
    let size = value.into().abs();
    match size {
        _ if size.is_nan() => Ok(()),
        // The same digits; written out they would have up to 300 zeros.
        _ if size != 0.0 && size.is_finite() && !(1e-7..1e21).contains(&size) => {
            write!(line, "{value:e}")
        }
        // Without the point, a column of these alone would be read as integers, of which the last
        // digits are not.
        _ if INTEGERS.contains(&size) => write!(line, "{value}.0"),
        _ => write!(line, "{value}"),
    }
}
