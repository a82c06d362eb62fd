//! Opening: header, sections, footer, index. Blocks are not touched.

use super::source::Source;
use crate::codec::program::Program;
use crate::container::encoder::EncoderRecord;
use crate::container::forever::{
    COLUMNS, DATA, ENCODER, FOOTER_LEN, HEAD, HEADER_LEN, INDEX, MODEL, TASK, VERSION,
};
use crate::container::head;
use crate::container::index::Index;
use crate::container::model::ModelRecord;
use crate::container::section::{self, Footer, Header, SECTION_HEAD};
use crate::container::task::TaskRecord;
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::limits::{self, Limits};
use crate::matrix::Schema;
use std::borrow::Cow;

/// What lies before and behind the blocks.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) header: Header,
    pub(super) schema: Schema,
    pub(super) promise: Option<Fidelity>,
    pub(super) program: Option<Program>,
    pub(super) model_bytes: u64,
    pub(super) index: Index,
    pub(super) index_bytes: u64,
    /// Offset of the encoder's section and length of its payload; not read before it is asked for.
    encoder: Option<(u64, u64)>,
    /// Likewise of the task's section.
    task: Option<(u64, u64)>,
    /// Sections that were skipped: where and how long.
    pub(super) skipped: Vec<(u64, u64)>,
}

/// `length` bytes at `offset`, lent where the source has them in memory.
pub(super) fn bytes<S: Source>(source: &S, offset: u64, length: usize) -> Result<Cow<'_, [u8]>> {
    if let Some(slice) = source.slice(offset, length) {
        return Ok(Cow::Borrowed(slice));
    }
    if offset.checked_add(length as u64).is_none_or(|end| end > source.len()) {
        let what = format!("{length} bytes are needed, {} are there", source.len());
        return Err(Error::truncated(what).at(offset));
    }
    let mut out = vec![0; length];
    source.read_at(offset, &mut out)?;
    Ok(Cow::Owned(out))
}

/// Payload and end of the section at `offset`, its checksum verified.
///
/// The section is copied before it is checked, so that what was checked is what is used.
fn section<S: Source>(
    source: &S,
    offset: u64,
    tag: [u8; 4],
    length: u64,
    most: u64,
) -> Result<(Vec<u8>, u64)> {
    let name = String::from_utf8_lossy(&tag).into_owned();
    let whole = length.checked_add(SECTION_HEAD as u64 + 4);
    let end = whole.and_then(|w| offset.checked_add(w)).filter(|e| *e <= source.len());
    let end = end.ok_or_else(|| {
        Error::truncated(format!("section {name} claims {length} bytes, more than follow"))
            .at(offset)
    })?;
    limits::check(&format!("section {name}"), length, most).map_err(|e| e.at(offset))?;
    let whole = bytes(source, offset, (end - offset) as usize)?.into_owned();
    let body = section::unseal(&whole, offset, &format!("section {name}"))?;
    Ok((body[SECTION_HEAD..].to_vec(), end))
}

