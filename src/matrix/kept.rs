//! Columns of a table that are no numbers, kept as the text that they are.

use crate::error::{Error, Result};
use std::ops::Range;
use std::sync::OnceLock;

/// The most bytes that all of it may take in memory: what readers allow by default.
const MAX_BYTES: u64 = 1 << 30;
/// What a column takes besides its text: a part of the format's budget.
const COLUMN_BYTES: u64 = 80;
/// A length takes another byte at most for each so many bytes of its field.
const LONG_FIELD: u64 = 1 << 7;

/// Columns of text that stand beside the columns of numbers of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeptText {
    rows: usize,
    columns: Vec<KeptColumn>,
    /// As files have it, so that it is packed once only.
    pub(crate) packed: Packed,
}

/// A column of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptColumn {
    /// Its place among all columns of the table, from 0.
    pub place: usize,
    /// Its name; empty where the table has no names.
    pub name: String,
    /// All fields, one behind the other.
    bytes: Vec<u8>,
    /// Where each field ends.
    ends: Vec<u32>,
}

/// Bytes that are made of the rest: they make no two texts different.
#[derive(Debug, Clone, Default)]
pub(crate) struct Packed(pub(crate) OnceLock<Vec<u8>>);

impl PartialEq for Packed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Packed {}

impl KeptColumn {
    /// Returns the field of `row`, without quotes; nothing beyond the last row.
    pub fn field(&self, row: usize) -> &[u8] {
        let Some(&end) = self.ends.get(row) else { return &[] };
        let start = row.checked_sub(1).map_or(0, |above| self.ends[above]);
        &self.bytes[start as usize..end as usize]
    }

    /// Returns the bytes of all fields together.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Says whether no field has any byte.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl KeptText {
    /// Begins columns without rows: their places in the table, which ascend, and their names.
    pub fn new(columns: impl IntoIterator<Item = (usize, String)>) -> Self {
        let begin = |(place, name)| KeptColumn { place, name, bytes: Vec::new(), ends: Vec::new() };
        let columns = columns.into_iter().map(begin).collect();
        Self { rows: 0, columns, packed: Packed::default() }
    }

    /// Puts columns together: places, names, and of each the fields and where they end, one for each
    /// of `rows` rows.
    pub(crate) fn from_parts(
        rows: usize,
        columns: impl Iterator<Item = Result<(usize, String, Vec<u8>, Vec<u32>)>>,
    ) -> Result<Self> {
        let column = |parts: Result<(usize, String, Vec<u8>, Vec<u32>)>| {
            parts.map(|(place, name, bytes, ends)| KeptColumn { place, name, bytes, ends })
        };
        Ok(Self {
            rows,
            columns: columns.map(column).collect::<Result<_>>()?,
            packed: Packed::default(),
        })
    }

