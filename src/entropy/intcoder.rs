//! An adaptive coder of integers, for the model.
//!
//! Each integer becomes a bit length in unary, a sign and its lower bits; every unary step and
//! the first lower bit have an adaptive probability. Binary range coder after LZMA's.

use crate::error::{Error, Result};
use std::hint::select_unpredictable;

/// Shifts of the fast and the slow adaptation; a probability is the mean of both.
const RATES: [u32; 2] = [4, 7];
/// Bits of a probability that adapts.
const BITS: u32 = 16;
/// Bits of a probability that divides the range.
const CODED_BITS: u32 = 12;
/// Below this, the range takes in a byte.
const TOP: u32 = 1 << 24;

/// An adaptive probability that the next bit is 0.
#[derive(Debug, Clone, Copy)]
struct Bit([u16; 2]);

impl Bit {
    const NEW: Bit = Bit([1 << 15; 2]);

    /// Returns the 12-bit probability of 0, between 1 and 4095.
    fn zero(self) -> u32 {
        ((u32::from(self.0[0]) + u32::from(self.0[1])) >> (BITS + 1 - CODED_BITS))
            .clamp(1, (1 << CODED_BITS) - 1)
    }

    /// Brings the probability nearer to `bit`: without a branch, as half of the bits cannot be foreseen.
    #[inline(always)]
    fn update(&mut self, bit: bool) {
        // What is far from 0 after a 0 is as far from the largest number after a 1.
        let turned = u16::from(bit).wrapping_sub(1);
        for (p, rate) in self.0.iter_mut().zip(RATES) {
            let far = *p ^ turned;
            *p = (far - (far >> rate)) ^ turned;
        }
    }
}

/// Contexts that an [`IntModel`] tells apart.
pub(crate) const CONTEXTS: usize = 16;

/// Adaptive probabilities for one kind of integer.
#[derive(Debug, Clone)]
pub(crate) struct IntModel {
    length: Box<[[Bit; 65]; CONTEXTS]>,
    sign: [Bit; CONTEXTS],
    second: [Bit; 65],
}

impl IntModel {
    /// Makes a model that knows nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            length: Box::new([[Bit::NEW; 65]; CONTEXTS]),
            sign: [Bit::NEW; CONTEXTS],
            second: [Bit::NEW; 65],
        }
    }
}

/// Writes bits and integers.
#[derive(Debug)]
pub(crate) struct IntEncoder {
    low: u64,
    range: u32,
    cache: u8,
    pending: u64,
    out: Vec<u8>,
}

impl IntEncoder {
    pub(crate) fn new() -> Self {
        // As in LZMA, the first byte is a 0 that no carry reaches; `finish` drops it.
        Self { low: 0, range: u32::MAX, cache: 0, pending: 1, out: Vec::new() }
    }

    /// Returns about how many bytes there are so far.
    pub(crate) fn len(&self) -> usize {
        self.out.len() + self.pending as usize
    }

    fn bit(&mut self, p: &mut Bit, bit: bool) {
        let bound = (self.range >> CODED_BITS) * p.zero();
        if bit {
            self.low += u64::from(bound);
            self.range -= bound;
        } else {
            self.range = bound;
        }
        p.update(bit);
        self.normalise();
    }

    /// Writes the low `count` bits of `value`, most significant first, at a bit each.
    pub(crate) fn raw(&mut self, value: u64, count: u32) {
        for i in (0..count).rev() {
            self.range >>= 1;
            if value >> i & 1 == 1 {
                self.low += u64::from(self.range);
            }
            self.normalise();
        }
    }

    /// Writes a signed integer with `model` in `context`.
    pub(crate) fn int(&mut self, model: &mut IntModel, context: usize, value: i64) {
        let magnitude = value.unsigned_abs();
        let length = 64 - magnitude.leading_zeros();
        for i in 0..length {
            self.bit(&mut model.length[context][i as usize], true);
        }
        if length < 64 {
            self.bit(&mut model.length[context][length as usize], false);
        }
        if length == 0 {
            return;
        }
        self.bit(&mut model.sign[context], value < 0);
        if length >= 2 {
            let second = magnitude >> (length - 2) & 1 == 1;
            self.bit(&mut model.second[length as usize], second);
            self.raw(magnitude, length - 2);
        }
    }

    fn normalise(&mut self) {
        while self.range < TOP {
            self.range <<= 8;
            self.shift();
        }
    }

