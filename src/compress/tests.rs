//! What each textbook objective is good for, on images of digits: rows that the network was not
//! trained on, beside what it is to be better than.

mod conditional;

use crate::compress::{Codec, Config, TrainConfig};
use crate::encode::floats;
use crate::fit::corruption::Patches;
use crate::fit::data::components::Components;
use crate::matrix::Matrix;
use crate::matrix::rng::Rng;
use conditional::Gaussian;

const WIDTH: usize = 64;

/// Digits to train on and digits to test on, 0 to 16.
struct Digits {
    train: Vec<f64>,
    test: Vec<f64>,
}

fn digits() -> Digits {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/digits.npy");
    let file = crate::input::open(path, &Default::default()).unwrap();
    let mut bytes = vec![0; file.len() * WIDTH];
    file.read(0, &mut bytes).unwrap();
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (i, row) in bytes.chunks(WIDTH).enumerate() {
        let to = if i % 5 == 0 { &mut test } else { &mut train };
        to.extend(row.iter().map(|b| f64::from(*b)));
    }
    Digits { train, test }
}

/// A codec of 64 and 8 units unless `set` says otherwise.
fn fitted(rows: &[f64], set: impl Fn(&mut TrainConfig)) -> Codec {
    let values: Vec<u8> = rows.iter().map(|x| *x as u8).collect();
    let rows = Matrix::from_slice(&values, &[8, 8]).unwrap();
    let mut config = Config { level: 1, ..Config::default() };
    config.train.latents = Some(8);
    set(&mut config.train);
    if !config.train.linear && config.train.hidden.is_none() {
        config.train.hidden = Some(vec![64]);
    }
    Codec::fit(&rows, &config).unwrap()
}

/// Rows as they come back, with some values hidden from the encoder.
fn decoded(codec: &Codec, rows: &[f64], hidden: &[bool]) -> Vec<f64> {
    let network = codec.learned().unwrap();
    let out = network.decoder().infer(&latents(codec, rows, hidden), rows.len() / WIDTH);
    let columns = out.iter().enumerate().map(|(at, x)| (at % WIDTH, f64::from(*x)));
    let e = &network.encoder;
    columns.map(|(j, x)| x * e.scale[j] + e.centre[j]).collect()
}

/// What the encoder's network gives, as large as it was trained to be.
fn latents(codec: &Codec, rows: &[f64], hidden: &[bool]) -> Vec<f32> {
    let record = &codec.learned().unwrap().encoder;
    let is_hidden = |at: usize| hidden.get(at) == Some(&true);
    let inputs = floats::encoder_inputs(record, rows, &is_hidden);
    floats::encoder(record).network.infer(&inputs, rows.len() / WIDTH)
}

/// Mean squared difference, where `of` says so.
fn error(a: &[f64], b: &[f64], of: impl Fn(usize) -> bool) -> f64 {
    let some: Vec<f64> = (0..a.len()).filter(|i| of(*i)).map(|i| (a[i] - b[i]).powi(2)).collect();
    some.iter().sum::<f64>() / some.len() as f64
}

fn all(_: usize) -> bool {
    true
}

/// Test error of a codec on rows as they are.
fn plain_error(codec: &Codec, test: &[f64]) -> f64 {
    error(&decoded(codec, test, &[]), test, all)
}

#[test]
fn the_more_sparsity_costs_the_more_latents_are_0() {
    let Digits { train, test } = digits();
    let at = |weight: f64| {
        let codec = fitted(&train, |t| (t.sparse, t.latents) = (Some(weight), Some(32)));
        let z = latents(&codec, &test, &[]);
        assert!(z.iter().all(|z| *z >= 0.0));
        let zeros = z.iter().filter(|z| **z == 0.0).count() as f64 / z.len() as f64;
        let told = codec.training().unwrap().kept().unwrap().zeros;
        assert!((zeros - told).abs() < 0.1, "{zeros}, but {told} were told");
        (zeros, plain_error(&codec, &test))
    };
    let found = [0.001, 0.1, 1.0].map(at);
    println!("zeros and error: {found:?}");
    assert!(found[0].0 + 0.1 < found[1].0 && found[1].0 + 0.1 < found[2].0, "{found:?}");
    assert!(found[2].0 > 0.6, "{found:?}");
}

