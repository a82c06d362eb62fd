//! A promise about a sum over the file: kept by the rows that are appended, it is kept by the whole.
//!
//! Let a file keep `error ≤ limit · deviation`, and so the rows that follow. Errors add up, and
//! deviations from the common mean are together no less than those from the means of each; a peak or
//! a mean of cosines is likewise no worse. What rows of the file erred, only who has the
//! original knows: so they are not asked to make up for others.

use super::encoder::Coding;
use super::tail::{Tail, Unsealed};
use crate::compress::exact::{self, Exactly};
use crate::compress::progress::{Recorder, Stage};
use crate::container::file::FileWriter;
use crate::encode::blocks::{Encoding, Totals, encode_rows};
use crate::encode::encoder::BlockEncoder;
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::fit::data::sample::Sample;
use crate::fit::search::goal::Goal;
use crate::matrix::Rows;
use std::io::{self, Write};

/// Numbers of the rows on which it is found how errors are to be weighed.
const SAMPLE_VALUES: usize = 4 << 20;
/// Factor from one weight of errors to the next, how many are tried in one direction, and how often
/// the interval that is found is halved: then sizes are within 0.2 % of the smallest. Beyond the largest weight, a
/// bit less of error costs more in latents than in values that are stored exactly.
const STRIDE: f64 = 1.5;
const STRIDES: usize = 7;
const HALVINGS: usize = 4;
/// By how much more errors weigh where a sample promised too much, and how often that is tried.
const MORE: f64 = 1.06;
const CORRECTIONS: usize = 4;
/// Error of a value beyond which it comes back exactly, in root mean squares: the first that is tried,
/// the factor to the next, and after how many all values are exact.
const FAR: f64 = 4.0;
const NEARER: f64 = 0.9;
const EXACT_TRIALS: usize = 32;

/// Encodes rows behind the file so that its promise is kept.
///
/// # Errors
/// `Argument` where a size cannot be kept; those of reading and writing.
pub(super) fn keep(
    tail: &mut Tail,
    coding: Coding,
    rows: &dyn Rows,
    promise: &Fidelity,
    recorder: &Recorder,
) -> Result<Unsealed> {
    let all = tail.reader.coded_rows() + rows.len();
    let row_bytes = rows.schema().row_bytes();
    let goal = Goal::new(promise, all, row_bytes);
    let mut run = Run { tail, coding, rows, recorder };
    match goal {
        None => run.write(1.0, f64::INFINITY),
        Some(goal) if goal.is_size() => run.within_size(goal, promise),
        Some(goal) => run.within_error(goal),
    }
}

/// Rows on their way into a file.
struct Run<'a> {
    tail: &'a mut Tail,
    coding: Coding,
    rows: &'a dyn Rows,
    recorder: &'a Recorder,
}

