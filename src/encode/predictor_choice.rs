//! Which of a model's predictors leaves the least of a row, from products of its values so many columns
//! apart.

use crate::codec::row_predictors::{LinePredictors, ONE};
use crate::kernels::math::ln;
use crate::kernels::wide::{WideLoop, run_wide};

/// Values are held within this many steps, so that sums of their products stay exact enough.
const WILD: f64 = 1e9;

/// Lines of a row, and which values in them are multiplied with each other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lags {
    /// Columns from a value to the one before it.
    pub(crate) distance: usize,
    /// Columns of a line.
    pub(crate) line: usize,
    /// Values to the left that are looked at.
    pub(crate) order: usize,
}

impl Lags {
    /// Returns how many products there are: of each of the value and those to its left with itself and with
    /// those farther left.
    pub(crate) fn products(self) -> usize {
        (self.order + 1) * (self.order + 2) / 2
    }

    /// Returns where the product of values `i` and `k` to the left is.
    #[inline(always)]
    pub(crate) fn at(self, i: usize, k: usize) -> usize {
        let (i, k) = if i < k { (k, i) } else { (i, k) };
        i * (i + 1) / 2 + k
    }

    /// Returns how many values of a row of `width` columns have all others to their left.
    pub(crate) fn values(self, width: usize) -> usize {
        let Self { distance, line, order } = self;
        let own = |length: usize| length.saturating_sub(order * distance);
        width / line * own(line) + own(width % line)
    }

    /// Sums the products over those values of a row.
    pub(crate) fn sums(self, row: &[f64], out: &mut [f64]) {
        run_wide(Sums { lags: self, row, out });
    }

    /// Sums the products, each value's by its weight.
    pub(crate) fn weighted_sums(self, row: &[f64], weights: &[f64], out: &mut [f64]) {
        run_wide(WeightedSums { lags: self, row, weights, out });
    }

    /// Computes what a predictor leaves of the values of a row that have all others to their left, 0 of
    /// the rest.
    #[inline(always)]
    pub(crate) fn left(self, row: &[f64], predictor: &[f64], out: &mut [f64]) {
        let Self { distance, line, order } = self;
        let first = order * distance;
        out.fill(0.0);
        let lines = row.chunks(line).zip(out.chunks_mut(line));
        for (t, out) in lines.filter(|(t, _)| t.len() > first) {
            let out = &mut out[first..];
            out.copy_from_slice(&t[first..]);
            for (i, a) in predictor.iter().enumerate() {
                let from = &t[first - (i + 1) * distance..];
                out.iter_mut().zip(from).for_each(|(out, x)| *out -= a * x);
            }
        }
    }
}

struct WeightedSums<'a> {
    lags: Lags,
    row: &'a [f64],
    weights: &'a [f64],
    out: &'a mut [f64],
}

impl WideLoop for WeightedSums<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { lags, row, weights, out } = self;
        let Lags { distance: a, line, order } = lags;
        let first = order * a;
        out.fill(0.0);
        let mut weighted = vec![0.0; row.len().min(line)];
        let lines = row.chunks(line).zip(weights.chunks(line));
        for (t, weights) in lines.filter(|(t, _)| t.len() > first) {
            let count = t.len() - first;
            for i in 0..=order {
                let own = t[first - i * a..].iter().zip(&weights[first..]);
                weighted.iter_mut().zip(own).for_each(|(out, (x, w))| *out = x * w);
                for k in 0..=i {
                    let other = &t[first - k * a..][..count];
                    out[lags.at(i, k)] += dot(&weighted[..count], other);
                }
            }
        }
    }
}

struct Sums<'a> {
    lags: Lags,
    row: &'a [f64],
    out: &'a mut [f64],
}

