//! What is missing from rows, from what is there.
//!
//! A `table` holds what is known. Its gaps are guessed in several ways (`estimates`): by a normal
//! distribution (`gaussian`), by rows like them (`neighbours`, found in a `tree`), by a `network`. A
//! `trial` hides known values and sees which way suits which column.

mod estimates;
mod filled;
mod gaussian;
mod missing;
mod neighbours;
mod network;
mod table;
mod tree;
mod trial;

pub use filled::Imputed;
pub use missing::{Filling, Missing};

use self::estimates::{NETWORK, Settings};
use self::table::Table;
use self::trial::Guess;
use super::column_units::ColumnUnits;
use super::model::Model;
use super::values;
use crate::compress::{Codec, Config, TrainConfig};
use crate::error::{Error, Result};
use crate::matrix::{Matrix, Rows, Schema};

/// Columns and rows from which a network is tried besides: with fewer there is nothing in a row
/// that the other ways miss, or too little to learn from.
const NETWORK_COLUMNS: usize = 16;
const NETWORK_ROWS: usize = 256;
/// Bytes that filling gaps without a codec takes for each value: the rows, and copies of them as `f64`.
const BYTES_PER_VALUE: u64 = 80;
/// The level that trains no network by itself.
const NO_NETWORK: u8 = 1;

/// Says of each value whether it is missing: rows × columns, row-major. NaN is missing, and so is
/// what equals one of `codes`, such as -999, rounded to the type of the rows. Infinities are values
/// like others, unless a code names them.
///
/// # Errors
/// Whatever reading the rows fails with, `Io` for files.
pub fn missing_values(rows: &dyn Rows, codes: &[f64]) -> Result<Vec<bool>> {
    Missing::new(rows, codes, None)?.all()
}

/// Fills in the values of `rows` that `missing`, rows × columns, says are missing. All other
/// values stay as they are, bit for bit, infinities included; so do missing ones of columns that
/// have no value at all ([`Imputed::empty_columns`]).
///
/// With a codec, its networks say what the missing values are. A codec that was learned with parts
/// of rows hidden ([`TrainConfig::mask`]) is told which values are missing and gives all of them at
/// once. With any other codec, missing values start at their columns' means and are replaced by
/// their reconstruction until they no longer change.
///
/// Without a codec, some known values are hidden for a trial, in the places of gaps moved by some
/// rows, and guessed in several ways: by the normal distribution of the rows that is most likely
/// (expectation maximisation), alone and together with the rows before and after; by what the rows
/// nearest to them have; and, from 16 columns and 256 rows on and above level 1, by a network that
/// learns with parts of rows hidden. Each column's gaps are filled with the weights, 0 or more, that
/// suit its trial best, and with its mean where nothing else is better. Where `config.train` asks for
/// anything, a network alone fills the gaps. Values more than a hundred times further from their
/// column's median than most are, and infinite ones, have no part in this.
///
/// The result does not depend on the number of threads.
///
/// # Errors
/// `Argument` if `missing` is not as long as there are values, every value is missing, `codec` is
/// for other rows or has no encoder, or there are too few rows for the network asked for;
/// otherwise whatever reading the rows fails with.
///
/// ```
/// use aezip::apps::{impute, missing_values};
/// use aezip::{Config, Matrix};
/// let mut values: Vec<f64> = (0..60).flat_map(|i| [f64::from(i), 3.0 - 2.0 * f64::from(i)]).collect();
/// values[21] = f64::NAN;
/// let rows = Matrix::from_slice(&values, &[2])?;
/// let missing = missing_values(&rows, &[])?;
/// let filled = impute(&rows, &missing, None, &Config::default())?;
/// assert!((filled.rows.to_vec::<f64>()?[21] - -17.0).abs() < 0.01);
/// # Ok::<(), aezip::Error>(())
/// ```
pub fn impute(
    rows: &dyn Rows,
    missing: &[bool],
    codec: Option<&Codec>,
    config: &Config,
) -> Result<Imputed> {
    let schema = rows.schema();
    config.validate()?;
    check(rows, missing)?;
    let bytes = (missing.len() as u64).saturating_mul(BYTES_PER_VALUE);
    if codec.is_none() && bytes > config.memory {
        let (rows, most) = (rows.len(), config.memory);
        return Err(Error::limit(format!(
            "filling the gaps of {rows} rows by what they say themselves takes about {bytes} bytes of memory, \
             {most} are allowed: allow more, or fill them by a codec, which takes little"
        )));
    }
    let mut original = vec![0; rows.len() * schema.row_bytes()];
    rows.read(0, &mut original)?;
    let mut values = values::to_doubles(rows)?;
    let known = values.iter().zip(missing).map(|(x, m)| if *m { f64::NAN } else { *x });
    let known: Vec<f64> = known.collect();
    let mut out = Imputed::unchanged(Matrix::new(schema.clone(), original)?, missing, &known);
    if out.filled == 0 {
        return Ok(out);
    }
    if let Some(codec) = codec {
        let model = Model::new(codec)?;
        model.expect(schema)?;
        let gaps: Vec<bool> = known.iter().map(|x| !x.is_finite()).collect();
        network::fill(&model, &mut values, &gaps)?;
    } else {
        let units = ColumnUnits::judge(schema, &known);
        let table = Table::new(known, schema.width());
        let gaps = out.gaps(missing);
        let guesses = config.on_threads(|| guesses(schema, &table, units, &gaps, config))??;
        for (at, guess) in gaps.iter().zip(guesses) {
            values[*at] = table.in_units(at % table.width, guess);
        }
        out.units = Some(units);
    }
    out.put(&values, missing)?;
    Ok(out)
}

/// Fails unless `missing` has as many entries as there are values, and something is there.
fn check(rows: &dyn Rows, missing: &[bool]) -> Result<()> {
    let width = rows.schema().width();
    if Some(missing.len()) != rows.len().checked_mul(width) {
        return Err(Error::argument(format!(
            "{} values are said to be missing or not, but there are {} rows of {width}",
            missing.len(),
            rows.len()
        )));
    }
    if !missing.is_empty() && !missing.contains(&false) {
        return Err(Error::argument("every value is missing, so there is nothing to learn from"));
    }
    Ok(())
}

/// What belongs into gaps, sorted by column, in deviations from the columns' means.
fn guesses(
    schema: &Schema,
    table: &Table,
    units: ColumnUnits,
    gaps: &[usize],
    config: &Config,
) -> Result<Vec<f64>> {
    let width = table.width;
    if config.train != TrainConfig::default() {
        let values = network::learn_and_fill(schema, table, units, config)?;
        return Ok(gaps.iter().map(|at| values[*at]).collect());
    }
    let has_network =
        config.level > NO_NETWORK && width >= NETWORK_COLUMNS && table.rows() >= NETWORK_ROWS;
    let trials = trial::hidden(table, gaps, config.seed, has_network);
    let settings = Settings::choose(table, &trials[0]);
    // What was hidden from the network is no part of it either: the trial is the first one.
    let by_network = has_network
        .then(|| network::learn_and_fill(schema, &table.without(&trials[0]), units, config).ok())
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
    let mix = |(at, ways): (&usize, [f64; estimates::WAYS])| {
        ways.iter().zip(weights[at % width]).map(|(x, w)| x * w).sum()
    };
    Ok(gaps.iter().zip(ways(table, gaps)).map(mix).collect())
}
