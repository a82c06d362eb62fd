//! Scores of rows by a codec: how badly each is reconstructed, over the error that is expected.

use super::config::{AnomalyConfig, AnomalyScore};
use super::expected_error::squared_errors;
use super::found::{Anomalies, lowest, row_score};
use crate::apps::column_scale::column_scales;
use crate::apps::column_units::ColumnUnits;
use crate::apps::learn::deviation;
use crate::apps::model::{Model, nothing_hidden};
use crate::apps::principal::Principal;
use crate::apps::values;
use crate::codec::program::Program;
use crate::compress::{Codec, Config};
use crate::error::Result;
use crate::matrix::Rows;
use crate::reader::Reader;

/// The least error expected of a column, as a share of the mean over columns. Without it, the
/// least deviation in a column that hardly varies would count more than anything else.
pub(super) const LEAST_EXPECTED: f64 = 1.0;
/// Where nothing says which rows are ordinary, one row in so many, the worst ones, has no part in
/// the expected error: the smallest number that still leaves out the anomalies that most data
/// have.
const WORST_ONE_IN: usize = 10;
/// The squared error, in squared deviations, of an infinite value: beyond any that occurs, and
/// small enough that sums of it stay finite.
const MOST_SQUARE: f64 = 1e30;

/// Rows from which the expected error of each column is measured.
#[derive(Clone, Copy)]
pub(super) struct Reference<'a> {
    pub(super) rows: &'a [usize],
    /// The least error expected of a column, as a share of the mean over columns.
    pub(super) least_expected: f64,
}

/// What rows are judged by.
#[derive(Clone, Copy)]
pub(super) enum Judge<'a> {
    Codec(&'a Codec),
    /// What stands for a codec where rows are few; it knows errors only, not bits.
    Components(&'a Principal),
}

/// What gives rows back, so that their errors can be seen.
enum Reconstruction<'a> {
    Model(Box<Model>),
    Components(&'a Principal),
}

impl Reconstruction<'_> {
    fn reconstructed(&self, values: &[f64]) -> Result<Vec<f64>> {
        match self {
            Self::Model(model) => model.reconstructed(values, &nothing_hidden),
            Self::Components(components) => Ok(components.reconstructed(values)),
        }
    }
}

/// Scores all rows. The expected errors are measured from the `reference`; without one, the codec
/// says what errors it makes.
pub(super) fn score(
    rows: &dyn Rows,
    judge: Judge<'_>,
    config: &Config,
    how: &AnomalyConfig,
    reference: Option<Reference<'_>>,
) -> Result<Anomalies> {
    let width = rows.schema().width();
    match (how.score, judge) {
        (AnomalyScore::Bits, Judge::Codec(codec)) => {
            let mut file = Vec::new();
            codec.compress(rows, config, &mut file)?;
            let mut scores = Reader::new(file)?.row_bits()?;
            let empty: Vec<bool> = values::empty_rows(&values::to_doubles(rows)?, width).collect();
            let unknown = scores.iter_mut().zip(empty).filter(|(_, empty)| *empty);
            unknown.for_each(|(score, _)| *score = f64::NAN);
            Ok(Anomalies::new(scores, Vec::new(), how.contamination))
        }
        _ => {
            let columns = contributions(rows, judge, how, reference)?;
            Ok(Anomalies::of_columns(columns, width, how.contamination))
        }
    }
}

/// Squared errors over the expected ones: rows × columns.
fn contributions(
    rows: &dyn Rows,
    judge: Judge<'_>,
    how: &AnomalyConfig,
    reference: Option<Reference<'_>>,
) -> Result<Vec<f32>> {
    let (own, known) = match judge {
        Judge::Codec(codec) => {
            let model = Box::new(Model::new(codec)?);
            model.expect(rows.schema())?;
            let known = if reference.is_none() { known_squares(&model)? } else { None };
            (Reconstruction::Model(model), known)
        }
        Judge::Components(components) => (Reconstruction::Components(components), None),
    };
    let scale = error_units(rows, how)?;
    let mut squares = squares(&own, rows, &scale)?;
    let expected = match (reference, known) {
        (Some(reference), _) => measured(&squares, scale.len(), reference),
        (None, Some(known)) => {
            let known = known.iter().zip(&scale).map(|(k, s)| k / (s * s)).collect();
            at_least(LEAST_EXPECTED, known)
        }
        (None, None) => measured_without_worst(&squares, scale.len()),
    };
    for row in squares.chunks_exact_mut(expected.len()) {
        row.iter_mut().zip(&expected).for_each(|(s, e)| *s = (f64::from(*s) / e) as f32);
    }
    Ok(squares)
}

