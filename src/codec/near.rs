//! What the neighbours of a value foretell of it, and the properties by which trees choose a table.

use super::context::{feature, neighbour};
use super::sum::Sum;
use super::surroundings::Surroundings;
use super::weights::{self, OF_NEIGHBOURS};
use super::window::{Front, Window};
use crate::container::model::{FEATURES, FIRST_FARTHER, NEIGHBOURS, TERMS};
use neighbour::{LEFT, LEFT2, LEFT3, THIRD, THIRD2, THIRD3, UP, UP_LEFT, UP_RIGHT, UP2};

/// Differences are told apart to quarters of a step.
pub(super) const QUARTER: u32 = 2;

const fn set<const N: usize>(names: [usize; N]) -> u32 {
    let (mut out, mut i) = (0, 0);
    while i < N {
        out |= 1 << names[i];
        i += 1;
    }
    out
}

/// Those by which residuals and atoms are told apart, in this order.
pub(super) const AROUND: [usize; 6] = [LEFT, UP, UP_LEFT, UP_RIGHT, LEFT2, THIRD];
/// How many of these the residual, or the atom, of is looked at.
pub(super) const WITH_ATOMS: [usize; 5] = [LEFT, UP, UP_LEFT, UP_RIGHT, THIRD];

/// Neighbours whose sums a property is made of.
const fn sums_of(property: usize) -> u32 {
    match property {
        feature::LEFT => set([LEFT]),
        feature::UP => set([UP]),
        feature::UP_LEFT => set([UP_LEFT]),
        feature::UP_RIGHT => set([UP_RIGHT]),
        feature::LEFT2 => set([LEFT2]),
        feature::UP2 => set([UP2]),
        feature::THIRD => set([THIRD]),
        feature::ACROSS => set([LEFT, UP_LEFT]),
        feature::DOWN => set([UP, UP_LEFT]),
        feature::RIGHT => set([UP, UP_RIGHT]),
        feature::ACROSS2 => set([LEFT, LEFT2]),
        feature::DOWN2 => set([UP, UP2]),
        feature::DIAGONAL => set([LEFT, UP]),
        feature::ALONG_THIRD => set([THIRD, THIRD2]),
        feature::LEAST | feature::MOST => set([LEFT, UP, UP_LEFT, UP_RIGHT]),
        feature::ACTIVITY | feature::ACTIVITY_RESIDUALS => {
            set([LEFT, UP, UP_LEFT, UP_RIGHT, LEFT2])
        }
        _ => 0,
    }
}

/// Properties made of residuals.
pub(super) const OF_RESIDUALS: u32 = set([
    feature::RESIDUAL_LEFT,
    feature::RESIDUAL_UP,
    feature::RESIDUALS,
    feature::ACTIVITY_RESIDUALS,
    feature::RESIDUAL_THIRD,
    feature::ALL_RESIDUALS,
    feature::RESIDUALS_LEFT,
]);
/// Properties made of atoms.
pub(super) const OF_ATOMS: u32 =
    set([feature::ATOMS, feature::ATOM_LEFT, feature::ATOM_UP, feature::ATOM_THIRD]);

/// What is asked of a value's neighbours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// A bit for each property.
    properties: u32,
    /// A bit for each neighbour whose sum is needed, and each further term of predictions.
    pub(super) sums: u32,
}

impl Wanted {
    /// Everything.
    pub(crate) const ALL: Self = Self { properties: u32::MAX, sums: OF_NEIGHBOURS };

    /// How large the residuals around are.
    pub(crate) const SCALE: Self = Self { properties: 1 << feature::ALL_RESIDUALS, sums: 0 };

    /// The same, and all that predictions may weigh.
    pub(crate) const TERMS_AND_SCALE: Self = Self { sums: (1 << TERMS) - 1, ..Self::SCALE };

    /// Returns what is asked here or there.
    pub(crate) fn or(self, other: Self) -> Self {
        let (properties, sums) = (self.properties | other.properties, self.sums | other.sums);
        Self { properties, sums }
    }

