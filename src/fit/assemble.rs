//! From a decoder in integers to a measured codec: temporal prediction, choice of latents,
//! residuals against that decoder, and an entropy coder fitted to what they are.

use crate::codec::program::Program;
use crate::container::model::{Classes, ModelRecord};
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
use crate::fit::quantise::linear::deviations;
use crate::fit::temporal;
use crate::quality::Tally;
use rayon::prelude::*;

/// Any table: what is made before tables are fitted is never coded.
const PLACEHOLDER: TableSpec = TableSpec::Ladder { shape: 1, scale: 20 };

/// A codec whose latents are chosen, and their symbols, to which no table is fitted yet.
struct Chosen {
    encoder: BlockEncoder,
    record: ModelRecord,
    symbols: Vec<Symbols>,
}

/// Fits and measures what `prepared` leaves open.
///
/// # Errors
/// `Corrupt` where the decoder's sums could overflow.
pub(crate) fn complete(
    context: &FitContext<'_>,
    prepared: Prepared,
    coding: Coding,
) -> Result<Candidate> {
    let Chosen { mut encoder, record, symbols } = choose(context, prepared, coding, true)?;
    let sample = context.sample;
    let input = ClassFitInput {
        record: &record,
        dtype: sample.schema.dtype,
        line: context.line(),
        symbols: &symbols,
        weight: sample.weight(),
        whole: sample.is_whole(),
        residual: coding.residual,
        quanta: None,
    };
    let FittedClasses { record, bytes, model_bytes } = fit_classes(&input, context.effort)?;
    encoder.program = Program::new(record, sample.schema.dtype)?;
    encoder.costs = TableCosts::new(&encoder.program.tables);
    let mut tally = Tally::default();
    symbols.iter().for_each(|s| tally.add(&s.tally));
    Ok(Candidate { encoder, fitted_bytes: bytes, model_bytes, tally })
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
    let Prepared { projection, mut record, mut real, weight, slopes } = prepared;
    let (sample, latents) = (context.sample, record.latents());
    let mut encoder = BlockEncoder {
        program: provisional(&record, context, coding)?,
        projection,
        chooser: LatentChooser { weight, rates: guessed_rates(&record, &real) },
        bounds: context.columns.iter().map(|c| c.bound).collect(),
        costs: TableCosts::default(),
        exact_level: None,
        block_rows: 1,
        refiner: None,
        rule: None,
    };
    if coding.temporal {
        record.latent_temporal = temporal::latent_coefficients(sample, &real, latents);
        if coding.residual {
            let symbols = symbols_of_runs(context, &encoder, &real, false);
            record.temporal = temporal::residual_coefficients(context, &symbols, latents > 0);
        }
        encoder.program = provisional(&record, context, coding)?;
    }
    let is_final = latents == 0 || !coding.patient;
    let mut symbols = symbols_of_runs(context, &encoder, &real, is_final && measure);
    if !is_final {
        // The first choice of latents used guessed rates; the second uses those seen.
        let count = |symbols: &[Symbols]| LatentRates::count(symbols, latents, record.table_sets());
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
    Ok(Chosen { encoder, record, symbols })
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
fn provisional(record: &ModelRecord, context: &FitContext<'_>, coding: Coding) -> Result<Program> {
    let mut record = record.clone();
    let (latents, width, sets) = (record.latents(), record.width(), record.table_sets());
    record.tables = vec![PLACEHOLDER];
    record.classes = Classes {
        count: 1,
        next: Vec::new(),
        quantum: vec![if coding.residual { 0 } else { -1 }],
        means: vec![0; latents],
        latent_tables: vec![0; latents * sets],
        residual_tables: vec![0; width],
    };
    Program::new(record, context.sample.schema.dtype)
}
