//! Numbers on a logarithmic scale: what a model codes where errors are shares of each number.
//!
//! The model decodes `f64`s that are nearly logarithms. [`Compander::expand`] makes numbers of the file's type of
//! them; [`Compander::compress`] does the reverse for the encoder, so that a model which is off by
//! [`Compander::bound`] at most is off by a share of each number at most.

use super::curve::{Curve, Magnitudes};
use super::value::{Cell, with_cell};
use crate::container::compander::{CompanderRecord, MAX_MULTIPLE, SHARE_BITS, Scale};
use crate::error::{Error, Result};
use crate::matrix::{DType, Schema, to_little_endian};
#[cfg(feature = "compress")]
use crate::{codec::fill::is_ordinary, matrix::FillValues, matrix::from_little_endian};

/// Adding this to a number of up to [`FARTHEST`] rounds it to an integer, which is in its lower bits.
const MAGIC: f64 = 6_755_399_441_055_744.0;
/// No place of a scale is farther from 0 than this.
const FARTHEST: f64 = 2_251_799_813_685_248.0;
/// Share of a bound that is left for the rounding of `f64`s.
#[cfg(feature = "compress")]
const ROUNDING: f64 = 1e-9;

/// What a file's scales are, ready for use.
#[derive(Debug, Clone)]
pub(crate) struct Compander {
    pub(crate) record: CompanderRecord,
    /// Type of the file's numbers.
    pub(crate) dtype: DType,
    /// Magnitudes of the type, and counts of multiples where there are any.
    plain: Curve,
    multiples: Option<Curve>,
    /// What the model's numbers have for a place of a scale.
    unit: f64,
    /// Place of each scale's least magnitude, less that of 1 cell.
    shifts: Vec<i64>,
}

/// One scale, with all that it takes.
#[derive(Clone, Copy)]
struct Column<'a> {
    curve: &'a Curve,
    scale: Scale,
    shift: i64,
    cells: i64,
    /// The largest magnitude of positive and of negative numbers.
    most: [u64; 2],
}

/// Returns what magnitudes of a type are, and the largest of positive and negative numbers.
fn magnitudes(dtype: DType) -> (Magnitudes, [u64; 2]) {
    let bits = 8 * dtype.size() as u32;
    match dtype {
        DType::F16 => (Magnitudes::Floats(10), [0x7bff; 2]),
        DType::F32 => (Magnitudes::Floats(23), [0x7f7f_ffff; 2]),
        DType::F64 => (Magnitudes::Floats(52), [f64::MAX.to_bits(); 2]),
        DType::U8 | DType::U16 | DType::U32 | DType::U64 => {
            (Magnitudes::Integers(bits), [u64::MAX >> (64 - bits), 0])
        }
        _ => {
            let end = 1_u64 << (bits - 1);
            (Magnitudes::Integers(bits), [end - 1, end])
        }
    }
}

impl Compander {
    /// Prepares what `record` says of numbers of `dtype`.
    ///
    /// # Errors
    /// `Corrupt` where a scale is too long or has nothing on it.
    pub(crate) fn new(record: CompanderRecord, dtype: DType) -> Result<Self> {
        let CompanderRecord { cells, share, .. } = record;
        let (kind, most) = magnitudes(dtype);
        let plain = Curve::new(kind, most[0].max(most[1]), cells, share)?;
        let some = record.scales.iter().any(|s| s.multiple.is_some());
        let counts = || Curve::new(Magnitudes::Integers(53), MAX_MULTIPLE - 1, cells, share);
        let multiples = some.then(counts).transpose()?;
        let shift = |scale: &Scale| {
            let (curve, most) = match (&multiples, scale.multiple) {
                (Some(curve), Some(_)) => (curve, MAX_MULTIPLE - 1),
                _ => (&plain, most[0].max(most[1])),
            };
            if scale.least > most {
                let what = format!("a scale that begins at {}, beyond its end", scale.least);
                return Err(Error::corrupt(what));
            }
            Ok(curve.place(scale.least) as i64 - cells as i64)
        };
        let shifts = record.scales.iter().map(shift).collect::<Result<Vec<_>>>()?;
        let unit = share as f64 / (1_u64 << (SHARE_BITS - 1)) as f64 / cells as f64;
        Ok(Self { record, dtype, plain, multiples, unit, shifts })
    }

