//! What a codec that was trained further says of rows.

use super::cells;
use super::encoder::Encoder;
use crate::compress::Codec;
use crate::container::encoder::EncoderRecord;
use crate::container::task::{Targets, TaskRecord};
use crate::encode::floats::function;
use crate::error::{Error, Result};
use crate::kernels::activation::Activation;
use crate::matrix::{DType, Matrix, Rows, Schema};
use crate::nn::loss::softmax;
use crate::nn::network::{Network, Shape};
use crate::nn::objectives::supervised::{Stack, largest};

/// Of each row.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Prediction {
    /// The most likely label, one `i64` a row; or the numbers, as `f64`.
    pub values: Matrix,
    /// Of labels: how likely each of them is, rows × labels, `f32`. The columns are named after
    /// the labels.
    pub probabilities: Option<Matrix>,
}

/// Labels or numbers of `rows`, by what [`finetune`](crate::finetune) learned.
///
/// # Errors
/// `Argument` if nothing was learned or the rows are not as wide as the codec's; `Io` and others
/// as the rows give them.
pub fn predict(codec: &Codec, rows: &dyn Rows) -> Result<Prediction> {
    let predictor = Predictor::new(codec)?;
    let (own, given) = (predictor.encoder.record.scale.len(), rows.schema().width());
    if own != given {
        return Err(Error::argument(format!(
            "the codec is for rows of {own} numbers, these have {given}"
        )));
    }
    let mut out = Vec::new();
    for part in cells::parts(rows.len(), given) {
        let inputs = predictor.encoder.inputs(&cells::read(rows, part)?, &|_| false);
        out.extend(predictor.stack.infer(&inputs));
    }
    match &predictor.targets {
        Targets::Classes(labels) => {
            let n = labels.len();
            let chosen: Vec<i64> = out.chunks_exact(n).map(|out| labels[largest(out)]).collect();
            let mut p = vec![0.0; out.len()];
            out.chunks_exact(n).zip(p.chunks_exact_mut(n)).for_each(|(out, p)| softmax(out, p));
            let names = labels.iter().map(i64::to_string).collect();
            let schema = Schema { columns: Some(names), ..Schema::new(DType::F32, &[n]) };
            let bytes = p.iter().flat_map(|p| p.to_le_bytes()).collect();
            Ok(Prediction {
                values: Matrix::from_slice(&chosen, &[])?,
                probabilities: Some(Matrix::new(schema, bytes)?),
            })
        }
        Targets::Values { centre, scale } => {
            let n = centre.len();
            let value = |(i, g): (usize, &f32)| centre[i % n] + scale[i % n] * f64::from(*g);
            let values: Vec<f64> = out.iter().enumerate().map(value).collect();
            let shape: &[usize] = if n == 1 { &[] } else { &[n] };
            Ok(Prediction { values: Matrix::from_slice(&values, shape)?, probabilities: None })
        }
    }
}

/// The networks of a task.
#[derive(Debug, Clone)]
pub(super) struct Predictor {
    pub(super) encoder: Encoder,
    pub(super) stack: Stack,
    pub(super) targets: Targets,
}

impl Predictor {
    pub(super) fn new(codec: &Codec) -> Result<Self> {
        let task = codec.task().ok_or_else(|| {
            Error::argument("the codec was not trained to predict anything: see finetune")
        })?;
        let encoder = Encoder::new(task.encoder.clone());
        let layers = task.layers.iter().map(|&(n, code)| (n, function(code))).collect();
        let shape = Shape { inputs: task.centre.len(), layers, skip: false };
        let stack = Stack {
            encoder: encoder.network.clone(),
            centre: task.centre.clone(),
            scale: task.scale.clone(),
            head: Network { shape, params: task.params.clone() },
        };
        Ok(Self { encoder, stack, targets: task.targets.clone() })
    }
}

/// What is stored of a stack that was trained on top of `encoder`.
pub(super) fn record(encoder: &Encoder, stack: Stack, targets: Targets) -> TaskRecord {
    let code = |f: Activation| if f == Activation::Identity { 0 } else { 1 };
    TaskRecord {
        targets,
        encoder: EncoderRecord { params: stack.encoder.params, ..encoder.record.clone() },
        centre: stack.centre,
        scale: stack.scale,
        layers: stack.head.shape.layers.iter().map(|&(n, f)| (n, code(f))).collect(),
        params: stack.head.params,
    }
}
