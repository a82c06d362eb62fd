//! The best pass so far, by rows that are not trained on, and whether to go on.

use super::parameters::Parameters;

/// Keeps the weights of the best pass and counts passes without a better one.
#[derive(Debug)]
pub(super) struct EarlyStopping<P> {
    /// Passes without a better one after which training ends.
    patience: usize,
    /// The pass from which they are counted.
    from: usize,
    best: Option<Best<P>>,
}

#[derive(Debug)]
struct Best<P> {
    index: usize,
    pass: P,
    /// Parameters of each network after that pass.
    weights: Vec<Vec<f32>>,
}

impl<P: Copy> EarlyStopping<P> {
    /// Ends after `patience` passes without a better one, none of those before pass `from` counted.
    pub(super) fn new(patience: usize, from: usize) -> Self {
        Self { patience, from, best: None }
    }

    /// The best pass so far.
    pub(super) fn best(&self) -> Option<&P> {
        self.best.as_ref().map(|best| &best.pass)
    }

    /// Takes what pass `index` came to, with the networks as they are after it. `now` and `before`
    /// are the scores of this pass and of the best so far, less being better, both by the standard of
    /// now: what an objective weighs may change from pass to pass.
    pub(super) fn take(
        &mut self,
        index: usize,
        pass: P,
        now: f64,
        before: Option<f64>,
        networks: Vec<Parameters<'_>>,
    ) {
        if !before.is_none_or(|before| before.is_nan() || now < before) {
            return;
        }
        let mut weights = self.best.take().map_or_else(Vec::new, |best| best.weights);
        weights.resize(networks.len(), Vec::new());
        weights.iter_mut().zip(networks).for_each(|(w, net)| net.values.clone_into(w));
        self.best = Some(Best { index, pass, weights });
    }

    /// Whether training is over after pass `index`.
    pub(super) fn is_over(&self, index: usize) -> bool {
        let best = self.best.as_ref().map_or(index, |best| best.index);
        index - best.max(self.from.min(index)) >= self.patience
    }

    /// Puts the best pass's weights back, and gives that pass.
    pub(super) fn restore(self, networks: Vec<Parameters<'_>>) -> Option<P> {
        let best = self.best?;
        let weights = networks.into_iter().zip(&best.weights);
        weights.for_each(|(net, weights)| net.values.copy_from_slice(weights));
        Some(best.pass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rng::Rng;
    use crate::nn::network::Network;

    /// Follows passes of which each has bits and an error, whose price changes.
    fn follow(stopping: &mut EarlyStopping<(f64, f64)>, passes: &[(f64, f64, f64)]) -> Vec<bool> {
        let mut net = Network::linear(1, 1, &mut Rng::new(2));
        let over = passes.iter().enumerate().map(|(i, &(bits, error, price))| {
            net.params[0] = i as f32;
            let score = |p: &(f64, f64)| p.0 + price * p.1;
            let before = stopping.best().map(score);
            stopping.take(i, (bits, error), score(&(bits, error)), before, vec![net.parameters()]);
            stopping.is_over(i)
        });
        over.collect()
    }

    #[test]
    fn the_best_pass_is_kept_and_the_price_of_the_day_counts() {
        let mut stopping = EarlyStopping::new(3, 0);
        let over = follow(
            &mut stopping,
            &[
                (10.0, 8.0, 1.0),
                (9.0, 8.0, 1.0),
                // Less error for more bits: worse today, better when errors are dear.
                (10.0, 7.0, 1.0),
                (10.0, 7.0, 9.0),
                (11.0, 7.0, 9.0),
                (11.0, 7.0, 9.0),
                (10.0, 7.0, 9.0),
            ],
        );
        assert_eq!(over, [false, false, false, false, false, false, true]);
        let mut net = Network::linear(1, 1, &mut Rng::new(3));
        assert_eq!(stopping.restore(vec![net.parameters()]), Some((10.0, 7.0)));
        assert_eq!(net.params, [3.0]);
    }

    #[test]
    fn passes_before_the_first_that_counts_do_not_try_patience() {
        let mut stopping = EarlyStopping::new(2, 3);
        let over = follow(&mut stopping, &[(1.0, 0.0, 0.0); 6]);
        assert_eq!(over, [false, false, false, false, false, true]);
    }

    #[test]
    fn a_pass_that_is_no_number_is_replaced_by_any_that_is() {
        let mut stopping = EarlyStopping::new(9, 0);
        follow(&mut stopping, &[(f64::NAN, 0.0, 0.0), (5.0, 0.0, 0.0), (f64::NAN, 0.0, 0.0)]);
        let mut net = Network::linear(1, 1, &mut Rng::new(3));
        assert_eq!(stopping.restore(vec![net.parameters()]), Some((5.0, 0.0)));
    }
}
