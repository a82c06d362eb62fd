//! Do the columns of rows share a unit, as those of images and signals do?

use super::values;
use crate::error::Result;
use crate::matrix::{Rows, Schema};

/// The quantiles between which a column is said to extend: wild values, up to a fiftieth at either
/// end, do not move them, and what varies at a few rows only, as the border of images, still counts.
const EXTENT: (f64, f64) = (0.02, 0.98);
/// Columns of one unit extend over at most so many times as much, or as little, as half of them do.
/// Columns of images and embeddings, and bands of spectra, stay within it, but for a few.
const ALIKE: f64 = 8.0;
/// The share of columns that must be alike: some bands of spectra and edges of images differ.
const MOST: f64 = 0.9;
/// The share of the places along an axis of an array, one in so many at either end, that is left
/// out: images are often dark there.
const BORDER: usize = 6;
/// Rows, at most and at least, and values about, that are looked at to judge columns: two digits
/// of an extent, in no time.
const JUDGED_ROWS: (usize, usize) = (64, 2048);
const JUDGED_VALUES: usize = 1 << 22;

/// Whether the columns of rows share a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnUnits {
    /// All columns are of one unit, as the pixels of an image or the samples of a signal. They are
    /// used as they are, so that an error of 1 counts the same in each.
    Shared,
    /// Columns are quantities of their own units, as those of most tables. Each is centred and
    /// divided by its spread, so that a deviation counts the same in each.
    Own,
}

impl ColumnUnits {
    /// Judges `rows`. Columns with names have their own units, unless all names are numbers, as
    /// wavelengths and pixels have. Others share a unit if nine in ten extend over ranges that
    /// overlap and differ in length by less than a factor of 8 from the usual one; of rows that are
    /// themselves arrays, such as images or windows of channels, the places along the first and
    /// the last axis are compared. Values that are not finite, and a few wild ones, do not count.
    ///
    /// # Errors
    /// Whatever reading the rows fails with, `Io` for files.
    ///
    /// ```
    /// use aezip::Matrix;
    /// use aezip::apps::ColumnUnits;
    /// let wave = |i: i32| (0.1 * f64::from(i)).sin();
    /// let air: Vec<f64> = (0..100).flat_map(|i| [101_325.0 + 900.0 * wave(i), 0.2 * wave(i)]).collect();
    /// assert_eq!(ColumnUnits::of(&Matrix::from_slice(&air, &[2])?)?, ColumnUnits::Own);
    /// let signal: Vec<f64> = (0..800).map(wave).collect();
    /// assert_eq!(ColumnUnits::of(&Matrix::from_slice(&signal, &[8])?)?, ColumnUnits::Shared);
    /// # Ok::<(), aezip::Error>(())
    /// ```
    pub fn of(rows: &dyn Rows) -> Result<Self> {
        let width = rows.schema().width();
        let (least, most) = JUDGED_ROWS;
        let some = (JUDGED_VALUES / width.max(1)).clamp(least, most).min(rows.len());
        let mut values = Vec::with_capacity(some * width);
        for i in 0..some {
            let row = rows.len() * i / some;
            values.extend(values::read(rows, row..row + 1)?);
        }
        Ok(Self::judge(rows.schema(), &values))
    }

    /// [`Self::judge`] of all values of `rows`.
    pub(super) fn judge_rows(rows: &dyn Rows) -> Result<Self> {
        let width = rows.schema().width();
        let mut values = Vec::new();
        for i in (0..rows.len()).step_by(judged_every(rows.len(), width)) {
            values.extend(values::read(rows, i..i + 1)?);
        }
        Ok(Self::judge(rows.schema(), &values))
    }

    /// [`Self::of`] for values that are there already; those that do not count are NaN.
    pub(super) fn judge(schema: &Schema, values: &[f64]) -> Self {
        let width = schema.width();
        let is_number = |name: &String| name.trim().parse::<f64>().is_ok();
        if schema.columns.as_ref().is_some_and(|names| !names.iter().all(is_number)) {
            return Self::Own;
        }
        let rows = values.len() / width.max(1);
        let every = judged_every(rows, width);
        let extent = |j: usize| Extent::of(values.iter().skip(j).step_by(width * every).copied());
        let extents: Vec<Option<Extent>> = (0..width).map(extent).collect();
        let is_shared = match schema.row_shape[..] {
            [] | [_] => are_alike(extents.into_iter().flatten().collect()),
            [first, .., last] => {
                let along = |places: usize, place: &dyn Fn(usize) -> usize| {
                    let mut groups = vec![Vec::new(); places];
                    for (j, extent) in extents.iter().enumerate() {
                        groups[place(j)].extend(*extent);
                    }
                    let inside = &groups[places / BORDER..places - places / BORDER];
                    are_alike(inside.iter().filter_map(|g| Extent::usual(g)).collect())
                };
                let inner = width / first.max(1);
                along(first, &|j| j / inner) && along(last, &|j| j % last)
            }
        };
        if is_shared { Self::Shared } else { Self::Own }
    }
}

/// Every how manieth of `rows` rows is looked at.
fn judged_every(rows: usize, width: usize) -> usize {
    let (least, most) = JUDGED_ROWS;
    rows.div_ceil((JUDGED_VALUES / width.max(1)).clamp(least, most)).max(1)
}

impl std::fmt::Display for ColumnUnits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Shared => "columns share a unit",
            Self::Own => "columns have units of their own",
        })
    }
}

/// Where the values of a column lie.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Extent {
    low: f64,
    centre: f64,
    high: f64,
}

