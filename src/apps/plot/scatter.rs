//! Points, and those on a plane.

use super::axes::{Frame, Range, short};
use super::canvas::{Anchor, Canvas, Colour, GREY, distinct, gradual};
use super::{PlotFormat, finished};
use crate::apps::cells;
use crate::error::{Error, Result};
use crate::matrix::Rows;
use faer::{Mat, Side};

/// Classes that have a line in the legend, at most.
const LEGEND: usize = 24;
const SIZE: (usize, usize) = (900, 700);

/// What a point's colour stands for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Colours {
    /// A label of each point.
    Labels(Vec<i64>),
    /// A number of each point.
    Numbers(Vec<f64>),
}

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

impl Colours {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Labels(labels) => labels.len(),
            Self::Numbers(numbers) => numbers.len(),
        }
    }
}

/// Class, colour and text of each point.
pub(super) struct Shades<'a> {
    colours: Option<&'a Colours>,
    /// Labels that occur, ascending.
    pub(super) classes: Vec<i64>,
    range: Option<Range>,
}

impl<'a> Shades<'a> {
    /// # Errors
    /// `Argument` unless there are points, and as many colours.
    pub(super) fn new(colours: Option<&'a Colours>, points: usize) -> Result<Self> {
        let count = colours.map_or(points, Colours::len);
        if points == 0 || count != points {
            return Err(Error::argument(format!("{points} points with {count} colours")));
        }
        let (mut classes, mut range) = (Vec::new(), None);
        match colours {
            Some(Colours::Labels(labels)) => {
                classes = labels.clone();
                classes.sort_unstable();
                classes.dedup();
            }
            Some(Colours::Numbers(x)) => range = Some(Range::of(x.iter().copied(), false)),
            None => {}
        }
        Ok(Self { colours, classes, range })
    }

    pub(super) fn of(&self, i: usize) -> (usize, Colour, String) {
        match (self.colours, &self.range) {
            (Some(Colours::Labels(labels)), _) => {
                let class = self.classes.partition_point(|l| *l < labels[i]);
                (class, distinct(class), format!("row {i}, {}", labels[i]))
            }
            (Some(Colours::Numbers(x)), Some(range)) if x[i].is_finite() => {
                (0, gradual(range.share(x[i])), format!("row {i}, {}", x[i]))
            }
            (Some(_), _) => (0, GREY, format!("row {i}, no number")),
            _ => (0, distinct(0), format!("row {i}")),
        }
    }

    /// A line for each label, or a bar of all colours.
    pub(super) fn legend(&self, canvas: &mut dyn Canvas, left: f64, top: f64) {
        for (class, label) in self.classes.iter().enumerate().take(LEGEND) {
            let y = top + 10.0 + 20.0 * class as f64;
            canvas.dot(left, y, 5.0, distinct(class), class, "");
            canvas.text(left + 12.0, y, &label.to_string(), 13.0, Anchor::Start, false);
        }
        if self.classes.len() > LEGEND {
            let y = top + 10.0 + 20.0 * LEGEND as f64;
            let more = format!("{} more", self.classes.len() - LEGEND);
            canvas.text(left, y, &more, 13.0, Anchor::Start, false);
        }
        if let Some(Colours::Numbers(x)) = self.colours {
            scale(canvas, left, top, x);
        }
    }
}

impl<const N: usize> Scatter<N> {
    /// Points of one colour.
    pub fn new(points: Vec<[f64; N]>) -> Self {
        let axes = std::array::from_fn(|i| (i + 1).to_string());
        Self { points, colours: None, title: String::new(), axes, most: 20_000 }
    }
}

impl Scatter<2> {
    /// The picture.
    ///
    /// # Errors
    /// `Argument` if there are no points, or not as many colours.
    pub fn draw(&self, format: PlotFormat) -> Result<Vec<u8>> {
        let shades = Shades::new(self.colours.as_ref(), self.points.len())?;
        finished(format, SIZE, |canvas| self.on(canvas, &shades))
    }

