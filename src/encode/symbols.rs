//! What rows are turned into before entropy coding.

use crate::quality::Tally;

/// Symbols of consecutive rows of one block.
#[derive(Debug, Clone, Default)]
pub(crate) struct Symbols {
    /// Number of rows.
    pub(crate) rows: usize,
    /// Symbols of latents, `rows × latents`, before their class's means are subtracted.
    pub(crate) latents: Vec<i32>,
    /// With dependent quantisation, whether each latent's symbol is one of the second quantiser,
    /// `rows × latents`; else empty.
    pub(crate) second: Vec<bool>,
    /// Residuals in steps, `rows × columns`; empty where no class codes residuals.
    pub(crate) residuals: Vec<i64>,
    /// Which of the model's predictors each row has; empty where rows name none.
    pub(crate) predictors: Vec<u8>,
    /// With neighbours, the leaf of each residual's table, `rows × columns`; else empty.
    pub(crate) leaves: Vec<u16>,
    /// Which atom each value is, 0 for none, `rows × columns`; empty where there are no atoms.
    pub(crate) atoms: Vec<u8>,
    /// The leaf of the table by which the atom is named, likewise.
    pub(crate) atom_leaves: Vec<u16>,
    /// A class of each row where its promise decides; else empty. Classes with as fine residuals do
    /// as well.
    pub(crate) forced: Vec<usize>,
    /// Cells stored exactly, as `row · columns + column`, ascending.
    pub(crate) escapes: Vec<u64>,
    /// Latents as the decoder has them, `rows × latents`, in latent units.
    pub(crate) decoded_latents: Vec<i32>,
    /// Errors of the decoded rows, where they are measured.
    pub(crate) tally: Tally,
}

impl Symbols {
    /// Returns which of `sets` sets of tables the latents' symbol at `at` is coded with.
    #[inline(always)]
    pub(crate) fn table_set(&self, at: usize, sets: usize) -> usize {
        usize::from(sets == 2 && self.second[at])
    }
}
