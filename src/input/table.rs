//! Tables of numbers as text (CSV), parsed once into an array of `f64`, or of integers where those
//! are too large for it.
//!
//! No more in memory than the first lines, a record and the spool's buffer.

mod columns;
mod dialect;
mod encoding;
mod faults;
mod header;
mod kept;
mod notation;
mod plan;
mod records;
mod rounded;
mod sample;

pub(super) use header::{looks_like_names, reads_as_names};
pub(super) use notation::{Field, Notation};
pub(super) use rounded::written;

use super::array::{ArrayRows, Layout, MAX_ROW_BYTES, Order};
use super::options::{OpenOptions, Rounding};
use super::source::{Source, Spool};
use crate::error::{Error, ErrorKind, Result};
use crate::matrix::{DType, KeptText, TextLayout};
use columns::{Column, escaped};
use csv::ByteRecord;
use encoding::decode;
use faults::{Fault, TextField};
use kept::Asked;
use notation::MISSING;
use plan::Plan;
use std::sync::Arc;

/// Bytes parsed before they are handed to the spool.
const CHUNK: usize = 1 << 16;
/// Most bytes of what stands for a missing number that are kept.
const LONGEST_MISSING: usize = 16;

/// A table that was read.
pub(super) struct Opened {
    pub(super) rows: ArrayRows,
    pub(super) layout: TextLayout,
    /// What was decided about it, in sentences.
    pub(super) notes: Vec<String>,
}

/// Reads the columns that are asked for, or all of them.
pub(super) fn open(source: &Source, name: &str, options: &OpenOptions) -> Result<Opened> {
    let utf8 = encoding::to_utf8(source)?;
    let source = utf8.as_ref().unwrap_or(source);
    let fed = encoding::with_line_feeds(source)?;
    let source = fed.as_ref().unwrap_or(source);
    let plan = Plan::new(source, &options.text)?;
    let mut table = Table::new(&plan, options)?;
    let numbers = match table.numbers(source) {
        Err(error) if options.keep_text && error.kind() == ErrorKind::Argument => {
            table.set_text_aside(source, error)?;
            table.numbers(source)?
        }
        other => other?,
    };
    let Numbers { array, dtype, learned, kept } = numbers;
    let mut layout = learned.layout(&plan, dtype);
    layout.kept = Some(Arc::new(kept)).filter(|kept| !kept.columns().is_empty());
    let shape = vec![array.rows, table.kept.len() as u64];
    let array_layout = Layout { dtype, big_endian: false, bfloat16: false, order: Order::C, shape };
    let rows = ArrayRows::new(array.source, name, &array_layout, 0)?;
    let rows = rows.with_columns(table.kept_names());
    let mut notes = plan.notes(table.fields);
    if fed.is_some() {
        notes.push("its lines end in CR alone; tables made of it have LF there".to_string());
    }
    Ok(Opened { rows, layout, notes })
}

/// What a table holds.
struct Numbers {
    array: Array,
    dtype: DType,
    learned: Learned,
    /// The columns of text beside them.
    kept: KeptText,
}

/// What is learned while the fields are read.
struct Learned {
    columns: Vec<Column>,
    /// What first stood for a missing number.
    missing: Option<String>,
}

impl Learned {
    fn new(width: usize, rounding: Rounding) -> Self {
        Self { columns: vec![Column::new(rounding); width], missing: None }
    }

    /// Appends the field's number to `out`; `None` if it is none.
    fn take(
        &mut self,
        field: &[u8],
        out: &mut Vec<u8>,
        column: usize,
        notation: Notation,
    ) -> Option<()> {
        let value = match notation.parse(field) {
            Field::Number(number) => {
                self.columns[column].take(&number, field, notation);
                number.value
            }
            Field::Missing => {
                self.columns[column].take_missing();
                if self.missing.is_none() {
                    let text = decode(field.trim_ascii());
                    self.missing = Some(text).filter(|t| t.len() <= LONGEST_MISSING);
                }
                MISSING
            }
            Field::Text => return None,
        };
        out.extend(value.to_le_bytes());
        Some(())
    }

