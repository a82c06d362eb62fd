//! Pictures as files: the same drawing as text (SVG) or as pixels (PNG).

use super::format::PlotFormat;
use super::page;
use super::sheet::{Picture, Sheet};
use crate::error::{Error, Result};
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};
use std::io;
use std::sync::Once;

/// Pixels of a point. Plotters counts places in whole pixels and shapes text by them, so that even
/// a drawing of lines has pixels: an eighth of a point is finer than is seen.
const SVG_UNIT: u32 = 8;
const PNG_UNIT: u32 = 2;

/// Draws `picture` in a format; a page holds its SVG and can zoom.
pub(super) fn render(picture: &impl Picture, format: PlotFormat) -> Result<Vec<u8>> {
    match format {
        PlotFormat::Svg => Ok(svg(picture)?.into_bytes()),
        PlotFormat::Html => Ok(page::of_svg(&svg(picture)?).into_bytes()),
        PlotFormat::Png => png(picture),
    }
}

fn svg(picture: &impl Picture) -> Result<String> {
    let (width, height) = picture.size();
    let (w, h) = (width * SVG_UNIT, height * SVG_UNIT);
    let mut text = String::new();
    paint(picture, SVGBackend::with_string(&mut text, (w, h)), SVG_UNIT)?;
    // The picture is as large as it is meant; the box in which places are counted stays.
    let size = |w, h| format!("width=\"{w}\" height=\"{h}\"");
    Ok(text.replacen(&size(w, h), &size(width, height), 1))
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
    let sheet = Sheet::new(backend, unit);
    let done = sheet.area().fill(&WHITE).and_then(|()| picture.draw(&sheet));
    let done = done.and_then(|()| sheet.area().present());
    done.map_err(|e| Error::io("cannot draw", io::Error::other(e.to_string())))
}
