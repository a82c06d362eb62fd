//! The loop over values of rows side by side, written with vectors: what [`super::steps`] says, [`super::near`]
//! and [`super::neighbourhood`], for sums of 32 bits. Those are the reference; all give the same numbers.

use super::context::{LANES, LARGEST, feature, neighbour};
use super::course::{Course, Meeting};
use super::near::{AROUND, OF_ATOMS, OF_RESIDUALS, QUARTER, WITH_ATOMS};
use super::neighbourhood::Neighbourhood;
use super::program::Program;
use super::steps::{Lanes, Work, complete};
use super::weights::OF_NEIGHBOURS;
use super::window::{Past, Window};
use crate::container::model::{FEATURES, NEIGHBOURS};
use crate::entropy::lanes::LaneDecoder;
use crate::entropy::pool::LAST_INCOMPLETE;
use crate::kernels::Isa;
use crate::kernels::run::run_vectors;
use crate::kernels::vector::{Vector, VectorLoop};
use neighbour::{LEFT, LEFT2, LEFT3, THIRD, THIRD2, THIRD3, UP, UP_LEFT, UP_RIGHT, UP2};

/// Rows that are decoded with vectors.
type SwiftLanes = Lanes<i32, LANES>;

/// Decodes as many steps as `work` says.
pub(super) fn run(lanes: &mut SwiftLanes, work: &Work<'_>, coder: &mut LaneDecoder<'_>, isa: Isa) {
    run_vectors(isa, Run { lanes, work, coder });
}

struct Run<'a, 'c, 'b> {
    lanes: &'a mut SwiftLanes,
    work: &'a Work<'a>,
    coder: &'c mut LaneDecoder<'b>,
}

impl VectorLoop for Run<'_, '_, '_> {
    #[inline(always)]
    fn run<V: Vector>(self, isa: V::Isa) {
        let Self { lanes, work: Work { program, n, steps }, coder } = self;
        let mut own = *coder;
        let course = n.course();
        let mut features = [V::all(isa, 0); FEATURES];
        for _ in 0..*steps {
            step::<V>(isa, (lanes, &mut features), (program, n, course), &mut own);
        }
        *coder = own;
    }
}

/// Decodes a value in each lane.
#[inline(always)]
fn step<V: Vector>(
    isa: V::Isa,
    (lanes, features): (&mut SwiftLanes, &mut [V; FEATURES]),
    (p, n, course): (&Program, &Neighbourhood, Option<&Course>),
    coder: &mut LaneDecoder<'_>,
) {
    let column = lanes.window.front().column;
    let (there, mut coded) = present::<V>(isa, lanes, (p, n));
    let (around, predicted) = match course {
        Some(course) => {
            // The first lane begins each period anew.
            let step = column[0].max(0) as usize;
            let met = There::<V>::meeting(isa, lanes, course.meeting(step));
            let around = Around::<V>::of(isa, &lanes.window, n, met);
            let predicted = around.predict(isa, (n, &lanes.window), course.weights(step));
            (around, predicted)
        }
        None => {
            lanes.weights.follow(&n.coefficients, lanes.window.front());
            let found = There::<V>::of(isa, &lanes.window, n);
            let around = Around::<V>::of(isa, &lanes.window, n, found);
            let used = n.coefficients.used | OF_NEIGHBOURS;
            let own = &lanes.weights.used(used)[..used.count_ones() as usize];
            let predicted = around.predict(isa, (n, &lanes.window), own);
            (around, predicted)
        }
    };
    let mut leaves = [[0; LANES]; 2];
    if n.has_contexts() {
        around.features(isa, (n, &lanes.window), predicted, features);
        leaves = n.swift_leaves(isa, features);
    }
    let zero = V::all(isa, 0);
    let (mut atoms, mut are_atoms) = (zero, 0);
    if !n.atoms.is_empty() {
        let tables = looked_up(n.atom_tables(), &leaves[1]);
        let named = read::<V>(isa, (p, n), (&tables, coded), coder).short;
        let most = V::all(isa, n.atoms.len() as i32);
        lanes.stray |= V::bits(named.is_above(most)) | V::bits(zero.is_above(named)) != 0;
        atoms = named.least(most).most(zero);
        are_atoms = V::bits(atoms.is_above(zero));
        coded &= !are_atoms;
    }
    let tables = match n.tables() {
        Some(tables) => looked_up(tables, &leaves[0]),
        None => lanes.tables(p, n, &leaves[0]),
    };
    let residuals = read::<V>(isa, (p, n), (&tables, coded), coder);
    let mut sum = added::<V>(isa, lanes, n, (predicted, &residuals), there);
    if are_atoms != 0 {
        sum = with_atoms::<V>(isa, lanes, (p, n), (sum, atoms), there);
    }
    let largest = V::all(isa, LARGEST as i32);
    let short = residuals.short.least(largest).most(zero.minus(largest));
    let atoms = atoms.bytes();
    lanes.keep_swiftly::<V>(isa, sum, &atoms);
    lanes.window.set(sum.array(), short.array(), atoms);
    lanes.window.advance_swiftly::<V>(isa);
}

