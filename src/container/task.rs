//! The `task` section of a codec: a copy of its encoder that was trained further to predict
//! something of a row, or nothing where its transformer embeds rows, with what predicts it from there. Reading rows
//! does not need it.

use super::bytes::Cursor;
#[cfg(any(feature = "apps", all(test, feature = "compress")))]
use super::bytes::put_varint;
#[cfg(any(feature = "apps", all(test, feature = "compress")))]
use super::encoder::put_layers;
use super::encoder::{EncoderRecord, parameters, take_layers};
use super::forever::MAX_UNITS;
use super::shuffle;
use crate::error::{Error, Result};
use crate::limits::{self, Limits};

/// Codes of [`Targets`].
const CLASSES: u8 = 0;
const VALUES: u8 = 1;
/// Level of zstd for floats: little but signs and exponents gets smaller, at any level.
#[cfg(any(feature = "apps", all(test, feature = "compress")))]
const FLOAT_LEVEL: i32 = 9;

/// What is predicted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Targets {
    /// One of these labels, ascending; the head gives their logits.
    Classes(Vec<i64>),
    /// Numbers: the head's outputs times a scale, plus a centre.
    Values { centre: Vec<f64>, scale: Vec<f64> },
}

impl Targets {
    /// Returns the number of outputs of the head.
    pub(crate) fn outputs(&self) -> usize {
        match self {
            Targets::Classes(labels) => labels.len(),
            Targets::Values { centre, .. } => centre.len(),
        }
    }

    /// Reads kind, number of outputs and what belongs to each of them.
    fn decode(cursor: &mut Cursor<'_>, at: u64) -> Result<Self> {
        let corrupt = |what: String| Error::corrupt(what).at(at);
        let kind = cursor.u8()?;
        let outputs = cursor.varint()?;
        if !(1..=MAX_UNITS as u64).contains(&outputs) {
            return Err(corrupt(format!("a task of {outputs} outputs")));
        }
        let outputs = outputs as usize;
        let words = |bytes: &[u8]| -> Vec<[u8; 8]> { bytes.as_chunks::<8>().0.to_vec() };
        match kind {
            CLASSES => {
                let labels = words(cursor.take(8 * outputs)?);
                let labels: Vec<i64> = labels.into_iter().map(i64::from_le_bytes).collect();
                if !labels.is_sorted_by(|a, b| a < b) {
                    return Err(corrupt("a task's labels do not ascend".to_string()));
                }
                Ok(Targets::Classes(labels))
            }
            VALUES => {
                let all = words(cursor.take(16 * outputs)?);
                let mut centre: Vec<f64> = all.into_iter().map(f64::from_le_bytes).collect();
                let scale = centre.split_off(outputs);
                if !centre.iter().chain(&scale).all(|v| v.is_finite()) {
                    return Err(corrupt("a number of a task is not finite".to_string()));
                }
                Ok(Targets::Values { centre, scale })
            }
            kind => Err(corrupt(format!("a task of undefined kind {kind}"))),
        }
    }
}

/// Unpacks `count` finite 32-bit floats.
fn take_floats(packed: &[u8], count: u64, limits: &Limits, at: u64) -> Result<Vec<f32>> {
    let corrupt = |what: String| Error::corrupt(what).at(at);
    let total = 4 * count;
    limits::check("a task's head", total, limits.model_bytes).map_err(|e| e.at(at))?;
    let total = usize::try_from(total)
        .map_err(|_| Error::limit("a task's head is larger than this machine's memory"))?;
    let floats = shuffle::decompress(packed, total, at)?;
    if floats.len() != total {
        return Err(corrupt(format!("a head's floats take {total} bytes, not {}", floats.len())));
    }
    let mut plain = vec![0; total];
    shuffle::unshuffle(&floats, 4, 0, &mut plain);
    let floats: Vec<f32> = plain.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    if !floats.iter().all(|v| v.is_finite()) {
        return Err(corrupt("a number of a task is not finite".to_string()));
    }
    Ok(floats)
}