    /// The sums of neighbours that are predicted from, and what `properties` need, as bits.
    pub(crate) fn new(predicting: u32, properties: u32) -> Self {
        let has = |f: &usize| properties >> f & 1 == 1;
        let of_properties = (0..FEATURES).filter(has).map(sums_of);
        let farther = if predicting >> FIRST_FARTHER != 0 { 1 << LEFT3 } else { 0 };
        let sums = of_properties.fold(predicting | farther, |all, own| all | own);
        Self { properties, sums }
    }

    #[inline(always)]
    pub(super) fn any(self, properties: u32) -> bool {
        self.properties & properties != 0
    }

    /// Says whether residuals are needed.
    #[inline(always)]
    pub(super) fn residuals(self) -> bool {
        self.any(OF_RESIDUALS) || self.sums & weights::OF_RESIDUALS != 0
    }

    /// Says whether sums in the third direction are needed.
    #[inline(always)]
    pub(super) fn third(self) -> bool {
        (self.sums & OF_NEIGHBOURS) >> THIRD != 0
    }

    #[inline(always)]
    pub(super) fn has(self, property: usize) -> bool {
        self.properties >> property & 1 == 1
    }
}

/// A value's neighbours in `N` rows.
pub(crate) struct Near<S, const N: usize> {
    /// Their sums, in the order of coefficients.
    pub(crate) sums: [[S; N]; NEIGHBOURS],
    /// Residuals of those [`AROUND`].
    residuals: [[i32; N]; AROUND.len()],
    /// Which atoms those [`WITH_ATOMS`] are.
    atoms: [[u8; N]; WITH_ATOMS.len()],
    wanted: Wanted,
}

/// Which of the neighbours are there.
struct There<const N: usize> {
    /// A bit for each neighbour, lane by lane.
    each: [u16; N],
    /// Those that are there in every lane, and in any.
    all: u16,
    any: u16,
}

impl<const N: usize> There<N> {
    /// Returns `own` where neighbour `n` is there, else `other`.
    #[inline(always)]
    fn or<T: Copy>(&self, n: usize, own: [T; N], other: [T; N]) -> [T; N] {
        if self.all >> n & 1 == 1 {
            return own;
        }
        if self.any >> n & 1 == 0 {
            return other;
        }
        let mut out = own;
        for i in 0..N {
            out[i] = if self.each[i] >> n & 1 == 1 { out[i] } else { other[i] };
        }
        out
    }
}

impl<S: Sum, const N: usize> Near<S, N> {
    /// Finds of the neighbours of a window's present values what is `wanted`.
    #[inline(always)]
    pub(crate) fn of(window: &Window<S, N>, surroundings: &Surroundings, wanted: Wanted) -> Self {
        let Front { column, row, .. } = window.front();
        let mut there = [surroundings.there(column[0] as usize, row[0] as usize); N];
        if window.is_together() && N > 1 {
            // All are in the same column, and have no rows before that they look at.
            return Self::new::<false>(window, surroundings, there, wanted);
        }
        for i in 1..N {
            there[i] = surroundings.there(column[i] as usize, row[i] as usize);
        }
        Self::new::<true>(window, surroundings, there, wanted)
    }

