//! Points of rows.

use super::components::components;
use crate::apps::values;
use crate::error::{Error, Result};
use crate::matrix::Rows;

/// Points of `N` coordinates, and the share of the rows' variance, from 0 to 1, along each
/// coordinate if these are principal components.
pub type Points<const N: usize> = (Vec<[f64; N]>, Option<[f64; N]>);

/// Turns rows into points of `N` coordinates, 2 for a plane and 3 for space: rows of `N` numbers
/// as they are, wider ones by their first `N` principal components. Rows that are not finite
/// become points that are not.
///
/// # Errors
/// `Argument` if rows have less than `N` numbers; otherwise whatever reading the rows fails with.
pub fn to_points<const N: usize>(rows: &dyn Rows) -> Result<Points<N>> {
    let width = rows.schema().width();
    if width < N {
        return Err(Error::argument(format!(
            "rows of {width} numbers are no points of {N} coordinates; it takes {N} latents or more"
        )));
    }
    let values = values::to_doubles(rows)?;
    if width == N {
        return Ok((values.as_chunks::<N>().0.to_vec(), None));
    }
    Ok(components(&values, width))
}
