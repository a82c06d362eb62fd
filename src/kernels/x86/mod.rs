//! Kernels for x86-64.
#![allow(unsafe_code)]

mod avx2;
mod avx512;
mod places;
#[cfg(feature = "compress")]
pub(super) mod transpose;
mod vector;

pub(crate) use avx2::Avx2;
pub(crate) use avx512::Avx512;
pub(crate) use vector::{Pair, Whole};
