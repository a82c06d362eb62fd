use super::random_tree;
use crate::codec::context::LANES;
use crate::codec::sieve::Sieve;
use crate::codec::tree::Tree;
use crate::container::model::OWN_TABLE;
use crate::container::model::{FEATURES, MAX_DEPTH, TreeNode};
use crate::kernels::Isa;
use crate::kernels::run::{has_vectors, run_vectors};
use crate::kernels::vector::{Vector, VectorLoop};
use crate::matrix::rng::Rng;

/// A tree as one draws it.
enum Drawn {
    Leaf(u16),
    Decision { feature: usize, threshold: i64, branches: Box<[Drawn; 2]> },
}

impl Drawn {
    fn new(nodes: &mut impl Iterator<Item = TreeNode>, leaves: &mut u16) -> Self {
        match nodes.next().unwrap() {
            TreeNode::Leaf { .. } => {
                *leaves += 1;
                Drawn::Leaf(*leaves - 1)
            }
            TreeNode::Decision { feature, threshold } => {
                let lower = Self::new(nodes, leaves);
                let branches = Box::new([lower, Self::new(nodes, leaves)]);
                Drawn::Decision { feature: usize::from(feature), threshold, branches }
            }
        }
    }

    fn walk(&self, properties: &[i32; FEATURES]) -> u16 {
        match self {
            Drawn::Leaf(leaf) => *leaf,
            Drawn::Decision { feature, threshold, branches } => {
                branches[usize::from(i64::from(properties[*feature]) > *threshold)].walk(properties)
            }
        }
    }
}

/// Leaves of values as each kind of vectors of this CPU finds them.
fn with_vectors(
    sieve: &Sieve,
    properties: &[[i32; LANES]; FEATURES],
) -> impl Iterator<Item = [[u16; LANES]; 2]> {
    struct Leaves<'a>(&'a Sieve, &'a [[i32; LANES]; FEATURES], &'a mut [[u16; LANES]; 2]);
    impl VectorLoop for Leaves<'_> {
        #[inline(always)]
        fn run<V: Vector>(self, isa: V::Isa) {
            let mut features = [V::all(isa, 0); FEATURES];
            for (out, from) in features.iter_mut().zip(self.1) {
                *out = V::load(isa, from).doubled();
            }
            *self.2 = self.0.swift_leaves(isa, &features);
        }
    }
    Isa::available().filter(|isa| has_vectors(*isa)).map(move |isa| {
        let mut out = [[0; LANES]; 2];
        run_vectors(isa, Leaves(sieve, properties, &mut out));
        out
    })
}

fn check(nodes: &[TreeNode], rng: &mut Rng) -> usize {
    let (tree, mut leaves) = (Tree::new(nodes), 0);
    let drawn = Drawn::new(&mut nodes.iter().copied(), &mut leaves);
    let mut reached = std::collections::BTreeSet::new();
    // Beside another tree, which is a leaf.
    let sieve = Sieve::new([&[OWN_TABLE], nodes]);
    for _ in 0..60 {
        let properties: [[i32; LANES]; FEATURES] =
            std::array::from_fn(|_| std::array::from_fn(|_| rng.below(11) as i32 - 5));
        let found = tree.leaves(&properties);
        if let Some(leaves) = sieve.as_ref().and_then(|sieve| sieve.leaves(&properties)) {
            assert_eq!(leaves, [[0; LANES], found]);
        }
        for leaves in sieve.iter().flat_map(|sieve| with_vectors(sieve, &properties)) {
            assert_eq!(leaves, [[0; LANES], found]);
        }
        for lane in 0..LANES {
            assert_eq!(found[lane], drawn.walk(&properties.map(|p| p[lane])));
            reached.insert(found[lane]);
        }
    }
    reached.len()
}

#[test]
fn leaves_are_those_of_a_walk_from_the_root() {
    let mut rng = Rng::new(5);
    let mut most = 0;
    for _ in 0..200 {
        let mut nodes = Vec::new();
        random_tree(&mut rng, 9, &mut nodes, OWN_TABLE);
        most = most.max(check(&nodes, &mut rng));
    }
    assert!(most > 20, "{most}");
}

#[test]
fn trees_with_many_leaves_or_thresholds_are_not_sieved() {
    let comb = |thresholds: usize, repeated: usize| {
        let decisions = (0..thresholds * repeated).map(|i| (i % thresholds) as i64);
        let decision = |threshold| TreeNode::Decision { feature: 3, threshold };
        let mut nodes: Vec<TreeNode> = decisions.flat_map(|t| [decision(t), OWN_TABLE]).collect();
        nodes.push(OWN_TABLE);
        Sieve::new([&nodes, &[OWN_TABLE]]).is_some()
    };
    assert!(comb(100, 2) && comb(200, 5) && comb(300, 1));
    assert!(!comb(100, 11) && !comb(400, 1));
    // Nor are those that compare with large numbers.
    let one = |threshold| {
        let nodes = [TreeNode::Decision { feature: 3, threshold }, OWN_TABLE, OWN_TABLE];
        Sieve::new([&nodes, &[OWN_TABLE]]).is_some()
    };
    assert!(one(i64::from(i16::MIN)) && one(i64::from(i16::MAX) - 1));
    assert!(!one(i64::from(i16::MIN) - 1) && !one(i64::from(i16::MAX)));
}

#[test]
fn the_deepest_trees_are_walked_to_their_ends() {
    let mut rng = Rng::new(6);
    let decision = |threshold| TreeNode::Decision { feature: 7, threshold };
    // Down the upper branches, and down the lower ones.
    let mut upper: Vec<TreeNode> = [decision(-6), OWN_TABLE].repeat(MAX_DEPTH);
    upper.push(OWN_TABLE);
    let mut lower = vec![decision(4); MAX_DEPTH];
    lower.extend([OWN_TABLE; MAX_DEPTH + 1]);
    for nodes in [upper, lower] {
        assert!(check(&nodes, &mut rng) >= 1);
    }
    // Thresholds beyond what a property may be.
    for (threshold, leaf) in [(i64::MIN, 1), (i64::MAX, 0), (1 << 40, 0), (-1 << 40, 1)] {
        let tree = Tree::new(&[decision(threshold), OWN_TABLE, OWN_TABLE]);
        assert_eq!(tree.leaves(&[[i32::MAX - 1, -5]; FEATURES]), [leaf; 2]);
    }
}
