//! What is asked of tiles.

/// How an array is cut into what is coded together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Tile {
    /// As makes the smaller file, judged on a sample.
    #[default]
    Auto,
    /// Each row, one of the first axis, is a whole.
    Rows,
    /// Tiles of this shape: as many numbers as the array has axes.
    Shape(Vec<usize>),
}
