//! Parts that are measured by themselves. Nothing here is promised to stay.

use crate::codec::quantisers::TRELLIS8;
use crate::compress::job::Job;
use crate::compress::{Config, Report, promise};
use crate::encode::latents::SIDE_BY_SIDE;
use crate::encode::rates::LatentRates;
use crate::encode::trellis::Trellis;
use crate::entropy::rans::{RansDecoder, RansEncoder};
use crate::entropy::table::{SCALE_COUNT, SHAPE_COUNT, Table, TableSpec};
use crate::error::Result;
use crate::fit::data::components::Components;
use crate::kernels::activation::Activation;
use crate::kernels::gemm::{self, Finish, View};
use crate::kernels::wide::widest;
use crate::kernels::{Isa, Panels};
use crate::matrix::Rows;
use crate::matrix::rng::Rng;
use crate::nn::network::{Network, Shape};
use crate::nn::objectives::squared_error::{Buffers, SquaredError};
use crate::nn::trainer::{StepConfig, Stepper, TrainerConfig, train};

/// Compresses as [`compress`](crate::compress) does, but rounds the network's weights `factor`
/// times as finely as is best for the whole file: what the rows then take less is what rounding
/// costs them. A bounded file has a network even if it is larger.
///
/// # Errors
/// Those of [`compress`](crate::compress).
pub fn compress_finer(rows: &dyn Rows, config: &Config, factor: f64) -> Result<Report> {
    let recorder = config.recorder();
    let mut job = Job::new(rows, config, &recorder)?;
    job.training.weight_precision_factor = Some(factor);
    promise::compress(&job, &mut std::io::sink())
}

/// Entropy coding of numbers with one table of the ladder.
#[derive(Debug)]
pub struct Ladder(Table);

impl Ladder {
    /// The table of `shape` with scale `2^(scale/4 − 4)`.
    ///
    /// # Panics
    /// If there is no such table.
    pub fn new(shape: u8, scale: u8) -> Self {
        assert!(usize::from(shape) < SHAPE_COUNT && usize::from(scale) < SCALE_COUNT);
        Self(Table::new(&TableSpec::Ladder { shape, scale }).expect("a table of the ladder"))
    }

    /// The stream of `numbers`.
    pub fn encode(&self, numbers: &[i64]) -> Vec<u8> {
        let mut coder = RansEncoder::default();
        for &number in numbers {
            assert!(self.0.encode(number, &mut coder), "{number} has no code");
        }
        let mut out = Vec::new();
        coder.finish(&mut out);
        out
    }

    /// The sum of the `count` numbers in `stream`.
    ///
    /// # Panics
    /// If there are not as many.
    pub fn sum(&self, stream: &[u8], count: usize) -> i64 {
        let mut coder = RansDecoder::new(stream).expect("a stream");
        let sum = (0..count).fold(0_i64, |sum, _| sum.wrapping_add(self.0.decode(&mut coder)));
        coder.finish().expect("as many numbers as stated");
        sum
    }
}

/// Dependent quantisation of some rows side by side, by a quantiser of eight states.
#[derive(Debug)]
pub struct Paths {
    rates: LatentRates,
    weights: Vec<[f32; Self::ROWS]>,
    trellis: Trellis<{ Self::ROWS }>,
}

impl Paths {
    /// Rows side by side.
    pub const ROWS: usize = SIDE_BY_SIDE;

    /// For rows of so many latents, each with `deviation` in steps of the quantiser.
    pub fn new(latents: usize, deviation: f32) -> Self {
        let rates = LatentRates::guess(&vec![deviation; latents], 2);
        let weights = vec![[1.0; Self::ROWS]; latents];
        Self { rates, weights, trellis: Trellis::new(&TRELLIS8, 8) }
    }

    /// The sum of the cheapest symbols of rows with these latents, in steps: latent by latent.
    pub fn search(&mut self, latents: &[[f32; Self::ROWS]]) -> i64 {
        let Self { rates, weights, trellis } = self;
        let found = widest(|| trellis.search(rates, weights, latents));
        found.iter().flatten().map(|(symbol, _)| i64::from(*symbol)).sum()
    }
}

/// A plain autoencoder: dense layers, mean squared error, Adam.
#[derive(Debug)]
pub struct Autoencoder {
    net: Network,
    stepper: Stepper,
    buffers: Buffers,
}

/// How an [`Autoencoder`] is trained.
#[derive(Debug, Clone, Copy)]
pub struct Training {
    /// Passes over the rows.
    pub passes: usize,
    /// Rows of a batch.
    pub batch: usize,
    /// Peak of the learning rate.
    pub rate: f32,
}

