//! A codec, learned from some rows and used on others like them, and its file.

use crate::codec::units::units;
use crate::compress::config::Config;
use crate::compress::filled::with_fill_values;
use crate::compress::job::{Job, Numbers};
use crate::compress::promise;
use crate::compress::report::Report;
use crate::container::compander::CompanderRecord;
use crate::container::encoder::EncoderRecord;
use crate::container::file::FileWriter;
#[cfg(feature = "apps")]
use crate::container::forever::TASK;
use crate::container::forever::{COMPANDER, ENCODER, TRANSFORMER};
use crate::container::model::ModelRecord;
#[cfg(feature = "apps")]
use crate::container::task::TaskRecord;
use crate::container::transformer::TransformerRecord;
use crate::encode::project::Projection;
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::fit::data::components::Basis;
use crate::fit::data::known::rows_by_known;
use crate::fit::data::sample::Sample;
use crate::fit::flat;
use crate::fit::history::History;
use crate::fit::latent_mixture;
use crate::fit::network::choose::LEAST_ROWS;
use crate::fit::network::codec_network::{CodecNetwork, encoder_record};
use crate::fit::network::masked::train_transformer;
use crate::limits::Limits;
use crate::matrix::{FillValues, Rows, Schema};
use crate::reader::{Reader, ReaderOptions, Source};
use std::io::Write;

/// Something learned once and used for many files.
///
/// It holds how rows become latents and latents become rows: directions, and the network if there
/// is one. Each file that it compresses has its own promise, steps and tables, and holds all that
/// is needed to read it; where the promise is about a sum over the file, the network is trained a
/// little further on the file's own rows.
///
/// ```
/// use aezip::{Codec, Config, Matrix, Reader, Rows};
/// let rows = |from: usize| -> aezip::Result<Matrix> {
///     let wave = |i: usize| ((i / 20) as f32 * 0.3).sin() * (i % 20) as f32;
///     Matrix::from_slice(&(from * 20..(from + 500) * 20).map(wave).collect::<Vec<_>>(), &[20])
/// };
/// let codec = Codec::fit(&rows(0)?, &Config::default())?;
/// let mut stored = Vec::new();
/// codec.write(&mut stored)?;
///
/// let codec = Codec::read(&stored)?;
/// let mut file = Vec::new();
/// codec.compress(&rows(500)?, &Config::default(), &mut file)?;
/// assert_eq!(Reader::new(file)?.rows(), 500);
/// # Ok::<(), aezip::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Codec {
    schema: Schema,
    basis: Basis,
    model: Vec<u8>,
    /// The scales that the model's numbers are on, if they are not what they are.
    scales: Option<CompanderRecord>,
    /// The network that finds the model's latents, if it is one that does.
    encoder: Option<EncoderRecord>,
    /// Encoder and decoder in floats.
    network: Option<CodecNetwork>,
    training: Option<History>,
    /// The transformer that restores hidden patches, in place of latents.
    transformer: Option<TransformerRecord>,
    /// The head that predicts something of rows, if one was trained.
    #[cfg(feature = "apps")]
    task: Option<TaskRecord>,
}

impl Codec {
    /// Fewest rows from which a network with a textbook objective is learned.
    pub const LEAST_ROWS: usize = LEAST_ROWS;

    /// Learns from `rows`, as exactly as the promise of `config` needs. A network with a textbook
    /// objective is always learned under a bound on each value: that of `config`, or if the promise
    /// is none the default.
    ///
    /// # Errors
    /// `Argument` if there are no rows, or the configuration makes no sense for them; with a
    /// textbook objective also if there are fewer rows than [`Codec::LEAST_ROWS`] or they do not
    /// differ. `Io` if reading fails.
    pub fn fit(rows: &dyn Rows, config: &Config) -> Result<Self> {
        if rows.is_empty() {
            return Err(Error::argument("a codec cannot be learned from no rows"));
        }
        config.validate()?;
        let config = &for_codec(config);
        let rows = &with_fill_values(rows, config)?;
        if config.train.transformer.is_some() {
            return Self::fit_transformer(rows, config);
        }
        let recorder = config.recorder();
        let learned = config.on_threads(|| -> Result<_> {
            // A codec is the model of a file of a sample of the rows.
            let sample = Sample::draw(rows, config.effort().sample_values)?;
            let more = match config.train.is_kind() && !sample.is_whole() {
                true => Some(Sample::draw(rows, config.trained_values(rows.schema().dtype))?),
                false => None,
            };
            let sample = sample.into_matrix()?;
            let mut job = Job::new(&sample, config, &recorder)?;
            (job.training.is_for_codec, job.training.more_rows) = (true, more.as_ref());
            let encoder = promise::fit(&job)?.into_encoder();
            let learned = more.as_ref().map_or(sample.bytes(), |more| &more.bytes);
            let network =
                encoder.as_ref().and_then(|e| network(&e.projection, sample.schema(), learned));
            Ok((encoder, network))
        })??;
        let (encoder, network) = learned;
        let record = encoder.as_ref().map(|e| e.program.record.clone());
        let scales = encoder.as_ref().and_then(|e| e.program.compander.as_ref());
        let scales = scales.map(|scales| scales.record.clone());
        if config.train.is_kind() && network.is_none() {
            return Err(no_network(rows.len()));
        }
        let codec = Self { scales, ..Self::new(rows.schema().clone(), record, network)? };
        codec.bytes()?;
        Ok(Self { training: recorder.history(), ..codec })
    }

