//! Dependent quantisation: the cheapest path of a row's symbols through the quantiser's states.

use crate::codec::quantisers::second_quantiser;
use crate::encode::rates::{LatentRates, Rates};

/// A number of each row.
pub(crate) type Lanes<const ROWS: usize> = [f32; ROWS];

/// The Viterbi search of the symbols of `ROWS` rows, side by side, for vectors.
#[derive(Debug)]
pub(crate) struct Trellis<const ROWS: usize> {
    states: usize,
    /// For each state the two before it, each with the parity that leads here.
    before: [[(u8, u8); 2]; 8],
    steps: Vec<Step<ROWS>>,
    path: Vec<[(i32, bool); ROWS]>,
}

/// What may become of one latent.
#[derive(Debug, Clone, Copy)]
struct Step<const ROWS: usize> {
    /// The cheapest symbol of each quantiser and parity.
    symbols: [[[i32; ROWS]; 2]; 2],
    /// Whether the second of the two states before is the cheaper one, for each state.
    second: [[bool; ROWS]; 8],
}

/// The cheapest symbols of one quantiser for one latent, even and odd, with their costs.
struct Choices<const ROWS: usize> {
    symbols: [[i32; ROWS]; 2],
    costs: [Lanes<ROWS>; 2],
}

impl<const ROWS: usize> Trellis<ROWS> {
    pub(crate) fn new(next: &[[u8; 2]; 8], states: usize) -> Self {
        let mut before = [[(0, 0); 2]; 8];
        let mut found = [0; 8];
        for (state, next) in next[..states].iter().enumerate() {
            for (parity, &to) in next.iter().enumerate() {
                let to = usize::from(to);
                before[to][found[to]] = (state as u8, parity as u8);
                found[to] += 1;
            }
        }
        Self { states, before, steps: Vec::new(), path: Vec::new() }
    }

    /// Returns the cheapest symbols of the rows, latent by latent, each with whether the second
    /// quantiser gives its value. For each latent and row, `targets` is the real latent less what it
    /// is predicted to be, in latent units, and `weights` what a squared unit of error costs.
    #[inline(always)]
    pub(crate) fn search(
        &mut self,
        rates: &LatentRates,
        weights: &[Lanes<ROWS>],
        targets: &[Lanes<ROWS>],
    ) -> &[[(i32, bool); ROWS]] {
        let mut cost = [[f32::INFINITY; ROWS]; 8];
        cost[0] = [0.0; ROWS];
        self.steps.clear();
        for (k, (target, weight)) in targets.iter().zip(weights).enumerate() {
            let mut bounded = [0.0; ROWS];
            for (own, target) in bounded.iter_mut().zip(target) {
                *own = target.clamp(-LARGEST, LARGEST);
            }
            // The same for every state that uses the quantiser.
            // No closures here: they would not become code of the widest registers.
            let choices = [
                choices(rates.of(k, 0), weight, &bounded, false),
                choices(rates.of(k, 1), weight, &bounded, true),
            ];
            cost = self.step(&choices, &cost);
        }
        self.trace_back(&cost);
        &self.path
    }

    /// Returns what it costs to come to each state by one more latent.
    #[inline(always)]
    fn step(&mut self, choices: &[Choices<ROWS>; 2], cost: &[Lanes<ROWS>; 8]) -> [Lanes<ROWS>; 8] {
        let states = self.states;
        let mut new = [[f32::INFINITY; ROWS]; 8];
        let mut step =
            Step { symbols: [choices[0].symbols, choices[1].symbols], second: [[false; ROWS]; 8] };
        for (to, new) in new[..states].iter_mut().enumerate() {
            let [(a, parity_a), (b, parity_b)] = self.before[to];
            let one = &choices[usize::from(second_quantiser(a, states))];
            let other = &choices[usize::from(second_quantiser(b, states))];
            let one = &one.costs[usize::from(parity_a & 1)];
            let other = &other.costs[usize::from(parity_b & 1)];
            let (from_a, from_b) = (&cost[usize::from(a & 7)], &cost[usize::from(b & 7)]);
            for row in 0..ROWS {
                let (cost_a, cost_b) = (from_a[row] + one[row], from_b[row] + other[row]);
                let is_second = cost_b < cost_a;
                step.second[to][row] = is_second;
                new[row] = if is_second { cost_b } else { cost_a };
            }
        }
        self.steps.push(step);
        new
    }

