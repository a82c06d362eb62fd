//! The integer network: latents in, predictions out, the same on every machine.
//!
//! `m_j = (bias_j + Σ_k skip_kj · y_k + multiplier · hidden_j + ½) >> gain`. Before a network
//! runs, [`Network::new`] proves from weights, biases and clamps that no sum can overflow.

use crate::container::model::{Hidden, ModelRecord};
use crate::error::{Error, Result};
use crate::kernels::{COLUMNS, Panels, ROWS};

/// Inputs of the first hidden layer are clamped to this.
const INPUT_CLAMP: i64 = i16::MAX as i64;

/// A proved network.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    latents: usize,
    width: usize,
    gain: u32,
    bias: Vec<i64>,
    skip: Skip,
    hidden: Option<HiddenNetwork>,
}

/// The linear path, latents split by whether 16 bits hold them and their weights.
#[derive(Debug, Clone)]
struct Skip {
    narrow: Vec<usize>,
    panels: Panels,
    /// Ranges of pairs of narrow latents whose sums stay below 2^31.
    groups: Vec<std::ops::Range<usize>>,
    /// Latent and its weights.
    wide: Vec<(usize, Vec<i64>)>,
}

#[derive(Debug, Clone)]
struct HiddenNetwork {
    input_shift: Vec<u32>,
    layers: Vec<Layer>,
    output: Dense,
    multiplier: i64,
}

#[derive(Debug, Clone)]
struct Layer {
    dense: Dense,
    bias: Vec<i64>,
    record: Hidden,
}

/// A dense layer whose sums fit in 31 bits.
#[derive(Debug, Clone)]
struct Dense {
    inputs: usize,
    outputs: usize,
    panels: Panels,
}

fn overflow(what: &str) -> Error {
    Error::corrupt(format!("{what} could overflow"))
}

impl Dense {
    /// Packs `outputs × inputs` weights, if inputs of at most `clamp` cannot overflow a sum.
    fn new(weights: &[i64], clamp: &[i64], bias: &[i64]) -> Result<Self> {
        let inputs = clamp.len();
        let outputs = weights.len() / inputs;
        for (j, row) in weights.chunks_exact(inputs).enumerate() {
            let start = bias.get(j).map_or(0, |b| b.unsigned_abs());
            let bound = row.iter().zip(clamp).fold(u128::from(start), |sum, (w, &clamp)| {
                sum + u128::from(w.unsigned_abs()) * clamp as u128
            });
            let wide = row.iter().any(|w| i16::try_from(*w).is_err());
            if wide || bound >= 1 << 31 {
                return Err(overflow("a hidden layer"));
            }
        }
        let panels = Panels::new(inputs, outputs, |i, j| weights[j * inputs + i]);
        Ok(Self { inputs, outputs, panels })
    }

    /// Calls `each(row, output, sum)` for up to [`ROWS`] rows of padded inputs.
    fn run(&self, rows: &[Vec<i16>], mut each: impl FnMut(usize, usize, i32)) {
        let views = std::array::from_fn(|r| &rows[r.min(rows.len() - 1)][..]);
        let pairs = self.inputs.div_ceil(2);
        for panel in 0..self.outputs.div_ceil(COLUMNS) {
            let sums = self.panels.sums(panel, 0..pairs, views);
            let first = panel * COLUMNS;
            for (r, sums) in sums.iter().enumerate().take(rows.len()) {
                for (c, &sum) in sums.iter().enumerate().take(self.outputs - first) {
                    each(r, first + c, sum);
                }
            }
        }
    }
}

