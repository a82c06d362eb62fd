//! Tables of numbers as text (CSV), parsed once into an array of `f64`.
//!
//! One pass, and no more in memory than a record and the spool's buffer.

use super::array::{ArrayRows, Layout, MAX_ROW_BYTES, Order};
use super::dialect::{delimiter, number};
use super::source::{Sequential, Source, Spool};
use crate::error::{Error, Result};
use crate::matrix::DType;
use csv::ByteRecord;
use std::io::{self, Read};

/// Bytes that the delimiter is found from.
const SAMPLE: usize = 1 << 16;

/// Longest record: a quote that is left open would make the rest of the file one field.
const MAX_RECORD: u64 = 64 << 20;

/// Bytes parsed before they are handed to the spool.
const CHUNK: usize = 1 << 16;

/// Reads the columns called `columns`, or all of them.
pub(super) fn open(source: &Source, name: &str, columns: Option<&[String]>) -> Result<ArrayRows> {
    let head = source.head(SAMPLE)?;
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return Err(Error::unsupported("a table in UTF-16; save it as UTF-8").at(0));
    }
    let mut records = Records::new(source, delimiter(&head));
    let mut record = ByteRecord::new();
    if !records.next(&mut record)? {
        return Err(Error::truncated("the table is empty: it has neither names nor numbers").at(0));
    }
    let table = Table::new(&record, columns)?;
    let width = table.kept.len() as u64;
    if width * 8 > MAX_ROW_BYTES {
        return Err(Error::limit(format!("the table has {width} columns")));
    }
    let mut spool = Spool::new();
    let mut chunk = Vec::with_capacity(CHUNK + 8 * table.kept.len());
    let mut rows = 0;
    let mut more = table.names.is_none() || records.next(&mut record)?;
    while more {
        table.parse(&record, &mut chunk).map_err(|fault| fault.locate(source, &record))?;
        rows += 1;
        if chunk.len() >= CHUNK {
            spool.write(&chunk)?;
            chunk.clear();
        }
        more = records.next(&mut record)?;
    }
    spool.write(&chunk)?;
    let layout = Layout {
        dtype: DType::F64,
        big_endian: false,
        bfloat16: false,
        order: Order::C,
        shape: vec![rows, width],
    };
    Ok(ArrayRows::new(spool.finish()?, name, &layout, 0)?.with_columns(table.kept_names()))
}

/// What the first record tells.
struct Table {
    /// One per field, if the first record is a header.
    names: Option<Vec<String>>,
    fields: usize,
    /// Fields that become columns, in their order.
    kept: Vec<usize>,
}

impl Table {
    fn new(first: &ByteRecord, columns: Option<&[String]>) -> Result<Self> {
        let fields = first.len();
        let header = first.iter().any(|field| number(field).is_none());
        let names = header.then(|| first.iter().enumerate().map(|(k, f)| name(k, f)).collect());
        let mut table = Self { names, fields, kept: (0..fields).collect() };
        if let Some(columns) = columns {
            table.kept = columns.iter().map(|c| table.find(c)).collect::<Result<_>>()?;
            if table.kept.is_empty() {
                return Err(Error::argument("no columns are chosen; name at least one"));
            }
        }
        Ok(table)
    }

    fn name(&self, field: usize) -> String {
        match &self.names {
            Some(names) if field < names.len() => names[field].clone(),
            _ => name(field, b""),
        }
    }

    fn kept_names(&self) -> Option<Vec<String>> {
        self.names.as_ref().map(|_| self.kept.iter().map(|&field| self.name(field)).collect())
    }

    fn find(&self, column: &str) -> Result<usize> {
        let found: Vec<usize> = (0..self.fields).filter(|&f| self.name(f) == column).collect();
        match found[..] {
            [field] => Ok(field),
            [] => {
                let all: Vec<_> = (0..self.fields.min(100)).map(|field| self.name(field)).collect();
                Err(Error::argument(format!(
                    "there is no column {column:?}; the columns are {}",
                    all.join(", ")
                )))
            }
            _ => Err(Error::argument(format!(
                "{} columns are called {column:?}; give them different names to choose one",
                found.len()
            ))),
        }
    }

