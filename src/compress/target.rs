//! What is written for a promise about a sum over the file, and for one about each row.

use crate::compress::job::{Fitted, Job, WholeFile};
use crate::compress::lossless::bounded;
use crate::error::{Error, Result};
use crate::fit::candidate::Candidate;
use crate::fit::data::sample::Sample;
use crate::fit::search::goal::Goal;
use crate::fit::search::rows::{RowCodecs, RowSearch};
use crate::fit::search::target::{EncodedFile, TargetSearch};

/// The mean squared error of whole numbers below which all of them may as well be exact: it is
/// three times that of rounding, below which steps hardly save anything.
const NEARLY_EXACT: f64 = 0.25;
/// A mean squared error that whole numbers hardly have unless they are exact: half of rounding's.
const EXACT: f64 = 1.0 / 24.0;

/// The file of the codec that keeps `goal` best; where none does, [`fall_back`].
pub(super) fn fit(job: &Job<'_>, goal: Goal, sample: &Sample) -> Result<Fitted> {
    let encode = |fitted: Candidate| encode(job, fitted);
    let search = |goal| TargetSearch {
        promise: &job.config.fidelity,
        goal,
        sample,
        effort: job.level.search,
        basis: job.basis,
        training: &job.training,
        encode: &encode,
    };
    match search(goal).run()? {
        Some(file) if may_be_exact(job, goal, &file) => {
            let mse = file.written.report.measured.mse;
            let finer = if mse > EXACT { search(goal.times(EXACT / mse)).run()? } else { None };
            let bounds = vec![0.0; sample.schema.width()];
            let exact = job.whole(bounded(job, sample, bounds)?)?;
            let others = [Some(exact), finer].into_iter().flatten();
            let smaller = |a: WholeFile, b: WholeFile| match b.len < a.len {
                true => b,
                false => a,
            };
            Ok(Fitted::File(Box::new(others.fold(file, smaller))))
        }
        Some(file) => Ok(Fitted::File(Box::new(file))),
        None => fall_back(job, goal, sample),
    }
}

/// The file of all rows with a codec.
fn encode(job: &Job<'_>, fitted: Candidate) -> Result<EncodedFile<WholeFile>> {
    let (file, tally) = job.encoded_file(fitted)?;
    Ok(EncodedFile { bytes: file.len as f64, tally, file })
}

/// What keeps a promise about each row with the fewest bytes.
pub(super) fn fit_rows(job: &Job<'_>, sample: &Sample) -> Result<Fitted> {
    let search = RowSearch {
        rows: job.rows,
        promise: &job.config.fidelity,
        sample,
        effort: job.level.search,
        basis: job.basis,
        training: &job.training,
    };
    let Some(RowCodecs { linear, network }) = search.run()? else {
        return bounded(job, sample, vec![0.0; sample.schema.width()]);
    };
    let Some(network) = network else {
        return Ok(Fitted::Codec(Box::new(linear), None));
    };
    let is_asked = job.training.request.wants_network() == Some(true);
    if is_asked || job.training.weight_precision_factor.is_some() {
        return Ok(Fitted::Codec(Box::new(network), None));
    }
    let (network, linear) = (encode(job, network)?, encode(job, linear)?);
    let smaller = if network.bytes < linear.bytes { network } else { linear };
    Ok(Fitted::File(Box::new(smaller.file)))
}

/// Bounds, in steps that a search begins with, that are tried before none: the last is above the range
/// of most columns, so that these come back as their centres. Without a bound they come back as 0.
const BOUNDS: [f64; 4] = [1.0, 3.0, 9.0, 27.0];

/// Whether the file may be larger than one without errors: whole numbers that are nearly exact take
/// more bits than exact ones, whose residuals are seldom anything but 0.
fn may_be_exact(job: &Job<'_>, goal: Goal, file: &WholeFile) -> bool {
    let is_near = file.written.report.measured.mse < NEARLY_EXACT;
    let has_choice = !goal.is_size() && !job.training.is_asked();
    has_choice && is_near && !job.rows.schema().dtype.is_float()
}

/// Where no step reaches the goal: lossless reaches every error; what size it takes says whether a
/// size can be reached at all.
fn fall_back(job: &Job<'_>, goal: Goal, sample: &Sample) -> Result<Fitted> {
    let with_bound = |bound: f64| bounded(job, sample, vec![bound; sample.schema.width()]);
    let lossless = with_bound(0.0)?;
    let Goal::Bytes(most) = goal else { return Ok(lossless) };
    let file = job.whole(lossless)?;
    if file.len as f64 <= most {
        return Ok(Fitted::File(Box::new(file)));
    }
    // Without any bound, a file is as small as it gets.
    let smallest = job.whole(with_bound(f64::MAX)?)?;
    let least = smallest.len as f64;
    if least <= most {
        let start = goal.starting_step(sample);
        for factor in BOUNDS {
            let file = job.whole(with_bound(factor * start)?)?;
            if file.len as f64 <= most {
                return Ok(Fitted::File(Box::new(file)));
            }
        }
        return Ok(Fitted::File(Box::new(smallest)));
    }
    Err(Error::argument(format!(
        "{} cannot be reached: it allows {most:.0} bytes; with no bound on errors these rows take \
         {least}, {:.3} a row, a ratio of {:.1}",
        job.config.fidelity,
        least / job.rows.len() as f64,
        smallest.written.report.bytes_in as f64 / least
    )))
}
