//! A masked transformer on rows of values: patches of rows that it sees, and those that it restores.

use crate::container::transformer::{StackRecord, TransformerRecord};
use crate::encode::patch_grid::{CLIP, PatchGrid};
use crate::matrix::rng::Rng;
use crate::nn::transformer::{Patches, Shape, Stack, Transformer};
use std::collections::BTreeMap;

/// The transformer of a codec.
#[derive(Debug, Clone)]
pub(crate) struct MaskedTransformer {
    /// What the file says of it, but for its parameters.
    pub(crate) record: TransformerRecord,
    pub(crate) grid: PatchGrid,
    pub(crate) net: Transformer,
}

/// The blocks of a record.
fn stack(record: StackRecord) -> Stack {
    let StackRecord { dim, heads, depth } = record;
    Stack { dim, heads, depth }
}

/// Rows of which as many patches are seen.
#[derive(Debug, Default)]
struct Alike {
    rows: Vec<usize>,
    seen: Vec<usize>,
    hidden: Vec<usize>,
}

impl MaskedTransformer {
    /// The transformer of a record, out of which its parameters are taken.
    pub(crate) fn new(mut record: TransformerRecord) -> Self {
        let line = record.centre.len() / record.lines;
        let grid = PatchGrid::new([record.lines, line], record.patch);
        let (patches, patch) = (grid.patches, grid.patch);
        let (encoder, decoder) = (stack(record.encoder), stack(record.decoder));
        let shape = Shape { patches, patch, encoder, decoder };
        let net = Transformer::of(shape, std::mem::take(&mut record.params));
        Self { grid, net, record }
    }

    /// Numbers of an embedding.
    pub(crate) fn dim(&self) -> usize {
        self.net.shape.encoder.dim
    }

    /// What the network is given for rows of values, patch after patch.
    fn inputs(&self, values: &[f64]) -> Vec<f32> {
        let TransformerRecord { centre, scale, .. } = &self.record;
        let input = |(x, centre): (&f64, &f64)| {
            let z = ((x - centre) / scale) as f32;
            if z.is_finite() { z.clamp(-CLIP, CLIP) } else { 0.0 }
        };
        let inputs = values.iter().zip(centre.iter().cycle()).map(input);
        self.grid.cut(&inputs.collect::<Vec<f32>>())
    }

    /// Rows by the number of their patches that are seen: those without a value that is not finite or that `hidden`
    /// names by its place.
    fn by_seen(&self, values: &[f64], hidden: &dyn Fn(usize) -> bool) -> BTreeMap<usize, Alike> {
        let PatchGrid { width, patches, .. } = self.grid;
        let mut out: BTreeMap<usize, Alike> = BTreeMap::new();
        for row in 0..values.len() / width {
            let is_known =
                |j: usize| values[row * width + j].is_finite() && !hidden(row * width + j);
            let is_seen = |patch: &usize| self.grid.columns_of(*patch).all(|(_, j)| is_known(j));
            let (seen, unseen): (Vec<usize>, Vec<usize>) = (0..patches).partition(is_seen);
            let alike = out.entry(seen.len()).or_default();
            alike.rows.push(row);
            alike.seen.extend(seen);
            alike.hidden.extend(unseen);
        }
        out
    }

    /// Draws as many patches of each of `rows` rows as were hidden in training; says of each value whether it is hidden.
    #[cfg(feature = "apps")]
    pub(crate) fn hide(&self, rows: usize, rng: &mut Rng) -> Vec<bool> {
        let PatchGrid { width, patches, .. } = self.grid;
        let mut out = vec![false; rows * width];
        let mut order: Vec<usize> = (0..patches).collect();
        for row in out.chunks_exact_mut(width) {
            rng.shuffle(&mut order);
            for patch in &order[self.record.seen..] {
                self.grid.columns_of(*patch).for_each(|(_, j)| row[j] = true);
            }
        }
        out
    }

    /// Some rows of inputs.
    fn chosen(&self, inputs: &[f32], rows: &[usize]) -> Vec<f32> {
        let each = self.net.shape.patches * self.net.shape.patch;
        rows.iter().flat_map(|row| &inputs[row * each..(row + 1) * each]).copied().collect()
    }

