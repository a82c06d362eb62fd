//! Columns that blocks keep beside their stream: what the stream codes in their place, and the bytes
//! that bring them back to the last bit.

use crate::codec::columns::{corrected, in_units};
use crate::codec::value::{Cell, with_cell};
use crate::container::columns::{self, Entry, Way};
use crate::container::model::{Grid, Value};
use crate::container::{numbers, shuffle};
use crate::encode::project::cells;
use crate::matrix::{DType, to_little_endian};
use rayon::prelude::*;

/// Levels of pco: its usual one, and the one with the most bins, which pays in long columns of few
/// distinct values and costs in short ones.
const PCO_LEVELS: [usize; 2] = [8, 12];
/// A quick level of zstd, and how many times smaller a slow one may be: where pco is far ahead, the slow
/// one is not tried.
const QUICK_ZSTD: i32 = 3;
const MAY_SHRINK: f64 = 1.5;
/// The level for corrections: nearly all are 0.
const CORRECTIONS_LEVEL: usize = 8;
/// Largest count of multiples: all are exact in `f64`, and so are their neighbours.
const LARGEST_COUNT: f64 = 4_503_599_627_370_496.0;

/// What the values of a column of floats are near to: multiples of a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Near {
    pub(crate) numerator: u64,
    pub(crate) denominator: u64,
    /// What makes the values of their multiples: corrections in places or decimals.
    pub(crate) way: Way,
}

/// A value near a multiple.
pub(crate) struct Split<T> {
    /// The multiple's count.
    pub(crate) count: i64,
    /// The multiple.
    pub(crate) multiple: T,
    /// What makes the value of the multiple.
    pub(crate) correction: i64,
}

impl Near {
    fn multiple<T: Cell>(&self, count: i64) -> T {
        let value = Value::Ratio { numerator: self.numerator, denominator: self.denominator };
        Grid { value, fraction: 0, step: 1 }.at(count)
    }

    /// Splits a value; nothing where no correction gives it back.
    pub(crate) fn split<T: Cell>(&self, x: T) -> Option<Split<T>> {
        let ratio = x.to_f64() * self.denominator as f64 / self.numerator as f64;
        let nearest = ratio.round_ties_even();
        if !x.is_ordinary() || nearest.abs() > LARGEST_COUNT {
            return None;
        }
        let split = self.correct(x, nearest as i64);
        corrected(split.multiple, split.correction, self.way).same(x).then_some(split)
    }

    /// Splits any value: one that is near to nothing is a correction of 0.
    fn split_any<T: Cell>(&self, x: T) -> Option<Split<T>> {
        self.split(x).or_else(|| {
            let split = self.correct(x, 0);
            corrected(split.multiple, split.correction, self.way).same(x).then_some(split)
        })
    }

    fn correct<T: Cell>(&self, x: T, count: i64) -> Split<T> {
        let multiple: T = self.multiple(count);
        let correction = match self.way {
            _ if multiple.same(x) => 0,
            Way::Decimals { denominator } => in_units(x.to_f64(), denominator)
                .wrapping_sub(in_units(multiple.to_f64(), denominator)),
            _ => x.to_order().wrapping_sub(multiple.to_order()),
        };
        Split { count, multiple, correction }
    }
}

/// How a column is kept beside the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// As a whole, in whatever way is smallest; the values may be near to something.
    Whole(Option<Near>),
    /// The stream codes what its values are near to, and corrections are kept.
    Corrections(Near),
}

/// The columns of a file that are kept beside the stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct Beside {
    /// Columns, ascending, and how they are kept.
    pub(crate) columns: Vec<(usize, Keep)>,
    /// Level of zstd.
    pub(crate) level: i32,
}

/// Rows, seen as a block keeps them.
pub(crate) struct Sides {
    /// The rows as the stream codes them: little-endian, row by row.
    pub(crate) coded: Vec<u8>,
    /// The entries of columns.
    pub(crate) columns: Vec<u8>,
}

/// A column kept in one way.
struct Kept {
    way: Way,
    bytes: Vec<u8>,
}

impl Beside {
    /// Splits the rows of a block.
    pub(crate) fn split(&self, rows: &[u8], dtype: DType, width: usize) -> Sides {
        with_cell!(dtype, T => self.split_cells::<T>(rows, width))
    }

    /// Returns `rows` as the stream codes them.
    pub(crate) fn coded(&self, rows: &[u8], dtype: DType, width: usize) -> Vec<u8> {
        with_cell!(dtype, T => {
            let mut all: Vec<T> = cells(rows);
            for &(j, keep) in &self.columns {
                all.iter_mut().skip(j).step_by(width).for_each(|x| *x = stand_in(*x, keep));
            }
            to_little_endian(&all)
        })
    }

