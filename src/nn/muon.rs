//! Muon (Jordan et al. 2024, *Muon: an optimizer for hidden layers in neural networks*): a matrix steps along
//! all directions of its gradient by the same length, so that those that are rarely seen are learned as fast as
//! those in which all rows differ.

use super::adam::Adam;
use super::parameters::{Matrix, Parameters};
use super::sum;
use crate::kernels::gemm::{Finish, View, gemm, symmetric};
use rayon::prelude::*;

/// The share of the momentum that a step leaves.
const MOMENTUM: f32 = 0.95;
/// Root mean square of the numbers of Adam's steps, in the rate (Liu et al. 2025, *Muon is scalable for LLM
/// training*): a rate that suits the one suits the other.
const LIKE_ADAM: f32 = 0.2;
/// Rounds of an iteration of Newton and Schulz, each with a polynomial `a·s + b·s³ + c·s⁵` of its own (Amsel et
/// al. 2025, *The Polar Express*): of singular values from the ones before, the polynomial comes nearest to 1 where it
/// is furthest from it. All four bring those from 1 down to three thousandths to 0.8 … 1.2, and smaller ones to about
/// 300 times what they are. (Five rounds of one polynomial took a tenth more time on spectra at level 5.)
const ROUNDS: [[f32; 3]; 4] = [
    [8.38367, -24.76591, 18.35709],
    [4.04342, -3.01141, 0.56951],
    [3.50557, -2.62665, 0.52572],
    [2.49012, -1.83427, 0.43683],
];
/// Singular values are taken to be at most this in place of 1: they are not known to the last digit, and of larger
/// ones the polynomials make ever larger ones.
const ROOM: f32 = 1.01;

/// Smaller side of a matrix, at most: of larger ones the iteration takes many times as long as the gradient, and
/// they step as with Adam.
const MOST_SIDE: usize = 256;

/// Steps of a network: of Muon for its matrices, of Adam for all else.
#[derive(Debug, Clone)]
pub(crate) struct Muon {
    /// What the gradients of matrices add up to, laid out as the parameters are.
    momentum: Vec<f32>,
    /// Length of steps, in what is like Adam's.
    length: f32,
}

impl Muon {
    /// For `params` parameters, with steps `length` times as long as is like Adam's.
    pub(crate) fn new(params: usize, length: f32) -> Self {
        Self { momentum: vec![0.0; params], length }
    }

    /// One step of size `rate`; none for a gradient that is to be clipped and is not finite.
    pub(crate) fn step(&mut self, net: Parameters<'_>, grads: &[f32], adam: &mut Adam, rate: f32) {
        let Some(step) = adam.begin(grads, rate) else { return };
        let Parameters { values, mut matrices } = net;
        matrices.retain(|m| m.columns.min(m.rows()) <= MOST_SIDE);
        let mut from = 0;
        for place in matrices.iter().map(|m| &m.place).chain([&(grads.len()..grads.len())]) {
            adam.update(&step, values, grads, from..place.start);
            from = place.end;
        }
        for Matrix { place, .. } in &matrices {
            let own = self.momentum[place.clone()].iter_mut().zip(&grads[place.clone()]);
            own.for_each(|(m, g)| *m = MOMENTUM * *m + step.shorten * g);
        }
        let momentum = &self.momentum;
        // Nesterov's: where the next step will have come to.
        let direction = |matrix: &Matrix| {
            let place = matrix.place.clone();
            let ahead = momentum[place.clone()].iter().zip(&grads[place]);
            let ahead: Vec<f32> = ahead.map(|(m, g)| MOMENTUM * m + step.shorten * g).collect();
            orthogonal(&ahead, matrix.columns)
        };
        let directions: Vec<Vec<f32>> = matrices.par_iter().map(direction).collect();
        for (matrix, direction) in matrices.into_iter().zip(directions) {
            let longer = matrix.columns.max(matrix.rows()) as f32;
            let length = rate * self.length * LIKE_ADAM * longer.sqrt();
            let own = values[matrix.place].iter_mut().zip(&direction);
            own.for_each(|(p, d)| *p -= length * d);
        }
    }
}