    /// The mean of the encoder's tokens of each row, from the patches that are seen; NaN for rows of which none is.
    pub(crate) fn embedded(&self, values: &[f64], hidden: &dyn Fn(usize) -> bool) -> Vec<f32> {
        let (inputs, dim) = (self.inputs(values), self.dim());
        let mut out = vec![f32::NAN; values.len() / self.grid.width * dim];
        for (seen, alike) in self.by_seen(values, hidden) {
            if seen == 0 {
                continue;
            }
            let own = self.chosen(&inputs, &alike.rows);
            let patches =
                Patches { rows: alike.rows.len(), values: &own, seen: &alike.seen, asked: &[] };
            let means = self.net.embedded(patches);
            for (row, mean) in alike.rows.iter().zip(means.chunks_exact(dim)) {
                out[row * dim..(row + 1) * dim].copy_from_slice(mean);
            }
        }
        out
    }

    /// The rows with all values of patches restored of which one is not finite or `hidden`: to the centres where no
    /// patch of a row is seen. All other values are what they were.
    pub(crate) fn restored(&self, values: &[f64], hidden: &dyn Fn(usize) -> bool) -> Vec<f64> {
        let TransformerRecord { centre, scale, .. } = &self.record;
        let PatchGrid { width, patches, patch, .. } = self.grid;
        let inputs = self.inputs(values);
        let mut out = values.to_vec();
        for (seen, alike) in self.by_seen(values, hidden) {
            let asked = patches - seen;
            if asked == 0 {
                continue;
            }
            let given = match seen {
                0 => vec![0.0; alike.hidden.len() * patch],
                _ => {
                    let own = self.chosen(&inputs, &alike.rows);
                    let rows = alike.rows.len();
                    let (seen, asked) = (&alike.seen[..], &alike.hidden[..]);
                    self.net.restored(Patches { rows, values: &own, seen, asked })
                }
            };
            let given = given.chunks_exact(patch).zip(&alike.hidden).enumerate();
            for (i, (given, own)) in given {
                let row = alike.rows[i / asked];
                for (at, j) in self.grid.columns_of(*own) {
                    out[row * width + j] = centre[j] + scale * f64::from(given[at]);
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[test]
    fn what_is_known_stays_and_what_is_restored_depends_on_what_is_seen_alone() {
        let stack = StackRecord { dim: 4, heads: 2, depth: 2 };
        let (patches, patch) = (4, 6);
        let mut rng = Rng::new(5);
        let shape =
            Shape { patches, patch, encoder: self::stack(stack), decoder: self::stack(stack) };
        let net = Transformer::new(shape, &mut rng);
        let record = TransformerRecord {
            lines: 3,
            patch: [2, 3],
            seen: 1,
            encoder: stack,
            decoder: stack,
            centre: (0..12).map(f64::from).collect(),
            scale: 2.0,
            params: net.params,
        };
        // A reader counts as many parameters.
        let bytes = record.encode();
        let back = TransformerRecord::decode(&bytes, 0, 12, &Limits::default()).unwrap();
        let own = MaskedTransformer::new(back);
        let mut values: Vec<f64> = (0..36).map(|_| f64::from(rng.normal())).collect();
        values[0] = f64::NAN;
        // Of the second row nothing is seen, of the third all.
        let hidden = |at: usize| (12..24).contains(&at);
        let first = own.restored(&values, &hidden);
        assert!(first.iter().all(|x| x.is_finite()));
        assert_eq!(first[12..24], own.record.centre);
        assert_eq!(first[24..], values[24..]);
        assert_eq!((first[3], first[8]), (values[3], values[8]));
        let embedded = own.embedded(&values, &hidden);
        assert!(embedded[4..8].iter().all(|x| x.is_nan()));
        assert!(embedded[8..].iter().all(|x| x.is_finite()));
        // Another value of a patch that is not seen as a whole.
        values[1] = 100.0;
        let second = own.restored(&values, &hidden);
        assert_eq!(first, second);
        assert_eq!(own.embedded(&values, &hidden)[..4], embedded[..4]);
    }
}
