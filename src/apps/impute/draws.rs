//! Several results instead of one, which differ by as much as a guess may be off.

use super::filled::Imputed;
use super::given::{Given, check, check_memory};
use super::guesses::Guesses;
use super::table::Table;
use crate::apps::column_units::ColumnUnits;
use crate::compress::{Config, TrainConfig};
use crate::error::{Error, Result};
use crate::matrix::Rows;
use crate::matrix::rng::Rng;

/// Results, at most.
const MOST_DRAWS: usize = 1000;

/// Fills in the values of `rows` that `missing` says are missing, `draws` times: each time with the guesses of
/// [`impute`](crate::apps::impute()) without a codec, moved at random by as much as they may be off. What is made of the
/// results differs as it would with other values in the gaps (multiple imputation; Rubin 1987, *Multiple imputation for
/// nonresponse in surveys*).
///
/// How far guesses are off is seen on known values that are hidden for it. Gaps of a row are moved together, as the
/// normal distribution of rows allows, or each by itself where rows are too wide for it, and by normally distributed
/// numbers. Moved values stay where the column's may
/// lie, and those of whole numbers are rounded.
///
/// # Errors
/// `Argument` if `draws` is not from 1 to 1000, or `config.train` asks for anything: a network alone does not say how far
/// it is off. Otherwise those of [`impute`](crate::apps::impute()).
///
/// ```
/// use aezip::apps::{impute_draws, missing_values};
/// use aezip::{Config, Matrix};
/// let mut values: Vec<f64> = (0..600).map(|i| f64::from(i * 7919 % 600) / 600.0).collect();
/// values[21] = f64::NAN;
/// let rows = Matrix::from_slice(&values, &[2])?;
/// let found = impute_draws(&rows, &missing_values(&rows, &[])?, 2, &Config::default())?;
/// let [a, b] = [0, 1].map(|i| found[i].rows.to_vec::<f64>().unwrap());
/// assert!(a[21] != b[21] && a[22] == b[22]);
/// # Ok::<(), aezip::Error>(())
/// ```
pub fn impute_draws(
    rows: &dyn Rows,
    missing: &[bool],
    draws: usize,
    config: &Config,
) -> Result<Vec<Imputed>> {
    let schema = rows.schema();
    config.validate()?;
    check(rows, missing)?;
    if !(1..=MOST_DRAWS).contains(&draws) {
        return Err(Error::argument(format!("{draws} draws are not from 1 to {MOST_DRAWS}")));
    }
    if config.train != TrainConfig::default() {
        return Err(Error::argument(
            "draws differ by how far the usual ways of filling gaps are off: leave out what is asked of a network",
        ));
    }
    check_memory(rows, draws, config)?;
    let Given { mut values, known, mut out } = Given::read(rows, missing)?;
    if out.filled == 0 {
        return Ok(vec![out; draws]);
    }
    let units = ColumnUnits::judge(schema, &known);
    let table = Table::new(known, schema.width());
    let gaps = out.gaps(missing);
    out.units = Some(units);
    config.on_threads(|| {
        let guesses = Guesses::find(schema, (&table, &gaps), units, config)?;
        let spread = guesses.spread(&table);
        let mut seeds = Rng::new(config.seed);
        let mut drawn = Vec::with_capacity(draws);
        for _ in 0..draws {
            let moved = spread.draw(&table, &gaps, seeds.next_u64());
            for ((at, guess), by) in gaps.iter().zip(&guesses.values).zip(moved) {
                let column = at % table.width;
                values[*at] = table.in_units(column, table.limited(column, guess + by));
            }
            let mut own = out.clone();
            own.put(&values, missing)?;
            drawn.push(own);
        }
        Ok(drawn)
    })?
}
