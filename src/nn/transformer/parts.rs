//! Many rows at once: in parts of fixed size, each on one thread, what they come to summed in order.

use super::network::Transformer;
use super::pass::{Patches, Tape};
use crate::kernels::wide::widest;
use crate::nn::sum;
use rayon::prelude::*;

/// Rows of a part, at most: enough that products are large, few enough that most of what a block makes of them stays
/// in an L2 cache.
const ROWS: usize = 16;
/// Numbers that blocks make of the rows of a part, about: 64 MiB. Of long rows a part has fewer than [`ROWS`].
const NUMBERS: usize = 1 << 24;
/// Parts whose gradients are held at once.
const AT_ONCE: usize = 16;

/// The squared error of patches that are asked for, and its gradient, with room that is kept between batches.
#[derive(Debug, Default)]
pub(crate) struct Parts(Vec<Part>);

#[derive(Debug, Default)]
struct Part {
    tape: Tape,
    wanted: Vec<f32>,
    d_out: Vec<f32>,
    grad: Vec<f32>,
    square: f64,
}

impl<'a> Patches<'a> {
    /// Some of the rows, at most `most` from `first` on.
    fn some(self, first: usize, most: usize) -> Self {
        let rows = most.min(self.rows - first);
        let cut = |all: usize| {
            let each = all / self.rows;
            first * each..(first + rows) * each
        };
        Patches {
            rows,
            values: &self.values[cut(self.values.len())],
            seen: &self.seen[cut(self.seen.len())],
            asked: &self.asked[cut(self.asked.len())],
        }
    }

    /// The rows as parts of `rows` rows.
    fn parts(self, rows: usize) -> impl IndexedParallelIterator<Item = Patches<'a>> {
        let count = self.rows.div_ceil(rows);
        (0..count).into_par_iter().map(move |at| self.some(at * rows, rows))
    }
}

/// Sets `d` to the error of the output of patches where `inside`, patches × values of a patch, is 1, and to 0 where
/// it is 0; returns the sum of its squares.
fn errors(out: &[f32], wanted: &[f32], asked: &[usize], inside: &[f32], d: &mut Vec<f32>) -> f64 {
    let patch = out.len() / asked.len().max(1);
    d.resize(out.len(), 0.0);
    let pairs = out.chunks_exact(patch.max(1)).zip(wanted.chunks_exact(patch.max(1)));
    for ((d, (out, wanted)), at) in d.chunks_exact_mut(patch.max(1)).zip(pairs).zip(asked) {
        let own = out.iter().zip(wanted).zip(&inside[at * patch..]);
        d.iter_mut().zip(own).for_each(|(d, ((y, x), inside))| *d = (y - x) * inside);
    }
    sum::squares_in_lanes(d)
}

/// Counts the values of patches that are inside of rows.
fn count(asked: &[usize], inside: &[f32], patch: usize) -> f64 {
    let own = |at: &usize| inside[at * patch..][..patch].iter().map(|x| f64::from(*x)).sum::<f64>();
    asked.iter().map(own).sum::<f64>().max(1.0)
}

impl Parts {
    /// Writes the gradient of the mean squared error of the patches that are asked for to `grad`; returns that error.
    /// `inside`, patches × values of a patch, is 0 for values that no row has.
    pub(crate) fn gradient(
        &mut self,
        net: &Transformer,
        patches: Patches<'_>,
        inside: &[f32],
        grad: &mut [f32],
    ) -> f64 {
        let patch = net.shape.patch;
        let count = count(patches.asked, inside, patch);
        let scale = (2.0 / count) as f32;
        let mut square = 0.0;
        grad.fill(0.0);
        let rows = net.rows_of_part();
        for first in (0..patches.rows).step_by(rows * AT_ONCE) {
            let group = patches.some(first, rows * AT_ONCE);
            let used = group.rows.div_ceil(rows);
            self.0.resize_with(self.0.len().max(used), Part::default);
            self.0[..used].par_iter_mut().zip(group.parts(rows)).for_each(|(own, part)| {
                let Part { tape, wanted, d_out, grad, square } = own;
                part.gather(part.asked, patch, wanted);
                *square = errors(net.forward(part, tape), wanted, part.asked, inside, d_out);
                d_out.iter_mut().for_each(|d| *d *= scale);
                grad.resize(net.params.len(), 0.0);
                net.backward(part, tape, d_out, grad);
            });
            square += self.0[..used].iter().map(|part| part.square).sum::<f64>();
            let parts = &self.0[..used];
            grad.par_chunks_mut(sum::PART).enumerate().for_each(|(at, grad)| {
                for part in parts {
                    let own = &part.grad[at * sum::PART..][..grad.len()];
                    widest(|| grad.iter_mut().zip(own).for_each(|(sum, x)| *sum += x));
                }
            });
        }
        square / count
    }
}

impl Transformer {
    /// Rows of a part.
    fn rows_of_part(&self) -> usize {
        (NUMBERS / self.shape.row_numbers().max(1)).clamp(1, ROWS)
    }

    /// The mean squared error of the patches that are asked for.
    pub(crate) fn error(&self, patches: Patches<'_>, inside: &[f32]) -> f64 {
        let one = |(tape, wanted, d): &mut (Tape, Vec<f32>, Vec<f32>), part: Patches<'_>| {
            part.gather(part.asked, self.shape.patch, wanted);
            errors(self.forward(part, tape), wanted, part.asked, inside, d)
        };
        let squares: Vec<f64> =
            patches.parts(self.rows_of_part()).map_init(Default::default, one).collect();
        squares.iter().sum::<f64>() / count(patches.asked, inside, self.shape.patch)
    }

    /// The patches that are asked for: rows × asked × values of a patch.
    #[cfg(any(test, feature = "apps"))]
    pub(crate) fn restored(&self, patches: Patches<'_>) -> Vec<f32> {
        let parts = patches.parts(self.rows_of_part());
        let parts: Vec<Vec<f32>> =
            parts.map_init(Tape::default, |tape, part| self.forward(part, tape).to_vec()).collect();
        parts.concat()
    }

    /// The mean of the encoder's tokens of each row: rows × dim.
    #[cfg(any(test, feature = "apps"))]
    pub(crate) fn embedded(&self, patches: Patches<'_>) -> Vec<f32> {
        let dim = self.shape.encoder.dim;
        let one = |tape: &mut Tape, part: Patches<'_>| {
            self.encode(part, tape);
            let mut means = vec![0.0; part.rows * dim];
            let tokens = part.seen.len() / part.rows;
            let rows = tape.tokens().chunks_exact(tokens * dim);
            for (mean, row) in means.chunks_exact_mut(dim).zip(rows) {
                for token in row.chunks_exact(dim) {
                    mean.iter_mut().zip(token).for_each(|(m, x)| *m += x);
                }
                mean.iter_mut().for_each(|m| *m /= tokens as f32);
            }
            means
        };
        let parts = patches.parts(self.rows_of_part());
        let parts: Vec<Vec<f32>> = parts.map_init(Tape::default, one).collect();
        parts.concat()
    }
}
