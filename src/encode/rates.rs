//! What symbols of latents cost before tables are fitted to them.

use crate::codec::program::Program;
use crate::encode::symbols::Symbols;

/// Symbols up to this magnitude have a rate of their own; a larger one costs what the last one
/// does and more. Rates are counted from a sample, which says little of symbols beyond this.
const REACH: i32 = 40;
/// Entries of one latent's rates.
const ENTRIES: usize = 2 * REACH as usize + 1;
/// Bits per octave that symbols beyond the table cost more than its end: those of an Elias code.
const BITS_PER_OCTAVE: f32 = 2.0;
/// Least deviation of a latent that rates are guessed for; with less, a guess would make symbols but
/// 0 cost more than any sample shows. Half or
/// double: the same files.
const LEAST_DEVIATION: f32 = 0.05;
/// Times that every symbol counts as seen beforehand. Half or
/// double: within 0.1 % on embeddings and digits.
const PRIOR: f32 = 0.5;
/// Share of a symbol's count that comes from the mean of it and its two neighbours, so that a gap in
/// the sample is not taken for a law. 0: ECG and
/// spectra are 0.9 % larger, embeddings 0.4 %; 0.3: spectra 0.9 % larger, embeddings 0.5 % smaller.
const SMOOTHING: f32 = 0.1;

/// Bits of a symbol at most, where tables have no code for it.
const MOST_BITS: f32 = 40.0;
/// Rows after which shares of classes are taken for those of all rows.
const ROWS_AHEAD: usize = 64;

/// Bits of each latent's symbols.
#[derive(Debug, Clone, Default)]
pub(crate) struct LatentRates {
    /// Bits of symbols `−REACH..=REACH`, `latents × table sets × ENTRIES`.
    bits: Vec<f32>,
    /// Table sets: 2 with dependent quantisation, else 1.
    sets: usize,
    /// Most bits that a step towards 0 can save, for each latent.
    steepest: Vec<f32>,
}

impl LatentRates {
    /// Guesses rates before any symbols have been seen: those of Laplace distributions whose
    /// deviations, in symbols, are given for each latent.
    pub(crate) fn guess(deviations: &[f32], sets: usize) -> Self {
        let rates = |d: &f32| {
            let scale = d.max(LEAST_DEVIATION) * std::f32::consts::FRAC_1_SQRT_2;
            let norm = (1.0 + 2.0 * scale).log2();
            let slope = std::f32::consts::LOG2_E / scale;
            let one: Vec<f32> = (-REACH..=REACH).map(|s| norm + slope * s.abs() as f32).collect();
            one.repeat(sets)
        };
        Self::new(deviations.iter().flat_map(rates).collect(), sets)
    }

    /// Counts rates in the symbols of a sample, all classes together.
    pub(crate) fn count(symbols: &[Symbols], latents: usize, sets: usize) -> Self {
        let mut counts = vec![PRIOR; latents * sets * ENTRIES];
        for s in symbols {
            for (at, &symbol) in s.latents.iter().enumerate() {
                let slot = (symbol.clamp(-REACH, REACH) + REACH) as usize;
                let set = (at % latents) * sets + s.table_set(at, sets);
                counts[set * ENTRIES + slot] += 1.0;
            }
        }
        let mut bits = Vec::with_capacity(counts.len());
        for counts in counts.chunks_exact(ENTRIES) {
            let total: f32 = counts.iter().sum();
            bits.extend((0..ENTRIES).map(|i| {
                let near = &counts[i.saturating_sub(1)..(i + 2).min(ENTRIES)];
                let smooth = SMOOTHING * near.iter().sum::<f32>() / near.len() as f32;
                (total / (counts[i] * (1.0 - SMOOTHING) + smooth)).log2()
            }));
        }
        Self::new(bits, sets)
    }

    /// Returns what a program's tables ask for, all classes together: each counts as often as it comes in
    /// rows that follow each other as the tables say.
    pub(crate) fn of_tables(program: &Program) -> Self {
        let classes = &program.record.classes;
        let (latents, sets) = (program.record.latents(), program.record.table_sets());
        let share = shares(program);
        let mut bits = Vec::with_capacity(latents * sets * ENTRIES);
        for at in 0..latents * sets {
            for s in -REACH..=REACH {
                let of_class = |class: usize| {
                    let table = classes.latent_tables[class * latents * sets + at];
                    let mean = classes.means[class * latents + at / sets];
                    let bits = program.tables[table].cost(i64::from(s).wrapping_sub(mean));
                    share[class] * (-bits).exp2()
                };
                let seen: f32 = (0..classes.count).map(of_class).sum();
                bits.push((-seen.log2()).min(MOST_BITS));
            }
        }
        Self::new(bits, sets)
    }

