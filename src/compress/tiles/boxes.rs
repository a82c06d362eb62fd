//! Tiles in the order of boxes, so that a block holds neighbours in two directions.

use crate::error::Result;
use crate::matrix::Tiling;

/// How many times as wide, or as narrow, as a block that is as wide as high a box may be.
const NEARLY_SQUARE: f64 = 1.5;
/// Tiles of a box at most in the direction that its blocks follow each other in.
const HIGHEST: usize = 32;
/// Bytes of boxes beside each other at most, once decoded: readers that want the array row by row hold as much
/// at once, or decode blocks again and again.
const MOST_BESIDE: usize = 4 << 20;

/// Returns the same tiles, of values of `value_bytes` each, in boxes where `block_rows` of them, which make
/// a block, are less than a line of tiles along the last axis with several: a small region is in half as
/// many blocks then. Blocks of several lines are as good as boxes, and smaller: tiles are foretold from those
/// before them, which at the beginning of a box's line lie elsewhere. (A field of 4096 × 4096 in tiles of
/// 16 × 16: with 88 tiles a block, boxes of 8 to 32 tiles make files of 0.997 to 1.001 times the size; with
/// 2,800, of 1.02 to 1.06.)
///
/// All boxes are of one width, as models may know how many tiles a line has; along the array's first axis,
/// they end where it does, so that it can grow.
///
/// # Errors
/// None that are known: boxes are within the grid.
pub(super) fn in_boxes(tiling: Tiling, block_rows: usize, value_bytes: usize) -> Result<Tiling> {
    let grid = tiling.grid();
    let mut several = (0..grid.len()).rev().filter(|&k| grid[k] > 1);
    let (Some(last), Some(up)) = (several.next(), several.next()) else { return Ok(tiling) };
    if tiling.patch()[last] == 1 || block_rows >= grid[last] {
        return Ok(tiling);
    }
    let side = (block_rows as f64).sqrt();
    let far = |width: usize| (width as f64 / side).max(side / width as f64);
    let dividing = |n: usize| (2..n).filter(move |width| n.is_multiple_of(*width));
    let width = dividing(grid[last]).min_by(|&a, &b| far(a).total_cmp(&far(b)));
    let behind: usize = tiling.view()[up + 1..].iter().product();
    let highest = HIGHEST.min(MOST_BESIDE / (behind * tiling.tile()[up] * value_bytes));
    let height = match up {
        0 => (1..=highest).rev().find(|height| grid[0].is_multiple_of(*height)),
        _ => Some(highest.min(grid[up])),
    };
    let (Some(width), Some(height)) = (width, height) else { return Ok(tiling) };
    if far(width) > NEARLY_SQUARE || NEARLY_SQUARE * (height as f64) < side {
        return Ok(tiling);
    }
    let mut patch = vec![1; grid.len()];
    (patch[last], patch[up]) = (width, height);
    Tiling::with_patch(tiling.array(), tiling.view(), tiling.tile(), &patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The patch of an array in tiles that follow each other along the last axis, as they are and in boxes.
    fn patches(shape: &[usize], tile: &[usize], block_rows: usize) -> [Vec<usize>; 2] {
        let tiling = Tiling::new(shape, shape, tile).unwrap();
        let own = tiling.patch().to_vec();
        [own, in_boxes(tiling, block_rows, 4).unwrap().patch().to_vec()]
    }

    #[test]
    fn blocks_of_less_than_a_line_are_boxes() {
        assert_eq!(patches(&[4096, 4096], &[16, 16], 88)[1], [16, 8]);
        assert_eq!(patches(&[4096, 2048], &[16, 16], 88)[1], [32, 8]);
        assert_eq!(patches(&[3, 640, 4096], &[1, 16, 16], 250)[1], [1, 16, 16]);
        // Without axes of one tile.
        assert_eq!(patches(&[4096, 1024, 3], &[16, 16, 3], 58)[1], [16, 8, 1]);
        // The array may grow behind whole boxes.
        assert_eq!(patches(&[3840, 2048], &[16, 16], 88)[1], [30, 8]);
    }

    #[test]
    fn others_stay_as_they_are() {
        let same = |shape: &[usize], tile: &[usize], block_rows: usize| {
            let [before, after] = patches(shape, tile, block_rows);
            assert_eq!(before, after, "{shape:?}");
        };
        same(&[4096, 4096], &[16, 16], 256);
        same(&[100_000], &[100], 20);
        // Neither width nor height divides what there is.
        same(&[4096, 16 * 251], &[16, 16], 88);
        same(&[16 * 251, 4096], &[16, 16], 88);
        // Too wide to be held line by line.
        same(&[4096, 1 << 20], &[16, 16], 88);
        let along_others = Tiling::with_patch(&[64, 64], &[64, 64], &[2, 2], &[32, 1]).unwrap();
        assert_eq!(in_boxes(along_others.clone(), 20, 4).unwrap(), along_others);
    }
}
