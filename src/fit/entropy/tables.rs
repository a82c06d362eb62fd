//! The best table for some numbers.

use crate::entropy::rans::PROB_SCALE;
use crate::entropy::table::{SCALE_COUNT, SHAPE_COUNT, Table, TableSpec, token_count, token_of};
use std::sync::OnceLock;

/// Numbers up to this are counted one by one.
const REACH: i64 = 48;
/// Bits that a histogram's entry takes in the model, about.
const ENTRY_BITS: f64 = 11.0;
/// Most distinct numbers for which a histogram is considered.
const MAX_ENTRIES: usize = 1024;

/// How often each number occurs.
#[derive(Debug, Clone)]
pub(crate) struct Counts {
    near: [u32; 2 * REACH as usize + 1],
    far: Vec<i64>,
    total: u64,
}

impl Counts {
    pub(crate) fn new() -> Self {
        Self { near: [0; 2 * REACH as usize + 1], far: Vec::new(), total: 0 }
    }

    #[inline]
    pub(crate) fn add(&mut self, number: i64) {
        self.total += 1;
        match self.near.get_mut(number.wrapping_add(REACH) as u64 as usize) {
            Some(n) => *n += 1,
            None => self.far.push(number),
        }
    }

    /// How often a small number occurs.
    pub(crate) fn near(&self, number: i64) -> u64 {
        self.near.get((number + REACH) as usize).map_or_else(
            || self.far.iter().filter(|&&n| n == number).count() as u64,
            |&n| u64::from(n),
        )
    }

    /// Whether nothing but 0 was counted.
    pub(crate) fn only_zeros(&self) -> bool {
        u64::from(self.near[REACH as usize]) == self.total
    }

    /// Distinct numbers, ascending, with their counts.
    fn distinct(&mut self) -> Vec<(i64, u64)> {
        self.far.sort_unstable();
        let mut out: Vec<(i64, u64)> = Vec::new();
        let near = self.near.iter().enumerate().filter(|(_, n)| **n > 0);
        out.extend(near.map(|(i, n)| (i as i64 - REACH, u64::from(*n))));
        for run in self.far.chunk_by(|a, b| a == b) {
            out.push((run[0], run.len() as u64));
        }
        out.sort_unstable();
        out
    }

    /// Distinct numbers, far ones gathered with those of similar size: costs hardly differ.
    fn gathered(&mut self) -> Vec<(i64, u64)> {
        let mut out: Vec<(i64, u64)> = Vec::new();
        for (number, count) in self.distinct() {
            match out.last_mut() {
                Some((last, n))
                    if number.abs() > REACH
                        && number.signum() == last.signum()
                        && token_of(3, number.unsigned_abs() & i64::MAX as u64)
                            == token_of(3, last.unsigned_abs() & i64::MAX as u64) =>
                {
                    *n += count;
                }
                _ => out.push((number, count)),
            }
        }
        out
    }
}

/// All ladder tables, by shape and scale.
fn ladders() -> &'static [Table] {
    static LADDERS: OnceLock<Vec<Table>> = OnceLock::new();
    LADDERS.get_or_init(|| {
        let all = (0..SHAPE_COUNT).flat_map(|shape| (0..SCALE_COUNT).map(move |i| (shape, i)));
        all.filter_map(|(shape, scale)| {
            Table::new(&TableSpec::Ladder { shape: shape as u8, scale: scale as u8 }).ok()
        })
        .collect()
    })
}

/// A table and what the counted numbers cost under it.
#[derive(Debug, Clone)]
pub(crate) struct Fitted {
    pub(crate) spec: TableSpec,
    /// Bits of the sample's numbers.
    pub(crate) bits: f64,
}

/// The table for `counts` with fewest bits in the whole file, which has `weight` numbers for each
/// counted one. `favourite`: the shape that costs nothing to say; `exact`: whether a table that
/// can say 0 only is allowed where only zeros were seen.
pub(crate) fn fit(counts: &mut Counts, weight: f64, favourite: Option<u8>, exact: bool) -> Fitted {
    if counts.only_zeros() && exact {
        return Fitted { spec: TableSpec::Zero, bits: 0.0 };
    }
    let gathered = counts.gathered();
    let mut best = ladder(&gathered, weight, favourite);
    let mut distinct = counts.distinct();
    let spread = distinct.last().map_or(0, |l| l.0.abs_diff(distinct[0].0));
    for raw in 0..63_u8 {
        if raw > 0 {
            distinct = halve(&distinct);
        }
        // Coarser ones are tried only where numbers are spread too widely to be listed.
        if raw > 0 && (spread >> raw < 16 || spread < 4096) {
            break;
        }
        let listed = raw == 0 && (distinct.len() as u64 * 4 < counts.total || spread < 4096);
        let coarse = raw > 0 && spread >> raw <= 2 * MAX_ENTRIES as u64;
        if distinct.len() <= MAX_ENTRIES && counts.total >= 32 && (listed || coarse) {
            let other = histogram(raw, &distinct, counts.total);
            let own = ENTRY_BITS * distinct.len() as f64 + 12.0;
            if other.bits * weight + own < best.bits * weight + 4.0 {
                best = Fitted { bits: other.bits + own / weight, ..other };
            }
        }
    }
    // Tokens where numbers are wide and their sizes uneven.
    if gathered.len() > 64 {
        let other = tokens(&gathered, counts.total);
        if other.bits * weight + 250.0 < best.bits * weight {
            best = other;
        }
    }
    best
}

