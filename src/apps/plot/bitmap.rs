//! Drawing as pixels, with smooth edges, and PNG (RFC 2083).

use super::canvas::{Anchor, Canvas, Colour};
use crate::error::{Error, Result};
use font8x8::UnicodeFonts;
use std::io::Write;

/// Pixels for each unit of length: screens are finer than they were.
const SCALE: usize = 2;

pub(super) struct Bitmap {
    width: usize,
    height: usize,
    /// Red, green, blue.
    pixels: Vec<u8>,
}

impl Bitmap {
    pub(super) fn new(width: usize, height: usize) -> Self {
        let (width, height) = (width * SCALE, height * SCALE);
        Self { width, height, pixels: vec![255; 3 * width * height] }
    }

    /// Mixes `colour` into a pixel.
    fn mix(&mut self, x: usize, y: usize, colour: Colour, share: f64) {
        if x >= self.width || y >= self.height || share <= 0.0 {
            return;
        }
        let at = 3 * (y * self.width + x);
        for (old, new) in self.pixels[at..at + 3].iter_mut().zip(colour) {
            let mixed = f64::from(*old) + (f64::from(new) - f64::from(*old)) * share.min(1.0);
            *old = mixed.round() as u8;
        }
    }

    /// Mixes `colour` into every pixel of a box by what `cover` says of its middle.
    fn shade(
        &mut self,
        (left, top, right, bottom): (f64, f64, f64, f64),
        colour: Colour,
        cover: impl Fn(f64, f64) -> f64,
    ) {
        let range = |low: f64, high: f64, most: usize| {
            let low = low.floor().clamp(0.0, most as f64) as usize;
            low..high.ceil().clamp(0.0, most as f64) as usize
        };
        for y in range(top, bottom, self.height) {
            for x in range(left, right, self.width) {
                self.mix(x, y, colour, cover(x as f64 + 0.5, y as f64 + 0.5));
            }
        }
    }

    /// The file.
    pub(super) fn finish(self) -> Result<Vec<u8>> {
        let failed = |e| Error::io("cannot pack the picture", e);
        let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        for line in self.pixels.chunks_exact(3 * self.width) {
            // No filter.
            packed.write_all(&[0]).and_then(|()| packed.write_all(line)).map_err(failed)?;
        }
        let packed = packed.finish().map_err(failed)?;
        let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
        let mut chunk = |tag: &[u8; 4], data: &[u8]| {
            out.extend((data.len() as u32).to_be_bytes());
            let start = out.len();
            out.extend(tag);
            out.extend(data);
            let crc = crc32fast::hash(&out[start..]);
            out.extend(crc.to_be_bytes());
        };
        let mut head = (self.width as u32).to_be_bytes().to_vec();
        head.extend((self.height as u32).to_be_bytes());
        // 8 bits, RGB, no interlacing.
        head.extend([8, 2, 0, 0, 0]);
        chunk(b"IHDR", &head);
        chunk(b"IDAT", &packed);
        chunk(b"IEND", &[]);
        Ok(out)
    }
}

/// How much of a pixel lies within an edge that is `distance` inside.
fn inside(distance: f64) -> f64 {
    (distance + 0.5).clamp(0.0, 1.0)
}

/// Columns of dots of a character, without empty ones at its sides.
fn glyph(c: char) -> Vec<[bool; 8]> {
    let rows = font8x8::BASIC_FONTS
        .get(c)
        .or_else(|| font8x8::LATIN_FONTS.get(c))
        .or_else(|| font8x8::BASIC_FONTS.get('?'))
        .unwrap_or_default();
    let column = |x: usize| -> [bool; 8] { std::array::from_fn(|y| rows[y] >> x & 1 == 1) };
    let all: Vec<[bool; 8]> = (0..8).map(column).collect();
    let filled = |c: &[bool; 8]| c.contains(&true);
    match (all.iter().position(filled), all.iter().rposition(filled)) {
        (Some(first), Some(last)) => all[first..=last].to_vec(),
        _ => vec![[false; 8]; 3],
    }
}

