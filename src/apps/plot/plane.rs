//! Points on a plane.

use super::chart::Frame;
use super::cloud::Cloud;
use super::extent::tick;
use super::legend;
use super::sheet::{Drawn, OPACITY, Picture, Sheet, Side};
use plotters::prelude::*;

const SIZE: (u32, u32) = (900, 700);

/// A picture of points on a plane.
pub(super) struct Plane<'a>(pub(super) Cloud<'a, 2>);

impl Picture for Plane<'_> {
    fn size(&self) -> (u32, u32) {
        SIZE
    }

    fn draw<B: DrawingBackend>(&self, sheet: &Sheet<B>) -> Drawn<B> {
        let cloud = &self.0;
        let (left, right) = sheet.split(f64::from(SIZE.0) - legend::width(&cloud.colours));
        let [x, y] = cloud.ranges.clone();
        let (title, names) = (cloud.title, &cloud.axes);
        let frame = Frame { title, x, y, names, x_tick: &tick, y_tick: &tick };
        let mut chart = frame.draw(&left)?;
        let radius = left.pixels(cloud.radius());
        chart.draw_series(cloud.dots.iter().map(|dot| {
            Circle::new((dot.place[0], dot.place[1]), radius, dot.colour.mix(OPACITY).filled())
        }))?;
        if let Some(note) = &cloud.note {
            left.text((90.0, 62.0), note, 11.0, Side::Left)?;
        }
        legend::draw(&cloud.colours, &right)
    }
}
