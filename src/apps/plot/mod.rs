//! Pictures of embeddings, of rows that are images, of how training went, and of what ways to store rows cost.
//!
//! Plotters draws them, as SVG text or as pixels, with a font that comes along, so that the same
//! numbers give the same file everywhere. Points can also become a page with a script.

// `sheet` is what is drawn on and `render` makes a file of it; `cloud` are points to draw, on a
// `plane`, in `space`, or on a `page`.
mod chart;
mod cloud;
mod colours;
mod components;
mod extent;
mod format;
mod gallery;
mod legend;
mod lines;
mod page;
mod plane;
mod points;
mod rates;
mod render;
mod scatter;
mod sheet;
mod space;
mod text;

pub use colours::Colours;
pub use format::PlotFormat;
pub use gallery::gallery;
pub use lines::lines;
pub use points::{Points, to_points};
pub use rates::rates;
pub use scatter::Scatter;

#[cfg(test)]
mod tests;
