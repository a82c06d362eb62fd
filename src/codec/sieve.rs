//! All decisions of trees at once, instead of one after another.
//!
//! A tree's leaves are those that each property leaves over: where the property lies among the
//! thresholds that any decision compares it with says which leaves can still be reached, and only one is
//! reachable by all properties. So a value needs no walk of many steps, each of which waits for the
//! one before: its properties are compared with all thresholds, a vector of rows at a time, and
//! sets of leaves are intersected (as QuickScorer does for forests; Lucchese et al. 2015).

use super::context::LANES;
use crate::container::model::{FEATURES, TreeNode};
use crate::kernels::vector::{Mark, Set, SmallSet, Vector};

/// Thresholds of all properties together, at most: with more, a walk is faster.
const MOST_THRESHOLDS: usize = 384;
/// Places of an axis, at most: sets for all of them should stay in the nearest cache.
const MOST_PLACES: usize = 1024;
/// Axes, at most.
const MOST_AXES: usize = 12;
/// Leaves of a set for vectors.
const SET: usize = 256;
/// Words of 64 leaves of a tree, at most: with more, a walk is faster.
const MOST_WORDS: usize = 16;

/// Thresholds of a property, which is compared as a number of 16 bits, as all of them are.
#[derive(Debug, Clone)]
struct Ruler {
    measures: usize,
    thresholds: Vec<i16>,
    /// How many places each of them counts for.
    score: i16,
}

/// Properties whose places are told apart together.
#[derive(Debug, Clone, Default)]
struct Axis {
    rulers: Vec<Ruler>,
    /// The same for vectors: thresholds by two, of one property after another, so that there is one loop for all of
    /// them and not a short one for each.
    marks: Vec<Mark>,
    places: usize,
    /// Where its places begin among those of all axes.
    first: u16,
}

/// The leaves of two trees, `A` and `B` times 64 of them.
type Sets<const A: usize, const B: usize> = Vec<([u64; A], [u64; B])>;

/// Sets of both trees' leaves that are reachable from each place of each axis, axis after axis; as small
/// as the leaves allow.
#[derive(Debug, Clone)]
enum Leaves {
    Few(Sets<1, 0>),
    Some(Sets<2, 0>),
    Many(Sets<4, 0>),
    FewAndFew(Sets<1, 1>),
    SomeAndSome(Sets<2, 2>),
    ManyAndMany(Sets<4, 4>),
}

/// Two trees that are decided together.
#[derive(Debug, Clone)]
pub(crate) struct Sieve {
    axes: Vec<Axis>,
    /// None where there are too many leaves.
    leaves: Option<Leaves>,
    /// The same sets for vectors, and how many words of them are of the first tree and of the second.
    sets: VectorSets,
    words: [usize; 2],
}

/// Sets as vectors take them.
#[derive(Debug, Clone)]
enum VectorSets {
    /// One of both trees' leaves together for each place, the words of the first tree before those of the
    /// second.
    Small(Vec<SmallSet>),
    Joined(Vec<Set>),
    /// Where both together are too large, the sets of each tree by itself, 256 leaves after another.
    Apart([Vec<Vec<Set>>; 2]),
}

/// Calls with the places on so many axes. How many there are is known to the loops.
macro_rules! of_axes {
    ($count:expr, $all:expr, |$places:ident| $body:expr) => {
        of_axes!($count, $all, |$places| $body, 1 2 3 4 5 6 7 8 9 10 11)
    };
    ($count:expr, $all:expr, |$places:ident| $body:expr, $($known:literal)*) => {
        match $count {
            $($known => {
                let (some, _) = $all.as_chunks::<$known>();
                let $places = &some[0];
                $body
            })*
            _ => {
                let $places = $all;
                $body
            }
        }
    };
}

impl Sieve {
    /// Prepares for two whole trees; none where they are too large.
    pub(crate) fn new(trees: [&[TreeNode]; 2]) -> Option<Self> {
        let mut thresholds = vec![Vec::new(); FEATURES];
        for node in trees.iter().flat_map(|tree| tree.iter()) {
            if let TreeNode::Decision { feature, threshold } = *node {
                // What is above the greatest number is not found above it once it is held there.
                let threshold = i16::try_from(threshold).ok().filter(|&t| t < i16::MAX)?;
                thresholds[usize::from(feature)].push(threshold);
            }
        }
        for own in &mut thresholds {
            own.sort_unstable();
            own.dedup();
        }
        if thresholds.iter().map(Vec::len).sum::<usize>() > MOST_THRESHOLDS {
            return None;
        }
        let axes = axes(&thresholds)?;
        let leaves = leaves(trees, &thresholds, &axes);
        let (sets, words) = vector_sets(trees, &thresholds, &axes)?;
        Some(Self { axes, leaves, sets, words })
    }

