//! Random matrices of every kind, and a judge of promises that shares no code with the crate.
//!
//! Bounds are judged on whole numbers of 2^-1074, which every `f64` and every integer is.

#![allow(dead_code, unreachable_pub, unused_imports)]

mod big;
mod judge;
mod make;

pub use judge::{Judge, Number, numbers};
pub use make::{Noise, Random, Recipe, SHAPES, Wish};

use aezip::{
    Codec, Config, DType, Element, ErrorKind, F16, Fidelity, Loss, Matrix, Patches, Reader, Rows,
    TrainConfig, Writer, check_promise, compress,
};

/// Which network is asked for, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Training {
    None,
    /// Trained on the bits of the file.
    Bits,
    SquaredError,
    Linear,
    Sparse,
    Contractive,
    Variational,
    Gaussian,
    Zeroed,
    Masked,
}

impl Training {
    pub const ALL: [Self; 10] = [
        Training::None,
        Training::Bits,
        Training::SquaredError,
        Training::Linear,
        Training::Sparse,
        Training::Contractive,
        Training::Variational,
        Training::Gaussian,
        Training::Zeroed,
        Training::Masked,
    ];

    /// Asks for a network of 4 units and 2 latents, and 2 passes over the rows.
    fn ask(self, train: &mut TrainConfig) {
        if self == Training::None {
            return;
        }
        (train.latents, train.epochs) = (Some(2), Some(2));
        if self != Training::Linear {
            train.hidden = Some(vec![4]);
        }
        match self {
            Training::None | Training::Bits => {}
            Training::SquaredError => train.loss = Loss::SquaredError,
            Training::Linear => train.linear = true,
            Training::Sparse => train.sparse = Some(0.1),
            Training::Contractive => train.contractive = Some(0.1),
            Training::Variational => train.variational = Some(1.0),
            Training::Gaussian => train.denoise.gaussian = Some(0.1),
            Training::Zeroed => train.denoise.zero = Some(0.3),
            Training::Masked => train.mask = Some(Patches::new(1, 1, 0.5)),
        }
    }
}

/// What a matrix is made of, and what is asked for it.
#[derive(Debug)]
pub struct Case {
    pub matrix: Matrix,
    pub fidelity: Fidelity,
    pub level: u8,
    pub training: Training,
}

impl Case {
    pub fn dtype(&self) -> DType {
        self.matrix.schema().dtype
    }

    fn config(&self) -> Config {
        let mut config = Config::default();
        config.fidelity = self.fidelity.clone();
        config.level = self.level;
        config.threads = 1;
        config
    }

    /// Compresses, reads back and judges; says what is wrong.
    pub fn check(&self) -> Result<(), String> {
        let mut config = self.config();
        self.training.ask(&mut config.train);
        let mut file = Vec::new();
        match compress(&self.matrix, &config, &mut file) {
            Ok(_) => self.judge(file),
            Err(e) if e.kind() == ErrorKind::Argument && self.may_be_refused() => Ok(()),
            Err(e) => Err(format!("refused: {e}")),
        }
    }

    /// The same with a codec that is learned from the rows, written and read beforehand.
    pub fn check_codec(&self) -> Result<(), String> {
        let mut config = self.config();
        self.training.ask(&mut config.train);
        let codec = match Codec::fit(&self.matrix, &config) {
            Ok(codec) => codec,
            Err(e) if e.kind() == ErrorKind::Argument && self.may_not_be_learned() => return Ok(()),
            Err(e) => return Err(format!("no codec: {e}")),
        };
        let mut stored = Vec::new();
        codec.write(&mut stored).map_err(|e| format!("the codec cannot be written: {e}"))?;
        let codec = Codec::read(&stored).map_err(|e| format!("the codec cannot be read: {e}"))?;
        let mut file = Vec::new();
        match codec.compress(&self.matrix, &self.config(), &mut file) {
            Ok(_) => self.judge(file).map_err(|e| format!("with a codec: {e}")),
            Err(e) if e.kind() == ErrorKind::Argument && self.may_be_refused() => Ok(()),
            Err(e) => Err(format!("refused with a codec: {e}")),
        }
    }