/// Mean norm of `∂z/∂x` over some rows, by differences, and the same with each latent over its
/// deviation, which no scale of the latents changes.
fn jacobian(codec: &Codec, rows: &[f64]) -> [f64; 2] {
    let rows = &rows[..100 * WIDTH];
    let z = latents(codec, rows, &[]);
    let count = z.len() / 100;
    let deviation = |k: usize| {
        let own: Vec<f64> = z.iter().skip(k).step_by(count).map(|z| f64::from(*z)).collect();
        let mean = own.iter().sum::<f64>() / 100.0;
        (own.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / 100.0).sqrt()
    };
    let deviations: Vec<f64> = (0..count).map(deviation).collect();
    let mut squares = vec![[0.0; 2]; 100];
    let h = 0.01;
    for j in 0..WIDTH {
        let moved = |by: f64| {
            let mut rows = rows.to_vec();
            rows.iter_mut().skip(j).step_by(WIDTH).for_each(|x| *x += by);
            latents(codec, &rows, &[])
        };
        let (above, below) = (moved(h), moved(-h));
        for (i, square) in squares.iter_mut().enumerate() {
            for (k, deviation) in deviations.iter().enumerate() {
                let at = i * count + k;
                let slope = f64::from(above[at] - below[at]) / (2.0 * h);
                square[0] += slope.powi(2);
                square[1] += (slope / deviation).powi(2);
            }
        }
    }
    [0, 1].map(|i| squares.iter().map(|s| s[i].sqrt()).sum::<f64>() / 100.0)
}

#[test]
fn a_contractive_encoder_follows_its_input_less_at_the_same_error() {
    let Digits { train, test } = digits();
    let at = |weight: Option<f64>| {
        let codec = fitted(&train, |t| match weight {
            Some(_) => t.contractive = weight,
            None => t.loss = crate::Loss::SquaredError,
        });
        (jacobian(&codec, &test), plain_error(&codec, &test))
    };
    // With a weight next to none it is the plain network with the same bound on its decoder.
    let (plain, free, found) = (at(None), at(Some(1e-9)), at(Some(0.1)));
    println!("Jacobian and error: {plain:?} {free:?} {found:?}");
    for i in [0, 1] {
        assert!(found.0[i] < 0.8 * free.0[i], "{plain:?} {free:?} {found:?}");
    }
    assert!(found.0[1] < plain.0[1], "{plain:?} {free:?} {found:?}");
    assert!(found.1 < 1.02 * free.1 && found.1 < 1.02 * plain.1, "{plain:?} {free:?} {found:?}");
}

#[test]
fn a_denoising_network_undoes_noise() {
    let Digits { train, test } = digits();
    let mut rng = Rng::new(1);
    let noisy: Vec<f64> = test.iter().map(|x| x + 0.25 * 16.0 * f64::from(rng.normal())).collect();
    let holed: Vec<f64> = test.iter().map(|x| if rng.unit() < 0.3 { 0.0 } else { *x }).collect();
    let plain = fitted(&train, |t| (t.loss, t.latents) = (crate::Loss::SquaredError, Some(16)));
    let gaussian = fitted(&train, |t| (t.denoise.gaussian, t.latents) = (Some(0.25), Some(16)));
    let zero = fitted(&train, |t| (t.denoise.zero, t.latents) = (Some(0.3), Some(16)));
    let of = |codec: &Codec, rows: &[f64]| error(&decoded(codec, rows, &[]), &test, all);
    let errors = [of(&plain, &noisy), of(&gaussian, &noisy), of(&plain, &holed), of(&zero, &holed)];
    println!("noise left: plain, trained on it; zeros: plain, trained on them: {errors:?}");
    assert!(errors[1] < 0.75 * errors[0], "{errors:?}");
    assert!(errors[3] < 0.75 * errors[2], "{errors:?}");
    assert!(errors[1] < 0.5 * error(&noisy, &test, all));
}

