//! Promises about each row: latents for the typical row, a ladder of residual steps for the rest.

use crate::codec::program::Program;
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
use crate::fit::search::target::{Builder, Family};
use crate::matrix::Rows;
use rayon::prelude::*;

/// Residual steps of the classes, relative to the latents' step; the first class has none.
const STEPS: [f64; 11] = [2.0, 1.41, 1.0, 0.71, 0.5, 0.35, 0.25, 0.125, 0.06, 0.03, 0.015];
/// Largest step of a class that the format allows.
const LARGEST: i64 = (1 << 40) - 1;
/// Mean error of the latents alone, relative to what each row may have.
const SHARES: [f64; 5] = [0.3, 0.45, 0.65, 0.9, 1.3];

/// Fits a codec that keeps `fidelity` for each row; none where no network can be proved.
pub(crate) fn fit(
    rows: &dyn Rows,
    sample: &Sample,
    fidelity: &Fidelity,
    effort: SearchEffort,
    basis: Option<&Basis>,
) -> Result<Option<Candidate>> {
    let rule = match fidelity {
        Fidelity::RowNmse(d) => RowRule::Nmse { limit: d.floor(), means: means(rows)? },
        Fidelity::RowCosine(d) => RowRule::Cosine { limit: d.ceil() },
        _ => unreachable!("only promises about rows come here"),
    };
    let variance = crate::fit::data::spread::sample_scale(sample).variance;
    let error = match &rule {
        RowRule::Nmse { limit, .. } => variance * limit,
        RowRule::Cosine { limit } => variance * 2.0 * (1.0 - limit),
    };
    let start = (12.0 * error).sqrt().clamp(f64::MIN_POSITIVE, 1e300);
    let builder = Builder::new(sample, effort, start, basis);
    let thin_sample = sample.thin(effort.rows.min(4096));
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

fn build(builder: &Builder<'_>, rule: &RowRule, step: f64) -> Result<Candidate> {
    let family = Family::Latents { threshold: 1.5, trellis: 8, weight: 1.0, grain: 1.0 };
    let mut candidate = builder.build(family, step)?;
    let encoder = &mut candidate.encoder;
    let unit = builder.unit();
    let quanta: Vec<i64> = std::iter::once(-1)
        .chain(STEPS.iter().map(|s| ((s * step / unit * 256.0) as i64).clamp(1, LARGEST)))
        .collect();
    let record = &mut encoder.program.record;
    let width = record.width();
    let count = quanta.len();
    // Classes that can run but have no tables yet.
    let (means, tables) = (record.classes.means.clone(), record.classes.latent_tables.clone());
    record.classes.count = count;
    record.classes.quantum.clone_from(&quanta);
    record.classes.means = means[..record.latent_clamp.len()].repeat(count);
    let sets = tables.len() / means.len().max(1) * record.latent_clamp.len();
    record.classes.latent_tables = tables[..sets].repeat(count);
    record.classes.residual_tables = vec![0; width * count];
    record.classes.next = vec![0; count];
    encoder.program = Program::new(encoder.program.record.clone(), builder.sample.schema.dtype)?;
    encoder.rule = Some(rule.clone());
    let symbols = symbols(encoder, builder.sample);
    let assigned: Vec<usize> = symbols.iter().flat_map(|s| s.forced.iter().copied()).collect();
    let input = ClassFitInput {
        record: &encoder.program.record,
        dtype: builder.sample.schema.dtype,
        line: builder.sample.schema.row_shape.last().copied().unwrap_or(1),
        symbols: &symbols,
        weight: builder.sample.weight(),
        whole: false,
        residual: true,
        quanta: Some(&quanta),
    };
    let fitted = fit_tables(&input, &assigned, count, None);
    encoder.program = Program::new(fitted.record, builder.sample.schema.dtype)?;
    encoder.costs = TableCosts::new(&encoder.program.tables);
    candidate.fitted_bytes = fitted.bytes;
    candidate.model_bytes = fitted.model_bytes;
    Ok(candidate)
}

fn symbols(encoder: &BlockEncoder, sample: &Sample) -> Vec<Symbols> {
    let runs: Vec<&[u8]> = sample.split().collect();
    runs.par_iter()
        .map(|bytes| {
            let normalised = encoder.projection.normalise(encoder.program.dtype, bytes);
            encoder.symbols(bytes, &encoder.projection.project(&normalised), false)
        })
        .collect()
}

/// Mean of each column's finite values over the whole file.
fn means(rows: &dyn Rows) -> Result<Vec<f64>> {
    Ok(crate::quality::FileStats::scan(rows)?.means)
}