    /// Learns a transformer, in a codec that has no latents.
    fn fit_transformer(rows: &dyn Rows, config: &Config) -> Result<Self> {
        if rows.len() < LEAST_ROWS {
            return Err(no_network(rows.len()));
        }
        let recorder = config.recorder();
        let record = config.on_threads(|| {
            let sample = Sample::draw(rows, config.trained_values(rows.schema().dtype))?;
            let sample = without_gaps(sample)?;
            train_transformer(&sample, &config.train, config.seed, &recorder)
        })??;
        let codec =
            Self { transformer: Some(record), ..Self::new(rows.schema().clone(), None, None)? };
        codec.bytes()?;
        Ok(Self { training: recorder.history(), ..codec })
    }

    fn new(
        schema: Schema,
        record: Option<ModelRecord>,
        encoder: Option<EncoderRecord>,
    ) -> Result<Self> {
        let record = record.unwrap_or_else(|| flat::model(&schema));
        let line = schema.line_width();
        let network = CodecNetwork::new(encoder.as_ref(), &record);
        let (basis, model) = (basis(&record), record.encode(line));
        Ok(Self {
            basis,
            model,
            scales: None,
            schema,
            encoder,
            network,
            training: None,
            transformer: None,
            #[cfg(feature = "apps")]
            task: None,
        })
    }

    /// How training went, if it was with a textbook objective and this codec has just been learned.
    pub fn training(&self) -> Option<&History> {
        self.training.as_ref()
    }

    /// The network in floats, if there is one.
    #[cfg(test)]
    pub(crate) fn learned(&self) -> Option<&CodecNetwork> {
        self.network.as_ref()
    }

    /// Writes the codec as a file without rows, once its bytes have been read back.
    ///
    /// # Errors
    /// `Argument` where no reader would take the codec; `Io` if writing fails.
    pub fn write(&self, mut out: impl Write) -> Result<()> {
        out.write_all(&self.bytes()?)
            .and_then(|()| out.flush())
            .map_err(|e| Error::io("cannot write", e))
    }

    /// The file, which a reader takes as it is.
    fn bytes(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        self.encode(&mut out)?;
        let reader = Reader::new(&out).and_then(|reader| reader.verify().map(drop));
        reader.map_err(|e| {
            Error::argument(format!(
                "this codec cannot be stored, as no reader would take it: {e}; train it again in \
                 another way, for fewer epochs or at a lower rate"
            ))
        })?;
        Ok(out)
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        let mut schema = self.schema.clone();
        schema.name.clear();
        schema.fill_values = FillValues::default();
        schema.origin = None;
        let encoder = self.encoder.as_ref().map(EncoderRecord::encode);
        let model = Some(&self.model[..]);
        let mut sections = Vec::new();
        let scales = self.scales.as_ref().map(CompanderRecord::encode);
        sections.extend(scales.as_deref().map(|payload| (COMPANDER, payload)));
        sections.extend(encoder.as_deref().map(|payload| (ENCODER, payload)));
        let transformer = self.transformer.as_ref().map(TransformerRecord::encode);
        sections.extend(transformer.as_deref().map(|payload| (TRANSFORMER, payload)));
        #[cfg(feature = "apps")]
        let task = self.task.as_ref().map(TaskRecord::encode);
        #[cfg(feature = "apps")]
        sections.extend(task.as_deref().map(|payload| (TASK, payload)));
        FileWriter::begin_with(out, &schema, None, model, &sections)?.finish().map(drop)
    }

