//! Whether a promise was kept, judged on the decoded values.

use super::tally::{Chunk, Tally, chunks};
use super::{Quality, cosine, ratio, same_shape};
use crate::codec::bound;
use crate::codec::value::{Cell, with_cell};
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::matrix::{Decimal, Rows, Schema};

/// Sums are made in `f64`; this much of them may be rounding.
const SLACK: f64 = 1e-10;

/// The outcome of [`check_promise`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PromiseCheck {
    /// Whether the promise was kept.
    pub held: bool,
    /// Values or rows that break it.
    pub violations: u64,
    /// A sentence about it.
    pub detail: String,
    /// All figures.
    pub quality: Quality,
}

/// Figures of a file that bounds depend on.
#[derive(Debug, Clone)]
pub(crate) struct FileStats {
    /// Mean of each column's finite values.
    pub(crate) means: Vec<f64>,
    /// Smallest and largest finite value of each column, rounded towards each other; none where
    /// there is no such value or they may be the same.
    pub(crate) ranges: Vec<Option<(f64, f64)>>,
}

impl FileStats {
    /// Looks at every row.
    pub(crate) fn scan(rows: &dyn Rows) -> Result<Self> {
        #[derive(Default)]
        struct Part(Tally, Vec<(f64, f64)>);
        let width = rows.schema().width();
        let empty = (f64::INFINITY, f64::NEG_INFINITY);
        let parts = chunks(rows, rows, |x, y, part: &mut Part| {
            part.0.pair(x, y);
            part.1 = vec![empty; width];
            with_cell!(x.dtype, T => for row in x.cells::<T>().chunks_exact(width) {
                for (range, x) in part.1.iter_mut().zip(row).filter(|(_, x)| x.is_ordinary()) {
                    let (low, high) = enclosed(*x);
                    *range = (range.0.min(high), range.1.max(low));
                }
            });
            Ok(())
        })?;
        let mut all = Part(Tally::default(), vec![empty; width]);
        for part in &parts {
            all.0.add(&part.0);
            for (a, b) in all.1.iter_mut().zip(&part.1) {
                *a = (a.0.min(b.0), a.1.max(b.1));
            }
        }
        let mut means = all.0.means();
        means.resize(width, 0.0);
        let ranges = all.1.iter().map(|r| (r.0 <= r.1).then_some(*r)).collect();
        Ok(Self { means, ranges })
    }
}

/// `f64`s not above and not below `x`: the same but for large 64-bit integers.
fn enclosed<T: Cell>(x: T) -> (f64, f64) {
    let v = x.to_f64();
    if T::DTYPE.is_float() || v.abs() < 2_f64.powi(53) {
        return (v, v);
    }
    (v.next_down(), v.next_up())
}

/// An `f64` not above `share · (max − min)`, and hardly below it.
pub(crate) fn relative_bound(share: &Decimal, min: f64, max: f64) -> f64 {
    // Each operation is off by less than one step, so a step down after each is enough.
    let range = max - min;
    let range = if range.is_finite() { range.next_down().max(0.0) } else { f64::MAX };
    if range == 0.0 {
        return 0.0;
    }
    (share.floor() * range).next_down().clamp(0.0, f64::MAX)
}

/// Bounds of all columns, if the promise is about single values.
pub(crate) fn bounds(rows: &dyn Rows, promise: &Fidelity) -> Result<Option<Vec<f64>>> {
    let width = rows.schema().width();
    Ok(Some(match promise {
        Fidelity::Lossless => vec![0.0; width],
        Fidelity::MaxError(bound) => vec![bound.floor(); width],
        Fidelity::MaxErrorColumns(list) => named(rows.schema(), list)?,
        Fidelity::MaxErrorRel(share) => FileStats::scan(rows)?
            .ranges
            .into_iter()
            .map(|r| r.map_or(0.0, |(min, max)| relative_bound(share, min, max)))
            .collect(),
        _ => return Ok(None),
    }))
}

