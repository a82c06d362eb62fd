//! A codec that is there, or how to learn one.

use crate::cli::args::network::NetworkArgs;
use crate::cli::args::tuning::TuningArgs;
use crate::cli::io::archive::read_codec;
use crate::cli::io::console::Console;
use crate::cli::io::failure::Failure;
use crate::cli::io::progress::Bar;
use crate::cli::io::source::about;
use aezip::apps::{Embedding, config_for_uses, learn_embedding};
use aezip::{Codec, Config, Loss, Rows};
use std::path::{Path, PathBuf};

/// A codec that is there, or how to learn one.
#[derive(clap::Args)]
pub(crate) struct CodecArgs {
    /// Use CODEC, as `aezip train` writes it, instead of learning one from the rows.
    #[arg(long, value_name = "CODEC")]
    codec: Option<PathBuf>,
    #[command(flatten)]
    tuning: TuningArgs,
    #[command(flatten)]
    network: NetworkArgs,
}

/// [`CodecArgs`], checked.
pub(crate) struct CodecChoice {
    path: Option<PathBuf>,
    /// How to learn, where there is no codec.
    pub(crate) config: Config,
}

impl CodecArgs {
    /// Returns the codec's file, if one is named.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.codec.as_deref()
    }

    /// Fails if anything is chosen about a network; `why` that has no effect.
    pub(crate) fn expect_none_because(&self, why: &str) -> Result<(), Failure> {
        self.network.expect_none_because(why)
    }

    /// Says whether it is chosen how many latents to learn, or which kind.
    pub(crate) fn learns(&self) -> bool {
        self.network.is_about_latents()
    }

    /// Says whether a codec is named, or anything is chosen about a network to learn.
    pub(crate) fn is_given(&self) -> bool {
        self.codec.is_some() || self.network.is_given()
    }

    /// Checks how to learn an embedding of `dim` latents or, if it is nowhere said how many, of
    /// `usual`: on the squared error unless a kind is asked for.
    pub(crate) fn for_embedding(
        self,
        dim: Option<usize>,
        usual: Option<usize>,
    ) -> Result<CodecChoice, Failure> {
        self.network.expect_no_bits(
            "makes files small, not embeddings good: leave it out, or train a codec with it and \
             use that",
        )?;
        let mut choice = self.checked_at_every_level()?;
        if choice.path.is_none() {
            let train = &mut choice.config.train;
            let usual = usual.filter(|_| train.transformer.is_none());
            train.latents = dim.or(train.latents).or(usual);
            if !train.is_kind() {
                train.loss = Loss::SquaredError;
            }
            train.validate()?;
        }
        Ok(choice)
    }

    /// Checks that what is said of a network has an effect.
    pub(crate) fn checked(self) -> Result<CodecChoice, Failure> {
        self.checked_by(NetworkArgs::apply)
    }

    /// The same, where a network is learned at every level if something is said of it.
    pub(crate) fn checked_at_every_level(self) -> Result<CodecChoice, Failure> {
        self.checked_by(NetworkArgs::apply_at_every_level)
    }

    fn checked_by(
        self,
        apply: impl FnOnce(NetworkArgs, &mut Config) -> Result<(), Failure>,
    ) -> Result<CodecChoice, Failure> {
        let mut config = Config::default();
        self.tuning.apply(&mut config);
        if self.codec.is_some() {
            self.network.expect_none()?;
        } else {
            apply(self.network, &mut config)?;
        }
        Ok(CodecChoice { path: self.codec, config })
    }
}

impl CodecChoice {
    /// Returns the codec's file, if one is named.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Reads the codec, if one is named.
    pub(crate) fn read(&self) -> Result<Option<Codec>, Failure> {
        self.path().map(read_codec).transpose()
    }

    /// Learns an embedding of `rows`, which are those of `input`.
    pub(crate) fn embed<'a>(
        &mut self,
        input: &Path,
        rows: &'a dyn Rows,
        console: &Console,
    ) -> Result<Embedding<'a>, Failure> {
        let bar = Bar::new(console);
        self.config.progress = bar.callback();
        let found = learn_embedding(rows, &self.config);
        self.config.progress = None;
        drop(bar);
        found.map_err(about(input))
    }

    /// Reads the codec, or learns one from `rows`, which are those of `input`.
    pub(crate) fn read_or_learn(
        &mut self,
        input: &Path,
        rows: &dyn Rows,
        console: &Console,
    ) -> Result<Codec, Failure> {
        if let Some(codec) = self.read()? {
            return Ok(codec);
        }
        let bar = Bar::new(console);
        self.config.progress = bar.callback();
        let codec =
            config_for_uses(rows, &self.config).and_then(|config| Codec::fit(rows, &config));
        self.config.progress = None;
        drop(bar);
        codec.map_err(about(input))
    }
}
