//! A codec as two functions of real numbers: rows to latents and latents to rows.

use super::made::Made;
use super::values;
use crate::compress::Codec;
use crate::container::model::ModelRecord;
use crate::encode::codec_decoder::CodecDecoder;
use crate::encode::codec_encoder::CodecEncoder;
use crate::encode::masked::MaskedTransformer;
use crate::error::{Error, Result};
use crate::matrix::{DType, FillValues, Matrix, Rows, Schema, check_range, to_little_endian};
use crate::quality::Quality;
use crate::reader::{Reader, Source};

/// The encoder and the decoder of a [`Codec`] as functions of floating-point numbers.
///
/// The unit of a latent depends on how the codec was learned. A linear codec has a linear path
/// from latents to rows, and so have networks trained for small files: there a latent is measured
/// by how far it moves a row along that path, in the data's units, so that distances between
/// embeddings are about distances between rows. The latents of other networks are the outputs of
/// their encoder's last layer; those of a variational one have about a normal distribution with
/// mean 0 and variance 1.
///
/// ```
/// use aezip::apps::Model;
/// use aezip::{Codec, Config, Matrix, Rows};
/// let wave = |i: usize| ((i / 20) as f32 * 0.3).sin() * (i % 20) as f32;
/// let rows = Matrix::from_slice(&(0..10_000).map(wave).collect::<Vec<_>>(), &[20])?;
/// let model = Model::new(&Codec::fit(&rows, &Config::default())?)?;
///
/// let embedded = model.embed(&rows)?;
/// assert_eq!((embedded.len(), embedded.schema().width()), (500, model.latents()));
/// let back = model.decode(&embedded)?.to_vec::<f32>()?;
/// let original = rows.to_vec::<f32>()?;
/// assert!(back.iter().zip(&original).all(|(a, b)| (a - b).abs() < 0.1));
/// # Ok::<(), aezip::Error>(())
/// ```
///
/// Of a masked transformer ([`TrainConfig::transformer`](crate::TrainConfig::transformer)) an embedding is the mean of
/// its encoder's tokens; it has no latents that rows could be decoded from.
#[derive(Debug, Clone)]
pub struct Model {
    pub(super) schema: Schema,
    networks: Networks,
}

/// What a codec has learned.
#[derive(Debug, Clone)]
enum Networks {
    Latent(Box<LatentNetworks>),
    Transformer(Box<MaskedTransformer>),
}

/// Networks with latents between them.
#[derive(Debug, Clone)]
pub(super) struct LatentNetworks {
    pub(super) encoder: Option<CodecEncoder>,
    pub(super) decoder: CodecDecoder,
    /// What one unit of each latent of the integer program counts in an embedding.
    pub(super) unit: Vec<f64>,
    pub(super) record: ModelRecord,
}

/// Says that no value is missing.
pub(super) fn nothing_hidden(_: usize) -> bool {
    false
}

impl Model {
    /// Takes the networks out of `codec`.
    ///
    /// # Errors
    /// `Argument` if the codec has no latents, as one learned from rows that have nothing in
    /// common.
    pub fn new(codec: &Codec) -> Result<Self> {
        let schema = codec.schema().clone();
        if let Some(record) = codec.transformer() {
            let own = Box::new(MaskedTransformer::new(record.clone()));
            return Ok(Self { schema, networks: Networks::Transformer(own) });
        }
        let (record, encoder) = codec.parts()?;
        if record.latents() == 0 {
            return Err(Error::argument(
                "the codec has no latents, so there is nothing to embed or decode: learn one with \
                 a larger error allowed, or with a number of latents",
            ));
        }
        let decoder = CodecDecoder::new(&record, schema.dtype);
        let has_linear_path = encoder.as_ref().is_none_or(|e| e.skip);
        let encoder = match encoder {
            Some(record) => Some(CodecEncoder::new(record)),
            None if record.hidden.is_none() => {
                Some(CodecEncoder::linear(&record, &decoder.origin)?)
            }
            None => None,
        };
        let unit = match &encoder {
            Some(e) if !has_linear_path => {
                e.record.latent.iter().map(|l| 1.0 / f64::from(*l)).collect()
            }
            _ => path_lengths(&record, &decoder.unit),
        };
        let own = Box::new(LatentNetworks { encoder, decoder, unit, record });
        Ok(Self { schema, networks: Networks::Latent(own) })
    }

