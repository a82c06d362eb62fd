//! How far a fit is: the cells that codecs were built on, of about as many as there will be.
//!
//! Searches end when nothing gets better, so their length is a guess: what is told grows more slowly towards
//! the end, and never falls. Codecs are built on the thread that searches, which is where it is kept.

use std::cell::RefCell;
use std::sync::Arc;

/// What is told the share that is done, from 0 to 1.
pub(crate) type Told = Arc<dyn Fn(f64) + Send + Sync>;

/// The share that is left where as much was done as was expected.
const LEFT: f64 = 0.1;

struct Milestones {
    tell: Told,
    /// What was told last, and where the search began.
    told: f64,
    began: f64,
    done: f64,
    expected: f64,
}

impl Milestones {
    fn tell(&mut self) {
        let done = self.done / self.expected;
        let left = if done < 1.0 { 1.0 - (1.0 - LEFT) * done } else { LEFT.powf(done) };
        self.told = 1.0 - (1.0 - self.began) * left;
        (self.tell)(self.told);
    }
}

thread_local! {
    static MILESTONES: RefCell<Option<Milestones>> = const { RefCell::new(None) };
}

/// Does `work`, of whose searches `tell` is told, if anybody is.
pub(crate) fn told_to<T>(tell: Option<Told>, work: impl FnOnce() -> T) -> T {
    let own = tell.map(|tell| Milestones { tell, told: 0.0, began: 0.0, done: 0.0, expected: 0.0 });
    let outer = MILESTONES.replace(own);
    let result = work();
    MILESTONES.set(outer);
    result
}

/// Begins a search that will build codecs on about so many cells. One within another is a part of that.
pub(crate) fn expect(cells: usize) {
    MILESTONES.with_borrow_mut(|own| {
        if let Some(own) = own.as_mut().filter(|own| own.done >= own.expected) {
            (own.began, own.done, own.expected) = (own.told, 0.0, cells as f64);
        }
    });
}

/// Says that a codec was built on so many cells.
pub(crate) fn built(cells: usize) {
    MILESTONES.with_borrow_mut(|own| {
        if let Some(own) = own.as_mut().filter(|own| own.expected > 0.0) {
            own.done += cells as f64;
            own.tell();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn shares_grow_and_stay_below_one_however_long_it_takes() {
        let shares = Arc::new(Mutex::new(Vec::new()));
        let kept = shares.clone();
        built(1);
        told_to(Some(Arc::new(move |share| kept.lock().unwrap().push(share))), || {
            built(1);
            expect(10);
            (0..3).for_each(|_| built(1));
            expect(1);
            (3..20).for_each(|_| built(1));
            expect(4);
            (0..20).for_each(|_| built(1));
        });
        built(1);
        let shares = shares.lock().unwrap();
        assert_eq!(shares.len(), 40);
        assert!((shares[4] - 0.45).abs() < 1e-9 && (shares[9] - 0.9).abs() < 1e-9, "{shares:?}");
        assert!(shares.windows(2).all(|pair| pair[0] < pair[1]) && shares[39] < 1.0, "{shares:?}");
    }
}
