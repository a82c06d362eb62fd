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
                let residual = |c: usize| self.residual.map_or(0.0, |table| table.nats(left, c));
                let nats = |c: usize| own[c] + self.prior.nats(y, c) + residual(c);
                let nats: Vec<f32> = (0..own.len()).map(nats).collect();
                let best = (0..own.len()).min_by(|&a, &b| nats[a].total_cmp(&nats[b]));
                *class = best.unwrap_or(0) as u8;
            }
        });
    }
}

/// Rows in each class, one more so that none is out of reach.
pub(super) fn frequencies(assigned: &[u8], classes: usize) -> Vec<f32> {
    let mut counts = vec![1.0; classes];
    assigned.iter().for_each(|&c| counts[usize::from(c)] += 1.0);
    counts
}
