//! The network, where it is not left to level and data.

use crate::cli::args::kinds::KindArgs;
use crate::cli::args::parsers::{checked, count, number};
use crate::cli::io::failure::Failure;
use aezip::{Activation, Config, Error};
use std::str::FromStr;

/// How the autoencoder is made and trained.
#[derive(clap::Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkArgs {
    /// Units of the encoder's hidden layers, from row to latents, as in 256,96; the decoder has
    /// them in reverse. "none" for the linear codec [default: by level and data].
    #[arg(long, value_name = "UNITS", allow_hyphen_values = true)]
    hidden: Option<Layers>,
    /// Latents of a row; at most as many as there are columns, but for kinds [default: by data].
    #[arg(long, value_name = "N", value_parser = count(|t, n| t.latents = n),
          allow_hyphen_values = true)]
    latent: Option<usize>,
    /// Passes over the rows, most; also of each turn of what follows the training for a figure over
    /// the file [default: by level and data].
    #[arg(long, value_name = "N", value_parser = count(|t, n| t.epochs = n),
          allow_hyphen_values = true)]
    epochs: Option<usize>,
    /// Rows of a training step [default: 256, for kinds fewer where rows are few].
    #[arg(long, value_name = "N", value_parser = count(|t, n| t.batch = n),
          allow_hyphen_values = true)]
    batch: Option<usize>,
    /// Learning rate at its peak [default: 0.006 under a bound on each value,
    /// otherwise 0.004; for kinds 0.001, for --linear 0.003].
    #[arg(long, value_name = "RATE", value_parser = number(|t, x| t.rate = x),
          allow_hyphen_values = true)]
    lr: Option<f64>,
    /// Function of the hidden units [default: leaky-relu].
    #[arg(long, value_name = "NAME")]
    activation: Option<ActivationName>,
    /// End training after SECONDS, however far it is. The file then depends on the machine's
    /// speed: the same command may write another one.
    #[arg(long, value_name = "SECONDS", value_parser = number(|t, x| t.seconds = x),
          allow_hyphen_values = true)]
    time: Option<f64>,
    #[command(flatten)]
    kind: KindArgs,
}

impl NetworkArgs {
    /// Writes the choices into `config`, whose level and promise are set.
    ///
    /// Fails where a choice could have no effect: better than a long run without it.
    pub(crate) fn apply(self, config: &mut Config) -> Result<(), Failure> {
        self.expect_effect(config)?;
        self.choose(config)
    }

    /// The same, where a network is learned at every level.
    pub(crate) fn apply_at_every_level(self, config: &mut Config) -> Result<(), Failure> {
        self.expect_a_network()?;
        self.choose(config)
    }

    fn choose(self, config: &mut Config) -> Result<(), Failure> {
        config.train.hidden = self.hidden.map(|layers| layers.0);
        config.train.latents = self.latent;
        config.train.epochs = self.epochs;
        config.train.batch = self.batch;
        config.train.rate = self.lr;
        config.train.seconds = self.time;
        if let Some(function) = self.activation {
            config.train.activation = function.into();
        }
        self.kind.apply(&mut config.train)
    }

    /// Fails if anything is chosen although a codec says how rows become latents.
    pub(crate) fn expect_none(&self) -> Result<(), Failure> {
        self.expect_none_because(
            "with --codec, which brings what was learned: give it to `aezip train`, or leave out \
             one of the two",
        )
    }

    /// Says whether the number of latents or a kind is chosen.
    pub(crate) fn is_about_latents(&self) -> bool {
        self.latent.is_some() || self.kind.given().next().is_some()
    }

    /// Says whether anything is chosen.
    pub(crate) fn is_given(&self) -> bool {
        self.expect_none().is_err()
    }

    /// Fails if `--loss bits` is asked for; `why` not.
    pub(crate) fn expect_no_bits(&self, why: &str) -> Result<(), Failure> {
        if self.kind.is_for_bits() {
            return Err(Failure::usage(format!("--loss bits {why}")));
        }
        Ok(())
    }

    /// Fails if anything is chosen; `why` that has no effect.
    pub(crate) fn expect_none_because(&self, why: &str) -> Result<(), Failure> {
        let hidden = self.hidden.is_some().then_some("--hidden");
        match hidden.or(self.training()).or(self.kind.given().next()) {
            None => Ok(()),
            Some(option) => Err(Failure::usage(format!("{option} has no effect {why}"))),
        }
    }

