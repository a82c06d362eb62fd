//! The loop with the simplest objective.

use super::*;
use crate::kernels::activation::Activation;
use crate::nn::network::{Network, Shape};
use crate::nn::objectives::squared_error::{Buffers, SquaredError};
use crate::nn::sum;
use crate::nn::tests::normal;

/// Rows of `width` numbers on a bent surface of two dimensions.
fn bent(rows: usize, width: usize) -> Vec<f32> {
    let mut rng = Rng::new(9);
    let mut out = Vec::new();
    for _ in 0..rows {
        let (a, b) = (rng.normal(), rng.normal());
        out.extend((0..width).map(|j| {
            let wave = |k: f32| (j as f32 * k).sin();
            a * wave(0.7) + b * wave(1.3) + 0.5 * a * a * wave(2.1) - 0.3 * a * b * wave(2.9)
        }));
    }
    out
}

fn hourglass(widths: &[usize], f: Activation, seed: u64) -> Network {
    let mut layers: Vec<_> = widths[1..].iter().map(|w| (*w, f)).collect();
    layers.last_mut().unwrap().1 = Activation::Identity;
    Network::new(Shape { inputs: widths[0], layers, skip: false }, &mut Rng::new(seed))
}

/// Trains an autoencoder and gives the pass that was kept.
fn fitted(
    network: &mut Network,
    rows: &[f32],
    config: &TrainerConfig,
    progress: &mut dyn FnMut(&Pass<f64>) -> bool,
) -> Option<Pass<f64>> {
    let mut objective = SquaredError { network, rows, buffers: &mut Buffers::default() };
    train(&mut objective, config, &mut Rng::new(0), progress)
}

/// The mean squared error of some rows.
fn error(network: &mut Network, rows: &[f32], which: &[usize]) -> f64 {
    SquaredError { network, rows, buffers: &mut Buffers::default() }.measure(which)
}

/// A number that tells weights apart.
fn checksum(values: &[f32]) -> u64 {
    let fold = |sum: u64, x: &f32| (sum ^ u64::from(x.to_bits())).wrapping_mul(0x0100_0000_01b3);
    values.iter().fold(0xcbf2_9ce4_8422_2325, fold)
}

#[test]
fn weights_do_not_depend_on_the_number_of_threads() {
    // Products large enough to be shared.
    let rows = bent(700, 96);
    let train = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut net = hourglass(&[96, 160, 8, 160, 96], Activation::Gelu, 1);
            let steps = StepConfig { clip: Clip::Norm(0.5), ..StepConfig::default() };
            let held_out = HeldOut { share: 0.1, ..HeldOut::default() };
            let how = TrainerConfig { passes: 3, steps, held_out, ..Default::default() };
            let mut seen = Vec::new();
            fitted(&mut net, &rows, &how, &mut |pass| {
                seen.push(*pass);
                true
            });
            (net.params.iter().map(|p| p.to_bits()).collect::<Vec<_>>(), seen)
        })
    };
    let one = train(1);
    assert_eq!(one.1.len(), 3);
    assert!(train(2) == one && train(4) == one);
}

#[test]
fn weights_are_the_same_on_every_machine() {
    let rows: Vec<f32> = {
        let mut rng = Rng::new(4);
        normal(64 * 7, &mut rng)
    };
    let mut sums = Vec::new();
    for f in [Activation::default(), Activation::Relu, Activation::Tanh, Activation::Gelu] {
        let mut net = hourglass(&[7, 19, 3, 18, 7], f, 2);
        let how = TrainerConfig { passes: 5, batch: 10, rate: 0.01, ..TrainerConfig::default() };
        fitted(&mut net, &rows, &how, &mut |_| true);
        sums.push(checksum(&net.params));
    }
    let pinned = [
        0xe771_0d98_113e_648b,
        0x9535_2980_0502_fa8b,
        0x3d9a_3b3d_32ae_f266,
        0xa2f5_9914_c1e6_3ad0,
    ];
    assert_eq!(sums, pinned, "{sums:#x?}");
}

#[test]
fn a_network_learns_what_no_plane_holds() {
    let rows = bent(1500, 12);
    let mut net = hourglass(&[12, 48, 2, 48, 12], Activation::default(), 3);
    let how = TrainerConfig { passes: 60, batch: 64, rate: 4e-3, ..TrainerConfig::default() };
    let last = fitted(&mut net, &rows, &how, &mut |_| true).unwrap();
    let total = sum::squares(&rows) / rows.len() as f64;
    let pca = crate::fit::data::components::Components::fit(&rows, 12);
    let plane = 1.0 - pca.variance[..2].iter().sum::<f64>() / pca.columns.iter().sum::<f64>();
    let share = last.trained / total;
    assert!(share < 0.2 * plane, "{share} of the variance is lost, {plane} with a plane");
}

