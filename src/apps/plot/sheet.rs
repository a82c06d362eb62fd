//! What pictures are drawn on, whatever file they become.

use super::text::plain;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub(super) const DARK: RGBColor = RGBColor(34, 34, 34);
pub(super) const GREY: RGBColor = RGBColor(150, 150, 150);
pub(super) const LIGHT: RGBColor = RGBColor(228, 228, 228);

/// The opacity of dots: where they lie on each other, it shows.
pub(super) const OPACITY: f64 = 0.75;

/// The result of drawing on `B`.
pub(super) type Drawn<B, T = ()> =
    std::result::Result<T, DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// Where text lies: beside its place, its middle at the height of it.
pub(super) type Side = HPos;

/// Something that can be drawn on any sheet.
pub(super) trait Picture {
    /// Width and height in points.
    fn size(&self) -> (u32, u32);

    fn draw<B: DrawingBackend>(&self, sheet: &Sheet<B>) -> Drawn<B>;
}

/// A place to draw on. Lengths are in points, places are counted from the upper left corner.
pub(super) struct Sheet<B: DrawingBackend> {
    area: DrawingArea<B, Shift>,
    /// Pixels of the backend in a point.
    unit: f64,
}

impl<B: DrawingBackend> Sheet<B> {
    /// The whole of a backend with `unit` pixels to a point.
    pub(super) fn new(backend: B, unit: u32) -> Self {
        Self { area: backend.into_drawing_area(), unit: f64::from(unit) }
    }

    /// What plotters draws charts on.
    pub(super) fn area(&self) -> &DrawingArea<B, Shift> {
        &self.area
    }

    /// A length in pixels.
    pub(super) fn pixels(&self, points: f64) -> i32 {
        (points * self.unit).round() as i32
    }

    fn place(&self, (x, y): (f64, f64)) -> (i32, i32) {
        (self.pixels(x), self.pixels(y))
    }

    /// The left part, `width` points wide, and the rest.
    pub(super) fn split(&self, width: f64) -> (Self, Self) {
        let (left, right) = self.area.split_horizontally(self.pixels(width));
        (Self { area: left, unit: self.unit }, Self { area: right, unit: self.unit })
    }

    /// Letters of `size` points.
    pub(super) fn letters(&self, size: f64) -> TextStyle<'static> {
        ("sans-serif", self.pixels(size)).into_font().color(&DARK)
    }

    pub(super) fn text(&self, at: (f64, f64), text: &str, size: f64, side: Side) -> Drawn<B> {
        let style = self.letters(size).pos(Pos::new(side, VPos::Center));
        self.area.draw(&Text::new(plain(text), self.place(at), style))
    }

    pub(super) fn dot(&self, at: (f64, f64), radius: f64, colour: RGBColor) -> Drawn<B> {
        let fill = colour.mix(OPACITY).filled();
        self.area.draw(&Circle::new(self.place(at), self.pixels(radius), fill))
    }

    /// Draws straight lines from point to point.
    pub(super) fn line(&self, points: &[(f64, f64)], width: f64, colour: RGBColor) -> Drawn<B> {
        let style = colour.stroke_width(self.pixels(width).max(1) as u32);
        let points: Vec<_> = points.iter().map(|p| self.place(*p)).collect();
        self.area.draw(&PathElement::new(points, style))
    }

    pub(super) fn rectangle(
        &self,
        (x, y): (f64, f64),
        (width, height): (f64, f64),
        fill: RGBColor,
    ) -> Drawn<B> {
        let corners = [self.place((x, y)), self.place((x + width, y + height))];
        self.area.draw(&Rectangle::new(corners, fill.filled()))
    }
}
