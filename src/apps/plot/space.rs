//! Points in space.

use super::axes::short;
use super::canvas::{Anchor, Canvas, Colour, LIGHT};
use super::scatter::{Scatter, Shades};
use super::{PlotFormat, finished, turning};
use crate::error::Result;

const SIZE: (usize, usize) = (900, 700);
/// Half of the box's edge, in pixels.
const HALF: f64 = 190.0;
/// How far the still picture is turned, and seen from above: radians.
const VIEW: (f64, f64) = (0.6, 0.45);

/// A point that is drawn: in the box, from -1 to 1.
pub(super) struct Dot {
    pub(super) place: [f64; 3],
    pub(super) class: usize,
    pub(super) colour: Colour,
    pub(super) note: String,
}

impl Scatter<3> {
    /// The picture: the points in a box that holds all of them, which turns as a page.
    ///
    /// # Errors
    /// `Argument` if there are no points, or not as many colours.
    pub fn draw(&self, format: PlotFormat) -> Result<Vec<u8>> {
        let shades = Shades::new(self.colours.as_ref(), self.points.len())?;
        let dots = self.dots(&shades);
        if format == PlotFormat::Html {
            let classes = &shades.classes;
            return Ok(turning::page(&self.title, &self.axes, classes, &dots).into_bytes());
        }
        finished(format, SIZE, |canvas| self.on(canvas, &shades, dots))
    }

    fn dots(&self, shades: &Shades<'_>) -> Vec<Dot> {
        let finite = |p: &[f64; 3]| p.iter().all(|x| x.is_finite());
        let mut ends = [(f64::INFINITY, f64::NEG_INFINITY); 3];
        for p in self.points.iter().filter(|p| finite(p)) {
            ends.iter_mut().zip(p).for_each(|(e, x)| *e = (e.0.min(*x), e.1.max(*x)));
        }
        let place = |p: &[f64; 3]| {
            std::array::from_fn(|c| {
                // Halves, as the difference may be beyond all numbers.
                let (low, high) = (ends[c].0 / 2.0, ends[c].1 / 2.0);
                if high > low { 2.0 * ((p[c] / 2.0 - low) / (high - low)) - 1.0 } else { 0.0 }
            })
        };
        let step = self.points.len().div_ceil(self.most.max(1));
        let all = self.points.iter().enumerate().step_by(step);
        all.filter(|(_, p)| finite(p))
            .map(|(i, p)| {
                let (class, colour, note) = shades.of(i);
                let [x, y, z] = p.map(short);
                let note = format!("{note} ({x}, {y}, {z})");
                Dot { place: place(p), class, colour, note }
            })
            .collect()
    }

    fn on(&self, canvas: &mut dyn Canvas, shades: &Shades<'_>, mut dots: Vec<Dot>) {
        let (width, height) = (SIZE.0 as f64, SIZE.1 as f64);
        let legend = if self.colours.is_some() { 120.0 } else { 20.0 };
        let centre = ((width - legend) / 2.0, height / 2.0 + 10.0);
        let at = |p: [f64; 3]| {
            let (x, y, _) = seen(p);
            (centre.0 + HALF * x, centre.1 - HALF * y)
        };
        canvas.rectangle(0.0, 0.0, width, height, [255; 3]);
        canvas.text(centre.0, 26.0, &self.title, 17.0, Anchor::Middle, false);
        for (axis, name) in self.axes.iter().enumerate() {
            for (a, b) in [(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)] {
                let end = |x: f64| at(edge(axis, x, a, b));
                canvas.line(&[end(-1.0), end(1.0)], 1.0, LIGHT);
            }
            let (x, y) = at(edge(axis, 0.0, -1.15, if axis == 2 { 1.15 } else { -1.15 }));
            canvas.text(x, y, name, 13.0, Anchor::Middle, false);
        }
        let radius = if dots.len() > 4000 { 1.6 } else { 2.6 };
        // What is near hides what is far.
        dots.sort_by(|a, b| seen(a.place).2.total_cmp(&seen(b.place).2));
        for dot in &dots {
            let (x, y) = at(dot.place);
            canvas.dot(x, y, radius, dot.colour, dot.class, &dot.note);
        }
        let step = self.points.len().div_ceil(self.most.max(1));
        if step > 1 {
            let note = format!("every {step}th of {} rows", self.points.len());
            canvas.text(20.0, height - 20.0, &note, 11.0, Anchor::Start, false);
        }
        shades.legend(canvas, width - legend + 18.0, 50.0);
    }
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
