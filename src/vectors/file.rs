//! Files in parts, so that a part can be made wrong before they are joined.

pub(super) use super::stream::{Row, stream, stream_in_parts};
use crate::container::block;
use crate::container::forever::{COLUMNS, DATA, FOOTER_LEN, HEAD, INDEX, MODEL};
use crate::container::head;
use crate::container::index::Index;
use crate::container::model::ModelRecord;
use crate::container::section::{self, Footer, Header};
use crate::fidelity::Fidelity;
use crate::matrix::{DType, Schema};

/// A file in parts; `None` stands for what follows from the others.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    pub(super) header: Vec<u8>,
    pub(super) sections: Vec<([u8; 4], Vec<u8>)>,
    /// Rows and bytes.
    pub(super) blocks: Vec<(usize, Vec<u8>)>,
    /// Bytes between blocks and index.
    pub(super) behind: Vec<u8>,
    pub(super) index: Option<Vec<u8>>,
    pub(super) rows: Option<u64>,
    pub(super) index_at: Option<u64>,
}

impl Parts {
    /// Makes a file without model and blocks; a promise is kind and number, as in `max-error 1`.
    pub(super) fn new(schema: &Schema, promise: &str) -> Self {
        let (kind, number) = promise.split_once(' ').unwrap_or((promise, ""));
        let promise = Fidelity::parse(kind, number).unwrap();
        Self::with_head(head::encode(schema, Some(&promise)))
    }

    pub(super) fn with_head(payload: Vec<u8>) -> Self {
        Self {
            header: Header::encode(false),
            sections: vec![(HEAD, payload), (DATA, Vec::new())],
            blocks: Vec::new(),
            behind: Vec::new(),
            index: None,
            rows: None,
            index_at: None,
        }
    }

    /// Puts a section before DATA.
    pub(super) fn section(mut self, tag: [u8; 4], payload: Vec<u8>) -> Self {
        self.sections.insert(self.sections.len() - 1, (tag, payload));
        self
    }

    pub(super) fn names(self, names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|n| n.to_string()).collect();
        self.section(COLUMNS, head::encode_columns(&names))
    }

    pub(super) fn model(self, record: &ModelRecord, line: usize) -> Self {
        self.section(MODEL, record.encode(line))
    }

    pub(super) fn next_row(&self) -> u64 {
        self.blocks.iter().map(|b| b.0 as u64).sum()
    }

    pub(super) fn coded(mut self, rows: usize, stream: &[u8], escapes: &[u8]) -> Self {
        let bytes = block::encode_coded(self.next_row(), stream, escapes);
        self.blocks.push((rows, bytes));
        self
    }

    /// Adds a block with columns beside its stream and escapes, if it has any.
    pub(super) fn beside(
        mut self,
        rows: usize,
        columns: &[u8],
        coded: Option<(&[u8], &[u8])>,
    ) -> Self {
        let bytes = block::encode_columns(self.next_row(), columns, coded);
        self.blocks.push((rows, bytes));
        self
    }

    pub(super) fn exact(mut self, rows: usize, bytes: &[u8], size: usize) -> Self {
        let bytes = block::encode_exact(self.next_row(), bytes, size, 19);
        self.blocks.push((rows, bytes));
        self
    }

    pub(super) fn join(&self) -> Vec<u8> {
        let mut out = self.header.clone();
        for (tag, payload) in &self.sections {
            out.extend(section::encode(*tag, payload));
        }
        let mut index = Index::new(out.len() as u64);
        for (rows, bytes) in &self.blocks {
            out.extend(bytes);
            index.push(*rows, bytes.len());
        }
        out.extend(&self.behind);
        let index_at = self.index_at.unwrap_or(out.len() as u64);
        out.extend(section::encode(INDEX, &self.index.clone().unwrap_or_else(|| index.encode())));
        let length = (out.len() + FOOTER_LEN) as u64;
        let rows = self.rows.unwrap_or(index.total_rows());
        out.extend(Footer { index: index_at, rows, length }.encode());
        out
    }

    /// Finds the bytes of section `tag`, and where they lie in the joined file.
    pub(super) fn place(&self, tag: [u8; 4]) -> std::ops::Range<usize> {
        let mut at = self.header.len();
        for (own, payload) in &self.sections {
            let end = at + payload.len() + 16;
            if *own == tag {
                return at..end;
            }
            at = end;
        }
        let blocks: usize = self.blocks.iter().map(|b| b.1.len()).sum();
        at + blocks + self.behind.len()..self.join().len() - FOOTER_LEN
    }
}

/// Makes a schema without names.
pub(super) fn schema(dtype: DType, shape: &[usize]) -> Schema {
    Schema::new(dtype, shape)
}

/// Makes a version 1.0 `.npy` file of little-endian `bytes`.
pub(super) fn npy(dtype: DType, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
    let kind = match dtype.name().as_bytes() {
        [b'f', ..] => 'f',
        [b'u', ..] => 'u',
        _ => 'i',
    };
    let size = dtype.size();
    let order = if size == 1 { '|' } else { '<' };
    let shape: Vec<String> = shape.iter().map(usize::to_string).collect();
    let shape = if shape.len() == 1 { format!("{},", shape[0]) } else { shape.join(", ") };
    let mut head =
        format!("{{'descr': '{order}{kind}{size}', 'fortran_order': False, 'shape': ({shape}), }}");
    while (head.len() + 11) % 64 != 0 {
        head.push(' ');
    }
    head.push('\n');
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((head.len() as u16).to_le_bytes());
    out.extend(head.as_bytes());
    out.extend(bytes);
    out
}
