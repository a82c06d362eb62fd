//! A codec as two functions of real numbers: rows to latents and latents to rows.

use super::cells;
use super::decoder::Decoder;
use super::encoder::Encoder;
use crate::compress::Codec;
use crate::container::model::ModelRecord;
use crate::error::{Error, Result};
use crate::matrix::{Matrix, Rows, Schema};
use crate::reader::{Reader, Source};

/// The encoder and the decoder of a [`Codec`], in floats.
///
/// Latents are given so that they are of use elsewhere. Where the codec has a linear path — the
/// linear codec, and networks trained for small files — a latent counts in the data's units: by
/// how far it moves a row along that path, so that distances of embeddings are about those of
/// rows. Other networks' latents are as their last layer gives them; those of a variational one
/// are about normally distributed with variance 1.
///
/// ```
/// use aezip::{Codec, Config, Matrix, Model, Rows};
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
#[derive(Debug, Clone)]
pub struct Model {
    pub(super) schema: Schema,
    pub(super) encoder: Option<Encoder>,
    pub(super) decoder: Decoder,
    /// What one unit of each latent, in the integer program, counts in an embedding.
    pub(super) unit: Vec<f64>,
    pub(super) record: ModelRecord,
}

impl Model {
    /// The networks of `codec`.
    ///
    /// # Errors
    /// `Argument` if it has no latents: rows like those that it was learned from have nothing in
    /// common.
    pub fn new(codec: &Codec) -> Result<Self> {
        let (record, encoder) = codec.parts()?;
        let schema = codec.schema().clone();
        if record.latents() == 0 {
            return Err(Error::argument(
                "the codec has no latents, so there is nothing to embed or decode: learn one with \
                 a larger error allowed, or with a number of latents",
            ));
        }
        let decoder = Decoder::new(&record, schema.dtype);
        let straight = encoder.as_ref().is_none_or(|e| e.skip);
        let encoder = match encoder {
            Some(record) => Some(Encoder::new(record)),
            None if record.hidden.is_none() => Some(Encoder::linear(&record, &decoder.origin)?),
            None => None,
        };
        let unit = match &encoder {
            Some(e) if !straight => e.record.latent.iter().map(|l| 1.0 / f64::from(*l)).collect(),
            _ => lengths(&record, &decoder.unit),
        };
        Ok(Self { schema, encoder, decoder, unit, record })
    }

    /// What the rows are.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Latents of a row.
    pub fn latents(&self) -> usize {
        self.record.latents()
    }

    /// Whether the codec has no hidden layers.
    pub fn is_linear(&self) -> bool {
        self.record.hidden.is_none()
    }

    /// Whether rows can be embedded. A compressed file has the decoder of its network only; it
    /// takes a codec, as [`Codec::write`] writes it, to have both.
    pub fn has_encoder(&self) -> bool {
        self.encoder.is_some()
    }

    /// Whether parts of rows can be hidden from the encoder, because it was trained so.
    pub fn is_masked(&self) -> bool {
        self.encoder.as_ref().is_some_and(|e| e.record.masked)
    }

    /// Whether latents were trained to be normally distributed.
    pub fn is_variational(&self) -> bool {
        self.encoder.as_ref().is_some_and(|e| e.record.variational)
    }

    /// Latents of `rows`: a matrix of `f32`, rows × latents. Missing values (NaN) count as the
    /// column's centre, or as hidden if the encoder [knows that](Self::is_masked).
    ///
    /// # Errors
    /// `Argument` if the rows are not as wide as the codec's or there is no encoder; `Io` and
    /// others as the rows give them.
    pub fn embed(&self, rows: &dyn Rows) -> Result<Matrix> {
        self.expect(rows.schema())?;
        let mut out = Vec::with_capacity(rows.len() * self.latents());
        for part in cells::parts(rows.len(), self.schema.width()) {
            out.extend(self.embedded(&cells::read(rows, part)?, &|_| false)?);
        }
        Matrix::from_slice(&out, &[self.latents()])
    }

    /// The rows that the decoder makes of the latents of `rows`, not rounded: `f32`, or `f64` for
    /// types that are finer.
    ///
    /// # Errors
    /// As [`Self::embed`].
    pub fn reconstruct(&self, rows: &dyn Rows) -> Result<Matrix> {
        self.expect(rows.schema())?;
        let dtype = cells::float(self.schema.dtype);
        let mut bytes = Vec::with_capacity(rows.len() * self.schema.width() * dtype.size());
        for part in cells::parts(rows.len(), self.schema.width()) {
            let values = self.reconstructed(&cells::read(rows, part)?, &|_| false)?;
            bytes.extend(cells::bytes(dtype, &values));
        }
        Matrix::new(Schema { dtype, ..rows.schema().clone() }, bytes)
    }

