//! Names of what is known of a value when it is decoded: of the values around it in its row and in the
//! rows before, and of the properties by which trees choose a table.
//!
//! All of it is made of residuals, never of the network's predictions: a row's latents and those of
//! the rows before are not needed.

/// Rows that are decoded side by side: with 16, a vector of 256 bits holds a small number of each.
pub(crate) const LANES: usize = crate::entropy::rans::LANES;
/// Properties are made of numbers within ± this, so that sums of them have 32 bits: 16 times two of
/// them are just below 2^31.
pub(super) const LARGEST: i64 = (1 << 26) - 1;
/// Names of neighbours, in the order of their coefficients.
pub(crate) mod neighbour {
    pub(crate) const LEFT: usize = 0;
    pub(crate) const LEFT2: usize = 1;
    pub(crate) const LEFT3: usize = 2;
    pub(crate) const UP: usize = 3;
    pub(crate) const UP2: usize = 4;
    pub(crate) const UP_LEFT: usize = 5;
    pub(crate) const UP_RIGHT: usize = 6;
    pub(crate) const THIRD: usize = 7;
    pub(crate) const THIRD2: usize = 8;
    pub(crate) const THIRD3: usize = 9;
    pub(crate) const THIRD_LEFT: usize = 10;
    pub(crate) const THIRD_RIGHT: usize = 11;
    pub(crate) const THIRD_UP: usize = 12;
    pub(crate) const THIRD_DOWN: usize = 13;
    pub(crate) const THIRD_UP_LEFT: usize = 14;
    pub(crate) const THIRD_UP_RIGHT: usize = 15;
    /// The first of those in the third direction.
    pub(crate) const FIRST_THIRD: usize = THIRD;
}
/// Names of properties.
pub(crate) mod feature {
    pub(crate) const X: usize = 0;
    pub(crate) const Y: usize = 1;
    pub(crate) const PHASE: usize = 2;
    pub(crate) const LEFT: usize = 3;
    pub(crate) const UP: usize = 4;
    pub(crate) const UP_LEFT: usize = 5;
    pub(crate) const UP_RIGHT: usize = 6;
    pub(crate) const LEFT2: usize = 7;
    pub(crate) const UP2: usize = 8;
    pub(crate) const THIRD: usize = 9;
    pub(crate) const ACROSS: usize = 10;
    pub(crate) const DOWN: usize = 11;
    pub(crate) const RIGHT: usize = 12;
    pub(crate) const ACROSS2: usize = 13;
    pub(crate) const DOWN2: usize = 14;
    pub(crate) const DIAGONAL: usize = 15;
    pub(crate) const ALONG_THIRD: usize = 16;
    pub(crate) const PREDICTED: usize = 17;
    pub(crate) const LEAST: usize = 18;
    pub(crate) const MOST: usize = 19;
    pub(crate) const ACTIVITY: usize = 20;
    pub(crate) const RESIDUAL_LEFT: usize = 21;
    pub(crate) const RESIDUAL_UP: usize = 22;
    pub(crate) const RESIDUALS: usize = 23;
    pub(crate) const ACTIVITY_RESIDUALS: usize = 24;
    pub(crate) const RESIDUAL_THIRD: usize = 25;
    pub(crate) const ALL_RESIDUALS: usize = 26;
    pub(crate) const ATOMS: usize = 27;
    pub(crate) const ATOM_LEFT: usize = 28;
    pub(crate) const ATOM_UP: usize = 29;
    pub(crate) const ATOM_THIRD: usize = 30;
    pub(crate) const RESIDUALS_LEFT: usize = 31;
}

/// What is noted of a value.
#[derive(Clone, Copy, Default)]
pub(crate) struct Decoded {
    pub(crate) sum: i64,
    pub(crate) residual: i64,
    pub(crate) atom: u8,
}

/// A column and its place in its line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot {
    pub(crate) column: usize,
    /// Columns before it in its line.
    pub(crate) x: usize,
    /// Lines before its own in the row.
    pub(crate) y: usize,
}

/// Holds a number within the range of what properties are made of.
#[inline(always)]
pub(super) fn narrow(v: i64) -> i32 {
    v.clamp(-LARGEST, LARGEST) as i32
}
