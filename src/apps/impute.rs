//! What is missing from rows, from what is there.

use super::column_scale::{denormalise, normalise, table_scales};
use super::learn::config_for_uses;
use super::model::{Model, nothing_hidden};
use super::values;
use crate::compress::{Codec, Config, Patches};
use crate::error::{Error, Result};
use crate::matrix::{DType, Matrix, Rows, Schema};

/// Reconstructions of a row, at most, until its missing values stay where they are.
const PASSES: usize = 30;
/// Missing values stay where they are once the square of their change is this share of their own:
/// a thousandth of their size, finer than they can be known.
const SETTLED: f64 = 1e-6;
/// They will not settle where a change is so many times the one before, squared.
const DIVERGES: f64 = 4.0;
/// Rows without a missing value that are enough to learn from.
const ENOUGH_WHOLE_ROWS: usize = 2000;
/// How many times a codec is learned where there are fewer: first from rows whose gaps are filled
/// with means, then from what the first codec filled in.
const ROUNDS: usize = 2;
/// The share of values that is hidden while learning: as many as are missing, within these ends.
/// Fewer would hardly teach to fill gaps, more would leave too little to fill them from.
const HIDDEN: (f64, f64) = (0.25, 0.75);

/// Says of each value whether it is missing: rows × columns, row-major. Values that are not finite
/// are missing, and so are those equal to `code`, where a code such as -999 stands for them.
///
/// # Errors
/// Whatever reading the rows fails with, `Io` for files.
pub fn missing_values(rows: &dyn Rows, code: Option<f64>) -> Result<Vec<bool>> {
    let mut out = Vec::with_capacity(rows.len() * rows.schema().width());
    for part in values::parts(rows.len(), rows.schema().width()) {
        let values = values::read(rows, part)?;
        out.extend(values.iter().map(|x| !x.is_finite() || Some(*x) == code));
    }
    Ok(out)
}

/// Fills in the values of `rows` that `missing`, rows × columns, says are missing. All other
/// values stay as they are, bit for bit.
///
/// With a codec, its networks say what the missing values are. A codec that was learned with parts
/// of rows hidden ([`TrainConfig::mask`](crate::TrainConfig::mask)) is told which values are
/// missing and gives all of them at once. With any other codec, missing values start at their
/// columns' means and are replaced by their reconstruction until they no longer change; for a
/// linear codec that is maximum likelihood by expectation maximisation (Tipping and Bishop 1999,
/// *Probabilistic principal component analysis*, section 3.3).
///
/// Without a codec, one is learned from the rows with `config`, with parts of rows hidden: from
/// the rows that lack nothing if there are enough, else twice, the second time from what the first
/// codec filled in.
///
/// # Errors
/// `Argument` if `missing` is not as long as there are values, rows have one column only, every
/// value is missing, `codec` is for other rows or has no encoder, or there are too few rows to
/// learn from; otherwise whatever reading the rows fails with.
///
/// ```no_run
/// use aezip::apps::{impute, missing_values};
/// use aezip::{Config, input};
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
    let schema = rows.schema();
    check(rows, missing)?;
    let mut original = vec![0; rows.len() * schema.row_bytes()];
    rows.read(0, &mut original)?;
    if !missing.contains(&true) {
        return Matrix::new(schema.clone(), original);
    }
    if schema.width() < 2 {
        return Err(Error::argument(
            "rows of one number say nothing about it where it is missing: give rows of more",
        ));
    }
    let mut values = values::to_doubles(rows)?;
    match codec {
        Some(codec) => {
            let model = Model::new(codec)?;
            model.expect(schema)?;
            fill(&model, &mut values, missing)?;
        }
        None if !missing.contains(&false) => {
            return Err(Error::argument(
                "every value is missing, so there is nothing to learn from",
            ));
        }
        None => learn_and_fill(schema, &mut values, missing, config)?,
    }
    // Only what was missing is new: another value may have lost bits on its way through `f64`.
    let mut bytes = values::bytes(schema.dtype, &values);
    let cells = bytes.chunks_exact_mut(schema.dtype.size());
    let originals = original.chunks_exact(schema.dtype.size());
    for ((cell, original), _) in cells.zip(originals).zip(missing).filter(|(_, missing)| !**missing)
    {
        cell.copy_from_slice(original);
    }
    Matrix::new(schema.clone(), bytes)
}