    /// Follows the cheapest paths from their ends.
    #[inline(always)]
    fn trace_back(&mut self, cost: &[Lanes<ROWS>; 8]) {
        let states = self.states;
        self.path.clear();
        self.path.resize(self.steps.len(), [(0, false); ROWS]);
        for row in 0..ROWS {
            let mut state = 0;
            for other in 1..states {
                if cost[other][row] < cost[state][row] {
                    state = other;
                }
            }
            for (step, out) in self.steps.iter().zip(&mut self.path).rev() {
                let (before, parity) = self.before[state][usize::from(step.second[state][row])];
                let second = second_quantiser(before, states);
                let symbols = &step.symbols[usize::from(second)][usize::from(parity & 1)];
                out[row] = (symbols[row], second);
                state = usize::from(before & 7);
            }
        }
    }
}

/// Latents are cut to this magnitude, well inside 32 bits.
pub(super) const LARGEST: f32 = 1e9;

/// Returns the cheapest symbol of either parity for one latent and quantiser, out of the nearest two
/// and 0.
#[inline(always)]
fn choices<const ROWS: usize>(
    rates: Rates<'_>,
    weight: &Lanes<ROWS>,
    target: &Lanes<ROWS>,
    second: bool,
) -> Choices<ROWS> {
    let mut near = [0; ROWS];
    for (near, target) in near.iter_mut().zip(target) {
        // Values are 2 s, or 2 s − sgn s for the second quantiser.
        let shift = if second { target.signum() } else { 0.0 };
        let half = (target + shift) / 2.0;
        // Rounded down; the library's function is a call on CPUs of no particular kind.
        let cut = half as i32;
        *near = cut - i32::from(cut as f32 > half);
    }
    let mut above = near;
    above.iter_mut().for_each(|s| *s += 1);
    let low = costs(weight, target, (&near, second), &bits(rates, &near));
    let high = costs(weight, target, (&above, second), &bits(rates, &above));
    let zero = costs(weight, target, (&[0; ROWS], second), &[rates.bits(0); ROWS]);
    let mut out = Choices { symbols: [near, above], costs: [low, high] };
    for row in 0..ROWS {
        let is_odd = near[row] & 1 != 0;
        let (even, odd) = if is_odd { (above[row], near[row]) } else { (near[row], above[row]) };
        let (cost, other) = if is_odd { (high[row], low[row]) } else { (low[row], high[row]) };
        let is_zero = zero[row] < cost;
        out.symbols[0][row] = if is_zero { 0 } else { even };
        out.costs[0][row] = if is_zero { zero[row] } else { cost };
        out.symbols[1][row] = odd;
        out.costs[1][row] = other;
    }
    out
}

/// Returns the bits of symbols.
#[inline(always)]
fn bits<const ROWS: usize>(rates: Rates<'_>, symbols: &[i32; ROWS]) -> Lanes<ROWS> {
    let mut out = [0.0; ROWS];
    for (out, s) in out.iter_mut().zip(symbols) {
        *out = rates.bits((*s).into());
    }
    out
}

