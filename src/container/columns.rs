//! Columns that a block keeps beside its coded stream: exactly, or what brings decoded values to the
//! last bit.

use super::bytes::{Cursor, put_varint};
use crate::error::{Error, Result};

/// Codes of the ways to keep a column.
const PACKED: u8 = 0;
const NUMBERS: u8 = 1;
const MULTIPLES: u8 = 2;
const PLACES: u8 = 3;
const DECIMALS: u8 = 4;
/// Ways from this on correct values that are there already.
const FIRST_CORRECTION: u8 = PLACES;
/// Largest numerator and denominator: integers that every `f64` holds exactly.
const LARGEST_TERM: u64 = 1 << 53;

/// How a column is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Its values, shuffled and packed.
    Packed,
    /// Its values, in a chunk of pco.
    Numbers,
    /// Integers, in a chunk of pco, whose multiples of `numerator / denominator` its values are.
    Multiples { numerator: u64, denominator: u64 },
    /// Integers, in a chunk of pco, that are added to the places of its values in the order of all.
    Places,
    /// Integers, in a chunk of pco, that are added to its values in units of `1 / denominator`.
    Decimals { denominator: u64 },
}

impl Way {
    fn code(self) -> u8 {
        match self {
            Way::Packed => PACKED,
            Way::Numbers => NUMBERS,
            Way::Multiples { .. } => MULTIPLES,
            Way::Places => PLACES,
            Way::Decimals { .. } => DECIMALS,
        }
    }

    /// Returns whether it corrects values that are there already.
    pub(crate) fn corrects(self) -> bool {
        self.code() >= FIRST_CORRECTION
    }

    /// Returns whether it is for floats only.
    fn is_for_floats(self) -> bool {
        !matches!(self, Way::Packed | Way::Numbers)
    }
}

/// One column of a block, kept in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub(crate) column: usize,
    pub(crate) way: Way,
    /// The values, or the integers, packed.
    pub(crate) bytes: &'a [u8],
}

/// What a block's columns are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Numbers of a row.
    pub(crate) width: usize,
    /// Whether they are floats.
    pub(crate) float: bool,
}

/// Joins entries, which are in the order of their columns and then of their ways.
#[cfg(feature = "compress")]
pub(crate) fn encode(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, entries.len() as u64);
    let mut last = 0;
    for entry in entries {
        put_varint(&mut out, (entry.column - last) as u64);
        last = entry.column;
        out.push(entry.way.code());
        match entry.way {
            Way::Multiples { numerator, denominator } => {
                put_varint(&mut out, numerator);
                put_varint(&mut out, denominator);
            }
            Way::Decimals { denominator } => put_varint(&mut out, denominator),
            Way::Packed | Way::Numbers | Way::Places => {}
        }
        put_varint(&mut out, entry.bytes.len() as u64);
        out.extend(entry.bytes);
    }
    out
}

/// Reads the entries of a block at `at`, checking all but what their bytes hold.
pub(crate) fn decode(bytes: &[u8], shape: Shape, at: u64) -> Result<Vec<Entry<'_>>> {
    let wrong = |what: &str| Error::corrupt(format!("a block's columns: {what}")).at(at);
    let mut cursor = Cursor::new(bytes, at);
    let count = cursor.varint()?;
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for _ in 0..count {
        let last = entries.last().copied();
        let distance = usize::try_from(cursor.varint()?).unwrap_or(usize::MAX);
        let column = last.map_or(0, |l| l.column).saturating_add(distance);
        if column >= shape.width {
            return Err(wrong("one lies outside the row"));
        }
        let way = way(&mut cursor, &wrong)?;
        if way.is_for_floats() && !shape.float {
            return Err(wrong("integers are kept as floats are"));
        }
        let again = last.filter(|l| l.column == column);
        if again.is_some_and(|l| l.way.corrects() || !way.corrects()) {
            return Err(wrong("one is kept twice"));
        }
        let length = usize::try_from(cursor.varint()?).unwrap_or(usize::MAX);
        entries.push(Entry { column, way, bytes: cursor.take(length)? });
    }
    cursor.finish()?;
    Ok(entries)
}

/// Reads how a column is kept.
fn way(cursor: &mut Cursor<'_>, wrong: &impl Fn(&str) -> Error) -> Result<Way> {
    Ok(match cursor.u8()? {
        PACKED => Way::Packed,
        NUMBERS => Way::Numbers,
        MULTIPLES => {
            Way::Multiples { numerator: term(cursor, wrong)?, denominator: term(cursor, wrong)? }
        }
        PLACES => Way::Places,
        DECIMALS => Way::Decimals { denominator: term(cursor, wrong)? },
        _ => return Err(wrong("one is kept in an undefined way")),
    })
}

/// Reads a numerator or denominator.
fn term(cursor: &mut Cursor<'_>, wrong: &impl Fn(&str) -> Error) -> Result<u64> {
    let term = cursor.varint()?;
    if (1..=LARGEST_TERM).contains(&term) {
        Ok(term)
    } else {
        Err(wrong("a fraction is out of range"))
    }
}

#[cfg(all(test, feature = "compress"))]
mod tests {
    use super::*;

    const FLOATS: Shape = Shape { width: 9, float: true };

    #[test]
    fn entries_come_back() {
        let entry = |column, way, bytes| Entry { column, way, bytes };
        let entries = [
            entry(0, Way::Packed, &[1, 2][..]),
            entry(0, Way::Decimals { denominator: LARGEST_TERM }, &[]),
            entry(3, Way::Multiples { numerator: 1, denominator: 300 }, &[7; 200]),
            entry(3, Way::Places, &[9]),
            entry(8, Way::Numbers, &[4]),
        ];
        assert_eq!(decode(&encode(&entries), FLOATS, 0).unwrap(), entries);
        assert_eq!(decode(&encode(&[]), FLOATS, 0).unwrap(), []);
    }

    #[test]
    fn entries_that_contradict_are_refused() {
        let refused = |bytes: &[u8], shape| decode(bytes, shape, 0).unwrap_err().to_string();
        let integers = Shape { float: false, ..FLOATS };
        for (bytes, shape, what) in [
            (&[1, 9, 0, 0][..], FLOATS, "outside the row"),
            (&[1, 0, 5, 0], FLOATS, "undefined way"),
            (&[2, 0, 0, 0, 0, 1, 0], FLOATS, "kept twice"),
            (&[2, 0, 3, 0, 0, 4, 1, 0], FLOATS, "kept twice"),
            (&[2, 0, 3, 0, 0, 0, 0], FLOATS, "kept twice"),
            (&[1, 0, 4, 0, 0], FLOATS, "out of range"),
            (&[1, 0, 3, 0], integers, "as floats"),
            (&[1, 0, 0, 2, 1], FLOATS, "bytes are needed"),
            (&[1, 0, 0, 0, 1], FLOATS, "follow the last"),
        ] {
            assert!(refused(bytes, shape).contains(what), "{bytes:?}: {}", refused(bytes, shape));
        }
    }
}
