//! Where the neighbours of a value lie, and which of them are there.

use super::context::{Spot, neighbour};
use crate::container::model::{NEIGHBOURS, Neighbours};
use neighbour::{LEFT, LEFT2, LEFT3, THIRD, THIRD2, THIRD3, UP, UP_LEFT, UP_RIGHT, UP2};
use neighbour::{THIRD_DOWN, THIRD_LEFT, THIRD_RIGHT, THIRD_UP, THIRD_UP_LEFT, THIRD_UP_RIGHT};

/// Where a neighbour lies: so many rows before, and so many columns to the left.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) rows: usize,
    pub(super) columns: isize,
}

/// Where the neighbours of a row's values lie.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    /// Columns back to the left; above and in the third direction as well, or 0 for the row before.
    distances: [usize; 3],
    /// Rows to the one that the third direction leads to, if they are several.
    line_of_rows: usize,
    width: usize,
    /// Columns of a line: those up to the value above, or the whole row.
    pub(super) line: usize,
    pub(super) places: [Place; NEIGHBOURS],
    /// Of each column, a bit for each neighbour that is there once enough rows are before.
    columns: Vec<u16>,
    /// A bit for each neighbour that needs no more rows before than so many, up to where all are there.
    rows: Vec<u16>,
}

impl Surroundings {
    /// Finds the neighbours `n` in rows of `width` columns. Rows before are looked at where
    /// `looks_back` is set.
    pub(crate) fn new(n: &Neighbours, width: usize, looks_back: bool) -> Self {
        let Neighbours { distances, line_of_rows, .. } = *n;
        let [_, b, _] = distances;
        let line = if b == 0 { width } else { b };
        let places = places(distances, line_of_rows);
        let most = places.iter().map(|p| p.rows).max().filter(|_| looks_back);
        let of_rows = |rows: usize| -> u16 {
            let third = places[THIRD].rows <= rows;
            let there = |&n: &usize| places[n].rows <= rows && (n <= THIRD3 || third);
            (0..NEIGHBOURS).filter(there).map(|n| 1 << n).sum()
        };
        let rows = (0..=most.unwrap_or(0)).map(of_rows).collect();
        let columns = Vec::new();
        let mut out = Self { distances, line_of_rows, width, line, places, columns, rows };
        out.columns = out.spots().map(|spot| out.in_row(spot)).collect();
        out
    }

    /// Returns the columns of a row.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Visits the columns of a row, from the first to the last.
    pub(crate) fn spots(&self) -> impl Iterator<Item = Spot> + use<> {
        let line = self.line;
        let (mut x, mut y) = (0, 0);
        (0..self.width).map(move |column| {
            let spot = Spot { column, x, y };
            x += 1;
            if x == line {
                (x, y) = (0, y + 1);
            }
            spot
        })
    }

    /// Returns a bit for each neighbour of a column that is there once enough rows are before.
    fn in_row(&self, Spot { column, x, y }: Spot) -> u16 {
        let [a, b, c] = self.distances;
        let left = |n: usize| x >= n * a;
        let right = x + a < self.line;
        let up = |n: usize| b == 0 || y >= n;
        let third = |n: usize| c == 0 || column >= n * c;
        // Above the value that the third direction leads to is a line of its row, or a row of its line.
        let lines = b > 0 || c == 0 && self.line_of_rows > 0;
        let there = [
            (LEFT, left(1)),
            (LEFT2, left(2)),
            (LEFT3, left(3)),
            (UP, up(1)),
            (UP2, up(2)),
            (UP_LEFT, up(1) && left(1)),
            (UP_RIGHT, up(1) && right),
            (THIRD, third(1)),
            (THIRD2, third(2)),
            (THIRD3, third(3)),
            (THIRD_LEFT, third(1) && left(1)),
            (THIRD_RIGHT, third(1) && right),
            (THIRD_UP, third(1) && lines),
            (THIRD_DOWN, third(1) && lines),
            (THIRD_UP_LEFT, third(1) && lines && left(1)),
            (THIRD_UP_RIGHT, third(1) && lines && right),
        ];
        let inside = |n: usize| {
            let place = self.places[n];
            let at = column as isize - place.columns;
            // In the row itself only what was decoded; in rows before, the last line may be short.
            let end = if place.rows > 0 { self.width } else { column };
            0 <= at && at < end as isize
        };
        // Beside above there is no need to look: that lies in the line above.
        let beside_third = |n: usize| n > THIRD3;
        let there = there.into_iter().filter(|&(n, t)| t && (!beside_third(n) || inside(n)));
        there.map(|(n, _)| 1 << n).sum()
    }

