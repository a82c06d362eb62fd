//! How often each number occurs.

use crate::entropy::table::token_of;

/// Numbers up to this magnitude are counted in an array. More would take memory for every column and
/// class at once; it changes no file.
const REACH: i64 = 48;
/// Leading bits by which numbers beyond [`REACH`] are gathered: their costs differ by little more than
/// their sizes.
const GATHERED_LEAD: u8 = 3;

/// How often each number of a sample occurs.
#[derive(Debug, Clone)]
pub(crate) struct Counts {
    /// Counts of `−REACH..=REACH`.
    near: [u32; 2 * REACH as usize + 1],
    /// All other numbers.
    far: Vec<i64>,
    /// How many numbers were counted.
    pub(super) total: u64,
}

impl Counts {
    /// Starts with nothing counted.
    pub(crate) fn new() -> Self {
        Self { near: [0; 2 * REACH as usize + 1], far: Vec::new(), total: 0 }
    }

    /// Counts a number.
    #[inline]
    pub(crate) fn add(&mut self, number: i64) {
        self.total += 1;
        match self.near.get_mut(number.wrapping_add(REACH) as u64 as usize) {
            Some(n) => *n += 1,
            None => self.far.push(number),
        }
    }

    /// Returns whether nothing but 0 was counted.
    pub(super) fn only_zeros(&self) -> bool {
        u64::from(self.near[REACH as usize]) == self.total
    }

    /// Returns the distinct numbers, ascending, with their counts.
    pub(crate) fn distinct(&mut self) -> Vec<(i64, u64)> {
        self.far.sort_unstable();
        let mut out: Vec<(i64, u64)> = Vec::new();
        let near = self.near.iter().enumerate().filter(|(_, n)| **n > 0);
        out.extend(near.map(|(i, n)| (i as i64 - REACH, u64::from(*n))));
        for run in self.far.chunk_by(|a, b| a == b) {
            out.push((run[0], run.len() as u64));
        }
        out.sort_unstable();
        out
    }

    /// Returns the same with numbers beyond [`REACH`] of similar size taken together.
    pub(super) fn gathered(&mut self) -> Vec<(i64, u64)> {
        let size = |n: i64| (n.signum(), token_of(GATHERED_LEAD, magnitude(n)));
        let mut out: Vec<(i64, u64)> = Vec::new();
        for (number, count) in self.distinct() {
            match out.last_mut() {
                Some((last, n)) if number.abs() > REACH && size(*last) == size(number) => {
                    *n += count;
                }
                _ => out.push((number, count)),
            }
        }
        out
    }
}

/// Returns the magnitude of a number that some table has a code for.
pub(super) fn magnitude(number: i64) -> u64 {
    number.unsigned_abs() & i64::MAX as u64
}
