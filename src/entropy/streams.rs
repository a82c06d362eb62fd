//! Decoding of streams side by side: a lane for each, with a state and words of its own.

use super::pool::Pool;
use super::rans::{LANES, LOW, PROB_BITS, PROB_SCALE, RansDecoder, WORD};
use crate::kernels::vector::Vector;

/// What is read from [`RansDecoder`]s, a symbol from each at a time.
#[derive(Clone, Copy)]
pub(crate) struct Streams<'a, V> {
    words: [&'a [u8]; LANES],
    states: V,
    /// Bytes of each lane's words that were taken.
    taken: V,
    /// The next two words of each lane, the first one lower.
    next: V,
    /// Lanes that have taken one of them, a bit each, and that have taken both.
    begun: u32,
    empty: u32,
    /// Lanes that read beyond their ends before they came here.
    overrun: u32,
}

impl<'a, V: Vector> Streams<'a, V> {
    /// Goes on with all of some decoders.
    #[inline(always)]
    pub(crate) fn new(isa: V::Isa, decoders: &[RansDecoder<'a>; LANES]) -> Self {
        let mut states = [0; LANES];
        let mut words: [&[u8]; LANES] = [&[]; LANES];
        let mut overrun = 0;
        for i in 0..LANES {
            (states[i], words[i]) = (decoders[i].state as i32, decoders[i].words);
            overrun |= u32::from(decoders[i].overrun) << i;
        }
        let zero = V::all(isa, 0);
        let states = V::load(isa, &states);
        let mut own = Self { words, states, taken: zero, next: zero, begun: 0, empty: 0, overrun };
        own.look(isa);
        own
    }

    /// Returns the decoders as far as they have come.
    #[inline(always)]
    pub(crate) fn decoders(&self) -> [RansDecoder<'a>; LANES] {
        let (states, taken) = (self.states.array(), self.taken.array());
        let mut out = [RansDecoder { state: LOW, words: &[], overrun: false }; LANES];
        for i in 0..LANES {
            let rest = self.words[i].get(taken[i] as usize..);
            let overrun = rest.is_none() || self.overrun >> i & 1 != 0;
            out[i] = RansDecoder { state: states[i] as u32, words: rest.unwrap_or(&[]), overrun };
        }
        out
    }

    /// Reads a symbol in each lane, from the table that it has in `pool`. What is found may have to be
    /// completed.
    #[inline(always)]
    pub(crate) fn symbols(&mut self, isa: V::Isa, pool: &Pool, tables: V) -> V {
        let slots = self.states.bit_and(V::all(isa, PROB_SCALE as i32 - 1));
        let [starts, frequencies, numbers] = pool.find_each(isa, tables, slots);
        let left = frequencies.times(self.states.shifted_down(PROB_BITS)).plus(slots.minus(starts));
        let refills = left.shifted_down(16).is(V::all(isa, 0));
        let lanes = V::bits(refills);
        if lanes & self.empty != 0 {
            self.look(isa);
        }
        let refilled = left.shifted_left(16).bit_or(self.next.bit_and(V::all(isa, 0xffff)));
        self.states = refilled.or(refills, left);
        self.next = self.next.shifted_down(16).or(refills, self.next);
        self.taken = self.taken.plus(V::all(isa, WORD as i32)).or(refills, self.taken);
        self.empty |= self.begun & lanes;
        self.begun |= lanes;
        numbers
    }

    /// Looks up the next two words of all lanes.
    #[inline(always)]
    fn look(&mut self, isa: V::Isa) {
        let taken = self.taken.array();
        let mut next = [0; LANES];
        for i in 0..LANES {
            let rest = self.words[i].get(taken[i] as usize..).unwrap_or(&[]);
            next[i] = match rest.first_chunk() {
                Some(two) => i32::from_le_bytes(*two),
                // Words are whole; behind the last, there are zeros.
                None => rest.first_chunk().map_or(0, |one| i32::from(u16::from_le_bytes(*one))),
            };
        }
        self.next = V::load(isa, &next);
        (self.begun, self.empty) = (0, 0);
    }
}