    /// Reads what [`Codec::write`] wrote, or takes the model out of any `.aez` file.
    ///
    /// # Errors
    /// `Truncated`, `Corrupt` or `Unsupported` where the bytes are no such file, `Limit` where it
    /// would take more memory than [`Limits::default`] allows.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        Self::read_with(bytes, Limits::default())
    }

    /// The same for bytes that may take as much memory as `limits` say.
    ///
    /// # Errors
    /// Those of [`Codec::read`].
    pub fn read_with(bytes: &[u8], limits: Limits) -> Result<Self> {
        Self::of(&Reader::new_with(bytes, ReaderOptions { limits, ..Default::default() })?)
    }

    /// Takes the model out of a file that is open.
    ///
    /// # Errors
    /// Those of reading it.
    pub fn of<S: Source>(reader: &Reader<S>) -> Result<Self> {
        let (schema, model) = (reader.coded_schema(), reader.model().cloned());
        let mut codec = Self::new(schema, model, reader.encoder()?)?;
        codec.scales = reader.scales().cloned();
        codec.transformer = reader.transformer()?;
        #[cfg(feature = "apps")]
        {
            codec.task = reader.task()?;
        }
        Ok(codec)
    }

    /// The decoder's integers and, where a network finds latents, the encoder.
    #[cfg(feature = "apps")]
    pub(crate) fn parts(&self) -> Result<(ModelRecord, Option<EncoderRecord>)> {
        if self.is_transformer() {
            return Err(Error::argument(
                "the codec is a masked transformer, which has no latents: learn a codec of another kind",
            ));
        }
        if self.scales.is_some() {
            return Err(Error::argument(
                "this codec is of the logarithms of values, as it was learned under a pointwise relative \
                 error: learn one under another promise for this",
            ));
        }
        let limits = Limits { model_bytes: u64::MAX, ..Limits::default() };
        let record = ModelRecord::decode(&self.model, 0, &self.schema, &limits)?;
        Ok((record, self.encoder.clone()))
    }

    /// The model as files have it.
    #[cfg(feature = "apps")]
    pub(crate) fn model(&self) -> &[u8] {
        &self.model
    }

    /// The same codec with a head that predicts something of rows.
    #[cfg(feature = "apps")]
    pub(crate) fn with_task(&self, task: TaskRecord) -> Self {
        Self { task: Some(task), ..self.clone() }
    }

    #[cfg(feature = "apps")]
    pub(crate) fn task(&self) -> Option<&TaskRecord> {
        self.task.as_ref()
    }

    /// The type and shape of the rows that it was learned from.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The number of latents of a row.
    pub fn latents(&self) -> usize {
        self.basis.vectors.len() / self.schema.width().max(1)
    }

    /// The transformer, if it was learned in place of latents.
    #[cfg(feature = "apps")]
    pub(crate) fn transformer(&self) -> Option<&TransformerRecord> {
        self.transformer.as_ref()
    }

    /// Whether it is a masked transformer, which has no latents and compresses no rows.
    pub fn is_transformer(&self) -> bool {
        self.transformer.is_some()
    }

    /// Whether a network was learned; otherwise the codec is linear.
    pub fn has_network(&self) -> bool {
        self.network.is_some() || self.is_transformer()
    }

    /// Compresses `rows` with this codec's directions and network, and any promise.
    ///
    /// # Errors
    /// `Argument` if the rows' width differs from the codec's, or the promise makes no sense for
    /// these rows or cannot be kept; `Io` if reading or writing fails.
    pub fn compress(
        &self,
        rows: &dyn Rows,
        config: &Config,
        mut out: impl Write + Send,
    ) -> Result<Report> {
        if self.is_transformer() {
            return Err(Error::argument(
                "the codec is a masked transformer, which does not decode rows: compress with a codec of another \
                 kind, and use this one to restore what is missing or to embed rows",
            ));
        }
        let (own, given) = (self.schema.width(), rows.schema().width());
        if own != given {
            return Err(Error::argument(format!(
                "the codec is for rows of {own} numbers, these have {given}"
            )));
        }
        let recorder = config.recorder();
        let rows = &with_fill_values(rows, config)?;
        let mut job = Job::new(rows, config, &recorder)?;
        let network = self.network.as_ref();
        // Where a network has no linear path, there are no directions but the rows' own.
        let has_directions = !network.is_some_and(CodecNetwork::has_no_linear_path);
        job.basis = has_directions.then_some(&self.basis);
        job.numbers = self.scales.as_ref().map_or(Numbers::Plain, Numbers::Known);
        if self.scales.is_some() && !matches!(config.fidelity, Fidelity::MaxErrorPointwiseRel(_)) {
            return Err(Error::argument(format!(
                "the codec was learned under a pointwise relative error, for the logarithms of values, and \
                 {} is about values: learn one under that",
                config.fidelity
            )));
        }
        (job.training.budget, job.training.codec_network) = (None, network);
        promise::compress(&job, &mut out)
    }
}

