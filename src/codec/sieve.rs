//! All decisions of trees at once, instead of one after another.
//!
//! A tree's leaves are those that each property leaves over: where the property lies among the
//! thresholds that any decision compares it with says which leaves can still be reached, and only one is
//! reachable by all properties. So a value needs no walk of many steps, each of which waits for the
//! one before: its properties are compared with all thresholds, a vector of rows at a time, and
//! sets of leaves are intersected (as QuickScorer does for forests; Lucchese et al. 2015).

use crate::container::model::{FEATURES, TreeNode};
use crate::kernels::ruler::{Comparison, LANES, Rulers};

/// Thresholds of all properties together, at most: with more, a walk is faster.
const MOST_THRESHOLDS: usize = 192;
/// Places of an axis, at most: sets for all of them should stay in the nearest cache.
const MOST_PLACES: usize = 4096;
/// Axes, at most.
const MOST_AXES: usize = 8;
/// Numbers of 64 bits that a set of leaves has, at most.
const MOST_WORDS: usize = 4;

/// Properties whose places are told apart together.
#[derive(Debug, Clone, Default)]
struct Axis {
    features: Vec<usize>,
    places: usize,
}

/// Sets of leaves, `W` numbers of 64 bits each.
#[derive(Debug, Clone)]
struct Sets<const W: usize>(Vec<[u64; W]>);

/// A tree's sets, as small as its leaves allow.
#[derive(Debug, Clone)]
enum Leaves {
    Few(Sets<1>),
    Some(Sets<2>),
    Many(Sets<MOST_WORDS>),
}

/// Trees that are decided together.
#[derive(Debug, Clone)]
pub(crate) struct Sieve {
    rulers: Rulers,
    /// How many axes there are, and where the sets of each begin.
    axes: usize,
    first: [i32; MOST_AXES],
    trees: Vec<Leaves>,
}

/// Where values lie on each axis.
pub(crate) type Places = [[i32; LANES]; MOST_AXES];

impl Sieve {
    /// Prepares for whole `trees`; none where they are too large.
    pub(crate) fn new(trees: &[&[TreeNode]]) -> Option<Self> {
        let mut thresholds = vec![Vec::new(); FEATURES];
        for node in trees.iter().flat_map(|tree| tree.iter()) {
            if let TreeNode::Decision { feature, threshold } = *node {
                thresholds[usize::from(feature)].push(clamped(threshold));
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
        let trees = trees.iter().map(|tree| leaves(tree, &thresholds, &axes));
        let trees = trees.collect::<Option<_>>()?;
        let mut first = [0; MOST_AXES];
        for i in 1..axes.len() {
            first[i] = first[i - 1] + axes[i - 1].places as i32;
        }
        Some(Self { rulers: rulers(&axes, &thresholds), axes: axes.len(), first, trees })
    }

    /// Finds where values with such properties lie.
    #[inline(always)]
    pub(crate) fn places(&self, features: &[[i32; LANES]; FEATURES]) -> Places {
        let mut out = self.first.map(|first| [first; LANES]);
        self.rulers.add(features, &mut out);
        out
    }

    /// Returns the leaf of one of the trees for the value in one of the lanes.
    #[inline(always)]
    pub(crate) fn leaf(&self, tree: usize, places: &Places, lane: usize) -> usize {
        let places = places[..self.axes.min(MOST_AXES)].iter().map(|axis| axis[lane] as usize);
        match &self.trees[tree] {
            Leaves::Few(sets) => sets.only(places),
            Leaves::Some(sets) => sets.only(places),
            Leaves::Many(sets) => sets.only(places),
        }
    }
}

impl<const W: usize> Sets<W> {
    /// Returns the only leaf that is in all the sets.
    #[inline(always)]
    fn only(&self, places: impl Iterator<Item = usize>) -> usize {
        let mut left = [u64::MAX; W];
        for place in places {
            let own = &self.0[place];
            for w in 0..W {
                left[w] &= own[w];
            }
        }
        let mut leaf = 0;
        for (w, set) in left.iter().enumerate() {
            leaf = if *set == 0 { leaf } else { 64 * w + set.trailing_zeros() as usize };
        }
        leaf
    }
}

fn clamped(threshold: i64) -> i32 {
    threshold.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// Divides properties among few axes: those with many thresholds first, each where there is room.
fn axes(thresholds: &[Vec<i32>]) -> Option<Vec<Axis>> {
    let mut features: Vec<usize> =
        (0..thresholds.len()).filter(|&f| !thresholds[f].is_empty()).collect();
    features.sort_by_key(|&f| std::cmp::Reverse(thresholds[f].len()));
    let mut axes: Vec<Axis> = vec![Axis { features: Vec::new(), places: 1 }];
    for feature in features {
        let count = thresholds[feature].len() + 1;
        let at = axes.iter().position(|axis| axis.places * count <= MOST_PLACES);
        let at = at.unwrap_or_else(|| {
            axes.push(Axis { features: Vec::new(), places: 1 });
            axes.len() - 1
        });
        axes[at].features.push(feature);
        axes[at].places *= count;
    }
    (axes.len() <= MOST_AXES).then_some(axes)
}

/// Lists what properties are compared with, axis after axis.
fn rulers(axes: &[Axis], thresholds: &[Vec<i32>]) -> Rulers {
    let of_axis = |axis: &Axis| {
        let (mut out, mut score) = (Vec::new(), 1);
        for &row in &axis.features {
            let own = thresholds[row].iter();
            out.extend(own.map(|&threshold| Comparison { row: row as u32, threshold, score }));
            score *= thresholds[row].len() as i32 + 1;
        }
        out
    };
    Rulers::new(axes.iter().map(of_axis).collect())
}

/// Finds the sets of a tree's leaves that are reachable from each place of each axis.
fn leaves(tree: &[TreeNode], thresholds: &[Vec<i32>], axes: &[Axis]) -> Option<Leaves> {
    let count = tree.iter().filter(|node| matches!(node, TreeNode::Leaf { .. })).count();
    Some(match count.div_ceil(64) {
        0 | 1 => Leaves::Few(sets(tree, thresholds, axes)),
        2 => Leaves::Some(sets(tree, thresholds, axes)),
        3..=MOST_WORDS => Leaves::Many(sets(tree, thresholds, axes)),
        _ => return None,
    })
}

fn sets<const W: usize>(tree: &[TreeNode], thresholds: &[Vec<i32>], axes: &[Axis]) -> Sets<W> {
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
                let at = thresholds[feature].partition_point(|&t| t < clamped(threshold));
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
    Sets(axes.iter().flat_map(|axis| (0..axis.places).map(|p| at(axis, p, &reachable))).collect())
}

fn add<const W: usize>(set: &mut [u64; W], leaf: usize) {
    set[leaf / 64] |= 1 << (leaf % 64);
}

/// Returns the leaves that are reachable from a place on an axis.
fn at<const W: usize>(axis: &Axis, mut place: usize, reachable: &[Vec<[u64; W]>]) -> [u64; W] {
    let mut out = [u64::MAX; W];
    for &feature in &axis.features {
        let count = reachable[feature].len();
        let own = &reachable[feature][place % count];
        out.iter_mut().zip(own).for_each(|(out, own)| *out &= own);
        place /= count;
    }
    out
}
