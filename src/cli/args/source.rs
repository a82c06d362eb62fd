//! How to understand the input.

use crate::cli::io::failure::Failure;
use aezip::DType;
use aezip::input::{Format, Notes, OpenOptions, RawLayout, Rounding, TextOptions};

/// How to understand the input.
#[derive(clap::Args, Default)]
#[command(next_help_heading = "Input")]
pub(crate) struct SourceArgs {
    /// Format of the input, where its name and contents do not tell: npy, npz, csv,
    /// safetensors, idx, fvecs, bvecs, ivecs, fbin, u8bin, i8bin or raw. Files packed by gzip or zstd are
    /// read as what is packed in them, and folders as PNG pictures of one size.
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// The array of an .npz or the tensor of a .safetensors file, by its name, where there are several.
    #[arg(long, value_name = "NAME")]
    array: Option<String>,
    /// Raw numbers of type D: f16, f32, f64, u8, i8, u16, i16, u32, i32, u64, i64, or bf16, which
    /// is read as f32. Files that say themselves what they are need no type.
    #[arg(long, value_name = "D", requires = "shape")]
    dtype: Option<RawType>,
    /// Shape of one row of raw numbers, as in 28,28 or 28x28; the file's length gives the rows. To
    /// compress, and without --dtype: how the values of the whole array lie, as in 145x145x200,
    /// where the file's own shape does not say it; they come back in the file's.
    #[arg(long, value_name = "A,B")]
    shape: Option<Shape>,
    /// Only these columns, by their names or their numbers from 0; a comma in a name has a backslash
    /// before it.
    #[arg(long, value_name = "A,B")]
    columns: Option<Vec<ColumnNames>>,
    /// Whether the first line of a table of text has the names of its columns, where that is not
    /// plain.
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    header: Option<bool>,
    /// Leave out the first N lines of a table of text.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    skip: u64,
    /// What stands between the fields of a table of text: a character, tab or blank (any run of
    /// blanks).
    #[arg(long, value_name = "CHAR", value_parser = character)]
    delimiter: Option<u8>,
    /// What stands before the fractions of a table of text: . or ,
    #[arg(long, value_name = "CHAR", value_parser = character)]
    decimal: Option<u8>,
    /// What stands between the thousands in a table of text: , . ' _ or blank.
    #[arg(long, value_name = "CHAR", value_parser = character)]
    thousands: Option<u8>,
}

/// Names of columns, with commas between them; a comma or backslash within one has a backslash
/// before it.
#[derive(Debug, Clone)]
struct ColumnNames(Vec<String>);

impl std::str::FromStr for ColumnNames {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut names = vec![String::new()];
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let escaped = chars.next_if(|next| c == '\\' && ['\\', ','].contains(next));
            match (escaped, names.last_mut()) {
                (None, _) if c == ',' => names.push(String::new()),
                (_, Some(name)) => name.push(escaped.unwrap_or(c)),
                (_, None) => {}
            }
        }
        Ok(Self(names))
    }
}

fn yes_or_no(text: &str) -> Result<bool, &'static str> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("yes or no"),
    }
}

fn character(text: &str) -> Result<u8, &'static str> {
    match text {
        "tab" | "\\t" => Ok(b'\t'),
        "blank" | "space" => Ok(b' '),
        _ => match *text.as_bytes() {
            [byte] => Ok(byte),
            _ => Err("one character, tab or blank"),
        },
    }
}

/// Numbers along each axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape(pub(crate) Vec<usize>);

impl std::str::FromStr for Shape {
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
    /// Takes the shape of an array out that says itself which numbers it holds.
    pub(crate) fn take_array_shape(&mut self) -> Option<Vec<usize>> {
        let shape = if self.dtype.is_none() { self.shape.take() } else { None };
        shape.map(|Shape(shape)| shape)
    }

    /// Returns the options, if they agree with each other.
    pub(crate) fn options(self) -> Result<OpenOptions, Failure> {
        if self.dtype.is_none() && self.shape.is_some() {
            return Err(Failure::usage("--shape is for raw numbers here, and needs --dtype"));
        }
        let raw = self.dtype.zip(self.shape).map(|(raw, Shape(row_shape))| RawLayout {
            dtype: raw.dtype,
            bfloat16: raw.bfloat16,
            rows: None,
            row_shape,
        });
        let text = TextOptions {
            header: self.header,
            skip: self.skip,
            delimiter: self.delimiter,
            decimal_mark: self.decimal,
            thousands: self.thousands,
        };
        match (&raw, self.format) {
            (None, Some(Format::Raw)) => {
                Err(Failure::usage("--format raw needs --dtype and --shape"))
            }
            (Some(_), Some(format)) if format != Format::Raw => Err(Failure::usage(format!(
                "--dtype and --shape are for raw numbers, not for --format {}",
                format.name()
            ))),
            _ => Ok(OpenOptions {
                raw,
                columns: self.columns.map(|lists| lists.into_iter().flat_map(|l| l.0).collect()),
                array: self.array,
                keep_text: false,
                format: self.format,
                text,
                rounding: Rounding::default(),
                notes: Notes::default(),
            }),
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
        let columns = options(&["--columns", r"a\,b,c\\,d\e", "--columns", "f"]).unwrap().columns;
        assert_eq!(columns.unwrap(), ["a,b", r"c\", r"d\e", "f"]);
        let text =
            options(&["--header", "no", "--delimiter", "tab", "--decimal", ","]).unwrap().text;
        assert_eq!((text.header, text.delimiter), (Some(false), Some(b'\t')));
        assert_eq!((text.decimal_mark, text.skip), (Some(b','), 0));
        assert!(
            options(&["--header", "maybe"]).is_none() && options(&["--decimal", "ab"]).is_none()
        );
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
