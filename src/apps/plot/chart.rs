//! A frame with numbers at its sides.

use super::sheet::{Drawn, GREY, LIGHT, Sheet};
use super::text::plain;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;

/// A chart whose axes count as `X` and `Y` do.
pub(super) type Chart<'a, B, X, Y> = ChartContext<'a, B, Cartesian2d<X, Y>>;

/// Numbers along an axis, about.
const TICKS: usize = 9;

/// What stands around a chart.
pub(super) struct Frame<'a, X, Y> {
    pub(super) title: &'a str,
    pub(super) x: X,
    pub(super) y: Y,
    /// The names along the horizontal and the vertical axis.
    pub(super) names: &'a [String; 2],
    /// Writes the numbers of the horizontal axis, and of the vertical one.
    pub(super) x_tick: &'a dyn Fn(&f64) -> String,
    pub(super) y_tick: &'a dyn Fn(&f64) -> String,
}

impl<X, Y> Frame<'_, X, Y>
where
    X: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    /// Draws the frame on the whole of `sheet`.
    pub(super) fn draw<'a, B: DrawingBackend + 'a>(
        self,
        sheet: &'a Sheet<B>,
    ) -> Drawn<B, Chart<'a, B, X::CoordDescType, Y::CoordDescType>> {
        let mut chart = ChartBuilder::on(sheet.area())
            .caption(plain(self.title), sheet.letters(16.0))
            .margin(sheet.pixels(12.0))
            .x_label_area_size(sheet.pixels(46.0))
            .y_label_area_size(sheet.pixels(66.0))
            .build_cartesian_2d(self.x, self.y)?;
        let hair = sheet.pixels(1.0) as u32;
        chart
            .configure_mesh()
            .x_labels(TICKS)
            .y_labels(TICKS)
            .light_line_style(TRANSPARENT)
            .bold_line_style(LIGHT.stroke_width(hair))
            .axis_style(GREY.stroke_width(hair))
            .set_all_tick_mark_size(sheet.pixels(4.0))
            .label_style(sheet.letters(12.0))
            .axis_desc_style(sheet.letters(13.0))
            .x_label_formatter(self.x_tick)
            .y_label_formatter(self.y_tick)
            .x_desc(plain(&self.names[0]))
            .y_desc(plain(&self.names[1]))
            .draw()?;
        Ok(chart)
    }
}

/// Draws a line through all points that are finite, with gaps where they are not.
pub(super) fn curve<B, X, Y>(
    chart: &mut Chart<'_, B, X, Y>,
    points: impl Iterator<Item = (f64, f64)>,
    style: ShapeStyle,
) -> Drawn<B>
where
    B: DrawingBackend,
    X: Ranged<ValueType = f64>,
    Y: Ranged<ValueType = f64>,
{
    let mut run = Vec::new();
    for (x, y) in points.chain([(f64::NAN, 0.0)]) {
        if x.is_finite() && y.is_finite() {
            run.push((x, y));
        } else if !run.is_empty() {
            chart.draw_series(LineSeries::new(std::mem::take(&mut run), style))?;
        }
    }
    Ok(())
}
