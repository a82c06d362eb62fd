//! Scaled dot-product attention with several heads (Vaswani et al. 2017, section 3.2).

use crate::kernels::gemm::{Finish, View, gemm};
use crate::kernels::math::exp;
use crate::kernels::wide::widest;

/// `out = softmax(q·kᵀ / √(dim / heads)) · v` for each head, which has its share of the `dim` numbers of a token.
/// Each row has its own tokens: `queries` of `q`, `keys` of `k` and `v`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attention {
    pub(super) heads: usize,
    pub(super) dim: usize,
    pub(super) queries: usize,
    pub(super) keys: usize,
}

/// Queries, keys and values: rows × tokens × dim.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) q: &'a [f32],
    pub(super) k: &'a [f32],
    pub(super) v: &'a [f32],
}

/// Their gradients.
#[derive(Debug, Default)]
pub(super) struct SourceGradients {
    pub(super) q: Vec<f32>,
    pub(super) k: Vec<f32>,
    pub(super) v: Vec<f32>,
    /// Of the products of one head, and of what becomes of them.
    weights: Vec<f32>,
    head: Vec<f32>,
}

impl Attention {
    /// Writes the weights, rows × heads × queries × keys, and the output, rows × queries × dim.
    pub(super) fn forward(self, from: Sources<'_>, weights: &mut Vec<f32>, out: &mut Vec<f32>) {
        let rows = from.q.len() / (self.queries * self.dim);
        let each = self.queries * self.keys;
        weights.resize(rows * self.heads * each, 0.0);
        out.resize(from.q.len(), 0.0);
        let mut head = vec![0.0; self.queries * self.width()];
        for (i, weights) in weights.chunks_exact_mut(each).enumerate() {
            let (row, at) = (i / self.heads, i % self.heads);
            let k = self.head(from.k, row, self.keys, at);
            gemm(self.head(from.q, row, self.queries, at), k.t(), weights, Finish::Store);
            softmax(weights, self.keys, self.scale());
            let weights = View::new(weights, self.queries, self.keys);
            gemm(weights, self.head(from.v, row, self.keys, at), &mut head, Finish::Store);
            self.put(&head, out, row, self.queries, at);
        }
    }

    /// Writes the gradients of what `weights` were found from.
    ///
    /// With the weights `P`: `d_v = Pᵀ·d_out`, `d_P = d_out·vᵀ`, and of the products before the softmax
    /// `d_S = P ⊙ (d_P − Σ d_P ⊙ P) / √width`, sums over keys; `d_q = d_S·k`, `d_k = d_Sᵀ·q`.
    pub(super) fn backward(
        self,
        from: Sources<'_>,
        weights: &[f32],
        d_out: &[f32],
        d: &mut SourceGradients,
    ) {
        let each = self.queries * self.keys;
        let width = self.width();
        d.q.resize(from.q.len(), 0.0);
        d.k.resize(from.k.len(), 0.0);
        d.v.resize(from.v.len(), 0.0);
        d.weights.resize(each, 0.0);
        d.head.resize(self.queries.max(self.keys) * width, 0.0);
        let (of_queries, of_keys) = (self.queries * width, self.keys * width);
        for (i, weights) in weights.chunks_exact(each).enumerate() {
            let (row, at) = (i / self.heads, i % self.heads);
            let d_out = self.head(d_out, row, self.queries, at);
            let own = View::new(weights, self.queries, self.keys);
            gemm(own.t(), d_out, &mut d.head[..of_keys], Finish::Store);
            self.put(&d.head, &mut d.v, row, self.keys, at);
            let v = self.head(from.v, row, self.keys, at);
            gemm(d_out, v.t(), &mut d.weights, Finish::Store);
            softmax_backward(weights, &mut d.weights, self.keys, self.scale());
            let d_products = View::new(&d.weights, self.queries, self.keys);
            let k = self.head(from.k, row, self.keys, at);
            gemm(d_products, k, &mut d.head[..of_queries], Finish::Store);
            self.put(&d.head, &mut d.q, row, self.queries, at);
            let q = self.head(from.q, row, self.queries, at);
            gemm(d_products.t(), q, &mut d.head[..of_keys], Finish::Store);
            self.put(&d.head, &mut d.k, row, self.keys, at);
        }
    }

    /// Numbers of a token that a head has.
    fn width(self) -> usize {
        self.dim / self.heads
    }

    fn scale(self) -> f32 {
        1.0 / (self.width() as f32).sqrt()
    }

    /// What a head has of the `tokens` tokens of a row.
    fn head(self, data: &[f32], row: usize, tokens: usize, head: usize) -> View<'_> {
        View {
            data: &data[row * tokens * self.dim + head * self.width()..],
            rows: tokens,
            columns: self.width(),
            rows_apart: self.dim,
            columns_apart: 1,
        }
    }

    /// Writes what a head has of the tokens of a row to its place in `data`.
    fn put(self, own: &[f32], data: &mut [f32], row: usize, tokens: usize, head: usize) {
        let data = &mut data[row * tokens * self.dim..(row + 1) * tokens * self.dim];
        let width = self.width();
        for (to, own) in data.chunks_exact_mut(self.dim).zip(own.chunks_exact(width)) {
            to[head * width..][..width].copy_from_slice(own);
        }
    }
}

/// Replaces lines of products by their softmax, after they were multiplied with `scale`.
fn softmax(products: &mut [f32], keys: usize, scale: f32) {
    widest(|| {
        for line in products.chunks_exact_mut(keys) {
            let most =
                line.iter().fold(f32::NEG_INFINITY, |most, x| if *x > most { *x } else { most });
            line.iter_mut().for_each(|x| *x = exp((*x - most) * scale));
            let total: f32 = line.iter().sum();
            line.iter_mut().for_each(|x| *x /= total);
        }
    });
}

/// Replaces gradients of the weights by those of the products.
fn softmax_backward(weights: &[f32], d: &mut [f32], keys: usize, scale: f32) {
    widest(|| {
        for (line, d) in weights.chunks_exact(keys).zip(d.chunks_exact_mut(keys)) {
            let along: f32 = line.iter().zip(&*d).map(|(w, d)| w * d).sum();
            d.iter_mut().zip(line).for_each(|(d, w)| *d = w * (*d - along) * scale);
        }
    });
}
