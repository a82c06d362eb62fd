//! Drawing as SVG text.

use super::canvas::{Anchor, Canvas, Colour};
use std::fmt::Write;

pub(super) struct Svg {
    body: String,
}

impl Svg {
    pub(super) fn new(width: usize, height: usize) -> Self {
        let body = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" font-family=\"Helvetica, Arial, sans-serif\" \
             fill=\"#222\">\n"
        );
        Self { body }
    }

    pub(super) fn finish(mut self) -> String {
        self.body.push_str("</svg>\n");
        self.body
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // A string takes all.
        let _ = self.body.write_fmt(text);
    }
}

/// What cannot stand in text as it is.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Not allowed in XML at all.
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn hex([r, g, b]: Colour) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

impl Canvas for Svg {
    fn rectangle(&mut self, x: f64, y: f64, width: f64, height: f64, fill: Colour) {
        let fill = hex(fill);
        self.put(format_args!(
            "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" \
             fill=\"{fill}\"/>\n"
        ));
    }

    fn line(&mut self, points: &[(f64, f64)], width: f64, colour: Colour) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.2},{y:.2}")).collect();
        self.put(format_args!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\" \
             stroke-linejoin=\"round\"/>\n",
            points.join(" "),
            hex(colour)
        ));
    }

    fn dot(&mut self, x: f64, y: f64, radius: f64, colour: Colour, class: usize, note: &str) {
        self.put(format_args!(
            "<circle class=\"c{class}\" cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{radius}\" fill=\"{}\" \
             fill-opacity=\"0.75\"",
            hex(colour)
        ));
        if note.is_empty() {
            self.body.push_str("/>\n");
        } else {
            self.put(format_args!("><title>{}</title></circle>\n", escaped(note)));
        }
    }

    fn text(&mut self, x: f64, y: f64, text: &str, size: f64, anchor: Anchor, up: bool) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let turn =
            if up { format!(" transform=\"rotate(-90 {x:.2} {y:.2})\"") } else { String::new() };
        self.put(format_args!(
            "<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{size}\" text-anchor=\"{anchor}\" \
             dominant-baseline=\"central\"{turn}>{}</text>\n",
            escaped(text)
        ));
    }

    fn image(&mut self, x: f64, y: f64, columns: usize, grey: &[u8], dot: f64) {
        // Runs of one grey are one rectangle; white is what lies below.
        for (line, row) in grey.chunks(columns.max(1)).enumerate() {
            let mut at = 0;
            while at < row.len() {
                let run = row[at..].iter().take_while(|g| **g == row[at]).count();
                if row[at] > 0 {
                    let left = x + at as f64 * dot;
                    let (top, shade) = (y + line as f64 * dot, 255 - row[at]);
                    // A little wider, so that no seams show between them.
                    self.rectangle(left, top, run as f64 * dot + 0.3, dot + 0.3, [shade; 3]);
                }
                at += run;
            }
        }
    }
}
