//! Many tables in few vectors, for decoding in lanes that have a table each.

use super::rans::{PROB_BITS, PROB_SCALE};
use super::table::Table;

/// The slots are divided into `2^BUCKET_BITS` buckets, so that nearly every slot is found in the first
/// or the second entry that is looked at: they take 1 KiB of a table.
const BUCKET_BITS: u32 = 9;
/// `2^BUCKET_BITS`.
const BUCKETS: usize = 1 << BUCKET_BITS;
/// Numbers up to this say which entry of its table has to be completed; no table has as many entries.
const LAST_INCOMPLETE: i32 = i32::MIN + (1 << 16);

/// The entry of a table that holds a slot: first slot, number of slots, and above these the number.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Found(u64);

impl Found {
    fn new(start: u32, frequency: u32, number: i32) -> Self {
        Self(u64::from(number as u32) << 32 | u64::from(frequency << 16 | start))
    }

    #[inline(always)]
    pub(super) fn start(self) -> u32 {
        self.0 as u32 & 0xffff
    }

    /// Returns the slots, at most `PROB_SCALE`.
    #[inline(always)]
    pub(super) fn frequency(self) -> u32 {
        self.0 as u32 >> 16
    }

    #[inline(always)]
    fn holds(self, slot: u32) -> bool {
        slot.wrapping_sub(self.start()) < self.frequency()
    }

    /// Returns the number, if it is complete.
    #[inline(always)]
    pub(crate) fn number(self) -> i32 {
        (self.0 >> 32) as i32
    }

    /// Says whether it is not.
    #[inline(always)]
    pub(crate) fn is_incomplete(self) -> bool {
        self.number() <= LAST_INCOMPLETE
    }

    /// Returns which entry of its table has to be completed, if it has to be.
    #[inline(always)]
    pub(crate) fn incomplete(self) -> Option<usize> {
        self.is_incomplete().then(|| (self.number() - i32::MIN) as usize)
    }
}

/// Where a table's entries are.
#[derive(Debug, Clone)]
struct Head {
    first: u32,
    /// The entry of each bucket's first slot, counted from the table's first.
    buckets: [u16; BUCKETS],
}

/// Tables, found by their places.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pool {
    heads: Vec<Head>,
    entries: Vec<Found>,
}

impl Pool {
    /// Makes a pool of `tables`, and of one behind them that says only 0, which costs nothing.
    pub(crate) fn new(tables: &[Table]) -> Self {
        let mut out = Self::default();
        for table in tables {
            let first = out.entries.len() as u32;
            let entries = table.entries().enumerate();
            out.entries.extend(entries.map(|(i, (start, frequency, number))| {
                let number = number.filter(|&n| n > LAST_INCOMPLETE);
                Found::new(start, frequency, number.unwrap_or(i32::MIN + i as i32))
            }));
            out.push_head(first);
        }
        let first = out.entries.len() as u32;
        out.entries.push(Found::new(0, PROB_SCALE, 0));
        out.push_head(first);
        // Whoever looks at an entry looks at the one behind it, too.
        out.entries.push(Found::default());
        out
    }

    fn push_head(&mut self, first: u32) {
        let own = &self.entries[first as usize..];
        let width = PROB_SCALE >> BUCKET_BITS;
        let mut entry = 0;
        let buckets = std::array::from_fn(|b| {
            while own[entry].start() + own[entry].frequency() <= b as u32 * width {
                entry += 1;
            }
            entry as u16
        });
        self.heads.push(Head { first, buckets });
    }

    /// Returns the place of the table that says only 0.
    #[inline(always)]
    pub(crate) fn silent(&self) -> u32 {
        self.heads.len() as u32 - 1
    }

    /// Finds the entry of a table that holds `slot`.
    #[inline(always)]
    pub(super) fn find(&self, table: u32, slot: u32) -> Found {
        let head = &self.heads[table as usize];
        let bucket = (slot >> (PROB_BITS - BUCKET_BITS)) as usize % BUCKETS;
        let mut i = head.first as usize + usize::from(head.buckets[bucket]);
        let [first, second] = [self.entries[i], self.entries[i + 1]];
        let mut found = if first.holds(slot) { first } else { second };
        while !found.holds(slot) {
            i += 1;
            found = self.entries[i + 1];
        }
        found
    }
}
