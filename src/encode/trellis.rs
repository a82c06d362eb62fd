//! Dependent quantisation: the cheapest path of a row's symbols through the quantiser's states.

use crate::codec::program::{dequantise, second_quantiser};
use crate::encode::rates::{LatentRates, Rates};

/// The Viterbi search of one row's symbols.
#[derive(Debug)]
pub(super) struct Trellis {
    states: usize,
    /// For each state the two before it, each with the parity that leads here.
    before: [[(u8, u8); 2]; 8],
    /// For each latent and state: symbol and state before.
    back: Vec<[(i32, u8); 8]>,
    path: Vec<(i32, bool)>,
}

impl Trellis {
    pub(super) fn new(next: &[[u8; 2]; 8], states: usize) -> Self {
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

    /// Returns the row's cheapest symbols, each with whether the second quantiser gives its value.
    /// `weight` is what a squared latent unit of error costs for each latent; `predicted` is
    /// subtracted from `row` beforehand.
    #[inline(always)]
    pub(super) fn search(
        &mut self,
        weight: &[f32],
        rates: &LatentRates,
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
            // No closures here: they would not become code of the widest registers.
            let choices = [
                candidates(rates.of(k, 0), weight[k], target, false),
                candidates(rates.of(k, 1), weight[k], target, true),
            ];
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

/// Returns the cheapest symbol of either parity for one latent and quantiser, with its cost, out of
/// the nearest two and 0.
#[inline(always)]
fn candidates(rates: Rates<'_>, weight: f32, target: f32, second: bool) -> [(i32, f32); 2] {
    // Values are 2 s, or 2 s − sgn s for the second quantiser.
    let shift = if second { target.signum() } else { 0.0 };
    let half = (target + shift) / 2.0;
    // Rounded down; the library's function is a call on CPUs of no particular kind.
    let near = half as i64;
    let near = near - i64::from(near as f32 > half);
    let low = candidate(rates, weight, target, near, second);
    let high = candidate(rates, weight, target, near + 1, second);
    let zero = candidate(rates, weight, target, 0, second);
    let (even, odd) = if near & 1 == 0 { (low, high) } else { (high, low) };
    [if zero.1 < even.1 { zero } else { even }, odd]
}

/// Returns a symbol of one of the quantisers with its cost.
#[inline(always)]
fn candidate(rates: Rates<'_>, weight: f32, target: f32, s: i64, second: bool) -> (i32, f32) {
    let error = target - dequantise(s, second) as f32;
    (s as i32, weight * error * error + rates.bits(s))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::program::{TRELLIS4, TRELLIS8};
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
                let mut trellis = Trellis::new(next, states);
                let found = trellis.search(&weight, &rates, &row, &[0; COUNT]).to_vec();
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
}
