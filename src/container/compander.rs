//! How the integers of a logarithmic scale become numbers, where errors are shares of each number.

use super::bytes::{Cursor, put_varint};
use crate::error::{Error, Result};

/// Most steps between integers that must stay apart: sums of them are counted in 64 bits.
pub(crate) const MOST_CELLS: u64 = 1023;
/// Bits of a share behind the point.
pub(crate) const SHARE_BITS: u32 = 48;
/// Most scales: columns name theirs with a byte.
pub(crate) const MAX_SCALES: usize = 256;
/// Integers that an `f64` holds, all of them, are below this.
pub(crate) const MAX_MULTIPLE: u64 = 1 << 53;

/// One scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scale {
    /// The least magnitude but 0: its integer, or the bits of a float without its sign.
    pub(crate) least: u64,
    /// Of which fraction, numerator and denominator, numbers are multiples that magnitudes count; `None` where magnitudes
    /// are those of the type.
    pub(crate) multiple: Option<(u64, u64)>,
}

/// What the section says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CompanderRecord {
    /// Places of the scale between numbers that must stay apart, an odd number: the model may be off
    /// by less than half of it.
    pub(crate) cells: u64,
    /// The share of a number that it may be off by, about, in `2^-SHARE_BITS`.
    pub(crate) share: u64,
    pub(crate) scales: Vec<Scale>,
    /// Which of several scales each column has; empty for one.
    pub(crate) scale_of: Vec<u8>,
}

impl CompanderRecord {
    /// Returns the payload.
    #[cfg(feature = "compress")]
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for number in [self.cells, self.share, self.scales.len() as u64] {
            put_varint(&mut out, number);
        }
        for scale in &self.scales {
            let (numerator, denominator) = scale.multiple.unwrap_or((0, 0));
            for number in [scale.least, numerator, denominator] {
                put_varint(&mut out, number);
            }
        }
        out.extend(&self.scale_of);
        out
    }

    /// Reads the payload, which begins at `at`, of a file whose rows have `width` numbers.
    pub(crate) fn decode(payload: &[u8], width: usize, at: u64) -> Result<Self> {
        let mut cursor = Cursor::new(payload, at);
        let wrong = |what: String| Error::corrupt(what).at(at);
        let (cells, share) = (cursor.varint()?, cursor.varint()?);
        if cells > MOST_CELLS || cells.is_multiple_of(2) {
            return Err(wrong(format!(
                "a scale of {cells} places; an odd number up to {MOST_CELLS} is needed"
            )));
        }
        if share == 0 || share >> SHARE_BITS > 0 {
            return Err(wrong(format!("a share of {share}/2^{SHARE_BITS} is not between 0 and 1")));
        }
        let count = cursor.varint()?;
        if !(1..=MAX_SCALES as u64).contains(&count) {
            return Err(wrong(format!("{count} scales; 1 to {MAX_SCALES} are allowed")));
        }
        let scales = (0..count).map(|_| scale(&mut cursor, at)).collect::<Result<Vec<_>>>()?;
        let scale_of = if count > 1 { cursor.take(width)?.to_vec() } else { Vec::new() };
        cursor.finish()?;
        if let Some(stray) = scale_of.iter().find(|&&s| u64::from(s) >= count) {
            return Err(wrong(format!("a column of scale {stray}, of {count}")));
        }
        Ok(Self { cells, share, scales, scale_of })
    }
}

fn scale(cursor: &mut Cursor<'_>, at: u64) -> Result<Scale> {
    let [least, numerator, denominator] = [cursor.varint()?, cursor.varint()?, cursor.varint()?];
    let multiple = match (numerator, denominator) {
        (0, 0) => None,
        (1..=MAX_MULTIPLE, 1..=MAX_MULTIPLE) => Some((numerator, denominator)),
        _ => {
            let what = format!("multiples of {numerator}/{denominator}");
            return Err(Error::corrupt(what).at(at));
        }
    };
    if least == 0 {
        return Err(Error::corrupt("a scale whose least magnitude is 0").at(at));
    }
    Ok(Scale { least, multiple })
}

#[cfg(all(test, feature = "compress"))]
mod tests {
    use super::*;

    fn record() -> CompanderRecord {
        let scales =
            vec![Scale { least: 1, multiple: None }, Scale { least: 40, multiple: Some((1, 10)) }];
        CompanderRecord { cells: 513, share: 1 << 40, scales, scale_of: vec![0, 1, 1] }
    }

    #[test]
    fn what_is_written_is_read() {
        let record = record();
        assert_eq!(CompanderRecord::decode(&record.encode(), 3, 0).unwrap(), record);
        assert!(CompanderRecord::decode(&record.encode(), 2, 0).is_err());
        let one = CompanderRecord {
            scales: vec![Scale { least: u64::MAX, multiple: None }],
            scale_of: Vec::new(),
            ..record
        };
        assert_eq!(CompanderRecord::decode(&one.encode(), 99, 0).unwrap(), one);
    }

    #[test]
    fn no_byte_makes_it_panic() {
        let good = record().encode();
        for at in 0..good.len() {
            for value in 0..=255 {
                let mut bad = good.clone();
                bad[at] = value;
                let _ = CompanderRecord::decode(&bad, 3, 0);
            }
            assert!(CompanderRecord::decode(&good[..at], 3, 0).is_err(), "{at}");
        }
    }
}
