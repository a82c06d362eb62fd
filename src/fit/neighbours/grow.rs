//! Trees of decisions, grown from the root: of all leaves the one that saves most by a decision is
//! divided next (as decision trees for classification are; Breiman et al. 1984, *Classification and
//! Regression Trees*), for as long as the file gets smaller.

use crate::container::model::{FEATURES, MAX_DEPTH, MAX_NODES, TreeNode};
use crate::interrupt::checkpoint;
use rayon::prelude::*;
use std::cmp::Ordering;
use std::collections::{BTreeSet, BinaryHeap};

/// Thresholds of a property that are tried, at most: quantiles of what was seen.
const MOST_THRESHOLDS: usize = 30;
/// Bits of the model that a decision takes: its property, its threshold and two tables in place of
/// one.
const DECISION_BITS: f32 = 22.0;
/// Cells on each side of a decision, at least.
const LEAST_CELLS: usize = 24;
/// What the values in a leaf cost.
pub(crate) trait Criterion: Sync {
    /// Numbers of which the sums over a leaf's values say what they cost.
    fn len(&self) -> usize;

    /// Adds a value to sums.
    fn add(&self, cell: usize, sums: &mut [f32]);

    /// Returns the bits of a leaf in the file, its table included.
    fn cost(&self, sums: &[f32]) -> f32;
}

/// How far trees grow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Growth {
    /// Most leaves.
    pub(crate) leaves: usize,
    /// Most decisions from the root to a leaf.
    pub(crate) depth: usize,
}

/// A property's thresholds, and between which of them each cell lies.
struct Binned {
    thresholds: Vec<i32>,
    bins: Vec<u8>,
}

impl Binned {
    fn new(values: &[i32]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        let mut thresholds: Vec<i32> = (1..MOST_THRESHOLDS)
            .filter_map(|q| sorted.get(q * sorted.len() / MOST_THRESHOLDS).copied())
            .chain([-1, 0])
            .collect();
        thresholds.sort_unstable();
        thresholds.dedup();
        let (first, last) = (sorted.first().copied(), sorted.last().copied());
        // Above the last there must be something, and below the first.
        thresholds.retain(|&t| first.is_some_and(|f| f <= t) && last.is_some_and(|l| l > t));
        let bin = |v: &i32| thresholds.partition_point(|t| t < v) as u8;
        let bins = values.iter().map(bin).collect();
        Self { thresholds, bins }
    }
}

/// Comparisons of a property with a threshold that trees make, anywhere: a decoder makes all of them for
/// every value, so there may only be so many. Leaves that come late do with those that others make.
#[derive(Debug, Default)]
pub(crate) struct Comparisons {
    made: BTreeSet<(usize, i32)>,
    /// How many there may be.
    most: usize,
}

impl Comparisons {
    /// Lets the next tree make comparisons until all trees together make `most`.
    pub(crate) fn up_to(&mut self, most: usize) -> &mut Self {
        self.most = most;
        self
    }

    /// Says whether a tree may make one.
    fn allow(&self, feature: usize, threshold: i32) -> bool {
        self.made.len() < self.most || self.made.contains(&(feature, threshold))
    }
}

/// A node of the tree while it grows.
enum Node {
    Leaf,
    Decision { feature: usize, threshold: i32, branches: [usize; 2] },
}

