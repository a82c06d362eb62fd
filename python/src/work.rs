//! Long work on a thread of its own, while the caller's listens for Ctrl-C and tells of progress.

use crate::error::exception;
use crate::pool;
use aezip::{Config, Error, Progress, Result, Stage};
use pyo3::prelude::*;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long the caller sleeps before it asks whether Ctrl-C was pressed.
const TICK: Duration = Duration::from_millis(50);

/// What the two threads tell each other.
#[derive(Default)]
pub(crate) struct Control {
    stop: Arc<AtomicBool>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_done: bool,
    /// What has not been told yet.
    progress: Option<Progress>,
}

impl Control {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails where the work is to end.
    pub(crate) fn check(&self) -> Result<()> {
        match self.stop.load(Ordering::Relaxed) {
            true => Err(Error::interrupted("ended as the caller wanted")),
            false => Ok(()),
        }
    }

    /// Lets `config` tell of progress here, and end where the work is to end.
    pub(crate) fn watch(self: &Arc<Self>, config: &mut Config) {
        let control = self.clone();
        config.interrupt = Some(self.stop.clone());
        config.progress = Some(Arc::new(move |progress| {
            control.state().progress = Some(progress);
            control.changed.notify_one();
        }));
    }

    /// Waits for news, for a while.
    fn wait(&self) -> State {
        let state = self.state();
        let idle = |state: &mut State| !state.is_done && state.progress.is_none();
        let wait = self.changed.wait_timeout_while(state, TICK, idle);
        let (mut state, _) = wait.unwrap_or_else(PoisonError::into_inner);
        State { is_done: state.is_done, progress: state.progress.take() }
    }
}

/// A writer that takes no more where the work is to end.
pub(crate) struct WatchedWriter<'a, W>(pub(crate) W, pub(crate) &'a Control);

impl<W: Write> Write for WatchedWriter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.1.check().map_err(std::io::Error::other)?;
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// Does `job` on another thread, tells `listener` of its progress, and ends it early where a signal's
/// handler or the listener raises.
pub(crate) fn run<T: Send>(
    py: Python<'_>,
    listener: Option<Py<PyAny>>,
    job: impl FnOnce(&Arc<Control>) -> Result<T> + Send,
) -> PyResult<T> {
    let control = Arc::new(Control::default());
    let (outcome, raised) = std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let done = catch_unwind(AssertUnwindSafe(|| pool::install(|| job(&control))));
            control.state().is_done = true;
            control.changed.notify_one();
            done
        });
        let mut raised = None;
        loop {
            let State { is_done, progress } = py.detach(|| control.wait());
            let told = progress.map_or(Ok(()), |p| tell(py, listener.as_ref(), p));
            if let Err(error) = told.and_then(|()| py.check_signals()) {
                control.stop.store(true, Ordering::Relaxed);
                raised.get_or_insert(error);
            }
            if is_done {
                return (py.detach(|| worker.join()), raised);
            }
        }
    });
    if let Some(error) = raised {
        return Err(error);
    }
    match outcome.and_then(|done| done) {
        Ok(done) => done.map_err(|e| exception(&e)),
        Err(panic) => resume_unwind(panic),
    }
}

fn tell(py: Python<'_>, listener: Option<&Py<PyAny>>, progress: Progress) -> PyResult<()> {
    let Some(listener) = listener else { return Ok(()) };
    let stage = match progress.stage {
        Stage::Scan => "scan",
        Stage::Fit => "fit",
        Stage::Train => "train",
        Stage::Refit => "refit",
        Stage::Encode => "encode",
        Stage::Measure => "measure",
        _ => "work",
    };
    listener.call1(py, (stage, progress.done, progress.total)).map(drop)
}
