//! The `enco` section of a codec: the network that finds latents, which reading does not need.
//!
//! Unlike the model it is made of floats. It cannot spoil what is decoded: latents that another
//! machine computes a little differently only give other residuals.

use super::bytes::{Cursor, put_varint};
use super::forever::{MAX_DISTRIBUTIONS, MAX_HIDDEN, MAX_UNITS};
use super::mixture::{self, MixtureRecord};
use super::shuffle;
use crate::error::{Error, Result};
use crate::limits::{self, Limits};

/// Number of functions of layers: identity, leaky ReLU, ReLU, tanh, GELU.
const FUNCTIONS: u8 = 5;
/// Level of zstd for floats: little but signs and exponents gets smaller, at any level.
#[cfg(feature = "compress")]
const FLOAT_LEVEL: i32 = 9;
/// Bits of the flags.
const SKIP: u8 = 1;
const MASKED: u8 = 2;
const VARIATIONAL: u8 = 4;
const MIXTURE: u8 = 8;

/// The network that finds latents, in 32-bit floats.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct EncoderRecord {
    /// Subtracted from each column, in the data's units.
    pub(crate) centre: Vec<f64>,
    /// What the difference is divided by; where it is 0, the column is left out: its input is 0.
    pub(crate) scale: Vec<f64>,
    /// Inputs are clamped to ± this.
    pub(crate) clip: Vec<f32>,
    /// The network's outputs times this are latents, in the decoder's integer units.
    pub(crate) latent: Vec<f32>,
    /// Width and function of each layer: 0 identity, 1 leaky ReLU with slope 2^-3, 2 ReLU,
    /// 3 tanh, 4 GELU. The last layer has as many outputs as there are latents.
    pub(crate) layers: Vec<(usize, u8)>,
    /// Whether the inputs times a matrix are added to the last layer's outputs.
    pub(crate) skip: bool,
    /// Whether the inputs are twice as many as columns: behind the values come as many that are
    /// 1 where a value is hidden, whose own input is then 0.
    pub(crate) masked: bool,
    /// Whether outputs were trained to be normally distributed with mean 0 and variance 1.
    pub(crate) variational: bool,
    /// Weights of each layer, inputs × outputs, row-major, followed by its biases; then, with
    /// `skip`, a matrix of inputs × latents.
    pub(crate) params: Vec<f32>,
    /// How the outputs lie that rows like those of the training have, where that is known.
    pub(crate) mixture: Option<MixtureRecord>,
}

/// Counts the parameters of layers with so many inputs; no sum is beyond 2^46.
pub(super) fn parameters(inputs: usize, layers: &[(usize, u8)], skip: bool) -> u64 {
    let (first, mut inputs, mut sum) = (inputs as u64, inputs as u64, 0);
    for &(outputs, _) in layers {
        sum += (inputs + 1) * outputs as u64;
        inputs = outputs as u64;
    }
    if skip { sum + first * inputs } else { sum }
}

/// Appends the number of layers, then width and function of each.
#[cfg(feature = "compress")]
pub(super) fn put_layers(out: &mut Vec<u8>, layers: &[(usize, u8)]) {
    put_varint(out, layers.len() as u64);
    for &(width, function) in layers {
        put_varint(out, width as u64);
        out.push(function);
    }
}

/// Reads what `put_layers` wrote; `whose` they are is for errors.
pub(super) fn take_layers(
    cursor: &mut Cursor<'_>,
    whose: &str,
    at: u64,
) -> Result<Vec<(usize, u8)>> {
    let corrupt = |what: String| Error::corrupt(what).at(at);
    let count = cursor.varint()?;
    if !(1..=MAX_HIDDEN as u64 + 1).contains(&count) {
        return Err(corrupt(format!("{whose} of {count} layers")));
    }
    let mut layers = Vec::new();
    for _ in 0..count {
        let (outputs, function) = (cursor.varint()?, cursor.u8()?);
        if !(1..=MAX_UNITS as u64).contains(&outputs) {
            return Err(corrupt(format!("{whose}'s layer of {outputs}")));
        }
        if function >= FUNCTIONS {
            return Err(corrupt(format!("function {function} is not defined")));
        }
        layers.push((outputs as usize, function));
    }
    Ok(layers)
}

/// Reads of how many distributions a mixture is.
fn take_distributions(cursor: &mut Cursor<'_>, at: u64) -> Result<usize> {
    let count = cursor.varint()?;
    if !(1..=MAX_DISTRIBUTIONS as u64).contains(&count) {
        return Err(Error::corrupt(format!("a mixture of {count} distributions")).at(at));
    }
    Ok(count as usize)
}

