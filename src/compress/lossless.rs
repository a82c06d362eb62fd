//! Rows under bounds, and those of which every bit is kept: how each column is.
//!
//! A column is coded by the model; or the model codes what its values are near to, and corrections
//! are kept beside the stream; or the whole column is kept beside it. Where models help with nothing,
//! rows are kept exactly without any.

use crate::compress::exact;
use crate::compress::job::{Fitted, Job};
use crate::compress::levels::Level;
use crate::compress::stream::Stream;
use crate::encode::beside::{Beside, Keep, Near};
use crate::encode::blocks::block_rows_beside;
use crate::error::Result;
use crate::fit::candidate::Candidate;
use crate::fit::column_bits::column_bits;
use crate::fit::data::near::nearly;
use crate::fit::data::sample::Sample;
use crate::fit::search::bounded::{SearchEffort, with_bounds};
use crate::matrix::Matrix;
use std::sync::OnceLock;

/// Rows of the quick look, and the share of its bytes below which no long one is worth its time:
/// where it finds nothing to model, rows are kept exactly at once.
const QUICK_ROWS: usize = 1024;
const QUICK_SHARE: f64 = 0.85;
/// Numbers of the rows that are encoded to see how many bytes they take, at most: fitting takes longer
/// than this.
const MEASURED_VALUES: usize = 1 << 22;
/// Columns of a table, at most: in wider rows none is looked at by itself, as that takes memory for
/// each.
const MOST_COLUMNS: usize = 1 << 16;
/// Columns by which to see whether any of a wide table are worth keeping as wholes: it takes longer to
/// pack them all than to code them.
const PROBED: usize = 64;
/// Multiples of this lie evenly in every interval, whatever its length: the golden ratio less 1.
const GOLDEN: f64 = 0.618_033_988_749_895;
/// Share of a file's bytes below which columns are kept beside the stream: single rows are slower to
/// read then, and that wants to be paid for, if only with little.
const LITTLE_LESS: f64 = 0.995;
/// Bits of a number under a bound from which on every bit of it may take fewer. It trades the time of
/// a second search for files in which hardly anything is left to round.
const MANY_BITS: f64 = 6.0;
/// How many bytes the quick look may take of those that the long search is to fall below: as much as
/// networks, contexts and columns kept as wholes have been seen to save.
const HOPE: f64 = 1.4;
/// Largest share that a column's bytes kept as a whole may have of its coded ones.
const CHEAPER: f64 = 0.98;

/// Fits under a bound on the values of each column.
pub(super) fn bounded(job: &Job<'_>, sample: &Sample, mut bounds: Vec<f64>) -> Result<Fitted> {
    let is_free = !job.training.is_asked() && !job.training.is_for_codec;
    if is_free && !sample.schema.dtype.is_float() {
        // Whole numbers are off by whole numbers.
        bounds.iter_mut().for_each(|b| *b = b.floor());
    }
    if bounds.iter().all(|&b| b == 0.0) {
        return lossless(job, sample);
    }
    let Level { search, zstd, .. } = job.level;
    let fitted = with_bounds(sample, bounds, search, job.basis, Some(&job.training))?;
    if is_free
        && sample.schema.dtype.is_float()
        && let Some(lossless) = below(job, sample, fitted.fitted_bytes)?
    {
        return Ok(lossless);
    }
    // Where the codec, whose network nobody asked for, makes rows larger than they are.
    let raw = sample.total as f64 * sample.schema.row_bytes() as f64;
    if fitted.fitted_bytes > raw
        && is_free
        && exact::estimate(sample, zstd) < fitted.fitted_bytes * exact::WORTH
    {
        return Ok(Fitted::Exact(None));
    }
    Ok(Fitted::Codec(Box::new(fitted), None))
}

/// Fits what keeps every bit.
pub(super) fn lossless(job: &Job<'_>, sample: &Sample) -> Result<Fitted> {
    Ok(Search::new(job, sample)?.smallest(f64::INFINITY)?.unwrap_or(Fitted::Exact(None)))
}

