//! The types of numbers in an array file, and the type that several have in common.

use crate::error::{Error, Result};
use crate::input::array::widen;
use crate::matrix::{DType, F16};

/// The largest whole number up to which `f64` holds all.
const MOST_EXACT: u64 = 1 << 53;

/// How a number is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    /// The type that it is read as.
    pub(super) dtype: DType,
    pub(super) big_endian: bool,
    /// Only the upper half of an `f32` is stored.
    pub(super) bfloat16: bool,
    /// Two numbers are stored, a real and an imaginary part.
    pub(super) complex: bool,
}

impl Number {
    /// Parses `<f4` and its like: byte order, kind, bytes.
    pub(super) fn parse(descr: &str) -> Result<Self> {
        let (order, code) = match descr.split_at_checked(1) {
            Some((order @ ("<" | ">" | "|"), code)) => (order, code),
            _ => return Err(unknown(descr, "convert it with array.astype('<f4')")),
        };
        let dtype = match code {
            "f2" => DType::F16,
            "f4" | "c8" => DType::F32,
            "f8" | "c16" => DType::F64,
            "u1" | "b1" => DType::U8,
            "i1" => DType::I8,
            "u2" => DType::U16,
            "i2" => DType::I16,
            "u4" => DType::U32,
            "i4" => DType::I32,
            "u8" => DType::U64,
            "i8" => DType::I64,
            // NumPy has no bfloat16: those who add it save it as two bytes without a meaning.
            "V2" => DType::F32,
            _ => return Err(unknown(descr, advice(code))),
        };
        let (bfloat16, complex) = (code == "V2", code.starts_with('c'));
        if order == "|" && dtype.size() > 1 && !bfloat16 {
            return Err(Error::corrupt(format!("the npy type {descr:?} has no byte order")));
        }
        Ok(Self { dtype, big_endian: order == ">", bfloat16, complex })
    }

    /// Returns how many numbers one is made of.
    pub(super) fn parts(&self) -> usize {
        if self.complex { 2 } else { 1 }
    }

    /// Returns the bytes that each of them is stored in.
    pub(super) fn size(&self) -> usize {
        if self.bfloat16 { 2 } else { self.dtype.size() }
    }

    /// Copies one of them from `stored` to `out`, as little-endian bytes of its type.
    pub(super) fn read(&self, stored: &[u8], out: &mut [u8]) {
        let mut little = [0; 8];
        let little = &mut little[..stored.len()];
        little.copy_from_slice(stored);
        if self.big_endian {
            little.reverse();
        }
        if self.bfloat16 {
            widen(little, out);
        } else {
            out.copy_from_slice(little);
        }
    }
}

fn unknown(descr: &str, advice: &str) -> Error {
    Error::unsupported(format!("the npy type {descr:?}; {advice}"))
}

/// Says what makes numbers that can be read of those of an unknown type.
fn advice(code: &str) -> &'static str {
    match code.chars().next() {
        Some('M' | 'm') => "use the counts: array.view('i8')",
        Some('U' | 'S') => "text; if the texts are numbers, array.astype('f8') reads them",
        Some('O') => "Python objects; if all are numbers, save array.astype('f8')",
        Some('V') => "bytes without a type; view them as what they are, as array.view('u1')",
        Some('c') => "save array.astype('c16')",
        _ => "save array.astype('f8')",
    }
}

/// Returns the bits of a whole number's magnitude, and whether it has a sign; none for floats.
fn whole(dtype: DType) -> Option<(usize, bool)> {
    let signed = matches!(dtype, DType::I8 | DType::I16 | DType::I32 | DType::I64);
    (!dtype.is_float()).then(|| (8 * dtype.size() - usize::from(signed), signed))
}

/// Returns the smallest type that holds all numbers of two types; `f64` where none does.
pub(super) fn join(a: DType, b: DType) -> DType {
    if a == b {
        return a;
    }
    let holds = |dtype: DType, other: DType| match (whole(dtype), whole(other)) {
        (Some((bits, signed)), Some((needed, sign))) => bits >= needed && (signed || !sign),
        (Some(_), None) => false,
        (None, Some((needed, _))) => needed <= digits(dtype),
        (None, None) => dtype.size() >= other.size(),
    };
    let any_float = a.is_float() || b.is_float();
    let both = |d: &DType| d.is_float() == any_float && holds(*d, a) && holds(*d, b);
    let smallest = DType::ALL.into_iter().filter(both).min_by_key(|d| d.size());
    smallest.unwrap_or(DType::F64)
}

/// Returns the bits of the largest whole numbers up to which a type of floats holds all.
fn digits(dtype: DType) -> usize {
    match dtype.size() {
        2 => 11,
        4 => 24,
        _ => 53,
    }
}

/// A number, exactly.
pub(super) enum Exact {
    Whole(i128),
    Float(f64),
}

impl Exact {
    /// Reads what is stored.
    pub(super) fn read(number: &Number, stored: &[u8]) -> Self {
        let mut bytes = [0; 8];
        number.read(stored, &mut bytes[..number.dtype.size()]);
        let [a, b, c, d, ..] = bytes;
        match number.dtype {
            DType::F16 => Self::Float(F16(u16::from_le_bytes([a, b])).to_f64()),
            DType::F32 => Self::Float(f32::from_le_bytes([a, b, c, d]).into()),
            DType::F64 => Self::Float(f64::from_le_bytes(bytes)),
            DType::I8 => Self::Whole((a as i8).into()),
            DType::I16 => Self::Whole(i16::from_le_bytes([a, b]).into()),
            DType::I32 => Self::Whole(i32::from_le_bytes([a, b, c, d]).into()),
            DType::I64 => Self::Whole(i64::from_le_bytes(bytes).into()),
            // Unsigned, and zeros follow.
            _ => Self::Whole(u64::from_le_bytes(bytes).into()),
        }
    }

    /// Writes it as a number of type `dtype`, which [`join`] chose; false if that does not hold it.
    pub(super) fn write(self, dtype: DType, out: &mut [u8]) -> bool {
        let float = match self {
            Self::Whole(n) if !dtype.is_float() => {
                out.copy_from_slice(&n.to_le_bytes()[..out.len()]);
                return true;
            }
            Self::Whole(n) if n.unsigned_abs() > u128::from(MOST_EXACT) => return false,
            Self::Whole(n) => n as f64,
            Self::Float(x) => x,
        };
        match dtype {
            DType::F16 => out.copy_from_slice(&F16::from_f64(float).0.to_le_bytes()),
            DType::F32 => out.copy_from_slice(&(float as f32).to_le_bytes()),
            _ => out.copy_from_slice(&float.to_le_bytes()),
        }
        true
    }
}
