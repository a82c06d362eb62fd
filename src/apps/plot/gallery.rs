//! Rows that are images, side by side.

use super::canvas::{Anchor, LIGHT};
use super::{PlotFormat, finished};
use crate::apps::cells;
use crate::error::{Error, Result};
use crate::matrix::Rows;

/// Images in a line.
const ACROSS: usize = 12;

/// The first `count` rows of each of `sets` as grey images, a line of each set below that of the
/// set before: what was, what became of it. Names are written at the left. Rows have two axes, or
/// as many numbers as a square.
///
/// # Errors
/// `Argument` if rows are no images, or sets are of rows of different shapes; `Io` and others as the
/// rows give them.
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
        images.push(cells::read(*rows, 0..rows.len().min(count))?);
    }
    let finite = || images[0].iter().copied().filter(|x| x.is_finite());
    let (low, high) =
        (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    if low > high {
        return Err(Error::argument("no rows to show"));
    }
    let span = if high > low { high - low } else { 1.0 };
    let grey = |x: &f64| (255.0 * ((x - low) / span).clamp(0.0, 1.0)).round() as u8;

    let (lines, columns) = shape;
    let shown = images[0].len() / (lines * columns);
    let dot = (56.0 / columns.max(lines) as f64).max(1.0);
    let (cell_x, cell_y) = (columns as f64 * dot + 10.0, lines as f64 * dot + 10.0);
    let named = if sets.len() > 1 { 110.0 } else { 20.0 };
    let bands = shown.div_ceil(ACROSS);
    let band = cell_y * sets.len() as f64 + 14.0;
    let size = (
        (named + cell_x * ACROSS.min(shown) as f64 + 20.0) as usize,
        (50.0 + band * bands as f64 + 10.0) as usize,
    );
    finished(format, size, |canvas| {
        canvas.rectangle(0.0, 0.0, size.0 as f64, size.1 as f64, [255; 3]);
        canvas.text(size.0 as f64 / 2.0, 24.0, title, 15.0, Anchor::Middle, false);
        for (s, ((name, _), values)) in sets.iter().zip(&images).enumerate() {
            for (i, image) in values.chunks_exact(lines * columns).enumerate().take(shown) {
                let x = named + cell_x * (i % ACROSS) as f64;
                let y = 50.0 + band * (i / ACROSS) as f64 + cell_y * s as f64;
                if i % ACROSS == 0 && sets.len() > 1 {
                    let middle = y + lines as f64 * dot / 2.0;
                    canvas.text(named - 12.0, middle, name, 13.0, Anchor::End, false);
                }
                let (w, h) = (columns as f64 * dot, lines as f64 * dot);
                canvas.rectangle(x - 1.0, y - 1.0, w + 2.0, h + 2.0, LIGHT);
                canvas.rectangle(x, y, w, h, [255; 3]);
                canvas.image(x, y, columns, &image.iter().map(grey).collect::<Vec<_>>(), dot);
            }
        }
    })
}

/// Lines and columns.
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
