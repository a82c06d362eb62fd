//! Promises about each row: latents for the typical row, a ladder of residual steps for the rest.

use crate::codec::program::Program;
use crate::container::model::ModelRecord;
use crate::encode::costs::TableCosts;
use crate::encode::encoder::BlockEncoder;
use crate::encode::rows::RowRule;
use crate::encode::symbols::Symbols;
use crate::error::Result;
use crate::fidelity::Fidelity;
use crate::fit::candidate::Candidate;
use crate::fit::data::components::Basis;
use crate::fit::data::sample::Sample;
use crate::fit::entropy::class_tables::{ClassFitInput, fit_tables};
use crate::fit::search::bounded::SearchEffort;
use crate::fit::search::builder::Builder;
use crate::fit::search::family::{Family, LatentFamily};
use crate::fit::search::goal::Goal;
use crate::limits::Limits;
use crate::matrix::Rows;
use crate::quality::FileStats;
use rayon::prelude::*;

/// Residual steps of the classes, relative to the latents' step; the first class has none. Half an
/// octave apart where most rows are that need one, then an octave: a rung is worth half a bit or a
/// bit per value of its rows, and costs all rows a little of their class.
const STEPS: [f64; 11] = [2.0, 1.41, 1.0, 0.71, 0.5, 0.35, 0.25, 0.125, 0.06, 0.03, 0.015];

/// Largest step of a class that the format allows.
const LARGEST: i64 = (1 << 40) - 1;

/// Units of the format in a residual step of the normalised rows.
const UNITS: f64 = 256.0;

/// Mean errors of the latents alone that are tried, relative to what each row may have: with less,
/// latents are dear; with more, many rows need residuals.
const SHARES: [f64; 5] = [0.3, 0.45, 0.65, 0.9, 1.3];

/// Most rows that they are compared on.
const MOST_ROWS: usize = 4096;

/// Fits a codec that keeps `promise`, which is about rows, for each row; none where no decoder in
/// integers can.
///
/// # Errors
/// Those of reading rows.
pub(crate) fn fit(
    rows: &dyn Rows,
    sample: &Sample,
    promise: &Fidelity,
    effort: SearchEffort,
    basis: Option<&Basis>,
) -> Result<Option<Candidate>> {
    let (rule, goal) = match promise {
        Fidelity::RowNmse(d) => {
            let (limit, means) = (d.floor(), FileStats::scan(rows)?.means);
            (RowRule::Nmse { limit, means }, Goal::Nmse(limit))
        }
        Fidelity::RowCosine(d) => (RowRule::Cosine { limit: d.ceil() }, Goal::Cosine(d.ceil())),
        _ => unreachable!("only promises about rows come here"),
    };
    let start = goal.starting_step(sample);
    let builder = Builder::new(sample, effort, start, basis);
    let thin_sample = sample.thin(effort.trial_rows.min(MOST_ROWS));
    let thin = builder.thin(&thin_sample);
    let mut best: Option<(f64, f64)> = None;
    for share in SHARES {
        let step = start * share.sqrt();
        let Ok(Candidate { fitted_bytes: bytes, .. }) = build(&thin, &rule, step) else { continue };
        if best.is_none_or(|b| bytes < b.0) {
            best = Some((bytes, step));
        }
    }
    Ok(build(&builder, &rule, best.map_or(start, |b| b.1)).ok())
}

/// A codec with latents of `step`, in the data's units, and a ladder of classes below it.
fn build(builder: &Builder<'_>, rule: &RowRule, step: f64) -> Result<Candidate> {
    let mut candidate = builder.build(Family::Latents(LatentFamily::default()), step)?;
    let steps = STEPS.iter().map(|s| s * step / builder.unit() * UNITS);
    let quanta: Vec<i64> =
        std::iter::once(-1).chain(steps.map(|s| (s as i64).clamp(1, LARGEST))).collect();
    let (sample, dtype) = (builder.sample, builder.sample.schema.dtype);
    let encoder = &mut candidate.encoder;
    let mut record = encoder.program.record.clone();
    add_classes(&mut record, &quanta);
    encoder.program = Program::new(record, dtype)?;
    encoder.rule = Some(rule.clone());
    let symbols = symbols(encoder, sample);
    let assigned: Vec<usize> = symbols.iter().flat_map(|s| s.forced.iter().copied()).collect();
    let input = ClassFitInput {
        record: &encoder.program.record,
        dtype,
        line: sample.schema.line_width(),
        symbols: &symbols,
        specials: sample.specials(),
        weight: sample.weight(),
        whole: false,
        residual: true,
        quanta: Some(&quanta),
    };
    let fitted = fit_tables(&input, &assigned, quanta.len(), None);
    let payload = &fitted.model.payload;
    encoder.program = Program::decode(payload, 0, &sample.schema, &Limits::default())?;
    encoder.costs = TableCosts::new(&encoder.program.tables);
    candidate.fitted_bytes = fitted.bytes;
    candidate.model = fitted.model;
    Ok(candidate)
}

/// Gives a record that has no residuals a class for each of `quanta`: they can run, but have no
/// tables of their own yet.
fn add_classes(record: &mut ModelRecord, quanta: &[i64]) {
    let (width, count, latents) = (record.width(), quanta.len(), record.latent_clamp.len());
    let classes = &mut record.classes;
    let sets = classes.latent_tables.len() / classes.means.len().max(1) * latents;
    classes.count = count;
    classes.quantum = quanta.to_vec();
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
            encoder.symbols(bytes, &encoder.projection.project(&normalised), false)
        })
        .collect()
}
