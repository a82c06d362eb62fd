//! Real latents to integers, by bits + weight · error².
//!
//! Without dependent quantisation each latent is rounded or moved by one towards its prediction,
//! whichever costs less (rate–distortion-optimised quantisation). With it, the cheapest path of the
//! whole row through the states of its trellis is found by the Viterbi algorithm.

use crate::codec::latents::LatentLines;
use crate::codec::program::Program;
use crate::codec::quantisers::dequantise;
use crate::codec::value::carry;
use crate::encode::rates::LatentRates;
use crate::encode::symbols::Symbols;
use crate::encode::trellis::{LARGEST, Lanes, Trellis};
use crate::kernels::wide::{WideLoop, run_wide};

/// Integers below this can be rounded by adding 1.5 · 2^23, which leaves the nearest in the low bits.
const SMALL: f32 = 4e6;
const ROUNDING: f32 = 12_582_912.0;

/// Chooses latents' symbols by what they cost and what their errors cost.
#[derive(Debug, Clone, Default)]
pub(crate) struct LatentChooser {
    /// Bits that one squared latent unit of error costs, for each latent.
    pub(crate) weight: Vec<f32>,
    /// Bits of each latent's symbols.
    pub(crate) rates: LatentRates,
}

impl LatentChooser {
    /// Says whether there are latents to choose.
    pub(crate) fn has_weights(&self) -> bool {
        !self.weight.is_empty()
    }

    /// Returns the bits of the latents' symbols of row `i`.
    pub(crate) fn bits(&self, program: &Program, symbols: &Symbols, i: usize) -> f32 {
        let latents = program.record.latents();
        let cells = i * latents..(i + 1) * latents;
        let second = symbols.second.get(cells.clone()).unwrap_or_default();
        self.bits_of(&symbols.latents[cells], second)
    }

    /// Returns the bits of a row's symbols; `second` is empty without dependent quantisation.
    fn bits_of(&self, symbols: &[i32], second: &[bool]) -> f32 {
        let bits = |(k, &s): (usize, &i32)| {
            let set = usize::from(second.get(k) == Some(&true));
            self.rates.of(k, set).bits(s.into())
        };
        symbols.iter().enumerate().map(bits).sum()
    }

    /// Chooses the symbols of consecutive rows that begin a block, whose real latents are
    /// `real`, `rows × latents` in latent units.
    pub(crate) fn choose(&self, program: &Program, real: &[f32], symbols: &mut Symbols) {
        self.choose_weighted(program, real, |_| 1.0, symbols);
    }

    /// The same where errors weigh `weight_of(i)` times as much in row `i` as in the typical one.
    pub(super) fn choose_weighted(
        &self,
        program: &Program,
        real: &[f32],
        weight_of: impl Fn(usize) -> f32,
        symbols: &mut Symbols,
    ) {
        if program.record.latents() == 0 {
            return;
        }
        symbols.latents.reserve(real.len());
        if let Some(next) = program.trellis()
            && !looks_back(program)
        {
            return self.choose_side_by_side(program, (next, real), weight_of, symbols);
        }
        let mut rows = RowChooser::new(self, program);
        let mut latents = RowLatents::default();
        for (i, row) in real.chunks_exact(program.record.latents()).enumerate() {
            rows.choose(row, Emphasis::all(weight_of(i)), &mut latents);
            rows.take(&latents, symbols);
        }
    }