    /// The same row by row, where the writer knows a quarter of them beforehand.
    pub fn check_writer(&self) -> Result<(), String> {
        let known = matches!(
            self.fidelity,
            Fidelity::MaxError(_) | Fidelity::MaxErrorColumns(_) | Fidelity::Lossless
        );
        let rows = self.matrix.len();
        if !known || rows == 0 {
            return self.check();
        }
        let schema = self.matrix.schema().clone();
        let seen = self.matrix.bytes()[..rows.div_ceil(4) * schema.row_bytes()].to_vec();
        let seen = Matrix::new(schema, seen).map_err(|e| e.to_string())?;
        let bytes = self.matrix.bytes();
        let file = match self.dtype() {
            DType::F16 => written(&seen, bytes, &self.config(), |b| F16(u16::from_le_bytes(b))),
            DType::F32 => written(&seen, bytes, &self.config(), f32::from_le_bytes),
            DType::F64 => written(&seen, bytes, &self.config(), f64::from_le_bytes),
            DType::U8 => written(&seen, bytes, &self.config(), u8::from_le_bytes),
            DType::I8 => written(&seen, bytes, &self.config(), i8::from_le_bytes),
            DType::U16 => written(&seen, bytes, &self.config(), u16::from_le_bytes),
            DType::I16 => written(&seen, bytes, &self.config(), i16::from_le_bytes),
            DType::U32 => written(&seen, bytes, &self.config(), u32::from_le_bytes),
            DType::I32 => written(&seen, bytes, &self.config(), i32::from_le_bytes),
            DType::U64 => written(&seen, bytes, &self.config(), u64::from_le_bytes),
            DType::I64 => written(&seen, bytes, &self.config(), i64::from_le_bytes),
        };
        let file = file.map_err(|e| format!("refused by a writer: {e}"))?;
        self.judge(file).map_err(|e| format!("with a writer: {e}"))
    }

    /// Opens, verifies, reads and judges a file.
    fn judge(&self, file: Vec<u8>) -> Result<(), String> {
        let length = file.len() as u64;
        let reader = Reader::new(file).map_err(|e| format!("cannot be opened: {e}"))?;
        if reader.promise() != Some(&self.fidelity) {
            return Err(format!("the promise came back as {:?}", reader.promise()));
        }
        reader.verify().map_err(|e| format!("cannot be verified: {e}"))?;
        let mut bytes = vec![0x5a; self.matrix.bytes().len()];
        if !bytes.is_empty() {
            reader.read_bytes(0, &mut bytes).map_err(|e| format!("cannot be read: {e}"))?;
        }
        let mut schema = self.matrix.schema().clone();
        schema.fill_values = reader.schema().fill_values.clone();
        let decoded = Matrix::new(schema, bytes).map_err(|e| e.to_string())?;
        let judge = Judge::new(&self.matrix, &self.fidelity).without(&reader.info().fill_values);
        judge.compare(&decoded, length)?;
        let own = check_promise(&self.matrix, &decoded, &self.fidelity, length);
        let own = own.map_err(|e| format!("cannot be checked: {e}"))?;
        if !own.held {
            return Err(format!("check_promise finds it broken: {}", own.detail));
        }
        Ok(())
    }

    /// A codec needs rows, a network with a textbook objective 64 that differ.
    fn may_not_be_learned(&self) -> bool {
        let is_kind = !matches!(self.training, Training::None | Training::Bits);
        self.matrix.is_empty() || is_kind || self.may_be_refused()
    }

    /// Only a size can be out of reach; and a figure over the file of the latents of a network with
    /// a textbook objective, which has nothing else.
    fn may_be_refused(&self) -> bool {
        let is_size = matches!(self.fidelity, Fidelity::Ratio(_) | Fidelity::BytesPerRow(_));
        let is_sum =
            matches!(self.fidelity, Fidelity::Nmse(_) | Fidelity::Psnr(_) | Fidelity::Cosine(_));
        is_size || (is_sum && !matches!(self.training, Training::None | Training::Bits))
    }
}

/// The file of a writer that has seen some rows and is given all, a few values at a time.
fn written<T: Element, const N: usize>(
    seen: &Matrix,
    bytes: &[u8],
    config: &Config,
    value: impl Fn([u8; N]) -> T,
) -> aezip::Result<Vec<u8>> {
    let mut writer = Writer::new(Vec::new(), seen, config)?;
    let values: Vec<T> = bytes.as_chunks().0.iter().map(|b| value(*b)).collect();
    for rows in values.chunks(seen.schema().width() * 3) {
        writer.push(rows)?;
    }
    Ok(writer.finish()?.0)
}
