//! Pictures: of embeddings, of rows that are images, of how training went.
//!
//! A picture is drawn on a `Canvas`, which is SVG text or pixels. The latter know a font of 8 × 8
//! dots and nothing of the system's, so that the same numbers give the same file everywhere and no
//! font need be there.

mod axes;
mod bitmap;
mod canvas;
mod gallery;
mod html;
mod lines;
mod scatter;
mod space;
mod svg;
mod turning;

pub use gallery::gallery;
pub use lines::lines;
pub use scatter::{Colours, Points, Scatter, to_points};

use crate::error::{Error, Result};
use canvas::Canvas;

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

/// A picture of `size` as `draw` draws it.
fn finished(
    format: PlotFormat,
    (width, height): (usize, usize),
    draw: impl FnOnce(&mut dyn Canvas),
) -> Result<Vec<u8>> {
    match format {
        PlotFormat::Png => {
            let mut canvas = bitmap::Bitmap::new(width, height);
            draw(&mut canvas);
            canvas.finish()
        }
        PlotFormat::Svg => {
            let mut canvas = svg::Svg::new(width, height);
            draw(&mut canvas);
            Ok(canvas.finish().into_bytes())
        }
        PlotFormat::Html => {
            let mut canvas = svg::Svg::new(width, height);
            draw(&mut canvas);
            Ok(html::page(&canvas.finish()).into_bytes())
        }
    }
}

#[cfg(test)]
mod tests;
