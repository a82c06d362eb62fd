//! What encodes rows as those of a file are.

use crate::codec::program::Program;
use crate::compress::config::Config;
use crate::compress::pointwise;
use crate::container::columns::Way;
use crate::container::model::{ModelRecord, Value};
use crate::encode::access::{Access, ONE_PART};
use crate::encode::beside::{Beside, Keep, Near};
use crate::encode::blocks::{BlockRows, block_rows_beside};
use crate::encode::companded::OnScales;
use crate::encode::encoder::BlockEncoder;
use crate::encode::known_model::{ErrorWeight, KnownModel};
use crate::encode::linearised::rows_of_use;
use crate::encode::row_rule::{LARGEST_SQUARE, RowRule};
use crate::encode::rows::RowPromise;
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::fit::data::sample::Sample;
use crate::matrix::{Decimal, Rows, Schema};
use crate::quality::{FileStats, bounds, leave_room, relative_bound};
use crate::reader::{FileSource, Reader};
use std::collections::BTreeMap;

/// Numbers of the rows by which reaches of columns are found.
const SAMPLE_VALUES: usize = 1 << 20;
/// Bytes of rows that are decoded to see which range columns had, at most.
const SEEN_BYTES: usize = 256 << 20;
/// Parts that they are read in, spread over the file.
const PLACES: usize = 64;
/// Weights of errors that are tried for each row, and mixtures of two, as where rows are written
/// by a codec that is fitted to them.
const WEIGHTS: usize = 8;
const MIXTURES: usize = 4;
/// Whole numbers up to this are `f64`s.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// Ranges of decoded numbers are taken to be less by this share: their bounds are rounded.
const SURELY: f64 = 1.0 - 1e-9;

/// How rows are encoded.
pub(super) struct Coding {
    /// What encodes rows; none in a file without a model.
    pub(super) encoder: Option<BlockEncoder>,
    /// Columns that blocks keep beside their stream.
    pub(super) beside: Option<Beside>,
    /// The bounds on the array's values, if there are any.
    pub(super) bounds: Option<Vec<f64>>,
    /// Level of zstd.
    pub(super) level: i32,
    /// Bytes of memory that encoding may take.
    pub(super) memory: u64,
    known: Option<KnownModel>,
    /// Rows by which reaches of columns are found, on the model's scales.
    seen: Vec<u8>,
}

impl Coding {
    /// Prepares to encode `rows`, which are as the codec has them, under the promise of the file.
    ///
    /// # Errors
    /// `Argument` where the file does not say enough for it; those of reading either.
    pub(super) fn new(
        reader: &Reader<FileSource>,
        rows: &dyn Rows,
        promise: &Fidelity,
        config: &Config,
    ) -> Result<Self> {
        let (level, memory) = (config.effort().zstd, config.memory);
        let bounds = value_bounds(reader, rows, promise)?;
        let kept = reader.columns_beside()?;
        let Some(program) = reader.program() else {
            let beside = kept.map(|_| all_columns(rows.schema().width(), level));
            return Ok(Self {
                encoder: None,
                beside,
                bounds,
                level,
                memory,
                known: None,
                seen: Vec::new(),
            });
        };
        let columns = kept.map(|kept| columns(&kept, &program.record));
        let beside = columns.map(|columns| Beside { columns, level });
        let inner = inner_bounds(program, promise, bounds.as_deref(), rows.schema())?;
        let fills = rows.schema().fill_values.clone();
        let mut encoder = BlockEncoder {
            exact_level: Some(level),
            row_promise: row_promise(promise),
            keeps_zero_rows: matches!(promise, Fidelity::Cosine(_)),
            share: pointwise::share(promise).unwrap_or(0.0),
            ..BlockEncoder::without_latents(program.clone(), inner, fills)
        };
        let latents = network_latents(reader, program)?;
        let known = KnownModel::new(program.clone(), None, &latents)?;
        let sample = Sample::draw(rows, SAMPLE_VALUES)?;
        let mut seen = match &beside {
            Some(beside) => beside.coded(&sample.bytes, rows.schema().dtype, rows.schema().width()),
            None => sample.bytes,
        };
        seen = OnScales::new(&encoder, &seen).rows(0..sample.runs.iter().sum()).to_vec();
        shape_blocks(&mut encoder, reader, beside.is_some());
        let weight = match is_without_residuals(&encoder) {
            true => ErrorWeight::Alone(1.0),
            false => ErrorWeight::Residuals,
        };
        known.find_latents(&mut encoder, &seen, weight);
        Ok(Self { encoder: Some(encoder), beside, bounds, level, memory, known: Some(known), seen })
    }

