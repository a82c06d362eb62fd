//! The progress bar.

use crate::cli::io::console::Console;
use aezip::{Progress, Stage};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::Arc;
use std::time::Duration;

/// How often what turns is drawn anew: often enough to look alive.
const TICK_MILLIS: u64 = 200;

/// A bar on standard error, or none; gone when dropped.
pub(crate) struct Bar(Option<ProgressBar>);

/// What the library calls while it works.
pub(crate) type Callback = Arc<dyn Fn(Progress) + Send + Sync>;

impl Bar {
    /// Makes a bar where the console shows progress.
    pub(crate) fn new(console: &Console) -> Self {
        Self(console.shows_progress().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.enable_steady_tick(Duration::from_millis(TICK_MILLIS));
            bar
        }))
    }

    /// Moves to `done` of `total` of what `stage` says.
    pub(crate) fn set(&self, stage: &'static str, done: u64, total: u64) {
        if let Some(bar) = &self.0 {
            show(bar, Shown { stage, done, total, note: None });
        }
    }

    /// Returns the bar as the library's callback.
    pub(crate) fn callback(&self) -> Option<Callback> {
        let bar = self.0.clone()?;
        Some(Arc::new(move |progress: Progress| {
            let Progress { stage, done, total, estimate, epoch, .. } = progress;
            let plain = |stage| Shown { stage, done, total, note: None };
            let shown = match stage {
                Stage::Scan => plain("reading"),
                Stage::Fit => plain("learning"),
                Stage::Train if done < total => Shown {
                    note: match epoch {
                        Some(e) => Some(lost(e.error, e.held_out_error)),
                        None => estimate.map(|e| note(e.latent, e.residual, e.weights, e.linear)),
                    },
                    ..plain("training")
                },
                // What was trained is now made into integers, one way after another.
                Stage::Train => Shown { done: 0, total: 0, ..plain("choosing") },
                Stage::Refit => plain("refitting"),
                Stage::Encode => plain("writing"),
                Stage::Measure => plain("measuring"),
                _ => plain("working"),
            };
            show(&bar, shown);
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

/// What the bar is to show.
struct Shown {
    stage: &'static str,
    /// How much of `total` is done; 0 of 0 where that is not known.
    done: u64,
    total: u64,
    /// A line below the bar.
    note: Option<String>,
}

fn show(bar: &ProgressBar, Shown { stage, done, total, note }: Shown) {
    if bar.prefix() != stage {
        // The time left is that of the stage.
        bar.reset();
        bar.set_prefix(stage);
        bar.set_style(style(total > 0, note.is_some()));
    }
    if let Some(note) = note {
        bar.set_message(note);
    }
    if total > 0 {
        bar.set_length(total);
        bar.set_position(done);
    }
}

/// Chooses a bar where it is known how much there is to do, else something that turns.
fn style(known: bool, note: bool) -> ProgressStyle {
    let template = match (known, note) {
        (true, true) => "{prefix:9} {wide_bar} {percent:>3}% {eta:>4}\n{wide_msg}",
        (true, false) => "{prefix:9} {wide_bar} {percent:>3}% {eta:>4}",
        (false, _) => "{prefix:9} {spinner} {elapsed}",
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Says what a pass came to, in shares of the variance.
fn lost(error: f64, held_out: Option<f64>) -> String {
    let share = |x: f64| format!("{:.3} %", 100.0 * x);
    match held_out {
        Some(held) => {
            format!("lost {} of the variance, {} of rows held out", share(error), share(held))
        }
        None => format!("lost {} of the variance", share(error)),
    }
}

/// Says what the file would take, in bytes per row.
fn note(latent: f64, residual: f64, weights: f64, linear: f64) -> String {
    // The linear codec's share stays the same: so does the number of decimals.
    let places = match linear {
        1000.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    let residuals =
        if residual > 0.0 { format!(" + residual {residual:.places$}") } else { String::new() };
    let sum = latent + residual + weights;
    format!(
        "latent {latent:.places$}{residuals} + weights {weights:.places$} = {sum:.places$} B/row \
         (linear {linear:.places$})"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_fits_a_narrow_terminal() {
        assert_eq!(
            note(4.1, 4.4, 0.8, 12.8),
            "latent 4.1 + residual 4.4 + weights 0.8 = 9.3 B/row (linear 12.8)"
        );
        assert_eq!(
            note(1.25, 0.0, 0.5, 2.0),
            "latent 1.25 + weights 0.50 = 1.75 B/row (linear 2.00)"
        );
        assert!(note(1e4, 1e4, 1e4, 1e5).len() < 80);
    }
}
