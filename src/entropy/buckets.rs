//! The entries of a table, found by their slots.

use super::rans::{PROB_BITS, PROB_SCALE};
use std::hint::select_unpredictable;

/// The slots are divided into `2^BUCKET_BITS` buckets, so that most slots are found in the entry that is looked at
/// first, and the tables of a few hundred latents stay in a cache: buckets take 640 bytes of a table.
const BUCKET_BITS: u32 = 6;
/// `2^BUCKET_BITS`.
const BUCKETS: usize = 1 << BUCKET_BITS;
/// Numbers up to this say which entry of its table has to be completed; no table has as many entries.
pub(crate) const LAST_INCOMPLETE: i32 = i32::MIN + (1 << 16);

/// Returns which entry of its table a number stands for that has to be completed.
#[inline(always)]
pub(crate) fn incomplete(number: i32) -> Option<usize> {
    (number <= LAST_INCOMPLETE).then(|| (number - i32::MIN) as usize)
}

/// The entry of a table that holds a slot: first slot, number of slots, and above these the number.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Found(pub(super) u64);

impl Found {
    /// Makes the entry with number `i` of its table; without a number it has to be completed.
    pub(super) fn new(i: usize, start: u32, frequency: u32, number: Option<i32>) -> Self {
        let number = number.filter(|&n| n > LAST_INCOMPLETE).unwrap_or(i32::MIN + i as i32);
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
    pub(super) fn holds(self, slot: u32) -> bool {
        slot.wrapping_sub(self.start()) < self.frequency()
    }

    /// Returns the number, or what is [`incomplete`].
    #[inline(always)]
    pub(crate) fn number(self) -> i32 {
        (self.0 >> 32) as i32
    }
}

/// Returns the entry that most slots of a bucket are in, of `2^bits` buckets: one of those from the bucket's first
/// slot on, which `entries` begin with.
pub(super) fn largest(entries: &[Found], bucket: u32, bits: u32) -> Found {
    let first = bucket << (PROB_BITS - bits);
    let end = (bucket + 1) << (PROB_BITS - bits);
    let slots = |entry: &Found| {
        let behind = entry.start() + entry.frequency();
        behind.min(end).saturating_sub(entry.start().max(first))
    };
    let mut out = entries[0];
    for entry in entries.iter().take_while(|entry| entry.start() < end) {
        out = if slots(entry) > slots(&out) { *entry } else { out };
    }
    out
}

/// Returns the bucket of a slot.
#[inline(always)]
fn bucket_of(slot: u32) -> usize {
    (slot >> (PROB_BITS - BUCKET_BITS)) as usize % BUCKETS
}

/// The entries of a table, and those that most slots of each bucket are in.
#[derive(Debug, Clone)]
pub(super) struct Buckets {
    pub(super) entries: Box<[Found]>,
    quick: Box<[Found; BUCKETS]>,
    /// Which of the entries holds the first slot of each.
    places: Box<[u16; BUCKETS]>,
}

impl Buckets {
    /// Arranges entries that hold all slots, in their order.
    pub(super) fn new(entries: Box<[Found]>) -> Self {
        let mut at = 0;
        let places: Box<[u16; BUCKETS]> = Box::new(std::array::from_fn(|bucket| {
            let slot = bucket as u32 * (PROB_SCALE >> BUCKET_BITS);
            while !entries[at].holds(slot) {
                at += 1;
            }
            at as u16
        }));
        let quick = std::array::from_fn(|bucket| {
            largest(&entries[usize::from(places[bucket])..], bucket as u32, BUCKET_BITS)
        });
        Self { entries, quick: Box::new(quick), places }
    }

    /// Finds the entry that holds `slot`.
    #[inline(always)]
    pub(super) fn find(&self, slot: u32) -> Found {
        let found = self.quick[bucket_of(slot)];
        if found.holds(slot) { found } else { self.find_behind(slot) }
    }

    /// Finds the entry that holds `slot`, here or where `is_other` says so in `other`. Which of them it is may
    /// not be known before: no more than one look waits for that.
    #[inline(always)]
    pub(super) fn find_either(&self, other: &Self, is_other: bool, slot: u32) -> Found {
        let bucket = bucket_of(slot);
        let (own, others) = (self.quick[bucket], other.quick[bucket]);
        let found = Found(select_unpredictable(is_other, others.0, own.0));
        let holds = select_unpredictable(is_other, others.holds(slot), own.holds(slot));
        match holds {
            true => found,
            false => select_unpredictable(is_other, other, self).find_behind(slot),
        }
    }

    /// Finds the entry that holds `slot` where the bucket does not say it.
    #[inline(never)]
    fn find_behind(&self, slot: u32) -> Found {
        let mut at = usize::from(self.places[bucket_of(slot)]);
        while !self.entries[at].holds(slot) {
            at += 1;
        }
        self.entries[at]
    }
}
