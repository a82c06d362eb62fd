//! One compression: what it is given, and what promises of all sorts are kept with.

use crate::compress::config::Config;
use crate::compress::exact::{self, Exactly};
use crate::compress::levels::Level;
use crate::compress::progress::{Recorder, Stage};
use crate::compress::report::Report;
use crate::compress::stream::{Finished, Stream};
use crate::container::compander::CompanderRecord;
use crate::container::file::FileWriter;
use crate::container::forever::{MAX_DIMENSIONS, MAX_WIDTH};
use crate::encode::beside::Beside;
use crate::encode::blocks::Totals;
use crate::encode::encoder::BlockEncoder;
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::fit::candidate::Candidate;
use crate::fit::data::components::Basis;
use crate::fit::network::context::TrainingContext;
use crate::matrix::{Rows, Schema};
use crate::quality::Tally;
use crate::reader::Reader;
use std::io::{self, Write};

impl Held {
    /// The file; `again` is what makes it once more where not all of its bytes are here.
    fn into_file(self, again: Contents, written: Written) -> WholeFile {
        let Self { bytes, len, most } = self;
        let contents = if len <= most { Contents::Bytes(bytes) } else { again };
        WholeFile { len, contents, written }
    }
}

/// What fitting came to.
pub(super) enum Fitted {
    /// There are no rows.
    Nothing,
    /// No model makes the rows smaller than keeping them exactly does: columns by themselves, or
    /// row by row.
    Exact(Option<Beside>),
    /// A codec, with which the rows are yet to be encoded, and the columns kept beside its stream.
    Codec(Box<Candidate>, Option<Beside>),
    /// The whole file: whether a promise about a sum is kept is known once all rows are encoded.
    File(Box<WholeFile>),
}

/// What was written.
pub(super) struct Written {
    pub(super) report: Report,
    /// What encoded the rows; none where all are stored exactly.
    pub(super) encoder: Option<BlockEncoder>,
}

/// A file that may be the one to write.
pub(super) struct WholeFile {
    pub(super) len: u64,
    contents: Contents,
    pub(super) written: Written,
}

/// What a file is made of.
enum Contents {
    Bytes(Vec<u8>),
    /// What it is encoded with once more, as its bytes would take too much memory.
    Again(Box<Candidate>, Option<Beside>),
    Exact(Option<Beside>),
}

/// Bytes in memory, which are counted only where they are too many.
struct Held {
    bytes: Vec<u8>,
    len: u64,
    most: u64,
}

impl Write for Held {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.len += part.len() as u64;
        match self.len <= self.most {
            true => self.bytes.extend_from_slice(part),
            false => self.bytes = Vec::new(),
        }
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Fitted {
    /// What encodes rows; none where they have no model.
    pub(super) fn into_encoder(self) -> Option<BlockEncoder> {
        match self {
            Fitted::Nothing | Fitted::Exact(_) => None,
            Fitted::Codec(candidate, _) => Some(candidate.encoder),
            Fitted::File(file) => file.written.encoder,
        }
    }
}

/// What numbers are to a codec that rows are encoded with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Numbers<'a> {
    /// There is none.
    Own,
    /// What they are.
    Plain,
    /// Places on these scales.
    Known(&'a CompanderRecord),
}

/// One compression.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(super) rows: &'a dyn Rows,
    pub(super) config: &'a Config,
    pub(super) level: Level,
    /// Directions that latents are found in; the rows' own without.
    pub(super) basis: Option<&'a Basis>,
    pub(super) numbers: Numbers<'a>,
    pub(crate) training: TrainingContext<'a>,
    pub(super) recorder: &'a Recorder,
}

impl<'a> Job<'a> {
    /// A compression with nothing but rows.
    ///
    /// # Errors
    /// `Argument` where the configuration makes no sense, or no reader would take such rows.
    pub(crate) fn new(
        rows: &'a dyn Rows,
        config: &'a Config,
        recorder: &'a Recorder,
    ) -> Result<Self> {
        config.validate()?;
        if config.train.transformer.is_some() {
            return Err(Error::argument(
                "a transformer does not decode rows, so that no file can be made with it: learn a codec with \
                 it, which restores what is missing and embeds rows",
            ));
        }
        check_schema(rows.schema())?;
        prove_head(rows.schema(), &config.fidelity)?;
        let level = config.effort();
        let training = TrainingContext {
            budget: level.networks,
            request: &config.train,
            codec_network: None,
            seed: config.seed,
            more_rows: None,
            is_for_codec: false,
            weight_precision_factor: None,
            observer: recorder,
        };
        Ok(Self { rows, config, level, basis: None, numbers: Numbers::Own, training, recorder })
    }

