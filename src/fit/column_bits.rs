//! Which columns a codec's bits go to.

use crate::encode::encoder::BlockEncoder;
use crate::fit::data::sample::Sample;
use rayon::prelude::*;

/// Returns the bits that residuals and exact values of each column take in the whole file, estimated
/// from `sample`.
pub(crate) fn column_bits(encoder: &BlockEncoder, sample: &Sample) -> Vec<f64> {
    let runs: Vec<&[u8]> = sample.split().collect();
    let width = sample.schema.width();
    let add = |mut sum: Vec<f64>, bits: Vec<f64>| {
        sum.iter_mut().zip(bits).for_each(|(s, b)| *s += b);
        sum
    };
    let each: Vec<Vec<f64>> = runs.into_par_iter().map(|run| run_bits(encoder, run)).collect();
    let sum = each.into_iter().fold(vec![0.0; width], add);
    sum.into_iter().map(|bits| bits * sample.weight()).collect()
}

fn run_bits(encoder: &BlockEncoder, run: &[u8]) -> Vec<f64> {
    let p = &encoder.program;
    let width = p.record.width();
    let mut real = Vec::new();
    if encoder.projection.latents > 0 {
        real = encoder.latents(&encoder.projection.normalise(p.dtype, &encoder.fills, run));
    }
    let symbols = encoder.symbols(run, &real, false);
    let classes = encoder.costs.classify(p, &symbols);
    let mut bits = vec![0.0; width];
    for (i, &class) in classes.iter().enumerate() {
        encoder.costs.add_residuals(p, &symbols, (i, class), &mut bits);
    }
    // Exact values share the bytes that they are packed into.
    let packed = encoder.coded(run, &symbols).map_or(run.len(), |coded| coded.1.len());
    let each = 8.0 * packed as f64 / symbols.escapes.len().max(1) as f64;
    symbols.escapes.iter().for_each(|cell| bits[*cell as usize % width] += each);
    bits
}
