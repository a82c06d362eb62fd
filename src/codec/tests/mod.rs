//! What looks at neighbours or is read side by side, against the plainest way to say the same.

mod abreast;
mod by_row;
mod groups;
mod properties;
mod surroundings;
mod trees;

use crate::container::model::{Classes, Grid, Value};
use crate::container::model::{ModelRecord, Neighbours, OWN_TABLE, TERMS, TreeNode};
use crate::entropy::table::TableSpec;
use crate::matrix::rng::Rng;

/// Appends a random tree that is no deeper than `depth`.
fn random_tree(rng: &mut Rng, depth: usize, tree: &mut Vec<TreeNode>, leaf: TreeNode) {
    if depth == 0 || rng.below(4) == 0 {
        return tree.push(leaf);
    }
    let feature = rng.below(32) as u8;
    tree.push(TreeNode::Decision { feature, threshold: rng.below(9) as i64 - 4 });
    random_tree(rng, depth - 1, tree, leaf);
    random_tree(rng, depth - 1, tree, leaf);
}

/// Integers of a row of `width` columns that look at neighbours in such distances.
fn record(width: usize, distances: [usize; 3], coefficients: &[(usize, i64)]) -> ModelRecord {
    let mut neighbours = Neighbours {
        distances,
        coefficients: vec![Vec::new(); TERMS],
        atom_tree: vec![OWN_TABLE],
        tree: vec![OWN_TABLE],
        ..Neighbours::default()
    };
    coefficients.iter().for_each(|&(n, a)| neighbours.coefficients[n] = vec![a]);
    ModelRecord {
        grids: vec![Grid { value: Value::Integer { unit: 1 }, fraction: 3, step: 8 }],
        grid_of: vec![0; width],
        base: vec![0; width],
        temporal: vec![0; width],
        tables: vec![TableSpec::Ladder { shape: 0, scale: 22 }],
        classes: Classes {
            count: 1,
            quantum: vec![0],
            residual_tables: vec![0; width],
            ..Classes::default()
        },
        neighbours: Some(neighbours),
        ..ModelRecord::default()
    }
}