/// What errors of each column are measured in: the columns' own spread in tables, else one unit
/// for all. Squares of large or tiny numbers, as they are, would be beyond what floats can say.
fn error_units(rows: &dyn Rows, how: &AnomalyConfig) -> Result<Vec<f64>> {
    let width = rows.schema().width();
    if how.units(rows)? == ColumnUnits::Own {
        let scales = column_scales(&values::to_doubles(rows)?, width, 1.0);
        return Ok(scales.iter().map(|s| s.scale).collect());
    }
    let common = deviation(rows)?;
    Ok(vec![if common > 0.0 && common.is_finite() { common } else { 1.0 }; width])
}

/// Squared errors of all values in squares of their columns' `scale`: rows × columns, NaN for
/// missing values.
fn squares(own: &Reconstruction<'_>, rows: &dyn Rows, scale: &[f64]) -> Result<Vec<f32>> {
    let width = scale.len();
    let mut squares = Vec::with_capacity(rows.len() * width);
    for part in values::parts(rows.len(), width) {
        let values = values::read(rows, part)?;
        let given = own.reconstructed(&values)?;
        squares.extend(values.iter().zip(&given).enumerate().map(|(at, (x, y))| {
            let square = ((x - y) / scale[at % width]).powi(2);
            // A missing value is not scored; an infinite one is as wrong as can be.
            if x.is_nan() { f32::NAN } else { square.min(MOST_SQUARE) as f32 }
        }));
    }
    Ok(squares)
}

/// The mean squared error of each column over the rows that the codec was learned from, in the
/// data's units, if the codec says so. It is better than measuring rows that are to be scored, as
/// most of those may be anomalies.
fn known_squares(model: &Model) -> Result<Option<Vec<f64>>> {
    let program = Program::new(model.record.clone(), model.schema.dtype)?;
    let units = &model.decoder.unit;
    let squares = squared_errors(&program);
    Ok(squares.map(|all| all.iter().zip(units).map(|(s, u)| s * u * u).collect()))
}

/// Raises expected errors to a share of their mean.
fn at_least(share: f64, expected: Vec<f64>) -> Vec<f64> {
    let least = share * expected.iter().sum::<f64>() / expected.len() as f64;
    expected.into_iter().map(|e| e.max(least).max(f64::MIN_POSITIVE)).collect()
}

/// The mean squared error of each column over the reference rows.
fn measured(squares: &[f32], width: usize, reference: Reference<'_>) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0_f64); width];
    for &i in reference.rows {
        let row = &squares[i * width..(i + 1) * width];
        for (sum, square) in sums.iter_mut().zip(row).filter(|(_, square)| !square.is_nan()) {
            *sum = (sum.0 + f64::from(*square), sum.1 + 1.0);
        }
    }
    let mean = sums.iter().map(|(sum, n)| sum / n.max(1.0)).collect();
    at_least(reference.least_expected, mean)
}

/// The same over all rows but the worst.
fn measured_without_worst(squares: &[f32], width: usize) -> Vec<f64> {
    let scores: Vec<f64> = squares.chunks_exact(width).map(row_score).collect();
    let rows = lowest(&scores, scores.len() - scores.len() / WORST_ONE_IN);
    measured(squares, width, Reference { rows: &rows, least_expected: LEAST_EXPECTED })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apps::learn::config_for_uses;
    use crate::compress::Loss;
    use crate::matrix::Matrix;
    use crate::matrix::rng::Rng;

    #[test]
    fn a_codec_knows_how_wrong_it_usually_is() {
        let mut rng = Rng::new(8);
        let wave = |i: usize| (0..12).map(move |j| ((i * 7 % 100) as f32 * 0.06 + j as f32).sin());
        let noise = |j: usize| if j.is_multiple_of(3) { 0.3 } else { 0.1 };
        let values: Vec<f32> = (0..1500)
            .flat_map(|i| wave(i).collect::<Vec<_>>())
            .enumerate()
            .map(|(at, x)| x + noise(at % 12) * rng.normal())
            .collect();
        let rows = Matrix::from_slice(&values, &[12]).unwrap();
        let mut config = Config::default();
        (config.train.loss, config.train.latents) = (Loss::SquaredError, Some(2));
        let codec = Codec::fit(&rows, &config_for_uses(&rows, &config).unwrap()).unwrap();
        let model = Model::new(&codec).unwrap();
        let given = values::to_doubles(&model.reconstruct(&rows).unwrap()).unwrap();
        for (j, known) in known_squares(&model).unwrap().unwrap().iter().enumerate() {
            let pairs = values.iter().zip(&given).skip(j).step_by(12);
            let real = pairs.map(|(x, y)| (f64::from(*x) - y).powi(2)).sum::<f64>() / 1500.0;
            assert!(known / real > 0.6 && known / real < 1.6, "{j}: {known} {real}");
        }
    }
}