    /// Finds the leaves of both trees, of values with such properties.
    #[inline(always)]
    pub(crate) fn leaves(&self, features: &[[i32; LANES]; FEATURES]) -> Option<[[u16; LANES]; 2]> {
        let leaves = self.leaves.as_ref()?;
        let mut places = [[0; LANES]; MOST_AXES];
        for (axis, places) in self.axes.iter().zip(&mut places) {
            *places = [axis.first; LANES];
            for ruler in &axis.rulers {
                let passed = passed(ruler, &features[ruler.measures % FEATURES]);
                for i in 0..LANES {
                    places[i] += passed[i] * ruler.score as u16;
                }
            }
        }
        Some(match leaves {
            Leaves::Few(sets) => self.only(sets, &places),
            Leaves::Some(sets) => self.only(sets, &places),
            Leaves::Many(sets) => self.only(sets, &places),
            Leaves::FewAndFew(sets) => self.only(sets, &places),
            Leaves::SomeAndSome(sets) => self.only(sets, &places),
            Leaves::ManyAndMany(sets) => self.only(sets, &places),
        })
    }

    /// Finds the same leaves with vectors, of properties that are [doubled](Vector::doubled).
    #[inline(always)]
    pub(crate) fn swift_leaves<V: Vector>(
        &self,
        isa: V::Isa,
        features: &[V; FEATURES],
    ) -> [[u16; LANES]; 2] {
        let mut places = [V::all(isa, 0); MOST_AXES];
        for (axis, places) in self.axes.iter().zip(&mut places) {
            *places = V::scores(isa, features, &axis.marks, i32::from(axis.first));
        }
        match &self.sets {
            VectorSets::Small(sets) => self.swift_only::<V>(isa, sets, &places),
            VectorSets::Joined(sets) => {
                let sets = self.swift_sets::<V>(isa, sets, &places);
                match self.words {
                    [_, 0] => firsts(&sets, |set| (first(set), 0)),
                    [2, 1] => firsts(&sets, |[a, b, c, _]| (first([a, b]), first([c]))),
                    [1, _] => firsts(&sets, |[a, b, c, d]| (first([a]), first([b, c, d]))),
                    [2, _] => firsts(&sets, |[a, b, c, d]| (first([a, b]), first([c, d]))),
                    _ => firsts(&sets, |[a, b, c, d]| (first([a, b, c]), first([d]))),
                }
            }
            VectorSets::Apart([first, second]) => {
                let leaves = self.swift_parts::<V>(isa, first, &places);
                [leaves, self.swift_parts::<V>(isa, second, &places)]
            }
        }
    }

    /// Returns the leaves of both trees, which have two words together.
    #[inline(always)]
    fn swift_only<V: Vector>(
        &self,
        isa: V::Isa,
        sets: &[SmallSet],
        places: &[V; MOST_AXES],
    ) -> [[u16; LANES]; 2] {
        let [first, second] = of_axes!(self.axes.len(), places, |own| V::only(isa, sets, own));
        let zero = V::all(isa, 0);
        if self.words[1] == 0 {
            let both = first.most(second.plus(V::all(isa, 64))).most(zero);
            return [V::array_of_halves(both.halves()), [0; LANES]];
        }
        let (first, second) = (first.most(zero).halves(), second.most(zero).halves());
        [V::array_of_halves(first), V::array_of_halves(second)]
    }

    /// Returns the leaves of one tree, of which there are sets for 256 leaves after another.
    #[inline(always)]
    fn swift_parts<V: Vector>(
        &self,
        isa: V::Isa,
        parts: &[Vec<Set>],
        places: &[V; MOST_AXES],
    ) -> [u16; LANES] {
        let mut out = [0; LANES];
        for (i, part) in parts.iter().enumerate() {
            let sets = self.swift_sets::<V>(isa, part, places);
            for (out, set) in out.iter_mut().zip(&sets) {
                let [a, b, c, d] = *set;
                let own = (SET * i) as u16 + first(*set);
                *out = if a | b | c | d == 0 { *out } else { own };
            }
        }
        out
    }