/// Fits what keeps every bit, if that takes less than the `bytes` of a codec with bounds: steps of
/// the bound do not fit those of the numbers, which may be few between two of them.
fn below(job: &Job<'_>, sample: &Sample, bytes: f64) -> Result<Option<Fitted>> {
    let values = sample.total as f64 * sample.schema.width() as f64;
    let has_time = job.level.search.trials > 0;
    if !has_time || 8.0 * bytes < MANY_BITS * values {
        return Ok(None);
    }
    Search::new(job, sample)?.smallest(bytes)
}

/// Columns beside the stream, and the bytes that each takes in the file.
struct Kept {
    beside: Beside,
    bytes: Vec<f64>,
}

impl Kept {
    fn total(&self) -> f64 {
        self.bytes.iter().sum()
    }
}

/// The smaller way to keep rows without a model.
struct Exact {
    /// All columns, where they are kept by themselves.
    columns: Option<Beside>,
    /// Bytes of the file, and the share of a codec's below which this is taken.
    bytes: f64,
    worth: f64,
}

/// A codec with columns beside it.
struct Mixed {
    candidate: Candidate,
    beside: Kept,
    /// Bytes of the whole file, estimated; too many rather than too few.
    bytes: f64,
}

impl Mixed {
    fn fitted(self) -> Fitted {
        let beside = self.beside.beside;
        let is_used = !beside.columns.is_empty();
        Fitted::Codec(Box::new(self.candidate), is_used.then_some(beside))
    }
}

/// The search for what keeps every bit of some rows in the fewest bytes.
struct Search<'a> {
    job: &'a Job<'a>,
    /// Rows that codecs are fitted to.
    sample: &'a Sample,
    /// Rows that are encoded to see how many bytes they take, in runs as long as blocks are; none
    /// where no column may be kept beside the stream.
    measured: Option<Sample>,
    /// What the values of each column are near to, empty likewise.
    near: Vec<Option<Near>>,
    /// What columns take as wholes, once it is known.
    wholes: Vec<OnceLock<f64>>,
}

impl<'a> Search<'a> {
    fn new(job: &'a Job<'a>, sample: &'a Sample) -> Result<Self> {
        let mut search =
            Search { job, sample, measured: None, near: Vec::new(), wholes: Vec::new() };
        // A codec is for other rows as well, and says all of them by itself.
        if !job.training.is_for_codec && sample.schema.width() <= MOST_COLUMNS {
            let values = job.level.sample_values.min(MEASURED_VALUES);
            let rows = block_rows_beside(sample.schema.row_bytes());
            search.measured = Some(Sample::draw_runs(job.rows, values, rows)?);
            search.near = nearly(sample);
            search.wholes = search.near.iter().map(|_| OnceLock::new()).collect();
        }
        Ok(search)
    }

    /// Returns the smallest of all, if it takes less than `most` bytes.
    fn smallest(&self, most: f64) -> Result<Option<Fitted>> {
        let exact = self.without_model();
        let mut corrections = self.kept(Vec::new());
        if self.sample.schema.dtype.is_float() {
            let quick = self.quick_look()?;
            if let Some(fitted) = self.smaller(&exact, QUICK_SHARE * quick.bytes) {
                return Ok((exact.bytes < most).then_some(fitted));
            }
            if quick.bytes > HOPE * most {
                return Ok(None);
            }
            corrections = quick.beside;
        }
        let mut best = self.mixed(self.sample, corrections, &self.job.level.search, true)?;
        if let Some(other) = self.with_wholes(&best)? {
            best.bytes = self.file_bytes(&best)?;
            if other.bytes < best.bytes * LITTLE_LESS {
                best = other;
            }
        }
        if exact.bytes < best.bytes * exact.worth
            && let Some(fitted) = self.smaller(&exact, self.file_bytes(&best)?)
        {
            return Ok((exact.bytes < most).then_some(fitted));
        }
        if most.is_finite() && self.file_bytes(&best)? >= most * LITTLE_LESS {
            return Ok(None);
        }
        Ok(Some(best.fitted()))
    }

    fn whole(&self, j: usize) -> (usize, Keep) {
        (j, Keep::Whole(self.near[j]))
    }

