//! Sums of products, from which coefficients by least squares follow.

use crate::container::model::TERMS;
use crate::kernels::wide::{WideLoop, run_wide};
use crate::linalg;

/// Numbers that are multiplied at once.
const BLOCK: usize = 4;
/// Terms, and behind them zeros up to a whole block.
const PADDED: usize = TERMS.next_multiple_of(BLOCK);
/// Products of each term with those up to the end of its own block.
const SQUARES: usize = BLOCK * BLOCK * (PADDED / BLOCK) * (PADDED / BLOCK + 1) / 2;
/// Values that wait to be added together.
const WAITING: usize = 256;
/// Share of the mean square added to each term's, so that terms that say the same share their weight.
const RIDGE: f64 = 1e-5;
/// Variance of rounding, in squared steps, that is added to each term's.
pub(super) const ROUNDING: f64 = 0.03;
/// Values of a group, at least, that tell coefficients.
const LEAST_VALUES: f64 = 4.0;

/// A value with its terms, and what it counts for.
pub(super) struct Weighed {
    terms: [f64; PADDED],
    value: f64,
    weight: f64,
    group: usize,
}

impl Weighed {
    /// A value of a group of columns, with the first of its terms.
    #[inline(always)]
    pub(super) fn new(group: usize, known: &[f64], value: f64, weight: f64) -> Self {
        let mut terms = [0.0; PADDED];
        terms[..known.len()].copy_from_slice(known);
        Self { terms, value, weight, group }
    }
}

/// Sums of products of terms with each other and with the value, of one group of columns.
#[derive(Clone)]
pub(super) struct Products {
    squares: [f64; SQUARES],
    with_value: [f64; PADDED],
    pub(super) value: f64,
    pub(super) count: f64,
    /// What rounding adds to the squares of each term.
    noise: f64,
}

impl Products {
    pub(super) fn new() -> Self {
        let (squares, with_value) = ([0.0; SQUARES], [0.0; PADDED]);
        Self { squares, with_value, value: 0.0, count: 0.0, noise: 0.0 }
    }

    #[inline(always)]
    fn add(&mut self, Weighed { terms, value, weight, .. }: &Weighed, blocks: usize) {
        let (terms, _) = terms.as_chunks::<BLOCK>();
        let (squares, _) = self.squares.as_chunks_mut::<BLOCK>();
        let (with_value, _) = self.with_value.as_chunks_mut::<BLOCK>();
        let mut at = 0;
        for (b, (own, with_value)) in terms[..blocks].iter().zip(with_value).enumerate() {
            for (a, with_value) in own.iter().zip(with_value) {
                let a = a * weight;
                *with_value += a * value;
                for (sums, others) in squares[at..=at + b].iter_mut().zip(terms) {
                    for i in 0..BLOCK {
                        sums[i] += a * others[i];
                    }
                }
                at += b + 1;
            }
        }
        self.value += weight * value * value;
        self.count += 1.0;
        self.noise += weight * ROUNDING;
    }

    /// Returns the product of two terms.
    fn square(&self, i: usize, k: usize) -> f64 {
        let (most, least) = (i.max(k), i.min(k));
        let (block, row) = (most / BLOCK, most % BLOCK);
        let before = BLOCK * BLOCK * block * (block + 1) / 2;
        self.squares[before + row * BLOCK * (block + 1) + least]
    }

    /// Adds another's, times `weight`.
    pub(super) fn merge(&mut self, other: &Self, weight: f64) {
        let squares = self.squares.iter_mut().zip(&other.squares);
        let with_value = self.with_value.iter_mut().zip(&other.with_value);
        squares.chain(with_value).for_each(|(sum, own)| *sum += weight * own);
        self.value += weight * other.value;
        self.count += other.count;
        self.noise += weight * other.noise;
    }

    /// Returns the mean square of what coefficients leave.
    #[inline(always)]
    pub(super) fn left(&self, c: &[f64; TERMS]) -> f64 {
        let mut padded = [0.0; PADDED];
        padded[..TERMS].copy_from_slice(c);
        let (c, _) = padded.as_chunks::<BLOCK>();
        let (squares, _) = self.squares.as_chunks::<BLOCK>();
        let (mut sum, mut at) = (self.value, 0);
        for (b, (own, with_value)) in c.iter().zip(self.with_value.chunks_exact(BLOCK)).enumerate()
        {
            for (a, with_value) in own.iter().zip(with_value) {
                let mut row = [0.0; BLOCK];
                for (squares, c) in squares[at..at + b].iter().zip(c) {
                    (0..BLOCK).for_each(|i| row[i] += 2.0 * squares[i] * c[i]);
                }
                (0..BLOCK).for_each(|i| row[i] += squares[at + b][i] * own[i]);
                sum += a * (row.iter().sum::<f64>() - 2.0 * with_value);
                at += b + 1;
            }
        }
        sum.max(0.0) / self.count.max(1.0)
    }

    /// Returns the coefficients of the terms that `used` names, pulled towards `shared` ones as if by so
    /// many rows.
    pub(super) fn solve(
        &self,
        used: &[usize],
        shared: Option<(&[f64; TERMS], f64)>,
    ) -> [f64; TERMS] {
        let mut out = shared.map_or([0.0; TERMS], |(shared, _)| *shared);
        let n = used.len();
        if n == 0 || self.count < LEAST_VALUES {
            return out;
        }
        let mut matrix = vec![0.0; n * n];
        let mut right = vec![0.0; n];
        for (row, &i) in used.iter().enumerate() {
            for (column, &k) in used.iter().enumerate() {
                matrix[row * n + column] = self.square(i, k);
            }
            right[row] = self.with_value[i];
            let own = self.square(i, i);
            let noise = RIDGE * own + self.noise + 1e-9;
            matrix[row * n + row] += noise;
            if let Some((shared, rows)) = shared {
                let pull = rows * own / self.count;
                matrix[row * n + row] += pull;
                right[row] += pull * shared[i];
            }
        }
        if let Some(solution) = linalg::solve(&matrix, &right) {
            used.iter().zip(solution).for_each(|(&i, a)| out[i] = a);
        }
        out
    }
}

/// Products of each group of columns, to which values are added many at a time.
pub(super) struct Sums {
    groups: Vec<Products>,
    waiting: Vec<Weighed>,
    /// How many terms are looked at.
    terms: usize,
}

impl Sums {
    pub(super) fn new(groups: usize, terms: usize) -> Self {
        let waiting = Vec::with_capacity(WAITING);
        Self { groups: vec![Products::new(); groups], waiting, terms }
    }

    pub(super) fn push(&mut self, value: Weighed) {
        self.waiting.push(value);
        if self.waiting.len() == WAITING {
            self.add_waiting();
        }
    }

    fn add_waiting(&mut self) {
        let blocks = self.terms.div_ceil(BLOCK);
        run_wide(Add { groups: &mut self.groups, values: &self.waiting, blocks });
        self.waiting.clear();
    }

    /// Returns what was added.
    pub(super) fn finished(mut self) -> Vec<Products> {
        self.add_waiting();
        self.groups
    }
}

/// Adds values to the products of their groups.
struct Add<'a> {
    groups: &'a mut [Products],
    values: &'a [Weighed],
    blocks: usize,
}

impl WideLoop for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for value in self.values {
            self.groups[value.group].add(value, self.blocks);
        }
    }
}
