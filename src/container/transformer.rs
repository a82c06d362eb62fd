//! The `tran` section of a codec: a masked transformer, which restores hidden patches of rows from those that are
//! seen. Reading rows does not need it.
//!
//! Like the encoder it is made of floats: what it restores is a guess, which a machine may round otherwise.

use super::bytes::Cursor;
#[cfg(feature = "compress")]
use super::bytes::put_varint;
use super::forever::{MAX_DEPTH, MAX_ROW_NUMBERS, MAX_TOKEN};
use super::shuffle;
use crate::error::{Error, Result};
use crate::limits::{self, Limits};

/// Level of zstd for floats: little but signs and exponents gets smaller, at any level.
#[cfg(feature = "compress")]
const FLOAT_LEVEL: i32 = 9;
/// How many times as many units as a token has numbers the hidden layer of a block has.
const WIDER: u64 = 4;

/// Numbers that a block makes of each number of a token, about: two norms, three sources, what is attended, and the
/// hidden layer before and after its function.
const NUMBERS_OF_TOKEN: u128 = 16;

/// Blocks of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StackRecord {
    /// Numbers of a token, a multiple of `heads`.
    pub(crate) dim: usize,
    /// Heads of each attention.
    pub(crate) heads: usize,
    /// Number of blocks.
    pub(crate) depth: usize,
}

impl StackRecord {
    #[cfg(feature = "compress")]
    fn encode(self, out: &mut Vec<u8>) {
        [self.dim, self.heads, self.depth].iter().for_each(|n| put_varint(out, *n as u64));
    }

    fn decode(cursor: &mut Cursor<'_>, at: u64) -> Result<Self> {
        let [dim, heads, depth] = [cursor.varint()?, cursor.varint()?, cursor.varint()?];
        let is_sound = (1..=MAX_TOKEN).contains(&dim)
            && (1..=dim).contains(&heads)
            && dim % heads == 0
            && (1..=MAX_DEPTH).contains(&depth);
        if !is_sound {
            let what = format!("{depth} blocks of {heads} heads and tokens of {dim} numbers");
            return Err(Error::corrupt(what).at(at));
        }
        Ok(Self { dim: dim as usize, heads: heads as usize, depth: depth as usize })
    }

    /// Fails if its blocks make too many numbers of a row of `patches` patches.
    fn check_row_numbers(self, patches: u64) -> Result<()> {
        let numbers = self.row_numbers(patches);
        if numbers <= u128::from(MAX_ROW_NUMBERS) {
            return Ok(());
        }
        Err(Error::limit(format!(
            "a transformer that makes {numbers} numbers of a row; {MAX_ROW_NUMBERS} are allowed"
        )))
    }

    /// Counts the numbers that its blocks make of a row of `patches` patches, about: weights of attention, and what
    /// layers give. Below 2^67 for any claim.
    fn row_numbers(self, patches: u64) -> u128 {
        let [patches, dim, heads, depth] =
            [patches, self.dim as u64, self.heads as u64, self.depth as u64].map(u128::from);
        depth * patches * (heads * patches + NUMBERS_OF_TOKEN * dim)
    }

    /// Counts the parameters of its blocks, below 2^36.
    fn parameters(self) -> u64 {
        let dim = self.dim as u64;
        let norms = 4 * dim;
        let attention = 4 * (dim + 1) * dim;
        let hidden = (dim + 1) * WIDER * dim + (WIDER * dim + 1) * dim;
        self.depth as u64 * (norms + attention + hidden)
    }
}

/// A masked transformer, in 32-bit floats.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TransformerRecord {
    /// Lines that a row's values lie in, one after the other; all as long.
    pub(crate) lines: usize,
    /// Lines and values of a line that a patch has; at the edges of a row patches may have fewer.
    pub(crate) patch: [usize; 2],
    /// How many patches of a row were seen in training.
    pub(crate) seen: usize,
    pub(crate) encoder: StackRecord,
    pub(crate) decoder: StackRecord,
    /// Subtracted from each column, in the data's units.
    pub(crate) centre: Vec<f64>,
    /// What the difference is divided by, above 0.
    pub(crate) scale: f64,
    pub(crate) params: Vec<f32>,
}