    fn on(&self, canvas: &mut dyn Canvas, shades: &Shades<'_>) {
        let (width, height) = (SIZE.0 as f64, SIZE.1 as f64);
        canvas.rectangle(0.0, 0.0, width, height, [255; 3]);
        let legend = if self.colours.is_some() { 120.0 } else { 20.0 };
        let coordinate = |c: usize| self.points.iter().map(move |p| p[c]);
        let frame = Frame {
            left: 80.0,
            top: 50.0,
            width: width - 80.0 - legend,
            height: height - 110.0,
            x: Range::of(coordinate(0), false),
            y: Range::of(coordinate(1), false),
        };
        frame.draw(canvas, &self.title, (&self.axes[0], &self.axes[1]));
        let step = self.points.len().div_ceil(self.most.max(1));
        let radius = if self.points.len() / step > 4000 { 1.6 } else { 2.6 };
        for (i, [x, y]) in self.points.iter().enumerate().step_by(step) {
            if !x.is_finite() || !y.is_finite() {
                continue;
            }
            let (class, colour, note) = shades.of(i);
            let note = format!("{note} ({}, {})", short(*x), short(*y));
            let (px, py) = frame.place(*x, *y);
            canvas.dot(px, py, radius, colour, class, &note);
        }
        if step > 1 {
            let note = format!("every {step}th of {} rows", self.points.len());
            canvas.text(frame.left + 6.0, frame.top + 10.0, &note, 11.0, Anchor::Start, false);
        }
        shades.legend(canvas, width - legend + 18.0, frame.top);
    }
}

/// A bar of all colours with the numbers at its ends.
fn scale(canvas: &mut dyn Canvas, left: f64, top: f64, numbers: &[f64]) {
    const STEPS: usize = 50;
    let range = Range::of(numbers.iter().copied(), false);
    let finite = || numbers.iter().copied().filter(|x| x.is_finite());
    let (low, high) =
        (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    if low > high {
        return;
    }
    for i in 0..STEPS {
        let x = high - (high - low) * (i as f64 + 0.5) / STEPS as f64;
        canvas.rectangle(left, top + 4.0 * i as f64, 16.0, 4.2, gradual(range.share(x)));
    }
    for (y, x) in [(top + 6.0, high), (top + 4.0 * STEPS as f64 - 6.0, low)] {
        canvas.text(left + 22.0, y, &format!("{x:.4}"), 12.0, Anchor::Start, false);
    }
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

fn components<const N: usize>(values: &[f64], width: usize) -> Points<N> {
    let usable: Vec<&[f64]> =
        values.chunks_exact(width).filter(|r| r.iter().all(|x| x.is_finite())).collect();
    let n = usable.len().max(1) as f64;
    let mean: Vec<f64> = (0..width).map(|j| usable.iter().map(|r| r[j]).sum::<f64>() / n).collect();
    let mut covariance = Mat::<f64>::zeros(width, width);
    for row in &usable {
        for a in 0..width {
            for b in 0..=a {
                covariance[(a, b)] += (row[a] - mean[a]) * (row[b] - mean[b]) / n;
            }
        }
    }
    let total: f64 = (0..width).map(|j| covariance[(j, j)]).sum();
    let Ok(eigen) = covariance.self_adjoint_eigen(Side::Lower) else {
        let first = |r: &[f64]| std::array::from_fn(|k| r[k]);
        return (values.chunks_exact(width).map(first).collect(), None);
    };
    // Ascending; of two signs the one whose largest entry is positive.
    let direction = |place: usize| -> Vec<f64> {
        let v: Vec<f64> = (0..width).map(|j| eigen.U()[(j, width - 1 - place)]).collect();
        let largest = v.iter().fold(0.0_f64, |m, x| if x.abs() > m.abs() { *x } else { m });
        v.iter().map(|x| if largest < 0.0 { -x } else { *x }).collect()
    };
    let directions: [Vec<f64>; N] = std::array::from_fn(direction);
    let dot = |row: &[f64], v: &[f64]| -> f64 {
        row.iter().zip(&mean).zip(v).map(|((x, m), v)| (x - m) * v).sum()
    };
    let points = values.chunks_exact(width).map(|row| directions.each_ref().map(|v| dot(row, v)));
    let share = |place: usize| eigen.S()[width - 1 - place] / total.max(f64::MIN_POSITIVE);
    (points.collect(), Some(std::array::from_fn(share)))
}
