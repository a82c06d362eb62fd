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
    Config, DType, ErrorKind, Fidelity, Loss, Matrix, Patches, Reader, Rows, TrainConfig,
    check_promise, compress,
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

    /// Compresses, reads back and judges; says what is wrong.
    pub fn check(&self) -> Result<(), String> {
        let mut config = Config::default();
        config.fidelity = self.fidelity.clone();
        config.level = self.level;
        config.threads = 1;
        self.training.ask(&mut config.train);
        let mut file = Vec::new();
        match compress(&self.matrix, &config, &mut file) {
            Ok(_) => {}
            Err(e) if e.kind() == ErrorKind::Argument && self.may_be_refused() => return Ok(()),
            Err(e) => return Err(format!("refused: {e}")),
        }
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
        let schema = self.matrix.schema().clone();
        let decoded = Matrix::new(schema, bytes).map_err(|e| e.to_string())?;
        let judge = Judge::new(&self.matrix, &self.fidelity);
        judge.compare(&decoded, length)?;
        let own = check_promise(&self.matrix, &decoded, &self.fidelity, length);
        let own = own.map_err(|e| format!("cannot be checked: {e}"))?;
        if !own.held {
            return Err(format!("check_promise finds it broken: {}", own.detail));
        }
        Ok(())
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