impl TransformerRecord {
    /// Fails if more numbers are made of a row than readers allow.
    #[cfg(feature = "compress")]
    pub(crate) fn check_row_numbers(&self) -> Result<()> {
        let line = self.centre.len() / self.lines;
        let patches = self.lines.div_ceil(self.patch[0]) * line.div_ceil(self.patch[1]);
        let stacks = [self.encoder, self.decoder];
        stacks.iter().try_for_each(|stack| stack.check_row_numbers(patches as u64))
    }

    /// Returns the section's payload.
    #[cfg(feature = "compress")]
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let [height, width] = self.patch;
        [self.lines, height, width, self.seen].iter().for_each(|n| put_varint(&mut out, *n as u64));
        self.encoder.encode(&mut out);
        self.decoder.encode(&mut out);
        let wide = self.centre.iter().chain([&self.scale]).flat_map(|v| v.to_le_bytes());
        let narrow: Vec<u8> = self.params.iter().flat_map(|v| v.to_le_bytes()).collect();
        let mut floats = shuffle::shuffle(&wide.collect::<Vec<u8>>(), 8);
        floats.extend(shuffle::shuffle(&narrow, 4));
        out.extend(shuffle::compress(&floats, FLOAT_LEVEL));
        out
    }

    /// Reads a payload that begins at `at`, for rows of `columns` columns.
    pub(crate) fn decode(bytes: &[u8], at: u64, columns: usize, limits: &Limits) -> Result<Self> {
        let corrupt = |what: String| Error::corrupt(what).at(at);
        let mut cursor = Cursor::new(bytes, at);
        let lines = cursor.varint()?;
        if lines == 0 || !(columns as u64).is_multiple_of(lines) {
            return Err(corrupt(format!("{columns} values in {lines} lines")));
        }
        let line = columns as u64 / lines;
        let [height, width] = [cursor.varint()?, cursor.varint()?];
        if !(1..=lines).contains(&height) || !(1..=line).contains(&width) {
            return Err(corrupt(format!(
                "patches of {height} × {width} values, rows of {lines} × {line}"
            )));
        }
        let patches = lines.div_ceil(height) * line.div_ceil(width);
        let seen = cursor.varint()?;
        if !(1..patches).contains(&seen) {
            return Err(corrupt(format!("{seen} of {patches} patches are seen")));
        }
        let encoder = StackRecord::decode(&mut cursor, at)?;
        let decoder = StackRecord::decode(&mut cursor, at)?;
        for stack in [encoder, decoder] {
            stack.check_row_numbers(patches).map_err(|e| e.at(at))?;
        }
        let [e, d] = [encoder, decoder].map(|stack| stack.dim as u64);
        // No sum is beyond 2^40: patch and patches are at most 2^24, tokens 2^13.
        let patch = height * width;
        let ends = (patch + 1) * e + (e + 1) * d + (d + 1) * patch;
        let tables = patches * (e + d) + d + 2 * (e + d);
        let params = ends + tables + encoder.parameters() + decoder.parameters();
        let wide = 8 * (columns as u64 + 1);
        let total = wide + 4 * params;
        // Whoever runs it holds the column of each value of a patch, and a row that is cut into patches.
        let cut = 8 * patches * patch;
        limits::check("the transformer", total + cut, limits.model_bytes).map_err(|e| e.at(at))?;
        let total = usize::try_from(total).map_err(|_| {
            Error::limit("the transformer is larger than this machine's memory").at(at)
        })?;
        let floats = shuffle::decompress(cursor.rest(), total, at)?;
        if floats.len() != total {
            let what = format!("a transformer's floats take {total} bytes, not {}", floats.len());
            return Err(corrupt(what));
        }
        let (wide, narrow) = floats.split_at(wide as usize);
        let plain = |bytes: &[u8], size: usize| {
            let mut out = vec![0; bytes.len()];
            shuffle::unshuffle(bytes, size, 0, &mut out);
            out
        };
        let doubles = plain(wide, 8);
        let doubles = doubles.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b));
        let mut centre: Vec<f64> = doubles.collect();
        let scale = centre.pop().unwrap_or_default();
        let singles = plain(narrow, 4);
        let params: Vec<f32> =
            singles.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        let is_finite =
            centre.iter().all(|v| v.is_finite()) && params.iter().all(|v| v.is_finite());
        if !(is_finite && scale > 0.0 && scale.is_finite()) {
            return Err(corrupt(
                "a number of the transformer is not finite, or its scale not above 0".into(),
            ));
        }
        Ok(Self {
            lines: lines as usize,
            patch: [height as usize, width as usize],
            seen: seen as usize,
            encoder,
            decoder,
            centre,
            scale,
            params,
        })
    }
}

