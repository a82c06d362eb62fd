//! What the encoder sees: rows with noise, with zeros, with patches hidden.

use crate::matrix::rng::Rng;
use rayon::prelude::*;

/// What is done to each row, anew whenever it is seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Corruption {
    /// Deviation of Gaussian noise; 0 for none.
    pub(crate) gaussian: f32,
    /// Probability of each value to become that of `blank`; 0 for none.
    pub(crate) zero: f32,
    /// What 0 is in each column.
    pub(crate) blank: Vec<f32>,
    pub(crate) masks: Option<Masks>,
}

/// Patches of values that are hidden together. The encoder is told which: behind the row's
/// values, those hidden being 0, come as many numbers that are 1 where one is hidden.
#[derive(Debug, Clone)]
pub(crate) struct Masks {
    /// The patch of each value.
    pub(crate) patch: Vec<usize>,
    /// Patches of a row.
    pub(crate) count: usize,
    /// How many of them are hidden.
    pub(crate) hidden: usize,
}

impl Corruption {
    /// What is seen of `rows` rows. Each row has its own numbers, drawn from `seed` and its place.
    pub(super) fn apply(&self, x: &[f32], rows: usize, seed: u64, out: &mut Vec<f32>) {
        let width = x.len() / rows.max(1);
        let inputs = width * if self.masks.is_some() { 2 } else { 1 };
        out.resize(rows * inputs, 0.0);
        if width == 0 {
            return;
        }
        out.par_chunks_mut(inputs).zip(x.par_chunks(width)).enumerate().for_each(
            |(i, (out, x))| {
                let mut rng = Rng::new(seed.wrapping_add(i as u64));
                let (seen, hidden) = out.split_at_mut(width);
                seen.copy_from_slice(x);
                if self.gaussian > 0.0 {
                    seen.iter_mut().for_each(|x| *x += self.gaussian * rng.normal());
                }
                if self.zero > 0.0 {
                    for (x, blank) in seen.iter_mut().zip(&self.blank) {
                        if rng.unit() < self.zero {
                            *x = *blank;
                        }
                    }
                }
                if let Some(masks) = &self.masks {
                    masks.hide(seen, hidden, &mut rng);
                }
            },
        );
    }
}

impl Masks {
    fn hide(&self, seen: &mut [f32], hidden: &mut [f32], rng: &mut Rng) {
        // The first of a shuffle of all patches.
        let mut order: Vec<usize> = (0..self.count).collect();
        let mut is_hidden = vec![false; self.count];
        for i in 0..self.hidden.min(self.count) {
            let other = i + rng.below(self.count - i);
            order.swap(i, other);
            is_hidden[order[i]] = true;
        }
        for ((x, flag), patch) in seen.iter_mut().zip(hidden).zip(&self.patch) {
            *flag = f32::from(is_hidden[*patch]);
            if is_hidden[*patch] {
                *x = 0.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_the_deviation_asked_for_and_zeros_their_share() {
        let x = vec![1.0; 400 * 50];
        let mut out = Vec::new();
        let plain = Corruption { blank: vec![-3.0; 50], ..Corruption::default() };
        Corruption { gaussian: 0.5, ..plain.clone() }.apply(&x, 400, 1, &mut out);
        let square = out.iter().map(|y| f64::from(y - 1.0).powi(2)).sum::<f64>() / 20_000.0;
        assert!((square.sqrt() - 0.5).abs() < 0.02, "{square}");
        Corruption { zero: 0.3, ..plain.clone() }.apply(&x, 400, 1, &mut out);
        let zeros = out.iter().filter(|y| **y == -3.0).count();
        assert!((5700..6300).contains(&zeros), "{zeros}");
        assert!(out.iter().all(|y| *y == -3.0 || *y == 1.0));
        plain.apply(&x, 400, 1, &mut out);
        assert_eq!(out, x);
    }

    #[test]
    fn whole_patches_are_hidden_and_said_to_be() {
        let patch = vec![0, 0, 1, 1, 1, 2, 3, 3];
        let masks = Some(Masks { patch: patch.clone(), count: 4, hidden: 3 });
        let corruption = Corruption { masks, ..Corruption::default() };
        let (x, mut out) = (vec![2.0; 8 * 300], Vec::new());
        corruption.apply(&x, 300, 7, &mut out);
        let mut seen = [0; 4];
        for row in out.chunks_exact(16) {
            let of = |p: usize| {
                let own = (0..8).filter(|&j| patch[j] == p);
                own.map(|j| (row[j], row[8 + j])).collect::<Vec<_>>()
            };
            let shown: Vec<usize> =
                (0..4).filter(|&p| of(p).iter().all(|v| *v == (2.0, 0.0))).collect();
            let hidden = (0..4).filter(|&p| of(p).iter().all(|v| *v == (0.0, 1.0))).count();
            assert_eq!((shown.len(), hidden), (1, 3));
            seen[shown[0]] += 1;
        }
        assert!(seen.iter().all(|n| *n > 40), "{seen:?}");
    }
}
