//! What colours of points stand for.

use super::extent::{Extent, tick};
use super::still::{Drawn, GREY, Sheet, Side};
use crate::error::{Error, Result};
use plotters::prelude::*;
use plotters::style::colors::colormaps::{ColorMap, ViridisRGB};

/// Classes that have a line in the legend, at most.
const LEGEND: usize = 24;
/// Colours of the bar that stands for numbers.
const STEPS: usize = 50;

/// What a point's colour stands for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Colours {
    /// A label of each point.
    Labels(Vec<i64>),
    /// A number of each point.
    Numbers(Vec<f64>),
}

impl Colours {
    fn len(&self) -> usize {
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
    /// Of numbers.
    extent: Option<Extent>,
}

impl<'a> Shades<'a> {
    /// # Errors
    /// `Argument` unless there are points, and as many colours.
    pub(super) fn new(colours: Option<&'a Colours>, points: usize) -> Result<Self> {
        let count = colours.map_or(points, Colours::len);
        if points == 0 {
            return Err(Error::argument("there are no points to draw"));
        }
        if count != points {
            return Err(Error::argument(format!("{points} points with {count} colours")));
        }
        let (mut classes, mut extent) = (Vec::new(), None);
        match colours {
            Some(Colours::Labels(labels)) => {
                classes = labels.clone();
                classes.sort_unstable();
                classes.dedup();
            }
            Some(Colours::Numbers(x)) => extent = Some(Extent::of(x.iter().copied())),
            None => {}
        }
        Ok(Self { colours, classes, extent })
    }

    pub(super) fn of(&self, i: usize) -> (usize, RGBColor, String) {
        match (self.colours, &self.extent) {
            (Some(Colours::Labels(labels)), _) => {
                let class = self.classes.partition_point(|l| *l < labels[i]);
                (class, distinct(class), format!("row {i}, {}", labels[i]))
            }
            (Some(Colours::Numbers(x)), Some(extent)) if x[i].is_finite() => {
                (0, gradual(extent.share(x[i])), format!("row {i}, {}", x[i]))
            }
            (Some(_), _) => (0, GREY, format!("row {i}, no number")),
            _ => (0, distinct(0), format!("row {i}")),
        }
    }

    /// Points that the legend is wide.
    pub(super) fn width(&self) -> f64 {
        if self.colours.is_some() { 120.0 } else { 20.0 }
    }

    /// Colours from the highest number to the lowest, and both; nothing where colours are not
    /// for numbers or none is finite.
    pub(super) fn scale(&self) -> Option<(Vec<RGBColor>, [String; 2])> {
        let (Some(Colours::Numbers(x)), Some(extent)) = (self.colours, &self.extent) else {
            return None;
        };
        let finite = || x.iter().copied().filter(|x| x.is_finite());
        let low = finite().reduce(f64::min)?;
        let high = finite().reduce(f64::max)?;
        let (top, bottom) = (extent.share(high), extent.share(low));
        let at = |i: usize| top + (bottom - top) * i as f64 / (STEPS - 1) as f64;
        let end = |x: f64| extent.named(&tick(&extent.scaled(x)));
        Some(((0..STEPS).map(|i| gradual(at(i))).collect(), [end(high), end(low)]))
    }

    /// A line for each label, or a bar of all colours.
    pub(super) fn legend<B: DrawingBackend>(
        &self,
        sheet: &Sheet<B>,
        (left, top): (f64, f64),
    ) -> Drawn<B> {
        for (class, label) in self.classes.iter().enumerate().take(LEGEND) {
            let y = top + 20.0 * class as f64;
            sheet.dot((left, y), 5.0, distinct(class))?;
            sheet.text((left + 12.0, y), &label.to_string(), 13.0, Side::Left)?;
        }
        if self.classes.len() > LEGEND {
            let more = format!("{} more", self.classes.len() - LEGEND);
            sheet.text((left, top + 20.0 * LEGEND as f64), &more, 13.0, Side::Left)?;
        }
        if let Some((colours, [high, low])) = self.scale() {
            for (i, colour) in colours.iter().enumerate() {
                sheet.rectangle((left, top + 4.0 * i as f64), (16.0, 4.2), *colour)?;
            }
            let bottom = top + 4.0 * STEPS as f64;
            sheet.text((left + 22.0, top + 6.0), &high, 12.0, Side::Left)?;
            sheet.text((left + 22.0, bottom - 6.0), &low, 12.0, Side::Left)?;
        }
        Ok(())
    }
}

/// Colours that are told apart: of ten the usual ones, then hues at the golden angle.
pub(super) fn distinct(i: usize) -> RGBColor {
    const TEN: [(u8, u8, u8); 10] = [
        (31, 119, 180),
        (255, 127, 14),
        (44, 160, 44),
        (214, 39, 40),
        (148, 103, 189),
        (140, 86, 75),
        (227, 119, 194),
        (110, 110, 110),
        (188, 189, 34),
        (23, 190, 207),
    ];
    let (r, g, b) = match TEN.get(i) {
        Some(colour) => *colour,
        None => HSLColor((i as f64 * 137.508) % 360.0 / 360.0, 0.6, 0.5).rgb(),
    };
    RGBColor(r, g, b)
}

/// From dark blue over green to yellow (viridis, van der Walt and Smith 2015), which look alike in
/// steps to all eyes.
fn gradual(share: f64) -> RGBColor {
    ViridisRGB.get_color(share.clamp(0.0, 1.0))
}
