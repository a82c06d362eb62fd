//! Stored integer tables: which slots of the coder belong to which numbers.
//!
//! Three kinds. A *ladder* table is named by a shape and a scale and costs two small numbers in
//! the model. A *histogram* lists numbers and frequencies: for gappy or few-valued columns.
//! A *token* table codes a number's sign, bit length and leading bits, the rest raw: for wide
//! values. All are laid out alike: sorted intervals of numbers, each with its slots.

use super::buckets::{Buckets, Found, incomplete};
use super::rans::{PROB_BITS, PROB_SCALE, RansDecoder, RansEncoder};
use crate::error::{Error, Result};
use std::hint::select_unpredictable;

/// Cumulative distributions, `2^30 F(i / 32)` for `i = 0..=512`, four shapes.
static SHAPES: &[u8; 4 * 513 * 4] = include_bytes!("../../format-spec/shapes.bin");
/// How far a ladder table reaches before its escapes, in scales.
const REACH: [u64; SHAPE_COUNT] = [6, 12, 12, 16];
/// Gaussian, logistic, Laplace, Student's t with 3 degrees of freedom.
pub(crate) const SHAPE_COUNT: usize = 4;
/// Scales per shape: `2^(i/4 − 4)`.
pub(crate) const SCALE_COUNT: usize = 240;
/// Most entries of a histogram.
pub(crate) const MAX_HISTOGRAM: usize = 4096;
/// `2^(20 − j/4)`, rounded.
const INVERSE_QUARTERS: [u64; 4] = [1_048_576, 881_744, 741_455, 623_487];

/// What the model stores of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum TableSpec {
    /// The number is always 0 and costs nothing.
    Zero,
    /// `shape` with scale `2^(scale/4 − 4)`, centred at 0.
    Ladder { shape: u8, scale: u8 },
    /// `(number >> raw, frequency)` ascending, the `raw` lower bits sent as they are, and the
    /// frequency of everything else, which may be 0.
    Histogram { raw: u8, entries: Vec<(i64, u32)>, escape: u32 },
    /// Frequencies of tokens, most negative first; `lead` bits kept below the leading one.
    Tokens { lead: u8, frequencies: Vec<u32> },
}

/// An escape upwards: how far beyond the base follows.
const ESCAPE_UP: u8 = 255;
/// An escape downwards, likewise.
const ESCAPE_DOWN: u8 = 254;
/// An escape of a histogram: any 64-bit number follows.
const ESCAPE_ANY: u8 = 253;

/// A table ready for coding.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// First slot of each entry, and `PROB_SCALE` at the end.
    starts: Box<[u32]>,
    /// Smallest number of each entry; for escapes, where counting begins.
    base: Box<[i64]>,
    /// Raw bits of each entry, or which escape it is.
    raw: Box<[u8]>,
    /// The same, as decoding finds them.
    buckets: Buckets,
    /// For ladders: `(raw bits, numbers on each side)`, to find an entry without searching.
    ladder: Option<(u32, i64)>,
}

impl Table {
    /// Lays out a table. Rejects frequencies that do not add up.
    pub(crate) fn new(spec: &TableSpec) -> Result<Self> {
        match spec {
            TableSpec::Zero => Self::assemble(&[PROB_SCALE], vec![0], vec![0], None),
            TableSpec::Ladder { shape, scale } => Self::ladder(*shape, *scale),
            TableSpec::Histogram { raw, entries, escape } => {
                let ascending = entries.is_sorted_by(|a, b| a.0 < b.0);
                let fits = |n: i64| (n << raw) >> raw == n;
                let ends = [entries.first(), entries.last()];
                if entries.len() > MAX_HISTOGRAM
                    || *raw > 63
                    || !ascending
                    || !ends.into_iter().flatten().all(|e| fits(e.0))
                {
                    return Err(Error::corrupt("a histogram is too long or not ascending"));
                }
                let mut frequencies: Vec<u32> = entries.iter().map(|e| e.1).collect();
                let mut base: Vec<i64> = entries.iter().map(|e| e.0 << raw).collect();
                let mut raw = vec![*raw; entries.len()];
                if *escape > 0 {
                    frequencies.push(*escape);
                    base.push(0);
                    raw.push(ESCAPE_ANY);
                }
                Self::assemble(&frequencies, base, raw, None)
            }
            TableSpec::Tokens { lead, frequencies } => {
                let (mut base, mut raw) = (Vec::new(), Vec::new());
                let half = token_count(*lead);
                if frequencies.len() != 2 * half - 1 {
                    return Err(Error::corrupt("a token table has the wrong length"));
                }
                for i in 0..2 * half - 1 {
                    let magnitude = (i as i64 - (half as i64 - 1)).unsigned_abs() as usize;
                    let (low, bits) = token_interval(*lead, magnitude);
                    let negative = i < half - 1;
                    base.push(if negative {
                        (low + ((1_u64 << bits) - 1)).wrapping_neg() as i64
                    } else {
                        low as i64
                    });
                    raw.push(bits as u8);
                }
                Self::assemble(frequencies, base, raw, None)
            }
        }
    }