/// Returns the tables of leaves.
#[inline(always)]
fn looked_up(tables: &[u32], leaves: &[u16; LANES]) -> [u32; LANES] {
    let mut out = [0; LANES];
    for i in 0..LANES {
        out[i] = tables[usize::from(leaves[i])];
    }
    out
}

/// Numbers that were read: held within 32 bits, and all of them once more if any has more.
struct Read<V> {
    short: V,
    long: Option<[i64; LANES]>,
}

/// Reads a number in each lane that is `coded`; others have 0.
#[inline(always)]
fn read<V: Vector>(
    isa: V::Isa,
    (p, n): (&Program, &Neighbourhood),
    (tables, coded): (&[u32; LANES], u32),
    coder: &mut LaneDecoder<'_>,
) -> Read<V> {
    let short = coder.swift_symbols::<V>(isa, &n.pool, tables, V::mask(isa, coded));
    if V::bits(short.is_above(V::all(isa, LAST_INCOMPLETE))) == (1 << LANES) - 1 {
        return Read { short, long: None };
    }
    let (long, after) = complete(p, tables, &short.array(), *coder);
    *coder = after;
    let held = long.map(|v| v.clamp(i64::from(-i32::MAX), i64::from(i32::MAX)) as i32);
    Read { short: V::load(isa, &held), long: Some(long) }
}

/// Adds residuals to what is predicted of sums.
#[inline(always)]
fn added<V: Vector>(
    isa: V::Isa,
    lanes: &mut SwiftLanes,
    n: &Neighbourhood,
    (predicted, residuals): (V, &Read<V>),
    there: u32,
) -> V {
    let most = V::load(isa, &lanes.steps.most);
    let held = residuals.short.least(most).most(V::all(isa, 0).minus(most));
    let sum = predicted.plus(held.times(V::load(isa, &lanes.steps.short)));
    let mut fits = V::bits(held.is(residuals.short)) & within(isa, sum, n);
    if n.weighs_residuals() {
        let most = V::all(isa, n.swift >> n.fraction.unwrap_or(0));
        fits &= !V::bits(residuals.short.magnitude().is_above(most));
    }
    lanes.unfit |= there & !fits != 0;
    if let Some(long) = &residuals.long {
        // Those that are not what is said of them in 32 bits do not fit either.
        let short = residuals.short.array();
        lanes.unfit |= (0..LANES).any(|i| there >> i & 1 == 1 && i64::from(short[i]) != long[i]);
    }
    sum
}

/// Returns a bit for each sum that may be kept.
#[inline(always)]
fn within<V: Vector>(isa: V::Isa, sum: V, n: &Neighbourhood) -> u32 {
    let most = V::all(isa, n.swift);
    let below = V::all(isa, 0).minus(most);
    !(V::bits(sum.is_above(most)) | V::bits(below.is_above(sum)))
}

/// Puts the sums of atoms where values are such.
#[inline(always)]
fn with_atoms<V: Vector>(
    isa: V::Isa,
    lanes: &mut SwiftLanes,
    (p, n): (&Program, &Neighbourhood),
    (sum, atoms): (V, V),
    there: u32,
) -> V {
    if p.record.latents() > 0 {
        return sum;
    }
    let is_atom = atoms.is_above(V::all(isa, 0));
    let column = &lanes.window.front().column;
    let mut named = sum;
    if lanes.window.is_together() && n.atoms.len() <= FEW_ATOMS {
        for atom in 1..=n.atoms.len() as i32 {
            let own = n.short_sum_of_atom(atom * lanes.width as i32 + column[0]);
            named = V::all(isa, own).or(atoms.is(V::all(isa, atom)), named);
        }
    } else {
        let of_row = atoms.times(V::all(isa, lanes.width as i32));
        let mut found = of_row.plus(V::load(isa, column)).array();
        for found in &mut found {
            *found = n.short_sum_of_atom(*found);
        }
        named = V::load(isa, &found).or(is_atom, sum);
    }
    lanes.unfit |= there & V::bits(is_atom) & !within(isa, named, n) != 0;
    named
}