    /// Whether there is a choice between bits and errors.
    pub(super) fn has_choice(&self) -> bool {
        self.encoder
            .as_ref()
            .is_some_and(|own| is_without_residuals(own) && own.chooser.has_weights())
    }

    /// The encoder where errors of latents weigh `times` as much as where bits and errors are worth the
    /// same, and values with an error of more than `exact_beyond` come back exactly.
    pub(super) fn weighed(&self, times: f64, exact_beyond: f64) -> Option<BlockEncoder> {
        let mut encoder = self.encoder.clone()?;
        if self.has_choice()
            && let Some(known) = &self.known
        {
            known.find_latents(&mut encoder, &self.seen, ErrorWeight::Alone(times));
        }
        Some(BlockEncoder { exact_beyond, ..encoder })
    }
}

/// Returns latents of rows from all of the file, by which those of a network are found.
fn network_latents(reader: &Reader<FileSource>, program: &Program) -> Result<Vec<i32>> {
    if program.record.hidden.is_none() || program.record.latents() == 0 {
        return Ok(Vec::new());
    }
    let (all, wanted) = (reader.coded_rows(), rows_of_use(program));
    if all <= wanted {
        return reader.latents(0..all);
    }
    let (run, mut out) = ((wanted / PLACES).max(1), Vec::new());
    for place in 0..wanted / run {
        let first = (all - run) / (wanted / run) * place;
        out.extend(reader.latents(first..first + run)?);
    }
    Ok(out)
}

/// Whether errors of latents are those of rows, or of those that keep a promise without residuals.
fn is_without_residuals(encoder: &BlockEncoder) -> bool {
    let program = &encoder.program;
    let is_mute = program.neighbours.is_none() && program.mute.iter().all(|&mute| mute);
    is_mute || encoder.row_promise.is_some()
}

/// Gives blocks the shape that those of the file have.
fn shape_blocks(encoder: &mut BlockEncoder, reader: &Reader<FileSource>, beside: bool) {
    let row_bytes = reader.coded_schema().row_bytes();
    let (rows, bytes, first) = reader.block_sizes();
    let each = bytes as f64 / rows.max(1) as f64;
    let usual = BlockRows::new(&encoder.program, each, row_bytes, Access::Auto);
    let shape = match beside {
        true => BlockRows { rows: block_rows_beside(row_bytes), part_rows: ONE_PART },
        false => BlockRows { rows: first.unwrap_or(usual.rows), ..usual },
    };
    shape.apply(encoder);
}

/// What each row must hold, where the promise is one about rows.
fn row_promise(promise: &Fidelity) -> Option<RowPromise> {
    let rule = match promise {
        Fidelity::RowCosine(d) => RowRule::Cosine { limit: d.ceil() },
        Fidelity::RowL2(d) => {
            RowRule::Length { limit: (d.floor() * d.floor()).min(LARGEST_SQUARE) }
        }
        _ => return None,
    };
    Some(RowPromise { rule, weights: WEIGHTS, mixtures: MIXTURES })
}

/// All columns as wholes, each in the way that takes the fewest bytes.
fn all_columns(width: usize, level: i32) -> Beside {
    Beside { columns: (0..width).map(|j| (j, Keep::Whole(None))).collect(), level }
}

/// How columns are kept beside the stream, by the ways that were seen.
fn columns(kept: &[(usize, Way)], record: &ModelRecord) -> Vec<(usize, Keep)> {
    let mut out: BTreeMap<usize, Keep> = BTreeMap::new();
    for &(j, way) in kept {
        let near = match (way, &record.grids[record.grid_of[j]].value) {
            (Way::Multiples { numerator, denominator }, _) => {
                Some(Near { numerator, denominator, way: Way::Places })
            }
            (way, &Value::Ratio { numerator, denominator }) if way.corrects() => {
                Some(Near { numerator, denominator, way })
            }
            _ => None,
        };
        match (way.corrects(), near, out.get(&j)) {
            (false, near, None | Some(Keep::Corrections(_))) => {
                out.insert(j, Keep::Whole(near));
            }
            (true, Some(near), None) => {
                out.insert(j, Keep::Corrections(near));
            }
            _ => {}
        }
    }
    out.into_iter().collect()
}

