//! Real latents to integers, by bits + weight · error².
//!
//! Without a trellis each latent is rounded or moved one towards its prediction, whichever costs
//! less (rate–distortion-optimised quantisation). With one, the whole row's path through the
//! quantiser's states is found by the Viterbi algorithm.

use crate::codec::program::{Program, dequantise, second_quantiser};
use crate::codec::value::carry;
use crate::encode::Symbols;
use crate::kernels::wide::widest;

/// How far rates are tabulated; beyond, a symbol costs what the last one does and more.
const RATE_REACH: i32 = 40;

/// What the choice of latents needs besides the program.
#[derive(Debug, Clone, Default)]
pub(crate) struct LatentChooser {
    /// Bits per squared error of one unit of the latent.
    pub(crate) weight: Vec<f32>,
    /// Bits of symbols `−RATE_REACH..=RATE_REACH`, for each latent and table set.
    pub(crate) rates: Vec<f32>,
    /// Most bits that a step towards 0 can save, for each latent.
    steepest: Vec<f32>,
}

/// Entries of one latent's rates.
pub(crate) const RATES: usize = 2 * RATE_REACH as usize + 1;

impl LatentChooser {
    /// Rates of a Laplace-like source, for before any symbols have been seen.
    pub(crate) fn untrained(weight: Vec<f32>, deviations: &[f32], sets: usize) -> Self {
        let mut rates = Vec::with_capacity(weight.len() * sets * RATES);
        for d in deviations {
            let scale = d.max(0.05) * std::f32::consts::FRAC_1_SQRT_2;
            for _ in 0..sets {
                let norm = (1.0 + 2.0 * scale).log2();
                let slope = std::f32::consts::LOG2_E / scale;
                rates.extend((-RATE_REACH..=RATE_REACH).map(|s| norm + slope * s.abs() as f32));
            }
        }
        let mut new = Self { weight, rates, steepest: Vec::new() };
        new.rates_changed();
        new
    }

    /// To be called after changes of `rates`.
    pub(crate) fn rates_changed(&mut self) {
        let sets = (self.rates.len() / RATES / self.weight.len().max(1)).max(1);
        let steepest = |rates: &[f32]| {
            let steps = rates.windows(2).map(|w| (w[1] - w[0]).abs());
            // Beyond the table, rates grow by at most two bits a step.
            steps.fold(2.0, f32::max)
        };
        self.steepest = self
            .rates
            .chunks_exact(RATES * sets)
            .map(|rates| rates.chunks_exact(RATES).map(steepest).fold(0.0, f32::max))
            .collect();
    }

    /// Bits of symbol `s` of the latent whose rates are `rates`.
    #[inline(always)]
    fn rate(rates: &[f32], s: i64) -> f32 {
        let inside = s.clamp(-i64::from(RATE_REACH), i64::from(RATE_REACH));
        let rate = rates[(inside + i64::from(RATE_REACH)) as usize];
        if s == inside { rate } else { rate + 2.0 * (1.0 + s.abs_diff(inside) as f32).log2() }
    }

    /// Bits of the latents' symbols of row `i`.
    pub(crate) fn bits(&self, program: &Program, symbols: &Symbols, i: usize) -> f32 {
        let (latents, sets) = (program.record.latents(), program.record.table_sets());
        let bits = |k: usize| {
            let at = i * latents + k;
            let set = k * sets + usize::from(sets == 2 && symbols.second[at]);
            Self::rate(&self.rates[set * RATES..(set + 1) * RATES], symbols.latents[at].into())
        };
        (0..latents).map(bits).sum()
    }

    /// Chooses the symbols of consecutive rows that begin a block.
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
                let best = widest(|| trellis.search(self, row, &predicted));
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

