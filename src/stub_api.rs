//! Stand-in for the codec: a "format" that stores the rows as they are.
use crate::{DType, Error, F16, Fidelity, Result, Rows, Schema};
use std::io::{Read, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

pub struct Config {
    pub fidelity: Fidelity,
    pub level: u8,
    pub threads: usize,
    pub seed: u64,
    pub progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

impl Default for Config {
    fn default() -> Self {
        Self { fidelity: Fidelity::Lossless, level: 5, threads: 0, seed: 0, progress: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Scan,
    Fit,
    Encode,
}

#[derive(Debug, Clone, Copy)]
pub struct Progress {
    pub stage: Stage,
    pub done: u64,
    pub total: u64,
}

#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Info {
    pub version: u16,
    pub rows: u64,
    pub file_bytes: u64,
    pub model_bytes: u64,
    pub blocks: u64,
    pub latents: usize,
    pub hidden: Vec<usize>,
    pub classes: usize,
    pub fidelity: Option<Fidelity>,
}

#[derive(Debug, Clone)]
pub struct Quality {
    pub max_error: f64,
    pub nmse: f64,
    pub psnr: f64,
    pub cosine: f64,
    pub mismatched_specials: u64,
}

#[derive(Debug, Clone)]
pub struct Report {
    pub rows: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub model_bytes: u64,
    pub promised: Fidelity,
    pub measured: Quality,
    pub latents: usize,
    pub classes: usize,
}

const PERFECT: Quality =
    Quality { max_error: 0.0, nmse: 0.0, psnr: f64::INFINITY, cosine: 1.0, mismatched_specials: 0 };

fn put(
    schema: &Schema,
    rows: &[u8],
    fidelity: Option<&Fidelity>,
    to: &mut dyn Write,
) -> Result<u64> {
    let head = serde_json::json!({
        "dtype": schema.dtype.name(), "shape": schema.row_shape, "columns": schema.columns,
        "name": schema.name, "fidelity": fidelity.map(|f| (f.name(), f.text())),
    })
    .to_string();
    let crc = crc32fast::hash(rows);
    to.write_all(b"AEZS")?;
    to.write_all(&(head.len() as u32).to_le_bytes())?;
    to.write_all(head.as_bytes())?;
    for piece in rows.chunks(1 << 16) {
        to.write_all(piece)?;
        if rows.len() > 1 << 24 {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
    to.write_all(&crc.to_le_bytes())?;
    Ok(12 + head.len() as u64 + rows.len() as u64)
}

pub fn compress(rows: &dyn Rows, config: &Config, to: &mut dyn Write) -> Result<Report> {
    let mut bytes = vec![0; rows.len() * rows.schema().row_bytes()];
    rows.read(0, &mut bytes)?;
    if let Fidelity::MaxErrorColumns(list) = &config.fidelity
        && let names = rows.schema().columns.clone().unwrap_or_default()
        && list.iter().any(|(n, _)| n != "*" && !names.contains(n))
    {
        return Err(Error::argument("no such column"));
    }
    if let Some(f) = &config.progress {
        f(Progress { stage: Stage::Encode, done: 1, total: 2 });
    }
    let bytes_out = put(rows.schema(), &bytes, Some(&config.fidelity), to)?;
    Ok(Report {
        rows: rows.len() as u64,
        bytes_in: bytes.len() as u64,
        bytes_out,
        model_bytes: 0,
        promised: config.fidelity.clone(),
        measured: PERFECT,
        latents: 0,
        classes: 1,
    })
}

pub struct Codec(Schema);

impl Codec {
    pub fn fit(rows: &dyn Rows, _: &Config) -> Result<Self> {
        Ok(Self(rows.schema().clone()))
    }
    pub fn write(&self, to: &mut dyn Write) -> Result<()> {
        put(&self.0, &[], None, to).map(drop)
    }
    pub fn read(bytes: &[u8]) -> Result<Self> {
        Ok(Self(Reader::parse(bytes.to_vec())?.schema))
    }
    pub fn compress(&self, rows: &dyn Rows, config: &Config, to: &mut dyn Write) -> Result<Report> {
        if rows.schema().width() != self.0.width() {
            return Err(Error::argument("the codec is for other rows"));
        }
        compress(rows, config, to)
    }
}

pub trait Source: Send + Sync {}
pub struct FileSource;
impl Source for FileSource {}

pub struct Reader<S: Source> {
    schema: Schema,
    fidelity: Option<Fidelity>,
    bytes: Vec<u8>,
    crc: u32,
    len: u64,
    _source: std::marker::PhantomData<S>,
}

impl Reader<FileSource> {
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|mut f| f.read_to_end(&mut bytes))
            .map_err(|e| Error::io("cannot open the file", e))?;
        Self::parse(bytes)
    }

    fn parse(bytes: Vec<u8>) -> Result<Self> {
        let bad = || Error::corrupt("not an aez file");
        if bytes.len() < 12 {
            return Err(Error::truncated("too short"));
        }
        if &bytes[..4] != b"AEZS" {
            return Err(bad());
        }
        let end = 8 + u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as usize;
        let head: serde_json::Value =
            serde_json::from_slice(bytes.get(8..end).ok_or_else(bad)?).map_err(|_| bad())?;
        let dtype: DType = head["dtype"].as_str().ok_or_else(bad)?.parse()?;
        let shape: Vec<usize> = serde_json::from_value(head["shape"].clone()).map_err(|_| bad())?;
        let mut schema = Schema::new(dtype, &shape);
        schema.name = head["name"].as_str().unwrap_or("").into();
        schema.columns = serde_json::from_value(head["columns"].clone()).map_err(|_| bad())?;
        let fidelity = match head["fidelity"].as_array() {
            Some(f) => {
                Some(Fidelity::parse(f[0].as_str().unwrap_or(""), f[1].as_str().unwrap_or(""))?)
            }
            None => None,
        };
        let tail = bytes.len() - 4;
        let crc =
            u32::from_le_bytes([bytes[tail], bytes[tail + 1], bytes[tail + 2], bytes[tail + 3]]);
        if bytes.get(end..tail).map(crc32fast::hash) != Some(crc) {
            return Err(Error::corrupt("checksum of the rows"));
        }
        Ok(Self {
            fidelity,
            crc,
            len: bytes.len() as u64,
            bytes: bytes[end..tail].to_vec(),
            schema,
            _source: std::marker::PhantomData,
        })
    }
}

impl<S: Source> Reader<S> {
    pub fn rows(&self) -> usize {
        self.bytes.len() / self.schema.row_bytes()
    }
    pub fn schema(&self) -> &Schema {
        &self.schema
    }
    pub fn info(&self) -> Info {
        Info {
            version: 0,
            rows: self.rows() as u64,
            file_bytes: self.len,
            model_bytes: 0,
            blocks: 1,
            latents: 0,
            hidden: vec![],
            classes: 1,
            fidelity: self.fidelity.clone(),
        }
    }
    pub fn read_bytes(&self, first_row: usize, out: &mut [u8]) -> Result<()> {
        if crc32fast::hash(&self.bytes) != self.crc {
            return Err(Error::corrupt("checksum of the rows"));
        }
        let start = first_row * self.schema.row_bytes();
        let from = self.bytes.get(start..start + out.len());
        out.copy_from_slice(from.ok_or_else(|| Error::argument("rows past the end"))?);
        Ok(())
    }
    pub fn latents(&self, _: Range<usize>) -> Result<Vec<i32>> {
        Ok(vec![])
    }
    pub fn verify(&self) -> Result<()> {
        self.read_bytes(0, &mut [])
    }
}

impl<S: Source> Rows for Reader<S> {
    fn schema(&self) -> &Schema {
        &self.schema
    }
    fn len(&self) -> usize {
        self.rows()
    }
    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        self.read_bytes(first, out)
    }
}

pub struct PromiseCheck {
    pub held: bool,
    pub detail: String,
    pub quality: Quality,
}

pub fn check_promise<S: Source>(
    original: &dyn Rows,
    reader: &Reader<S>,
    fidelity: &Fidelity,
) -> Result<PromiseCheck> {
    let mut bytes = vec![0; reader.bytes.len()];
    original.read(0, &mut bytes)?;
    let dtype = reader.schema.dtype;
    let number = |b: &[u8]| match dtype {
        DType::F64 => f64::from_le_bytes(b.try_into().unwrap_or_default()),
        DType::F32 => f64::from(f32::from_le_bytes(b.try_into().unwrap_or_default())),
        DType::F16 => F16(u16::from_le_bytes(b.try_into().unwrap_or_default())).to_f64(),
        _ => f64::from(b[0]),
    };
    let pairs = bytes.chunks(dtype.size()).zip(reader.bytes.chunks(dtype.size()));
    let worst = pairs.fold(0.0, |w: f64, (a, b)| w.max((number(a) - number(b)).abs()));
    let quality = Quality { max_error: worst, ..PERFECT };
    Ok(PromiseCheck { held: worst == 0.0, detail: format!("{fidelity}, worst {worst}"), quality })
}
