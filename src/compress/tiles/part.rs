//! A part of an array that is enough to compare shapes of tiles on.

use super::rows::Array;
use crate::error::Result;
use crate::matrix::{Matrix, Schema};

/// How much longer than all others the last of three axes or more is where it may be shortened: it
/// often holds what belongs together, such as a spectrum.
const MUCH_LONGER: usize = 4;

/// Returns the shape of a part of an array that is seen in the shape `view`, of `most` values or
/// fewer: about the same along all axes.
fn shape_of_part(view: &[usize], most: usize) -> Vec<usize> {
    let mut shape = view.to_vec();
    let last = view.len() - 1;
    while shape.iter().product::<usize>() > most.max(1) {
        let others = &shape[..last];
        let longest = (0..last).max_by_key(|&k| others[k]).unwrap_or(last);
        let is_far_longer = last < 2 || shape[last] > MUCH_LONGER * shape[longest];
        let shortened = match is_far_longer && shape[last] >= shape[longest] {
            true => last,
            false => longest,
        };
        shape[shortened] = shape[shortened].div_ceil(2);
    }
    shape
}

/// Copies the middle of an array that is seen in the shape `view`, of `most` values or fewer; `None`
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
        assert_eq!(shape_of_part(&[100], 200), [100]);
        assert_eq!(shape_of_part(&[4096, 4096], 1 << 18), [512, 512]);
        assert_eq!(shape_of_part(&[145, 145, 200], 1 << 18), [37, 37, 200]);
        assert_eq!(shape_of_part(&[23, 126_000], 1 << 18), [23, 7875]);
        let values: Vec<u16> = (0..6 * 10).collect();
        let rows = Matrix::from_slice(&values, &[10]).unwrap();
        let part = middle(&Array::new(&rows).unwrap(), &[6, 10], 9).unwrap().unwrap();
        assert_eq!((part.len(), part.schema().row_shape.as_slice()), (3, &[3][..]));
        assert_eq!(part.to_vec::<u16>().unwrap(), [13, 14, 15, 23, 24, 25, 33, 34, 35]);
    }
}
