//! A codec on its way: decoder and encoder, then with classes and tables, and measured.

use crate::container::model::{EncodedModel, ModelRecord};
use crate::encode::encoder::BlockEncoder;
use crate::encode::project::Projection;
use crate::quality::Tally;

/// A decoder in integers and what finds its latents, before anything is fitted to symbols.
pub(crate) struct Prepared {
    /// Turns rows into real latents.
    pub(crate) projection: Projection,
    /// The model but for temporal coefficients, classes and tables.
    pub(crate) record: ModelRecord,
    /// Real latents of the sample, `rows × latents`, in latent units.
    pub(crate) real: Vec<f32>,
    /// Bits that one squared latent unit of error costs, for each latent.
    pub(crate) weight: Vec<f32>,
    /// Bits that one squared residual step of error costs, for each column, where latents are worth
    /// refining.
    pub(crate) slopes: Option<Vec<f32>>,
}

impl LinearChoice {
    /// Residuals alone.
    pub(crate) const NO_LATENTS: Self = Self {
        latents: 0,
        step: 1.0,
        trellis: 0,
        weight_step: 1.0,
        temporal: true,
        residual: true,
        error_weight: 0.0,
        patient: true,
    };
}

/// What is coded, and how patiently latents are chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Coding {
    /// Whether rows may be predicted from those before.
    pub(crate) temporal: bool,
    /// Whether residuals are coded.
    pub(crate) residual: bool,
    /// Whether latents are chosen a second time, with the rates of the first.
    pub(crate) patient: bool,
    /// Gradient steps that refine latents, where what was prepared allows it.
    pub(crate) refine: usize,
}

/// A fitted codec and its size.
///
/// Its program was read from the bytes of its model, as a reader of the file will do it: what no
/// reader would take is no candidate, and rows are encoded for what those bytes say.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    /// What encodes rows.
    pub(crate) encoder: BlockEncoder,
    /// Bytes of the whole file, estimated from the sample.
    pub(crate) fitted_bytes: f64,
    /// The model as the file will have it.
    pub(crate) model: EncodedModel,
    /// Errors of the sample's decoded rows.
    pub(crate) tally: Tally,
    /// Which linear codec it is, if it is one.
    pub(crate) linear: Option<LinearChoice>,
}

/// What distinguishes linear codecs from each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LinearChoice {
    /// Number of latents.
    pub(crate) latents: usize,
    /// Step of the latents, in residual steps.
    pub(crate) step: f64,
    /// States of dependent quantisation: 0 (off), 4 or 8.
    pub(crate) trellis: usize,
    /// Error of a weight times its latent's deviation, in residual steps.
    pub(crate) weight_step: f64,
    /// Whether rows may be predicted from those before.
    pub(crate) temporal: bool,
    /// Whether residuals are coded.
    pub(crate) residual: bool,
    /// Bits that one squared residual step of error costs where residuals are not coded.
    pub(crate) error_weight: f64,
    /// Whether latents are chosen a second time, with the rates of the first.
    pub(crate) patient: bool,
}

impl Candidate {
    /// Returns the bytes of the model in the file.
    pub(crate) fn model_bytes(&self) -> usize {
        self.model.payload.len()
    }
}
