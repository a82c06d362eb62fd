//! Rows that lie in lines, as the pixels of an image do: a row is like that one line before.

use crate::codec::fill::is_ordinary;
use crate::codec::value::{Cell, with_cell};
use crate::container::model::{MAX_LINE_OF_ROWS, MAX_LINE_VALUES};
use crate::encode::project::cells;
use crate::error::Result;
use crate::matrix::{FillValues, Rows};
use rayon::prelude::*;

/// Rows of a line at most, so that it is looked for.
const LONGEST: usize = 1024;
/// Lines that there are at least: else rows of the first one, which has none before, are many.
const LEAST_LINES: usize = 8;
/// Places of the file that are looked at, in halves of it, rows of each, and their bytes at most.
const PLACES: [usize; 3] = [1, 0, 2];
const ROWS: usize = 4096;
const BYTES: usize = 8 << 20;
/// Columns that are looked at.
const COLUMNS: usize = 16;
/// Differences count up to so many deviations of their column: a few wild ones do not decide.
const MOST_DIFFERENCE: f32 = 3.0;
/// Values of a row beyond which other places are looked at only where the first one tells of lines: rows are
/// then seldom pixels, and looking takes time.
const WIDE: usize = 32;
/// Differences that are added up side by side.
const LANES: usize = 16;
/// How much more alike than those one row nearer or farther rows a line apart are.
const ALIKE: f32 = 0.95;
/// How much less alike than two rows beside each other they may be.
const NEARLY_AS_NEAR: f32 = 1.5;

/// Returns the rows of a line, or 0 where rows do not lie in lines.
///
/// # Errors
/// `Io` if rows cannot be read.
pub(super) fn line_of_rows(rows: &dyn Rows) -> Result<usize> {
    let (schema, total) = (rows.schema(), rows.len());
    let (width, row_bytes) = (schema.width(), schema.row_bytes());
    let count = ROWS.min(total).min(BYTES / row_bytes.max(1));
    let longest = (count / 4)
        .min(total / LEAST_LINES)
        .min(LONGEST.min(MAX_LINE_OF_ROWS))
        .min(MAX_LINE_VALUES / width.max(1));
    if longest < 3 {
        return Ok(0);
    }
    let mut apart = vec![0.0; longest + 1];
    let mut bytes = vec![0; count * row_bytes];
    // The middle one first: it is the likeliest to be like the rest.
    let places = if count == total { &PLACES[..1] } else { &PLACES };
    for (looked_at, place) in places.iter().enumerate() {
        if looked_at == 1 && width > WIDE && likeliest(&apart).is_none() {
            break;
        }
        rows.read((total - count) * place / (PLACES.len() - 1), &mut bytes)?;
        let columns = with_cell!(schema.dtype, T => {
            columns::<T>(&cells(&bytes), width, &schema.fill_values)
        });
        let own = differences(&columns, longest);
        apart.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
    }
    Ok(likeliest(&apart).unwrap_or(0))
}

/// Returns some columns, in deviations from their means; what is not a number is 0.
fn columns<T: Cell>(cells: &[T], width: usize, fills: &FillValues) -> Vec<Vec<f32>> {
    let some = COLUMNS.min(width);
    let column = |i: usize| {
        let own = cells.iter().skip(i * width / some).step_by(width);
        let ordinary = |x: &T| is_ordinary(*x, fills);
        let numbers = || own.clone().filter(|x| ordinary(x)).map(|x| x.to_f64());
        let count = numbers().count().max(1) as f64;
        let mean = numbers().sum::<f64>() / count;
        let deviation = (numbers().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
        let scale = if deviation > 0.0 { 1.0 / deviation } else { 0.0 };
        let scaled = |x: &T| if ordinary(x) { ((x.to_f64() - mean) * scale) as f32 } else { 0.0 };
        own.clone().map(scaled).collect()
    };
    (0..some).map(column).collect()
}

/// Returns the mean difference of values so many rows apart, for 0 to `longest`.
fn differences(columns: &[Vec<f32>], longest: usize) -> Vec<f32> {
    let apart = |lag: usize| -> f32 {
        let of_column = |column: &Vec<f32>| {
            let later = &column[lag..];
            sum_of_differences(later, &column[..later.len()]) / later.len() as f32
        };
        columns.iter().map(of_column).sum()
    };
    (0..=longest).into_par_iter().map(apart).collect()
}

/// Adds up how much numbers differ, in several sums at once.
fn sum_of_differences(a: &[f32], b: &[f32]) -> f32 {
    let difference = |a: f32, b: f32| (a - b).abs().min(MOST_DIFFERENCE);
    let (a, rest_of_a) = a.as_chunks::<LANES>();
    let (b, rest_of_b) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += difference(*a, *b);
        }
    }
    let rest = rest_of_a.iter().zip(rest_of_b).map(|(a, b)| difference(*a, *b));
    sums.into_iter().chain(rest).sum()
}

/// Returns how many rows apart rows are much more alike than a row nearer or farther.
fn likeliest(apart: &[f32]) -> Option<usize> {
    let dip = |lag: usize| apart[lag] / apart[lag - 1].min(apart[lag + 1]).max(f32::MIN_POSITIVE);
    let lines = (2..apart.len() - 1)
        .filter(|&lag| dip(lag) < ALIKE && apart[lag] < NEARLY_AS_NEAR * apart[1]);
    lines.min_by(|&a, &b| apart[a].total_cmp(&apart[b]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;
    use crate::matrix::rng::Rng;

    /// Pixels of some colours, smooth in both directions, in lines of `line`.
    fn pixels(line: usize, lines: usize, noise: f32, colours: usize) -> Matrix {
        let mut rng = Rng::new(8);
        let mut values = Vec::new();
        for i in 0..line * lines {
            let (x, y) = ((i % line) as f32, (i / line) as f32);
            for colour in 0..colours {
                let smooth = (0.3 * x + colour as f32).sin() + (0.21 * y - 0.1 * x).cos();
                values.push(smooth + noise * (rng.unit() - 0.5));
            }
        }
        Matrix::from_slice(&values, &[colours]).unwrap()
    }

    #[test]
    fn lines_are_found_where_rows_are_pixels() {
        assert_eq!(line_of_rows(&pixels(61, 90, 0.3, 3)).unwrap(), 61);
        assert_eq!(line_of_rows(&pixels(61, 90, 0.3, 50)).unwrap(), 61);
        // Few lines.
        assert_eq!(line_of_rows(&pixels(61, 7, 0.3, 3)).unwrap(), 0);
    }

    #[test]
    fn nothing_is_found_in_a_series_or_in_noise() {
        let mut rng = Rng::new(3);
        let mut at = 0.0;
        let walk = |_| {
            at += rng.unit() - 0.5;
            at
        };
        let series: Vec<f32> = (0..9000).map(walk).collect();
        assert_eq!(line_of_rows(&Matrix::from_slice(&series, &[3]).unwrap()).unwrap(), 0);
        let noise: Vec<f32> = (0..9000).map(|_| rng.unit()).collect();
        assert_eq!(line_of_rows(&Matrix::from_slice(&noise, &[3]).unwrap()).unwrap(), 0);
        let same = vec![f32::NAN; 3000];
        assert_eq!(line_of_rows(&Matrix::from_slice(&same, &[1]).unwrap()).unwrap(), 0);
        assert_eq!(line_of_rows(&Matrix::from_slice(&[1.0_f32], &[1]).unwrap()).unwrap(), 0);
    }
}
