//! The contractive penalty `‖∂z/∂x‖²` (Rifai et al. 2011, *Contractive auto-encoders*,
//! equation 4), exact for any number of layers.
//!
//! For one row and output `k`, backward gives `g_k = ∂z_k/∂x`, and the penalty is `Σ_k |g_k|²`.
//! Its change with the parameters is `2 Σ_k ∂(g_k·v_k)` at the fixed `v_k = g_k`, and `g_k·v_k` is
//! the change of `z_k` when `x` moves along `v_k`. So three passes give the gradient: backward
//! with each `k`; forward with the tangents `v_k`; and, where activations are curved, backward
//! again with what the tangents did to their slopes.

use crate::kernels::gemm::{Finish, View, gemm};
use crate::nn::network::Network;
use crate::nn::pass::Tape;
use crate::nn::sum;

/// Rows × outputs that are carried at once.
const BATCH: usize = 2048;

/// `weight · (1/rows) Σ over rows ‖∂z/∂x‖²_F`, its gradient added to `grad`.
pub(crate) fn contractive(
    net: &Network,
    x: &[f32],
    rows: usize,
    weight: f32,
    grad: &mut [f32],
) -> f64 {
    let (inputs, outputs) = (net.shape.inputs, net.outputs());
    let some = (BATCH / outputs.max(1)).max(1);
    let scale = weight / rows.max(1) as f32;
    let mut tape = Tape::default();
    let mut sum = 0.0;
    for first in (0..rows).step_by(some) {
        let rows = some.min(rows - first);
        let x = &x[first * inputs..][..rows * inputs];
        net.forward(x, rows, &mut tape);
        sum += Part { net, x, tape: &tape, rows, outputs }.penalty(2.0 * scale, grad);
    }
    f64::from(scale) * sum
}

/// Some rows that went forward, of which each is carried once for each output.
struct Part<'a> {
    net: &'a Network,
    /// What the rows were, rows × inputs.
    x: &'a [f32],
    tape: &'a Tape,
    rows: usize,
    outputs: usize,
}

/// What backward with each output leaves, for each layer rows · outputs × its width.
struct Jacobian {
    /// `∂z_k/∂hₗ₊₁`
    above: Vec<Vec<f32>>,
    /// `∂z_k/∂(hₗ·Wₗ)`
    deltas: Vec<Vec<f32>>,
    /// `∂z_k/∂x`
    input: Vec<f32>,
}

