//! What is written beside points: which colour stands for what.

use super::colours::{BAR_STEPS, Bar, PointColours, distinct};
use super::sheet::{Drawn, Sheet, Side};
use plotters::prelude::*;

/// Labels that have a line in the legend, at most: as many as a picture is high.
const MOST_LABELS: usize = 24;
/// Points from line to line.
const LINE: f64 = 20.0;
/// Points from one colour of the bar to the next, which overlap a little: gaps would show.
const BAR_LINE: f64 = 4.0;
const BAR_SIZE: (f64, f64) = (16.0, 4.2);
/// Where the legend begins.
const LEFT: f64 = 10.0;
const TOP: f64 = 60.0;

/// How wide the legend is, in points.
pub(super) fn width(colours: &PointColours<'_>) -> f64 {
    if colours.are_alike() { 20.0 } else { 120.0 }
}

/// Draws a line for each label, or the bar for numbers.
pub(super) fn draw<B: DrawingBackend>(colours: &PointColours<'_>, sheet: &Sheet<B>) -> Drawn<B> {
    for (class, label) in colours.labels.iter().enumerate().take(MOST_LABELS) {
        let y = TOP + LINE * class as f64;
        sheet.dot((LEFT, y), 5.0, distinct(class))?;
        sheet.text((LEFT + 12.0, y), &label.to_string(), 13.0, Side::Left)?;
    }
    if colours.labels.len() > MOST_LABELS {
        let more = format!("{} more", colours.labels.len() - MOST_LABELS);
        sheet.text((LEFT, TOP + LINE * MOST_LABELS as f64), &more, 13.0, Side::Left)?;
    }
    if let Some(Bar { colours, ends: [high, low] }) = colours.bar() {
        for (i, colour) in colours.iter().enumerate() {
            sheet.rectangle((LEFT, TOP + BAR_LINE * i as f64), BAR_SIZE, *colour)?;
        }
        let bottom = TOP + BAR_LINE * BAR_STEPS as f64;
        sheet.text((LEFT + 22.0, TOP + 6.0), &high, 12.0, Side::Left)?;
        sheet.text((LEFT + 22.0, bottom - 6.0), &low, 12.0, Side::Left)?;
    }
    Ok(())
}
