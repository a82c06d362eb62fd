//! Whether a promise was kept, judged on the decoded values.

use super::chunks::{Chunk, chunks, same_shape};
pub(crate) use super::decimals::leave_room;
use super::shares::Shares;
use super::tally::{Products, Quality, Tally, cosine};
use crate::codec::bound;
use crate::codec::fill::is_ordinary;
use crate::codec::value::{Cell, with_cell};
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::matrix::{Decimal, Described, Rows, Schema};

/// The share of a sum in `f64` that may be rounding.
const SLACK: f64 = 1e-10;

/// From here on, what a product of two numbers loses to rounding is a number itself.
const WELL_ABOVE_SUBNORMAL: f64 = 1e-250;

/// The outcome of [`check_promise`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PromiseCheck {
    /// Whether the promise was kept.
    pub held: bool,
    /// Number of values or rows that break it.
    pub violations: u64,
    /// A sentence with the promise, the figure reached and the violations.
    pub detail: String,
    /// All figures that were measured.
    pub quality: Quality,
}

/// Figures of a file that bounds depend on.
#[derive(Debug, Clone)]
pub(crate) struct FileStats {
    /// Mean of each column's finite values.
    pub(crate) means: Vec<f64>,
    /// Largest `f64` not above `max − min` of each column's finite values; 0 if there are none.
    pub(crate) ranges: Vec<f64>,
}

/// Smallest and largest value of a column, exactly.
#[derive(Clone, Copy)]
struct Extremes {
    floats: (f64, f64),
    integers: (i128, i128),
}

impl Extremes {
    const NONE: Self =
        Self { floats: (f64::INFINITY, f64::NEG_INFINITY), integers: (i128::MAX, i128::MIN) };

    fn join(&mut self, other: Self) {
        let (a, b) = (self.floats, other.floats);
        self.floats = (a.0.min(b.0), a.1.max(b.1));
        let (a, b) = (self.integers, other.integers);
        self.integers = (a.0.min(b.0), a.1.max(b.1));
    }

    #[inline]
    fn take<T: Cell>(&mut self, x: T) {
        if T::DTYPE.is_float() {
            let v = x.to_f64();
            self.floats = (self.floats.0.min(v), self.floats.1.max(v));
        } else {
            // As `f64`, large integers would be rounded and their range with them.
            let v = bound::wide(x);
            self.integers = (self.integers.0.min(v), self.integers.1.max(v));
        }
    }

    /// Returns the range, rounded down.
    fn range(&self) -> f64 {
        if self.floats.0 <= self.floats.1 {
            return bound::range_below(self.floats.0, self.floats.1);
        }
        let exact = self.integers.1.saturating_sub(self.integers.0).max(0) as u128;
        let near = exact as f64;
        if near as u128 > exact { near.next_down() } else { near }
    }
}

impl FileStats {
    /// Returns the least and the largest finite value of each column, as `f64`; infinities the wrong way
    /// round where there are none.
    ///
    /// # Errors
    /// That of reading rows.
    #[cfg(feature = "compress")]
    pub(crate) fn extremes(rows: &dyn Rows) -> Result<Vec<(f64, f64)>> {
        let width = rows.schema().width();
        let none = (f64::INFINITY, f64::NEG_INFINITY);
        let work = |x: &Chunk<'_>, _: &Chunk<'_>, part: &mut Vec<(f64, f64)>| {
            part.resize(width, none);
            with_cell!(x.dtype, T => for row in x.cells::<T>().chunks_exact(width) {
                for (own, x) in part.iter_mut().zip(row).filter(|(_, v)| is_ordinary(**v, x.fills)) {
                    *own = (own.0.min(x.to_f64()), own.1.max(x.to_f64()));
                }
            });
        };
        let mut all = vec![none; width];
        chunks(rows, None, work, |part| {
            let own = all.iter_mut().zip(part);
            own.for_each(|(all, own)| *all = (all.0.min(own.0), all.1.max(own.1)));
        })?;
        Ok(all)
    }

