//! How an array was cut into tiles, where rows are tiles of one.

use super::bytes::{Cursor, put_varint};
use crate::error::{Error, Result};
use crate::matrix::{MAX_RANK, Schema, Tiling};

/// Values of an array are fewer than this, so that the bytes of any type can be counted.
const MAX_VALUES: u64 = 1 << 60;

/// Returns the payload: the array's shape, the shape in which tiles are cut if it is another, a
/// tile's, and a patch's.
#[cfg(feature = "compress")]
pub(crate) fn encode(tiling: &Tiling) -> Vec<u8> {
    let mut out = Vec::new();
    let mut put = |shape: &[usize]| shape.iter().for_each(|&n| put_varint(&mut out, n as u64));
    put(&[tiling.array().len()]);
    put(tiling.array());
    if tiling.view() == tiling.array() {
        put(&[0]);
    } else {
        put(&[tiling.view().len()]);
        put(tiling.view());
    }
    put(tiling.tile());
    put(tiling.patch());
    out
}

/// Reads the payload, which begins at `at`, in a file whose rows `schema` describes.
pub(crate) fn decode(payload: &[u8], schema: &Schema, at: u64) -> Result<Tiling> {
    let mut cursor = Cursor::new(payload, at);
    let axes = axes(&mut cursor, at)?;
    let array = shape(&mut cursor, axes, at)?;
    let view = match self::axes(&mut cursor, at)? {
        0 => array.clone(),
        axes => shape(&mut cursor, axes, at)?,
    };
    let tile = shape(&mut cursor, view.len(), at)?;
    let patch = shape(&mut cursor, view.len(), at)?;
    cursor.finish()?;
    let wrong = |what: String| Error::corrupt(what).at(at);
    let tiling =
        Tiling::with_patch(&array, &view, &tile, &patch).map_err(|e| wrong(e.to_string()))?;
    if tiling.row_shape() != schema.row_shape {
        return Err(wrong(format!(
            "tiles of shape {tile:?}, but rows of shape {:?}",
            schema.row_shape
        )));
    }
    Ok(tiling)
}

/// Reads how many axes a shape has.
fn axes(cursor: &mut Cursor<'_>, at: u64) -> Result<usize> {
    let axes = cursor.varint()?;
    if axes > MAX_RANK as u64 {
        let what = format!("an array of {axes} axes; at most {MAX_RANK} are allowed");
        return Err(Error::corrupt(what).at(at));
    }
    Ok(axes as usize)
}

/// Reads a shape of few enough values to be counted.
fn shape(cursor: &mut Cursor<'_>, axes: usize, at: u64) -> Result<Vec<usize>> {
    let mut values = 1_u64;
    let mut out = Vec::with_capacity(axes);
    for _ in 0..axes {
        let n = cursor.varint()?;
        values = values.saturating_mul(n);
        if !(1..MAX_VALUES).contains(&values) {
            let what = format!("a shape of {values} values; 1 to 2^60 - 1 are allowed");
            return Err(Error::corrupt(what).at(at));
        }
        out.push(n as usize);
    }
    if values > isize::MAX as u64 / 8 {
        let what = format!("an array of {values} values is more than this machine can hold");
        return Err(Error::limit(what).at(at));
    }
    Ok(out)
}

#[cfg(all(test, feature = "compress"))]
mod tests {
    use super::*;
    use crate::matrix::DType;

    fn schema(tiling: &Tiling) -> Schema {
        Schema::new(DType::U8, &tiling.row_shape())
    }

    fn tilings() -> Vec<Tiling> {
        let shapes: [[&[usize]; 4]; 4] = [
            [&[], &[1], &[1], &[1]],
            [&[1000], &[1000], &[64], &[3]],
            [&[350, 5], &[10, 35, 5], &[1, 4, 5], &[2, 3, 1]],
            [&[3, 19, 23, 2], &[3, 19, 23, 2], &[2, 5, 4, 1], &[1, 4, 6, 2]],
        ];
        shapes.iter().map(|[a, v, t, p]| Tiling::with_patch(a, v, t, p).unwrap()).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        for t in tilings() {
            assert_eq!(decode(&encode(&t), &schema(&t), 0).unwrap(), t);
            assert!(decode(&encode(&t), &Schema::new(DType::U8, &[7]), 0).is_err());
        }
        assert_eq!(encode(&tilings()[1]), [1, 0xe8, 7, 0, 64, 3]);
    }

    #[test]
    fn no_byte_makes_it_panic() {
        for t in tilings() {
            let (good, schema) = (encode(&t), schema(&t));
            for at in 0..good.len() {
                for value in 0..=255 {
                    let mut bad = good.clone();
                    bad[at] = value;
                    let _ = decode(&bad, &schema, 0);
                }
                assert!(decode(&good[..at], &schema, 0).is_err(), "{at}");
            }
        }
    }
}
