//! Gradients against central differences, and bits against the number of threads.

use crate::nn::contractive::contractive;
use crate::nn::network::{Network, Shape};
use crate::nn::pass::Tape;

use crate::kernels::activation::Activation;
use crate::kernels::activation::tests::exact;
use crate::matrix::rng::Rng;

/// The network's formula in `f64`, one row at a time.
pub(super) fn exact_forward(net: &Network, params: &[f64], x: &[f64]) -> Vec<f64> {
    let product = |x: &[f64], w: &[f64], outputs: usize| -> Vec<f64> {
        (0..outputs)
            .map(|j| x.iter().enumerate().map(|(i, x)| x * w[i * outputs + j]).sum())
            .collect()
    };
    let mut out: Vec<f64> = Vec::new();
    for row in x.chunks_exact(net.shape.inputs) {
        let mut h = row.to_vec();
        for (layer, &(width, f)) in net.shape.layers.iter().enumerate() {
            h = product(&h, &params[net.weights(layer)], width);
            h.iter_mut().zip(&params[net.bias(layer)]).for_each(|(h, b)| *h = exact(f, *h + b));
        }
        if net.shape.skip {
            let past = product(row, &params[net.skip()], net.outputs());
            match net.shape.layers.is_empty() {
                true => h = past,
                false => h.iter_mut().zip(past).for_each(|(h, p)| *h += p),
            }
        }
        out.extend(h);
    }
    out
}

pub(super) fn normal(n: usize, rng: &mut Rng) -> Vec<f32> {
    (0..n).map(|_| rng.normal()).collect()
}

pub(super) fn doubles(values: &[f32]) -> Vec<f64> {
    values.iter().map(|x| f64::from(*x)).collect()
}

/// Asserts that `found` is the gradient of `f` at `at`.
pub(super) fn assert_gradient(found: &[f32], at: &[f32], f: impl Fn(&[f64]) -> f64, what: &str) {
    let mut at = doubles(at);
    let h = 1e-5;
    let mut slopes = Vec::new();
    for i in 0..at.len() {
        let x = at[i];
        at[i] = x + h;
        let above = f(&at);
        at[i] = x - h;
        slopes.push((above - f(&at)) / (2.0 * h));
        at[i] = x;
    }
    assert_eq!(found.len(), slopes.len());
    let size = slopes.iter().fold(0.0_f64, |m, s| m.max(s.abs()));
    for (i, (found, slope)) in found.iter().zip(&slopes).enumerate() {
        let error = (f64::from(*found) - slope).abs();
        assert!(error <= 2e-6 * size + 1e-8, "{what}: [{i}] is {found}, not {slope}");
    }
}

/// Networks of every kind.
pub(super) fn networks(rng: &mut Rng) -> Vec<Network> {
    use Activation::{Gelu, Identity, LeakyRelu, Relu, Tanh};
    let mut nets = vec![Network::linear(5, 3, rng)];
    for skip in [false, true] {
        for f in [Identity, LeakyRelu(0.125), LeakyRelu(0.01), Relu, Tanh, Gelu] {
            for layers in
                [vec![(3, f)], vec![(4, f), (3, Identity)], vec![(6, f), (4, Tanh), (7, f)]]
            {
                nets.push(Network::new(Shape { inputs: 5, layers, skip }, rng));
            }
        }
        // No hidden units: a constant, and a linear path with a bias.
        let layers = vec![(0, Relu), (3, Identity)];
        nets.push(Network::new(Shape { inputs: 5, layers, skip }, rng));
    }
    for net in &mut nets {
        // Biases and linear paths that are not 0.
        net.params.iter_mut().filter(|p| **p == 0.0).for_each(|p| *p = 0.5 * rng.normal());
    }
    nets
}

