//! Rows without their noise.
//!
//! `source` reads rows piece by piece, whose `gaps` are filled meanwhile. `spectrum` tells noise from what rows
//! have in common, `shrinkage` takes it out of their components, and `mixture` out of rows that lie in groups,
//! or out of the `patches` of pictures and series.

mod found;
mod gaps;
mod patches;
mod shrinkage;
mod source;
mod spectrum;

use super::column_units::ColumnUnits;
use super::made::Made;
use super::model::{Model, nothing_hidden};
use super::values;
use super::wild_rows::{Survey, distance_scales};
use crate::compress::Config;
use crate::error::{Error, Result};
use crate::matrix::{Matrix, Rows, Schema};
use found::Found;
use source::Source;

/// Replaces each row by what the codec makes of it: a matrix of the rows' own type and shape.
/// What rows do not have in common, noise above all, does not pass through the few latents. Missing
/// values (NaN) stay missing.
///
/// A codec that was trained to remove noise
/// ([`TrainConfig::denoise`](crate::TrainConfig::denoise)) does this best, if it has seen rows
/// without noise; without such a codec, see [`remove_noise`].
///
/// # Errors
/// `Argument` if the rows are not as wide as the codec's, there is no encoder or it is a masked transformer;
/// otherwise whatever reading the rows fails with.
pub fn denoise(model: &Model, rows: &dyn Rows) -> Result<Matrix> {
    Matrix::of(&denoised(model, rows)?)
}

/// The same, made when they are read, so that they are never all in memory.
///
/// # Errors
/// `Argument` if the rows are not as wide as the codec's, there is no encoder or it is a masked transformer.
pub fn denoised<'a>(model: &'a Model, rows: &'a dyn Rows) -> Result<impl Rows + 'a> {
    model.expect(rows.schema())?;
    model.latent_networks()?;
    let schema = rows.schema().clone();
    let dtype = schema.dtype;
    let make = move |mut bytes: Vec<u8>| {
        let values = values::doubles(dtype, &bytes);
        let given = values::bytes(dtype, &model.reconstructed(&values, &nothing_hidden)?);
        replace(&mut bytes, &given, dtype.size(), |at| !values[at].is_nan());
        Ok(bytes)
    };
    Ok(Made { rows, schema, make })
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
    /// The shape of the patches of rows, as far as these have neighbours, that values were brought nearer to; `None`
    /// where whole rows said as much.
    pub patches: Option<Vec<usize>>,
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
/// nearer; and so are the patches of pictures and series, which overlap. Where no noise can be told from what
/// rows have in common, they stay as they are, bit for bit. So do missing values (NaN), and rows a
/// hundred times as far from all others as those from each other. Of `config`, only the number of
/// threads has an effect.
///
/// `noise`, where it is known, is its standard deviation in the data's unit, and then no noise is looked for.
///
/// ```
/// use aezip::{Config, Matrix, apps};
/// // Two waves in ten columns, and something like noise.
/// let clean = |i: i32, j: i32| f64::from(j) * (0.1 * f64::from(i)).sin() + (0.7 * f64::from(i + j)).cos();
/// let noise = |i: i32, j: i32| 0.2 * (f64::from(i * i * 7 + 13 * i * j + j * j) * 0.9).sin();
/// let noisy: Vec<f64> = (0..3000).map(|at| clean(at / 10, at % 10) + noise(at / 10, at % 10)).collect();
/// let found = apps::remove_noise(&Matrix::from_slice(&noisy, &[10])?, None, &Config::default())?;
/// let square = |x: f64| x * x;
/// let error = |values: &[f64]| -> f64 {
///     (0..).zip(values).map(|(at, x)| square(x - clean(at / 10, at % 10))).sum()
/// };
/// assert!(error(&found.rows.to_vec::<f64>()?) < 0.5 * error(&noisy));
/// # Ok::<(), aezip::Error>(())
/// ```
///
/// # Errors
/// Whatever reading the rows fails with, `Io` for files; `Argument` if there are no such threads, or `noise` is not a
/// finite number above 0.
pub fn remove_noise(rows: &dyn Rows, noise: Option<f64>, config: &Config) -> Result<Denoised> {
    let found = learn_noise(rows, noise, config)?;
    Ok(Denoised {
        rows: Matrix::of(&found)?,
        units: found.units(),
        noise: found.noise,
        components: found.components,
        is_grouped: found.is_grouped,
        patches: found.patches.clone(),
        wild_rows: found.wild_rows,
    })
}

/// Learns what [`remove_noise`] does, and takes the noise out of rows when they are read: they are never
/// all in memory.
///
/// # Errors
/// Those of [`remove_noise`].
pub fn learn_noise<'a>(
    rows: &'a dyn Rows,
    noise: Option<f64>,
    config: &Config,
) -> Result<NoiseFree<'a>> {
    if let Some(noise) = noise.filter(|x| !(x.is_finite() && *x > 0.0)) {
        return Err(Error::argument(format!(
            "noise of {noise}: its standard deviation is a number above 0"
        )));
    }
    let config = config.clone();
    config.on_threads(|| NoiseFree::learn(rows, noise, config.clone()))?
}

