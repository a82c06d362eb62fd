//! What the uses of codecs have in common: rows, and a codec that is there or is learned.

use super::archive::{Archive, read_codec};
use super::console::Console;
use super::failure::Failure;
use super::network::NetworkArgs;
use super::progress::Bar;
use super::source;
use super::target::PIPE;
use super::tuning::TuningArgs;
use aezip::input::OpenOptions;
use aezip::{Codec, Config, Loss, Rows, Schema};
use std::fs::File;
use std::io::Read;
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

impl CodecArgs {
    /// Whether there is a codec's file.
    pub(crate) fn is_given(&self) -> bool {
        self.codec.is_some()
    }

    /// Fails if anything is chosen about a network; `why` that has no effect.
    pub(crate) fn expect_none_because(&self, why: &str) -> Result<(), Failure> {
        self.network.expect_none_because(why)
    }

    /// The codec's file.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.codec.as_deref()
    }

    /// Whether it is said how many latents to learn, or which kind.
    pub(crate) fn learns(&self) -> bool {
        self.network.is_about_latents()
    }

    /// How to learn an embedding of `dim` latents or, if it is nowhere said how many, of `usual`:
    /// on the squared error unless a kind is wished for.
    pub(crate) fn for_embedding(
        self,
        dim: Option<usize>,
        usual: Option<usize>,
    ) -> Result<Config, Failure> {
        self.network.expect_no_bits(
            "makes files small, not embeddings good: leave it out, or train a codec with it and \
             use that",
        )?;
        let (codec, mut config) = self.settled()?;
        if codec.is_some() {
            return Ok(config);
        }
        config.train.latents = dim.or(config.train.latents).or(usual);
        if !config.train.is_kind() {
            config.train.loss = Loss::SquaredError;
        }
        config.train.validate()?;
        Ok(config)
    }

    /// The codec's file, or how to learn without one.
    pub(crate) fn settled(self) -> Result<(Option<PathBuf>, Config), Failure> {
        let mut config = Config::default();
        self.tuning.apply(&mut config);
        if self.codec.is_some() {
            self.network.expect_none()?;
        } else {
            self.network.apply(&mut config)?;
        }
        Ok((self.codec, config))
    }
}

/// The failure that an error of the library amounts to: it is about the file at `path`.
pub(crate) fn about(path: &Path) -> impl Fn(aezip::Error) -> Failure {
    move |error| Failure::error(format!("{}: {error}", source::label(path)))
}

/// The codec at `path`, or one learned from `rows`, which are those of `input`.
pub(crate) fn codec(
    path: Option<&Path>,
    (input, rows): (&Path, &dyn Rows),
    config: &mut Config,
    console: &Console,
) -> Result<Codec, Failure> {
    match path {
        Some(path) => read_codec(path),
        None => {
            let bar = Bar::new(console);
            config.progress = bar.callback();
            let codec = aezip::apps::learn(rows, config);
            config.progress = None;
            drop(bar);
            codec.map_err(about(input))
        }
    }
}

/// Rows of a compressed file.
struct Compressed(Archive);

impl Rows for Compressed {
    fn schema(&self) -> &Schema {
        self.0.reader.schema()
    }

    fn len(&self) -> usize {
        self.0.reader.rows()
    }

    fn read(&self, first: usize, out: &mut [u8]) -> aezip::Result<()> {
        self.0.reader.read_bytes(first, out)
    }
}

/// Opens rows in any format, compressed ones too.
pub(crate) fn open(path: &Path, options: &OpenOptions) -> Result<Box<dyn Rows>, Failure> {
    if !is_compressed(path) {
        return source::open(path, options);
    }
    let archive = Archive::open(path)?;
    archive.expect_rows()?;
    Ok(Box::new(Compressed(archive)))
}

/// Whether `path` is an `.aez` file; pipes are never asked.
pub(crate) fn is_compressed(path: &Path) -> bool {
    if path == Path::new(PIPE) || !path.is_file() {
        return false;
    }
    let mut head = [0; 4];
    File::open(path).and_then(|mut f| f.read_exact(&mut head)).is_ok() && &head == b"\x89AEZ"
}

/// One number for each row: labels, or what points are coloured by.
pub(crate) fn column(path: &Path, rows: usize) -> Result<Box<dyn Rows>, Failure> {
    let labels = open(path, &OpenOptions::default())?;
    let label = source::label(path);
    if labels.len() != rows {
        let n = labels.len();
        return Err(Failure::error(format!("{label} has {n} rows, the input has {rows}")));
    }
    Ok(labels)
}

/// The numbers of rows that have one.
pub(crate) fn numbers(rows: &dyn Rows, label: &str) -> Result<Vec<f64>, Failure> {
    let schema = rows.schema();
    if schema.width() != 1 {
        let width = schema.width();
        return Err(Failure::error(format!(
            "{label} has rows of {width} numbers; one for each row is needed"
        )));
    }
    Ok(aezip::apps::to_doubles(rows)?)
}