impl WideLoop for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { lags, row, out } = self;
        let Lags { distance: a, line, order } = lags;
        let first = order * a;
        out.fill(0.0);
        for t in row.chunks(line).filter(|t| t.len() > first) {
            for k in 0..=order {
                let (own, other) = (&t[first..], &t[first - k * a..t.len() - k * a]);
                out[lags.at(k, 0)] += dot(own, other);
            }
        }
        // One value farther left the same products are summed but for those at both ends.
        for i in 0..order {
            for k in 0..=i {
                let mut sum = out[lags.at(i, k)];
                for t in row.chunks(line).filter(|t| t.len() > first) {
                    let (i, k) = (i * a, k * a);
                    let own = |j: usize| t[j - i] * t[j - k];
                    for n in 0..a {
                        sum += own(first - a + n) - own(t.len() - a + n);
                    }
                }
                out[lags.at(i + 1, k + 1)] = sum;
            }
        }
    }
}

/// Returns the sum of products, in a written order that suits vectors.
#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0_f64; 8];
    let (whole, rest) = (a.chunks_exact(8), a.chunks_exact(8).remainder());
    for (a, b) in whole.zip(b.chunks_exact(8)) {
        for n in 0..8 {
            sums[n] += a[n] * b[n];
        }
    }
    let tail = &b[a.len() - rest.len()..];
    rest.iter().zip(tail).fold(sums.iter().sum(), |sum, (a, b)| sum + a * b)
}

/// Finds for products of rows how much some predictors leave of them.
#[derive(Debug, Clone)]
pub(crate) struct Leavings {
    /// What each product counts for in what each predictor leaves, product after product.
    weights: Vec<f64>,
    count: usize,
}

impl Leavings {
    /// Prepares for `predictors`, coefficients that count in ones.
    pub(crate) fn new(lags: Lags, predictors: &[Vec<f64>]) -> Self {
        let count = predictors.len();
        let mut weights = vec![0.0; lags.products() * count];
        for (m, own) in predictors.iter().enumerate() {
            let weight =
                |i: usize| if i == 0 { -1.0 } else { own.get(i - 1).copied().unwrap_or(0.0) };
            for i in 0..=lags.order {
                for k in 0..=i {
                    let twice = if i == k { 1.0 } else { 2.0 };
                    weights[lags.at(i, k) * count + m] = twice * weight(i) * weight(k);
                }
            }
        }
        Self { weights, count }
    }

    /// Returns the sum of squares that each predictor leaves.
    pub(crate) fn of(&self, products: &[f64], out: &mut Vec<f64>) {
        out.clear();
        out.resize(self.count, 0.0);
        run_wide(Weighing { leavings: self, products, out });
    }
}

struct Weighing<'a> {
    leavings: &'a Leavings,
    products: &'a [f64],
    out: &'a mut [f64],
}

impl WideLoop for Weighing<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { leavings, products, out } = self;
        for (product, weights) in products.iter().zip(leavings.weights.chunks_exact(leavings.count))
        {
            for (out, weight) in out.iter_mut().zip(weights) {
                *out += product * weight;
            }
        }
    }
}

/// Returns the place of the least.
pub(crate) fn least(left: &[f64]) -> usize {
    (0..left.len()).min_by(|&a, &b| left[a].total_cmp(&left[b])).unwrap_or(0)
}

/// Chooses the predictor of each row.
#[derive(Debug, Clone)]
pub(crate) struct PredictorChooser {
    lags: Lags,
    leavings: Leavings,
    /// Coefficients that count in ones.
    predictors: Vec<Vec<f64>>,
    /// What is to be predicted of the present row, in steps.
    row: Vec<f64>,
    products: Vec<f64>,
    left: Vec<f64>,
    /// What is left of the row.
    rest: Vec<f64>,
}

impl PredictorChooser {
    /// Prepares for rows of `width` columns; none where there is nothing to choose.
    pub(crate) fn new(predictors: &LinePredictors, width: usize) -> Option<Self> {
        predictors.table()?;
        let lags = predictors.lags();
        let lags = Lags { distance: lags.0, line: lags.1, order: predictors.order() };
        let own =
            |m: usize| predictors.whole(m).iter().map(|a| f64::from(*a) / ONE as f64).collect();
        let all: Vec<Vec<f64>> = (0..predictors.count()).map(own).collect();
        Some(Self {
            lags,
            leavings: Leavings::new(lags, &all),
            predictors: all,
            rest: vec![0.0; width],
            row: vec![0.0; width],
            products: vec![0.0; lags.products()],
            left: Vec::new(),
        })
    }

