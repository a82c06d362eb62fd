//! Rows without their noise.
//!
//! `spectrum` tells noise from what rows have in common, `shrinkage` takes it out of their components,
//! and `mixture` out of rows that lie in groups.

mod mixture;
mod shrinkage;
mod spectrum;

use super::column_scale::{denormalise, normalise};
use super::column_units::ColumnUnits;
use super::model::Model;
use super::values;
use super::wild_rows::{distance_scales, wild_rows};
use crate::compress::Config;
use crate::error::Result;
use crate::matrix::{Matrix, Rows};
use shrinkage::shrink;

/// Rows or columns up to which all rows are worked on at once, and rows that are worked on at once
/// where there are more of both: the time it takes grows with the third power.
const MOST_ORDER: usize = 2048;
const BLOCK: usize = 1024;
/// The mean square of what rounding to whole numbers changes, a twelfth, and what it may be
/// measured as.
const ROUNDING: f64 = 1.2 / 12.0;

/// Replaces each row by what the codec makes of it: a matrix of the rows' own type and shape.
/// What rows do not have in common, noise above all, does not pass through the few latents. Missing
/// values (NaN) stay missing.
///
/// A codec that was trained to remove noise
/// ([`TrainConfig::denoise`](crate::TrainConfig::denoise)) does this best, if it has seen rows
/// without noise; without such a codec, see [`remove_noise`].
///
/// # Errors
/// `Argument` if the rows are not as wide as the codec's or there is no encoder; otherwise
/// whatever reading the rows fails with.
pub fn denoise(model: &Model, rows: &dyn Rows) -> Result<Matrix> {
    let given = model.reconstruct_as(rows, rows.schema().dtype)?;
    if !rows.schema().dtype.is_float() {
        return Ok(given);
    }
    let missing: Vec<bool> = values::to_doubles(rows)?.iter().map(|x| x.is_nan()).collect();
    if !missing.contains(&true) {
        return Ok(given);
    }
    let mut bytes = vec![0; given.bytes().len()];
    rows.read(0, &mut bytes)?;
    replace(&mut bytes, given.bytes(), rows.schema().dtype.size(), |at| !missing[at]);
    Matrix::new(rows.schema().clone(), bytes)
}

/// What [`remove_noise`] made of rows.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Denoised {
    /// The rows without noise, in their own type and shape.
    pub rows: Matrix,
    /// Whether the columns share a unit, in which the noise is then of one strength; else it is so
    /// in units of each column's spread.
    pub units: ColumnUnits,
    /// The standard deviation of the noise: in the data's unit if columns share one, else as a share
    /// of each column's spread. `None` if no noise could be told from what rows have in common; the
    /// rows are then as they were.
    pub noise: Option<f64>,
    /// The number of principal components that are more than noise.
    pub components: usize,
    /// Whether rows were found to lie in groups, or along a curve, and each was brought near those it
    /// may belong to.
    pub is_grouped: bool,
    /// Rows that are so far from all others, or infinite, that they are left as they were.
    pub wild_rows: usize,
}

/// Takes noise out of `rows`, learning from the rows themselves what they have in common. It is
/// meant for noise that is independent from value to value and of one strength: in all values if
/// columns [share a unit](ColumnUnits), else in units of each column's spread.
///
/// The strength of the noise is estimated from the components of least variance, and the others are
/// shrunk by the share of noise in them, which is the best that can be done with components (Gavish
/// and Donoho 2017, *Optimal shrinkage of singular values*). Rows that lie in groups, or along a
/// curve, are brought near the groups they may belong to, where rows held out say that this is
/// nearer. Where no noise can be told from what
/// rows have in common, they stay as they are, bit for bit. So do missing values (NaN), and rows a
/// hundred times as far from all others as those from each other. Of `config`, only the number of
/// threads has an effect.
///
/// ```
/// use aezip::{Config, Matrix, apps};
/// // Two waves in ten columns, and something like noise.
/// let clean = |i: i32, j: i32| f64::from(j) * (0.1 * f64::from(i)).sin() + (0.7 * f64::from(i + j)).cos();
/// let noise = |i: i32, j: i32| 0.2 * (f64::from(i * i * 7 + 13 * i * j + j * j) * 0.9).sin();
/// let noisy: Vec<f64> = (0..3000).map(|at| clean(at / 10, at % 10) + noise(at / 10, at % 10)).collect();
/// let found = apps::remove_noise(&Matrix::from_slice(&noisy, &[10])?, &Config::default())?;
/// let square = |x: f64| x * x;
/// let error = |values: &[f64]| -> f64 {
///     (0..).zip(values).map(|(at, x)| square(x - clean(at / 10, at % 10))).sum()
/// };
/// assert!(error(&found.rows.to_vec::<f64>()?) < 0.5 * error(&noisy));
/// # Ok::<(), aezip::Error>(())
/// ```
///
/// # Errors
/// Whatever reading the rows fails with, `Io` for files; `Argument` if there are no such threads.
pub fn remove_noise(rows: &dyn Rows, config: &Config) -> Result<Denoised> {
    config.on_threads(|| without_noise(rows))?
}

