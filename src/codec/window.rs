//! What was decoded of rows that are decoded side by side, as far back as the rows to come look.
//!
//! All lies in one line of memory, step after step and in each step lane after lane, so that a
//! neighbour of all lanes is as many numbers back everywhere: only for the first lanes, whose row
//! before is that of the last lane one round earlier, it is another number of them.

use super::context::{Decoded, narrow};
use super::sum::Sum;
use super::surroundings::{Place, Surroundings};
use crate::container::model::NEIGHBOURS;
use crate::kernels::vector::{Vector, WIDTH};

/// Steps between two moves of what is looked back at, at least.
const STEPS: usize = 64;
/// The values that are decoded next, one in each lane.
#[derive(Debug, Clone)]
pub(crate) struct Front<const N: usize> {
    /// Their columns; not one of the row while a lane waits for its next row.
    pub(crate) column: [i32; N],
    /// Columns before them in their lines.
    pub(super) x: [i32; N],
    /// Lines before theirs in the row.
    pub(super) y: [i32; N],
    /// Rows of the block before theirs.
    pub(crate) row: [u32; N],
}

impl<const N: usize> Front<N> {
    fn new(delay: usize) -> Self {
        Self {
            column: std::array::from_fn(|i| -((i * delay) as i32)),
            x: [0; N],
            y: [0; N],
            row: std::array::from_fn(|i| i as u32),
        }
    }

    #[inline(always)]
    fn advance(&mut self, line: i32, period: i32) {
        for i in 0..N {
            let column = self.column[i] + 1;
            let ends = column == period;
            self.row[i] += if ends { N as u32 } else { 0 };
            self.column[i] = if ends { 0 } else { column };
            let x = self.x[i] + 1;
            let wraps = x == line;
            let begins = self.column[i] == 0;
            self.x[i] = if wraps || begins { 0 } else { x };
            self.y[i] = if begins { 0 } else { self.y[i] + i32::from(wraps) };
        }
    }
}

impl Front<WIDTH> {
    /// Advances in the same way.
    #[inline(always)]
    fn advance_swiftly<V: Vector>(&mut self, isa: V::Isa, line: i32, period: i32) {
        let (zero, one) = (V::all(isa, 0), V::all(isa, 1));
        let column = V::load(isa, &self.column).plus(one);
        let ends = column.is(V::all(isa, period));
        let column = zero.or(ends, column);
        let row = V::load(isa, bytemuck::cast_ref(&self.row));
        // Not chosen but added: a store of some of the numbers is waited for by whoever loads them all.
        let row = row.plus(V::all(isa, WIDTH as i32).or(ends, zero));
        let begins = column.is(zero);
        let x = V::load(isa, &self.x).plus(one);
        let wraps = x.is(V::all(isa, line));
        let y = V::load(isa, &self.y);
        let y = zero.or(begins, y.plus(one).or(wraps, y));
        let x = zero.or(begins, zero.or(wraps, x));
        (self.column, self.x, self.y) = (column.array(), x.array(), y.array());
        self.row = bytemuck::cast(row.array());
    }
}

/// How many numbers back a neighbour lies.
#[derive(Debug, Clone, Copy)]
struct Back<const N: usize> {
    near: usize,
    /// For the first lanes, whose row so many before was decoded a round earlier.
    far: usize,
    /// Not 0 for lanes that are such.
    is_far: [i32; N],
    /// The same as bits, and where both begin among all that is kept before the present step.
    far_lanes: u32,
    near_at: usize,
    far_at: usize,
}

/// Values that were decoded, the rows in `N` lanes.
#[derive(Debug, Clone)]
pub(crate) struct Window<S, const N: usize> {
    /// Differences between value and base, or between value and prediction, in fine units.
    sums: Vec<S>,
    /// Residuals, in steps.
    residuals: Vec<i32>,
    /// Which atom each value is; 0 for none.
    atoms: Vec<u8>,
    /// Where the present step begins.
    at: usize,
    /// Numbers before the present step that are kept.
    history: usize,
    backs: [Back<N>; NEIGHBOURS],
    front: Front<N>,
    /// Steps from a row to the one that follows it in the same lane.
    period: usize,
    line: usize,
    /// Whether all lanes begin at the same step.
    together: bool,
}

impl<const N: usize> Default for Back<N> {
    fn default() -> Self {
        Self { near: 0, far: 0, is_far: [0; N], far_lanes: 0, near_at: 0, far_at: 0 }
    }
}