/// Returns what symbols of one of the quantisers cost that take so many bits.
#[inline(always)]
fn costs<const ROWS: usize>(
    weight: &Lanes<ROWS>,
    target: &Lanes<ROWS>,
    (symbols, second): (&[i32; ROWS], bool),
    bits: &Lanes<ROWS>,
) -> Lanes<ROWS> {
    let mut out = [0.0; ROWS];
    for row in 0..ROWS {
        // As `dequantise`, in 32 bits, which vectors hold twice as many of.
        let value = 2 * symbols[row] - if second { symbols[row].signum() } else { 0 };
        let error = target[row] - value as f32;
        out[row] = weight[row] * error * error + bits[row];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::quantisers::{TRELLIS4, TRELLIS8, dequantise};
    use crate::encode::rates::tests::uneven;
    use crate::matrix::rng::Rng;

    #[test]
    fn no_path_is_cheaper_than_the_one_found() {
        const COUNT: usize = 5;
        let mut rng = Rng::new(9);
        for (next, states) in [(&TRELLIS4, 4), (&TRELLIS8, 8)] {
            for _ in 0..40 {
                let rates = uneven(COUNT, 2, &mut rng);
                let weight: Vec<f32> = (0..COUNT).map(|_| 0.1 + 2.0 * rng.unit()).collect();
                let row: Vec<f32> = (0..COUNT).map(|_| 9.0 * (rng.unit() - 0.5)).collect();
                // Of each parity the nearest two and 0, from every state.
                let cost_of = |parities: usize| {
                    let (mut state, mut cost) = (0_u8, 0.0);
                    for (k, real) in row.iter().enumerate() {
                        let parity = parities >> k & 1;
                        let second = second_quantiser(state, states);
                        let reachable =
                            (-12..=12).filter(|s: &i64| s.rem_euclid(2) as usize == parity);
                        let near = |s: i64| (real - dequantise(s, second) as f32).abs();
                        let nearest = reachable
                            .min_by(|a, b| near(*a).total_cmp(&near(*b)))
                            .unwrap_or_default();
                        let tried = [nearest, if parity == 0 { 0 } else { nearest }];
                        let own = rates.of(k, usize::from(second));
                        let costs = tried.map(|s| {
                            let error = real - dequantise(s, second) as f32;
                            weight[k] * error * error + own.bits(s)
                        });
                        cost += costs[0].min(costs[1]);
                        state = next[usize::from(state)][parity];
                    }
                    cost
                };
                let best = (0..1 << COUNT).map(cost_of).fold(f32::INFINITY, f32::min);
                let one = |of: &[f32]| of.iter().map(|x| [*x]).collect::<Vec<_>>();
                let mut trellis = Trellis::<1>::new(next, states);
                let found = trellis.search(&rates, &one(&weight), &one(&row)).to_vec();
                let found: Vec<(i32, bool)> = found.into_iter().flatten().collect();
                let (mut state, mut cost) = (0_u8, 0.0);
                for (k, &(s, second)) in found.iter().enumerate() {
                    assert_eq!(second, second_quantiser(state, states));
                    let own = rates.of(k, usize::from(second));
                    let error = row[k] - dequantise(s.into(), second) as f32;
                    cost += weight[k] * error * error + own.bits(s.into());
                    state = next[usize::from(state)][s.rem_euclid(2) as usize];
                }
                assert!((cost - best).abs() < 1e-3, "{cost} {best} {found:?} of {row:?}");
            }
        }
    }

    #[test]
    fn rows_side_by_side_have_the_symbols_of_single_ones() {
        const COUNT: usize = 9;
        let mut rng = Rng::new(11);
        for (next, states) in [(&TRELLIS4, 4), (&TRELLIS8, 8)] {
            let rates = uneven(COUNT, 2, &mut rng);
            for scale in [1.0, 9.0, 300.0, 1e12, f32::INFINITY] {
                let mut lanes = |scale: f32| -> Vec<[f32; 8]> {
                    (0..COUNT).map(|_| [0; 8].map(|_| scale * (rng.unit() - 0.5))).collect()
                };
                let (weights, targets) = (lanes(2.0), lanes(scale));
                let weights: Vec<_> = weights.iter().map(|w| w.map(f32::abs)).collect();
                let found =
                    Trellis::<8>::new(next, states).search(&rates, &weights, &targets).to_vec();
                for row in 0..8 {
                    let one = |of: &[[f32; 8]]| of.iter().map(|x| [x[row]]).collect::<Vec<_>>();
                    let mut trellis = Trellis::<1>::new(next, states);
                    let own = trellis.search(&rates, &one(&weights), &one(&targets)).to_vec();
                    let found: Vec<_> = found.iter().map(|f| [f[row]]).collect();
                    assert_eq!(found, own, "row {row} at {scale}");
                }
            }
        }
    }
}
