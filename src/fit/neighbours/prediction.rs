//! Predictions from neighbours, as they are compared: what each weighs, and what tells them apart.

use crate::codec::context::neighbour::{LEFT, LEFT2, THIRD, THIRD_LEFT, THIRD_RIGHT, THIRD2};
use crate::codec::context::neighbour::{UP, UP_LEFT, UP_RIGHT, UP2};
use crate::container::model::{FIRST_FARTHER, FIRST_RESIDUAL, NEIGHBOURS, Neighbours, OWN_TABLE};
use crate::container::model::{RowPredictors, TERMS, TreeNode};
use crate::fit::neighbours::geometry::Directions;
use crate::fit::neighbours::stencil::Stencil;

/// Bits of a coefficient in the model.
const COEFFICIENT_BITS: f64 = 7.0;

/// How much larger than the least bits, as they are estimated without contexts, those of a prediction may be
/// that is the best with them.
const NEARLY: f64 = 1.2;
/// The same of one that differs from the least only in whether residuals are weighed.
const NEARLY_ALIKE: f64 = 1.05;
/// The same of two of one kind: contexts can make either the better by far more.
const TWINS: f64 = 1.002;
/// The same of one by row, which contexts say less to, where many kinds are compared, and where few are:
/// comparing takes time.
const NEARLY_BY_ROW: [f64; 2] = [1.01, 0.97];
/// Up to so many kinds of predictions, the simple ones are not told from others.
pub(super) const FEW_KINDS: usize = 2;

/// Neighbours in the third direction, where that is the row before, and those above that are the same.
const SAME: [(usize, usize); 4] =
    [(THIRD, UP), (THIRD2, UP2), (THIRD_LEFT, UP_LEFT), (THIRD_RIGHT, UP_RIGHT)];

/// Returns sums that suit data of known kinds: the value before, in each direction, on a line through
/// two of them, or on a plane through three.
pub(super) fn simple_sums() -> Vec<Stencil> {
    let sum = |terms: &[(usize, i64)]| {
        let mut out = [0; TERMS];
        terms.iter().for_each(|&(n, a)| out[n] = a);
        out
    };
    vec![
        sum(&[]),
        sum(&[(LEFT, 256)]),
        sum(&[(LEFT, 384), (LEFT2, -128)]),
        sum(&[(LEFT, 512), (LEFT2, -256)]),
        sum(&[(UP, 256)]),
        sum(&[(UP, 512), (UP2, -256)]),
        sum(&[(LEFT, 256), (UP, 256), (UP_LEFT, -256)]),
        sum(&[(THIRD, 256)]),
        sum(&[(THIRD, 512), (THIRD2, -256)]),
        sum(&[(LEFT, 256), (THIRD, 256), (THIRD_LEFT, -256)]),
    ]
}

/// How each column is predicted.
#[derive(Debug, Clone)]
pub(super) struct Prediction {
    pub(super) directions: Directions,
    pub(super) median: bool,
    pub(super) stencils: Vec<Stencil>,
    /// The stencil of each column; empty where all have the first.
    pub(super) of: Vec<usize>,
    /// Predictors in place of all that, of which each row names one.
    pub(super) by_row: Option<RowPredictors>,
}

/// What tells predictions apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    directions: Directions,
    median: bool,
    in_groups: bool,
    by_row: bool,
    /// Whether residuals are weighed, which contexts look at, too.
    weighs_residuals: bool,
    /// Whether coefficients are halves: where values lie on a grid of their own that the steps go across,
    /// what is left of them repeats, and contexts say much.
    simple: bool,
}

impl Kind {
    /// Says whether two are the same but for the residuals that they weigh.
    fn is_like(&self, other: &Self) -> bool {
        *self == Self { weighs_residuals: self.weighs_residuals, ..*other }
    }
}

/// Half of one in coefficients.
const HALF: i64 = 128;
impl Prediction {
    pub(super) fn all(directions: Directions, stencil: Stencil) -> Self {
        Self { directions, median: false, stencils: vec![stencil], of: Vec::new(), by_row: None }
    }

    /// The same, for which rows before are kept: something weighs them, if only with nothing.
    pub(super) fn looking_back(&self) -> Self {
        let mut probe = self.clone();
        for stencil in probe.stencils.iter_mut().filter(|s| s[THIRD] == 0) {
            stencil[THIRD] = 1;
        }
        probe
    }

    /// The same without the third direction, which is that of the row before and has what lies there.
    pub(super) fn without_third(&self) -> Self {
        let mut out = self.clone();
        for stencil in &mut out.stencils {
            for (third, same) in SAME {
                stencil[same] += stencil[third];
            }
            stencil[THIRD..NEIGHBOURS].fill(0);
        }
        out
    }

    /// Bits of the model.
    pub(super) fn bits(&self, width: usize) -> f64 {
        let used = |s: &Stencil| s.iter().filter(|a| **a != 0).count() as f64;
        let groups = self.stencils.len();
        let map = if groups > 1 && groups < width { (groups as f64).log2() } else { 0.0 };
        self.stencils.iter().map(used).sum::<f64>() * COEFFICIENT_BITS + map * width as f64
    }