/// Bounds by column name; `*` is for all that are not named, which otherwise are exact.
fn named(schema: &Schema, list: &[(String, Decimal)]) -> Result<Vec<f64>> {
    let width = schema.width();
    let rest = list.iter().find(|(n, _)| n == "*").map_or(0.0, |(_, d)| d.floor());
    let mut bounds = vec![rest; width];
    for (name, bound) in list.iter().filter(|(n, _)| n != "*") {
        let by_name = schema.columns.as_ref().and_then(|c| c.iter().position(|n| n == name));
        // Files without names have numbered columns.
        let at = by_name.or_else(|| name.parse().ok().filter(|&i: &usize| i < width));
        let at = at.ok_or_else(|| {
            let known = match &schema.columns {
                Some(names) => names.join(", "),
                None => format!("0 to {}", width - 1),
            };
            Error::argument(format!("there is no column {name:?}; the columns are {known}"))
        })?;
        bounds[at] = bound.floor();
    }
    Ok(bounds)
}

/// Judges whether `decoded`, from a file of `file_bytes`, keeps `promise` for `original`.
///
/// Bounds on values are judged in exact arithmetic, sums in `f64`.
///
/// # Errors
/// `Argument` if shapes or types differ or the promise names unknown columns; what reading gives.
pub fn check_promise(
    original: &dyn Rows,
    decoded: &dyn Rows,
    promise: &Fidelity,
    file_bytes: u64,
) -> Result<PromiseCheck> {
    same_shape(original, decoded)?;
    let bounds = bounds(original, promise)?;
    let means = match promise {
        Fidelity::RowNmse(_) => FileStats::scan(original)?.means,
        _ => Vec::new(),
    };
    let parts = chunks(original, decoded, |x, y, part: &mut (Tally, u64, f64)| {
        part.0.pair(x, y);
        if let Some(bounds) = &bounds {
            part.1 = with_cell!(x.dtype, T => broken::<T>(x, y, bounds));
        }
        if let Fidelity::RowNmse(d) | Fidelity::RowCosine(d) = promise {
            let nmse = matches!(promise, Fidelity::RowNmse(_)).then_some(&means[..]);
            (part.1, part.2) = with_cell!(x.dtype, T => rows_broken::<T>(x, y, nmse, d));
        }
        Ok(())
    })?;
    let mut tally = Tally::default();
    let (mut violations, mut worst) = (0, 0.0_f64);
    for (part, broken, bad) in &parts {
        tally.add(part);
        violations += broken;
        worst = worst.max(*bad);
    }
    let quality = tally.quality();
    violations += quality.specials_changed;
    let at_most = |value: f64, d: &Decimal| value <= d.ceil() * (1.0 + SLACK);
    let at_least = |value: f64, d: &Decimal| value >= d.floor() * (1.0 - SLACK);
    let bytes = (original.len() * original.schema().row_bytes()) as f64;
    let (held, detail) = match promise {
        Fidelity::Nmse(d) => (at_most(quality.nmse, d), format!("NMSE {:.6e}", quality.nmse)),
        Fidelity::Psnr(d) => (at_least(quality.psnr, d), format!("PSNR {:.4} dB", quality.psnr)),
        Fidelity::Cosine(d) => {
            (at_least(quality.cosine, d), format!("mean cosine {:.8}", quality.cosine))
        }
        Fidelity::Ratio(d) => {
            let ratio = bytes / file_bytes as f64;
            (original.is_empty() || at_least(ratio, d), format!("ratio {ratio:.4}"))
        }
        Fidelity::BytesPerRow(d) => {
            let per_row = file_bytes as f64 / original.len().max(1) as f64;
            (original.is_empty() || at_most(per_row, d), format!("{per_row:.4} bytes per row"))
        }
        Fidelity::RowNmse(_) => (true, format!("worst row's NMSE {worst:.6e}")),
        Fidelity::RowCosine(_) => (true, format!("worst row's cosine {:.8}", 1.0 - worst)),
        _ => (true, format!("largest error {:e}", quality.max_error)),
    };
    let held = held && violations == 0;
    let what = if violations == 1 { "violation" } else { "violations" };
    Ok(PromiseCheck {
        held,
        violations,
        detail: format!("{promise}: {detail}, {violations} {what}"),
        quality,
    })
}

/// Values that break their bound.
fn broken<T: Cell>(x: &Chunk<'_>, y: &Chunk<'_>, bounds: &[f64]) -> u64 {
    let (x, y) = (x.cells::<T>(), y.cells::<T>());
    let cells = x.iter().zip(&y).zip(bounds.iter().cycle());
    // Special values are counted for every promise, so not here.
    cells.filter(|((x, y), b)| x.is_ordinary() && !bound::holds(**x, **y, **b)).count() as u64
}

