//! Known values are hidden, guessed, and compared: which way of filling gaps suits a column?

use super::estimates::WAYS;
use super::table::Table;
use crate::matrix::rng::Rng;

/// The share of all values to hide, at least, in columns that have gaps: copies of the gaps are
/// laid over the table until they are so many, or [`MOST_COPIES`].
const SHARE: f64 = 0.05;
const MOST_COPIES: usize = 20;
/// The share of a column's values that copies are laid over, at most, so that the rest is still
/// like the column.
const MOST_SHARE: f64 = 0.15;
/// Values to hide, at most: enough to tell ways apart in hundreds of columns.
const MOST_HIDDEN: f64 = 100_000.0;
/// Small tables are tried several times, with other values hidden, until so many are guessed.
const ENOUGH: usize = 1000;
const MOST_TRIALS: usize = 5;
/// How many guesses of a column count as much as those of all others: where it has only few, it is
/// filled as the others are.
const PRIOR: f64 = 30.0;
/// Passes over the ways until weights stay; they change little after the first ten.
const PASSES: usize = 200;
/// The least squared error, in squared deviations, by which a column's errors are divided where it
/// speaks for others: guesses are hardly ever better, and a column that is guessed exactly, as a
/// nearly constant one is, is not to decide for all.
const LEAST_SQUARE: f64 = 1e-4;

/// A hidden value and what each way makes of it, in deviations from the column's mean.
pub(super) struct Guess {
    pub(super) column: usize,
    pub(super) value: f64,
    pub(super) ways: [f64; WAYS],
}

/// Cells to hide, sorted by column, of one trial or several. Gaps are hidden as they lie, moved by a
/// number of rows, because what is missing together tells how much the other values help.
pub(super) fn hidden(table: &Table, gaps: &[usize], seed: u64, is_once: bool) -> Vec<Vec<usize>> {
    let mut rng = Rng::new(seed);
    let mut trials = Vec::new();
    let mut count = 0;
    while trials.len() < if is_once { 1 } else { MOST_TRIALS } && count < ENOUGH {
        let cells = hide(table, gaps, &mut rng);
        count += cells.len();
        trials.push(cells);
    }
    trials
}

fn hide(table: &Table, gaps: &[usize], rng: &mut Rng) -> Vec<usize> {
    let (rows, width) = (table.rows(), table.width);
    let mut of_column = vec![0; width];
    gaps.iter().for_each(|at| of_column[at % width] += 1);
    let columns = of_column.iter().filter(|n| **n > 0).count();
    let share = gaps.len() as f64 / (rows * columns).max(1) as f64;
    let copies = (SHARE / share).ceil().clamp(1.0, MOST_COPIES as f64) as usize;
    let kept = MOST_HIDDEN / (copies * gaps.len()) as f64;
    let start = rng.below(rows.max(1));
    let mut cells = Vec::new();
    for _ in 0..copies {
        let by = 1 + rng.below(rows.saturating_sub(1).max(1));
        for at in gaps {
            let (i, j) = ((at / width + by) % rows, at % width);
            let most = (MOST_SHARE * rows as f64 / (copies * of_column[j]) as f64).min(kept);
            let is_inside = ((i + rows - start) % rows) as f64 <= most * rows as f64;
            if is_inside && !table.values[i * width + j].is_nan() {
                cells.push(i * width + j);
            }
        }
    }
    cells.sort_unstable_by_key(|at| (at % width, *at));
    cells.dedup();
    cells
}

/// Sums from which the weights of ways follow.
#[derive(Clone)]
struct Normal {
    products: [[f64; WAYS]; WAYS],
    values: [f64; WAYS],
    square: f64,
    count: f64,
}

impl Normal {
    const NONE: Self =
        Self { products: [[0.0; WAYS]; WAYS], values: [0.0; WAYS], square: 0.0, count: 0.0 };

    fn of(guess: &Guess) -> Self {
        let Guess { value, ways, .. } = guess;
        Self {
            products: ways.map(|a| ways.map(|b| a * b)),
            values: ways.map(|a| a * value),
            square: value * value,
            count: 1.0,
        }
    }

    /// Adds `other`, times `factor`.
    fn add(&mut self, other: &Self, factor: f64) {
        self.count += factor * other.count;
        self.square += factor * other.square;
        for a in 0..WAYS {
            self.values[a] += factor * other.values[a];
            (0..WAYS).for_each(|b| self.products[a][b] += factor * other.products[a][b]);
        }
    }

    /// The mean squared error that weights leave.
    fn error(&self, weights: &[f64; WAYS]) -> f64 {
        let mut sum = self.square;
        for a in 0..WAYS {
            let all: f64 = (0..WAYS).map(|b| self.products[a][b] * weights[b]).sum();
            sum += weights[a] * (all - 2.0 * self.values[a]);
        }
        sum.max(0.0) / self.count.max(1.0)
    }

