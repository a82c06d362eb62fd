//! How many rows have to be decoded to get at one.

use crate::codec::context::LANES;
use crate::codec::program::Program;
use crate::error::{Error, Result};

/// How rows of a file will be asked for.
///
/// A row is decoded with those before it in its part of a block. Small parts are read quickly, and take
/// more bytes: each begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Access {
    /// In any way: parts are as small as costs less than a hundredth of the file. The default.
    #[default]
    Auto,
    /// Row by row, in any order: parts are a single row, or as many as are decoded side by side where rows
    /// are predicted from others.
    Row,
    /// From the first to the last: blocks are one part, and larger where rows are predicted from others.
    Scan,
    /// Parts have so many rows.
    Rows(std::num::NonZeroUsize),
}

impl std::str::FromStr for Access {
    type Err = Error;

    /// Reads `auto`, `row`, `scan` or a number of rows.
    ///
    /// # Errors
    /// `Argument` for anything else.
    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "auto" => Self::Auto,
            "row" => Self::Row,
            "scan" => Self::Scan,
            rows => Self::Rows(rows.parse().map_err(|_| {
                Error::argument("not auto, row, scan or a number of rows of at least 1")
            })?),
        })
    }
}

/// A block is a single part.
pub(crate) const ONE_PART: usize = usize::MAX;

/// Bytes of a part, about: it takes some four besides its rows. Half of this: files are 0.9 % larger.
const PART_BYTES: f64 = 400.0;
/// So many times as large are blocks of rows that are predicted from others, if none is asked for alone.
const SCAN_TIMES: f64 = 4.0;

impl Access {
    /// Returns the rows of a part where a row takes `bytes_per_row` and is not predicted from others.
    pub(super) fn part_rows(self, program: &Program, bytes_per_row: f64) -> usize {
        match self {
            // Rows without a bit each are all alike.
            _ if program.constant => ONE_PART,
            Self::Auto => ((PART_BYTES / bytes_per_row.max(0.01)) as usize).max(1),
            Self::Row => 1,
            Self::Scan => ONE_PART,
            Self::Rows(rows) => rows.get(),
        }
    }

    /// Returns the rows of a block of rows that are predicted from others, if these say so.
    pub(super) fn block_rows(self) -> Option<usize> {
        match self {
            Self::Auto | Self::Scan => None,
            Self::Row => Some(LANES),
            Self::Rows(rows) => Some(rows.get()),
        }
    }

    /// Returns how many times as large a block of such rows is as one of files that are read in any way.
    pub(super) fn block_times(self) -> f64 {
        if self == Self::Scan { SCAN_TIMES } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_has_names_or_rows() {
        let access = |text: &str| text.parse::<Access>();
        assert_eq!(access("auto").unwrap(), Access::Auto);
        assert_eq!(access("row").unwrap(), Access::Row);
        assert_eq!(access("scan").unwrap(), Access::Scan);
        assert_eq!(access("16").unwrap(), Access::Rows(16.try_into().unwrap()));
        assert!(access("0").is_err() && access("").is_err() && access("rows").is_err());
    }
}
