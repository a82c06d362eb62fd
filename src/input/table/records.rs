//! The records of a text, one after another.

use crate::error::{Error, Result};
use crate::input::source::{Sequential, Source};
use csv::ByteRecord;
use std::io::{self, Read};

/// Longest record: a quote that is left open would make the rest of the file one field.
pub(super) const MAX_RECORD: u64 = 64 << 20;
/// Bytes that the reader of records holds.
const BUFFER: usize = 1 << 18;

/// The records of a source from some byte on, none longer than [`MAX_RECORD`].
pub(super) struct Records<'a> {
    reader: csv::Reader<Bounded<'a>>,
    start: u64,
    /// A space stands for any run of blanks.
    blanks: bool,
    /// A record as it was read, before runs of blanks are joined.
    spaced: ByteRecord,
}

impl<'a> Records<'a> {
    pub(super) fn new(source: &'a Source, start: u64, delimiter: u8) -> Self {
        let input = Bounded { input: Sequential::from(source, start), left: 0 };
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .buffer_capacity(BUFFER)
            .from_reader(input);
        Self { reader, start, blanks: delimiter == b' ', spaced: ByteRecord::new() }
    }

    /// Reads a record; says whether there was one.
    pub(super) fn next(&mut self, record: &mut ByteRecord) -> Result<bool> {
        if !self.blanks {
            return self.read(record);
        }
        let mut spaced = std::mem::take(&mut self.spaced);
        // A line of blanks is none.
        let more = loop {
            if !self.read(&mut spaced)? {
                break false;
            }
            record.clear();
            let fields = spaced.iter().flat_map(|field| field.split(|b| *b == b'\t'));
            fields.filter(|field| !field.is_empty()).for_each(|field| record.push_field(field));
            record.set_position(spaced.position().cloned());
            if !record.is_empty() {
                break true;
            }
        };
        self.spaced = spaced;
        Ok(more)
    }

    fn read(&mut self, record: &mut ByteRecord) -> Result<bool> {
        self.reader.get_mut().left = MAX_RECORD;
        let start = self.start + self.reader.position().byte();
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

    /// Returns the byte of the source from which a record was found.
    pub(super) fn place(&self, record: &ByteRecord) -> u64 {
        self.start + record.position().map_or(0, csv::Position::byte)
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
