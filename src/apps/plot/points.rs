//! Points of rows.

use super::components::components;
use crate::apps::column_scale::normalise;
use crate::apps::column_units::ColumnUnits;
use crate::apps::values;
use crate::apps::wild_rows::{Reach, distance_scales};
use crate::error::{Error, Result};
use crate::matrix::Rows;

/// Points of `N` coordinates, and the share of the rows' variance, from 0 to 1, along each
/// coordinate if these are principal components.
pub type Points<const N: usize> = (Vec<[f64; N]>, Option<[f64; N]>);

/// Turns rows into points of `N` coordinates, 2 for a plane and 3 for space: rows of `N` numbers
/// as they are, wider ones by their first `N` principal components. Of those, columns with [units
/// of their own](ColumnUnits) are brought to the same spread first, which is judged from the rows if
/// `units` does not say it, and missing values are filled in by what the components say of them.
///
/// Rows without a value become points that are not finite, and so do rows a hundred times as far
/// from all others as those from each other: all others would be one dot beside them.
///
/// # Errors
/// `Argument` if rows have less than `N` numbers; otherwise whatever reading the rows fails with.
pub fn to_points<const N: usize>(rows: &dyn Rows, units: Option<ColumnUnits>) -> Result<Points<N>> {
    let width = rows.schema().width();
    if width < N {
        return Err(Error::argument(format!(
            "rows of {width} numbers are no points of {N} coordinates; it takes {N} latents or more"
        )));
    }
    let mut values = values::to_doubles(rows)?;
    // Axes have scales of their own, whatever the units.
    let units = match units {
        _ if width == N => ColumnUnits::Own,
        Some(units) => units,
        None => ColumnUnits::judge(rows.schema(), &values),
    };
    let scales = distance_scales(&values, width, units);
    let reach = Reach::of(&values, scales.clone());
    let wild: Vec<bool> = values.chunks_exact(width).map(|row| reach.is_wild(row)).collect();
    let (mut points, shares) = if width == N {
        (values.as_chunks::<N>().0.to_vec(), None)
    } else {
        if units == ColumnUnits::Own {
            normalise(&mut values, &scales);
        }
        components(&values, width, &wild)
    };
    points.iter_mut().zip(&wild).filter(|(_, wild)| **wild).for_each(|(p, _)| *p = [f64::NAN; N]);
    Ok((points, shares))
}