#[test]
fn outputs_are_those_of_the_formula() {
    let mut rng = Rng::new(1);
    for net in networks(&mut rng) {
        let x = normal(7 * 5, &mut rng);
        let mut tape = Tape::default();
        // A larger batch was there before.
        net.forward(&normal(9 * 5, &mut rng), 9, &mut tape);
        let out = net.forward(&x, 7, &mut tape).to_vec();
        assert_eq!(out, tape.output());
        assert_eq!(out, net.infer(&x, 7));
        let exact = exact_forward(&net, &doubles(&net.params), &doubles(&x));
        assert_eq!(out.len(), exact.len());
        for (o, e) in out.iter().zip(exact) {
            assert!((f64::from(*o) - e).abs() < 4e-6, "{:?}: {o} {e}", net.shape);
        }
    }
}

#[test]
fn rows_do_not_depend_on_their_batch() {
    let mut rng = Rng::new(4);
    let layers = vec![(40, Activation::Gelu), (9, Activation::Identity)];
    let net = Network::new(Shape { inputs: 30, layers, skip: true }, &mut rng);
    let x = normal(1300 * 30, &mut rng);
    let all = net.forward(&x, 1300, &mut Tape::default()).to_vec();
    assert_eq!(net.infer(&x, 1300), all);
    assert_eq!(net.infer(&x[600 * 30..601 * 30], 1), all[600 * 9..601 * 9]);
    assert!(net.infer(&[], 0).is_empty());
}

#[test]
fn gradients_are_central_differences() {
    let mut rng = Rng::new(2);
    for net in networks(&mut rng) {
        let rows = 6;
        let x = normal(rows * 5, &mut rng);
        let d_out = normal(rows * net.outputs(), &mut rng);
        let mut tape = Tape::default();
        net.forward(&x, rows, &mut tape);
        // It is overwritten.
        let mut grad = vec![f32::NAN; net.params.len()];
        let mut d_in = vec![9.0; x.len()];
        net.backward(&x, &mut tape, &d_out, &mut grad, Some(&mut d_in));
        let loss = |params: &[f64], x: &[f64]| -> f64 {
            let out = exact_forward(&net, params, x);
            out.iter().zip(&d_out).map(|(o, d)| o * f64::from(*d)).sum()
        };
        let name = format!("{:?}", net.shape);
        assert_gradient(&grad, &net.params, |params| loss(params, &doubles(&x)), &name);
        assert_gradient(&d_in, &x, |x| loss(&doubles(&net.params), x), &name);
    }
}

/// The Jacobian's squared norm, summed over rows, by differences in `f64`.
pub(super) fn exact_contractive(net: &Network, params: &[f64], x: &[f64]) -> f64 {
    let n = net.shape.inputs;
    let h = 1e-4;
    let mut sum = 0.0;
    for i in 0..n {
        let moved = |by: f64| {
            let mut x = x.to_vec();
            x.iter_mut().skip(i).step_by(n).for_each(|x| *x += by);
            exact_forward(net, params, &x)
        };
        // Fourth order, so that its own error is below what is asserted.
        let (a, b, c, d) = (moved(-2.0 * h), moved(-h), moved(h), moved(2.0 * h));
        for k in 0..a.len() {
            let slope = (8.0 * (c[k] - b[k]) - (d[k] - a[k])) / (12.0 * h);
            sum += slope * slope;
        }
    }
    sum
}

#[test]
fn the_contractive_penalty_is_the_jacobian_s_norm_and_its_gradient_is_exact() {
    let mut rng = Rng::new(3);
    for net in networks(&mut rng) {
        let rows = 3;
        let x = normal(rows * 5, &mut rng);
        let mut grad = vec![0.0; net.params.len()];
        let weight = 0.7;
        let found = contractive(&net, &x, rows, weight, &mut grad);
        let f = |params: &[f64]| {
            f64::from(weight) / rows as f64 * exact_contractive(&net, params, &doubles(&x))
        };
        let exact = f(&doubles(&net.params));
        assert!((found - exact).abs() < 1e-5 * exact.max(1e-3), "{:?} {found} {exact}", net.shape);
        assert_gradient(&grad, &net.params, f, &format!("{:?}", net.shape));
    }
}