    #[inline]
    fn nearest(&self, k: usize, target: f32) -> i32 {
        let rates = &self.rates[k * RATES..(k + 1) * RATES];
        // Adding 1.5 · 2^23 leaves the integer nearest to a small number.
        const MAGIC: f32 = 12_582_912.0;
        let small = target.abs() < 4e6;
        let rounded = if small {
            (target + MAGIC) - MAGIC
        } else {
            target.round_ties_even().clamp(-1e9, 1e9)
        };
        // Nearly always the error alone decides.
        if self.weight[k] * (1.0 - 2.0 * (target - rounded).abs()) >= self.steepest[k] {
            return rounded as i32;
        }
        let up = rounded as i64;
        let cost = |s: i64| {
            let error = target - s as f32;
            self.weight[k] * error * error + Self::rate(rates, s)
        };
        let down = up - up.signum();
        if cost(down) < cost(up) { down as i32 } else { up as i32 }
    }
}

/// The Viterbi search of one row.
#[derive(Debug)]
struct Trellis {
    states: usize,
    /// For each state the two before it, each with the parity that leads here.
    before: [[(u8, u8); 2]; 8],
    /// For each latent and state: symbol and state before.
    back: Vec<[(i32, u8); 8]>,
    path: Vec<(i32, bool)>,
}

impl Trellis {
    fn new(next: &[[u8; 2]; 8], states: usize) -> Self {
        let mut before = [[(0, 0); 2]; 8];
        let mut found = [0; 8];
        for (state, next) in next[..states].iter().enumerate() {
            for (parity, &to) in next.iter().enumerate() {
                let to = usize::from(to);
                before[to][found[to]] = (state as u8, parity as u8);
                found[to] += 1;
            }
        }
        Self { states, before, back: Vec::new(), path: Vec::new() }
    }

    /// The cheapest symbols, each with whether the second quantiser gives its value.
    #[inline(always)]
    fn search(
        &mut self,
        chooser: &LatentChooser,
        row: &[f32],
        predicted: &[i64],
    ) -> &[(i32, bool)] {
        let states = self.states;
        let mut cost = [f32::INFINITY; 8];
        cost[0] = 0.0;
        self.back.clear();
        for (k, (&real, &p)) in row.iter().zip(predicted).enumerate() {
            let target = (real - p as f32).clamp(-1e9, 1e9);
            // The same for every state that uses the quantiser.
            let choices =
                [candidates(chooser, k, target, false), candidates(chooser, k, target, true)];
            let mut new = [f32::INFINITY; 8];
            let mut back = [(0, 0); 8];
            for to in 0..states {
                let [(a, parity_a), (b, parity_b)] = self.before[to];
                let (second_a, second_b) =
                    (second_quantiser(a, states), second_quantiser(b, states));
                let one = choices[usize::from(second_a)][usize::from(parity_a & 1)];
                let other = choices[usize::from(second_b)][usize::from(parity_b & 1)];
                let cost_a = cost[usize::from(a & 7)] + one.1;
                let cost_b = cost[usize::from(b & 7)] + other.1;
                (new[to], back[to]) =
                    if cost_b < cost_a { (cost_b, (other.0, b)) } else { (cost_a, (one.0, a)) };
            }
            cost = new;
            self.back.push(back);
        }
        let end = (0..states).min_by(|&a, &b| cost[a].total_cmp(&cost[b])).unwrap_or(0);
        self.path.clear();
        let mut state = end;
        for back in self.back.iter().rev() {
            let (s, before) = back[state];
            self.path.push((s, second_quantiser(before, states)));
            state = usize::from(before);
        }
        self.path.reverse();
        &self.path
    }
}

/// The best symbol of either parity for one latent and quantiser, with its cost: of the nearest
/// two and 0.
#[inline(always)]
fn candidates(chooser: &LatentChooser, k: usize, target: f32, second: bool) -> [(i32, f32); 2] {
    let set = 2 * k + usize::from(second);
    let rates = &chooser.rates[set * RATES..(set + 1) * RATES];
    let weight = chooser.weight[k];
    // Values are 2 s, or 2 s − sgn s for the second quantiser.
    let shift = if second { target.signum() } else { 0.0 };
    let half = (target + shift) / 2.0;
    // Rounded down; the library's function is a call on CPUs of no particular kind.
    let near = half as i64;
    let near = near - i64::from(near as f32 > half);
    let low = candidate(rates, weight, target, (near, second));
    let high = candidate(rates, weight, target, (near + 1, second));
    let zero = candidate(rates, weight, target, (0, second));
    let (even, odd) = if near & 1 == 0 { (low, high) } else { (high, low) };
    [if zero.1 < even.1 { zero } else { even }, odd]
}

