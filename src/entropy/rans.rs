//! Range asymmetric numeral systems (Duda 2009, arXiv:0902.0271; layout after Giesen 2014,
//! arXiv:1402.3392): two 64-bit states taking turns over one stream of 32-bit words.
//!
//! The two states halve the latency of decoding: while one waits for its table, the other
//! works. Words are read forwards, so the encoder works backwards over a list of operations.
//! Rows that are decoded side by side have a state for each lane instead: see [`super::lanes`].

use crate::error::{Error, Result};

/// What tables read from.
pub(crate) trait Coder: Copy {
    /// Begins the next symbol.
    fn next_symbol(&mut self);

    /// Returns the slot of the symbol to come.
    fn slot(&self) -> u32;

    /// Takes the symbol with slots `start..start + frequency`, which hold [`Self::slot`].
    fn take(&mut self, start: u32, frequency: u32);

    /// Takes at most 16 raw bits.
    fn take_bits(&mut self, count: u32) -> u64;

    /// Takes `count` raw bits, at most 64.
    #[inline]
    fn raw(&mut self, count: u32) -> u64 {
        let mut bits = 0;
        let mut have = 0;
        while have < count {
            let n = (count - have).min(16);
            bits |= self.take_bits(n) << have;
            have += n;
        }
        bits
    }
}

/// Table frequencies add up to `2^PROB_BITS`.
pub(crate) const PROB_BITS: u32 = 15;
/// `2^PROB_BITS`.
pub(crate) const PROB_SCALE: u32 = 1 << PROB_BITS;
/// A state is kept at or above this; below it, it takes in one word.
const LOW: u64 = 1 << 31;
/// Lanes at most, and states of a stream where each lane has one.
pub(crate) const LANES: usize = 16;
/// What a lane's state is kept at or above.
pub(super) const LANE_LOW: u32 = 1 << 16;

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
    /// States, where there is one for each lane.
    lanes: Option<usize>,
    /// Raw bits that are read when all lanes have their symbols.
    late: Vec<Op>,
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

    /// Begins the next symbol: its operations go to the other state, where two take turns.
    #[inline]
    pub(crate) fn next_symbol(&mut self) {
        if self.lanes.is_none() {
            self.lane ^= 1;
        }
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

    /// Appends the stream to `out`: the final states, then the words.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        self.end_symbols();
        match self.lanes {
            None => {
                let (states, words) = self.run::<2>(LOW, 32);
                states.iter().for_each(|x| out.extend_from_slice(&x.to_le_bytes()));
                let words = words.iter().rev();
                words.for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
            }
            Some(count) => {
                let (states, words) = self.run::<LANES>(u64::from(LANE_LOW), 16);
                let states = states.iter().take(count);
                states.for_each(|x| out.extend_from_slice(&(*x as u32).to_le_bytes()));
                let words = words.iter().rev();
                words.for_each(|word| out.extend_from_slice(&(*word as u16).to_le_bytes()));
            }
        }
    }

    /// Returns the final states, which began at `low`, and the words, of so many bits, last first.
    fn run<const N: usize>(&self, low: u64, word_bits: u32) -> ([u64; N], Vec<u32>) {
        let mut words: Vec<u32> = Vec::with_capacity(self.ops.len() / 4 + 8);
        let mut states = [low; N];
        // A state must stay below this after a step.
        let end = low << word_bits;
        for op in self.ops.iter().rev() {
            let x = &mut states[usize::from(op.lane) % N];
            let (frequency, shift) = match op.frequency {
                0 => (1, u32::from(op.bits)),
                f => (u64::from(f), PROB_BITS),
            };
            if *x >= frequency * (end >> shift) {
                words.push((*x & ((1 << word_bits) - 1)) as u32);
                *x >>= word_bits;
            }
            let low = *x % frequency + u64::from(op.start);
            *x = ((*x / frequency) << shift) + low;
        }
        (states, words)
    }
}

