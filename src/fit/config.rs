//! What the caller wishes of the network.

use crate::error::{Error, Result};
use crate::fit::corruption::{Denoise, Loss, Patches};
use crate::kernels::activation;

/// The function of a network's hidden units.
///
/// The decoder's integers know [`LeakyRelu`](Self::LeakyRelu) and [`Relu`](Self::Relu); with any
/// other function for the encoder, the decoder has `LeakyRelu`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Activation {
    /// `x`, or `x/8` below 0.
    #[default]
    LeakyRelu,
    /// `max(x, 0)`.
    Relu,
    /// `tanh x`.
    Tanh,
    /// `½x (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
    Gelu,
    /// `x`.
    Identity,
}

impl Activation {
    pub(crate) fn function(self) -> activation::Activation {
        match self {
            Activation::LeakyRelu => activation::Activation::LeakyRelu(0.125),
            Activation::Relu => activation::Activation::Relu,
            Activation::Tanh => activation::Activation::Tanh,
            Activation::Gelu => activation::Activation::Gelu,
            Activation::Identity => activation::Activation::Identity,
        }
    }

    /// The decoder's, of those that integers have.
    pub(crate) fn of_decoder(self) -> Self {
        match self {
            Activation::LeakyRelu | Activation::Relu => self,
            _ => Activation::LeakyRelu,
        }
    }
}

/// How to train the autoencoder; what is not said is chosen by level and data.
///
/// ```
/// let mut config = aezip::Config::default();
/// config.train.hidden = Some(vec![256, 96]);
/// config.train.latents = Some(32);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct TrainConfig {
    /// Units of the encoder's hidden layers, from rows to latents; the decoder has them in
    /// reverse. An empty list is the linear codec. Said, no other network is tried.
    pub hidden: Option<Vec<usize>>,
    /// Latents of a row.
    pub latents: Option<usize>,
    /// Passes over the rows, most. Also of each turn of what follows the training, where the promise
    /// is about a sum over the file.
    pub epochs: Option<usize>,
    /// Rows of a batch. If not said 256, for kinds 64 or 128 where rows are few.
    pub batch: Option<usize>,
    /// Peak of the learning rate; in turns after the training, an eighth of it. If not said 0.006 under a bound on each value and 0.004 for a
    /// figure over the file; for kinds 0.001, for linear ones 0.003.
    pub rate: Option<f64>,
    /// Function of the hidden units.
    pub activation: Activation,
    /// Seconds after which training ends, with a rate that falls until then. Files then depend on
    /// the speed of the machine.
    pub seconds: Option<f64>,
    /// What training makes small. Every kind below implies the squared error.
    pub loss: Loss,
    /// No hidden layers, no activation: both networks are one matrix, learned by gradient from
    /// random weights (Baldi and Hornik 1989). It finds the span of the principal components.
    pub linear: bool,
    /// Weight of `Σ |z|` of the latents `z`, which are then ReLUs and mostly 0 (Olshausen and
    /// Field 1996; the decoder's first weights have norm 1).
    pub sparse: Option<f64>,
    /// Noise on what the encoder sees.
    pub denoise: Denoise,
    /// Patches that the encoder does not see.
    pub mask: Option<Patches>,
    /// Weight of `‖∂z/∂x‖²` (Rifai et al. 2011).
    pub contractive: Option<f64>,
    /// Weight of the divergence of `N(μ, σ²)` from `N(0, 1)`, where the encoder gives `μ` and
    /// `σ` and the decoder sees a draw (Kingma and Welling 2014; Higgins et al. 2017 for weights
    /// other than 1).
    pub variational: Option<f64>,
}

/// Largest width of a layer.
const MAX_UNITS: usize = 8192;
/// Largest weight of a term, and largest noise.
const MAX_WEIGHT: f64 = 1e6;

impl TrainConfig {
    /// Checks the wish.
    ///
    /// # Errors
    /// `Argument`, with what is said and what is allowed: up to 8 hidden layers, 1 to 8192 units
    /// or latents, 1 to 1,000,000 epochs, batches of 1 to 2²⁰ rows, a rate above 0 and up to 1,
    /// seconds above 0.
    pub fn validate(&self) -> Result<()> {
        let within = |what: &str, value: usize, most: usize| {
            if (1..=most).contains(&value) {
                return Ok(());
            }
            Err(Error::argument(format!("{what} of {value} is not between 1 and {most}")))
        };
        if let Some(hidden) = &self.hidden {
            if hidden.len() > 8 {
                let n = hidden.len();
                return Err(Error::argument(format!("{n} hidden layers are more than 8")));
            }
            hidden.iter().try_for_each(|&n| within("a hidden layer", n, MAX_UNITS))?;
        }
        self.latents.map_or(Ok(()), |n| within("a number of latents", n, MAX_UNITS))?;
        self.epochs.map_or(Ok(()), |n| within("a number of epochs", n, 1_000_000))?;
        self.batch.map_or(Ok(()), |n| within("a batch", n, 1 << 20))?;
        if let Some(rate) = self.rate
            && !(rate > 0.0 && rate <= 1.0)
        {
            return Err(Error::argument(format!("a learning rate of {rate} is not in 0 to 1")));
        }
        if let Some(seconds) = self.seconds
            && !(seconds > 0.0 && seconds.is_finite())
        {
            return Err(Error::argument(format!("a time of {seconds} seconds is not above 0")));
        }
        self.validate_kind()
    }