    /// Returns what the model's rows are like.
    pub(crate) fn inner(schema: &Schema) -> Schema {
        Schema { dtype: DType::F64, fill_values: Default::default(), ..schema.clone() }
    }

    fn scale(&self, at: usize) -> Column<'_> {
        let scale = self.record.scales[at];
        let (curve, most) = match (&self.multiples, scale.multiple) {
            (Some(curve), Some(_)) => (curve, [MAX_MULTIPLE - 1; 2]),
            _ => (&self.plain, magnitudes(self.dtype).1),
        };
        let cells = self.record.cells as i64;
        Column { curve, scale, shift: self.shifts[at], cells, most }
    }

    fn columns(&self) -> Vec<Column<'_>> {
        (0..self.shifts.len()).map(|at| self.scale(at)).collect()
    }

    /// Which scale column `j` has.
    fn scale_of(&self, j: usize) -> usize {
        self.record.scale_of.get(j).map_or(0, |&s| s.into())
    }

    /// Makes numbers of the file's type, as little-endian bytes, of whole rows that the model decoded.
    pub(crate) fn expand(&self, width: usize, rows: &[f64], out: &mut [u8]) {
        with_cell!(self.dtype, T => self.expand_cells::<T>(width, rows, out));
    }

    fn expand_cells<T: Cell>(&self, width: usize, rows: &[f64], out: &mut [u8]) {
        let columns = self.columns();
        let mut cells = vec![T::zeroed(); rows.len()];
        for (row, out) in rows.chunks_exact(width).zip(cells.chunks_exact_mut(width)) {
            for (j, (v, y)) in row.iter().zip(out).enumerate() {
                *y = columns[self.scale_of(j)].expand(self.place(*v));
            }
        }
        out.copy_from_slice(&to_little_endian(&cells));
    }

    /// Returns the place nearest to a number of the model.
    #[inline(always)]
    fn place(&self, v: f64) -> i64 {
        let place = (v / self.unit).clamp(-FARTHEST / 2.0, FARTHEST / 2.0);
        ((place + MAGIC).to_bits() as i64).wrapping_sub(MAGIC.to_bits() as i64)
    }
}

impl Column<'_> {
    /// Returns the number at a place.
    #[inline(always)]
    fn expand<T: Cell>(&self, place: i64) -> T {
        let half = self.cells / 2;
        // Floats have two zeros, which are as far apart as other numbers.
        let (is_negative, magnitude) = match T::DTYPE.is_float() {
            true if place < -half => (true, -self.cells - place),
            _ if T::DTYPE.is_float() => (false, place),
            _ => (place < 0, place.abs()),
        };
        let magnitude = match magnitude <= half {
            true => 0,
            false => self.curve.magnitude((magnitude + self.shift) as u64),
        };
        self.number(is_negative, magnitude.min(self.most[usize::from(is_negative)]))
    }

    fn number<T: Cell>(&self, is_negative: bool, magnitude: u64) -> T {
        let sign = |k: i64| if is_negative { k.wrapping_neg() } else { k };
        match (T::DTYPE.is_float(), self.scale.multiple) {
            (true, None) if is_negative => T::from_order(-1 - magnitude as i64),
            (true, None) => T::from_order(magnitude as i64),
            (true, Some((numerator, denominator))) => {
                let product = magnitude.wrapping_mul(numerator) as f64;
                let y = product / denominator as f64;
                T::from_float(if is_negative { -y } else { y })
            }
            // All integers are multiples of 1.
            (false, multiple) => {
                let unit = multiple.map_or(1, |(numerator, _)| numerator);
                T::from_integer(sign(magnitude.wrapping_mul(unit) as i64))
            }
        }
    }
}