    /// Returns the sets that are left at places on all axes. How many there are is known to the loops.
    #[inline(always)]
    fn swift_sets<V: Vector>(
        &self,
        isa: V::Isa,
        sets: &[Set],
        places: &[V; MOST_AXES],
    ) -> [Set; LANES] {
        of_axes!(self.axes.len(), places, |own| V::common(isa, sets, own))
    }

    /// Returns the only leaf of each tree that is in the sets of all places, lane by lane.
    #[inline(always)]
    fn only<const A: usize, const B: usize>(
        &self,
        sets: &Sets<A, B>,
        places: &[[u16; LANES]; MOST_AXES],
    ) -> [[u16; LANES]; 2] {
        let mut out = [[0; LANES]; 2];
        let places = &places[..self.axes.len().min(MOST_AXES)];
        for i in 0..LANES {
            let (mut a, mut b) = ([u64::MAX; A], [u64::MAX; B]);
            for place in places {
                let own = &sets[usize::from(place[i])];
                (0..A).for_each(|w| a[w] &= own.0[w]);
                (0..B).for_each(|w| b[w] &= own.1[w]);
            }
            (out[0][i], out[1][i]) = (first(a), first(b));
        }
        out
    }
}

/// Counts the thresholds that numbers are above.
#[inline(always)]
fn passed(ruler: &Ruler, numbers: &[i32; LANES]) -> [u16; LANES] {
    let numbers = numbers.map(|v| v.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16);
    let mut passed = [0; LANES];
    for threshold in &ruler.thresholds {
        for i in 0..LANES {
            passed[i] += u16::from(numbers[i] > *threshold);
        }
    }
    passed
}

/// Returns the only numbers of both trees in each set.
#[inline(always)]
fn firsts(sets: &[Set; LANES], both: impl Fn(Set) -> (u16, u16)) -> [[u16; LANES]; 2] {
    let mut out = [[0; LANES]; 2];
    for i in 0..LANES {
        (out[0][i], out[1][i]) = both(sets[i]);
    }
    out
}

/// Returns the only number that is in a set.
#[inline(always)]
fn first<const W: usize>(set: [u64; W]) -> u16 {
    let mut out = 0;
    for (w, set) in set.iter().enumerate() {
        out = if *set == 0 { out } else { 64 * w as u32 + set.trailing_zeros() };
    }
    out as u16
}

/// Divides properties among few axes: those with many thresholds first, each where there is room.
fn axes(thresholds: &[Vec<i16>]) -> Option<Vec<Axis>> {
    let mut features: Vec<usize> =
        (0..thresholds.len()).filter(|&f| !thresholds[f].is_empty()).collect();
    features.sort_by_key(|&f| std::cmp::Reverse(thresholds[f].len()));
    let empty = || Axis { places: 1, ..Axis::default() };
    let mut axes = vec![empty()];
    for feature in features {
        let count = thresholds[feature].len() + 1;
        let fits = |axis: &Axis| axis.rulers.is_empty() || axis.places * count <= MOST_PLACES;
        let at = axes.iter().position(fits).unwrap_or_else(|| {
            axes.push(empty());
            axes.len() - 1
        });
        let (own, score) = (thresholds[feature].clone(), axes[at].places as i16);
        // Nothing is above the second threshold where there is none.
        let pairs = own.chunks(2).map(|pair| [pair[0], pair.get(1).copied().unwrap_or(i16::MAX)]);
        axes[at].marks.extend(pairs.map(|pair| Mark::new(feature, pair, score)));
        axes[at].rulers.push(Ruler { measures: feature, thresholds: own, score });
        axes[at].places *= count;
    }
    for i in 1..axes.len() {
        axes[i].first = axes[i - 1].first + axes[i - 1].places as u16;
    }
    (axes.len() <= MOST_AXES).then_some(axes)
}

/// Finds the sets of both trees' leaves that are reachable from each place of each axis.
fn leaves(trees: [&[TreeNode]; 2], thresholds: &[Vec<i16>], axes: &[Axis]) -> Option<Leaves> {
    let words = trees.map(|tree| {
        tree.iter().filter(|node| matches!(node, TreeNode::Leaf { .. })).count().div_ceil(64)
    });
    // A tree of one leaf has nothing to decide.
    let second = trees[1].len() > 1;
    macro_rules! both {
        ($a:literal, $b:literal) => {{
            let (a, b) = (sets::<$a>(trees[0], thresholds, axes), sets(trees[1], thresholds, axes));
            a.into_iter().zip(b).collect()
        }};
    }
    Some(match words[0].max(if second { words[1] } else { 0 }) {
        0 | 1 if second => Leaves::FewAndFew(both!(1, 1)),
        0 | 1 => Leaves::Few(both!(1, 0)),
        2 if second => Leaves::SomeAndSome(both!(2, 2)),
        2 => Leaves::Some(both!(2, 0)),
        3 | 4 if second => Leaves::ManyAndMany(both!(4, 4)),
        3 | 4 => Leaves::Many(both!(4, 0)),
        _ => return None,
    })
}

