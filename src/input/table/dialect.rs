//! Which delimiter a table has, and how it writes its numbers.

use super::notation::{Field, Notation};
use super::sample::{Cell, split};
use crate::error::{Error, Result};
use crate::input::options::TextOptions;

/// What may stand between fields; the first of those that fit equally well is taken.
const DELIMITERS: [u8; 5] = [b'\t', b';', b',', b'|', b' '];
/// How numbers may be written, likewise.
const NOTATIONS: [Notation; 9] = [
    Notation::PLAIN,
    DECIMAL_COMMA,
    COMMA_GROUPS,
    Notation { mark: b',', grouping: Some(b'.') },
    Notation { mark: b'.', grouping: Some(b' ') },
    Notation { mark: b',', grouping: Some(b' ') },
    Notation { mark: b'.', grouping: Some(b'\'') },
    Notation { mark: b',', grouping: Some(b'\'') },
    Notation { mark: b'.', grouping: Some(b'_') },
];
const DECIMAL_COMMA: Notation = Notation { mark: b',', grouping: None };
const COMMA_GROUPS: Notation = Notation { mark: b'.', grouping: Some(b',') };
/// Fields that are looked at to find out how numbers are written.
const FIELDS: usize = 50_000;

/// How a table of text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) notation: Notation,
}

/// How well a delimiter fits.
struct Fit {
    delimiter: u8,
    /// The share of lines with as many fields as most have.
    regular: f64,
    /// The share of fields below the first line that are numbers or missing.
    numeric: f64,
    notation: Result<Notation>,
}

/// Finds how a table that begins with `lines` is written.
pub(super) fn detect(lines: &[&[u8]], options: &TextOptions) -> Result<Dialect> {
    let delimiters = options.delimiter.map_or(DELIMITERS.to_vec(), |d| vec![d]);
    let mut best: Option<Fit> = None;
    for delimiter in delimiters {
        let table: Vec<Vec<Cell>> = lines.iter().map(|line| split(line, delimiter)).collect();
        let Some(fit) = Fit::new(delimiter, &table, options) else { continue };
        if best.as_ref().is_none_or(|best| fit.is_better_than(best)) {
            best = Some(fit);
        }
    }
    let Some(fit) = best else {
        // One column; what stands between others does not matter.
        let delimiter = options.delimiter.unwrap_or(b',');
        let cell = |line: &&[u8]| vec![Cell { text: line.to_vec(), quoted: false }];
        let table: Vec<_> = lines.iter().map(cell).collect();
        let (notation, _) = notation(&table, delimiter, options);
        return Ok(Dialect { delimiter, notation: notation? });
    };
    Ok(Dialect { delimiter: fit.delimiter, notation: fit.notation? })
}

impl Fit {
    /// Looks at lines that were split; `None` where most of them have one field.
    fn new(delimiter: u8, table: &[Vec<Cell>], options: &TextOptions) -> Option<Self> {
        let mut sorted = widths(table);
        sorted.sort_unstable();
        let usual = sorted.chunk_by(|a, b| a == b).max_by_key(|run| run.len())?;
        if usual[0] < 2 {
            return None;
        }
        // A missing last field leaves a delimiter at the end, too.
        let fits = |line: &Vec<Cell>| width(line) == usual[0] || line.len() == usual[0];
        let regular: Vec<Vec<Cell>> = table.iter().filter(|line| fits(line)).cloned().collect();
        let (notation, numeric) = notation(&regular, delimiter, options);
        let regular = regular.len() as f64 / table.len() as f64;
        Some(Self { delimiter, regular, numeric, notation })
    }

    fn is_better_than(&self, other: &Self) -> bool {
        let key = |fit: &Self| (fit.regular == 1.0, fit.regular * fit.numeric);
        key(self).partial_cmp(&key(other)) == Some(std::cmp::Ordering::Greater)
    }
}

/// Returns the number of fields, not counting what follows a delimiter at the line's end.
fn width(line: &[Cell]) -> usize {
    let trailing = line.len() > 1 && line.last().is_some_and(|c| c.text.is_empty() && !c.quoted);
    line.len() - usize::from(trailing)
}

/// Returns the number of fields of each line, not counting what follows delimiters at all lines'
/// ends. Where some line has something there, and all have as many fields, it is a column, in which
/// next to all is missing.
fn widths(table: &[Vec<Cell>]) -> Vec<usize> {
    let is_even = table.windows(2).all(|pair| pair[0].len() == pair[1].len());
    if is_even && table.iter().any(|line| width(line) == line.len()) {
        return table.iter().map(Vec::len).collect();
    }
    table.iter().map(|line| width(line)).collect()
}

/// Finds how numbers are written, and which share of the fields below the first line are numbers or
/// missing then.
fn notation(table: &[Vec<Cell>], delimiter: u8, options: &TextOptions) -> (Result<Notation>, f64) {
    let cells: Vec<&Cell> = table.iter().flatten().take(FIELDS).collect();
    let allowed = |notation: &&Notation| {
        let marked = options.decimal_mark.is_none_or(|mark| mark == notation.mark);
        let grouped = options.thousands.is_none_or(|g| Some(g) == notation.grouping);
        let blank = delimiter == b' ' && notation.grouping == Some(b' ');
        marked && grouped && !blank
    };
    let mut best: Option<(Notation, f64)> = None;
    // How well both readings of a comma do.
    let mut commas = [0.0; 2];
    for candidate in NOTATIONS.iter().filter(allowed) {
        let share = share(&cells, *candidate);
        if best.is_none_or(|best| share > best.1) {
            best = Some((*candidate, share));
        }
        if let Some(i) = [DECIMAL_COMMA, COMMA_GROUPS].iter().position(|n| n == candidate) {
            commas[i] = share;
        }
        if *candidate == Notation::PLAIN && share == 1.0 {
            break;
        }
    }
    let Some((chosen, _)) = best else {
        let what =
            "the decimal mark and what stands between thousands must be different characters";
        return (Err(Error::argument(what)), 0.0);
    };
    let body: Vec<&Cell> =
        cells.split_at(table.first().map_or(0, Vec::len).min(cells.len())).1.to_vec();
    let numeric = share(if body.is_empty() { &cells } else { &body }, chosen);
    let told = options.decimal_mark.is_some() || options.thousands.is_some();
    // Semicolons stand where commas are needed for decimals.
    let plain = told || delimiter == b';';
    if chosen == DECIMAL_COMMA && commas[0] == commas[1] && !plain {
        return (Err(ambiguous(&cells)), numeric);
    }
    (Ok(chosen), numeric)
}

/// Returns the share of fields that are numbers or missing.
fn share(cells: &[&Cell], notation: Notation) -> f64 {
    let numbers = cells.iter().filter(|c| notation.parse(&c.text) != Field::Text).count();
    numbers as f64 / cells.len().max(1) as f64
}

/// Says that a comma may be one thing or the other.
fn ambiguous(cells: &[&Cell]) -> Error {
    let example = cells.iter().find(|c| {
        Notation::PLAIN.parse(&c.text) == Field::Text && DECIMAL_COMMA.parse(&c.text) != Field::Text
    });
    let example = example.map_or(String::new(), |c| String::from_utf8_lossy(&c.text).into_owned());
    Error::argument(format!(
        "{example:?} is a number with a decimal comma, or with a comma between thousands; say which: \
         --decimal , or --thousands ,"
    ))
}