    /// Fails where training is told something, but no network is to be trained.
    fn expect_a_network(&self) -> Result<(), Failure> {
        // Of kinds the library knows what they can be together with.
        let is_linear = self.hidden.as_ref().is_some_and(|layers| layers.0.is_empty());
        match self.training() {
            Some(option) if is_linear && self.kind.given().next().is_none() => {
                Err(Failure::usage(format!(
                    "{option} is about training a network, but --hidden none asks for the linear \
                     codec: leave out one of the two"
                )))
            }
            _ => Ok(()),
        }
    }

    fn expect_effect(&self, config: &Config) -> Result<(), Failure> {
        self.expect_a_network()?;
        let layers = self.hidden.as_ref().map(|layers| layers.0.len());
        let named = layers.filter(|n| *n > 0).map(|_| "--hidden").or(self.kind.given().next());
        let Some(option) = self.training().or(named) else { return Ok(()) };
        if config.level == 1 && named.is_none() && !config.train.is_kind() {
            return Err(Failure::usage(format!(
                "{option} has no effect with -1, which trains no network by itself: add --hidden, \
                 or choose -2 to -9"
            )));
        }
        Ok(())
    }

    /// Finds an option given that only training looks at.
    fn training(&self) -> Option<&'static str> {
        [
            ("--latent", self.latent.is_some()),
            ("--epochs", self.epochs.is_some()),
            ("--batch", self.batch.is_some()),
            ("--lr", self.lr.is_some()),
            ("--activation", self.activation.is_some()),
            ("--time", self.time.is_some()),
        ]
        .into_iter()
        .find_map(|(name, given)| given.then_some(name))
    }
}

/// Units of layers, as in `256,96`; `none` or nothing for no layers.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Layers(Vec<usize>);

impl FromStr for Layers {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if text.is_empty() || text == "none" {
            return Ok(Self(Vec::new()));
        }
        let layer = |part: &str| {
            part.trim().parse().map_err(|_| {
                Error::argument(format!(
                    "{part:?} is no number of units; write one number for each layer, as in \
                     256,96, or none"
                ))
            })
        };
        let layers: Vec<usize> = text.split(',').map(layer).collect::<Result<_, _>>()?;
        checked(|train| train.hidden = Some(layers.clone()))?;
        Ok(Self(layers))
    }
}

/// The names of [`Activation`].
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ActivationName {
    /// x, or x/8 below 0
    LeakyRelu,
    /// x, or 0 below 0
    Relu,
    /// Hyperbolic tangent; the decoder then has leaky-relu
    Tanh,
    /// Gaussian error linear unit; the decoder then has leaky-relu
    Gelu,
    /// x itself; the decoder then has leaky-relu
    Identity,
}

