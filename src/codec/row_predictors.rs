//! Predictors that rows name: a value from those before it in its line, as many as there are.

use super::sum::Sum;
use super::window::{Front, Window};
use crate::container::model::{COEFFICIENT_END, RowPredictors};

/// Bits of a coefficient below one.
const FRACTION: u32 = 12;
pub(crate) const ONE: i64 = 1 << FRACTION;

/// Predictors of every order up to the model's, ready to weigh with.
#[derive(Debug, Clone)]
pub(crate) struct LinePredictors {
    /// Columns from a value to the one before it.
    distance: usize,
    /// Columns of a line.
    line: usize,
    order: usize,
    count: usize,
    /// The table of the number by which a row names its predictor.
    table: Option<usize>,
    /// Of each predictor the coefficients of order 0, 1, 2, …, each padded with zeros.
    coefficients: Vec<i32>,
}

impl LinePredictors {
    /// Prepares predictors for lines of `line` columns.
    pub(crate) fn new(stored: &RowPredictors, distance: usize, line: usize) -> Self {
        let (order, count) = (stored.order(), stored.coefficients.len());
        let table = (count > 1).then_some(stored.table);
        let lower = stored.coefficients.iter().flat_map(|own| of_all_orders(own));
        let coefficients = lower.map(|c| c as i32).collect();
        Self { distance, line, order, count, table, coefficients }
    }

    /// Returns how many values to the left are weighed, at most.
    #[cfg(feature = "compress")]
    pub(crate) fn order(&self) -> usize {
        self.order
    }

    /// Returns how many predictors there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Returns the table by which rows name their predictor; none where there is one for all.
    pub(crate) fn table(&self) -> Option<usize> {
        self.table
    }

    /// Returns the columns from a value to the one before it, and those of a line.
    #[cfg(feature = "compress")]
    pub(crate) fn lags(&self) -> (usize, usize) {
        (self.distance, self.line)
    }

    /// Returns the coefficients of predictor `m` where all values are there.
    #[cfg(feature = "compress")]
    pub(crate) fn whole(&self, m: usize) -> &[i32] {
        let at = m * (self.order + 1) + self.order;
        &self.coefficients[at * self.order..(at + 1) * self.order]
    }

    /// Returns how many columns back values are looked at.
    pub(super) fn reach(&self) -> usize {
        // Nothing lies beyond the beginning of a line.
        (self.order * self.distance).min(self.line.saturating_sub(1)).max(1)
    }

    /// Returns the sum of the magnitudes of a predictor's coefficients, at most, in units of one.
    pub(super) fn most_weight(&self) -> i64 {
        let weight = |own: &[i32]| own.iter().map(|a| i64::from(a.abs())).sum::<i64>();
        let most = self.coefficients.chunks_exact(self.order).map(weight).max();
        most.unwrap_or(0).div_euclid(ONE) + 1
    }

    /// Predicts sums; `left` are those of the values to the left, or what stands for them.
    #[inline(always)]
    pub(super) fn predict<S: Sum, const N: usize>(
        &self,
        window: &Window<S, N>,
        left: [S; N],
        weights: &RowWeights<N>,
    ) -> [S; N] {
        let mut total = [ONE / 2; N];
        let mut sums = left;
        for (n, own) in weights.own.iter().enumerate() {
            if n > 0 {
                let back = (n + 1) * self.distance;
                if back >= self.line {
                    break;
                }
                sums = window.to_the_left(back);
            }
            for i in 0..N {
                total[i] += sums[i].weighed_finely(own[i]);
            }
        }
        let mut out = [S::default(); N];
        for i in 0..N {
            out[i] = S::of(total[i] >> FRACTION);
        }
        out
    }
}

/// The predictors of the values that are decoded next, lane by lane.
#[derive(Debug, Clone)]
pub(crate) struct RowWeights<const N: usize> {
    /// What the row to come in each lane has named, and what the present one has.
    next: [u16; N],
    named: [u16; N],
    /// How many values are weighed now.
    order: [u16; N],
    /// Their coefficients, that of the nearest first.
    own: Vec<[i32; N]>,
}

impl<const N: usize> RowWeights<N> {
    pub(crate) fn new(p: &LinePredictors) -> Self {
        let mut own = vec![[0; N]; p.order];
        own[..1].fill([ONE as i32; N]);
        Self { next: [0; N], named: [0; N], order: [0; N], own }
    }