/// The encoder's network, if there is one; a variational one with where the latents of the rows lie that it was
/// trained on.
fn network(projection: &Projection, schema: &Schema, rows: &[u8]) -> Option<EncoderRecord> {
    let record = encoder_record(projection)?;
    if !record.variational {
        return Some(record);
    }
    let rows = rows.chunks_exact(schema.row_bytes());
    let every = rows.len().div_ceil(latent_mixture::MOST_ROWS).max(1);
    let some: Vec<u8> = rows.step_by(every).flatten().copied().collect();
    let rows = rows_by_known(schema, &some, |known| known > 0);
    let units = projection.normalise(schema.dtype, &schema.fill_values, &rows);
    let latents = projection.project(&units);
    let outputs: Vec<f32> =
        latents.iter().zip(record.latent.iter().cycle()).map(|(y, unit)| y / unit).collect();
    let mixture = latent_mixture::fit(&outputs, record.latent.len());
    Some(EncoderRecord { mixture, ..record })
}

/// The rows of a sample in which nothing is missing: of others, patches would be taken to be what stands for gaps.
fn without_gaps(sample: Sample) -> Result<Sample> {
    let width = sample.schema.width();
    let bytes = rows_by_known(&sample.schema, &sample.bytes, |known| known == width);
    let rows = bytes.len() / sample.schema.row_bytes();
    if rows < LEAST_ROWS {
        return Err(Error::argument(format!(
            "a transformer learns from rows without missing or infinite values, which {rows} of {} are, and takes \
             {LEAST_ROWS} or more: fill in what is missing first",
            sample.rows()
        )));
    }
    Ok(Sample { bytes, runs: vec![rows], ..sample })
}

/// Says why no network could be learned.
fn no_network(rows: usize) -> Error {
    let why = if rows < LEAST_ROWS {
        format!("it takes {LEAST_ROWS} or more")
    } else {
        "their values do not differ by more than the error that is allowed, or a few are so large \
         that the others do not count"
            .to_string()
    };
    Error::argument(format!("no network could be learned from these {rows} rows: {why}"))
}

/// The configuration that a codec is learned with.
fn for_codec(config: &Config) -> Config {
    let mut config = config.clone();
    let is_bounded = match &config.fidelity {
        Fidelity::MaxError(bound)
        | Fidelity::MaxErrorRel(bound)
        | Fidelity::MaxErrorPointwiseRel(bound) => bound.floor() > 0.0,
        _ => false,
    };
    if config.train.is_kind() && !is_bounded {
        // Other promises may do without a network.
        config.fidelity = Config::default().fidelity;
    }
    config
}

/// The skip path's directions in the data's units.
fn basis(record: &ModelRecord) -> Basis {
    let width = record.width();
    let units = units(record);
    let scale = 2_f64.powi(-(record.gain as i32));
    let weights = record.skip.iter().enumerate();
    Basis { vectors: weights.map(|(at, &w)| w as f64 * scale * units[at % width]).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_codec_keeps_its_encoder() {
        let stored = include_bytes!("../../format-spec/vectors/valid/codec-encoder.aez");
        let codec = Codec::read(stored).unwrap();
        assert_eq!(codec.encoder.as_ref().unwrap().layers, [(3, 1), (2, 0)]);
        let mut written = Vec::new();
        codec.write(&mut written).unwrap();
        assert!(written == stored);
    }

    #[test]
    fn a_codec_takes_no_more_memory_than_allowed() {
        let stored = include_bytes!("../../format-spec/vectors/valid/codec-encoder.aez");
        let few = Limits { model_bytes: 8, ..Limits::default() };
        assert_eq!(Codec::read_with(stored, few).unwrap_err().kind(), ErrorKind::Limit);
        assert!(Codec::read_with(stored, Limits::default()).is_ok());
    }
}
