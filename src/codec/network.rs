//! The integer network: latents in, predictions out, the same on every machine.
//!
//! `m_j = (bias_j + Σ_k skip_kj · y_k + multiplier · hidden_j + ½) >> gain`. Before a network
//! runs, [`IntegerNetwork::new`] proves from weights, biases and clamps that no sum can overflow.

use crate::container::model::{Hidden, ModelRecord};
use crate::error::{Error, Result};
use crate::kernels::Panels;
use crate::kernels::wide::{WideLoop, run_wide};

/// Inputs of the first hidden layer are clamped to this.
const INPUT_CLAMP: i64 = i16::MAX as i64;

/// How many rows are predicted together: enough that weights, which are read once for them, are
/// cheap, and few enough that what lies between two layers stays in the cache.
const ROWS: usize = 48;

/// Multiply-adds of 16 bits that one of 64 bits takes as long as.
const WIDE_WORK: u64 = 32;

/// A network that was proved to stay within its integers.
#[derive(Debug, Clone)]
pub(crate) struct IntegerNetwork {
    latents: usize,
    width: usize,
    gain: u32,
    /// The bias of each column and a half, for rounding.
    start: Vec<i64>,
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
    /// The other latents, each with its weights.
    wide: Vec<(usize, Vec<i64>)>,
}

#[derive(Debug, Clone)]
struct HiddenNetwork {
    input_shift: Vec<u32>,
    layers: Vec<Layer>,
    output: Dense,
    multiplier: i32,
}

#[derive(Debug, Clone)]
struct Layer {
    dense: Dense,
    /// A sum with its bias has 32 bits.
    bias: Vec<i32>,
    multiplier: i32,
    record: Hidden,
}

/// A dense layer whose sums fit in 31 bits.
#[derive(Debug, Clone)]
struct Dense {
    outputs: usize,
    panels: Panels,
}

/// Returns the multiply-adds that a row of inputs takes.
fn work(panels: &Panels) -> u64 {
    panels.padded_inputs() as u64 * panels.padded_width() as u64
}

/// Returns the largest size of weights.
fn largest_of(weights: &[i64]) -> u64 {
    weights.iter().map(|w| w.unsigned_abs()).max().unwrap_or(0)
}

/// Fails where the sum of a column could overflow, to which `more` is added at the most; `largest` are the largest
/// weights of latents.
fn prove_output(m: &ModelRecord, largest: &[u64], more: u128) -> Result<()> {
    // |Σ| must stay below 2^62, and its shifted form below 2^31.
    let is_within = |bound: u128| bound < 1 << 62 && bound >> m.gain < (1 << 31) - 1;
    let product = |(weight, clamp): (u64, &i64)| u128::from(weight) * *clamp as u128;
    let of_latents = largest.iter().copied().zip(&m.latent_clamp).map(product);
    if is_within(of_latents.sum::<u128>() + u128::from(largest_of(&m.bias)) + more) {
        return Ok(());
    }
    let width = m.width();
    for j in 0..width {
        let weights = m.skip.iter().skip(j).step_by(width).map(|w| w.unsigned_abs());
        let bias = m.bias.get(j).map_or(0, |b| b.unsigned_abs());
        let bound = weights.zip(&m.latent_clamp).map(product).sum::<u128>();
        if !is_within(bound + u128::from(bias) + more) {
            return Err(overflow(&format!("the prediction of column {j}")));
        }
    }
    Ok(())
}

/// Returns a scale below 2^31 either way.
fn scale(multiplier: i64) -> Option<i32> {
    i32::try_from(multiplier).ok().filter(|&multiplier| multiplier > i32::MIN)
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
            let bound = row.iter().zip(clamp).fold(start, |sum, (w, &clamp)| {
                sum.saturating_add(w.unsigned_abs().saturating_mul(clamp as u64))
            });
            let wide = row.iter().any(|w| i16::try_from(*w).is_err());
            if wide || bound >= 1 << 31 {
                return Err(overflow("a hidden layer"));
            }
        }
        let panels = Panels::new(inputs, outputs, |i, j| weights[j * inputs + i]);
        Ok(Self { outputs, panels })
    }

    /// Returns the multiply-adds of a row, those with padding among them.
    fn work(&self) -> u64 {
        work(&self.panels)
    }

    /// Sums of rows of padded inputs, as padded rows.
    fn run(&self, rows: usize, inputs: &[i16], sums: &mut Vec<i32>) {
        sums.resize(rows * self.panels.padded_width(), 0);
        self.panels.sums(0..self.panels.padded_inputs() / 2, inputs, sums);
    }
}