/// Finds sets for vectors, and of how many words those of each tree are; none where a tree has too many.
fn vector_sets(
    trees: [&[TreeNode]; 2],
    thresholds: &[Vec<i16>],
    axes: &[Axis],
) -> Option<(VectorSets, [usize; 2])> {
    let leaves = trees.map(|tree| tree.len().div_ceil(2));
    // A tree of one leaf has nothing to decide.
    let words = leaves.map(|leaves| if leaves > 1 { leaves.div_ceil(64) } else { 0 });
    let words = [words[0].max(1), words[1]];
    if words.iter().any(|&w| w > MOST_WORDS) {
        return None;
    }
    let all = trees.map(|tree| sets::<MOST_WORDS>(tree, thresholds, axes));
    let joined = || all[0].iter().zip(&all[1]);
    let sets = match words[0] + words[1] {
        0..=2 => VectorSets::Small(joined().map(|(a, b)| join(words, a, b)).collect()),
        3 | 4 => VectorSets::Joined(joined().map(|(a, b)| join(words, a, b)).collect()),
        _ => {
            let parts = |tree: usize| {
                let part = |from: usize| {
                    let own = all[tree].iter();
                    own.map(move |set| std::array::from_fn(|w| set[from + w])).collect()
                };
                (0..words[tree]).step_by(4).map(part).collect()
            };
            VectorSets::Apart([parts(0), parts(1)])
        }
    };
    Some((sets, words))
}

/// Returns the words of one set before those of another.
fn join<const W: usize>([first, second]: [usize; 2], a: &[u64], b: &[u64]) -> [u64; W] {
    let mut out = [0; W];
    out[..first].copy_from_slice(&a[..first]);
    out[first..first + second].copy_from_slice(&b[..second]);
    out
}

fn sets<const W: usize>(
    tree: &[TreeNode],
    thresholds: &[Vec<i16>],
    axes: &[Axis],
) -> Vec<[u64; W]> {
    // Of each property, the leaves that are reachable where it is above so many thresholds.
    let mut reachable: Vec<Vec<[u64; W]>> =
        thresholds.iter().map(|own| vec![[0; W]; own.len() + 1]).collect();
    let whole = thresholds.iter().map(|own| (0, own.len())).collect();
    // Between how many thresholds each property is in the branches that are still to come.
    let mut open: Vec<Vec<(usize, usize)>> = vec![whole];
    let mut leaf = 0;
    for node in tree {
        let Some(mut lower) = open.pop() else { break };
        match *node {
            TreeNode::Decision { feature, threshold } => {
                let feature = usize::from(feature);
                let at = thresholds[feature].partition_point(|&t| i64::from(t) < threshold);
                let mut upper = lower.clone();
                upper[feature].0 = upper[feature].0.max(at + 1);
                lower[feature].1 = lower[feature].1.min(at);
                open.extend([upper, lower]);
            }
            TreeNode::Leaf { .. } => {
                for (sets, (from, to)) in reachable.iter_mut().zip(lower) {
                    sets.iter_mut().take(to + 1).skip(from).for_each(|set| add(set, leaf));
                }
                leaf += 1;
            }
        }
    }
    let mut whole = [0; W];
    (0..leaf).for_each(|leaf| add(&mut whole, leaf));
    axes.iter().flat_map(|axis| (0..axis.places).map(|p| at(axis, p, &reachable, whole))).collect()
}

/// Adds a leaf, if there is room for it.
fn add<const W: usize>(set: &mut [u64; W], leaf: usize) {
    if let Some(word) = set.get_mut(leaf / 64) {
        *word |= 1 << (leaf % 64);
    }
}

/// Returns those of the `whole` tree's leaves that are reachable from a place on an axis.
fn at<const W: usize>(
    axis: &Axis,
    mut place: usize,
    reachable: &[Vec<[u64; W]>],
    whole: [u64; W],
) -> [u64; W] {
    let mut out = whole;
    for ruler in &axis.rulers {
        let count = reachable[ruler.measures].len();
        let own = &reachable[ruler.measures][place % count];
        out.iter_mut().zip(own).for_each(|(out, own)| *out &= own);
        place /= count;
    }
    out
}
