//! What networks say of missing values.

use super::posterior;
use super::table::Table;
use crate::apps::column_units::ColumnUnits;
use crate::apps::learn::config_for_uses;
use crate::apps::model::{LatentNetworks, Model, nothing_hidden};
use crate::apps::values;
use crate::compress::{Codec, Config, Patches};
use crate::error::Result;
use crate::interrupt::checkpoint;
use crate::matrix::{DType, Schema};

/// Reconstructions of a row, at most, until its missing values stay where they are.
const PASSES: usize = 30;
/// Missing values stay where they are once the square of their change is this share of their own:
/// a thousandth of their size, finer than they can be known.
const SETTLED: f64 = 1e-6;
/// They will not settle where a change is so many times the one before, squared.
const DIVERGES: f64 = 4.0;
/// Rows of a trial, at most.
const TRIAL_ROWS: usize = 1000;
/// Rows without a missing value that are enough to learn from.
const ENOUGH_WHOLE_ROWS: usize = 2000;
/// How many times a codec is learned where there are fewer: first from rows whose gaps are filled
/// with means, then from what the first codec filled in.
const ROUNDS: usize = 2;
/// The share of values that is hidden while learning: as many as are missing, within these ends.
/// Fewer would hardly teach to fill gaps, more would leave too little to fill them from.
const HIDDEN: (f64, f64) = (0.25, 0.75);

/// All values of a table, in deviations, its gaps filled with codecs that are learned from it, with
/// parts of rows hidden: from the rows that lack nothing if there are enough, else twice, the second
/// time from what the first codec filled in. Columns that share a unit are learned in it.
pub(super) fn learn_and_fill(
    schema: &Schema,
    table: &Table,
    units: ColumnUnits,
    config: &Config,
) -> Result<Vec<f64>> {
    let width = table.width;
    let gaps: Vec<bool> = table.values.iter().map(|x| x.is_nan()).collect();
    let mut values: Vec<f64> =
        table.values.iter().map(|x| if x.is_nan() { 0.0 } else { *x }).collect();
    let mut dtype = DType::F32;
    if units == ColumnUnits::Shared {
        dtype = values::float(schema.dtype);
        values.iter_mut().enumerate().for_each(|(at, x)| *x = table.in_units(at % width, *x));
    }
    let config = hiding(schema, &gaps, config);
    let whole: Vec<usize> =
        (0..table.rows()).filter(|i| !gaps[i * width..(i + 1) * width].contains(&true)).collect();
    let from_whole_rows = whole.len() >= ENOUGH_WHOLE_ROWS;
    for _ in 0..if from_whole_rows { 1 } else { ROUNDS } {
        let mut rows = values::matrix(schema, dtype, &values)?;
        if from_whole_rows {
            rows = values::select(&rows, &whole)?;
        }
        let model = Model::new(&Codec::fit(&rows, &config_for_uses(&rows, &config)?)?)?;
        // Likelier latents would take a quarter more time, and change nothing in a mixture with the other ways.
        for part in values::parts(values.len() / width, width) {
            let range = part.start * width..part.end * width;
            by_reconstruction(&model, &mut values[range.clone()], &gaps[range])?;
        }
    }
    if units == ColumnUnits::Shared {
        values.iter_mut().enumerate().for_each(|(at, x)| *x = table.in_deviations(at % width, *x));
    }
    Ok(values)
}

/// The configuration with parts of rows hidden while learning, unless it asks for a kind of
/// network: single values, or where rows are not lines or images, values set to zero.
fn hiding(schema: &Schema, missing: &[bool], config: &Config) -> Config {
    let mut config = config.clone();
    if !config.train.is_kind() {
        let share = missing.iter().filter(|m| **m).count() as f64 / missing.len().max(1) as f64;
        let share = share.clamp(HIDDEN.0, HIDDEN.1);
        match schema.row_shape.len() {
            1 | 2 => config.train.mask = Some(Patches::new(1, 1, share)),
            _ => config.train.denoise.zero = Some(share),
        }
    }
    config
}

