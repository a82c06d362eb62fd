//! What is left over of a value, less what its neighbours in the row foretell: the codec predicts
//! residuals so, and networks need not learn what it will know.
//!
//! A decoder knows a residual only as it was coded: rounded to whole steps from what was foretold of
//! it. Residuals are filtered in just this way, column after column. In gradients rounding passes as
//! the identity, but where it gives 0: then the decoder has what was foretold, whatever is left over.

use crate::kernels::wide::{WideLoop, run_wide};
use crate::linalg;
use crate::nn::objectives::bits::likelihood::Likelihood;
use rayon::prelude::*;

/// Rows that are filtered side by side.
const LANES: usize = 8;
/// Rows that one task handles.
const ROWS: usize = 16;
/// Share of the mean square added to each neighbour's, so that neighbours that say the same share
/// their weight.
const RIDGE: f64 = 1e-5;
/// Variance of rounding, in squared steps, that is added to each neighbour's.
const ROUNDING: f64 = 0.03;
/// Times that coefficients are fitted at first: what decoders know changes with them.
const ROUNDS: usize = 3;
/// Share of the residuals' bits that a filter may leave to be used: it takes time of each step.
const WORTH: f64 = 0.99;

type Lanes = [f32; LANES];

/// By how much of which neighbours each column is foretold.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct RowFilter {
    /// Where each column's terms begin, and where the last one's end.
    starts: Vec<usize>,
    /// Columns to the left, and their coefficients.
    terms: Vec<(usize, f32)>,
}

impl RowFilter {
    /// Of columns whose neighbours are these columns before them; nothing is foretold yet.
    pub(crate) fn new(neighbours: &[Vec<usize>]) -> Self {
        let mut new = Self { starts: vec![0], terms: Vec::new() };
        for (j, own) in neighbours.iter().enumerate() {
            new.terms.extend(own.iter().filter(|&&k| k < j).map(|&k| (k, 0.0)));
            new.starts.push(new.terms.len());
        }
        new
    }

    /// The filter of such columns that suits `left`, rows × columns in steps, with the distributions of
    /// what it leaves; none where that hardly takes fewer bits.
    pub(crate) fn chosen(neighbours: &[Vec<usize>], left: &[f32]) -> Option<(Self, Likelihood)> {
        let nothing = Self::new(neighbours);
        let mut filter = nothing.clone();
        for _ in 0..ROUNDS {
            filter = filter.fitted(left);
        }
        let (without, _) = nothing.nats(left);
        let (with, likelihood) = filter.nats(left);
        (with < WORTH * without).then_some((filter, likelihood))
    }

    /// What is left of rows in nats, and its distributions.
    fn nats(&self, left: &[f32]) -> (f64, Likelihood) {
        let mut rest = Vec::new();
        self.forward(left, &mut rest);
        let likelihood = Likelihood::new(&deviations(&rest, self.width()), true, 1);
        let rows = rest.chunks_exact(self.width());
        (rows.map(|row| f64::from(likelihood.nats(row, 0))).sum(), likelihood)
    }

    fn width(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    fn of(&self, j: usize) -> &[(usize, f32)] {
        &self.terms[self.starts[j]..self.starts[j + 1]]
    }

    /// Writes to `out` what neighbours do not foretell of `left`, rows × columns in steps, where a
    /// decoder knows them as rounded to whole steps from what was foretold of them.
    pub(crate) fn forward(&self, left: &[f32], out: &mut Vec<f32>) {
        out.resize(left.len(), 0.0);
        self.run::<false>(left, out);
    }

    /// What a decoder knows of `left`.
    fn known(&self, left: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; left.len()];
        self.run::<true>(left, &mut out);
        out
    }

    fn run<const KNOWN: bool>(&self, left: &[f32], out: &mut [f32]) {
        let width = self.width();
        let rows = out.par_chunks_mut(width * ROWS).zip(left.par_chunks(width * ROWS));
        rows.for_each(|(out, left)| {
            let mut strip = vec![[0.0; LANES]; width];
            for (out, left) in out.chunks_mut(width * LANES).zip(left.chunks(width * LANES)) {
                let strip = &mut strip[..];
                run_wide(Forward::<KNOWN> { filter: self, left, out, strip });
            }
        });
    }

