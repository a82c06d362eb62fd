//! What files that must be refused are made from.

use super::file::{Parts, Row, schema, stream};
use super::records::{integer, ladder, plain};
use crate::container::model::ModelRecord;
use crate::matrix::DType;

/// Name, kind of the error, and bytes.
pub(super) type Case = (String, &'static str, Vec<u8>);

pub(super) fn case(name: &str, kind: &'static str, bytes: Vec<u8>) -> Case {
    (name.to_string(), kind, bytes)
}

pub(super) fn base_model() -> ModelRecord {
    plain(2, vec![integer(1, 0, 1)], vec![ladder(0, 20)])
}

pub(super) fn base_rows() -> [Row; 2] {
    [[1, 2], [-3, 4]].map(|r| Row { residuals: r.to_vec(), ..Row::default() })
}

pub(super) fn base_stream() -> Vec<u8> {
    stream(&base_model(), DType::I16, &base_rows())
}

pub(super) fn head_only() -> Parts {
    Parts::new(&schema(DType::I16, &[2]), "max-error 0.5")
}