/// How many numbers the codec says of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Encoded {
    /// Latents of its model; 0 where it has none.
    pub(crate) latents: usize,
    /// Numbers of an embedding by its transformer, if it has one.
    pub(crate) embedding: Option<usize>,
}

/// An encoder and a head on top of it, in 32-bit floats.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TaskRecord {
    pub(crate) targets: Targets,
    /// None where rows are embedded by the codec's transformer.
    pub(crate) encoder: Option<EncoderRecord>,
    /// Subtracted from each of the encoder's outputs, which its latents' units do not scale here, or from each number
    /// of the embedding.
    pub(crate) centre: Vec<f32>,
    /// What the difference is divided by.
    pub(crate) scale: Vec<f32>,
    /// Width and function of each of the head's layers, as in the encoder.
    pub(crate) layers: Vec<(usize, u8)>,
    /// Weights of each layer, inputs × outputs, row-major, followed by its biases.
    pub(crate) params: Vec<f32>,
}

impl TaskRecord {
    /// Returns the section's payload.
    #[cfg(any(feature = "apps", all(test, feature = "compress")))]
    pub(crate) fn encode(&self) -> Vec<u8> {
        let kind = match self.targets {
            Targets::Classes(_) => CLASSES,
            Targets::Values { .. } => VALUES,
        };
        let mut out = vec![kind];
        put_varint(&mut out, self.targets.outputs() as u64);
        match &self.targets {
            Targets::Classes(labels) => out.extend(labels.iter().flat_map(|l| l.to_le_bytes())),
            Targets::Values { centre, scale } => {
                out.extend(centre.iter().chain(scale).flat_map(|v| v.to_le_bytes()));
            }
        }
        put_layers(&mut out, &self.layers);
        let encoder = self.encoder.as_ref().map(EncoderRecord::encode).unwrap_or_default();
        put_varint(&mut out, encoder.len() as u64);
        out.extend(encoder);
        let floats = self.centre.iter().chain(&self.scale).chain(&self.params);
        let floats: Vec<u8> = floats.flat_map(|v| v.to_le_bytes()).collect();
        out.extend(shuffle::compress(&shuffle::shuffle(&floats, 4), FLOAT_LEVEL));
        out
    }

    /// Reads a payload that begins at `at`, for rows of `width` columns.
    pub(crate) fn decode(
        bytes: &[u8],
        at: u64,
        width: usize,
        encoded: Encoded,
        limits: &Limits,
    ) -> Result<Self> {
        let corrupt = |what: String| Error::corrupt(what).at(at);
        let mut cursor = Cursor::new(bytes, at);
        let targets = Targets::decode(&mut cursor, at)?;
        let outputs = targets.outputs();
        let layers = take_layers(&mut cursor, "a task's head", at)?;
        if layers.last().is_none_or(|l| l.0 != outputs) {
            return Err(corrupt(format!("a task's head does not end in its {outputs} outputs")));
        }
        let length = cursor.varint()?;
        let rest = cursor.rest();
        let inner = usize::try_from(length).ok().filter(|n| *n <= rest.len());
        let (inner, packed) = rest.split_at(inner.ok_or_else(|| {
            Error::truncated(format!("a task's encoder claims {length} bytes")).at(at)
        })?);
        let (encoder, inputs) = if inner.is_empty() {
            let without = || corrupt("a task without an encoder, nor a transformer".to_string());
            (None, encoded.embedding.ok_or_else(without)?)
        } else {
            let latents = encoded.latents;
            (Some(EncoderRecord::decode(inner, at, width, latents, limits)?), latents)
        };
        let count = 2 * inputs as u64 + parameters(inputs, &layers, false);
        let mut centre = take_floats(packed, count, limits, at)?;
        let mut scale = centre.split_off(inputs);
        let params = scale.split_off(inputs);
        if scale.iter().any(|s| *s <= 0.0) {
            return Err(corrupt("a scale of a task is not above 0".to_string()));
        }
        Ok(Self { targets, encoder, centre, scale, layers, params })
    }
}

