//! Sixteen numbers side by side: what loops over lanes are written with where the compiler does not find
//! the vectors by itself.

/// Numbers in a vector.
pub(crate) const WIDTH: usize = 16;

/// Vectors of numbers that rulers measure.
pub(crate) const MEASURED: usize = 32;

/// Two thresholds of one vector of numbers, and what a number scores by being above one of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    /// Where that vector begins among all of them, in bytes: one of [`MEASURED`].
    at: usize,
    /// Each threshold four times, as [`Vector::doubled`] has numbers.
    thresholds: [i16; 8],
    scores: [i16; 8],
}

/// Bytes of a vector.
const BYTES: usize = WIDTH * size_of::<i32>();

impl Mark {
    /// Makes a mark for vector `measured`.
    pub(crate) fn new(measured: usize, [a, b]: [i16; 2], score: i16) -> Self {
        let thresholds = [a, a, a, a, b, b, b, b];
        Self { at: measured % MEASURED * BYTES, thresholds, scores: [score; 8] }
    }

    /// Returns where in `numbers` those lie that it is compared with.
    #[inline(always)]
    pub(super) fn own<V: Vector>(&self, numbers: &[V; MEASURED]) -> *const V {
        const { assert!(size_of::<V>() == BYTES) };
        numbers.as_ptr().wrapping_byte_add(self.at)
    }

    #[inline(always)]
    pub(super) fn thresholds(&self) -> &[i16; 8] {
        &self.thresholds
    }

    #[inline(always)]
    pub(super) fn scores(&self) -> &[i16; 8] {
        &self.scores
    }
}

/// Numbers below 256, a bit each.
pub(crate) type Set = [u64; 4];

/// Numbers below 128, a bit each.
pub(crate) type SmallSet = [u64; 2];

/// What stands for no number.
pub(crate) const NONE: i32 = -1023;

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
    /// Loads the numbers that begin at a place, which must be there.
    #[inline(always)]
    fn load_at(isa: Self::Isa, from: &[i32], at: usize) -> Self {
        Self::load(isa, numbers(from, at))
    }
    /// The same of bytes.
    #[inline(always)]
    fn load_bytes_at(isa: Self::Isa, from: &[u8], at: usize) -> Self {
        Self::load_bytes(isa, numbers(from, at))
    }
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
    fn bit_and(self, other: Self) -> Self;
    fn bit_or(self, other: Self) -> Self;
    fn shifted_left(self, bits: u32) -> Self;
    /// Shifts to the right, with zeros.
    fn shifted_down(self, bits: u32) -> Self;
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
    /// Returns the mask of such bits.
    fn mask(isa: Self::Isa, bits: u32) -> Self::Mask;
    /// Gives each number for which `mask` says yes the next of some little-endian words of 16 bits; the
    /// others are not told.
    fn dealt(isa: Self::Isa, mask: Self::Mask, words: &[u8; 2 * WIDTH]) -> Self;
    /// Returns the lower and the upper halves of numbers, which need not be in memory for it: they were
    /// put together one by one, and a vector of them would have to wait for the last.
    fn split(isa: Self::Isa, from: [u64; WIDTH]) -> (Self, Self);
    /// Returns numbers from 0 to 255.
    fn bytes(self) -> [u8; WIDTH];

    /// Returns the numbers in 16 bits, held within their range.
    fn halves(self) -> Self::Halves;
    fn array_of_halves(halves: Self::Halves) -> [u16; WIDTH];
    /// Returns the same, each four numbers twice, to be compared with two thresholds at once.
    fn doubled(self) -> Self;
    /// Adds to `first` what numbers, which are [doubled](Self::doubled), score by being above thresholds.
    fn scores(isa: Self::Isa, numbers: &[Self; MEASURED], marks: &[Mark], first: i32) -> Self;

    /// Returns the numbers of `table` at these places, of which only the lowest four bits count.
    fn of(self, table: Self) -> Self;

    /// Puts the numbers at their places in `out`; those whose places are not there are dropped.
    fn put(self, places: Self, out: &mut [i32]);

    /// Returns what is in all of the sets at the places that each number has on each axis.
    fn common<const AXES: usize>(isa: Self::Isa, sets: &[Set], axes: &[Self; AXES])
    -> [Set; WIDTH];

    /// Returns the only number that is in all of the sets at those places, in the first 64 numbers and in the
    /// second; a number below −64 where there is none.
    fn only<const AXES: usize>(isa: Self::Isa, sets: &[SmallSet], axes: &[Self; AXES])
    -> [Self; 2];
}

/// Returns the numbers that begin at a place, which must be there.
#[inline(always)]
fn numbers<T>(all: &[T], at: usize) -> &[T; WIDTH] {
    match all.get(at..).and_then(<[T]>::first_chunk) {
        Some(there) => there,
        None => panic!("numbers that are not there"),
    }
}

/// A loop written with vectors. `run` must be `#[inline(always)]`, and all that it calls; closures cannot
/// be, so that it has none that use vectors.
pub(crate) trait VectorLoop {
    fn run<V: Vector>(self, isa: V::Isa);
}
