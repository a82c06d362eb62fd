//! A block of a transformer: attention, then a hidden layer, each behind a layer norm and added to what went in
//! (the pre-norm form of Xiong et al. 2020, *On layer normalization in the transformer architecture*).

use super::attention::{Attention, SourceGradients, Sources};
use super::dense::Dense;
use super::layer_norm::{LayerNorm, Normalised};
use crate::kernels::activation::Activation;
use crate::kernels::wide::widest;

/// How many times as many units as a token has numbers the hidden layer has.
pub(super) const WIDER: usize = 4;

/// `x ← x + A(norm(x))`, `x ← x + down(GELU(up(norm(x))))`.
///
/// Queries of the attention `A` come from the tokens `x`. Keys and values do, too, or from the tokens of a
/// *context*.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block {
    pub(crate) heads: usize,
    pub(crate) norm: LayerNorm,
    pub(crate) query: Dense,
    pub(crate) key: Dense,
    pub(crate) value: Dense,
    pub(crate) attended: Dense,
    pub(crate) hidden_norm: LayerNorm,
    pub(crate) up: Dense,
    pub(crate) down: Dense,
}

/// Rows that go through a network of such parameters together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batch<'a> {
    pub(super) params: &'a [f32],
    pub(super) rows: usize,
}

/// What forward leaves for backward.
#[derive(Debug, Default)]
pub(super) struct BlockTape {
    norm: Normalised,
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    weights: Vec<f32>,
    attended: Vec<f32>,
    hidden_norm: Normalised,
    before: Vec<f32>,
    after: Vec<f32>,
}

/// Gradients on their way down, with room that is kept.
#[derive(Debug, Default)]
pub(super) struct Down {
    sources: SourceGradients,
    wide: Vec<f32>,
    narrow: Vec<f32>,
}

impl Block {
    /// A block for tokens of `dim` numbers at `at`, which moves behind it.
    pub(super) fn new(dim: usize, heads: usize, at: &mut usize) -> Self {
        Self {
            heads,
            norm: LayerNorm::new(dim, at),
            query: Dense::new(dim, dim, at),
            key: Dense::new(dim, dim, at),
            value: Dense::new(dim, dim, at),
            attended: Dense::new(dim, dim, at),
            hidden_norm: LayerNorm::new(dim, at),
            up: Dense::new(dim, WIDER * dim, at),
            down: Dense::new(WIDER * dim, dim, at),
        }
    }

    pub(crate) fn layers(&self) -> [&Dense; 6] {
        [&self.query, &self.key, &self.value, &self.attended, &self.up, &self.down]
    }

    fn attention(&self, x: &[f32], context: Option<&[f32]>, rows: usize) -> Attention {
        let tokens = |x: &[f32]| x.len() / (rows * self.norm.dim);
        let keys = context.map_or(tokens(x), tokens);
        Attention { heads: self.heads, dim: self.norm.dim, queries: tokens(x), keys }
    }

    /// Moves the tokens `x` of the rows, as many of each, through the block; a `context` likewise.
    pub(super) fn forward(
        &self,
        Batch { params, rows }: Batch<'_>,
        x: &mut [f32],
        context: Option<&[f32]>,
        tape: &mut BlockTape,
    ) {
        self.norm.forward(params, x, &mut tape.norm);
        let source = context.unwrap_or(&tape.norm.out);
        self.query.forward(params, &tape.norm.out, &mut tape.q);
        self.key.forward(params, source, &mut tape.k);
        self.value.forward(params, source, &mut tape.v);
        let sources = Sources { q: &tape.q, k: &tape.k, v: &tape.v };
        let attention = self.attention(x, context, rows);
        attention.forward(sources, &mut tape.weights, &mut tape.attended);
        self.attended.add(params, &tape.attended, x);
        self.hidden_norm.forward(params, x, &mut tape.hidden_norm);
        self.up.forward(params, &tape.hidden_norm.out, &mut tape.before);
        tape.after.resize(tape.before.len(), 0.0);
        widest(|| {
            tape.after.copy_from_slice(&tape.before);
            Activation::Gelu.apply(&mut tape.after);
        });
        self.down.add(params, &tape.after, x);
    }

    /// Writes the gradient of the parameters to their places in `grad` and makes that of the output, `d`, that of
    /// the input; adds the gradient of the context to that which stands beside it.
    pub(super) fn backward(
        &self,
        Batch { params, rows }: Batch<'_>,
        tape: &BlockTape,
        context: Option<(&[f32], &mut [f32])>,
        d: &mut [f32],
        grad: &mut [f32],
        room: &mut Down,
    ) {
        let Down { sources: ds, wide, narrow } = room;
        self.down.backward(&tape.after, d, grad);
        self.down.input_gradient(params, d, wide);
        widest(|| Activation::Gelu.backward(&tape.before, wide));
        self.up.backward(&tape.hidden_norm.out, wide, grad);
        self.up.input_gradient(params, wide, narrow);
        self.hidden_norm.backward(params, &tape.hidden_norm, narrow, grad, d);

        self.attended.backward(&tape.attended, d, grad);
        self.attended.input_gradient(params, d, narrow);
        let sources = Sources { q: &tape.q, k: &tape.k, v: &tape.v };
        let attention = self.attention(d, context.as_ref().map(|(own, _)| *own), rows);
        attention.backward(sources, &tape.weights, narrow, ds);
        self.query.backward(&tape.norm.out, &ds.q, grad);
        self.query.input_gradient(params, &ds.q, narrow);
        match context {
            Some((own, d_own)) => self.source_backward(params, own, ds, grad, d_own),
            None => self.source_backward(params, &tape.norm.out, ds, grad, narrow),
        }
        self.norm.backward(params, &tape.norm, narrow, grad, d);
    }

    /// Does the same for the layers of keys and values, and adds the gradient of what they see to `d_source`.
    fn source_backward(
        &self,
        params: &[f32],
        source: &[f32],
        ds: &SourceGradients,
        grad: &mut [f32],
        d_source: &mut [f32],
    ) {
        self.key.backward(source, &ds.k, grad);
        self.value.backward(source, &ds.v, grad);
        self.key.add_input_gradient(params, &ds.k, d_source);
        self.value.add_input_gradient(params, &ds.v, d_source);
    }
}
