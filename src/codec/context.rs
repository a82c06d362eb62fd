//! What is known of a value when it is decoded: the values around it in its row and in the rows
//! before, what they foretell, and the properties by which trees choose a table.
//!
//! All of it is made of residuals, never of the network's predictions: a row's latents and those of
//! the rows before are not needed.

use crate::container::model::{FEATURES, NEIGHBOURS};

/// Rows that are decoded side by side where none depends on the row before.
pub(crate) const LANES: usize = 8;
/// Rows before the present one that are kept, at most.
const ROWS_BEFORE: usize = 3;
/// Sums that predictions weigh are held within ±2^47, as [`super::value::carry`] does.
const LARGEST_SUM: i64 = 1 << 47;
/// Properties are made of numbers within ± this, so that sums of them have 32 bits: 16 times two of
/// them are just below 2^31.
const LARGEST: i64 = (1 << 26) - 1;
/// Differences are told apart to quarters of a step.
const QUARTER: u32 = 2;

/// Names of neighbours, in the order of their coefficients.
pub(crate) mod neighbour {
    pub(crate) const LEFT: usize = 0;
    pub(crate) const LEFT2: usize = 1;
    pub(crate) const LEFT3: usize = 2;
    pub(crate) const UP: usize = 3;
    pub(crate) const UP2: usize = 4;
    pub(crate) const UP_LEFT: usize = 5;
    pub(crate) const UP_RIGHT: usize = 6;
    pub(crate) const THIRD: usize = 7;
    pub(crate) const THIRD2: usize = 8;
    pub(crate) const THIRD3: usize = 9;
    pub(crate) const THIRD_LEFT: usize = 10;
    pub(crate) const THIRD_RIGHT: usize = 11;
    pub(crate) const THIRD_UP: usize = 12;
    pub(crate) const THIRD_DOWN: usize = 13;
    pub(crate) const THIRD_UP_LEFT: usize = 14;
    pub(crate) const THIRD_UP_RIGHT: usize = 15;
    /// The first of those in the third direction.
    pub(crate) const FIRST_THIRD: usize = THIRD;
}
use neighbour::{LEFT, LEFT2, LEFT3, THIRD, THIRD2, THIRD3, UP, UP_LEFT, UP_RIGHT, UP2};
use neighbour::{THIRD_DOWN, THIRD_LEFT, THIRD_RIGHT, THIRD_UP, THIRD_UP_LEFT, THIRD_UP_RIGHT};

/// Names of properties.
pub(crate) mod feature {
    pub(crate) const X: usize = 0;
    pub(crate) const Y: usize = 1;
    pub(crate) const PHASE: usize = 2;
    pub(crate) const LEFT: usize = 3;
    pub(crate) const UP: usize = 4;
    pub(crate) const UP_LEFT: usize = 5;
    pub(crate) const UP_RIGHT: usize = 6;
    pub(crate) const LEFT2: usize = 7;
    pub(crate) const UP2: usize = 8;
    pub(crate) const THIRD: usize = 9;
    pub(crate) const ACROSS: usize = 10;
    pub(crate) const DOWN: usize = 11;
    pub(crate) const RIGHT: usize = 12;
    pub(crate) const ACROSS2: usize = 13;
    pub(crate) const DOWN2: usize = 14;
    pub(crate) const DIAGONAL: usize = 15;
    pub(crate) const ALONG_THIRD: usize = 16;
    pub(crate) const PREDICTED: usize = 17;
    pub(crate) const LEAST: usize = 18;
    pub(crate) const MOST: usize = 19;
    pub(crate) const ACTIVITY: usize = 20;
    pub(crate) const RESIDUAL_LEFT: usize = 21;
    pub(crate) const RESIDUAL_UP: usize = 22;
    pub(crate) const RESIDUALS: usize = 23;
    pub(crate) const ACTIVITY_RESIDUALS: usize = 24;
    pub(crate) const RESIDUAL_THIRD: usize = 25;
    pub(crate) const ALL_RESIDUALS: usize = 26;
    pub(crate) const ATOMS: usize = 27;
    pub(crate) const ATOM_LEFT: usize = 28;
    pub(crate) const ATOM_UP: usize = 29;
    pub(crate) const ATOM_THIRD: usize = 30;
    pub(crate) const RESIDUALS_LEFT: usize = 31;
}

