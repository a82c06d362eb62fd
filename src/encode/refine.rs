//! Better latents than the encoder's, row by row.
//!
//! An encoder network is trained to give good latents for all rows, not the best for each, and
//! rounding treats the error of each latent as if it were alone. Both are mended by gradient descent
//! on what the row costs: `y ← ŷ + Jᵀ S (x − D(ŷ)) / w`, where `ŷ` are the latents as rounded, `D`
//! the decoder with Jacobian `J`, `S` the bits per squared error of each column and `w` those of
//! each latent, followed by rounding `y` anew (proximal gradient descent, Daubechies, Defrise and
//! De Mol 2004; refining latents after amortised inference: Kim et al. 2018, Yang et al. 2020).
//!
//! Where each row must keep a promise, `S` and `w` of a row are multiplied by a weight that follows
//! what the row uses up of its promise, and the row costs its bits.

use crate::codec::program::Program;
use crate::encode::floats;
use crate::encode::latents::LatentChooser;
use crate::encode::row_rule::NormalisedRule;
use crate::encode::symbols::Symbols;
use crate::nn::network::Network;
use crate::nn::pass::Tape;
use rayon::prelude::*;

/// Rows that are refined together: enough for matrix products, few enough for the cache.
const ROWS: usize = 128;

/// Share of a step that is taken: latents' errors add up, so that whole steps go too far. Half: ECG is
/// 0.9 % larger, spectra 0.4 % smaller; double: spectra 1.6 % larger.
const PACE: f32 = 0.4;

/// Share of what a promise allows that a row's weight aims for, the power of the share by which the
/// weight then changes, and its least and largest logarithm.
const AIM: f32 = 0.98;
const POWER: f32 = 1.5;
const WEIGHTS: (f32, f32) = (-5.0, 5.0);

/// What a row costs that misses its promise, in bits: more than any that keeps it.
const MISSED: f32 = 1e9;

/// Moves latents to where their rows cost less.
#[derive(Debug, Clone)]
pub(crate) struct Refiner {
    /// Decoder from latents in latent units to normalised rows.
    decoder: Network,
    /// Bits per squared residual step of error, for each column.
    slope: Vec<f32>,
    /// Number of gradient steps.
    rounds: usize,
    /// What each row must hold, where the promise is one about rows.
    rule: Option<NormalisedRule>,
}

impl Refiner {
    /// Makes a refiner for the decoder `program`; `slope` are the bits per squared residual step of
    /// error, for each column.
    pub(crate) fn new(program: &Program, slope: Vec<f32>, rounds: usize) -> Self {
        let m = &program.record;
        let outputs: Vec<f64> = program.steps.iter().map(|s| 1.0 / *s as f64).collect();
        let decoder = floats::decoder(m, &vec![1.0; m.latents()], &outputs);
        Self { decoder, slope, rounds, rule: None }
    }

    /// The same for rows each of which must hold `rule`.
    pub(crate) fn with_rule(self, rule: NormalisedRule) -> Self {
        Self { rule: Some(rule), ..self }
    }

    /// Returns real latents that `chooser` rounds to cheaper ones than `real`, row by row, or to
    /// the same.
    pub(crate) fn refine(
        &self,
        program: &Program,
        chooser: &LatentChooser,
        normalised: &[f32],
        real: &[f32],
    ) -> Vec<f32> {
        let (latents, width) = (program.record.latents(), program.record.width());
        let parts = normalised.par_chunks(ROWS * width).zip(real.par_chunks(ROWS * latents));
        let refined = parts.map(|(rows, real)| {
            let tape = Tape::default();
            Descent { refiner: self, program, chooser, rows, tape }.cheapest(real)
        });
        refined.collect::<Vec<_>>().concat()
    }
}

/// Gradient descent for some rows.
struct Descent<'a> {
    refiner: &'a Refiner,
    program: &'a Program,
    chooser: &'a LatentChooser,
    /// Normalised rows, `rows × columns`.
    rows: &'a [f32],
    tape: Tape,
}

