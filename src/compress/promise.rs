//! Which way a promise is kept: under bounds, by a figure over the file, or row by row.

use crate::compress::job::{Fitted, Job};
use crate::compress::lossless::bounded;
use crate::compress::pointwise;
use crate::compress::progress::Stage;
use crate::compress::report::Report;
use crate::compress::target;
use crate::error::Result;
use crate::fit::data::sample::Sample;
use crate::fit::milestones;
use crate::fit::network::context::TrainingContext;
use crate::fit::search::goal::Goal;
use crate::quality::{CheckedText, bounds};
use std::io::Write;

/// Fits a codec and writes the file.
pub(crate) fn compress(job: &Job<'_>, out: &mut (dyn Write + Send)) -> Result<Report> {
    let written = job.config.on_threads(|| {
        let checked = CheckedText::new(job.rows)?;
        let rows = checked.as_ref().map_or(job.rows, |rows| rows);
        let job = Job { rows, ..*job };
        job.write(fit(&job)?, out)
    })??;
    Ok(Report { training: job.recorder.history(), ..written.report })
}

/// Fits a codec for the promise, on the threads that it is called on.
pub(super) fn fit(job: &Job<'_>) -> Result<Fitted> {
    let textbook = job.training.trains_textbook_objective();
    if let Some(patches) = job.config.train.mask.filter(|_| textbook) {
        patches.of(&job.rows.schema().row_shape)?;
    }
    job.recorder.stage(Stage::Scan, 0, 0);
    let bounds = bounds(job.rows, &job.config.fidelity)?;
    if job.rows.is_empty() {
        return Ok(Fitted::Nothing);
    }
    let told = job.recorder.of_searches();
    told.iter().for_each(|tell| tell(0.0));
    milestones::told_to(told, || fit_seen(job, bounds))
}

/// The same once the rows were looked at; `bounds` is what the promise stands for, if it is about single values.
fn fit_seen(job: &Job<'_>, bounds: Option<Vec<f64>>) -> Result<Fitted> {
    let textbook = job.training.trains_textbook_objective();
    let sample = Sample::draw(job.rows, job.level.sample_values)?;
    if textbook && job.training.more_rows.is_none() {
        let values = job.config.trained_values(job.rows.schema().dtype);
        let rows = Sample::draw(job.rows, values)?;
        let training = TrainingContext { more_rows: Some(&rows), ..job.training };
        return fit_on(&Job { training, ..*job }, &sample, bounds);
    }
    fit_on(job, &sample, bounds)
}

/// The same on a sample.
fn fit_on(job: &Job<'_>, sample: &Sample, bounds: Option<Vec<f64>>) -> Result<Fitted> {
    let schema = job.rows.schema();
    if let Some(share) = pointwise::share(&job.config.fidelity) {
        return pointwise::fit(job, sample, share);
    }
    if let Some(bounds) = bounds {
        return bounded(job, sample, bounds);
    }
    if let Some(goal) = Goal::new(&job.config.fidelity, job.rows.len(), schema.row_bytes()) {
        return target::fit(job, goal, sample);
    }
    target::fit_rows(job, sample)
}
