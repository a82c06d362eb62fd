//! What a leaf costs: with a table of its own, or with its columns' tables of another scale.

use super::grow::Criterion;
use crate::encode::costs::TableCosts;
use crate::entropy::table::{Table, token_of};

/// Numbers up to this magnitude are told apart one by one.
const SINGLE: i64 = 20;
/// Leading bits by which larger ones are told apart.
const LEAD: u8 = 1;
/// Classes of numbers: those told apart, and 40 octaves in halves for each sign.
const TOKENS: usize = 2 * (SINGLE as usize + 1 + 40 * 2);
/// Bits of the model that a class of numbers takes in a leaf's table.
const ENTRY_BITS: f32 = 10.0;
/// Bits by which a distribution learnt from a sample is worse than it looks, for each of its numbers:
/// ½ log₂ e, in the sample and once more in the file (Miller 1955).
const OPTIMISM: f32 = 1.4;

/// Classes of numbers coded with a table of the leaf's own.
pub(crate) struct OwnTable {
    /// The class of each cell's number.
    tokens: Vec<u8>,
    /// The classes that occur.
    used: usize,
    /// Raw bits beyond each class.
    raw: Vec<f32>,
    /// Cells of the file for each that was observed.
    weight: f32,
}

impl OwnTable {
    pub(crate) fn new(numbers: &[i64], weight: f64) -> Self {
        let index: Vec<usize> = numbers.iter().map(|&n| token(n)).collect();
        let mut place = vec![u8::MAX; TOKENS];
        let (mut used, mut raw) = (0, Vec::new());
        for (&t, &n) in index.iter().zip(numbers) {
            if place[t] == u8::MAX {
                place[t] = used as u8;
                used += 1;
                raw.push(raw_bits(n));
            }
        }
        let tokens = index.into_iter().map(|t| place[t]).collect();
        Self { tokens, used, raw, weight: weight as f32 }
    }
}

/// Returns the class of a number.
fn token(n: i64) -> usize {
    let m = n.unsigned_abs();
    let t = if m <= SINGLE as u64 {
        m as usize
    } else {
        let far = token_of(LEAD, m.min(1 << 40)) - token_of(LEAD, SINGLE as u64);
        (SINGLE as usize + far).min(TOKENS / 2 - 1)
    };
    2 * t + usize::from(n < 0)
}

/// Returns the bits by which a number is told from others of its class.
fn raw_bits(n: i64) -> f32 {
    let m = n.unsigned_abs();
    if m <= SINGLE as u64 { 0.0 } else { (m.ilog2() - u32::from(LEAD)) as f32 }
}

/// Returns `x log₂ x`.
#[inline(always)]
fn x_log_x(x: f32) -> f32 {
    if x > 0.0 { x * x.log2() } else { 0.0 }
}

impl Criterion for OwnTable {
    fn len(&self) -> usize {
        self.used
    }

    #[inline(always)]
    fn add(&self, cell: usize, sums: &mut [f32]) {
        sums[usize::from(self.tokens[cell])] += 1.0;
    }

    fn cost(&self, sums: &[f32]) -> f32 {
        let (mut total, mut bits, mut distinct) = (0.0, 0.0, 0.0);
        for (&count, &raw) in sums.iter().zip(&self.raw) {
            if count > 0.5 {
                total += count;
                bits += count * raw - x_log_x(count);
                distinct += 1.0;
            }
        }
        bits += x_log_x(total);
        bits * self.weight + distinct * (ENTRY_BITS + OPTIMISM * 0.5 * self.weight)
    }
}

/// By how much scales are moved for comparison, in quarter octaves.
const SHIFTS: [i64; 8] = [-18, -11, -7, -3, 0, 3, 6, 11];
/// Bits of a leaf's shift in the model.
const SHIFT_BITS: f32 = 5.0;

/// Columns' own tables, with their scale moved by a number for the leaf.
pub(crate) struct ShiftedTable {
    bits: Vec<[f32; SHIFTS.len()]>,
    weight: f32,
}

/// A cell's number and the ladder that it has where nothing moves its scale.
#[derive(Clone, Copy)]
pub(crate) struct InLadder {
    pub(crate) number: i64,
    pub(crate) shape: u8,
    pub(crate) scale: u8,
}

/// All ladders of the shapes and scales that are asked for.
pub(crate) struct Ladders {
    tables: Vec<Table>,
    costs: TableCosts,
}

impl Ladders {
    /// Lays out all ladders.
    pub(crate) fn new() -> Self {
        use crate::entropy::table::{SCALE_COUNT, SHAPE_COUNT, TableSpec};
        let all = (0..SHAPE_COUNT).flat_map(|shape| (0..SCALE_COUNT).map(move |s| (shape, s)));
        let table = |(shape, scale): (usize, usize)| {
            Table::new(&TableSpec::Ladder { shape: shape as u8, scale: scale as u8 }).ok()
        };
        let tables: Vec<Table> = all.filter_map(table).collect();
        Self { costs: TableCosts::new(&tables), tables }
    }

    /// Returns the bits of a number whose scale is moved by `shift`.
    #[inline(always)]
    pub(crate) fn bits(&self, cell: InLadder, shift: i64) -> f32 {
        use crate::entropy::table::SCALE_COUNT;
        let scale = (i64::from(cell.scale) + shift).clamp(0, SCALE_COUNT as i64 - 1) as usize;
        self.costs.of(&self.tables, usize::from(cell.shape) * SCALE_COUNT + scale, cell.number)
    }
}

impl ShiftedTable {
    pub(crate) fn new(ladders: &Ladders, cells: &[InLadder], weight: f64) -> Self {
        let bits = |cell: &InLadder| SHIFTS.map(|shift| ladders.bits(*cell, shift));
        Self { bits: cells.iter().map(bits).collect(), weight: weight as f32 }
    }
}

impl Criterion for ShiftedTable {
    fn len(&self) -> usize {
        SHIFTS.len()
    }

    #[inline(always)]
    fn add(&self, cell: usize, sums: &mut [f32]) {
        for (sum, bits) in sums.iter_mut().zip(&self.bits[cell]) {
            *sum += bits;
        }
    }

    fn cost(&self, sums: &[f32]) -> f32 {
        let least = sums.iter().copied().fold(f32::INFINITY, f32::min);
        least * self.weight + SHIFT_BITS + OPTIMISM * 0.5 * self.weight
    }
}