    fn ladder(shape: u8, scale: u8) -> Result<Self> {
        if usize::from(shape) >= SHAPE_COUNT || usize::from(scale) >= SCALE_COUNT {
            return Err(Error::corrupt(format!("ladder {shape}, {scale} is not defined")));
        }
        // The scale is 2^(j/4) · 2^octave; above 8 its low bits are sent raw.
        let (octave, j) = (i32::from(scale >> 2) - 4, usize::from(scale & 3));
        let raw = (octave - 2).max(0) as u32;
        let octave = octave.min(2);
        let inverse = INVERSE_QUARTERS[j] << (2 - octave); // 2^22 / scale
        // 2^22/inverse is the scale; the reach is rounded down and one added.
        let reach = ((REACH[usize::from(shape)] << 22) / inverse + 1) as i64;
        let entries = 2 * reach as usize + 3;
        let spread = u64::from(PROB_SCALE) - entries as u64;
        // Upper edge of number s: s + ½ without raw bits, s + 1 − 2^-(raw+1) with them.
        let half = if raw == 0 { 8 } else { 16 - (8_i64 >> raw.min(4)) };
        let mut frequencies = Vec::with_capacity(entries);
        let mut last = 0;
        for i in 0..entries as i64 {
            let cumulative = if i == entries as i64 - 1 {
                u64::from(PROB_SCALE)
            } else {
                let edge = (i - reach - 1) * 16 + half;
                (i as u64 + 1) + ((distribution(shape, edge, inverse) * spread) >> 30)
            };
            frequencies.push((cumulative - last) as u32);
            last = cumulative;
        }
        let mut base = vec![-(reach << raw) - 1];
        base.extend((-reach..=reach).map(|s| s << raw));
        base.push((reach + 1) << raw);
        let mut raws = vec![raw as u8; entries];
        raws[0] = ESCAPE_DOWN;
        raws[entries - 1] = ESCAPE_UP;
        Self::assemble(&frequencies, base, raws, Some((raw, reach)))
    }

    fn assemble(
        frequencies: &[u32],
        base: Vec<i64>,
        raw: Vec<u8>,
        ladder: Option<(u32, i64)>,
    ) -> Result<Self> {
        // Entries without slots are never read: decoding would step over each, thousands of them.
        let kept: Vec<usize> = (0..frequencies.len()).filter(|&i| frequencies[i] > 0).collect();
        let base = kept.iter().map(|&i| base[i]).collect();
        let raw = kept.iter().map(|&i| raw[i]).collect();
        let mut starts = Vec::with_capacity(frequencies.len() + 1);
        let mut sum = 0_u64;
        for f in kept.into_iter().map(|i| frequencies[i]) {
            starts.push(sum as u32);
            sum += u64::from(f);
            if sum > u64::from(PROB_SCALE) {
                break;
            }
        }
        if sum != u64::from(PROB_SCALE) {
            return Err(Error::corrupt(format!(
                "a table's frequencies add up to {sum}, not {PROB_SCALE}"
            )));
        }
        starts.push(PROB_SCALE);
        let raw: Box<[u8]> = raw;
        let base: Box<[i64]> = base;
        let number = |i: usize| i32::try_from(base[i]).ok().filter(|_| raw[i] == 0);
        let entry =
            |(i, ends): (usize, &[u32])| Found::new(i, ends[0], ends[1] - ends[0], number(i));
        let buckets = Buckets::new(starts.windows(2).enumerate().map(entry).collect());
        Ok(Self { starts: starts.into(), base, raw, buckets, ladder })
    }