impl Run<'_> {
    /// Encodes all rows into the file, with errors weighed, and values with large ones exactly.
    fn write(&mut self, times: f64, exact_beyond: f64) -> Result<Unsealed> {
        let Self { tail, coding, rows, recorder } = self;
        let total = rows.len() as u64;
        let progress = |done: u64| recorder.stage(Stage::Encode, done, total);
        let encoder = coding.weighed(times, exact_beyond);
        let work = encoder.as_ref().map_or(0, |own| own.program.row_work());
        tail.write(work, |file| encode(coding, encoder.as_ref(), *rows, file, &progress))
    }

    /// Keeps the file within a size.
    fn within_size(&mut self, goal: Goal, promise: &Fidelity) -> Result<Unsealed> {
        let mut times = 1.0;
        let mut least = u64::MAX;
        for _ in 0..STRIDES {
            let written = self.write(times, f64::INFINITY)?;
            if goal.used(&written.totals.tally, written.footer.length as f64) <= 1.0 {
                return Ok(written);
            }
            least = least.min(written.footer.length);
            if !self.coding.has_choice() {
                break;
            }
            times /= STRIDE;
        }
        Err(Error::argument(format!(
            "{promise} would be broken: with these rows the file would take {least} bytes"
        )))
    }

    /// Keeps errors of the rows within what they may be.
    fn within_error(&mut self, goal: Goal) -> Result<Unsealed> {
        let sample = Sample::draw(self.rows, SAMPLE_VALUES)?.into_matrix()?;
        let (mut times, mut trials) = (1.0, 1);
        if self.coding.has_choice() {
            let found = lightest(|times| self.used(&sample, goal, times, f64::INFINITY))?;
            trials = if found.is_some() { CORRECTIONS } else { 0 };
            times = found.unwrap_or_else(|| STRIDE.powi(STRIDES as i32));
        }
        for _ in 0..trials {
            let written = self.write(times, f64::INFINITY)?;
            if goal.used(&written.totals.tally, 0.0) <= 1.0 {
                return Ok(written);
            }
            times *= MORE;
        }
        self.with_exact_values(&sample, goal, times)
    }

    /// The same with the values of the largest errors stored exactly: as few as will do in a sample, and more
    /// if it must be.
    fn with_exact_values(&mut self, sample: &dyn Rows, goal: Goal, times: f64) -> Result<Unsealed> {
        let rms = self.tally(sample, times, f64::INFINITY)?.tally.mse().sqrt();
        let mut beyond = if rms.is_finite() { FAR * rms } else { 0.0 };
        let mut is_enough = false;
        for _ in 0..EXACT_TRIALS {
            is_enough = is_enough || self.used(sample, goal, times, beyond)? <= 1.0;
            if is_enough {
                let written = self.write(times, beyond)?;
                if goal.used(&written.totals.tally, 0.0) <= 1.0 {
                    return Ok(written);
                }
            }
            beyond *= NEARER;
        }
        // All but those without any error.
        self.write(times, 0.0)
    }

    /// Returns the share of what is allowed that some rows use up.
    fn used(&self, rows: &dyn Rows, goal: Goal, times: f64, exact_beyond: f64) -> Result<f64> {
        Ok(goal.used(&self.tally(rows, times, exact_beyond)?.tally, 0.0))
    }

    fn tally(&self, rows: &dyn Rows, times: f64, exact_beyond: f64) -> Result<Totals> {
        let mut file = FileWriter::append(io::sink(), self.tail.whole.clone());
        let encoder = self.coding.weighed(times, exact_beyond);
        encode(&self.coding, encoder.as_ref(), rows, &mut file, &|_| {})
    }
}

/// Finds the least weight of errors with which `used` is at most 1; none where no weight is enough.
fn lightest(mut used: impl FnMut(f64) -> Result<f64>) -> Result<Option<f64>> {
    let mut times = 1.0;
    let is_enough = used(times)? <= 1.0;
    let (mut low, mut high) = (None, None);
    for _ in 0..STRIDES {
        let next = if is_enough { times / STRIDE } else { times * STRIDE };
        let holds = used(next)? <= 1.0;
        if holds != is_enough {
            (low, high) =
                if is_enough { (Some(next), Some(times)) } else { (Some(times), Some(next)) };
            break;
        }
        times = next;
    }
    let (Some(mut low), Some(mut high)) = (low, high) else {
        return Ok(is_enough.then_some(times));
    };
    for _ in 0..HALVINGS {
        let middle = (low * high).sqrt();
        match used(middle)? <= 1.0 {
            true => high = middle,
            false => low = middle,
        }
    }
    Ok(Some(high))
}

/// Encodes rows behind those that `file` has.
fn encode<W: Write>(
    coding: &Coding,
    encoder: Option<&BlockEncoder>,
    rows: &dyn Rows,
    file: &mut FileWriter<W>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Totals> {
    let beside = coding.beside.as_ref();
    match encoder {
        Some(encoder) => {
            encode_rows(Encoding { encoder, beside, memory: coding.memory }, rows, file, progress)
        }
        None => {
            exact::write(rows, &Exactly { level: coding.level, columns: beside }, file, progress)
        }
    }
}
