//! What is missing from rows, from what is there.

use super::learn::learn;
use super::model::Model;
use super::{cells, spread};
use crate::compress::{Codec, Config, Patches};
use crate::error::{Error, Result};
use crate::matrix::{DType, Matrix, Rows, Schema};

/// Passes over a row until its missing values stay where they are, at most.
const PASSES: usize = 30;
/// How many times a codec is learned from rows whose missing values the last one gave.
const ROUNDS: usize = 2;
/// Share of values that is hidden while learning, at least.
const HIDDEN: f64 = 0.25;
/// Rows without a missing value that are enough to learn from.
const WHOLE: usize = 2000;

/// Which values are missing: those that are not finite, and those that are `code`, where a code
/// stands for missing values. Rows × columns.
///
/// # Errors
/// As the rows give them.
pub fn missing_values(rows: &dyn Rows, code: Option<f64>) -> Result<Vec<bool>> {
    let mut out = Vec::with_capacity(rows.len() * rows.schema().width());
    for part in cells::parts(rows.len(), rows.schema().width()) {
        let values = cells::read(rows, part)?;
        out.extend(values.iter().map(|x| !x.is_finite() || Some(*x) == code));
    }
    Ok(out)
}

/// Fills in what is `missing` from `rows`: rows × columns of them. All other values stay as they
/// are, bit for bit.
///
/// With a codec, its networks say what the missing values are. One that was learned with parts
/// hidden ([`TrainConfig::mask`](crate::TrainConfig)) is told which, and gives all at once. Any
/// other starts at the columns' means and puts its own reconstruction in place of what is missing
/// until that no longer changes (for a linear codec that is maximum likelihood, by expectation
/// maximisation: Tipping and Bishop 1999, section 3.3 of *Probabilistic principal component
/// analysis*). Without a codec, one with parts hidden is learned from the rows with `config`:
/// from those that lack nothing if there are enough, else twice, the second time from what the
/// first one filled in.
///
/// # Errors
/// `Argument` if `missing` is not as long as there are values, or as [`Codec::fit`] and
/// [`Model::embed`].
///
/// ```no_run
/// use aezip::{Config, impute, input, missing_values};
/// let rows = input::open("stations.csv", &Default::default())?;
/// let missing = missing_values(&*rows, None)?;
/// let filled = impute(&*rows, &missing, None, &Config::default())?;
/// # Ok::<(), aezip::Error>(())
/// ```
pub fn impute(
    rows: &dyn Rows,
    missing: &[bool],
    codec: Option<&Codec>,
    config: &Config,
) -> Result<Matrix> {
    let (schema, width) = (rows.schema(), rows.schema().width());
    if Some(missing.len()) != rows.len().checked_mul(width) {
        return Err(Error::argument(format!(
            "{} values are said to be missing or not, but there are {} rows of {width}",
            missing.len(),
            rows.len()
        )));
    }
    let mut values = cells::read(rows, 0..rows.len())?;
    if !missing.contains(&true) {
        let mut bytes = vec![0; rows.len() * schema.row_bytes()];
        rows.read(0, &mut bytes)?;
        return Matrix::new(schema.clone(), bytes);
    }
    if width < 2 {
        return Err(Error::argument(
            "rows of one number say nothing about it where it is missing: give rows of more",
        ));
    }
    if codec.is_none() && !missing.contains(&false) {
        return Err(Error::argument("every value is missing, so there is nothing to learn from"));
    }
    match codec {
        Some(codec) => {
            let model = Model::new(codec)?;
            model.expect(schema)?;
            fill(&model, &mut values, missing)?;
        }
        None => learned(schema, &mut values, missing, config)?,
    }
    // Only what was missing is new: a computed number may have lost bits on its way.
    let mut bytes = cells::bytes(schema.dtype, &values);
    let size = schema.dtype.size();
    let mut kept = vec![0; bytes.len()];
    rows.read(0, &mut kept)?;
    for (at, _) in missing.iter().enumerate().filter(|(_, missing)| !**missing) {
        bytes[at * size..(at + 1) * size].copy_from_slice(&kept[at * size..(at + 1) * size]);
    }
    Matrix::new(schema.clone(), bytes)
}

