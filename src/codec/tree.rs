//! Trees of decisions by which a value's table is chosen.

use crate::container::model::{FEATURES, TreeNode};

/// A node: two branches, or a leaf, whose branches lead back to itself.
#[derive(Debug, Clone, Copy)]
struct Node {
    feature: u8,
    threshold: i32,
    /// Where to go if the property is above the threshold, and if not.
    branches: [u16; 2],
}

/// A tree ready to be walked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    /// Which leaf each node is.
    leaf: Vec<u16>,
    depth: usize,
}

impl Tree {
    /// Links the nodes of a tree, given as they are passed from the left; they must be a whole tree.
    pub(crate) fn new(tree: &[TreeNode]) -> Self {
        let mut out = Self::default();
        let mut leaves = 0;
        // Decisions whose upper branch is still to come, with its depth.
        let mut open: Vec<(usize, usize)> = Vec::new();
        let mut depth = 0;
        for (i, node) in tree.iter().enumerate() {
            let here = i as u16;
            match *node {
                TreeNode::Decision { feature, threshold } => {
                    let threshold = threshold.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
                    let branches = [here; 2].map(|h| h + 1);
                    out.nodes.push(Node { feature, threshold: threshold as i32, branches });
                    out.leaf.push(0);
                    depth += 1;
                    open.push((i, depth));
                }
                TreeNode::Leaf { .. } => {
                    let node = Node { feature: 0, threshold: 0, branches: [here; 2] };
                    out.nodes.push(node);
                    out.leaf.push(leaves);
                    leaves += 1;
                    out.depth = out.depth.max(depth);
                    if let Some((from, below)) = open.pop() {
                        out.nodes[from].branches[0] = here + 1;
                        depth = below;
                    }
                }
            }
        }
        out
    }

    /// Says whether there is nothing to decide.
    pub(crate) fn is_trivial(&self) -> bool {
        self.nodes.len() <= 1
    }

    /// Finds the leaves of `N` values side by side.
    #[inline(always)]
    pub(crate) fn leaves<const N: usize>(&self, features: &[[i32; N]; FEATURES]) -> [u16; N] {
        let mut at = [0_u16; N];
        for _ in 0..self.depth {
            for (i, at) in at.iter_mut().enumerate() {
                let node = &self.nodes[usize::from(*at)];
                let value = features[usize::from(node.feature) % FEATURES][i];
                *at = node.branches[usize::from(value <= node.threshold)];
            }
        }
        at.map(|at| self.leaf.get(usize::from(at)).copied().unwrap_or(0))
    }
}
