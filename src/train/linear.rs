//! A linear codec from principal components: baked to integers, latents and residuals made
//! against the baked decoder, entropy coder fitted to them.

use super::bits::slope;
use super::classes::{Effort, FittedClasses, Job, fit_classes};
use super::columns::ColumnPlan;
use super::pca::Components;
use super::sample::Sample;
use crate::codec::encode::classes::Costs;
use crate::codec::encode::latents::{LatentChooser, RATES};
use crate::codec::encode::project::Projection;
use crate::codec::encode::{Encoder, Symbols};
use crate::codec::program::Program;
use crate::container::model::{Classes, Grid, ModelRecord};
use crate::entropy::table::TableSpec;
use crate::error::Result;
use crate::quality::Tally;
use rayon::prelude::*;

/// What distinguishes linear codecs from each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LinearChoice {
    /// Number of latents.
    pub(crate) latents: usize,
    /// Step of the latents, in residual steps.
    pub(crate) step: f64,
    /// States of dependent quantisation: 0, 4 or 8.
    pub(crate) trellis: usize,
    /// Resolution of the weights: their error, times the latent's deviation, in steps.
    pub(crate) weight_grain: f64,
    /// Whether previous rows help.
    pub(crate) temporal: bool,
    /// Whether residuals are coded.
    pub(crate) residual: bool,
    /// Bits that one squared step of error costs; in target mode, from the step.
    pub(crate) error_weight: f64,
    /// Whether latents are chosen a second time, with the rates of the first.
    pub(crate) patient: bool,
}

/// What all linear codecs of a file share.
pub(crate) struct Ground<'a> {
    pub(crate) sample: &'a Sample,
    pub(crate) columns: &'a [ColumnPlan],
    pub(crate) components: &'a Components,
    /// Normalised sample.
    pub(crate) normalised: &'a [f32],
    pub(crate) effort: Effort,
}

/// A fitted codec and its size.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) encoder: Encoder,
    pub(crate) fitted_bytes: f64,
    pub(crate) model_bytes: usize,
    /// How good the sample's rows are decoded.
    pub(crate) tally: Tally,
}

/// Normalisation without latents.
pub(crate) fn normaliser(columns: &[ColumnPlan]) -> Projection {
    Projection {
        centre: columns.iter().map(|c| c.centre).collect(),
        inverse_scale: columns
            .iter()
            .map(|c| if c.scale > 0.0 { 1.0 / c.scale } else { 0.0 })
            .collect(),
        // A NaN, from columns as wide as the type, becomes 1.
        clip: columns.iter().map(|c| (c.clip as f32).max(1.0)).collect(),
        weights: Vec::new(),
        latents: 0,
    }
}

