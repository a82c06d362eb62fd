//! Parts that are measured by themselves. Nothing here is promised to stay.

use crate::entropy::rans::{Decoder, Encoder};
use crate::entropy::table::{SCALE_COUNT, SHAPE_COUNT, Table, TableSpec};

/// Entropy coding of numbers with one table of the ladder.
#[derive(Debug)]
pub struct Ladder(Table);

impl Ladder {
    /// The table of `shape` with scale `2^(scale/4 − 4)`.
    ///
    /// # Panics
    /// If there is no such table.
    pub fn new(shape: u8, scale: u8) -> Self {
        assert!(usize::from(shape) < SHAPE_COUNT && usize::from(scale) < SCALE_COUNT);
        Self(Table::new(&TableSpec::Ladder { shape, scale }).expect("a table of the ladder"))
    }

    /// The stream of `numbers`.
    pub fn encode(&self, numbers: &[i64]) -> Vec<u8> {
        let mut coder = Encoder::default();
        for &number in numbers {
            assert!(self.0.encode(number, &mut coder), "{number} has no code");
        }
        let mut out = Vec::new();
        coder.finish(&mut out);
        out
    }

    /// The sum of the `count` numbers in `stream`.
    ///
    /// # Panics
    /// If there are not as many.
    pub fn sum(&self, stream: &[u8], count: usize) -> i64 {
        let mut coder = Decoder::new(stream).expect("a stream");
        let sum = (0..count).fold(0_i64, |sum, _| sum.wrapping_add(self.0.decode(&mut coder)));
        coder.finish().expect("as many numbers as stated");
        sum
    }
}
