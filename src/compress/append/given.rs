//! Rows to be appended: are they like those of the file?

use super::tail::Tail;
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::matrix::{Described, Rows, Schema, Tiling};
use crate::quality::text_stays_true;

/// Rows, described as those of the file are.
pub(super) struct Given<'a> {
    pub(super) rows: Described<'a>,
    /// How they are cut into tiles, where the array is.
    pub(super) tiling: Option<Tiling>,
}

impl<'a> Given<'a> {
    /// Compares rows with those of the file.
    ///
    /// # Errors
    /// `Argument` where they cannot follow each other; those of reading either.
    pub(super) fn new(tail: &Tail, rows: &'a dyn Rows) -> Result<Self> {
        let (own, given) = (tail.reader.schema(), rows.schema());
        if let Fidelity::RowNmse(_) = tail.promise()? {
            return Err(Error::argument(
                "row-nmse is about the means of all rows, which more rows would move under those that are \
                 there: compress all of them together, or with row-l2",
            ));
        }
        if own.dtype != given.dtype || own.row_shape != given.row_shape {
            return Err(Error::argument(format!(
                "the file holds {} rows of shape {:?}, these are {} of shape {:?}",
                own.dtype, own.row_shape, given.dtype, given.row_shape
            )));
        }
        if let (Some(own), Some(given)) = (&own.columns, &given.columns)
            && let Some((a, b)) = own.iter().zip(given).find(|(a, b)| a != b)
        {
            return Err(Error::argument(format!(
                "the file has a column {a:?} where these rows have {b:?}: put them into the same order"
            )));
        }
        if given.kept_text().is_some() || tail.reader.kept_text()?.is_some() {
            return Err(Error::argument(
                "columns of text cannot be appended to: compress all rows together, or leave the text out",
            ));
        }
        let schema = Schema { tiling: None, ..own.clone() };
        let rows = Described { rows, schema };
        if let Some(column) = text_stays_true(&rows, given)? {
            return Err(Error::argument(format!(
                "column {column} of the file has decimals of a few places, and some of these rows have more: \
                 whoever prints rows would round them"
            )));
        }
        let tiling = match tail.reader.tiling() {
            Some(own) if rows.len() > 0 => Some(tiling(own, rows.len())?),
            _ => None,
        };
        Ok(Self { rows, tiling })
    }
}

/// Returns how `rows` more rows of an array are cut as the others are.
fn tiling(own: &Tiling, rows: usize) -> Result<Tiling> {
    let before = own.array().first().copied().unwrap_or(1);
    let step = own.rows_at_a_time().ok_or_else(|| {
        Error::argument("the file holds an array whose tiles end within rows: none can follow")
    })?;
    if !before.is_multiple_of(step) {
        return Err(Error::argument(format!(
            "the file holds an array cut into tiles of {:?}, {step} rows at a time: only behind a multiple \
             of so many rows others can follow, and it has {before}; compress arrays that will grow with \
             --tile rows",
            own.tile()
        )));
    }
    let fits = || {
        let longer = own.with_first_axis(before.checked_add(rows)?)?;
        let (mut array, mut view) = (longer.array().to_vec(), longer.view().to_vec());
        (array[0], view[0]) = (rows, view[0] - own.view()[0]);
        let (mut tile, mut patch) = (own.tile().to_vec(), own.patch().to_vec());
        tile[0] = tile[0].min(view[0]);
        patch[0] = patch[0].min(view[0].div_ceil(own.tile()[0]));
        // A tile that is not whole stands for one of the same shape.
        (tile == own.tile()).then(|| Tiling::with_patch(&array, &view, &tile, &patch).ok())?
    };
    fits().ok_or_else(|| {
        Error::argument(format!(
            "the file holds an array cut into tiles of {:?}: {rows} rows are no whole tile, append more of \
             them at once",
            own.tile()
        ))
    })
}
