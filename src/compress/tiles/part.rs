//! A part of an array that is enough to compare shapes of tiles on.

use super::rows::Array;
use crate::error::Result;
use crate::matrix::{Matrix, Schema};

/// Length to which all axes but the first and the last are shortened, before the last is: it often
/// holds what belongs together, such as a spectrum.
const LEAST_LENGTH: usize = 8;

/// Returns the shape of a part of an array that is seen in the shape `view`, of about `most` values as
/// far as that can be: all along the first axis, as codecs of few rows know them by heart.
fn shape_of_part(view: &[usize], most: usize) -> Vec<usize> {
    let mut shape = view.to_vec();
    let last = view.len() - 1;
    let most = most + most / 2;
    while last > 0 && shape.iter().product::<usize>() > most && shape[1..].iter().any(|n| *n > 1) {
        let longest = (1..last).max_by_key(|&k| shape[k]).unwrap_or(last);
        let shortened = if shape[longest] > LEAST_LENGTH { longest } else { last };
        let shortened = if shape[shortened] > 1 { shortened } else { longest };
        shape[shortened] = shape[shortened].div_ceil(2);
    }
    shape
}

/// Copies the middle of an array that is seen in the shape `view`, of about `most` values; `None`
/// where that would be all of it.
///
/// # Errors
/// `Io` if rows cannot be read.
pub(super) fn middle(array: &Array<'_>, view: &[usize], most: usize) -> Result<Option<Matrix>> {
    let shape = shape_of_part(view, most);
    if shape == view {
        return Ok(None);
    }
    let own = array.rows.schema();
    let size = own.dtype.size();
    let last = shape.len() - 1;
    let lines: usize = shape[..last].iter().product();
    let mut bytes = Vec::with_capacity(lines * shape[last] * size);
    for line in 0..lines {
        let (mut rest, mut stride) = (line, view[last]);
        let mut at = (view[last] - shape[last]) / 2;
        for k in (0..last).rev() {
            at += ((view[k] - shape[k]) / 2 + rest % shape[k]) * stride;
            rest /= shape[k];
            stride *= view[k];
        }
        let part = array.part(at..at + shape[last])?;
        let first = (at - part.first) * size;
        bytes.extend(&part.bytes[first..first + shape[last] * size]);
    }
    let schema = Schema {
        fill_values: own.fill_values.clone(),
        ..Schema::new(own.dtype, shape.get(1..).unwrap_or(&[]))
    };
    Matrix::new(schema, bytes).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Rows;

    #[test]
    fn the_middle_has_the_shape_of_the_whole() {
        assert_eq!(shape_of_part(&[100], 20), [100]);
        assert_eq!(shape_of_part(&[4096, 4096], 1 << 18), [4096, 64]);
        assert_eq!(shape_of_part(&[10, 2, 3], 1), [10, 1, 1]);
        assert_eq!(shape_of_part(&[145, 145, 200], 1 << 18), [145, 10, 200]);
        assert_eq!(shape_of_part(&[23, 126_000], 1 << 18), [23, 15_750]);
        let values: Vec<u16> = (0..6 * 10).collect();
        let rows = Matrix::from_slice(&values, &[10]).unwrap();
        let part = middle(&Array::new(&rows, u64::MAX).unwrap(), &[6, 10], 13).unwrap().unwrap();
        assert_eq!((part.len(), part.schema().row_shape.as_slice()), (6, &[3][..]));
        assert_eq!(part.to_vec::<u16>().unwrap()[..6], [3, 4, 5, 13, 14, 15]);
    }
}
