//! Points, and those on a plane.

use super::PlotFormat;
use super::chart::framed;
use super::components::components;
use super::extent::{Extent, short};
use super::page::{self, Dot};
use super::shades::{Colours, Shades};
use super::still::{Drawn, Picture, Sheet, Side, finished};
use crate::apps::cells;
use crate::error::{Error, Result};
use crate::matrix::Rows;
use plotters::prelude::*;

const SIZE: (u32, u32) = (900, 700);

/// Points, and what is written beside them.
///
/// ```
/// use aezip::plot::{Colours, PlotFormat, Scatter};
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
    /// Where the points are, 2 coordinates on a plane and 3 in space; those that are not finite are
    /// left out.
    pub points: Vec<[f64; N]>,
    /// What their colours stand for.
    pub colours: Option<Colours>,
    /// Above the picture.
    pub title: String,
    /// What runs to the right, and what upwards; or along each edge of the box in space.
    pub axes: [String; N],
    /// Points drawn, at most; of more, every so many-th.
    pub most: usize,
}

impl<const N: usize> Scatter<N> {
    /// Points of one colour.
    pub fn new(points: Vec<[f64; N]>) -> Self {
        let axes = std::array::from_fn(|i| (i + 1).to_string());
        Self { points, colours: None, title: String::new(), axes, most: 20_000 }
    }

    /// Of how many points one is drawn.
    fn step(&self) -> usize {
        self.points.len().div_ceil(self.most.max(1))
    }

    /// What is said where not all points are drawn.
    pub(super) fn note(&self) -> Option<String> {
        let step = self.step();
        (step > 1).then(|| format!("every {step}th of {} rows", self.points.len()))
    }

    /// Of each axis.
    pub(super) fn extents(&self) -> [Extent; N] {
        let whole = || self.points.iter().filter(|p| p.iter().all(|x| x.is_finite()));
        std::array::from_fn(|c| Extent::of(whole().map(|p| p[c])).roomy())
    }

    /// What is drawn, in the units of `extents`.
    pub(super) fn dots(&self, shades: &Shades<'_>, extents: &[Extent; N]) -> Vec<Dot<N>> {
        let all = self.points.iter().enumerate().step_by(self.step());
        all.filter(|(_, p)| p.iter().all(|x| x.is_finite()))
            .map(|(i, p)| {
                let (class, colour, note) = shades.of(i);
                let note = format!("{note} ({})", p.map(short).join(", "));
                let place = std::array::from_fn(|c| extents[c].scaled(p[c]));
                Dot { place, class, colour, note }
            })
            .collect()
    }

    /// A page by itself, which zooms, and turns if there is depth.
    pub(super) fn page(&self, shades: &Shades<'_>) -> Vec<u8> {
        let extents = self.extents();
        let axes = std::array::from_fn(|c| extents[c].named(&self.axes[c]));
        let title = match self.note() {
            Some(note) => format!("{} ({note})", self.title),
            None => self.title.clone(),
        };
        let ranges = extents.map(|e| e.range());
        page::of_points(&title, (&axes, &ranges), shades, &self.dots(shades, &extents)).into_bytes()
    }
}

impl Scatter<2> {
    /// The picture.
    ///
    /// # Errors
    /// `Argument` if there are no points, or not as many colours.
    pub fn draw(&self, format: PlotFormat) -> Result<Vec<u8>> {
        let shades = Shades::new(self.colours.as_ref(), self.points.len())?;
        match format {
            PlotFormat::Html => Ok(self.page(&shades)),
            _ => finished(&Plane { scatter: self, shades }, format),
        }
    }
}

struct Plane<'a> {
    scatter: &'a Scatter<2>,
    shades: Shades<'a>,
}

impl Picture for Plane<'_> {
    fn size(&self) -> (u32, u32) {
        SIZE
    }

    fn draw<B: DrawingBackend>(&self, sheet: &Sheet<B>) -> Drawn<B> {
        let (scatter, shades) = (self.scatter, &self.shades);
        let (left, right) = sheet.split(f64::from(SIZE.0) - shades.width());
        let extents = scatter.extents();
        let [x, y] = &extents;
        let names = (x.named(&scatter.axes[0]), y.named(&scatter.axes[1]));
        let mut chart = framed(&left, &scatter.title, (x.range(), y.range()), &names)?;
        let dots = scatter.dots(shades, &extents);
        let radius = left.dots(radius(dots.len()));
        chart.draw_series(dots.iter().map(|dot| {
            Circle::new((dot.place[0], dot.place[1]), radius, dot.colour.mix(0.75).filled())
        }))?;
        if let Some(note) = scatter.note() {
            left.text((90.0, 62.0), &note, 11.0, Side::Left)?;
        }
        shades.legend(&right, (10.0, 60.0))
    }
}

/// Of each of so many dots.
pub(super) fn radius(dots: usize) -> f64 {
    if dots > 4000 { 1.6 } else { 2.6 }
}

/// Points of `N` coordinates, and the share of the variance that each has if they are components.
pub type Points<const N: usize> = (Vec<[f64; N]>, Option<[f64; N]>);

/// Rows of `N` numbers as they are, 2 for a plane and 3 for space; of more, their first `N`
/// principal components, with the share of the variance that each has.
///
/// # Errors
/// `Argument` if rows have less than `N` numbers; `Io` and others as the rows give them.
pub fn to_points<const N: usize>(rows: &dyn Rows) -> Result<Points<N>> {
    let width = rows.schema().width();
    if width < N {
        return Err(Error::argument(format!(
            "rows of {width} numbers are no points of {N} coordinates; it takes {N} latents or more"
        )));
    }
    let values = cells::read(rows, 0..rows.len())?;
    if width == N {
        return Ok((values.as_chunks::<N>().0.to_vec(), None));
    }
    Ok(components(&values, width))
}