impl Ground<'_> {
    fn line(&self) -> usize {
        self.sample.schema.row_shape.last().copied().unwrap_or(1)
    }

    /// Builds and measures one codec.
    pub(crate) fn build(&self, choice: &LinearChoice) -> Result<Candidate> {
        let latents = choice.latents.min(self.components.count());
        let choice = LinearChoice { latents, ..*choice };
        let mut projection = normaliser(self.columns);
        projection.latents = latents;
        projection.weights = self.projection_weights(&choice);
        let real = projection.project(self.normalised);
        let mut record = self.bake(&choice, &real);
        let mut encoder = self.encoder(&choice, &record, projection, &real)?;
        if choice.temporal {
            self.fit_temporal(&mut record, &encoder, &real);
            encoder.program = provisional(&record, self.sample)?;
            self.retrain(&mut encoder, &choice, &real);
        }
        // The first choice of latents used guessed rates; the second uses those seen.
        let mut symbols = self.symbols(&encoder, &real, latents == 0 || !choice.patient);
        if latents > 0 && choice.patient {
            learn_rates(&mut encoder.chooser, &symbols, latents, record.table_sets());
            symbols = self.symbols(&encoder, &real, true);
        }
        let fitted = self.fit(&record, &symbols, choice.residual)?;
        self.finish(encoder, fitted, &symbols)
    }

    fn finish(
        &self,
        mut encoder: Encoder,
        fitted: FittedClasses,
        symbols: &[Symbols],
    ) -> Result<Candidate> {
        let mut tally = Tally::default();
        symbols.iter().for_each(|s| tally.add(&s.tally));
        encoder.program = Program::new(fitted.record, self.sample.schema.dtype)?;
        encoder.costs = Costs::new(&encoder.program.tables);
        Ok(Candidate {
            encoder,
            fitted_bytes: fitted.bytes,
            model_bytes: fitted.model_bytes,
            tally,
        })
    }

    fn fit(&self, m: &ModelRecord, symbols: &[Symbols], residual: bool) -> Result<FittedClasses> {
        let job = Job {
            record: m,
            dtype: self.sample.schema.dtype,
            line: self.line(),
            symbols,
            weight: self.sample.weight(),
            whole: self.sample.is_whole(),
            residual,
            quanta: None,
        };
        fit_classes(&job, self.effort)
    }

    /// `columns × latents`: components over the latents' unit.
    fn projection_weights(&self, choice: &LinearChoice) -> Vec<f32> {
        let unit = latent_unit(choice);
        let mut out = vec![0.0; self.columns.len() * choice.latents];
        for k in 0..choice.latents {
            for (j, v) in self.components.vector(k).iter().enumerate() {
                out[j * choice.latents + k] = v / unit as f32;
            }
        }
        out
    }

    /// Everything but classes and tables, without temporal prediction.
    fn bake(&self, choice: &LinearChoice, real: &[f32]) -> ModelRecord {
        let width = self.columns.len();
        let mut record = ModelRecord { base: Vec::with_capacity(width), ..ModelRecord::default() };
        for c in self.columns {
            let at = record.grids.iter().position(|g: &Grid| *g == c.grid);
            let at = at.unwrap_or_else(|| {
                record.grids.push(c.grid);
                record.grids.len() - 1
            });
            record.grid_of.push(at);
            record.base.push(c.base);
        }
        record.temporal = vec![0; width];
        record.trellis = choice.trellis;
        let latents = choice.latents;
        if latents == 0 {
            return record;
        }
        let unit = latent_unit(choice);
        let deviation = deviations(real, latents);
        // Resolution of each latent's weights, a power of two in residual steps.
        let grain: Vec<f64> = deviation
            .iter()
            .map(|d| (choice.weight_grain / f64::from(*d).max(0.3)).log2().floor())
            .collect();
        let finest = grain.iter().copied().fold(f64::INFINITY, f64::min);
        let fraction = |j: usize| -self.columns[j].unit.log2();
        let least_fraction = (0..width).map(fraction).fold(f64::INFINITY, f64::min);
        let gain = (-finest - least_fraction).clamp(0.0, 24.0).ceil();
        record.gain = gain as u32;
        for (k, &grain) in grain.iter().enumerate() {
            let v = self.components.vector(k);
            for (j, &v) in v.iter().enumerate() {
                if self.columns[j].scale == 0.0 {
                    record.skip.push(0);
                    continue;
                }
                // In units of 2^-(fraction + gain) of a step, to a multiple of the grain.
                let shift = (grain + fraction(j) + gain).max(0.0).exp2();
                let w = f64::from(v) * unit * (fraction(j) + gain).exp2();
                record.skip.push(((w / shift).round_ties_even() * shift) as i64);
            }
        }
        // Twice the largest seen, so that rows outside the sample fit.
        let mut largest = vec![1.0_f32; latents];
        for row in real.chunks_exact(latents) {
            largest.iter_mut().zip(row).for_each(|(l, y)| *l = l.max(y.abs()));
        }
        record.latent_clamp = largest
            .iter()
            .zip(&deviation)
            .map(|(l, d)| {
                let most = (2.0 * l).max(12.0 * d).ceil().clamp(3.0, (1 << 29) as f32 - 100.0);
                (most as i64 + 1).next_power_of_two_minus_one()
            })
            .collect();
        limit_clamps(&mut record);
        record.latent_temporal = vec![0; latents];
        record
    }

    fn encoder(
        &self,
        choice: &LinearChoice,
        record: &ModelRecord,
        projection: Projection,
        real: &[f32],
    ) -> Result<Encoder> {
        let mut encoder = Encoder {
            program: provisional(record, self.sample)?,
            projection,
            chooser: LatentChooser::default(),
            bounds: self.columns.iter().map(|c| c.bound).collect(),
            costs: Costs::default(),
            exact_level: None,
            block_rows: 1,
            rule: None,
        };
        if !choice.residual {
            encoder.program.record.classes.quantum = vec![-1];
        }
        self.retrain(&mut encoder, choice, real);
        Ok(encoder)
    }

    /// Weights and first rates of the latents' choice.
    fn retrain(&self, encoder: &mut Encoder, choice: &LinearChoice, real: &[f32]) {
        if !choice.residual {
            encoder.program.record.classes.quantum = vec![-1];
        }
        let latents = choice.latents;
        let unit = latent_unit(choice);
        let width = self.columns.len();
        let slopes: Vec<f64> = if choice.residual {
            // Variance left in each column by the components that are not kept.
            (0..width)
                .map(|j| {
                    let kept: f64 = (0..latents)
                        .map(|k| {
                            self.components.variance[k]
                                * f64::from(self.components.vector(k)[j]).powi(2)
                        })
                        .sum();
                    let left = (self.components.columns[j] - kept).max(0.0);
                    slope(left + unit * unit / 12.0 * latents as f64 / width as f64)
                })
                .collect()
        } else {
            vec![choice.error_weight; width]
        };
        let weight: Vec<f32> = (0..latents)
            .map(|k| {
                let v = self.components.vector(k);
                let sum: f64 = v.iter().zip(&slopes).map(|(v, s)| f64::from(*v).powi(2) * s).sum();
                (sum * unit * unit).max(1e-3) as f32
            })
            .collect();
        let mut deviation = deviations(real, latents);
        if choice.trellis > 0 {
            // Symbols are half of what they stand for.
            deviation.iter_mut().for_each(|d| *d /= 2.0);
        }
        encoder.chooser =
            LatentChooser::untrained(weight, &deviation, encoder.program.record.table_sets());
    }

    /// Symbols of every run.
    pub(crate) fn symbols(&self, encoder: &Encoder, real: &[f32], measure: bool) -> Vec<Symbols> {
        let latents = encoder.projection.latents;
        let mut at = 0;
        let runs: Vec<(&[u8], &[f32])> = self
            .sample
            .split()
            .zip(&self.sample.runs)
            .map(|(bytes, rows)| {
                let part = &real[at * latents..(at + rows) * latents];
                at += rows;
                (bytes, part)
            })
            .collect();
        runs.par_iter().map(|(bytes, real)| encoder.symbols(bytes, real, measure)).collect()
    }

    /// Coefficients of temporal prediction, by least squares within runs.
    fn fit_temporal(&self, record: &mut ModelRecord, encoder: &Encoder, real: &[f32]) {
        let latents = record.latents();
        let rows = self.sample.total as f64;
        if latents > 0 {
            let mut sums = vec![(0.0, 0.0); latents];
            let mut rest = real;
            for &n in &self.sample.runs {
                let (run, tail) = rest.split_at(n * latents);
                rest = tail;
                for pair in run.windows(2 * latents).step_by(latents) {
                    for (k, sum) in sums.iter_mut().enumerate() {
                        let (a, b) = (f64::from(pair[k]), f64::from(pair[k + latents]));
                        sum.0 += a * b;
                        sum.1 += a * a + 1.0 / 12.0;
                    }
                }
            }
            record.latent_temporal =
                sums.iter().map(|&(ab, aa)| coefficient(ab, aa, rows)).collect();
        }
        if encoder.program.record.classes.quantum[0] < 0 {
            return;
        }
        let symbols = self.symbols(encoder, real, false);
        let width = record.width();
        record.temporal = (0..width)
            .into_par_iter()
            .map(|j| {
                let step = encoder.program.record.grid_of[j];
                let ordered = record.grids[step].value_is_ordered();
                let (mut ab, mut aa) = (0.0, 0.0);
                let (mut same, mut changed) = (0.0_f64, 0.0_f64);
                for s in &symbols {
                    let mut last = None;
                    for i in 0..s.rows {
                        let r = s.residuals[i * width + j] as f64;
                        if let Some(last) = last {
                            ab += r * last;
                            aa += last * last + 1.0 / 6.0;
                            same += (1.0 + r.abs()).log2();
                            changed += (1.0 + f64::abs(r - last)).log2();
                        }
                        last = Some(r);
                    }
                }
                // Floats around 0 change their sign and so lie far apart though small.
                let enough = if ordered && self.columns[j].scale == 0.0 { 0.6 } else { 0.9 };
                if changed < same * enough && (ordered || ab > 0.97 * aa || latents == 0) {
                    return 256;
                }
                if ordered { 0 } else { coefficient(ab, aa, rows) }
            })
            .collect();
    }
}

