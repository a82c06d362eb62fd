//! What colours of points stand for.

use super::extent::{Extent, tick};
use super::sheet::GREY;
use crate::error::{Error, Result};
use plotters::prelude::*;
use plotters::style::colors::colormaps::{ColorMap, ViridisRGB};

/// Colours of the bar that stands for numbers: its steps are too small to be seen.
pub(super) const BAR_STEPS: usize = 50;

/// What the colours of points stand for: one label or number for each point.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Colours {
    /// Labels, each with a colour of its own.
    Labels(Vec<i64>),
    /// Numbers, from dark to bright; points whose number is not finite are grey.
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

/// The look of one point.
pub(super) struct Look {
    /// The place of its label among all labels; 0 without labels.
    pub(super) class: usize,
    pub(super) colour: RGBColor,
    /// Its row, and its label or number.
    pub(super) note: String,
}

/// The colours of a bar that stands for numbers, from the highest number to the lowest, and both.
pub(super) struct Bar {
    pub(super) colours: Vec<RGBColor>,
    pub(super) ends: [String; 2],
}

/// The colours of all points.
pub(super) struct PointColours<'a> {
    colours: Option<&'a Colours>,
    /// Labels that occur, ascending.
    pub(super) labels: Vec<i64>,
    /// Where numbers lie.
    extent: Option<Extent>,
}

impl<'a> PointColours<'a> {
    /// Fails unless there are points, and as many colours.
    pub(super) fn new(colours: Option<&'a Colours>, points: usize) -> Result<Self> {
        let count = colours.map_or(points, Colours::len);
        if points == 0 {
            return Err(Error::argument("there are no points to draw"));
        }
        if count != points {
            return Err(Error::argument(format!("{points} points with {count} colours")));
        }
        let (mut all, mut extent) = (Vec::new(), None);
        match colours {
            Some(Colours::Labels(labels)) => {
                all = labels.clone();
                all.sort_unstable();
                all.dedup();
            }
            Some(Colours::Numbers(x)) => extent = Some(Extent::of(x.iter().copied())),
            None => {}
        }
        Ok(Self { colours, labels: all, extent })
    }

    /// The look of point `i`.
    pub(super) fn look(&self, i: usize) -> Look {
        match (self.colours, &self.extent) {
            (Some(Colours::Labels(labels)), _) => {
                let class = self.labels.partition_point(|l| *l < labels[i]);
                Look { class, colour: distinct(class), note: format!("row {i}, {}", labels[i]) }
            }
            (Some(Colours::Numbers(x)), Some(extent)) if x[i].is_finite() => {
                let colour = gradual(extent.share(x[i]));
                Look { class: 0, colour, note: format!("row {i}, {}", x[i]) }
            }
            (Some(_), _) => Look { class: 0, colour: GREY, note: format!("row {i}, no number") },
            _ => Look { class: 0, colour: distinct(0), note: format!("row {i}") },
        }
    }

    /// Whether points have all one colour.
    pub(super) fn are_alike(&self) -> bool {
        self.colours.is_none()
    }

    /// The bar for numbers; nothing where colours are not for numbers or none is finite.
    pub(super) fn bar(&self) -> Option<Bar> {
        let (Some(Colours::Numbers(x)), Some(extent)) = (self.colours, &self.extent) else {
            return None;
        };
        let finite = || x.iter().copied().filter(|x| x.is_finite());
        let low = finite().reduce(f64::min)?;
        let high = finite().reduce(f64::max)?;
        let (top, bottom) = (extent.share(high), extent.share(low));
        let at = |i: usize| top + (bottom - top) * i as f64 / (BAR_STEPS - 1) as f64;
        let end = |x: f64| extent.named(&tick(&extent.scaled(x)));
        let colours = (0..BAR_STEPS).map(|i| gradual(at(i))).collect();
        Some(Bar { colours, ends: [end(high), end(low)] })
    }
}

/// A colour for class `i`: ten well-known ones (D3's and matplotlib's, but for the darker grey),
/// then hues at the golden angle, which lie far from those before.
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

/// A colour from dark blue (0) over green to yellow (1): viridis (van der Walt and Smith 2015),
/// whose steps look equal to all eyes.
fn gradual(share: f64) -> RGBColor {
    ViridisRGB.get_color(share.clamp(0.0, 1.0))
}