    fn shift(&mut self) {
        if self.low < 0xff00_0000 || self.low > u64::from(u32::MAX) {
            let carry = (self.low >> 32) as u8;
            self.out.push(self.cache.wrapping_add(carry));
            for _ in 1..self.pending {
                self.out.push(0xff_u8.wrapping_add(carry));
            }
            self.pending = 0;
            self.cache = (self.low >> 24) as u8;
        }
        self.pending += 1;
        self.low = (self.low & 0x00ff_ffff) << 8;
    }

    /// Returns the bytes, without a few zeros at the end, which reading past the end supplies.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        for _ in 0..5 {
            self.shift();
        }
        let zeros = self.out.iter().rev().take_while(|&&b| b == 0).count();
        // No more than a decoder may read past the end; long runs of likely zeros are all zeros.
        self.out.truncate(self.out.len() - zeros.min(MAX_PAST_END as usize));
        self.out.drain(..1.min(self.out.len()));
        self.out
    }
}

/// Reads what [`IntEncoder`] wrote.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IntDecoder<'a> {
    code: u32,
    range: u32,
    bytes: &'a [u8],
    past_end: u32,
}

/// Zeros that a decoder may read past the end: what `finish` may have cut, and the look-ahead.
const MAX_PAST_END: u32 = 8;

impl<'a> IntDecoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let mut new = Self { code: 0, range: u32::MAX, bytes, past_end: 0 };
        for _ in 0..4 {
            new.code = new.code << 8 | new.byte();
        }
        new
    }

    #[inline(always)]
    fn byte(&mut self) -> u32 {
        match self.bytes.split_first() {
            Some((&b, rest)) => {
                self.bytes = rest;
                u32::from(b)
            }
            None => {
                self.past_end = self.past_end.saturating_add(1);
                0
            }
        }
    }

    #[inline(always)]
    fn bit(&mut self, p: &mut Bit) -> bool {
        let bound = (self.range >> CODED_BITS) * p.zero();
        let bit = self.code >= bound;
        self.code -= select_unpredictable(bit, bound, 0);
        self.range = select_unpredictable(bit, self.range - bound, bound);
        p.update(bit);
        self.normalise();
        bit
    }

    /// Reads `count` bits, most significant first.
    #[inline(always)]
    pub(crate) fn raw(&mut self, count: u32) -> u64 {
        let mut value = 0;
        for _ in 0..count {
            self.range >>= 1;
            let bit = self.code >= self.range;
            self.code -= select_unpredictable(bit, self.range, 0);
            value = value << 1 | u64::from(bit);
            self.normalise();
        }
        value
    }

    /// Reads a signed integer with `model` in `context`.
    ///
    /// # Errors
    /// `Truncated` once the bytes have run out, so that no loop over a hostile count is long.
    pub(crate) fn int(&mut self, model: &mut IntModel, context: usize) -> Result<i64> {
        if self.past_end > MAX_PAST_END {
            return Err(Error::truncated("the model ends before its description does"));
        }
        // A copy stays in registers.
        let mut own = *self;
        let mut length = 0;
        let lengths = &mut model.length[context];
        while length < 64 && own.bit(&mut lengths[length]) {
            length += 1;
        }
        if length == 0 {
            *self = own;
            return Ok(0);
        }
        let negative = own.bit(&mut model.sign[context]);
        let mut magnitude = 1;
        if length >= 2 {
            magnitude = magnitude << 1 | u64::from(own.bit(&mut model.second[length]));
            let rest = length as u32 - 2;
            magnitude = magnitude << rest | own.raw(rest);
        }
        *self = own;
        let value = magnitude as i64;
        Ok(if negative { value.wrapping_neg() } else { value })
    }

    #[inline(always)]
    fn normalise(&mut self) {
        while self.range < TOP {
            self.range <<= 8;
            self.code = self.code << 8 | self.byte();
        }
    }

    /// Checks that the bytes were all read, and not many more than there are.
    pub(crate) fn finish(&self) -> Result<()> {
        if self.past_end > MAX_PAST_END {
            return Err(Error::truncated("the model ends before its description does"));
        }
        if !self.bytes.is_empty() {
            return Err(Error::corrupt(format!(
                "the model's description ends {} bytes before its section does",
                self.bytes.len()
            )));
        }
        Ok(())
    }
}