pub(super) fn open<S: Source>(source: &S, limits: &Limits) -> Result<Layout> {
    let length = source.len();
    if length < 8 && (length == 0 || bytes(source, 0, length as usize)?[0] == 0x89) {
        return Err(Error::truncated(format!("{length} bytes are too few for an .aez file")).at(0));
    }
    let least = HEADER_LEN + FOOTER_LEN;
    let first = bytes(source, 0, (length as usize).min(HEADER_LEN))?;
    let Ok(header) = <&[u8; HEADER_LEN]>::try_from(&first[..]) else {
        return Err(match first.starts_with(b"\x89AEZ") {
            true => Error::truncated(format!("{length} bytes, an .aez file has {least} or more")),
            false => Error::corrupt("not an .aez file: its first bytes differ"),
        }
        .at(0));
    };
    let header = Header::decode(header)?;
    if length < least as u64 {
        return Err(
            Error::truncated(format!("{length} bytes, an .aez file has {least} or more")).at(0)
        );
    }
    let at = length - FOOTER_LEN as u64;
    let footer = bytes(source, at, FOOTER_LEN)?;
    let footer = Footer::decode(footer[..].try_into().expect("as long as asked for"), length)?;

    let mut offset = HEADER_LEN as u64;
    let mut heading: Option<(Schema, Option<Fidelity>)> = None;
    let mut columns = None;
    let mut model = None;
    let mut encoder = None;
    let mut task = None;
    let mut skipped = Vec::new();
    loop {
        let start: [u8; SECTION_HEAD] =
            bytes(source, offset, SECTION_HEAD)?[..].try_into().expect("as long as asked for");
        let (tag, payload) = section::decode_head(&start);
        let body = offset + SECTION_HEAD as u64;
        let most = if tag == HEAD { 1 << 20 } else { limits.model_bytes };
        if heading.is_none() && tag != HEAD {
            return Err(Error::corrupt("the first section is not HEAD").at(offset));
        }
        let twice = || Error::corrupt("a section occurs twice").at(offset);
        let known = [HEAD, COLUMNS, MODEL, DATA].contains(&tag);
        if tag == INDEX {
            return Err(Error::corrupt("there is no section DATA").at(offset));
        }
        if !known {
            if !tag[0].is_ascii_alphabetic() {
                return Err(
                    Error::corrupt("a section's tag does not begin with a letter").at(offset)
                );
            }
            if !tag[0].is_ascii_lowercase() {
                return Err(Error::unsupported(format!(
                    "section {:?} of format version {} is required but unknown to version \
                     {VERSION}",
                    String::from_utf8_lossy(&tag),
                    header.written
                ))
                .at(offset));
            }
            let whole = payload.checked_add(SECTION_HEAD as u64 + 4);
            let end = whole.and_then(|w| offset.checked_add(w)).filter(|e| *e <= length);
            let end = end
                .ok_or_else(|| Error::truncated("a section is longer than the file").at(offset))?;
            match tag {
                ENCODER if encoder.is_some() => return Err(twice()),
                ENCODER => encoder = Some((offset, payload)),
                TASK if task.is_some() => return Err(twice()),
                TASK => task = Some((offset, payload)),
                _ => skipped.push((offset, end - offset)),
            }
            offset = end;
            continue;
        }
        let (payload, end) = section(source, offset, tag, payload, most)?;
        match tag {
            HEAD if heading.is_some() => return Err(twice()),
            HEAD => heading = Some(head::decode(&payload, body)?),
            COLUMNS if columns.is_some() => return Err(twice()),
            COLUMNS => columns = Some((payload, body)),
            MODEL if model.is_some() => return Err(twice()),
            MODEL => model = Some((payload, body)),
            _ => {
                if !payload.is_empty() {
                    return Err(Error::corrupt("section DATA is not empty").at(offset));
                }
                offset = end;
                break;
            }
        }
        offset = end;
    }
    let (mut schema, promise) = heading.expect("the first section was HEAD");
    if let Some((payload, at)) = columns {
        schema.columns =
            Some(head::decode_columns(&payload, schema.width(), limits.model_bytes, at)?);
    }
    let mut model_bytes = 0;
    let mut program = None;
    if let Some((payload, at)) = model {
        model_bytes = payload.len() as u64;
        let line = schema.row_shape.last().copied().unwrap_or(1);
        let record = ModelRecord::decode(&payload, at, (schema.width(), line), limits)?;
        program = Some(Program::new(record, schema.dtype).map_err(|e| e.at(at))?);
    }
    let (index, index_bytes) = index(source, offset, &footer, limits)?;
    if header.codec && index.blocks() > 0 {
        return Err(Error::corrupt("a codec must not have rows").at(12));
    }
    if header.codec && program.is_none() {
        return Err(Error::corrupt("a codec without a model").at(12));
    }
    if header.codec != promise.is_none() {
        let what = if header.codec { "a codec with a promise" } else { "rows without a promise" };
        return Err(Error::corrupt(what).at(HEADER_LEN as u64));
    }
    let rows = index.total_rows();
    if usize::try_from(rows).is_err() {
        return Err(Error::limit(format!("{rows} rows are more than this machine can count")));
    }
    Ok(Layout {
        header,
        schema,
        promise,
        program,
        model_bytes,
        index,
        index_bytes,
        encoder,
        task,
        skipped,
    })
}

/// The index, between the blocks' end and the footer.
fn index<S: Source>(
    source: &S,
    start: u64,
    footer: &Footer,
    limits: &Limits,
) -> Result<(Index, u64)> {
    let end = source.len() - FOOTER_LEN as u64;
    let at = footer.index;
    let least = SECTION_HEAD as u64 + 4;
    if at < start || end.checked_sub(at).is_none_or(|room| room < least) {
        return Err(Error::corrupt(format!("the footer puts the index at byte {at}")).at(end));
    }
    let head: [u8; SECTION_HEAD] =
        bytes(source, at, SECTION_HEAD)?[..].try_into().expect("as long as asked for");
    let (tag, length) = section::decode_head(&head);
    if tag != INDEX || length != end - at - least {
        return Err(Error::corrupt("there is no index where the footer says").at(at));
    }
    let (payload, _) = section(source, at, tag, length, limits.index_bytes)?;
    let body = at + SECTION_HEAD as u64;
    let index = Index::decode(&payload, body, (start, at), footer.rows, limits)?;
    Ok((index, length))
}

/// The encoder, if the file has one.
pub(super) fn encoder<S: Source>(
    source: &S,
    layout: &Layout,
    limits: &Limits,
) -> Result<Option<EncoderRecord>> {
    let Some((offset, length)) = layout.encoder else { return Ok(None) };
    let (payload, _) = section(source, offset, ENCODER, length, limits.model_bytes)?;
    let latents = layout.program.as_ref().map_or(0, |p| p.record.latents());
    let at = offset + SECTION_HEAD as u64;
    EncoderRecord::decode(&payload, at, layout.schema.width(), latents, limits).map(Some)
}

/// The task, if the file has one.
pub(super) fn task<S: Source>(
    source: &S,
    layout: &Layout,
    limits: &Limits,
) -> Result<Option<TaskRecord>> {
    let Some((offset, length)) = layout.task else { return Ok(None) };
    let (payload, _) = section(source, offset, TASK, length, limits.model_bytes)?;
    let latents = layout.program.as_ref().map_or(0, |p| p.record.latents());
    let at = offset + SECTION_HEAD as u64;
    TaskRecord::decode(&payload, at, layout.schema.width(), latents, limits).map(Some)
}

/// Checks the sections that opening skipped.
pub(super) fn verify_skipped<S: Source>(source: &S, skipped: &[(u64, u64)]) -> Result<()> {
    for &(offset, length) in skipped {
        let mut crc = crc32fast::Hasher::new();
        let mut at = offset;
        let end = offset + length - 4;
        while at < end {
            let part = bytes(source, at, (end - at).min(1 << 20) as usize)?;
            crc.update(&part);
            at += part.len() as u64;
        }
        let stored = bytes(source, end, 4)?;
        if crc.finalize().to_le_bytes() != stored[..] {
            return Err(Error::corrupt("a section does not match its checksum").at(offset));
        }
    }
    Ok(())
}
