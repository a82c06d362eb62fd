//! Embeddings of rows, learned from the rows themselves.

use super::column_units::ColumnUnits;
use super::comparable::Comparable;
use super::learn::config_for_uses;
use super::model::Model;
use super::principal::Principal;
use super::values;
use crate::compress::{Codec, Config, Loss};
use crate::error::{Error, Result};
use crate::matrix::{Matrix, Rows};
use crate::quality::Quality;
use std::sync::Arc;

/// Latents where none are asked for: points of a plane.
const LATENTS: usize = 2;

/// What [`embed`] made of rows.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Embedded {
    /// The latents of each row: rows × latents, `f32`; NaN for rows without any value.
    pub latents: Matrix,
    /// Whether columns share a unit; if not, each was divided by its spread first.
    pub units: ColumnUnits,
    /// The share of the variance of ordinary rows, from 0, that the latents do not tell; `None`
    /// where there is no variance.
    pub lost: Option<f64>,
    /// Whether rows were too few for a network, so that latents are principal components.
    pub is_components: bool,
    /// Rows so far from all others, or infinite, that nothing was learned from them.
    pub wild_rows: usize,
    /// Rows without any value.
    pub empty_rows: usize,
}

/// Learns an autoencoder from `rows` with `config` and returns the latents of the rows: as many as
/// [`TrainConfig::latents`](crate::TrainConfig::latents) says, or 2.
///
/// The network is trained on the squared error unless the configuration asks for a kind. Columns
/// with [units of their own](ColumnUnits) are brought to the same spread first. Rows a hundred times
/// as far from all others as those from each other, and rows without a value, have no part in
/// learning. Fewer rows than [`Codec::LEAST_ROWS`] are too few for a network: their latents are
/// principal components.
///
/// ```
/// use aezip::{Config, Matrix, Rows, apps};
/// let wave = |i: i32| (0.3 * f64::from(i / 6)).sin() * f64::from(i % 6);
/// let rows = Matrix::from_slice(&(0..180).map(wave).collect::<Vec<_>>(), &[6])?;
/// let found = apps::embed(&rows, &Config::default())?;
/// assert_eq!((found.latents.len(), found.latents.schema().width()), (30, 2));
/// assert!(found.is_components && found.lost.unwrap() < 1e-6);
/// # Ok::<(), aezip::Error>(())
/// ```
///
/// # Errors
/// `Argument` if there is no row with values, rows do not differ, or the configuration makes no
/// sense for them; otherwise whatever reading the rows fails with.
pub fn embed(rows: &dyn Rows, config: &Config) -> Result<Embedded> {
    let found = learn_embedding(rows, config)?;
    Ok(Embedded {
        latents: Matrix::of(&*found.latents()?)?,
        units: found.units,
        lost: found.lost,
        is_components: found.is_components(),
        wild_rows: found.wild_rows,
        empty_rows: found.empty_rows,
    })
}

/// What [`learn_embedding`] learned from rows.
pub struct Embedding<'a> {
    /// The rows, each column divided by its spread if units are its own.
    rows: Arc<dyn Rows + 'a>,
    how: How,
    /// Whether columns share a unit.
    pub units: ColumnUnits,
    /// The share of the variance of ordinary rows, from 0, that the latents do not tell; `None`
    /// where there is no variance.
    pub lost: Option<f64>,
    /// Rows that nothing was learned from, as they are infinite or far from all others.
    pub wild_rows: usize,
    /// Rows without any value.
    pub empty_rows: usize,
}

/// What makes latents of rows.
enum How {
    Model(Box<Model>),
    Components(Principal),
}

impl Embedding<'_> {
    /// Whether rows were too few for a network, so that latents are principal components.
    pub fn is_components(&self) -> bool {
        matches!(self.how, How::Components(_))
    }

    /// The latents of each row, as those of [`embed`]; those of a network are found when they are read, so
    /// that they are never all in memory.
    ///
    /// # Errors
    /// Whatever reading the rows fails with.
    pub fn latents(&self) -> Result<Box<dyn Rows + '_>> {
        Ok(match &self.how {
            How::Model(model) => Box::new(model.embedding(&*self.rows)?),
            How::Components(found) => Box::new(found.embed(&*self.rows)?),
        })
    }
}

/// Learns what [`embed`] does, without finding the latents of all rows.
///
/// # Errors
/// Those of [`embed`].
pub fn learn_embedding<'a>(rows: &'a dyn Rows, config: &Config) -> Result<Embedding<'a>> {
    let comparable = Comparable::new(rows, None, config)?;
    if comparable.ordinary.is_empty() {
        return Err(Error::argument("no row has values, so there is nothing to learn from"));
    }
    let mut config = config.clone();
    if config.train.transformer.is_none() {
        config.train.latents = config.train.latents.or(Some(LATENTS));
    }
    if !config.train.is_kind() {
        config.train.loss = Loss::SquaredError;
    }
    config.validate()?;
    let learned_from = comparable.learned_from();
    let (how, lost) = if learned_from.len() < Codec::LEAST_ROWS {
        let values = values::to_doubles(&learned_from)?;
        let count = config.train.latents.unwrap_or(LATENTS);
        let found = Principal::fit(&values, learned_from.schema().width(), count);
        let schema = learned_from.schema();
        let given = values::matrix(schema, schema.dtype, &found.reconstructed(&values))?;
        let lost = Quality::measure(&learned_from, &given)?.nmse;
        (How::Components(found), Some(lost).filter(|lost| lost.is_finite()))
    } else {
        let own = config_for_uses(&learned_from, &config)?;
        let model = Box::new(Model::new(&Codec::fit(&learned_from, &own)?)?);
        let lost = model.lost(&learned_from)?;
        (How::Model(model), lost)
    };
    let Comparable { rows, units, wild, empty, .. } = comparable;
    Ok(Embedding { rows, how, units, lost, wild_rows: wild, empty_rows: empty })
}
