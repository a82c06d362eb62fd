//! Scores of rows by a codec: how badly each is reconstructed, over the error that is expected.

use super::config::AnomalyConfig;
use super::expected_error::squared_errors;
use super::found::{self, lowest};
use crate::apps::column_scale::column_scales;
use crate::apps::column_units::ColumnUnits;
use crate::apps::learn::deviation;
use crate::apps::made::{Selected, read_found};
use crate::apps::model::{Model, nothing_hidden};
use crate::apps::principal::Principal;
use crate::apps::values;
use crate::codec::program::Program;
use crate::compress::{Codec, Config};
use crate::error::{Error, ErrorKind, Result};
use crate::matrix::{DType, Rows, Schema};
use crate::reader::Reader;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;

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

/// The share of the memory that rows may take that are compressed to see how many bits each takes.
const SHARE_OF_FILE: u64 = 2;

/// Rows from which the expected error of each column is measured.
#[derive(Clone, Copy)]
pub(super) struct Reference<'a> {
    pub(super) rows: &'a [usize],
    /// The least error expected of a column, as a share of the mean over columns.
    pub(super) least_expected: f64,
}

/// What gives rows back, so that their errors can be seen.
pub(super) enum Reconstruction {
    Model(Box<Model>),
    /// What stands for a codec where rows are few.
    Components(Principal),
}

impl Reconstruction {
    fn reconstructed(&self, values: &[f64]) -> Result<Vec<f64>> {
        match self {
            Self::Model(model) => model.reconstructed(values, &nothing_hidden),
            Self::Components(components) => Ok(components.reconstructed(values)),
        }
    }
}

/// A file in memory, of no more bytes than `most`.
struct Bounded {
    bytes: Vec<u8>,
    most: u64,
}

impl Write for Bounded {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if (self.bytes.len() + part.len()) as u64 > self.most {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        self.bytes.write(part)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Scores all rows by the bits that they take.
pub(super) fn by_bits(rows: &dyn Rows, codec: &Codec, config: &Config) -> Result<Vec<f64>> {
    let most = config.memory / SHARE_OF_FILE;
    let mut file = Bounded { bytes: Vec::new(), most };
    codec.compress(rows, config, &mut file).map_err(|error| match error.kind() {
        ErrorKind::Io if file.bytes.len() as u64 > most / 2 => Error::limit(format!(
            "the compressed rows take more than the {most} bytes of memory that are allowed for them: allow \
             more, or score fewer rows at once"
        )),
        _ => error,
    })?;
    let mut scores = Reader::new(file.bytes)?.row_bits()?;
    let width = rows.schema().width();
    for part in values::parts(rows.len(), width) {
        let values = values::read(rows, part.clone())?;
        let unknown = scores[part].iter_mut().zip(values::empty_rows(&values, width));
        unknown.filter(|(_, empty)| *empty).for_each(|(score, _)| *score = f64::NAN);
    }
    Ok(scores)
}

/// Scores all rows by what a codec gives back. The expected errors are measured from the `reference`;
/// without one, the codec says what errors it makes.
pub(super) fn score<'a>(
    rows: &Arc<dyn Rows + 'a>,
    own: Reconstruction,
    config: &Config,
    how: &AnomalyConfig,
    reference: Option<Reference<'_>>,
) -> Result<Contributions<'a>> {
    let mut known = None;
    if let (Reconstruction::Model(model), None) = (&own, reference) {
        known = known_squares(model)?;
    }
    if let Reconstruction::Model(model) = &own {
        model.expect(rows.schema())?;
        model.latent_networks()?;
    }
    let scale = error_units(&**rows, how, config)?;
    let schema = Schema::new(DType::F32, &[scale.len()]);
    let expected = vec![1.0; scale.len()];
    let mut found = Contributions { rows: rows.clone(), own, scale, expected, schema };
    found.expected = match (reference, known) {
        (Some(reference), _) => measured(&found, reference)?,
        (None, Some(known)) => {
            let known = known.iter().zip(&found.scale).map(|(k, s)| k / (s * s)).collect();
            at_least(LEAST_EXPECTED, known)
        }
        (None, None) => measured_without_worst(&found)?,
    };
    Ok(found)
}

