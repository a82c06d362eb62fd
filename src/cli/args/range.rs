//! The rows that `--rows` asks for.

use crate::cli::io::failure::Failure;
use crate::cli::io::numbers::grouped;
use std::ops::Range;
use std::str::FromStr;

/// A range `A..B` (without `B`), `A..`, `..B`, `..`, or one row `N`, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowRange {
    start: usize,
    end: Option<usize>,
}

impl RowRange {
    /// Every row.
    pub(crate) const ALL: Self = Self { start: 0, end: None };

    /// Returns the range among `rows` rows.
    pub(crate) fn within(self, rows: usize) -> Result<Range<usize>, Failure> {
        self.among(rows).map_err(|asked| {
            let there = grouped(rows as u64);
            Failure::error(format!("rows {asked:?} asked for, but the file has {there}"))
        })
    }

    /// Returns the range among `there` places, or what was asked for if it is not among them.
    pub(crate) fn among(self, there: usize) -> Result<Range<usize>, Range<usize>> {
        let end = self.end.unwrap_or(there.max(self.start));
        let range = self.start..end;
        if end > there || self.start > there { Err(range) } else { Ok(range) }
    }
}

impl FromStr for RowRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| {
            // `parse` would also take "+5".
            let digits = part.bytes().all(|b| b.is_ascii_digit());
            part.parse::<usize>().ok().filter(|_| digits).ok_or_else(|| {
                format!("{part:?} is not a row number; rows are A..B (without B), A.., ..B or N")
            })
        };
        let Some((start, end)) = text.split_once("..") else {
            let row = number(text)?;
            let end = row.checked_add(1).ok_or("the row number is too large")?;
            return Ok(Self { start: row, end: Some(end) });
        };
        let start = if start.is_empty() { 0 } else { number(start)? };
        let end = if end.is_empty() { None } else { Some(number(end)?) };
        match end {
            Some(end) if end < start => Err(format!("row {start} comes after row {end}")),
            _ => Ok(Self { start, end }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(text: &str, rows: usize) -> Option<Range<usize>> {
        text.parse::<RowRange>().unwrap().within(rows).ok()
    }

    #[test]
    fn every_form_means_what_it_says() {
        assert_eq!(within("2..5", 10), Some(2..5));
        assert_eq!(within("2..", 10), Some(2..10));
        assert_eq!(within("..5", 10), Some(0..5));
        assert_eq!(within("..", 10), Some(0..10));
        assert_eq!(within("7", 10), Some(7..8));
        assert_eq!(within("3..3", 10), Some(3..3));
        assert_eq!(within("10..", 10), Some(10..10));
        assert_eq!(within("..", 0), Some(0..0));
    }

    #[test]
    fn rows_past_the_end_are_refused() {
        for text in ["10", "11..", "2..11", "..11", "11..11"] {
            assert_eq!(within(text, 10), None, "{text}");
        }
        let failure = RowRange { start: 4, end: None }.within(3).unwrap_err();
        assert_eq!(failure.code(), 1);
    }

    #[test]
    fn nonsense_is_refused() {
        let nonsense = ["", "a", "-1", "+1", "5..2", "1..2..3", "1-2", "1..=2", "1...2", " 1"];
        for text in nonsense.into_iter().chain(["99999999999999999999", "18446744073709551615"]) {
            assert!(text.parse::<RowRange>().is_err(), "{text}");
        }
    }
}
