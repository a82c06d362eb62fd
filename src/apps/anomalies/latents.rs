//! What a codec makes of rows, as points: their latents, and how much of them it does not give
//! back.

use super::config::AnomalyConfig;
use super::density::{Density, Differences};
use super::scoring::error_units;
use crate::apps::column_units::ColumnUnits;
use crate::apps::comparable::Comparable;
use crate::apps::made::Made;
use crate::apps::model::{Model, nothing_hidden};
use crate::apps::values;
use crate::compress::{Codec, Config};
use crate::error::Result;
use crate::matrix::{DType, Rows, Schema, to_little_endian};

/// Scores rows by the density of their latents and of the root of their mean squared error.
pub(super) fn scores(
    rows: &dyn Rows,
    codec: &Codec,
    config: &Config,
    how: &AnomalyConfig,
) -> Result<Vec<f64>> {
    let model = Model::new(codec)?;
    model.expect(rows.schema())?;
    let networks = model.latent_networks()?;
    let (given, latents) = (rows.schema().dtype, model.latents());
    let units = error_units(rows, how, config)?;
    let make = |bytes: Vec<u8>| {
        let values = values::doubles(given, &bytes);
        let own = model.embedded(&values, &nothing_hidden)?;
        let back = networks.values(&own);
        let mut out = Vec::with_capacity(own.len() + own.len() / latents);
        let rows = values.chunks_exact(units.len()).zip(back.chunks_exact(units.len()));
        for ((row, back), own) in rows.zip(own.chunks_exact(latents)) {
            let errors = row.iter().zip(back).zip(&units).map(|((x, y), unit)| (x - y) / unit);
            let known: Vec<f64> = errors.filter(|e| !e.is_nan()).collect();
            if known.is_empty() {
                out.extend(vec![f32::NAN; latents + 1]);
            } else {
                let squares: f64 = known.iter().map(|e| e * e).sum();
                out.extend_from_slice(own);
                out.push((squares / known.len() as f64).sqrt() as f32);
            }
        }
        Ok(to_little_endian(&out))
    };
    let points = Made { rows, schema: Schema::new(DType::F32, &[latents + 1]), make };
    let points = Comparable::new(&points, Some(ColumnUnits::Own), config)?;
    points.expect_ordinary()?;
    let density = Density::fit(&points, config, how)?;
    Differences::new(points.rows, density, config).scores()
}