    /// Checks what makes it one of the textbooks' kinds.
    fn validate_kind(&self) -> Result<()> {
        for (what, weight) in [
            ("sparse", self.sparse),
            ("contractive", self.contractive),
            ("variational", self.variational),
            ("denoise gaussian", self.denoise.gaussian),
        ] {
            if let Some(x) = weight
                && !(x > 0.0 && x <= MAX_WEIGHT)
            {
                return Err(Error::argument(format!(
                    "{what} {x} is not above 0 and up to {MAX_WEIGHT:e}; leave it out for none"
                )));
            }
        }
        if let Some(p) = self.denoise.zero
            && !(p > 0.0 && p < 1.0)
        {
            return Err(Error::argument(format!(
                "denoise zero {p} is no probability between 0 and 1"
            )));
        }
        self.mask.map_or(Ok(()), |m| m.validate())?;
        let layers = self.hidden.as_ref().map(Vec::len);
        let curved = !matches!(self.activation, Activation::LeakyRelu | Activation::Identity);
        for (both, why) in [
            (
                self.linear && layers.is_some_and(|n| n > 0),
                "linear has no hidden layers: leave out one of linear and hidden",
            ),
            (
                self.linear && curved,
                "linear has no hidden units for an activation: leave out one of the two",
            ),
            (
                self.linear && self.sparse.is_some(),
                "the latents of sparse are ReLUs, which are not linear: leave out one of the two",
            ),
            (
                self.is_kind() && !self.linear && layers == Some(0),
                "hidden none is the linear codec, which is not trained: for a network without \
                 hidden layers ask for linear",
            ),
            (
                self.sparse.is_some() && self.variational.is_some(),
                "sparse wants latents that are 0, variational such that are normally \
                 distributed: leave out one of the two",
            ),
            (
                self.contractive.is_some() && self.mask.is_some(),
                "contractive asks how latents follow each value, mask hides values: leave out \
                 one of the two",
            ),
        ] {
            if both {
                return Err(Error::argument(why));
            }
        }
        Ok(())
    }

    /// Whether it is one of the textbooks' kinds: trained on the squared error, without a linear
    /// path.
    pub fn is_kind(&self) -> bool {
        self.loss == Loss::SquaredError
            || self.linear
            || self.sparse.is_some()
            || self.denoise.is_any()
            || self.mask.is_some()
            || self.contractive.is_some()
            || self.variational.is_some()
    }

    /// Whether a network was asked for by name, however large.
    pub(crate) fn wants_network(&self) -> Option<bool> {
        if self.is_kind() {
            return Some(true);
        }
        self.hidden.as_ref().map(|h| !h.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_that_contradict_each_other_are_refused() {
        let check = |set: &dyn Fn(&mut TrainConfig)| {
            let mut config = TrainConfig::default();
            set(&mut config);
            assert!(config.is_kind());
            config.validate().map_err(|e| e.to_string())
        };
        let both = |set: &dyn Fn(&mut TrainConfig), hint: &str| {
            let error = check(set).unwrap_err();
            assert!(error.contains(hint), "{error}");
        };
        both(&|c| (c.linear, c.hidden) = (true, Some(vec![8])), "hidden layers");
        both(&|c| (c.linear, c.sparse) = (true, Some(0.1)), "sparse");
        both(&|c| (c.linear, c.activation) = (true, Activation::Tanh), "activation");
        both(&|c| (c.sparse, c.variational) = (Some(0.1), Some(1.0)), "variational");
        both(
            &|c| (c.contractive, c.mask) = (Some(0.1), Some(Patches::new(2, 2, 0.5))),
            "contractive",
        );
        both(&|c| (c.contractive, c.hidden) = (Some(0.1), Some(Vec::new())), "ask for linear");
        both(&|c| c.sparse = Some(f64::NAN), "sparse NaN");
        both(&|c| c.variational = Some(-1.0), "variational -1");
        both(&|c| c.denoise.zero = Some(1.0), "zero 1");
        both(&|c| c.denoise.gaussian = Some(f64::INFINITY), "gaussian inf");
        both(&|c| c.mask = Some(Patches::new(0, 2, 0.5)), "0 × 2");
        both(&|c| c.mask = Some(Patches::new(2, 2, 1.0)), "share of 1");
        for set in [
            &(|c: &mut TrainConfig| c.linear = true) as &dyn Fn(&mut TrainConfig),
            &|c| (c.linear, c.variational) = (true, Some(1.0)),
            &|c| (c.sparse, c.denoise.zero) = (Some(0.1), Some(0.2)),
            &|c| (c.contractive, c.variational) = (Some(0.1), Some(0.2)),
            &|c| (c.mask, c.denoise.gaussian) = (Some(Patches::new(1, 4, 0.5)), Some(0.1)),
            &|c| c.loss = Loss::SquaredError,
        ] {
            check(set).unwrap();
        }
    }
}
