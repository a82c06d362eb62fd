//! Which tiles make the smaller file.

use super::boxes::in_boxes;
use super::order::{differences, likely_orders, ordered};
use super::part::middle;
use super::rows::{Array, TiledRows, array_of};
use super::shapes::candidates;
use crate::codec::value::with_cell;
use crate::compress::levels::Level;
use crate::container::file::FileWriter;
use crate::container::forever::MAX_WIDTH;
use crate::encode::access::Access;
use crate::encode::blocks::{BlockRows, Encoding, encode_rows};
use crate::encode::project::cells;
use crate::error::{Error, Result};
use crate::fit::config::TrainConfig;
use crate::fit::data::sample::Sample;
use crate::fit::neighbours::effort::ContextEffort;
use crate::fit::search::bounded::{SearchEffort, with_bounds};
use crate::matrix::{Matrix, Rows, Schema, Tiling};
use rayon::prelude::*;
use std::ops::Range;

/// Values of a sample on which shapes are compared, of which some are held out: with fewer, large
/// tiles seem smaller than they are, as codecs know the few that they were fitted to by heart.
const SAMPLE_VALUES: usize = 1 << 19;
/// The same at the lowest levels, which take half as long for it.
const FEWER_VALUES: usize = 1 << 18;
const LOW_LEVEL: u8 = 2;
/// From this level on, the most likely shapes of arrays of at most [`FEWER_VALUES`] are compared once more as
/// files of the other level, which takes about as long as the file itself.
const THOROUGH_LEVEL: u8 = 5;
const CLOSE_LEVEL: u8 = 3;
/// So many shapes beside rows.
const COMPARED_CLOSELY: usize = 2;
/// Share of a sample's rows that codecs are not fitted to but encode.
const HELD_OUT: f64 = 0.25;
/// Values of a run of a sample, at least: rows of few values are foretold from those before.
const RUN_VALUES: usize = 1 << 11;
/// Share of the bytes of rows below which tiles are taken: single rows are slower to read then.
const WORTH: f64 = 0.98;
/// Share of the bytes of tiles along the last axis below which they follow each other along another:
/// slices of the array are in more blocks then.
const MORE_ALIKE: f64 = 0.98;
/// Rows for each of their values from which on there is enough to learn from whole rows: of flat rows,
/// and of such as have axes of their own.
const MANY_FLAT_ROWS: f64 = 4.0;
const MANY_ROWS: f64 = 0.25;
/// Values that are looked at for how smooth an array is.
const LOOKED_AT: usize = 1 << 16;
/// Mean difference of neighbours along the last axis, in those of values far apart, below which an
/// array is smooth. Columns of embeddings and tables are above it.
const SMOOTH: f64 = 0.7;
/// Share of a row that lies between values far apart: no fraction, so that rows of lines are not
/// compared at the same place of two lines.
const FAR: f64 = 0.381_966;

/// Says whether an array of a shape has few rows for their length, or is a series.
pub(super) fn is_no_table(shape: &[usize]) -> bool {
    let width = shape.iter().skip(1).product::<usize>() as f64;
    match shape.len() {
        0 | 1 => true,
        2 => (shape[0] as f64) < MANY_FLAT_ROWS * width,
        _ => (shape[0] as f64) < MANY_ROWS * width,
    }
}

/// How shapes are compared.
#[derive(Clone, Copy)]
pub(super) struct Comparison {
    /// The bound on each value.
    pub(super) bound: f64,
    /// The level of the file.
    pub(super) level: u8,
    /// Whether codecs are fitted about as well as the file's will be, not only well enough to tell shapes
    /// apart that differ by much.
    pub(super) is_close: bool,
}

impl Comparison {
    fn is_short(&self) -> bool {
        self.level <= LOW_LEVEL
    }

    fn effort(&self) -> SearchEffort {
        if self.is_close {
            return Level::new(CLOSE_LEVEL, &TrainConfig::default()).search;
        }
        let effort: SearchEffort = Level::new(1, &TrainConfig::default()).search;
        SearchEffort { contexts: Some(ContextEffort::QUICK), ..effort }
    }

    fn values(&self) -> usize {
        if self.is_short() { FEWER_VALUES } else { SAMPLE_VALUES }
    }
}