    /// Looks at every row.
    pub(crate) fn scan(rows: &dyn Rows) -> Result<Self> {
        let width = rows.schema().width();
        let work = |x: &Chunk<'_>, y: &Chunk<'_>, part: &mut (Tally, Vec<Extremes>)| {
            part.0.pair(x, y);
            part.1.resize(width, Extremes::NONE);
            with_cell!(x.dtype, T => for row in x.cells::<T>().chunks_exact(width) {
                for (own, x) in part.1.iter_mut().zip(row).filter(|(_, v)| is_ordinary(**v, x.fills)) {
                    own.take(*x);
                }
            });
        };
        let mut tally = Tally::default();
        let mut extremes = vec![Extremes::NONE; width];
        chunks(rows, None, work, |part| {
            tally.add(&part.0);
            extremes.iter_mut().zip(part.1).for_each(|(all, own)| all.join(own));
        })?;
        let mut means = tally.means();
        means.resize(width, 0.0);
        if rows.schema().tiling.is_some() {
            // All columns of a tile are one of the array.
            let all = extremes.iter().fold(Extremes::NONE, |mut all, own| {
                all.join(*own);
                all
            });
            extremes.fill(all);
        }
        Ok(Self { means, ranges: extremes.iter().map(Extremes::range).collect() })
    }
}

/// Returns the largest `f64` that is surely not above `share · range`.
pub(crate) fn relative_bound(share: &Decimal, range: f64) -> f64 {
    let share = share.floor();
    let bound = share * range;
    let above = bound < WELL_ABOVE_SUBNORMAL || share.mul_add(range, -bound) < 0.0;
    let bound = if above { bound.next_down() } else { bound };
    bound.clamp(0.0, f64::MAX)
}

/// Returns the bounds of all columns to encode under, if the promise is about single values: with room
/// to round where numbers are to be written as text.
pub(crate) fn bounds(rows: &dyn Rows, promise: &Fidelity) -> Result<Option<Vec<f64>>> {
    let mut bounds = promised_bounds(rows, promise)?;
    if let Some(bounds) = &mut bounds {
        leave_room(rows.schema(), promise, bounds);
    }
    Ok(bounds)
}

/// Returns the bounds of all columns, if the promise is about single values.
fn promised_bounds(rows: &dyn Rows, promise: &Fidelity) -> Result<Option<Vec<f64>>> {
    let width = rows.schema().width();
    Ok(Some(match promise {
        Fidelity::Lossless => vec![0.0; width],
        Fidelity::MaxError(bound) => vec![bound.floor(); width],
        Fidelity::MaxErrorColumns(list) => named(rows.schema(), list)?,
        Fidelity::MaxErrorRel(share) => FileStats::scan(rows)?
            .ranges
            .into_iter()
            .map(|range| relative_bound(share, range))
            .collect(),
        _ => return Ok(None),
    }))
}

/// Returns the bounds by column name; `*` is for all that are not named, which otherwise are exact.
pub(super) fn named(schema: &Schema, list: &[(String, Decimal)]) -> Result<Vec<f64>> {
    let rest = list.iter().find(|(n, _)| n == "*").map_or(0.0, |(_, d)| d.floor());
    let mut bounds: Vec<Option<f64>> = vec![None; schema.width()];
    for (name, bound) in list.iter().filter(|(n, _)| n != "*") {
        let at = column(schema, name)?;
        if bounds[at].replace(bound.floor()).is_some() {
            let what = format!("column {at} has two bounds, one of them as {name:?}: give one");
            return Err(Error::argument(what));
        }
    }
    Ok(bounds.into_iter().map(|bound| bound.unwrap_or(rest)).collect())
}

/// Returns the one column that `name` means: that of this name, or else of this number from 0, as in
/// `3` or `column 3`.
fn column(schema: &Schema, name: &str) -> Result<usize> {
    let names = schema.columns.as_deref().unwrap_or_default();
    let mut alike = (0..names.len()).filter(|&j| names[j] == name);
    match (alike.next(), alike.next()) {
        (Some(a), Some(b)) => Err(Error::argument(format!(
            "two columns are called {name:?}: bound them by their numbers, as {a}=… and {b}=…"
        ))),
        (Some(at), None) => Ok(at),
        _ => name
            .strip_prefix("column ")
            .unwrap_or(name)
            .parse()
            .ok()
            .filter(|&j: &usize| j < schema.width())
            .ok_or_else(|| {
                let known = match &schema.columns {
                    Some(names) => names.join(", "),
                    None => format!("0 to {}", schema.width() - 1),
                };
                Error::argument(format!("there is no column {name:?}; the columns are {known}"))
            }),
    }
}

