//! Files that all have the model of one codec, as it is.

use super::values;
use crate::codec::program::Program;
use crate::compress::filled::with_fill_values;
use crate::compress::{Codec, Config};
use crate::container::file::FileWriter;
use crate::encode::access::Access;
use crate::encode::blocks::{BlockRows, Encoding, encode_rows};
use crate::encode::encoder::BlockEncoder;
use crate::encode::known_model::{ErrorWeight, KnownModel};
use crate::error::{Error, Result};
use crate::matrix::Rows;
use crate::quality::bounds;
use std::io::Write;

/// Rows of a file at most from which reaches of columns and bytes of a row are estimated.
const TRIED_ROWS: usize = 256;
/// zstd level for blocks that the model does not make smaller.
const EXACT_LEVEL: i32 = 3;

/// A codec whose model goes into every file as it is, so that many small files can share one: what
/// [`Codec::compress`] fits anew to each file, the steps and the tables of the entropy coder, stays.
///
/// Bounds on each value are kept whatever the rows are. Files are small where rows are like those that
/// the codec was learned from and the bound is the one that it was learned with.
///
/// ```
/// use aezip::{Codec, Config, Fidelity, Matrix, Reader, apps};
/// let rows = |from: usize| {
///     let wave = |i: usize| ((i / 20) as f32 * 0.3).sin() * (i % 20) as f32;
///     Matrix::from_slice(&(from * 20..(from + 500) * 20).map(wave).collect::<Vec<_>>(), &[20])
/// };
/// let mut config = Config::default();
/// config.fidelity = Fidelity::MaxError("0.01".parse()?);
/// let codec = Codec::fit(&rows(0)?, &config)?;
/// let model = apps::SharedModel::new(&codec)?;
/// let (mut a, mut b) = (Vec::new(), Vec::new());
/// model.compress(&rows(500)?, &config, &mut a)?;
/// model.compress(&rows(1000)?, &config, &mut b)?;
/// assert_eq!(Reader::new(a)?.rows(), Reader::new(b)?.rows());
/// # Ok::<(), aezip::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SharedModel {
    /// The model's section, as each file has it.
    payload: Vec<u8>,
    model: KnownModel,
}

impl SharedModel {
    /// Takes the model out of a codec.
    ///
    /// # Errors
    /// `Argument` where latents cannot be found, as of a network that came out of a compressed file.
    pub fn new(codec: &Codec) -> Result<Self> {
        let (record, encoder) = codec.parts()?;
        if record.latents() > 0 && record.hidden.is_some() && encoder.is_none() {
            return Err(Error::argument(
                "a compressed file holds only the decoder of its network: use the codec that it was \
                 compressed with",
            ));
        }
        let program = Program::new(record, codec.schema().dtype)?;
        Ok(Self { payload: codec.model().to_vec(), model: KnownModel::new(program, encoder, &[])? })
    }

    /// Compresses `rows` into a file with this model; of `config` the promise, the fill values and the
    /// threads count. Values that stand for missing numbers are looked for as in [`compress`](crate::compress),
    /// unless `config` says otherwise. Gives back how long the file is.
    ///
    /// # Errors
    /// `Argument` if the rows' width or type differs from the codec's, or the promise is not one about
    /// single values; `Io` if reading or writing fails.
    pub fn compress(
        &self,
        rows: &dyn Rows,
        config: &Config,
        mut out: impl Write + Send,
    ) -> Result<u64> {
        let schema = rows.schema();
        let program = self.model.program();
        values::expect_width(program.record.width(), schema)?;
        if schema.dtype != program.dtype {
            let (own, given) = (program.dtype, schema.dtype);
            return Err(Error::argument(format!("the codec is for {own}, these rows are {given}")));
        }
        let rows = with_fill_values(rows, config)?;
        config.on_threads(|| self.write(&rows, config, &mut out))?
    }

    fn write(&self, rows: &dyn Rows, config: &Config, out: &mut dyn Write) -> Result<u64> {
        let promise = &config.fidelity;
        let bounds = bounds(rows, promise)?.ok_or_else(|| {
            Error::argument(format!(
                "{promise} is kept by a model fitted to the file; with one that files share, ask for \
                 a bound on each value: max-error, max-error-rel or lossless"
            ))
        })?;
        let encoder = self.encoder(rows, bounds)?;
        let file = FileWriter::begin(out, rows.schema(), Some(promise), Some(&self.payload), None)?;
        let mut file = file.with_row_work(self.model.program().row_work());
        if !rows.is_empty() {
            let encoding = Encoding { encoder: &encoder, beside: None, memory: config.memory };
            encode_rows(encoding, rows, &mut file, &|_| {})?;
        }
        file.finish()
    }

