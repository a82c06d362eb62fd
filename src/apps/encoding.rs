//! What turns rows into what a stack of networks is given that predicts something of them.

use super::model::{Model, nothing_hidden};
use crate::container::encoder::EncoderRecord;
use crate::encode::codec_encoder::CodecEncoder;
use crate::encode::masked::MaskedTransformer;
use crate::error::Result;
use crate::nn::network::Network;

/// What rows are before the stack.
#[derive(Debug, Clone)]
pub(super) enum Encoding {
    /// Values as the encoder's network takes them, which is the stack's first.
    Encoder(Box<CodecEncoder>),
    /// Embeddings by a masked transformer, which stays as it is.
    Transformer(Box<MaskedTransformer>),
}

impl Encoding {
    /// That of a codec.
    ///
    /// # Errors
    /// `Argument` if it has no encoder.
    pub(super) fn of(model: &Model) -> Result<Self> {
        Ok(match model.transformer() {
            Ok(own) => Self::Transformer(Box::new(own.clone())),
            Err(_) => Self::Encoder(Box::new(model.latent_networks()?.encoder()?.clone())),
        })
    }

    /// Columns of rows.
    pub(super) fn columns(&self) -> usize {
        match self {
            Self::Encoder(own) => own.record.scale.len(),
            Self::Transformer(own) => own.grid.width,
        }
    }

    /// Numbers of a row that the stack is given.
    pub(super) fn width(&self) -> usize {
        self.network().map_or_else(|| self.outputs(), |network| network.shape.inputs)
    }

    /// Numbers of a row before the head.
    pub(super) fn outputs(&self) -> usize {
        match self {
            Self::Encoder(own) => own.floats.network.outputs(),
            Self::Transformer(own) => own.dim(),
        }
    }

    /// The network that the stack begins with, if it has one.
    pub(super) fn network(&self) -> Option<&Network> {
        match self {
            Self::Encoder(own) => Some(&own.floats.network),
            Self::Transformer(_) => None,
        }
    }

    /// What the stack is given for rows of values: NaN for those of which a transformer sees nothing.
    pub(super) fn inputs(&self, values: &[f64]) -> Vec<f32> {
        match self {
            Self::Encoder(own) => own.inputs(values, &nothing_hidden),
            Self::Transformer(own) => own.embedded(values, &nothing_hidden),
        }
    }

    /// The record of the stack's first network, as it is written.
    pub(super) fn record(&self, network: Option<Network>) -> Option<EncoderRecord> {
        match (self, network) {
            (Self::Encoder(own), Some(network)) => {
                Some(EncoderRecord { params: network.params, mixture: None, ..own.record.clone() })
            }
            _ => None,
        }
    }
}