/// Reads what [`RansEncoder`] wrote.
///
/// Reading past the end gives zero bits and is noticed by [`RansDecoder::finish`], so that the
/// hot loop carries no error path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RansDecoder<'a> {
    /// The state whose turn it is, and the one whose turn comes next: they change places rather than be
    /// numbered, so that both stay in registers.
    now: u64,
    next: u64,
    words: &'a [u8],
    overrun: bool,
}

/// How far a [`RansDecoder`] has come in its stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct RansPlace {
    now: u64,
    next: u64,
    /// Bytes of words still to come.
    left: usize,
    overrun: bool,
}

impl<'a> RansDecoder<'a> {
    /// Goes on in `stream` from a place in it.
    pub(crate) fn resume(stream: &'a [u8], place: &RansPlace) -> Self {
        let RansPlace { now, next, left, overrun } = *place;
        let words = &stream[stream.len().saturating_sub(left)..];
        Self { now, next, words, overrun }
    }

    /// Says how far it has come.
    pub(crate) fn place(&self) -> RansPlace {
        let Self { now, next, words, overrun } = *self;
        RansPlace { now, next, left: words.len(), overrun }
    }

    /// Starts on a stream.
    pub(crate) fn new(stream: &'a [u8]) -> Result<Self> {
        let Some((head, words)) = stream.split_first_chunk::<16>() else {
            return Err(Error::truncated("an entropy-coded stream needs at least 16 bytes"));
        };
        if !words.len().is_multiple_of(4) {
            return Err(Error::corrupt("an entropy-coded stream is not a whole number of words"));
        }
        let mut states = [0; 2];
        for (state, bytes) in states.iter_mut().zip(head.as_chunks::<8>().0) {
            *state = u64::from_le_bytes(*bytes);
            if !(LOW..1 << 63).contains(state) {
                return Err(Error::corrupt("an entropy coder starts in an impossible state"));
            }
        }
        Ok(Self { now: states[0], next: states[1], words, overrun: false })
    }

    #[inline(always)]
    fn refill(&mut self) {
        if self.now >= LOW {
            return;
        }
        if let Some((word, rest)) = self.words.split_first_chunk::<4>() {
            self.words = rest;
            self.now = self.now << 32 | u64::from(u32::from_le_bytes(*word));
            return;
        }
        self.overrun = true;
        // Any valid state will do: the result is going to be refused.
        self.now = self.now << 32 | LOW;
    }

    /// Returns about how many bits of information are still to come: what lies in the states is
    /// counted too, so that the difference over a symbol is what it took.
    #[cfg(feature = "apps")]
    pub(crate) fn left(&self) -> f64 {
        let held: f64 = [self.now, self.next].iter().map(|x| (*x as f64).log2()).sum();
        held + 8.0 * self.words.len() as f64
    }

    /// Says whether more was read than is there.
    pub(crate) fn overrun(&self) -> bool {
        self.overrun
    }

    /// Checks that exactly the stream was read and the states are back where encoding began.
    pub(crate) fn finish(&self) -> Result<()> {
        if self.overrun {
            return Err(Error::corrupt("an entropy-coded stream ends before its rows do"));
        }
        if !self.words.is_empty() || [self.now, self.next] != [LOW; 2] {
            return Err(Error::corrupt("an entropy-coded stream goes on after its rows"));
        }
        Ok(())
    }
}

impl Coder for RansDecoder<'_> {
    #[inline(always)]
    fn next_symbol(&mut self) {
        (self.now, self.next) = (self.next, self.now);
    }

    #[inline(always)]
    fn slot(&self) -> u32 {
        self.now as u32 & (PROB_SCALE - 1)
    }

    #[inline(always)]
    fn take(&mut self, start: u32, frequency: u32) {
        let offset = u64::from(self.slot() - start);
        self.now = u64::from(frequency) * (self.now >> PROB_BITS) + offset;
        self.refill();
    }

    #[inline(always)]
    fn take_bits(&mut self, count: u32) -> u64 {
        let bits = self.now & ((1 << count) - 1);
        self.now >>= count;
        self.refill();
        bits
    }
}