impl From<ActivationName> for Activation {
    fn from(function: ActivationName) -> Self {
        match function {
            ActivationName::LeakyRelu => Activation::LeakyRelu,
            ActivationName::Relu => Activation::Relu,
            ActivationName::Tanh => Activation::Tanh,
            ActivationName::Gelu => Activation::Gelu,
            ActivationName::Identity => Activation::Identity,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aezip::{Fidelity, Loss, Patches, TrainConfig};
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        network: NetworkArgs,
    }

    /// Returns what `args` ask for at `level` with a promise of `kind` and `number`.
    fn requested(
        args: &[&str],
        level: u8,
        kind: &str,
        number: &str,
    ) -> Result<TrainConfig, String> {
        let line = Line::try_parse_from([&["aezip"], args].concat());
        let line = line.map_err(|e| e.to_string())?;
        let mut config = Config::default();
        config.level = level;
        config.fidelity = Fidelity::parse(kind, number).unwrap();
        line.network.apply(&mut config).map_err(|failure| {
            assert_eq!(failure.code(), 2);
            failure.message().to_string()
        })?;
        Ok(config.train)
    }

    fn bounded(args: &[&str]) -> Result<TrainConfig, String> {
        requested(args, 5, "max-error", "0.1")
    }

    #[test]
    fn nothing_said_nothing_requested() {
        assert_eq!(bounded(&[]), Ok(TrainConfig::default()));
    }

    #[test]
    fn every_option_reaches_its_field() {
        let args = "--hidden 256,96 --latent 32 --epochs 40 --batch 128 --lr 1e-3 \
                    --activation relu --time 2.5";
        let got = bounded(&args.split_whitespace().collect::<Vec<_>>()).unwrap();
        let mut expected = TrainConfig::default();
        expected.hidden = Some(vec![256, 96]);
        expected.latents = Some(32);
        expected.epochs = Some(40);
        expected.batch = Some(128);
        expected.rate = Some(1e-3);
        expected.activation = Activation::Relu;
        expected.seconds = Some(2.5);
        assert_eq!(got, expected);
    }

    #[test]
    fn layers_are_a_list() {
        for (text, layers) in
            [("none", vec![]), ("", vec![]), ("64", vec![64]), (" 256, 96 ", vec![256, 96])]
        {
            assert_eq!(bounded(&["--hidden", text]).unwrap().hidden, Some(layers), "{text:?}");
        }
        for text in ["64,", ",64", "64,,32", "64;32", "none,64", "-1", "0", "64,0", "9000", "6.5"] {
            let error = bounded(&["--hidden", text]).unwrap_err();
            assert!(error.contains("--hidden <UNITS>"), "{text:?}: {error}");
        }
        assert!(bounded(&["--hidden", "1,1,1,1,1,1,1,1"]).is_ok());
        assert!(bounded(&["--hidden", "1,1,1,1,1,1,1,1,1"]).is_err());
    }

    #[test]
    fn every_kind_reaches_its_field() {
        let got = bounded(&[
            "--sparse",
            "0.1",
            "--denoise",
            "zero:0.3",
            "--denoise",
            "gaussian:0.2",
            "--mask-patches",
            "4x2:0.75",
        ])
        .unwrap();
        let mut expected = TrainConfig::default();
        expected.sparse = Some(0.1);
        (expected.denoise.zero, expected.denoise.gaussian) = (Some(0.3), Some(0.2));
        expected.mask = Some(Patches::new(4, 2, 0.75));
        assert_eq!(got, expected);
        let got = bounded(&["--linear", "--contractive", "0.5", "--variational", "2"]).unwrap();
        assert_eq!((got.linear, got.contractive, got.variational), (true, Some(0.5), Some(2.0)));
        assert_eq!(bounded(&["--loss", "mse"]).unwrap().loss, Loss::SquaredError);
        let line = bounded(&["--mask-patches", "8:0.5"]).unwrap();
        assert_eq!(line.mask, Some(Patches::new(1, 8, 0.5)));
        // They train, at any level.
        assert!(requested(&["--linear"], 1, "max-error", "0.1").is_ok());
    }

    #[test]
    fn kinds_that_make_no_sense_are_refused() {
        for (line, hint) in [
            ("--denoise gauss:1", "gaussian:S"),
            ("--denoise gaussian", "gaussian:S"),
            ("--denoise zero:1.5", "probability"),
            ("--denoise zero:0.1 --denoise zero:0.2", "twice"),
            ("--mask-patches 4x4", "4x4:0.75"),
            ("--mask-patches 4x4:1", "between 0 and 1"),
            ("--mask-patches 0x4:0.5", "empty"),
            ("--sparse -1", "sparse -1"),
            ("--variational x", "not a number"),
            ("--sparse 0.1 --variational 1", "sparse"),
            ("--linear --hidden 8", "hidden layers"),
            ("--contractive 1 --hidden none", "linear"),
            ("--loss bits --sparse 0.1", "--loss bits"),
        ] {
            let error = bounded(&line.split(' ').collect::<Vec<_>>()).unwrap_err();
            assert!(error.contains(hint), "{line}: {error}");
        }
    }

    #[test]
    fn what_has_no_effect_is_refused() {
        for (line, level, [kind, number], hint) in [
            ("--hidden none --epochs 3", 5, ["nmse", "0.1"], "--hidden none"),
            ("--hidden= --time 3", 5, ["nmse", "0.1"], "--time"),
            ("--latent 4", 1, ["nmse", "0.1"], "-1"),
            ("--latent 4", 1, ["row-nmse", "0.1"], "-1"),
        ] {
            let args: Vec<_> = line.split(' ').collect();
            let error = requested(&args, level, kind, number).unwrap_err();
            assert!(error.contains(hint), "{line}: {error}");
        }
        assert!(requested(&["--hidden", "16", "--latent", "4"], 1, "nmse", "0.1").is_ok());
        for kind in ["nmse", "row-nmse", "row-cosine"] {
            for line in [["--hidden", "none"], ["--hidden", "16"], ["--sparse", "0.1"]] {
                assert!(requested(&line, 1, kind, "0.1").is_ok(), "{line:?} with --{kind}");
            }
        }
    }
}
