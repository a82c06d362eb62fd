//! What to assume about a file, where it does not say it itself.

use super::format::Format;
use crate::fidelity::Fidelity;
use crate::matrix::DType;
use std::sync::{Arc, Mutex};

/// What to assume about a file that does not say it itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OpenOptions {
    /// Type and shape of a file of nothing but numbers; makes the format [`Format::Raw`]. A file that
    /// is seen to be of another format is refused, unless [`Format::Raw`] is asked for.
    pub raw: Option<RawLayout>,
    /// Names of the columns of a table to keep, in this order; the others may hold text.
    /// Without a header the names are `column 0`, `column 1`, ….
    pub columns: Option<Vec<String>>,
    /// Which array of an `.npz` or tensor of a `.safetensors` file, by its name; needed where there are
    /// several.
    pub array: Option<String>,
    /// Keep columns of a table that are no numbers as text beside the rows
    /// ([`TextLayout::kept`](crate::TextLayout::kept)), instead of refusing it: words, dates, and
    /// numbers that no type holds exactly beside the others. One column of numbers must be left.
    pub keep_text: bool,
    /// The format, if it is not to be found out.
    pub format: Option<Format>,
    /// How a table of text is written, where that is not to be found out.
    pub text: TextOptions,
    /// What decimals of a table may be off by when they are read as the nearest `f64`.
    pub rounding: Rounding,
    /// Where to say what was decided about a file that does not say it itself.
    pub notes: Notes,
}

/// What decimals of a table may be off by when they are read as the nearest `f64`. A column with one that
/// is farther from it is kept as text ([`OpenOptions::keep_text`]) or refused, and so is one with a
/// number beyond all finite `f64`s, whatever is allowed.
///
/// Decimals that are `f64`s printed with more digits than those need, all of a column with equally many,
/// stand for these `f64`s: nothing is rounded ([`TextColumn::digits`](crate::TextColumn::digits)).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Rounding {
    /// As far as the nearest `f64` is.
    #[default]
    Nearest,
    /// Surely so little that whoever compresses the rows within this bound keeps it for the decimals, too;
    /// with 0 none is rounded.
    Within(f64),
    /// The same, for this share of the column's range.
    WithinShare(f64),
}

impl Rounding {
    /// Returns what decimals may be rounded by when they are read, if this is promised of them.
    pub fn for_promise(promise: &Fidelity) -> Self {
        match promise {
            Fidelity::Lossless => Rounding::Within(0.0),
            Fidelity::MaxError(bound) => Rounding::Within(bound.floor()),
            Fidelity::MaxErrorRel(share) => Rounding::WithinShare(share.floor()),
            Fidelity::MaxErrorColumns(bounds) => {
                // Columns that are not named come back exactly.
                let others = bounds.iter().any(|(name, _)| name == "*");
                let most = if others { f64::INFINITY } else { 0.0 };
                Rounding::Within(bounds.iter().map(|(_, bound)| bound.floor()).fold(most, f64::min))
            }
            _ => Rounding::Nearest,
        }
    }
}

/// Sentences about what was decided when a file was opened; all clones share them.
///
/// Two of them are always equal, so that they do not tell options apart.
#[derive(Debug, Clone, Default)]
pub struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    /// Takes the sentences that there are.
    pub fn take(&self) -> Vec<String> {
        self.0.lock().map_or_else(|_| Vec::new(), |mut notes| std::mem::take(&mut *notes))
    }

    pub(super) fn extend(&self, more: Vec<String>) {
        if let Ok(mut notes) = self.0.lock() {
            notes.extend(more);
        }
    }
}

impl PartialEq for Notes {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Notes {}

/// Type and shape of the numbers in a [`Format::Raw`] file: little-endian, row-major.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawLayout {
    /// Type of every number.
    pub dtype: DType,
    /// Numbers of type `f32` are stored as bfloat16, which is their upper half.
    pub bfloat16: bool,
    /// How many rows; `None`: as many as the file holds.
    pub rows: Option<u64>,
    /// Shape of one row.
    pub row_shape: Vec<usize>,
}

/// How to read a table of text; what is `None` is found out from its first lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextOptions {
    /// Whether the first line has the names of the columns.
    pub header: Option<bool>,
    /// How many lines to leave out at the beginning: titles, for example.
    pub skip: u64,
    /// What stands between fields: a character of ASCII; a space for any run of blanks.
    pub delimiter: Option<u8>,
    /// What stands between a number's whole part and its fraction: `.` or `,`.
    pub decimal_mark: Option<u8>,
    /// What stands between groups of three digits: `,`, `.`, a space, `'` or `_`.
    pub thousands: Option<u8>,
}
