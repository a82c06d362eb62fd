//! Better latents than the encoder's, row by row.
//!
//! An encoder network gives good latents for all rows, not the best for each, and rounding treats
//! the error of each latent as if it were alone. Both are mended by going down the slope of what
//! the row costs: `y ← ŷ + Jᵀ S (x − D(ŷ)) / w`, where `ŷ` are the latents as rounded, `D` the
//! decoder with derivative `J`, `S` the bits per squared error of each column and `w` those of each
//! latent, and rounding `y` anew (proximal gradient descent, Daubechies, Defrise and De Mol 2004;
//! that latents can be refined after amortised inference: Kim et al. 2018, Yang et al. 2020).

use crate::codec::program::Program;
use crate::encode::Symbols;
use crate::encode::floats;
use crate::encode::latents::LatentChooser;
use crate::nn::network::Network;
use crate::nn::pass::Tape;
use rayon::prelude::*;

/// Rows that are refined together.
const ROWS: usize = 128;

/// Share of a step that is taken: as latents' errors add up, whole steps go too far.
const PACE: f32 = 0.4;

/// Goes down the slope of what rows cost.
#[derive(Debug, Clone)]
pub(crate) struct Refiner {
    /// Integer latents to normalised rows, in floats.
    decoder: Network,
    /// Bits per squared normalised error of each column.
    slope: Vec<f32>,
    rounds: usize,
}

impl Refiner {
    /// For a program whose latents cost what `slope` says.
    pub(crate) fn new(program: &Program, slope: Vec<f32>, rounds: usize) -> Self {
        let m = &program.record;
        let outputs: Vec<f64> = program.steps.iter().map(|s| 1.0 / *s as f64).collect();
        let decoder = floats::decoder(m, &vec![1.0; m.latents()], &outputs);
        Self { decoder, slope, rounds }
    }

    /// Real latents whose rounding by `chooser` makes rows cheaper than that of `real`.
    pub(crate) fn refine(
        &self,
        program: &Program,
        chooser: &LatentChooser,
        normalised: &[f32],
        real: &[f32],
    ) -> Vec<f32> {
        let (latents, width) = (program.record.latents(), program.record.width());
        let parts = normalised.par_chunks(ROWS * width).zip(real.par_chunks(ROWS * latents));
        let refined = parts.map(|(x, y)| self.part(program, chooser, x, y));
        refined.collect::<Vec<_>>().concat()
    }

    fn part(&self, program: &Program, chooser: &LatentChooser, x: &[f32], y: &[f32]) -> Vec<f32> {
        let (latents, width) = (program.record.latents(), program.record.width());
        let rows = x.len() / width;
        let mut y = y.to_vec();
        let mut best = y.clone();
        let mut least = vec![f32::INFINITY; rows];
        let (mut tape, mut left, mut down) = (Tape::default(), Vec::new(), vec![0.0; y.len()]);
        for round in 0..=self.rounds {
            let mut symbols = Symbols::default();
            chooser.choose(program, &y, &mut symbols);
            let rounded: Vec<f32> = symbols.decoded_latents.iter().map(|&v| v as f32).collect();
            let out = self.decoder.forward(&rounded, rows, &mut tape);
            left.clear();
            left.extend(x.iter().zip(out).map(|(x, p)| x - p));
            for i in 0..rows {
                let errors = left[i * width..(i + 1) * width].iter().zip(&self.slope);
                let cost = errors.map(|(e, s)| e * e * s).sum::<f32>()
                    + chooser.bits(program, &symbols, i);
                if cost < least[i] {
                    least[i] = cost;
                    best[i * latents..(i + 1) * latents]
                        .copy_from_slice(&y[i * latents..(i + 1) * latents]);
                }
            }
            if round == self.rounds {
                break;
            }
            for row in left.chunks_exact_mut(width) {
                row.iter_mut().zip(&self.slope).for_each(|(e, s)| *e *= s);
            }
            self.decoder.input_gradient(rows, &mut tape, &left, &mut down);
            let rows = y.chunks_exact_mut(latents).zip(rounded.chunks_exact(latents));
            for ((y, r), d) in rows.zip(down.chunks_exact(latents)) {
                for (k, y) in y.iter_mut().enumerate() {
                    let to = r[k] + d[k] / chooser.weight[k];
                    *y += PACE * (to - *y);
                }
            }
        }
        best
    }
}
