//! Columns of a table over the first one.

use super::chart::{Frame, curve};
use super::colours::distinct;
use super::extent::{Extent, tick};
use super::format::PlotFormat;
use super::render::render;
use super::sheet::{Drawn, Picture, Sheet, Side};
use crate::apps::values;
use crate::error::{Error, Result};
use crate::matrix::Rows;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

const SIZE: (u32, u32) = (900, 560);
/// Points for the legend, and the width of a line.
const LEGEND: f64 = 170.0;
const LINE: f64 = 1.8;
/// The ratio of the largest to the least number from which on the scale is logarithmic: small
/// numbers would lie on the axis of an even one.
const FAR_APART: f64 = 20.0;
/// Room below the least and above the largest number of a logarithmic scale, as factors.
const LOG_ROOM: (f64, f64) = (0.8, 1.25);

/// Draws a line for each column but the first, which runs to the right; the names of the columns
/// are the legend. Missing numbers leave gaps. Where all numbers are above 0 and the largest is
/// more than 20 times the least, as with losses, the scale is logarithmic.
///
/// # Errors
/// `Argument` if there are fewer than two rows or columns; otherwise whatever reading the rows
/// fails with.
pub fn lines(rows: &dyn Rows, title: &str, format: PlotFormat) -> Result<Vec<u8>> {
    let width = rows.schema().width();
    if width < 2 || rows.len() < 2 {
        return Err(Error::argument(format!(
            "{} rows of {width} numbers make no line; it takes two of both",
            rows.len()
        )));
    }
    let values = values::to_doubles(rows)?;
    let named = |j: usize| match &rows.schema().columns {
        Some(names) => names[j].clone(),
        None => j.to_string(),
    };
    let names = (0..width).map(named).collect();
    render(&Lines { values, names, title }, format)
}

/// A picture of columns over the first one.
struct Lines<'a> {
    /// Rows × columns.
    values: Vec<f64>,
    /// The names of all columns.
    names: Vec<String>,
    title: &'a str,
}

impl Lines<'_> {
    fn column(&self, j: usize) -> impl Iterator<Item = f64> {
        self.values.iter().skip(j).step_by(self.names.len()).copied()
    }
}

impl Picture for Lines<'_> {
    fn size(&self) -> (u32, u32) {
        SIZE
    }

    fn draw<B: DrawingBackend>(&self, sheet: &Sheet<B>) -> Drawn<B> {
        let columns = 1..self.names.len();
        let shown: Vec<usize> = columns.filter(|&j| self.column(j).any(f64::is_finite)).collect();
        let all = || shown.iter().flat_map(|&j| self.column(j)).filter(|x| x.is_finite());
        let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max));
        let (x, y) = (Extent::of(self.column(0)).roomy(), Extent::of(all()).roomy());
        let (left, right) = sheet.split(f64::from(SIZE.0) - LEGEND);
        let names = [x.named(&self.names[0]), y.named("")];
        let curves = |j: &usize| {
            let points = self.column(0).zip(self.column(*j));
            points.map(|(a, b)| (x.scaled(a), y.scaled(b))).collect()
        };
        let curves: Vec<Vec<(f64, f64)>> = shown.iter().map(curves).collect();
        let frame = Frame {
            title: self.title,
            x: x.range(),
            y: y.range(),
            names: &names,
            x_tick: &tick,
            y_tick: &tick,
        };
        if low > 0.0 && high > FAR_APART * low {
            let range = y.scaled(low) * LOG_ROOM.0..y.scaled(high) * LOG_ROOM.1;
            let y = range.log_scale();
            let y_tick = &|y: &f64| format!("{}", (y * 1e9).round() / 1e9);
            draw_curves(
                &left,
                Frame { title: frame.title, x: frame.x, y, names: &names, x_tick: &tick, y_tick },
                curves,
            )?;
        } else {
            draw_curves(&left, frame, curves)?;
        }
        for (place, &j) in shown.iter().enumerate() {
            let y = 60.0 + 20.0 * place as f64;
            right.line(&[(4.0, y), (22.0, y)], 3.0, distinct(place))?;
            right.text((30.0, y), &self.names[j], 13.0, Side::Left)?;
        }
        Ok(())
    }
}

/// Draws a frame and lines within it.
fn draw_curves<B, X, Y>(
    sheet: &Sheet<B>,
    frame: Frame<'_, X, Y>,
    curves: Vec<Vec<(f64, f64)>>,
) -> Drawn<B>
where
    B: DrawingBackend,
    X: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let mut chart = frame.draw(sheet)?;
    for (place, points) in curves.into_iter().enumerate() {
        let style = distinct(place).stroke_width(sheet.pixels(LINE) as u32);
        curve(&mut chart, points.into_iter(), style)?;
    }
    Ok(())
}