/// What was decoded of a row, or of `N` rows side by side.
#[derive(Debug, Clone, Default)]
struct Strip<const N: usize> {
    /// Differences between value and base, or between value and prediction, in fine units.
    sums: Vec<[i64; N]>,
    /// Residuals, in steps.
    residuals: Vec<[i32; N]>,
    /// Which atom each value is; 0 for none.
    atoms: Vec<[u8; N]>,
}

/// The row that is being decoded, or `N` of them, and those before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Window<const N: usize> {
    strips: Vec<Strip<N>>,
    /// Which of the strips is the present one.
    now: usize,
    /// How many rows of the block were decoded before it.
    before: usize,
    begun: bool,
}

impl<const N: usize> Window<N> {
    /// Makes room for rows of `width` columns and, if asked for, those before.
    pub(crate) fn new(width: usize, looks_back: bool) -> Self {
        let strip = Strip {
            sums: vec![[0; N]; width],
            residuals: vec![[0; N]; width],
            atoms: vec![[0; N]; width],
        };
        let strips = Self::strips(looks_back);
        Self { strips: vec![strip; strips], now: 0, before: 0, begun: false }
    }

    fn strips(looks_back: bool) -> usize {
        if looks_back { ROWS_BEFORE + 1 } else { 1 }
    }

    /// Returns the bytes that a window takes for each column.
    pub(crate) fn bytes(looks_back: bool) -> usize {
        let cell = size_of::<i64>() + size_of::<i32>() + size_of::<u8>();
        Self::strips(looks_back) * N * cell
    }

    /// Goes on to the next row, or the next `N`.
    pub(crate) fn begin_row(&mut self) {
        if self.begun && self.strips.len() > 1 {
            self.now = (self.now + 1) % self.strips.len();
            self.before = (self.before + 1).min(ROWS_BEFORE);
        }
        self.begun = true;
    }

    /// Notes column `j` of one of the rows.
    #[inline(always)]
    pub(crate) fn set(&mut self, lane: usize, j: usize, cell: Decoded) {
        let strip = &mut self.strips[self.now];
        strip.sums[j][lane] = cell.sum;
        strip.residuals[j][lane] = narrow(cell.residual);
        strip.atoms[j][lane] = cell.atom;
    }

    /// Copies the sums of one of the rows.
    pub(crate) fn copy_sums(&self, lane: usize, out: &mut [i64]) {
        let sums = &self.strips[self.now].sums;
        out.iter_mut().zip(sums).for_each(|(out, sum)| *out = sum[lane]);
    }

    /// Copies which atoms the values of one of the rows are.
    pub(crate) fn copy_atoms(&self, lane: usize, out: &mut [u8]) {
        let atoms = &self.strips[self.now].atoms;
        out.iter_mut().zip(atoms).for_each(|(out, atom)| *out = atom[lane]);
    }

    fn width(&self) -> usize {
        self.strips[0].sums.len()
    }

    #[inline(always)]
    fn strip(&self, back: usize) -> &Strip<N> {
        if back == 0 {
            return &self.strips[self.now];
        }
        &self.strips[(self.now + self.strips.len() - back) % self.strips.len()]
    }
}

/// What is noted of a value.
#[derive(Clone, Copy, Default)]
pub(crate) struct Decoded {
    pub(crate) sum: i64,
    pub(crate) residual: i64,
    pub(crate) atom: u8,
}

/// Where neighbours lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Directions {
    /// Columns back to the left; above and in the third direction as well, or 0 for the row before.
    pub(crate) distances: [usize; 3],
    /// Columns of a line: those up to the value above, or the whole row.
    pub(crate) line: usize,
}

/// A column and its place in its line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot {
    pub(crate) column: usize,
    /// Columns before it in its line.
    pub(crate) x: usize,
    /// Lines before its own in the row.
    pub(crate) y: usize,
}

/// A value's neighbours in `N` rows.
pub(crate) struct Near<const N: usize> {
    /// Their sums, in the order of coefficients.
    pub(crate) sums: [[i64; N]; NEIGHBOURS],
    /// Residuals to the left, above, above-left, above-right, twice to the left and in the third
    /// direction.
    residuals: [[i32; N]; 6],
    /// Which atoms are to the left, above, above-left, above-right and in the third direction.
    atoms: [[u8; N]; 5],
}