impl<S: Sum, const N: usize> Window<S, N> {
    /// Makes room for `rows` rows with such surroundings, where each lane begins `delay` steps after the one
    /// before; values up to `reach` columns to the left may be asked for besides neighbours.
    pub(crate) fn new(
        surroundings: &Surroundings,
        rows: usize,
        delay: usize,
        reach: usize,
    ) -> Self {
        let period = surroundings.width().max(N * delay);
        // What lies before the first row is never there: blocks of few rows need little room.
        let ever = |n: usize| surroundings.ever(n) && surroundings.places[n].rows < rows;
        let mut backs: [Back<N>; NEIGHBOURS] = std::array::from_fn(|n| match ever(n) {
            true => Self::back(surroundings.places[n], delay, period),
            false => Back::default(),
        });
        let history = backs.iter().map(|b| b.near.max(b.far)).max().unwrap_or(0);
        let history = history.max(reach * N) + N;
        for back in &mut backs {
            (back.near_at, back.far_at) = (history - back.near, history - back.far);
        }
        let length = 2 * history + STEPS * N;
        Self {
            sums: vec![S::default(); length],
            residuals: vec![0; length],
            atoms: vec![0; length],
            at: history,
            history,
            backs,
            front: Front::new(delay),
            period,
            line: surroundings.line,
            together: delay == 0,
        }
    }

    fn back(place: Place, delay: usize, period: usize) -> Back<N> {
        // So many rounds and lanes before; in the first lanes, a round more and fewer lanes than none.
        let (rounds, n, lanes) = ((place.rows / N) as isize, place.rows % N, N as isize);
        let back = |rounds: isize, n: isize| {
            let steps = rounds * period as isize + n * delay as isize + place.columns;
            (steps * lanes + n).max(0) as usize
        };
        let near = back(rounds, n as isize);
        let far = if n == 0 { near } else { back(rounds + 1, n as isize - lanes) };
        let far_lanes = if near == far { 0 } else { (1 << n) - 1 };
        let is_far = std::array::from_fn(|lane| i32::from(lane < n));
        Back { near, far, is_far, far_lanes, ..Back::default() }
    }

    /// Returns the bytes that a window for such rows takes.
    pub(crate) fn bytes(surroundings: &Surroundings, delay: usize) -> u64 {
        let period = surroundings.width().max(N * delay);
        let cell = size_of::<S>() + size_of::<i32>() + size_of::<u8>();
        // No neighbour lies farther back than so many rounds, and lines.
        let rounds = surroundings.rows_before() / N + 4;
        let steps = 2 * (rounds * period.max(surroundings.width())) + STEPS;
        (steps * N * cell) as u64
    }

    /// Returns the values that are decoded next.
    #[inline(always)]
    pub(crate) fn front(&self) -> &Front<N> {
        &self.front
    }

    /// Returns the steps from a row to the one that follows it in the same lane.
    pub(crate) fn period(&self) -> usize {
        self.period
    }

    /// Goes on to the next step.
    #[inline(always)]
    pub(crate) fn advance(&mut self) {
        self.front.advance(self.line as i32, self.period as i32);
        self.at += N;
        if self.at + N > self.sums.len() {
            self.move_back();
        }
    }

    #[inline(never)]
    fn move_back(&mut self) {
        let kept = self.at - self.history..self.at;
        self.sums.copy_within(kept.clone(), 0);
        self.residuals.copy_within(kept.clone(), 0);
        self.atoms.copy_within(kept, 0);
        self.at = self.history;
    }

    /// Notes the present values.
    #[inline(always)]
    pub(crate) fn set(&mut self, sums: [S; N], residuals: [i32; N], atoms: [u8; N]) {
        let now = self.at..self.at + N;
        self.sums[now.clone()].copy_from_slice(&sums);
        self.residuals[now.clone()].copy_from_slice(&residuals);
        self.atoms[now].copy_from_slice(&atoms);
    }

    /// Notes the present value of the only lane.
    pub(crate) fn set_one(&mut self, cell: Decoded) {
        self.set([S::of(cell.sum); N], [narrow(cell.residual); N], [cell.atom; N]);
    }

    /// Says whether all lanes begin at the same step, so that they are always in the same column.
    #[inline(always)]
    pub(super) fn is_together(&self) -> bool {
        self.together
    }

    /// Returns a neighbour's sum in each lane; neighbours are in rows before only if `BACK` is set.
    #[inline(always)]
    pub(super) fn sums<const BACK: bool>(&self, n: usize) -> [S; N] {
        self.lanes::<BACK, _>(&self.sums, n)
    }

