//! Rows as points of a plane or of space.

use crate::cli::io::failure::Failure;
use crate::cli::io::numbers::figure;
use aezip::apps::ColumnUnits;
use aezip::apps::plot::{Colours, Points, Scatter, to_points};
use aezip::{Matrix, Rows};

/// Rows that are drawn as points.
pub(super) struct Drawn<'a> {
    /// What stands for the rows, if they are not points themselves.
    pub(super) embedded: Option<&'a Matrix>,
    pub(super) rows: &'a dyn Rows,
    pub(super) title: String,
    pub(super) colours: Option<Colours>,
    /// Points to draw, at most.
    pub(super) most: usize,
}

impl Drawn<'_> {
    pub(super) fn scatter<const N: usize>(self) -> Result<Scatter<N>, Failure> {
        let (points, axes) = self.points()?;
        let mut plot = Scatter::new(points);
        plot.axes = axes;
        plot.colours = self.colours;
        plot.title = self.title;
        plot.most = self.most.max(1);
        Ok(plot)
    }

    /// Returns the points, and the names of their axes.
    fn points<const N: usize>(&self) -> Result<(Vec<[f64; N]>, [String; N]), Failure> {
        let (points, shares): Points<N> = match self.embedded {
            // Latents that hardly vary say little, whatever their spread.
            Some(embedded) => to_points(embedded, Some(ColumnUnits::Shared))?,
            None => to_points(self.rows, None)?,
        };
        let what = if self.embedded.is_some() { "latent" } else { "column" };
        let names = self.rows.schema().columns.as_ref().filter(|_| self.embedded.is_none());
        let axes = std::array::from_fn(|i| match (shares, names) {
            (Some(shares), _) => {
                format!("component {} ({} % of the variance)", i + 1, figure(100.0 * shares[i]))
            }
            (None, Some(names)) => names[i].clone(),
            (None, None) => format!("{what} {i}"),
        });
        Ok((points, axes))
    }
}