    /// Returns how the table was written.
    fn layout(&self, plan: &Plan, dtype: DType) -> TextLayout {
        let delimiter = plan.dialect.delimiter;
        // A comma can be both only within quotes.
        let mark = plan.dialect.notation.mark;
        let decimal_mark = if mark == delimiter { b'.' } else { mark };
        let columns = match dtype {
            DType::F64 => self.columns.iter().map(Column::layout).collect(),
            _ => Vec::new(),
        };
        TextLayout {
            delimiter,
            decimal_mark,
            crlf: plan.crlf,
            bare_names: plan.header.bare,
            missing: self.missing.clone().unwrap_or_default(),
            columns,
            kept: None,
        }
    }
}

/// Numbers in binary.
struct Array {
    source: Source,
    rows: u64,
}

/// The columns of a table.
struct Table<'a> {
    plan: &'a Plan,
    /// One per field, if there are names.
    names: Option<Vec<String>>,
    fields: usize,
    /// Fields that become columns, in their order.
    kept: Vec<usize>,
    /// Fields that are kept as text, with their places among all that are asked for.
    text: Vec<(usize, usize)>,
    rounding: Rounding,
}

impl<'a> Table<'a> {
    fn new(plan: &'a Plan, options: &OpenOptions) -> Result<Self> {
        let fields = plan.first.len();
        let name = |(k, cell): (usize, &sample::Cell)| {
            let text = if cell.quoted { &cell.text[..] } else { cell.text.trim_ascii() };
            if text.is_empty() { numbered(k) } else { decode(text) }
        };
        let names = plan.header.names.then(|| plan.first.iter().enumerate().map(name).collect());
        let (kept, text, rounding) = ((0..fields).collect(), Vec::new(), options.rounding);
        let mut table = Self { plan, names, fields, kept, text, rounding };
        if let Some(columns) = &options.columns {
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
            _ => numbered(field),
        }
    }

    fn kept_names(&self) -> Option<Vec<String>> {
        self.names.as_ref().map(|_| self.kept.iter().map(|&field| self.name(field)).collect())
    }

    /// Finds a column by its name, with or without the blanks around it, or by its place from 0, as in
    /// `column 3` or `3`.
    fn find(&self, column: &str) -> Result<usize> {
        let called = |same: &dyn Fn(&str) -> bool| -> Vec<usize> {
            (0..self.fields).filter(|&f| same(&self.name(f))).collect()
        };
        let mut found = called(&|name| name == column);
        if found.is_empty() {
            found = called(&|name| name.trim() == column.trim());
        }
        if found.is_empty() {
            let place = column.strip_prefix(NUMBERED).unwrap_or(column);
            found = (0..self.fields).filter(|f| f.to_string() == place).collect();
        }
        match found[..] {
            [field] => Ok(field),
            [] => {
                let all: Vec<_> =
                    (0..self.fields.min(100)).map(|field| escaped(&self.name(field))).collect();
                Err(Error::argument(format!(
                    "there is no column {column:?}; the columns are {}",
                    all.join(",")
                )))
            }
            [first, second, ..] => Err(Error::argument(format!(
                "{} columns are called {column:?}; choose by place, as in --columns {:?} or {:?}",
                found.len(),
                numbered(first),
                numbered(second)
            ))),
        }
    }

    /// Begins the columns of text.
    fn no_text(&self) -> KeptText {
        let named = self.names.is_some();
        let name = |field| if named { self.name(field) } else { String::new() };
        KeptText::new(self.text.iter().map(|&(field, place)| (place, name(field))))
    }

    /// Sets the columns aside that cannot be read as numbers; `error` says what stood in the way of
    /// reading all of them so.
    ///
    /// # Errors
    /// `error` itself where no column of numbers is left.
    fn set_text_aside(&mut self, source: &Source, error: Error) -> Result<()> {
        let (plan, rounding) = (self.plan, self.rounding);
        let asked = Asked { plan, fields: self.fields, columns: &self.kept, rounding };
        let Some(is_text) = asked.text(source)? else { return Err(error) };
        let all = std::mem::take(&mut self.kept);
        for (place, (field, is_text)) in all.into_iter().zip(is_text).enumerate() {
            if is_text {
                self.text.push((field, place));
            } else {
                self.kept.push(field);
            }
        }
        Ok(())
    }

