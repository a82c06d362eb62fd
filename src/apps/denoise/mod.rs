//! Rows without their noise.
//!
//! `spectrum` tells noise from what rows have in common, `shrinkage` takes it out of rows.

mod shrinkage;
mod spectrum;

use super::column_scale::{ColumnScale, column_scales, denormalise, normalise};
use super::column_units::ColumnUnits;
use super::model::Model;
use super::values;
use super::wild_rows::wild_rows;
use crate::compress::Config;
use crate::error::Result;
use crate::matrix::{Matrix, Rows};
use shrinkage::shrink;

/// Rows or columns up to which all rows are worked on at once, and rows that are worked on at once
/// where there are more of both: the time it takes grows with the third power.
const MOST_ORDER: usize = 2048;
const BLOCK: usize = 1024;

/// Replaces each row by what the codec makes of it: a matrix of the rows' own type and shape.
/// What rows do not have in common, noise above all, does not pass through the few latents.
///
/// A codec that was trained to remove noise
/// ([`TrainConfig::denoise`](crate::TrainConfig::denoise)) does this best, if it has seen rows
/// without noise; without such a codec, see [`remove_noise`].
///
/// # Errors
/// `Argument` if the rows are not as wide as the codec's or there is no encoder; otherwise
/// whatever reading the rows fails with.
pub fn denoise(model: &Model, rows: &dyn Rows) -> Result<Matrix> {
    model.reconstruct_as(rows, rows.schema().dtype)
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
    /// Rows that are so far from all others, or infinite, that they are left as they were.
    pub wild_rows: usize,
}

/// Takes noise out of `rows`, learning from the rows themselves what they have in common. It is
/// meant for noise that is independent from value to value and of one strength: in all values if
/// columns [share a unit](ColumnUnits), else in units of each column's spread.
///
/// The strength of the noise is estimated from the components of least variance, and the others are
/// shrunk by the share of noise in them, which is the best that can be done with components (Gavish
/// and Donoho 2017, *Optimal shrinkage of singular values*). Where no noise can be told from what
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
    // What is not new may have lost bits on its way through `f64`.
    let new = values::bytes(schema.dtype, &found.values);
    for ((cell, new), _) in bytes
        .chunks_exact_mut(size)
        .zip(new.chunks_exact(size))
        .zip(&found.is_new)
        .filter(|(_, is_new)| **is_new)
    {
        cell.copy_from_slice(new);
    }
    Ok(Denoised {
        rows: Matrix::new(schema.clone(), bytes)?,
        units: found.units,
        noise: found.noise,
        components: found.components,
        wild_rows: found.wild_rows,
    })
}

/// What columns are counted in: their own spread or, if they share a unit, one spread for all.
fn noise_scales(values: &[f64], width: usize, units: ColumnUnits) -> Vec<ColumnScale> {
    if units == ColumnUnits::Own {
        return column_scales(values, width, 1.0);
    }
    let mut scales = column_scales(values, width, 0.0);
    // In units of the largest, so that squares neither overflow nor vanish.
    let largest = scales.iter().fold(f64::MIN_POSITIVE, |m, s| m.max(s.scale));
    let squares: f64 = scales.iter().map(|s| (s.scale / largest).powi(2)).sum();
    let common = largest * (squares / width.max(1) as f64).sqrt();
    let common = if common > 0.0 && common.is_finite() { common } else { 1.0 };
    // One centre too: that columns have different ones is something rows have in common.
    let mut centres: Vec<f64> = scales.iter().map(|s| s.centre).collect();
    centres.sort_unstable_by(f64::total_cmp);
    let centre = centres.get(width / 2).copied().unwrap_or(0.0);
    scales.fill(ColumnScale { centre, scale: common });
    scales
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
    wild_rows: usize,
}

/// Takes noise out of values, but for rows that are wild or have no value, in columns of the given
/// units.
fn clean(values: &[f64], width: usize, units: ColumnUnits) -> Found {
    let scales = noise_scales(values, width, units);
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
        wild_rows: wild.iter().filter(|w| **w).count(),
    }
}

#[cfg(test)]
mod tests;