/// What shapes are compared on: an array, or a part of it.
struct Compared<'a> {
    array: &'a Array<'a>,
    shape: &'a [usize],
    view: &'a [usize],
    /// Values of the whole array for each of these.
    times: f64,
    /// Values of the whole array's rows for each of these rows'.
    columns: f64,
    /// Whether the array is seen in its own shape: who says otherwise wants it used.
    own_shape: bool,
}

/// The bytes of a file of rows, if they may be taken, and those with some shapes of tiles, the smallest first.
type Sizes = (Option<f64>, Vec<(f64, Vec<usize>)>);

/// Returns an array cut into tiles in the order that makes the smallest file: along one axis or another,
/// or in boxes where blocks would be parts of a line.
///
/// # Errors
/// `Argument` as [`Tiling::new`]; `Io` if rows cannot be read.
pub(super) fn best_ordered(
    array: &Array<'_>,
    shapes: (&[usize], &[usize]),
    tile: &[usize],
    how: Comparison,
) -> Result<Tiling> {
    let mut orders = likely_orders(array, shapes, tile)?;
    if orders.len() == 1 {
        return Ok(orders.swap_remove(0));
    }
    let sized = |tiling: Tiling| {
        let Size { model, rows, block_rows } =
            size(&TiledRows::new(array, tiling.clone())?, (how, how.values()), 1.0)?;
        Ok((model + rows, (tiling, block_rows)))
    };
    let sizes: Vec<Result<(f64, (Tiling, usize))>> = orders.into_par_iter().map(sized).collect();
    let mut best: Option<(f64, (Tiling, usize))> = None;
    for own in sizes {
        let (bytes, own) = own?;
        if best.as_ref().is_none_or(|(least, _)| bytes < MORE_ALIKE * least) {
            best = Some((bytes, own));
        }
    }
    match best {
        // Boxes of an array that is read anew for each would take the reading of whole rows for each.
        Some((_, (tiling, block_rows))) if array.is_held() => {
            in_boxes(tiling, block_rows, array.rows.schema().dtype.size())
        }
        Some((_, (tiling, _))) => Ok(tiling),
        None => Err(Error::argument("a shape has no axes".to_string())),
    }
}

/// Bytes of a file, and the rows of a block.
struct Size {
    model: f64,
    rows: f64,
    block_rows: usize,
}

/// Returns the shape of tiles that makes the smallest file of an array of one shape, seen in another,
/// by bytes of the whole file; `None` where rows do, or nearly.
///
/// # Errors
/// `Io` if rows cannot be read.
pub(super) fn smallest(
    array: &Array<'_>,
    (shape, view): (&[usize], &[usize]),
    comparison: Comparison,
) -> Result<Option<Vec<usize>>> {
    let part = if view.len() > 1 { middle(array, view, comparison.values())? } else { None };
    let own_shape = shape == view;
    let Some(part) = &part else {
        let all = Compared { array, shape, view, times: 1.0, columns: 1.0, own_shape };
        return all.smallest(comparison, view);
    };
    let own = array_of(part);
    let array = &Array::new(part, u64::MAX)?;
    let share = |axes: Range<usize>| {
        view[axes.clone()].iter().zip(&own[axes]).map(|(v, n)| *v as f64 / *n as f64).product()
    };
    let (times, columns) = (share(0..view.len()), share(1..view.len()));
    let part = Compared { array, shape: &own, view: &own, times, columns, own_shape };
    part.smallest(comparison, view)
}