    /// Writes the file that fitting came to.
    pub(super) fn write(&self, fitted: Fitted, out: &mut dyn Write) -> Result<Written> {
        match fitted {
            Fitted::Nothing => self.write_exact(out, |_| Ok(Totals::default())),
            Fitted::Exact(columns) => self.write_exact(out, |file| {
                let exactly = Exactly { level: self.level.zstd, columns: columns.as_ref() };
                exact::write(self.rows, &exactly, file, &|done| self.encoded(done))
            }),
            Fitted::Codec(candidate, beside) => {
                let Finished { report, codec, .. } = self.encode(*candidate, beside, out)?;
                Ok(Written { report, encoder: Some(codec.encoder) })
            }
            Fitted::File(file) => match file.contents {
                Contents::Bytes(bytes) => {
                    out.write_all(&bytes).map_err(|e| Error::io("cannot write", e))?;
                    Ok(file.written)
                }
                Contents::Again(candidate, beside) => {
                    self.write(Fitted::Codec(candidate, beside), out)
                }
                Contents::Exact(beside) => self.write(Fitted::Exact(beside), out),
            },
        }
    }

    /// Makes the file that fitting came to, without writing it yet.
    pub(super) fn whole(&self, fitted: Fitted) -> Result<WholeFile> {
        let again = match &fitted {
            Fitted::Nothing => Contents::Exact(None),
            Fitted::Exact(beside) => Contents::Exact(beside.clone()),
            Fitted::Codec(candidate, beside) => Contents::Again(candidate.clone(), beside.clone()),
            Fitted::File(_) => Contents::Bytes(Vec::new()),
        };
        if let Fitted::File(file) = fitted {
            return Ok(*file);
        }
        let mut held = self.held();
        let written = self.write(fitted, &mut held)?;
        Ok(held.into_file(again, written))
    }

    /// Encodes all rows with a codec, without writing the file yet; returns their errors beside it.
    pub(super) fn encoded_file(&self, fitted: Candidate) -> Result<(WholeFile, Tally)> {
        let again = Contents::Again(Box::new(fitted.clone()), None);
        let Finished { out, report, codec, totals } = self.encode(fitted, None, self.held())?;
        let written = Written { report, encoder: Some(codec.encoder) };
        Ok((out.into_file(again, written), totals.tally))
    }

    fn held(&self) -> Held {
        Held { bytes: Vec::new(), len: 0, most: self.config.held_file() }
    }

    /// Writes a file without a model, whose blocks `blocks` writes.
    fn write_exact<W: Write>(
        &self,
        out: W,
        blocks: impl FnOnce(&mut FileWriter<W>) -> Result<Totals>,
    ) -> Result<Written> {
        let (schema, promise) = (self.rows.schema(), &self.config.fidelity);
        let mut file = FileWriter::begin(out, schema, Some(promise), None, None)?;
        let totals = blocks(&mut file)?;
        let report = Report::new(schema, promise, file.finish()?, &totals, None);
        Ok(Written { report, encoder: None })
    }

    /// Encodes all rows with a fitted codec, but for columns kept beside its stream.
    pub(super) fn encode<W: Write>(
        &self,
        fitted: Candidate,
        beside: Option<Beside>,
        out: W,
    ) -> Result<Finished<W>> {
        let schema = self.rows.schema();
        let mut stream = Stream::begin(out, schema, self.config, fitted, self.rows.len())?;
        if let Some(beside) = beside {
            stream.keep_beside(beside, schema.row_bytes());
        }
        stream.encode(self.rows, &|done| self.encoded(done))?;
        stream.finish(schema, self.config)
    }

    fn encoded(&self, done: u64) {
        self.recorder.stage(Stage::Encode, done, self.rows.len() as u64);
    }
}

/// Refuses rows that no reader would take.
pub(super) fn check_schema(schema: &Schema) -> Result<()> {
    let width = schema.row_shape.iter().try_fold(1_usize, |w, &n| w.checked_mul(n));
    let dimensions = schema.row_shape.len();
    if dimensions > MAX_DIMENSIONS || !width.is_some_and(|w| (1..=MAX_WIDTH).contains(&w)) {
        return Err(Error::argument(format!(
            "rows of shape {:?} cannot be compressed: they may have 1 to {MAX_WIDTH} numbers in up \
             to {MAX_DIMENSIONS} dimensions",
            schema.row_shape
        )));
    }
    Ok(())
}