impl Canvas for Bitmap {
    fn rectangle(&mut self, x: f64, y: f64, width: f64, height: f64, fill: Colour) {
        let s = SCALE as f64;
        let (left, top, right, bottom) = (x * s, y * s, (x + width) * s, (y + height) * s);
        self.shade((left, top, right, bottom), fill, |x, y| {
            let across = (right.min(x + 0.5) - left.max(x - 0.5)).clamp(0.0, 1.0);
            across * (bottom.min(y + 0.5) - top.max(y - 0.5)).clamp(0.0, 1.0)
        });
    }

    fn line(&mut self, points: &[(f64, f64)], width: f64, colour: Colour) {
        let s = SCALE as f64;
        let half = width * s / 2.0;
        for pair in points.windows(2) {
            let ((ax, ay), (bx, by)) = (pair[0], pair[1]);
            let (ax, ay, bx, by) = (ax * s, ay * s, bx * s, by * s);
            let (dx, dy) = (bx - ax, by - ay);
            let square = (dx * dx + dy * dy).max(1e-12);
            let room = half + 1.0;
            let cover = |x: f64, y: f64| {
                let along = (((x - ax) * dx + (y - ay) * dy) / square).clamp(0.0, 1.0);
                let (px, py) = (ax + along * dx - x, ay + along * dy - y);
                inside(half - (px * px + py * py).sqrt())
            };
            // Line by line of pixels, each only where it is near.
            let (top, bottom) = (ay.min(by) - room, ay.max(by) + room);
            let mut y = top.max(0.0).floor();
            while y < bottom.min(self.height as f64) {
                let at = |y: f64| match dy.abs() > 1e-9 {
                    true => ax + ((y - ay) / dy).clamp(0.0, 1.0) * dx,
                    false => ax,
                };
                let ends =
                    if dy.abs() > 1e-9 { (at(y - room), at(y + 1.0 + room)) } else { (ax, bx) };
                let (left, right) = (ends.0.min(ends.1) - room, ends.0.max(ends.1) + room);
                self.shade((left, y, right, y + 1.0), colour, cover);
                y += 1.0;
            }
        }
    }

    fn dot(&mut self, x: f64, y: f64, radius: f64, colour: Colour, _: usize, _: &str) {
        let s = SCALE as f64;
        let (x, y, r) = (x * s, y * s, radius * s);
        self.shade((x - r - 1.0, y - r - 1.0, x + r + 1.0, y + r + 1.0), colour, |px, py| {
            0.75 * inside(r - ((px - x).powi(2) + (py - y).powi(2)).sqrt())
        });
    }

    fn text(&mut self, x: f64, y: f64, text: &str, size: f64, anchor: Anchor, up: bool) {
        let glyphs: Vec<Vec<[bool; 8]>> = text.chars().map(glyph).collect();
        // Dots of the font per length; capitals are 7 high.
        let dot = (size / 10.0 * SCALE as f64).max(1.0);
        let width = glyphs.iter().map(|g| g.len() as f64 + 1.0).sum::<f64>() * dot;
        let start = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -width / 2.0,
            Anchor::End => -width,
        };
        let (x, y) = (x * SCALE as f64, y * SCALE as f64);
        let mut along = start;
        for glyph in &glyphs {
            for column in glyph {
                for (line, _) in column.iter().enumerate().filter(|(_, on)| **on) {
                    let across = (line as f64 - 3.5) * dot;
                    let (left, top) =
                        if up { (x + across, y - along - dot) } else { (x + along, y + across) };
                    let s = SCALE as f64;
                    let side = dot / s;
                    self.rectangle(left / s, top / s, side, side, super::canvas::BLACK);
                }
                along += dot;
            }
            along += dot;
        }
    }

    fn image(&mut self, x: f64, y: f64, columns: usize, grey: &[u8], dot: f64) {
        for (at, shade) in grey.iter().enumerate() {
            let (line, column) = ((at / columns.max(1)) as f64, (at % columns.max(1)) as f64);
            self.rectangle(x + column * dot, y + line * dot, dot, dot, [255 - shade; 3]);
        }
    }
}
