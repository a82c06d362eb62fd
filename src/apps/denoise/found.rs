//! The noise of all rows, found in blocks of them.

use super::patches::{Patches, Visit};
use super::shrinkage::{Shrunk, shrink};
use super::source::{Block, Source};
use crate::apps::column_units::ColumnUnits;
use crate::error::Result;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Rows or columns up to which all rows are worked on at once, and rows that are worked on at once
/// where there are more of both: the time it takes grows with the third power.
const MOST_ORDER: usize = 2048;
const BLOCK: usize = 1024;
/// The mean square of what rounding to whole numbers changes, a twelfth, and what it may be
/// measured as.
const ROUNDING: f64 = 1.2 / 12.0;

/// What noise that is said to be there counts at least and at most, in units of the spread.
const LEAST_NOISE: f64 = 1e-100;
const MOST_NOISE: f64 = 1e100;
/// Pieces of rows that patches are learned from, at most.
const PIECES: usize = 4;

/// What was found in all blocks of rows.
pub(super) struct Found<'a> {
    pub(super) source: Source<'a>,
    pub(super) units: ColumnUnits,
    /// The variance of the noise in those units, if it is known.
    given: Option<f64>,
    /// The ordinary rows of each block.
    pub(super) blocks: Vec<Range<usize>>,
    /// What was found in the last block that was looked at: there is one only where all rows are in it, and of
    /// many each takes as much memory as its rows.
    last: Mutex<Option<(usize, Option<Shrunk>)>>,
    /// The deviation of the noise in those units, if there is any.
    pub(super) noise: Option<f64>,
    /// Components that look like noise.
    pub(super) tail: usize,
    /// The most components in a block that are more than noise.
    pub(super) components: usize,
    pub(super) is_grouped: bool,
    /// What patches of rows say besides, if that is nearer.
    pub(super) patches: Option<Patches>,
}

impl<'a> Found<'a> {
    /// Looks for noise in all rows, but for those that are wild or have no value, in columns of the given units.
    pub(super) fn new(source: Source<'a>, units: ColumnUnits, given: Option<f64>) -> Result<Self> {
        let unit = match units {
            ColumnUnits::Shared => source.survey.reach.scales[0].scale,
            ColumnUnits::Own => 1.0,
        };
        // Far beyond all values and far below them, so that squares are numbers.
        let share = |deviation: f64| (deviation / unit).clamp(LEAST_NOISE, MOST_NOISE);
        let given = given.map(|deviation| share(deviation).powi(2));
        let ordinary = source.survey.ordinary.len();
        let is_large = ordinary.min(source.width()) > MOST_ORDER;
        let block = if is_large { BLOCK } else { ordinary.max(1) };
        let blocks = (0..ordinary).step_by(block).map(|at| at..ordinary.min(at + block)).collect();
        let last = Mutex::new(None);
        let (noise, tail, components, is_grouped) = (None, 0, 0, false);
        let patches = None;
        let mut own = Self {
            source,
            units,
            given,
            blocks,
            last,
            noise,
            tail,
            components,
            is_grouped,
            patches,
        };
        let mut strengths = Vec::new();
        let (mut tail, mut components, mut is_grouped) = (0, 0, false);
        for block in 0..own.blocks.len() {
            own.with(block, |shrunk| {
                strengths.push(shrunk.noise);
                tail += shrunk.tail;
                components = components.max(shrunk.components);
                is_grouped |= shrunk.is_grouped();
                Ok(())
            })?;
        }
        let variance = strengths.iter().sum::<f64>() / strengths.len() as f64;
        own.noise = (!strengths.is_empty()).then(|| unit * variance.sqrt());
        (own.tail, own.components, own.is_grouped) = (tail, components, is_grouped);
        Ok(own)
    }

