//! Columns of a table over the first one.

use super::axes::{Frame, Range};
use super::canvas::{Anchor, distinct};
use super::{PlotFormat, finished};
use crate::apps::cells;
use crate::error::{Error, Result};
use crate::matrix::Rows;

const SIZE: (usize, usize) = (900, 560);

/// A line for each column but the first, which runs to the right; the names of the columns are the
/// legend. Missing numbers leave gaps. Where all numbers are above 0 and far apart, as losses are,
/// the scale is logarithmic.
///
/// # Errors
/// `Argument` if there are fewer than two rows or columns; `Io` and others as the rows give them.
pub fn lines(rows: &dyn Rows, title: &str, format: PlotFormat) -> Result<Vec<u8>> {
    let width = rows.schema().width();
    if width < 2 || rows.len() < 2 {
        return Err(Error::argument(format!(
            "{} rows of {width} numbers make no line; it takes two of both",
            rows.len()
        )));
    }
    let values = cells::read(rows, 0..rows.len())?;
    let column = |j: usize| values.iter().skip(j).step_by(width).copied();
    let names = rows.schema().columns.clone();
    let name = |j: usize| names.as_ref().map_or_else(|| format!("{j}"), |names| names[j].clone());
    let shown: Vec<usize> = (1..width).filter(|&j| column(j).any(f64::is_finite)).collect();
    let all = || shown.iter().flat_map(|&j| column(j)).filter(|x| x.is_finite());
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max));
    let logarithmic = low > 0.0 && high > 20.0 * low;
    let frame = Frame {
        left: 80.0,
        top: 50.0,
        width: SIZE.0 as f64 - 250.0,
        height: SIZE.1 as f64 - 110.0,
        x: Range::of(column(0), false),
        y: Range::of(all(), logarithmic),
    };
    finished(format, SIZE, |canvas| {
        canvas.rectangle(0.0, 0.0, SIZE.0 as f64, SIZE.1 as f64, [255; 3]);
        frame.draw(canvas, title, (&name(0), ""));
        for (place, &j) in shown.iter().enumerate() {
            let mut run = Vec::new();
            for (x, y) in column(0).zip(column(j)) {
                if x.is_finite() && y.is_finite() {
                    run.push(frame.place(x, y));
                } else {
                    canvas.line(&std::mem::take(&mut run), 1.8, distinct(place));
                }
            }
            canvas.line(&run, 1.8, distinct(place));
            let (x, y) = (frame.left + frame.width + 16.0, frame.top + 10.0 + 20.0 * place as f64);
            canvas.line(&[(x, y), (x + 18.0, y)], 3.0, distinct(place));
            canvas.text(x + 26.0, y, &name(j), 13.0, Anchor::Start, false);
        }
    })
}
