//! The arithmetic of mixed logistic distributions, for the vectors of the CPU.

use crate::kernels::math::{exp, ln};
use crate::kernels::wide::WideLoop;

/// Numbers that are handled together.
const LANES: usize = 16;
type Lanes = [f32; LANES];

/// The `M` parts of one class: of each `1/s`, `q`, start and slope.
pub(super) struct Row<'a, const M: usize> {
    pub(super) mean: &'a [f32],
    pub(super) parts: [[&'a [f32]; 4]; M],
    /// Of the first of two.
    pub(super) weight: &'a [f32],
}

/// Some columns of a row.
struct Block<const M: usize> {
    mean: Lanes,
    parts: [[Lanes; 4]; M],
    weight: Lanes,
}

/// One number's nats, and their derivatives by it, by the parts' logarithmic scales, and by the
/// logarithm of the first part's weight over the second's.
struct Slopes<const M: usize> {
    nats: f32,
    by_t: f32,
    by_scale: [f32; M],
    by_weight: f32,
}

/// The numbers from `first` on; ones where there are no more.
#[inline(always)]
fn lanes(s: &[f32], first: usize) -> Lanes {
    if let Some(whole) = s.get(first..first + LANES) {
        return whole.try_into().expect("as many as asked for");
    }
    let mut some = [1.0; LANES];
    some.iter_mut().zip(s.iter().skip(first)).for_each(|(out, x)| *out = *x);
    some
}

/// Puts them back, as far as there are places.
#[inline(always)]
fn store(s: &mut [f32], first: usize, from: &Lanes) {
    match s.get_mut(first..first + LANES) {
        Some(whole) => whole.copy_from_slice(from),
        None => s.iter_mut().skip(first).zip(from).for_each(|(out, x)| *out = *x),
    }
}

impl<const M: usize> Row<'_, M> {
    // Loops in place of `map`, whose closures are not compiled for the vectors that `widest` has.
    #[inline(always)]
    fn block(&self, first: usize) -> Block<M> {
        let mut parts = [[[0.0; LANES]; 4]; M];
        for (lists, own) in parts.iter_mut().zip(&self.parts) {
            for (list, own) in lists.iter_mut().zip(own) {
                *list = lanes(own, first);
            }
        }
        Block { mean: lanes(self.mean, first), parts, weight: lanes(self.weight, first) }
    }

    /// The nats of the numbers `t` from `first` on.
    #[inline(always)]
    fn nats(&self, t: &[f32], first: usize) -> Lanes {
        let (block, own) = (self.block(first), lanes(t, first));
        let mut nats = [0.0; LANES];
        for i in 0..LANES {
            nats[i] = block.slopes(i, own[i]).nats;
        }
        nats
    }
}

/// The nats of numbers, the columns of one row.
pub(super) struct Nats<'a, const M: usize> {
    pub(super) row: Row<'a, M>,
    pub(super) t: &'a [f32],
}

impl<const M: usize> WideLoop for Nats<'_, M> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        let t = self.t;
        let mut sum = [0.0_f32; LANES];
        for first in (0..t.len()).step_by(LANES) {
            let nats = self.row.nats(t, first);
            let used = LANES.min(t.len() - first);
            for i in 0..LANES {
                sum[i] += if i < used { nats[i] } else { 0.0 };
            }
        }
        sum.iter().sum()
    }
}

/// The nats of each of some numbers, the columns of one row.
pub(super) struct NatsOfEach<'a, const M: usize> {
    pub(super) row: Row<'a, M>,
    pub(super) t: &'a [f32],
    pub(super) out: &'a mut [f32],
}

impl<const M: usize> WideLoop for NatsOfEach<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for first in (0..self.t.len()).step_by(LANES) {
            store(self.out, first, &self.row.nats(self.t, first));
        }
    }
}

/// The bits of numbers, the columns of one row, with `scale` times the derivatives of their nats.
pub(super) struct Backward<'a, const M: usize> {
    pub(super) row: Row<'a, M>,
    pub(super) t: &'a [f32],
    pub(super) scale: f32,
    pub(super) d: SlopePlaces<'a, M>,
}

/// Where derivatives are written, one for each column.
pub(super) struct SlopePlaces<'a, const M: usize> {
    pub(super) t: &'a mut [f32],
    /// Of the parts' logarithmic scales.
    pub(super) scales: [&'a mut [f32]; M],
    /// Of the logarithm of the first part's weight over the second's; none for one part.
    pub(super) weight: &'a mut [f32],
}

impl<const M: usize> WideLoop for Backward<'_, M> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        let Self { row, t, scale, mut d } = self;
        let mut sum = [0.0_f32; LANES];
        for first in (0..t.len()).step_by(LANES) {
            let (block, own) = (row.block(first), lanes(t, first));
            let (mut nats, mut by_t, mut by_weight) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
            let mut by_scale = [[0.0; LANES]; M];
            for i in 0..LANES {
                let s = block.slopes(i, own[i]);
                nats[i] = s.nats;
                by_t[i] = s.by_t * scale;
                by_weight[i] = s.by_weight * scale;
                for (by, own) in by_scale.iter_mut().zip(s.by_scale) {
                    by[i] = own * scale;
                }
            }
            let used = LANES.min(t.len() - first);
            for i in 0..LANES {
                sum[i] += if i < used { nats[i] } else { 0.0 };
            }
            store(d.t, first, &by_t);
            for (d, by) in d.scales.iter_mut().zip(&by_scale) {
                store(d, first, by);
            }
            store(d.weight, first, &by_weight);
        }
        sum.iter().sum::<f32>() * std::f32::consts::LOG2_E
    }
}

impl<const M: usize> Block<M> {
    #[inline(always)]
    fn slopes(&self, i: usize, t: f32) -> Slopes<M> {
        let t = t - self.mean[i];
        let (mut nats, mut by_t, mut by_scale) = ([0.0; M], [0.0; M], [0.0; M]);
        for m in 0..M {
            let [inverse, q, start, slope] = &self.parts[m];
            (nats[m], by_t[m], by_scale[m]) = derivatives(t, inverse[i], q[i], start[i], slope[i]);
        }
        if M == 1 {
            return Slopes { nats: nats[0], by_t: by_t[0], by_scale, by_weight: 0.0 };
        }
        let least = if nats[0] < nats[M - 1] { nats[0] } else { nats[M - 1] };
        let (a, b) = (exp(least - nats[0]), exp(least - nats[M - 1]));
        let sum = a + b;
        let (a, b) = (a / sum, b / sum);
        by_scale[0] *= a;
        by_scale[M - 1] *= b;
        Slopes {
            nats: least - ln(sum),
            by_t: a * by_t[0] + b * by_t[M - 1],
            by_scale,
            by_weight: self.weight[i] - a,
        }
    }
}

/// Nats and their derivatives by `t` and by the logarithm of the scale.
#[inline(always)]
fn derivatives(t: f32, inverse: f32, q: f32, start: f32, slope: f32) -> (f32, f32, f32) {
    let z = (t.abs() - 0.5) * inverse;
    let u = exp(-z);
    let (a, b) = (1.0 + u, 1.0 + u * q);
    let (a1, b1) = (1.0 / a, 1.0 / b);
    let by_t = inverse * (a1 + b1 - 1.0) * 1.0_f32.copysign(t);
    let by_scale = (z + inverse) * (1.0 - b1) - z * a1 + slope;
    (z + start + ln(a * b), by_t, by_scale)
}