/// Squared errors over the expected ones, rows × columns, found when they are read; NaN for missing values.
pub(super) struct Contributions<'a> {
    rows: Arc<dyn Rows + 'a>,
    own: Reconstruction,
    /// What errors of each column are measured in.
    scale: Vec<f64>,
    /// The squared error that is expected of each, in squares of that.
    expected: Vec<f64>,
    schema: Schema,
}

impl Contributions<'_> {
    fn of(&self, rows: Range<usize>) -> Result<Vec<f32>> {
        let values = values::read(&*self.rows, rows)?;
        let given = self.own.reconstructed(&values)?;
        let width = self.scale.len();
        let contribution = |(at, (x, y)): (usize, (&f64, &f64))| {
            let square = ((x - y) / self.scale[at % width]).powi(2);
            // A missing value is not scored; an infinite one is as wrong as can be.
            let square = if x.is_nan() { f32::NAN } else { square.min(MOST_SQUARE) as f32 };
            (f64::from(square) / self.expected[at % width]) as f32
        };
        Ok(values.iter().zip(&given).enumerate().map(contribution).collect())
    }
}

impl Rows for Contributions<'_> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        read_found(self, first, out, |rows| self.of(rows))
    }
}

/// What errors of each column are measured in: the columns' own spread in tables, else one unit
/// for all. Squares of large or tiny numbers, as they are, would be beyond what floats can say.
pub(super) fn error_units(
    rows: &dyn Rows,
    how: &AnomalyConfig,
    config: &Config,
) -> Result<Vec<f64>> {
    let width = rows.schema().width();
    if how.units(rows)? == ColumnUnits::Own {
        let scales = column_scales(&values::sample(rows, config.memory)?, width, 1.0);
        return Ok(scales.iter().map(|s| s.scale).collect());
    }
    let common = deviation(rows)?;
    Ok(vec![if common > 0.0 && common.is_finite() { common } else { 1.0 }; width])
}

/// The mean squared error of each column over the rows that the codec was learned from, in the
/// data's units, if the codec says so. It is better than measuring rows that are to be scored, as
/// most of those may be anomalies.
fn known_squares(model: &Model) -> Result<Option<Vec<f64>>> {
    let networks = model.latent_networks()?;
    let program = Program::new(networks.record.clone(), model.schema.dtype)?;
    let units = &networks.decoder.unit;
    let squares = squared_errors(&program);
    Ok(squares.map(|all| all.iter().zip(units).map(|(s, u)| s * u * u).collect()))
}

/// Raises expected errors to a share of their mean.
pub(super) fn at_least(share: f64, expected: Vec<f64>) -> Vec<f64> {
    let least = share * expected.iter().sum::<f64>() / expected.len() as f64;
    expected.into_iter().map(|e| e.max(least).max(f64::MIN_POSITIVE)).collect()
}

/// The mean squared error of each column over the reference rows.
fn measured(squares: &dyn Rows, reference: Reference<'_>) -> Result<Vec<f64>> {
    let width = squares.schema().width();
    let squares = Selected { rows: squares, places: reference.rows };
    let mut sums = vec![(0.0, 0.0_f64); width];
    for part in values::parts(squares.len(), width) {
        for row in found::read(&squares, part)?.chunks_exact(width) {
            for (sum, square) in sums.iter_mut().zip(row).filter(|(_, square)| !square.is_nan()) {
                *sum = (sum.0 + f64::from(*square), sum.1 + 1.0);
            }
        }
    }
    let mean = sums.iter().map(|(sum, n)| sum / n.max(1.0)).collect();
    Ok(at_least(reference.least_expected, mean))
}

/// The same over all rows but the worst.
fn measured_without_worst(squares: &dyn Rows) -> Result<Vec<f64>> {
    let scores = found::scores(squares)?;
    let rows = lowest(&scores, scores.len() - scores.len() / WORST_ONE_IN);
    measured(squares, Reference { rows: &rows, least_expected: LEAST_EXPECTED })
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