/// Returns a matrix with the same singular vectors whose singular values are near 1: zeros for one of zeros or of
/// numbers that are not finite.
fn orthogonal(matrix: &[f32], columns: usize) -> Vec<f32> {
    let norm = sum::squares(matrix) as f32;
    if !norm.is_normal() {
        return vec![0.0; matrix.len()];
    }
    let own = View::new(matrix, matrix.len() / columns, columns);
    let is_tall = own.columns <= own.rows;
    // The smaller of the two squares has all that the iteration changes.
    let size = own.columns.min(own.rows);
    let mut square = vec![0.0; size * size];
    match is_tall {
        true => symmetric(own.t(), own, &mut square),
        false => symmetric(own, own.t(), &mut square),
    }
    square.iter_mut().for_each(|x| *x /= norm);
    // All are polynomials of the square, and so is what they make.
    let times = |a: &[f32], b: &[f32]| {
        let mut out = vec![0.0; size * size];
        symmetric(View::new(a, size, size), View::new(b, size, size), &mut out);
        out
    };
    // The fourth root of the sum of all singular values' eighth powers, and so not less than the largest square of
    // one: mostly much nearer to it than the sum of all squares, so that fewer rounds do.
    let mut fourth = times(&square, &square);
    let largest = ROOM * ROOM * sum::squares(&fourth).sqrt().sqrt() as f32;
    if !largest.is_normal() {
        return vec![0.0; matrix.len()];
    }
    square.iter_mut().for_each(|x| *x /= largest);
    fourth.iter_mut().for_each(|x| *x /= largest * largest);
    let mut total: Option<Vec<f32>> = None;
    for (round, [a, b, c]) in ROUNDS.into_iter().enumerate() {
        let mut factor =
            if round == 0 { std::mem::take(&mut fourth) } else { times(&square, &square) };
        factor.iter_mut().zip(&square).for_each(|(f, s)| *f = c * *f + b * s);
        factor.iter_mut().step_by(size + 1).for_each(|f| *f += a);
        if round + 1 < ROUNDS.len() {
            square = times(&times(&factor, &square), &factor);
        }
        total = Some(match total {
            Some(total) => times(&factor, &total),
            None => factor,
        });
    }
    let mut total = total.unwrap_or_default();
    let scale = 1.0 / (norm * largest).sqrt();
    total.iter_mut().for_each(|x| *x *= scale);
    let total = View::new(&total, size, size);
    if is_tall { product(own, total) } else { product(total, own) }
}

fn product(a: View<'_>, b: View<'_>) -> Vec<f32> {
    let mut out = vec![0.0; a.rows * b.columns];
    gemm(a, b, &mut out, Finish::Store);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::activation::Activation;
    use crate::matrix::rng::Rng;
    use crate::nn::network::{Network, Shape};

    /// Random numbers whose columns are of very different sizes.
    fn matrix(rows: usize, columns: usize, rng: &mut Rng) -> Vec<f32> {
        let numbers = (0..rows * columns).map(|i| (i % columns + 1) as f32 * (rng.unit() - 0.5));
        numbers.collect()
    }

    #[test]
    fn all_directions_have_the_same_length() {
        let mut rng = Rng::new(3);
        for (rows, columns) in [(5, 5), (30, 8), (8, 30), (1, 9), (9, 1)] {
            let own = matrix(rows, columns, &mut rng);
            let found = orthogonal(&own, columns);
            let view = View::new(&found, rows, columns);
            let is_tall = columns <= rows;
            let square = if is_tall { product(view.t(), view) } else { product(view, view.t()) };
            let size = columns.min(rows);
            for i in 0..size {
                for j in 0..size {
                    let x = square[i * size + j];
                    let is_near = if i == j { (0.4..1.5).contains(&x) } else { x.abs() < 0.35 };
                    assert!(is_near, "{rows} × {columns}, {i} {j}: {x}");
                }
            }
            // It goes where the matrix goes.
            assert!(own.iter().zip(&found).map(|(a, b)| a * b).sum::<f32>() > 0.0);
        }
        assert_eq!(orthogonal(&[0.0; 6], 2), [0.0; 6]);
        assert_eq!(orthogonal(&[f32::NAN; 6], 2), [0.0; 6]);
    }

    #[test]
    fn what_is_no_matrix_of_a_layer_steps_as_with_adam_and_so_do_the_largest() {
        let mut rng = Rng::new(4);
        let large = MOST_SIDE + 1;
        let layers =
            vec![(6, Activation::Relu), (large, Activation::Relu), (large, Activation::Tanh)];
        let mut net = Network::new(Shape { inputs: 5, layers, skip: true }, &mut rng);
        let mut other = net.clone();
        let count = net.params.len();
        let (mut muon, mut adam) = (Muon::new(count, 2.0), Adam::new(count));
        let mut alone = Adam::new(count);
        for _ in 0..3 {
            let grads: Vec<f32> = (0..count).map(|_| rng.unit() - 0.5).collect();
            muon.step(net.parameters(), &grads, &mut adam, 0.01);
            alone.step(&mut other.params, &grads, 0.01);
        }
        let same = [net.bias(0), net.bias(1), net.weights(2), net.bias(2), net.skip()];
        for place in same {
            assert_eq!(net.params[place.clone()], other.params[place]);
        }
        for place in [net.weights(0), net.weights(1)] {
            assert_ne!(net.params[place.clone()], other.params[place]);
        }
    }
}