fn without_noise(rows: &dyn Rows) -> Result<Denoised> {
    let schema = rows.schema();
    let (width, size) = (schema.width(), schema.dtype.size());
    let mut bytes = vec![0; rows.len() * schema.row_bytes()];
    rows.read(0, &mut bytes)?;
    let values = values::to_doubles(rows)?;
    let judged = ColumnUnits::judge(schema, &values);
    let other = match judged {
        ColumnUnits::Shared => ColumnUnits::Own,
        ColumnUnits::Own => ColumnUnits::Shared,
    };
    // Noise need not be in the units that the data are in: what makes more components look like
    // noise of one strength is right.
    let mut found = clean(&values, width, judged);
    if width > 1 {
        let second = clean(&values, width, other);
        found = if second.tail > found.tail { second } else { found };
    }
    if !schema.dtype.is_float() && is_rounding(&values, &found) {
        // Rounding what comes out would add as much as is taken away, if it was noise at all.
        found.is_new.fill(false);
        (found.noise, found.components, found.is_grouped) = (None, 0, false);
    }
    // What is not new may have lost bits on its way through `f64`.
    let new = values::bytes(schema.dtype, &found.values);
    replace(&mut bytes, &new, size, |at| found.is_new[at]);
    Ok(Denoised {
        rows: Matrix::new(schema.clone(), bytes)?,
        units: found.units,
        noise: found.noise,
        components: found.components,
        is_grouped: found.is_grouped,
        wild_rows: found.wild_rows,
    })
}

/// Whether the noise of whole numbers is no more than that of rounding. In units of the columns'
/// spread it is known by what taking it out changes.
fn is_rounding(values: &[f64], found: &Found) -> bool {
    if let (ColumnUnits::Shared, Some(noise)) = (found.units, found.noise) {
        return noise * noise <= ROUNDING;
    }
    let (mut sum, mut count) = (0.0, f64::MIN_POSITIVE);
    for at in (0..values.len()).filter(|at| found.is_new[*at]) {
        sum += (values[at] - found.values[at]).powi(2);
        count += 1.0;
    }
    sum / count <= ROUNDING
}

/// Takes those cells of `size` bytes from `new` whose places `is_new` names.
fn replace(bytes: &mut [u8], new: &[u8], size: usize, is_new: impl Fn(usize) -> bool) {
    let cells = bytes.chunks_exact_mut(size).zip(new.chunks_exact(size)).enumerate();
    for (_, (cell, new)) in cells.filter(|(at, _)| is_new(*at)) {
        cell.copy_from_slice(new);
    }
}

/// What was found in all blocks of rows.
struct Found {
    values: Vec<f64>,
    /// Says of each value whether it is new.
    is_new: Vec<bool>,
    units: ColumnUnits,
    /// The deviation of the noise in those units, if there is any.
    noise: Option<f64>,
    /// Components that look like noise.
    tail: usize,
    /// The most components in a block that are more than noise.
    components: usize,
    is_grouped: bool,
    wild_rows: usize,
}

/// Takes noise out of values, but for rows that are wild or have no value, in columns of the given
/// units.
fn clean(values: &[f64], width: usize, units: ColumnUnits) -> Found {
    let scales = distance_scales(values, width, units);
    let wild = wild_rows(values, &scales);
    let missing: Vec<bool> = values.iter().map(|x| x.is_nan()).collect();
    let mut values = values.to_vec();
    normalise(&mut values, &scales);
    let at = |i: usize| i * width..(i + 1) * width;
    let ordinary: Vec<usize> =
        (0..wild.len()).filter(|&i| !wild[i] && missing[at(i)].contains(&false)).collect();
    let block = if ordinary.len().min(width) > MOST_ORDER { BLOCK } else { ordinary.len().max(1) };
    let mut is_new = vec![false; values.len()];
    let (mut strengths, mut tail, mut components) = (Vec::new(), 0, 0);
    let mut is_grouped = false;
    for block in ordinary.chunks(block) {
        let own: Vec<f64> = block.iter().flat_map(|&i| &values[at(i)]).copied().collect();
        let gaps: Vec<bool> = block.iter().flat_map(|&i| &missing[at(i)]).copied().collect();
        let Some(shrunk) = shrink(&own, &gaps, width, units == ColumnUnits::Shared) else {
            continue;
        };
        for (&i, row) in block.iter().zip(shrunk.values.chunks_exact(width)) {
            values[at(i)].copy_from_slice(row);
            at(i).for_each(|k| is_new[k] = !missing[k]);
        }
        strengths.push(shrunk.noise);
        tail += shrunk.tail;
        components = components.max(shrunk.components);
        is_grouped |= shrunk.is_grouped;
    }
    denormalise(&mut values, &scales);
    let unit = if units == ColumnUnits::Shared { scales[0].scale } else { 1.0 };
    let variance = strengths.iter().sum::<f64>() / strengths.len() as f64;
    Found {
        values,
        is_new,
        units,
        noise: (!strengths.is_empty()).then(|| unit * variance.sqrt()),
        tail,
        components,
        is_grouped,
        wild_rows: wild.iter().filter(|w| **w).count(),
    }
}

#[cfg(test)]
mod tests;
