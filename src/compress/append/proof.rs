//! That readers take what was written, and that it is as promised: seen before it counts.

use super::tail::Tail;
use crate::container::forever::FOOTER_LEN;
use crate::container::section::Footer;
use crate::error::Result;
use crate::fidelity::Fidelity;
use crate::matrix::{Rows, Schema};
use crate::positioned::PositionedFile;
use crate::quality::{check_promise, within};
use crate::reader::{Reader, ReaderOptions, Source};
use std::io;

/// Rows of a file from one on.
struct Behind<'a, S: Source> {
    reader: &'a Reader<S>,
    first: usize,
}

impl<S: Source> Rows for Behind<'_, S> {
    fn schema(&self) -> &Schema {
        self.reader.schema()
    }

    fn len(&self) -> usize {
        self.reader.rows() - self.first
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        self.reader.read_bytes(self.first + first, out)
    }
}

/// Opens the file as it will be with `footer`, reads `rows` from it and says whether they are what was
/// promised, within bounds where there are any.
///
/// # Errors
/// Where no reader would take the file.
pub(super) fn holds(
    tail: &Tail,
    footer: &Footer,
    rows: &dyn Rows,
    (promise, bounds): (&Fidelity, Option<&[f64]>),
) -> Result<bool> {
    let file = PositionedFile::new(tail.file()?);
    let (end, last) = (footer.length - FOOTER_LEN as u64, footer.encode());
    // The footer is not there yet.
    let fetch = |at: u64, out: &mut [u8]| {
        let there = end.saturating_sub(at).min(out.len() as u64) as usize;
        let (own, rest) = out.split_at_mut(there);
        if file.read_up_to(at, own)? < own.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let from = (at + there as u64).saturating_sub(end) as usize;
        rest.copy_from_slice(&last[from..from + rest.len()]);
        Ok(())
    };
    let reader = Reader::fetch(footer.length, fetch, ReaderOptions::default())?;
    let decoded = Behind { reader: &reader, first: tail.reader.rows() };
    match (promise, bounds) {
        (Fidelity::MaxErrorRel(_), Some(bounds)) => {
            // Of an array cut into tiles, all columns have the same.
            let width = rows.schema().width();
            let alike = vec![bounds.first().copied().unwrap_or(0.0); width];
            within(rows, &decoded, if bounds.len() == width { bounds } else { &alike })
        }
        (Fidelity::Ratio(_) | Fidelity::BytesPerRow(_), _) => {
            // Their size is known; that they can be read is seen here.
            check_promise(rows, &decoded, &Fidelity::Lossless, footer.length).map(|_| true)
        }
        _ => check_promise(rows, &decoded, promise, footer.length).map(|check| check.held),
    }
}