impl Compared<'_> {
    /// Returns the best of the shapes for a whole array seen in the shape `view`.
    fn smallest(&self, how: Comparison, view: &[usize]) -> Result<Option<Vec<usize>>> {
        if view.len() > 1 && !is_smooth(self.array.rows)? {
            return Ok(None);
        }
        let fits = |tile: &Vec<usize>| tile.iter().zip(self.view).all(|(t, v)| t <= v);
        let mut tiles = candidates(view, how.is_short());
        tiles.retain(fits);
        if tiles.is_empty() {
            return Ok(None);
        }
        if tiles.len() == 1 && !self.may_be_rows() {
            // Nothing to compare it with.
            return Ok(tiles.pop());
        }
        let (mut of_rows, mut sizes) = self.sizes(tiles, how, view)?;
        let values = self.array.rows.len() * self.array.rows.schema().width();
        let is_small = self.times <= 1.0 && values <= FEWER_VALUES;
        if is_small && how.level >= THOROUGH_LEVEL {
            let likely = sizes.into_iter().take(COMPARED_CLOSELY).map(|(_, tile)| tile);
            let how = Comparison { is_close: true, ..how };
            (of_rows, sizes) = self.sizes(likely.collect(), how, view)?;
        }
        let most = of_rows.map_or(f64::INFINITY, |bytes| WORTH * bytes);
        let smallest = sizes.into_iter().next();
        Ok(smallest.filter(|(bytes, _)| *bytes <= most).map(|(_, tile)| tile))
    }

    /// Returns the bytes of the array's rows and of some tiles.
    fn sizes(&self, tiles: Vec<Vec<usize>>, how: Comparison, view: &[usize]) -> Result<Sizes> {
        let tiled = |tile: Vec<usize>| {
            let tiling = ordered(self.array, (self.shape, self.view), &tile)?;
            let Size { model, rows, .. } =
                size(&TiledRows::new(self.array, tiling)?, (how, how.values()), self.times)?;
            Ok((model + rows, tile))
        };
        let tiled = || tiles.into_par_iter().map(tiled).collect::<Vec<Result<_>>>();
        let (of_rows, sizes) = rayon::join(|| self.of_rows(how, view), tiled);
        let mut sizes: Vec<(f64, Vec<usize>)> = sizes.into_iter().collect::<Result<_>>()?;
        sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok((of_rows?, sizes))
    }

    /// Says whether the array's rows may be taken instead of tiles.
    fn may_be_rows(&self) -> bool {
        self.own_shape && self.array.rows.schema().width() <= MAX_WIDTH
    }

    /// Returns the bytes of a file of the array's rows, if they may be taken.
    fn of_rows(&self, how: Comparison, view: &[usize]) -> Result<Option<f64>> {
        if !self.may_be_rows() {
            return Ok(None);
        }
        // Of long rows, few seem to be known by heart, as the file's own would not be.
        let all = if view.len() > 1 { usize::MAX } else { how.values() };
        let Size { model, rows, .. } =
            size(self.array.rows, (how, all), self.times / self.columns)?;
        Ok(Some((model + rows) * self.columns))
    }
}

/// Returns what a file of `times` as many rows as these would take with the linear codec, fitted to a
/// sample of so many values; where that is not all of them, rows that it was not fitted to are encoded.
fn size(rows: &dyn Rows, (how, values): (Comparison, usize), times: f64) -> Result<Size> {
    let width = rows.schema().width();
    let run = RUN_VALUES.div_ceil(width).max(Sample::RUN);
    let mut sample = Sample::draw_runs(rows, values, run)?;
    let is_all = sample.is_whole() && times <= 1.0;
    let total = sample.total as f64 * times;
    sample.total = total as usize;
    let [fitted, others] = if is_all { [sample.clone(), sample] } else { sample.divided(HELD_OUT) };
    let effort = how.effort();
    let candidate = with_bounds(&fitted, vec![how.bound; width], effort, None, None)?;
    let model = candidate.model_bytes() as f64;
    let mut encoder = candidate.encoder;
    let row = (candidate.fitted_bytes - model) / total;
    BlockRows::new(&encoder.program, row, rows.schema().row_bytes(), Access::Auto)
        .apply(&mut encoder);
    // A sample is small.
    let encoding = Encoding { encoder: &encoder, beside: None, memory: u64::MAX };
    let schema = Schema { tiling: None, ..rows.schema().clone() };
    let mut file = FileWriter::begin(std::io::sink(), &schema, None, None, None)?;
    let before = file.bytes();
    let others = Matrix::new(schema, others.bytes)?;
    encode_rows(encoding, &others, &mut file, &|_| {})?;
    let bytes = (file.bytes() - before) as f64;
    let rows = bytes / others.len() as f64 * total;
    Ok(Size { model, rows, block_rows: encoder.block_rows })
}

/// Says whether values that follow each other in a row are alike.
fn is_smooth(rows: &dyn Rows) -> Result<bool> {
    let sample = Sample::draw(rows, LOOKED_AT)?;
    let (width, fills) = (sample.schema.width(), &sample.schema.fill_values);
    let apart = |lag: usize| {
        let (mut sum, mut count) = (0.0, 0);
        for row in sample.bytes.chunks_exact(sample.schema.row_bytes()) {
            with_cell!(sample.schema.dtype, T => {
                for own in differences(&cells::<T>(row), lag, fills) {
                    sum += own;
                    count += 1;
                }
            });
        }
        sum / f64::from(count.max(1))
    };
    Ok(apart(1) < SMOOTH * apart((FAR * width as f64) as usize))
}