/// Sets missing values to what the model says they are, piece by piece.
///
/// A codec that was learned with parts of rows hidden is told which values are missing and gives all
/// of them at once. With any other, they are replaced by their reconstruction until they no longer
/// change; for a linear codec that is maximum likelihood by expectation maximisation (Tipping and
/// Bishop 1999, *Probabilistic principal component analysis*, section 3.3). Where a trial says that it is better, the
/// likeliest latents are looked for from there ([`posterior`]).
pub(super) fn fill(model: &Model, values: &mut [f64], missing: &[bool]) -> Result<()> {
    let width = model.schema.width();
    let networks = if model.is_transformer() { None } else { Some(model.latent_networks()?) };
    for part in values::parts(values.len() / width, width) {
        let range = part.start * width..part.end * width;
        let (own, missing) = (&mut values[range.clone()], &missing[range]);
        let networks = networks.filter(|networks| posterior::is_worth_it(networks, part.len()));
        let looks_for_latents = match networks {
            Some(networks) => is_nearer(model, networks, own, missing)?,
            None => false,
        };
        by_reconstruction(model, own, missing)?;
        if let Some(networks) = networks.filter(|_| looks_for_latents) {
            posterior::fill(networks, own, missing);
        }
    }
    Ok(())
}

/// Sets missing values of some rows to their reconstruction.
pub(super) fn by_reconstruction(model: &Model, values: &mut [f64], missing: &[bool]) -> Result<()> {
    checkpoint();
    let given = model.reconstructed(values, &|at| missing[at])?;
    replace(values, &given, missing);
    if model.is_masked() {
        return Ok(());
    }
    let mut last = f64::INFINITY;
    for _ in 1..PASSES {
        checkpoint();
        let given = model.reconstructed(values, &nothing_hidden)?;
        let change = replace(values, &given, missing);
        if change <= SETTLED || change > DIVERGES * last {
            break;
        }
        last = change;
    }
    Ok(())
}

/// Hides known values of some rows with gaps, as many as the next such row lacks and side by side as there, and says
/// whether the likeliest latents come nearer to them than reconstruction does.
fn is_nearer(
    model: &Model,
    networks: &LatentNetworks,
    values: &[f64],
    missing: &[bool],
) -> Result<bool> {
    let width = model.schema.width();
    let rows = missing.chunks_exact(width).zip(values.chunks_exact(width));
    let rows: Vec<_> = rows.filter(|(gaps, _)| gaps.contains(&true)).take(TRIAL_ROWS).collect();
    let (mut trial, mut gaps, mut hidden) = (Vec::new(), Vec::new(), Vec::new());
    let next = rows.iter().cycle().skip(1);
    for (i, ((own, values), (other, _))) in rows.iter().zip(next).enumerate() {
        trial.extend_from_slice(values);
        // Elsewhere in each row: all may lack the same columns.
        let other = other.iter().cycle().skip(i % width);
        let is_hidden = own.iter().zip(other).map(|(own, other)| !own && *other);
        let from = hidden.len();
        hidden.extend(is_hidden);
        gaps.extend(own.iter().zip(&hidden[from..]).map(|(own, hidden)| *own || *hidden));
    }
    let truth = trial.clone();
    let scale = networks.encoder()?.record.scale.iter().cycle();
    let error = |guessed: &[f64]| -> f64 {
        let both = guessed.iter().zip(&truth).zip(scale.clone()).zip(&hidden);
        let hidden = both.filter(|((_, scale), hidden)| **hidden && **scale > 0.0);
        hidden.map(|(((x, y), scale), _)| ((x - y) / scale).powi(2)).sum()
    };
    trial.iter_mut().zip(&gaps).filter(|(_, gap)| **gap).for_each(|(x, _)| *x = f64::NAN);
    by_reconstruction(model, &mut trial, &gaps)?;
    let before = error(&trial);
    posterior::fill(networks, &mut trial, &gaps);
    Ok(error(&trial) < before)
}

/// Sets missing values to those that are given; returns the mean square of the change over that of
/// the given values.
fn replace(values: &mut [f64], given: &[f64], missing: &[bool]) -> f64 {
    let (mut change, mut size) = (0.0, f64::MIN_POSITIVE);
    for ((x, y), m) in values.iter_mut().zip(given).zip(missing) {
        if *m {
            change += if x.is_finite() { (*x - y).powi(2) } else { y * y };
            size += y * y;
            *x = *y;
        }
    }
    change / size
}