/// Rows that break their promise, and the worst figure: NMSE with means, else 1 − cosine.
fn rows_broken<T: Cell>(
    x: &Chunk<'_>,
    y: &Chunk<'_>,
    means: Option<&[f64]>,
    d: &Decimal,
) -> (u64, f64) {
    let width = x.width;
    let (x, y) = (x.cells::<T>(), y.cells::<T>());
    let (mut count, mut worst) = (0, 0.0_f64);
    for (x, y) in x.chunks_exact(width).zip(y.chunks_exact(width)) {
        let finite = x.iter().zip(y).enumerate().filter(|(_, (x, _))| x.is_ordinary());
        let (mut error, mut deviation) = (0.0, 0.0);
        let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
        let (mut same, mut zero) = (true, true);
        for (j, (x, y)) in finite {
            let (x, y) = (x.to_f64(), y.to_f64());
            same &= x == y;
            zero &= x == 0.0;
            error += (x - y) * (x - y);
            deviation += means.map_or(0.0, |m| (x - m[j]) * (x - m[j]));
            xx += x * x;
            yy += y * y;
            xy += x * y;
        }
        let (bad, broken) = if means.is_some() {
            let nmse = if same { 0.0 } else { ratio(error, deviation) };
            (nmse, nmse > d.ceil() * (1.0 + SLACK))
        } else {
            let c = cosine(xx, yy, xy, same || zero);
            (1.0 - c, c < d.floor() * (1.0 - SLACK))
        };
        count += u64::from(broken);
        worst = worst.max(bad);
    }
    (count, worst)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;

    #[test]
    fn a_relative_bound_is_not_above_the_exact_product() {
        // 0.1 · 3 in f64 is 0.30000000000000004, above the decimal 0.3.
        let bound = relative_bound(&"0.1".parse().unwrap(), 0.0, 3.0);
        assert!(bound < 0.3 && bound > 0.3 - 1e-15);
        assert_eq!(relative_bound(&"0.1".parse().unwrap(), 5.0, 5.0), 0.0);
        assert!(relative_bound(&"1".parse().unwrap(), f64::MIN, f64::MAX).is_finite());
    }

    #[test]
    fn broken_promises_are_counted() {
        let x = Matrix::from_slice(&[0.0_f32, 1.0, f32::NAN, 3.0], &[2]).unwrap();
        let y = Matrix::from_slice(&[0.05_f32, 1.0, 2.0, 3.2], &[2]).unwrap();
        let check = |kind: &str, text: &str| {
            check_promise(&x, &y, &Fidelity::parse(kind, text).unwrap(), 16).unwrap()
        };
        let bound = check("max-error", "0.1");
        // One value is off by 0.2, one NaN became a number.
        assert_eq!((bound.held, bound.violations), (false, 2));
        assert!((bound.quality.max_error - 0.2).abs() < 1e-6);
        assert!(!check("nmse", "0.5").held);
        let same = check_promise(&x, &x, &Fidelity::Lossless, 16).unwrap();
        assert!(same.held && same.quality.nmse == 0.0 && same.quality.psnr.is_infinite());
        assert!(
            check_promise(&x, &x, &Fidelity::parse("ratio", "1.01").unwrap(), 16)
                .is_ok_and(|c| !c.held)
        );
    }

    #[test]
    fn figures_do_not_depend_on_the_columns_offset() {
        let values = |offset: f64| -> Vec<f64> {
            (0..600).map(|i| offset + f64::from(i * 37 % 101)).collect()
        };
        let near: Vec<f64> = values(1e6).iter().map(|v| v + 0.5).collect();
        let x = Matrix::from_slice(&values(1e6), &[3]).unwrap();
        let y = Matrix::from_slice(&near, &[3]).unwrap();
        let plain = Matrix::from_slice(&values(0.0), &[3]).unwrap();
        let moved: Vec<f64> = values(0.0).iter().map(|v| v + 0.5).collect();
        let moved = Matrix::from_slice(&moved, &[3]).unwrap();
        let a = Quality::measure(&x, &y).unwrap();
        let b = Quality::measure(&plain, &moved).unwrap();
        assert!((a.nmse / b.nmse - 1.0).abs() < 1e-9);
        assert_eq!(a.max_error, 0.5);
    }
}
