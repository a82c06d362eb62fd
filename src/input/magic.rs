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
