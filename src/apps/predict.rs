//! What a codec that was trained further says of rows.

use super::encoding::Encoding;
use super::values;
use crate::compress::Codec;
use crate::container::task::{Targets, TaskRecord};
use crate::encode::codec_encoder::CodecEncoder;
use crate::encode::floats::{code, function};
use crate::encode::masked::MaskedTransformer;
use crate::error::{Error, Result};
use crate::matrix::{DType, Matrix, Rows, Schema, to_little_endian};
use crate::nn::loss::softmax;
use crate::nn::network::{Network, Shape};
use crate::nn::objectives::supervised::{Stack, largest};

/// What a fine-tuned codec predicts of rows.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Prediction {
    /// The most likely label of each row, one `i64` a row; for a regression the predicted numbers,
    /// `f64`, rows × numbers.
    pub values: Matrix,
    /// How likely each label is, from 0 to 1: `f32`, rows × labels, with columns named after the
    /// labels. `None` for a regression.
    pub probabilities: Option<Matrix>,
    /// Rows without any value, and for a masked transformer without a patch that has all its values. Their numbers and probabilities
    /// are NaN; as no label says so, theirs is that of a row in the middle of those learned from.
    pub empty_rows: usize,
}

/// Predicts labels or numbers of `rows` with a codec from [`finetune`](crate::apps::finetune).
///
/// # Errors
/// `Argument` if the codec was not fine-tuned or the rows are not as wide as the codec's;
/// otherwise whatever reading the rows fails with.
pub fn predict(codec: &Codec, rows: &dyn Rows) -> Result<Prediction> {
    let predictor = Predictor::new(codec)?;
    let schema = rows.schema();
    values::expect_width(predictor.encoding.columns(), schema)?;
    let (mut out, mut is_empty) = (Vec::new(), Vec::new());
    for part in values::parts(rows.len(), schema.width()) {
        let values = values::read(rows, part)?;
        let mut inputs = predictor.encoding.inputs(&values);
        let own = inputs.chunks_exact_mut(predictor.encoding.width());
        for (row, empty) in own.zip(values::empty_rows(&values, schema.width())) {
            let is_unseen = row[0].is_nan();
            if is_unseen {
                row.copy_from_slice(&predictor.stack.centre);
            }
            is_empty.push(empty || is_unseen);
        }
        out.extend(predictor.stack.infer(&inputs));
    }
    let empty_rows = is_empty.iter().filter(|e| **e).count();
    match &predictor.targets {
        Targets::Classes(labels) => most_likely(&out, labels, &is_empty),
        Targets::Values { centre, scale } => {
            let n = centre.len();
            let value = |(i, g): (usize, &f32)| centre[i % n] + scale[i % n] * f64::from(*g);
            let mut values: Vec<f64> = out.iter().enumerate().map(value).collect();
            blank(&mut values, n, &is_empty, f64::NAN);
            let shape: &[usize] = if n == 1 { &[] } else { &[n] };
            let values = Matrix::from_slice(&values, shape)?;
            Ok(Prediction { values, probabilities: None, empty_rows })
        }
    }
}

/// Fills what is said of rows that are empty, `width` numbers each, with `nan`.
fn blank<T: Copy>(said: &mut [T], width: usize, is_empty: &[bool], nan: T) {
    let rows = said.chunks_exact_mut(width).zip(is_empty);
    rows.filter(|(_, empty)| **empty).for_each(|(row, _)| row.fill(nan));
}

/// Labels and their probabilities from logits, rows × labels.
fn most_likely(logits: &[f32], labels: &[i64], is_empty: &[bool]) -> Result<Prediction> {
    let n = labels.len();
    let rows = || logits.chunks_exact(n);
    let chosen: Vec<i64> = rows().map(|row| labels[largest(row)]).collect();
    let mut p = vec![0.0; logits.len()];
    rows().zip(p.chunks_exact_mut(n)).for_each(|(row, p)| softmax(row, p));
    blank(&mut p, n, is_empty, f32::NAN);
    let names = labels.iter().map(i64::to_string).collect();
    let schema = Schema { columns: Some(names), ..Schema::new(DType::F32, &[n]) };
    Ok(Prediction {
        values: Matrix::from_slice(&chosen, &[])?,
        probabilities: Some(Matrix::new(schema, to_little_endian(&p))?),
        empty_rows: is_empty.iter().filter(|e| **e).count(),
    })
}

/// The networks of a fine-tuned codec, and what the head's outputs stand for.
#[derive(Debug, Clone)]
pub(super) struct Predictor {
    pub(super) encoding: Encoding,
    pub(super) stack: Stack,
    pub(super) targets: Targets,
}

impl Predictor {
    pub(super) fn new(codec: &Codec) -> Result<Self> {
        let task = codec.task().ok_or_else(|| {
            Error::argument("the codec was not trained to predict anything: see finetune")
        })?;
        let encoding = match (&task.encoder, codec.transformer()) {
            (Some(own), _) => Encoding::Encoder(Box::new(CodecEncoder::new(own.clone()))),
            (None, Some(own)) => {
                Encoding::Transformer(Box::new(MaskedTransformer::new(own.clone())))
            }
            (None, None) => return Err(Error::argument("the task's transformer is not there")),
        };
        let layers = task.layers.iter().map(|&(n, code)| (n, function(code))).collect();
        let shape = Shape { inputs: task.centre.len(), layers, skip: false };
        let stack = Stack {
            encoder: encoding.network().cloned(),
            centre: task.centre.clone(),
            scale: task.scale.clone(),
            head: Network { shape, params: task.params.clone() },
        };
        Ok(Self { encoding, stack, targets: task.targets.clone() })
    }
}

/// The record of a stack that was trained on rows so encoded.
pub(super) fn record(encoding: &Encoding, stack: Stack, targets: Targets) -> TaskRecord {
    TaskRecord {
        targets,
        encoder: encoding.record(stack.encoder),
        centre: stack.centre,
        scale: stack.scale,
        layers: stack.head.shape.layers.iter().map(|&(n, f)| (n, code(f))).collect(),
        params: stack.head.params,
    }
}
