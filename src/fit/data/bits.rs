//! What a column's integers take, guessed from those of some rows: enough to choose among grids.

/// Distinct numbers that tables list: with more, numbers cost what their size does.
const MOST_LISTED: f64 = 1024.0;
/// Bits that a number of no pattern takes beside its size: its sign, and what is lost by not knowing
/// the size.
const BESIDE_SIZE: f64 = 2.0;

/// Bits of an exception's place in its block.
pub(super) const PLACE_BITS: f64 = 12.0;

/// A value of a column and the one in the next row.
pub(crate) type Pair<T> = (T, T);

/// Some numbers, and how many of the file each stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guess {
    pub(super) weight: f64,
}

impl Guess {
    /// Guesses the bits of a column's value, which is coded by itself or as the difference to the one
    /// before, whichever is less; `integers` are those of values and of the ones in the next row.
    pub(super) fn column(self, integers: &[Pair<i64>]) -> f64 {
        let alone = integers.iter().map(|p| p.0).collect();
        let difference = integers.iter().map(|p| p.1.wrapping_sub(p.0)).collect();
        self.numbers(alone).min(self.numbers(difference))
    }

    /// Guesses the bits of one of `numbers`.
    pub(super) fn numbers(self, mut numbers: Vec<i64>) -> f64 {
        if numbers.is_empty() {
            return 0.0;
        }
        numbers.sort_unstable();
        let total = numbers.len() as f64;
        let median = numbers[numbers.len() / 2];
        let size: f64 = numbers.iter().map(|n| (1.0 + n.abs_diff(median) as f64).log2()).sum();
        let by_size = size / total + BESIDE_SIZE;
        let counts: Vec<f64> =
            numbers.chunk_by(|a, b| a == b).map(|run| run.len() as f64).collect();
        // As many more will be seen in the file for each that was seen once (Good 1953).
        let once = counts.iter().filter(|&&n| n == 1.0).count() as f64;
        if counts.len() as f64 + once * (self.weight - 1.0).max(0.0) > MOST_LISTED {
            return by_size;
        }
        // Miller and Madow: what a sample's entropy falls short by.
        let unseen = (counts.len() as f64 - 1.0) / (2.0 * total * std::f64::consts::LN_2);
        let listed = unseen - counts.iter().map(|n| n / total * (n / total).log2()).sum::<f64>();
        listed.min(by_size)
    }

    /// Guesses the bits of one of `numbers` of which most are 0.
    pub(super) fn corrections(self, numbers: &[i64]) -> f64 {
        let others: Vec<i64> = numbers.iter().copied().filter(|&n| n != 0).collect();
        let share = others.len() as f64 / numbers.len().max(1) as f64;
        let flag = [share, 1.0 - share].into_iter().filter(|&p| p > 0.0).map(|p| -p * p.log2());
        flag.sum::<f64>() + share * self.numbers(others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_numbers_cost_their_entropy_and_many_their_size() {
        let guess = Guess { weight: 50.0 };
        let coin = guess.numbers((0..2000).map(|i| i64::from(i % 2 == 0) << 40).collect());
        assert!((coin - 1.0).abs() < 0.01, "{coin}");
        let wide = guess.numbers((0..2000).map(|i| (i * 7919 % 2003) << 30).collect());
        assert!((39.0..43.0).contains(&wide), "{wide}");
        assert_eq!(guess.numbers(vec![]), 0.0);
        let rare: Vec<i64> = (0..2000).map(|i| i64::from(i % 50 == 0)).collect();
        assert!((0.1..0.2).contains(&guess.corrections(&rare)));
        // A ramp is cheap by its differences.
        let ramp: Vec<Pair<i64>> = (0..2000).map(|i| (i * 1000, (i + 1) * 1000)).collect();
        assert!(guess.column(&ramp) < 0.01);
    }
}
