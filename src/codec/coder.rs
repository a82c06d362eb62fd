//! The coder of a block's stream, of either kind.

use super::program::Program;
use crate::entropy::lanes::{LaneDecoder, LanePlace};
use crate::entropy::rans::{RansDecoder, RansPlace};
use crate::error::Result;

/// What a block's stream is read with.
#[derive(Debug)]
pub(super) enum AnyCoder<'b> {
    /// Rows one after another.
    Single(RansDecoder<'b>),
    /// Rows that look at their neighbours.
    Lanes(LaneDecoder<'b>),
}

/// How far an [`AnyCoder`] has come.
#[derive(Debug)]
pub(super) enum AnyPlace {
    Single(RansPlace),
    Lanes(LanePlace),
}

impl Default for AnyPlace {
    fn default() -> Self {
        Self::Single(RansPlace::default())
    }
}

impl<'b> AnyCoder<'b> {
    /// Begins a part of `rows` rows.
    pub(super) fn new(program: &Program, stream: &'b [u8], rows: usize) -> Result<Self> {
        Ok(match program.neighbours {
            Some(_) => Self::Lanes(LaneDecoder::new(stream, rows)?),
            None => Self::Single(RansDecoder::new(stream)?),
        })
    }

    pub(super) fn resume(stream: &'b [u8], place: &AnyPlace) -> Self {
        match place {
            AnyPlace::Single(place) => Self::Single(RansDecoder::resume(stream, place)),
            AnyPlace::Lanes(place) => Self::Lanes(LaneDecoder::resume(stream, place)),
        }
    }

    pub(super) fn place(&self) -> AnyPlace {
        match self {
            Self::Single(coder) => AnyPlace::Single(coder.place()),
            Self::Lanes(coder) => AnyPlace::Lanes(coder.place()),
        }
    }

    /// The coder of rows one after another, if it is one.
    pub(super) fn single(&self) -> Option<RansDecoder<'b>> {
        match self {
            Self::Single(coder) => Some(*coder),
            Self::Lanes(_) => None,
        }
    }

    /// Goes on from where a coder of such rows has come.
    pub(super) fn set_single(&mut self, coder: RansDecoder<'b>) {
        *self = Self::Single(coder);
    }

    pub(super) fn overrun(&self) -> bool {
        match self {
            Self::Single(coder) => coder.overrun(),
            Self::Lanes(coder) => coder.overrun(),
        }
    }

    pub(super) fn finish(&self) -> Result<()> {
        match self {
            Self::Single(coder) => coder.finish(),
            Self::Lanes(coder) => coder.finish(),
        }
    }

    #[cfg(feature = "apps")]
    pub(super) fn left(&self) -> f64 {
        match self {
            Self::Single(coder) => coder.left(),
            Self::Lanes(coder) => coder.left(),
        }
    }
}