/// Atoms whose sums are put one atom after another where all lanes are in the same column, at most.
const FEW_ATOMS: usize = 6;

impl SwiftLanes {
    /// Returns the tables that leaves ask for, or the columns' own.
    #[inline(always)]
    fn tables(&self, p: &Program, n: &Neighbourhood, leaves: &[u16; LANES]) -> [u32; LANES] {
        let column = &self.window.front().column;
        let mut out = [0; LANES];
        for i in 0..LANES {
            let j = (column[i] as usize).min(self.width - 1);
            let own = || p.record.classes.residual_tables[self.classes[i] * self.width + j];
            out[i] = n.table(leaves[i], own) as u32;
        }
        out
    }

    /// Keeps values as [`Lanes::keep`] does.
    #[inline(always)]
    fn keep_swiftly<V: Vector>(&mut self, isa: V::Isa, sums: V, atoms: &[u8; LANES]) {
        let width = V::all(isa, self.width as i32);
        let column = V::load(isa, &self.window.front().column);
        let inside = column.is_above(V::all(isa, -1));
        let at = V::load(isa, &self.row_starts).plus(column.least(width).or(inside, width));
        sums.put(at, &mut self.sums);
        if !self.atoms.is_empty() {
            let at = at.array();
            for i in 0..LANES {
                if let Some(atom) = self.atoms.get_mut(at[i] as usize) {
                    *atom = atoms[i];
                }
            }
        }
    }
}

/// Says in which lanes there is a value, and in which it has symbols; a bit each.
#[inline(always)]
fn present<V: Vector>(
    isa: V::Isa,
    lanes: &mut SwiftLanes,
    (p, n): (&Program, &Neighbourhood),
) -> (u32, u32) {
    let front = lanes.window.front();
    let (column, row) = (V::load(isa, &front.column), V::load(isa, bytemuck::cast_ref(&front.row)));
    let zero = V::all(isa, 0);
    let begins = V::bits(column.is(zero));
    let there = V::bits(column.is_above(V::all(isa, -1)))
        & V::bits(V::all(isa, lanes.width as i32).is_above(column))
        & V::bits(V::all(isa, lanes.rows as i32).is_above(row));
    if begins != 0 {
        lanes.begin(p, n);
    }
    (there, there & lanes.speaking)
}

/// Neighbours of the values of a step.
struct Around<V> {
    sums: [V; NEIGHBOURS],
    residuals: [V; AROUND.len()],
    atoms: [V; WITH_ATOMS.len()],
}

/// Which of the neighbours are there: a bit for each, lane by lane, and those that are there in every
/// lane, and in any.
struct There<V> {
    each: V,
    all: u16,
    any: u16,
}

impl<V: Vector> There<V> {
    /// Returns those that are there in the columns and, as far as is known of all lanes together, in the
    /// rows.
    #[inline(always)]
    fn meeting(isa: V::Isa, lanes: &SwiftLanes, met: &Meeting) -> Self {
        let (in_rows, all, any) = &lanes.in_rows;
        let each = V::load_short(isa, bytemuck::cast_ref(&met.each));
        let each = each.bit_and(V::load_short(isa, in_rows));
        Self { each, all: met.all & all, any: met.any & any }
    }

    #[inline(always)]
    fn of(isa: V::Isa, window: &Window<i32, LANES>, n: &Neighbourhood) -> Self {
        let front = window.front();
        let at = |i: usize| n.surroundings.there(front.column[i] as usize, front.row[i] as usize);
        let first = at(0);
        if window.is_together() {
            return Self { each: V::all(isa, i32::from(first)), all: first, any: first };
        }
        let (mut all, mut any, mut each) = (first, first, [i32::from(first); LANES]);
        for (i, each) in each.iter_mut().enumerate().skip(1) {
            let own = at(i);
            (all, any, *each) = (all & own, any | own, i32::from(own));
        }
        Self { each: V::load(isa, &each), all, any }
    }

    /// Returns a neighbour's sum where it is there, else `other`.
    #[inline(always)]
    fn sum(&self, isa: V::Isa, past: &Past<'_>, n: usize, other: V) -> V {
        match self.any >> n & 1 {
            0 => other,
            _ => self.or(isa, n, past.sum(isa, n), other),
        }
    }

