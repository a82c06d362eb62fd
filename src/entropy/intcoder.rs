//! An adaptive coder of integers, for the model.
//!
//! A magnitude is one of 32 symbols, two for each power of two, and raw bits. How likely a symbol is in its
//! context is learned on the way: by counting at first, then at a steady rate, so that few numbers are
//! learned from quickly and many are followed. The slots go through [`super::rans`].

#[cfg(test)]
use super::rans::LANES;
use super::rans::{LOW, PROB_BITS, PROB_SCALE, RansDecoder, RansEncoder};
use crate::error::{Error, Result};

/// Symbols: the magnitudes 0 to 3, then each half of a power of two, and [`ESCAPE`].
const SYMBOLS: usize = 32;
/// Symbol of magnitudes from 3 · 2^14: their length follows in [`LENGTH_BITS`] raw bits.
const ESCAPE: usize = SYMBOLS - 1;
const LENGTH_BITS: u32 = 6;
/// Contexts that an [`IntModel`] tells apart.
const CONTEXTS: usize = SYMBOLS / 2;
/// Slots that a symbol keeps, however rare it is.
const LEAST: i16 = 3;
/// Slots that go to likely symbols.
const SHARED: i16 = (PROB_SCALE as i32 - LEAST as i32 * SYMBOLS as i32) as i16;
/// Steps towards what was seen become as small as 2^-STEADY.
const STEADY: u32 = 7;
/// Symbols after which they are: before, a step is 1 / (seen + 2.5).
const LEARNED: u32 = 126;

/// How likely each symbol is in one context.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Symbols {
    /// First slots. They are below `PROB_SCALE`, so that a register holds many.
    first: [i16; SYMBOLS],
    seen: u16,
}

/// What is expected before anything was seen, where others had the symbol 2c or 2c + 1.
const NEW: [Symbols; CONTEXTS] = {
    let mut new = [Symbols { first: [0; SYMBOLS], seen: 0 }; CONTEXTS];
    let mut context = 0;
    while context < CONTEXTS {
        let mut sums = [0; SYMBOLS + 1];
        let mut i = 0;
        while i < SYMBOLS {
            let far = i as i32 - 2 * context as i32;
            sums[i + 1] = sums[i] + 1600 / (16 + far * far) + 1;
            i += 1;
        }
        let mut i = 0;
        while i < SYMBOLS {
            new[context].first[i] =
                (sums[i] * SHARED as i32 / sums[SYMBOLS]) as i16 + LEAST * i as i16;
            i += 1;
        }
        context += 1;
    }
    new
};

impl Symbols {
    /// Returns the first slot of a symbol and how many it has.
    #[inline(always)]
    fn slots(&self, symbol: usize) -> (u32, u32) {
        let first = self.first[symbol] as u32;
        let end = self.first.get(symbol + 1).map_or(PROB_SCALE, |&end| end as u32);
        (first, end - first)
    }

    /// Returns the symbol that has `slot`.
    #[inline(always)]
    fn at(&self, slot: u32) -> usize {
        // All are compared, as vectors do at once.
        let begun: i16 = self.first.iter().map(|&first| i16::from(first <= slot as i16)).sum();
        (begun as usize).wrapping_sub(1) % SYMBOLS
    }

    /// Makes `symbol` more likely.
    #[inline(always)]
    fn saw(&mut self, symbol: usize) {
        let seen = u32::from(self.seen);
        if seen < LEARNED {
            self.seen += 1;
            let step = 65_536 / (2 * seen + 5);
            self.towards(symbol, |far| {
                ((i32::from(far) * step as i32 + (1 << (PROB_BITS - 1))) >> PROB_BITS) as i16
            });
        } else {
            self.towards(symbol, |far| (far + (1 << (STEADY - 1))) >> STEADY);
        }
    }

    /// Moves every first slot by `step` of how far it is from where it were if there was only `symbol`.
    #[inline(always)]
    fn towards(&mut self, symbol: usize, step: impl Fn(i16) -> i16) {
        for (i, first) in self.first.iter_mut().enumerate() {
            let i = i as i16;
            let others = if i > symbol as i16 { SHARED } else { 0 };
            *first += step(LEAST * i + others - *first);
        }
    }
}

/// Returns the symbol of a magnitude, and how many raw bits follow: its lowest.
fn symbol(magnitude: u64) -> (usize, u32) {
    if magnitude < 4 {
        return (magnitude as usize, 0);
    }
    let raw = magnitude.ilog2() - 1;
    let symbol = 2 * raw as usize + (magnitude >> raw) as usize;
    if symbol < ESCAPE { (symbol, raw) } else { (ESCAPE, raw + 1) }
}

/// Returns the context of an integer after those with these symbols: that of the larger.
#[inline(always)]
pub(super) fn context(a: usize, b: usize) -> usize {
    a.max(b) / 2
}

/// What one kind of integer is like, in each context.
#[derive(Debug, Clone)]
pub(crate) struct IntModel {
    contexts: Box<[Symbols; CONTEXTS]>,
    /// The last integer's context and symbol, from which it has yet to learn.
    last: (usize, usize),
}

impl IntModel {
    /// Makes a model whose contexts are kinds of integers, most of them small.
    pub(crate) fn of_kinds() -> Self {
        Self { contexts: Box::new([NEW[0]; CONTEXTS]), last: (0, 0) }
    }

    /// Makes a model whose contexts are how large others are, as [`context`] says.
    pub(super) fn of_sizes() -> Self {
        Self { contexts: Box::new(NEW), last: (0, 0) }
    }

