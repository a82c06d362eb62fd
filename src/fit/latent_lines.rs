//! How strongly a row's latents are predicted from the row before and from the line of rows before.

use crate::container::model::TEMPORAL_ONE;
use crate::fit::data::sample::Sample;
use crate::linalg;
use rayon::prelude::*;

/// Rows that latents are predicted from: the one before, the one a line before, and those beside it.
const BEFORE: usize = 4;
/// Variance of rounding, added to a latent's: decoded latents are predicted from.
const ROUNDING: f64 = 1.0 / 12.0;
/// Bits that a latent's coefficients must save beyond those of the row before alone: several times what
/// they take in the model.
const LEAST_SAVED_BITS: f64 = 120.0;
/// Coefficients are multiples of this, in 1/[`TEMPORAL_ONE`], and within so many of them.
const MULTIPLE: f64 = 8.0;
const MOST: f64 = 128.0;

/// Coefficients of latents, one for each in every list, in 1/[`TEMPORAL_ONE`].
pub(crate) struct LatentsAbove {
    /// For the row before.
    pub(crate) temporal: Vec<i64>,
    /// For the row a line before, the one before that, and the one after it.
    pub(crate) coefficients: [Vec<i64>; 3],
    /// Bits of the file that this saves.
    pub(crate) saved_bits: f64,
}

/// Products of one latent in the rows that it is predicted from with each other and with its own.
#[derive(Clone, Copy, Default)]
struct Products {
    squares: [[f64; BEFORE]; BEFORE],
    with_value: [f64; BEFORE],
    value: f64,
    count: f64,
}

impl Products {
    fn add(&mut self, before: [f64; BEFORE], value: f64) {
        for (i, x) in before.iter().enumerate() {
            self.with_value[i] += x * value;
            self.squares[i].iter_mut().zip(before).for_each(|(s, y)| *s += x * y);
        }
        self.value += value * value;
        self.count += 1.0;
    }

    /// Returns the coefficients of the first `used` rows and the mean square that they leave.
    fn solve(&self, used: usize) -> ([f64; BEFORE], f64) {
        let noise = ROUNDING * self.count + 1e-9;
        let cell = |i: usize, k: usize| self.squares[i][k] + if i == k { noise } else { 0.0 };
        let matrix: Vec<f64> = (0..used * used).map(|at| cell(at / used, at % used)).collect();
        let mut out = [0.0; BEFORE];
        let mut left = self.value;
        if let Some(found) = linalg::solve(&matrix, &self.with_value[..used]) {
            for (i, a) in found.into_iter().enumerate() {
                out[i] = a;
                left -= a * self.with_value[i];
            }
        }
        (out, left.max(0.0) / self.count.max(1.0) + ROUNDING)
    }
}

/// Fits the coefficients of latents, `real` of which are `rows × latents`, if rows lie in lines and the
/// line before foretells some.
pub(crate) fn fit(sample: &Sample, real: &[f32], latents: usize) -> Option<LatentsAbove> {
    if sample.line_of_rows < 2 || latents == 0 {
        return None;
    }
    let all = products(sample, real, latents);
    let (mut temporal, mut coefficients) = (Vec::new(), [const { Vec::new() }; 3]);
    let mut saved_bits = 0.0;
    for own in &all {
        let (alone, left_alone) = own.solve(1);
        let (with_line, left) = own.solve(BEFORE);
        let saved = 0.5 * (left_alone / left).log2() * sample.total as f64;
        let pays = saved > LEAST_SAVED_BITS;
        saved_bits += if pays { saved } else { 0.0 };
        let [before, above @ ..] = if pays { with_line } else { alone };
        // The format has no larger ones for the row before.
        temporal.push(stored(before.clamp(-1.0, 1.0)));
        coefficients.iter_mut().zip(above).for_each(|(list, a)| list.push(stored(a)));
    }
    (saved_bits > 0.0).then_some(LatentsAbove { temporal, coefficients, saved_bits })
}

fn stored(a: f64) -> i64 {
    let multiples = (a * TEMPORAL_ONE as f64 / MULTIPLE).round();
    (multiples.clamp(-MOST, MOST) * MULTIPLE) as i64
}

/// Products of each latent, of rows that have all others before them in their run.
fn products(sample: &Sample, real: &[f32], latents: usize) -> Vec<Products> {
    let line = sample.line_of_rows;
    let starts = sample.runs.iter().scan(0, |at, rows| {
        let from = *at;
        *at += rows;
        Some((from, *rows))
    });
    let runs: Vec<(usize, usize)> = starts.collect();
    let of_latent = |k: usize| {
        let mut own = Products::default();
        for &(from, rows) in &runs {
            for row in (from + line + 1)..(from + rows).max(from + line + 1) {
                let value = |back: usize| f64::from(real[(row - back) * latents + k]);
                own.add([value(1), value(line), value(line + 1), value(line - 1)], value(0));
            }
        }
        own
    };
    (0..latents).into_par_iter().map(of_latent).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rng::Rng;
    use crate::matrix::{DType, Schema};

    /// Two latents of rows in lines: one that is half of that before and that above, and noise.
    fn latents(line: usize, rows: usize) -> Vec<f32> {
        let mut rng = Rng::new(11);
        let mut out: Vec<f32> = Vec::new();
        for row in 0..rows {
            let before = |back: usize| if row >= back { out[2 * (row - back)] } else { 0.0 };
            let own = 0.5 * before(1) + 0.5 * before(line) + 40.0 * (rng.unit() - 0.5);
            out.extend([own, 40.0 * (rng.unit() - 0.5)]);
        }
        out
    }

    fn sample(line_of_rows: usize, rows: usize) -> Sample {
        let schema = Schema::new(DType::F32, &[2]);
        Sample { schema, bytes: Vec::new(), runs: vec![rows / 2; 2], total: rows, line_of_rows }
    }

    #[test]
    fn coefficients_are_those_that_latents_were_made_with() {
        let real = latents(30, 4000);
        let found = fit(&sample(30, 4000), &real, 2).unwrap();
        assert!((found.temporal[0] - 128).abs() <= 16, "{:?}", found.temporal);
        assert!((found.coefficients[0][0] - 128).abs() <= 16, "{:?}", found.coefficients);
        assert!([&found.temporal, &found.coefficients[0]].iter().all(|own| own[1].abs() <= 16));
        // Rows that lie in no lines.
        assert!(fit(&sample(0, 4000), &real, 2).is_none());
        // Too few rows to have a line before.
        assert!(fit(&sample(30, 40), &real[..80], 2).is_none());
    }
}