#[cfg(all(test, feature = "compress"))]
mod tests {
    use super::*;
    use crate::container::forever::MAX_WIDTH;
    use crate::error::ErrorKind;

    /// Makes a transformer for rows of two lines of three values.
    fn record() -> TransformerRecord {
        let stack = StackRecord { dim: 2, heads: 1, depth: 1 };
        let params = (0..194).map(|i| (i as f32 * 0.7).sin()).collect();
        let centre = vec![1.5, -0.0, f64::MAX, 1e-310, 0.0, 3.0];
        let (encoder, decoder) = (stack, StackRecord { heads: 2, ..stack });
        TransformerRecord {
            lines: 2,
            patch: [2, 2],
            seen: 1,
            encoder,
            decoder,
            centre,
            scale: 0.5,
            params,
        }
    }

    fn decode(bytes: &[u8]) -> Result<TransformerRecord> {
        TransformerRecord::decode(bytes, 0, 6, &Limits::default())
    }

    #[test]
    fn records_come_back_bit_for_bit_and_no_part_of_them_passes() {
        let own = record();
        let bytes = own.encode();
        let back = decode(&bytes).unwrap();
        assert_eq!(back, own);
        assert_eq!(back.encode(), bytes, "signs of zeros too");
        (0..bytes.len()).for_each(|n| drop(decode(&bytes[..n]).expect_err("cut")));
        decode(&[&bytes[..], &[0]].concat()).expect_err("goes on");
        for bit in 0..bytes.len() * 8 {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            // A bit of a float makes another float.
            drop(decode(&other));
        }
    }

    #[test]
    fn memory_is_counted_before_it_is_taken() {
        let bytes = record().encode();
        // Of 2 patches of 4 values each.
        let total = 8 * 7 + 4 * 194 + 8 * 2 * 4;
        let with = |model_bytes| Limits { model_bytes, ..Limits::default() };
        assert!(TransformerRecord::decode(&bytes, 0, 6, &with(total)).is_ok());
        let error = TransformerRecord::decode(&bytes, 0, 6, &with(total - 1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        // The largest that numbers can say, for the widest rows.
        let wide = MAX_WIDTH as u64;
        let mut claim = Vec::new();
        for n in [1, 1, 1, 1, MAX_TOKEN, MAX_TOKEN, MAX_DEPTH, MAX_TOKEN, 1, MAX_DEPTH] {
            put_varint(&mut claim, n);
        }
        let error = TransformerRecord::decode(&claim, 0, wide as usize, &Limits::default());
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Limit);
        let mut claim = Vec::new();
        for n in [u64::MAX, 1, 1, 1, 2, 1, 1, 2, 1, 1] {
            put_varint(&mut claim, n);
        }
        assert_eq!(decode(&claim).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}