#[test]
fn a_linear_network_keeps_a_promise_about_a_sum() {
    let values: Vec<u8> = digits().train.iter().map(|x| *x as u8).collect();
    let rows = Matrix::from_slice(&values, &[8, 8]).unwrap();
    let mut config =
        Config { fidelity: crate::Fidelity::Nmse("0.4".parse().unwrap()), ..Config::default() };
    (config.train.linear, config.train.latents) = (true, Some(40));
    config.train.mask = Some(Patches::new(2, 2, 0.25));
    config.train.epochs = Some(60);
    let mut file = Vec::new();
    let report = super::compress(&rows, &config, &mut file).unwrap();
    assert!(report.measured.nmse <= 0.4 && report.latents == 40, "{:?}", report.measured);
}

#[test]
fn a_masked_network_says_what_is_hidden() {
    let Digits { train, test } = digits();
    let plain = fitted(&train, |t| {
        (t.loss, t.latents) = (crate::Loss::SquaredError, Some(32));
        t.hidden = Some(vec![256, 128]);
    });
    let gaussian = Gaussian::new(&train, WIDTH);
    for share in [0.5, 0.75, 0.8] {
        let patches = Patches::new(2, 2, share);
        let masked = fitted(&train, |t| {
            (t.mask, t.latents) = (Some(patches), Some(32));
            t.hidden = Some(vec![256, 128]);
        });
        let (patch, count) = patches.of(&[8, 8]).unwrap();
        let mut rng = Rng::new(5);
        let mut hidden = Vec::new();
        for _ in 0..test.len() / WIDTH {
            let mut order: Vec<usize> = (0..count).collect();
            rng.shuffle(&mut order);
            let gone = &order[..patches.hidden_of(count)];
            hidden.extend(patch.iter().map(|p| gone.contains(p)));
        }
        let of = |rows: &[f64]| error(rows, &test, |i| hidden[i]);
        let found = of(&decoded(&masked, &test, &hidden));
        let blind = of(&decoded(&plain, &test, &hidden));
        let mean = of(&gaussian.mean.repeat(test.len() / WIDTH));
        let ridge = [0.3, 1.0, 3.0].map(|weight| of(&gaussian.filled(&test, &hidden, weight)));
        let ridge = ridge.into_iter().fold(f64::INFINITY, f64::min);
        println!("{share} hidden: {found}, plain {blind}, column means {mean}, ridge {ridge}");
        assert!(found < 0.8 * blind, "{share}: {found}, plain {blind}");
        assert!(found < 0.8 * mean, "{share}: {found}, column means {mean}");
        assert!(found < 0.98 * ridge, "{share}: {found}, ridge {ridge}");
    }
}

#[test]
fn the_more_divergence_costs_the_less_there_is() {
    let Digits { train, test } = digits();
    let at = |weight: f64| {
        let codec = fitted(&train, |t| t.variational = Some(weight));
        let network = codec.learned().unwrap();
        assert!(network.flags().variational);
        let z = latents(&codec, &test, &[]);
        let kept = *codec.training().unwrap().kept().unwrap();
        let square = z.iter().map(|z| f64::from(*z).powi(2)).sum::<f64>() / z.len() as f64;
        assert!(kept.elbo.unwrap() < 0.0);
        (kept.kl.unwrap(), square, plain_error(&codec, &test))
    };
    let found = [0.05, 0.5, 5.0].map(at);
    println!("divergence, mean square of means, error: {found:?}");
    assert!(found[0].0 > 1.3 * found[1].0 && found[1].0 > 1.3 * found[2].0, "{found:?}");
    // The means' spread and the noise's make 1 together, so alone the means have less.
    assert!(found[1..].iter().all(|f| f.1 < 1.1), "{found:?}");
    assert!(found[0].2 < found[2].2, "{found:?}");
}

