//! The table under which some numbers take the fewest bits, its own included.

use crate::encode::costs::TableCosts;
use crate::entropy::rans::{PROB_BITS, PROB_SCALE};
use crate::entropy::table::{SCALE_COUNT, SHAPE_COUNT, Table, TableSpec, token_count, token_of};
use crate::fit::entropy::counts::{Counts, magnitude};
use std::sync::OnceLock;

/// Bits of the model that a ladder of another shape than the usual one takes: a change of what the
/// adaptive coder expects. Half or double: 0.3 % larger on
/// spectra at level 3, ECG up to 0.6 %.
const SHAPE_BITS: f64 = 3.0;

/// Most distinct numbers for which a histogram is considered: the model is read as a whole when a
/// file is opened. The format allows 4 times as many.
const MOST_ENTRIES: usize = 1024;
/// Bits of the model that each entry of a histogram takes, about: a gap and a frequency. Half: 0.3 %
/// larger on spectra at level 1 and 2.4 % at level 3; double: 0.2 % smaller and 0.5 % larger.
const ENTRY_BITS: f64 = 11.0;
/// Bits of the model that any histogram takes besides. Half or double: within
/// 0.1 %.
const HISTOGRAM_BITS: f64 = 12.0;
/// Bits by which a histogram may be larger and still be taken: a ladder has its own bits in the
/// model, which are not counted. Half or double: within 0.2 %.
const LADDER_BITS: f64 = 4.0;
/// Numbers that must have been counted for a histogram. Half or double: the same files.
const LEAST_COUNTED: u64 = 32;
/// Histograms of single numbers are looked at where these lie within this range, or else occur this
/// often on average: elsewhere most of what is to come has not been seen. Half or
/// double of either: the same files.
const LISTED_RANGE: u64 = 4096;
const LISTED_REPEATS: u64 = 4;
/// Least range of a histogram of numbers without their low bits: fewer cells than these do not tell
/// a distribution's shape.
const LEAST_CELLS: u64 = 16;
/// Times that a number seen once stands for one that was not seen (Good, *Biometrika* 1953, says
/// once; with that files are up to 0.1 % larger, with a quarter up to 0.8 % on air).
const UNSEEN_PER_ONCE: f64 = 0.5;
/// Bits of a number that a histogram does not list: it is sent as it is, after the escape.
const UNLISTED_BITS: f64 = 64.0;
/// Counts are multiplied by this, so that those of what was not seen can be fractions.
const FINE_COUNT: u64 = 64;

/// Distinct sizes of numbers from which on tokens are tried: fewer are a ladder's or a histogram's. Half:
/// 0.2 % smaller on ECG; double: 1.5 % larger on air.
const LEAST_SIZES: usize = 64;
/// Bits of the model that frequencies of tokens take, about. 100 or 500: within
/// 0.05 %.
const TOKENS_BITS: f64 = 250.0;
/// Numbers from which on tokens keep this many bits below the leading one; there are 4 times as many
/// tokens then, of which each must be seen often. Half or double: the same files.
const FINE_TOKENS_FROM: u64 = 4096;
const FINE_TOKENS_LEAD: u8 = 2;
/// How many times a seen token outweighs one that was not seen, in counts. Half or
/// double: within 0.1 %.
const TOKEN_WEIGHT: u64 = 16;

/// All ladders, by shape and scale, and what numbers cost under them.
struct Ladders {
    tables: Vec<Table>,
    costs: TableCosts,
}

impl Ladders {
    /// Returns them; they are made once.
    fn all() -> &'static Self {
        static LADDERS: OnceLock<Ladders> = OnceLock::new();
        LADDERS.get_or_init(|| {
            let all = (0..SHAPE_COUNT).flat_map(|shape| (0..SCALE_COUNT).map(move |i| (shape, i)));
            let table = |(shape, scale): (usize, usize)| {
                Table::new(&TableSpec::Ladder { shape: shape as u8, scale: scale as u8 }).ok()
            };
            let tables: Vec<Table> = all.filter_map(table).collect();
            Self { costs: TableCosts::new(&tables), tables }
        })
    }

    /// Returns the bits of the counted numbers under one of them.
    fn cost(&self, table: usize, counts: &[(i64, u64)]) -> f64 {
        let bits = |number| f64::from(self.costs.of(&self.tables, table, number));
        counts.iter().map(|&(number, n)| bits(number) * n as f64).sum()
    }
}

/// A table and what the counted numbers cost under it.
#[derive(Debug, Clone)]
pub(crate) struct FittedTable {
    /// The table.
    pub(crate) spec: TableSpec,
    /// Bits of the sample's numbers, and the sample's share of the table's own bits as far as it
    /// takes more than a usual one.
    pub(crate) bits: f64,
}

impl FittedTable {
    /// Returns the table that has a code for 0 only, which takes no bits.
    pub(crate) fn zero() -> Self {
        Self { spec: TableSpec::Zero, bits: 0.0 }
    }
}

