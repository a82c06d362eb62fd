//! Which rows have values that something can be learned from.

use crate::codec::fill::is_ordinary;
use crate::codec::value::with_cell;
use crate::encode::project::cells;
use crate::matrix::Schema;

/// Returns the rows, little-endian values as those given, of which `keep` takes the number of values that are neither
/// missing nor infinite.
pub(crate) fn rows_by_known(
    schema: &Schema,
    bytes: &[u8],
    keep: impl Fn(usize) -> bool,
) -> Vec<u8> {
    let fills = &schema.fill_values;
    let known: Vec<usize> = with_cell!(schema.dtype, T => {
        let rows = cells::<T>(bytes);
        let known = |row: &[T]| row.iter().filter(|x| is_ordinary(**x, fills)).count();
        rows.chunks_exact(schema.width()).map(known).collect()
    });
    let rows = bytes.chunks_exact(schema.row_bytes()).zip(known);
    rows.filter(|(_, known)| keep(*known)).flat_map(|(row, _)| row).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::{DType, Matrix, Rows};

    #[test]
    fn rows_are_told_by_their_gaps() {
        let gap = f32::NAN;
        let rows = [1.0, gap, gap, gap, 2.0, 3.0, f32::INFINITY, gap];
        let rows = Matrix::from_slice(&rows, &[2]).unwrap();
        let mut schema = rows.schema().clone();
        let kept = |schema: &Schema, least: usize| {
            rows_by_known(schema, rows.bytes(), |known| known >= least).len() / 8
        };
        assert_eq!((schema.dtype, kept(&schema, 0)), (DType::F32, 4));
        assert_eq!((kept(&schema, 1), kept(&schema, 2)), (2, 1));
        schema.fill_values = crate::codec::fill::fill_values(DType::F32, &[3.0]).unwrap();
        assert_eq!((kept(&schema, 1), kept(&schema, 2)), (2, 0));
    }
}
