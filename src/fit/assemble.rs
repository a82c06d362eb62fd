//! From a decoder in integers to a measured codec: temporal prediction, choice of latents,
//! residuals against the baked decoder, entropy coder fitted to what they are.

use crate::codec::program::Program;
use crate::container::model::{Classes, ModelRecord};
use crate::encode::classes::Costs;
use crate::encode::latents::{LatentChooser, RATES};
use crate::encode::project::Projection;
use crate::encode::refine::Refiner;
use crate::encode::{Encoder, Symbols};
use crate::entropy::table::TableSpec;
use crate::error::Result;
use crate::fit::data::sample::Sample;
use crate::fit::entropy::classes::{FittedClasses, Job, fit_classes};
use crate::fit::linear::{Candidate, FitContext};
use crate::fit::quantise::linear::deviations;
use crate::quality::Tally;
use rayon::prelude::*;

/// A decoder and its encoder, before anything is fitted to symbols.
pub(crate) struct Prepared {
    pub(crate) projection: Projection,
    /// Everything but temporal coefficients, classes and tables.
    pub(crate) record: ModelRecord,
    /// Latents of the sample, in the decoder's units.
    pub(crate) real: Vec<f32>,
    /// Bits that one squared unit of each latent's error costs.
    pub(crate) weight: Vec<f32>,
    /// Bits of one squared normalised unit of each column's error, where latents are worth
    /// refining.
    pub(crate) slopes: Option<Vec<f32>>,
}

/// What is coded, and how patiently it is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Coding {
    /// Whether previous rows help.
    pub(crate) temporal: bool,
    /// Whether residuals are coded.
    pub(crate) residual: bool,
    /// Whether latents are chosen a second time, with the rates of the first.
    pub(crate) patient: bool,
    /// Rounds of refining latents, where what was prepared allows it.
    pub(crate) refine: usize,
}

/// A codec whose latents are chosen, not yet fitted to them.
struct Chosen {
    encoder: Encoder,
    record: ModelRecord,
    symbols: Vec<Symbols>,
}

impl FitContext<'_> {
    pub(crate) fn line(&self) -> usize {
        self.sample.schema.row_shape.last().copied().unwrap_or(1)
    }

    /// Fits and measures what `prepared` leaves open.
    pub(crate) fn complete(&self, prepared: Prepared, coding: Coding) -> Result<Candidate> {
        let Chosen { encoder, record, symbols } = self.choose(prepared, coding, true)?;
        let fitted = self.fit(&record, &symbols, coding.residual)?;
        self.finish(encoder, fitted, &symbols)
    }

    /// Latents as a decoder would have them, `rows × latents`, before any class is fitted.
    pub(crate) fn decoded(&self, prepared: Prepared, coding: Coding) -> Result<Vec<i32>> {
        let symbols = self.choose(prepared, coding, false)?.symbols;
        Ok(symbols.into_iter().flat_map(|s| s.decoded_latents).collect())
    }

    /// Fits temporal prediction and chooses latents; their errors are tallied if asked for.
    fn choose(&self, prepared: Prepared, coding: Coding, measure: bool) -> Result<Chosen> {
        let Prepared { projection, mut record, mut real, weight, slopes } = prepared;
        let latents = record.latents();
        let mut encoder = self.encoder(&record, projection, coding)?;
        encoder.chooser = chooser(&record, &real, weight);
        if coding.temporal {
            self.fit_temporal(&mut record, &encoder, &real);
            encoder.program = provisional(&record, self.sample, coding)?;
        }
        // The first choice of latents used guessed rates; the second uses those seen.
        let mut symbols = self.symbols(&encoder, &real, latents == 0 || !coding.patient);
        if latents > 0 && coding.patient {
            learn_rates(&mut encoder.chooser, &symbols, latents, record.table_sets());
            if let Some(slopes) = slopes.filter(|_| coding.refine > 0) {
                let refiner = Refiner::new(&encoder.program, slopes, coding.refine);
                let refined = |chooser: &LatentChooser| {
                    refiner.refine(&encoder.program, chooser, self.normalised, &real)
                };
                // Refined latents have rates of their own, by which they are refined again.
                symbols = self.symbols(&encoder, &refined(&encoder.chooser), false);
                let mut chooser = encoder.chooser.clone();
                learn_rates(&mut chooser, &symbols, latents, record.table_sets());
                real = refined(&chooser);
                encoder.chooser = chooser;
                encoder.refiner = Some(refiner);
            }
            symbols = self.symbols(&encoder, &real, measure);
        }
        Ok(Chosen { encoder, record, symbols })
    }

    fn encoder(
        &self,
        record: &ModelRecord,
        projection: Projection,
        coding: Coding,
    ) -> Result<Encoder> {
        Ok(Encoder {
            program: provisional(record, self.sample, coding)?,
            projection,
            chooser: LatentChooser::default(),
            bounds: self.columns.iter().map(|c| c.bound).collect(),
            costs: Costs::default(),
            exact_level: None,
            block_rows: 1,
            refiner: None,
            rule: None,
        })
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

/// A choice of latents by errors' weights and guessed rates.
fn chooser(record: &ModelRecord, real: &[f32], weight: Vec<f32>) -> LatentChooser {
    let mut deviation = deviations(real, record.latents());
    if record.trellis > 0 {
        // Symbols are half of what they stand for.
        deviation.iter_mut().for_each(|d| *d /= 2.0);
    }
    LatentChooser::untrained(weight, &deviation, record.table_sets())
}

/// A program that can run but not code: one class, one table.
fn provisional(record: &ModelRecord, sample: &Sample, coding: Coding) -> Result<Program> {
    let mut record = record.clone();
    let (latents, width, sets) = (record.latents(), record.width(), record.table_sets());
    record.tables = vec![TableSpec::Ladder { shape: 1, scale: 20 }];
    record.classes = Classes {
        count: 1,
        next: Vec::new(),
        quantum: vec![if coding.residual { 0 } else { -1 }],
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