    /// Returns `own` where neighbour `n` is there, else `other`.
    #[inline(always)]
    fn or(&self, isa: V::Isa, n: usize, own: V, other: V) -> V {
        if self.all >> n & 1 == 1 {
            return own;
        }
        own.or(self.each.has_any(V::all(isa, 1 << n)), other)
    }
}

impl<V: Vector> Around<V> {
    /// Finds of the neighbours of a window's present values what is wanted.
    #[inline(always)]
    fn of(isa: V::Isa, window: &Window<i32, LANES>, n: &Neighbourhood, there: There<V>) -> Self {
        let zero = V::all(isa, 0);
        let wanted = n.wanted;
        let mut out = Self {
            sums: [zero; NEIGHBOURS],
            residuals: [zero; AROUND.len()],
            atoms: [zero; WITH_ATOMS.len()],
        };
        let past = &window.past();
        let left = there.sum(isa, past, LEFT, zero);
        let s = &mut out.sums;
        s[UP] = there.sum(isa, past, UP, left);
        s[LEFT] = there.or(isa, LEFT, left, s[UP]);
        let stand_ins = [(UP_LEFT, LEFT), (UP_RIGHT, UP), (LEFT2, LEFT), (LEFT3, LEFT2), (UP2, UP)];
        for (k, other) in stand_ins {
            if wanted.sums >> k & 1 == 1 || k == LEFT2 && wanted.sums >> LEFT3 & 1 == 1 {
                s[k] = there.sum(isa, past, k, s[other]);
            }
        }
        if wanted.third() {
            let other = if n.surroundings.is_lined() { s[UP] } else { zero };
            s[THIRD] = there.sum(isa, past, THIRD, other);
            s[THIRD2] = there.sum(isa, past, THIRD2, s[THIRD]);
            s[THIRD3] = there.sum(isa, past, THIRD3, s[THIRD2]);
            for k in THIRD3 + 1..NEIGHBOURS {
                if wanted.sums >> k & 1 == 1 {
                    s[k] = there.sum(isa, past, k, s[THIRD]);
                }
            }
        }
        if wanted.residuals() {
            for (out, k) in out.residuals.iter_mut().zip(AROUND) {
                if there.any >> k & 1 == 1 {
                    *out = there.or(isa, k, past.residual(isa, k), zero);
                }
            }
        }
        if wanted.any(OF_ATOMS) {
            for (out, k) in out.atoms.iter_mut().zip(WITH_ATOMS) {
                if there.any >> k & 1 == 1 {
                    *out = there.or(isa, k, past.atom(isa, k), zero);
                }
            }
        }
        out
    }

    /// Predicts sums.
    #[inline(always)]
    fn predict(
        &self,
        isa: V::Isa,
        (n, window): (&Neighbourhood, &Window<i32, LANES>),
        coefficients: &[[i16; LANES]],
    ) -> V {
        let s = &self.sums;
        let exact = if n.median {
            let (l, u, ul) = (s[LEFT], s[UP], s[UP_LEFT]);
            l.plus(u).minus(ul).most(l.least(u)).least(l.most(u))
        } else {
            let mut total = V::all(isa, 128);
            // Those that have no coefficient have 0: a loop over the others takes as long.
            if let Some((near, others)) = coefficients.split_first_chunk::<NEIGHBOURS>() {
                for k in 0..NEIGHBOURS {
                    total = total.plus(s[k].times(V::load_short(isa, &near[k])));
                }
                if !others.is_empty() {
                    let residuals = (&self.residuals, n.fraction.unwrap_or(0));
                    let further = n.swift_terms.further(isa, residuals, (window, s[LEFT3]), others);
                    total = total.plus(further);
                }
            }
            total.shifted_right(8)
        };
        match (n.aligned, n.fraction) {
            (true, Some(fraction)) => {
                let half = V::all(isa, (1 << fraction) >> 1);
                exact.plus(half).shifted_right(fraction).shifted_left(fraction)
            }
            _ => exact,
        }
    }

