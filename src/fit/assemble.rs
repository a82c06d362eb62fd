//! From a decoder in integers to a measured codec: temporal prediction, choice of latents,
//! residuals against that decoder, and an entropy coder fitted to what they are.

use crate::codec::program::Program;
use crate::container::model::{Classes, ModelRecord, Neighbours};
use crate::encode::access::ONE_PART;
use crate::encode::costs::TableCosts;
use crate::encode::encoder::BlockEncoder;
use crate::encode::latents::LatentChooser;
use crate::encode::rates::LatentRates;
use crate::encode::refine::Refiner;
use crate::encode::symbols::Symbols;
use crate::entropy::table::TableSpec;
use crate::error::Result;
use crate::fit::candidate::{Candidate, Coding, Prepared};
use crate::fit::context::FitContext;
use crate::fit::entropy::class_tables::{ClassFitInput, FittedClasses};
use crate::fit::entropy::classes::fit_classes;
use crate::fit::latent_lines;
use crate::fit::milestones;
use crate::fit::neighbours::assembled::{prediction, with_contexts};
use crate::fit::quantise::linear::deviations;
use crate::fit::temporal;
use crate::limits::Limits;
use crate::quality::Tally;
use rayon::prelude::*;

/// Any table: what is made before tables are fitted is never coded.
pub(crate) const PLACEHOLDER: TableSpec = TableSpec::Ladder { shape: 1, scale: 20 };

/// A codec whose latents are chosen, and their symbols, to which no table is fitted yet: its program
/// has placeholders.
struct Chosen {
    encoder: BlockEncoder,
    symbols: Vec<Symbols>,
}

/// Fits and measures what `prepared` leaves open.
///
/// # Errors
/// `Corrupt` or `Limit` where readers would refuse the model.
pub(crate) fn complete(
    context: &FitContext<'_>,
    prepared: Prepared,
    coding: Coding,
) -> Result<Candidate> {
    let Chosen { mut encoder, mut symbols } = choose(context, prepared, coding, context.measures)?;
    let sample = context.sample;
    let mut tally = Tally::default();
    symbols.iter_mut().for_each(|s| tally.absorb(std::mem::take(&mut s.tally)));
    let input = ClassFitInput {
        residual: coding.residual,
        ..ClassFitInput::of(sample, &encoder.program.record, &symbols)
    };
    let fitted = fit_classes(&input, context.effort)?;
    let contexts = match coding.residual {
        true => with_contexts(context, &encoder, &symbols, &fitted)?,
        false => None,
    };
    let FittedClasses { model, bytes, .. } = contexts.unwrap_or(fitted);
    // Rows may be so wide that two models at once take much memory.
    drop(symbols);
    encoder.program.record = ModelRecord::default();
    encoder.program = Program::decode(&model.payload, 0, &sample.schema, &Limits::default())?;
    encoder.costs = TableCosts::new(&encoder.program.tables);
    milestones::built(sample.cells());
    Ok(Candidate { encoder, fitted_bytes: bytes, model, tally, linear: None })
}

/// Returns the sample's latents as a decoder has them, `rows × latents` in latent units, before any
/// class is fitted.
///
/// # Errors
/// As [`complete`].
pub(crate) fn decoded_latents(
    context: &FitContext<'_>,
    prepared: Prepared,
    coding: Coding,
) -> Result<Vec<i32>> {
    let symbols = choose(context, prepared, coding, false)?.symbols;
    Ok(symbols.into_iter().flat_map(|s| s.decoded_latents).collect())
}