    fn block(&self, block: usize) -> Block<'_> {
        Block { source: &self.source, rows: self.blocks[block].clone() }
    }

    /// Does something with what was found in a block, if there was anything.
    fn with(&self, block: usize, visit: impl FnOnce(&Shrunk) -> Result<()>) -> Result<()> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|(own, _)| *own != block) {
            let shares_unit = self.units == ColumnUnits::Shared;
            *last = Some((block, shrink(&self.block(block), shares_unit, self.given)?));
        }
        match &*last {
            Some((_, Some(shrunk))) => visit(shrunk),
            _ => Ok(()),
        }
    }

    /// Learns from rows of such a shape what their patches say. What is measured in different units is no neighbour.
    pub(super) fn learn_patches(&mut self, row_shape: &[usize]) -> Result<()> {
        if self.units == ColumnUnits::Own {
            return Ok(());
        }
        let pieces = self.some_pieces(PIECES);
        let visit = |i: usize, visit: &mut Visit<'_>| {
            let (block, piece) = &pieces[i];
            self.with(*block, |shrunk| {
                let (values, gaps) = self.filled(*block, piece, shrunk)?;
                visit(shrunk, &values, &gaps);
                Ok(())
            })
        };
        self.patches = Patches::learn(pieces.len(), row_shape, &visit)?;
        Ok(())
    }

    /// Some pieces of rows, at most `most`, from all parts of the data: their blocks, and which rows.
    fn some_pieces(&self, most: usize) -> Vec<(usize, Range<usize>)> {
        let all = (0..self.blocks.len()).flat_map(|i| {
            self.block(i).pieces(self.blocks[i].clone()).map(|piece| (i, piece)).collect::<Vec<_>>()
        });
        let all: Vec<_> = all.collect();
        let count = all.len().min(most);
        (0..count).map(|i| all[i * all.len() / count].clone()).collect()
    }

    /// Reads a piece of a block and fills its gaps; says which values these are.
    fn filled(
        &self,
        block: usize,
        piece: &Range<usize>,
        shrunk: &Shrunk,
    ) -> Result<(Vec<f64>, Vec<bool>)> {
        let mut values = self.source.read(piece.clone())?;
        let gaps = values.iter().map(|x| x.is_nan()).collect();
        let start = self.blocks[block].start;
        shrunk.fill(&(piece.start - start..piece.end - start), &mut values);
        Ok((values, gaps))
    }

    /// Tells of each row at `places` that noise was taken out of its place, its values, of which missing ones
    /// are NaN, and those without noise.
    pub(super) fn each(
        &self,
        places: Range<usize>,
        width: usize,
        mut visit: impl FnMut(usize, &[f64], &[f64]),
    ) -> Result<()> {
        let wanted = self.source.among(places);
        for (i, own) in self.blocks.iter().enumerate() {
            let part = wanted.start.max(own.start)..wanted.end.min(own.end);
            if part.is_empty() {
                continue;
            }
            let block = self.block(i);
            self.with(i, |shrunk| {
                for piece in block.pieces(part.clone()) {
                    let mut given = self.source.read(piece.clone())?;
                    let mut filled = given.clone();
                    shrunk.fill(&(piece.start - own.start..piece.end - own.start), &mut filled);
                    let mut clean = shrunk.apply(&filled);
                    if let Some(patches) = &self.patches {
                        let rows = piece.start.max(part.start)..piece.end.min(part.end);
                        let own =
                            (rows.start - piece.start) * width..(rows.end - piece.start) * width;
                        patches.apply(&filled[own.clone()], &mut clean[own]);
                    }
                    self.source.in_units(&mut given);
                    self.source.in_units(&mut clean);
                    let rows = given.chunks_exact(width).zip(clean.chunks_exact(width));
                    let rows = piece.zip(rows).filter(|(at, _)| part.contains(at));
                    rows.for_each(|(at, (given, clean))| {
                        visit(self.source.survey.ordinary[at], given, clean);
                    });
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Whether the noise of whole numbers is no more than that of rounding. In units of the columns'
    /// spread it is known by what taking it out changes.
    pub(super) fn is_rounding(&self) -> Result<bool> {
        if let (ColumnUnits::Shared, Some(noise)) = (self.units, self.noise) {
            return Ok(noise * noise <= ROUNDING);
        }
        let (mut sum, mut count) = (0.0, f64::MIN_POSITIVE);
        let rows = self.source.rows;
        self.each(0..rows.len(), rows.schema().width(), |_, given, clean| {
            for (x, y) in given.iter().zip(clean) {
                sum += (x - y).powi(2);
                count += 1.0;
            }
        })?;
        Ok(sum / count <= ROUNDING)
    }
}