/// Fills in with codecs learned from the values themselves.
fn learned(schema: &Schema, values: &mut [f64], missing: &[bool], config: &Config) -> Result<()> {
    let width = schema.width();
    let spreads = spread::of_table(schema, &present(values, missing));
    if let Some(spreads) = &spreads {
        spread::reduce(values, spreads);
    }
    start_at_means(values, missing, width);
    let mut config = config.clone();
    if !config.train.is_kind() {
        let share = missing.iter().filter(|m| **m).count() as f64 / missing.len().max(1) as f64;
        match schema.row_shape.len() {
            1 | 2 => config.train.mask = Some(Patches::new(1, 1, share.clamp(HIDDEN, 0.75))),
            _ => config.train.denoise.zero = Some(share.clamp(HIDDEN, 0.75)),
        }
    }
    let dtype = if spreads.is_some() { DType::F32 } else { cells::float(schema.dtype) };
    let whole: Vec<usize> = (0..values.len() / width)
        .filter(|i| !missing[i * width..(i + 1) * width].contains(&true))
        .collect();
    let rounds = if whole.len() >= WHOLE { 1 } else { ROUNDS };
    for _ in 0..rounds {
        let mut rows = cells::matrix(schema, dtype, values)?;
        if rounds == 1 {
            rows = spread::chosen(&rows, &whole)?;
        }
        let model = Model::new(&learn(&rows, &config)?)?;
        fill(&model, values, missing)?;
    }
    if let Some(spreads) = &spreads {
        spread::restore(values, spreads);
    }
    Ok(())
}

/// The values with NaN for what is missing.
fn present(values: &[f64], missing: &[bool]) -> Vec<f64> {
    values.iter().zip(missing).map(|(x, m)| if *m { f64::NAN } else { *x }).collect()
}

/// Each missing value becomes its column's mean.
fn start_at_means(values: &mut [f64], missing: &[bool], width: usize) {
    for j in 0..width {
        let (mut sum, mut count) = (0.0, 0.0);
        for (x, m) in values.iter().zip(missing).skip(j).step_by(width) {
            if !m && x.is_finite() {
                sum += x;
                count += 1.0;
            }
        }
        let mean = if count > 0.0 { sum / count } else { 0.0 };
        for (x, m) in values.iter_mut().zip(missing).skip(j).step_by(width) {
            if *m {
                *x = mean;
            }
        }
    }
}

/// Puts what the model says in the place of what is missing.
fn fill(model: &Model, values: &mut [f64], missing: &[bool]) -> Result<()> {
    let width = model.schema.width();
    for part in cells::parts(values.len() / width, width) {
        let range = part.start * width..part.end * width;
        let (own, missing) = (&mut values[range.clone()], &missing[range]);
        let mut given = model.reconstructed(own, &|at| missing[at])?;
        replace(own, &given, missing);
        if model.is_masked() {
            continue;
        }
        let mut moved = f64::INFINITY;
        for _ in 1..PASSES {
            given = model.reconstructed(own, &|_| false)?;
            let now = replace(own, &given, missing);
            // It settles, or does not.
            if now <= 1e-6 || now > 4.0 * moved {
                break;
            }
            moved = now;
        }
    }
    Ok(())
}

/// The mean square of the change over that of all values.
fn replace(values: &mut [f64], given: &[f64], missing: &[bool]) -> f64 {
    let (mut change, mut size) = (0.0, f64::MIN_POSITIVE);
    for ((x, y), m) in values.iter_mut().zip(given).zip(missing) {
        if *m {
            change += if x.is_finite() { (*x - y).powi(2) } else { y * y };
            size += y * y;
            *x = *y;
        }
    }
    change / size
}
