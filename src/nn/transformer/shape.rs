//! What a masked transformer looks like, and where its parameters lie.

use super::block::{Block, WIDER};
use super::dense::Dense;
use super::layer_norm::LayerNorm;
use std::ops::Range;

/// Blocks of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stack {
    /// Numbers of a token, a multiple of `heads`.
    pub(crate) dim: usize,
    /// Heads of each attention.
    pub(crate) heads: usize,
    /// Number of blocks.
    pub(crate) depth: usize,
}

/// What a masked transformer looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Patches of a row, and values of a patch.
    pub(crate) patches: usize,
    pub(crate) patch: usize,
    pub(crate) encoder: Stack,
    pub(crate) decoder: Stack,
}

impl Shape {
    /// Numbers that the blocks make of a row, about: weights of attention, and what layers give.
    pub(super) fn row_numbers(&self) -> usize {
        let of = |s: Stack| s.depth * self.patches * (s.heads * self.patches + 4 * WIDER * s.dim);
        of(self.encoder) + of(self.decoder)
    }

    /// Multiply-adds of the products with matrices, forward, for a row of which `seen` patches are seen and
    /// `asked` are asked for.
    pub(crate) fn work(&self, seen: usize, asked: usize) -> f64 {
        let (e, d) = (self.encoder, self.decoder);
        let hidden = 2 * WIDER;
        let attention = |queries: usize, keys: usize, dim: usize| 2 * queries * keys * dim;
        let encoder = seen * e.dim * e.dim * (4 + hidden) + attention(seen, seen, e.dim);
        let decoder = asked * d.dim * d.dim * (2 + hidden)
            + seen * d.dim * d.dim * 2
            + attention(asked, seen, d.dim);
        let ends = seen * (self.patch * e.dim + e.dim * d.dim) + asked * d.dim * self.patch;
        (e.depth * encoder + d.depth * decoder + ends) as f64
    }
}

/// The layers, each with its place among the parameters. In this order they lie there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layers {
    /// From the values of a patch to a token.
    pub(crate) embed: Dense,
    /// Added to the token of each patch: patches × dim.
    pub(crate) position: Range<usize>,
    pub(crate) encoder: Vec<Block>,
    pub(crate) encoder_norm: LayerNorm,
    /// From tokens of the encoder to those of the context.
    pub(crate) bridge: Dense,
    /// The token of a patch that is asked for, before its position is added.
    pub(crate) mask: Range<usize>,
    /// Added to the tokens of the decoder and of its context: patches × dim.
    pub(crate) decoder_position: Range<usize>,
    pub(crate) decoder: Vec<Block>,
    pub(crate) decoder_norm: LayerNorm,
    /// From a token to the values of a patch.
    pub(crate) values: Dense,
    /// Number of parameters.
    pub(crate) count: usize,
}

impl Layers {
    pub(super) fn new(shape: &Shape) -> Self {
        let mut at = 0;
        let own = &mut at;
        let (e, d) = (shape.encoder, shape.decoder);
        let table = |rows: usize, dim: usize, at: &mut usize| {
            let start = *at;
            *at += rows * dim;
            start..*at
        };
        let blocks = |of: Stack, at: &mut usize| {
            (0..of.depth).map(|_| Block::new(of.dim, of.heads, at)).collect()
        };
        let mut layers = Self {
            embed: Dense::new(shape.patch, e.dim, own),
            position: table(shape.patches, e.dim, own),
            encoder: blocks(e, own),
            encoder_norm: LayerNorm::new(e.dim, own),
            bridge: Dense::new(e.dim, d.dim, own),
            mask: table(1, d.dim, own),
            decoder_position: table(shape.patches, d.dim, own),
            decoder: blocks(d, own),
            decoder_norm: LayerNorm::new(d.dim, own),
            values: Dense::new(d.dim, shape.patch, own),
            count: 0,
        };
        layers.count = at;
        layers
    }

    /// All dense layers, in the order of their places.
    pub(super) fn dense(&self) -> impl Iterator<Item = &Dense> {
        let encoder = self.encoder.iter().flat_map(Block::layers);
        let decoder = self.decoder.iter().flat_map(Block::layers);
        [&self.embed]
            .into_iter()
            .chain(encoder)
            .chain([&self.bridge])
            .chain(decoder)
            .chain([&self.values])
    }

    /// All layer norms.
    pub(super) fn norms(&self) -> impl Iterator<Item = &LayerNorm> {
        let blocks = self.encoder.iter().chain(&self.decoder);
        blocks
            .flat_map(|block| [&block.norm, &block.hidden_norm])
            .chain([&self.encoder_norm, &self.decoder_norm])
    }
}
