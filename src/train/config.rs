//! What the caller wishes of the network.

use crate::error::{Error, Result};
use crate::kernels::activation;

/// The function of a network's hidden units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Activation {
    /// `x`, or `x/8` below 0.
    #[default]
    LeakyRelu,
    /// `max(x, 0)`.
    Relu,
}

impl Activation {
    pub(crate) fn function(self) -> activation::Activation {
        match self {
            Activation::LeakyRelu => activation::Activation::LeakyRelu(0.125),
            Activation::Relu => activation::Activation::Relu,
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
    /// Passes over the rows.
    pub epochs: Option<usize>,
    /// Rows of a batch. 256 if not said.
    pub batch: Option<usize>,
    /// Peak of the learning rate. 0.004 if not said.
    pub rate: Option<f64>,
    /// Function of the hidden units.
    pub activation: Activation,
    /// Seconds after which training ends, however far it is. Files then depend on the speed of
    /// the machine.
    pub seconds: Option<f64>,
}

/// Largest width of a layer.
const MAX_UNITS: usize = 8192;

impl TrainConfig {
    /// Checks the wish.
    pub(crate) fn validate(&self) -> Result<()> {
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
        Ok(())
    }

    /// Whether a network was asked for by name, however large.
    pub(crate) fn wants_network(&self) -> Option<bool> {
        self.hidden.as_ref().map(|h| !h.is_empty())
    }
}
