//! The kinds of autoencoders.

use crate::cli::args::parsers::{checked, count, number};
use crate::cli::io::failure::Failure;
use aezip::{Denoise, Error, Loss, Patches, TrainConfig, Transformer};

/// The kind of autoencoder, and what it is trained for.
#[derive(clap::Args)]
#[command(next_help_heading = "Kinds of networks, which can be combined")]
pub(crate) struct KindArgs {
    /// What training makes small: the file (bits) or the squared error of values (mse). All
    /// options below mean mse [default: bits].
    #[arg(long, value_name = "NAME")]
    loss: Option<LossName>,
    /// Linear autoencoder: no hidden layers, learned by gradient from random weights.
    #[arg(long)]
    linear: bool,
    /// Sparse: L times the sum of the latents' magnitudes; latents are ReLUs. Try 0.1.
    #[arg(long, value_name = "L", value_parser = number(|t, x| t.sparse = x),
          allow_hyphen_values = true)]
    sparse: Option<f64>,
    /// Denoising: gaussian:S adds noise of deviation S, a share of the range of all values;
    /// zero:P replaces values by 0 with probability P. May be given twice.
    #[arg(long, value_name = "NOISE", value_parser = denoise)]
    denoise: Vec<Denoise>,
    /// Masked: hides a share F of all patches of H × W values, for rows of two dimensions, or of
    /// W values in a line; they are what is learned. As in 4x4:0.75 or 8:0.5.
    #[arg(long, value_name = "HxW:F", value_parser = patches)]
    mask_patches: Option<Patches>,
    /// Masked transformer: patches of --mask-patches are tokens of networks of attention, which restore
    /// those that are hidden. It fills in what is missing and embeds rows; it compresses nothing.
    #[arg(long, requires = "mask_patches")]
    transformer: bool,
    /// Blocks of the transformer's encoder [default: 3].
    #[arg(long, value_name = "N", requires = "transformer",
          value_parser = count(|t, n| of_transformer(t).depth = n), allow_hyphen_values = true)]
    depth: Option<usize>,
    /// Heads of its attention, a divisor of the numbers of a token [default: 4, or fewer].
    #[arg(long, value_name = "N", requires = "transformer", allow_hyphen_values = true)]
    heads: Option<usize>,
    /// Numbers of its tokens, and of an embedding [default: 64].
    #[arg(long, value_name = "N", requires = "transformer",
          value_parser = count(|t, n| of_transformer(t).dim = n), allow_hyphen_values = true)]
    token_dim: Option<usize>,
    /// Contractive: L times the squares of how latents follow values. Try 0.1.
    #[arg(long, value_name = "L", value_parser = number(|t, x| t.contractive = x),
          allow_hyphen_values = true)]
    contractive: Option<f64>,
    /// Variational: latents are drawn, and B times their divergence from a normal distribution is
    /// made small. 1 for the bound on the likelihood, more for β-VAE.
    #[arg(long, value_name = "B", value_parser = number(|t, x| t.variational = x),
          allow_hyphen_values = true)]
    variational: Option<f64>,
}

impl KindArgs {
    /// Writes the choices into `train`.
    pub(crate) fn apply(&self, train: &mut TrainConfig) -> Result<(), Failure> {
        if self.is_for_bits()
            && let Some(option) = self.given().find(|name| *name != "--loss")
        {
            return Err(Failure::usage(format!(
                "{option} is trained on the squared error, not on bits: leave out --loss bits"
            )));
        }
        train.loss = self.loss.map_or(Loss::Bits, LossName::loss);
        train.linear = self.linear;
        train.sparse = self.sparse;
        for noise in &self.denoise {
            let own = &mut train.denoise;
            for (own, new) in [(&mut own.gaussian, noise.gaussian), (&mut own.zero, noise.zero)] {
                if own.is_some() && new.is_some() {
                    return Err(Failure::usage("--denoise says the same kind of noise twice"));
                }
                *own = own.or(new);
            }
        }
        train.mask = self.mask_patches;
        train.transformer = self.transformer.then(|| {
            let mut own = Transformer::default();
            (own.depth, own.heads, own.dim) = (self.depth, self.heads, self.token_dim);
            own
        });
        train.contractive = self.contractive;
        train.variational = self.variational;
        train.validate().map_err(|error| Failure::usage(error.to_string()))
    }

    /// Lists the options given that ask for a kind.
    pub(crate) fn given(&self) -> impl Iterator<Item = &'static str> {
        [
            ("--loss", self.loss == Some(LossName::Mse)),
            ("--linear", self.linear),
            ("--sparse", self.sparse.is_some()),
            ("--denoise", !self.denoise.is_empty()),
            ("--mask-patches", self.mask_patches.is_some()),
            ("--transformer", self.transformer),
            ("--contractive", self.contractive.is_some()),
            ("--variational", self.variational.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, given)| given.then_some(name))
    }

    /// Says whether training for the file's size is asked for.
    pub(crate) fn is_for_bits(&self) -> bool {
        self.loss == Some(LossName::Bits)
    }
}

/// The names of [`Loss`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum LossName {
    /// The expected size of the file
    Bits,
    /// The mean squared error of values, in their own units
    Mse,
}

impl LossName {
    fn loss(self) -> Loss {
        match self {
            LossName::Bits => Loss::Bits,
            LossName::Mse => Loss::SquaredError,
        }
    }
}

/// The transformer of a request, to check what is said of it, with any patches.
fn of_transformer(train: &mut TrainConfig) -> &mut Transformer {
    train.mask.get_or_insert(Patches::new(1, 1, 0.5));
    train.transformer.get_or_insert_default()
}

/// Parses `gaussian:S` or `zero:P`.
fn denoise(text: &str) -> Result<Denoise, Error> {
    let unknown = || {
        Error::argument(format!(
            "{text:?} is no noise; write gaussian:S with a share of the range, as in \
             gaussian:0.1, or zero:P with a probability, as in zero:0.3"
        ))
    };
    let (name, number) = text.split_once(':').ok_or_else(unknown)?;
    let number: f64 = number.parse().map_err(|_| unknown())?;
    let mut noise = Denoise::default();
    match name {
        "gaussian" => noise.gaussian = Some(number),
        "zero" => noise.zero = Some(number),
        _ => return Err(unknown()),
    }
    checked(|train| train.denoise = noise)?;
    Ok(noise)
}

/// Parses `HxW:F` or `W:F`.
fn patches(text: &str) -> Result<Patches, Error> {
    let parse = || {
        let (size, share) = text.split_once(':')?;
        let (height, width) = size.split_once('x').unwrap_or(("1", size));
        Some(Patches::new(height.parse().ok()?, width.parse().ok()?, share.parse().ok()?))
    };
    let patches = parse().ok_or_else(|| {
        Error::argument(format!(
            "{text:?} says no patches; write height, width and the share that is hidden, as in \
             4x4:0.75, or for rows of one dimension 8:0.5"
        ))
    })?;
    checked(|train| train.mask = Some(patches))?;
    Ok(patches)
}
