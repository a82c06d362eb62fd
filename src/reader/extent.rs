//! Which bytes of a file hold what is asked for, so that they can be fetched before they are needed.

use super::read::Reader;
use super::source::Source;
use super::tiles::tiles_of_rows;
use super::wanted::Met;
use crate::error::Result;
use std::ops::Range;

impl<S: Source> Reader<S> {
    /// Says which bytes of the file hold the rows with these numbers: those of each block that
    /// [`Reader::gather`] reads for them, in ascending order.
    ///
    /// Who fetches bytes from far away fetches all of these at once, and not one block after another.
    ///
    /// # Errors
    /// `Argument` if the file has no such row.
    pub fn bytes_of_rows(&self, rows: &[usize]) -> Result<Vec<Range<u64>>> {
        if let Some(row) = rows.iter().find(|row| **row >= self.rows()) {
            return Err(self.no_such_row(*row));
        }
        let mut rows = rows.to_vec();
        rows.sort_unstable();
        Ok(match self.tiling() {
            Some(tiling) => self.extents(tiles_of_rows(tiling, &rows)),
            None => self.extents(rows),
        })
    }

    /// The same for a box of the array, as [`Reader::read_region`] reads it.
    ///
    /// # Errors
    /// `Argument` if the array has no such box.
    pub fn bytes_of_region(&self, ranges: &[Range<usize>]) -> Result<Vec<Range<u64>>> {
        if self.region_values(ranges)? == 0 {
            return Ok(Vec::new());
        }
        let Some(tiling) = self.tiling() else { return Ok(self.extents(ranges[0].clone())) };
        let mut met = Met::default();
        met.add(tiling, ranges);
        Ok(self.extents(met.tiles()))
    }

    /// Returns the bytes of the blocks of coded rows, given in ascending order.
    fn extents(&self, rows: impl IntoIterator<Item = usize>) -> Vec<Range<u64>> {
        let index = &self.frame().index;
        let mut out = Vec::new();
        // The first row behind the blocks so far.
        let mut known = 0;
        for row in rows {
            if row as u64 >= known {
                let place = index.place(index.find(row as u64));
                known = place.row + place.rows as u64;
                out.push(place.offset..place.offset + place.length as u64);
            }
        }
        out
    }
}
