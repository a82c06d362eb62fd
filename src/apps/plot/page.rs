//! Pages by themselves: they need no other file and no network.

use super::shades::{Shades, distinct};
use plotters::style::RGBColor;
use std::ops::Range;

const STYLE: &str = include_str!("page/style.css");
/// Zooms and moves a picture.
const ZOOM: &str = include_str!("page/zoom.js");
/// Draws points; what they lie in is the part of the other two.
const POINTS: &str = include_str!("page/points.js");
const PLANE: &str = include_str!("page/plane.js");
const SPACE: &str = include_str!("page/space.js");

/// A point that is drawn.
pub(super) struct Dot<const N: usize> {
    pub(super) place: [f64; N],
    /// The place of its label among all.
    pub(super) class: usize,
    pub(super) colour: RGBColor,
    /// Told where the mouse points at it.
    pub(super) note: String,
}

/// A page with an SVG picture: the wheel zooms, dragging moves, a double click brings it back.
pub(super) fn around(svg: &str) -> String {
    page("aezip", &format!("{svg}<script>\n{ZOOM}</script>\n"))
}

/// A page with points: the wheel zooms, dragging moves them or in space turns them, the nearest
/// point under the mouse tells its row, a click on a label hides its points, and a double click
/// brings everything back.
pub(super) fn of_points<const N: usize>(
    title: &str,
    (axes, ranges): (&[String; N], &[Range<f64>; N]),
    shades: &Shades<'_>,
    dots: &[Dot<N>],
) -> String {
    let places: Vec<f64> = dots.iter().flat_map(|d| d.place).collect();
    let colours: Vec<String> = dots.iter().map(|d| hex(d.colour)).collect();
    let groups: Vec<usize> = dots.iter().map(|d| d.class).collect();
    let notes: Vec<String> = dots.iter().map(|d| quoted(&d.note)).collect();
    let labels: Vec<String> = shades.classes.iter().map(|l| quoted(&l.to_string())).collect();
    let own: Vec<String> = (0..labels.len()).map(|class| hex(distinct(class))).collect();
    let axes: Vec<String> = axes.iter().map(|a| quoted(a)).collect();
    let ranges: Vec<[f64; 2]> = ranges.iter().map(|r| [r.start, r.end]).collect();
    let (bar, ends) = shades.scale().unwrap_or_default();
    let bar: Vec<String> = bar.into_iter().map(hex).collect();
    let ends = ends.each_ref().map(|end| quoted(end));
    let data = format!(
        "const places = {places:?}, shades = {colours:?}, groups = {groups:?},\n\
         notes = [{}], labels = [{}], own = {own:?},\n\
         axes = [{}], ranges = {ranges:?}, bar = {bar:?}, ends = [{}];\n",
        notes.join(", "),
        labels.join(", "),
        axes.join(", "),
        ends.join(", ")
    );
    let within = if N == 3 { SPACE } else { PLANE };
    let heading = escaped(title);
    page(
        &heading,
        &format!(
            "<h1>{heading}</h1>\n<div id=\"note\"></div>\n<div id=\"legend\"></div>\n\
             <canvas width=\"1400\" height=\"1200\"></canvas>\n\
             <script>\n{data}{within}{POINTS}</script>\n"
        ),
    )
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style>\n{body}</html>\n"
    )
}

fn hex(RGBColor(r, g, b): RGBColor) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// As a text of the script's language, JSON.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // A script ends at the first `</`, whatever it stands in.
            '<' => out.push_str("\\u003c"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// As text of a page.
fn escaped(text: &str) -> String {
    let text = super::still::plain(text);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