impl EncoderRecord {
    /// Returns the section's payload.
    #[cfg(feature = "compress")]
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_layers(&mut out, &self.layers);
        let flags = [
            (self.skip, SKIP),
            (self.masked, MASKED),
            (self.variational, VARIATIONAL),
            (self.mixture.is_some(), MIXTURE),
        ];
        out.push(flags.iter().filter(|(set, _)| *set).map(|(_, bit)| bit).sum());
        self.mixture.iter().for_each(|mixture| put_varint(&mut out, mixture.weights.len() as u64));
        let wide = self.centre.iter().chain(&self.scale).flat_map(|v| v.to_le_bytes());
        let narrow = self.clip.iter().chain(&self.latent).chain(&self.params);
        let narrow = narrow.chain(self.mixture.iter().flat_map(MixtureRecord::numbers));
        let narrow: Vec<u8> = narrow.flat_map(|v| v.to_le_bytes()).collect();
        let mut floats = shuffle::shuffle(&wide.collect::<Vec<u8>>(), 8);
        floats.extend(shuffle::shuffle(&narrow, 4));
        out.extend(shuffle::compress(&floats, FLOAT_LEVEL));
        out
    }

    /// Reads a payload that begins at `at`, for rows of `width` columns and a model of `latents`.
    pub(crate) fn decode(
        bytes: &[u8],
        at: u64,
        width: usize,
        latents: usize,
        limits: &Limits,
    ) -> Result<Self> {
        let mut cursor = Cursor::new(bytes, at);
        let layers = take_layers(&mut cursor, "an encoder", at)?;
        let last = layers.last().map_or(0, |l| l.0);
        if last != latents {
            let what = format!("the encoder gives {last} latents, the model has {latents}");
            return Err(Error::corrupt(what).at(at));
        }
        let flags = cursor.u8()?;
        if flags & !(SKIP | MASKED | VARIATIONAL | MIXTURE) != 0 {
            return Err(Error::corrupt(format!("an encoder's flags of {flags}")).at(at));
        }
        let [skip, masked, variational, mixed] =
            [SKIP, MASKED, VARIATIONAL, MIXTURE].map(|bit| flags & bit != 0);
        let distributions = if mixed { take_distributions(&mut cursor, at)? } else { 0 };
        let inputs = width * if masked { 2 } else { 1 };
        let params = parameters(inputs, &layers, skip);
        let narrow = (width + latents) as u64 + params + mixture::numbers(distributions, latents);
        let total = 16 * width as u64 + 4 * narrow;
        limits::check("the encoder", total, limits.model_bytes).map_err(|e| e.at(at))?;
        let total = usize::try_from(total)
            .map_err(|_| Error::limit("the encoder is larger than this machine's memory").at(at))?;
        let floats = shuffle::decompress(cursor.rest(), total, at)?;
        if floats.len() != total {
            let what = format!("an encoder's floats take {total} bytes, not {}", floats.len());
            return Err(Error::corrupt(what).at(at));
        }
        let (wide, narrow) = floats.split_at(16 * width);
        let doubles = |first, count| {
            let mut out = vec![0; 8 * count];
            shuffle::unshuffle(wide, 8, first, &mut out);
            out.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect::<Vec<f64>>()
        };
        let singles = |first, count| {
            let mut out = vec![0; 4 * count];
            shuffle::unshuffle(narrow, 4, first, &mut out);
            out.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect::<Vec<f32>>()
        };
        let (given, params) = (width + latents, params as usize);
        let mixture = singles(given + params, narrow.len() / 4 - given - params);
        let mixture =
            (distributions > 0).then(|| MixtureRecord::new(&mixture, distributions, latents));
        let out = Self {
            centre: doubles(0, width),
            scale: doubles(width, width),
            clip: singles(0, width),
            latent: singles(width, latents),
            params: singles(given, params),
            layers,
            skip,
            masked,
            variational,
            mixture: mixture.transpose().map_err(|e| e.at(at))?,
        };
        out.check().map_err(|e| e.at(at))?;
        Ok(out)
    }

    /// Checks that all numbers are such that inputs can be computed and clamped.
    fn check(&self) -> Result<()> {
        let wide = self.centre.iter().chain(&self.scale).all(|v| v.is_finite());
        let mut narrow = self.clip.iter().chain(&self.latent).chain(&self.params);
        if !wide || !narrow.all(|v| v.is_finite()) {
            return Err(Error::corrupt("a number of the encoder is not finite"));
        }
        if self.scale.iter().any(|v| *v < 0.0) || self.clip.iter().any(|v| *v < 0.0) {
            return Err(Error::corrupt("a scale or clip of the encoder is negative"));
        }
        Ok(())
    }
}

