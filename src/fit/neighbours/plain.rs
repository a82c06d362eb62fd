//! Codecs without latents that look at neighbours: the floor that no other may end above.

use crate::codec::program::Program;
use crate::container::model::ModelRecord;
use crate::encode::costs::TableCosts;
use crate::encode::encoder::BlockEncoder;
use crate::encode::symbols::Symbols;
use crate::error::Result;
use crate::fit::assemble::{PLACEHOLDER, placeholder_classes};
use crate::fit::candidate::Candidate;
use crate::fit::context::FitContext;
use crate::fit::data::columns::plan_alike;
use crate::fit::entropy::class_tables::{ClassFitInput, FittedClasses};
use crate::fit::entropy::classes::{ClassEffort, fit_classes};
use crate::fit::neighbours::atoms;
use crate::fit::neighbours::contexts::{ContextEffort, Uncontexted};
use crate::fit::neighbours::predict::{Comparison, Prediction};
use crate::fit::quantise::linear;
use crate::limits::Limits;
use crate::quality::Tally;
use rayon::prelude::*;

/// Values by which predictions are compared, for each that contexts are fitted by.
const COMPARED: usize = 1;
/// Effort for a comparison of the ways to count.
const QUICK: ContextEffort = ContextEffort { cells: 50_000, leaves: 64 };

/// A way to count and to predict.
struct Way {
    record: ModelRecord,
    aligned: bool,
    atoms: Vec<i64>,
}

/// Fits the smaller of two codecs without latents: one whose columns all count from the same integer in
/// the same steps, so that values can be compared with their neighbours, and one whose columns each
/// count in their own way.
///
/// # Errors
/// `Corrupt` or `Limit` where readers would refuse the model.
pub(crate) fn build(context: &FitContext<'_>, effort: ContextEffort) -> Result<Candidate> {
    let rows = (COMPARED * effort.cells / context.columns.len().max(1)).max(1);
    let thinned = context.sample.thinned(rows);
    let thin = FitContext { sample: thinned.as_ref().unwrap_or(context.sample), ..*context };
    let own = Way { record: linear::frame(context.columns), aligned: false, atoms: Vec::new() };
    let mut best: Option<(Way, Prediction, f64)> = None;
    for way in alike(context).into_iter().chain([own]) {
        let comparison = Comparison {
            context: &thin,
            encoder: &|p| way.encoder(&thin, p),
            predicted: &[],
            whole_values: true,
        };
        let (prediction, _) = comparison.best()?;
        let bytes = way.fitted(&thin, &prediction, QUICK)?.fitted_bytes;
        if std::env::var("AEZ_DEBUG").is_ok() {
            eprintln!(
                "aligned {} atoms {:?} bytes {bytes} {:?}",
                way.aligned,
                way.atoms,
                prediction
                    .neighbours(false, &[])
                    .coefficients
                    .iter()
                    .map(|c| c.first().copied())
                    .collect::<Vec<_>>()
            );
        }
        if best.as_ref().is_none_or(|b| bytes < b.2) {
            best = Some((way, prediction, bytes));
        }
    }
    let (way, prediction, _) = best.expect("there is a way");
    way.fitted(context, &prediction, effort)
}

/// All columns counted alike, where they have the same bound.
fn alike(context: &FitContext<'_>) -> Option<Way> {
    let plan = plan_alike(context.sample, context.columns)?;
    let step = (plan.grid.step as i64).max(1);
    // Where 0 is a whole number of steps away, it can be had exactly.
    let base = plan.base.div_euclid(step).wrapping_mul(step);
    let width = context.columns.len();
    let record = ModelRecord {
        grids: vec![plan.grid],
        grid_of: vec![0; width],
        base: vec![base; width],
        temporal: vec![0; width],
        ..ModelRecord::default()
    };
    let atoms = atoms::find(context, &plan.grid, base);
    Some(Way { record, aligned: true, atoms })
}

impl Way {
    /// An encoder whose program predicts but cannot code.
    fn encoder(&self, context: &FitContext<'_>, prediction: &Prediction) -> Result<BlockEncoder> {
        let record = ModelRecord {
            tables: vec![PLACEHOLDER],
            classes: placeholder_classes(&self.record, true),
            neighbours: Some(prediction.neighbours(self.aligned, &self.atoms)),
            ..self.record.clone()
        };
        let program = Program::new(record, context.sample.schema.dtype)?;
        let bounds = context.columns.iter().map(|c| c.bound).collect();
        let fills = context.sample.schema.fill_values.clone();
        let mut encoder = BlockEncoder::without_latents(program, bounds, fills);
        encoder.keeps_zero_rows = context.keeps_zero_rows;
        Ok(encoder)
    }

    fn fitted(
        &self,
        context: &FitContext<'_>,
        prediction: &Prediction,
        effort: ContextEffort,
    ) -> Result<Candidate> {
        let sample = context.sample;
        let mut encoder = self.encoder(context, prediction)?;
        let runs: Vec<&[u8]> = sample.split().collect();
        let symbols: Vec<Symbols> =
            runs.par_iter().map(|bytes| encoder.symbols(bytes, &[], true)).collect();
        let input = ClassFitInput {
            record: &encoder.program.record,
            dtype: sample.schema.dtype,
            line: context.line(),
            symbols: &symbols,
            specials: sample.specials(),
            weight: sample.weight(),
            whole: sample.is_whole(),
            residual: true,
            quanta: None,
        };
        let one = ClassEffort { classes: 1, rounds: 0 };
        let mut fitted = fit_classes(&input, if self.aligned { one } else { context.effort })?;
        if !self.atoms.is_empty() {
            // Atoms have no table yet, so that nothing can be smaller than with contexts.
            fitted.bytes = f64::INFINITY;
        }
        let plain = Uncontexted { context, encoder: &encoder, symbols: &symbols, fitted: &fitted };
        let refined = plain.refined(effort)?;
        let FittedClasses { model, bytes, .. } = refined.map_or(fitted, |c| c.fitted);
        let mut tally = Tally::default();
        symbols.iter().for_each(|s| tally.add(&s.tally));
        drop(symbols);
        encoder.program = Program::decode(&model.payload, 0, &sample.schema, &Limits::default())?;
        encoder.costs = TableCosts::new(&encoder.program.tables);
        Ok(Candidate { encoder, fitted_bytes: bytes, model, tally, linear: None })
    }
}
