//! Which values of an array are asked for, and where each of them goes.

pub(super) use crate::codec::picked::Pick;
use crate::matrix::Tiling;
use std::ops::Range;

/// Values of an array that are asked for.
#[derive(Debug)]
pub(super) enum Wanted<'a> {
    /// Those of a box, in the order of memory.
    Region(Region),
    /// Rows of so many values, in ascending order of their numbers.
    Rows(&'a [Pick], usize),
}

impl Wanted<'_> {
    /// Visits those of the array's values `run` that are wanted: how many of the run are before them,
    /// how many of the output, and how many they are.
    pub(super) fn parts(&self, run: Range<usize>, mut visit: impl FnMut(usize, usize, usize)) {
        match self {
            Self::Region(region) => region.parts(run, visit),
            Self::Rows(picks, width) => {
                let mut at = run.start;
                while at < run.end {
                    let row = at / width;
                    let end = run.end.min((row + 1) * width);
                    let first = picks.partition_point(|pick| pick.row < row);
                    for pick in picks[first..].iter().take_while(|pick| pick.row == row) {
                        visit(at - run.start, pick.to * width + at % width, end - at);
                    }
                    at = end;
                }
            }
        }
    }
}

/// A box of an array.
#[derive(Debug)]
pub(super) struct Region {
    /// Last axis first. Axes that are together one run of memory are one.
    axes: Vec<Axis>,
}

#[derive(Debug)]
struct Axis {
    size: usize,
    range: Range<usize>,
}

impl Region {
    /// Takes `ranges` of an array of shape `shape`, which must lie within it.
    pub(super) fn new(shape: &[usize], ranges: &[Range<usize>]) -> Self {
        let mut axes = vec![Axis { size: 1, range: 0..1 }];
        for (&size, range) in shape.iter().zip(ranges).rev() {
            let last = axes.last_mut().expect("begins with one");
            if last.range == (0..last.size) {
                last.range = range.start * last.size..range.end * last.size;
                last.size *= size;
            } else if range.len() == 1 {
                let first = range.start * last.size;
                last.range = first + last.range.start..first + last.range.end;
                last.size *= size;
            } else {
                axes.push(Axis { size, range: range.clone() });
            }
        }
        Self { axes }
    }

    /// Visits the runs of memory that it consists of, in order.
    fn runs(&self, mut visit: impl FnMut(Range<usize>)) {
        let (line, outer) = self.axes.split_first().expect("never empty");
        let runs: usize = outer.iter().map(|axis| axis.range.len()).product();
        for run in 0..runs {
            let (mut rest, mut at, mut size) = (run, 0, line.size);
            for axis in outer {
                at += (axis.range.start + rest % axis.range.len()) * size;
                rest /= axis.range.len();
                size *= axis.size;
            }
            visit(at + line.range.start..at + line.range.end);
        }
    }

    fn parts(&self, run: Range<usize>, mut visit: impl FnMut(usize, usize, usize)) {
        let (line, outer) = self.axes.split_first().expect("never empty");
        let mut at = run.start;
        while at < run.end {
            let x = at % line.size;
            let end = run.end.min(at - x + line.size);
            let own = x.max(line.range.start)..(x + end - at).min(line.range.end);
            if own.start < own.end
                && let Some(before) = before(outer, at / line.size)
            {
                let to = before * line.range.len() + own.start - line.range.start;
                visit(at - run.start + own.start - x, to, own.len());
            }
            at = end;
        }
    }
}

/// Returns how many lines of the region are before line `line` of the array, if it has that.
fn before(axes: &[Axis], mut line: usize) -> Option<usize> {
    let (mut before, mut size) = (0, 1);
    for axis in axes {
        let here = line % axis.size;
        line /= axis.size;
        if !axis.range.contains(&here) {
            return None;
        }
        before += (here - axis.range.start) * size;
        size *= axis.range.len();
    }
    Some(before)
}

/// Tiles that hold what is wanted.
#[derive(Debug, Default)]
pub(super) struct Met {
    tiles: Vec<usize>,
    /// How many they were when they were last put in order.
    ordered: usize,
}

/// So many tiles are put in order at least.
const LEAST_ORDERED: usize = 1 << 16;

impl Met {
    /// Adds the tiles that have values of a box, which lies within the array.
    pub(super) fn add(&mut self, tiling: &Tiling, ranges: &[Range<usize>]) {
        if ranges.iter().any(Range::is_empty) {
            return;
        }
        if tiling.view() != tiling.array() {
            Region::new(tiling.array(), ranges)
                .runs(|run| tiling.segments(run, |segment| self.push(segment.tile)));
            return;
        }
        let places: Vec<Range<usize>> = (ranges.iter().zip(tiling.tile()))
            .map(|(range, tile)| range.start / tile..range.end.div_ceil(*tile))
            .collect();
        let mut place: Vec<usize> = places.iter().map(|range| range.start).collect();
        let mut left: usize = places.iter().map(Range::len).product();
        while left > 0 {
            self.push(tiling.number(&place));
            left -= 1;
            for (place, range) in place.iter_mut().zip(&places).rev() {
                *place += 1;
                if *place < range.end {
                    break;
                }
                *place = range.start;
            }
        }
    }

    fn push(&mut self, tile: usize) {
        if self.tiles.last() == Some(&tile) {
            return;
        }
        self.tiles.push(tile);
        if self.tiles.len() >= LEAST_ORDERED.max(2 * self.ordered) {
            self.order();
        }
    }

    fn order(&mut self) {
        self.tiles.sort_unstable();
        self.tiles.dedup();
        self.ordered = self.tiles.len();
    }

    /// Returns the tiles in ascending order.
    pub(super) fn tiles(mut self) -> Vec<usize> {
        self.order();
        self.tiles
    }
}
