//! Rows to fit on: runs of neighbouring rows, spread evenly over the file.

use crate::error::Result;
use crate::matrix::{Rows, Schema};

/// Rows of a run; neighbours are kept together so that their likeness can be measured.
const RUN: usize = 128;

/// Some of a file's rows.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// What the rows are.
    pub(crate) schema: Schema,
    /// Little-endian cells, run after run.
    pub(crate) bytes: Vec<u8>,
    /// Rows in each run.
    pub(crate) runs: Vec<usize>,
    /// Rows of the file.
    pub(crate) total: usize,
}

impl Sample {
    /// Draws about `values` numbers, at least some rows, at most all.
    pub(crate) fn draw(rows: &dyn Rows, values: usize) -> Result<Self> {
        let schema = rows.schema().clone();
        let total = rows.len();
        let wanted = (values / schema.width().max(1)).clamp(256, 1 << 20).min(total);
        let whole = wanted * 10 >= total * 9;
        let count = if whole { total.div_ceil(RUN) } else { wanted.div_ceil(RUN) };
        let row_bytes = schema.row_bytes();
        let mut bytes = Vec::new();
        let mut runs = Vec::new();
        for i in 0..count {
            let first = if whole { i * RUN } else { (total - RUN) * i / (count - 1).max(1) };
            let n = RUN.min(total - first);
            let at = bytes.len();
            bytes.resize(at + n * row_bytes, 0);
            rows.read(first, &mut bytes[at..])?;
            runs.push(n);
        }
        Ok(Self { schema, bytes, runs, total })
    }

    /// Rows in the sample.
    pub(crate) fn rows(&self) -> usize {
        self.runs.iter().sum()
    }

    /// Whether every row of the file is here.
    pub(crate) fn is_whole(&self) -> bool {
        self.rows() == self.total
    }

    /// Rows of the file for each row of the sample.
    pub(crate) fn weight(&self) -> f64 {
        self.total as f64 / self.rows().max(1) as f64
    }

    /// The sample's rows alone.
    pub(crate) fn into_matrix(self) -> Result<crate::matrix::Matrix> {
        crate::matrix::Matrix::new(self.schema, self.bytes)
    }

    /// About `rows` rows of this sample: every so-manieth run.
    pub(crate) fn thin(&self, rows: usize) -> Sample {
        let every = (self.rows() / rows.max(1)).max(1);
        let row_bytes = self.schema.row_bytes();
        let mut bytes = Vec::new();
        let mut runs = Vec::new();
        for (i, run) in self.split().enumerate() {
            if i % every == 0 {
                bytes.extend_from_slice(run);
                runs.push(run.len() / row_bytes);
            }
        }
        Sample { schema: self.schema.clone(), bytes, runs, total: self.total }
    }

    /// The runs' cells.
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
