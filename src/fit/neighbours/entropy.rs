//! What residuals would cost, before there are tables and contexts: with a table for each block of columns
//! and each size of the residuals around.

use crate::codec::context::feature;
use crate::codec::near::Wanted;
use crate::encode::encoder::BlockEncoder;
use crate::encode::neighbours::{CellObserver, Seen};
use crate::fit::context::FitContext;
use crate::fit::data::sample::Thinning;
use crate::fit::neighbours::observe::{RunObserver, observe};

/// Classes of residuals: up to ±15 one by one, then by octaves.
const TOKENS: usize = 128;
const SINGLE: u64 = 15;
/// Sizes of the residuals around a value that are told apart, by octaves.
const SIZES: usize = 12;
/// Values of a block of columns, at least: fewer do not tell a distribution.
const LEAST_VALUES: usize = 2048;
/// Most blocks.
const MOST_BLOCKS: usize = 4096;

/// Divides columns into blocks of neighbours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blocks {
    width: usize,
    pub(super) count: usize,
}

impl Blocks {
    /// Divides the columns of so many rows.
    pub(super) fn of(width: usize, rows: usize) -> Self {
        let values = rows * width;
        let most = (values / LEAST_VALUES).clamp(1, MOST_BLOCKS);
        Self { width, count: most.min(width) }
    }

    /// Returns the block of a column.
    #[inline(always)]
    pub(super) fn of_column(self, column: usize) -> usize {
        column * self.count / self.width
    }
}

struct Tokens {
    blocks: Blocks,
    counts: Vec<u32>,
    raw: Vec<u64>,
}

impl RunObserver for Tokens {
    fn begin_run(&mut self, _: usize) {}
}

impl CellObserver for Tokens {
    const WANTED: Option<Wanted> = Some(Wanted::SCALE);

    #[inline(always)]
    fn cell(&mut self, seen: &Seen<'_>) {
        if seen.cell.atom > 0 {
            return;
        }
        let around = seen.features()[feature::ALL_RESIDUALS].unsigned_abs();
        let octave = ((32 - around.leading_zeros()) as usize).min(SIZES - 1);
        let block = self.blocks.of_column(seen.column) * SIZES + octave;
        let r = seen.cell.residual;
        let m = r.unsigned_abs();
        let (size, raw) = if m <= SINGLE { (m, 0) } else { (12 + u64::from(m.ilog2()), m.ilog2()) };
        let token = 2 * size.min(TOKENS as u64 / 2 - 1) + u64::from(r < 0);
        self.counts[block * TOKENS + token as usize] += 1;
        self.raw[block] += u64::from(raw);
    }
}

/// Returns the bits of the residuals of each block of columns, in `some` rows of the sample.
pub(super) fn block_bits(
    context: &FitContext<'_>,
    encoder: &BlockEncoder,
    predictions: &[i32],
    (blocks, some): (Blocks, Thinning),
) -> Vec<f64> {
    let new = || {
        let tables = blocks.count * SIZES;
        let (counts, raw) = (vec![0; tables * TOKENS], vec![0; tables]);
        Tokens { blocks, counts, raw }
    };
    let mut all = new();
    for part in observe(context, encoder, predictions, some, new) {
        all.counts.iter_mut().zip(part.counts).for_each(|(a, b)| *a += b);
        all.raw.iter_mut().zip(part.raw).for_each(|(a, b)| *a += b);
    }
    let of_table = |(counts, &raw): (&[u32], &u64)| {
        let log = |n: f64| if n > 0.0 { n * n.log2() } else { 0.0 };
        let total: f64 = counts.iter().map(|&n| f64::from(n)).sum();
        let own: f64 = counts.iter().map(|&n| log(f64::from(n))).sum();
        let distinct = counts.iter().filter(|n| **n > 0).count() as f64;
        log(total) - own + raw as f64 + std::f64::consts::LOG2_E * distinct
    };
    let of_block =
        |(counts, raw): (&[u32], &[u64])| counts.chunks_exact(TOKENS).zip(raw).map(of_table).sum();
    all.counts.chunks_exact(SIZES * TOKENS).zip(all.raw.chunks_exact(SIZES)).map(of_block).collect()
}
