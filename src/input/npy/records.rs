//! Arrays of records: a column for each number of a record.

use super::number::{Exact, Number, join};
use crate::error::{Error, Result};
use crate::input::array::MAX_ROW_BYTES;
use crate::input::literal::Value;
use crate::input::source::Source;
use crate::matrix::{DType, Origin, Rows, Schema, check_range};

/// Bytes of records read at a time.
const BLOCK_BYTES: usize = 1 << 18;

/// One number of each record.
#[derive(Debug, Clone)]
struct Column {
    name: String,
    /// Its first byte in the record.
    at: usize,
    number: Number,
}

/// What a record consists of.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    columns: Vec<Column>,
    bytes: usize,
}

impl Record {
    /// Reads the list of fields that stands for a record's type.
    pub(super) fn parse(fields: &[Value]) -> Result<Self> {
        let mut record = Self::default();
        record.add(fields, "")?;
        if record.columns.is_empty() {
            return Err(Error::argument("the array's records hold no numbers"));
        }
        Ok(record)
    }

    /// Appends fields, whose names begin with `prefix`.
    fn add(&mut self, fields: &[Value], prefix: &str) -> Result<()> {
        for field in fields {
            let Value::Items(parts) = field else { return Err(no_field()) };
            let (name, kind, shape) = match &parts[..] {
                [name, kind] => (name, kind, None),
                [name, kind, shape] => (name, kind, Some(shape)),
                _ => return Err(no_field()),
            };
            let name = match name {
                Value::Text(name) => name,
                // A title, then the name.
                Value::Items(both) => match &both[..] {
                    [_, Value::Text(name)] => name,
                    _ => return Err(no_field()),
                },
                _ => return Err(no_field()),
            };
            let count = count(shape)?;
            match (kind, name.is_empty().then(|| padding(kind)).flatten()) {
                (_, Some(bytes)) => self.grow(bytes.saturating_mul(count))?,
                (Value::Text(descr), _) => {
                    self.numbers(&format!("{prefix}{name}"), descr, count)?
                }
                (Value::Items(fields), _) => {
                    for i in 0..count {
                        let at = if count == 1 { String::new() } else { format!("[{i}]") };
                        self.add(fields, &format!("{prefix}{name}{at}."))?;
                    }
                }
                _ => return Err(no_field()),
            }
        }
        Ok(())
    }

    /// Appends a field of `count` numbers.
    fn numbers(&mut self, name: &str, descr: &str, count: usize) -> Result<()> {
        let number = Number::parse(descr).map_err(|e| {
            let others = "or leave it out, as numpy.save(file, array[['name', 'name', …]])";
            Error::unsupported(format!("field {name:?}: {e}; {others}"))
        })?;
        let parts = number.parts();
        for i in 0..count * parts {
            let at = if count == 1 { String::new() } else { format!("[{}]", i / parts) };
            let part = if parts == 1 { "" } else { [".real", ".imag"][i % parts] };
            let column = Column { name: format!("{name}{at}{part}"), at: self.bytes, number };
            self.grow(number.size())?;
            self.columns.push(column);
        }
        Ok(())
    }

    /// Returns the bytes that an array of this shape takes, which has one axis.
    pub(super) fn total_bytes(&self, shape: &[u64]) -> Result<u64> {
        let &[rows] = shape else {
            return Err(Error::unsupported(format!(
                "an array of records of shape {shape:?}; save it with one axis, as \
                 array.reshape(-1)"
            )));
        };
        rows.checked_mul(self.bytes as u64)
            .filter(|_| usize::try_from(rows).is_ok())
            .ok_or_else(|| Error::limit(format!("{rows} records are more than fit a file")))
    }

    fn grow(&mut self, bytes: usize) -> Result<()> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes as u64 > MAX_ROW_BYTES || self.columns.len() > MAX_COLUMNS {
            return Err(Error::limit("the array's records are too large"));
        }
        Ok(())
    }
}

