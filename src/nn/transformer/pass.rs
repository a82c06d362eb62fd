//! Forward, and backward beside it, for some rows on one thread.

use super::block::{Batch, Block, BlockTape, Down};
use super::layer_norm::Normalised;
use super::network::Transformer;

/// Some rows, and which of their patches are seen and asked for: as many in each row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patches<'a> {
    pub(crate) rows: usize,
    /// All values, patch after patch: rows × patches × values of a patch.
    pub(crate) values: &'a [f32],
    /// The patches that the encoder sees, 1 or more: rows × as many.
    pub(crate) seen: &'a [usize],
    /// The patches that the decoder is asked for: rows × as many.
    pub(crate) asked: &'a [usize],
}

impl Patches<'_> {
    /// Copies the `chosen` patches, `patch` values each, to `out`.
    pub(super) fn gather(&self, chosen: &[usize], patch: usize, out: &mut Vec<f32>) {
        out.clear();
        let row = self.values.len() / self.rows;
        let each = chosen.len() / self.rows;
        for (i, at) in chosen.iter().enumerate() {
            out.extend_from_slice(&self.values[i / each * row + at * patch..][..patch]);
        }
    }
}

/// What forward leaves for backward, with room that is kept.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    seen: Vec<f32>,
    tokens: Vec<f32>,
    encoder: Vec<BlockTape>,
    encoded: Normalised,
    context: Vec<f32>,
    asked: Vec<f32>,
    decoder: Vec<BlockTape>,
    decoded: Normalised,
    out: Vec<f32>,
    d_tokens: Vec<f32>,
    d_context: Vec<f32>,
    d_asked: Vec<f32>,
    d_normed: Vec<f32>,
    down: Down,
}

impl Tape {
    /// The encoder's tokens of the last rows: rows × seen × dim.
    #[cfg(any(test, feature = "apps"))]
    pub(super) fn tokens(&self) -> &[f32] {
        &self.encoded.out
    }
}

/// Adds to each token the line of `table` that `at` names for it.
fn add_lines(tokens: &mut [f32], table: &[f32], at: &[usize], dim: usize) {
    for (token, at) in tokens.chunks_exact_mut(dim).zip(at) {
        token.iter_mut().zip(&table[at * dim..]).for_each(|(x, p)| *x += p);
    }
}

/// Adds each token to the line of `table` that `at` names for it.
fn add_to_lines(table: &mut [f32], tokens: &[f32], at: &[usize], dim: usize) {
    for (token, at) in tokens.chunks_exact(dim).zip(at) {
        table[at * dim..][..dim].iter_mut().zip(token).for_each(|(p, x)| *p += x);
    }
}

impl Transformer {
    fn batch(&self, rows: usize) -> Batch<'_> {
        Batch { params: &self.params, rows }
    }

    /// Finds the encoder's tokens of the patches that are seen.
    pub(super) fn encode(&self, patches: Patches<'_>, tape: &mut Tape) {
        let (layers, params, dim) = (&self.layers, &self.params, self.shape.encoder.dim);
        patches.gather(patches.seen, self.shape.patch, &mut tape.seen);
        layers.embed.forward(params, &tape.seen, &mut tape.tokens);
        add_lines(&mut tape.tokens, &params[layers.position.clone()], patches.seen, dim);
        tape.encoder.resize_with(layers.encoder.len(), BlockTape::default);
        for (block, own) in layers.encoder.iter().zip(&mut tape.encoder) {
            block.forward(self.batch(patches.rows), &mut tape.tokens, None, own);
        }
        layers.encoder_norm.forward(params, &tape.tokens, &mut tape.encoded);
    }

    /// Restores the patches that are asked for from those that are seen: rows × asked × values of a patch.
    pub(super) fn forward<'t>(&self, patches: Patches<'_>, tape: &'t mut Tape) -> &'t [f32] {
        self.encode(patches, tape);
        let (layers, params, dim) = (&self.layers, &self.params, self.shape.decoder.dim);
        let position = &params[layers.decoder_position.clone()];
        layers.bridge.forward(params, &tape.encoded.out, &mut tape.context);
        add_lines(&mut tape.context, position, patches.seen, dim);
        tape.asked.clear();
        patches
            .asked
            .iter()
            .for_each(|_| tape.asked.extend_from_slice(&params[layers.mask.clone()]));
        add_lines(&mut tape.asked, position, patches.asked, dim);
        tape.decoder.resize_with(layers.decoder.len(), BlockTape::default);
        for (block, own) in layers.decoder.iter().zip(&mut tape.decoder) {
            block.forward(self.batch(patches.rows), &mut tape.asked, Some(&tape.context), own);
        }
        layers.decoder_norm.forward(params, &tape.asked, &mut tape.decoded);
        layers.values.forward(params, &tape.decoded.out, &mut tape.out);
        &tape.out
    }

    /// Writes the gradient of the parameters to `grad`, laid out as they are, for what went forward last; `d_out`
    /// is rows × asked × values of a patch. Nothing need be cleared before.
    pub(super) fn backward(
        &self,
        patches: Patches<'_>,
        tape: &mut Tape,
        d_out: &[f32],
        grad: &mut [f32],
    ) {
        let (layers, params) = (&self.layers, &self.params);
        let (wide, dim) = (self.shape.encoder.dim, self.shape.decoder.dim);
        let batch = self.batch(patches.rows);
        let Tape { d_tokens, d_context, d_asked, d_normed, down, .. } = tape;
        let clear = |d: &mut Vec<f32>, like: &[f32]| {
            d.clear();
            d.resize(like.len(), 0.0);
        };
        layers.values.backward(&tape.decoded.out, d_out, grad);
        layers.values.input_gradient(params, d_out, d_normed);
        clear(d_asked, &tape.asked);
        clear(d_context, &tape.context);
        layers.decoder_norm.backward(params, &tape.decoded, d_normed, grad, d_asked);
        let blocks = |of: &'_ [Block]| (0..of.len()).rev();
        for at in blocks(&layers.decoder) {
            let context = Some((&tape.context[..], &mut d_context[..]));
            layers.decoder[at].backward(batch, &tape.decoder[at], context, d_asked, grad, down);
        }
        let mask = &mut grad[layers.mask.clone()];
        mask.fill(0.0);
        d_asked.chunks_exact(dim).for_each(|d| mask.iter_mut().zip(d).for_each(|(m, d)| *m += d));
        let position = &mut grad[layers.decoder_position.clone()];
        position.fill(0.0);
        add_to_lines(position, d_asked, patches.asked, dim);
        add_to_lines(position, d_context, patches.seen, dim);

        layers.bridge.backward(&tape.encoded.out, d_context, grad);
        layers.bridge.input_gradient(params, d_context, d_normed);
        clear(d_tokens, &tape.tokens);
        layers.encoder_norm.backward(params, &tape.encoded, d_normed, grad, d_tokens);
        for at in blocks(&layers.encoder) {
            layers.encoder[at].backward(batch, &tape.encoder[at], None, d_tokens, grad, down);
        }
        let position = &mut grad[layers.position.clone()];
        position.fill(0.0);
        add_to_lines(position, d_tokens, patches.seen, wide);
        layers.embed.backward(&tape.seen, d_tokens, grad);
    }
}