    /// Lists numbers, the middle ones of intervals, with their probabilities; without escapes.
    #[cfg(feature = "apps")]
    pub(crate) fn numbers(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let slots = self.starts.windows(2).map(|ends| f64::from(ends[1] - ends[0]));
        let entries = self.base.iter().zip(&self.raw).zip(slots).filter(|((_, raw), _)| **raw < 64);
        entries.map(|((base, raw), slots)| {
            let middle = *base as f64 + ((f64::from(*raw)).exp2() - 1.0) / 2.0;
            (middle, slots / f64::from(PROB_SCALE))
        })
    }

    /// Returns the entries as decoding finds them.
    pub(super) fn entries(&self) -> &[Found] {
        &self.buckets.entries
    }

    /// Reads one number.
    #[inline(always)]
    pub(crate) fn decode(&self, coder: &mut RansDecoder<'_>) -> i64 {
        let short = self.symbol(coder);
        self.number(short, coder)
    }

    /// Reads one number with this table, or with the `other`.
    #[inline(always)]
    pub(crate) fn decode_either(
        &self,
        other: &Self,
        is_other: bool,
        coder: &mut RansDecoder<'_>,
    ) -> i64 {
        let found = self.buckets.find_either(&other.buckets, is_other, coder.slot());
        coder.take(found.start(), found.frequency());
        if incomplete(found.number()).is_none() {
            return i64::from(found.number());
        }
        select_unpredictable(is_other, other, self).number(found.number(), coder)
    }

    /// Reads the next number as far as its entry says it.
    #[inline(always)]
    pub(crate) fn symbol(&self, coder: &mut RansDecoder<'_>) -> i32 {
        let found = self.buckets.find(coder.slot());
        coder.take(found.start(), found.frequency());
        found.number()
    }

    /// Returns a number of which so much is known, once the rest of it is read.
    #[inline(always)]
    pub(crate) fn number(&self, short: i32, coder: &mut RansDecoder<'_>) -> i64 {
        let Some(entry) = incomplete(short) else { return i64::from(short) };
        let (number, after) = self.complete(entry, *coder);
        *coder = after;
        number
    }

