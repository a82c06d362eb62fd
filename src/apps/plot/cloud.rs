//! Points that are ready to be drawn.

use super::colours::PointColours;
use plotters::style::RGBColor;
use std::ops::Range;

/// Dots from which on they are drawn smaller, so that less of each other is hidden, and the radii
/// of few and of many, in points.
const MANY: usize = 4000;
const RADIUS: f64 = 2.6;
const SMALL_RADIUS: f64 = 1.6;

/// Points and all that is written beside them.
pub(super) struct Cloud<'a, const N: usize> {
    pub(super) title: &'a str,
    /// What is said where not all points are drawn.
    pub(super) note: Option<String>,
    /// The names of the axes with their units.
    pub(super) axes: [String; N],
    /// Where the axes begin and end.
    pub(super) ranges: [Range<f64>; N],
    pub(super) dots: Vec<Dot<N>>,
    pub(super) colours: PointColours<'a>,
}

/// A point that is drawn.
pub(super) struct Dot<const N: usize> {
    /// Its coordinates, in the units of the axes.
    pub(super) place: [f64; N],
    /// The place of its label among all labels.
    pub(super) class: usize,
    pub(super) colour: RGBColor,
    /// What is told of it where the mouse points at it.
    pub(super) note: String,
}

impl<const N: usize> Cloud<'_, N> {
    /// The radius of each dot, in points.
    pub(super) fn radius(&self) -> f64 {
        if self.dots.len() > MANY { SMALL_RADIUS } else { RADIUS }
    }
}
