//! What the uses of codecs have in common: rows, a codec that is there or is learned, results.

use super::archive::{Archive, read_codec};
use super::console::Console;
use super::decompress::format_for;
use super::failure::Failure;
use super::network::NetworkArgs;
use super::output::Output;
use super::progress::Bar;
use super::source;
use super::target::{PIPE, Target};
use super::tuning::TuningArgs;
use aezip::input::{Format, OpenOptions, sink};
use aezip::{Codec, Config, Matrix, Rows, Schema};
use std::fs::File;
use std::io::{Read, Write};
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

/// The codec at `path`, or one learned from `rows`.
pub(crate) fn codec(
    path: Option<&Path>,
    rows: &dyn Rows,
    config: &mut Config,
    console: &Console,
) -> Result<Codec, Failure> {
    match path {
        Some(path) => read_codec(path),
        None => {
            let bar = Bar::new(console);
            config.progress = bar.callback();
            let codec = aezip::learn(rows, config);
            config.progress = None;
            drop(bar);
            Ok(codec?)
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

/// A place for rows, and their format there.
pub(crate) struct RowsOut {
    target: Target,
    format: Format,
    force: bool,
}

impl RowsOut {
    /// Checks the place; `sources` must not be overwritten.
    pub(crate) fn new(
        output: PathBuf,
        format: Option<Format>,
        force: bool,
        sources: &[&Path],
    ) -> Result<Self, Failure> {
        let target = Target::new(output);
        let format = format_for(&target, format, "")?;
        target.check(force, format != Format::Csv, sources)?;
        Ok(Self { target, format, force })
    }

    /// Fails where both rows and `--json` would go to standard output.
    pub(crate) fn beside_json(self, json: bool) -> Result<Self, Failure> {
        if json && self.target == Target::Stdout {
            return Err(Failure::usage(
                "--json and the result cannot both go to standard output: name a file with -o",
            ));
        }
        Ok(self)
    }

    /// Writes the rows.
    pub(crate) fn write(&self, rows: &Matrix) -> Result<(), Failure> {
        let output = Output::create(&self.target, self.force, self.format != Format::Csv)?;
        let to = Box::new(output.writer());
        let written = |error| output.failure(error);
        let mut sink = sink::create_sink(self.format, rows.schema(), rows.len() as u64, to)
            .map_err(written)?;
        sink.write(rows.bytes()).map_err(written)?;
        sink.finish().map_err(written)?;
        output.commit()
    }

    /// Its name, for messages.
    pub(crate) fn label(&self) -> String {
        self.target.to_string()
    }
}

/// Writes `bytes` to `target`, which was checked.
pub(crate) fn write_bytes(target: &Target, force: bool, bytes: &[u8]) -> Result<(), Failure> {
    let output = Output::create(target, force, true)?;
    output
        .writer()
        .write_all(bytes)
        .map_err(|e| Failure::io(format_args!("cannot write {target}"), &e))?;
    output.commit()
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
    Ok(aezip::to_doubles(rows)?)
}
