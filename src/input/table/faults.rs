//! What is wrong with a record, where, and what to do about it.

use super::columns::{LONGEST_LIST, escaped};
use super::encoding::decode;
use super::notation::{Field, Notation};
use crate::error::{Error, Result};
use crate::input::source::Source;

/// Bytes read at a time to count lines.
const CHUNK: usize = 1 << 16;
/// Characters of a field that are shown.
const SHOWN: usize = 40;
/// Rows among which a line of another width is a title rather than damage.
const TITLES: usize = 30;

/// What is wrong with a record.
pub(super) enum Fault {
    /// It has another number of fields.
    Ragged { fields: usize, expected: usize, row: usize },
    /// A field is not a number.
    Text(String),
}

impl Fault {
    /// Makes the error for the record found from `byte` on.
    pub(super) fn locate(self, source: &Source, byte: u64) -> Error {
        let (line, byte) = match line_of(source, byte) {
            Ok(place) => place,
            Err(error) => return error,
        };
        match self {
            Fault::Ragged { fields, expected, row } => {
                let count = |n: usize| format!("{n} {}", if n == 1 { "field" } else { "fields" });
                let advice = match row {
                    0..TITLES if fields > expected => format!(
                        "; if the lines above it are no part of the table, leave them out with --skip \
                         {}",
                        line - 1
                    ),
                    _ => String::new(),
                };
                Error::corrupt(format!("line {line} has {} instead of {expected}{advice}", count(fields)))
            }
            Fault::Text(what) => Error::argument(format!("line {line}: {what}")),
        }
        .at(byte)
    }
}

/// A field that is not a number, and those beside it.
pub(super) struct TextField<'a> {
    pub(super) text: &'a [u8],
    pub(super) name: String,
    pub(super) notation: Notation,
    /// Whether numbers stand in the column above.
    pub(super) below_numbers: bool,
    /// The columns of the line that are numbers.
    pub(super) numeric: Vec<String>,
}

impl TextField<'_> {
    /// Says what the field is, and what helps.
    pub(super) fn describe(&self) -> String {
        let text: String = decode(self.text).chars().take(SHOWN).collect();
        format!("column {:?} has {text:?}, which is not a number; {}", self.name, self.advice())
    }

    fn advice(&self) -> String {
        let reads = |mark, grouping| reads(self.text, self.notation, mark, grouping);
        let grouped = GROUPS.iter().find(|(mark, g)| reads(*mark, Some(*g)));
        match (reads(b',', None), grouped) {
            (true, None) => return "for a decimal comma, give --decimal ,".to_string(),
            (true, Some((_, g))) => {
                let g = char::from(*g);
                return format!(
                    "for a decimal comma give --decimal , or for {g:?} between thousands --thousands '{g}'"
                );
            }
            (false, Some((mark, g))) => {
                let (mark, g) = (char::from(*mark), char::from(*g));
                return format!("give --thousands '{g}' --decimal '{mark}'");
            }
            (false, None) => {}
        }
        let list: Vec<String> = self.numeric.iter().map(|name| escaped(name)).collect();
        let list = list.join(",");
        let columns = match self.numeric.len() {
            0 => "choose columns of numbers with --columns".to_string(),
            _ if list.len() <= LONGEST_LIST => {
                format!("choose columns of numbers with --columns, here --columns '{list}'")
            }
            n => format!(
                "choose columns of numbers with --columns; {n} fields of this line are numbers"
            ),
        };
        if self.below_numbers {
            return format!(
                "if it stands for a missing number, leave the field empty; else {columns}"
            );
        }
        columns
    }
}

/// Marks and groups of numbers, as countries write them.
const GROUPS: [(u8, u8); 4] = [(b'.', b','), (b',', b'.'), (b'.', b' '), (b'.', b'\'')];

/// Says whether `text`, none in `notation`, is a number with another mark and other groups.
fn reads(text: &[u8], notation: Notation, mark: u8, grouping: Option<u8>) -> bool {
    let other = Notation { mark, grouping };
    other != notation && matches!(other.parse(text), Field::Number(_))
}

/// Says whether `text`, no number in `notation`, is one in another.
pub(super) fn is_other_number(text: &[u8], notation: Notation) -> bool {
    reads(text, notation, b',', None)
        || GROUPS.iter().any(|&(mark, grouping)| reads(text, notation, mark, Some(grouping)))
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
