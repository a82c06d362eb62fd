//! Pictures: of embeddings, of rows that are images, of how training went.
//!
//! A `Picture` is drawn by plotters, as SVG text or as pixels, with a font that comes along, so
//! that the same numbers give the same file everywhere. Points become a page with a script instead.

mod chart;
mod components;
mod extent;
mod gallery;
mod lines;
mod page;
mod scatter;
mod shades;
mod space;
mod still;

pub use gallery::gallery;
pub use lines::lines;
pub use scatter::{Points, Scatter, to_points};
pub use shades::Colours;

use crate::error::{Error, Result};

/// What a picture is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlotFormat {
    /// Scalable vector graphics.
    Svg,
    /// Pixels.
    Png,
    /// A page by itself with a script: zoom, drag, a row's number under the mouse; space turns.
    Html,
}

impl PlotFormat {
    /// The format that a file's extension stands for.
    pub fn from_extension(path: &std::path::Path) -> Option<Self> {
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
        Self::from_extension(std::path::Path::new(&format!("x.{text}")))
            .ok_or_else(|| Error::argument(format!("{text:?} is none of svg, png, html")))
    }
}

#[cfg(test)]
mod tests;
