//! Columns of a table over the first one.

use super::PlotFormat;
use super::chart::{curve, framed, framed_as};
use super::extent::Extent;
use super::shades::distinct;
use super::still::{Drawn, Picture, Sheet, Side, finished};
use crate::apps::cells;
use crate::error::{Error, Result};
use crate::matrix::Rows;
use plotters::prelude::*;

const SIZE: (u32, u32) = (900, 560);
const LEGEND: f64 = 170.0;

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
    let named = |j: usize| match &rows.schema().columns {
        Some(names) => names[j].clone(),
        None => j.to_string(),
    };
    let names = (0..width).map(named).collect();
    finished(&Lines { values, names, title }, format)
}

struct Lines<'a> {
    /// Rows × columns.
    values: Vec<f64>,
    /// Of all columns.
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
        let names = (x.named(&self.names[0]), y.named(""));
        let points =
            |j: usize| self.column(0).zip(self.column(j)).map(|(a, b)| (x.scaled(a), y.scaled(b)));
        let style = |place: usize| distinct(place).stroke_width(left.dots(1.8) as u32);
        if low > 0.0 && high > 20.0 * low {
            let range = y.scaled(low) * 0.8..y.scaled(high) * 1.25;
            let range = range.log_scale();
            let up = |y: &f64| format!("{}", (y * 1e9).round() / 1e9);
            let mut chart = framed_as(&left, self.title, (x.range(), range), &names, &up)?;
            for (place, &j) in shown.iter().enumerate() {
                curve(&mut chart, points(j), style(place))?;
            }
        } else {
            let mut chart = framed(&left, self.title, (x.range(), y.range()), &names)?;
            for (place, &j) in shown.iter().enumerate() {
                curve(&mut chart, points(j), style(place))?;
            }
        }
        for (place, &j) in shown.iter().enumerate() {
            let y = 60.0 + 20.0 * place as f64;
            right.line(&[(4.0, y), (22.0, y)], 3.0, distinct(place))?;
            right.text((30.0, y), &self.names[j], 13.0, Side::Left)?;
        }
        Ok(())
    }
}