    /// Returns the sum so many columns to the left in each lane, which is some number where no value of the
    /// line lies there.
    #[inline(always)]
    pub(super) fn to_the_left(&self, columns: usize) -> [S; N] {
        step(&self.sums, self.at - columns * N)
    }

    /// Returns a neighbour's residual in each lane.
    #[inline(always)]
    pub(super) fn residuals<const BACK: bool>(&self, n: usize) -> [i32; N] {
        self.lanes::<BACK, _>(&self.residuals, n)
    }

    /// Returns which atom a neighbour is in each lane.
    #[inline(always)]
    pub(super) fn atoms<const BACK: bool>(&self, n: usize) -> [u8; N] {
        self.lanes::<BACK, _>(&self.atoms, n)
    }

    #[inline(always)]
    fn lanes<const BACK: bool, T: Copy + Default>(&self, all: &[T], n: usize) -> [T; N] {
        let Back { near, far, is_far, .. } = &self.backs[n];
        let mut out = step(all, self.at - near);
        if BACK && N > 1 {
            let far: [T; N] = step(all, self.at - far);
            for i in 0..N {
                out[i] = if is_far[i] != 0 { far[i] } else { out[i] };
            }
        }
        out
    }
}

impl Window<i32, WIDTH> {
    /// Goes on to the next step, as [`Self::advance`] does.
    #[inline(always)]
    pub(super) fn advance_swiftly<V: Vector>(&mut self, isa: V::Isa) {
        self.front.advance_swiftly::<V>(isa, self.line as i32, self.period as i32);
        self.at += WIDTH;
        if self.at + WIDTH > self.sums.len() {
            self.move_back();
        }
    }

    /// Returns what lies before the present values.
    #[inline(always)]
    pub(super) fn past(&self) -> Past<'_> {
        // What is far may begin less than a step back: only the first lanes are asked for.
        let past = self.at - self.history..self.at + WIDTH;
        Past {
            sums: &self.sums[past.clone()],
            residuals: &self.residuals[past.clone()],
            atoms: &self.atoms[past],
            backs: &self.backs,
        }
    }
}

/// What lies before the present values, as far back as anything is asked for.
#[derive(Clone, Copy)]
pub(super) struct Past<'a> {
    sums: &'a [i32],
    residuals: &'a [i32],
    atoms: &'a [u8],
    backs: &'a [Back<WIDTH>; NEIGHBOURS],
}

impl Past<'_> {
    /// Returns a neighbour's sum in each lane.
    #[inline(always)]
    pub(super) fn sum<V: Vector>(&self, isa: V::Isa, n: usize) -> V {
        self.numbers(isa, n, self.sums)
    }

    /// Returns the sum so many columns to the left in each lane, as [`Window::to_the_left`] does.
    #[inline(always)]
    pub(super) fn left_by<V: Vector>(&self, isa: V::Isa, columns: usize) -> V {
        V::load_at(isa, self.sums, self.sums.len() - (columns + 1) * WIDTH)
    }

    /// Returns a neighbour's residual in each lane.
    #[inline(always)]
    pub(super) fn residual<V: Vector>(&self, isa: V::Isa, n: usize) -> V {
        self.numbers(isa, n, self.residuals)
    }

    /// Returns which atom a neighbour is in each lane.
    #[inline(always)]
    pub(super) fn atom<V: Vector>(&self, isa: V::Isa, n: usize) -> V {
        let Back { near_at, far_at, far_lanes: far, .. } = self.backs[n];
        let own = V::load_bytes_at(isa, self.atoms, near_at);
        match far {
            0 => own,
            _ => V::load_bytes_at(isa, self.atoms, far_at).or(V::mask(isa, far), own),
        }
    }

    #[inline(always)]
    fn numbers<V: Vector>(&self, isa: V::Isa, n: usize, all: &[i32]) -> V {
        let Back { near_at, far_at, far_lanes: far, .. } = self.backs[n];
        let own = V::load_at(isa, all, near_at);
        match far {
            0 => own,
            _ => V::load_at(isa, all, far_at).or(V::mask(isa, far), own),
        }
    }
}

#[inline(always)]
fn step<T: Copy + Default, const N: usize>(all: &[T], at: usize) -> [T; N] {
    let mut out = [T::default(); N];
    out.copy_from_slice(&all[at..at + N]);
    out
}