    /// Appends a row of fields, one for each column; one that is left out is empty.
    ///
    /// # Errors
    /// `Limit` if all of it would take more than 1 GiB.
    pub fn push<'a>(&mut self, fields: impl IntoIterator<Item = &'a [u8]>) -> Result<()> {
        let mut fields = fields.into_iter();
        for column in &mut self.columns {
            column.bytes.extend(fields.next().unwrap_or_default());
            let end = u32::try_from(column.bytes.len()).map_err(|_| too_long())?;
            column.ends.push(end);
        }
        self.rows += 1;
        self.packed = Packed::default();
        if self.memory() > MAX_BYTES { Err(too_long()) } else { Ok(()) }
    }

    /// Returns how many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the columns, by their places.
    pub fn columns(&self) -> &[KeptColumn] {
        &self.columns
    }

    /// Returns some of the rows.
    ///
    /// # Errors
    /// `Argument` if there are fewer rows.
    pub fn slice(&self, rows: Range<usize>) -> Result<Self> {
        if rows.start > rows.end || rows.end > self.rows {
            let (Range { start, end }, all) = (rows, self.rows);
            return Err(Error::argument(format!("rows {start} to {end} of {all}")));
        }
        let mut out = Self::new(self.columns.iter().map(|c| (c.place, c.name.clone())));
        for row in rows {
            out.push(self.columns.iter().map(|column| column.field(row)))?;
        }
        Ok(out)
    }

    /// Returns the first row and column in which the two differ; the row is that of the end where one
    /// has fewer rows.
    pub fn first_difference(&self, other: &Self) -> Option<(usize, usize)> {
        let places = |text: &Self| -> Vec<usize> { text.columns.iter().map(|c| c.place).collect() };
        if places(self) != places(other) {
            return Some((0, 0));
        }
        let both = self.rows.min(other.rows);
        let differ = |row: usize| {
            (0..self.columns.len())
                .find(|&c| self.columns[c].field(row) != other.columns[c].field(row))
        };
        let found = (0..both).find_map(|row| differ(row).map(|column| (row, column)));
        found.or((self.rows != other.rows).then_some((both, 0)))
    }

    /// Returns the bytes of all fields together.
    pub fn bytes(&self) -> u64 {
        self.columns.iter().map(|c| c.bytes.len() as u64).sum()
    }

    /// Returns the bytes that they take in an `.aez` file, once they were written to one.
    pub fn packed_bytes(&self) -> Option<u64> {
        self.packed.0.get().map(|packed| packed.len() as u64)
    }

    /// Returns the names, or the places from 1 where there are none.
    pub fn labels(&self) -> Vec<String> {
        let label = |c: &KeptColumn| match &c.name[..] {
            "" => format!("column {}", c.place + 1),
            name => name.to_string(),
        };
        self.columns.iter().map(label).collect()
    }

    /// Returns the bytes that all of it takes in memory while it is read.
    pub(crate) fn memory(&self) -> u64 {
        let fields = (self.rows as u64).saturating_mul(self.columns.len() as u64);
        // One byte for the length of each field, and another for each that has 128 bytes or more.
        let lengths = fields.saturating_add(self.bytes() / LONG_FIELD);
        memory(self.bytes().saturating_add(lengths), self.rows, self.columns.len())
    }
}

/// Returns the bytes that columns take in memory while they are read from `claimed` bytes: these, and
/// what they are split into.
pub(crate) fn memory(claimed: u64, rows: usize, columns: usize) -> u64 {
    let cells = (rows as u64).saturating_mul(columns as u64);
    let ends = cells.saturating_mul(size_of::<u32>() as u64);
    let own = columns as u64 * COLUMN_BYTES;
    claimed.saturating_mul(2).saturating_add(ends).saturating_add(own)
}

#[cold]
fn too_long() -> Error {
    Error::limit(
        "the columns of text would take more than 1 GiB; leave them out by choosing the columns of \
         numbers with --columns",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> KeptText {
        let mut text = KeptText::new([(0, "station".to_string()), (2, String::new())]);
        for row in [[&b"Oslo"[..], b"2020-01-01"], [b"", b"5 %"], [b"a,b", b""]] {
            text.push(row).unwrap();
        }
        text
    }

    #[test]
    fn fields_are_found_by_row() {
        let text = text();
        assert_eq!(text.columns()[0].field(2), b"a,b");
        assert_eq!(
            (text.columns()[1].field(1), text.columns()[1].field(3)),
            (&b"5 %"[..], &b""[..])
        );
        assert_eq!((text.rows(), text.bytes()), (3, 20));
        assert_eq!(text.labels(), ["station", "column 3"]);
        let part = text.slice(1..3).unwrap();
        assert_eq!((part.rows(), part.columns()[0].field(1)), (2, &b"a,b"[..]));
        assert!(text.slice(1..4).is_err());
    }

    #[test]
    fn the_first_difference_is_found() {
        let (one, mut other) = (text(), text());
        assert_eq!(one.first_difference(&other), None);
        other.push([&b"x"[..], b"y"]).unwrap();
        assert_eq!(one.first_difference(&other), Some((3, 0)));
        other.columns[1].bytes[11] = b'8';
        assert_eq!(one.first_difference(&other), Some((1, 1)));
    }
}
