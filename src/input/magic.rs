//! The first bytes that formats are known by.

use crate::matrix::DType;

/// First bytes of an `.npy` file.
pub(super) const NPY: &[u8] = b"\x93NUMPY";
/// First bytes of a gzip file.
pub(super) const GZIP: &[u8] = &[0x1f, 0x8b];
/// First bytes of a zstd file.
pub(super) const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// First bytes of a zip archive, as `.npz` is one.
pub(super) const ZIP: &[u8] = b"PK\x03\x04";
/// First bytes of a zip archive that holds nothing.
pub(super) const EMPTY_ZIP: &[u8] = b"PK\x05\x06";

/// First bytes of what this library writes.
pub(super) const AEZ: &[u8] = b"\x89AEZ\r\n\x1a\n";

/// First bytes of files that are read with the Python package, or not one by one.
const ELSEWHERE: [(&[u8], &str); 5] = [
    (
        b"PAR1",
        "this is a Parquet file; compress it with the Python package: aezip.compress(\"x.parquet\")",
    ),
    (
        b"ARROW1",
        "this is an Arrow file; compress it with the Python package: aezip.compress(\"x.arrow\")",
    ),
    (
        b"\x89HDF",
        "this is an HDF5 file; compress an array of it in Python: aezip.compress(h5py.File(\"x.h5\")[\"name\"], \"x.aez\")",
    ),
    (
        b"CDF",
        "this is a netCDF file; compress an array of it in Python: aezip.compress(xarray.open_dataset(\"x.nc\")[\"name\"].values, \"x.aez\")",
    ),
    (b"\x89PNG", "this is one picture; give the folder that holds pictures of one size"),
];

/// Returns what to do with a file that starts with `head`, if it is read elsewhere.
pub(super) fn elsewhere(head: &[u8]) -> Option<&'static str> {
    let found = ELSEWHERE.iter().find(|(magic, _)| head.starts_with(magic));
    // Columns may be called PAR1.
    found.filter(|_| !is_text(head)).map(|(_, what)| *what)
}

/// Codes of the types in the third byte of an idx file.
pub(super) const IDX_TYPES: [(u8, DType); 6] = [
    (0x08, DType::U8),
    (0x09, DType::I8),
    (0x0b, DType::I16),
    (0x0c, DType::I32),
    (0x0d, DType::F32),
    (0x0e, DType::F64),
];

/// Says whether a file that starts with `head` may be an idx file.
pub(super) fn is_idx(head: &[u8]) -> bool {
    matches!(head, [0, 0, code, axes, ..]
        if *axes > 0 && IDX_TYPES.iter().any(|(known, _)| known == code))
}

/// The longest header of JSON that is read: those of the largest models have a few megabytes.
pub(super) const MOST_JSON: u64 = 1 << 24;

/// Says whether a file that starts with `head` may be one of tensors: a length, then JSON.
pub(super) fn is_safetensors(head: &[u8]) -> bool {
    head.split_first_chunk::<8>().is_some_and(|(length, rest)| {
        (2..=MOST_JSON).contains(&u64::from_le_bytes(*length)) && rest.starts_with(b"{\"")
    })
}

/// Says whether a file that starts with `head` looks like text.
pub(super) fn is_text(head: &[u8]) -> bool {
    !head.is_empty() && head.iter().all(|&b| b >= b' ' || b"\t\r\n".contains(&b))
}

/// Bytes that UTF-16 without its mark is known by.
pub(super) const UTF16_LOOK: usize = 512;

/// Says whether a text that begins with `head` is UTF-16.
pub(super) fn is_utf16(head: &[u8]) -> bool {
    byte_order(head).is_some()
}

/// Makes a unit of two bytes.
pub(super) type Unit = fn([u8; 2]) -> u16;

/// Returns the order of bytes of UTF-16, and how many bytes of `head` are its mark.
pub(super) fn byte_order(head: &[u8]) -> Option<(Unit, usize)> {
    let little: Unit = u16::from_le_bytes;
    match head {
        [0xff, 0xfe, ..] => return Some((little, 2)),
        [0xfe, 0xff, ..] => return Some((u16::from_be_bytes, 2)),
        _ => {}
    }
    // Numbers and delimiters are ASCII: every other byte is 0, and no other.
    let head = &head[..head.len().min(UTF16_LOOK)];
    let ascii = |b: &u8| b"\t\r\n".contains(b) || (b' '..0x7f).contains(b);
    let (pairs, _) = head.as_chunks::<2>();
    if pairs.len() < 2 {
        return None;
    }
    if pairs.iter().all(|[a, b]| ascii(a) && *b == 0) {
        return Some((little, 0));
    }
    let big = pairs.iter().all(|[a, b]| ascii(b) && *a == 0);
    big.then_some((u16::from_be_bytes as Unit, 0))
}