impl Directions {
    /// Finds the neighbours of a value. Of those that are not there, one to the left stands for one
    /// above and the other way round.
    #[inline(always)]
    pub(crate) fn near<const N: usize>(&self, window: &Window<N>, spot: Spot) -> Near<N> {
        let [a, b, c] = self.distances;
        let Spot { column: j, x, y } = spot;
        let rows = window.before;
        // Each is a row, counted backwards, and a column.
        let left = |n: usize| (x >= n * a).then(|| (0, j - n * a));
        let up = |n: usize| match b {
            0 => (rows >= n).then_some((n, j)),
            _ => (y >= n).then(|| (0, j - n * b)),
        };
        let third = |n: usize| match c {
            0 => (rows >= n).then_some((n, j)),
            _ => (j >= n * c).then(|| (0, j - n * c)),
        };
        let (l, u, t) = (left(1), up(1), third(1));
        let up_left = u.filter(|_| x >= a).map(|(row, column)| (row, column - a));
        let up_right = u.filter(|_| x + a < self.line).map(|(row, column)| (row, column + a));
        let sum = |at: Option<(usize, usize)>, other: [i64; N]| match at {
            Some((row, column)) => window.strip(row).sums[column],
            None => other,
        };
        let zero = [0; N];
        let mut sums = [zero; NEIGHBOURS];
        sums[UP] = sum(u, sum(l, zero));
        sums[LEFT] = sum(l, sums[UP]);
        sums[UP_LEFT] = sum(up_left, if l.is_some() { sums[LEFT] } else { sums[UP] });
        sums[UP_RIGHT] = sum(up_right, sums[UP]);
        sums[LEFT2] = sum(left(2), sums[LEFT]);
        sums[LEFT3] = sum(left(3), sums[LEFT2]);
        sums[UP2] = sum(up(2), sums[UP]);
        sums[THIRD] = sum(t, zero);
        sums[THIRD2] = sum(third(2), sums[THIRD]);
        sums[THIRD3] = sum(third(3), sums[THIRD2]);
        if let Some((row, column)) = t {
            // Where above is in the row before, its neighbours are those above.
            let (left, right, lines) = (x >= a, x + a < self.line, b > 0);
            let around = [
                (THIRD_LEFT, left.then(|| column.checked_sub(a))),
                (THIRD_RIGHT, right.then(|| column.checked_add(a))),
                (THIRD_UP, lines.then(|| column.checked_sub(b))),
                (THIRD_DOWN, lines.then(|| column.checked_add(b))),
                (THIRD_UP_LEFT, (lines && left).then(|| column.checked_sub(a + b))),
                (THIRD_UP_RIGHT, (lines && right).then(|| (column + a).checked_sub(b))),
            ];
            // In the row itself only what was decoded; in rows before, the last line may be short.
            let end = if row > 0 { window.width() } else { j };
            for (n, place) in around {
                let place = place.flatten().filter(|&k| k < end);
                sums[n] = sum(place.map(|k| (row, k)), sums[THIRD]);
            }
        }
        let residual = |at: Option<(usize, usize)>| match at {
            Some((row, column)) => window.strip(row).residuals[column],
            None => [0; N],
        };
        let atom = |at: Option<(usize, usize)>| match at {
            Some((row, column)) => window.strip(row).atoms[column],
            None => [0; N],
        };
        Near {
            sums,
            residuals: [l, u, up_left, up_right, left(2), t].map(residual),
            atoms: [l, u, up_left, up_right, t].map(atom),
        }
    }
}

impl Directions {
    /// Returns a value's place for its properties: in its line, the line's, and in the distance to the
    /// left, as that of a colour among those of a pixel.
    #[inline(always)]
    pub(crate) fn place(&self, spot: Spot) -> [usize; 3] {
        [spot.x, spot.y, spot.x % self.distances[0].max(1)]
    }
}

