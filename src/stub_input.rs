//! Stand-in for the input module: enough of it for the program's tests.
use crate::{DType, Error, Matrix, Result, Rows, Schema};
use std::io::Read;
use std::path::Path;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    Npy,
    Csv,
    Idx,
    Fvecs,
    Bvecs,
    Ivecs,
    Raw,
}

impl Format {
    pub const ALL: [Format; 7] = [
        Format::Npy,
        Format::Csv,
        Format::Idx,
        Format::Fvecs,
        Format::Bvecs,
        Format::Ivecs,
        Format::Raw,
    ];
    pub fn name(self) -> &'static str {
        ["npy", "csv", "idx", "fvecs", "bvecs", "ivecs", "raw"][self as usize]
    }
    pub fn from_extension(path: impl AsRef<Path>) -> Option<Self> {
        let extension = path.as_ref().extension()?.to_str()?;
        match extension {
            "bin" => Some(Format::Raw),
            _ => extension.parse().ok(),
        }
    }
}

impl std::str::FromStr for Format {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|f| f.name() == s)
            .ok_or_else(|| Error::argument(format!("unknown format {s:?}")))
    }
}

#[derive(Debug, Clone)]
pub struct RawLayout {
    pub dtype: DType,
    pub rows: Option<u64>,
    pub row_shape: Vec<usize>,
}

#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    pub raw: Option<RawLayout>,
    pub columns: Option<Vec<String>>,
    pub format: Option<Format>,
}

pub fn open(path: impl AsRef<Path>, options: &OpenOptions) -> Result<Box<dyn Rows>> {
    let bytes = std::fs::read(&path).map_err(|e| Error::io("cannot read", e))?;
    let name = path.as_ref().file_name().unwrap_or_default().to_string_lossy().into_owned();
    parse(bytes, name, Format::from_extension(&path), options)
}

pub fn open_reader(
    reader: &mut dyn Read,
    name: &str,
    options: &OpenOptions,
) -> Result<Box<dyn Rows>> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    parse(bytes, name.to_string(), None, options)
}

fn parse(
    b: Vec<u8>,
    name: String,
    by_name: Option<Format>,
    o: &OpenOptions,
) -> Result<Box<dyn Rows>> {
    let is_npy = b.starts_with(b"\x93NUMPY");
    let format = o.format.or(o.raw.as_ref().map(|_| Format::Raw)).or(is_npy.then_some(Format::Npy));
    let mut schema;
    let bytes;
    match format.or(by_name) {
        Some(Format::Npy) => {
            if !is_npy || b.len() < 128 {
                return Err(Error::truncated("not an npy file"));
            }
            let end = 10 + usize::from(b[8]) + 256 * usize::from(b[9]);
            let head = String::from_utf8_lossy(&b[10..end]).into_owned();
            let dtype = if head.contains("f4") {
                DType::F32
            } else if head.contains("f8") {
                DType::F64
            } else {
                DType::U8
            };
            let shape = &head[head.find("(").unwrap_or(0) + 1..head.find(")").unwrap_or(0)];
            let shape: Vec<usize> =
                shape.split(',').filter_map(|s| s.trim().parse().ok()).collect();
            schema = Schema::new(dtype, &shape[1..]);
            bytes = b[end..].to_vec();
            if bytes.len() != shape.iter().product::<usize>() * dtype.size() {
                return Err(Error::truncated("npy file too short"));
            }
        }
        Some(Format::Csv) => {
            let text = String::from_utf8_lossy(&b).into_owned();
            let mut lines = text.lines();
            let names: Vec<String> =
                lines.next().unwrap_or("").split(',').map(Into::into).collect();
            let keep: Vec<usize> = (0..names.len())
                .filter(|&i| o.columns.as_ref().is_none_or(|c| c.contains(&names[i])))
                .collect();
            schema = Schema::new(DType::F64, &[keep.len()]);
            schema.columns = Some(keep.iter().map(|&i| names[i].clone()).collect());
            let mut out = Vec::new();
            for line in lines {
                let cells: Vec<f64> = line.split(',').filter_map(|c| c.parse().ok()).collect();
                keep.iter().for_each(|&i| out.extend(cells[i].to_le_bytes()));
            }
            bytes = out;
        }
        Some(Format::Raw) => {
            let raw = o.raw.as_ref().ok_or_else(|| Error::argument("needs type and shape"))?;
            schema = Schema::new(raw.dtype, &raw.row_shape);
            bytes = b;
        }
        _ => return Err(Error::argument("cannot tell the format")),
    }
    schema.name = name;
    Ok(Box::new(Matrix::new(schema, bytes)?))
}

pub mod sink {
    use super::Format;
    use crate::{DType, Result, Schema};
    use std::io::Write;
    pub trait RowSink {
        fn write(&mut self, rows: &[u8]) -> Result<()>;
        fn finish(self: Box<Self>) -> Result<()>;
    }

    struct Plain<'a> {
        to: Box<dyn Write + 'a>,
        csv: Option<(DType, usize)>,
    }

    impl RowSink for Plain<'_> {
        fn write(&mut self, rows: &[u8]) -> Result<()> {
            let Some((dtype, row)) = self.csv else { return Ok(self.to.write_all(rows)?) };
            for row in rows.chunks(row) {
                let cells: Vec<_> = row
                    .chunks(dtype.size())
                    .map(|c| match dtype {
                        DType::F64 => {
                            f64::from_le_bytes(c.try_into().unwrap_or_default()).to_string()
                        }
                        _ => c[0].to_string(),
                    })
                    .collect();
                writeln!(self.to, "{}", cells.join(","))?;
            }
            Ok(())
        }
        fn finish(mut self: Box<Self>) -> Result<()> {
            Ok(self.to.flush()?)
        }
    }

    pub fn create_sink<'a>(
        format: Format,
        schema: &Schema,
        rows: u64,
        mut to: Box<dyn Write + 'a>,
    ) -> Result<Box<dyn RowSink + 'a>> {
        let mut csv = None;
        match format {
            Format::Npy => {
                let descr = match schema.dtype {
                    DType::F32 => "<f4",
                    DType::F64 => "<f8",
                    _ => "|u1",
                };
                let mut shape = vec![rows.to_string()];
                shape.extend(schema.row_shape.iter().map(ToString::to_string));
                let shape = shape.join(", ");
                let head =
                    format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
                let head = format!("{head:<117}\n");
                to.write_all(b"\x93NUMPY\x01\x00\x76\x00")?;
                to.write_all(head.as_bytes())?;
            }
            Format::Csv => {
                if let Some(names) = &schema.columns {
                    writeln!(to, "{}", names.join(","))?;
                }
                csv = Some((schema.dtype, schema.row_bytes()));
            }
            _ => {}
        }
        Ok(Box::new(Plain { to, csv }))
    }
}