/// A symbol of one of the quantisers, with its cost.
#[inline(always)]
fn candidate(rates: &[f32], weight: f32, target: f32, (s, second): (i64, bool)) -> (i32, f32) {
    let error = target - dequantise(s, second) as f32;
    (s as i32, weight * error * error + LatentChooser::rate(rates, s))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::program::{TRELLIS4, TRELLIS8};
    use crate::matrix::rng::Rng;

    /// A chooser of `count` latents whose rates are of no particular shape.
    fn chooser(count: usize, sets: usize, rng: &mut Rng) -> LatentChooser {
        let weight = (0..count).map(|_| 0.1 + 2.0 * rng.unit()).collect();
        let mut chooser = LatentChooser::untrained(weight, &vec![1.0; count], sets);
        chooser.rates.iter_mut().for_each(|r| *r += 3.0 * rng.unit());
        chooser.rates_changed();
        chooser
    }

    #[test]
    fn no_path_is_cheaper_than_the_one_found() {
        const COUNT: usize = 5;
        let mut rng = Rng::new(9);
        for (next, states) in [(&TRELLIS4, 4), (&TRELLIS8, 8)] {
            for _ in 0..40 {
                let chooser = chooser(COUNT, 2, &mut rng);
                let row: Vec<f32> = (0..COUNT).map(|_| 9.0 * (rng.unit() - 0.5)).collect();
                // Of each parity the nearest two and 0, from every state.
                let cost_of = |parities: usize| {
                    let (mut state, mut cost) = (0_u8, 0.0);
                    for (k, real) in row.iter().enumerate() {
                        let parity = parities >> k & 1;
                        let second = second_quantiser(state, states);
                        let own = (-12..=12).filter(|s: &i64| s.rem_euclid(2) as usize == parity);
                        let near = |s: i64| (real - dequantise(s, second) as f32).abs();
                        let nearest =
                            own.min_by(|a, b| near(*a).total_cmp(&near(*b))).unwrap_or_default();
                        let tried = [nearest, if parity == 0 { 0 } else { nearest }];
                        let rates = &chooser.rates[(2 * k + usize::from(second)) * RATES..];
                        let costs = tried.map(|s| {
                            let error = real - dequantise(s, second) as f32;
                            chooser.weight[k] * error * error
                                + LatentChooser::rate(&rates[..RATES], s)
                        });
                        cost += costs[0].min(costs[1]);
                        state = next[usize::from(state)][parity];
                    }
                    cost
                };
                let best = (0..1 << COUNT).map(cost_of).fold(f32::INFINITY, f32::min);
                let mut trellis = Trellis::new(next, states);
                let found = trellis.search(&chooser, &row, &[0; COUNT]).to_vec();
                let (mut state, mut cost) = (0_u8, 0.0);
                for (k, &(s, second)) in found.iter().enumerate() {
                    assert_eq!(second, second_quantiser(state, states));
                    let rates = &chooser.rates[(2 * k + usize::from(second)) * RATES..];
                    let error = row[k] - dequantise(s.into(), second) as f32;
                    cost += chooser.weight[k] * error * error
                        + LatentChooser::rate(&rates[..RATES], s.into());
                    state = next[usize::from(state)][s.rem_euclid(2) as usize];
                }
                assert!((cost - best).abs() < 1e-3, "{cost} {best} {found:?} of {row:?}");
            }
        }
    }

    #[test]
    fn a_latent_moves_towards_its_prediction_where_that_is_cheaper() {
        let mut rng = Rng::new(4);
        for _ in 0..500 {
            let chooser = chooser(1, 1, &mut rng);
            let target = 20.0 * (rng.unit() - 0.5);
            let cost = |s: i32| {
                let error = target - s as f32;
                chooser.weight[0] * error * error
                    + LatentChooser::rate(&chooser.rates, i64::from(s))
            };
            let up = target.round_ties_even() as i32;
            let best = cost(up).min(cost(up - up.signum()));
            let own = chooser.nearest(0, target);
            assert!((cost(own) - best).abs() < 1e-4, "{target}: {own}");
        }
    }
}
