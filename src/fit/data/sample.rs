//! Rows to fit on: runs of neighbouring rows, spread evenly over the file.

use crate::codec::fill::is_ordinary;
use crate::codec::value::with_cell;
use crate::encode::project::cells;
use crate::error::Result;
use crate::fit::data::lines::line_of_rows;
use crate::matrix::{Rows, Schema};
use rayon::prelude::*;
use std::ops::Range;

/// Least rows of a sample, where the file has them, and most.
const ROWS: [usize; 2] = [256, 1 << 20];
/// Most values of a sample that is only as large as it has to be: wide rows are fewer than
/// [`ROWS`], but not fewer than [`LEAST_WIDE`], as they take memory at several times their size.
const WIDE_VALUES: usize = 1 << 26;
const LEAST_WIDE: usize = 4;
/// Values that are looked at together: they are copied meanwhile.
const VALUES_AT_ONCE: usize = 1 << 16;
/// Runs of a sample of few rows, at least, unless they are to be lines: what two places say is not true of all, and
/// the latents of other rows may be far outside of what the model has numbers for.
const LEAST_RUNS: usize = 8;
/// Share of the file from which on the whole of it is taken: then nothing remains to be guessed.
const NEARLY_ALL: [usize; 2] = [9, 10];

/// Places that rows are from, at least, where only some of a sample are looked at: with fewer, runs are
/// cut into pieces, but not of fewer rows than so many, as the first of each has none before it.
const MANY_PLACES: usize = 32;
const SHORT_RUN: usize = 32;
/// Lines of a run where rows lie in lines, and of a piece where the line before is looked at: the first one
/// has none before it.
const LINES_OF_RUN: usize = 8;
const LINES_OF_PIECE: usize = 3;
/// Values of a row up to which runs are whole lines also where all of the file is taken: the line before says
/// most of such rows, and of wider ones a network does, which is chosen on short runs.
const NARROW: usize = 32;
/// Such pieces, at least.
const FEW_PLACES: usize = 6;

/// Multiples of this lie evenly between whole numbers: the golden ratio less 1.
const GOLDEN: f64 = 0.618_033_988_749_895;

/// Which rows of a sample are looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thinning {
    /// Every how manieth piece of a run.
    every: usize,
    /// Rows of a piece, at most.
    rows: usize,
    /// The first rows of a piece that only those after them look at.
    before: usize,
}

impl Thinning {
    /// All rows, in their runs.
    pub(crate) const ALL: Self = Self { every: 1, rows: usize::MAX, before: 0 };

    /// Returns how many rows of each piece are not to be judged: only those after them look at them.
    pub(crate) fn rows_before(self) -> usize {
        self.before
    }
}

/// Some rows of a file, or all.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// What the rows are.
    pub(crate) schema: Schema,
    /// Little-endian values, run after run.
    pub(crate) bytes: Vec<u8>,
    /// Number of rows in each run.
    pub(crate) runs: Vec<usize>,
    /// Number of rows in the file.
    pub(crate) total: usize,
    /// Rows of a line, where rows seem to lie in lines; else 0.
    pub(crate) line_of_rows: usize,
}

impl Sample {
    /// Rows of a run: neighbours are kept together, so that their likeness can be measured.
    pub(crate) const RUN: usize = 128;

    /// Draws about as many rows as have `values` values, evenly from the whole file.
    ///
    /// # Errors
    /// `Io` if rows cannot be read.
    pub(crate) fn draw(rows: &dyn Rows, values: usize) -> Result<Self> {
        let line_of_rows = line_of_rows(rows)?;
        let mut run = LINES_OF_RUN * line_of_rows;
        let width = rows.schema().width();
        if width > NARROW && rows.len().saturating_mul(width) <= values {
            // Cut into short ones, long runs are then the same rows as short ones would be.
            run = run.next_multiple_of(Self::RUN);
        }
        let sample = Self::draw_runs(rows, values, run.max(Self::RUN))?;
        Ok(Self { line_of_rows, ..sample })
    }

    /// Draws the same in runs of `run` rows, of which none is taken to lie in lines.
    ///
    /// # Errors
    /// `Io` if rows cannot be read.
    pub(crate) fn draw_runs(rows: &dyn Rows, values: usize, run: usize) -> Result<Self> {
        let schema = rows.schema().clone();
        let total = rows.len();
        let width = schema.width().max(1);
        let least = ROWS[0].min(WIDE_VALUES / width).max(LEAST_WIDE);
        let wanted = (values / width).clamp(least, ROWS[1]).min(total);
        let whole = wanted * NEARLY_ALL[1] >= total * NEARLY_ALL[0];
        let short = wanted.div_ceil(LEAST_RUNS).max(SHORT_RUN);
        let run = match run {
            _ if whole => run,
            // Not lines.
            ..=Self::RUN => run.min(short).min(wanted.div_ceil(2)),
            _ => run.min(wanted.div_ceil(2)),
        };
        let count = if whole { total.div_ceil(run) } else { wanted.div_ceil(run) };
        let row_bytes = schema.row_bytes();
        let mut bytes = Vec::new();
        let mut runs = Vec::new();
        for i in 0..count {
            let first = if whole { i * run } else { (total - run) * i / (count - 1).max(1) };
            let n = run.min(total - first);
            let at = bytes.len();
            bytes.resize(at + n * row_bytes, 0);
            rows.read(first, &mut bytes[at..])?;
            runs.push(n);
        }
        Ok(Self { schema, bytes, runs, total, line_of_rows: 0 })
    }