impl<const N: usize> Near<N> {
    /// Predicts a value's sum as the median of left, above and left + above − above-left.
    #[inline(always)]
    pub(crate) fn median(&self) -> [i64; N] {
        std::array::from_fn(|i| {
            let [l, u, ul] = [LEFT, UP, UP_LEFT].map(|n| self.sums[n][i]);
            let (least, most) = (l.min(u), l.max(u));
            l.wrapping_add(u).wrapping_sub(ul).clamp(least, most)
        })
    }

    /// Predicts a value's sum by coefficients in 1/256.
    #[inline(always)]
    pub(crate) fn weighted(&self, coefficients: &[i16; NEIGHBOURS], used: u32) -> [i64; N] {
        let mut total = [128; N];
        for (n, (sums, a)) in self.sums.iter().zip(coefficients).enumerate() {
            if used >> n & 1 == 0 {
                continue;
            }
            for (total, sum) in total.iter_mut().zip(sums) {
                *total += (*sum).clamp(-LARGEST_SUM, LARGEST_SUM) * i64::from(*a);
            }
        }
        total.map(|t| t >> 8)
    }

    /// Computes the properties of a value by which trees decide; `fraction` is the number of bits of
    /// a sum below a whole step, and `predicted` the prediction of the sum.
    #[inline(always)]
    pub(crate) fn features(
        &self,
        [x, y, phase]: [usize; 3],
        predicted: &[i64; N],
        fraction: u32,
    ) -> [[i32; N]; FEATURES] {
        let shift = fraction.saturating_sub(QUARTER);
        let unit = fraction.min(QUARTER);
        let mut f = [[0; N]; FEATURES];
        for i in 0..N {
            let sum = |n: usize| narrow(self.sums[n][i] >> shift);
            let (l, u, ul, ur) = (sum(LEFT), sum(UP), sum(UP_LEFT), sum(UP_RIGHT));
            let (ll, uu, t, tt) = (sum(LEFT2), sum(UP2), sum(THIRD), sum(THIRD2));
            let [rl, ru, rul, rur, rll, rt] = self.residuals.map(|r| r[i]);
            let [al, au, aul, aur, at] = self.atoms.map(|a| i32::from(a[i]));
            let activity = (l - ul).abs() + (u - ul).abs() + (ur - u).abs() + (l - ll).abs();
            let residuals = rl.abs() + ru.abs();
            let mut set = |name: usize, value: i32| f[name][i] = value;
            set(feature::X, x as i32);
            set(feature::Y, y as i32);
            set(feature::PHASE, phase as i32);
            set(feature::LEFT, l);
            set(feature::UP, u);
            set(feature::UP_LEFT, ul);
            set(feature::UP_RIGHT, ur);
            set(feature::LEFT2, ll);
            set(feature::UP2, uu);
            set(feature::THIRD, t);
            set(feature::ACROSS, l - ul);
            set(feature::DOWN, u - ul);
            set(feature::RIGHT, ur - u);
            set(feature::ACROSS2, l - ll);
            set(feature::DOWN2, u - uu);
            set(feature::DIAGONAL, l - u);
            set(feature::ALONG_THIRD, t - tt);
            set(feature::PREDICTED, narrow(predicted[i] >> shift));
            set(feature::LEAST, l.min(u).min(ul.min(ur)));
            set(feature::MOST, l.max(u).max(ul.max(ur)));
            set(feature::ACTIVITY, activity);
            set(feature::RESIDUAL_LEFT, rl);
            set(feature::RESIDUAL_UP, ru);
            set(feature::RESIDUALS, residuals);
            set(feature::ACTIVITY_RESIDUALS, activity.saturating_add((residuals << unit) * 4));
            set(feature::RESIDUAL_THIRD, rt);
            let others = rul.abs() + rur.abs() + rll.abs() + 2 * rt.abs();
            set(feature::ALL_RESIDUALS, 2 * residuals + others);
            set(feature::ATOMS, [al, au, aul, aur, at].map(|a| i32::from(a > 0)).iter().sum());
            set(feature::ATOM_LEFT, al);
            set(feature::ATOM_UP, au);
            set(feature::ATOM_THIRD, at);
            set(feature::RESIDUALS_LEFT, rl.abs() + rll.abs());
        }
        f
    }
}

/// Holds a number within the range of what properties are made of.
#[inline(always)]
fn narrow(v: i64) -> i32 {
    v.clamp(-LARGEST, LARGEST) as i32
}
