//! What is missing from rows, from what is there.
//!
//! A `table` holds what is known. Its gaps are guessed in several ways (`estimates`): by a normal
//! distribution (`gaussian`, for `wide` rows another), by rows like them (`neighbours`, found in a `tree`),
//! by a `network`. A `trial` hides known values and sees which way suits which column; `guesses` mixes them. How far
//! these may be off (`spread`) tells `draws` apart. A codec that is given fills gaps alone: by what its `network` makes of
//! the row, and by the `posterior` of its latents.

mod draws;
mod estimates;
mod filled;
mod gaussian;
mod given;
mod guesses;
mod missing;
mod neighbours;
mod network;
mod patches;
mod posterior;
mod spread;
mod table;
mod tree;
mod trial;
mod wide;

pub use draws::impute_draws;
pub use filled::Imputed;
pub use missing::{Filling, Missing};

use self::given::{Given, check, check_memory};
use self::guesses::{Guesses, by_network_alone};
use self::table::Table;
use super::column_units::ColumnUnits;
use super::model::Model;
use crate::compress::{Codec, Config, TrainConfig};
use crate::error::Result;
use crate::matrix::Rows;

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
/// their reconstruction until they no longer change. Where a codec has latents and known values that are hidden for a
/// trial say that it is better, what the decoder makes of the likeliest latents takes their place: likeliest given the
/// known values of the row and how the latents of the rows around it lie, some two million values at a time.
///
/// Without a codec, some known values are hidden for a trial, in the places of gaps moved by some
/// rows, and guessed in several ways: by the normal distribution of the rows that is most likely
/// (expectation maximisation), alone and together with the rows before and after, or of wide rows an
/// approximation of it; by what the rows
/// nearest to them have; where rows have neighbours, as pictures and series have, by patches of them; and, from 16 columns and 256 rows on and above level 1, by a network that
/// learns with parts of rows hidden. Each column's gaps are filled with the weights, 0 or more, that
/// suit its trial best, and with its mean where nothing else is better. Where `config.train` asks for
/// anything, a network alone fills the gaps. Values more than a hundred times further from their
/// column's median than most are, and infinite ones, have no part in this.
///
/// The result does not depend on the number of threads.
///
/// # Errors
/// `Argument` if `missing` is not as long as there are values, every value is missing, `codec` is
/// for other rows or has no encoder, or there are too few rows for the network asked for; `Interrupted` once
/// [`Config::interrupt`] asks for it; otherwise whatever reading the rows fails with.
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
    if codec.is_none() {
        check_memory(rows, 0, config)?;
    }
    let Given { mut values, known, mut out } = Given::read(rows, missing)?;
    if out.filled == 0 {
        return Ok(out);
    }
    if let Some(codec) = codec {
        let model = Model::new(codec)?;
        model.expect(schema)?;
        let gaps: Vec<bool> = known.iter().map(|x| !x.is_finite()).collect();
        config.on_threads(|| network::fill(&model, &mut values, &gaps))??;
    } else {
        let units = ColumnUnits::judge(schema, &known);
        let table = Table::new(known, schema.width());
        let gaps = out.gaps(missing);
        let found = config.on_threads(|| match config.train == TrainConfig::default() {
            true => Guesses::find(schema, (&table, &gaps), units, config).map(|own| own.values),
            false => by_network_alone(schema, (&table, &gaps), units, config),
        });
        let guesses = found??;
        for (at, guess) in gaps.iter().zip(guesses) {
            values[*at] = table.in_units(at % table.width, guess);
        }
        out.units = Some(units);
    }
    out.put(&values, missing)?;
    Ok(out)
}
