//! Points in space.

use super::cloud::{Cloud, Dot};
use super::legend;
use super::sheet::{Drawn, LIGHT, Picture, Sheet, Side};
use plotters::prelude::*;
use std::ops::Range;

const SIZE: (u32, u32) = (900, 700);
/// Half of the box's edge, in points: turned like this, it just fits.
const HALF: f64 = 190.0;
/// How far the picture is turned, and how far it is seen from above, in radians: no edge of the
/// box hides another.
const TURN: f64 = 0.6;
const TILT: f64 = 0.45;
/// How far from the box's middle an axis' name stands, in halves of its edge.
const NAME: f64 = 1.15;

/// A picture of points in a box.
pub(super) struct Space<'a>(pub(super) Cloud<'a, 3>);

impl Picture for Space<'_> {
    fn size(&self) -> (u32, u32) {
        SIZE
    }

    fn draw<B: DrawingBackend>(&self, sheet: &Sheet<B>) -> Drawn<B> {
        let cloud = &self.0;
        let width = f64::from(SIZE.0) - legend::width(&cloud.colours);
        let height = f64::from(SIZE.1);
        let (left, right) = sheet.split(width);
        let centre = (width / 2.0, height / 2.0 + 10.0);
        let at = |p: [f64; 3]| {
            let seen = Seen::new(p);
            (centre.0 + HALF * seen.right, centre.1 - HALF * seen.up)
        };
        left.text((centre.0, 26.0), cloud.title, 17.0, Side::Center)?;
        for (axis, name) in cloud.axes.iter().enumerate() {
            for (a, b) in [(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)] {
                let end = |x: f64| at(edge(axis, x, a, b));
                left.line(&[end(-1.0), end(1.0)], 1.0, LIGHT)?;
            }
            let place = at(edge(axis, 0.0, -NAME, if axis == 2 { NAME } else { -NAME }));
            left.text(place, name, 13.0, Side::Center)?;
        }
        // What is near hides what is far.
        let boxed = |dot: &Dot<3>| (boxed(dot, &cloud.ranges), dot.colour);
        let mut dots: Vec<_> = cloud.dots.iter().map(boxed).collect();
        dots.sort_by(|a, b| Seen::new(a.0).towards.total_cmp(&Seen::new(b.0).towards));
        for (place, colour) in dots {
            left.dot(at(place), cloud.radius(), colour)?;
        }
        if let Some(note) = &cloud.note {
            left.text((20.0, height - 20.0), note, 11.0, Side::Left)?;
        }
        legend::draw(&cloud.colours, &right)
    }
}

/// Where a dot lies in the box, from -1 to 1 along each edge.
fn boxed(dot: &Dot<3>, ranges: &[Range<f64>; 3]) -> [f64; 3] {
    std::array::from_fn(|c| {
        let Range { start, end } = ranges[c];
        2.0 * (dot.place[c] - start) / (end - start) - 1.0
    })
}

/// The point at `x` of an edge along `axis`, whose other two coordinates are `a` and `b`.
fn edge(axis: usize, x: f64, a: f64, b: f64) -> [f64; 3] {
    match axis {
        0 => [x, a, b],
        1 => [a, x, b],
        _ => [a, b, x],
    }
}

/// Where a point of the box is seen.
struct Seen {
    right: f64,
    up: f64,
    /// How near it is to who looks.
    towards: f64,
}

impl Seen {
    /// Looks at a point whose third coordinate stands upright.
    fn new([x, y, z]: [f64; 3]) -> Self {
        let ((sin, cos), (up, flat)) = (TURN.sin_cos(), TILT.sin_cos());
        let (right, depth) = (x * cos - y * sin, x * sin + y * cos);
        Self { right, up: z * flat + depth * up, towards: z * up - depth * flat }
    }
}