    /// Turns the gradient by what [`Self::forward`] wrote, `filtered`, into that by what it was given.
    pub(crate) fn backward(&self, filtered: &[f32], d: &mut [f32]) {
        let width = self.width();
        let rows = d.par_chunks_mut(width * ROWS).zip(filtered.par_chunks(width * ROWS));
        rows.for_each(|(d, filtered)| {
            let mut strip = vec![[0.0; LANES]; width];
            for (d, filtered) in d.chunks_mut(width * LANES).zip(filtered.chunks(width * LANES)) {
                strip.fill([0.0; LANES]);
                let strip = &mut strip[..];
                run_wide(Backward { filter: self, filtered, d, strip });
            }
        });
    }

    /// The same neighbours with the coefficients that leave least of `left`, rows × columns, as decoders
    /// know it with the present ones.
    pub(crate) fn fitted(&self, left: &[f32]) -> Self {
        let width = self.width();
        let known = self.known(left);
        let coefficients: Vec<Vec<f32>> =
            (0..width).into_par_iter().map(|j| self.least_squares(j, left, &known)).collect();
        let columns = self.terms.iter().map(|t| t.0);
        let terms = columns.zip(coefficients.concat()).collect();
        Self { starts: self.starts.clone(), terms }
    }

    fn least_squares(&self, j: usize, left: &[f32], known: &[f32]) -> Vec<f32> {
        let (width, near) = (self.width(), self.of(j));
        let n = near.len();
        let (mut squares, mut with_value) = (vec![0.0_f64; n * n], vec![0.0_f64; n]);
        for (left, known) in left.chunks_exact(width).zip(known.chunks_exact(width)) {
            for (i, &(a, _)) in near.iter().enumerate() {
                with_value[i] += f64::from(known[a]) * f64::from(left[j]);
                for (k, &(b, _)) in near.iter().enumerate() {
                    squares[i * n + k] += f64::from(known[a]) * f64::from(known[b]);
                }
            }
        }
        let rows = (left.len() / width) as f64;
        for i in 0..n {
            squares[i * n + i] += RIDGE * squares[i * n + i] + ROUNDING * rows + 1e-9;
        }
        let solved = linalg::solve(&squares, &with_value).unwrap_or_else(|| vec![0.0; n]);
        solved.into_iter().map(|a| a as f32).collect()
    }
}

/// Root mean squares of columns.
fn deviations(rows: &[f32], width: usize) -> Vec<f32> {
    let mut squares = vec![0.0_f64; width];
    for row in rows.chunks_exact(width) {
        squares.iter_mut().zip(row).for_each(|(s, x)| *s += f64::from(*x).powi(2));
    }
    let count = (rows.len() / width).max(1) as f64;
    squares.into_iter().map(|s| (s / count).sqrt() as f32).collect()
}

/// Some rows, at most as many as there are lanes; writes what is known of them, or what is not foretold.
struct Forward<'a, const KNOWN: bool> {
    filter: &'a RowFilter,
    left: &'a [f32],
    out: &'a mut [f32],
    strip: &'a mut [Lanes],
}

impl<const KNOWN: bool> WideLoop for Forward<'_, KNOWN> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let width = self.filter.width();
        let rows = self.left.len() / width;
        for j in 0..width {
            let mut foretold = [0.0; LANES];
            for &(k, a) in self.filter.of(j) {
                let near = &self.strip[k];
                for l in 0..LANES {
                    foretold[l] += a * near[l];
                }
            }
            let mut own = [0.0; LANES];
            for (l, own) in own.iter_mut().enumerate().take(rows) {
                *own = self.left[l * width + j];
            }
            let mut rest = [0.0; LANES];
            for l in 0..LANES {
                rest[l] = own[l] - foretold[l];
                self.strip[j][l] = foretold[l] + rest[l].round_ties_even();
            }
            let told = if KNOWN { self.strip[j] } else { rest };
            for (l, told) in told.iter().enumerate().take(rows) {
                self.out[l * width + j] = *told;
            }
        }
    }
}

/// The same rows in the opposite order of columns; the strip gathers gradients by what is known.
struct Backward<'a> {
    filter: &'a RowFilter,
    filtered: &'a [f32],
    d: &'a mut [f32],
    strip: &'a mut [Lanes],
}