#[cfg(all(test, feature = "compress"))]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    /// Makes an encoder of five columns and two latents.
    fn record(layers: &[(usize, u8)], skip: bool) -> EncoderRecord {
        let mut x = 0.1_f32;
        let mut next = || {
            x = 3.9 * x * (1.0 - x);
            x - 0.5
        };
        let mut list = |count: u64| (0..count).map(|_| next()).collect::<Vec<f32>>();
        EncoderRecord {
            centre: vec![1.5, -0.0, f64::MAX, 1e-310, -7.25],
            scale: vec![0.0, 2.0, f64::MIN_POSITIVE, 1e300, -0.0],
            clip: vec![4.0, 0.0, f32::MAX, 1e-40, 3.5],
            latent: list(2),
            params: list(parameters(5, layers, skip)),
            layers: layers.to_vec(),
            skip,
            masked: false,
            variational: false,
            mixture: None,
        }
    }

    fn decode(bytes: &[u8]) -> Result<EncoderRecord> {
        EncoderRecord::decode(bytes, 0, 5, 2, &Limits::default())
    }

    fn refused(record: &EncoderRecord) -> ErrorKind {
        decode(&record.encode()).unwrap_err().kind()
    }

    #[test]
    fn records_come_back_bit_for_bit() {
        let deep: Vec<(usize, u8)> = (0..17).map(|i| (2 + i % 3, (i % 5) as u8)).collect();
        for layers in [&[(2, 0)][..], &[(40, 1), (7, 4), (2, 0)], &deep[..16], &deep[..13]] {
            let mut layers = layers.to_vec();
            layers.last_mut().unwrap().0 = 2;
            for skip in [false, true] {
                let own = record(&layers, skip);
                let bytes = own.encode();
                let back = decode(&bytes).unwrap();
                assert_eq!(back, own);
                assert_eq!(back.encode(), bytes, "signs of zeros too");
            }
        }
    }

    #[test]
    fn a_masked_encoder_has_twice_the_inputs() {
        for (skip, variational) in [(false, true), (true, false)] {
            let layers = [(3, 2), (2, 2)];
            let mut own = EncoderRecord { masked: true, variational, ..record(&layers, skip) };
            decode(&own.encode()).expect_err("too few parameters");
            let more = if skip { 5 * 3 + 5 * 2 } else { 5 * 3 };
            own.params.extend(vec![0.25; more]);
            assert_eq!(decode(&own.encode()).unwrap(), own);
            own.masked = false;
            decode(&own.encode()).expect_err("too many parameters");
        }
    }

    /// Two distributions of two latents.
    fn mixture() -> Option<MixtureRecord> {
        Some(MixtureRecord {
            weights: vec![0.25, 1.5],
            means: vec![1.0, -2.0, 0.5, f32::MAX],
            factors: vec![1.0, -0.5, 2.0, 0.0, 0.0, 1e-40],
        })
    }

    #[test]
    fn a_mixture_comes_back_or_is_refused() {
        let own = EncoderRecord { mixture: mixture(), ..record(&[(3, 1), (2, 0)], true) };
        assert_eq!(decode(&own.encode()).unwrap(), own);
        let with = |change: &dyn Fn(&mut MixtureRecord)| {
            let mut mixture = mixture().unwrap();
            change(&mut mixture);
            refused(&EncoderRecord { mixture: Some(mixture), ..own.clone() })
        };
        use ErrorKind::Corrupt;
        assert_eq!(with(&|m| m.weights[1] = 0.0), Corrupt);
        assert_eq!(with(&|m| m.weights[0] = f32::NAN), Corrupt);
        assert_eq!(with(&|m| m.means[3] = f32::INFINITY), Corrupt);
        assert_eq!(with(&|m| m.factors[5] = f32::NAN), Corrupt);
        assert_eq!(with(&|m| m.factors.truncate(5)), Corrupt);
        assert_eq!(with(&|m| m.weights.clear()), Corrupt);
        assert_eq!(with(&|m| m.weights = vec![1.0; MAX_DISTRIBUTIONS + 1]), Corrupt);
    }

    #[test]
    fn all_beginnings_are_refused() {
        for (layers, mixture) in [(&[(2, 0)][..], None), (&[(40, 1), (2, 0)], mixture())] {
            let bytes = EncoderRecord { mixture, ..record(layers, true) }.encode();
            for length in 0..bytes.len() {
                decode(&bytes[..length]).expect_err("cut");
            }
            decode(&[&bytes[..], &[0]].concat()).expect_err("goes on");
        }
    }

    #[test]
    fn changes_never_panic() {
        let bytes = record(&[(6, 1), (2, 0)], true).encode();
        for bit in 0..bytes.len() * 8 {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            // A bit of a float makes another float.
            drop(decode(&other));
        }
    }

    #[test]
    fn what_no_encoder_has_is_refused() {
        use ErrorKind::Corrupt;
        let good = record(&[(3, 1), (2, 0)], true);
        decode(&good.encode()).unwrap();
        let with = |change: &dyn Fn(&mut EncoderRecord)| {
            let mut own = good.clone();
            change(&mut own);
            refused(&own)
        };
        assert_eq!(with(&|e| e.layers.clear()), Corrupt);
        assert_eq!(with(&|e| e.layers = vec![(2, 0); 18]), Corrupt);
        assert_eq!(with(&|e| e.layers[0].0 = 0), Corrupt);
        assert_eq!(with(&|e| e.layers[0].0 = MAX_UNITS + 1), Corrupt);
        assert_eq!(with(&|e| e.layers[0].1 = FUNCTIONS), Corrupt);
        assert_eq!(with(&|e| e.layers[1].0 = 3), Corrupt);
        assert_eq!(with(&|e| e.skip = false), Corrupt);
        assert_eq!(with(&|e| e.params.truncate(35)), Corrupt);
        assert_eq!(with(&|e| e.params.push(0.0)), Corrupt);
        for bad in [f64::NAN, f64::INFINITY] {
            assert_eq!(with(&|e| e.centre[3] = bad), Corrupt);
            assert_eq!(with(&|e| e.scale[3] = bad), Corrupt);
            assert_eq!(with(&|e| e.clip[4] = -bad as f32), Corrupt);
            assert_eq!(with(&|e| e.latent[1] = bad as f32), Corrupt);
            assert_eq!(with(&|e| *e.params.last_mut().unwrap() = bad as f32), Corrupt);
        }
        assert_eq!(with(&|e| e.scale[0] = -1e-300), Corrupt);
        assert_eq!(with(&|e| e.clip[0] = -1e-40), Corrupt);
        let mut flag = good.encode();
        flag[5] = 16;
        assert_eq!(decode(&flag).unwrap_err().kind(), Corrupt);
        let none = EncoderRecord::decode(&good.encode(), 0, 5, 0, &Limits::default());
        assert_eq!(none.unwrap_err().kind(), Corrupt);
    }

    #[test]
    fn hostile_counts_take_no_memory() {
        let claim = |layers: &[u64], rest: &[u8]| {
            let mut out = Vec::new();
            put_varint(&mut out, layers.len() as u64);
            for &n in layers {
                put_varint(&mut out, n);
                out.push(0);
            }
            [&out[..], &[1], rest].concat()
        };
        // Petabytes.
        let widest = claim(&[1 << 16; 17], &[0xff, 0xff, 0xff, 0xff, 0x7f]);
        let kind = |bytes: &[u8], width, latents, limits: &Limits| {
            EncoderRecord::decode(bytes, 9, width, latents, limits).unwrap_err().kind()
        };
        let usual = Limits::default();
        assert_eq!(kind(&widest, 1 << 24, 1 << 16, &usual), ErrorKind::Limit);
        let far = claim(&[u64::MAX, 2], &[]);
        assert_eq!(kind(&far, 5, 2, &usual), ErrorKind::Corrupt);
        let mut many = Vec::new();
        put_varint(&mut many, u64::MAX);
        assert_eq!(kind(&many, 5, 2, &usual), ErrorKind::Corrupt);
        // Packed bytes that claim more than what belongs there.
        let more = claim(&[2], &[0xff, 0xff, 0xff, 0xff, 0x7f]);
        assert_eq!(kind(&more, 5, 2, &usual), ErrorKind::Corrupt);
        // Exactly at the limit, and one byte above it.
        let own = record(&[(2, 0)], true);
        let total = 16 * 5 + 4 * (5 + 2 + 12 + 10);
        let bytes = own.encode();
        let limits = Limits { model_bytes: total, ..usual };
        assert_eq!(EncoderRecord::decode(&bytes, 0, 5, 2, &limits).unwrap(), own);
        let limits = Limits { model_bytes: total - 1, ..usual };
        assert_eq!(kind(&bytes, 5, 2, &limits), ErrorKind::Limit);
    }
}
