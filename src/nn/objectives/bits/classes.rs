//! Row classes while training: how many, and which row is in which.

use super::filter::RowFilter;
use super::likelihood::Likelihood;
use crate::kernels::math::ln;
use crate::nn::autoencoder::Autoencoder;
use crate::nn::trainer::Position;
use rayon::prelude::*;

/// Classes double with each of these parts of the training, until there are all: in the first third
/// even where there are 128, so that networks learn most of the time with all of them.
const PARTS: f64 = 20.0;
/// The most doublings: 2⁷ classes are the most that a level asks for.
const MOST_DOUBLINGS: usize = 7;
/// Passes after which rows choose their class anew: each choice costs a pass through both networks.
const PASSES: usize = 4;
/// Rows that one task handles.
const ROWS: usize = 256;

/// How many classes there ought to be.
pub(super) fn due(at: Position, most: usize) -> usize {
    let by_passes = at.pass * PARTS as usize / at.passes.max(1);
    let doublings = by_passes.max((at.time * PARTS) as usize).min(MOST_DOUBLINGS);
    most.min(1 << doublings)
}

/// Whether rows choose their class anew in this pass.
pub(super) fn is_choice_due(at: Position) -> bool {
    at.pass % PASSES == PASSES - 1
}

/// What decides the class of each row.
pub(super) struct ClassChoice<'a> {
    pub(super) net: &'a Autoencoder,
    /// Normalised rows, rows × columns.
    pub(super) rows: &'a [f32],
    pub(super) prior: &'a Likelihood,
    /// The distributions of what is left over, if that is coded.
    pub(super) residual: Option<&'a Likelihood>,
    /// What is foretold of it.
    pub(super) filter: Option<&'a RowFilter>,
}

impl ClassChoice<'_> {
    /// Puts each row in the class that codes it with the fewest bits. `frequencies` are those of the
    /// classes, as telling a frequent class takes fewer bits.
    pub(super) fn assign(&self, classes: &mut [u8], frequencies: &[f32]) {
        let (width, latents) = (self.net.width(), self.net.latents());
        let y: Vec<f32> = self.net.encoder.encode(self.rows);
        let rounded: Vec<f32> = y.iter().map(|y| y.round_ties_even()).collect();
        let predicted = self.net.decode(&rounded);
        let total: f32 = frequencies.iter().sum();
        let own: Vec<f32> = frequencies.iter().map(|n| ln(total / n)).collect();
        let residual = self.residual.map(|of| ResidualNats::new(of, classes.len()));
        classes.par_chunks_mut(ROWS).enumerate().for_each(|(part, classes)| {
            let own_rows = part * ROWS * width..(part * ROWS + classes.len()) * width;
            let pairs = self.rows[own_rows.clone()].iter().zip(&predicted[own_rows]);
            let mut all: Vec<f32> = pairs.map(|(x, p)| x - p).collect();
            if let Some(filter) = self.filter {
                let mut filtered = Vec::new();
                filter.forward(&all, &mut filtered);
                all = filtered;
            }
            all.iter_mut().for_each(|x| *x = x.round_ties_even());
            for (i, class) in classes.iter_mut().enumerate() {
                let left = &all[i * width..(i + 1) * width];
                let i = part * ROWS + i;
                let y = &rounded[i * latents..(i + 1) * latents];
                let prior = own.iter().enumerate().map(|(c, own)| own + self.prior.nats(y, c));
                let mut nats: Vec<f32> = prior.collect();
                if let Some(residual) = &residual {
                    residual.add(left, &mut nats);
                }
                let best = (0..own.len()).min_by(|&a, &b| nats[a].total_cmp(&nats[b]));
                *class = best.unwrap_or(0) as u8;
            }
        });
    }
}

/// Numbers of a table of nats, at most: more would not stay in a CPU's cache.
const TABLE: usize = 1 << 20;
/// Rows for each integer of a table, at least: an integer costs as much as a row does without it.
const ROWS_PER_INTEGER: usize = 8;

/// What rows of integers around 0 cost in each class.
struct ResidualNats<'a> {
    of: &'a Likelihood,
    /// The first integer that is not in the table.
    end: usize,
    /// Nats of the absolute values of integers below: columns × integers × classes.
    table: Vec<f32>,
}

impl<'a> ResidualNats<'a> {
    /// For so many rows.
    fn new(of: &'a Likelihood, rows: usize) -> Self {
        let Likelihood { classes, columns, .. } = *of;
        let end = (rows / ROWS_PER_INTEGER).min(TABLE / (classes * columns).max(1));
        let mut table = vec![0.0; columns * end * classes];
        let mut nats = vec![0.0; columns];
        for integer in 0..end {
            let row = vec![integer as f32; columns];
            for class in 0..classes {
                of.nats_of_each(&row, class, &mut nats);
                let places = table[integer * classes + class..].iter_mut().step_by(end * classes);
                places.zip(&nats).for_each(|(place, nats)| *place = *nats);
            }
        }
        Self { of, end, table }
    }

    /// Adds to each class's `nats` those of a row.
    fn add(&self, row: &[f32], nats: &mut [f32]) {
        let classes = nats.len();
        if !row.iter().all(|x| x.abs() < self.end as f32) {
            let direct = nats.iter_mut().enumerate();
            return direct.for_each(|(class, nats)| *nats += self.of.nats(row, class));
        }
        for (x, column) in row.iter().zip(self.table.chunks_exact(self.end * classes)) {
            let own = &column[x.abs() as usize * classes..];
            nats.iter_mut().zip(own).for_each(|(sum, nats)| *sum += nats);
        }
    }
}

/// Rows in each class, one more so that none is out of reach.
pub(super) fn frequencies(assigned: &[u8], classes: usize) -> Vec<f32> {
    let mut counts = vec![1.0; classes];
    assigned.iter().for_each(|&c| counts[usize::from(c)] += 1.0);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_say_what_the_formula_does() {
        let mut likelihood = Likelihood::new(&[0.3, 2.0, 9.0], true, 1);
        likelihood.split();
        likelihood.split();
        likelihood.params.iter_mut().enumerate().for_each(|(i, p)| *p += (i % 5) as f32 * 0.1);
        likelihood.changed();
        let table = ResidualNats::new(&likelihood, 80);
        assert_eq!(table.end, 10);
        let none = ResidualNats::new(&likelihood, 1);
        for row in [[0.0, -1.0, 9.0], [-3.0, 0.0, -2.0], [0.0, 10.0, 0.0], [f32::NAN, 1.0, 1.0]] {
            for table in [&table, &none] {
                let mut nats = [1.0; 4];
                table.add(&row, &mut nats);
                for (class, nats) in nats.into_iter().enumerate() {
                    let direct = 1.0 + likelihood.nats(&row, class);
                    assert!((nats - direct).abs() < 1e-4 || direct.is_nan(), "{nats} {direct}");
                }
            }
        }
    }
}
