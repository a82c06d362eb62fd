//! Rows that noise is taken out of, some at a time.

use crate::apps::column_scale::{denormalise, normalise};
use crate::apps::made::Selected;
use crate::apps::values;
use crate::apps::wild_rows::Survey;
use crate::error::Result;
use crate::matrix::Rows;
use std::ops::Range;

/// Rows of a piece are a multiple of this where a block has more: products of matrices are made of as many
/// at once, so that it does not matter to them where pieces begin.
const ROWS_AT_ONCE: usize = 1024;
/// Values of a piece, about: 8 MiB, of which several copies are made.
const VALUES_AT_ONCE: usize = 1 << 20;

/// The rows that something can be learned from, in units in which columns can be compared.
pub(super) struct Source<'a> {
    pub(super) rows: &'a dyn Rows,
    pub(super) survey: Survey,
}

impl Source<'_> {
    pub(super) fn width(&self) -> usize {
        self.rows.schema().width()
    }

    /// Reads some of the ordinary rows; missing values are NaN.
    pub(super) fn read(&self, which: Range<usize>) -> Result<Vec<f64>> {
        let rows = Selected { rows: self.rows, places: &self.survey.ordinary };
        let mut values = values::read(&rows, which)?;
        normalise(&mut values, &self.survey.reach.scales);
        Ok(values)
    }

    /// Brings values back to the units of the rows.
    pub(super) fn in_units(&self, values: &mut [f64]) {
        denormalise(values, &self.survey.reach.scales);
    }

    /// The ordinary rows among those at some places.
    pub(super) fn among(&self, places: Range<usize>) -> Range<usize> {
        let before = |place: usize| self.survey.ordinary.partition_point(|at| *at < place);
        before(places.start)..before(places.end)
    }
}

/// Rows that noise is looked for in together.
pub(super) struct Block<'a> {
    pub(super) source: &'a Source<'a>,
    /// Which of the ordinary rows.
    pub(super) rows: Range<usize>,
}

impl Block<'_> {
    /// Whether there are more columns than rows.
    pub(super) fn is_wide(&self) -> bool {
        self.source.width() > self.rows.len()
    }

    /// The pieces that `rows` of the block lie in: all of it where it is wide.
    pub(super) fn pieces(&self, rows: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let whole = self.rows.clone();
        let products = VALUES_AT_ONCE / (ROWS_AT_ONCE * self.source.width().max(1));
        let step = match self.is_wide() {
            true => whole.len().max(1),
            false => ROWS_AT_ONCE * products.max(1),
        };
        let first = whole.start + (rows.start - whole.start) / step * step;
        (first..rows.end).step_by(step).map(move |at| at..whole.end.min(at + step))
    }

    /// Reads piece after piece; `visit` is told which rows of the block they are, from 0.
    pub(super) fn each(
        &self,
        mut visit: impl FnMut(Range<usize>, Vec<f64>) -> Result<()>,
    ) -> Result<()> {
        for piece in self.pieces(self.rows.clone()) {
            let values = self.source.read(piece.clone())?;
            visit(piece.start - self.rows.start..piece.end - self.rows.start, values)?;
        }
        Ok(())
    }
}
