//! Decoded blocks that are likely to be asked for again.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Least recently used blocks are dropped when a budget of bytes is full.
#[derive(Debug)]
pub(super) struct Cache {
    budget: usize,
    /// Whether any block was kept or remembered.
    used: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Most recent last.
    blocks: VecDeque<(usize, Arc<Vec<u8>>)>,
    bytes: usize,
    touched: VecDeque<usize>,
}

impl Cache {
    pub(super) fn new(budget: usize) -> Self {
        Self { budget, used: AtomicBool::new(false), inner: Mutex::default() }
    }

    /// Returns the bytes that may be kept.
    pub(super) fn budget(&self) -> usize {
        self.budget
    }

    /// Says whether no block was ever kept or remembered, without waiting for other threads.
    pub(super) fn is_unused(&self) -> bool {
        !self.used.load(Ordering::Relaxed)
    }

    /// Returns a decoded block, if it is here.
    pub(super) fn get(&self, block: usize) -> Option<Arc<Vec<u8>>> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        // The most recent ones are at the back, and likely.
        let at = inner.blocks.iter().rposition(|b| b.0 == block)?;
        let found = inner.blocks.remove(at)?;
        inner.blocks.push_back(found.clone());
        Some(found.1)
    }

    /// Says whether a block of `bytes` is worth decoding whole: it fits, and is asked for again with
    /// fewer than `remembered` others between.
    pub(super) fn wants(&self, block: usize, bytes: usize, remembered: usize) -> bool {
        if bytes > self.budget {
            return false;
        }
        self.used.store(true, Ordering::Relaxed);
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.touched.contains(&block) {
            return true;
        }
        inner.touched.push_back(block);
        let more = inner.touched.len().saturating_sub(remembered);
        inner.touched.drain(..more);
        false
    }

    /// Keeps a decoded block.
    pub(super) fn put(&self, block: usize, bytes: Arc<Vec<u8>>) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        self.used.store(true, Ordering::Relaxed);
        if bytes.len() > self.budget || inner.blocks.iter().any(|b| b.0 == block) {
            return;
        }
        inner.bytes += bytes.len();
        inner.blocks.push_back((block, bytes));
        while inner.bytes > self.budget {
            let Some(dropped) = inner.blocks.pop_front() else { break };
            inner.bytes -= dropped.1.len();
        }
    }
}