    /// Returns the bytes that each of the columns takes in a block of such rows.
    pub(crate) fn bytes(&self, rows: &[u8], dtype: DType, width: usize) -> Vec<usize> {
        with_cell!(dtype, T => {
            let all: Vec<T> = cells(rows);
            let kept = |&(j, keep): &(usize, Keep)| {
                let column: Vec<T> = all.iter().skip(j).step_by(width).copied().collect();
                self.keep(&column, keep).iter().map(|k| k.bytes.len()).sum()
            };
            self.columns.par_iter().map(kept).collect()
        })
    }

    fn keep<T: Cell>(&self, column: &[T], keep: Keep) -> Vec<Kept> {
        match keep {
            Keep::Whole(near) => whole(column, near, self.level),
            Keep::Corrections(near) => corrections(column, near).into_iter().collect(),
        }
    }

    fn split_cells<T: Cell>(&self, rows: &[u8], width: usize) -> Sides {
        let all: Vec<T> = cells(rows);
        let mut kept: Vec<(usize, Kept)> = Vec::new();
        for &(j, keep) in &self.columns {
            let column: Vec<T> = all.iter().skip(j).step_by(width).copied().collect();
            kept.extend(self.keep(&column, keep).into_iter().map(|k| (j, k)));
        }
        let entries: Vec<Entry<'_>> =
            kept.iter().map(|(j, k)| Entry { column: *j, way: k.way, bytes: &k.bytes }).collect();
        let coded = self.coded(rows, T::DTYPE, width);
        Sides { coded, columns: columns::encode(&entries) }
    }
}

/// Returns what the stream codes for `x`.
fn stand_in<T: Cell>(x: T, keep: Keep) -> T {
    match keep {
        Keep::Whole(_) => T::zeroed(),
        Keep::Corrections(near) => near.split(x).map_or(x, |s| s.multiple),
    }
}

/// Keeps what makes a column's values of those that the stream gives, if it makes any difference.
fn corrections<T: Cell>(column: &[T], near: Near) -> Option<Kept> {
    let own: Vec<i64> = column.iter().map(|x| near.split(*x).map_or(0, |s| s.correction)).collect();
    pack_corrections(&own, near.way)
}

fn pack_corrections(corrections: &[i64], way: Way) -> Option<Kept> {
    if corrections.iter().all(|&c| c == 0) {
        return None;
    }
    numbers::pack_integers(corrections, CORRECTIONS_LEVEL).map(|bytes| Kept { way, bytes })
}

/// Keeps a column in the way that takes the fewest bytes.
fn whole<T: Cell>(column: &[T], near: Option<Near>, level: i32) -> Vec<Kept> {
    let size = |kept: &[Kept]| kept.iter().map(|k| k.bytes.len()).sum::<usize>();
    let bytes = to_little_endian(column);
    let shuffled = shuffle::shuffle(&bytes, T::DTYPE.size());
    let packed = shuffle::compress(&shuffled, level.min(QUICK_ZSTD));
    let quick = packed.len();
    let mut best = vec![Kept { way: Way::Packed, bytes: packed }];
    let chunks = PCO_LEVELS.into_iter().filter_map(|l| numbers::pack(&bytes, T::DTYPE, l));
    let chunks = chunks.map(|bytes| vec![Kept { way: Way::Numbers, bytes }]);
    for other in chunks.chain(near.and_then(|near| multiples(column, near))) {
        if size(&other) < size(&best) {
            best = other;
        }
    }
    if level > QUICK_ZSTD && (quick as f64) < MAY_SHRINK * size(&best) as f64 {
        let packed = shuffle::compress(&shuffled, level);
        if packed.len() < size(&best) {
            best = vec![Kept { way: Way::Packed, bytes: packed }];
        }
    }
    best
}

/// Keeps a column as counts of multiples and corrections, if that gives back all of its values.
fn multiples<T: Cell>(column: &[T], near: Near) -> Option<Vec<Kept>> {
    let split: Option<Vec<Split<T>>> = column.iter().map(|x| near.split_any(*x)).collect();
    let (counts, own): (Vec<i64>, Vec<i64>) =
        split?.into_iter().map(|s| (s.count, s.correction)).unzip();
    let Near { numerator, denominator, way } = near;
    let chunks = PCO_LEVELS.into_iter().filter_map(|l| numbers::pack_integers(&counts, l));
    let bytes = chunks.min_by_key(Vec::len)?;
    let counts = Kept { way: Way::Multiples { numerator, denominator }, bytes };
    Some([Some(counts), pack_corrections(&own, way)].into_iter().flatten().collect())
}
