//! What every codec that is fitted to a sample shares.

use crate::fit::data::columns::ColumnPlan;
use crate::fit::data::components::Components;
use crate::fit::data::sample::Sample;
use crate::fit::entropy::classes::ClassEffort;
use crate::fit::neighbours::effort::NeighbourEffort;

/// A sample of rows, how its columns are counted, and how patiently to fit.
pub(crate) struct FitContext<'a> {
    /// Rows that codecs are fitted to.
    pub(crate) sample: &'a Sample,
    /// Arithmetic of each column.
    pub(crate) columns: &'a [ColumnPlan],
    /// Principal components of the normalised rows.
    pub(crate) components: &'a Components,
    /// The sample in residual steps from each column's centre, `rows × columns`.
    pub(crate) normalised: &'a [f32],
    /// How patiently row classes are fitted.
    pub(crate) effort: ClassEffort,
    /// Whether rows of zeros must be decoded to rows of zeros.
    pub(crate) keeps_zero_rows: bool,
    /// How patiently residuals are fitted to their neighbours, if at all.
    pub(crate) neighbours: Option<NeighbourEffort>,
    /// Integers of values that recur exactly, where columns share a grid.
    pub(crate) atoms: &'a [i64],
    /// Whether errors are added up, which takes memory for each column: promises about a sum ask for
    /// them.
    pub(crate) measures: bool,
}