impl Autoencoder {
    /// Layers of the given widths, the first being the input's, with random weights; all but the
    /// last with ReLU, or none if `linear`.
    pub fn new(widths: &[usize], linear: bool, seed: u64) -> Self {
        let hidden = if linear { Activation::Identity } else { Activation::Relu };
        let mut layers: Vec<_> = widths[1..].iter().map(|w| (*w, hidden)).collect();
        layers.last_mut().expect("a layer").1 = Activation::Identity;
        let shape = Shape { inputs: widths[0], layers, skip: false };
        let mut net = Network::new(shape, &mut Rng::new(seed));
        let mut buffers = Buffers::default();
        let mut objective = SquaredError { network: &mut net, rows: &[], buffers: &mut buffers };
        let stepper = Stepper::new(&mut objective, StepConfig::default());
        Self { net, stepper, buffers }
    }

    /// One step on the `chosen` ones of `rows`; their mean squared error before.
    pub fn step(&mut self, rows: &[f32], chosen: &[usize], rate: f32) -> f64 {
        let Self { net, stepper, buffers } = self;
        let mut objective = SquaredError { network: net, rows, buffers };
        stepper.step(&mut objective, chosen, &mut Rng::new(0), rate)
    }

    /// Trains from the weights as they are; `progress` is told the number of each pass and the
    /// mean squared error in it.
    pub fn train(&mut self, rows: &[f32], how: Training, progress: &mut dyn FnMut(usize, f64)) {
        let Training { passes, batch, rate } = how;
        let config = TrainerConfig { passes, batch, rate, ..TrainerConfig::default() };
        let mut objective =
            SquaredError { network: &mut self.net, rows, buffers: &mut self.buffers };
        train(&mut objective, &config, &mut Rng::new(0), &mut |pass| {
            progress(pass.index, pass.trained);
            true
        });
    }

    /// What rows come back as.
    pub fn reconstruct(&self, rows: &[f32]) -> Vec<f32> {
        self.net.infer(rows, rows.len() / self.net.shape.inputs)
    }

    /// The weights of the last layer, inputs × outputs.
    pub fn last_weights(&self) -> &[f32] {
        &self.net.params[self.net.weights(self.net.shape.layers.len() - 1)]
    }
}

/// The first `count` principal components of centred rows, one after another.
pub fn principal_components(rows: &[f32], width: usize, count: usize) -> Vec<f32> {
    let mut vectors = Components::fit(rows, width).vectors;
    vectors.truncate(count * width);
    vectors
}

/// The product of row-major `a`, `rows × inner`, and `b`, `inner × columns`, into `out`. Where
/// `transposed` says so, the slice holds the transposed matrix, row-major.
///
/// # Panics
/// If a slice is not of the size that follows.
pub fn gemm(
    [rows, inner, columns]: [usize; 3],
    (a, b): (&[f32], &[f32]),
    transposed: [bool; 2],
    out: &mut [f32],
) {
    let [a, b] = views([rows, inner, columns], (a, b), transposed);
    gemm::gemm(a, b, out, Finish::Store);
}

/// The product with a bias for each column, and leaky ReLU.
///
/// # Panics
/// If a slice is not of the size that follows.
pub fn gemm_activated(sizes: [usize; 3], (a, b): (&[f32], &[f32]), bias: &[f32], out: &mut [f32]) {
    let [a, b] = views(sizes, (a, b), [false, false]);
    gemm::gemm(a, b, out, Finish::Activate(bias, Activation::LeakyRelu(0.125)));
}

fn views<'a>(
    [rows, inner, columns]: [usize; 3],
    (a, b): (&'a [f32], &'a [f32]),
    transposed: [bool; 2],
) -> [View<'a>; 2] {
    [
        if transposed[0] { View::new(a, inner, rows).t() } else { View::new(a, rows, inner) },
        if transposed[1] { View::new(b, columns, inner).t() } else { View::new(b, inner, columns) },
    ]
}

/// An integer layer, as decoding uses it.
#[derive(Debug)]
pub struct DenseLayer(Panels);

impl DenseLayer {
    /// A layer of `inputs × width` weights, `weight(input, column)`.
    pub fn new(inputs: usize, width: usize, weight: impl Fn(usize, usize) -> i16) -> Self {
        Self(Panels::new(inputs, width, |i, j| i64::from(weight(i, j))))
    }

    /// Lengths of a row of inputs and of a row of sums.
    pub fn padded(&self) -> (usize, usize) {
        (self.0.padded_inputs(), self.0.padded_width())
    }

    /// Rows of sums for rows of inputs.
    ///
    /// # Panics
    /// If `sums` is not of the size that follows.
    pub fn sums(&self, inputs: &[i16], sums: &mut [i32]) {
        self.0.sums(0..self.0.padded_inputs() / 2, inputs, sums);
    }
}

/// The CPU family whose kernels are used.
pub fn cpu_family() -> &'static str {
    Isa::chosen().name()
}
