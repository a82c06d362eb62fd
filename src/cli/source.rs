//! The numbers to read: a file or a pipe, and how to understand it.

use super::failure::Failure;
use super::target::PIPE;
use aezip::input::{self, Format, OpenOptions, RawLayout};
use aezip::{DType, Rows, Schema};
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// How to understand the input.
#[derive(clap::Args, Default)]
#[command(next_help_heading = "Input")]
pub(crate) struct SourceArgs {
    /// Format of the input, where its name and contents do not tell: npy, csv, idx, fvecs,
    /// bvecs, ivecs or raw.
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Raw numbers of type D: f16, f32, f64, u8, i8, u16, i16, u32, i32, u64 or i64.
    #[arg(long, value_name = "D", requires = "shape")]
    dtype: Option<DType>,
    /// Shape of one row of raw numbers; the file's length gives the rows.
    #[arg(long, value_name = "A,B", value_delimiter = ',', requires = "dtype")]
    shape: Option<Vec<usize>>,
    /// Only these columns.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    columns: Option<Vec<String>>,
}

impl SourceArgs {
    /// The options, if they agree with each other.
    pub(crate) fn options(self) -> Result<OpenOptions, Failure> {
        let raw = self.dtype.zip(self.shape).map(|(dtype, row_shape)| RawLayout {
            dtype,
            rows: None,
            row_shape,
        });
        match (&raw, self.format) {
            (None, Some(Format::Raw)) => {
                Err(Failure::usage("--format raw needs --dtype and --shape"))
            }
            (Some(_), Some(format)) if format != Format::Raw => Err(Failure::usage(format!(
                "--dtype and --shape are for raw numbers, not for --format {}",
                format.name()
            ))),
            _ => Ok(OpenOptions { raw, columns: self.columns, format: self.format }),
        }
    }
}

/// Opens `path`, or standard input for `-`. Pipes are spooled, since rows are read twice.
pub(crate) fn open(path: &Path, options: &OpenOptions) -> Result<Box<dyn Rows>, Failure> {
    let shown = label(path);
    let explained = |error| Failure::error(format!("{shown}: {error}"));
    if path == Path::new(PIPE) {
        return input::open_reader(&mut io::stdin().lock(), "", options).map_err(explained);
    }
    let unreadable = |error| Failure::io(format_args!("cannot open {shown}"), &error);
    let there = fs::metadata(path).map_err(unreadable)?;
    if there.is_dir() {
        return Err(Failure::error(format!("{shown} is a folder")));
    }
    if there.is_file() {
        return input::open(path, options).map_err(explained);
    }
    let mut pipe = File::open(path).map_err(unreadable)?;
    input::open_reader(&mut pipe, "", options).map_err(explained)
}

/// Opens `path` to be compared with rows of `schema`: a file that says nothing about itself
/// holds numbers like them.
pub(crate) fn open_like(
    path: &Path,
    mut options: OpenOptions,
    schema: &Schema,
) -> Result<Box<dyn Rows>, Failure> {
    let silent = Format::from_extension(path).is_none_or(|format| format == Format::Raw);
    let told = options.format.is_some() || options.raw.is_some();
    let opened = open(path, &options);
    // A pipe has been emptied by now.
    let again = silent && !told && fs::metadata(path).is_ok_and(|there| there.is_file());
    if opened.is_ok() || !again {
        return opened;
    }
    let Schema { dtype, row_shape, .. } = schema.clone();
    options.raw = Some(RawLayout { dtype, rows: None, row_shape });
    // The first complaint is about the file as it is, the second about a guess.
    open(path, &options).or(opened)
}

/// What to call `path` in a message.
pub(crate) fn label(path: &Path) -> String {
    if path == Path::new(PIPE) { "standard input".to_string() } else { path.display().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        source: SourceArgs,
    }

    fn options(args: &[&str]) -> Option<OpenOptions> {
        let line = Line::try_parse_from([&["aezip"], args].concat()).ok()?;
        line.source.options().ok()
    }

    #[test]
    fn options_reach_the_input() {
        let raw = options(&["--dtype", "f32", "--shape", "28,28"]).unwrap().raw.unwrap();
        assert_eq!((raw.dtype, raw.row_shape), (DType::F32, vec![28, 28]));
        let columns = options(&["--columns", "a,b"]).unwrap().columns;
        assert_eq!(columns, Some(vec!["a".to_string(), "b".to_string()]));
        assert_eq!(options(&["--format", "csv"]).unwrap().format, Some(Format::Csv));
    }

    #[test]
    fn options_that_contradict_each_other_are_refused() {
        assert!(options(&["--dtype", "f32"]).is_none());
        assert!(options(&["--shape", "3"]).is_none());
        assert!(options(&["--format", "raw"]).is_none());
        assert!(options(&["--format", "npy", "--dtype", "f32", "--shape", "3"]).is_none());
        assert!(options(&["--format", "raw", "--dtype", "f32", "--shape", "3"]).is_some());
        assert!(options(&["--format", "parquet"]).is_none());
        assert!(options(&["--dtype", "f33", "--shape", "3"]).is_none());
    }
}