    /// Finds what is `wanted`; `each` has a bit for each neighbour that is there, lane by lane,
    /// some of them in rows before if `BACK` is set. Of those that are not, one to the left stands for one above and the other way round.
    #[inline(always)]
    fn new<const BACK: bool>(
        window: &Window<S, N>,
        surroundings: &Surroundings,
        each: [u16; N],
        wanted: Wanted,
    ) -> Self {
        let (mut all, mut any) = (u16::MAX, 0);
        for own in each {
            (all, any) = (all & own, any | own);
        }
        let there = There { each, all, any };
        let zero = [S::default(); N];
        let mut out = Self {
            sums: [zero; NEIGHBOURS],
            residuals: [[0; N]; AROUND.len()],
            atoms: [[0; N]; WITH_ATOMS.len()],
            wanted,
        };
        let left = there.or(LEFT, window.sums::<BACK>(LEFT), zero);
        let s = &mut out.sums;
        s[UP] = there.or(UP, window.sums::<BACK>(UP), left);
        s[LEFT] = there.or(LEFT, left, s[UP]);
        let needs = |n: usize| wanted.sums >> n & 1 == 1;
        let stand_ins = [(UP_LEFT, LEFT), (UP_RIGHT, UP), (LEFT2, LEFT), (LEFT3, LEFT2), (UP2, UP)];
        for (n, other) in stand_ins {
            if needs(n) || n == LEFT2 && needs(LEFT3) {
                s[n] = there.or(n, window.sums::<BACK>(n), s[other]);
            }
        }
        if wanted.third() {
            let other = if surroundings.is_lined() { s[UP] } else { zero };
            s[THIRD] = there.or(THIRD, window.sums::<BACK>(THIRD), other);
            s[THIRD2] = there.or(THIRD2, window.sums::<BACK>(THIRD2), s[THIRD]);
            s[THIRD3] = there.or(THIRD3, window.sums::<BACK>(THIRD3), s[THIRD2]);
            for n in THIRD3 + 1..NEIGHBOURS {
                if needs(n) {
                    s[n] = there.or(n, window.sums::<BACK>(n), s[THIRD]);
                }
            }
        }
        if wanted.residuals() {
            for (out, n) in out.residuals.iter_mut().zip(AROUND) {
                *out = there.or(n, window.residuals::<BACK>(n), [0; N]);
            }
        }
        if wanted.any(OF_ATOMS) {
            for (out, n) in out.atoms.iter_mut().zip(WITH_ATOMS) {
                *out = there.or(n, window.atoms::<BACK>(n), [0; N]);
            }
        }
        out
    }

    /// Predicts a value's sum as the median of left, above and left + above − above-left.
    #[inline(always)]
    pub(crate) fn median(&self) -> [S; N] {
        let (l, u, ul) = (self.sums[LEFT], self.sums[UP], self.sums[UP_LEFT]);
        let mut out = l;
        for i in 0..N {
            out[i] = S::median(l[i], u[i], ul[i]);
        }
        out
    }

    /// Adds up the sums of neighbours that are `used`, weighed by coefficients in 1/256, and a half.
    #[inline(always)]
    pub(super) fn weighted(&self, coefficients: &[[i16; N]; TERMS], used: u32) -> [i64; N] {
        let mut total = [128; N];
        for (n, (sums, own)) in self.sums.iter().zip(coefficients).enumerate() {
            if used >> n & 1 == 0 {
                continue;
            }
            for i in 0..N {
                total[i] += sums[i].weighed(own[i]);
            }
        }
        total
    }

    /// Returns the residuals of one of the neighbours that these are looked at of.
    #[inline(always)]
    pub(super) fn residual(&self, at: usize) -> [i32; N] {
        self.residuals[at]
    }

    /// Returns the sums of the neighbour that lies farthest to the left.
    #[inline(always)]
    pub(super) fn farthest_left(&self) -> [S; N] {
        self.sums[LEFT3]
    }

    /// Computes those properties of values that are wanted; `fraction` is the number of bits of a sum
    /// below a whole step, and `predicted` the prediction of the sum.
    #[inline(always)]
    pub(crate) fn features(
        &self,
        front: &Front<N>,
        surroundings: &Surroundings,
        predicted: &[S; N],
        fraction: [u32; N],
    ) -> [[i32; N]; FEATURES] {
        let mut f = [[0; N]; FEATURES];
        let wanted = self.wanted;
        (f[feature::X], f[feature::Y]) = (front.x, front.y);
        if wanted.has(feature::PHASE) {
            f[feature::PHASE] = front.x.map(|x| (x as usize % surroundings.phases()) as i32);
        }
        let (mut shift, mut unit) = ([0; N], [0; N]);
        for i in 0..N {
            (shift[i], unit[i]) = (fraction[i].saturating_sub(QUARTER), fraction[i].min(QUARTER));
        }
        if wanted.has(feature::PREDICTED) {
            f[feature::PREDICTED] = shifted(predicted, &shift);
        }
        let activity = self.of_sums(&shift, &mut f);
        if wanted.any(OF_RESIDUALS) {
            self.of_residuals(&activity, unit, &mut f);
        }
        if wanted.any(OF_ATOMS) {
            self.of_atoms(&mut f);
        }
        f
    }

