//! What ways to store rows cost: error over bytes.

use super::chart::{Frame, curve};
use super::colours::distinct;
use super::format::PlotFormat;
use super::render::render;
use super::sheet::{DARK, Drawn, GREY, Picture, Sheet, Side};
use crate::apps::compare::{Comparison, Method, Trial};
use crate::error::{Error, Result};
use plotters::prelude::*;
use std::ops::Range;

const SIZE: (u32, u32) = (900, 560);
/// Points for the legend.
const LEGEND: f64 = 220.0;
/// Points from line to line of the legend, and where it begins.
const LINE: f64 = 22.0;
const TOP: f64 = 60.0;
/// Where the seconds of a legend's line end.
const SECONDS: f64 = 196.0;
/// The width of a line, of one across the picture, and the radius of a dot.
const WIDTH: f64 = 1.8;
const HAIR: f64 = 1.2;
const DOT: f64 = 3.5;
/// Room on either side of a logarithmic axis, as a factor.
const ROOM: f64 = 1.25;
/// Ends of an axis that are further apart than by this factor have powers of ten between them, others
/// powers of two: so that there are two at least, and not more than eight.
const FAR_APART: f64 = 150.0;

/// Draws the error of each way to store rows over its bytes per row, both logarithmic, with a line for
/// each method: further to the left is smaller, further down is more exact. What loses nothing is a
/// line across. The legend says how many seconds each method took in all.
///
/// # Errors
/// `Argument` if no way has an error that can be drawn.
pub fn rates(comparison: &Comparison, title: &str, format: PlotFormat) -> Result<Vec<u8>> {
    let points = comparison.trials.iter().filter(|trial| is_drawn(trial));
    let errors = points.clone().map(|trial| trial.error);
    if errors.clone().next().is_none() {
        return Err(Error::argument("no way to store rows has an error that can be drawn"));
    }
    let picture = Rates {
        comparison,
        title,
        bytes: roomy(comparison.trials.iter().map(|trial| trial.bytes_per_row)),
        errors: roomy(errors),
    };
    render(&picture, format)
}

/// Whether a trial is a point of a logarithmic picture.
fn is_drawn(trial: &Trial) -> bool {
    trial.error > 0.0 && trial.error.is_finite() && trial.bytes_per_row > 0.0
}

/// From below the least number to above the largest; those that a logarithm has.
fn roomy(numbers: impl Iterator<Item = f64>) -> Range<f64> {
    let ends = numbers
        .filter(|x| *x > 0.0 && x.is_finite())
        .fold((f64::INFINITY, 0.0_f64), |(low, high), x| (low.min(x), high.max(x)));
    ends.0 / ROOM..ends.1 * ROOM
}

/// The numbers along a logarithmic axis are powers of this.
fn base(ends: &Range<f64>) -> f64 {
    if ends.end > FAR_APART * ends.start { 10.0 } else { 2.0 }
}

/// Writes a number of a logarithmic axis.
fn tick(x: &f64) -> String {
    if (1e-4..1e6).contains(x) { format!("{}", (x * 1e9).round() / 1e9) } else { format!("{x:e}") }
}

/// A picture of a comparison.
struct Rates<'a> {
    comparison: &'a Comparison,
    title: &'a str,
    /// Where the axes reach from and to.
    bytes: Range<f64>,
    errors: Range<f64>,
}

/// The colour of the `place`th method, and whether it is a line across the picture.
fn look(method: Method, place: usize) -> (RGBColor, bool) {
    match method {
        Method::AsTheyAre => (GREY, true),
        Method::Lossless => (DARK, true),
        // Those two have no colour.
        _ => (distinct(place.saturating_sub(2)), false),
    }
}

impl Rates<'_> {
    /// All methods, in order.
    fn methods(&self) -> Vec<Method> {
        let mut methods: Vec<Method> = self.comparison.trials.iter().map(|t| t.method).collect();
        methods.dedup();
        methods
    }

    fn trials(&self, method: Method) -> impl Iterator<Item = &Trial> {
        self.comparison.trials.iter().filter(move |trial| trial.method == method)
    }

    fn legend<B: DrawingBackend>(&self, sheet: &Sheet<B>) -> Drawn<B> {
        let mut y = TOP;
        for (place, method) in self.methods().into_iter().enumerate() {
            let (colour, across) = look(method, place);
            sheet.line(&[(8.0, y), (28.0, y)], if across { HAIR } else { 3.0 }, colour)?;
            sheet.text((36.0, y), &method.to_string(), 13.0, Side::Left)?;
            let seconds: f64 = self.trials(method).map(|trial| trial.seconds).sum();
            if method != Method::AsTheyAre {
                sheet.text((SECONDS, y), &format!("{seconds:.1} s"), 13.0, Side::Right)?;
            }
            y += LINE;
        }
        let Comparison { rows, measured, .. } = self.comparison;
        let note = match measured == rows {
            true => vec![format!("{rows} rows")],
            false => vec!["measured on".to_string(), format!("{measured} of {rows} rows")],
        };
        for (line, text) in note.iter().enumerate() {
            sheet.text((8.0, y + LINE + 16.0 * line as f64), text, 12.0, Side::Left)?;
        }
        Ok(())
    }
}

impl Picture for Rates<'_> {
    fn size(&self) -> (u32, u32) {
        SIZE
    }

    fn draw<B: DrawingBackend>(&self, sheet: &Sheet<B>) -> Drawn<B> {
        let (left, right) = sheet.split(f64::from(SIZE.0) - LEGEND);
        let names = ["bytes per row".to_string(), self.comparison.error_name.clone()];
        let frame = Frame {
            title: self.title,
            x: self.bytes.clone().log_scale().base(base(&self.bytes)),
            y: self.errors.clone().log_scale().base(base(&self.errors)),
            names: &names,
            x_tick: &tick,
            y_tick: &tick,
        };
        let mut chart = frame.draw(&left)?;
        for (place, method) in self.methods().into_iter().enumerate() {
            let (colour, across) = look(method, place);
            let points: Vec<(f64, f64)> = match across {
                true => self
                    .trials(method)
                    .flat_map(|t| {
                        [self.errors.start, self.errors.end].map(|e| (t.bytes_per_row, e))
                    })
                    .collect(),
                false => self
                    .trials(method)
                    .filter(|t| is_drawn(t))
                    .map(|t| (t.bytes_per_row, t.error))
                    .collect(),
            };
            let width = if across { HAIR } else { WIDTH };
            let style = colour.stroke_width(left.pixels(width) as u32);
            curve(&mut chart, points.iter().copied(), style)?;
            if !across {
                let radius = left.pixels(DOT);
                chart
                    .draw_series(points.iter().map(|p| Circle::new(*p, radius, colour.filled())))?;
            }
        }
        self.legend(&right)
    }
}
