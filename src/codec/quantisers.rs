//! Dependent quantisation: each latent has one of two quantisers, as the parities of those before it say.

/// The next state of dependent quantisation by state and parity (VVC, ITU-T H.266 §9.3.4.7, and its
/// extension to 8 states).
pub(crate) const TRELLIS4: [[u8; 2]; 8] =
    [[0, 2], [2, 0], [1, 3], [3, 1], [0, 0], [0, 0], [0, 0], [0, 0]];
/// The same for eight states; those from 4 on use the second quantiser.
pub(crate) const TRELLIS8: [[u8; 2]; 8] =
    [[0, 2], [5, 7], [1, 3], [6, 4], [2, 0], [4, 6], [3, 1], [7, 5]];

/// Says whether a state uses the second of the two quantisers.
#[inline(always)]
pub(crate) fn second_quantiser(state: u8, states: usize) -> bool {
    usize::from(state) >= states / 2
}

/// Returns the value of symbol `s`, in units of half the quantiser's step.
#[inline(always)]
pub(crate) fn dequantise(s: i64, second: bool) -> i64 {
    // Without a branch: which quantiser it is cannot be foreseen.
    s.wrapping_mul(2).wrapping_sub(s.signum() & i64::from(second).wrapping_neg())
}
