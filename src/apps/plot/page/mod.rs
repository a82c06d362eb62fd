//! Pages by themselves: they need no other file and no network.

use super::cloud::Cloud;
use super::colours::distinct;
use super::text::{escaped, quoted};
use plotters::style::RGBColor;

const STYLE: &str = include_str!("style.css");
/// Zooms and moves a picture.
const ZOOM: &str = include_str!("zoom.js");
/// Draws points, on a plane or in space as one of the other two says.
const POINTS: &str = include_str!("points.js");
const PLANE: &str = include_str!("plane.js");
const SPACE: &str = include_str!("space.js");

/// Makes a page with an SVG picture: the wheel zooms, dragging moves, a double click brings it
/// back.
pub(super) fn of_svg(svg: &str) -> String {
    page("aezip", &format!("{svg}<script>\n{ZOOM}</script>\n"))
}

/// Makes a page with points: the wheel zooms, dragging moves them or in space turns them, the
/// nearest point under the mouse tells its row, a click on a label hides its points, and a double
/// click brings everything back.
pub(super) fn of_points<const N: usize>(cloud: &Cloud<'_, N>) -> String {
    let view = if N == 3 { SPACE } else { PLANE };
    let heading = escaped(&match &cloud.note {
        Some(note) => format!("{} ({note})", cloud.title),
        None => cloud.title.to_string(),
    });
    let data = data(cloud);
    page(
        &heading,
        &format!(
            "<h1>{heading}</h1>\n<div id=\"note\"></div>\n<div id=\"legend\"></div>\n\
             <canvas width=\"1400\" height=\"1200\"></canvas>\n\
             <script>\n{data}{view}{POINTS}</script>\n"
        ),
    )
}

/// The constants that the script draws.
fn data<const N: usize>(cloud: &Cloud<'_, N>) -> String {
    let Cloud { dots, colours, .. } = cloud;
    let places: Vec<f64> = dots.iter().flat_map(|d| d.place).collect();
    let shades: Vec<String> = dots.iter().map(|d| hex(d.colour)).collect();
    let groups: Vec<usize> = dots.iter().map(|d| d.class).collect();
    let notes: Vec<String> = dots.iter().map(|d| quoted(&d.note)).collect();
    let labels: Vec<String> = colours.labels.iter().map(|l| quoted(&l.to_string())).collect();
    let own: Vec<String> = (0..labels.len()).map(|class| hex(distinct(class))).collect();
    let axes: Vec<String> = cloud.axes.iter().map(|a| quoted(a)).collect();
    let ranges: Vec<[f64; 2]> = cloud.ranges.iter().map(|r| [r.start, r.end]).collect();
    let (bar, ends) = match colours.bar() {
        Some(bar) => (bar.colours, bar.ends),
        None => Default::default(),
    };
    let bar: Vec<String> = bar.into_iter().map(hex).collect();
    let ends = ends.each_ref().map(|end| quoted(end));
    format!(
        "const places = {places:?}, shades = {shades:?}, groups = {groups:?},\n\
         notes = [{}], labels = [{}], own = {own:?},\n\
         axes = [{}], ranges = {ranges:?}, bar = {bar:?}, ends = [{}];\n",
        notes.join(", "),
        labels.join(", "),
        axes.join(", "),
        ends.join(", ")
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