    /// Type and shape of the rows that the codec was learned from.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The number of latents of a row, 1 or more; of a masked transformer, the numbers of an embedding.
    pub fn latents(&self) -> usize {
        match &self.networks {
            Networks::Latent(own) => own.record.latents(),
            Networks::Transformer(own) => own.dim(),
        }
    }

    /// Whether it is a masked transformer, which restores what is missing and embeds rows, and decodes nothing.
    pub fn is_transformer(&self) -> bool {
        matches!(self.networks, Networks::Transformer(_))
    }

    /// The networks with latents between them.
    ///
    /// # Errors
    /// `Argument` for a masked transformer.
    pub(super) fn latent_networks(&self) -> Result<&LatentNetworks> {
        match &self.networks {
            Networks::Latent(own) => Ok(own),
            Networks::Transformer(_) => Err(Error::argument(
                "the codec is a masked transformer, which fills in what is missing and embeds rows; it has no \
                 latents, which this takes: learn a codec of another kind",
            )),
        }
    }

    /// The masked transformer.
    ///
    /// # Errors
    /// `Argument` for any other codec.
    pub(super) fn transformer(&self) -> Result<&MaskedTransformer> {
        match &self.networks {
            Networks::Transformer(own) => Ok(own),
            Networks::Latent(_) => Err(Error::argument("the codec is no masked transformer")),
        }
    }

    fn latent(&self) -> Option<&LatentNetworks> {
        self.latent_networks().ok()
    }

    /// Whether the codec has no hidden layers.
    pub fn is_linear(&self) -> bool {
        self.latent().is_some_and(|own| own.record.hidden.is_none())
    }

    /// Whether rows can be embedded. A compressed file holds only the decoder of its network; a
    /// codec written by [`Codec::write`] holds the encoder too.
    pub fn has_encoder(&self) -> bool {
        self.latent().is_none_or(|own| own.encoder.is_some())
    }

    /// Whether the encoder was trained with parts of rows hidden from it, so that it can be told
    /// which values are missing.
    pub fn is_masked(&self) -> bool {
        let is_masked =
            |own: &LatentNetworks| own.encoder.as_ref().is_some_and(|e| e.record.masked);
        self.latent().is_none_or(is_masked)
    }

    /// Whether latents were trained to be normally distributed with mean 0 and variance 1.
    pub fn is_variational(&self) -> bool {
        let encoder = self.latent().and_then(|own| own.encoder.as_ref());
        encoder.is_some_and(|e| e.record.variational)
    }

    /// Finds the latents of `rows`: a matrix of `f32`, rows × latents. A missing value (NaN)
    /// counts as the column's centre, or as hidden if the encoder [knows that](Self::is_masked);
    /// the latents of a row without any value are NaN, and of a masked transformer those of a row of
    /// which no patch is known as a whole.
    ///
    /// # Errors
    /// `Argument` if the rows are not as wide as the codec's or there is no encoder; otherwise
    /// whatever reading the rows fails with.
    pub fn embed(&self, rows: &dyn Rows) -> Result<Matrix> {
        Matrix::of(&self.embedding(rows)?)
    }

    /// The same, found when they are read, so that they are never all in memory.
    ///
    /// # Errors
    /// `Argument` if the rows are not as wide as the codec's or there is no encoder.
    pub fn embedding<'a>(&'a self, rows: &'a dyn Rows) -> Result<impl Rows + 'a> {
        self.expect(rows.schema())?;
        let (dtype, latents) = (rows.schema().dtype, self.latents());
        let make = move |bytes: Vec<u8>| {
            let values = values::doubles(dtype, &bytes);
            let mut out = self.embedded(&values, &nothing_hidden)?;
            let empty = values::empty_rows(&values, self.schema.width());
            let own = out.chunks_exact_mut(latents);
            own.zip(empty).filter(|(_, empty)| *empty).for_each(|(own, _)| own.fill(f32::NAN));
            Ok(to_little_endian(&out))
        };
        Ok(Made { rows, schema: Schema::new(DType::F32, &[latents]), make })
    }

