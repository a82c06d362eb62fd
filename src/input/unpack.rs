//! What gzip or zstd packed is unpacked, but no bomb.

use super::format::Format;
use super::options::OpenOptions;
use super::packing::Packing;
use super::source::{Source, Spool};
use super::{idx, npy};
use crate::error::{Error, Result};
use std::io::Read;

/// Files that do not announce their length may unpack to so many bytes, whatever they are packed to.
const ALWAYS_ALLOWED: u64 = 1 << 30;
/// Beyond that, each packed byte may stand for so many: gzip cannot do more, and what does is a bomb.
const MOST_RATIO: u64 = 1100;

/// Returns what is packed in `source`, a file that is called `name`: to memory or a temporary
/// file, and no more than it announces.
pub(super) fn unpack(
    packing: Packing,
    source: &Source,
    name: &str,
    options: &OpenOptions,
) -> Result<Source> {
    let mut reader = packing.reader(source)?;
    let mut head = Vec::new();
    (&mut reader)
        .take(npy::MAX_HEAD as u64)
        .read_to_end(&mut head)
        .map_err(|e| packing.failure(e))?;
    if Packing::of(&head).is_some() {
        return Err(Error::unsupported("the file is packed twice; unpack it once, as with gunzip"));
    }
    let announced = announced(&head, name, options)?;
    let blind = source.len().saturating_mul(MOST_RATIO).max(ALWAYS_ALLOWED);
    spool(packing, &head, &mut reader, announced, blind)
}

/// Spools `head` and what follows: as much as is announced, or else no more than `blind` bytes.
fn spool(
    packing: Packing,
    head: &[u8],
    reader: &mut dyn Read,
    announced: Option<u64>,
    blind: u64,
) -> Result<Source> {
    // One byte more than announced, so that a longer file is noticed.
    let most = announced.unwrap_or(blind).saturating_add(1);
    let mut spool = Spool::new();
    let begun = head.len() as u64;
    spool.write(head)?;
    let rest = spool.take_from(reader, most.saturating_sub(begun));
    let rest = rest.map_err(|e| packing.failure(e))??;
    if announced.is_none() && begun.saturating_add(rest) > blind {
        return Err(Error::limit(format!(
            "the {} file unpacks to more than {blind} bytes, which looks like an attack; if it is \
             as it should be, unpack it yourself",
            packing.name()
        )));
    }
    spool.finish()
}

/// Returns the bytes that a file called `name` has which begins with `head`, if that is said there.
fn announced(head: &[u8], name: &str, options: &OpenOptions) -> Result<Option<u64>> {
    if options.raw.is_some() {
        return Ok(None);
    }
    let format = match options.format {
        Some(format) => format,
        None => Format::detect(name, head)?,
    };
    Ok(match format {
        Format::Npy => Some(npy::announced(head)?),
        Format::Idx => Some(idx::announced(head)?),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn a_bomb_is_refused() {
        let spooled = |announced, blind| {
            spool(Packing::Zstd, b"head", &mut io::repeat(b'1').take(100), announced, blind)
        };
        assert_eq!(spooled(None, 104).unwrap().len(), 104);
        assert_eq!(spooled(None, 103).err().unwrap().kind(), crate::ErrorKind::Limit);
        // Of what announces its length, one byte more than that is enough.
        assert_eq!(spooled(Some(50), 10).unwrap().len(), 51);
    }
}