/// Returns the bounds of the model's values.
fn inner_bounds(
    program: &Program,
    promise: &Fidelity,
    bounds: Option<&[f64]>,
    schema: &Schema,
) -> Result<Vec<f64>> {
    let width = schema.width();
    if let Fidelity::MaxErrorPointwiseRel(_) = promise {
        // Without scales, all is kept.
        let bound = program.compander.as_ref().map_or(0.0, |scales| scales.bound());
        return Ok(vec![bound; width]);
    }
    if program.compander.is_some() {
        return Err(Error::corrupt("a model on the scales of shares, under a promise of none"));
    }
    Ok(bounds.map_or_else(|| vec![f64::INFINITY; width], <[f64]>::to_vec))
}

/// Returns the bounds of values, if the promise is about them.
fn value_bounds(
    reader: &Reader<FileSource>,
    rows: &dyn Rows,
    promise: &Fidelity,
) -> Result<Option<Vec<f64>>> {
    let Fidelity::MaxErrorRel(share) = promise else { return bounds(rows, promise) };
    let mut own = ranges(reader, rows, share)?;
    own.iter_mut().for_each(|range| *range = relative_bound(share, *range));
    leave_room(rows.schema(), promise, &mut own);
    Ok(Some(own))
}

/// Returns for each column a range that it surely has, when `rows` follow those of the file: these are only
/// known as they are decoded, each end off by `share` of the range at most.
fn ranges(reader: &Reader<FileSource>, rows: &dyn Rows, share: &Decimal) -> Result<Vec<f64>> {
    let given = FileStats::scan(rows)?.ranges;
    let (new, old) = (FileStats::extremes(rows)?, old_extremes(reader)?);
    let is_tiled = rows.schema().tiling.is_some();
    let is_float = rows.schema().dtype.is_float();
    let all = |list: &[(f64, f64)]| {
        list.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |a, b| (a.0.min(b.0), a.1.max(b.1)))
    };
    let (new_all, old_all) = (all(&new), all(&old));
    let range = |(j, given): (usize, f64)| {
        // All columns of a tile are one of the array.
        let (new, old) = if is_tiled { (new_all, old_all) } else { (new[j], old[j]) };
        let share = share.ceil();
        let mixed = (old.1 - new.0).max(new.1 - old.0) / (1.0 + share);
        let decoded = (old.1 - old.0) / (1.0 + 2.0 * share);
        let other = mixed.max(decoded) * SURELY;
        // Whole numbers beyond are rounded, and the range may be less than that.
        let is_known = is_float || [new.0, new.1, old.0, old.1].iter().all(|x| x.abs() <= EXACT);
        if other.is_finite() && is_known { given.max(other) } else { given }
    };
    Ok(given.into_iter().enumerate().map(range).collect())
}

/// Returns the least and the largest number that some rows of the file are decoded to, for each column; of
/// an array cut into tiles, of all columns.
fn old_extremes(reader: &Reader<FileSource>) -> Result<Vec<(f64, f64)>> {
    let each = reader.schema().row_bytes().max(1);
    let most = (SEEN_BYTES / each).max(1);
    if reader.rows() <= most {
        return FileStats::extremes(reader);
    }
    let run = (most / PLACES).max(1);
    let mut all = vec![(f64::INFINITY, f64::NEG_INFINITY); reader.schema().width()];
    for place in 0..PLACES.min(most) {
        let first = (reader.rows() - run) / PLACES * place;
        let mut bytes = vec![0; run * each];
        reader.read_bytes(first, &mut bytes)?;
        let part =
            crate::matrix::Matrix::new(Schema { columns: None, ..reader.schema().clone() }, bytes)?;
        let own = all.iter_mut().zip(FileStats::extremes(&part)?);
        own.for_each(|(all, own)| *all = (all.0.min(own.0), all.1.max(own.1)));
    }
    Ok(all)
}