    /// The same with dependent quantisation, where rows do not depend on each other.
    fn choose_side_by_side(
        &self,
        program: &Program,
        (next, real): (&[[u8; 2]; 8], &[f32]),
        weight_of: impl Fn(usize) -> f32,
        symbols: &mut Symbols,
    ) {
        let count = program.record.latents();
        let mut trellis = Trellis::<SIDE_BY_SIDE>::new(next, program.record.trellis);
        let mut targets = vec![[0.0; SIDE_BY_SIDE]; count];
        let mut weights = targets.clone();
        for (group, rows) in real.chunks(SIDE_BY_SIDE * count).enumerate() {
            for (i, row) in rows.chunks_exact(count).enumerate() {
                let emphasis = weight_of(group * SIDE_BY_SIDE + i);
                for (k, (target, weight)) in targets.iter_mut().zip(&mut weights).enumerate() {
                    (target[i], weight[i]) = (row[k], self.weight[k] * emphasis);
                }
            }
            let path = run_wide(Search(&mut trellis, &self.rates, &weights, &targets));
            for i in 0..rows.len() / count {
                symbols.latents.extend(path.iter().map(|found| found[i].0));
                symbols.second.extend(path.iter().map(|found| found[i].1));
                let clamped = |(found, clamp): (&[(i32, bool); SIDE_BY_SIDE], &i64)| {
                    let (s, second) = found[i];
                    dequantise(s.into(), second).clamp(-clamp, *clamp) as i32
                };
                let clamps = &program.record.latent_clamp;
                symbols.decoded_latents.extend(path.iter().zip(clamps).map(clamped));
            }
        }
    }

    /// Returns the integer nearest to `target` or the one next to it towards 0, whichever costs
    /// less; `weight` is what a squared error of 1 costs.
    #[inline]
    fn nearest(&self, k: usize, weight: f32, target: f32) -> i32 {
        let rounded = if target.abs() < SMALL {
            (target + ROUNDING) - ROUNDING
        } else {
            target.round_ties_even().clamp(-LARGEST, LARGEST)
        };
        // Nearly always the error alone decides.
        if weight * (1.0 - 2.0 * (target - rounded).abs()) >= self.rates.steepest(k) {
            return rounded as i32;
        }
        let rates = self.rates.of(k, 0);
        let cost = |s: i64| {
            let error = target - s as f32;
            weight * error * error + rates.bits(s)
        };
        let nearest = rounded as i64;
        let smaller = nearest - nearest.signum();
        if cost(smaller) < cost(nearest) { smaller as i32 } else { nearest as i32 }
    }
}

/// Rows whose symbols are searched side by side: two vectors of AVX2, whose instructions wait for each
/// other less than those of one.
pub(crate) const SIDE_BY_SIDE: usize = 16;

/// A search of rows side by side.
struct Search<'a, const ROWS: usize>(
    &'a mut Trellis<ROWS>,
    &'a LatentRates,
    &'a [Lanes<ROWS>],
    &'a [Lanes<ROWS>],
);

impl<'a, const ROWS: usize> WideLoop for Search<'a, ROWS> {
    type Output = &'a [[(i32, bool); ROWS]];

    #[inline(always)]
    fn run(self) -> Self::Output {
        self.0.search(self.1, self.2, self.3)
    }
}

/// Says whether latents are predicted from those of rows before.
fn looks_back(program: &Program) -> bool {
    let temporal = &program.record.latent_temporal;
    temporal.iter().any(|&a| a != 0) || LatentLines::new(&program.record).is_some()
}

/// What errors of a row's latents weigh, relative to what they do in the typical row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Emphasis {
    /// Of the latents before [`Self::cut`].
    pub(crate) first: f32,
    pub(crate) others: f32,
    pub(crate) cut: usize,
}

impl Emphasis {
    /// The same for all latents.
    pub(crate) fn all(weight: f32) -> Self {
        Self { first: weight, others: weight, cut: 0 }
    }
}

/// Latents of one row.
#[derive(Debug, Clone, Default)]
pub(crate) struct RowLatents {
    /// As in [`Symbols`], whose fields they become.
    symbols: Vec<i32>,
    second: Vec<bool>,
    pub(crate) decoded: Vec<i32>,
}