    /// Returns some columns, by which to see whether any are worth keeping as wholes.
    fn probed(&self) -> Vec<usize> {
        let width = self.near.len();
        if width <= PROBED {
            return (0..width).collect();
        }
        // Equal distances would fall into step with the lines of a picture.
        let place = |i: usize| (i as f64 * GOLDEN).fract() * width as f64;
        let mut columns: Vec<usize> = (0..PROBED).map(|i| place(i) as usize).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// Returns the bytes that each of `columns` takes as a whole.
    fn wholes(&self, columns: &[usize]) -> Vec<f64> {
        let unknown: Vec<usize> =
            columns.iter().copied().filter(|&j| self.wholes[j].get().is_none()).collect();
        let kept = self.kept(unknown.iter().map(|&j| self.whole(j)).collect());
        unknown.iter().zip(kept.bytes).for_each(|(&j, bytes)| {
            let _ = self.wholes[j].set(bytes);
        });
        columns.iter().map(|&j| self.wholes[j].get().copied().unwrap_or(f64::INFINITY)).collect()
    }

    fn kept(&self, columns: Vec<(usize, Keep)>) -> Kept {
        let beside = Beside { columns, level: self.job.level.zstd };
        let mut bytes = vec![0.0; beside.columns.len()];
        let Some(measured) = &self.measured else { return Kept { beside, bytes } };
        for run in measured.split() {
            let own = beside.bytes(run, measured.schema.dtype, measured.schema.width());
            bytes.iter_mut().zip(own).for_each(|(sum, n)| *sum += n as f64 * measured.weight());
        }
        Kept { beside, bytes }
    }

    /// Returns the smaller way without a model.
    fn without_model(&self) -> Exact {
        let bytes = exact::estimate(self.sample, self.job.level.zstd);
        let rows = Exact { columns: None, bytes, worth: exact::WORTH };
        if self.near.is_empty() {
            return rows;
        }
        let some = self.wholes(&self.probed());
        let bytes = some.iter().sum::<f64>() * self.near.len() as f64 / some.len() as f64;
        let columns = (0..self.near.len()).map(|j| self.whole(j)).collect();
        let beside = Beside { columns, level: self.job.level.zstd };
        if bytes < rows.bytes {
            return Exact { columns: Some(beside), bytes, worth: LITTLE_LESS };
        }
        rows
    }

    /// Returns the way without a model if it is smaller than `bytes` by enough.
    fn smaller(&self, exact: &Exact, bytes: f64) -> Option<Fitted> {
        let most = bytes * exact.worth;
        let is_smaller = exact.bytes < most
            && (exact.columns.is_none()
                || self.wholes(&(0..self.near.len()).collect::<Vec<_>>()).iter().sum::<f64>()
                    < most);
        is_smaller.then(|| Fitted::Exact(exact.columns.clone()))
    }

    /// Fits a codec to what is not kept `beside`; networks are tried where `trains`.
    fn mixed(
        &self,
        sample: &Sample,
        beside: Kept,
        effort: &SearchEffort,
        trains: bool,
    ) -> Result<Mixed> {
        let sample = coded(sample, &beside.beside);
        let bounds = vec![0.0; sample.schema.width()];
        let training = trains.then_some(&self.job.training);
        let candidate = with_bounds(&sample, bounds, *effort, self.job.basis, training)?;
        let bytes = candidate.fitted_bytes + beside.total();
        Ok(Mixed { candidate, beside, bytes })
    }

    /// Returns the bytes of the file that a codec makes, from those of the measured rows.
    fn file_bytes(&self, mixed: &Mixed) -> Result<f64> {
        let Mixed { candidate, beside, .. } = mixed;
        let Some(measured) = &self.measured else { return Ok(mixed.bytes) };
        let schema = &measured.schema;
        let mut encoded = 0;
        for run in measured.split() {
            let rows = Matrix::new(
                schema.clone(),
                beside.beside.coded(run, schema.dtype, schema.width()),
            )?;
            let (config, total) = (self.job.config, self.job.rows.len());
            let mut stream = Stream::begin(Vec::new(), schema, config, candidate.clone(), total)?;
            if !beside.bytes.is_empty() {
                // What is kept has been measured already.
                stream.keep_beside(Beside::default(), schema.row_bytes());
            }
            let before = stream.bytes();
            stream.encode(&rows, &|_| {})?;
            encoded += stream.bytes() - before;
        }
        let blocks = encoded as f64 * measured.weight();
        Ok(candidate.model_bytes() as f64 + blocks + beside.total())
    }

    /// Returns the quick codec, with the corrections that are worth it for it.
    fn quick_look(&self) -> Result<Mixed> {
        let effort = SearchEffort { trials: 0, ..self.job.level.search };
        let few = self.sample.thin(QUICK_ROWS);
        let mut plain = self.mixed(&few, self.kept(Vec::new()), &effort, false)?;
        let near = self.near.iter().enumerate();
        let corrections = near.filter_map(|(j, near)| Some((j, Keep::Corrections((*near)?))));
        let corrections: Vec<(usize, Keep)> = corrections.collect();
        if corrections.is_empty() {
            return Ok(plain);
        }
        let mut corrected = self.mixed(&few, self.kept(corrections), &effort, false)?;
        corrected.bytes = self.file_bytes(&corrected)?;
        plain.bytes = self.file_bytes(&plain)?;
        Ok(if corrected.bytes < plain.bytes * LITTLE_LESS { corrected } else { plain })
    }

    /// Returns the codec of those columns that take fewer bytes in it than as wholes, with the others
    /// beside it, its bytes measured; nothing where these would save too little.
    fn with_wholes(&self, best: &Mixed) -> Result<Option<Mixed>> {
        let Some(measured) = &self.measured else { return Ok(None) };
        let seen = coded(measured, &best.beside.beside);
        let bits = column_bits(&best.candidate.encoder, &seen);
        let mut bytes: Vec<f64> = bits.iter().map(|b| b / 8.0).collect();
        let corrections = best.beside.beside.columns.iter().zip(&best.beside.bytes);
        corrections.for_each(|((j, _), own)| bytes[*j] += own);
        let least = 1.0 - LITTLE_LESS;
        let probed = self.probed();
        let some = self.cheaper(&probed, &bytes);
        if some.saved < least * probed.iter().map(|&j| bytes[j]).sum::<f64>() {
            return Ok(None);
        }
        let all = self.cheaper(&(0..bytes.len()).collect::<Vec<_>>(), &bytes);
        if all.columns.len() == bytes.len() || all.saved < least * best.bytes {
            return Ok(None);
        }
        let mut columns = best.beside.beside.columns.clone();
        columns.retain(|(j, _)| all.columns.iter().all(|(own, _)| own != j));
        columns.extend(all.columns);
        columns.sort_unstable_by_key(|c| c.0);
        // Where no network paid for all columns, none does for some.
        let trains = best.candidate.encoder.projection.network.is_some();
        let mut mixed =
            self.mixed(self.sample, self.kept(columns), &self.job.level.search, trains)?;
        mixed.bytes = self.file_bytes(&mixed)?;
        Ok(Some(mixed))
    }

    /// Finds those of `columns` that take less as wholes than the `bytes` that they take coded.
    fn cheaper(&self, columns: &[usize], bytes: &[f64]) -> Cheaper {
        let mut cheaper = Cheaper { columns: Vec::new(), saved: 0.0 };
        for (&j, own) in columns.iter().zip(self.wholes(columns)) {
            if own < CHEAPER * bytes[j] {
                cheaper.columns.push(self.whole(j));
                cheaper.saved += bytes[j] - own;
            }
        }
        cheaper
    }
}

/// Columns that take less as wholes, and the bytes that they save.
struct Cheaper {
    columns: Vec<(usize, Keep)>,
    saved: f64,
}

/// Returns a sample as a stream codes it that has columns beside it.
fn coded(sample: &Sample, beside: &Beside) -> Sample {
    let mut sample = sample.clone();
    if !beside.columns.is_empty() {
        sample.bytes = beside.coded(&sample.bytes, sample.schema.dtype, sample.schema.width());
    }
    sample
}
