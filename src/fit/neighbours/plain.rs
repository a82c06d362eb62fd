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
use crate::fit::neighbours::contexts::Uncontexted;
use crate::fit::neighbours::effort::{ContextEffort, NeighbourEffort};
use crate::fit::neighbours::predict::{Comparison, Prediction};
use crate::fit::quantise::linear;
use crate::limits::Limits;
use crate::quality::Tally;
use rayon::prelude::*;

/// Effort for a comparison of the ways to count.
const QUICK: ContextEffort = ContextEffort { cells: 50_000, leaves: 64 };
/// How much larger than what is to be beaten the quick comparison may come out: with all effort it would
/// be smaller.
/// Columns of a row, at most: wider rows take much memory as it is.
const WIDEST: usize = 1 << 22;
/// Values by which the ways are compared, at most.
const QUICK_CELLS: usize = 150_000;
const PROMISING: f64 = 1.1;

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
/// None where a quick look says that it will not be below `limit` bytes.
///
/// # Errors
/// `Corrupt` or `Limit` where readers would refuse the model.
pub(crate) fn build(
    context: &FitContext<'_>,
    effort: ContextEffort,
    limit: f64,
) -> Result<Option<Candidate>> {
    if context.columns.len() > WIDEST {
        return Ok(None);
    }
    let rows = (effort.cells.min(QUICK_CELLS) / context.columns.len().max(1)).max(1);
    let thinned = context.sample.thinned(rows);
    let thin = FitContext { sample: thinned.as_ref().unwrap_or(context.sample), ..*context };
    let compared = NeighbourEffort { compared: QUICK_CELLS, thorough: true, contexts: None };
    let own = Way { record: linear::frame(context.columns), aligned: false, atoms: Vec::new() };
    let mut best: Option<(Way, Prediction, f64)> = None;
    for way in alike(context).into_iter().chain([own]) {
        let comparison = Comparison {
            context: &thin,
            encoder: &|p| way.encoder(&thin, p),
            predicted: &[],
            whole_values: true,
            effort: compared,
        };
        let prediction = comparison.best()?;
        let bytes = way.fitted(&thin, &prediction, QUICK)?.fitted_bytes;
        if std::env::var("AEZ_DEBUG").is_ok() {
            eprintln!("aligned {} atoms {:?} bytes {bytes}", way.aligned, way.atoms);
        }
        if best.as_ref().is_none_or(|b| bytes < b.2) {
            best = Some((way, prediction, bytes));
        }
    }
    match best {
        Some((way, prediction, bytes)) if bytes < PROMISING * limit => {
            way.fitted(context, &prediction, effort).map(Some)
        }
        _ => Ok(None),
    }
}

/// All columns counted alike, where they have the same bound.
fn alike(context: &FitContext<'_>) -> Option<Way> {
    let plan = plan_alike(context.sample, context.columns)?;
    let base = atoms::whole_base(&plan);
    let width = context.columns.len();
    let record = ModelRecord {
        grids: vec![plan.grid],
        grid_of: vec![0; width],
        base: vec![base; width],
        temporal: vec![0; width],
        ..ModelRecord::default()
    };
    let atoms = atoms::find(context.sample, &plan.grid, base);
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
            runs.par_iter().map(|bytes| encoder.symbols(bytes, &[], context.measures)).collect();
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
        let FittedClasses { model, bytes, .. } = refined.unwrap_or(fitted);
        let mut tally = Tally::default();
        symbols.iter().for_each(|s| tally.add(&s.tally));
        drop(symbols);
        encoder.program = Program::decode(&model.payload, 0, &sample.schema, &Limits::default())?;
        encoder.costs = TableCosts::new(&encoder.program.tables);
        Ok(Candidate { encoder, fitted_bytes: bytes, model, tally, linear: None })
    }
}
