//! Rows whose values may each be off by a share of themselves: models have them on other scales.

use crate::codec::compander::Compander;
use crate::compress::exact;
use crate::compress::job::{Fitted, Job, Numbers};
use crate::compress::lossless::lossless;
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::fit::candidate::Candidate;
use crate::fit::data::sample::Sample;
use crate::fit::data::scales::{Wanted, on_scales, scales};
use crate::fit::network::context::TrainingContext;
use crate::fit::search::bounded::with_bounds;
use crate::matrix::{Rows, Schema, check_range};
use std::sync::Arc;

/// Values of a sample by which scales of an array are found.
const SAMPLE_VALUES: usize = 1 << 18;

/// Returns the share that each value may be off by, where that is what is promised.
pub(super) fn share(promise: &Fidelity) -> Option<f64> {
    match promise {
        Fidelity::MaxErrorPointwiseRel(share) => Some(share.floor()),
        _ => None,
    }
}

/// Fits to a sample what keeps the promise that each value is off by `share` of itself at most.
pub(super) fn fit(job: &Job<'_>, sample: &Sample, share: f64) -> Result<Fitted> {
    let Some(fitted) = companded(job, sample, share)? else { return lossless(job, sample) };
    // Where the codec, whose network nobody asked for, makes rows larger than they are.
    let raw = sample.total as f64 * sample.schema.row_bytes() as f64;
    let is_free = !job.training.is_asked() && !job.training.is_for_codec;
    let exactly = || exact::estimate(sample, job.level.zstd);
    if is_free && fitted.fitted_bytes > raw && exactly() < fitted.fitted_bytes * exact::WORTH {
        return Ok(Fitted::Exact(None));
    }
    Ok(Fitted::Codec(Box::new(fitted), None))
}

/// The same with a model whose numbers are on other scales; `None` where these save nothing.
pub(super) fn companded(job: &Job<'_>, sample: &Sample, share: f64) -> Result<Option<Candidate>> {
    let alike = sample.schema.tiling.is_some();
    let known = match job.numbers {
        Numbers::Known(known) => Some(known),
        Numbers::Own | Numbers::Plain => None,
    };
    let Some(scales) = scales(sample, Wanted { share, alike, known }) else { return Ok(None) };
    if let Numbers::Plain = job.numbers {
        return Err(Error::argument(
            "the codec was learned under another promise than a pointwise relative error, and knows \
             nothing of the logarithms of values: learn one with --max-error-pointwise-rel",
        ));
    }
    let scaled = on_scales(sample, &scales);
    let more = job.training.more_rows.map(|more| on_scales(more, &scales));
    let training = TrainingContext { more_rows: more.as_ref(), ..job.training };
    let bounds = vec![scales.bound(); sample.schema.width()];
    let mut fitted = with_bounds(&scaled, bounds, job.level.search, job.basis, Some(&training))?;
    fitted.encoder.fills = sample.schema.fill_values.clone();
    fitted.encoder.program.compander = Some(scales);
    fitted.encoder.share = share;
    Ok(Some(fitted))
}

/// An array as models have it.
pub(super) struct CompandedRows<'a> {
    rows: &'a dyn Rows,
    scales: Arc<Compander>,
    schema: Schema,
}

impl<'a> CompandedRows<'a> {
    /// Finds scales for rows whose values may each be off by `share` of themselves; `None` where these save
    /// nothing.
    ///
    /// # Errors
    /// `Io` if rows cannot be read.
    pub(super) fn new(rows: &'a dyn Rows, share: f64) -> Result<Option<Self>> {
        let sample = Sample::draw(rows, SAMPLE_VALUES)?;
        let scales = scales(&sample, Wanted { share, alike: true, known: None });
        Ok(scales.map(|scales| Self { rows, scales, schema: Compander::inner(rows.schema()) }))
    }

    /// What values on these scales may be off by.
    pub(super) fn bound(&self) -> f64 {
        self.scales.bound()
    }
}

impl Rows for CompandedRows<'_> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        check_range(self, first, out.len())?;
        let schema = self.rows.schema();
        let mut given = vec![0; out.len() / self.schema.row_bytes() * schema.row_bytes()];
        self.rows.read(first, &mut given)?;
        out.copy_from_slice(&self.scales.compress(schema.width(), &given, &schema.fill_values));
        Ok(())
    }
}