/// A leaf with the best decision for it.
struct Open {
    node: usize,
    depth: usize,
    cells: Vec<u32>,
    gain: f32,
    feature: usize,
    bin: usize,
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Open {}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Open {
    fn cmp(&self, other: &Self) -> Ordering {
        self.gain.total_cmp(&other.gain).then(other.node.cmp(&self.node))
    }
}

/// Grows a tree for those `cells` of the observed whose `features` `allowed` ones may divide; the tables
/// of its leaves are yet to be fitted. `comparisons` are those of the model's trees so far.
pub(crate) fn grow<C: Criterion>(
    features: &[[i32; FEATURES]],
    cells: Vec<u32>,
    criterion: &C,
    (allowed, comparisons): (&[usize], &mut Comparisons),
    growth: Growth,
) -> Vec<TreeNode> {
    let binned: Vec<(usize, Binned)> = allowed
        .par_iter()
        .map(|&f| {
            let values: Vec<i32> = features.iter().map(|v| v[f]).collect();
            (f, Binned::new(&values))
        })
        .filter(|(_, b)| !b.thresholds.is_empty())
        .collect();
    let open = |node: usize, depth: usize, cells: Vec<u32>, made: &Comparisons| {
        let (gain, feature, bin) = best_decision(&binned, &cells, criterion, made);
        Open { node, depth, cells, gain, feature, bin }
    };
    let mut nodes = vec![Node::Leaf];
    let mut heap = BinaryHeap::from([open(0, 0, cells, comparisons)]);
    let mut leaves = 1;
    let most_leaves = growth.leaves.min(MAX_NODES.div_ceil(2));
    let most_depth = growth.depth.min(MAX_DEPTH);
    while leaves < most_leaves {
        let Some(best) = heap.pop().filter(|best| best.gain > 0.0) else { break };
        if best.depth >= most_depth {
            continue;
        }
        let (feature, b) = &binned[best.feature];
        let threshold = b.thresholds[best.bin];
        if !comparisons.allow(*feature, threshold) {
            heap.push(open(best.node, best.depth, best.cells, comparisons));
            continue;
        }
        comparisons.made.insert((*feature, threshold));
        let (low, high): (Vec<u32>, Vec<u32>) =
            best.cells.iter().partition(|&&cell| usize::from(b.bins[cell as usize]) <= best.bin);
        let branches = [nodes.len(), nodes.len() + 1];
        nodes[best.node] = Node::Decision { feature: *feature, threshold, branches };
        nodes.extend([Node::Leaf, Node::Leaf]);
        heap.push(open(branches[0], best.depth + 1, low, comparisons));
        heap.push(open(branches[1], best.depth + 1, high, comparisons));
        leaves += 1;
    }
    let mut tree = Vec::with_capacity(nodes.len());
    flatten(&nodes, 0, &mut tree);
    tree
}

fn flatten(nodes: &[Node], at: usize, out: &mut Vec<TreeNode>) {
    match nodes[at] {
        Node::Leaf => out.push(TreeNode::Leaf { table: None, shift: 0 }),
        Node::Decision { feature, threshold, branches } => {
            let (feature, threshold) = (feature as u8, i64::from(threshold));
            out.push(TreeNode::Decision { feature, threshold });
            branches.iter().for_each(|&b| flatten(nodes, b, out));
        }
    }
}

/// Finds the decision that saves most bits: what it saves, its property and the last bin of its lower
/// branch.
fn best_decision<C: Criterion>(
    binned: &[(usize, Binned)],
    cells: &[u32],
    criterion: &C,
    made: &Comparisons,
) -> (f32, usize, usize) {
    checkpoint();
    if cells.len() < 2 * LEAST_CELLS {
        return (0.0, 0, 0);
    }
    let length = criterion.len();
    let of_feature = |(at, (feature, b)): (usize, &(usize, Binned))| {
        let count = b.thresholds.len() + 1;
        let mut sums = vec![0.0_f32; count * length];
        let mut seen = vec![0_usize; count];
        for &cell in cells {
            let bin = usize::from(b.bins[cell as usize]);
            seen[bin] += 1;
            criterion.add(cell as usize, &mut sums[bin * length..(bin + 1) * length]);
        }
        let mut right = vec![0.0; length];
        for own in sums.chunks_exact(length) {
            right.iter_mut().zip(own).for_each(|(r, s)| *r += s);
        }
        let whole = criterion.cost(&right);
        let mut left = vec![0.0; length];
        let (mut below, mut best) = (0, (0.0_f32, at, 0));
        for bin in 0..count - 1 {
            below += seen[bin];
            let own = &sums[bin * length..(bin + 1) * length];
            left.iter_mut().zip(own).for_each(|(l, s)| *l += s);
            right.iter_mut().zip(own).for_each(|(r, s)| *r -= s);
            if seen[bin] == 0 || below < LEAST_CELLS {
                continue;
            }
            if cells.len() - below < LEAST_CELLS {
                break;
            }
            if !made.allow(*feature, b.thresholds[bin]) {
                continue;
            }
            let gain = whole - criterion.cost(&left) - criterion.cost(&right) - DECISION_BITS;
            if gain > best.0 {
                best = (gain, at, bin);
            }
        }
        best
    };
    let better = |a: (f32, usize, usize), b: (f32, usize, usize)| {
        if b.0 > a.0 || (b.0 == a.0 && b.1 < a.1) { b } else { a }
    };
    if cells.len() < 2048 {
        return binned.iter().enumerate().map(of_feature).fold((0.0, usize::MAX, 0), better);
    }
    binned.par_iter().enumerate().map(of_feature).reduce(|| (0.0, usize::MAX, 0), better)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::neighbours::criteria::OwnTable;
    use crate::matrix::rng::Rng;

    /// Cells of two properties that say something, and one that does not: numbers are wide where the
    /// first is above 10, and 7 more where the second is above 0.
    fn cells(count: usize) -> (Vec<[i32; FEATURES]>, Vec<i64>) {
        let mut rng = Rng::new(5);
        let mut draw = |reach: f32| ((rng.unit() - 0.5) * 2.0 * reach).round() as i64;
        let (mut features, mut numbers) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let mut f = [0; FEATURES];
            (f[4], f[9], f[20]) = (draw(30.0) as i32, draw(5.0) as i32, draw(99.0) as i32);
            let reach = if f[4] > 10 { 19.0 } else { 0.6 };
            numbers.push(draw(reach) + if f[9] > 0 { 7 } else { 0 });
            features.push(f);
        }
        (features, numbers)
    }