impl Network {
    /// Proves and packs.
    pub(crate) fn new(m: &ModelRecord) -> Result<Self> {
        let (latents, width) = (m.latents(), m.width());
        let hidden = m.hidden.as_ref().map(|h| HiddenNetwork::new(h, &m.latent_clamp)).transpose()?;
        for j in 0..width {
            // |Σ| must stay below 2^62, and its shifted form below 2^31.
            let mut bound = m.bias.get(j).map_or(0, |b| u128::from(b.unsigned_abs()));
            for (k, clamp) in m.latent_clamp.iter().enumerate() {
                bound += u128::from(m.skip[k * width + j].unsigned_abs()) * *clamp as u128;
            }
            if let Some(h) = &hidden {
                bound += u128::from(h.multiplier.unsigned_abs()) << 31;
            }
            bound += 1 << m.gain;
            if bound >= 1 << 62 || bound >> m.gain >= (1 << 31) - 1 {
                return Err(overflow(&format!("the prediction of column {j}")));
            }
        }
        Ok(Self {
            latents,
            width,
            gain: m.gain,
            bias: if m.bias.is_empty() { vec![0; width] } else { m.bias.clone() },
            skip: Skip::new(m),
            hidden,
        })
    }

    /// Predictions of whole rows: `latents` holds `rows × latents`, `out` takes `rows × width`.
    pub(crate) fn predict(&self, latents: &[i32], out: &mut [i32]) {
        if self.latents == 0 {
            out.fill(0);
            return;
        }
        let rows = latents.chunks(ROWS * self.latents).zip(out.chunks_mut(ROWS * self.width));
        let mut scratch = Scratch::default();
        for (latents, out) in rows {
            self.tile(latents, out, &mut scratch);
        }
    }

    /// Up to [`ROWS`] rows.
    fn tile(&self, latents: &[i32], out: &mut [i32], scratch: &mut Scratch) {
        let rows = latents.len() / self.latents;
        let narrow = &self.skip.narrow;
        scratch.narrow.resize_with(rows, Vec::new);
        scratch.narrow.truncate(rows);
        for (row, y) in scratch.narrow.iter_mut().zip(latents.chunks_exact(self.latents)) {
            row.clear();
            row.extend(narrow.iter().map(|&k| y[k] as i16));
            row.resize(narrow.len().next_multiple_of(2), 0);
        }
        let hidden = self.hidden.as_ref().map(|h| h.run(latents, self.width, self.latents));
        let views = std::array::from_fn(|r| &scratch.narrow[r.min(rows - 1)][..]);
        let half = (1_i64 << self.gain) >> 1;
        for panel in 0..self.width.div_ceil(COLUMNS) {
            let first = panel * COLUMNS;
            let columns = COLUMNS.min(self.width - first);
            let mut acc = [[half; COLUMNS]; ROWS];
            for acc in &mut acc {
                for (a, b) in acc.iter_mut().zip(&self.bias[first..first + columns]) {
                    *a += b;
                }
            }
            for group in &self.skip.groups {
                let sums = self.skip.panels.sums(panel, group.clone(), views);
                for (acc, sums) in acc.iter_mut().zip(sums) {
                    for (a, s) in acc.iter_mut().zip(sums) {
                        *a += i64::from(s);
                    }
                }
            }
            for (k, weights) in &self.skip.wide {
                for (r, acc) in acc.iter_mut().enumerate().take(rows) {
                    let y = i64::from(latents[r * self.latents + k]);
                    for (a, w) in acc.iter_mut().zip(&weights[first..first + columns]) {
                        *a += w * y;
                    }
                }
            }
            for (r, acc) in acc.iter_mut().enumerate().take(rows) {
                let at = r * self.width + first;
                if let Some(hidden) = &hidden {
                    for (a, h) in acc.iter_mut().zip(&hidden[at..at + columns]) {
                        *a += h;
                    }
                }
                for (out, a) in out[at..at + columns].iter_mut().zip(acc) {
                    *out = (*a >> self.gain) as i32;
                }
            }
        }
    }
}

#[derive(Default)]
struct Scratch {
    narrow: Vec<Vec<i16>>,
}