#[cfg(feature = "compress")]
impl Compander {
    /// Returns what the model may be off by, at most.
    pub(crate) fn bound(&self) -> f64 {
        (self.record.cells / 2) as f64 * self.unit * (1.0 - ROUNDING)
    }

    /// Returns the scale of column `j` and the magnitude of a number of it; none where it is no multiple of the
    /// scale.
    pub(crate) fn magnitude<T: Cell>(&self, j: usize, x: T) -> Option<(usize, u64)> {
        let at = self.scale_of(j);
        self.scale(at).magnitude(x).map(|(_, magnitude)| (at, magnitude))
    }

    /// Says whether a magnitude on scale `at` may be taken for another.
    pub(crate) fn is_coarse(&self, at: usize, magnitude: u64) -> bool {
        let Column { curve, cells, .. } = self.scale(at);
        curve.place(magnitude) < curve.place(magnitude.saturating_sub(1)) + cells as u64
    }

    /// Returns whole rows, given as little-endian bytes of the file's type, as the model is to have them, as
    /// bytes of `f64`: NaN for what it cannot have.
    pub(crate) fn compress(&self, width: usize, rows: &[u8], fills: &FillValues) -> Vec<u8> {
        with_cell!(self.dtype, T => self.compress_cells::<T>(width, rows, fills))
    }

    fn compress_cells<T: Cell>(&self, width: usize, rows: &[u8], fills: &FillValues) -> Vec<u8> {
        let mut cells = vec![T::zeroed(); rows.len() / size_of::<T>()];
        from_little_endian(rows, &mut cells);
        let columns = self.columns();
        let mut out = vec![f64::NAN; cells.len()];
        for (row, out) in cells.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            for (j, (x, v)) in row.iter().zip(out).enumerate() {
                if is_ordinary(*x, fills) {
                    let place = columns[self.scale_of(j)].compress(*x);
                    *v = place.map_or(f64::NAN, |place| place as f64 * self.unit);
                }
            }
        }
        to_little_endian(&out)
    }
}

#[cfg(feature = "compress")]
impl Column<'_> {
    /// Returns the place of a number.
    fn compress<T: Cell>(&self, x: T) -> Option<i64> {
        let (is_negative, magnitude) = self.magnitude(x)?;
        let place = match magnitude {
            0 => 0,
            less if less < self.scale.least => return None,
            some => self.curve.place(some) as i64 - self.shift,
        };
        Some(match (is_negative, T::DTYPE.is_float()) {
            (false, _) => place,
            (true, true) => -self.cells - place,
            (true, false) => -place,
        })
    }

    /// Returns sign and magnitude of a number; none where it is no multiple of the scale.
    fn magnitude<T: Cell>(&self, x: T) -> Option<(bool, u64)> {
        let (is_negative, plain) = sign_and_magnitude(x);
        let Some((numerator, denominator)) = self.scale.multiple else {
            return Some((is_negative, plain));
        };
        if !T::DTYPE.is_float() {
            return plain.is_multiple_of(numerator).then_some((is_negative, plain / numerator));
        }
        let count = (x.to_f64().abs() * denominator as f64 / numerator as f64).round_ties_even();
        let counts = count * numerator as f64;
        if counts >= MAX_MULTIPLE as f64 {
            return None;
        }
        let magnitude = count as u64;
        self.number::<T>(is_negative, magnitude).same(x).then_some((is_negative, magnitude))
    }
}

/// Returns sign and magnitude of a number: of floats the bits.
#[cfg(feature = "compress")]
fn sign_and_magnitude<T: Cell>(x: T) -> (bool, u64) {
    if T::DTYPE.is_float() {
        let k = x.to_order();
        return if k < 0 { (true, (-1 - k) as u64) } else { (false, k as u64) };
    }
    let wide = super::bound::wide(x);
    (wide < 0, wide.unsigned_abs() as u64)
}

#[cfg(all(test, feature = "compress"))]
mod tests {
    use super::*;
    use crate::matrix::F16;

    const R: f64 = 0.01;