#[test]
fn a_linear_autoencoder_is_principal_component_analysis() {
    let Digits { train, test } = digits();
    let codec = fitted(&train, |t| t.linear = true);
    assert_eq!(codec.latents(), 8);
    let mean = Gaussian::new(&train, WIDTH).mean;
    let centred = |rows: &[f64]| -> Vec<f32> {
        rows.iter().enumerate().map(|(i, x)| (x - mean[i % WIDTH]) as f32).collect()
    };
    let components = Components::fit(&centred(&train), WIDTH);
    let mut left: Vec<f64> = centred(&test).iter().map(|x| f64::from(*x)).collect();
    for row in left.chunks_mut(WIDTH) {
        for k in 0..8 {
            let v = components.vector(k);
            let along: f64 = row.iter().zip(v).map(|(x, v)| x * f64::from(*v)).sum();
            row.iter_mut().zip(v).for_each(|(x, v)| *x -= along * f64::from(*v));
        }
    }
    let pca = left.iter().map(|x| x * x).sum::<f64>() / left.len() as f64;
    let found = plain_error(&codec, &test);
    println!("linear {found}, PCA {pca}");
    assert!((found / pca - 1.0).abs() < 0.01, "{found}, PCA {pca}");
}

#[test]
fn textbook_objectives_are_kept_by_codecs_and_their_promises() {
    let Digits { train, test } = digits();
    let request = |t: &mut TrainConfig| {
        t.mask = Some(Patches::new(2, 2, 0.5));
        t.variational = Some(0.1);
        t.epochs = Some(10);
    };
    let codec = fitted(&train, request);
    assert_eq!(codec.training().unwrap().epochs.len(), 10);
    let mut stored = Vec::new();
    codec.write(&mut stored).unwrap();
    let read = Codec::read(&stored).unwrap();
    assert!(read.training().is_none());
    let flags = read.learned().unwrap().flags();
    assert!(flags.masked && flags.variational);
    let hidden: Vec<bool> = (0..test.len()).map(|i| i % 3 == 0).collect();
    assert_eq!(decoded(&codec, &test, &hidden), decoded(&read, &test, &hidden));
    // What is hidden is not looked at, and neither is a NaN.
    let holed: Vec<f64> =
        test.iter().zip(&hidden).map(|(x, h)| if *h { f64::NAN } else { *x }).collect();
    assert_eq!(decoded(&read, &holed, &[]), decoded(&read, &test, &hidden));
    let values: Vec<u8> = test.iter().map(|x| *x as u8).collect();
    let rows = Matrix::from_slice(&values, &[8, 8]).unwrap();
    for (promise, text) in [("max-error", "2"), ("nmse", "0.1"), ("row-nmse", "0.2")] {
        let mut config = Config { level: 2, ..Config::default() };
        config.fidelity = crate::Fidelity::parse(promise, text).unwrap();
        let mut file = Vec::new();
        let report = read.compress(&rows, &config, &mut file).unwrap();
        let reader = crate::Reader::new(file).unwrap();
        let bytes = report.bytes_out;
        let check = crate::check_promise(&rows, &reader, &config.fidelity, bytes).unwrap();
        assert!(check.held, "{promise}: {}", check.detail);
    }
}

#[test]
fn what_cannot_be_learned_is_said() {
    let mut config = Config { level: 1, ..Config::default() };
    config.train.loss = crate::Loss::SquaredError;
    config.train.epochs = Some(2);
    let refused = |values: Vec<f32>, shape: &[usize], config: &Config, hint: &str| {
        let rows = Matrix::from_slice(&values, shape).unwrap();
        let error = Codec::fit(&rows, config).unwrap_err().to_string();
        assert!(error.contains(hint), "{error}");
    };
    refused(vec![1.5; 400], &[4], &config, "differ");
    refused((0..40).map(|i| i as f32).collect(), &[4], &config, "64");
    refused(vec![f32::NAN; 400], &[4], &config, "differ");
    config.train.mask = Some(Patches::new(2, 2, 0.5));
    refused((0..400).map(|i| i as f32).collect(), &[4], &config, "two dimensions");
}