fn cost(table: &Table, counts: &[(i64, u64)]) -> f64 {
    counts.iter().map(|&(number, n)| f64::from(table.cost(number)) * n as f64).sum()
}

fn ladder(counts: &[(i64, u64)], weight: f64, favourite: Option<u8>) -> Fitted {
    let total: u64 = counts.iter().map(|c| c.1).sum();
    let mean = counts.iter().map(|&(v, n)| v.unsigned_abs() as f64 * n as f64).sum::<f64>()
        / (total.max(1) as f64);
    let guess = 4.0 * (mean.max(1e-9).log2() + 4.0);
    let mut best = Fitted { spec: TableSpec::Zero, bits: f64::INFINITY };
    for shape in 0..SHAPE_COUNT {
        let tables = &ladders()[shape * SCALE_COUNT..(shape + 1) * SCALE_COUNT];
        let at = |i: usize| cost(&tables[i], counts);
        let mut i = (guess.round().max(0.0) as usize).min(SCALE_COUNT - 1);
        let mut bits = at(i);
        for up in [true, false] {
            loop {
                let next = if up { i + 1 } else { i.wrapping_sub(1) };
                if next >= SCALE_COUNT {
                    break;
                }
                let other = at(next);
                if other >= bits {
                    break;
                }
                (i, bits) = (next, other);
            }
        }
        let penalty = if favourite.is_none_or(|f| usize::from(f) == shape) { 0.0 } else { 3.0 };
        let total = bits + penalty / weight;
        if total < best.bits {
            best = Fitted {
                spec: TableSpec::Ladder { shape: shape as u8, scale: i as u8 },
                bits: total,
            };
        }
    }
    best
}

/// Frequencies proportional to `counts`, each at least 1, adding up to `PROB_SCALE`.
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

/// Numbers without their lowest bit.
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

fn histogram(raw: u8, distinct: &[(i64, u64)], total: u64) -> Fitted {
    // What was seen once speaks for what was not seen at all (Good 1953).
    let once = distinct.iter().filter(|d| d.1 == 1).count() as u64;
    let scale = 64;
    let mut counts: Vec<u64> = distinct.iter().map(|d| d.1 * scale).collect();
    counts.push((once * scale / 2).clamp(1, total * scale));
    let frequencies = normalise(&counts);
    let (escape, frequencies) = frequencies.split_last().expect("the escape is there");
    let bits: f64 = distinct
        .iter()
        .zip(frequencies)
        .map(|(d, &f)| d.1 as f64 * (15.0 - f64::from(f).log2()))
        .sum();
    let entries = distinct.iter().zip(frequencies).map(|(d, &f)| (d.0, f)).collect();
    // An escaped number takes 64 bits; as many are to come as the escape's share says.
    let bits = bits + f64::from(raw) * total as f64 + once as f64 * 0.5 * 64.0;
    Fitted { spec: TableSpec::Histogram { raw, entries, escape: *escape }, bits }
}

fn tokens(counts: &[(i64, u64)], total: u64) -> Fitted {
    let lead = if total > 4096 { 2 } else { 0 };
    let half = token_count(lead);
    let mut seen = vec![0_u64; 2 * half - 1];
    for &(v, n) in counts {
        let t = token_of(lead, v.unsigned_abs() & i64::MAX as u64);
        seen[if v < 0 { half - 1 - t } else { half - 1 + t }] += n * 16;
    }
    // Every token stays possible.
    seen.iter_mut().for_each(|n| *n += 1);
    let spec = TableSpec::Tokens { lead, frequencies: normalise(&seen) };
    let bits = Table::new(&spec).map_or(f64::INFINITY, |t| cost(&t, counts));
    Fitted { spec, bits }
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
        let spec = |mut c: Counts| fit(&mut c, 10.0, None, true).spec;
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
            let fitted = fit(&mut counts(numbers.iter().copied()), 1.0, None, false);
            let table = Table::new(&fitted.spec).unwrap();
            assert!(numbers.iter().all(|&n| table.cost(n).is_finite()));
        }
    }
}
