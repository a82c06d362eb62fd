//! The part of an array that `--region` asks for.

use crate::cli::args::range::RowRange;
use crate::cli::io::failure::Failure;
use std::ops::Range;
use std::str::FromStr;

/// Ranges along the axes of an array; those that are not given are whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Region(Vec<RowRange>);

impl Region {
    /// Returns the box of an array of shape `shape`.
    pub(crate) fn within(&self, shape: &[usize]) -> Result<Vec<Range<usize>>, Failure> {
        if self.0.len() > shape.len() {
            return Err(Failure::error(format!(
                "a region of {} axes asked for, but the array's shape is {shape:?}",
                self.0.len()
            )));
        }
        let given = self.0.iter().map(Some).chain(std::iter::repeat(None));
        let ranges = shape.iter().zip(given).enumerate().map(|(axis, (&there, range))| {
            let range = range.copied().unwrap_or(RowRange::ALL);
            range.among(there).map_err(|asked| {
                Failure::error(format!(
                    "{asked:?} asked for on axis {axis} of an array of shape {shape:?}"
                ))
            })
        });
        ranges.collect()
    }
}

impl FromStr for Region {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let axis = |part: &str| {
            match part.trim() {
            ":" => Ok(RowRange::ALL),
            other => other.parse::<RowRange>().map_err(|_| {
                format!(
                    "{part:?} is not a part of an axis; parts are A..B (without B), A.., ..B, N, or : \
                     for all, with commas between axes"
                )
            }),
        }
        };
        text.split(',').map(axis).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(text: &str, shape: &[usize]) -> Option<Vec<Range<usize>>> {
        text.parse::<Region>().unwrap().within(shape).ok()
    }

    #[test]
    fn every_form_means_what_it_says() {
        assert_eq!(within("0..10,:,40..60", &[20, 30, 60]), Some(vec![0..10, 0..30, 40..60]));
        assert_eq!(within("3, ..2", &[20, 30, 4]), Some(vec![3..4, 0..2, 0..4]));
        assert_eq!(within("5..", &[5, 2]), Some(vec![5..5, 0..2]));
    }

    #[test]
    fn what_is_not_there_is_refused() {
        for text in ["0..21,:", "20,:", ":,6..", ":,:,:"] {
            assert_eq!(within(text, &[20, 5]), None, "{text}");
        }
        assert_eq!(within(":", &[]), None);
        for text in ["", "a", "1..2;3", "1-2", ":,", "-1..", "3..2"] {
            assert!(text.parse::<Region>().is_err(), "{text}");
        }
    }
}
