//! Kernels for x86-64.
#![allow(unsafe_code)]

mod avx2;
mod avx512;
mod pair;
mod places;
#[cfg(feature = "compress")]
pub(super) mod transpose;
mod whole;

pub(crate) use avx2::Avx2;
pub(crate) use avx512::Avx512;
pub(crate) use pair::Pair;
pub(crate) use whole::Whole;
