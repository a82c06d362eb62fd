//! Where the neighbours of a value lie, from the shape of a row.

/// Numbers of a last dimension that are taken for colours of a pixel or parts of a vector, at most.
const COLOURS: usize = 4;

/// Returns the distances to the left, above and in the third direction that may suit rows of a shape;
/// 0 stands for the row before.
pub(super) fn distances(row_shape: &[usize]) -> Vec<[usize; 3]> {
    let shape: Vec<usize> = row_shape.iter().copied().filter(|&n| n > 1).collect();
    let width: usize = shape.iter().product();
    match shape[..] {
        [] => vec![[1, 0, 0]],
        [n] => {
            // Lines of a picture may have colours side by side that no shape tells.
            let mut out = vec![[1, 0, 0]];
            out.extend(
                [3, 2, 4].into_iter().filter(|c| n % c == 0 && n > 8 * c).map(|c| [c, 0, 1]),
            );
            out
        }
        [.., n, colours] if colours <= COLOURS && shape.len() > 2 => {
            vec![[colours, n * colours, 1]]
        }
        [n, colours] if colours <= COLOURS && n > COLOURS => vec![[colours, 0, 1]],
        [.., h, w] if shape.len() > 2 && width > h * w => vec![[1, w, h * w]],
        [.., w] => vec![[1, w, 0]],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_say_where_neighbours_are() {
        assert_eq!(distances(&[28, 28]), [[1, 28, 0]]);
        assert_eq!(distances(&[32, 32, 3]), [[3, 96, 1]]);
        assert_eq!(distances(&[5, 16, 20]), [[1, 20, 320]]);
        assert_eq!(distances(&[200, 1]), [[1, 0, 0], [2, 0, 1], [4, 0, 1]]);
        assert_eq!(distances(&[1]), [[1, 0, 0]]);
        assert_eq!(distances(&[640, 3]), [[3, 0, 1]]);
    }
}