    /// Computes properties, [doubled](Vector::doubled): those that are wanted, and some more.
    #[inline(always)]
    fn features(
        &self,
        isa: V::Isa,
        (n, window): (&Neighbourhood, &Window<i32, LANES>),
        predicted: V,
        f: &mut [V; FEATURES],
    ) {
        let zero = V::all(isa, 0);
        let (front, wanted) = (window.front(), n.wanted);
        f[feature::X] = V::load(isa, &front.x).doubled();
        f[feature::Y] = V::load(isa, &front.y).doubled();
        if wanted.has(feature::PHASE) {
            let phases = n.surroundings.phases();
            let phase = front.x.map(|x| (x as usize % phases) as i32);
            f[feature::PHASE] = V::load(isa, &phase).doubled();
        }
        let fraction = n.fraction.unwrap_or(0);
        let shift = fraction.saturating_sub(QUARTER);
        let largest = V::all(isa, LARGEST as i32);
        let least = zero.minus(largest);
        macro_rules! quarters {
            ($sum:expr) => {
                $sum.shifted_right(shift).least(largest).most(least)
            };
        }
        if wanted.has(feature::PREDICTED) {
            f[feature::PREDICTED] = quarters!(predicted).doubled();
        }
        let mut q = [zero; THIRD2 + 1];
        for k in [LEFT, UP, UP_LEFT, UP_RIGHT, LEFT2, UP2, THIRD, THIRD2] {
            if wanted.sums >> k & 1 == 1 {
                q[k] = quarters!(self.sums[k]);
            }
        }
        let (l, u, ul, ur) = (q[LEFT], q[UP], q[UP_LEFT], q[UP_RIGHT]);
        let (ll, uu, t, tt) = (q[LEFT2], q[UP2], q[THIRD], q[THIRD2]);
        let (across, down) = (l.minus(ul), u.minus(ul));
        let (right, across2) = (ur.minus(u), l.minus(ll));
        let activity = across.magnitude().plus(down.magnitude());
        let activity = activity.plus(right.magnitude()).plus(across2.magnitude());
        let own = [
            (feature::LEFT, l),
            (feature::UP, u),
            (feature::UP_LEFT, ul),
            (feature::UP_RIGHT, ur),
            (feature::LEFT2, ll),
            (feature::UP2, uu),
            (feature::THIRD, t),
            (feature::ACROSS, across),
            (feature::DOWN, down),
            (feature::RIGHT, right),
            (feature::ACROSS2, across2),
            (feature::DOWN2, u.minus(uu)),
            (feature::DIAGONAL, l.minus(u)),
            (feature::ALONG_THIRD, t.minus(tt)),
            (feature::LEAST, l.least(u).least(ul.least(ur))),
            (feature::MOST, l.most(u).most(ul.most(ur))),
            (feature::ACTIVITY, activity),
        ];
        for (property, own) in own {
            f[property] = own.doubled();
        }
        if wanted.any(OF_RESIDUALS) {
            self.of_residuals(activity, fraction.min(QUARTER), f);
        }
        if wanted.any(OF_ATOMS) {
            self.of_atoms(isa, f);
        }
    }

    /// Computes properties of residuals, of which `unit` says how many quarters a step has.
    #[inline(always)]
    fn of_residuals(&self, activity: V, unit: u32, f: &mut [V; FEATURES]) {
        let [l, u, ul, ur, ll, t] = self.residuals;
        let both = l.magnitude().plus(u.magnitude());
        let others = ul.magnitude().plus(ur.magnitude()).plus(ll.magnitude());
        let others = others.plus(t.magnitude().shifted_left(1));
        let own = [
            (feature::RESIDUAL_LEFT, l),
            (feature::RESIDUAL_UP, u),
            (feature::RESIDUAL_THIRD, t),
            (feature::RESIDUALS, both),
            (feature::ALL_RESIDUALS, both.shifted_left(1).plus(others)),
            (feature::RESIDUALS_LEFT, l.magnitude().plus(ll.magnitude())),
            (feature::ACTIVITY_RESIDUALS, activity.held_plus(both.shifted_left(unit + 2))),
        ];
        for (property, own) in own {
            f[property] = own.doubled();
        }
    }

    /// Computes properties of atoms.
    #[inline(always)]
    fn of_atoms(&self, isa: V::Isa, f: &mut [V; FEATURES]) {
        let [l, u, ul, ur, t] = self.atoms;
        let one = V::all(isa, 1);
        let across = l.least(one).plus(u.least(one)).plus(ul.least(one));
        let own = [
            (feature::ATOMS, across.plus(ur.least(one)).plus(t.least(one))),
            (feature::ATOM_LEFT, l),
            (feature::ATOM_UP, u),
            (feature::ATOM_THIRD, t),
        ];
        for (property, own) in own {
            f[property] = own.doubled();
        }
    }
}