    /// Returns the predictor for a row of which `value(j)` is to be predicted in each column, in steps; none
    /// where that is not known, and taken to be as before.
    pub(crate) fn choose(&mut self, value: impl Fn(usize) -> Option<f64>) -> usize {
        fill(&mut self.row, value);
        self.lags.sums(&self.row, &mut self.products);
        self.leavings.of(&self.products, &mut self.left);
        let mut best = (0, f32::INFINITY);
        for _ in 0..LIKELIEST.min(self.left.len()) {
            let likely = least(&self.left);
            self.left[likely] = f64::INFINITY;
            let bits = run_wide(Bits {
                lags: self.lags,
                row: &self.row,
                predictor: &self.predictors[likely],
                rest: &mut self.rest,
            });
            if bits < best.1 {
                best = (likely, bits);
            }
        }
        best.0
    }
}

/// Predictors that leave the least squares of a row of which the bits are looked at: squares say little
/// where a row is quiet in one place and loud in another.
const LIKELIEST: usize = 4;

struct Bits<'a> {
    lags: Lags,
    row: &'a [f64],
    predictor: &'a [f64],
    rest: &'a mut [f64],
}

impl WideLoop for Bits<'_> {
    type Output = f32;

    /// Returns about how many bits what is left of a row takes, but for a constant and a factor.
    #[inline(always)]
    fn run(self) -> f32 {
        self.lags.left(self.row, self.predictor, self.rest);
        let mut sums = [0.0_f32; 8];
        let (whole, tail) = (self.rest.chunks_exact(8), self.rest.chunks_exact(8).remainder());
        for own in whole {
            for (sum, x) in sums.iter_mut().zip(own) {
                *sum += ln(x.abs() as f32 + 0.5);
            }
        }
        tail.iter().fold(sums.iter().sum(), |sum, x| sum + ln(x.abs() as f32 + 0.5))
    }
}

/// Fills a row with what is to be predicted.
pub(crate) fn fill(row: &mut [f64], value: impl Fn(usize) -> Option<f64>) {
    let mut last = 0.0;
    for (j, out) in row.iter_mut().enumerate() {
        last = value(j).map_or(last, |v| v.clamp(-WILD, WILD));
        *out = last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rng::Rng;

    #[test]
    fn products_are_those_of_all_pairs() {
        let mut rng = Rng::new(5);
        let row: Vec<f64> = (0..75).map(|_| f64::from(rng.unit()) - 0.5).collect();
        for (distance, line, order) in [(1, 75, 6), (2, 20, 3), (3, 75, 8), (1, 5, 9)] {
            let lags = Lags { distance, line, order };
            let mut sums = vec![0.0; lags.products()];
            lags.sums(&row, &mut sums);
            let mut values = 0;
            let mut expected = vec![0.0; sums.len()];
            for t in row.chunks(line) {
                for j in order * distance..t.len() {
                    values += 1;
                    for i in 0..=order {
                        for k in 0..=i {
                            expected[lags.at(i, k)] += t[j - i * distance] * t[j - k * distance];
                        }
                    }
                }
            }
            assert_eq!(values, lags.values(row.len()));
            assert!(sums.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-9));
        }
    }

    #[test]
    fn what_is_left_is_the_sum_of_squares() {
        let row: Vec<f64> = (0..40).map(|i| f64::from(i * i % 17)).collect();
        let lags = Lags { distance: 1, line: 40, order: 2 };
        let mut products = vec![0.0; lags.products()];
        lags.sums(&row, &mut products);
        let all = [vec![1.0, 0.0], vec![2.0, -1.0]];
        let mut left = Vec::new();
        Leavings::new(lags, &all).of(&products, &mut left);
        for (own, left) in all.iter().zip(left) {
            let square = |j: usize| (row[j] - own[0] * row[j - 1] - own[1] * row[j - 2]).powi(2);
            assert!(((2..40).map(square).sum::<f64>() - left).abs() < 1e-6);
        }
    }
}