#[test]
fn the_weights_of_the_best_pass_are_kept() {
    // A rate so large that it only gets worse after a while.
    let rows = bent(300, 10);
    let mut net = hourglass(&[10, 30, 2, 30, 10], Activation::Relu, 5);
    let held_out = HeldOut { share: 0.2, patience: 5, ..HeldOut::default() };
    let how = TrainerConfig { passes: 40, batch: 16, rate: 0.3, held_out, ..Default::default() };
    let mut passes = Vec::new();
    let kept = fitted(&mut net, &rows, &how, &mut |pass| {
        passes.push(*pass);
        true
    });
    let kept = kept.unwrap();
    let held = |pass: &Pass<f64>| pass.held_out.unwrap();
    let best = passes.iter().min_by(|a, b| held(a).total_cmp(&held(b))).unwrap();
    assert_eq!(kept, *best);
    assert!(passes.len() == 40 || passes.len() == kept.index + 1 + 5, "{}", passes.len());
    // The rows that were held out are the last of the same shuffle.
    let mut order: Vec<usize> = (0..300).collect();
    Rng::new(0).shuffle(&mut order);
    assert_eq!(Some(error(&mut net, &rows, &order[240..])), kept.held_out);
}

#[test]
fn rows_that_do_not_fill_a_batch_are_one_where_asked_for() {
    let rows = bent(70, 6);
    for (short_batches, expected) in [(true, 3), (false, 2)] {
        let config = TrainerConfig { batch: 32, short_batches, ..Default::default() };
        let batches = Batches::new(70, &config);
        assert_eq!((batches.size, batches.each_pass), (32, expected));
        // Fewer rows than a batch are one whatever is asked for.
        assert_eq!(Batches::new(20, &config).each_pass, 1);
        assert_eq!(Batches::new(0, &config).each_pass, 0);
        let mut net = hourglass(&[6, 3, 6], Activation::Tanh, 1);
        assert!(fitted(&mut net, &rows, &config, &mut |_| true).unwrap().trained > 0.0);
    }
}

#[test]
fn progress_can_stop_and_nothing_to_do_is_done() {
    let rows = bent(50, 6);
    let mut net = hourglass(&[6, 2, 6], Activation::Tanh, 1);
    let kept = fitted(&mut net, &rows, &TrainerConfig::default(), &mut |e| e.index < 3);
    assert_eq!(kept.unwrap().index, 3);
    let before = net.params.clone();
    let how = TrainerConfig { passes: 0, ..TrainerConfig::default() };
    assert_eq!(fitted(&mut net, &rows, &how, &mut |_| true), None);
    assert_eq!(net.params, before);
    fitted(&mut net, &[], &TrainerConfig::default(), &mut |_| true);
    assert_eq!(net.params, before);
}

/// Baldi and Hornik 1989, *Neural networks and principal component analysis*: the only minimum of
/// a linear autoencoder is the span of the principal components.
#[cfg(feature = "formats")]
#[test]
fn a_linear_autoencoder_finds_the_principal_components() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/digits.npy");
    let file = crate::input::open(path, &Default::default()).unwrap();
    let mut bytes = vec![0; file.len() * 64];
    file.read(0, &mut bytes).unwrap();
    let mut rows: Vec<f32> = bytes.iter().map(|b| f32::from(*b) / 8.0).collect();
    for column in 0..64 {
        let mean = rows.iter().skip(column).step_by(64).sum::<f32>() / file.len() as f32;
        rows.iter_mut().skip(column).step_by(64).for_each(|x| *x -= mean);
    }
    const K: usize = 8;
    let mut net = hourglass(&[64, K, 64], Activation::Identity, 6);
    let how =
        TrainerConfig { passes: 800, batch: usize::MAX, rate: 0.03, ..TrainerConfig::default() };
    fitted(&mut net, &rows, &how, &mut |_| true);
    let pca = crate::fit::data::components::Components::fit(&rows, 64);
    let best = pca.variance[K..].iter().sum::<f64>() / 64.0;
    let all: Vec<usize> = (0..file.len()).collect();
    let found = error(&mut net, &rows, &all);
    assert!((found / best - 1.0).abs() < 1e-3, "{found}, but PCA {best}");
    // What of the decoder's span, made orthonormal, lies outside of PCA's. Its Frobenius norm is
    // at least the sine of the largest angle between the two.
    let mut span: Vec<Vec<f64>> = Vec::new();
    let mut outside = 0.0;
    for row in net.params[net.weights(1)].chunks_exact(64) {
        let mut v: Vec<f64> = row.iter().map(|x| f64::from(*x)).collect();
        let remove = |v: &mut Vec<f64>, u: &[f64]| {
            let along: f64 = v.iter().zip(u).map(|(a, b)| a * b).sum();
            v.iter_mut().zip(u).for_each(|(x, u)| *x -= along * u);
        };
        let square = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>();
        (0..2).for_each(|_| span.iter().for_each(|u| remove(&mut v, u)));
        let norm = square(&v).sqrt();
        v.iter_mut().for_each(|x| *x /= norm);
        span.push(v.clone());
        for k in 0..K {
            let u: Vec<f64> = pca.vector(k).iter().map(|x| f64::from(*x)).collect();
            remove(&mut v, &u);
        }
        outside += square(&v);
    }
    let angle = outside.sqrt().asin();
    println!("error {:+.5} %, angle {angle:.6}", 100.0 * (found / best - 1.0));
    assert!(angle < 0.01, "{angle}");
}
