//! Range asymmetric numeral systems (Duda 2009, arXiv:0902.0271; layout after Giesen 2014,
//! arXiv:1402.3392): a state of 32 bits over a stream of 16-bit words.
//!
//! Words are read forwards, so the encoder works backwards over a list of operations. The state is small,
//! as each part of a block begins with one. Rows that are decoded side by side have a state for each lane,
//! see [`super::lanes`]; the model has two, which take turns, see [`super::intcoder`].

use crate::error::{Error, Result};
use std::hint::select_unpredictable;

/// Table frequencies add up to `2^PROB_BITS`.
pub(crate) const PROB_BITS: u32 = 15;
/// `2^PROB_BITS`.
pub(crate) const PROB_SCALE: u32 = 1 << PROB_BITS;
/// A state is kept at or above this; below it, it takes in one word.
pub(super) const LOW: u32 = 1 << 16;
/// Bits of a word.
const WORD_BITS: u32 = 16;
/// Bytes of a word.
pub(super) const WORD: usize = 2;
/// Lanes at most, and states of a stream where each lane has one.
pub(crate) const LANES: usize = 16;

/// One thing to encode: a symbol's slot range, or raw bits where `frequency` is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Op {
    /// First slot of the symbol, or the raw bits.
    pub(crate) start: u32,
    /// Slots of the symbol; 0 marks raw bits.
    pub(crate) frequency: u16,
    /// Number of raw bits, at most 16.
    pub(crate) bits: u8,
    /// Which state takes it.
    pub(crate) lane: u8,
}

/// Collects operations in reading order, then writes the stream.
#[derive(Debug, Default)]
pub(crate) struct RansEncoder {
    ops: Vec<Op>,
    lane: u8,
    /// Lanes, where rows have them.
    lanes: Option<usize>,
    /// Raw bits that are read when all lanes have their symbols.
    late: Vec<Op>,
    /// Operations before [`Self::mark`] was called last.
    marked: usize,
}

impl RansEncoder {
    /// Makes an encoder with room for about so many symbols.
    pub(crate) fn with_capacity(symbols: usize) -> Self {
        Self { ops: Vec::with_capacity(symbols + symbols / 8), ..Self::default() }
    }

    /// Makes an encoder of `rows` rows in lanes, with room for about so many symbols.
    pub(crate) fn in_lanes(rows: usize, symbols: usize) -> Self {
        Self { lanes: Some(rows.min(LANES)), ..Self::with_capacity(symbols) }
    }

    /// Goes to another lane.
    #[inline]
    pub(crate) fn set_lane(&mut self, lane: usize) {
        self.lane = lane as u8;
    }

    /// Says that what comes next is read after the raw bits of all symbols so far.
    #[inline]
    pub(crate) fn end_symbols(&mut self) {
        self.ops.append(&mut self.late);
    }

    /// Codes the slots `start..start + frequency`. All slots at once cost nothing.
    #[inline]
    pub(crate) fn slots(&mut self, start: u32, frequency: u32) {
        if frequency < PROB_SCALE {
            self.ops.push(Op { start, frequency: frequency as u16, bits: 0, lane: self.lane });
        }
    }

    /// Codes the low `count` bits of `bits`, at a bit each.
    #[inline]
    pub(crate) fn raw(&mut self, mut bits: u64, mut count: u32) {
        let ops = if self.lanes.is_some() { &mut self.late } else { &mut self.ops };
        while count > 0 {
            let n = count.min(16);
            let start = (bits & ((1 << n) - 1)) as u32;
            ops.push(Op { start, frequency: 0, bits: n as u8, lane: self.lane });
            bits >>= n;
            count -= n;
        }
    }

    /// Appends the stream to `out`: the final states, then the words. That of a single lane takes three
    /// bytes where it can: whether it does, the stream's length says, as all else are pairs of bytes.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        self.end_symbols();
        let (states, words) = self.run();
        let Some(count) = self.lanes else { return Self::write(states[0], &words, out) };
        let states = states.iter().take(count);
        states.for_each(|x| out.extend_from_slice(&x.to_le_bytes()));
        words.iter().rev().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
    }

    /// Divides what is before from what is to come, for [`Self::finish_turns`] to tell them apart.
    pub(super) fn mark(&mut self) {
        self.marked = self.ops.len();
    }

    /// Appends a stream of two lanes that take turns: the second state, then all as for a single lane. Returns about
    /// how many of the bytes are those of what came before the mark.
    pub(crate) fn finish_turns(&mut self, out: &mut Vec<u8>) -> usize {
        self.finish_turns_from([LOW; LANES], out)
    }

    /// The same with other states than a decoder must find at the end.
    pub(super) fn finish_turns_from(
        &mut self,
        mut states: [u32; LANES],
        out: &mut Vec<u8>,
    ) -> usize {
        let (before, after) = self.ops.split_at(self.marked);
        let mut words = Vec::with_capacity(self.ops.len() / 2 + 8);
        put(after, &mut states, &mut words);
        let of_after = words.len() * WORD;
        put(before, &mut states, &mut words);
        let start = out.len();
        out.extend_from_slice(&states[1].to_le_bytes());
        Self::write(states[0], &words, out);
        out.len() - start - of_after
    }

    /// Appends the state of a single lane and the words.
    fn write(state: u32, words: &[u16], out: &mut Vec<u8>) {
        let bytes = if state < 1 << 24 { 3 } else { 4 };
        out.extend_from_slice(&state.to_le_bytes()[..bytes]);
        words.iter().rev().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
    }

    /// Returns the final states and the words, last first.
    fn run(&self) -> ([u32; LANES], Vec<u16>) {
        let (mut states, mut words) = ([LOW; LANES], Vec::with_capacity(self.ops.len() / 2 + 8));
        put(&self.ops, &mut states, &mut words);
        (states, words)
    }
}

