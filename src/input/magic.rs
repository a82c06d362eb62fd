//! The first bytes that formats are known by.

use crate::matrix::DType;

/// First bytes of an `.npy` file.
pub(super) const NPY: &[u8] = b"\x93NUMPY";
/// First bytes of a gzip file.
pub(super) const GZIP: &[u8] = &[0x1f, 0x8b];
/// First bytes of a zip archive, as `.npz` is one.
pub(super) const ZIP: &[u8] = b"PK\x03\x04";

/// First bytes of what this library writes.
pub(super) const AEZ: &[u8] = b"\x89AEZ\r\n\x1a\n";

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

/// Says whether a file that starts with `head` looks like text.
pub(super) fn is_text(head: &[u8]) -> bool {
    !head.is_empty() && head.iter().all(|&b| b >= b' ' || b"\t\r\n".contains(&b))
}