/// `ab / aa` in 1/256, coarsely; 0 unless it saves more than it costs.
fn coefficient(ab: f64, aa: f64, rows: f64) -> i64 {
    let a = (ab / aa.max(1e-30)).clamp(-1.0, 1.0);
    let saved = -0.5 * (1.0 - a * a).max(1e-9).log2() * rows;
    if saved < 30.0 || a.abs() < 0.08 {
        return 0;
    }
    ((a * 32.0).round() as i64) * 8
}

/// The latents' unit in residual steps: with a trellis, values are twice as fine.
fn latent_unit(choice: &LinearChoice) -> f64 {
    if choice.trellis > 0 { choice.step / 2.0 } else { choice.step }
}

fn deviations(real: &[f32], latents: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64; latents];
    for row in real.chunks_exact(latents.max(1)) {
        sums.iter_mut().zip(row).for_each(|(s, y)| *s += f64::from(*y) * f64::from(*y));
    }
    let rows = (real.len() / latents.max(1)).max(1) as f64;
    sums.iter().map(|s| (s / rows).sqrt() as f32).collect()
}

/// A program that can run but not code: one class, one table.
fn provisional(record: &ModelRecord, sample: &Sample) -> Result<Program> {
    let mut record = record.clone();
    let (latents, width, sets) = (record.latents(), record.width(), record.table_sets());
    record.tables = vec![TableSpec::Ladder { shape: 1, scale: 20 }];
    record.classes = Classes {
        count: 1,
        next: Vec::new(),
        quantum: vec![0],
        means: vec![0; latents],
        latent_tables: vec![0; latents * sets],
        residual_tables: vec![0; width],
    };
    Program::new(record, sample.schema.dtype)
}

