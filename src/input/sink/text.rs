//! Numbers as text, separated by commas.

use super::encode::{Encode, cannot_write};
use crate::error::{Error, Result};
use crate::matrix::{DType, F16, Schema};
use std::fmt::LowerExp;
use std::io::{self, Write};

pub(super) struct TextEncoder<W> {
    out: W,
    dtype: DType,
    width: usize,
    line: Vec<u8>,
}

impl<W: Write> TextEncoder<W> {
    pub(super) fn new(mut out: W, schema: &Schema) -> Result<Self> {
        let width = schema.width();
        if let Some(names) = &schema.columns {
            if names.len() != width {
                return Err(Error::argument(format!(
                    "{} column names for {width} columns",
                    names.len()
                )));
            }
            let mut builder = csv::WriterBuilder::new();
            // Else a delimiter in a name would be taken for that of the table.
            if names.iter().any(|name| name.contains(['\t', ';'])) {
                builder.quote_style(csv::QuoteStyle::Always);
            }
            let mut writer = builder.from_writer(&mut out);
            writer.write_record(names).map_err(|e| cannot_write(io::Error::other(e)))?;
            writer.flush().map_err(cannot_write)?;
        }
        Ok(Self { out, dtype: schema.dtype, width, line: Vec::new() })
    }
}

impl<W: Write> Encode for TextEncoder<W> {
    fn rows(&mut self, rows: &[u8]) -> Result<()> {
        let size = self.dtype.size();
        for row in rows.chunks_exact(self.width * size) {
            self.line.clear();
            for number in row.chunks_exact(size) {
                print(&mut self.line, self.dtype, number).map_err(cannot_write)?;
                self.line.push(b',');
            }
            self.line.pop();
            if self.line.is_empty() {
                // A lone missing number; an empty line would not be read as a row.
                self.line.extend(b"\"\"");
            }
            self.line.push(b'\n');
            self.out.write_all(&self.line).map_err(cannot_write)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Appends the number that `bytes`, as many as its type has, stand for.
fn print(line: &mut Vec<u8>, dtype: DType, bytes: &[u8]) -> io::Result<()> {
    macro_rules! number {
        ($t:ty) => {
            <$t>::from_le_bytes(bytes.try_into().map_err(io::Error::other)?)
        };
    }
    match dtype {
        // Every half is an f32, and the shortest text of that one gives the half back.
        DType::F16 => print_float(line, F16(number!(u16)).to_f64() as f32),
        DType::F32 => print_float(line, number!(f32)),
        DType::F64 => print_float(line, number!(f64)),
        DType::U8 => write!(line, "{}", number!(u8)),
        DType::I8 => write!(line, "{}", number!(i8)),
        DType::U16 => write!(line, "{}", number!(u16)),
        DType::I16 => write!(line, "{}", number!(i16)),
        DType::U32 => write!(line, "{}", number!(u32)),
        DType::I32 => write!(line, "{}", number!(i32)),
        DType::U64 => write!(line, "{}", number!(u64)),
        DType::I64 => write!(line, "{}", number!(i64)),
    }
}

fn print_float<T: Into<f64> + LowerExp + std::fmt::Display + Copy>(
    line: &mut Vec<u8>,
    value: T,
) -> io::Result<()> {
    let size = value.into().abs();
    match size {
        _ if size.is_nan() => Ok(()),
        // The same digits; written out they would have up to 300 zeros.
        _ if size != 0.0 && size.is_finite() && !(1e-7..1e21).contains(&size) => {
            write!(line, "{value:e}")
        }
        _ => write!(line, "{value}"),
    }
}
