//! A model that has been checked and is ready to decode.

use super::compander::Compander;
use super::neighbourhood::Neighbourhood;
use super::network::IntegerNetwork;
use super::quantisers::{TRELLIS4, TRELLIS8};
use super::short::short_limit;
use super::swift_latents::SwiftLatents;
use super::value::{fits, whole_step};
use crate::container::model::{Grid, ModelRecord};
use crate::entropy::table::{Table, TableSpec};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::matrix::{DType, Schema};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Multiply-adds that take as long as decoding a number: a latent, a value, or a unit's result.
const NUMBER_WORK: u64 = 256;
/// Numbers that take as long as what each row takes whatever its width.
const NUMBERS_PER_ROW: usize = 4;
/// Numbers that take as long as a value that looks at its neighbours.
const NUMBERS_WITH_NEIGHBOURS: usize = 4;

/// Neighbouring columns that share a grid. There are as many as columns where none do, so it is small.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// The column behind the last.
    end: u32,
    /// Which grid.
    grid: u32,
    /// Up to what residuals values are computed in 32 bits.
    short: i32,
}

/// A model that was checked: no sum in it can overflow.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// Type of the values, before they are expanded.
    pub(crate) dtype: DType,
    /// Makes the file's numbers of them, where they are on other scales.
    pub(crate) compander: Option<Arc<Compander>>,
    /// What was stored.
    pub(crate) record: ModelRecord,
    /// Predicts from latents.
    pub(crate) network: IntegerNetwork,
    /// Tables in the record's order, then those of another scale that neighbours ask for.
    pub(crate) tables: Vec<Table>,
    /// How residuals depend on their neighbours, if they do.
    pub(crate) neighbours: Option<Neighbourhood>,
    /// Columns that share a grid, one run after another.
    runs: Vec<Run>,
    /// Bases of columns, as far as 32 bits hold them.
    pub(crate) short_base: Vec<i32>,
    /// Step of the residual of each column where its class does not set one.
    pub(crate) steps: Vec<i64>,
    /// Per class: whether the residual's table is one that says only 0, for each column.
    pub(crate) silent: Vec<Vec<bool>>,
    /// Per class: whether no column has a residual.
    pub(crate) mute: Vec<bool>,
    /// Whether any column predicts from the previous row.
    pub(crate) temporal: bool,
    /// Whether any latent is predicted from the previous row.
    pub(crate) latents_recall: bool,
    /// Whether all rows are alike: there are neither latents nor residuals.
    pub(crate) constant: bool,
    /// Whether no value has a residual, and none is an atom.
    lacks_residuals: bool,
    /// What latents are read with side by side, once that was asked for.
    swift_latents: OnceLock<Option<Box<SwiftLatents>>>,
}

impl Program {
    /// Reads the payload of a model's section, which begins at `at`, for rows of `schema`, and checks
    /// it: readers do this when a file is opened, and writers before a model is used.
    ///
    /// # Errors
    /// `Limit` if it would take more memory than `limits` allow, otherwise those of [`Self::new`].
    pub(crate) fn decode(
        payload: &[u8],
        at: u64,
        schema: &Schema,
        limits: &Limits,
    ) -> Result<Self> {
        let record = ModelRecord::decode(payload, at, schema, limits)?;
        Self::new(record, schema.dtype).map_err(|e| e.at(at))
    }