/// Chooses latents row after row, from the beginning of a block.
pub(crate) struct RowChooser<'a> {
    chooser: &'a LatentChooser,
    program: &'a Program,
    trellis: Option<Trellis<1>>,
    /// The next row's latents less their predictions, for the search.
    targets: Vec<Lanes<1>>,
    temporal: bool,
    /// Rows of the line before, where these foretell latents as well.
    lines: Option<LatentLines>,
    /// What the next row's latents count from, in latent units.
    predicted: Vec<i64>,
    /// What errors weighed in the last row that was chosen for.
    emphasis: Emphasis,
    weight: Vec<Lanes<1>>,
}

impl<'a> RowChooser<'a> {
    /// Prepares for the rows of a block.
    pub(crate) fn new(chooser: &'a LatentChooser, program: &'a Program) -> Self {
        let m = &program.record;
        Self {
            chooser,
            program,
            trellis: program.trellis().map(|next| Trellis::new(next, m.trellis)),
            targets: vec![[0.0]; m.latents()],
            temporal: m.latent_temporal.iter().any(|&a| a != 0),
            lines: LatentLines::new(m),
            predicted: vec![0; m.latents()],
            emphasis: Emphasis::all(1.0),
            weight: chooser.weight.iter().map(|w| [*w]).collect(),
        }
    }

    /// Chooses the latents of the next row, whose real latents are `real`.
    pub(crate) fn choose(&mut self, real: &[f32], emphasis: Emphasis, out: &mut RowLatents) {
        let Self { chooser, predicted, weight, .. } = self;
        if emphasis != self.emphasis {
            self.emphasis = emphasis;
            for (k, (own, w)) in weight.iter_mut().zip(&chooser.weight).enumerate() {
                *own = [w * if k < emphasis.cut { emphasis.first } else { emphasis.others }];
            }
        }
        out.symbols.clear();
        out.second.clear();
        if let Some(trellis) = &mut self.trellis {
            let targets = self.targets.iter_mut().zip(real.iter().zip(&*predicted));
            targets.for_each(|(target, (y, p))| *target = [y - *p as f32]);
            let best = run_wide(Search(trellis, &chooser.rates, weight, &self.targets));
            out.symbols.extend(best.iter().map(|[b]| b.0));
            out.second.extend(best.iter().map(|[b]| b.1));
        } else {
            let nearest =
                |(k, y): (usize, &f32)| chooser.nearest(k, weight[k][0], y - predicted[k] as f32);
            out.symbols.extend(real.iter().enumerate().map(nearest));
        }
        let clamps = &self.program.record.latent_clamp;
        out.decoded.clear();
        out.decoded.extend(out.symbols.iter().zip(clamps).enumerate().map(|(k, (&s, clamp))| {
            let s = i64::from(s);
            let v = out.second.get(k).map_or(s, |&second| dequantise(s, second));
            (predicted[k] + v).clamp(-clamp, *clamp) as i32
        }));
    }

    /// Returns the bits of a row's latents.
    pub(crate) fn bits(&self, latents: &RowLatents) -> f32 {
        self.chooser.bits_of(&latents.symbols, &latents.second)
    }

    /// Adds the next row's latents to `symbols`; the row after it is predicted from them.
    pub(crate) fn take(&mut self, latents: &RowLatents, symbols: &mut Symbols) {
        symbols.latents.extend_from_slice(&latents.symbols);
        symbols.second.extend_from_slice(&latents.second);
        symbols.decoded_latents.extend_from_slice(&latents.decoded);
        if let Some(lines) = &mut self.lines {
            lines.push(&latents.decoded);
            lines.predict(&self.program.record, &mut self.predicted);
        } else if self.temporal {
            let coefficients = &self.program.record.latent_temporal;
            for ((p, a), y) in self.predicted.iter_mut().zip(coefficients).zip(&latents.decoded) {
                *p = carry(*a, i64::from(*y));
            }
        }
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
            let own = chooser.nearest(0, chooser.weight[0], target);
            assert!((cost(own) - best).abs() < 1e-4, "{target}: {own}");
        }
    }
}