    /// Reads all rows, in the type that holds their numbers.
    fn numbers(&self, source: &Source) -> Result<Numbers> {
        let width = self.kept.len();
        if width as u64 * 8 > MAX_ROW_BYTES {
            return Err(Error::limit(format!("the table has {width} columns")));
        }
        let notation = self.plan.dialect.notation;
        let mut learned = Learned::new(width, self.rounding);
        let mut kept = self.no_text();
        let mut array = self.read(source, DType::F64, &mut kept, |field, out, column| {
            learned.take(field, out, column, notation)
        })?;
        let dtype = columns::dtype(&learned.columns, &|k| self.name(self.kept[k]))?;
        if dtype != DType::F64 {
            kept = self.no_text();
            array = self.read(source, dtype, &mut kept, |field, out, _| {
                let integer = notation.integer(field)?;
                // The low bits of either type.
                out.extend((integer as u64).to_le_bytes());
                Some(())
            })?;
        }
        Ok(Numbers { array, dtype, learned, kept })
    }

    /// Reads all rows: `parse` appends the number of a field, the nth of a row, or returns `None`
    /// if it is none. Text goes to `text`.
    fn read(
        &self,
        source: &Source,
        dtype: DType,
        text: &mut KeptText,
        mut parse: impl FnMut(&[u8], &mut Vec<u8>, usize) -> Option<()>,
    ) -> Result<Array> {
        let mut records = self.plan.records(source);
        let mut record = ByteRecord::new();
        let mut above = self.plan.lines_above();
        let mut spool = Spool::new();
        let mut chunk = Vec::with_capacity(CHUNK + dtype.size() * self.kept.len());
        let mut rows = 0;
        while records.next(&mut record)? {
            if above > 0 {
                above -= 1;
                continue;
            }
            let length = chunk.len();
            if let Err(fault) = self.parse(&record, &mut chunk, rows, &mut parse) {
                chunk.truncate(length);
                if record.get(0).is_some_and(|field| field.starts_with(b"#")) {
                    continue;
                }
                return Err(fault.locate(source, records.place(&record)));
            }
            if !self.text.is_empty() {
                text.push(self.text.iter().map(|&(field, _)| &record[field]))?;
            }
            rows += 1;
            if chunk.len() >= CHUNK {
                spool.write(&chunk)?;
                chunk.clear();
            }
        }
        spool.write(&chunk)?;
        Ok(Array { source: spool.finish()?, rows: rows as u64 })
    }

    /// Appends the record's numbers to `out`.
    fn parse(
        &self,
        record: &ByteRecord,
        out: &mut Vec<u8>,
        row: usize,
        parse: &mut impl FnMut(&[u8], &mut Vec<u8>, usize) -> Option<()>,
    ) -> std::result::Result<(), Fault> {
        let (fields, expected) = (record.len(), self.fields);
        // Nothing follows a delimiter at the end of a line.
        let trailing = fields == expected + 1 && record[expected].trim_ascii().is_empty();
        if fields != expected && !trailing {
            return Err(Fault::Ragged { fields, expected, row });
        }
        for (column, &field) in self.kept.iter().enumerate() {
            if parse(&record[field], out, column).is_none() {
                return Err(Fault::Text(self.describe_text(record, field, row)));
            }
        }
        Ok(())
    }

    fn describe_text(&self, record: &ByteRecord, field: usize, row: usize) -> String {
        let notation = self.plan.dialect.notation;
        let is_number = |&f: &usize| notation.parse(&record[f]) != Field::Text;
        let numeric = (0..self.fields).filter(is_number).map(|f| self.name(f)).collect();
        let first = if self.plan.header.names { &self.plan.second } else { &self.plan.first };
        let above = first.get(field).map(|cell| notation.parse(&cell.text));
        let below_numbers = row > 0 && above.is_some_and(|field| field != Field::Text);
        let (text, name) = (&record[field], self.name(field));
        TextField { text, name, notation, below_numbers, numeric }.describe()
    }
}

/// Stands before the number of a column without a name.
const NUMBERED: &str = "column ";

/// Returns what a column without a name is called: its number, from 0 as in bounds.
fn numbered(field: usize) -> String {
    format!("{NUMBERED}{field}")
}

#[cfg(test)]
mod tests;
