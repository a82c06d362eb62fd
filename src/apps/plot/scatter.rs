//! Points and how they are to look.

use super::cloud::{Cloud, Dot};
use super::colours::{Colours, PointColours};
use super::extent::{Extent, short};
use super::format::PlotFormat;
use super::page;
use super::plane::Plane;
use super::render::render;
use super::space::Space;
use crate::error::Result;

/// Points drawn by default, at most: more hide each other, and a page of them is slow.
const MOST: usize = 20_000;

/// Points of `N` coordinates, 2 on a plane and 3 in space, and what is written beside them.
///
/// ```
/// use aezip::apps::plot::{Colours, PlotFormat, Scatter};
/// let points: Vec<[f64; 2]> = (0..50).map(|i| [f64::from(i), f64::from(i % 7)]).collect();
/// let mut plot = Scatter::new(points);
/// plot.title = "by week".into();
/// plot.colours = Some(Colours::Labels((0..50).map(|i| i % 7).collect()));
/// assert!(plot.draw(PlotFormat::Svg)?.starts_with(b"<svg"));
/// // In space; the page turns it.
/// let turn = |i: i32| [f64::from(i).sin(), f64::from(i).cos(), f64::from(i) / 50.0];
/// let plot = Scatter::new((0..50).map(turn).collect());
/// assert!(plot.draw(PlotFormat::Html)?.starts_with(b"<!DOCTYPE html>"));
/// # Ok::<(), aezip::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Scatter<const N: usize> {
    /// The points. Those with a coordinate that is not finite are left out.
    pub points: Vec<[f64; N]>,
    /// What their colours stand for; if `None`, all have one colour.
    pub colours: Option<Colours>,
    /// The text above the picture.
    pub title: String,
    /// The names of the axes: to the right and upwards, or along each edge of the box in space.
    pub axes: [String; N],
    /// The most points that are drawn, 20 000 by default; of more, every second or third and so
    /// on.
    pub most: usize,
}

impl<const N: usize> Scatter<N> {
    /// Points of one colour, without a title, on axes that are numbered from 1.
    pub fn new(points: Vec<[f64; N]>) -> Self {
        let axes = std::array::from_fn(|i| (i + 1).to_string());
        Self { points, colours: None, title: String::new(), axes, most: MOST }
    }

    /// The points that are drawn, with all that is drawn beside them.
    fn cloud(&self) -> Result<Cloud<'_, N>> {
        let colours = PointColours::new(self.colours.as_ref(), self.points.len())?;
        let is_finite = |p: &[f64; N]| p.iter().all(|x| x.is_finite());
        let extents: [Extent; N] = std::array::from_fn(|c| {
            Extent::of(self.points.iter().filter(|p| is_finite(p)).map(|p| p[c])).roomy()
        });
        let step = self.points.len().div_ceil(self.most.max(1));
        let drawn = self.points.iter().enumerate().step_by(step).filter(|(_, p)| is_finite(p));
        let dot = |(i, p): (usize, &[f64; N])| {
            let look = colours.look(i);
            Dot {
                place: std::array::from_fn(|c| extents[c].scaled(p[c])),
                class: look.class,
                colour: look.colour,
                note: format!("{} ({})", look.note, p.map(short).join(", ")),
            }
        };
        Ok(Cloud {
            title: &self.title,
            note: (step > 1).then(|| format!("every {step}th of {} rows", self.points.len())),
            axes: std::array::from_fn(|c| extents[c].named(&self.axes[c])),
            ranges: extents.each_ref().map(Extent::range),
            dots: drawn.map(dot).collect(),
            colours,
        })
    }
}

impl Scatter<2> {
    /// Draws the points on a plane. A page of them can be zoomed and moved.
    ///
    /// # Errors
    /// `Argument` if there are no points, or not as many colours as points.
    pub fn draw(&self, format: PlotFormat) -> Result<Vec<u8>> {
        match format {
            PlotFormat::Html => Ok(page::of_points(&self.cloud()?).into_bytes()),
            _ => render(&Plane(self.cloud()?), format),
        }
    }
}

impl Scatter<3> {
    /// Draws the points in a box that holds all of them. A page of them can be turned.
    ///
    /// # Errors
    /// `Argument` if there are no points, or not as many colours as points.
    pub fn draw(&self, format: PlotFormat) -> Result<Vec<u8>> {
        match format {
            PlotFormat::Html => Ok(page::of_points(&self.cloud()?).into_bytes()),
            _ => render(&Space(self.cloud()?), format),
        }
    }
}