    /// Returns the number of rows in the sample.
    pub(crate) fn rows(&self) -> usize {
        self.runs.iter().sum()
    }

    /// Returns the number of values in the sample.
    pub(crate) fn cells(&self) -> usize {
        self.rows() * self.schema.width()
    }

    /// Returns whether every row of the file is here.
    pub(crate) fn is_whole(&self) -> bool {
        self.rows() == self.total
    }

    /// Returns how many values are NaN, infinite or fill values: they are stored exactly.
    pub(crate) fn specials(&self) -> usize {
        let Schema { dtype, fill_values: fills, .. } = &self.schema;
        if !dtype.is_float() && fills.is_empty() {
            return 0;
        }
        let bytes = self.bytes.par_chunks(VALUES_AT_ONCE * dtype.size());
        with_cell!(*dtype, T => {
            let special = |x: &T| !is_ordinary(*x, fills);
            bytes.map(|bytes| cells::<T>(bytes).iter().filter(|x| special(x)).count()).sum()
        })
    }

    /// Returns the number of the file's rows per row of the sample.
    pub(crate) fn weight(&self) -> f64 {
        self.total as f64 / self.rows().max(1) as f64
    }

    /// Returns the sample's rows.
    pub(crate) fn into_matrix(self) -> Result<crate::matrix::Matrix> {
        crate::matrix::Matrix::new(self.schema, self.bytes)
    }

    /// Returns about `rows` rows of this sample, or none where they would be all of them.
    pub(crate) fn thinned(&self, rows: usize) -> Option<Sample> {
        (self.rows() / rows.max(1) > 1).then(|| self.thin(rows))
    }

    /// Returns about `rows` rows of this sample: every second, third, … of its runs or of pieces of them.
    pub(crate) fn thin(&self, rows: usize) -> Sample {
        let row_bytes = self.schema.row_bytes();
        let mut bytes = Vec::new();
        let mut runs = Vec::new();
        let some = self.thinning(rows);
        for piece in self.pieces(some) {
            bytes.extend_from_slice(&self.bytes[piece.start * row_bytes..piece.end * row_bytes]);
            runs.push(piece.len());
        }
        // In short pieces no row has a line before it.
        let is_short = some.rows < LINES_OF_PIECE * self.line_of_rows;
        let line_of_rows = if is_short { 0 } else { self.line_of_rows };
        Sample { bytes, runs, line_of_rows, ..self.empty() }
    }

    /// Divides each run into rows to fit to and others, a share of them that lies elsewhere in each.
    /// Both are all of a sample that is too small for it.
    pub(crate) fn divided(&self, share: f64) -> [Sample; 2] {
        let row_bytes = self.schema.row_bytes();
        let mut parts = [self.empty(), self.empty()];
        for (i, (run, &rows)) in self.split().zip(&self.runs).enumerate() {
            let some = (rows as f64 * share) as usize;
            let before = ((i as f64 * GOLDEN).fract() * (rows - some + 1) as f64) as usize;
            let ends = [(0, before), (before, before + some), (before + some, rows)];
            for (part, (start, end)) in [0, 1, 0].into_iter().zip(ends) {
                if start < end {
                    parts[part].bytes.extend_from_slice(&run[start * row_bytes..end * row_bytes]);
                    parts[part].runs.push(end - start);
                }
            }
        }
        let is_too_small = parts.iter().any(|part| part.runs.is_empty());
        if is_too_small { [self.clone(), self.clone()] } else { parts }
    }

    /// Returns a sample of the same file without any rows.
    fn empty(&self) -> Sample {
        let Self { total, line_of_rows, .. } = *self;
        let (bytes, runs) = (Vec::new(), Vec::new());
        Sample { schema: self.schema.clone(), bytes, runs, total, line_of_rows }
    }