    /// Checks `record` for values of `dtype`.
    ///
    /// # Errors
    /// `Corrupt` if a table does not add up, a grid does not fit the type or a sum could
    /// overflow.
    pub(crate) fn new(record: ModelRecord, dtype: DType) -> Result<Self> {
        if let Some(grid) = record.grids.iter().find(|g| !fits(g, dtype)) {
            return Err(Error::corrupt(format!("{:?} cannot give {dtype}", grid.value)));
        }
        let mut tables = record.tables.iter().map(Table::new).collect::<Result<Vec<_>>>()?;
        let neighbours = Neighbourhood::new(&record, &mut tables)?;
        let network = IntegerNetwork::new(&record)?;
        let mut runs: Vec<Run> = Vec::new();
        for (j, &grid) in record.grid_of.iter().enumerate() {
            let (end, grid) = (j as u32 + 1, grid as u32);
            match runs.last_mut().filter(|run| run.grid == grid) {
                Some(run) => run.end = end,
                None => runs.push(Run { end, grid, short: 0 }),
            }
        }
        let mut start = 0;
        for run in &mut runs {
            let bases = &record.base[start..run.end as usize];
            run.short = short_limit(&record.grids[run.grid as usize], bases);
            start = run.end as usize;
        }
        let width = record.width();
        let silent: Vec<Vec<bool>> = record
            .classes
            .residual_tables
            .chunks(width)
            .map(|row| row.iter().map(|&t| record.tables[t] == TableSpec::Zero).collect())
            .collect();
        let classes = record.classes.quantum.iter().zip(&silent);
        let mute: Vec<bool> = classes
            .map(|(&quantum, silent)| quantum < 0 || silent.iter().all(|&silent| silent))
            .collect();
        let constant =
            record.latents() == 0 && neighbours.is_none() && mute.iter().all(|&mute| mute);
        let temporal = record.temporal.iter().any(|&a| a != 0);
        let lacks_residuals = neighbours.is_none() && !temporal && mute.iter().all(|&mute| mute);
        Ok(Self {
            dtype,
            compander: None,
            network,
            tables,
            neighbours,
            runs,
            short_base: record.base.iter().map(|&b| b as i32).collect(),
            steps: record.grid_of.iter().map(|&g| whole_step(&record.grids[g])).collect(),
            silent,
            mute,
            latents_recall: record.latent_temporal.iter().any(|&a| a != 0),
            temporal,
            constant,
            lacks_residuals,
            swift_latents: OnceLock::new(),
            record,
        })
    }

    /// Returns the type of the file's numbers.
    #[cfg(feature = "compress")]
    pub(crate) fn file_dtype(&self) -> DType {
        self.compander.as_ref().map_or(self.dtype, |compander| compander.dtype)
    }

    /// Returns about how many multiply-adds of 16 bits decoding a row takes as long as, as the
    /// format counts them; none where all rows are alike.
    pub(crate) fn row_work(&self) -> u64 {
        if self.constant {
            return 0;
        }
        let units: usize = self.record.hidden_units().iter().sum();
        let each = if self.neighbours.is_some() { NUMBERS_WITH_NEIGHBOURS } else { 1 };
        let numbers = NUMBERS_PER_ROW + each * self.record.width() + self.record.latents() + units;
        NUMBER_WORK * numbers as u64 + self.network.work()
    }

    /// Returns columns that share a grid, one range after another, with their grid.
    #[inline]
    pub(crate) fn runs(&self) -> impl Iterator<Item = (Range<usize>, &Grid)> {
        let mut start = 0;
        self.runs.iter().map(move |run| {
            let columns = start..run.end as usize;
            start = columns.end;
            (columns, &self.record.grids[run.grid as usize])
        })
    }

    /// Returns the same with up to what residuals values are computed in 32 bits.
    pub(crate) fn short_runs(&self) -> impl Iterator<Item = (Range<usize>, &Grid, i32)> {
        self.runs().zip(&self.runs).map(|((columns, grid), run)| (columns, grid, run.short))
    }

    /// Says whether residuals depend on the row before.
    #[cfg(feature = "compress")]
    pub(crate) fn looks_back(&self) -> bool {
        self.temporal || self.neighbours.as_ref().is_some_and(|n| n.looks_back)
    }

    /// Says whether a row is decoded without many before it.
    pub(crate) fn is_by_row(&self) -> bool {
        !self.recalls() && self.compander.is_none()
    }

    /// Says whether anything of a row but its class depends on rows before.
    pub(crate) fn recalls(&self) -> bool {
        self.neighbours.is_some() || self.temporal || self.latents_recall
    }

    /// Says whether no value has a residual, and none is an atom: rows are what latents predict.
    pub(crate) fn lacks_residuals(&self) -> bool {
        self.lacks_residuals
    }

    /// Returns what latents are read with side by side, where that is possible.
    pub(super) fn swift_latents(&self) -> Option<&SwiftLatents> {
        let made = self.swift_latents.get_or_init(|| {
            SwiftLatents::new(&self.record, &self.tables, self.trellis()).map(Box::new)
        });
        made.as_deref()
    }

    /// Says whether values may be atoms in place of what is predicted from latents.
    pub(crate) fn replaces(&self) -> bool {
        self.record.latents() > 0 && self.neighbours.as_ref().is_some_and(|n| !n.atoms.is_empty())
    }

    /// Returns the table of next states, if latents are quantised dependently.
    pub(crate) fn trellis(&self) -> Option<&'static [[u8; 2]; 8]> {
        match self.record.trellis {
            4 => Some(&TRELLIS4),
            8 => Some(&TRELLIS8),
            _ => None,
        }
    }
}
