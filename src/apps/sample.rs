//! New rows that could have been among those that a codec was learned from.

use super::model::{LatentNetworks, Model};
use super::values;
use crate::codec::encoded::draw_latents;
use crate::codec::program::Program;
use crate::container::mixture::{MixtureRecord, triangle};
use crate::error::{Error, Result};
use crate::matrix::rng::Rng;
use crate::matrix::{DType, Matrix};

/// The distribution that the latents of new rows are drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SampleSource {
    /// The normal distribution with mean 0 and variance 1, which a variational codec was trained
    /// for: of one that does not know where the latents of its rows lie.
    Normal,
    /// The mixture of so many normal distributions that the latents of the rows have which a variational
    /// codec was learned from.
    Mixture(usize),
    /// The distributions that the codec's entropy coder has for its latents in each class of rows:
    /// decoding random bits draws from them.
    Coder,
}

impl std::fmt::Display for SampleSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Normal => "the normal distribution that the codec was trained for",
            Self::Mixture(1) => return f.write_str("the normal distribution of the codec's rows"),
            Self::Mixture(count) => {
                return write!(f, "the {count} normal distributions of the codec's rows");
            }
            Self::Coder => "the distributions of the codec's entropy coder",
        })
    }
}

/// Rows that were drawn.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Sampled {
    /// The rows, in the type and shape of those that the codec was learned from.
    pub rows: Matrix,
    /// Their latents as [`Model::decode`] takes them: `f32`, rows × latents.
    pub latents: Matrix,
    /// The distribution that the latents were drawn from.
    pub source: SampleSource,
}

/// The most values that are drawn at once: 1 GiB as `f32`, since all are held in memory.
const MOST_VALUES: usize = 1 << 28;
/// Rows that are drawn at least at a time, as each time a stream of bits is begun.
const LEAST_DRAWN: usize = 64;
/// How many times rows are drawn anew in place of those whose latents are out of range. A codec
/// that needs as many draws next to no row that can be used.
const MOST_TRIES: usize = 100;

/// Draws `count` new rows that could have been among those the codec was learned from; the same
/// `seed` gives the same rows.
///
/// They are decoded from drawn latents alone. A compressed row has residuals as well, so drawn
/// rows are smoother than real ones.
///
/// # Errors
/// `Argument` if `count` is 0, the model is a masked transformer, or rows or latents are more than 2^28 values, or if the codec's
/// distributions hardly ever give latents within their ranges.
///
/// ```
/// use aezip::apps::{Model, sample};
/// use aezip::{Codec, Config, Matrix, Rows};
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
    let networks = model.latent_networks()?;
    let latents = model.latents();
    let each = model.schema.width().max(latents);
    if count > MOST_VALUES / each {
        return Err(Error::argument(format!(
            "{count} rows of {each} numbers are too many to draw at once; draw up to {} at a time, \
             each time with another seed",
            MOST_VALUES / each
        )));
    }
    let mut rng = Rng::new(seed);
    let mixture = networks.encoder.as_ref().and_then(|e| Some((e, e.record.mixture.as_ref()?)));
    let (drawn, source): (Vec<f32>, _) = match mixture {
        Some((encoder, mixture)) => {
            let outputs = from_mixture(mixture, latents, count, &mut rng);
            let units = networks.output_unit(encoder);
            let drawn = outputs.iter().zip(units.iter().cycle()).map(|(y, unit)| y * unit);
            (drawn.collect(), SampleSource::Mixture(mixture.weights.len()))
        }
        None if model.is_variational() => {
            ((0..count * latents).map(|_| rng.normal()).collect(), SampleSource::Normal)
        }
        None => (from_coder(networks, model.schema.dtype, count, &mut rng)?, SampleSource::Coder),
    };
    let dtype = model.schema.dtype;
    let mut bytes = Vec::new();
    for part in values::parts(count, model.schema.width().max(latents)) {
        let values = networks.values(&drawn[part.start * latents..part.end * latents]);
        bytes.extend(values::bytes(dtype, &values));
    }
    let mut schema = model.schema.clone();
    schema.name.clear();
    Ok(Sampled {
        rows: Matrix::new(schema, bytes)?,
        latents: Matrix::from_slice(&drawn, &[latents])?,
        source,
    })
}

/// Draws outputs of an encoder from their mixture: rows × latents.
fn from_mixture(mixture: &MixtureRecord, latents: usize, count: usize, rng: &mut Rng) -> Vec<f32> {
    let MixtureRecord { weights, means, factors } = mixture;
    let sum: f64 = weights.iter().map(|w| f64::from(*w)).sum();
    let mut out = Vec::with_capacity(count * latents);
    for _ in 0..count {
        let mut left = f64::from(rng.unit()) * sum;
        let drawn = weights.iter().position(|w| {
            left -= f64::from(*w);
            left < 0.0
        });
        let own = drawn.unwrap_or(weights.len() - 1);
        let normal: Vec<f32> = (0..latents).map(|_| rng.normal()).collect();
        let mut factor = &factors[own * triangle(latents)..];
        for (k, mean) in means[own * latents..(own + 1) * latents].iter().enumerate() {
            let (row, rest) = factor.split_at(k + 1);
            out.push(mean + row.iter().zip(&normal).map(|(f, x)| f * x).sum::<f32>());
            factor = rest;
        }
    }
    out
}

/// Draws latents from the entropy coder's distributions, in units of an embedding.
fn from_coder(
    networks: &LatentNetworks,
    dtype: DType,
    count: usize,
    rng: &mut Rng,
) -> Result<Vec<f32>> {
    let program = Program::new(networks.record.clone(), dtype)?;
    let clamp = &networks.record.latent_clamp;
    let mut out = Vec::with_capacity(count * clamp.len());
    // Escapes of the entropy coder give numbers of any size, so a few rows are out of range.
    let mut tries = 0;
    while out.len() < count * clamp.len() {
        tries += 1;
        if tries > MOST_TRIES {
            return Err(Error::argument(
                "the codec's distributions hardly ever give latents within their ranges",
            ));
        }
        let missing = count - out.len() / clamp.len();
        let drawn = draw_latents(&program, missing.max(LEAST_DRAWN), &mut || rng.next_u64())?;
        let sound = drawn
            .chunks_exact(clamp.len())
            .filter(|y| y.iter().zip(clamp).all(|(y, c)| i64::from(*y).abs() < (*c).max(1)));
        for row in sound.take(missing) {
            out.extend(row.iter().zip(&networks.unit).map(|(y, u)| (f64::from(*y) * u) as f32));
        }
    }
    Ok(out)
}
