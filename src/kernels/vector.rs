//! Sixteen numbers side by side: what loops over lanes are written with where the compiler does not find
//! the vectors by itself.

/// Numbers in a vector.
pub(crate) const WIDTH: usize = 16;

/// Sixteen numbers of 32 bits. Sums and products wrap.
pub(crate) trait Vector: Copy {
    /// Proof that the CPU has the instructions.
    type Isa: Copy;
    /// A yes or no for each number.
    type Mask: Copy;
    /// Sixteen numbers of 16 bits.
    type Halves: Copy;

    fn load(isa: Self::Isa, from: &[i32; WIDTH]) -> Self;
    fn load_short(isa: Self::Isa, from: &[i16; WIDTH]) -> Self;
    fn load_bytes(isa: Self::Isa, from: &[u8; WIDTH]) -> Self;
    fn all(isa: Self::Isa, number: i32) -> Self;
    fn array(self) -> [i32; WIDTH];

    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    fn least(self, other: Self) -> Self;
    fn most(self, other: Self) -> Self;
    fn magnitude(self) -> Self;
    /// Adds numbers that are not below 0; what is too large becomes the largest number.
    fn held_plus(self, other: Self) -> Self;
    fn shifted_left(self, bits: u32) -> Self;
    /// Shifts to the right, with copies of the sign.
    fn shifted_right(self, bits: u32) -> Self;

    fn is(self, other: Self) -> Self::Mask;
    fn is_above(self, other: Self) -> Self::Mask;
    /// Says which numbers have any of the bits of `other`.
    fn has_any(self, other: Self) -> Self::Mask;
    /// Returns `self` where `mask` says yes.
    fn or(self, mask: Self::Mask, other: Self) -> Self;
    /// Returns a bit for each number, the first lowest.
    fn bits(mask: Self::Mask) -> u32;

    /// Returns the numbers in 16 bits, held within their range.
    fn halves(self) -> Self::Halves;
    fn all_halves(isa: Self::Isa, number: u16) -> Self::Halves;
    /// Adds to `sum` so many `times` how many of `thresholds` each number is above.
    fn add_passed(
        numbers: Self::Halves,
        thresholds: &[i16],
        times: u16,
        sum: Self::Halves,
    ) -> Self::Halves;
    fn array_of_halves(halves: Self::Halves) -> [u16; WIDTH];
}
