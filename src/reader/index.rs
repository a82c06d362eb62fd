//! Where all blocks are: the index at the end, and those of earlier files that it goes on from.

use super::section::{FRAME, Payload, Section};
use super::source::{self, Source};
use crate::container::forever::{FOOTER_LEN, INDEX, MAX_LINKS, MORE, ROOM};
use crate::container::index::Index;
use crate::container::more::{Link, More};
use crate::container::section::Footer;
use crate::error::{Error, Result};
use crate::limits::Limits;
use std::ops::Range;

/// What was found by the footer.
pub(super) struct Found {
    pub(super) index: Index,
    /// Bytes of the sections that say it.
    pub(super) index_bytes: u64,
    /// The footers by which blocks are found, in the order in which they were written.
    pub(super) links: Vec<Link>,
    /// How long the array's first axis has become; 0 where it did not.
    pub(super) first_axis: u64,
    /// How many times rows were appended.
    pub(super) appends: u64,
    /// Bytes between blocks that are not needed to find any.
    pub(super) dead_bytes: u64,
}

/// An index, and the footer behind it.
struct Part {
    tag: [u8; 4],
    payload: Payload,
    footer: Footer,
}

/// Reads the index of blocks of which the first begins at `start`.
pub(super) fn read<S: Source>(
    source: &S,
    start: u64,
    footer: &Footer,
    limits: &Limits,
) -> Result<Found> {
    let parts = parts(source, start, footer, limits)?;
    let mut found = Found {
        index: Index::new(start),
        index_bytes: 0,
        links: Vec::new(),
        first_axis: 0,
        appends: 0,
        dead_bytes: 0,
    };
    for part in parts.iter().rev() {
        let Part { tag, payload: Payload { bytes, at }, footer } = part;
        let before = found.index.blocks();
        if *tag == INDEX {
            let blocks = start..footer.index;
            found.index = Index::decode(bytes, *at, blocks, footer.rows, limits)?;
        } else {
            let More { first_axis, runs, .. } = More::decode(bytes, *at)?;
            found.first_axis = first_axis;
            if let Some(link) = found.links.last() {
                found.index.jump(link.end);
            }
            found.index.decode_runs(runs, footer.index, limits)?;
        }
        let (rows, end) = (found.index.total_rows(), found.index.end());
        if rows != footer.rows || *tag == MORE && found.index.blocks() == before {
            let what = format!("the index is of {rows} rows, its footer of {}", footer.rows);
            return Err(Error::corrupt(what).at(*at));
        }
        expect_room(source, end..footer.index)?;
        found.index_bytes += bytes.len() as u64;
        found.links.push(Link { end: footer.length, blocks: found.index.blocks() });
    }
    let runs = runs(&found.index, start);
    let between: u64 = runs.windows(2).map(|pair| pair[1].start - pair[0].end).sum();
    let followed = parts.iter().skip(1).map(|part| part.payload.bytes.len() as u64);
    let followed: u64 = followed.map(|bytes| bytes + FRAME + FOOTER_LEN as u64).sum();
    found.appends = runs.len() as u64 - 1;
    found.dead_bytes = between.saturating_sub(followed);
    Ok(found)
}

/// Returns the runs of bytes that blocks lie in, one for each time that rows were written; the first could
/// begin at `start`.
fn runs(index: &Index, start: u64) -> Vec<Range<u64>> {
    let mut runs = index.runs();
    if runs.first().is_some_and(|run| run.start > start) {
        // There was a file without rows.
        runs.insert(0, start..start);
    }
    runs
}

/// Reads the index before `footer`, and those that it goes on from: the last first.
fn parts<S: Source>(source: &S, start: u64, footer: &Footer, limits: &Limits) -> Result<Vec<Part>> {
    let mut footer = *footer;
    let (mut parts, mut room) = (Vec::new(), limits.index_bytes);
    loop {
        let (tag, payload) = part(source, start, &footer, room)?;
        room -= payload.bytes.len() as u64;
        let base = match tag {
            MORE => More::decode(&payload.bytes, payload.at)?.base,
            _ => 0,
        };
        let at = payload.at;
        let wrong = |what: &str| Err(Error::corrupt(what).at(at));
        parts.push(Part { tag, payload, footer });
        if base == 0 {
            return Ok(parts);
        }
        if parts.len() == MAX_LINKS {
            return wrong("the index goes on from too many others");
        }
        if base < start + FOOTER_LEN as u64 || base > footer.index {
            return wrong("the index goes on from a file that cannot be there");
        }
        let bytes = source::array(source, base - FOOTER_LEN as u64)?;
        footer = Footer::decode(&bytes, base)
            .map_err(|e| Error::corrupt(format!("the index goes on from no file: {e}")).at(at))?;
    }
}

/// Reads the index before `footer`, which may have `room` bytes.
fn part<S: Source>(
    source: &S,
    start: u64,
    footer: &Footer,
    room: u64,
) -> Result<([u8; 4], Payload)> {
    let end = footer.length - FOOTER_LEN as u64;
    let at = footer.index;
    if at < start || end.checked_sub(at).is_none_or(|room| room < FRAME) {
        return Err(Error::corrupt(format!("the footer puts the index at byte {at}")).at(end));
    }
    let section = Section::claimed_at(source, at)?;
    if ![INDEX, MORE].contains(&section.tag) || section.length != end - at - FRAME {
        return Err(Error::corrupt("there is no index where the footer says").at(at));
    }
    Ok((section.tag, section.payload(source, room)?))
}

/// Checks the bytes between the last block and the index: none, or a section that makes the file
/// as long as its rows take.
fn expect_room<S: Source>(source: &S, bytes: Range<u64>) -> Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    let wrong = || {
        let what = "there is something else than a section \"room\" between blocks and index";
        Error::corrupt(what).at(bytes.start)
    };
    if bytes.end.saturating_sub(bytes.start) < FRAME {
        return Err(wrong());
    }
    let section = Section::claimed_at(source, bytes.start)?;
    if section.tag != ROOM || section.length != bytes.end - bytes.start - FRAME {
        return Err(wrong());
    }
    section.verify(source)
}

/// Checks what lies between runs of blocks, of which the first could begin at `bytes.start`: the ends of the
/// files that rows were appended to, and at `bytes.end` that of the file.
pub(super) fn verify<S: Source>(source: &S, index: &Index, bytes: Range<u64>) -> Result<()> {
    let runs = runs(index, bytes.start);
    let ends = runs.iter().skip(1).map(|run| run.start).chain([bytes.end]);
    for (run, end) in runs.iter().zip(ends) {
        let wrong =
            || Error::corrupt("there is no footer between blocks that were appended").at(end);
        let start = end.checked_sub(FOOTER_LEN as u64).ok_or_else(wrong)?;
        let footer = Footer::decode(&source::array(source, start)?, end)
            .map_err(|e| Error::corrupt(e.to_string()))?;
        if footer.index < run.end || footer.index + FRAME > start {
            return Err(wrong());
        }
        let section = Section::claimed_at(source, footer.index)?;
        if ![INDEX, MORE].contains(&section.tag) || section.length != start - footer.index - FRAME {
            return Err(wrong());
        }
        section.verify(source)?;
        expect_room(source, run.end..footer.index)?;
    }
    Ok(())
}