/// Refuses what a file could not say of rows: readers must take what stands before the blocks.
fn prove_head(schema: &Schema, promise: &Fidelity) -> Result<()> {
    let mut head = Vec::new();
    // A file of tiles has all of them; this one has none.
    let schema = &Schema { tiling: None, ..schema.clone() };
    FileWriter::begin(&mut head, schema, Some(promise), None, None)?.finish()?;
    Reader::new(&head).map(drop).map_err(|e| {
        Error::argument(format!(
            "no reader would take a file with these column names and this promise: {e}; shorten \
             the names, or bound columns by fewer of them"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_file_that_is_not_held_in_memory_is_the_same() {
        use crate::compress::promise;
        let wave = |at: i32| (0.1 * f64::from(at / 8)).sin() * f64::from(at % 8);
        let values: Vec<f64> = (0..16_000).map(wave).collect();
        let rows = crate::matrix::Matrix::from_slice(&values, &[8]).unwrap();
        for promise in ["nmse 0.01", "ratio 20"] {
            let (kind, figure) = promise.split_once(' ').unwrap();
            let fidelity = Fidelity::parse(kind, figure).unwrap();
            let config = Config { level: 1, fidelity, ..Config::default() };
            let recorder = config.recorder();
            let held = Job::new(&rows, &config, &recorder).unwrap();
            let little = Config { memory: 800, ..config.clone() };
            let again = Job { config: &little, ..held };
            let (mut a, mut b) = (Vec::new(), Vec::new());
            promise::compress(&held, &mut a).unwrap();
            promise::compress(&again, &mut b).unwrap();
            assert!(a.len() > 100 && a == b, "{promise}: {} {}", a.len(), b.len());
        }
    }

    /// Rows that count how many of them were read.
    struct Counted(crate::matrix::Matrix, std::sync::atomic::AtomicUsize);

    impl Rows for Counted {
        fn schema(&self) -> &Schema {
            self.0.schema()
        }

        fn len(&self) -> usize {
            self.0.len()
        }

        fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
            let rows = out.len() / self.schema().row_bytes();
            self.1.fetch_add(rows, std::sync::atomic::Ordering::Relaxed);
            self.0.read(first, out)
        }
    }

    #[test]
    fn level_1_encodes_all_rows_twice_at_most_for_a_sum() {
        const ROWS: usize = 300_000;
        let mut rng = crate::matrix::rng::Rng::new(4);
        // Rows grow along the file, so that a sample is not quite like it.
        let row = |i: usize| {
            let strength = [0; 4].map(|_| rng.normal() * (1.0 + i as f32 / ROWS as f32));
            let wave = move |j: usize| {
                let each = strength.iter().enumerate();
                each.map(|(k, s)| s * (0.3 * (k + 1) as f32 * j as f32).sin()).sum::<f32>()
            };
            (0..60).map(wave)
        };
        let values: Vec<f32> = (0..ROWS).flat_map(row).collect();
        let matrix = crate::matrix::Matrix::from_slice(&values, &[60]).unwrap();
        let rows = Counted(matrix, Default::default());
        for nmse in ["0.03", "0.003"] {
            rows.1.store(0, std::sync::atomic::Ordering::Relaxed);
            let fidelity = Fidelity::parse("nmse", nmse).unwrap();
            let config = Config { level: 1, fidelity, ..Config::default() };
            let report = crate::compress::compress(&rows, &config, std::io::sink()).unwrap();
            let read = rows.1.load(std::sync::atomic::Ordering::Relaxed);
            // Samples are less than a tenth of the rows.
            assert!(read <= ROWS * 22 / 10, "nmse {nmse}: {read} rows were read");
            let used = report.measured.nmse / nmse.parse::<f64>().unwrap();
            assert!(used <= 1.0 && used > 0.97, "nmse {nmse}: {used}");
        }
    }

    #[test]
    fn a_promise_too_long_for_any_reader_is_refused() {
        let bounds = |count: usize| {
            (0..count).map(|j| (format!("column {j}"), "0.5".parse().unwrap())).collect()
        };
        let schema = Schema::new(crate::matrix::DType::F32, &[100_000]);
        let prove = |count| prove_head(&schema, &Fidelity::MaxErrorColumns(bounds(count)));
        assert!(prove(1000).is_ok());
        assert_eq!(prove(100_000).unwrap_err().kind(), ErrorKind::Argument);
    }
}