    /// Weights of no way below 0 that leave the least squared error.
    fn weights(&self) -> [f64; WAYS] {
        let mut weights = [0.0; WAYS];
        for _ in 0..PASSES {
            for a in 0..WAYS {
                let own = self.products[a][a];
                if own > 0.0 {
                    let of = |b: usize| self.products[a][b] * weights[b];
                    let others: f64 = (0..WAYS).filter(|b| *b != a).map(of).sum();
                    weights[a] = ((self.values[a] - others) / own).max(0.0);
                }
            }
        }
        weights
    }

    /// The weights for a column: between its own and those of all columns, nearer to these the fewer
    /// values it was tried on, but not where they are clearly worse in it.
    fn weights_near(&self, common: &[f64; WAYS]) -> [f64; WAYS] {
        let own = self.weights();
        let mut share = PRIOR / (PRIOR + self.count);
        if self.count > 2.0 * WAYS as f64 {
            // Weights are fitted to the same values, so that their error seems less than it is.
            let error = self.error(&own) * self.count / (self.count - WAYS as f64);
            share *= (error / self.error(common).max(f64::MIN_POSITIVE)).min(1.0);
        }
        std::array::from_fn(|a| own[a] + share * (common[a] - own[a]))
    }
}

/// How much each way counts in each column; where no way is better than the mean, none does.
pub(super) fn weights(guesses: &[Guess], columns: usize) -> Vec<[f64; WAYS]> {
    let mut own = vec![Normal::NONE; columns];
    guesses.iter().for_each(|guess| own[guess.column].add(&Normal::of(guess), 1.0));
    // Errors in units of what the column's own weights leave, so that columns that are guessed
    // well count as much as others.
    let mut all = Normal::NONE;
    for sums in own.iter().filter(|sums| sums.count > 0.0) {
        all.add(sums, 1.0 / sums.error(&sums.weights()).max(LEAST_SQUARE));
    }
    let common = all.weights();
    own.iter().map(|sums| sums.weights_near(&common)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: usize, is_gap: impl Fn(usize, usize) -> bool) -> (Table, Vec<usize>) {
        let width = 4;
        let value = |at: usize| {
            if is_gap(at / width, at % width) { f64::NAN } else { (at * at % 97) as f64 }
        };
        let table = Table::new((0..rows * width).map(value).collect(), width);
        let gaps = (0..rows * width).filter(|at| is_gap(at / width, at % width)).collect();
        (table, gaps)
    }

    #[test]
    fn what_is_hidden_lies_as_gaps_do() {
        // Two columns lack the same stretch of rows; a third lacks single values.
        let is_gap = |i: usize, j: usize| match j {
            1 | 2 => (100..140).contains(&i),
            3 => i.is_multiple_of(50),
            _ => false,
        };
        let (table, gaps) = table(1000, is_gap);
        let cells = &hidden(&table, &gaps, 0, true)[0];
        assert!(cells.iter().all(|at| !table.values[*at].is_nan() && at % 4 != 0));
        let of = |j: usize| cells.iter().filter(|at| **at % 4 == j).count();
        assert!(of(1) >= 25 && of(1) == of(2) && of(3) >= 10, "{} {} {}", of(1), of(2), of(3));
        // Never more than a part of a column of which much is missing.
        let (table, gaps) = self::table(1000, |i, j| j == 1 && i % 10 < 9);
        let cells = &hidden(&table, &gaps, 0, true)[0];
        assert!(cells.len() < 50 && !cells.is_empty(), "{}", cells.len());
        // Small tables are tried more often; none without a known value.
        let (table, gaps) = self::table(10, |i, _| i == 3);
        assert_eq!(hidden(&table, &gaps, 0, false).len(), MOST_TRIALS);
        let (table, gaps) = self::table(1, |_, j| j == 3);
        assert!(hidden(&table, &gaps, 0, false).iter().all(Vec::is_empty));
    }

    #[test]
    fn ways_are_weighed_for_each_column_and_none_is_taken_that_does_not_help() {
        let wave = |i: usize, f: f64| (i as f64 * f).sin();
        let mut guesses = Vec::new();
        for i in 0..400 {
            let (value, noise) = (wave(i, 0.7), wave(i, 1.9));
            // The first way is right in column 0, the third in column 1, nothing in column 2.
            guesses.push(Guess {
                column: 0,
                value,
                ways: [value, 0.0, value + noise, 0.0, 0.0, 0.0],
            });
            guesses.push(Guess {
                column: 1,
                value,
                ways: [value + noise, 0.0, value, 0.0, 0.0, 0.0],
            });
            guesses.push(Guess { column: 2, value, ways: [noise, 0.0, -value, 0.0, noise, 0.0] });
        }
        let found = weights(&guesses, 4);
        assert!((found[0][0] - 1.0).abs() < 0.01 && found[0][2] < 0.01, "{found:?}");
        assert!((found[1][2] - 1.0).abs() < 0.01 && found[1][0] < 0.01, "{found:?}");
        assert!(found[2].iter().all(|w| *w < 0.1), "{found:?}");
        // A column that was not tried is filled as the others are.
        assert!(found[3][0] > 0.2 && found[3][2] > 0.2, "{found:?}");
        assert_eq!(weights(&[], 2), [[0.0; WAYS]; 2]);
    }
}