impl Part<'_> {
    fn copies(&self) -> usize {
        self.rows * self.outputs
    }

    /// For each row and output a row that is 1 at the output.
    fn unit(&self) -> Vec<f32> {
        let mut unit = vec![0.0; self.copies() * self.outputs];
        for (i, row) in unit.chunks_exact_mut(self.outputs).enumerate() {
            row[i % self.outputs] = 1.0;
        }
        unit
    }

    /// Multiplies `d`, rows · outputs × width, by the slopes of a layer's activation.
    fn times_slope(&self, layer: usize, d: &mut [f32]) {
        let (width, f) = self.net.shape.layers[layer];
        f.backward(&repeated(self.tape.kept(layer, f), width, self.outputs), d);
    }

    /// `Σ ‖∂z/∂x‖²` over the rows; adds `twice / 2` times its gradient.
    fn penalty(&self, twice: f32, grad: &mut [f32]) -> f64 {
        let unit = self.unit();
        let jacobian = self.jacobian(&unit);
        let penalty = sum::squares(&jacobian.input);
        let curved = self.along_tangents(&unit, &jacobian, twice, grad);
        self.down_from_curves(&curved, grad);
        penalty
    }

    fn jacobian(&self, unit: &[f32]) -> Jacobian {
        let (net, shape, copies) = (self.net, &self.net.shape, self.copies());
        let layers = shape.layers.len();
        let (mut above, mut deltas) = (vec![Vec::new(); layers], vec![Vec::new(); layers]);
        let mut g = unit.to_vec();
        for layer in (0..layers).rev() {
            let mut delta = g.clone();
            self.times_slope(layer, &mut delta);
            above[layer] = std::mem::take(&mut g);
            g.resize(copies * shape.inputs_of(layer), 0.0);
            let width = shape.layers[layer].0;
            gemm(View::new(&delta, copies, width), net.matrix(layer).t(), &mut g, Finish::Store);
            deltas[layer] = delta;
        }
        if shape.skip {
            let finish = if layers == 0 { Finish::Store } else { Finish::Add };
            g.resize(copies * shape.inputs, 0.0);
            gemm(View::new(unit, copies, self.outputs), net.skip_matrix().t(), &mut g, finish);
        }
        Jacobian { above, deltas, input: g }
    }

    /// Goes forward with the tangents, adding gradients of the weights. Gives for each layer whose
    /// activation is curved what a change of its slopes is worth, rows × width.
    fn along_tangents(
        &self,
        unit: &[f32],
        jacobian: &Jacobian,
        twice: f32,
        grad: &mut [f32],
    ) -> Vec<Vec<f32>> {
        let (net, shape, copies) = (self.net, &self.net.shape, self.copies());
        let mut tangent: Vec<f32> = jacobian.input.iter().map(|g| g * twice).collect();
        if shape.skip {
            let v = View::new(&tangent, copies, shape.inputs);
            let unit = View::new(unit, copies, self.outputs);
            gemm(v.t(), unit, &mut grad[net.skip()], Finish::Add);
        }
        let mut curved = vec![Vec::new(); shape.layers.len()];
        for layer in 0..shape.layers.len() {
            let (width, f) = shape.layers[layer];
            let v = View::new(&tangent, copies, shape.inputs_of(layer));
            let delta = View::new(&jacobian.deltas[layer], copies, width);
            gemm(v.t(), delta, &mut grad[net.weights(layer)], Finish::Add);
            let mut next = vec![0.0; copies * width];
            gemm(v, net.matrix(layer), &mut next, Finish::Store);
            if !f.is_straight() {
                curved[layer] = self.worth_of_slopes(layer, &next, &jacobian.above[layer]);
            }
            self.times_slope(layer, &mut next);
            tangent = next;
        }
        curved
    }

    /// `Σ_k ∂z_k/∂h · tangent`: what a change of the slope `f'` is worth, times the curvature.
    fn worth_of_slopes(&self, layer: usize, tangent: &[f32], above: &[f32]) -> Vec<f32> {
        let (width, f) = self.net.shape.layers[layer];
        let mut worth = vec![0.0; self.rows * width];
        let rows = tangent.chunks_exact(self.outputs * width);
        let rows = rows.zip(above.chunks_exact(self.outputs * width));
        for (worth, (t, a)) in worth.chunks_exact_mut(width).zip(rows) {
            for (t, a) in t.chunks_exact(width).zip(a.chunks_exact(width)) {
                worth.iter_mut().zip(t.iter().zip(a)).for_each(|(w, (t, a))| *w += t * a);
            }
        }
        f.curve(self.tape.kept(layer, f), &mut worth);
        worth
    }

    /// Goes backward from the curved activations, adding gradients of weights and biases.
    fn down_from_curves(&self, curved: &[Vec<f32>], grad: &mut [f32]) {
        let Some(top) = curved.iter().rposition(|c| !c.is_empty()) else { return };
        let (net, shape) = (self.net, &self.net.shape);
        let mut d = vec![0.0; self.rows * shape.layers[top].0];
        let mut parts = Vec::new();
        for layer in (0..=top).rev() {
            let (width, f) = shape.layers[layer];
            f.backward(self.tape.kept(layer, f), &mut d);
            d.iter_mut().zip(&curved[layer]).for_each(|(d, c)| *d += c);
            sum::bias(&d, &mut grad[net.bias(layer)], &mut parts);
            let inputs = shape.inputs_of(layer);
            let below = if layer == 0 { self.x } else { self.tape.after(layer - 1) };
            let below = View::new(below, self.rows, inputs);
            let here = View::new(&d, self.rows, width);
            gemm(below.t(), here, &mut grad[net.weights(layer)], Finish::Add);
            let mut d_below = vec![0.0; self.rows * inputs];
            if layer > 0 {
                gemm(here, net.matrix(layer).t(), &mut d_below, Finish::Store);
            }
            d = d_below;
        }
    }
}

/// Each row of `width` numbers `times` times.
fn repeated(rows: &[f32], width: usize, times: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(rows.len() * times);
    for row in rows.chunks_exact(width.max(1)) {
        (0..times).for_each(|_| out.extend_from_slice(row));
    }
    out
}
