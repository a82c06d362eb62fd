//! The nearest of many points: a tree of boxes, searched best first (Friedman, Bentley and Finkel
//! 1977, *An algorithm for finding best matches in logarithmic expected time*; the bounds are those
//! of Arya and Mount 1993).

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Coordinates of a point. More would hardly be looked at: trees do not help there.
pub(super) const DIMENSIONS: usize = 16;
/// Points of a leaf: so few that looking at all of them takes as long as a step down the tree.
pub(super) const LEAF: usize = 32;

pub(super) type Point = [f32; DIMENSIONS];

/// Points, in the order of the leaves.
pub(super) struct Tree {
    points: Vec<(Point, u32)>,
    nodes: Vec<Node>,
}

/// A range of points, cut in its middle where there are more than [`LEAF`].
struct Node {
    first: u32,
    end: u32,
    cut: Option<Cut>,
}

/// Points below `at` along `dimension` are in the next node, the others in node `upper`.
struct Cut {
    dimension: usize,
    at: f32,
    upper: usize,
}

/// A node not yet looked at.
struct Open {
    bound: f32,
    node: usize,
    /// How far the query lies outside the node along each dimension.
    outside: Point,
}

impl Tree {
    /// Makes a tree of points and the numbers by which they are known.
    pub(super) fn new(mut points: Vec<(Point, u32)>) -> Self {
        let mut nodes = Vec::new();
        divide(&mut points, 0, &mut nodes);
        Self { points, nodes }
    }

    /// The `count` nearest points, by squared distance, nearest first; of the leaves, only the
    /// `leaves` most promising are looked at.
    pub(super) fn nearest(&self, query: &Point, count: usize, leaves: usize) -> Vec<(f32, u32)> {
        let mut best: Vec<(f32, u32)> = Vec::with_capacity(count + 1);
        let mut open = BinaryHeap::from([Open { bound: 0.0, node: 0, outside: [0.0; DIMENSIONS] }]);
        for _ in 0..leaves {
            let Some(next) = open.pop() else { break };
            if best.len() == count && best.last().is_some_and(|worst| next.bound > worst.0) {
                break;
            }
            let leaf = &self.nodes[self.descend(next, query, &mut open)];
            for (point, number) in &self.points[leaf.first as usize..leaf.end as usize] {
                let found = (squared_distance(point, query), *number);
                let at = best.partition_point(|other| compare(other, &found).is_lt());
                if at < count {
                    best.insert(at, found);
                    best.truncate(count);
                }
            }
        }
        best
    }

    /// Goes down to the leaf that the query lies in or next to; what is left aside is `open`.
    fn descend(&self, from: Open, query: &Point, open: &mut BinaryHeap<Open>) -> usize {
        let mut node = from.node;
        while let Some(cut) = &self.nodes[node].cut {
            let off = query[cut.dimension] - cut.at;
            let (near, far) = if off < 0.0 { (node + 1, cut.upper) } else { (cut.upper, node + 1) };
            let mut outside = from.outside;
            let before = outside[cut.dimension];
            outside[cut.dimension] = off;
            let bound = from.bound - before * before + off * off;
            open.push(Open { bound, node: far, outside });
            node = near;
        }
        node
    }
}

/// Cuts points where they are spread most, and their parts in turn.
fn divide(points: &mut [(Point, u32)], first: u32, nodes: &mut Vec<Node>) {
    let own = nodes.len();
    nodes.push(Node { first, end: first + points.len() as u32, cut: None });
    if points.len() <= LEAF {
        return;
    }
    let spread = |d: usize| {
        let ends = points
            .iter()
            .fold((f32::MAX, f32::MIN), |(low, high), (p, _)| (low.min(p[d]), high.max(p[d])));
        ends.1 - ends.0
    };
    let dimension = (0..DIMENSIONS)
        .map(|d| (spread(d), d))
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))
        .map_or(0, |widest| widest.1);
    let middle = points.len() / 2;
    points.select_nth_unstable_by(middle, |a, b| {
        a.0[dimension].total_cmp(&b.0[dimension]).then(a.1.cmp(&b.1))
    });
    let at = points[middle].0[dimension];
    let (lower, upper) = points.split_at_mut(middle);
    divide(lower, first, nodes);
    let cut = Cut { dimension, at, upper: nodes.len() };
    divide(upper, first + middle as u32, nodes);
    nodes[own].cut = Some(cut);
}

fn squared_distance(a: &Point, b: &Point) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// Nearer first; of points equally near, that of the smaller number.
fn compare(a: &(f32, u32), b: &(f32, u32)) -> Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

// The heap gives its largest first, which is to be the nearest.
impl Ord for Open {
    fn cmp(&self, other: &Self) -> Ordering {
        other.bound.total_cmp(&self.bound).then(other.node.cmp(&self.node))
    }
}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Open {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rng::Rng;

    #[test]
    fn the_nearest_are_found() {
        let mut rng = Rng::new(2);
        let mut point = |equal: bool| -> Point {
            std::array::from_fn(|d| if equal || d > 4 { 1.0 } else { rng.normal() })
        };
        let points: Vec<(Point, u32)> = (0..3000).map(|i| (point(i % 3 == 0), i)).collect();
        let tree = Tree::new(points.clone());
        for i in 0..50 {
            let query = point(i == 0);
            let mut all: Vec<(f32, u32)> =
                points.iter().map(|(p, number)| (squared_distance(p, &query), *number)).collect();
            all.sort_by(compare);
            assert_eq!(tree.nearest(&query, 7, usize::MAX), all[..7]);
            // Few leaves give points too, if not the very nearest.
            assert_eq!(tree.nearest(&query, 7, 2).len(), 7);
        }
        assert!(Tree::new(Vec::new()).nearest(&[0.0; DIMENSIONS], 3, 9).is_empty());
    }
}
