//! Decoding of symbols in lanes: a state of 32 bits for each lane, all of them over one stream of
//! 16-bit words.
//!
//! Lanes wait for none of each other: while one looks for its symbol, the others do, too. Words go to
//! the lanes in their order, which are asked one after another.

use super::pool::Pool;
use super::rans::{LANES, LOW, PROB_BITS, PROB_SCALE, RansDecoder, WORD};
use crate::error::{Error, Result};
use crate::kernels::vector::Vector;

/// Reads what a [`super::rans::RansEncoder`] for lanes wrote.
///
/// Reading past the end gives zero bits and is noticed by [`LaneDecoder::finish`], so that the
/// hot loop carries no error path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LaneDecoder<'a> {
    states: [u32; LANES],
    words: &'a [u8],
    overrun: bool,
}

/// How far a [`LaneDecoder`] has come in its stream.
#[derive(Debug, Clone)]
pub(crate) struct LanePlace {
    states: [u32; LANES],
    /// Bytes of words still to come.
    left: usize,
    overrun: bool,
}

impl<'a> LaneDecoder<'a> {
    /// Starts on a stream of `rows` rows: there are as many states, but no more than lanes.
    pub(crate) fn new(stream: &'a [u8], rows: usize) -> Result<Self> {
        let count = rows.min(LANES);
        let Some((head, words)) = stream.split_at_checked(count * size_of::<u32>()) else {
            return Err(Error::truncated("an entropy-coded stream ends within its states"));
        };
        if !words.len().is_multiple_of(WORD) {
            return Err(Error::corrupt("an entropy-coded stream is not a whole number of words"));
        }
        let mut states = [LOW; LANES];
        for (state, bytes) in states.iter_mut().zip(head.as_chunks::<4>().0) {
            *state = u32::from_le_bytes(*bytes);
            if *state < LOW {
                return Err(Error::corrupt("an entropy coder starts in an impossible state"));
            }
        }
        Ok(Self { states, words, overrun: false })
    }

    /// Goes on in `stream` from a place in it.
    pub(crate) fn resume(stream: &'a [u8], place: &LanePlace) -> Self {
        let LanePlace { states, left, overrun } = *place;
        let words = &stream[stream.len().saturating_sub(left)..];
        Self { states, words, overrun }
    }

    /// Says how far it has come.
    pub(crate) fn place(&self) -> LanePlace {
        let Self { states, words, overrun } = *self;
        LanePlace { states, left: words.len(), overrun }
    }

    /// Lets one of the lanes read.
    #[inline(always)]
    pub(crate) fn alone<R>(
        &mut self,
        lane: usize,
        read: impl FnOnce(&mut RansDecoder<'a>) -> R,
    ) -> R {
        let mut one =
            RansDecoder { state: self.states[lane], words: self.words, overrun: self.overrun };
        let out = read(&mut one);
        self.states[lane] = one.state;
        (self.words, self.overrun) = (one.words, one.overrun);
        out
    }

    /// Reads a symbol in each of the first lanes, from the table that each has in `pool`. What is
    /// found may have to be completed.
    #[inline(always)]
    pub(crate) fn symbols<const N: usize>(&mut self, pool: &Pool, tables: &[u32; N]) -> [i32; N] {
        let next = self.next_words();
        let mut out = [0; N];
        let mut used = 0;
        for i in 0..N {
            let state = self.states[i % LANES];
            let slot = state % PROB_SCALE;
            let found = pool.find(tables[i], slot);
            out[i] = found.number();
            let left = found.frequency() * (state >> PROB_BITS) + (slot - found.start());
            let at = used % LANES * WORD;
            let word = u32::from(u16::from_le_bytes([next[at], next[at + 1]]));
            let refills = left < LOW;
            self.states[i % LANES] = if refills { left << 16 | word } else { left };
            used += usize::from(refills);
        }
        self.skip(used * WORD);
        out
    }

    /// Reads the same numbers with vectors, in those lanes that are `wanted`; in others there is 0.
    #[inline(always)]
    pub(crate) fn swift_symbols<V: Vector>(
        &mut self,
        isa: V::Isa,
        pool: &Pool,
        tables: &[u32; LANES],
        wanted: V::Mask,
    ) -> V {
        let states = V::load(isa, bytemuck::cast_ref(&self.states));
        let slots = states.bit_and(V::all(isa, PROB_SCALE as i32 - 1));
        let [starts, frequencies, numbers] = pool.find_all(isa, tables, slots, wanted);
        let left = frequencies.times(states.shifted_down(PROB_BITS)).plus(slots.minus(starts));
        let refills = left.shifted_down(16).is(V::all(isa, 0));
        let words = V::dealt(isa, refills, &self.next_words());
        let states = left.shifted_left(16).bit_or(words).or(refills, left);
        self.states = bytemuck::cast(states.array());
        self.skip(V::bits(refills).count_ones() as usize * WORD);
        numbers
    }

    /// Returns the words that come next; behind the last, zeros.
    #[inline(always)]
    fn next_words(&self) -> [u8; LANES * WORD] {
        match self.words.first_chunk() {
            Some(next) => *next,
            None => {
                let mut few = [0; LANES * WORD];
                few[..self.words.len()].copy_from_slice(self.words);
                few
            }
        }
    }

    #[inline(always)]
    fn skip(&mut self, bytes: usize) {
        self.words = match self.words.get(bytes..) {
            Some(words) => words,
            None => {
                self.overrun = true;
                &[]
            }
        };
    }

    /// Returns about how many bits of information are still to come: what lies in the states is
    /// counted too, so that the difference over symbols is what they took.
    #[cfg(feature = "apps")]
    pub(crate) fn left(&self) -> f64 {
        let held: f64 = self.states.iter().map(|x| f64::from((*x).max(1)).log2()).sum();
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
        if !self.words.is_empty() || self.states != [LOW; LANES] {
            return Err(Error::corrupt("an entropy-coded stream goes on after its rows"));
        }
        Ok(())
    }
}
