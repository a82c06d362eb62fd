//! Arithmetic that time is spent in, once per CPU family; the scalar form is the reference.

#[cfg(feature = "compress")]
pub(crate) mod activation;
mod dense;
#[cfg(feature = "compress")]
pub(crate) mod gemm;
mod isa;
#[cfg(feature = "compress")]
pub(crate) mod math;
#[cfg(target_arch = "aarch64")]
mod neon;
pub(crate) mod run;
pub(crate) mod vector;
pub(crate) mod wide;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use dense::Panels;
pub(crate) use isa::Isa;
