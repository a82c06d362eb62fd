//! A folder of PNG pictures of one size: each is a row.

use super::array::{ArrayRows, Layout, MAX_ROW_BYTES, Order};
use super::options::OpenOptions;
use super::source::Spool;
use crate::error::{Error, Result};
use crate::matrix::{DType, Origin};
use png::{BitDepth, ColorType, DecodingError, Transformations};
use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

/// What the names of pictures end with.
pub(super) const SUFFIX: &str = ".png";
/// A packed byte stands for at most so many bytes of a picture: deflate cannot do more.
const MOST_RATIO: u64 = 1100;
/// What a picture may take beside that, however short its file is.
const LEAST_BYTES: u64 = 1 << 16;

/// What a picture is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    width: u32,
    height: u32,
    color: ColorType,
    depth: BitDepth,
}

impl Kind {
    /// Returns what rows of such pictures are: lines of pixels, and of channels where there are several.
    fn layout(self, count: u64) -> Layout {
        let mut shape = vec![count, u64::from(self.height), u64::from(self.width)];
        if self.color.samples() > 1 {
            shape.push(self.color.samples() as u64);
        }
        let dtype = if self.depth == BitDepth::Sixteen { DType::U16 } else { DType::U8 };
        Layout { dtype, big_endian: true, bfloat16: false, order: Order::C, shape }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let color = match self.color {
            ColorType::Grayscale => "grey",
            ColorType::GrayscaleAlpha => "grey and alpha",
            ColorType::Rgb => "RGB",
            ColorType::Rgba => "RGBA",
            ColorType::Indexed => "of a palette",
        };
        let Kind { width, height, depth, .. } = self;
        write!(f, "{width} × {height}, {color}, {} bits", *depth as u8)
    }
}

/// Opens the pictures in `folder`, in the order of their names.
pub(super) fn open(folder: &Path, name: &str, options: &OpenOptions) -> Result<ArrayRows> {
    let (files, others) = files(folder)?;
    let Some(first) = files.first() else {
        return Err(Error::argument(format!(
            "the folder holds no pictures, whose names end in {SUFFIX}"
        )));
    };
    if others > 0 {
        let are =
            if others == 1 { "1 other file is" } else { &format!("{others} other files are") };
        options.notes.extend(vec![format!("{are} left out, whose names do not end in {SUFFIX}")]);
    }
    let mut spool = Spool::new();
    let (mut kind, mut bytes) = (None, Vec::new());
    for file in &files {
        let own = read(&folder.join(file), &mut bytes).map_err(|e| e.about(file))?;
        let expected = *kind.get_or_insert(own);
        if own != expected {
            return Err(Error::argument(format!(
                "{file} is {own}, but {first} is {expected}; all must be of one size and kind: \
                 convert some, or compress them in folders of their own"
            )));
        }
        spool.write(&bytes)?;
    }
    let layout = kind.map(|kind| kind.layout(files.len() as u64));
    let layout = layout.ok_or_else(|| Error::argument("the folder holds no pictures"))?;
    let origin = Origin::new("png").with_part(files.join("\n"));
    Ok(ArrayRows::new(spool.finish()?, name, &layout, 0)?.with_origin(Some(origin)))
}

/// Returns the names of pictures in order, and how many other files there are.
fn files(folder: &Path) -> Result<(Vec<String>, usize)> {
    let unreadable = |e| Error::io(format!("cannot list {}", folder.display()), e);
    let (mut names, mut others) = (Vec::new(), 0);
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        // What is hidden was not put there as a picture.
        let shown = name.to_string_lossy();
        if shown.starts_with('.') {
            continue;
        }
        if !shown.to_ascii_lowercase().ends_with(SUFFIX) {
            others += 1;
            continue;
        }
        match name.into_string() {
            Ok(name) if !name.contains('\n') => names.push(name),
            Ok(name) => return Err(unnamed(&name)),
            Err(name) => return Err(unnamed(&name.to_string_lossy())),
        }
    }
    names.sort_unstable();
    Ok((names, others))
}

fn unnamed(name: &str) -> Error {
    Error::argument(format!("the name {name:?} is no line of text in UTF-8; rename the picture"))
}

/// Reads a picture's pixels into `bytes`, as whole bytes and without a palette.
fn read(path: &Path, bytes: &mut Vec<u8>) -> Result<Kind> {
    let unreadable = |e| Error::io("cannot open the picture", e);
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let mut decoder = png::Decoder::new(BufReader::new(file));
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(fault)?;
    let (color, depth) = reader.output_color_type();
    let most = length.saturating_mul(MOST_RATIO).saturating_add(LEAST_BYTES).min(MAX_ROW_BYTES);
    let size =
        reader.output_buffer_size().filter(|&size| size as u64 <= most).ok_or_else(|| {
            Error::limit(format!("the picture says that it is larger than {length} bytes can hold"))
        })?;
    bytes.clear();
    bytes.resize(size, 0);
    reader.next_frame(bytes).map_err(fault)?;
    // Its checksum stands behind the pixels.
    reader.finish().map_err(fault)?;
    let info = reader.info();
    Ok(Kind { width: info.width, height: info.height, color, depth })
}

fn fault(error: DecodingError) -> Error {
    match error {
        DecodingError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            Error::truncated("the picture ends too early; fetch it again")
        }
        DecodingError::IoError(e) => Error::io("cannot read the picture", e),
        DecodingError::LimitsExceeded => Error::limit("the picture would take too much memory"),
        other => Error::corrupt(format!("no PNG picture that can be read: {other}")),
    }
}
