//! Pictures that stand still: the same drawing as text (SVG) or as pixels (PNG).

use super::PlotFormat;
use super::page;
use crate::error::{Error, Result};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, register_font};
use std::io;
use std::sync::Once;

pub(super) const DARK: RGBColor = RGBColor(34, 34, 34);
pub(super) const GREY: RGBColor = RGBColor(150, 150, 150);
pub(super) const LIGHT: RGBColor = RGBColor(228, 228, 228);

/// What may go wrong while drawing on `B`.
pub(super) type Drawn<B> =
    std::result::Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// Something to be drawn, whatever on.
pub(super) trait Picture {
    /// Width and height in points.
    fn size(&self) -> (u32, u32);

    fn draw<B: DrawingBackend>(&self, sheet: &Sheet<B>) -> Drawn<B>;
}

/// A place to draw on; lengths are in points, from the upper left.
pub(super) struct Sheet<B: DrawingBackend> {
    pub(super) area: DrawingArea<B, Shift>,
    /// Dots of the backend in a point.
    unit: f64,
}

/// Dots of a point: places are whole dots, and text gets its shape from them.
const SVG_UNIT: u32 = 8;
const PNG_UNIT: u32 = 2;

/// `picture` in a format; a page holds its SVG and can zoom.
pub(super) fn finished(picture: &impl Picture, format: PlotFormat) -> Result<Vec<u8>> {
    match format {
        PlotFormat::Svg => Ok(svg(picture)?.into_bytes()),
        PlotFormat::Html => Ok(page::around(&svg(picture)?).into_bytes()),
        PlotFormat::Png => png(picture),
    }
}

fn svg(picture: &impl Picture) -> Result<String> {
    let (width, height) = picture.size();
    let (w, h) = (width * SVG_UNIT, height * SVG_UNIT);
    let mut text = String::new();
    paint(picture, SVGBackend::with_string(&mut text, (w, h)), SVG_UNIT)?;
    // As large as it is meant; the box in which places are counted stays.
    let (dots, points) = ((w, h), (width, height));
    let size = |(w, h)| format!("width=\"{w}\" height=\"{h}\"");
    Ok(text.replacen(&size(dots), &size(points), 1))
}

fn png(picture: &impl Picture) -> Result<Vec<u8>> {
    let (width, height) = picture.size();
    let (w, h) = (width * PNG_UNIT, height * PNG_UNIT);
    let mut pixels = vec![0; 3 * w as usize * h as usize];
    paint(picture, BitMapBackend::with_buffer(&mut pixels, (w, h)), PNG_UNIT)?;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, w, h);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut w| w.write_image_data(&pixels));
    written.map_err(|e| Error::io("cannot draw", io::Error::other(e)))?;
    Ok(bytes)
}

fn paint<B: DrawingBackend>(picture: &impl Picture, backend: B, unit: u32) -> Result<()> {
    // The same letters everywhere, whatever fonts the system has.
    static FONT: Once = Once::new();
    FONT.call_once(|| {
        let known = register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular());
        assert!(known.is_ok(), "the font is a font");
    });
    let sheet = Sheet { area: backend.into_drawing_area(), unit: f64::from(unit) };
    let done = sheet.area.fill(&WHITE).and_then(|()| picture.draw(&sheet));
    let done = done.and_then(|()| sheet.area.present());
    done.map_err(|e| Error::io("cannot draw", io::Error::other(e.to_string())))
}

/// Where text lies beside its place, its middle at the height of it.
pub(super) type Side = HPos;

impl<B: DrawingBackend> Sheet<B> {
    /// A length in dots.
    pub(super) fn dots(&self, points: f64) -> i32 {
        (points * self.unit).round() as i32
    }

    fn place(&self, (x, y): (f64, f64)) -> (i32, i32) {
        (self.dots(x), self.dots(y))
    }

    /// The left part, `width` points wide, and the rest.
    pub(super) fn split(&self, width: f64) -> (Self, Self) {
        let (left, right) = self.area.split_horizontally(self.dots(width));
        (Self { area: left, unit: self.unit }, Self { area: right, unit: self.unit })
    }

    /// Letters of `size` points.
    pub(super) fn letters(&self, size: f64) -> TextStyle<'static> {
        ("sans-serif", self.dots(size)).into_font().color(&DARK)
    }

    pub(super) fn text(&self, at: (f64, f64), text: &str, size: f64, side: Side) -> Drawn<B> {
        let style = self.letters(size).pos(Pos::new(side, VPos::Center));
        self.area.draw(&Text::new(plain(text), self.place(at), style))
    }

    pub(super) fn dot(&self, at: (f64, f64), radius: f64, colour: RGBColor) -> Drawn<B> {
        let shade = colour.mix(0.75).filled();
        self.area.draw(&Circle::new(self.place(at), self.dots(radius), shade))
    }

    /// Straight lines from point to point.
    pub(super) fn line(&self, points: &[(f64, f64)], width: f64, colour: RGBColor) -> Drawn<B> {
        let style = colour.stroke_width(self.dots(width).max(1) as u32);
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

/// Without what no text may hold.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
