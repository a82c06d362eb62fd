//! How to understand the input.

use crate::cli::io::failure::Failure;
use aezip::DType;
use aezip::input::{Format, OpenOptions, RawLayout};

/// How to understand the input.
#[derive(clap::Args, Default)]
#[command(next_help_heading = "Input")]
pub(crate) struct SourceArgs {
    /// Format of the input, where its name and contents do not tell: npy, csv, idx, fvecs,
    /// bvecs, ivecs, fbin, u8bin, i8bin or raw.
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Raw numbers of type D: f16, f32, f64, u8, i8, u16, i16, u32, i32, u64, i64, or bf16, which
    /// is read as f32. Files that say themselves what they are need no type.
    #[arg(long, value_name = "D", requires = "shape")]
    dtype: Option<RawType>,
    /// Shape of one row of raw numbers, as in 28,28 or 28x28; the file's length gives the rows.
    #[arg(long, value_name = "A,B", requires = "dtype")]
    shape: Option<RowShape>,
    /// Only these columns.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    columns: Option<Vec<String>>,
}

/// Numbers along each axis of a row.
#[derive(Debug, Clone)]
struct RowShape(Vec<usize>);

impl std::str::FromStr for RowShape {
    type Err = aezip::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let axes = text.split([',', 'x']).map(|axis| axis.trim().parse());
        axes.collect::<Result<Vec<usize>, _>>().map(Self).map_err(|_| {
            aezip::Error::argument("not whole numbers with commas between them, as in 28,28")
        })
    }
}

/// A type of raw numbers.
#[derive(Debug, Clone, Copy)]
struct RawType {
    dtype: DType,
    bfloat16: bool,
}

impl std::str::FromStr for RawType {
    type Err = aezip::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == BFLOAT16 {
            return Ok(Self { dtype: DType::F32, bfloat16: true });
        }
        Ok(Self { dtype: text.parse()?, bfloat16: false })
    }
}

/// The type of raw numbers that come back as another.
const BFLOAT16: &str = "bf16";

impl SourceArgs {
    /// Returns the options, if they agree with each other.
    pub(crate) fn options(self) -> Result<OpenOptions, Failure> {
        let raw = self.dtype.zip(self.shape).map(|(raw, RowShape(row_shape))| RawLayout {
            dtype: raw.dtype,
            bfloat16: raw.bfloat16,
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
        let raw = options(&["--dtype", "f32", "--shape", "4x4"]).unwrap().raw.unwrap();
        assert_eq!(raw.row_shape, [4, 4]);
        let raw = options(&["--dtype", "bf16", "--shape", "4"]).unwrap().raw.unwrap();
        assert!(raw.dtype == DType::F32 && raw.bfloat16);
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
        for shape in ["", "4,", "4;4", "4.5", "-1"] {
            assert!(options(&["--dtype", "f32", &format!("--shape={shape}")]).is_none(), "{shape}");
        }
    }
}