/// Judges whether `decoded`, from a file of `file_bytes`, keeps `promise` for `original`.
///
/// Bounds on values are judged in exact arithmetic, sums in `f64`.
///
/// # Errors
/// `Argument` if shapes or types differ or the promise names unknown columns; the error of reading
/// either if that fails.
pub fn check_promise(
    original: &dyn Rows,
    decoded: &dyn Rows,
    promise: &Fidelity,
    file_bytes: u64,
) -> Result<PromiseCheck> {
    same_shape(original, decoded)?;
    // What stands for missing numbers, the file says.
    let mut schema = original.schema().clone();
    schema.fill_values = schema.fill_values.and(&decoded.schema().fill_values);
    let original = &Described { rows: original, schema };
    let bounds = promised_bounds(original, promise)?;
    let means = match promise {
        Fidelity::RowNmse(_) => Some(FileStats::scan(original)?.means),
        _ => None,
    };
    let work = |x: &Chunk<'_>, y: &Chunk<'_>, part: &mut (Tally, Broken)| {
        part.0.pair(x, y);
        if let Fidelity::MaxErrorPointwiseRel(share) = promise {
            let Shares { broken, worst } = Shares::of(x, y, share.nearest());
            part.0.worst_share = Some(worst);
            part.1 = Broken { count: broken, worst };
        }
        if let Some(bounds) = &bounds {
            part.1.count = with_cell!(x.dtype, T => broken::<T>(x, y, bounds));
        }
        if let Some(rule) = row_rule(promise, means.as_deref()) {
            part.1 = with_cell!(x.dtype, T => rows_broken::<T>(x, y, rule));
        }
    };
    let mut tally = Tally::default();
    let mut all = Broken::default();
    chunks(original, Some(decoded), work, |(part, broken)| {
        tally.add(&part);
        all.count += broken.count;
        all.worst = all.worst.max(broken.worst);
    })?;
    let quality = tally.quality();
    all.count += quality.specials_changed;
    if matches!(promise, Fidelity::Cosine(_)) {
        all.count += quality.zero_rows_changed;
    }
    let (held, detail) = verdict(promise, &quality, original, file_bytes, all.worst);
    let what = if all.count == 1 { "violation" } else { "violations" };
    Ok(PromiseCheck {
        held: held && all.count == 0,
        violations: all.count,
        detail: format!("{promise}: {detail}, {} {what}", all.count),
        quality,
    })
}

/// Says whether all values of `decoded` are within the bounds of their columns, and those that are no
/// numbers what they were.
///
/// # Errors
/// As [`check_promise`].
#[cfg(feature = "compress")]
pub(crate) fn within(original: &dyn Rows, decoded: &dyn Rows, bounds: &[f64]) -> Result<bool> {
    same_shape(original, decoded)?;
    let work = |x: &Chunk<'_>, y: &Chunk<'_>, part: &mut (Tally, u64)| {
        part.0.pair(x, y);
        part.1 = with_cell!(x.dtype, T => broken::<T>(x, y, bounds));
    };
    let mut all = 0;
    chunks(original, Some(decoded), work, |(tally, broken)| {
        all += broken + tally.specials_changed;
    })?;
    Ok(all == 0)
}

/// Says whether a figure of the whole file is good enough, and which it is. Promises about single
/// values or rows are good enough here; `worst` is the worst row's figure.
fn verdict(
    promise: &Fidelity,
    quality: &Quality,
    original: &dyn Rows,
    file_bytes: u64,
    worst: f64,
) -> (bool, String) {
    let at_most = |value: f64, d: &Decimal| value <= d.ceil() * (1.0 + SLACK);
    let at_least = |value: f64, d: &Decimal| value >= d.floor() * (1.0 - SLACK);
    match promise {
        Fidelity::Nmse(d) => (at_most(quality.nmse, d), format!("NMSE {:.6e}", quality.nmse)),
        Fidelity::Psnr(d) => (at_least(quality.psnr, d), format!("PSNR {:.4} dB", quality.psnr)),
        Fidelity::Cosine(d) => {
            (at_least(quality.cosine, d), format!("mean cosine {:.8}", quality.cosine))
        }
        Fidelity::Ratio(d) => {
            let bytes = (original.len() * original.schema().row_bytes()) as f64;
            let ratio = bytes / file_bytes as f64;
            (original.is_empty() || at_least(ratio, d), format!("ratio {ratio:.4}"))
        }
        Fidelity::BytesPerRow(d) => {
            let per_row = file_bytes as f64 / original.len().max(1) as f64;
            (original.is_empty() || at_most(per_row, d), format!("{per_row:.4} bytes per row"))
        }
        Fidelity::MaxErrorPointwiseRel(_) => {
            (true, format!("largest pointwise relative error {worst:.6e}"))
        }
        Fidelity::RowNmse(_) => (true, format!("worst row's NMSE {worst:.6e}")),
        Fidelity::RowCosine(_) => (true, format!("worst row's cosine {:.8}", 1.0 - worst)),
        Fidelity::RowL2(_) => (true, format!("worst row's error has length {worst:.6e}")),
        _ => (true, format!("largest error {:e}", quality.max_error)),
    }
}

