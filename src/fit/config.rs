//! What the caller asks of the network.

use crate::error::{Error, Result};
use crate::fit::corruption::{Denoise, Loss, Patches, Transformer};
use crate::kernels::activation;

/// The function of a network's hidden units.
///
/// The decoder computes in integers and has [`LeakyRelu`](Self::LeakyRelu) and
/// [`Relu`](Self::Relu); with any other function in the encoder, the decoder has `LeakyRelu`.
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
            Activation::LeakyRelu => activation::Activation::LeakyRelu(LEAK),
            Activation::Relu => activation::Activation::Relu,
            Activation::Tanh => activation::Activation::Tanh,
            Activation::Gelu => activation::Activation::Gelu,
            Activation::Identity => activation::Activation::Identity,
        }
    }

    /// The decoder's function: this one where integers have it, or else the leaky ReLU.
    pub(crate) fn of_decoder(self) -> Self {
        match self {
            Activation::LeakyRelu | Activation::Relu => self,
            _ => Activation::LeakyRelu,
        }
    }
}

/// How to train the autoencoder; what is left open is chosen by level and data.
///
/// Without any of the fields from `loss` on, a network is trained on the expected size of the file,
/// and kept where the file gets smaller. Each of those fields asks for a *textbook objective*
/// instead: the squared error with the terms of that field, which can be combined. Its network is
/// kept however large the file.
///
/// ```
/// let mut config = aezip::Config::default();
/// config.train.hidden = Some(vec![256, 96]);
/// config.train.latents = Some(32);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct TrainConfig {
    /// Units of the encoder's hidden layers, from rows to latents: up to 8 layers of 1 to 8192; the
    /// decoder has them in reverse. An empty list asks for the linear codec. No other network is
    /// tried.
    pub hidden: Option<Vec<usize>>,
    /// Latents of a row, 1 to 8192.
    pub latents: Option<usize>,
    /// Most passes over the rows, 1 to 1,000,000. Where the promise is about a sum over the file,
    /// it holds for each turn of refitting too.
    pub epochs: Option<usize>,
    /// Rows of a batch, 1 to 2²⁰. Left open it is 256; with a textbook objective 64 below 4000
    /// rows and 128 below 20,000.
    pub batch: Option<usize>,
    /// Peak of the learning rate, above 0 and up to 1; refitting takes an eighth of it. Left open
    /// it is 0.006 under a bound on each value and 0.004 for a sum over the file; with a textbook
    /// objective 0.001, and 0.003 if `linear`.
    pub rate: Option<f64>,
    /// Function of the hidden units.
    pub activation: Activation,
    /// Seconds, above 0, after which training ends, with a rate that falls until then. Files then
    /// depend on the speed of the machine.
    pub seconds: Option<f64>,
    /// What training makes small; all fields below imply the squared error.
    pub loss: Loss,
    /// Whether there are no hidden layers and no activation: both networks are one matrix, learned
    /// by gradient from random weights (Baldi and Hornik 1989). It finds the span of the principal
    /// components.
    pub linear: bool,
    /// Weight of `Σ |z|` of the latents `z`, above 0 and up to 10⁶; they are then ReLUs and mostly
    /// 0 (Olshausen and Field 1996; the decoder's first weights have norm 1).
    pub sparse: Option<f64>,
    /// Noise on what the encoder sees.
    pub denoise: Denoise,
    /// Patches that the encoder does not see.
    pub mask: Option<Patches>,
    /// A transformer that sees patches as tokens, for [`Codec::fit`](crate::Codec::fit) alone: it restores what is
    /// hidden and embeds rows, and makes no file. It needs `mask`.
    pub transformer: Option<Transformer>,
    /// Weight of `‖∂z/∂x‖²`, above 0 and up to 10⁶ (Rifai et al. 2011).
    pub contractive: Option<f64>,
    /// Weight, above 0 and up to 10⁶, of the divergence of `N(μ, σ²)` from `N(0, 1)`, where the
    /// encoder gives `μ` and `σ` and the decoder sees a draw (Kingma and Welling 2014; Higgins et
    /// al. 2017 for weights other than 1).
    pub variational: Option<f64>,
}

/// Most hidden layers that the format has.
const MAX_LAYERS: usize = 8;
/// Largest width of a layer that the format has.
const MAX_UNITS: usize = 8192;
/// More passes and rows of a batch than any training here has use for.
const MAX_EPOCHS: usize = 1_000_000;
const MAX_BATCH: usize = 1 << 20;
/// Largest weight of a term, and largest noise: beyond it gradients are nothing but the term.
const MAX_WEIGHT: f64 = 1e6;
/// Slope of [`Activation::LeakyRelu`] below 0: a shift of the decoder's integers by three bits.
const LEAK: f32 = 0.125;

