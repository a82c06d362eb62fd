//! How an array is cut.

use crate::cli::args::source::Shape;
use aezip::Tile;

/// A shape of tiles, or how one is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TileArg(pub(crate) Tile);

impl std::str::FromStr for TileArg {
    type Err = aezip::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(match text {
            "auto" => Tile::Auto,
            "rows" => Tile::Rows,
            shape => {
                let Shape(shape) = shape.parse().map_err(|_| {
                    aezip::Error::argument("not auto, rows or whole numbers as in 1x16x16")
                })?;
                Tile::Shape(shape)
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_have_names_or_shapes() {
        let tile = |text: &str| text.parse::<TileArg>().map(|TileArg(tile)| tile);
        assert_eq!(tile("auto").unwrap(), Tile::Auto);
        assert_eq!(tile("rows").unwrap(), Tile::Rows);
        assert_eq!(tile("1x16x16").unwrap(), Tile::Shape(vec![1, 16, 16]));
        assert!(tile("row").is_err() && tile("").is_err() && tile("4x-1").is_err());
    }
}
