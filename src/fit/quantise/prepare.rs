//! An autoencoder in floats to a decoder in integers and what finds its latents.

use crate::codec::network::IntegerNetwork;
use crate::container::model::ModelRecord;
use crate::error::{Error, Result};
use crate::fit::candidate::Prepared;
use crate::fit::data::columns::{ColumnPlan, normaliser};
use crate::fit::quantise::hidden::quantise_hidden;
use crate::fit::quantise::linear;
use crate::fit::quantise::network::{CLAMPS, ObservedDecoder, Precision};
use crate::fit::quantise::output::quantise_output;
use crate::fit::quantise::sensitivity::{column_slopes, latent_weights};
use crate::nn::autoencoder::Autoencoder;
use std::sync::Arc;

/// Rounds the decoder to integers, and keeps the encoder; `normalised` are the sample's rows in
/// residual steps.
///
/// # Errors
/// `Argument` where training has not come to a network of finite numbers, or finds latents that are
/// none.
pub(crate) fn prepare(
    net: &Autoencoder,
    columns: &[ColumnPlan],
    normalised: &[f32],
    precision: &Precision,
) -> Result<Prepared> {
    let mut projection = normaliser(columns);
    projection.latents = net.latents();
    projection.network = Some(Arc::new(net.encoder.in_units(precision.units)));
    let real = projection.project(normalised);
    if !net.is_finite() || !precision.units.is_normal() || !real.iter().all(|y| y.is_finite()) {
        return Err(Error::argument("training did not come to a network of finite numbers"));
    }
    let mut observed = ObservedDecoder::new(net, columns, &real, precision);
    let mut record = quantise(&observed, &real);
    for clamp in CLAMPS.into_iter().skip(1) {
        // Whoever reads the file asks for the same proof that no sum overflows.
        if IntegerNetwork::new(&record).is_ok() {
            break;
        }
        observed.set_clamp(clamp);
        record = quantise(&observed, &real);
    }
    let slopes = column_slopes(&observed, normalised);
    let weight = latent_weights(&observed, &slopes);
    let slopes = Some(slopes.iter().map(|s| *s as f32).collect());
    Ok(Prepared { projection, record, real, weight, slopes })
}

/// Makes the model but for temporal coefficients, classes and tables.
fn quantise(observed: &ObservedDecoder<'_>, real: &[f32]) -> ModelRecord {
    let mut record = linear::frame(observed.columns);
    record.trellis = observed.precision.trellis;
    let inputs = observed.inputs(&observed.latents);
    let hidden = quantise_hidden(observed, &inputs);
    quantise_output(observed, &mut record, hidden, &inputs);
    linear::clamp_latents(&mut record, real, &observed.deviation);
    record
}