    fn new(bits: Vec<f32>, sets: usize) -> Self {
        let steepest = |rates: &[f32]| {
            let steps = rates.windows(2).map(|w| (w[1] - w[0]).abs());
            // Beyond the table, no step costs more than the first octave.
            steps.fold(BITS_PER_OCTAVE, f32::max)
        };
        let steepest = bits
            .chunks_exact(ENTRIES * sets)
            .map(|sets| sets.chunks_exact(ENTRIES).map(steepest).fold(0.0, f32::max))
            .collect();
        Self { bits, sets, steepest }
    }

    /// Returns the rates of latent `k` in one of the table sets.
    #[inline(always)]
    pub(super) fn of(&self, k: usize, set: usize) -> Rates<'_> {
        let at = (k * self.sets + set) * ENTRIES;
        Rates(&self.bits[at..at + ENTRIES])
    }

    /// Returns the most bits that a step of latent `k` towards 0 can save.
    #[inline(always)]
    pub(super) fn steepest(&self, k: usize) -> f32 {
        self.steepest[k]
    }
}

/// Returns the share of rows that each class of a program has, by its tables.
fn shares(program: &Program) -> Vec<f32> {
    let classes = &program.record.classes;
    let count = classes.count;
    let mut share = vec![0.0; count];
    share[0] = 1.0;
    if count == 1 {
        return share;
    }
    let next = |at: usize| {
        let table = classes.next[at / count];
        (-program.tables[table].cost((at % count) as i64)).exp2()
    };
    let next: Vec<f32> = (0..count * count).map(next).collect();
    for _ in 0..ROWS_AHEAD {
        let mut after = vec![0.0; count];
        for (share, next) in share.iter().zip(next.chunks_exact(count)) {
            after.iter_mut().zip(next).for_each(|(after, p)| *after += share * p);
        }
        // Tables may have codes for classes that there are not.
        let sum: f32 = after.iter().sum();
        after.iter_mut().for_each(|share| *share /= sum.max(f32::MIN_POSITIVE));
        share = after;
    }
    share
}

/// Bits of one latent's symbols.
#[derive(Clone, Copy)]
pub(super) struct Rates<'a>(&'a [f32]);

impl Rates<'_> {
    /// Returns the bits of a symbol.
    #[inline(always)]
    pub(super) fn bits(self, symbol: i64) -> f32 {
        match self.0.get(symbol.wrapping_add(REACH.into()) as usize) {
            Some(&bits) => bits,
            None => self.beyond(symbol),
        }
    }

    /// Returns the bits of a symbol beyond the table.
    #[cold]
    fn beyond(self, symbol: i64) -> f32 {
        let end = symbol.clamp(-i64::from(REACH), i64::from(REACH));
        let octaves = (1.0 + symbol.abs_diff(end) as f32).log2();
        self.0[(end + i64::from(REACH)) as usize] + BITS_PER_OCTAVE * octaves
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::matrix::rng::Rng;

    /// Rates of `count` latents that are of no particular shape.
    pub(crate) fn uneven(count: usize, sets: usize, rng: &mut Rng) -> LatentRates {
        let guess = LatentRates::guess(&vec![1.0; count], sets);
        LatentRates::new(guess.bits.iter().map(|r| r + 3.0 * rng.unit()).collect(), sets)
    }

    #[test]
    fn counted_symbols_cost_what_their_share_says() {
        let mut symbols = Symbols { rows: 4000, ..Symbols::default() };
        // The first latent is 0 or 3 by the quantiser, the second nearly always 1.
        for i in 0..4000 {
            symbols.latents.extend([if i % 2 == 0 { 0 } else { 3 }, i32::from(i % 100 > 0)]);
            symbols.second.extend([i % 2 == 1, false]);
        }
        let rates = LatentRates::count(&[symbols], 2, 2);
        assert!(rates.of(0, 0).bits(0) < 0.2 && rates.of(0, 1).bits(3) < 0.2);
        assert!(rates.of(0, 0).bits(3) > 8.0 && rates.of(0, 1).bits(0) > 8.0);
        assert!(rates.of(1, 0).bits(1) < 0.2 && (3.0..8.0).contains(&rates.of(1, 0).bits(0)));
        // Neighbours of what was seen cost less than what is far from it.
        assert!(rates.of(0, 1).bits(4) < rates.of(0, 1).bits(7));
        assert!(rates.of(0, 0).bits(1000) > rates.of(0, 0).bits(i64::from(REACH)) + 10.0);
    }
}
