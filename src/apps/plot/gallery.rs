//! Rows that are images, side by side.

use super::format::PlotFormat;
use super::render::render;
use super::sheet::{Drawn, LIGHT, Picture, Sheet, Side};
use crate::apps::values;
use crate::error::{Error, Result};
use crate::matrix::Rows;
use plotters::prelude::*;

/// Images in a line.
const ACROSS: usize = 12;
/// The longer side of an image, in points; images of more dots than that have one point a dot.
const IMAGE: f64 = 56.0;
/// Points between images, and between lines of images.
const GAP: f64 = 10.0;
const LINE_GAP: f64 = 14.0;
/// Points above the first line, for the title, and at the right.
const TOP: f64 = 50.0;
const RIGHT: f64 = 20.0;

/// Draws the first `count` rows of each of `sets` as grey images. The images of a set are a line,
/// below that of the set before, so that one sees what was and what became of it; the sets' names
/// are written at the left. Rows have two axes, or as many numbers as a square has. Black is the
/// largest and white the least finite number of the first set.
///
/// # Errors
/// `Argument` if there are no rows, rows are no images, or rows of the sets differ in width;
/// otherwise whatever reading the rows fails with.
pub fn gallery(
    sets: &[(&str, &dyn Rows)],
    count: usize,
    title: &str,
    format: PlotFormat,
) -> Result<Vec<u8>> {
    let Some((_, first)) = sets.first() else {
        return Err(Error::argument("no rows to show"));
    };
    let shape = image_shape(&first.schema().row_shape)?;
    let mut images: Vec<Vec<f64>> = Vec::new();
    for (name, rows) in sets {
        let width = rows.schema().width();
        if width != shape.0 * shape.1 {
            return Err(Error::argument(format!(
                "{name} has rows of {width} numbers, the first set of {} × {}",
                shape.0, shape.1
            )));
        }
        images.push(values::read(*rows, 0..rows.len().min(count))?);
    }
    let finite = || images[0].iter().copied().filter(|x| x.is_finite());
    let (low, high) =
        (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    if low > high {
        return Err(Error::argument("no rows to show"));
    }
    let span = if high > low { high - low } else { 1.0 };
    let grey = |x: &f64| (255.0 * ((x - low) / span).clamp(0.0, 1.0)).round() as u8;
    let greys = images.iter().map(|values| values.iter().map(grey).collect()).collect();
    let names = sets.iter().map(|(name, _)| *name).collect();
    render(&Gallery { names, greys, shape, title }, format)
}

/// A picture of images.
struct Gallery<'a> {
    names: Vec<&'a str>,
    /// The images of each set, one after the other, from 0 (white) to 255 (black).
    greys: Vec<Vec<u8>>,
    /// Lines and columns of an image.
    shape: (usize, usize),
    title: &'a str,
}

impl Gallery<'_> {
    /// How many images of each set are shown.
    fn shown(&self) -> usize {
        self.greys[0].len() / (self.shape.0 * self.shape.1)
    }

    /// The size of an image's dot, in points.
    fn dot(&self) -> f64 {
        (IMAGE / self.shape.0.max(self.shape.1) as f64).max(1.0)
    }

    /// Points from image to image.
    fn cell(&self) -> (f64, f64) {
        let (lines, columns) = self.shape;
        (columns as f64 * self.dot() + GAP, lines as f64 * self.dot() + GAP)
    }

    /// Points from a line of images, of all sets, to the next.
    fn band(&self) -> f64 {
        self.cell().1 * self.names.len() as f64 + LINE_GAP
    }

    /// Points at the left, for the names if there are several.
    fn left(&self) -> f64 {
        if self.names.len() > 1 { 110.0 } else { 20.0 }
    }

    /// Draws runs of one grey as one rectangle each; white is what lies below.
    fn image<B: DrawingBackend>(&self, sheet: &Sheet<B>, at: (f64, f64), grey: &[u8]) -> Drawn<B> {
        let dot = self.dot();
        for (line, row) in grey.chunks(self.shape.1).enumerate() {
            let mut from = 0;
            for run in row.chunk_by(|a, b| a == b) {
                let (x, y) = (at.0 + from as f64 * dot, at.1 + line as f64 * dot);
                let shade = 255 - run[0];
                if shade < 255 {
                    let size = (run.len() as f64 * dot, dot);
                    sheet.rectangle((x, y), size, RGBColor(shade, shade, shade))?;
                }
                from += run.len();
            }
        }
        Ok(())
    }
}

impl Picture for Gallery<'_> {
    fn size(&self) -> (u32, u32) {
        let (shown, band) = (self.shown(), self.band());
        let width = self.left() + self.cell().0 * ACROSS.min(shown) as f64 + RIGHT;
        let height = TOP + GAP + band * shown.div_ceil(ACROSS) as f64;
        (width as u32, height as u32)
    }

    fn draw<B: DrawingBackend>(&self, sheet: &Sheet<B>) -> Drawn<B> {
        let (lines, columns) = self.shape;
        let (w, h) = (columns as f64 * self.dot(), lines as f64 * self.dot());
        let middle = f64::from(self.size().0) / 2.0;
        sheet.text((middle, 24.0), self.title, 15.0, Side::Center)?;
        for (s, (name, greys)) in self.names.iter().zip(&self.greys).enumerate() {
            let images = greys.chunks_exact(lines * columns).take(self.shown());
            for (i, image) in images.enumerate() {
                let x = self.left() + self.cell().0 * (i % ACROSS) as f64;
                let y = TOP + self.band() * (i / ACROSS) as f64 + self.cell().1 * s as f64;
                if i % ACROSS == 0 && self.names.len() > 1 {
                    sheet.text((self.left() - 12.0, y + h / 2.0), name, 13.0, Side::Right)?;
                }
                sheet.rectangle((x - 1.0, y - 1.0), (w + 2.0, h + 2.0), LIGHT)?;
                sheet.rectangle((x, y), (w, h), WHITE)?;
                self.image(sheet, (x, y), image)?;
            }
        }
        Ok(())
    }
}

/// The lines and columns of an image.
fn image_shape(row_shape: &[usize]) -> Result<(usize, usize)> {
    match *row_shape {
        [lines, columns] => Ok((lines, columns)),
        [n] if n.isqrt().pow(2) == n && n > 1 => Ok((n.isqrt(), n.isqrt())),
        _ => Err(Error::argument(format!(
            "rows of shape {row_shape:?} are no images: those have two axes, or as many numbers \
             as a square"
        ))),
    }
}