/// What some latents come to once they are rounded.
struct Trial {
    /// Latents as decoded, `rows × latents`.
    decoded: Vec<f32>,
    /// What the decoded rows lack, `rows × columns`, in residual steps.
    errors: Vec<f32>,
    /// Bits of each row's latents and errors.
    costs: Vec<f32>,
    /// Share of what is allowed that each row uses up, where its promise is one about rows.
    used: Vec<f32>,
}

impl Descent<'_> {
    /// Returns the cheapest latents that are met, row by row, starting from `real`.
    fn cheapest(mut self, real: &[f32]) -> Vec<f32> {
        let (latents, width) = (self.program.record.latents(), self.program.record.width());
        let mut y = real.to_vec();
        let mut best = y.clone();
        let mut least = vec![f32::INFINITY; self.rows.len() / width];
        let mut gradient = vec![0.0; y.len()];
        // Logarithms of what rows' errors weigh.
        let mut weights = vec![0.0_f32; least.len()];
        for round in 0..=self.refiner.rounds {
            let mut trial = self.evaluate(&y, &weights);
            for (weight, used) in weights.iter_mut().zip(&trial.used) {
                let to = *weight + POWER * (used / AIM).clamp(1e-3, 1e3).ln();
                *weight = to.clamp(WEIGHTS.0, WEIGHTS.1);
            }
            for (i, cost) in trial.costs.iter().enumerate() {
                if *cost < least[i] {
                    least[i] = *cost;
                    let row = i * latents..(i + 1) * latents;
                    best[row.clone()].copy_from_slice(&y[row]);
                }
            }
            if round == self.refiner.rounds {
                break;
            }
            for row in trial.errors.chunks_exact_mut(width) {
                row.iter_mut().zip(&self.refiner.slope).for_each(|(e, s)| *e *= s);
            }
            let decoder = &self.refiner.decoder;
            decoder.input_gradient(least.len(), &mut self.tape, &trial.errors, &mut gradient);
            for (at, y) in y.iter_mut().enumerate() {
                let to = trial.decoded[at] + gradient[at] / self.chooser.weight[at % latents];
                *y += PACE * (to - *y);
            }
        }
        best
    }

    /// Rounds latents, with errors of each row weighed by the exponential of its weight, and runs the
    /// decoder forward.
    fn evaluate(&mut self, y: &[f32], weights: &[f32]) -> Trial {
        let width = self.program.record.width();
        let mut symbols = Symbols::default();
        self.chooser.choose_weighted(self.program, y, |i| weights[i].exp(), &mut symbols);
        let decoded: Vec<f32> = symbols.decoded_latents.iter().map(|&v| v as f32).collect();
        let rows = self.rows.len() / width;
        let out = self.refiner.decoder.forward(&decoded, rows, &mut self.tape);
        let errors: Vec<f32> = self.rows.iter().zip(out).map(|(x, p)| x - p).collect();
        let bits = |i: usize| self.chooser.bits(self.program, &symbols, i);
        let pairs = || errors.chunks_exact(width).zip(self.rows.chunks_exact(width));
        let used: Vec<f32> = match &self.refiner.rule {
            Some(rule) => pairs().map(|(errors, row)| rule.used(row, errors)).collect(),
            None => Vec::new(),
        };
        let cost = |(i, (row, _)): (usize, (&[f32], &[f32]))| match used.get(i) {
            Some(&used) if used > 1.0 => MISSED * used,
            Some(_) => bits(i),
            None => {
                let weighted = row.iter().zip(&self.refiner.slope).map(|(e, s)| e * e * s);
                weighted.sum::<f32>() + bits(i)
            }
        };
        let costs = pairs().enumerate().map(cost).collect();
        Trial { decoded, errors, costs, used }
    }
}