/// Rows whose noise is taken out when they are read.
pub struct NoiseFree<'a> {
    rows: &'a dyn Rows,
    found: Found<'a>,
    config: Config,
    /// As in [`Denoised`].
    pub noise: Option<f64>,
    /// As in [`Denoised`].
    pub components: usize,
    /// As in [`Denoised`].
    pub is_grouped: bool,
    /// As in [`Denoised`].
    pub patches: Option<Vec<usize>>,
    /// As in [`Denoised`].
    pub wild_rows: usize,
}

impl<'a> NoiseFree<'a> {
    fn learn(rows: &'a dyn Rows, given: Option<f64>, config: Config) -> Result<Self> {
        let width = rows.schema().width();
        let judged = match given {
            Some(_) => ColumnUnits::Shared,
            None => ColumnUnits::judge_rows(rows)?,
        };
        let other = match judged {
            ColumnUnits::Shared => ColumnUnits::Own,
            ColumnUnits::Own => ColumnUnits::Shared,
        };
        let sample = values::sample(rows, config.memory)?;
        let survey = |units| Survey::new(rows, &sample, distance_scales(&sample, width, units));
        let (own, second) = (survey(judged)?, survey(other)?);
        drop(sample);
        // Noise need not be in the units that the data are in: what makes more components look like
        // noise of one strength is right.
        let mut found = Found::new(Source { rows, survey: own }, judged, given)?;
        if width > 1 && given.is_none() {
            let second = Found::new(Source { rows, survey: second }, other, None)?;
            found = if second.tail > found.tail { second } else { found };
        }
        if given.is_none() && !rows.schema().dtype.is_float() && found.is_rounding()? {
            // Rounding what comes out would add as much as is taken away, if it was noise at all.
            found.blocks.clear();
            (found.noise, found.components, found.is_grouped) = (None, 0, false);
        }
        found.learn_patches(&rows.schema().row_shape)?;
        let patches = found.patches.as_ref().map(|patches| patches.shape().to_vec());
        let Found { noise, components, is_grouped, .. } = found;
        let wild_rows = found.source.survey.wild;
        Ok(Self { rows, found, config, noise, components, is_grouped, patches, wild_rows })
    }

    /// Whether the columns share a unit, in which the noise is then of one strength; else it is so
    /// in units of each column's spread.
    pub fn units(&self) -> ColumnUnits {
        self.found.units
    }
}

impl Rows for NoiseFree<'_> {
    fn schema(&self) -> &Schema {
        self.rows.schema()
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        self.rows.read(first, out)?;
        let schema = self.rows.schema();
        let (row, size, width) = (schema.row_bytes(), schema.dtype.size(), schema.width());
        let end = first + out.len() / row;
        let put = |place: usize, given: &[f64], clean: &[f64]| {
            // What is missing stays so.
            let at = (place - first) * row;
            let clean = values::bytes(schema.dtype, clean);
            replace(&mut out[at..at + row], &clean, size, |at| !given[at].is_nan());
        };
        self.config.on_threads(|| self.found.each(first..end, width, put))?
    }
}

/// Takes those cells of `size` bytes from `new` whose places `is_new` names.
fn replace(bytes: &mut [u8], new: &[u8], size: usize, is_new: impl Fn(usize) -> bool) {
    let cells = bytes.chunks_exact_mut(size).zip(new.chunks_exact(size)).enumerate();
    for (_, (cell, new)) in cells.filter(|(at, _)| is_new(*at)) {
        cell.copy_from_slice(new);
    }
}

#[cfg(test)]
mod tests;