/// Takes operations into their states, last first, and adds the words that these give away.
fn put(ops: &[Op], states: &mut [u32; LANES], words: &mut Vec<u16>) {
    // A state must stay below this after a step.
    let end = u64::from(LOW) << WORD_BITS;
    for op in ops.iter().rev() {
        let x = &mut states[usize::from(op.lane) % LANES];
        let (frequency, shift) = match op.frequency {
            0 => (1, u32::from(op.bits)),
            f => (u32::from(f), PROB_BITS),
        };
        if u64::from(*x) >= u64::from(frequency) * (end >> shift) {
            words.push(*x as u16);
            *x >>= WORD_BITS;
        }
        let low = *x % frequency + op.start;
        *x = ((*x / frequency) << shift) + low;
    }
}

/// Reads what a [`RansEncoder`] without lanes wrote, or one of the lanes as long as it reads alone.
///
/// Reading past the end gives zero bits and is noticed by [`RansDecoder::finish`], so that the
/// hot loop carries no error path; a model asks [`RansDecoder::overrun`] before each integer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RansDecoder<'a> {
    pub(super) state: u32,
    pub(super) words: &'a [u8],
    pub(super) overrun: bool,
}

/// How far a [`RansDecoder`] has come in its stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct RansPlace {
    state: u32,
    /// Bytes of words still to come.
    left: usize,
    overrun: bool,
}

impl<'a> RansDecoder<'a> {
    /// Goes on in `stream` from a place in it.
    pub(crate) fn resume(stream: &'a [u8], place: &RansPlace) -> Self {
        let RansPlace { state, left, overrun } = *place;
        let words = &stream[stream.len().saturating_sub(left)..];
        Self { state, words, overrun }
    }

    /// Says how far it has come.
    pub(crate) fn place(&self) -> RansPlace {
        let Self { state, words, overrun } = *self;
        RansPlace { state, left: words.len(), overrun }
    }

    /// Starts on a stream.
    pub(crate) fn new(stream: &'a [u8]) -> Result<Self> {
        let state_bytes = 4 - stream.len() % WORD;
        let Some((head, words)) = stream.split_at_checked(state_bytes) else {
            return Err(Error::truncated("an entropy-coded stream ends within its state"));
        };
        let state = head.iter().rev().fold(0, |state, &byte| state << 8 | u32::from(byte));
        if state < LOW {
            return Err(Error::corrupt("an entropy coder starts in an impossible state"));
        }
        Ok(Self { state, words, overrun: false })
    }

    #[inline(always)]
    fn refill(&mut self) {
        // Without a branch, as it cannot be foreseen when a word is needed: with one, a symbol takes half as long again.
        let word = self.words.first_chunk::<WORD>().map_or(0, |word| u16::from_le_bytes(*word));
        let refills = self.state < LOW;
        let refilled = self.state << WORD_BITS | u32::from(word);
        self.state = select_unpredictable(refills, refilled, self.state);
        match self.words.get(usize::from(refills) * WORD..) {
            Some(rest) => self.words = rest,
            None => self.overrun = true,
        }
    }

    /// Returns about how many bits of information are still to come: what lies in the state is
    /// counted too, so that the difference over a symbol is what it took.
    #[cfg(feature = "apps")]
    pub(crate) fn left(&self) -> f64 {
        f64::from(self.state.max(1)).log2() + 8.0 * self.words.len() as f64
    }

    /// Says whether more was read than is there.
    pub(crate) fn overrun(&self) -> bool {
        self.overrun
    }

    /// Checks that exactly the stream was read and the state is back where encoding began.
    pub(crate) fn finish(&self) -> Result<()> {
        if self.overrun {
            return Err(Error::corrupt("an entropy-coded stream ends before its rows do"));
        }
        if !self.words.is_empty() || self.state != LOW {
            return Err(Error::corrupt("an entropy-coded stream goes on after its rows"));
        }
        Ok(())
    }
}

impl RansDecoder<'_> {
    /// Returns the slot of the symbol to come.
    #[inline(always)]
    pub(super) fn slot(&self) -> u32 {
        self.state % PROB_SCALE
    }

    /// Takes the symbol with slots `start..start + frequency`, which hold [`Self::slot`].
    #[inline(always)]
    pub(super) fn take(&mut self, start: u32, frequency: u32) {
        self.state = frequency * (self.state >> PROB_BITS) + (self.slot() - start);
        self.refill();
    }

    /// Takes `count` raw bits, at most 64.
    #[inline(always)]
    pub(super) fn raw(&mut self, count: u32) -> u64 {
        let mut bits = 0;
        let mut have = 0;
        while have < count {
            let n = (count - have).min(16);
            bits |= self.take_bits(n) << have;
            have += n;
        }
        bits
    }

    /// Takes at most 16 raw bits.
    #[inline(always)]
    pub(super) fn take_bits(&mut self, count: u32) -> u64 {
        let bits = u64::from(self.state) & ((1 << count) - 1);
        self.state >>= count;
        self.refill();
        bits
    }
}
