//! What is looked at while a sample is coded.

use crate::codec::near::Wanted;
use crate::container::model::FEATURES;
use crate::encode::encoder::BlockEncoder;
use crate::encode::neighbours::{CellObserver, Seen};
use crate::fit::context::FitContext;
use crate::fit::data::sample::Thinning;
use crate::interrupt::checkpoint;
use rayon::prelude::*;
use std::ops::Range;

/// Parts of a sample that are coded side by side, whatever the number of threads: sums over them are
/// the same on every machine.
const PARTS: usize = 8;

/// An observer of several runs of rows.
pub(super) trait RunObserver: CellObserver + Send {
    /// Says which row of the sample is the first of the next run.
    fn begin_run(&mut self, first_row: usize);
}

/// Tells an observer of rows from a certain one on.
struct Later<'a, O> {
    from: usize,
    observer: &'a mut O,
}

impl<O: CellObserver> CellObserver for Later<'_, O> {
    const WANTED: Option<Wanted> = O::WANTED;

    #[inline(always)]
    fn cell(&mut self, seen: &Seen<'_>) {
        if seen.row >= self.from {
            self.observer.cell(seen);
        }
    }
}

/// Codes some of the sample's rows, whose predictions by the network are `predictions` (none where all are
/// 0), and tells observers that `new` makes; they are returned in the order of the runs.
pub(super) fn observe<'a, O: RunObserver>(
    context: &FitContext<'a>,
    encoder: &BlockEncoder,
    predictions: &[i32],
    some: Thinning,
    new: impl Fn() -> O + Sync,
) -> Vec<O> {
    let sample = context.sample;
    let width = sample.schema.width();
    let row_bytes = sample.schema.row_bytes();
    let runs: Vec<Range<usize>> = sample.pieces(some).collect();
    runs.par_chunks(runs.len().div_ceil(PARTS).max(1))
        .map(|runs| {
            let mut observer = new();
            for run in runs {
                checkpoint();
                observer.begin_run(run.start);
                let bytes = &sample.bytes[run.start * row_bytes..run.end * row_bytes];
                let zeros;
                let own = match predictions {
                    [] => {
                        zeros = vec![0; run.len() * width];
                        &zeros[..]
                    }
                    all => &all[run.start * width..run.end * width],
                };
                let observer = &mut observer;
                encoder.observe(bytes, own, &mut Later { from: some.rows_before(), observer });
            }
            observer
        })
        .collect()
}

/// Keeps every cell with this chance, decided by its place alone.
#[derive(Debug, Clone, Copy)]
struct Chance {
    /// In 1/2^32.
    share: u64,
}

impl Chance {
    /// Keeps about `most` of `cells` cells.
    fn to(most: usize, cells: usize) -> Self {
        Self { share: ((most as u64) << 32) / cells.max(1) as u64 }
    }

    /// Says whether a cell is kept.
    #[inline(always)]
    fn keeps(self, row: usize, column: usize) -> bool {
        // Fibonacci hashing: neighbours fall apart.
        let place = (row as u64) << 32 | column as u64;
        let hash = place.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        hash.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32 < self.share
    }
}

/// Cells with their properties and what is coded of them.
#[derive(Default)]
pub(super) struct Collected {
    /// Properties, cell after cell.
    pub(super) features: Vec<[i32; FEATURES]>,
    pub(super) columns: Vec<u32>,
    /// Rows of the sample.
    pub(super) rows: Vec<u32>,
    pub(super) residuals: Vec<i64>,
    pub(super) atoms: Vec<u8>,
}

impl Collected {
    /// Returns the number of cells.
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }
}

struct Collector {
    chance: Chance,
    first_row: usize,
    out: Collected,
}

impl RunObserver for Collector {
    fn begin_run(&mut self, first_row: usize) {
        self.first_row = first_row;
    }
}

impl CellObserver for Collector {
    const WANTED: Option<Wanted> = Some(Wanted::ALL);

    #[inline(always)]
    fn cell(&mut self, seen: &Seen<'_>) {
        let row = self.first_row + seen.row;
        if self.chance.keeps(row, seen.column) {
            self.out.features.push(seen.features());
            self.out.columns.push(seen.column as u32);
            self.out.rows.push(row as u32);
            self.out.residuals.push(seen.cell.residual);
            self.out.atoms.push(seen.cell.atom);
        }
    }
}

/// Collects about `most` cells of the sample.
pub(super) fn collect(
    context: &FitContext<'_>,
    encoder: &BlockEncoder,
    predictions: &[i32],
    most: usize,
) -> Collected {
    let cells = context.sample.rows() * context.sample.schema.width();
    let chance = Chance::to(most, cells);
    let new = || Collector { chance, first_row: 0, out: Collected::default() };
    let mut all = Collected::default();
    for run in observe(context, encoder, predictions, Thinning::ALL, new) {
        all.features.extend(run.out.features);
        all.columns.extend(run.out.columns);
        all.rows.extend(run.out.rows);
        all.residuals.extend(run.out.residuals);
        all.atoms.extend(run.out.atoms);
    }
    all
}