    /// Returns how about `rows` rows of this sample are taken.
    pub(crate) fn thinning(&self, rows: usize) -> Thinning {
        let longest = self.runs.iter().copied().max().unwrap_or(0).max(1);
        let every = (self.rows() / rows.max(1)).max(1);
        // Long runs count as several.
        let run = longest.min(Self::RUN);
        let runs: usize = self.runs.iter().map(|rows| rows.div_ceil(run)).sum();
        if every == 1 {
            return Thinning { every, rows: longest, before: 0 };
        }
        if runs / every >= MANY_PLACES {
            return Thinning { every, rows: run, before: 0 };
        }
        // The first piece of every run, or of every second, third, ….
        let rows = (run / every).max(SHORT_RUN).min(run);
        Thinning { every: (every * rows / run).max(1) * run.div_ceil(rows), rows, before: 0 }
    }

    /// Returns how about `rows` rows are taken, or more, where the line of rows before is looked at: the
    /// first line of each piece is not judged.
    pub(crate) fn thinning_of_lines(&self, rows: usize) -> Thinning {
        let piece = (LINES_OF_PIECE * self.line_of_rows).max(SHORT_RUN);
        let places = (rows / piece).max(FEW_PLACES);
        let every = (self.rows() / piece / places).max(1);
        Thinning { every, rows: piece, before: self.line_of_rows }
    }

    /// Returns the rows of each piece that is looked at.
    pub(crate) fn pieces(&self, some: Thinning) -> impl Iterator<Item = Range<usize>> {
        let starts = self.runs.iter().scan(0, |at, &rows| {
            let from = *at;
            *at += rows;
            Some((from, rows))
        });
        let of_run = move |(from, rows): (usize, usize)| {
            let piece = some.rows.min(rows.max(1));
            let starts = (from..from + rows).step_by(piece);
            starts.map(move |start| start..(start + piece).min(from + rows))
        };
        starts.flat_map(of_run).step_by(some.every)
    }

    /// Returns how many rows are judged of those that are looked at.
    pub(crate) fn judged(&self, some: Thinning) -> usize {
        self.pieces(some).map(|piece| piece.len().saturating_sub(some.before)).sum()
    }

    /// Returns the cells of each run.
    pub(crate) fn split(&self) -> impl Iterator<Item = &[u8]> {
        let row_bytes = self.schema.row_bytes();
        let mut rest = &self.bytes[..];
        self.runs.iter().map(move |n| {
            let (run, tail) = rest.split_at(n * row_bytes);
            rest = tail;
            run
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::DType;

    /// Rows of zeros, as many as are asked for.
    struct Zeros(Schema, usize);

    impl Rows for Zeros {
        fn schema(&self) -> &Schema {
            &self.0
        }

        fn len(&self) -> usize {
            self.1
        }

        fn read(&self, _: usize, out: &mut [u8]) -> Result<()> {
            out.fill(0);
            Ok(())
        }
    }

    #[test]
    fn some_rows_are_from_as_many_places_as_they_can() {
        let zeros = Zeros(Schema::new(DType::U8, &[2]), 1280);
        let sample = Sample::draw(&zeros, 1 << 20).unwrap();
        assert_eq!(sample.thin(320).runs, [32; 10]);
        assert_eq!(sample.thin(640).runs, [64; 10]);
        assert_eq!(sample.thin(128).runs, [32; 5]);
        assert!(sample.thinned(1000).is_none());
    }

    #[test]
    fn the_first_line_of_each_piece_is_not_judged() {
        let zeros = Zeros(Schema::new(DType::U8, &[2]), 1280);
        let sample = Sample::draw_runs(&zeros, 1 << 20, 320).unwrap();
        let sample = Sample { line_of_rows: 40, ..sample };
        let some = sample.thinning_of_lines(720);
        let pieces: Vec<usize> = sample.pieces(some).map(|piece| piece.len()).collect();
        assert_eq!(pieces, [120, 120, 80].repeat(4));
        assert_eq!(sample.judged(some), 800);
        assert_eq!(sample.judged(sample.thinning(2000)), 1280);
    }

    #[test]
    fn long_runs_are_thinned_as_several_short_ones() {
        let zeros = Zeros(Schema::new(DType::U8, &[2]), 128 * 40 * 5);
        let sample = Sample::draw_runs(&zeros, 1 << 20, 1280).unwrap();
        assert_eq!(sample.thin(128 * 40).runs, [128; 40]);
    }

    #[test]
    fn wide_rows_are_few() {
        let rows = |width: usize| {
            let zeros = Zeros(Schema::new(DType::U8, &[width]), 1000);
            Sample::draw(&zeros, 1 << 20).unwrap().runs
        };
        assert_eq!(rows(10).iter().sum::<usize>(), 1000);
        // As many as are needed at least, as long as they fit into memory.
        assert_eq!(rows(100_000), [32; 8]);
        assert_eq!(rows(1 << 22), [8, 8]);
        assert_eq!(rows(1 << 24), [2, 2]);
    }
}