    fn decisions(tree: &[TreeNode]) -> Vec<(u8, i64)> {
        let of_node = |node: &TreeNode| match *node {
            TreeNode::Decision { feature, threshold } => Some((feature, threshold)),
            TreeNode::Leaf { .. } => None,
        };
        tree.iter().filter_map(of_node).collect()
    }

    #[test]
    fn decisions_are_those_that_numbers_depend_on() {
        let (features, numbers) = cells(20_000);
        let all = (0..features.len() as u32).collect();
        let growth = Growth { leaves: 4, depth: 8 };
        let criterion = OwnTable::new(&numbers, 1.0);
        let tree = grow(
            &features,
            all,
            &criterion,
            (&[2, 4, 9, 20], Comparisons::default().up_to(80)),
            growth,
        );
        let found = decisions(&tree);
        assert_eq!(found.len(), 3, "{tree:?}");
        assert!(found.iter().all(|(f, _)| [4, 9].contains(f)), "{found:?}");
        let near =
            |feature: u8, at: i64| found.iter().any(|&(f, t)| f == feature && (t - at).abs() <= 1);
        assert!(near(4, 10) && near(9, 0), "{found:?}");
    }

    #[test]
    fn noise_is_not_divided_and_depth_has_an_end() {
        let (features, mut numbers) = cells(20_000);
        let growth = Growth { leaves: 64, depth: 2 };
        let all: Vec<u32> = (0..features.len() as u32).collect();
        let deep = grow(
            &features,
            all.clone(),
            &OwnTable::new(&numbers, 1.0),
            (&[4, 9], Comparisons::default().up_to(80)),
            growth,
        );
        assert!(decisions(&deep).len() <= 3);
        // Numbers in another order have nothing to do with properties.
        numbers.rotate_left(7_777);
        let tree = grow(
            &features,
            all,
            &OwnTable::new(&numbers, 1.0),
            (&[4, 9, 20], Comparisons::default().up_to(80)),
            growth,
        );
        assert_eq!(decisions(&tree), []);
    }
}
