//! A codec for a promise about each row: latents for most rows, a ladder of residual steps for the
//! rest.

use crate::codec::program::Program;
use crate::container::model::ModelRecord;
use crate::encode::costs::TableCosts;
use crate::encode::encoder::BlockEncoder;
use crate::encode::rates::LatentRates;
use crate::encode::rows::RowPromise;
use crate::encode::symbols::Symbols;
use crate::error::Result;
use crate::fit::candidate::Candidate;
use crate::fit::data::sample::Sample;
use crate::fit::entropy::class_tables::{ClassFitInput, fit_tables};
use crate::fit::entropy::classes::{ClassEffort, fit_classes};
use crate::fit::search::builder::Builder;
use crate::fit::search::family::Family;
use crate::limits::Limits;
use crate::quality::Tally;
use rayon::prelude::*;

/// Residual steps of the classes, relative to the latents' step; before them stand classes without.
/// Half an octave apart where most rows are that need one, then an octave: a rung is worth half a bit
/// or a bit per value of its rows, and costs all rows a little of their class.
const STEPS: [f64; 11] = [2.0, 1.41, 1.0, 0.71, 0.5, 0.35, 0.25, 0.125, 0.06, 0.03, 0.015];

/// Largest step of a class that the format allows.
const LARGEST: i64 = (1 << 40) - 1;

/// Units of the format in a residual step of the normalised rows.
const UNITS: f64 = 256.0;

/// Row classes until latents have been chosen: one.
const NO_CLASSES: ClassEffort = ClassEffort { classes: 1, rounds: 0 };

/// A codec, and what it makes of the sample's rows.
pub(super) struct Built {
    pub(super) candidate: Candidate,
    /// Latents as decoded, `rows × latents`, in latent units.
    pub(super) latents: Vec<i32>,
    /// Share of the rows that have residuals.
    pub(super) with_residuals: f64,
}

/// A codec of `family` whose latents have the step `step`, in the data's units, and that keeps
/// `promise` for each row; fitted to the builder's sample.
///
/// # Errors
/// `Corrupt` where no decoder in integers can do it.
pub(super) fn build(
    builder: &Builder<'_>,
    promise: &RowPromise,
    family: Family,
    step: f64,
) -> Result<Built> {
    let sample = builder.sample;
    let mut candidate = builder.with_classes(NO_CLASSES).build(family, step)?;
    let steps = STEPS.iter().map(|s| s * step / builder.unit() * UNITS);
    let ladder: Vec<i64> = steps.map(|s| (s as i64).clamp(1, LARGEST)).collect();
    let encoder = &mut candidate.encoder;
    let mut record = encoder.program.record.clone();
    add_classes(&mut record, &ladder);
    encoder.program = Program::new(record, sample.schema.dtype)?;
    if let Some(refiner) = encoder.refiner.take() {
        encoder.refiner = Some(refiner.with_rule(promise.rule.normalised(&encoder.projection)));
    }
    encoder.row_promise = Some(promise.clone());
    // Latents chosen row by row have rates of their own, by which they are chosen again.
    let (latents, sets) = (encoder.program.record.latents(), encoder.program.record.table_sets());
    encoder.chooser.rates = LatentRates::count(&symbols(encoder, sample), latents, sets);
    let symbols = symbols(encoder, sample);
    candidate.tally = Tally::default();
    symbols.iter().for_each(|s| candidate.tally.add(&s.tally));
    fit(&mut candidate, builder, &symbols, &ladder)?;
    let coded = symbols.iter().flat_map(|s| &s.forced).filter(|rung| **rung > 0).count();
    let with_residuals = coded as f64 / sample.rows().max(1) as f64;
    let latents = symbols.into_iter().flat_map(|s| s.decoded_latents).collect();
    Ok(Built { candidate, latents, with_residuals })
}

/// Fits classes and tables: as many classes without residuals as pay, and one for each rung of the
/// ladder.
fn fit(
    candidate: &mut Candidate,
    builder: &Builder<'_>,
    symbols: &[Symbols],
    ladder: &[i64],
) -> Result<()> {
    let (sample, encoder) = (builder.sample, &mut candidate.encoder);
    let record = &encoder.program.record;
    let latents = |s: &Symbols| Symbols {
        rows: s.rows,
        latents: s.latents.clone(),
        second: s.second.clone(),
        ..Symbols::default()
    };
    let latents: Vec<Symbols> = symbols.iter().map(latents).collect();
    let input = ClassFitInput {
        whole: false,
        residual: false,
        ..ClassFitInput::of(sample, record, &latents)
    };
    let classes = fit_classes(&input, builder.effort.classes)?.record;
    let count = classes.classes.count;
    let program = Program::new(classes, sample.schema.dtype)?;
    let costs = TableCosts::new(&program.tables);
    let own: Vec<usize> = latents.par_iter().flat_map(|s| costs.classify(&program, s)).collect();
    let rungs = symbols.iter().flat_map(|s| &s.forced);
    let assigned: Vec<usize> =
        rungs.zip(own).map(|(&rung, own)| if rung > 0 { count + rung - 1 } else { own }).collect();
    let quanta: Vec<i64> = std::iter::repeat_n(-1, count).chain(ladder.iter().copied()).collect();
    let input = ClassFitInput { record, symbols, residual: true, quanta: Some(&quanta), ..input };
    let fitted = fit_tables(&input, &assigned, quanta.len(), None);
    let payload = &fitted.model.payload;
    encoder.program = Program::decode(payload, 0, &sample.schema, &Limits::default())?;
    encoder.costs = TableCosts::new(&encoder.program.tables);
    candidate.fitted_bytes = fitted.bytes;
    candidate.model = fitted.model;
    Ok(())
}

/// Gives a record that has no residuals a class for each of `ladder` after its own: they can run,
/// but have no tables of their own yet.
fn add_classes(record: &mut ModelRecord, ladder: &[i64]) {
    let (width, count, latents) = (record.width(), 1 + ladder.len(), record.latent_clamp.len());
    let classes = &mut record.classes;
    let sets = classes.latent_tables.len() / classes.means.len().max(1) * latents;
    classes.count = count;
    classes.quantum = std::iter::once(-1).chain(ladder.iter().copied()).collect();
    classes.means = classes.means[..latents].repeat(count);
    classes.latent_tables = classes.latent_tables[..sets].repeat(count);
    classes.residual_tables = vec![0; width * count];
    classes.next = vec![0; count];
}

fn symbols(encoder: &BlockEncoder, sample: &Sample) -> Vec<Symbols> {
    let runs: Vec<&[u8]> = sample.split().collect();
    runs.par_iter()
        .map(|bytes| {
            let normalised =
                encoder.projection.normalise(encoder.program.dtype, &encoder.fills, bytes);
            encoder.symbols(bytes, &encoder.latents(&normalised), true)
        })
        .collect()
}
