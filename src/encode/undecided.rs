//! Values whose leaves are looked for together: many at once take a fraction of the time, as no step of a walk
//! through a tree has to wait for the one before. What is coded does not depend on leaves, only what it costs.

use crate::codec::context::LANES;
use crate::codec::neighbourhood::Neighbourhood;
use crate::container::model::FEATURES;
use crate::encode::symbols::Symbols;

/// Properties of the last values of a block, whose leaves are not known yet.
pub(super) struct Undecided {
    features: Box<[[i32; LANES]; FEATURES]>,
    count: usize,
}

impl Undecided {
    pub(super) fn new() -> Self {
        Self { features: Box::new([[0; LANES]; FEATURES]), count: 0 }
    }

    /// Takes the properties of the value before `next`, and finds leaves where there are enough.
    #[inline(always)]
    pub(super) fn push(
        &mut self,
        own: &[[i32; 1]; FEATURES],
        next: usize,
        n: &Neighbourhood,
        symbols: &mut Symbols,
    ) {
        for (all, [one]) in self.features.iter_mut().zip(own) {
            all[self.count] = *one;
        }
        self.count += 1;
        if self.count == LANES {
            self.decide(next, n, symbols);
        }
    }

    /// Finds the leaves of all values before `next` that wait for them.
    pub(super) fn decide(&mut self, next: usize, n: &Neighbourhood, symbols: &mut Symbols) {
        let decided = n.decide(&self.features);
        for (lane, at) in (next - self.count..next).enumerate() {
            symbols.leaves[at] = decided.leaf(lane);
            if !n.atoms.is_empty() {
                symbols.atom_leaves[at] = decided.atom_leaf(lane);
            }
        }
        self.count = 0;
    }
}