impl WideLoop for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let width = self.filter.width();
        let rows = self.filtered.len() / width;
        for j in (0..width).rev() {
            let by_known = self.strip[j];
            let mut by_foretold = [0.0; LANES];
            for l in 0..rows {
                let own = self.d[l * width + j];
                // What rounds to nothing is known as it was foretold.
                let is_lost = self.filtered[l * width + j].abs() < 0.5;
                let (by_left, by) = if is_lost { (0.0, by_known[l]) } else { (by_known[l], 0.0) };
                self.d[l * width + j] = own + by_left;
                by_foretold[l] = by - own;
            }
            for &(k, a) in self.filter.of(j) {
                let near = &mut self.strip[k];
                for l in 0..LANES {
                    near[l] += a * by_foretold[l];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rng::Rng;

    const WIDTH: usize = 9;

    fn filter() -> RowFilter {
        let neighbours: Vec<Vec<usize>> =
            (0..WIDTH).map(|j| (1..=3).filter(|n| *n <= j).map(|n| j - n).collect()).collect();
        let mut filter = RowFilter::new(&neighbours);
        filter.terms.iter_mut().enumerate().for_each(|(i, t)| t.1 = 0.3 - 0.11 * (i % 5) as f32);
        filter
    }

    #[test]
    fn decoders_know_what_was_foretold_and_whole_steps() {
        let mut rng = Rng::new(1);
        let rows = 21;
        let left: Vec<f32> = (0..rows * WIDTH).map(|_| 3.0 * rng.normal()).collect();
        let (f, mut out) = (filter(), Vec::new());
        f.forward(&left, &mut out);
        for (left, out) in left.chunks(WIDTH).zip(out.chunks(WIDTH)) {
            let mut known: Vec<f32> = Vec::new();
            for j in 0..WIDTH {
                let foretold: f32 = f.of(j).iter().map(|(k, a)| a * known[*k]).sum();
                assert!((out[j] - (left[j] - foretold)).abs() < 1e-5, "{j}");
                known.push(foretold + out[j].round_ties_even());
                assert!((known[j] - left[j]).abs() <= 0.5 + 1e-5);
            }
        }
    }

    #[test]
    fn gradients_are_differences_where_rounding_is_the_identity_or_nothing() {
        let mut rng = Rng::new(2);
        let rows = 11;
        let f = filter();
        // Some columns far from what rounds to 0, some near it.
        let left: Vec<f32> = (0..rows * WIDTH)
            .map(|i| rng.normal() * if (i % WIDTH).is_multiple_of(3) { 0.1 } else { 40.0 })
            .collect();
        let weights: Vec<f32> = (0..rows * WIDTH).map(|_| rng.normal()).collect();
        let mut out = Vec::new();
        f.forward(&left, &mut out);
        let mut d = weights.clone();
        f.backward(&out, &mut d);
        // The same recurrence with rounding replaced, in `f64`.
        let loss = |left: &[f64]| -> f64 {
            let mut sum = 0.0;
            for (r, row) in left.chunks(WIDTH).enumerate() {
                let mut known: Vec<f64> = Vec::new();
                for (j, x) in row.iter().enumerate() {
                    let near = f.of(j).iter();
                    let foretold: f64 = near.map(|(k, a)| f64::from(*a) * known[*k]).sum();
                    sum += f64::from(weights[r * WIDTH + j]) * (x - foretold);
                    let is_lost = out[r * WIDTH + j].abs() < 0.5;
                    known.push(if is_lost { foretold } else { *x });
                }
            }
            sum
        };
        let at: Vec<f64> = left.iter().map(|x| f64::from(*x)).collect();
        for i in 0..at.len() {
            let moved = |by: f64| {
                let mut at = at.clone();
                at[i] += by;
                loss(&at)
            };
            let slope = (moved(1e-3) - moved(-1e-3)) / 2e-3;
            assert!((slope - f64::from(d[i])).abs() < 1e-4, "{i}: {} {slope}", d[i]);
        }
    }

    #[test]
    fn fitted_coefficients_are_those_that_made_the_residuals() {
        let mut rng = Rng::new(3);
        let neighbours: Vec<Vec<usize>> =
            (0..WIDTH).map(|j| j.checked_sub(1).into_iter().collect()).collect();
        let mut left = Vec::new();
        for _ in 0..2000 {
            let mut last = 0.0;
            for _ in 0..WIDTH {
                last = 0.8 * last + 20.0 * rng.normal();
                left.push(last);
            }
        }
        let f = RowFilter::new(&neighbours).fitted(&left);
        assert!(f.terms.iter().all(|t| (t.1 - 0.8).abs() < 0.07), "{:?}", f.terms);
        assert_eq!(f.terms.len(), WIDTH - 1);
    }
}