    /// Computes properties of sums. Returns how much they differ from each other.
    #[inline(always)]
    fn of_sums(&self, shift: &[u32; N], f: &mut [[i32; N]; FEATURES]) -> [i32; N] {
        let wanted = self.wanted;
        macro_rules! quarters {
            ($n:expr) => {
                if wanted.sums >> $n & 1 == 1 { shifted(&self.sums[$n], shift) } else { [0; N] }
            };
        }
        let (l, u, ul, ur) =
            (quarters!(LEFT), quarters!(UP), quarters!(UP_LEFT), quarters!(UP_RIGHT));
        let (ll, uu) = (quarters!(LEFT2), quarters!(UP2));
        let (t, tt) = (quarters!(THIRD), quarters!(THIRD2));
        (f[feature::LEFT], f[feature::UP], f[feature::UP_LEFT]) = (l, u, ul);
        (f[feature::UP_RIGHT], f[feature::LEFT2], f[feature::UP2]) = (ur, ll, uu);
        f[feature::THIRD] = t;
        f[feature::ACROSS] = minus(l, ul);
        f[feature::DOWN] = minus(u, ul);
        f[feature::RIGHT] = minus(ur, u);
        f[feature::ACROSS2] = minus(l, ll);
        f[feature::DOWN2] = minus(u, uu);
        f[feature::DIAGONAL] = minus(l, u);
        f[feature::ALONG_THIRD] = minus(t, tt);
        let mut activity = [0; N];
        for i in 0..N {
            activity[i] = (l[i] - ul[i]).abs()
                + (u[i] - ul[i]).abs()
                + (ur[i] - u[i]).abs()
                + (l[i] - ll[i]).abs();
            f[feature::LEAST][i] = l[i].min(u[i]).min(ul[i].min(ur[i]));
            f[feature::MOST][i] = l[i].max(u[i]).max(ul[i].max(ur[i]));
        }
        f[feature::ACTIVITY] = activity;
        activity
    }

    /// Computes properties of residuals, of which `unit` says how many quarters a step has.
    #[inline(always)]
    fn of_residuals(&self, activity: &[i32; N], unit: [u32; N], f: &mut [[i32; N]; FEATURES]) {
        let [l, u, ul, ur, ll, t] = &self.residuals;
        (f[feature::RESIDUAL_LEFT], f[feature::RESIDUAL_UP]) = (*l, *u);
        f[feature::RESIDUAL_THIRD] = *t;
        for i in 0..N {
            let both = l[i].abs() + u[i].abs();
            let others = ul[i].abs() + ur[i].abs() + ll[i].abs() + 2 * t[i].abs();
            f[feature::RESIDUALS][i] = both;
            f[feature::ALL_RESIDUALS][i] = 2 * both + others;
            f[feature::RESIDUALS_LEFT][i] = l[i].abs() + ll[i].abs();
            f[feature::ACTIVITY_RESIDUALS][i] = activity[i].saturating_add((both << unit[i]) * 4);
        }
    }

    /// Computes properties of atoms.
    #[inline(always)]
    fn of_atoms(&self, f: &mut [[i32; N]; FEATURES]) {
        let [l, u, ul, ur, t] = &self.atoms;
        for i in 0..N {
            let named = |atom: u8| i32::from(atom > 0);
            f[feature::ATOMS][i] =
                named(l[i]) + named(u[i]) + named(ul[i]) + named(ur[i]) + named(t[i]);
            f[feature::ATOM_LEFT][i] = i32::from(l[i]);
            f[feature::ATOM_UP][i] = i32::from(u[i]);
            f[feature::ATOM_THIRD][i] = i32::from(t[i]);
        }
    }
}

#[inline(always)]
fn minus<const N: usize>(a: [i32; N], b: [i32; N]) -> [i32; N] {
    let mut out = a;
    for i in 0..N {
        out[i] = a[i] - b[i];
    }
    out
}

#[inline(always)]
fn shifted<S: Sum, const N: usize>(sums: &[S; N], shift: &[u32; N]) -> [i32; N] {
    let mut out = [0; N];
    for i in 0..N {
        out[i] = sums[i].shifted(shift[i]);
    }
    out
}