/// What a table is fitted for.
pub(crate) struct TableFit {
    /// Numbers of the file per number of the sample.
    pub(crate) weight: f64,
    /// Shape of ladders that costs nothing to say.
    pub(crate) usual_shape: Option<u8>,
    /// Whether the table may have a code for 0 only where only zeros were counted.
    pub(crate) may_be_zero: bool,
}

/// Fits the table with which the file takes the fewest bits.
pub(crate) fn fit_table(counts: &mut Counts, fit: &TableFit) -> FittedTable {
    if fit.may_be_zero && counts.only_zeros() {
        return FittedTable::zero();
    }
    let weight = fit.weight;
    let gathered = counts.gathered();
    let mut best = ladder(&gathered, fit);
    for other in histograms(counts) {
        let own = ENTRY_BITS * entries(&other) as f64 + HISTOGRAM_BITS;
        if other.bits * weight + own < best.bits * weight + LADDER_BITS {
            best = FittedTable { bits: other.bits + own / weight, ..other };
        }
    }
    // Tokens are for wide numbers of uneven sizes.
    if gathered.len() > LEAST_SIZES {
        let other = tokens(&gathered, counts.total);
        if other.bits * weight + TOKENS_BITS < best.bits * weight {
            best = other;
        }
    }
    best
}

/// Fits the ladder of least bits: of each shape, downhill from a scale guessed from the mean
/// magnitude.
fn ladder(counts: &[(i64, u64)], fit: &TableFit) -> FittedTable {
    let total: u64 = counts.iter().map(|c| c.1).sum();
    let mean = counts.iter().map(|&(v, n)| v.unsigned_abs() as f64 * n as f64).sum::<f64>()
        / (total.max(1) as f64);
    // Scales are `2^(i / 4 − 4)`.
    let guess = (4.0 * (mean.max(1e-9).log2() + 4.0)).round().max(0.0) as usize;
    let ladders = Ladders::all();
    let mut best = FittedTable { spec: TableSpec::Zero, bits: f64::INFINITY };
    for shape in 0..SHAPE_COUNT {
        let first = shape * SCALE_COUNT;
        let cost = |scale| ladders.cost(first + scale, counts);
        let (scale, bits) = downhill(guess.min(SCALE_COUNT - 1), cost);
        let is_usual = fit.usual_shape.is_none_or(|usual| usize::from(usual) == shape);
        let bits = bits + if is_usual { 0.0 } else { SHAPE_BITS / fit.weight };
        if bits < best.bits {
            let spec = TableSpec::Ladder { shape: shape as u8, scale: scale as u8 };
            best = FittedTable { spec, bits };
        }
    }
    best
}

/// Goes from one scale to the next while costs fall, up and then down; returns the last and its cost.
fn downhill(start: usize, cost: impl Fn(usize) -> f64) -> (usize, f64) {
    let (mut at, mut least) = (start, cost(start));
    for up in [true, false] {
        loop {
            let next = if up { at + 1 } else { at.wrapping_sub(1) };
            if next >= SCALE_COUNT {
                break;
            }
            let other = cost(next);
            if other >= least {
                break;
            }
            (at, least) = (next, other);
        }
    }
    (at, least)
}

/// Returns frequencies proportional to `counts`, each at least 1, adding up to `PROB_SCALE`.
pub(crate) fn normalise(counts: &[u64]) -> Vec<u32> {
    let total: u64 = counts.iter().sum();
    let used = counts.iter().filter(|&&c| c > 0).count() as u64;
    let spread = u64::from(PROB_SCALE) - used;
    let mut cumulative = 0;
    let mut last = 0;
    let mut out: Vec<u32> = counts
        .iter()
        .map(|&c| {
            if c == 0 {
                return 0;
            }
            cumulative += c;
            let now = (u128::from(cumulative) * u128::from(spread) / u128::from(total)) as u64;
            let f = now - last + 1;
            last = now;
            f as u32
        })
        .collect();
    let sum: u32 = out.iter().sum();
    if let Some(largest) = out.iter_mut().max() {
        *largest += PROB_SCALE - sum;
    }
    out
}

/// Takes numbers together that differ in their lowest bit only, and drops it.
fn halve(distinct: &[(i64, u64)]) -> Vec<(i64, u64)> {
    let mut out: Vec<(i64, u64)> = Vec::new();
    for &(number, count) in distinct {
        match out.last_mut() {
            Some((last, n)) if *last == number >> 1 => *n += count,
            _ => out.push((number >> 1, count)),
        }
    }
    out
}

