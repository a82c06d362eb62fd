//! Rows without their noise.
//!
//! `source` reads rows piece by piece, whose `gaps` are filled meanwhile. `spectrum` tells noise from what rows
//! have in common, `shrinkage` takes it out of their components, and `mixture` out of rows that lie in groups,
//! or out of the `patches` of pictures and series.

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
use patches::Patches;
use shrinkage::{Shrunk, shrink};
use source::{Block, Source};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

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
        found.patches = Patches::learn(&found, &rows.schema().row_shape)?;
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

/// What was found in all blocks of rows.
struct Found<'a> {
    source: Source<'a>,
    units: ColumnUnits,
    /// The variance of the noise in those units, if it is known.
    given: Option<f64>,
    /// The ordinary rows of each block.
    blocks: Vec<Range<usize>>,
    /// What was found in the last block that was looked at: there is one only where all rows are in it, and of
    /// many each takes as much memory as its rows.
    last: Mutex<Option<(usize, Option<Shrunk>)>>,
    /// The deviation of the noise in those units, if there is any.
    noise: Option<f64>,
    /// Components that look like noise.
    tail: usize,
    /// The most components in a block that are more than noise.
    components: usize,
    is_grouped: bool,
    /// What patches of rows say besides, if that is nearer.
    patches: Option<Patches>,
}

impl<'a> Found<'a> {
    /// Looks for noise in all rows, but for those that are wild or have no value, in columns of the given units.
    fn new(source: Source<'a>, units: ColumnUnits, given: Option<f64>) -> Result<Self> {
        let unit = match units {
            ColumnUnits::Shared => source.survey.reach.scales[0].scale,
            ColumnUnits::Own => 1.0,
        };
        let given = given.map(|deviation| (deviation / unit).powi(2));
        let ordinary = source.survey.ordinary.len();
        let is_large = ordinary.min(source.width()) > MOST_ORDER;
        let block = if is_large { BLOCK } else { ordinary.max(1) };
        let blocks = (0..ordinary).step_by(block).map(|at| at..ordinary.min(at + block)).collect();
        let last = Mutex::new(None);
        let (noise, tail, components, is_grouped) = (None, 0, 0, false);
        let patches = None;
        let mut own = Self {
            source,
            units,
            given,
            blocks,
            last,
            noise,
            tail,
            components,
            is_grouped,
            patches,
        };
        let mut strengths = Vec::new();
        let (mut tail, mut components, mut is_grouped) = (0, 0, false);
        for block in 0..own.blocks.len() {
            own.with(block, |shrunk| {
                strengths.push(shrunk.noise);
                tail += shrunk.tail;
                components = components.max(shrunk.components);
                is_grouped |= shrunk.is_grouped();
                Ok(())
            })?;
        }
        let variance = strengths.iter().sum::<f64>() / strengths.len() as f64;
        own.noise = (!strengths.is_empty()).then(|| unit * variance.sqrt());
        (own.tail, own.components, own.is_grouped) = (tail, components, is_grouped);
        Ok(own)
    }

    fn block(&self, block: usize) -> Block<'_> {
        Block { source: &self.source, rows: self.blocks[block].clone() }
    }

    /// Does something with what was found in a block, if there was anything.
    fn with(&self, block: usize, visit: impl FnOnce(&Shrunk) -> Result<()>) -> Result<()> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|(own, _)| *own != block) {
            let shares_unit = self.units == ColumnUnits::Shared;
            *last = Some((block, shrink(&self.block(block), shares_unit, self.given)?));
        }
        match &*last {
            Some((_, Some(shrunk))) => visit(shrunk),
            _ => Ok(()),
        }
    }

    /// Some pieces of rows, at most `most`, from all parts of the data: their blocks, and which rows.
    fn some_pieces(&self, most: usize) -> Vec<(usize, Range<usize>)> {
        let all = (0..self.blocks.len()).flat_map(|i| {
            self.block(i).pieces(self.blocks[i].clone()).map(|piece| (i, piece)).collect::<Vec<_>>()
        });
        let all: Vec<_> = all.collect();
        let count = all.len().min(most);
        (0..count).map(|i| all[i * all.len() / count].clone()).collect()
    }

    /// Reads a piece of a block and fills its gaps.
    fn filled(&self, block: usize, piece: &Range<usize>, shrunk: &Shrunk) -> Result<Vec<f64>> {
        let mut values = self.source.read(piece.clone())?;
        let start = self.blocks[block].start;
        shrunk.fill(&(piece.start - start..piece.end - start), &mut values);
        Ok(values)
    }

    /// Tells of each row at `places` that noise was taken out of its place, its values, of which missing ones
    /// are NaN, and those without noise.
    fn each(
        &self,
        places: Range<usize>,
        width: usize,
        mut visit: impl FnMut(usize, &[f64], &[f64]),
    ) -> Result<()> {
        let wanted = self.source.among(places);
        for (i, own) in self.blocks.iter().enumerate() {
            let part = wanted.start.max(own.start)..wanted.end.min(own.end);
            if part.is_empty() {
                continue;
            }
            let block = self.block(i);
            self.with(i, |shrunk| {
                for piece in block.pieces(part.clone()) {
                    let mut given = self.source.read(piece.clone())?;
                    let mut filled = given.clone();
                    shrunk.fill(&(piece.start - own.start..piece.end - own.start), &mut filled);
                    let mut clean = shrunk.apply(&filled);
                    if let Some(patches) = &self.patches {
                        let rows = piece.start.max(part.start)..piece.end.min(part.end);
                        let own =
                            (rows.start - piece.start) * width..(rows.end - piece.start) * width;
                        patches.apply(&filled[own.clone()], &mut clean[own]);
                    }
                    self.source.in_units(&mut given);
                    self.source.in_units(&mut clean);
                    let rows = given.chunks_exact(width).zip(clean.chunks_exact(width));
                    let rows = piece.zip(rows).filter(|(at, _)| part.contains(at));
                    rows.for_each(|(at, (given, clean))| {
                        visit(self.source.survey.ordinary[at], given, clean);
                    });
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Whether the noise of whole numbers is no more than that of rounding. In units of the columns'
    /// spread it is known by what taking it out changes.
    fn is_rounding(&self) -> Result<bool> {
        if let (ColumnUnits::Shared, Some(noise)) = (self.units, self.noise) {
            return Ok(noise * noise <= ROUNDING);
        }
        let (mut sum, mut count) = (0.0, f64::MIN_POSITIVE);
        let rows = self.source.rows;
        self.each(0..rows.len(), rows.schema().width(), |_, given, clean| {
            for (x, y) in given.iter().zip(clean) {
                sum += (x - y).powi(2);
                count += 1.0;
            }
        })?;
        Ok(sum / count <= ROUNDING)
    }
}

#[cfg(test)]
mod tests;