impl Extent {
    /// The [`EXTENT`] of a column and its median; `None` if it does not vary.
    fn of(column: impl Iterator<Item = f64>) -> Option<Self> {
        let mut x: Vec<f64> = column.filter(|x| x.is_finite()).collect();
        x.sort_unstable_by(f64::total_cmp);
        let at = |q: f64| x[(q * (x.len() - 1) as f64).round() as usize];
        let extent = match x[..] {
            [] => return None,
            _ => Self { low: at(EXTENT.0), centre: at(0.5), high: at(EXTENT.1) },
        };
        (extent.high > extent.low).then_some(extent)
    }

    /// The medians of several.
    fn usual(all: &[Self]) -> Option<Self> {
        (!all.is_empty()).then(|| Self {
            low: median(all.iter().map(|e| e.low)),
            centre: median(all.iter().map(|e| e.centre)),
            high: median(all.iter().map(|e| e.high)),
        })
    }

    /// Half of it on either side, so that the length of what floats can say stays finite.
    fn half(&self) -> f64 {
        self.high / 2.0 - self.low / 2.0
    }
}

/// The upper median.
fn median(x: impl Iterator<Item = f64>) -> f64 {
    let mut x: Vec<f64> = x.collect();
    x.sort_unstable_by(f64::total_cmp);
    x.get(x.len() / 2).copied().unwrap_or(0.0)
}

/// Whether most extents are about as long as the usual one, and near it.
fn are_alike(extents: Vec<Extent>) -> bool {
    let Some(usual) = Extent::usual(&extents) else { return true };
    let half = median(extents.iter().map(Extent::half));
    let (low, high) = (usual.centre - ALIKE * half, usual.centre + ALIKE * half);
    let is_alike = |e: &&Extent| {
        let own = e.half();
        own <= ALIKE * half && half <= ALIKE * own && e.low <= high && e.high >= low
    };
    extents.iter().filter(is_alike).count() as f64 >= MOST * extents.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::DType;
    use crate::matrix::rng::Rng;

    /// The verdict on 300 rows whose columns are `scale`·normal + `centre`.
    fn judged(
        schema: &Schema,
        columns: &[(f64, f64)],
        change: impl Fn(usize, f64) -> f64,
    ) -> ColumnUnits {
        let mut rng = Rng::new(1);
        let value = |(at, (centre, scale)): (usize, &(f64, f64))| {
            change(at, centre + scale * f64::from(rng.normal()))
        };
        let values: Vec<f64> = (0..300).flat_map(|_| columns).enumerate().map(value).collect();
        ColumnUnits::judge(schema, &values)
    }

    #[test]
    fn columns_of_different_units_are_told_from_those_of_one() {
        let flat = |width: usize| Schema::new(DType::F64, &[width]);
        let same = |_: usize, x: f64| x;
        let air = [(288.0, 8.0), (101_325.0, 900.0), (0.5, 0.17), (0.008, 0.002)];
        assert_eq!(judged(&flat(4), &air, same), ColumnUnits::Own);
        // One spread, different places.
        let places = [(0.0, 1.0), (1e3, 1.0), (2e3, 1.0)];
        assert_eq!(judged(&flat(3), &places, same), ColumnUnits::Own);
        // Components of a few latents differ by several times, a few embedding columns by more.
        let mixed: Vec<(f64, f64)> =
            (0..40).map(|j| (0.1 * f64::from(j % 7), f64::from(1 + j % 5))).collect();
        assert_eq!(judged(&flat(40), &mixed, same), ColumnUnits::Shared);
        let mut massive = mixed.clone();
        massive[5] = (300.0, 2.0);
        assert_eq!(judged(&flat(40), &massive, same), ColumnUnits::Shared);
        // Wild and missing values change nothing.
        let wild = |at: usize, x: f64| {
            if at < 4 {
                x * 1e30
            } else if at.is_multiple_of(9) {
                f64::NAN
            } else {
                x
            }
        };
        assert_eq!(judged(&flat(40), &mixed, wild), ColumnUnits::Shared);
        assert_eq!(judged(&flat(4), &air, wild), ColumnUnits::Own);
        // Names say so, but for those of a spectrum.
        let named = |names: &[&str]| {
            let columns = Some(names.iter().map(|s| s.to_string()).collect());
            Schema { columns, ..flat(2) }
        };
        let two = [(0.0, 1.0), (0.5, 2.0)];
        assert_eq!(judged(&named(&["T", "q"]), &two, same), ColumnUnits::Own);
        assert_eq!(judged(&named(&["400", "410.5"]), &two, same), ColumnUnits::Shared);
        // Channels of their own units, last and first; an image with a dark border.
        let channels: Vec<(f64, f64)> = (0..20).flat_map(|_| [(1e3, 5.0), (0.5, 0.1)]).collect();
        assert_eq!(judged(&Schema::new(DType::F64, &[20, 2]), &channels, same), ColumnUnits::Own);
        let first = [[(1e3, 5.0); 20], [(0.5, 0.1); 20]].concat();
        assert_eq!(judged(&Schema::new(DType::F64, &[2, 20]), &first, same), ColumnUnits::Own);
        let dark = |j: usize| {
            [0.1, 9.0][usize::from(!j.is_multiple_of(6) && j % 6 < 5 && j > 5 && j < 30)]
        };
        let image: Vec<(f64, f64)> = (0..36).map(|j| (0.0, dark(j))).collect();
        assert_eq!(judged(&Schema::new(DType::F64, &[6, 6]), &image, same), ColumnUnits::Shared);
        // Nothing to go by.
        assert_eq!(ColumnUnits::judge(&flat(3), &[]), ColumnUnits::Shared);
        assert_eq!(ColumnUnits::judge(&flat(2), &[f64::NAN; 8]), ColumnUnits::Shared);
        assert_eq!(
            ColumnUnits::judge(&flat(2), &[f64::MAX, f64::MIN, f64::MIN, f64::MAX]),
            ColumnUnits::Shared
        );
    }
}
