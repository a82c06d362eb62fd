//! New rows that could have been among those that a codec was learned from.

use super::cells;
use super::model::Model;
use crate::codec::decode::draw_latents;
use crate::codec::program::Program;
use crate::error::{Error, Result};
use crate::matrix::Matrix;
use crate::matrix::rng::Rng;

/// Where the latents of new rows come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SampleSource {
    /// The normal distribution with mean 0 and variance 1, which a variational codec was trained
    /// for.
    Normal,
    /// The distributions that the file's entropy coder has for its latents, by row class: what
    /// coded rows turn into bits turns random bits into rows.
    Coder,
}

impl std::fmt::Display for SampleSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Normal => "the normal distribution that the codec was trained for",
            Self::Coder => "the distributions of the codec's entropy coder",
        })
    }
}

/// New rows.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Sampled {
    /// In the type and shape of those that the codec was learned from.
    pub rows: Matrix,
    /// Their latents, as [`Model::decode`] takes them.
    pub latents: Matrix,
    /// Where these came from.
    pub source: SampleSource,
}

/// Numbers that are drawn at once, at most: what is drawn is held in memory.
const MOST_NUMBERS: usize = 1 << 28;

/// Draws `count` new rows; the same `seed` gives the same ones.
///
/// They are what the decoder makes of drawn latents: without the residuals that a compressed row
/// has as well, so smoother than real ones.
///
/// # Errors
/// `Argument` for no rows or more than 2^28 numbers, or if the codec's distributions give none within its latents' ranges.
///
/// ```
/// use aezip::{Codec, Config, Matrix, Model, Rows, sample};
/// let wave = |i: usize| ((i / 20) as f32 * 0.3).sin() * (i % 20) as f32;
/// let rows = Matrix::from_slice(&(0..10_000).map(wave).collect::<Vec<_>>(), &[20])?;
/// let model = Model::new(&Codec::fit(&rows, &Config::default())?)?;
/// assert_eq!(sample(&model, 12, 0)?.rows.len(), 12);
/// # Ok::<(), aezip::Error>(())
/// ```
pub fn sample(model: &Model, count: usize, seed: u64) -> Result<Sampled> {
    if count == 0 {
        return Err(Error::argument("no rows to draw; ask for 1 or more"));
    }
    let latents = model.latents();
    let each = model.schema.width().max(latents);
    if count > MOST_NUMBERS / each {
        return Err(Error::argument(format!(
            "{count} rows of {each} numbers are too many to draw at once; draw up to {} at a time, \
             each time with another seed",
            MOST_NUMBERS / each
        )));
    }
    let mut rng = Rng::new(seed);
    let (drawn, source): (Vec<f32>, _) = if model.is_variational() {
        ((0..count * latents).map(|_| rng.normal()).collect(), SampleSource::Normal)
    } else {
        (from_coder(model, count, &mut rng)?, SampleSource::Coder)
    };
    let dtype = model.schema.dtype;
    let mut bytes = Vec::new();
    for part in cells::parts(count, model.schema.width().max(latents)) {
        let values = model.values(&drawn[part.start * latents..part.end * latents]);
        bytes.extend(cells::bytes(dtype, &values));
    }
    let mut schema = model.schema.clone();
    schema.name.clear();
    Ok(Sampled {
        rows: Matrix::new(schema, bytes)?,
        latents: Matrix::from_slice(&drawn, &[latents])?,
        source,
    })
}

fn from_coder(model: &Model, count: usize, rng: &mut Rng) -> Result<Vec<f32>> {
    let program = Program::new(model.record.clone(), model.schema.dtype)?;
    let clamp = &model.record.latent_clamp;
    let mut out = Vec::with_capacity(count * clamp.len());
    // Escapes give numbers of any size; a few rows are drawn again for them.
    let mut tries = 0;
    while out.len() < count * clamp.len() {
        tries += 1;
        if tries > 100 {
            return Err(Error::argument(
                "the codec's distributions hardly ever give latents within their ranges",
            ));
        }
        let missing = count - out.len() / clamp.len();
        let drawn = draw_latents(&program, missing.max(64), &mut || rng.next_u64())?;
        let sound = drawn
            .chunks_exact(clamp.len())
            .filter(|y| y.iter().zip(clamp).all(|(y, c)| i64::from(*y).abs() < (*c).max(1)));
        for row in sound.take(missing) {
            out.extend(row.iter().zip(&model.unit).map(|(y, u)| (f64::from(*y) * u) as f32));
        }
    }
    Ok(out)
}