/// Fits temporal prediction and chooses latents; errors are tallied if `measure` is set.
fn choose(
    context: &FitContext<'_>,
    prepared: Prepared,
    coding: Coding,
    measure: bool,
) -> Result<Chosen> {
    let Prepared { projection, record, mut real, weight, slopes } = prepared;
    let (sample, latents, sets) = (context.sample, record.latents(), record.table_sets());
    let rates = guessed_rates(&record, &real);
    let mut encoder = BlockEncoder {
        program: provisional(record, context, coding)?,
        projection,
        chooser: LatentChooser { weight, rates },
        bounds: context.columns.iter().map(|c| c.bound).collect(),
        costs: TableCosts::default(),
        exact_level: None,
        block_rows: 1,
        part_rows: ONE_PART,
        refiner: None,
        fills: context.sample.schema.fill_values.clone(),
        row_promise: None,
        keeps_zero_rows: context.keeps_zero_rows,
        exact_beyond: f64::INFINITY,
        share: 0.0,
    };
    if coding.temporal {
        let residual = coding.residual.then(|| symbols_of_runs(context, &encoder, &real, false));
        let mut record = encoder.program.record.clone();
        record.latent_temporal = temporal::latent_coefficients(sample, &real, latents);
        if let Some(symbols) = residual {
            match context.neighbours {
                Some(effort) => {
                    let above = latent_lines::fit(sample, &real, latents);
                    let found = prediction(context, &encoder, &symbols, effort, above.as_ref())?;
                    let used = found.as_ref().is_some_and(Neighbours::predicts_latents);
                    if let Some(above) = above.filter(|_| used) {
                        record.latent_temporal = above.temporal;
                    }
                    record.neighbours = found;
                }
                None => {
                    record.temporal =
                        temporal::residual_coefficients(context, &symbols, latents > 0);
                }
            }
        }
        encoder.program = provisional(record, context, coding)?;
    }
    let is_final = latents == 0 || !coding.patient;
    let mut symbols = symbols_of_runs(context, &encoder, &real, is_final && measure);
    if !is_final {
        // The first choice of latents used guessed rates; the second uses those seen.
        let count = |symbols: &[Symbols]| LatentRates::count(symbols, latents, sets);
        encoder.chooser.rates = count(&symbols);
        if let Some(slopes) = slopes.filter(|_| coding.refine > 0) {
            let refiner = Refiner::new(&encoder.program, slopes, coding.refine);
            let refined = |chooser: &LatentChooser| {
                refiner.refine(&encoder.program, chooser, context.normalised, &real)
            };
            // Refined latents have rates of their own, by which they are refined again.
            let first = refined(&encoder.chooser);
            encoder.chooser.rates = count(&symbols_of_runs(context, &encoder, &first, false));
            real = refined(&encoder.chooser);
            encoder.refiner = Some(refiner);
        }
        symbols = symbols_of_runs(context, &encoder, &real, measure);
    }
    Ok(Chosen { encoder, symbols })
}

/// Returns the symbols of each run of the sample.
fn symbols_of_runs(
    context: &FitContext<'_>,
    encoder: &BlockEncoder,
    real: &[f32],
    measure: bool,
) -> Vec<Symbols> {
    let (sample, latents) = (context.sample, encoder.projection.latents);
    let mut rest = real;
    let runs: Vec<(&[u8], &[f32])> = sample
        .split()
        .zip(&sample.runs)
        .map(|(bytes, rows)| {
            let (run, tail) = rest.split_at(rows * latents);
            rest = tail;
            (bytes, run)
        })
        .collect();
    runs.par_iter().map(|(bytes, real)| encoder.symbols(bytes, real, measure)).collect()
}

/// Guesses what latents' symbols cost from the latents' deviations.
fn guessed_rates(record: &ModelRecord, real: &[f32]) -> LatentRates {
    let mut deviation = deviations(real, record.latents());
    if record.trellis > 0 {
        // Dependent quantisation: symbols are half of what they stand for.
        deviation.iter_mut().for_each(|d| *d /= 2.0);
    }
    LatentRates::guess(&deviation, record.table_sets())
}