    /// Returns what a model says of the prediction, with trees that decide nothing.
    pub(super) fn neighbours(&self, aligned: bool, atoms: &[i64]) -> Neighbours {
        let used = |n: usize| self.stencils.iter().any(|s| s[n] != 0);
        let of_groups = |n: usize| self.stencils.iter().map(|s| s[n]).collect();
        let by_group = self.stencils.len() > 1 && self.stencils.len() < self.of.len();
        Neighbours {
            distances: self.directions.distances,
            line_of_rows: self.directions.line_of_rows,
            latents_above: Default::default(),
            median: self.median,
            aligned,
            group_of: if by_group { self.of.clone() } else { Vec::new() },
            coefficients: (0..TERMS)
                .map(|n| if used(n) { of_groups(n) } else { Vec::new() })
                .collect(),
            by_row: self.by_row.clone(),
            atoms: atoms.to_vec(),
            atom_tree: vec![TreeNode::Leaf { table: Some(0), shift: 0 }],
            tree: vec![OWN_TABLE],
        }
    }

    /// Says what tells it from others more than numbers do.
    fn kind(&self) -> Kind {
        Kind {
            directions: self.directions,
            median: self.median,
            in_groups: self.stencils.len() > 1,
            by_row: self.by_row.is_some(),
            weighs_residuals: self.weighs_residuals(),
            simple: self.is_simple(),
        }
    }

    /// Says whether all coefficients are halves.
    pub(super) fn is_simple(&self) -> bool {
        self.stencils.iter().flatten().all(|a| a % HALF == 0)
    }

    pub(super) fn weighs_residuals(&self) -> bool {
        let residuals = FIRST_RESIDUAL..FIRST_FARTHER;
        self.stencils.iter().any(|s| s[residuals.clone()].iter().any(|a| *a != 0))
    }

    /// Says whether it predicts nothing.
    pub(super) fn is_nothing(&self) -> bool {
        !self.median
            && self.by_row.is_none()
            && self.stencils.iter().all(|s| s.iter().all(|a| *a == 0))
    }
}

/// A kind that was met, with the bits of its first.
struct Met {
    kind: Kind,
    bits: f64,
    /// Whether the first is kept, and nothing else of the kind yet.
    wants_twin: bool,
}

/// Keeps of predictions, those of the fewest bits first, up to `most` that may turn out to be the best: the first
/// of each kind, and its twin where many are compared. Those by row take no place from others, nor does what
/// weighs residuals: contexts say less to them.
pub(super) fn of_different_kinds(
    mut all: Vec<(f64, Prediction)>,
    most: usize,
) -> Vec<(f64, Prediction)> {
    let Some((least, first)) = all.first().map(|(bits, p)| (*bits, p.kind())) else { return all };
    let is_few = most <= FEW_KINDS;
    let not_by_row = all.iter().find(|(_, p)| p.by_row.is_none() && !p.weighs_residuals());
    let most_by_row =
        not_by_row.map_or(f64::INFINITY, |(bits, _)| *bits) * NEARLY_BY_ROW[usize::from(is_few)];
    let mut kinds: Vec<Met> = Vec::new();
    let (mut others, mut weighing) = (0, 0);
    all.retain(|(bits, p)| {
        let mut kind = p.kind();
        kind.simple &= !is_few;
        if let Some(met) = kinds.iter_mut().find(|met| met.kind == kind) {
            return std::mem::take(&mut met.wants_twin) && *bits <= TWINS * met.bits;
        }
        let nearly = if kind.is_like(&first) { NEARLY_ALIKE } else { NEARLY };
        let is_kept = *bits <= nearly * least
            && if kind.by_row {
                *bits <= most_by_row
            } else if kind.weighs_residuals {
                weighing += 1;
                weighing == 1
            } else {
                others += 1;
                others <= most
            };
        let wants_twin = is_kept && !is_few && !kind.by_row;
        kinds.push(Met { kind, bits: *bits, wants_twin });
        is_kept
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Predictions by the neighbour to the left, or by its residual, with their bits; kept are the bits.
    fn kept(all: &[(f64, usize, i64)], most: usize) -> Vec<f64> {
        let directions = Directions { distances: [1, 0, 0], line_of_rows: 0 };
        let prediction = |&(bits, term, coefficient): &(f64, usize, i64)| {
            let mut stencil = [0; TERMS];
            stencil[term] = coefficient;
            (bits, Prediction::all(directions, stencil))
        };
        let all = all.iter().map(prediction).collect();
        of_different_kinds(all, most).into_iter().map(|(bits, _)| bits).collect()
    }

    #[test]
    fn of_many_kinds_the_first_and_its_twin_are_kept() {
        let all = [
            (1000.0, LEFT, 200),
            (1001.0, LEFT, 210),
            (1001.5, LEFT, 220),
            (1020.0, FIRST_RESIDUAL, 100),
            (1030.0, LEFT, 256),
            (1040.0, LEFT, 128),
            (1300.0, FIRST_RESIDUAL, 256),
        ];
        assert_eq!(kept(&all, 3), [1000.0, 1001.0, 1020.0, 1030.0]);
        // Of few kinds, simple ones are like others, and none has a twin.
        assert_eq!(kept(&all, 2), [1000.0, 1020.0]);
        // Who is far from the first is no twin.
        assert_eq!(kept(&[(1000.0, LEFT, 200), (1003.0, LEFT, 210)], 3), [1000.0]);
        assert!(kept(&[], 3).is_empty());
    }
}
