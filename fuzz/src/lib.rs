//! What the fuzz targets share: files whose frame is put right after a mutation, and a reader
//! that looks at all of a file.

use aezip::{Limits, Reader, ReaderOptions};

const HEADER: usize = 20;
const FOOTER: usize = 36;
/// Bytes of a section around its payload: tag and length before, checksum behind.
const FRAME: usize = 16;
const ENTRY: usize = 6;
/// The sections that the format names, but for the last one.
const TAGS: [&[u8; 4]; 7] = [b"HEAD", b"TILE", b"cols", b"MODL", b"enco", b"task", b"DATA"];

/// Small limits and a small cache, so that no input takes long and both ways of reading a row
/// are reached.
pub fn options() -> ReaderOptions {
    let mut limits = Limits::default();
    limits.model_bytes = 1 << 20;
    limits.block_bytes = 1 << 18;
    limits.index_bytes = 1 << 16;
    ReaderOptions::new(limits, 1 << 14)
}

/// Everything that can be asked of a file; errors are fine, panics are not.
pub fn look_at_all(bytes: &[u8]) {
    let Ok(reader) = Reader::new_with(bytes, options()) else { return };
    let _ = reader.info();
    let rows = reader.rows();
    let row_bytes = reader.schema().row_bytes();
    if rows.saturating_mul(row_bytes) <= 1 << 20 {
        let _ = reader.verify();
    }
    let coded = reader.coded_rows();
    for i in [0, coded / 2, coded.wrapping_sub(1), coded] {
        let _ = reader.latents(i..i.saturating_add(1));
    }
    // The last corner, a few values long in each direction.
    let corner: Vec<_> = reader.shape().iter().map(|&n| n.saturating_sub(2)..n).collect();
    let values: usize = corner.iter().map(|range| range.len()).product();
    if values <= 1 << 12 {
        let _ = reader.read_region_bytes(&corner, &mut vec![0; values * reader.dtype().size()]);
    }
    // A row of an array may be far larger than its tiles.
    if row_bytes > 1 << 24 {
        return;
    }
    let mut row = vec![0; row_bytes];
    for i in [0, rows / 2, rows.wrapping_sub(1), rows] {
        let _ = reader.read_bytes(i, &mut row);
    }
}

/// Puts the frame of a mutated file right: section lengths, index, footer, every checksum.
///
/// Sections are found by their tags, so bytes may have come or gone anywhere; sections that are
/// optional and unknown are kept too. What remains wrong is what is inside: promise, names, model,
/// encoder, task, tables, blocks. `None` if there is no frame to be found.
pub fn repair(bytes: &[u8]) -> Option<Vec<u8>> {
    let footer = bytes.len().checked_sub(FOOTER)?;
    let index = find_last(bytes.get(..footer)?, b"INDX")?;
    let mut out = bytes.get(..HEADER)?.to_vec();
    seal_last(&mut out, 0);

    let mut at = HEADER;
    while let Some(tag) = tag_at(bytes, at) {
        let end = if tag == b"DATA" { at + FRAME } else { section_end(bytes, at, index)? };
        section(&mut out, tag, bytes.get(at + 12..end - 4)?);
        at = end;
        if tag == b"DATA" {
            break;
        }
    }

    let blocks = bytes.get(at..index)?;
    let mut entries = bytes.get(index + 12..footer.saturating_sub(4))?.to_vec();
    entries.truncate(entries.len() / ENTRY * ENTRY);
    let rows = lay_blocks(&mut out, blocks, &mut entries);
    let index = out.len() as u64;
    section(&mut out, b"INDX", &entries);
    let start = out.len();
    let length = (start + FOOTER) as u64;
    for number in [index, rows, length] {
        out.extend(number.to_le_bytes());
    }
    out.extend(b"\nAEZend\n");
    out.extend([0; 4]);
    seal_last(&mut out, start);
    Some(out)
}

/// The tag of a section that may be kept at `at`: a known one, or an optional one, whose first
/// letter is a small one.
fn tag_at(bytes: &[u8], at: usize) -> Option<&[u8; 4]> {
    let tag = bytes.get(at..)?.first_chunk::<4>()?;
    (TAGS.contains(&tag) || tag[0].is_ascii_lowercase()).then_some(tag)
}

/// Where the section at `at` ends: where it says, if a section begins there, or else before the
/// next tag that is known.
fn section_end(bytes: &[u8], at: usize, index: usize) -> Option<usize> {
    let length = u64::from_le_bytes(*bytes.get(at + 4..)?.first_chunk()?);
    let stated = usize::try_from(length).ok().and_then(|n| n.checked_add(at + FRAME));
    if let Some(stated) = stated.filter(|&end| end < index && tag_at(bytes, end).is_some()) {
        return Some(stated);
    }
    let rest = bytes.get(at + FRAME..index)?;
    TAGS.iter().filter_map(|tag| find(rest, tag)).min().map(|next| at + FRAME + next)
}

/// Appends the blocks that `entries` describe, their checksums right. Lengths are changed where
/// there are not as many bytes. Returns the number of rows.
fn lay_blocks(out: &mut Vec<u8>, mut blocks: &[u8], entries: &mut [u8]) -> u64 {
    let mut rows = 0_u64;
    let count = entries.len() / ENTRY;
    for (i, entry) in entries.chunks_exact_mut(ENTRY).enumerate() {
        let stated = u32::from_le_bytes(entry[..4].try_into().unwrap()) as usize;
        let length = if i + 1 == count { blocks.len() } else { stated.min(blocks.len()) };
        entry[..4].copy_from_slice(&(length as u32).to_le_bytes());
        let (block, rest) = blocks.split_at(length);
        blocks = rest;
        if let Some((body, _)) = block.split_last_chunk::<4>() {
            let mut crc = crc32fast::Hasher::new();
            crc.update(&rows.to_le_bytes());
            crc.update(body);
            out.extend(body);
            out.extend(crc.finalize().to_le_bytes());
        } else {
            out.extend(block);
        }
        rows += u64::from(u16::from_le_bytes([entry[4], entry[5]])) + 1;
    }
    rows
}

fn section(out: &mut Vec<u8>, tag: &[u8; 4], payload: &[u8]) {
    let start = out.len();
    out.extend(tag);
    out.extend((payload.len() as u64).to_le_bytes());
    out.extend(payload);
    out.extend([0; 4]);
    seal_last(out, start);
}

/// Makes the last four bytes the checksum of those from `start` on.
fn seal_last(out: &mut [u8], start: usize) {
    let end = out.len() - 4;
    let crc = crc32fast::hash(&out[start..end]);
    out[end..].copy_from_slice(&crc.to_le_bytes());
}

fn find(bytes: &[u8], tag: &[u8; 4]) -> Option<usize> {
    bytes.windows(4).position(|w| w == tag)
}

fn find_last(bytes: &[u8], tag: &[u8; 4]) -> Option<usize> {
    bytes.windows(4).rposition(|w| w == tag)
}
