//! What rows were read from: enough to write the same kind of file again.

use super::kept::KeptText;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// The file that rows were read from, as far as its name does not tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Name of the file format: `csv`, `npy`, …; 1 to 16 ASCII letters and digits.
    pub format: String,
    /// Which part of such a file the rows were, in words of its format: the name of an array or of a
    /// tensor, or the names of pictures, one on a line. None where nothing is known of it.
    pub part: Option<String>,
    /// How the numbers are written, where the file is a table of text.
    pub text: Option<TextLayout>,
}

impl Origin {
    /// Makes the origin of rows that a file of `format` holds, of which no more is known.
    pub fn new(format: impl Into<String>) -> Self {
        Self { format: format.into(), part: None, text: None }
    }

    /// Adds how the table of text is written that the rows were.
    pub fn with_text(self, text: TextLayout) -> Self {
        Self { text: Some(text), ..self }
    }

    /// Adds which part of the file the rows were.
    pub fn with_part(self, part: impl Into<String>) -> Self {
        Self { part: Some(part.into()), ..self }
    }
}

/// How a table of text is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextLayout {
    /// What stands between fields; a space stands for any run of blanks.
    pub delimiter: u8,
    /// What stands between a number's whole part and its fraction: `.` or `,`.
    pub decimal_mark: u8,
    /// Whether lines end in CR and LF instead of LF.
    pub crlf: bool,
    /// Whether names that look like numbers stand there without quotes.
    pub bare_names: bool,
    /// What stands for a missing number; at most 16 bytes, empty for an empty field.
    pub missing: String,
    /// One for each column, or none where nothing is known of them.
    pub columns: Vec<TextColumn>,
    /// The columns that are no numbers, where they are known: readers of `.aez` files leave them to
    /// [`Reader::kept_text`](crate::Reader::kept_text).
    pub kept: Option<Arc<KeptText>>,
}

/// How the numbers of a column of text are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextColumn {
    /// The most digits that a number of the column has behind its decimal mark, 0 to 22; `None` where
    /// some number is not the `f64` nearest to a decimal of as many digits and less than 2⁵³ units.
    pub decimals: Option<u8>,
    /// Whether each number has exactly so many digits behind its decimal mark.
    pub fixed: bool,
    /// The column's largest number less its smallest, in units of the last of its decimals. Where those
    /// are not known, the exponent of that difference as the bits of an `f64` have it. 0 where it is
    /// not known.
    pub range: u64,
    /// How many digits give back the decimals that were read, where the fewest that tell an `f64` from
    /// all others do not.
    pub digits: Digits,
}

/// How many digits of an `f64` are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Digits {
    /// As few as tell it from every other.
    #[default]
    Fewest,
    /// So many from the first that is not 0 on, 16 to 40, as C's `%.17g` and `%.18e` write.
    Significant(u8),
    /// So many behind the decimal mark, 16 to 40, as C's `%.20f` writes.
    Decimals(u8),
}

impl Digits {
    /// Significant digits that are known: fewer come back as the fewest.
    pub(crate) const SIGNIFICANT: RangeInclusive<u8> = 16..=40;
    /// Digits behind the mark that are known: fewer are those of [`TextColumn::decimals`].
    pub(crate) const DECIMALS: RangeInclusive<u8> = 16..=40;
}

impl Default for TextLayout {
    /// Commas, points, and LF: what most programs read.
    fn default() -> Self {
        Self {
            delimiter: b',',
            decimal_mark: b'.',
            crlf: false,
            bare_names: false,
            missing: String::new(),
            columns: Vec::new(),
            kept: None,
        }
    }
}
