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
    let inputs = net.shape.inputs;
    let some = (BATCH / net.outputs().max(1)).max(1);
    let scale = weight / rows.max(1) as f32;
    let mut tape = Tape::default();
    let mut sum = 0.0;
    for first in (0..rows).step_by(some) {
        let rows = some.min(rows - first);
        let x = &x[first * inputs..][..rows * inputs];
        net.forward(x, rows, &mut tape);
        sum += part(net, x, rows, 2.0 * scale, &mut tape, grad);
    }
    f64::from(scale) * sum
}

/// `Σ ‖∂z/∂x‖²` over the rows on `tape`; adds `twice / 2` times its gradient.
fn part(
    net: &Network,
    x: &[f32],
    rows: usize,
    twice: f32,
    tape: &mut Tape,
    grad: &mut [f32],
) -> f64 {
    let (shape, outputs) = (&net.shape, net.outputs());
    let layers = shape.layers.len();
    // For each row one row for each output.
    let copies = rows * outputs;
    let mut unit = vec![0.0; copies * outputs];
    for (i, row) in unit.chunks_exact_mut(outputs).enumerate() {
        row[i % outputs] = 1.0;
    }
    // Backward: above[l] is ∂z_k/∂hₗ₊₁ and deltas[l] is ∂z_k/∂(hₗ·Wₗ).
    let mut deltas = vec![Vec::new(); layers];
    let mut above = vec![Vec::new(); layers];
    let mut g = unit.clone();
    for layer in (0..layers).rev() {
        let f = shape.layers[layer].1;
        let mut delta = g.clone();
        let kept = repeated(tape.kept(layer, f), shape.layers[layer].0, outputs);
        f.backward(&kept, &mut delta);
        above[layer] = std::mem::take(&mut g);
        g.resize(copies * shape.inputs_of(layer), 0.0);
        let width = shape.layers[layer].0;
        gemm(View::new(&delta, copies, width), net.matrix(layer).t(), &mut g, Finish::Store);
        deltas[layer] = delta;
    }
    let unit = View::new(&unit, copies, outputs);
    if shape.skip {
        let finish = if layers == 0 { Finish::Store } else { Finish::Add };
        g.resize(copies * shape.inputs, 0.0);
        gemm(unit, net.skip_matrix().t(), &mut g, finish);
    }
    let penalty = sum::squares(&g);

    // Forward with the tangents.
    let mut tangent: Vec<f32> = g.iter().map(|g| g * twice).collect();
    if shape.skip {
        let v = View::new(&tangent, copies, shape.inputs);
        gemm(v.t(), unit, &mut grad[net.skip()], Finish::Add);
    }
    let mut curved = vec![Vec::new(); layers];
    for layer in 0..layers {
        let (width, f) = shape.layers[layer];
        let v = View::new(&tangent, copies, shape.inputs_of(layer));
        let delta = View::new(&deltas[layer], copies, width);
        gemm(v.t(), delta, &mut grad[net.weights(layer)], Finish::Add);
        let mut next = vec![0.0; copies * width];
        gemm(v, net.matrix(layer), &mut next, Finish::Store);
        if !f.is_straight() {
            // Σ_k ∂z_k/∂h · tangent: what a change of the slope f' is worth.
            let mut worth = vec![0.0; rows * width];
            for (worth, (t, a)) in worth.chunks_exact_mut(width).zip(
                next.chunks_exact(outputs * width).zip(above[layer].chunks_exact(outputs * width)),
            ) {
                for (t, a) in t.chunks_exact(width).zip(a.chunks_exact(width)) {
                    worth.iter_mut().zip(t.iter().zip(a)).for_each(|(w, (t, a))| *w += t * a);
                }
            }
            f.curve(tape.kept(layer, f), &mut worth);
            curved[layer] = worth;
        }
        let kept = repeated(tape.kept(layer, f), width, outputs);
        f.backward(&kept, &mut next);
        tangent = next;
    }
    let Some(top) = curved.iter().rposition(|c| !c.is_empty()) else { return penalty };

    // Backward from the curved activations.
    let mut d = vec![0.0; rows * shape.layers[top].0];
    let mut parts = Vec::new();
    for layer in (0..=top).rev() {
        let (width, f) = shape.layers[layer];
        f.backward(tape.kept(layer, f), &mut d);
        d.iter_mut().zip(&curved[layer]).for_each(|(d, c)| *d += c);
        sum::bias(&d, &mut grad[net.bias(layer)], &mut parts);
        let inputs = shape.inputs_of(layer);
        let below = if layer == 0 { x } else { tape.after(layer - 1) };
        let here = View::new(&d, rows, width);
        gemm(View::new(below, rows, inputs).t(), here, &mut grad[net.weights(layer)], Finish::Add);
        let mut d_below = vec![0.0; rows * inputs];
        if layer > 0 {
            gemm(here, net.matrix(layer).t(), &mut d_below, Finish::Store);
        }
        d = d_below;
    }
    penalty
}

/// Each row of `width` numbers `times` times.
fn repeated(rows: &[f32], width: usize, times: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(rows.len() * times);
    for row in rows.chunks_exact(width.max(1)) {
        (0..times).for_each(|_| out.extend_from_slice(row));
    }
    out
}