    fn compander(dtype: DType, scale: Scale) -> Compander {
        let share = (2.0 * R / (2.0 + R) * (1_u64 << SHARE_BITS) as f64) as u64 - 2;
        let record =
            CompanderRecord { cells: 513, share, scales: vec![scale], scale_of: Vec::new() };
        Compander::new(record, dtype).unwrap()
    }

    /// What numbers come back as from a model that is off by as much as it may.
    fn back<T: Cell>(scale: Scale, values: &[T], off: f64) -> Vec<T> {
        let c = compander(T::DTYPE, scale);
        let inner = c.compress(1, &to_little_endian(values), &FillValues::default());
        let mut rows = vec![0.0; values.len()];
        from_little_endian(&inner, &mut rows);
        rows.iter_mut().for_each(|v: &mut f64| *v += off * c.bound());
        let mut out = vec![0; size_of_val(values)];
        c.expand(1, &rows, &mut out);
        let mut cells = vec![T::zeroed(); values.len()];
        from_little_endian(&out, &mut cells);
        cells
    }

    fn check<T: Cell>(scale: Scale, values: &[T]) {
        for off in [-1.0, -0.4, 0.0, 0.7, 1.0] {
            for (x, y) in values.iter().zip(back(scale, values, off)) {
                let (a, b) = (x.to_f64(), y.to_f64());
                assert!((a - b).abs() <= R * a.abs(), "{a} {b}");
                assert_eq!(a.is_sign_negative(), b.is_sign_negative(), "{a} {b}");
            }
        }
    }

    #[test]
    fn ends_of_every_type_keep_their_share_and_their_sign() {
        let plain = Scale { least: 1, multiple: None };
        let floats = [0.0, -0.0, 5e-324, -5e-324, 1e-310, 2.2e-308, 1.0, -3.7, f64::MAX, f64::MIN];
        check(plain, &floats);
        check(plain, &[0.0_f32, -0.0, 1e-45, -1e-45, 1e-40, 1.2e-38, -7.5, f32::MAX, f32::MIN]);
        check(plain, &[0, 1, 0x3ff, 0x400, 0x7bff, 0x8000, 0x8001, 0xfbff].map(F16));
        check(plain, &[u8::MIN, 1, 49, 50, 99, u8::MAX]);
        check(plain, &[i8::MIN, -100, -1, 0, 1, i8::MAX]);
        check(plain, &[i16::MIN, -1, 0, 1000, i16::MAX]);
        check(plain, &[i64::MIN, -1, 0, 1000, i64::MAX]);
        check(plain, &[0, 1000, u64::MAX]);
        check(plain, &[0, 1000, u32::MAX]);
        check(plain, &[i32::MIN, 1000, i32::MAX]);
    }

    #[test]
    fn multiples_are_counted() {
        let tenths = Scale { least: 2, multiple: Some((1, 10)) };
        let values: Vec<f32> = (-3000_i32..3000)
            .filter(|k| k.abs() != 1)
            .map(|k| (f64::from(k) / 10.0) as f32)
            .collect();
        check(tenths, &values);
        assert_eq!(back(tenths, &[0.0_f32, -0.0, 0.3, -4.9], 1.0), [0.0, 0.0, 0.3, -4.9]);
        // Neither a tenth nor what is less than the least is on the scale.
        let c = compander(DType::F32, tenths);
        let inner =
            c.compress(1, &to_little_endian(&[0.1_f32, 0.25, f32::NAN]), &FillValues::default());
        let mut rows = [0.0_f64; 3];
        from_little_endian(&inner, &mut rows);
        assert!(rows.iter().all(|v| v.is_nan()));
        check(Scale { least: 1, multiple: Some((7, 1)) }, &[-700_i16, -7, 0, 7, 21_000]);
    }

    #[test]
    fn whatever_a_model_says_is_a_number() {
        for v in [f64::NAN, f64::INFINITY, f64::MIN, 1e300, -1e9, 1e-300] {
            for least in [1, 1 << 22] {
                let c = compander(DType::F32, Scale { least, multiple: None });
                let mut out = [0; 4];
                c.expand(1, &[v], &mut out);
                assert!(f32::from_le_bytes(out).is_finite());
            }
        }
    }
}