    /// Decodes the latents of `rows` without rounding them or the result: a matrix of the rows'
    /// shape, in `f64` if the codec is for `f64` or whole numbers of 32 bits or more, else in
    /// `f32`.
    ///
    /// # Errors
    /// `Argument` if the rows are not as wide as the codec's, there is no encoder or it is a masked transformer; otherwise
    /// whatever reading the rows fails with.
    pub fn reconstruct(&self, rows: &dyn Rows) -> Result<Matrix> {
        Matrix::of(&self.reconstruction(rows, values::float(self.schema.dtype))?)
    }

    /// [`Self::reconstruct`] in a given type, found when rows are read.
    pub(super) fn reconstruction<'a>(
        &'a self,
        rows: &'a dyn Rows,
        dtype: DType,
    ) -> Result<impl Rows + 'a> {
        self.expect(rows.schema())?;
        self.latent_networks()?;
        let given = rows.schema().dtype;
        let fill_values = FillValues::default();
        let schema = Schema { dtype, fill_values, ..rows.schema().clone() };
        let make = move |bytes: Vec<u8>| {
            let values = values::doubles(given, &bytes);
            Ok(values::bytes(dtype, &self.reconstructed(&values, &nothing_hidden)?))
        };
        Ok(Made { rows, schema, make })
    }

    /// Measures the share of the variance of `rows` that their latents do not tell; `None` where there is
    /// no variance, and for a masked transformer.
    ///
    /// # Errors
    /// Those of [`Self::embed`].
    pub fn lost(&self, rows: &dyn Rows) -> Result<Option<f64>> {
        if self.is_transformer() {
            return Ok(None);
        }
        let nmse = Quality::measure(rows, &self.reconstruction(rows, rows.schema().dtype)?)?.nmse;
        Ok(Some(nmse).filter(|nmse| nmse.is_finite()))
    }

    /// Decodes latents, rows × latents in the units of [`Self::embed`], to rows of the type of
    /// [`Self::reconstruct`].
    ///
    /// # Errors
    /// `Argument` for a masked transformer, or if a row of `latents` is not as many numbers as the codec has latents; otherwise
    /// whatever reading them fails with.
    pub fn decode(&self, latents: &dyn Rows) -> Result<Matrix> {
        let networks = self.latent_networks()?;
        let (own, given) = (self.latents(), latents.schema().width());
        if own != given {
            return Err(Error::argument(format!(
                "the codec has {own} latents, these rows have {given} numbers"
            )));
        }
        let dtype = values::float(self.schema.dtype);
        let mut bytes = Vec::new();
        for part in values::parts(latents.len(), self.schema.width().max(own)) {
            let latents = values::read(latents, part)?;
            let latents: Vec<f32> = latents.iter().map(|y| *y as f32).collect();
            bytes.extend(values::bytes(dtype, &networks.values(&latents)));
        }
        Matrix::new(
            Schema { dtype, fill_values: FillValues::default(), ..self.schema.clone() },
            bytes,
        )
    }

    /// The latents that a compressed file holds, read when they are asked for: rows × latents, `f32`, in the units of
    /// [`Self::embed`] and rounded to their quantisation steps. Rows that the file stores exactly
    /// have no latents; zeros stand for them. Of an array that was cut into tiles, those of each tile, in
    /// the shape of the grid: its first axis × the others × latents.
    ///
    /// # Errors
    /// `Argument` if this is not that file's model, as no masked transformer is; otherwise whatever the reader fails with,
    /// `Corrupt` or `Truncated` for a damaged file.
    pub fn stored<'a, S: Source>(&'a self, reader: &'a Reader<S>) -> Result<Box<dyn Rows + 'a>> {
        let networks = self.latent_networks()?;
        if reader.model() != Some(&networks.record) {
            return Err(Error::argument("the file has another model than this one"));
        }
        let stored =
            Stored { networks, reader, schema: Schema::new(DType::F32, &[self.latents()]) };
        let Some(tiling) = reader.tiling() else { return Ok(Box::new(stored)) };
        let latents =
            tiling.in_grid_order(&reader.latents(0..reader.coded_rows())?, self.latents());
        let row_shape = [&tiling.grid()[1..], &[self.latents()]].concat();
        Ok(Box::new(Matrix::from_slice(&stored.in_units(&latents), &row_shape)?))
    }

    /// Fails unless rows of `schema` can be embedded.
    pub(super) fn expect(&self, schema: &Schema) -> Result<()> {
        values::expect_width(self.schema.width(), schema)?;
        match &self.networks {
            Networks::Latent(own) => own.encoder().map(drop),
            Networks::Transformer(_) => Ok(()),
        }
    }

    /// The embedding of rows of values, of which those at the places that `hidden` names are not
    /// known.
    pub(super) fn embedded(
        &self,
        values: &[f64],
        hidden: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<f32>> {
        match &self.networks {
            Networks::Latent(own) => own.embedded(values, hidden),
            Networks::Transformer(own) => Ok(own.embedded(values, hidden)),
        }
    }

    /// The values that the embedding of rows decodes to; `hidden` is as for [`Self::embedded`]. A masked
    /// transformer gives back what is not hidden as it is.
    pub(super) fn reconstructed(
        &self,
        values: &[f64],
        hidden: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<f64>> {
        match &self.networks {
            Networks::Latent(own) => Ok(own.values(&own.embedded(values, hidden)?)),
            Networks::Transformer(own) => Ok(own.restored(values, hidden)),
        }
    }
}

impl LatentNetworks {
    pub(super) fn encoder(&self) -> Result<&CodecEncoder> {
        self.encoder.as_ref().ok_or_else(|| {
            Error::argument(
                "the file has a network's decoder without its encoder, so that no rows can be \
                 embedded: learn a codec, which has both",
            )
        })
    }

    /// What the outputs of the encoder's network are multiplied by to be an embedding.
    pub(super) fn output_unit(&self, encoder: &CodecEncoder) -> Vec<f32> {
        let latent = encoder.record.latent.iter();
        latent.zip(&self.unit).map(|(l, u)| (f64::from(*l) * u) as f32).collect()
    }

    /// What an embedding is multiplied by before the decoder's network.
    pub(super) fn input_unit(&self) -> Vec<f32> {
        self.unit.iter().map(|u| (1.0 / u) as f32).collect()
    }

    /// [`Model::embedded`].
    fn embedded(&self, values: &[f64], hidden: &dyn Fn(usize) -> bool) -> Result<Vec<f32>> {
        let encoder = self.encoder()?;
        let mut out = encoder.latents(&encoder.inputs(values, hidden));
        for row in out.chunks_exact_mut(self.unit.len()) {
            row.iter_mut().zip(&self.unit).for_each(|(y, u)| *y = (f64::from(*y) * u) as f32);
        }
        Ok(out)
    }

    /// The values that an embedding decodes to.
    pub(super) fn values(&self, latents: &[f32]) -> Vec<f64> {
        let mut inputs = latents.to_vec();
        for row in inputs.chunks_exact_mut(self.unit.len()) {
            row.iter_mut().zip(&self.unit).for_each(|(y, u)| *y = (f64::from(*y) / u) as f32);
        }
        self.decoder.values(&inputs)
    }
}

/// The latents that a file of rows holds.
struct Stored<'a, S> {
    networks: &'a LatentNetworks,
    reader: &'a Reader<S>,
    schema: Schema,
}

