//! Neighbours of a codec that is being put together: how its residuals are predicted from them, and
//! their contexts.

use crate::codec::program::Program;
use crate::container::model::{ModelRecord, Neighbours, OWN_TABLE, TERMS, TreeNode};
use crate::encode::encoder::BlockEncoder;
use crate::encode::symbols::Symbols;
use crate::error::Result;
use crate::fit::context::FitContext;
use crate::fit::entropy::class_tables::FittedClasses;
use crate::fit::latent_lines::LatentsAbove;
use crate::fit::neighbours::contexts::{Uncontexted, predictions};
use crate::fit::neighbours::effort::NeighbourEffort;
use crate::fit::neighbours::geometry::{self, Directions};
use crate::fit::neighbours::predict::Comparison;

/// Returns how residuals are predicted from their neighbours, if that pays or there are atoms: `symbols`
/// are those of `encoder`, whose residuals are not predicted. Where `above` is known of latents, they are
/// predicted from the line of rows before as well, unless residuals look elsewhere in the rows before.
///
/// # Errors
/// Those of a program that no reader would take.
pub(crate) fn prediction(
    context: &FitContext<'_>,
    encoder: &BlockEncoder,
    symbols: &[Symbols],
    effort: NeighbourEffort,
    above: Option<&LatentsAbove>,
) -> Result<Option<Neighbours>> {
    let predicted = predictions(encoder, symbols);
    let record = &encoder.program.record;
    let comparison = Comparison {
        context,
        by_row: Some(context),
        encoder: &|p| {
            let neighbours = Some(p.neighbours(false, context.atoms));
            let record = ModelRecord { neighbours, ..record.clone() };
            let program = Program::new(record, context.sample.schema.dtype)?;
            Ok(BlockEncoder { program, ..encoder.clone() })
        },
        predicted: &predicted,
        whole_values: false,
        effort,
        some: effort.some_of(context.sample),
    };
    let prediction = comparison.best(above.map_or(0.0, |a| a.saved_bits))?;
    let mut neighbours = prediction.neighbours(false, context.atoms);
    let needed = !context.atoms.is_empty() || !prediction.is_nothing();
    let free = neighbours.line_of_rows > 0 || !neighbours.weighs_rows_in_third();
    if let Some(above) = above.filter(|_| free) {
        neighbours.line_of_rows = context.sample.line_of_rows;
        neighbours.latents_above = above.coefficients.clone();
        return Ok(Some(neighbours));
    }
    Ok(needed.then_some(neighbours))
}

/// Returns the fitted model with contexts where these make the file smaller; `symbols` are those of
/// `encoder`.
///
/// # Errors
/// Those of a program that no reader would take.
pub(crate) fn with_contexts(
    context: &FitContext<'_>,
    encoder: &BlockEncoder,
    symbols: &[Symbols],
    fitted: &FittedClasses,
) -> Result<Option<FittedClasses>> {
    let Some(effort) = context.neighbours.and_then(|n| n.contexts) else { return Ok(None) };
    if encoder.program.record.neighbours.is_some() {
        return Uncontexted { context, encoder, symbols, fitted }.refined(effort);
    }
    if encoder.program.temporal {
        return Ok(None);
    }
    let neighbours = Some(nothing(context));
    let record = ModelRecord { neighbours: neighbours.clone(), ..encoder.program.record.clone() };
    let program = Program::new(record, context.sample.schema.dtype)?;
    let encoder = BlockEncoder { program, ..encoder.clone() };
    let record = ModelRecord { neighbours, ..fitted.record.clone() };
    let fitted = FittedClasses { record, bytes: fitted.bytes, model: fitted.model.clone() };
    let symbols =
        symbols.iter().map(|s| Symbols { leaves: vec![0; s.residuals.len()], ..s.clone() });
    let symbols: Vec<Symbols> = symbols.collect();
    Uncontexted { context, encoder: &encoder, symbols: &symbols, fitted: &fitted }.refined(effort)
}

/// Neighbours by which nothing is predicted.
fn nothing(context: &FitContext<'_>) -> Neighbours {
    let Directions { distances, .. } = geometry::directions(context.sample, &[])[0];
    Neighbours {
        distances,
        coefficients: vec![Vec::new(); TERMS],
        atom_tree: vec![TreeNode::Leaf { table: Some(0), shift: 0 }],
        tree: vec![OWN_TABLE],
        ..Neighbours::default()
    }
}
