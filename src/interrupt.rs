//! Long work that is to end early.
//!
//! Fitting is many loops within each other, on many threads, and none of them has an end to hand on
//! but its result. So those that take long pass [`checkpoint`], which leaves all of them at once where
//! the caller's flag is set, and [`caught`] makes an error of it: nothing unwinds into the caller.

use crate::error::{Error, Result};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    /// The flag of the work that this thread does.
    static FLAG: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// What a checkpoint unwinds with.
struct Interrupted;

/// Makes checkpoints on this thread, which does no other work, look at `flag`.
pub(crate) fn watch(flag: Option<Arc<AtomicBool>>) {
    FLAG.set(flag);
}

/// Ends the work of this thread if its flag is set.
pub(crate) fn checkpoint() {
    if FLAG.with_borrow(|flag| flag.as_ref().is_some_and(|f| f.load(Ordering::Relaxed))) {
        resume_unwind(Box::new(Interrupted));
    }
}

/// Does `work`, which may pass checkpoints.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|end| match end.downcast::<Interrupted>() {
        Ok(_) => Error::interrupted("ended before it was done, as the caller wanted"),
        Err(panic) => resume_unwind(panic),
    })
}
