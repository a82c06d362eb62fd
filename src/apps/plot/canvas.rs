//! What can be drawn.

/// Red, green, blue.
pub(super) type Colour = [u8; 3];

pub(super) const BLACK: Colour = [34, 34, 34];
pub(super) const GREY: Colour = [150, 150, 150];
pub(super) const LIGHT: Colour = [228, 228, 228];
pub(super) const WHITE: Colour = [255, 255, 255];

/// Where a text lies relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A place to draw on; the origin is at the upper left, lengths are pixels.
pub(super) trait Canvas {
    fn rectangle(&mut self, x: f64, y: f64, width: f64, height: f64, fill: Colour);
    /// Straight lines from point to point.
    fn line(&mut self, points: &[(f64, f64)], width: f64, colour: Colour);
    /// A dot; `note` is told where there is a mouse to point at it, `class` names its group.
    fn dot(&mut self, x: f64, y: f64, radius: f64, colour: Colour, class: usize, note: &str);
    /// A line of text, its middle at the height of `y`; `up` turns it to be read from below.
    fn text(&mut self, x: f64, y: f64, text: &str, size: f64, anchor: Anchor, up: bool);
    /// Grey dots of an image, rows of `columns`, from 0 (white) to 255 (black), each `dot` wide.
    fn image(&mut self, x: f64, y: f64, columns: usize, grey: &[u8], dot: f64);
}

/// Colours that are told apart: of ten the usual ones, then hues at the golden angle.
pub(super) fn distinct(i: usize) -> Colour {
    const TEN: [Colour; 10] = [
        [31, 119, 180],
        [255, 127, 14],
        [44, 160, 44],
        [214, 39, 40],
        [148, 103, 189],
        [140, 86, 75],
        [227, 119, 194],
        [110, 110, 110],
        [188, 189, 34],
        [23, 190, 207],
    ];
    if i < TEN.len() {
        return TEN[i];
    }
    let hue = (i as f64 * 137.508) % 360.0 / 60.0;
    let (strong, weak) = (0.78, 0.25);
    let between = |x: f64| weak + (strong - weak) * x.clamp(0.0, 1.0);
    let channel = |shift: f64| {
        let h = (hue + shift) % 6.0;
        (255.0 * between(2.0 - (h - 2.0).abs().min(6.0 - (h - 2.0).abs()))) as u8
    };
    [channel(2.0), channel(0.0), channel(4.0)]
}

/// From dark blue over green to yellow, for `share` from 0 to 1: a few colours of viridis (van
/// der Walt and Smith 2015), which look alike in steps to all eyes, and lines between them.
pub(super) fn gradual(share: f64) -> Colour {
    const STOPS: [Colour; 6] = [
        [68, 1, 84],
        [65, 68, 135],
        [42, 120, 142],
        [34, 168, 132],
        [122, 209, 81],
        [253, 231, 37],
    ];
    let at = share.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let low = (at as usize).min(STOPS.len() - 2);
    let part = at - low as f64;
    std::array::from_fn(|c| {
        let (a, b) = (f64::from(STOPS[low][c]), f64::from(STOPS[low + 1][c]));
        (a + (b - a) * part).round() as u8
    })
}