/// Makes a program that predicts but cannot code: it has one class and one table.
fn provisional(
    mut record: ModelRecord,
    context: &FitContext<'_>,
    coding: Coding,
) -> Result<Program> {
    record.tables = vec![PLACEHOLDER];
    record.classes = placeholder_classes(&record, coding.residual);
    Program::new(record, context.sample.schema.dtype)
}

/// One class in which all have the first table.
pub(crate) fn placeholder_classes(record: &ModelRecord, residual: bool) -> Classes {
    let (latents, width, sets) = (record.latents(), record.width(), record.table_sets());
    Classes {
        count: 1,
        next: Vec::new(),
        quantum: vec![if residual { 0 } else { -1 }],
        means: vec![0; latents],
        latent_tables: vec![0; latents * sets],
        residual_tables: vec![0; width],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::model::Value;
    use crate::error::ErrorKind;
    use crate::fit::candidate::LinearChoice;
    use crate::fit::data::columns::{Tolerance, normaliser, plan};
    use crate::fit::data::components::Components;
    use crate::fit::data::sample::Sample;
    use crate::fit::entropy::classes::ClassEffort;
    use crate::fit::linear::build;
    use crate::matrix::FillValues;
    use crate::matrix::Matrix;
    use crate::matrix::rng::Rng;

    const WIDTH: usize = 12;
    const BOUND: f64 = 0.05;
    const CHOICE: LinearChoice = LinearChoice {
        latents: 2,
        step: 2.0,
        trellis: 0,
        weight_step: 0.05,
        temporal: true,
        residual: true,
        error_weight: 0.0,
        patient: true,
    };

    /// Rows of two latents and a little noise; the first latent is `carried` times that of the row
    /// before and something new.
    fn rows(carried: f32) -> Vec<f32> {
        let mut rng = Rng::new(5);
        let (mut a, mut out) = (0.0, Vec::new());
        for _ in 0..1500 {
            a = carried * a + 8.0 * (rng.unit() - 0.5);
            let b = 4.0 * (rng.unit() - 0.5);
            for j in 0..WIDTH {
                let angle = j as f32 * 0.5;
                out.push(a * angle.cos() + b * angle.sin() + 0.1 * (rng.unit() - 0.5));
            }
        }
        out
    }

    fn with_context<R>(rows: &[f32], check: impl Fn(&FitContext<'_>) -> R) -> R {
        let matrix = Matrix::from_slice(rows, &[WIDTH]).unwrap();
        let sample = Sample::draw(&matrix, 1 << 20).unwrap();
        let columns = plan(&sample, &Tolerance::Bounds(vec![BOUND; WIDTH]));
        let normalised = normaliser(&columns).normalise(
            sample.schema.dtype,
            &sample.schema.fill_values,
            &sample.bytes,
        );
        let components = Components::fit(&normalised, WIDTH);
        check(&FitContext {
            sample: &sample,
            columns: &columns,
            components: &components,
            normalised: &normalised,
            effort: ClassEffort { classes: 4, rounds: 2 },
            keeps_zero_rows: false,
            neighbours: None,
            atoms: &[],
            measures: true,
        })
    }

    #[test]
    fn latents_pay_and_errors_stay_within_the_bound() {
        with_context(&rows(0.0), |context| {
            let two = build(context, &CHOICE).unwrap();
            let none = build(context, &LinearChoice { latents: 0, ..CHOICE }).unwrap();
            assert!(two.fitted_bytes < 0.5 * none.fitted_bytes);
            for c in [&two, &none] {
                // Errors spread evenly over a step have a third of the squared bound.
                let mean = c.tally.nmse() * context.components.columns.iter().sum::<f64>();
                assert!(mean > 0.0 && c.fitted_bytes > c.model_bytes() as f64, "{mean}");
            }
            // What is estimated is what is written.
            let blocks = context.sample.split().zip(0..).map(|(run, at)| {
                let normalised = two.encoder.projection.normalise(
                    context.sample.schema.dtype,
                    &FillValues::default(),
                    run,
                );
                let real = two.encoder.latents(&normalised);
                let symbols = two.encoder.symbols(run, &real, false);
                two.encoder.block(at, run, &symbols).len()
            });
            let written = (blocks.sum::<usize>() + two.model_bytes()) as f64;
            let blocks = context.sample.runs.len() as f64;
            assert!((written / two.fitted_bytes - 1.0).abs() < 0.02 + blocks * 30.0 / written);
        });
    }

    #[test]
    fn rows_are_predicted_from_those_before_where_that_helps() {
        let coefficients = |carried: f32| {
            with_context(&rows(carried), |context| {
                build(context, &CHOICE).unwrap().encoder.program.record.latent_temporal
            })
        };
        assert_eq!(coefficients(0.0), [0, 0]);
        let found = coefficients(0.9);
        assert!((210..250).contains(&found[0]) && found[1] == 0, "{found:?}");
        with_context(&rows(0.9), |context| {
            let with = build(context, &CHOICE).unwrap();
            let without = build(context, &LinearChoice { temporal: false, ..CHOICE }).unwrap();
            assert_eq!(without.encoder.program.record.latent_temporal, [0, 0]);
            assert!(with.fitted_bytes < 0.97 * without.fitted_bytes);
            // Without latents, residuals are.
            let none = build(context, &LinearChoice { latents: 0, ..CHOICE }).unwrap();
            assert!(none.encoder.program.record.temporal.iter().any(|a| *a > 128));
        });
    }

    #[test]
    fn decoded_latents_are_near_the_real_ones_and_cheaper_the_second_time() {
        with_context(&rows(0.0), |context| {
            for trellis in [0, 8] {
                // Latents alone, of steps that make most of them 0 or ±1.
                let error_weight = 6.0 / (std::f64::consts::LN_2 * 900.0);
                let choice = LinearChoice { trellis, step: 30.0, residual: false, ..CHOICE };
                let choice = LinearChoice { error_weight, ..choice };
                let bits = |c: &Candidate| {
                    let variance: f64 = context.components.columns.iter().sum();
                    let errors = c.tally.nmse() * variance * context.sample.total as f64;
                    8.0 * (c.fitted_bytes - c.model_bytes() as f64) + error_weight * errors
                };
                let hasty = build(context, &LinearChoice { patient: false, ..choice }).unwrap();
                let patient = build(context, &choice).unwrap();
                assert!(bits(&patient) < bits(&hasty), "{} {}", bits(&patient), bits(&hasty));
                let real = patient.encoder.projection.project(context.normalised);
                let record = patient.encoder.program.record;
                let prepared = Prepared {
                    projection: patient.encoder.projection,
                    record: ModelRecord { latent_temporal: vec![0, 0], ..record },
                    real: real.clone(),
                    weight: patient.encoder.chooser.weight,
                    slopes: None,
                };
                let coding = Coding { temporal: true, residual: false, patient: true, refine: 0 };
                let decoded = decoded_latents(context, prepared, coding).unwrap();
                assert_eq!(decoded.len(), real.len());
                let far = real.iter().zip(&decoded).filter(|(y, v)| (**y - **v as f32).abs() > 1.5);
                assert!(far.count() < real.len() / 100, "{trellis}");
            }
        });
    }

    #[test]
    fn a_model_that_no_reader_takes_is_no_candidate() {
        with_context(&rows(0.0), |context| {
            let mut columns = context.columns.to_vec();
            columns[3].grid.value = Value::Linear { offset: 0.0, unit: f64::INFINITY };
            let broken = FitContext {
                columns: &columns,
                sample: context.sample,
                components: context.components,
                normalised: context.normalised,
                effort: context.effort,
                keeps_zero_rows: false,
                neighbours: None,
                atoms: &[],
                measures: true,
            };
            assert_eq!(build(&broken, &CHOICE).unwrap_err().kind(), ErrorKind::Corrupt);
            assert!(build(context, &CHOICE).is_ok());
        });
    }
}
