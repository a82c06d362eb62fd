//! Both ends of a file: is it one, and where does it end?

use super::section::{FRAME, Section};
use super::source::{self, Source};
use crate::container::forever::{END, FOOTER_LEN, HEADER_LEN, INDEX, MORE, SIGNATURE};
use crate::container::section::{Footer, Header};
use crate::error::{Error, Result};

/// Bytes that are looked through at once for the footer of a file to which rows were not appended
/// completely.
const CHUNK: u64 = 1 << 20;

/// The first bytes of a file, and the last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) header: Header,
    /// Where it ends: behind are only bytes of rows that were not appended completely.
    pub(super) footer: Footer,
}

impl Ends {
    /// Reads header and footer, and says whether this is an .aez file at all.
    pub(super) fn read<S: Source>(source: &S) -> Result<Self> {
        let length = source.len();
        let least = HEADER_LEN + FOOTER_LEN;
        let short = || {
            let what = format!("{length} bytes are too few; an .aez file has {least} or more");
            Error::truncated(what).at(0)
        };
        let first = source::bytes(source, 0, length.min(HEADER_LEN as u64) as usize)?;
        let Ok(header) = <&[u8; HEADER_LEN]>::try_from(&first[..]) else {
            // As far as there are bytes, they are those of a file that was cut off.
            let known = first.len().min(SIGNATURE.len());
            return Err(if first.starts_with(&SIGNATURE[..known]) {
                short()
            } else {
                Error::corrupt("not an .aez file: its first bytes differ").at(0)
            });
        };
        let header = Header::decode(header)?;
        if length < least as u64 {
            return Err(short());
        }
        let last = source::array(source, length - FOOTER_LEN as u64)?;
        let footer = Footer::decode(&last, length);
        if footer.is_err()
            && !last[..FOOTER_LEN - 4].ends_with(&END)
            && let Some(footer) = last_footer(source)?
        {
            return Ok(Self { header, footer });
        }
        Ok(Self { header, footer: footer? })
    }
}

/// Finds the last footer of a file that does not end with one.
fn last_footer<S: Source>(source: &S) -> Result<Option<Footer>> {
    let mut end = source.len();
    while end > (HEADER_LEN + FOOTER_LEN) as u64 {
        let start = end.saturating_sub(CHUNK).max(HEADER_LEN as u64);
        let bytes = source::bytes(source, start, (end - start) as usize)?;
        let mut rest = &bytes[..];
        while let Some(at) = rest.windows(END.len()).rposition(|window| window == END) {
            if let Some(footer) = footer_before(source, start + at as u64)? {
                return Ok(Some(footer));
            }
            rest = &rest[..at + END.len() - 1];
        }
        // An end mark may lie across the chunks.
        end = if start == HEADER_LEN as u64 { start } else { start + END.len() as u64 - 1 };
    }
    Ok(None)
}

/// Reads the footer whose end mark lies at `mark`, if there is one: it says itself where it lies, and an
/// index is before it, so that a copy of one is none.
fn footer_before<S: Source>(source: &S, mark: u64) -> Result<Option<Footer>> {
    let end = mark + END.len() as u64 + 4;
    let start = end.saturating_sub(FOOTER_LEN as u64);
    if start < HEADER_LEN as u64 || end > source.len() {
        return Ok(None);
    }
    let Ok(footer) = Footer::decode(&source::array(source, start)?, end) else { return Ok(None) };
    if !(HEADER_LEN as u64..start).contains(&footer.index) {
        return Ok(None);
    }
    let section = Section::claimed_at(source, footer.index)?;
    let is_index = [INDEX, MORE].contains(&section.tag);
    let fits = section.length.checked_add(footer.index + FRAME) == Some(start);
    Ok((is_index && fits).then_some(footer))
}
