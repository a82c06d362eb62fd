//! Random matrices of every kind, and a judge of promises that shares no code with the crate.
//!
//! Bounds are judged on whole numbers of 2^-1074, which every `f64` and every integer is.

#![allow(dead_code, unreachable_pub, unused_imports)]

mod big;
mod judge;
mod make;

pub use judge::{Judge, Number, numbers};
pub use make::{Noise, Random, Recipe, SHAPES, Wish};

use aezip::{Config, DType, ErrorKind, Fidelity, Matrix, Reader, Rows, check_promise, compress};

/// What a matrix is made of, and what is asked for it.
#[derive(Debug)]
pub struct Case {
    pub matrix: Matrix,
    pub fidelity: Fidelity,
    pub level: u8,
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

    /// Only a size can be out of reach.
    fn may_be_refused(&self) -> bool {
        matches!(self.fidelity, Fidelity::Ratio(_) | Fidelity::BytesPerRow(_))
    }
}
