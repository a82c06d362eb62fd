//! Arrays that are not rows: cut into tiles, each of which is coded as a row.

mod boxes;
mod choose;
mod order;
mod part;
mod rows;
mod shapes;

use crate::compress::config::Config;
use crate::compress::pointwise::{self, CompandedRows};
use crate::compress::tile::Tile;
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::matrix::{Rows, Schema, Tiling};
use crate::quality::bounds;
use choose::{Comparison, best_ordered, is_no_table, smallest};
use rows::array_of;
pub(super) use rows::{Array, TiledRows};

/// Says how `rows` are to be cut, as `config` says; `None` where they stay what they are.
///
/// # Errors
/// `Argument` where shape and tile do not suit the rows, or the promise is about what tiles do not
/// have; `Io` if rows cannot be read.
pub(super) fn tiling(array: &Array<'_>, config: &Config) -> Result<Option<Tiling>> {
    if let Some(share) = pointwise::share(&config.fidelity)
        && let Some(companded) = CompandedRows::new(array.rows, share)?
    {
        return tiling_under(
            &Array::new(&companded, config.held_array())?,
            config,
            companded.bound(),
        );
    }
    let bounds = bounds(array.rows, &config.fidelity)?;
    tiling_under(array, config, bounds.and_then(|b| b.first().copied()).unwrap_or(0.0))
}

/// The same where values may be off by `bound`.
fn tiling_under(array: &Array<'_>, config: &Config, bound: f64) -> Result<Option<Tiling>> {
    let (schema, shape) = (array.rows.schema(), array_of(array.rows));
    let view = match &config.shape {
        Some(other) => view(&shape, other)?,
        None => shape.clone(),
    };
    let obstacle = obstacle(schema, &config.fidelity);
    let how = Comparison { bound, level: config.level, is_close: false };
    let tile = match (&config.tile, obstacle) {
        (Tile::Rows, _) | (Tile::Auto, Some(_)) => return Ok(None),
        (Tile::Shape(_), Some(why)) => {
            return Err(Error::argument(format!("{why}; leave out the tile")));
        }
        (Tile::Shape(tile), None) => tile.clone(),
        (Tile::Auto, None) => {
            match config.on_threads(|| smallest(array, (&shape, &view), how))?? {
                Some(tile) => tile,
                None => return Ok(None),
            }
        }
    };
    config.on_threads(|| best_ordered(array, (&shape, &view), &tile, how))?.map(Some)
}

/// Says whether there can be any reason to cut rows.
pub(super) fn may_be_cut(rows: &dyn Rows, config: &Config) -> bool {
    !rows.is_empty()
        && match config.tile {
            Tile::Rows => false,
            Tile::Shape(_) => true,
            Tile::Auto => {
                // A shape that is given is checked, whether it is of use or not.
                let is_free = obstacle(rows.schema(), &config.fidelity).is_none();
                config.shape.is_some() || is_free && is_no_table(&array_of(rows))
            }
        }
}

/// Checks the shape in which an array is to be seen.
fn view(array: &[usize], shape: &[usize]) -> Result<Vec<usize>> {
    let values = |shape: &[usize]| shape.iter().try_fold(1_usize, |n, m| n.checked_mul(*m));
    if values(shape) != values(array) {
        return Err(Error::argument(format!(
            "a shape of {shape:?} has another number of values than the array, whose shape is {array:?}"
        )));
    }
    Ok(shape.to_vec())
}

/// Says why an array cannot be cut, if so.
fn obstacle(schema: &Schema, promise: &Fidelity) -> Option<String> {
    let is_text = schema.origin.as_ref().is_some_and(|origin| origin.text.is_some());
    if schema.columns.is_some() || is_text {
        return Some("a table has columns, not tiles".to_string());
    }
    match promise {
        Fidelity::Lossless | Fidelity::MaxError(_) | Fidelity::MaxErrorPointwiseRel(_) => None,
        // The range of the only column is that of the array.
        Fidelity::MaxErrorRel(_) if schema.width() == 1 => None,
        other => Some(format!(
            "{other} is about rows or columns, which tiles cut through: tiles go with a bound on each \
             value, absolute or a share of it, or without loss"
        )),
    }
}
