//! Points in space.

use super::PlotFormat;
use super::page::Dot;
use super::scatter::{Scatter, radius};
use super::shades::Shades;
use super::still::{Drawn, LIGHT, Picture, Sheet, Side, finished};
use crate::error::Result;
use plotters::prelude::*;
use std::ops::Range;

const SIZE: (u32, u32) = (900, 700);
/// Half of the box's edge, in points.
const HALF: f64 = 190.0;
/// How far the still picture is turned, and seen from above: radians.
const VIEW: (f64, f64) = (0.6, 0.45);

impl Scatter<3> {
    /// The picture: the points in a box that holds all of them, which turns as a page.
    ///
    /// # Errors
    /// `Argument` if there are no points, or not as many colours.
    pub fn draw(&self, format: PlotFormat) -> Result<Vec<u8>> {
        let shades = Shades::new(self.colours.as_ref(), self.points.len())?;
        match format {
            PlotFormat::Html => Ok(self.page(&shades)),
            _ => finished(&Space { scatter: self, shades }, format),
        }
    }
}

struct Space<'a> {
    scatter: &'a Scatter<3>,
    shades: Shades<'a>,
}

impl Picture for Space<'_> {
    fn size(&self) -> (u32, u32) {
        SIZE
    }

    fn draw<B: DrawingBackend>(&self, sheet: &Sheet<B>) -> Drawn<B> {
        let (scatter, shades) = (self.scatter, &self.shades);
        let (width, height) = (f64::from(SIZE.0) - shades.width(), f64::from(SIZE.1));
        let (left, right) = sheet.split(width);
        let centre = (width / 2.0, height / 2.0 + 10.0);
        let at = |p: [f64; 3]| {
            let (x, y, _) = seen(p);
            (centre.0 + HALF * x, centre.1 - HALF * y)
        };
        let extents = scatter.extents();
        left.text((centre.0, 26.0), &scatter.title, 17.0, Side::Center)?;
        for (axis, name) in scatter.axes.iter().enumerate() {
            for (a, b) in [(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)] {
                let end = |x: f64| at(edge(axis, x, a, b));
                left.line(&[end(-1.0), end(1.0)], 1.0, LIGHT)?;
            }
            let place = at(edge(axis, 0.0, -1.15, if axis == 2 { 1.15 } else { -1.15 }));
            left.text(place, &extents[axis].named(name), 13.0, Side::Center)?;
        }
        let ranges = extents.map(|e| e.range());
        let mut dots = scatter.dots(shades, &extents);
        dots.iter_mut().for_each(|dot| dot.place = boxed(dot, &ranges));
        // What is near hides what is far.
        dots.sort_by(|a, b| seen(a.place).2.total_cmp(&seen(b.place).2));
        let radius = radius(dots.len());
        for dot in &dots {
            left.dot(at(dot.place), radius, dot.colour)?;
        }
        if let Some(note) = scatter.note() {
            left.text((20.0, height - 20.0), &note, 11.0, Side::Left)?;
        }
        shades.legend(&right, (10.0, 60.0))
    }
}

/// Where a dot lies in the box, from -1 to 1 along each edge.
fn boxed(dot: &Dot<3>, ranges: &[Range<f64>; 3]) -> [f64; 3] {
    std::array::from_fn(|c| {
        let Range { start, end } = ranges[c];
        2.0 * (dot.place[c] - start) / (end - start) - 1.0
    })
}

/// The point at `x` of an edge along `axis`, the other two coordinates `a` and `b`.
fn edge(axis: usize, x: f64, a: f64, b: f64) -> [f64; 3] {
    match axis {
        0 => [x, a, b],
        1 => [a, x, b],
        _ => [a, b, x],
    }
}

/// To the right, upwards, and towards who looks; the third coordinate stands upright.
pub(super) fn seen([x, y, z]: [f64; 3]) -> (f64, f64, f64) {
    let ((sin, cos), (up, flat)) = (VIEW.0.sin_cos(), VIEW.1.sin_cos());
    let (right, depth) = (x * cos - y * sin, x * sin + y * cos);
    (right, z * flat + depth * up, z * up - depth * flat)
}
