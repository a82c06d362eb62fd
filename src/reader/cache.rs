//! Decoded blocks that are likely to be asked for again.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Threads that look up blocks each in a list of their own; more share these.
const FRONTS: usize = 16;

/// Blocks that were not asked for in the longest time are dropped when a budget of bytes is full.
///
/// Each thread has a list of the blocks that it met here, and looks there first: where all that is asked
/// for is there, threads write to no memory that another one reads.
#[derive(Debug)]
pub(super) struct Cache {
    budget: usize,
    /// Whether any block was kept or remembered.
    used: AtomicBool,
    /// The time: blocks that were kept so far.
    time: AtomicU64,
    fronts: [Mutex<Front>; FRONTS],
    inner: Mutex<Inner>,
}

/// Kept blocks that a thread has met, by their numbers, in lines of memory that no other thread's are in.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Front(Vec<(usize, Arc<Kept>)>);

#[derive(Debug, Default)]
struct Inner {
    blocks: Vec<(usize, Arc<Kept>)>,
    bytes: usize,
    touched: VecDeque<usize>,
}

#[derive(Debug)]
struct Kept {
    /// When it was asked for last.
    asked: AtomicU64,
    bytes: Vec<u8>,
}

impl Cache {
    pub(super) fn new(budget: usize) -> Self {
        Self {
            budget,
            used: AtomicBool::new(false),
            time: AtomicU64::new(0),
            fronts: Default::default(),
            inner: Mutex::default(),
        }
    }

    /// Returns the bytes that may be kept.
    pub(super) fn budget(&self) -> usize {
        self.budget
    }

    /// Says whether a block is here, and takes it for asked for.
    pub(super) fn has(&self, block: usize) -> bool {
        self.read(block, |_| ()).is_some()
    }

    /// Lets a decoded block be read, if it is here.
    pub(super) fn read<R>(&self, block: usize, read: impl FnOnce(&[u8]) -> R) -> Option<R> {
        if !self.used.load(Ordering::Relaxed) {
            return None;
        }
        let mut front = locked(&self.fronts[own_front()]);
        let at = match place(&front.0, block) {
            Some(at) => at,
            None => {
                // The front stays locked, so that what is dropped meanwhile is taken from it afterwards.
                let inner = locked(&self.inner);
                front.0.push(inner.blocks[place(&inner.blocks, block)?].clone());
                front.0.len() - 1
            }
        };
        let kept = &front.0[at].1;
        let now = self.time.load(Ordering::Relaxed);
        if kept.asked.load(Ordering::Relaxed) < now {
            kept.asked.store(now, Ordering::Relaxed);
        }
        Some(read(&kept.bytes))
    }

    /// Says whether a block of `bytes` is worth decoding whole: it fits, and is asked for again with
    /// fewer than `remembered` others between.
    pub(super) fn wants(&self, block: usize, bytes: usize, remembered: usize) -> bool {
        if bytes > self.budget {
            return false;
        }
        self.used.store(true, Ordering::Relaxed);
        let mut inner = locked(&self.inner);
        if inner.touched.contains(&block) {
            return true;
        }
        inner.touched.push_back(block);
        let more = inner.touched.len().saturating_sub(remembered);
        inner.touched.drain(..more);
        false
    }

    /// Keeps a decoded block.
    pub(super) fn put(&self, block: usize, bytes: Vec<u8>) {
        self.used.store(true, Ordering::Relaxed);
        if bytes.len() > self.budget {
            return;
        }
        let dropped = {
            let mut inner = locked(&self.inner);
            if place(&inner.blocks, block).is_some() {
                return;
            }
            let asked = self.time.fetch_add(1, Ordering::Relaxed) + 1;
            inner.bytes += bytes.len();
            inner.blocks.push((block, Arc::new(Kept { asked: asked.into(), bytes })));
            inner.drop_beyond(self.budget)
        };
        for front in self.fronts.iter().filter(|_| !dropped.is_empty()) {
            locked(front).0.retain(|(block, _)| !dropped.contains(block));
        }
    }
}

impl Inner {
    /// Drops blocks until the others take no more than `budget`, and returns which.
    fn drop_beyond(&mut self, budget: usize) -> Vec<usize> {
        let mut dropped = Vec::new();
        while self.bytes > budget {
            let ages = self.blocks.iter().map(|(_, kept)| kept.asked.load(Ordering::Relaxed));
            let Some((oldest, _)) = ages.enumerate().min_by_key(|(_, asked)| *asked) else { break };
            let (block, kept) = self.blocks.remove(oldest);
            self.bytes -= kept.bytes.len();
            dropped.push(block);
        }
        dropped
    }
}

/// Returns where a block is: the last ones are likely.
fn place(blocks: &[(usize, Arc<Kept>)], block: usize) -> Option<usize> {
    blocks.iter().rposition(|(own, _)| *own == block)
}

/// Returns which of the fronts is this thread's.
fn own_front() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: usize = THREADS.fetch_add(1, Ordering::Relaxed) % FRONTS;
    }
    OWN.with(|own| *own)
}

/// A thread that panicked while it held the lock left nothing half done.
fn locked<T>(part: &Mutex<T>) -> MutexGuard<'_, T> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_not_asked_for_in_the_longest_time_is_dropped() {
        let cache = Cache::new(30);
        let there = |i: usize| cache.has(i);
        for i in 0..3 {
            cache.put(i, vec![i as u8; 10]);
        }
        cache.put(1, vec![7; 10]);
        assert_eq!(cache.read(1, <[u8]>::to_vec), Some(vec![1; 10]), "it was there");
        cache.put(4, vec![0; 31]);
        assert!(!there(4), "it is larger than all room");
        cache.put(5, vec![0; 10]);
        assert!(!there(0) && there(1) && there(2) && there(5));
        cache.put(6, vec![0; 10]);
        let left = [1, 2, 5].iter().filter(|&&i| there(i)).count();
        assert!(there(6) && left == 2, "of those asked for at a time, any may go");
        cache.put(7, vec![0; 25]);
        assert!(there(7) && ![1, 2, 5, 6].iter().any(|&i| there(i)));
        assert_eq!(locked(&cache.inner).bytes, 25);
    }

    #[test]
    fn a_block_is_worth_keeping_when_it_comes_again_soon() {
        let cache = Cache::new(30);
        for (block, again) in [(3, false), (3, true), (4, false), (5, false), (3, false), (5, true)]
        {
            assert_eq!(cache.wants(block, 10, 2), again, "{block}");
        }
        assert!(!cache.wants(5, 31, 2));
    }

    #[test]
    fn threads_find_what_others_keep_and_nothing_that_was_dropped() {
        let cache = Cache::new(100);
        let length = |block: usize| 1 + block % 40;
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let cache = &cache;
                scope.spawn(move || {
                    for i in 0..500 {
                        let block = (i * 7 + thread * 3) % 90;
                        let found = cache.read(block, <[u8]>::to_vec);
                        let expected = vec![block as u8; length(block)];
                        match found {
                            Some(found) => assert_eq!(found, expected),
                            None => cache.put(block, expected),
                        }
                    }
                });
            }
        });
        let inner = locked(&cache.inner);
        let there: usize = inner.blocks.iter().map(|(_, kept)| kept.bytes.len()).sum();
        assert!(there == inner.bytes && there <= 100, "{there}");
        for front in &cache.fronts {
            let is_kept =
                |met: &Arc<Kept>| inner.blocks.iter().any(|(_, kept)| Arc::ptr_eq(kept, met));
            assert!(locked(front).0.iter().all(|(_, met)| is_kept(met)));
        }
    }
}
