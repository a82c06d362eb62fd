//! The formulas in `f64`, and gradients against their central differences.

use super::attention::{Attention, SourceGradients, Sources};
use super::block::{Batch, Block, BlockTape, Down};
use super::dense::Dense;
use super::layer_norm::{LayerNorm, Normalised};
use super::*;
use crate::kernels::activation::Activation;
use crate::kernels::activation::tests::exact;
use crate::matrix::rng::Rng;
use crate::nn::tests::{assert_gradient, doubles, normal};

fn dense(layer: &Dense, p: &[f64], x: &[f64]) -> Vec<f64> {
    let (w, b) = (&p[layer.weights()], &p[layer.bias()]);
    let n = layer.outputs;
    let value = |row: &[f64], j: usize| {
        row.iter().enumerate().map(|(i, x)| x * w[i * n + j]).sum::<f64>() + b[j]
    };
    let rows = x.chunks_exact(layer.inputs);
    rows.flat_map(|row| (0..n).map(move |j| value(row, j))).collect()
}

fn norm(layer: &LayerNorm, p: &[f64], x: &[f64]) -> Vec<f64> {
    let (gain, n) = (layer.gain(), layer.dim as f64);
    let mut out = Vec::new();
    for token in x.chunks_exact(layer.dim) {
        let mean = token.iter().sum::<f64>() / n;
        let variance = token.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let unit = token.iter().map(|x| (x - mean) / (variance + 1e-5).sqrt());
        let affine = unit.zip(gain.clone());
        out.extend(affine.map(|(u, at)| u * p[at] + p[at + layer.dim]));
    }
    out
}

fn attention(of: Attention, [q, k, v]: [&[f64]; 3]) -> Vec<f64> {
    let (dim, width) = (of.dim, of.dim / of.heads);
    let mut out = vec![0.0; q.len()];
    for at in 0..q.len() / dim {
        let first = at / of.queries * of.keys;
        for head in (0..dim).step_by(width) {
            let of_token = |x: &[f64], t: usize| x[t * dim + head..][..width].to_vec();
            let own = of_token(q, at);
            let product = |t: usize| {
                let other = of_token(k, first + t);
                own.iter().zip(other).map(|(a, b)| a * b).sum::<f64>() / (width as f64).sqrt()
            };
            let weights: Vec<f64> = (0..of.keys).map(|t| product(t).exp()).collect();
            let total: f64 = weights.iter().sum();
            for (t, weight) in weights.iter().enumerate() {
                let value = of_token(v, first + t);
                let to = out[at * dim + head..][..width].iter_mut();
                to.zip(value).for_each(|(y, v)| *y += weight / total * v);
            }
        }
    }
    out
}

/// A block's formula for rows of `tokens` tokens, and of `keys` of the context.
fn block(of: &Block, p: &[f64], x: &[f64], context: Option<&[f64]>, rows: usize) -> Vec<f64> {
    let add = |x: &[f64], y: Vec<f64>| x.iter().zip(y).map(|(a, b)| a + b).collect::<Vec<f64>>();
    let [query, key, value, attended, up, down] = of.layers();
    let own = norm(&of.norm, p, x);
    let source = context.unwrap_or(&own);
    let dim = of.norm.dim;
    let shape = Attention {
        heads: of.heads,
        dim,
        queries: x.len() / dim / rows,
        keys: source.len() / dim / rows,
    };
    let sources = [dense(query, p, &own), dense(key, p, source), dense(value, p, source)];
    let seen = attention(shape, [&sources[0], &sources[1], &sources[2]]);
    let x = add(x, dense(attended, p, &seen));
    let mut hidden = dense(up, p, &norm(&of.hidden_norm, p, &x));
    hidden.iter_mut().for_each(|h| *h = exact(Activation::Gelu, *h));
    let moved = dense(down, p, &hidden);
    add(&x, moved)
}