#[cfg(all(test, feature = "compress"))]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const LATENTS: Encoded = Encoded { latents: 3, embedding: None };

    fn record(targets: Targets) -> TaskRecord {
        let outputs = targets.outputs();
        let layers = vec![(4, 2), (outputs, 0)];
        let encoder = EncoderRecord {
            centre: vec![1.5; 5],
            scale: vec![2.0; 5],
            clip: vec![4.0; 5],
            latent: vec![0.5; 3],
            layers: vec![(3, 1)],
            params: (0..18).map(|i| i as f32 - 7.5).collect(),
            ..EncoderRecord::default()
        };
        let params = (0..parameters(3, &layers, false)).map(|i| 0.25 * i as f32 - 2.0).collect();
        let (centre, scale) = (vec![0.5, -1.0, 0.0], vec![1.0, 2.0, 1e-3]);
        TaskRecord { targets, encoder: Some(encoder), centre, scale, layers, params }
    }

    fn both() -> [TaskRecord; 2] {
        let values = Targets::Values { centre: vec![2.0, -3.0], scale: vec![1.0, 0.5] };
        [record(Targets::Classes(vec![-4, 0, i64::MAX])), record(values)]
    }

    fn decode(bytes: &[u8]) -> Result<TaskRecord> {
        TaskRecord::decode(bytes, 0, 5, LATENTS, &Limits::default())
    }

    #[test]
    fn records_come_back_and_their_beginnings_are_refused() {
        for own in both() {
            let bytes = own.encode();
            assert_eq!(decode(&bytes).unwrap(), own);
            for length in 0..bytes.len() {
                decode(&bytes[..length]).expect_err("cut");
            }
            decode(&[&bytes[..], &[0]].concat()).expect_err("goes on");
            for bit in 0..bytes.len() * 8 {
                let mut other = bytes.clone();
                other[bit / 8] ^= 1 << (bit % 8);
                drop(decode(&other));
            }
        }
    }

    #[test]
    fn transformers_embed_in_place_of_an_encoder() {
        let own = TaskRecord { encoder: None, ..both()[0].clone() };
        let decode =
            |encoded: Encoded| TaskRecord::decode(&own.encode(), 0, 5, encoded, &Limits::default());
        let embedded = Encoded { latents: 0, embedding: Some(3) };
        assert_eq!(decode(embedded).unwrap(), own);
        decode(Encoded { embedding: Some(4), ..embedded }).expect_err("another embedding");
    }

    #[test]
    fn what_no_task_has_is_refused() {
        let with = |change: &dyn Fn(&mut TaskRecord)| {
            let mut own = both()[0].clone();
            change(&mut own);
            decode(&own.encode()).unwrap_err().kind()
        };
        use ErrorKind::Corrupt;
        assert_eq!(with(&|t| t.targets = Targets::Classes(vec![1, 1, 2])), Corrupt);
        assert_eq!(with(&|t| t.layers[1].0 = 2), Corrupt);
        assert_eq!(with(&|t| t.layers[0].1 = 5), Corrupt);
        assert_eq!(with(&|t| t.layers.clear()), Corrupt);
        assert_eq!(with(&|t| t.scale[1] = 0.0), Corrupt);
        assert_eq!(with(&|t| t.params[0] = f32::NAN), Corrupt);
        assert_eq!(with(&|t| t.params.push(0.0)), Corrupt);
        assert_eq!(with(&|t| t.encoder.as_mut().unwrap().scale[0] = -1.0), Corrupt);
        assert_eq!(with(&|t| t.encoder = None), Corrupt);
        let bytes = both()[0].encode();
        let small = Limits { model_bytes: 100, ..Limits::default() };
        let error = TaskRecord::decode(&bytes, 0, 5, LATENTS, &small).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
    }
}
