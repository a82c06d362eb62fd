//! Trees of decisions by which a value's table is chosen.

use crate::container::model::{FEATURES, TreeNode};

/// A node. A leaf leads back to itself, so that values that come to it early wait there.
#[derive(Debug, Clone, Copy, Default)]
struct Node {
    threshold: i32,
    /// Where to go if the property is not above the threshold; if it is, to the node behind that.
    below: u16,
    feature: u8,
}

/// A tree ready to be walked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    /// Which leaf each node is.
    leaf: Vec<u16>,
    depth: usize,
    /// A bit for each property by which it decides.
    features: u32,
}

impl Tree {
    /// Links the nodes of a tree, given as they are passed from the left; they must be a whole tree.
    pub(crate) fn new(tree: &[TreeNode]) -> Self {
        let mut out = Self { nodes: vec![Node::default()], leaf: vec![0], ..Self::default() };
        let mut leaves = 0;
        // Where the nodes to come are put, and their depths; the next one last.
        let mut open = vec![(0, 0)];
        for node in tree {
            let Some((at, depth)) = open.pop() else { break };
            match *node {
                TreeNode::Decision { feature, threshold } => {
                    let threshold = threshold.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
                    let below = out.nodes.len();
                    out.nodes.resize(below + 2, Node::default());
                    out.leaf.resize(below + 2, 0);
                    out.nodes[at] =
                        Node { threshold: threshold as i32, below: below as u16, feature };
                    out.features |= 1 << feature;
                    open.extend([(below + 1, depth + 1), (below, depth + 1)]);
                }
                TreeNode::Leaf { .. } => {
                    // No property is above the greatest number.
                    out.nodes[at] = Node { threshold: i32::MAX, below: at as u16, feature: 0 };
                    out.leaf[at] = leaves;
                    leaves += 1;
                    out.depth = out.depth.max(depth);
                }
            }
        }
        out
    }

    /// Says whether there is nothing to decide.
    pub(crate) fn is_trivial(&self) -> bool {
        self.nodes.len() <= 1
    }

    /// Returns a bit for each property by which the tree decides.
    pub(crate) fn features(&self) -> u32 {
        self.features
    }

    /// Finds the leaves of `N` values side by side.
    #[inline(always)]
    pub(crate) fn leaves<const N: usize>(&self, features: &[[i32; N]; FEATURES]) -> [u16; N] {
        let mut at = [0_u16; N];
        for _ in 0..self.depth {
            for (i, at) in at.iter_mut().enumerate() {
                let node = self.nodes[usize::from(*at)];
                let value = features[usize::from(node.feature) % FEATURES][i];
                *at = node.below + u16::from(value > node.threshold);
            }
        }
        at.map(|at| self.leaf[usize::from(at)])
    }
}
