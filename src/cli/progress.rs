//! The progress bar.

use super::console::Console;
use aezip::{Progress, Stage};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::Arc;
use std::time::Duration;

/// A bar on standard error, or none; gone when dropped.
pub(crate) struct Bar(Option<ProgressBar>);

/// What the library calls while it works.
pub(crate) type Callback = Arc<dyn Fn(Progress) + Send + Sync>;

impl Bar {
    /// A bar where the console shows progress.
    pub(crate) fn new(console: &Console) -> Self {
        Self(console.shows_progress().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        }))
    }

    /// Moves to `done` of `total` of what `stage` says.
    pub(crate) fn set(&self, stage: &'static str, done: u64, total: u64) {
        if let Some(bar) = &self.0 {
            show(bar, stage, done, total);
        }
    }

    /// The bar as the library's callback.
    pub(crate) fn callback(&self) -> Option<Callback> {
        let bar = self.0.clone()?;
        Some(Arc::new(move |progress: Progress| {
            let stage = match progress.stage {
                Stage::Scan => "reading",
                Stage::Fit => "learning",
                Stage::Train => "training",
                Stage::Encode => "writing",
            };
            show(&bar, stage, progress.done, progress.total);
        }))
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

fn show(bar: &ProgressBar, stage: &'static str, done: u64, total: u64) {
    if bar.message() != stage {
        // The time left is that of the stage.
        bar.reset();
        bar.set_message(stage);
        bar.set_style(style(total > 0));
    }
    if total > 0 {
        bar.set_length(total);
        bar.set_position(done);
    }
}

/// A bar where it is known how much there is to do, else something that turns.
fn style(known: bool) -> ProgressStyle {
    let template = match known {
        true => "{msg:9} {wide_bar} {percent:>3}% {eta:>4}",
        false => "{msg:9} {spinner} {elapsed}",
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