/// The whole network's formula.
fn forward(net: &Transformer, p: &[f64], patches: Patches<'_>) -> Vec<f64> {
    let (layers, shape) = (&net.layers, net.shape);
    let mut seen = Vec::new();
    patches.gather(patches.seen, shape.patch, &mut seen);
    let lines = |x: &mut [f64], start: usize, at: &[usize], dim: usize| {
        for (token, at) in x.chunks_exact_mut(dim).zip(at) {
            token.iter_mut().zip(&p[start + at * dim..]).for_each(|(x, p)| *x += p);
        }
    };
    let (wide, dim) = (shape.encoder.dim, shape.decoder.dim);
    let mut x = dense(&layers.embed, p, &doubles(&seen));
    lines(&mut x, layers.position.start, patches.seen, wide);
    for own in &layers.encoder {
        x = block(own, p, &x, None, patches.rows);
    }
    let mut context = dense(&layers.bridge, p, &norm(&layers.encoder_norm, p, &x));
    lines(&mut context, layers.decoder_position.start, patches.seen, dim);
    let mut y: Vec<f64> =
        patches.asked.iter().flat_map(|_| p[layers.mask.clone()].to_vec()).collect();
    lines(&mut y, layers.decoder_position.start, patches.asked, dim);
    for own in &layers.decoder {
        y = block(own, p, &y, Some(&context), patches.rows);
    }
    dense(&layers.values, p, &norm(&layers.decoder_norm, p, &y))
}

/// The sum of `x` times `by`: its gradient is `by`.
fn along(x: Vec<f64>, by: &[f32]) -> f64 {
    x.iter().zip(by).map(|(x, b)| x * f64::from(*b)).sum()
}

#[test]
fn layer_norm_has_the_gradient_of_its_formula() {
    let mut rng = Rng::new(1);
    for (dim, tokens) in [(11, 5), (8, 1), (1, 3)] {
        let layer = LayerNorm::new(dim, &mut 0);
        let params = normal(2 * dim, &mut rng);
        let (x, by) = (normal(tokens * dim, &mut rng), normal(tokens * dim, &mut rng));
        let mut kept = Normalised::default();
        layer.forward(&params, &x, &mut kept);
        let wanted = norm(&layer, &doubles(&params), &doubles(&x));
        assert!(kept.out.iter().zip(wanted).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-5));
        let (mut grad, mut d) = (vec![f32::NAN; 2 * dim], vec![0.0; x.len()]);
        layer.backward(&params, &kept, &by, &mut grad, &mut d);
        let (p, at) = (doubles(&params), doubles(&x));
        assert_gradient(&grad, &params, |p| along(norm(&layer, p, &at), &by), "parameters");
        if dim > 1 {
            assert_gradient(&d, &x, |x| along(norm(&layer, &p, x), &by), "tokens");
        }
    }
}

#[test]
fn attention_has_the_gradient_of_its_formula() {
    let mut rng = Rng::new(2);
    for (heads, dim, queries, keys) in [(2, 6, 4, 4), (3, 12, 5, 2), (1, 4, 1, 3), (4, 4, 3, 1)] {
        let own = Attention { heads, dim, queries, keys };
        let rows = 2;
        let q = normal(rows * queries * dim, &mut rng);
        let [k, v] = [(); 2].map(|()| normal(rows * keys * dim, &mut rng));
        let by = normal(q.len(), &mut rng);
        let (mut weights, mut out) = (Vec::new(), Vec::new());
        let sources = Sources { q: &q, k: &k, v: &v };
        own.forward(sources, &mut weights, &mut out);
        let [dq, dk, dv] = [&q, &k, &v].map(|x| doubles(x));
        let wanted = attention(own, [&dq, &dk, &dv]);
        assert!(out.iter().zip(wanted).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-5));
        let mut d = SourceGradients::default();
        own.backward(sources, &weights, &by, &mut d);
        assert_gradient(&d.q, &q, |q| along(attention(own, [q, &dk, &dv]), &by), "queries");
        assert_gradient(&d.v, &v, |v| along(attention(own, [&dq, &dk, v]), &by), "values");
        if keys > 1 {
            assert_gradient(&d.k, &k, |k| along(attention(own, [&dq, k, &dv]), &by), "keys");
        }
    }
}