impl IntegerNetwork {
    /// Proves and packs.
    pub(crate) fn new(m: &ModelRecord) -> Result<Self> {
        let (latents, width) = (m.latents(), m.width());
        let hidden =
            m.hidden.as_ref().map(|h| HiddenNetwork::new(h, &m.latent_clamp)).transpose()?;
        let largest: Vec<u64> =
            (0..latents).map(|k| largest_of(&m.skip[k * width..(k + 1) * width])).collect();
        let multiplier = hidden.as_ref().map_or(0, |h| h.multiplier.unsigned_abs());
        prove_output(m, &largest, (u128::from(multiplier) << 31) + (1 << m.gain))?;
        Ok(Self {
            latents,
            width,
            gain: m.gain,
            start: (0..width)
                .map(|j| m.bias.get(j).unwrap_or(&0) + ((1_i64 << m.gain) >> 1))
                .collect(),
            skip: Skip::new(m, &largest),
            hidden,
        })
    }

    /// Returns the multiply-adds that predicting a row takes, in units of those of 16 bits.
    pub(crate) fn work(&self) -> u64 {
        let Skip { panels, wide, .. } = &self.skip;
        let wide = WIDE_WORK * wide.len() as u64 * self.width as u64;
        work(panels) + wide + self.hidden.as_ref().map_or(0, HiddenNetwork::work)
    }

    /// Predictions of whole rows: `latents` holds `rows × latents`, `out` takes `rows × width`.
    pub(crate) fn predict(&self, latents: &[i32], out: &mut [i32]) {
        self.predict_in(&mut Scratch::default(), latents, out);
    }

    /// The same with room that is used again.
    pub(crate) fn predict_in(&self, scratch: &mut Scratch, latents: &[i32], out: &mut [i32]) {
        if self.latents == 0 {
            out.fill(0);
            return;
        }
        let rows = latents.chunks(ROWS * self.latents).zip(out.chunks_mut(ROWS * self.width));
        for (latents, out) in rows {
            self.tile(latents, out, scratch);
        }
    }

    /// Predicts up to [`ROWS`] rows.
    fn tile(&self, latents: &[i32], out: &mut [i32], scratch: &mut Scratch) {
        let Scratch { inputs, outputs, sums, hidden, exact } = scratch;
        let rows = latents.len() / self.latents;
        if let Some(network) = &self.hidden {
            network.run(latents, self.latents, [inputs, outputs], hidden);
        }
        let Skip { narrow, panels, groups, wide } = &self.skip;
        inputs.clear();
        for y in latents.chunks_exact(self.latents) {
            match narrow.len() == y.len() {
                true => inputs.extend(y.iter().map(|&y| y as i16)),
                false => inputs.extend(narrow.iter().map(|&k| y[k] as i16)),
            }
            inputs.resize(inputs.len().next_multiple_of(2), 0);
        }
        let padded = panels.padded_width();
        let size = rows * padded;
        sums.resize(groups.len() * size, 0);
        for (group, sums) in groups.iter().zip(sums.chunks_exact_mut(size)) {
            panels.sums(group.clone(), inputs, sums);
        }
        for (r, out) in out.chunks_exact_mut(self.width).enumerate() {
            exact.clear();
            exact.extend(&self.start);
            for (k, weights) in wide {
                let y = i64::from(latents[r * self.latents + k]);
                exact.iter_mut().zip(weights).for_each(|(a, w)| *a += w * y);
            }
            for sums in sums.chunks_exact(size) {
                run_wide(Add { sums: &sums[r * padded..], times: 1, exact });
            }
            if let Some(network) = &self.hidden {
                run_wide(Add { sums: &hidden[r * padded..], times: network.multiplier, exact });
            }
            run_wide(Shift { exact, gain: self.gain, out });
        }
    }
}

/// Adds multiples of sums to those of 64 bits.
struct Add<'a> {
    sums: &'a [i32],
    times: i32,
    exact: &'a mut [i64],
}

impl WideLoop for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let times = i64::from(self.times);
        self.exact.iter_mut().zip(self.sums).for_each(|(a, s)| *a += i64::from(*s) * times);
    }
}

/// Shifts sums down to predictions, which have 32 bits.
struct Shift<'a> {
    exact: &'a [i64],
    gain: u32,
    out: &'a mut [i32],
}

impl WideLoop for Shift<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.out.iter_mut().zip(self.exact).for_each(|(out, a)| *out = (a >> self.gain) as i32);
    }
}

/// What lies between layers, kept from tile to tile.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Padded rows of a layer's inputs, and of its outputs.
    inputs: Vec<i16>,
    outputs: Vec<i16>,
    /// Sums of the groups of the linear path, one after the other.
    sums: Vec<i32>,
    /// Sums of the hidden path; while that runs, of its layers.
    hidden: Vec<i32>,
    /// A row before it is shifted.
    exact: Vec<i64>,
}