impl TrainConfig {
    /// Checks all that does not depend on the rows.
    ///
    /// # Errors
    /// `Argument`, with what was asked for and what is allowed, where a field is out of its range
    /// or two fields contradict each other.
    pub fn validate(&self) -> Result<()> {
        let within = |what: &str, value: usize, most: usize| {
            if (1..=most).contains(&value) {
                return Ok(());
            }
            Err(Error::argument(format!("{what} of {value} is not between 1 and {most}")))
        };
        if let Some(hidden) = &self.hidden {
            if hidden.len() > MAX_LAYERS {
                let n = hidden.len();
                return Err(Error::argument(format!(
                    "{n} hidden layers are more than {MAX_LAYERS}"
                )));
            }
            hidden.iter().try_for_each(|&n| within("a hidden layer", n, MAX_UNITS))?;
        }
        self.latents.map_or(Ok(()), |n| within("a number of latents", n, MAX_UNITS))?;
        self.epochs.map_or(Ok(()), |n| within("a number of epochs", n, MAX_EPOCHS))?;
        self.batch.map_or(Ok(()), |n| within("a batch", n, MAX_BATCH))?;
        if let Some(rate) = self.rate
            && !(rate > 0.0 && rate <= 1.0)
        {
            return Err(Error::argument(format!("a learning rate of {rate:?} is not in 0 to 1")));
        }
        if let Some(seconds) = self.seconds
            && !(seconds > 0.0 && seconds.is_finite())
        {
            return Err(Error::argument(format!("a time of {seconds:?} seconds is not above 0")));
        }
        self.validate_textbook()?;
        self.check_contradictions()
    }

    /// Checks the terms of a textbook objective.
    fn validate_textbook(&self) -> Result<()> {
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
                    "{what} {x:?} is not above 0 and up to {MAX_WEIGHT:e}; leave it out for none"
                )));
            }
        }
        if let Some(p) = self.denoise.zero
            && !(p > 0.0 && p < 1.0)
        {
            return Err(Error::argument(format!(
                "denoise zero {p:?} is no probability between 0 and 1"
            )));
        }
        self.transformer.map_or(Ok(()), |t| t.validate())?;
        self.mask.map_or(Ok(()), |m| m.validate())
    }

    /// Checks that no two fields exclude each other.
    fn check_contradictions(&self) -> Result<()> {
        let layers = self.hidden.as_ref().map(Vec::len);
        let curved = !matches!(self.activation, Activation::LeakyRelu | Activation::Identity);
        let is_dense = layers.is_some()
            || self.latents.is_some()
            || self.activation != Activation::default()
            || self.linear
            || self.sparse.is_some()
            || self.denoise.is_any()
            || self.contractive.is_some()
            || self.variational.is_some();
        let contradictions = [
            (
                self.transformer.is_some() && self.mask.is_none(),
                "a transformer learns from patches that are hidden: say which, with mask patches",
            ),
            (
                self.transformer.is_some() && is_dense,
                "a transformer has neither hidden layers, latents and their activation nor the terms of \
                 other kinds: leave out these or the transformer",
            ),
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
        ];
        match contradictions.into_iter().find(|(both, _)| *both) {
            Some((_, why)) => Err(Error::argument(why)),
            None => Ok(()),
        }
    }

    /// Whether a textbook objective is asked for: the network is then trained on the squared error,
    /// without a linear path beside its hidden layers, and kept however large the file.
    pub fn is_kind(&self) -> bool {
        self.loss == Loss::SquaredError
            || self.linear
            || self.sparse.is_some()
            || self.denoise.is_any()
            || self.mask.is_some()
            || self.transformer.is_some()
            || self.contractive.is_some()
            || self.variational.is_some()
    }

    /// Whether a network is asked for, however large the file, or none; `None` where that is left
    /// to level and data.
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
    fn fields_that_contradict_each_other_are_refused() {
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
        let transformer = Some(Transformer::default());
        both(&|c| (c.transformer, c.linear) = (transformer, true), "mask patches");
        both(
            &|c| {
                (c.transformer, c.mask) = (transformer, Some(Patches::new(2, 2, 0.5)));
                c.latents = Some(8);
            },
            "latents",
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
