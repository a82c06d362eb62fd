//! Whether decoded numbers keep a promise.

use super::big::Big;
use aezip::{DType, Fidelity, Matrix, Rows};
use std::cmp::Ordering;

/// A number of any type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    Integer(i128),
    Float(f64),
    /// NaN or infinite.
    Special,
}

impl Number {
    pub fn nearest(self) -> f64 {
        match self {
            Number::Integer(k) => k as f64,
            Number::Float(x) => x,
            Number::Special => f64::NAN,
        }
    }

    /// Sign and magnitude in units of 2^-1074.
    fn exact(self) -> (bool, Big) {
        match self {
            Number::Integer(k) => (k < 0, Big::shifted(k.unsigned_abs(), 1074)),
            Number::Float(x) => {
                let bits = x.to_bits();
                let (exponent, mantissa) = ((bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
                let big = match exponent {
                    0 => Big::shifted(mantissa.into(), 0),
                    e => Big::shifted((mantissa | 1 << 52).into(), e as usize - 1),
                };
                (x < 0.0, big)
            }
            Number::Special => panic!("not a number"),
        }
    }

    fn distance(self, other: Self) -> Big {
        let ((s, a), (t, b)) = (self.exact(), other.exact());
        match (s == t, a.cmp(&b)) {
            (false, _) => a.plus(&b),
            (true, Ordering::Less) => b.minus(&a),
            (true, _) => a.minus(&b),
        }
    }

    fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Number::Integer(a), Number::Integer(b)) => a.cmp(&b),
            (a, b) => a.nearest().total_cmp(&b.nearest()),
        }
    }
}

fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (e, m) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3ff));
    sign * if e == 0 { m / 16_777_216.0 } else { (1024.0 + m) * 2_f64.powi(e - 25) }
}

/// The numbers of a matrix.
pub fn numbers(matrix: &Matrix) -> Vec<Number> {
    let dtype = matrix.schema().dtype;
    let one = |cell: &[u8]| {
        let mut wide = [0_u8; 8];
        wide[..cell.len()].copy_from_slice(cell);
        let bits = u64::from_le_bytes(wide);
        let float = |x: f64| if x.is_finite() { Number::Float(x) } else { Number::Special };
        match dtype {
            DType::F16 if bits & 0x7c00 == 0x7c00 => Number::Special,
            DType::F16 => Number::Float(half(bits as u16)),
            DType::F32 => float(f64::from(f32::from_bits(bits as u32))),
            DType::F64 => float(f64::from_bits(bits)),
            DType::I8 => Number::Integer((bits as i8).into()),
            DType::I16 => Number::Integer((bits as i16).into()),
            DType::I32 => Number::Integer((bits as i32).into()),
            DType::I64 => Number::Integer((bits as i64).into()),
            _ => Number::Integer(bits.into()),
        }
    };
    matrix.bytes().chunks(dtype.size()).map(one).collect()
}

/// `digits · 10^power`.
#[derive(Debug, Clone, Copy)]
struct Typed {
    digits: u128,
    power: i32,
}

impl Typed {
    fn parse(text: &str) -> Self {
        let (mantissa, power) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}").parse().expect("digits");
        Self { digits, power: power.parse::<i32>().expect("a power") - fraction.len() as i32 }
    }

    /// Whether `error ≤ self · unit`.
    fn allows(self, error: &Big, unit: &Big) -> bool {
        let (down, up) = ((-self.power).max(0) as u32, self.power.max(0) as u32);
        error.scaled(1, down) <= unit.scaled(self.digits, up)
    }
}

/// A bound on each value: `typed · unit`.
struct Bound {
    typed: Typed,
    unit: Big,
    /// Differences below are surely within it, those above `far` surely not.
    near: f64,
}

/// A promise about some original numbers.
pub struct Judge<'a> {
    original: &'a Matrix,
    numbers: Vec<Number>,
    fidelity: &'a Fidelity,
}

