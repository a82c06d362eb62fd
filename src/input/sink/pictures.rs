//! Rows as PNG pictures in a folder.

use super::encode::{Encode, cannot_write};
use crate::error::{Error, Result};
use crate::input::pictures::SUFFIX;
use crate::matrix::{DType, Schema};
use png::{BitDepth, ColorType, EncodingError};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

/// Pictures without names have numbers of so many digits or more.
const LEAST_DIGITS: usize = 6;

pub(super) struct PictureEncoder {
    folder: PathBuf,
    size: [u32; 2],
    color: ColorType,
    depth: BitDepth,
    row_bytes: usize,
    /// The pictures' names where they are known.
    names: Option<Vec<String>>,
    digits: usize,
    /// Pictures written.
    count: usize,
}

impl PictureEncoder {
    /// Begins to write `rows` pictures into `folder`, which is there and empty.
    pub(super) fn new(folder: &Path, schema: &Schema, rows: u64) -> Result<Self> {
        let refused = || {
            Error::argument(format!(
                "png holds pictures, rows of shape [height, width] or [height, width, 1 to 4] and type \
                 u8 or u16, but they have shape {:?} and type {}; write npy instead",
                schema.row_shape, schema.dtype
            ))
        };
        let (height, width, channels) = match schema.row_shape[..] {
            [height, width] => (height, width, 1),
            [height, width, channels] => (height, width, channels),
            _ => return Err(refused()),
        };
        let color = match channels {
            1 => ColorType::Grayscale,
            2 => ColorType::GrayscaleAlpha,
            3 => ColorType::Rgb,
            4 => ColorType::Rgba,
            _ => return Err(refused()),
        };
        let depth = match schema.dtype {
            DType::U8 => BitDepth::Eight,
            DType::U16 => BitDepth::Sixteen,
            _ => return Err(refused()),
        };
        let size = [width, height].map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        Ok(Self {
            folder: folder.to_path_buf(),
            size,
            color,
            depth,
            row_bytes: schema.row_bytes(),
            names: names(schema, rows),
            digits: rows.saturating_sub(1).to_string().len().max(LEAST_DIGITS),
            count: 0,
        })
    }

    /// Returns the name of the next picture.
    fn name(&self) -> String {
        let known = self.names.as_ref().and_then(|names| names.get(self.count));
        let (count, digits) = (self.count, self.digits);
        known.cloned().unwrap_or_else(|| format!("{count:0digits$}{SUFFIX}"))
    }
}

/// Returns the names that `rows` pictures had, if all of them can be names here: they come from the
/// file, perhaps a stranger's, and must not lead elsewhere.
fn names(schema: &Schema, rows: u64) -> Option<Vec<String>> {
    let origin = schema.origin.as_ref().filter(|origin| origin.format == "png")?;
    let names: Vec<&str> = origin.part.as_ref()?.split('\n').collect();
    let is_safe = |name: &&str| {
        let lower = name.to_ascii_lowercase();
        lower.ends_with(SUFFIX)
            && !name.starts_with('.')
            && !name.contains(['/', '\\', ':'])
            && !name.chars().any(char::is_control)
    };
    let different: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
    let all = names.len() as u64 == rows && different.len() == names.len();
    (all && names.iter().all(is_safe)).then(|| names.into_iter().map(str::to_string).collect())
}

impl Encode for PictureEncoder {
    fn rows(&mut self, rows: &[u8]) -> Result<()> {
        for row in rows.chunks_exact(self.row_bytes) {
            let file = File::create_new(self.folder.join(self.name())).map_err(cannot_write)?;
            let [width, height] = self.size;
            let mut encoder = png::Encoder::new(BufWriter::new(file), width, height);
            encoder.set_color(self.color);
            encoder.set_depth(self.depth);
            let mut writer = encoder.write_header().map_err(failed)?;
            if self.depth == BitDepth::Sixteen {
                let mut row = row.to_vec();
                row.as_chunks_mut::<2>().0.iter_mut().for_each(|e| e.reverse());
                writer.write_image_data(&row).map_err(failed)?;
            } else {
                writer.write_image_data(row).map_err(failed)?;
            }
            writer.finish().map_err(failed)?;
            self.count += 1;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn failed(error: EncodingError) -> Error {
    match error {
        EncodingError::IoError(error) => cannot_write(error),
        other => Error::argument(format!("the picture cannot be written: {other}")),
    }
}