impl Scratch {
    /// Returns the bytes that are held.
    pub(super) fn room(&self) -> usize {
        2 * (self.inputs.capacity() + self.outputs.capacity())
            + 4 * (self.sums.capacity() + self.hidden.capacity())
            + 8 * self.exact.capacity()
    }
}

impl Skip {
    fn new(m: &ModelRecord, largest: &[u64]) -> Self {
        let (latents, width) = (m.latents(), m.width());
        let limit = i16::MAX as u64;
        // A pair of products must fit by itself.
        let is_narrow = |&k: &usize| {
            let (w, y) = (largest[k], m.latent_clamp[k] as u64);
            w <= limit && y <= limit && w * y < 1 << 29
        };
        let (narrow, wide): (Vec<usize>, Vec<usize>) = (0..latents).partition(is_narrow);
        let mut groups = Vec::new();
        let (mut start, mut bound) = (0, 0);
        for (pair, ks) in narrow.chunks(2).enumerate() {
            let own: u64 = ks.iter().map(|&k| largest[k] * m.latent_clamp[k] as u64).sum();
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
        let Some(multiplier) = scale(h.multiplier) else {
            return Err(overflow("the hidden path's output"));
        };
        let shifted = latent_clamp.iter().zip(&h.input_shift).map(|(c, s)| (c >> s) + 1);
        let mut clamp: Vec<i64> = shifted.map(|c| c.min(INPUT_CLAMP)).collect();
        let mut layers = Vec::new();
        for record in &h.layers {
            let Some(multiplier) = scale(record.multiplier) else {
                return Err(overflow("a hidden layer's scale"));
            };
            let dense = Dense::new(&record.weights, &clamp, &record.bias)?;
            clamp = vec![record.clamp; record.bias.len()];
            let own = Hidden { weights: Vec::new(), bias: Vec::new(), ..*record };
            // Sums were proved to stay within 32 bits with their biases.
            let bias = record.bias.iter().map(|&b| b as i32).collect();
            layers.push(Layer { dense, bias, multiplier, record: own });
        }
        Ok(Self {
            input_shift: h.input_shift.iter().map(|&s| s as u32).collect(),
            layers,
            output: Dense::new(&h.weights, &clamp, &[])?,
            multiplier,
        })
    }

    fn work(&self) -> u64 {
        self.layers.iter().map(|layer| layer.dense.work()).sum::<u64>() + self.output.work()
    }

    /// Sums of the output, of which the prediction takes `multiplier` times, as padded rows.
    fn run(
        &self,
        latents: &[i32],
        count: usize,
        [inputs, outputs]: [&mut Vec<i16>; 2],
        sums: &mut Vec<i32>,
    ) {
        let rows = latents.len() / count;
        inputs.clear();
        for y in latents.chunks_exact(count) {
            inputs.extend(
                y.iter()
                    .zip(&self.input_shift)
                    .map(|(y, s)| (i64::from(*y) >> s).clamp(-INPUT_CLAMP, INPUT_CLAMP) as i16),
            );
            inputs.resize(inputs.len().next_multiple_of(2), 0);
        }
        for layer in &self.layers {
            layer.dense.run(rows, inputs, sums);
            let (own, padded) = (layer.dense.outputs, layer.dense.panels.padded_width());
            outputs.clear();
            outputs.resize(rows * own.next_multiple_of(2), 0);
            let all = outputs.chunks_exact_mut(own.next_multiple_of(2));
            for (outputs, sums) in all.zip(sums.chunks_exact(padded)) {
                run_wide(Activate { layer, sums: &sums[..own], outputs: &mut outputs[..own] });
            }
            std::mem::swap(inputs, outputs);
        }
        self.output.run(rows, inputs, sums);
    }
}

/// Requantises sums and applies leaky ReLU, as `container::model::Hidden` says.
struct Activate<'a> {
    layer: &'a Layer,
    sums: &'a [i32],
    outputs: &'a mut [i16],
}

impl WideLoop for Activate<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Hidden { shift, leak, clamp, .. } = self.layer.record;
        let multiplier = i64::from(self.layer.multiplier);
        let half = (1_i64 << shift) >> 1;
        let sums = self.sums.iter().zip(&self.layer.bias);
        self.outputs.iter_mut().zip(sums).for_each(|(out, (sum, bias))| {
            let z = (i64::from(sum.wrapping_add(*bias)) * multiplier + half) >> shift;
            let z = if z < 0 { z >> leak } else { z };
            *out = z.clamp(-clamp, clamp) as i16;
        });
    }
}