impl<'a> Judge<'a> {
    pub fn new(original: &'a Matrix, fidelity: &'a Fidelity) -> Self {
        Self { original, numbers: numbers(original), fidelity }
    }

    /// Values that stand for missing numbers must come back as they are, and count for nothing.
    pub fn without(mut self, fills: &[f64]) -> Self {
        for number in &mut self.numbers {
            // Integers next to the ends of 64 bits are the same `f64`.
            let is_exact = match *number {
                Number::Integer(k) => {
                    let ends = [i64::MAX.into(), u64::MAX.into()];
                    k as f64 as i128 == k || ends.contains(&k)
                }
                _ => true,
            };
            if is_exact && fills.contains(&number.nearest()) {
                *number = Number::Special;
            }
        }
        self
    }

    fn width(&self) -> usize {
        self.original.schema().width()
    }

    fn column(&self, j: usize) -> impl Iterator<Item = Number> + '_ {
        let own = self.numbers.iter().skip(j).step_by(self.width()).copied();
        own.filter(|x| *x != Number::Special)
    }

    /// Bounds of the columns, if the promise is about single values.
    fn bounds(&self) -> Option<Vec<Bound>> {
        let one = Big::shifted(1, 1074);
        let bound = |text: &str, unit: &Big, size: f64| {
            let near = text.parse::<f64>().expect("a number") * size * (1.0 - 1e-9);
            let near = if near.is_normal() { near } else { 0.0 };
            Bound { typed: Typed::parse(text), unit: unit.clone(), near }
        };
        let columns = 0..self.width();
        Some(match self.fidelity {
            Fidelity::Lossless => columns.map(|_| bound("0", &one, 1.0)).collect(),
            Fidelity::MaxError(d) => columns.map(|_| bound(d.text(), &one, 1.0)).collect(),
            Fidelity::MaxErrorRel(d) => columns
                .map(|j| {
                    let low = self.column(j).min_by(|a, b| a.order(*b));
                    let high = self.column(j).max_by(|a, b| a.order(*b));
                    let (Some(low), Some(high)) = (low, high) else {
                        return bound("0", &one, 1.0);
                    };
                    let size = match (low, high) {
                        (Number::Integer(a), Number::Integer(b)) => (b - a) as f64,
                        _ => high.nearest() - low.nearest(),
                    };
                    bound(d.text(), &high.distance(low), size)
                })
                .collect(),
            Fidelity::MaxErrorColumns(list) => {
                let names = self.original.schema().columns.as_ref();
                let by_name = |j: usize| {
                    let name = names.map_or(j.to_string(), |n| n[j].clone());
                    let own = list.iter().find(|(n, _)| *n == name);
                    own.or(list.iter().find(|(n, _)| n == "*")).map_or("0", |(_, d)| d.text())
                };
                columns.map(|j| bound(by_name(j), &one, 1.0)).collect()
            }
            _ => return None,
        })
    }

    /// Says how `decoded` breaks the promise.
    pub fn compare(&self, decoded: &Matrix, file_bytes: u64) -> Result<(), String> {
        let width = self.width();
        let size = self.original.schema().dtype.size();
        let cell = |m: &Matrix, i: usize| m.bytes()[i * size..(i + 1) * size].to_vec();
        let got = numbers(decoded);
        let bounds = self.bounds();
        for (i, (&x, &y)) in self.numbers.iter().zip(&got).enumerate() {
            let same = self.original.bytes()[i * size..(i + 1) * size]
                == decoded.bytes()[i * size..(i + 1) * size];
            if same {
                continue;
            }
            let wrong = |why: &str| {
                let (a, b) = (cell(self.original, i), cell(decoded, i));
                let at = (i / width, i % width);
                Err(format!("{why} at {at:?}: {x:?} {a:02x?} became {y:?} {b:02x?}"))
            };
            if x == Number::Special || y == Number::Special {
                return wrong("a special value changed or was made");
            }
            let Some(bounds) = &bounds else { continue };
            let bound = &bounds[i % width];
            if bound.typed.digits == 0 || bound.unit == Big::default() {
                return wrong("bits changed where everything must be exact");
            }
            if !matches!(x, Number::Integer(_)) && (x.nearest() - y.nearest()).abs() < bound.near {
                continue;
            }
            if !bound.typed.allows(&x.distance(y), &bound.unit) {
                return wrong("a bound is broken");
            }
        }
        self.sums(&got, file_bytes)
    }

    /// Promises about sums, in `f64` scaled so that nothing overflows or vanishes.
    fn sums(&self, got: &[Number], file_bytes: u64) -> Result<(), String> {
        if self.original.is_empty() {
            return Ok(());
        }
        let width = self.width();
        let text = self.fidelity.text();
        let limit = || text.parse::<f64>().expect("a number");
        let largest = self.numbers.iter().map(|x| x.nearest().abs());
        let scale = largest.fold(0.0, f64::max).max(f64::MIN_POSITIVE);
        let power = 2_f64.powi(-(scale.log2() as i32) / 2);
        let scaled = |n: &Number| n.nearest() * power * power;
        let x: Vec<f64> = self.numbers.iter().map(scaled).collect();
        let y: Vec<f64> = got.iter().map(scaled).collect();
        let finite = |i: usize| self.numbers[i] != Number::Special;
        let cells = || (0..x.len()).filter(|&i| finite(i));
        let means: Vec<f64> = (0..width)
            .map(|j| {
                let own: Vec<f64> =
                    (j..x.len()).step_by(width).filter(|&i| finite(i)).map(|i| x[i]).collect();
                own.iter().sum::<f64>() / own.len().max(1) as f64
            })
            .collect();
        let error = |i: usize| (x[i] - y[i]).powi(2);
        let sizes: Vec<f64> = (0..width)
            .map(|j| {
                let own: Vec<f64> = (j..x.len())
                    .step_by(width)
                    .filter(|&i| finite(i))
                    .map(|i| x[i].abs())
                    .collect();
                own.iter().sum::<f64>() / own.len().max(1) as f64
            })
            .collect();
        // A mean is known to about this, so a deviation is too: where values cancel, the mean may be
        // far smaller than the rounding of their sum.
        let spare = |i: usize| 1e-13 * x[i].abs().max(sizes[i % width]);
        let deviation = |i: usize| ((x[i] - means[i % width]).abs() + spare(i)).powi(2);
        let fail = |what: &str, value: f64| Err(format!("{what} is {value:e}"));
        match self.fidelity {
            Fidelity::Nmse(_) => {
                let (e, d): (f64, f64) = (cells().map(error).sum(), cells().map(deviation).sum());
                if e > limit() * d * (1.0 + 1e-9) {
                    return fail("NMSE", e / d);
                }
            }
            Fidelity::Psnr(_) => {
                let e: f64 = cells().map(error).sum::<f64>() / cells().count().max(1) as f64;
                let low = cells().map(|i| x[i]).fold(f64::INFINITY, f64::min);
                let high = cells().map(|i| x[i]).fold(f64::NEG_INFINITY, f64::max);
                if e > 0.0 && 20.0 * (high - low).log10() - 10.0 * e.log10() < limit() - 1e-6 {
                    return fail("mean squared error", e);
                }
            }
            Fidelity::Cosine(_) => {
                let own = |r: usize| r * width..(r + 1) * width;
                let whole = |r: &usize| own(*r).all(finite);
                let (zeros, others): (Vec<usize>, Vec<usize>) = (0..self.original.len())
                    .filter(whole)
                    // Scaled, the smallest numbers may vanish.
                    .partition(|&r| own(r).all(|i| self.numbers[i].nearest() == 0.0));
                let is_changed = |&r: &usize| own(r).any(|i| got[i].nearest() != 0.0);
                let changed = zeros.into_iter().find(is_changed);
                if let Some(r) = changed {
                    return fail(&format!("row {r} of zeros, decoded to others,"), r as f64);
                }
                let mean = others.iter().map(|&r| self.cosine(r, got)).sum::<f64>()
                    / others.len().max(1) as f64;
                if !others.is_empty() && mean < limit() * (1.0 - 1e-9) {
                    return fail("mean cosine", mean);
                }
            }
            Fidelity::RowCosine(_) => {
                for r in 0..self.original.len() {
                    let c = self.cosine(r, got);
                    if c < limit() * (1.0 - 1e-9) {
                        return fail(&format!("the cosine of row {r}"), c);
                    }
                }
            }
            Fidelity::RowNmse(_) => {
                for r in 0..self.original.len() {
                    let own = || (r * width..(r + 1) * width).filter(|&i| finite(i));
                    // By the row's own size, for rows much smaller than the largest.
                    let size = own().map(|i| deviation(i).sqrt()).fold(0.0, f64::max);
                    let size = size.max(f64::MIN_POSITIVE);
                    let sum = |f: &dyn Fn(usize) -> f64| -> f64 {
                        own().map(|i| (f(i) / size).powi(2)).sum()
                    };
                    let e = sum(&|i| x[i] - y[i]);
                    let d = sum(&|i| (x[i] - means[i % width]).abs() + spare(i));
                    if e > limit() * d * (1.0 + 1e-9) {
                        return fail(&format!("the NMSE of row {r}"), e / d);
                    }
                }
            }
            Fidelity::RowL2(_) => {
                for r in 0..self.original.len() {
                    let own = || (r * width..(r + 1) * width).filter(|&i| finite(i));
                    let size = own().map(|i| (x[i] - y[i]).abs()).fold(0.0, f64::max);
                    let squares: f64 =
                        own().map(|i| ((x[i] - y[i]) / size.max(f64::MIN_POSITIVE)).powi(2)).sum();
                    let length = size * squares.sqrt() / power / power;
                    if length > limit() * (1.0 + 1e-9) {
                        return fail(&format!("the length of the error of row {r}"), length);
                    }
                }
            }
            Fidelity::MaxErrorPointwiseRel(_) => {
                for i in cells() {
                    let (x, y) = (self.numbers[i].nearest(), got[i].nearest());
                    let is_kept = (x - y).abs() <= limit() * x.abs();
                    if !is_kept || x.is_sign_negative() != y.is_sign_negative() {
                        return fail(&format!("{x:e} at {i}"), y);
                    }
                }
            }
            Fidelity::Ratio(_) => {
                let ratio = self.original.bytes().len() as f64 / file_bytes as f64;
                if ratio < limit() {
                    return fail("the ratio", ratio);
                }
            }
            Fidelity::BytesPerRow(_) => {
                let bytes = file_bytes as f64 / self.original.len() as f64;
                if bytes > limit() {
                    return fail("bytes per row", bytes);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Cosine of a row and what it was decoded to; each scaled by its own largest value.
    fn cosine(&self, row: usize, got: &[Number]) -> f64 {
        let width = self.width();
        let own = (row * width..(row + 1) * width).filter(|&i| self.numbers[i] != Number::Special);
        let (x, y): (Vec<f64>, Vec<f64>) =
            own.map(|i| (self.numbers[i].nearest(), got[i].nearest())).unzip();
        let scaled = |v: &[f64]| -> Vec<f64> {
            let largest = v.iter().fold(0.0, |a, b| f64::max(a, b.abs()));
            v.iter().map(|x| if largest > 0.0 { x / largest } else { 0.0 }).collect()
        };
        if x == y {
            return 1.0;
        }
        if x.iter().all(|v| *v == 0.0) {
            return 0.0;
        }
        let (x, y) = (scaled(&x), scaled(&y));
        let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
        if dot(&y, &y) == 0.0 { 0.0 } else { dot(&x, &y) / (dot(&x, &x) * dot(&y, &y)).sqrt() }
    }
}
