//! The mixture of ways that fills the gaps of each column, and how far it is off.

use super::estimates::{NETWORK, Settings, WAYS};
use super::network;
use super::spread::{Miss, Spread, expected};
use super::table::Table;
use super::trial::{self, Guess};
use crate::apps::column_units::ColumnUnits;
use crate::compress::Config;
use crate::error::Result;
use crate::matrix::Schema;

/// Columns and rows from which a network is tried besides: with fewer there is nothing in a row
/// that the other ways miss, or too little to learn from.
const NETWORK_COLUMNS: usize = 16;
const NETWORK_ROWS: usize = 256;
/// The level that trains no network by itself.
const NO_NETWORK: u8 = 1;

/// What belongs into the gaps of a table, sorted by column, in deviations from the columns' means.
pub(super) struct Guesses {
    pub(super) values: Vec<f64>,
    settings: Settings,
    /// The columns of values that were hidden, and how far guesses of these by the same mixtures are off.
    hidden: Vec<(usize, f64)>,
    /// The places of these values.
    trials: Vec<Vec<usize>>,
}

/// What a network makes of the gaps that learns with parts of rows hidden.
pub(super) fn by_network_alone(
    schema: &Schema,
    (table, gaps): (&Table, &[usize]),
    units: ColumnUnits,
    config: &Config,
) -> Result<Vec<f64>> {
    let values = network::learn_and_fill(schema, table, units, config)?;
    Ok(gaps.iter().map(|at| values[*at]).collect())
}

impl Guesses {
    /// Finds them in several ways, which are mixed as suits each column.
    pub(super) fn find(
        schema: &Schema,
        (table, gaps): (&Table, &[usize]),
        units: ColumnUnits,
        config: &Config,
    ) -> Result<Self> {
        let width = table.width;
        let has_network =
            config.level > NO_NETWORK && width >= NETWORK_COLUMNS && table.rows() >= NETWORK_ROWS;
        let trials = trial::hidden(table, gaps, config.seed, has_network);
        let shape = (&schema.row_shape[..], units == ColumnUnits::Shared);
        let settings = Settings::choose(table, shape, &trials);
        // What was hidden from the network is no part of it either: the trial is the first one.
        let by_network = has_network
            .then(|| {
                network::learn_and_fill(schema, &table.without(&trials[0]), units, config).ok()
            })
            .flatten();
        let ways = |table: &Table, cells: &[usize]| {
            let mut ways = settings.estimates(table, cells);
            if let Some(values) = &by_network {
                ways.iter_mut().zip(cells).for_each(|(ways, &at)| ways[NETWORK] = values[at]);
            }
            for (ways, at) in ways.iter_mut().zip(cells) {
                ways.iter_mut().for_each(|x| *x = table.limited(at % width, *x));
            }
            ways
        };
        let mut guesses = Vec::new();
        for cells in &trials {
            let values = cells.iter().map(|&at| (at % width, table.values[at]));
            let ways = ways(&table.without(cells), cells);
            let guess = |((column, value), ways)| Guess { column, value, ways };
            guesses.extend(values.zip(ways).map(guess));
        }
        let weights = trial::weights(&guesses, width);
        let mix = |column: usize, ways: &[f64; WAYS]| -> f64 {
            ways.iter().zip(weights[column]).map(|(x, w)| x * w).sum()
        };
        let hidden = guesses.iter().map(|g| (g.column, mix(g.column, &g.ways) - g.value)).collect();
        let values = gaps.iter().zip(ways(table, gaps)).map(|(at, ways)| mix(at % width, &ways));
        Ok(Self { values: values.collect(), hidden, trials, settings })
    }

    /// Says how far they may be off.
    pub(super) fn spread(&self, table: &Table) -> Spread<'_> {
        let expected = self
            .trials
            .iter()
            .flat_map(|cells| expected(&self.settings, &table.without(cells), cells));
        let miss = |(&(column, error), expected)| Miss { column, error, expected };
        let misses: Vec<Miss> = self.hidden.iter().zip(expected).map(miss).collect();
        Spread::new(&self.settings, &misses, table.width)
    }
}