#[test]
fn a_block_with_its_hidden_layer_has_the_gradient_of_its_formula() {
    let mut rng = Rng::new(3);
    let mut count = 0;
    let own = Block::new(6, 2, &mut count);
    let params: Vec<f32> = normal(count, &mut rng).iter().map(|x| 0.5 * x).collect();
    let rows = 2;
    let x = normal(rows * 3 * 6, &mut rng);
    let by = normal(x.len(), &mut rng);
    let other = normal(rows * 4 * 6, &mut rng);
    for context in [None, Some(&other[..])] {
        let mut tape = BlockTape::default();
        let batch = Batch { params: &params, rows };
        let mut out = x.clone();
        own.forward(batch, &mut out, context, &mut tape);
        let (p, at) = (doubles(&params), doubles(&x));
        let beside = context.map(doubles);
        let wanted = block(&own, &p, &at, beside.as_deref(), rows);
        assert!(out.iter().zip(wanted).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-4));
        let (mut grad, mut d) = (vec![f32::NAN; count], by.clone());
        let mut d_context = vec![0.0; other.len()];
        let with = context.map(|own| (own, &mut d_context[..]));
        own.backward(batch, &tape, with, &mut d, &mut grad, &mut Down::default());
        let f = |p: &[f64], x: &[f64]| along(block(&own, p, x, beside.as_deref(), rows), &by);
        assert_gradient(&grad, &params, |p| f(p, &at), "parameters");
        assert_gradient(&d, &x, |x| f(&p, x), "tokens");
        if context.is_some() {
            let f = |c: &[f64]| along(block(&own, &p, &at, Some(c), rows), &by);
            assert_gradient(&d_context, &other, f, "context");
        }
    }
}

/// A small transformer with rows, of whose six patches two are seen and three are asked for.
struct Case {
    net: Transformer,
    values: Vec<f32>,
    seen: Vec<usize>,
    asked: Vec<usize>,
}

impl Case {
    fn new(rows: usize) -> Self {
        let mut rng = Rng::new(4);
        let encoder = Stack { dim: 8, heads: 2, depth: 2 };
        let decoder = Stack { dim: 6, heads: 3, depth: 2 };
        let shape = Shape { patches: 6, patch: 3, encoder, decoder };
        let mut net = Transformer::new(shape, &mut rng);
        // Biases that are not 0.
        net.params.iter_mut().filter(|p| **p == 0.0).for_each(|p| *p = 0.3 * rng.normal());
        let values = normal(rows * 18, &mut rng);
        let (mut seen, mut asked) = (Vec::new(), Vec::new());
        for _ in 0..rows {
            let mut order: Vec<usize> = (0..6).collect();
            rng.shuffle(&mut order);
            seen.extend(&order[..2]);
            asked.extend(&order[2..5]);
        }
        Self { net, values, seen, asked }
    }

    fn patches(&self) -> Patches<'_> {
        let Self { values, seen, asked, .. } = self;
        Patches { rows: values.len() / 18, values, seen, asked }
    }
}

/// The last values of two patches are outside.
const INSIDE: [f32; 18] = [1., 1., 1., 1., 1., 0., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 0.];

#[test]
fn the_whole_has_the_gradient_of_its_formula() {
    let case = Case::new(3);
    let net = &case.net;
    let patches = case.patches();
    let mut wanted = Vec::new();
    patches.gather(&case.asked, 3, &mut wanted);
    let loss = |p: &[f64]| {
        let out = forward(net, p, patches);
        let inside = case.asked.iter().flat_map(|at| &INSIDE[at * 3..at * 3 + 3]);
        let count = inside.clone().filter(|x| **x > 0.0).count() as f64;
        let pairs = out.iter().zip(&wanted).zip(inside);
        pairs.map(|((y, x), i)| (f64::from(*i) * (y - f64::from(*x))).powi(2)).sum::<f64>() / count
    };
    let mut grad = vec![f32::NAN; net.params.len()];
    let error = Parts::default().gradient(net, patches, &INSIDE, &mut grad);
    assert!((error - loss(&doubles(&net.params))).abs() < 1e-5 * error);
    assert!((net.error(patches, &INSIDE) - error).abs() < 1e-12);
    assert_gradient(&grad, &net.params, loss, "the whole");
}

#[test]
fn rows_are_the_same_in_any_company_and_on_any_number_of_threads() {
    let case = Case::new(300);
    let all = case.patches();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut grad = vec![0.0; case.net.params.len()];
            let error = Parts::default().gradient(&case.net, all, &INSIDE, &mut grad);
            (error, grad, case.net.restored(all), case.net.embedded(all))
        })
    };
    let one = run(1);
    assert!(run(2) == one && run(5) == one);
    let last = Patches {
        rows: 1,
        values: &case.values[299 * 18..],
        seen: &case.seen[299 * 2..],
        asked: &case.asked[299 * 3..],
    };
    assert_eq!(case.net.restored(last), one.2[299 * 9..]);
    assert_eq!(case.net.embedded(last), one.3[299 * 8..]);
}