/// Rates from the symbols seen, all classes together.
fn learn_rates(chooser: &mut LatentChooser, symbols: &[Symbols], latents: usize, sets: usize) {
    let reach = (RATES / 2) as i32;
    let mut counts = vec![0.5_f32; latents * sets * RATES];
    for s in symbols {
        for (at, &v) in s.latents.iter().enumerate() {
            let set = usize::from(sets == 2 && s.second[at]);
            let slot = (v.clamp(-reach, reach) + reach) as usize;
            counts[((at % latents) * sets + set) * RATES + slot] += 1.0;
        }
    }
    for (rates, counts) in chooser.rates.chunks_exact_mut(RATES).zip(counts.chunks_exact(RATES)) {
        let total: f32 = counts.iter().sum();
        // Smoothed over neighbours, so that a gap in the sample is not taken for a law.
        for (i, rate) in rates.iter_mut().enumerate() {
            let near = &counts[i.saturating_sub(1)..(i + 2).min(RATES)];
            let own = counts[i] * 0.9 + 0.1 * near.iter().sum::<f32>() / near.len() as f32;
            *rate = (total / own).log2();
        }
    }
    chooser.rates_changed();
}

/// Lowers the latents' clamps until the proof of the network holds.
fn limit_clamps(record: &mut ModelRecord) {
    let width = record.width();
    let limit = 2_f64.powi(30 + record.gain as i32);
    let latents = record.latents();
    let bound = |clamp: &[i64]| {
        (0..width)
            .map(|j| {
                (0..latents)
                    .map(|k| record.skip[k * width + j].unsigned_abs() as f64 * clamp[k] as f64)
                    .sum::<f64>()
            })
            .fold(0.0, f64::max)
    };
    let mut clamp = record.latent_clamp.clone();
    while bound(&clamp) >= limit && clamp.iter().any(|&c| c > 1) {
        clamp.iter_mut().for_each(|c| *c /= 2);
    }
    record.latent_clamp = clamp;
}

trait PowerOfTwo {
    fn next_power_of_two_minus_one(self) -> i64;
}

impl PowerOfTwo for i64 {
    fn next_power_of_two_minus_one(self) -> i64 {
        (self.unsigned_abs().next_power_of_two() as i64) - 1
    }
}