/// What breaks a promise.
#[derive(Default)]
struct Broken {
    /// Values or rows.
    count: u64,
    /// The worst row's NMSE, 1 less its cosine, or the length of its error; the worst value's share of error.
    worst: f64,
}

/// Counts the values that break their bound.
fn broken<T: Cell>(x: &Chunk<'_>, y: &Chunk<'_>, bounds: &[f64]) -> u64 {
    let fills = x.fills;
    let (x, y) = (x.cells::<T>(), y.cells::<T>());
    let cells = x.iter().zip(&y).zip(bounds.iter().cycle());
    // Special values are counted for every promise, so not here.
    cells.filter(|((x, y), b)| is_ordinary(**x, fills) && !bound::holds(**x, **y, **b)).count()
        as u64
}

/// What each row promises.
#[derive(Clone, Copy)]
enum RowRule<'a> {
    /// Its NMSE, against these means, is at most this.
    Nmse(&'a [f64], f64),
    /// Its cosine is at least this.
    Cosine(f64),
    /// The length of its error is at most this.
    Length(f64),
}

fn row_rule<'a>(promise: &Fidelity, means: Option<&'a [f64]>) -> Option<RowRule<'a>> {
    match promise {
        Fidelity::RowNmse(d) => Some(RowRule::Nmse(means?, d.ceil() * (1.0 + SLACK))),
        Fidelity::RowCosine(d) => Some(RowRule::Cosine(d.floor() * (1.0 - SLACK))),
        Fidelity::RowL2(d) => Some(RowRule::Length(d.ceil() * (1.0 + SLACK))),
        _ => None,
    }
}

/// Finds the rows that break their promise.
fn rows_broken<T: Cell>(x: &Chunk<'_>, y: &Chunk<'_>, rule: RowRule<'_>) -> Broken {
    let (width, fills) = (x.width, x.fills);
    let (x, y) = (x.cells::<T>(), y.cells::<T>());
    let mut all = Broken::default();
    for (x, y) in x.chunks_exact(width).zip(y.chunks_exact(width)) {
        let cells = x.iter().zip(y).enumerate();
        let finite = cells.filter(|(_, (x, _))| is_ordinary(**x, fills));
        let (mut error, mut deviation) = (0.0, 0.0);
        let mut products = Products::default();
        let mut same = true;
        for (j, (x, y)) in finite.clone() {
            let d = bound::difference(*x, *y);
            let (x, y) = (x.to_f64(), y.to_f64());
            same &= d == 0.0;
            error += d * d;
            if let RowRule::Nmse(means, _) = rule {
                deviation += (x - means[j]) * (x - means[j]);
            }
            products.add(x, y);
        }
        let (bad, broken) = match rule {
            RowRule::Nmse(_, most) => {
                let nmse = if same { 0.0 } else { bound::not_nan(error / deviation.min(f64::MAX)) };
                (nmse, nmse > most)
            }
            RowRule::Cosine(least) => {
                let cells = finite.map(|(_, (x, y))| (x.to_f64(), y.to_f64()));
                let c = cosine(products, same, cells);
                (1.0 - c, c < least)
            }
            RowRule::Length(most) => (error.sqrt(), error.sqrt() > most),
        };
        all.count += u64::from(broken);
        all.worst = all.worst.max(bad);
    }
    all
}