/// Fails unless `missing` has as many entries as there are values.
fn check(rows: &dyn Rows, missing: &[bool]) -> Result<()> {
    let width = rows.schema().width();
    if Some(missing.len()) == rows.len().checked_mul(width) {
        return Ok(());
    }
    Err(Error::argument(format!(
        "{} values are said to be missing or not, but there are {} rows of {width}",
        missing.len(),
        rows.len()
    )))
}

/// Fills in with codecs learned from the values themselves.
fn learn_and_fill(
    schema: &Schema,
    values: &mut [f64],
    missing: &[bool],
    config: &Config,
) -> Result<()> {
    let width = schema.width();
    let scales = table_scales(schema, &present(values, missing));
    if let Some(scales) = &scales {
        normalise(values, scales);
    }
    start_at_means(values, missing, width);
    let config = hiding(schema, missing, config);
    let dtype = if scales.is_some() { DType::F32 } else { values::float(schema.dtype) };
    let whole: Vec<usize> = (0..values.len() / width)
        .filter(|i| !missing[i * width..(i + 1) * width].contains(&true))
        .collect();
    let from_whole_rows = whole.len() >= ENOUGH_WHOLE_ROWS;
    for _ in 0..if from_whole_rows { 1 } else { ROUNDS } {
        let mut rows = values::matrix(schema, dtype, values)?;
        if from_whole_rows {
            rows = values::select(&rows, &whole)?;
        }
        let model = Model::new(&Codec::fit(&rows, &config_for_uses(&rows, &config)?)?)?;
        fill(&model, values, missing)?;
    }
    if let Some(scales) = &scales {
        denormalise(values, scales);
    }
    Ok(())
}

/// The configuration with parts of rows hidden while learning, unless it asks for a kind of
/// network: single values, or where rows are not lines or images, values set to zero.
fn hiding(schema: &Schema, missing: &[bool], config: &Config) -> Config {
    let mut config = config.clone();
    if !config.train.is_kind() {
        let share = missing.iter().filter(|m| **m).count() as f64 / missing.len().max(1) as f64;
        let share = share.clamp(HIDDEN.0, HIDDEN.1);
        match schema.row_shape.len() {
            1 | 2 => config.train.mask = Some(Patches::new(1, 1, share)),
            _ => config.train.denoise.zero = Some(share),
        }
    }
    config
}

/// The values with NaN in place of the missing ones.
fn present(values: &[f64], missing: &[bool]) -> Vec<f64> {
    values.iter().zip(missing).map(|(x, m)| if *m { f64::NAN } else { *x }).collect()
}

/// Sets each missing value to its column's mean.
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

/// Sets missing values to what the model says they are.
fn fill(model: &Model, values: &mut [f64], missing: &[bool]) -> Result<()> {
    let width = model.schema.width();
    for part in values::parts(values.len() / width, width) {
        let range = part.start * width..part.end * width;
        let (own, missing) = (&mut values[range.clone()], &missing[range]);
        let given = model.reconstructed(own, &|at| missing[at])?;
        replace(own, &given, missing);
        if model.is_masked() {
            continue;
        }
        let mut last = f64::INFINITY;
        for _ in 1..PASSES {
            let given = model.reconstructed(own, &nothing_hidden)?;
            let change = replace(own, &given, missing);
            if change <= SETTLED || change > DIVERGES * last {
                break;
            }
            last = change;
        }
    }
    Ok(())
}

/// Sets missing values to those that are given; returns the mean square of the change over that of
/// the given values.
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
