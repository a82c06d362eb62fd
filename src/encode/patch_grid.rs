//! Rows cut into patches.

/// Values further from the centre, in deviations, are taken for values that are as far: a few wild ones would
/// otherwise be all that a row's tokens are about.
pub(crate) const CLIP: f32 = 100.0;

/// No column: rows have at most 2^24.
const NONE: u32 = u32::MAX;

/// Which columns the values of each patch are.
#[derive(Debug, Clone)]
pub(crate) struct PatchGrid {
    /// Columns of a row.
    pub(crate) width: usize,
    pub(crate) patches: usize,
    /// Values of a patch.
    pub(crate) patch: usize,
    /// Patches × values: the column of each, [`NONE`] beyond the edges of a row.
    columns: Vec<u32>,
}

impl PatchGrid {
    /// Patches of `height` lines × `across` values of rows of `lines` lines × `line` values.
    pub(crate) fn new([lines, line]: [usize; 2], [height, across]: [usize; 2]) -> Self {
        let [down, beside] = [lines.div_ceil(height), line.div_ceil(across)];
        let patch = height * across;
        let column = |at: usize| {
            let (own, value) = (at / patch, at % patch);
            let i = own / beside * height + value / across;
            let j = own % beside * across + value % across;
            if i < lines && j < line { (i * line + j) as u32 } else { NONE }
        };
        let patches = down * beside;
        let columns = (0..patches * patch).map(column).collect();
        Self { width: lines * line, patches, patch, columns }
    }

    /// 1 for each value of a patch that rows have, 0 for those beyond their edges.
    pub(crate) fn inside(&self) -> Vec<f32> {
        self.columns.iter().map(|column| f32::from(*column != NONE)).collect()
    }

    /// Rows, patch after patch; 0 beyond the edges.
    pub(crate) fn cut(&self, rows: &[f32]) -> Vec<f32> {
        let rows = rows.chunks_exact(self.width);
        rows.flat_map(|row| {
            self.columns.iter().map(|column| row.get(*column as usize).copied().unwrap_or(0.0))
        })
        .collect()
    }

    /// The columns of a patch, each with its place in the patch.
    #[cfg(any(test, feature = "apps"))]
    pub(crate) fn columns_of(&self, patch: usize) -> impl Iterator<Item = (usize, usize)> {
        let own = &self.columns[patch * self.patch..(patch + 1) * self.patch];
        let inside = own.iter().enumerate().filter(|(_, column)| **column != NONE);
        inside.map(|(at, column)| (at, *column as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_at_the_edges_are_smaller() {
        let grid = PatchGrid::new([3, 4], [2, 3]);
        assert_eq!((grid.width, grid.patches, grid.patch), (12, 4, 6));
        let columns = |patch| grid.columns_of(patch).map(|(_, j)| j).collect::<Vec<_>>();
        assert_eq!(columns(0), [0, 1, 2, 4, 5, 6]);
        assert_eq!(columns(1), [3, 7]);
        assert_eq!((columns(2), columns(3)), (vec![8, 9, 10], vec![11]));
        let row: Vec<f32> = (1..13).map(|x| x as f32).collect();
        let cut = grid.cut(&row);
        assert_eq!(cut[6..12], [4.0, 0.0, 0.0, 8.0, 0.0, 0.0]);
        let inside = grid.inside();
        assert!(cut.iter().zip(&inside).all(|(x, inside)| (*x > 0.0) == (*inside > 0.0)));
    }
}
