//! Real latents to integers, by bits + weight · error².
//!
//! Without dependent quantisation each latent is rounded or moved by one towards its prediction,
//! whichever costs less (rate–distortion-optimised quantisation). With it, the cheapest path of the
//! whole row through the states of its trellis is found by the Viterbi algorithm.

use crate::codec::program::{Program, dequantise};
use crate::codec::value::carry;
use crate::encode::rates::LatentRates;
use crate::encode::symbols::Symbols;
use crate::encode::trellis::Trellis;
use crate::kernels::wide::widest;

/// Integers below this can be rounded by adding 1.5 · 2^23, which leaves the nearest in the low bits.
const SMALL: f32 = 4e6;
const ROUNDING: f32 = 12_582_912.0;
/// Latents are cut to this magnitude, well inside 32 bits.
const LARGEST: f32 = 1e9;

/// Chooses latents' symbols by what they cost and what their errors cost.
#[derive(Debug, Clone, Default)]
pub(crate) struct LatentChooser {
    /// Bits that one squared latent unit of error costs, for each latent.
    pub(crate) weight: Vec<f32>,
    /// Bits of each latent's symbols.
    pub(crate) rates: LatentRates,
}

impl LatentChooser {
    /// Returns the bits of the latents' symbols of row `i`.
    pub(crate) fn bits(&self, program: &Program, symbols: &Symbols, i: usize) -> f32 {
        let latents = program.record.latents();
        let bits = |k: usize| {
            let at = i * latents + k;
            let set = symbols.table_set(at, self.rates.sets());
            self.rates.of(k, set).bits(symbols.latents[at].into())
        };
        (0..latents).map(bits).sum()
    }

    /// Chooses the symbols of consecutive rows that begin a block, whose real latents are
    /// `real`, `rows × latents` in latent units.
    pub(crate) fn choose(&self, program: &Program, real: &[f32], symbols: &mut Symbols) {
        let m = &program.record;
        let latents = m.latents();
        if latents == 0 {
            return;
        }
        symbols.latents.reserve(real.len());
        let mut last = vec![0_i32; latents];
        let mut trellis = program.trellis().map(|next| Trellis::new(next, m.trellis));
        let mut predicted = vec![0; latents];
        let temporal = m.latent_temporal.iter().any(|&a| a != 0);
        for row in real.chunks_exact(latents) {
            if temporal {
                for (k, p) in predicted.iter_mut().enumerate() {
                    *p = carry(m.latent_temporal[k], i64::from(last[k]));
                }
            }
            if let Some(trellis) = &mut trellis {
                let best = widest(|| trellis.search(&self.weight, &self.rates, row, &predicted));
                symbols.latents.extend(best.iter().map(|b| b.0));
                symbols.second.extend(best.iter().map(|b| b.1));
            } else {
                for k in 0..latents {
                    let target = row[k] - predicted[k] as f32;
                    symbols.latents.push(self.nearest(k, target));
                }
            }
            let at = symbols.latents.len() - latents;
            for k in 0..latents {
                let s = i64::from(symbols.latents[at + k]);
                let v = match m.trellis {
                    0 => s,
                    _ => dequantise(s, symbols.second[at + k]),
                };
                let clamp = m.latent_clamp[k];
                last[k] = (predicted[k] + v).clamp(-clamp, clamp) as i32;
            }
            symbols.decoded_latents.extend_from_slice(&last);
        }
    }

    /// Returns the integer nearest to `target` or the one next to it towards 0, whichever costs
    /// less.
    #[inline]
    fn nearest(&self, k: usize, target: f32) -> i32 {
        let rounded = if target.abs() < SMALL {
            (target + ROUNDING) - ROUNDING
        } else {
            target.round_ties_even().clamp(-LARGEST, LARGEST)
        };
        // Nearly always the error alone decides.
        if self.weight[k] * (1.0 - 2.0 * (target - rounded).abs()) >= self.rates.steepest(k) {
            return rounded as i32;
        }
        let rates = self.rates.of(k, 0);
        let cost = |s: i64| {
            let error = target - s as f32;
            self.weight[k] * error * error + rates.bits(s)
        };
        let nearest = rounded as i64;
        let smaller = nearest - nearest.signum();
        if cost(smaller) < cost(nearest) { smaller as i32 } else { nearest as i32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::rates::tests::uneven;
    use crate::matrix::rng::Rng;

    #[test]
    fn a_latent_moves_towards_its_prediction_where_that_is_cheaper() {
        let mut rng = Rng::new(4);
        for _ in 0..500 {
            let rates = uneven(1, 1, &mut rng);
            let chooser = LatentChooser { weight: vec![0.1 + 2.0 * rng.unit()], rates };
            let target = 20.0 * (rng.unit() - 0.5);
            let cost = |s: i32| {
                let error = target - s as f32;
                chooser.weight[0] * error * error + chooser.rates.of(0, 0).bits(s.into())
            };
            let up = target.round_ties_even() as i32;
            let best = cost(up).min(cost(up - up.signum()));
            let own = chooser.nearest(0, target);
            assert!((cost(own) - best).abs() < 1e-4, "{target}: {own}");
        }
    }
}
