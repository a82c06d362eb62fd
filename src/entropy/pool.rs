//! Many tables in few vectors, for decoding in lanes that have a table each.

use super::buckets::{Found, largest};
pub(crate) use super::buckets::{LAST_INCOMPLETE, incomplete};
use super::rans::{PROB_BITS, PROB_SCALE};
use super::table::Table;
use crate::kernels::vector::{Vector, WIDTH};

/// The slots are divided into `2^BUCKET_BITS` buckets, so that nearly every slot is found in the entry
/// that is looked at first: they take 3 KiB of a table.
const BUCKET_BITS: u32 = 8;
/// `2^BUCKET_BITS`.
const BUCKETS: usize = 1 << BUCKET_BITS;

/// Tables, found by their places.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pool {
    /// The entry that most slots of each bucket are in, table after table, and where that of its first slot is
    /// among all entries.
    quick: Vec<Found>,
    places: Vec<u32>,
    entries: Vec<Found>,
}

impl Pool {
    /// Makes a pool of `tables`, and of one behind them that says only 0, which costs nothing.
    pub(crate) fn new(tables: &[Table]) -> Self {
        let mut out = Self::default();
        tables.iter().for_each(|table| out.push(table.entries()));
        out.push(&[Found::new(0, 0, PROB_SCALE, Some(0))]);
        out
    }

    /// Adds the entries of a table.
    fn push(&mut self, entries: &[Found]) {
        let mut at = self.entries.len();
        self.entries.extend(entries);
        for bucket in 0..BUCKETS as u32 {
            let slot = bucket << (PROB_BITS - BUCKET_BITS);
            while !self.entries[at].holds(slot) {
                at += 1;
            }
            self.quick.push(largest(&self.entries[at..], bucket, BUCKET_BITS));
            self.places.push(at as u32);
        }
    }

    /// Returns the place of the table that says only 0.
    #[inline(always)]
    pub(crate) fn silent(&self) -> u32 {
        (self.quick.len() >> BUCKET_BITS) as u32 - 1
    }

    /// Finds the entry of a table that holds `slot`.
    #[inline(always)]
    pub(super) fn find(&self, table: u32, slot: u32) -> Found {
        let bucket = (table as usize) << BUCKET_BITS | (slot >> (PROB_BITS - BUCKET_BITS)) as usize;
        let found = self.quick[bucket];
        match found.holds(slot) {
            true => found,
            false => self.find_behind(bucket, slot),
        }
    }

    /// Finds the entry that holds `slot` in a bucket.
    #[inline(never)]
    fn find_behind(&self, bucket: usize, slot: u32) -> Found {
        let mut at = self.places[bucket] as usize;
        while !self.entries[at].holds(slot) {
            at += 1;
        }
        self.entries[at]
    }

    /// Finds entries once more, those in lanes `beyond` not where they were looked for first.
    #[inline(never)]
    fn find_again(&self, tables: &[u32; WIDTH], slots: &[i32; WIDTH], beyond: u32) -> [u64; WIDTH] {
        let buckets = std::array::from_fn(|i| {
            (tables[i] << BUCKET_BITS) as i32 | slots[i] >> (PROB_BITS - BUCKET_BITS)
        });
        self.find_again_in(&buckets, slots, beyond)
    }

    /// The same of buckets.
    #[inline(never)]
    fn find_again_in(
        &self,
        buckets: &[i32; WIDTH],
        slots: &[i32; WIDTH],
        beyond: u32,
    ) -> [u64; WIDTH] {
        std::array::from_fn(|i| {
            let (bucket, slot) = (buckets[i] as usize, slots[i] as u32);
            match beyond >> i & 1 {
                0 => self.quick[bucket].0,
                _ => self.find_behind(bucket, slot).0,
            }
        })
    }

    /// Finds the entries of tables that hold slots, in each lane that is `wanted`: first slots, numbers of
    /// slots, and numbers. Other lanes get an entry of all slots, that says 0.
    #[inline(always)]
    pub(super) fn find_all<V: Vector>(
        &self,
        isa: V::Isa,
        tables: &[u32; WIDTH],
        slots: V,
        wanted: V::Mask,
    ) -> [V; 3] {
        let buckets = slots.shifted_down(PROB_BITS - BUCKET_BITS).array();
        let mut found = [0; WIDTH];
        for i in 0..WIDTH {
            found[i] = self.quick[(tables[i] << BUCKET_BITS) as usize + buckets[i] as usize].0;
        }
        let (zero, low_bits) = (V::all(isa, 0), V::all(isa, 0xffff));
        let all = V::all(isa, (PROB_SCALE << 16) as i32);
        let (low, numbers) = V::split(isa, found);
        let (mut low, mut numbers) = (low.or(wanted, all), numbers.or(wanted, zero));
        let last = low.shifted_down(16).minus(V::all(isa, 1));
        // Slots before the entry's first are far above its last once the sign is gone.
        let offset = slots.minus(low.bit_and(low_bits)).bit_and(V::all(isa, i32::MAX));
        let beyond = V::bits(offset.is_above(last));
        if beyond != 0 {
            let (some, others) = V::split(isa, self.find_again(tables, &slots.array(), beyond));
            (low, numbers) = (some.or(wanted, all), others.or(wanted, zero));
        }
        [low.bit_and(low_bits), low.shifted_down(16), numbers]
    }

    /// Finds the entries of tables, of which each lane has one, that hold slots: first slots, numbers of slots,
    /// and numbers.
    #[inline(always)]
    pub(super) fn find_each<V: Vector>(&self, isa: V::Isa, tables: V, slots: V) -> [V; 3] {
        let buckets = slots.shifted_down(PROB_BITS - BUCKET_BITS);
        let buckets = tables.shifted_left(BUCKET_BITS).bit_or(buckets).array();
        let mut found = [0; WIDTH];
        for i in 0..WIDTH {
            found[i] = self.quick[buckets[i] as usize].0;
        }
        let low_bits = V::all(isa, 0xffff);
        let (mut low, mut numbers) = V::split(isa, found);
        let last = low.shifted_down(16).minus(V::all(isa, 1));
        // Slots before the entry's first are far above its last once the sign is gone.
        let offset = slots.minus(low.bit_and(low_bits)).bit_and(V::all(isa, i32::MAX));
        let beyond = V::bits(offset.is_above(last));
        if beyond != 0 {
            let found = self.find_again_in(&buckets, &slots.array(), beyond);
            (low, numbers) = V::split(isa, found);
        }
        [low.bit_and(low_bits), low.shifted_down(16), numbers]
    }
}