    /// Learns from the integer before this one: a decoder need not wait for what it learns.
    #[inline(always)]
    fn saw(&mut self, context: usize, symbol: usize) {
        let (c, s) = self.last;
        self.contexts[c].saw(s);
        self.last = (context, symbol);
    }
}

/// Writes integers.
#[derive(Debug, Default)]
pub(crate) struct IntEncoder {
    rans: RansEncoder,
    /// Which of two states takes the next integer: they take turns, so that a decoder need not wait for one.
    turn: usize,
}

impl IntEncoder {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Divides what is before from what is to come, for [`Self::finish_measured`] to tell them apart.
    pub(crate) fn mark(&mut self) {
        self.rans.mark();
    }

    /// Writes a signed integer with `model` in `context`.
    pub(crate) fn int(&mut self, model: &mut IntModel, context: usize, value: i64) {
        self.number(model, context, value, true);
    }

    /// Writes an integer, which is not negative unless it is `signed`, and returns its symbol.
    pub(super) fn number(
        &mut self,
        model: &mut IntModel,
        context: usize,
        value: i64,
        signed: bool,
    ) -> usize {
        let magnitude = value.unsigned_abs();
        let (symbol, raw) = symbol(magnitude);
        let (first, count) = model.contexts[context].slots(symbol);
        self.rans.slots(first, count);
        model.saw(context, symbol);
        if symbol == ESCAPE {
            self.rans.raw(u64::from(raw), LENGTH_BITS);
        }
        if magnitude > 0 {
            let low = magnitude & ((1 << raw) - 1);
            self.rans.raw(low | u64::from(value < 0) << raw, raw + u32::from(signed));
        }
        self.turn = 1 - self.turn;
        self.rans.set_lane(self.turn);
        symbol
    }

    /// Returns bytes after which a decoder finds these states, which it refuses.
    #[cfg(test)]
    pub(crate) fn finish_at(mut self, ends: [u32; 2]) -> Vec<u8> {
        let (mut states, mut out) = ([LOW; LANES], Vec::new());
        states[..2].copy_from_slice(&ends);
        self.rans.finish_turns_from(states, &mut out);
        out
    }

    /// Returns the bytes.
    #[cfg(test)]
    pub(crate) fn finish(self) -> Vec<u8> {
        self.finish_measured().0
    }

    /// Returns the bytes, and about how many of them are those of what came before the mark.
    pub(crate) fn finish_measured(mut self) -> (Vec<u8>, usize) {
        let mut out = Vec::new();
        let before = self.rans.finish_turns(&mut out);
        (out, before)
    }
}

/// Reads what [`IntEncoder`] wrote.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IntDecoder<'a> {
    now: RansDecoder<'a>,
    /// The state that the next integer is read with.
    next: u32,
}

impl<'a> IntDecoder<'a> {
    /// Starts on the bytes of a model.
    ///
    /// # Errors
    /// `Truncated` or `Corrupt` where they cannot be its beginning.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self> {
        let Some((next, bytes)) = bytes.split_first_chunk() else {
            return Err(Error::truncated("the model's section ends before its model begins"));
        };
        let (now, next) = (RansDecoder::new(bytes)?, u32::from_le_bytes(*next));
        if next < LOW {
            return Err(Error::corrupt("the model's coder starts in an impossible state"));
        }
        Ok(Self { now, next })
    }

    /// Reads a signed integer with `model` in `context`.
    ///
    /// # Errors
    /// `Truncated` once the bytes have run out, so that no loop over a hostile count is long.
    pub(crate) fn int(&mut self, model: &mut IntModel, context: usize) -> Result<i64> {
        self.number(model, context, true).map(|(value, _)| value)
    }

    /// Reads an integer, which has a sign if it is `signed`, and returns it with its symbol.
    ///
    /// # Errors
    /// `Truncated` once the bytes have run out.
    #[inline(always)]
    pub(super) fn number(
        &mut self,
        model: &mut IntModel,
        context: usize,
        signed: bool,
    ) -> Result<(i64, usize)> {
        if self.now.overrun() {
            return Err(Error::truncated("the model ends before its description does"));
        }
        let symbols = &model.contexts[context];
        let symbol = symbols.at(self.now.slot());
        let (first, count) = symbols.slots(symbol);
        self.now.take(first, count);
        model.saw(context, symbol);
        let signed = u32::from(signed && symbol > 0);
        let (raw, bits);
        if symbol == ESCAPE {
            raw = self.now.raw(LENGTH_BITS) as u32;
            bits = self.now.raw(raw + signed);
        } else {
            // No branch on how many bits there are, which cannot be foreseen: at most 14, taken at once.
            raw = (symbol as u32 / 2).saturating_sub(1);
            bits = self.now.take_bits(raw + signed);
        }
        let top = match symbol {
            0..4 => symbol as u64,
            ESCAPE => 1,
            _ => 2 | symbol as u64 & 1,
        };
        let magnitude = (top << raw | bits & ((1 << raw) - 1)) as i64;
        let negative = (bits >> raw) as i64;
        std::mem::swap(&mut self.now.state, &mut self.next);
        Ok(((magnitude ^ -negative).wrapping_add(negative), symbol))
    }

    /// Checks that the bytes were all read, and no more than there are.
    ///
    /// # Errors
    /// `Truncated` or `Corrupt` where not.
    pub(crate) fn finish(&self) -> Result<()> {
        if self.now.overrun() {
            return Err(Error::truncated("the model ends before its description does"));
        }
        if self.next != LOW || self.now.finish().is_err() {
            return Err(Error::corrupt("the model's section goes on after its description"));
        }
        Ok(())
    }
}