impl Skip {
    fn new(m: &ModelRecord) -> Self {
        let (latents, width) = (m.latents(), m.width());
        let largest = |k: usize| {
            let row = &m.skip[k * width..(k + 1) * width];
            row.iter().map(|w| w.unsigned_abs()).max().unwrap_or(0)
        };
        let limit = i16::MAX as u64;
        // A pair of products must fit by itself.
        let is_narrow = |&k: &usize| {
            let (w, y) = (largest(k), m.latent_clamp[k] as u64);
            w <= limit && y <= limit && w * y < 1 << 29
        };
        let (narrow, wide): (Vec<usize>, Vec<usize>) = (0..latents).partition(is_narrow);
        let mut groups = Vec::new();
        let (mut start, mut bound) = (0, 0);
        for (pair, ks) in narrow.chunks(2).enumerate() {
            let own: u64 = ks.iter().map(|&k| largest(k) * m.latent_clamp[k] as u64).sum();
            if bound + own >= 1 << 31 {
                groups.push(start..pair);
                (start, bound) = (pair, 0);
            }
            bound += own;
        }
        if start < narrow.len().div_ceil(2) {
            groups.push(start..narrow.len().div_ceil(2));
        }
        let panels = Panels::new(narrow.len(), width, |i, j| m.skip[narrow[i] * width + j]);
        let wide =
            wide.into_iter().map(|k| (k, m.skip[k * width..(k + 1) * width].to_vec())).collect();
        Self { narrow, panels, groups, wide }
    }
}

impl HiddenNetwork {
    fn new(h: &crate::container::model::HiddenPath, latent_clamp: &[i64]) -> Result<Self> {
        if h.multiplier.unsigned_abs() >= 1 << 31 {
            return Err(overflow("the hidden path's output"));
        }
        let shifted = latent_clamp.iter().zip(&h.input_shift).map(|(c, s)| (c >> s) + 1);
        let mut clamp: Vec<i64> = shifted.map(|c| c.min(INPUT_CLAMP)).collect();
        let mut layers = Vec::new();
        for record in &h.layers {
            if record.multiplier.unsigned_abs() >= 1 << 31 {
                return Err(overflow("a hidden layer's scale"));
            }
            let dense = Dense::new(&record.weights, &clamp, &record.bias)?;
            clamp = vec![record.clamp; record.bias.len()];
            let own = Hidden { weights: Vec::new(), bias: Vec::new(), ..*record };
            layers.push(Layer { dense, bias: record.bias.clone(), record: own });
        }
        Ok(Self {
            input_shift: h.input_shift.iter().map(|&s| s as u32).collect(),
            layers,
            output: Dense::new(&h.weights, &clamp, &[])?,
            multiplier: h.multiplier,
        })
    }

    /// `multiplier · hidden_j` for up to [`ROWS`] rows.
    fn run(&self, latents: &[i32], width: usize, count: usize) -> Vec<i64> {
        let padded = |values: Vec<i16>| {
            let mut values = values;
            values.resize(values.len().next_multiple_of(2), 0);
            values
        };
        let mut rows: Vec<Vec<i16>> = latents
            .chunks_exact(count)
            .map(|y| {
                let shifted = y.iter().zip(&self.input_shift).map(|(y, s)| i64::from(*y) >> s);
                padded(shifted.map(|x| x.clamp(-INPUT_CLAMP, INPUT_CLAMP) as i16).collect())
            })
            .collect();
        for layer in &self.layers {
            let mut next = vec![vec![0_i16; layer.dense.outputs]; rows.len()];
            layer.dense.run(&rows, |r, j, sum| next[r][j] = layer.activate(j, sum));
            rows = next.into_iter().map(padded).collect();
        }
        let mut out = vec![0; rows.len() * width];
        self.output.run(&rows, |r, j, sum| {
            out[r * width + j] = i64::from(sum) * self.multiplier;
        });
        out
    }
}

impl Layer {
    /// Requantises a sum and applies leaky ReLU, as `container::model::Hidden` says.
    #[inline]
    fn activate(&self, unit: usize, sum: i32) -> i16 {
        let h = &self.record;
        let half = (1_i64 << h.shift) >> 1;
        let mut z = ((i64::from(sum) + self.bias[unit]) * h.multiplier + half) >> h.shift;
        if z < 0 {
            z >>= h.leak;
        }
        z.clamp(-h.clamp, h.clamp) as i16
    }
}