impl<S> Stored<'_, S> {
    /// The decoder's integers as an embedding.
    fn in_units(&self, latents: &[i32]) -> Vec<f32> {
        let units = self.networks.unit.iter().cycle();
        latents.iter().zip(units).map(|(y, u)| (f64::from(*y) * u) as f32).collect()
    }
}

impl<S: Source> Rows for Stored<'_, S> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn len(&self) -> usize {
        self.reader.coded_rows()
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        check_range(self, first, out.len())?;
        let last = first + out.len() / self.schema.row_bytes();
        out.copy_from_slice(&to_little_endian(&self.in_units(&self.reader.latents(first..last)?)));
        Ok(())
    }
}

/// How far one unit of each latent moves a row along the linear path, in the data's units; 1 for a
/// latent that moves nothing. `units` is what a prediction of 1 counts in each column.
fn path_lengths(m: &ModelRecord, units: &[f64]) -> Vec<f64> {
    let gain = (-f64::from(m.gain)).exp2();
    let length = |row: &[i64]| {
        let squares = row.iter().zip(units).map(|(w, u)| (*w as f64 * u * gain).powi(2));
        let length = squares.sum::<f64>().sqrt();
        if length > 0.0 && length.is_finite() { length } else { 1.0 }
    };
    m.skip.chunks_exact(m.width().max(1)).map(length).collect()
}