    /// Reads what an entry leaves open. The coder comes and goes by value, so that in a loop over
    /// numbers it stays in registers.
    #[inline(never)]
    pub(crate) fn complete<'a>(
        &self,
        i: usize,
        mut coder: RansDecoder<'a>,
    ) -> (i64, RansDecoder<'a>) {
        let base = self.base[i];
        let number = match self.raw[i] {
            ESCAPE_ANY => coder.raw(64) as i64,
            raw @ (ESCAPE_UP | ESCAPE_DOWN) => {
                // Exponential Golomb: the bit length of distance + 1, then its lower bits.
                let length = coder.raw(6) as u32;
                let distance = (1_u64 << length | coder.raw(length)).wrapping_sub(1) as i64;
                if raw == ESCAPE_UP {
                    base.wrapping_add(distance)
                } else {
                    base.wrapping_sub(distance)
                }
            }
            bits => base.wrapping_add(coder.raw(u32::from(bits)) as i64),
        };
        (number, coder)
    }

    /// Finds the entry that holds `number`, if any does.
    #[inline]
    fn entry(&self, number: i64) -> Option<usize> {
        if let Some((raw, reach)) = self.ladder {
            let s = (number >> raw).clamp(-reach - 1, reach + 1);
            return Some((s + reach + 1) as usize);
        }
        let escape = *self.raw.last()? == ESCAPE_ANY;
        let plain = self.base.len() - usize::from(escape);
        let i = self.base[..plain].partition_point(|&b| b <= number);
        let found = i.checked_sub(1).filter(|&i| {
            let offset = number.wrapping_sub(self.base[i]) as u64;
            self.starts[i + 1] > self.starts[i] && offset >> self.raw[i] == 0
        });
        found.or(escape.then_some(plain))
    }

    /// Returns the bits that `number` costs; infinite if the table cannot say it.
    pub(crate) fn cost(&self, number: i64) -> f32 {
        let Some(i) = self.entry(number) else { return f32::INFINITY };
        let frequency = self.starts[i + 1] - self.starts[i];
        let slots = PROB_BITS as f32 - (frequency as f32).log2();
        slots
            + match self.raw[i] {
                ESCAPE_ANY => 64.0,
                ESCAPE_UP | ESCAPE_DOWN => {
                    let distance = number.abs_diff(self.base[i]);
                    6.0 + ((distance + 1) as f32).log2().floor()
                }
                bits => f32::from(bits),
            }
    }

    /// Writes `number`; returns false, and writes nothing, if the table cannot say it.
    #[inline]
    pub(crate) fn encode(&self, number: i64, coder: &mut RansEncoder) -> bool {
        // Nearly all numbers are within the reach of a ladder without raw bits.
        if let Some((0, reach)) = self.ladder
            && number.unsigned_abs() <= reach as u64
        {
            let i = (number + reach + 1) as usize;
            if let Some(&[start, end]) = self.starts.get(i..i + 2) {
                coder.slots(start, end - start);
                return true;
            }
        }
        self.encode_any(number, coder)
    }

    fn encode_any(&self, number: i64, coder: &mut RansEncoder) -> bool {
        let Some(i) = self.entry(number) else { return false };
        if matches!(self.raw[i], ESCAPE_UP | ESCAPE_DOWN)
            && number.abs_diff(self.base[i]) == u64::MAX
        {
            return false;
        }
        coder.slots(self.starts[i], self.starts[i + 1] - self.starts[i]);
        match self.raw[i] {
            0 => {}
            ESCAPE_ANY => coder.raw(number as u64, 64),
            ESCAPE_UP | ESCAPE_DOWN => {
                let distance = number.abs_diff(self.base[i]) + 1;
                let length = distance.ilog2();
                coder.raw(u64::from(length), 6);
                coder.raw(distance, length);
            }
            bits => coder.raw(number.wrapping_sub(self.base[i]) as u64, u32::from(bits)),
        }
        true
    }
}

/// Computes `2^30 F(edge / 16 / scale)` with `inverse = 2^22 / scale`, by linear interpolation.
fn distribution(shape: u8, edge: i64, inverse: u64) -> u64 {
    let at = |i: usize| {
        let offset = (usize::from(shape) * 513 + i) * 4;
        u64::from(u32::from_le_bytes(SHAPES[offset..offset + 4].try_into().expect("4 bytes")))
    };
    let x = edge.unsigned_abs() * 2 * inverse; // position in steps of 1/32, times 2^22
    let i = (x >> 22) as usize;
    let upper = if i >= 512 {
        1 << 30
    } else {
        let fraction = (x >> 6) & 0xffff;
        at(i) + (((at(i + 1) - at(i)) * fraction) >> 16)
    };
    if edge < 0 { (1 << 30) - upper } else { upper }
}

/// Counts the tokens of one sign, zero included, with `lead` bits kept.
pub(crate) fn token_count(lead: u8) -> usize {
    // Magnitudes below 2^lead stand for themselves; then 2^lead tokens per bit length.
    (1 << lead) * (64 - usize::from(lead))
}

/// Returns the smallest magnitude of token `t` and its raw bits.
pub(crate) fn token_interval(lead: u8, t: usize) -> (u64, u32) {
    let group = 1_usize << lead;
    if t < 2 * group {
        return (t as u64, 0);
    }
    let bits = (t / group - 1) as u32;
    (((t % group + group) as u64) << bits, bits)
}

/// Returns the token of a magnitude below `2^63`.
pub(crate) fn token_of(lead: u8, magnitude: u64) -> usize {
    let group = 1_usize << lead;
    if magnitude < 2 * group as u64 {
        return magnitude as usize;
    }
    let bits = magnitude.ilog2() - u32::from(lead);
    (bits as usize + 1) * group + ((magnitude >> bits) as usize - group)
}