    /// Notes what the next row of a lane has named.
    pub(crate) fn name(&mut self, lane: usize, predictor: usize) {
        self.next[lane] = predictor as u16;
    }

    /// Says that the present row of every lane has named `predictor`.
    #[cfg(test)]
    pub(crate) fn name_now(&mut self, predictor: usize) {
        self.named = [predictor as u16; N];
    }

    /// Goes on to the values at `front`.
    #[inline(always)]
    pub(crate) fn follow(&mut self, p: &LinePredictors, front: &Front<N>) {
        for i in 0..N {
            let x = front.x[i] as usize;
            if x > 0 && usize::from(self.order[i]) >= p.order {
                continue;
            }
            let begins = front.column[i] == 0;
            if begins {
                self.named[i] = self.next[i];
            }
            let order = (x / p.distance).min(p.order) as u16;
            if begins || order != self.order[i] {
                self.order[i] = order;
                let at = usize::from(self.named[i]) * (p.order + 1) + usize::from(order);
                let own = &p.coefficients[at * p.order..(at + 1) * p.order];
                self.own.iter_mut().zip(own).for_each(|(out, a)| out[i] = *a);
            }
        }
    }
}

/// Returns the coefficients of a predictor for 0, 1, 2, … values, each padded with zeros: those that are
/// as good on the same data, found by Levinson's and Durbin's recursion run backwards.
fn of_all_orders(own: &[i64]) -> Vec<i64> {
    let order = own.len();
    let mut out = vec![0; (order + 1) * order];
    out[0] = ONE;
    let mut c = own.to_vec();
    loop {
        let n = c.len();
        out[n * order..n * order + n].copy_from_slice(&c);
        if n == 1 {
            return out;
        }
        c = one_less(&c);
    }
}

/// Returns the coefficients for one value fewer.
fn one_less(c: &[i64]) -> Vec<i64> {
    let [first @ .., last] = c else { return Vec::new() };
    let k = *last;
    let mut out = first.to_vec();
    if k.abs() >= ONE {
        // No stable predictor has such a coefficient: the farthest value stands for the one beyond.
        if let Some(farthest) = out.last_mut() {
            *farthest += k;
        }
    } else {
        let divisor = ONE * ONE - k * k;
        for (out, other) in out.iter_mut().zip(first.iter().rev()) {
            let own = 2 * ONE * (ONE * *out + k * other);
            *out = (own + divisor).div_euclid(2 * divisor);
        }
    }
    let most = COEFFICIENT_END - 1;
    out.iter().map(|a| (*a).clamp(-most, most)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictors_for_fewer_values_are_those_of_the_same_process() {
        // Autocorrelations of a process, from which each order's coefficients follow by Durbin's recursion.
        let r = [1.0_f64, 0.9, 0.7, 0.45, 0.2];
        let mut orders: Vec<Vec<f64>> = vec![vec![]];
        let mut left = r[0];
        for n in 1..r.len() {
            let before = &orders[n - 1];
            let sum: f64 = (1..n).map(|i| before[i - 1] * r[n - i]).sum();
            let k = (r[n] - sum) / left;
            let mut c: Vec<f64> = (0..n - 1).map(|i| before[i] - k * before[n - 2 - i]).collect();
            c.push(k);
            left *= 1.0 - k * k;
            orders.push(c);
        }
        let stored: Vec<i64> = orders[4].iter().map(|a| (a * ONE as f64).round() as i64).collect();
        let all = of_all_orders(&stored);
        for n in 1..=4 {
            for (i, expected) in orders[n].iter().enumerate() {
                let found = all[n * 4 + i] as f64 / ONE as f64;
                assert!((found - expected).abs() < 0.01, "{n} {i}: {found} {expected}");
            }
        }
        assert_eq!(all[..4], [ONE, 0, 0, 0]);
    }

    #[test]
    fn coefficients_stay_within_their_bounds_whatever_is_stored() {
        for own in [[65_535, -65_535, 4095], [-65_535, 65_535, -4095], [65_535, 65_535, 65_535]] {
            assert!(of_all_orders(&own).iter().all(|a| a.abs() < COEFFICIENT_END));
        }
    }
}