/// Returns the histograms worth a comparison: of the numbers themselves and, where these lie too far
/// apart to be listed, of their high bits.
fn histograms(counts: &mut Counts) -> Vec<FittedTable> {
    let total = counts.total;
    let mut distinct = counts.distinct();
    let range = distinct.last().map_or(0, |l| l.0.abs_diff(distinct[0].0));
    let mut found = Vec::new();
    if total < LEAST_COUNTED {
        return found;
    }
    if distinct.len() <= MOST_ENTRIES
        && (distinct.len() as u64 * LISTED_REPEATS < total || range < LISTED_RANGE)
    {
        found.push(histogram(0, &distinct, total));
    }
    if range < LISTED_RANGE {
        return found;
    }
    for raw in (1..63_u8).take_while(|&raw| range >> raw >= LEAST_CELLS) {
        distinct = halve(&distinct);
        if distinct.len() <= MOST_ENTRIES && range >> raw <= 2 * MOST_ENTRIES as u64 {
            found.push(histogram(raw, &distinct, total));
        }
    }
    found
}

/// Returns how many numbers a histogram lists.
fn entries(histogram: &FittedTable) -> usize {
    match &histogram.spec {
        TableSpec::Histogram { entries, .. } => entries.len(),
        _ => 0,
    }
}

/// Makes a histogram of numbers without their `raw` low bits, which are then sent as they are.
fn histogram(raw: u8, distinct: &[(i64, u64)], total: u64) -> FittedTable {
    let once = distinct.iter().filter(|d| d.1 == 1).count() as u64;
    let unseen = once as f64 * UNSEEN_PER_ONCE;
    let mut counts: Vec<u64> = distinct.iter().map(|d| d.1 * FINE_COUNT).collect();
    counts.push(((unseen * FINE_COUNT as f64) as u64).clamp(1, total * FINE_COUNT));
    let frequencies = normalise(&counts);
    let (escape, frequencies) = frequencies.split_last().expect("the escape is there");
    let bits = |f: u32| f64::from(PROB_BITS) - f64::from(f).log2();
    let seen: f64 = distinct.iter().zip(frequencies).map(|(d, &f)| d.1 as f64 * bits(f)).sum();
    let bits = seen + f64::from(raw) * total as f64 + unseen * UNLISTED_BITS;
    let entries = distinct.iter().zip(frequencies).map(|(d, &f)| (d.0, f)).collect();
    FittedTable { spec: TableSpec::Histogram { raw, entries, escape: *escape }, bits }
}

/// Makes a table of numbers' signs and sizes, whose other bits are sent as they are.
fn tokens(counts: &[(i64, u64)], total: u64) -> FittedTable {
    let lead = if total > FINE_TOKENS_FROM { FINE_TOKENS_LEAD } else { 0 };
    let half = token_count(lead);
    let mut seen = vec![0_u64; 2 * half - 1];
    for &(v, n) in counts {
        let t = token_of(lead, magnitude(v));
        seen[if v < 0 { half - 1 - t } else { half - 1 + t }] += n * TOKEN_WEIGHT;
    }
    // Every token stays possible.
    seen.iter_mut().for_each(|n| *n += 1);
    let spec = TableSpec::Tokens { lead, frequencies: normalise(&seen) };
    let cost = |table: Table| {
        counts.iter().map(|&(number, n)| f64::from(table.cost(number)) * n as f64).sum()
    };
    let bits = Table::new(&spec).map_or(f64::INFINITY, cost);
    FittedTable { spec, bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(numbers: impl IntoIterator<Item = i64>) -> Counts {
        let mut c = Counts::new();
        numbers.into_iter().for_each(|n| c.add(n));
        c
    }

    #[test]
    fn each_kind_of_source_gets_its_kind_of_table() {
        let spec = |mut c: Counts| {
            let fit = TableFit { weight: 10.0, usual_shape: None, may_be_zero: true };
            fit_table(&mut c, &fit).spec
        };
        assert_eq!(spec(counts([0; 100])), TableSpec::Zero);
        let gappy = (0..4000).map(|i| (i % 3) * 1000);
        assert!(
            matches!(spec(counts(gappy)), TableSpec::Histogram { entries, .. } if entries.len() == 3)
        );
        let bell = (0..4000_i64).map(|i| (0..12).map(|k| ((i * 7919) >> k) & 1).sum::<i64>() - 6);
        let fitted = spec(counts(bell.map(|v| v * 37)));
        assert!(!matches!(fitted, TableSpec::Zero), "{fitted:?}");
    }

    #[test]
    fn fitted_tables_are_valid_and_can_say_what_was_counted() {
        let mut state = 9_u64;
        for spread in [1, 10, 1000, i64::MAX] {
            let numbers: Vec<i64> = (0..500)
                .map(|_| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
                    (state >> 1) as i64 % spread - spread / 3
                })
                .collect();
            let fit = TableFit { weight: 1.0, usual_shape: None, may_be_zero: false };
            let fitted = fit_table(&mut counts(numbers.iter().copied()), &fit);
            let table = Table::new(&fitted.spec).unwrap();
            assert!(numbers.iter().all(|&n| table.cost(n).is_finite()));
        }
    }
}