    /// Appends the record's numbers to `out`.
    fn parse(&self, record: &ByteRecord, out: &mut Vec<u8>) -> std::result::Result<(), Fault> {
        if record.len() != self.fields {
            let what = format!("{} fields instead of {}", record.len(), self.fields);
            return Err(Fault::Ragged(what));
        }
        for &field in &self.kept {
            match number(&record[field]) {
                Some(value) => out.extend(value.to_le_bytes()),
                None => return Err(Fault::Text(self.describe_text(record, field))),
            }
        }
        Ok(())
    }

    fn describe_text(&self, record: &ByteRecord, field: usize) -> String {
        let text: String = String::from_utf8_lossy(&record[field]).chars().take(40).collect();
        let numeric: Vec<_> = (0..self.fields)
            .filter(|&f| number(&record[f]).is_some())
            .map(|f| self.name(f))
            .collect();
        let list = numeric.join(",");
        // A list that is long or ambiguous helps nobody.
        let fits = list.len() <= 300 && !numeric.iter().any(|n| n.contains(','));
        let advice = match numeric.len() {
            0 => "choose columns of numbers with --columns".to_string(),
            _ if fits => format!("choose columns of numbers with --columns, here {list}"),
            n => format!(
                "choose columns of numbers with --columns; {n} fields of this line are numbers"
            ),
        };
        format!("column {:?} has {text:?}, which is not a number; {advice}", self.name(field))
    }
}

fn name(field: usize, text: &[u8]) -> String {
    match text.trim_ascii() {
        b"" => format!("column {}", field + 1),
        _ => String::from_utf8_lossy(text).into_owned(),
    }
}

/// What is wrong with a record.
enum Fault {
    Ragged(String),
    Text(String),
}

impl Fault {
    fn locate(self, source: &Source, record: &ByteRecord) -> Error {
        let byte = record.position().map_or(0, csv::Position::byte);
        let (line, byte) = match line_of(source, byte) {
            Ok(place) => place,
            Err(error) => return error,
        };
        match self {
            Fault::Ragged(what) => Error::corrupt(format!("line {line} has {what}")),
            Fault::Text(what) => Error::argument(format!("line {line}: {what}")),
        }
        .at(byte)
    }
}

/// Finds line, from 1, and first byte of the record found from `byte` on.
///
/// Counted anew for the message: the reader's own count is taken before the line ends and
/// empty lines in front of a record.
fn line_of(source: &Source, byte: u64) -> Result<(u64, u64)> {
    let mut line = 1;
    let mut position = 0;
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = source.read_up_to(position, &mut buffer)?;
        if count == 0 {
            return Ok((line, position));
        }
        for &b in &buffer[..count] {
            if position >= byte && b != b'\n' && b != b'\r' {
                return Ok((line, position));
            }
            line += u64::from(b == b'\n');
            position += 1;
        }
    }
}

/// The records of a source, none longer than [`MAX_RECORD`].
struct Records<'a> {
    reader: csv::Reader<Bounded<'a>>,
}

impl<'a> Records<'a> {
    fn new(source: &'a Source, delimiter: u8) -> Self {
        let input = Bounded { input: Sequential::new(source), left: 0 };
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .buffer_capacity(1 << 18)
            .from_reader(input);
        Self { reader }
    }

    fn next(&mut self, record: &mut ByteRecord) -> Result<bool> {
        self.reader.get_mut().left = MAX_RECORD;
        let start = self.reader.position().byte();
        self.reader.read_byte_record(record).map_err(|error| {
            if self.reader.get_ref().left == 0 {
                return Error::limit(format!(
                    "a record has more than {MAX_RECORD} bytes; is a quote left open?"
                ))
                .at(start);
            }
            Error::io("cannot read the table", io::Error::other(error))
        })
    }
}

/// Gives `left` bytes, then an error.
struct Bounded<'a> {
    input: Sequential<'a>,
    left: u64,
}

impl Read for Bounded<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(out)?;
        self.left = self.left.saturating_sub(count as u64);
        if count > 0 && self.left == 0 {
            return Err(io::Error::other("the record is too long"));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
