//! Formats of pictures.

use crate::error::{Error, Result};
use std::path::Path;

/// The format that a picture is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlotFormat {
    /// Scalable vector graphics.
    Svg,
    /// Pixels, two to a point in each direction.
    Png,
    /// An HTML page that needs no other file. Its script zooms and moves the picture; of points
    /// it also tells the row under the mouse, and turns those in space.
    Html,
}

impl PlotFormat {
    /// The format that a file's extension stands for: `svg`, `png`, `html` or `htm`, in upper or
    /// lower case.
    pub fn from_extension(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "svg" => Some(Self::Svg),
            "png" => Some(Self::Png),
            "html" | "htm" => Some(Self::Html),
            _ => None,
        }
    }
}

impl std::str::FromStr for PlotFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::from_extension(Path::new(&format!("x.{text}")))
            .ok_or_else(|| Error::argument(format!("{text:?} is none of svg, png, html")))
    }
}
