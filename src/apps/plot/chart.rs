//! A frame with numbers at its sides.

use super::extent::tick;
use super::still::{Drawn, LIGHT, Sheet, plain};
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use std::ops::Range;

type Fallible<B, T> = Result<T, DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;
/// A frame whose sides both count evenly.
type Even<'a, B> = ChartContext<'a, B, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// A frame on the whole of `sheet`; the names of the axes run along it.
pub(super) fn framed<'a, B: DrawingBackend + 'a>(
    sheet: &'a Sheet<B>,
    title: &str,
    (x, y): (Range<f64>, Range<f64>),
    names: &(String, String),
) -> Fallible<B, Even<'a, B>> {
    framed_as(sheet, title, (x, y), names, &tick)
}

/// The same where what runs upwards may be counted in another way.
pub(super) fn framed_as<'a, B, Y>(
    sheet: &'a Sheet<B>,
    title: &str,
    (x, y): (Range<f64>, Y),
    names: &(String, String),
    up: &dyn Fn(&f64) -> String,
) -> Fallible<B, ChartContext<'a, B, Cartesian2d<RangedCoordf64, Y::CoordDescType>>>
where
    B: DrawingBackend + 'a,
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let mut chart = ChartBuilder::on(&sheet.area)
        .caption(plain(title), sheet.letters(16.0))
        .margin(sheet.dots(12.0))
        .x_label_area_size(sheet.dots(46.0))
        .y_label_area_size(sheet.dots(66.0))
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .x_labels(9)
        .y_labels(9)
        .light_line_style(TRANSPARENT)
        .bold_line_style(LIGHT.stroke_width(sheet.dots(1.0) as u32))
        .axis_style(super::still::GREY.stroke_width(sheet.dots(1.0) as u32))
        .set_all_tick_mark_size(sheet.dots(4.0))
        .label_style(sheet.letters(12.0))
        .axis_desc_style(sheet.letters(13.0))
        .x_label_formatter(&tick)
        .y_label_formatter(up)
        .x_desc(plain(&names.0))
        .y_desc(plain(&names.1))
        .draw()?;
    Ok(chart)
}

/// A line through all points that are finite; gaps where they are not.
pub(super) fn curve<B, Y>(
    chart: &mut ChartContext<'_, B, Cartesian2d<RangedCoordf64, Y>>,
    points: impl Iterator<Item = (f64, f64)>,
    style: ShapeStyle,
) -> Drawn<B>
where
    B: DrawingBackend,
    Y: plotters::coord::ranged1d::Ranged<ValueType = f64>,
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