    /// The rows of latents as [`Self::embed`] gives them, in the type of [`Self::reconstruct`].
    ///
    /// # Errors
    /// `Argument` if the rows of `latents` are not as many numbers as the codec has latents.
    pub fn decode(&self, latents: &dyn Rows) -> Result<Matrix> {
        let (own, given) = (self.latents(), latents.schema().width());
        if own != given {
            return Err(Error::argument(format!(
                "the codec has {own} latents, these rows have {given} numbers"
            )));
        }
        let dtype = cells::float(self.schema.dtype);
        let mut bytes = Vec::new();
        for part in cells::parts(latents.len(), self.schema.width().max(own)) {
            let latents: Vec<f32> = cells::read(latents, part)?.iter().map(|y| *y as f32).collect();
            bytes.extend(cells::bytes(dtype, &self.values(&latents)));
        }
        Matrix::new(Schema { dtype, ..self.schema.clone() }, bytes)
    }

    /// The latents that a compressed file holds, in the units of [`Self::embed`]: rounded as they
    /// are stored. Rows that are stored exactly have none; zeros stand for them.
    ///
    /// # Errors
    /// `Argument` if this is not that file's model; else as the reader gives them.
    pub fn stored<S: Source>(&self, reader: &Reader<S>) -> Result<Matrix> {
        if reader.model() != Some(&self.record) {
            return Err(Error::argument("the file has another model than this one"));
        }
        let latents = reader.latents(0..reader.rows())?;
        let units = self.unit.iter().cycle();
        let out: Vec<f32> =
            latents.iter().zip(units).map(|(y, u)| (f64::from(*y) * u) as f32).collect();
        Matrix::from_slice(&out, &[self.latents()])
    }

    /// Fails unless rows of `schema` can be embedded.
    pub(super) fn expect(&self, schema: &Schema) -> Result<()> {
        let (own, given) = (self.schema.width(), schema.width());
        if own != given {
            return Err(Error::argument(format!(
                "the codec is for rows of {own} numbers, these have {given}"
            )));
        }
        self.encoder().map(drop)
    }

    pub(super) fn encoder(&self) -> Result<&Encoder> {
        self.encoder.as_ref().ok_or_else(|| {
            Error::argument(
                "the file has a network's decoder without its encoder, so that no rows can be \
                 embedded: learn a codec, which has both",
            )
        })
    }

    /// Latents of values, as an embedding has them; `hidden` says of the place of each.
    pub(super) fn embedded(
        &self,
        values: &[f64],
        hidden: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<f32>> {
        let encoder = self.encoder()?;
        let mut out = encoder.latents(&encoder.inputs(values, hidden));
        for row in out.chunks_exact_mut(self.unit.len()) {
            row.iter_mut().zip(&self.unit).for_each(|(y, u)| *y = (f64::from(*y) * u) as f32);
        }
        Ok(out)
    }

    /// Values of latents as an embedding has them.
    pub(super) fn values(&self, latents: &[f32]) -> Vec<f64> {
        let mut inputs = latents.to_vec();
        for row in inputs.chunks_exact_mut(self.unit.len()) {
            row.iter_mut().zip(&self.unit).for_each(|(y, u)| *y = (f64::from(*y) / u) as f32);
        }
        self.decoder.values(&inputs)
    }

    pub(super) fn reconstructed(
        &self,
        values: &[f64],
        hidden: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<f64>> {
        Ok(self.values(&self.embedded(values, hidden)?))
    }
}

/// How far one unit of each latent moves a row along the linear path, in the data's units.
fn lengths(m: &ModelRecord, units: &[f64]) -> Vec<f64> {
    let gain = (-f64::from(m.gain)).exp2();
    let length = |row: &[i64]| {
        let squares = row.iter().zip(units).map(|(w, u)| (*w as f64 * u * gain).powi(2));
        let length = squares.sum::<f64>().sqrt();
        // A latent that moves nothing.
        if length > 0.0 && length.is_finite() { length } else { 1.0 }
    };
    m.skip.chunks_exact(m.width().max(1)).map(length).collect()
}