    /// Returns a bit for each neighbour of a column that is there, `rows` rows of the block being
    /// before; none behind the end of a row.
    #[inline(always)]
    pub(super) fn there(&self, column: usize, rows: usize) -> u16 {
        self.in_column(column) & self.in_rows(rows)
    }

    /// Returns a bit for each neighbour of a column that is there once enough rows are before.
    #[inline(always)]
    pub(super) fn in_column(&self, column: usize) -> u16 {
        self.columns.get(column).copied().unwrap_or(0)
    }

    /// Returns a bit for each neighbour for which `rows` rows before are enough.
    #[inline(always)]
    pub(super) fn in_rows(&self, rows: usize) -> u16 {
        self.rows[rows.min(self.rows.len() - 1)]
    }

    /// Says whether a neighbour can be there.
    pub(super) fn ever(&self, n: usize) -> bool {
        self.rows[self.rows.len() - 1] >> n & 1 == 1
    }

    /// Says whether the third direction leads to a line of rows before.
    #[inline(always)]
    pub(super) fn is_lined(&self) -> bool {
        self.line_of_rows > 0
    }

    /// Returns how many rows before neighbours lie, at most.
    pub(super) fn rows_before(&self) -> usize {
        self.rows.len() - 1
    }

    /// Returns how many columns to the left the nearest neighbour lies.
    #[inline(always)]
    pub(super) fn distance(&self) -> usize {
        self.distances[0]
    }

    /// Returns the distance to the left, by which colours of a pixel are told apart.
    #[inline(always)]
    pub(super) fn phases(&self) -> usize {
        self.distances[0]
    }
}

fn places([a, b, c]: [usize; 3], line_of_rows: usize) -> [Place; NEIGHBOURS] {
    let at = |rows: usize, columns: usize| Place { rows, columns: columns as isize };
    let up = |n: usize| if b == 0 { at(n, 0) } else { at(0, n * b) };
    let apart = line_of_rows.max(1);
    let third = |n: usize| if c == 0 { at(n * apart, 0) } else { at(0, n * c) };
    // Above a value is a line of its row or, where a row is but one, the row before.
    let rows_up = isize::from(b == 0 && c == 0 && line_of_rows > 0);
    let beside = |of: Place, left: isize, up: isize| Place {
        rows: of.rows.saturating_add_signed(up * rows_up),
        columns: of.columns + left * a as isize + up * b as isize,
    };
    let mut out = [Place::default(); NEIGHBOURS];
    (out[LEFT], out[LEFT2], out[LEFT3]) = (at(0, a), at(0, 2 * a), at(0, 3 * a));
    (out[UP], out[UP2]) = (up(1), up(2));
    (out[UP_LEFT], out[UP_RIGHT]) = (beside(up(1), 1, 0), beside(up(1), -1, 0));
    (out[THIRD], out[THIRD2], out[THIRD3]) = (third(1), third(2), third(3));
    (out[THIRD_LEFT], out[THIRD_RIGHT]) = (beside(third(1), 1, 0), beside(third(1), -1, 0));
    (out[THIRD_UP], out[THIRD_DOWN]) = (beside(third(1), 0, 1), beside(third(1), 0, -1));
    out[THIRD_UP_LEFT] = beside(third(1), 1, 1);
    out[THIRD_UP_RIGHT] = beside(third(1), -1, 1);
    out
}
