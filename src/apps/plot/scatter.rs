//! Points on a plane.

use super::axes::{Frame, Range};
use super::canvas::{Anchor, Canvas, GREY, distinct, gradual};
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
/// # Ok::<(), aezip::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Scatter {
    /// Where the points are; those that are not finite are left out.
    pub points: Vec<[f64; 2]>,
    /// What their colours stand for.
    pub colours: Option<Colours>,
    /// Above the picture.
    pub title: String,
    /// What runs to the right, and what upwards.
    pub axes: [String; 2],
    /// Points drawn, at most; of more, every so many-th.
    pub most: usize,
}

impl Scatter {
    /// Points of one colour.
    pub fn new(points: Vec<[f64; 2]>) -> Self {
        let axes = ["1".to_string(), "2".to_string()];
        Self { points, colours: None, title: String::new(), axes, most: 20_000 }
    }

    /// The picture.
    ///
    /// # Errors
    /// `Argument` if there are no points, or not as many colours.
    pub fn draw(&self, format: PlotFormat) -> Result<Vec<u8>> {
        let n = self.points.len();
        let colours = match &self.colours {
            None => n,
            Some(Colours::Labels(labels)) => labels.len(),
            Some(Colours::Numbers(numbers)) => numbers.len(),
        };
        if n == 0 || colours != n {
            return Err(Error::argument(format!("{n} points with {colours} colours")));
        }
        finished(format, SIZE, |canvas| self.on(canvas))
    }

    fn on(&self, canvas: &mut dyn Canvas) {
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
        let classes = self.classes();
        let numbers = match &self.colours {
            Some(Colours::Numbers(x)) => Some((x, Range::of(x.iter().copied(), false))),
            _ => None,
        };
        for (i, [x, y]) in self.points.iter().enumerate().step_by(step) {
            if !x.is_finite() || !y.is_finite() {
                continue;
            }
            let (class, colour, note) = match (&self.colours, &numbers) {
                (Some(Colours::Labels(labels)), _) => {
                    let class = classes.partition_point(|l| *l < labels[i]);
                    (class, distinct(class), format!("row {i}, {}", labels[i]))
                }
                (_, Some((x, range))) if x[i].is_finite() => {
                    (0, gradual(range.share(x[i])), format!("row {i}, {}", x[i]))
                }
                (_, Some(_)) => (0, GREY, format!("row {i}, no number")),
                _ => (0, distinct(0), format!("row {i}")),
            };
            let (px, py) = frame.place(*x, *y);
            canvas.dot(px, py, radius, colour, class, &note);
        }
        if step > 1 {
            let note = format!("every {step}th of {} rows", self.points.len());
            canvas.text(frame.left + 6.0, frame.top + 10.0, &note, 11.0, Anchor::Start, false);
        }
        let left = width - legend + 18.0;
        for (class, label) in classes.iter().enumerate().take(LEGEND) {
            let y = frame.top + 10.0 + 20.0 * class as f64;
            canvas.dot(left, y, 5.0, distinct(class), class, "");
            canvas.text(left + 12.0, y, &label.to_string(), 13.0, Anchor::Start, false);
        }
        if classes.len() > LEGEND {
            let y = frame.top + 10.0 + 20.0 * LEGEND as f64;
            let more = format!("{} more", classes.len() - LEGEND);
            canvas.text(left, y, &more, 13.0, Anchor::Start, false);
        }
        if let Some((x, _)) = numbers {
            scale(canvas, left, frame.top, x);
        }
    }

    /// Labels that occur, ascending.
    fn classes(&self) -> Vec<i64> {
        let Some(Colours::Labels(labels)) = &self.colours else { return Vec::new() };
        let mut classes = labels.clone();
        classes.sort_unstable();
        classes.dedup();
        classes
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

/// Points, and the share of the variance that each of two components has.
pub type Plane = (Vec<[f64; 2]>, Option<[f64; 2]>);

/// Rows of two numbers as they are; of more, their two principal components, with the share of
/// the variance that each has.
///
/// # Errors
/// `Argument` if rows have less than two numbers; `Io` and others as the rows give them.
pub fn to_plane(rows: &dyn Rows) -> Result<Plane> {
    let width = rows.schema().width();
    let values = cells::read(rows, 0..rows.len())?;
    match width {
        0 | 1 => Err(Error::argument(
            "rows of one number have no place on a plane; it takes two latents or more",
        )),
        2 => Ok((values.as_chunks::<2>().0.to_vec(), None)),
        _ => Ok(components(&values, width)),
    }
}

fn components(values: &[f64], width: usize) -> Plane {
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
        return (values.chunks_exact(width).map(|r| [r[0], r[1]]).collect(), None);
    };
    // Ascending; of two signs the one whose largest entry is positive.
    let direction = |place: usize| -> Vec<f64> {
        let v: Vec<f64> = (0..width).map(|j| eigen.U()[(j, width - 1 - place)]).collect();
        let largest = v.iter().fold(0.0_f64, |m, x| if x.abs() > m.abs() { *x } else { m });
        v.iter().map(|x| if largest < 0.0 { -x } else { *x }).collect()
    };
    let directions = [direction(0), direction(1)];
    let dot = |row: &[f64], v: &[f64]| -> f64 {
        row.iter().zip(&mean).zip(v).map(|((x, m), v)| (x - m) * v).sum()
    };
    let points = values.chunks_exact(width).map(|row| directions.each_ref().map(|v| dot(row, v)));
    let share = |place: usize| eigen.S()[width - 1 - place] / total.max(f64::MIN_POSITIVE);
    (points.collect(), Some([share(0), share(1)]))
}