/// The most numbers of a record: as many as a row may have.
const MAX_COLUMNS: usize = 1 << 24;

fn no_field() -> Error {
    Error::corrupt("the npy header's list of fields is not one")
}

/// Returns how many values a field of this shape has.
fn count(shape: Option<&Value>) -> Result<usize> {
    let axes = match shape {
        None => return Ok(1),
        Some(Value::Tuple(axes)) => axes.clone(),
        Some(Value::Number(n)) => vec![*n],
        Some(_) => return Err(no_field()),
    };
    let count = axes.iter().try_fold(1_u64, |product, &n| product.checked_mul(n));
    let count = count.filter(|&n| n <= MAX_COLUMNS as u64).map(|n| n as usize);
    count.ok_or_else(|| Error::limit(format!("a field of shape {axes:?} is too large")))
}

/// Returns how many bytes between fields `kind` stands for.
fn padding(kind: &Value) -> Option<usize> {
    let Value::Text(descr) = kind else { return None };
    descr.strip_prefix("|V")?.parse().ok()
}

/// Rows of records that begin at byte `start` of a source.
pub(super) struct RecordRows {
    source: Source,
    schema: Schema,
    record: Record,
    rows: usize,
    start: u64,
}

impl RecordRows {
    /// Checks that the source holds exactly an array of this shape.
    pub(super) fn new(
        source: Source,
        name: &str,
        record: Record,
        shape: &[u64],
        start: u64,
    ) -> Result<Self> {
        let end = start.saturating_add(record.total_bytes(shape)?);
        let count = shape.first().map_or(0, |&rows| rows as usize);
        source
            .expect_len(end, &format!("an array of {count} records of {} bytes", record.bytes))?;
        let types = record.columns.iter().map(|c| c.number.dtype);
        let dtype = types.reduce(join).unwrap_or(DType::F64);
        let mut schema = Schema::new(dtype, &[record.columns.len()]);
        schema.name = name.to_string();
        schema.columns = Some(record.columns.iter().map(|c| c.name.clone()).collect());
        Ok(Self { source, schema, record, rows: count, start })
    }

    /// Says what the rows were read from.
    pub(super) fn with_origin(mut self, origin: Option<Origin>) -> Self {
        self.schema.origin = origin;
        self
    }

    /// Converts a record, number `row`, to the type that all its numbers have in common.
    fn convert(&self, row: usize, record: &[u8], out: &mut [u8]) -> Result<()> {
        let dtype = self.schema.dtype;
        for (column, out) in self.record.columns.iter().zip(out.chunks_exact_mut(dtype.size())) {
            let Column { name, at, number } = column;
            let stored = &record[*at..at + number.size()];
            if number.dtype == dtype {
                number.read(stored, out);
                continue;
            }
            if !Exact::read(number, stored).write(dtype, out) {
                return Err(Error::argument(format!(
                    "field {name:?} of record {row} is a whole number beyond 2^53, which f64, the \
                     type that holds the other fields too, does not hold; save it by itself, as \
                     array[{name:?}]"
                )));
            }
        }
        Ok(())
    }
}

impl Rows for RecordRows {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn len(&self) -> usize {
        self.rows
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        check_range(self, first, out.len())?;
        let (row_bytes, each) = (self.schema.row_bytes(), self.record.bytes);
        let block = (BLOCK_BYTES / each).max(1).min(out.len() / row_bytes);
        let mut stored = vec![0; block * each];
        let mut row = first;
        for part in out.chunks_mut((block * row_bytes).max(1)) {
            let stored = &mut stored[..part.len() / row_bytes * each];
            self.source.read_at(self.start + row as u64 * each as u64, stored)?;
            for (record, out) in stored.chunks_exact(each).zip(part.chunks_exact_mut(row_bytes)) {
                self.convert(row, record, out)?;
                row += 1;
            }
        }
        Ok(())
    }
}
