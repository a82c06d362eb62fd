//! What stands for the missing values of rows while noise is looked for.

use super::source::Block;
use crate::error::Result;
use std::ops::Range;

/// A value for each gap of a block, row by row.
pub(super) struct Gaps {
    pub(super) values: Vec<f64>,
    /// How many gaps are before each piece, by the row it begins with.
    starts: Vec<(usize, usize)>,
    /// How many there are in each column, or where a block is wide in each row.
    pub(super) counts: Vec<usize>,
}

impl Gaps {
    /// Finds the gaps of a block and fills them with the means of their columns.
    pub(super) fn new(block: &Block<'_>) -> Result<Self> {
        let width = block.source.width();
        let is_wide = block.is_wide();
        let mut sums = vec![(0.0, 0.0); width];
        let mut counts = vec![0; if is_wide { block.rows.len() } else { width }];
        let mut count = 0;
        block.each(|rows, values| {
            for (i, row) in rows.zip(values.chunks_exact(width)) {
                for (j, x) in row.iter().enumerate() {
                    match x.is_nan() {
                        false => sums[j] = (sums[j].0 + x, sums[j].1 + 1.0),
                        true => {
                            counts[if is_wide { i } else { j }] += 1;
                            count += 1;
                        }
                    }
                }
            }
            Ok(())
        })?;
        let mut own = Self { values: Vec::with_capacity(count), starts: Vec::new(), counts };
        if count == 0 {
            return Ok(own);
        }
        let mean = |(sum, n): &(f64, f64)| if *n > 0.0 { sum / n } else { 0.0 };
        let means: Vec<f64> = sums.iter().map(mean).collect();
        block.each(|rows, values| {
            own.starts.push((rows.start, own.values.len()));
            let gaps = values.iter().enumerate().filter(|(_, x)| x.is_nan());
            own.values.extend(gaps.map(|(at, _)| means[at % width]));
            Ok(())
        })?;
        Ok(own)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The values of gaps from those of a piece on, which begins with row `first` of the block.
    fn from(&self, first: usize) -> usize {
        let piece = self.starts.partition_point(|(row, _)| *row < first);
        self.starts.get(piece).map_or(self.values.len(), |(_, gaps)| *gaps)
    }

    /// Fills the gaps of a piece, its `rows` of the block.
    pub(super) fn fill(&self, rows: &Range<usize>, values: &mut [f64]) {
        let gaps = values.iter_mut().filter(|x| x.is_nan());
        gaps.zip(&self.values[self.from(rows.start)..]).for_each(|(x, own)| *x = *own);
    }

    /// Takes values for the gaps of a piece, which are NaN in `values`, from those that are `given`; returns the
    /// square of the change.
    pub(super) fn take(&mut self, rows: &Range<usize>, values: &[f64], given: &[f64]) -> f64 {
        let first = self.from(rows.start);
        let gaps = values.iter().zip(given).filter(|(x, _)| x.is_nan());
        let mut change = 0.0;
        for ((_, new), own) in gaps.zip(&mut self.values[first..]) {
            change += (*own - new).powi(2);
            *own = *new;
        }
        change
    }
}
