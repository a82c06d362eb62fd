//! Decoded rows that are likely to be asked for again, where a row is decoded by itself.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Rows that may be kept at most, so that rows of a few bytes do not take more for what leads to them.
const MOST_ROWS: usize = 1 << 14;

/// Each row has a place, which it shares with few others. It is kept once it is asked for twice without
/// one of those between: rows that are never asked for again cost a look and nothing else. Whoever finds
/// a place in use by another thread goes on without it.
#[derive(Debug)]
pub(super) struct RowCache {
    places: Box<[Mutex<Kept>]>,
    /// The row that was asked for last at each place, plus 1.
    asked: Box<[AtomicUsize]>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The row, plus 1; 0 for none.
    row: usize,
    bytes: Vec<u8>,
}

impl RowCache {
    /// Keeps rows of `row_bytes` bytes in a `budget`.
    pub(super) fn new(budget: usize, row_bytes: usize) -> Self {
        let count = (budget / row_bytes.max(1)).min(MOST_ROWS);
        Self {
            places: (0..count).map(|_| Mutex::default()).collect(),
            asked: (0..count).map(|_| AtomicUsize::new(0)).collect(),
        }
    }

    /// Fills `out` with a row, if it is kept.
    pub(super) fn get(&self, row: usize, out: &mut [u8]) -> bool {
        let Some(place) = row.checked_rem(self.places.len()) else { return false };
        let Ok(kept) = self.places[place].try_lock() else { return false };
        let found = kept.row == row + 1 && kept.bytes.len() == out.len();
        if found {
            out.copy_from_slice(&kept.bytes);
        }
        found
    }

    /// Keeps a row that was decoded, if it is asked for again.
    pub(super) fn put(&self, row: usize, bytes: &[u8]) {
        let Some(place) = row.checked_rem(self.places.len()) else { return };
        if self.asked[place].swap(row + 1, Ordering::Relaxed) != row + 1 {
            return;
        }
        if let Ok(mut kept) = self.places[place].try_lock() {
            kept.row = row + 1;
            kept.bytes.clear();
            kept.bytes.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_kept_once_it_is_asked_for_again() {
        let cache = RowCache::new(40, 4);
        let mut out = [0; 4];
        for (row, again) in [(3, false), (3, false), (13, false), (3, true), (13, true)] {
            assert_eq!(cache.get(row, &mut out), again && row == 3, "{row}");
            cache.put(row, &[row as u8; 4]);
        }
        // Row 13 came twice with row 3 between, which has the same place.
        assert!(cache.get(3, &mut out) && out == [3; 4]);
        cache.put(13, &[13; 4]);
        assert!(cache.get(13, &mut out) && out == [13; 4] && !cache.get(3, &mut out));
        let none = RowCache::new(3, 4);
        none.put(0, &[1; 4]);
        none.put(0, &[1; 4]);
        assert!(!none.get(0, &mut out));
    }
}