    /// What encodes rows like the first of `rows`.
    fn encoder(&self, rows: &dyn Rows, bounds: Vec<f64>) -> Result<BlockEncoder> {
        let schema = rows.schema();
        let program = self.model.program().clone();
        let mut encoder = BlockEncoder {
            exact_level: Some(EXACT_LEVEL),
            ..BlockEncoder::without_latents(program, bounds, schema.fill_values.clone())
        };
        let tried = rows.len().min(TRIED_ROWS);
        if tried == 0 {
            return Ok(encoder);
        }
        let mut bytes = vec![0; tried * schema.row_bytes()];
        rows.read(0, &mut bytes)?;
        self.model.find_latents(&mut encoder, &bytes, ErrorWeight::Residuals);
        let mut real = Vec::new();
        if encoder.projection.latents > 0 {
            let normalised = encoder.projection.normalise(schema.dtype, &encoder.fills, &bytes);
            real = encoder.latents(&normalised);
        }
        let symbols = encoder.symbols(&bytes, &real, false);
        let row = encoder.block(0, &bytes, &symbols).len() as f64 / tried as f64;
        BlockRows::new(&encoder.program, row, schema.row_bytes(), Access::Auto).apply(&mut encoder);
        Ok(encoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fidelity::Fidelity;
    use crate::matrix::Matrix;
    use crate::quality::Quality;
    use crate::reader::Reader;

    /// Rows of 24 numbers that depend on two, some of them with a value far from all others.
    fn rows(from: usize, count: usize) -> Matrix {
        let value = |at: usize| {
            let (i, j) = (at / 24, at % 24);
            let smooth =
                (i as f32 * 0.11).sin() * j as f32 + (i as f32 * 0.047).cos() * (24 - j) as f32;
            let rough = ((at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) as u32;
            let rough = (rough.wrapping_mul(rough | 1) >> 24) as f32 * 1e-3;
            if i % 97 == 5 && j == 3 { 1e4 } else { smooth + rough }
        };
        let values: Vec<f32> = (from * 24..(from + count) * 24).map(value).collect();
        Matrix::from_slice(&values, &[24]).unwrap()
    }

    fn bound(text: &str) -> Config {
        let fidelity = Fidelity::MaxError(text.parse().unwrap());
        Config { fidelity, level: 1, ..Config::default() }
    }

    fn codec(hidden: Option<Vec<usize>>) -> Codec {
        let mut config = bound("0.05");
        config.level = if hidden.is_some() { 2 } else { 1 };
        (config.train.hidden, config.train.epochs) = (hidden, Some(3));
        Codec::fit(&rows(0, 1500), &config).unwrap()
    }

    #[test]
    fn files_have_the_model_of_the_codec_and_keep_bounds() {
        for hidden in [None, Some(vec![16])] {
            let codec = codec(hidden.clone());
            let model = SharedModel::new(&codec).unwrap();
            for (from, count) in [(1500, 400), (9000, 3), (20, 0)] {
                for text in ["0.05", "0.5", "0"] {
                    let rows = rows(from, count);
                    let mut file = Vec::new();
                    let length = model.compress(&rows, &bound(text), &mut file).unwrap();
                    assert_eq!(length, file.len() as u64);
                    assert!(file.windows(model.payload.len()).any(|w| w == &model.payload[..]));
                    let reader = Reader::new(file).unwrap();
                    reader.verify().unwrap();
                    let mut bytes = vec![0; rows.bytes().len()];
                    reader.read_bytes(0, &mut bytes).unwrap();
                    let back = Matrix::new(rows.schema().clone(), bytes).unwrap();
                    if count > 0 {
                        let reached = Quality::measure(&rows, &back).unwrap().max_error;
                        assert!(reached <= text.parse().unwrap(), "{hidden:?} {text}: {reached}");
                    }
                }
            }
        }
    }

    #[test]
    fn rows_like_those_learned_from_take_about_as_much_as_with_a_model_of_their_own() {
        let codec = codec(None);
        let model = SharedModel::new(&codec).unwrap();
        // What lies far out is taken for missing values, or coded.
        for detect_fill_values in [true, false] {
            let (rows, config) = (rows(3000, 1500), Config { detect_fill_values, ..bound("0.05") });
            let (mut shared, mut own) = (Vec::new(), Vec::new());
            model.compress(&rows, &config, &mut shared).unwrap();
            let report = codec.compress(&rows, &config, &mut own).unwrap();
            let bytes = (shared.len() - model.payload.len()) as f64;
            let fitted = (report.bytes_out - report.model_bytes) as f64;
            assert!(bytes < 1.15 * fitted, "{bytes} bytes, {fitted} where fitted");
        }
    }

    #[test]
    fn what_a_shared_model_cannot_do_is_refused() {
        let model = SharedModel::new(&codec(None)).unwrap();
        let refused = |rows: &Matrix, config: &Config| {
            model.compress(rows, config, Vec::new()).unwrap_err().to_string()
        };
        let sum = Config { fidelity: Fidelity::Nmse("0.1".parse().unwrap()), ..bound("1") };
        assert!(refused(&rows(0, 9), &sum).contains("bound on each value"));
        let doubles = Matrix::from_slice(&[0.0_f64; 48], &[24]).unwrap();
        assert!(refused(&doubles, &bound("1")).contains("f32"));
        let wide = Matrix::from_slice(&[0.0_f32; 50], &[25]).unwrap();
        assert!(refused(&wide, &bound("1")).contains("24"));
    }
}
