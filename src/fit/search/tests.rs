//! Searches on data of which it is known what to find.

use super::bounded::{SearchEffort, with_bounds};
use super::goal::Goal;
use super::rows::RowSearch;
use super::target::{EncodedFile, TargetSearch};
use crate::encode::encoder::BlockEncoder;
use crate::error::Result;
use crate::fidelity::Fidelity;
use crate::fit::candidate::Candidate;
use crate::fit::config::TrainConfig;
use crate::fit::data::sample::Sample;
use crate::fit::entropy::classes::ClassEffort;
use crate::fit::network::context::{TrainingContext, TrainingObserver, TrainingProgress};
use crate::matrix::Matrix;
use crate::matrix::rng::Rng;
use crate::quality::Tally;
use std::cell::Cell;

const WIDTH: usize = 12;

const EFFORT: SearchEffort = SearchEffort {
    trial_rows: 1024,
    trials: 12,
    classes: ClassEffort { classes: 2, rounds: 1 },
    refine_rounds: 0,
    refit_turns: 0,
    contexts: None,
    measures: false,
};

/// `rows` rows along `rank` random directions, of deviation 10 each, in noise of deviation 0.03.
fn planes(rows: usize, rank: usize) -> Matrix {
    let mut rng = Rng::new(7);
    let directions: Vec<f32> = (0..rank * WIDTH).map(|_| rng.normal()).collect();
    let mut values = Vec::new();
    for _ in 0..rows {
        let along: Vec<f32> = (0..rank).map(|_| 10.0 * rng.normal()).collect();
        values.extend((0..WIDTH).map(|j| {
            let on = along.iter().enumerate().map(|(k, a)| a * directions[k * WIDTH + j]);
            on.sum::<f32>() + 0.03 * rng.normal()
        }));
    }
    Matrix::from_slice(&values, &[WIDTH]).unwrap()
}

fn sample(rows: &Matrix) -> Sample {
    Sample::draw(rows, 1 << 20).unwrap()
}

/// Latents of the codec that is found under a bound of 0.1, with so many trials.
fn latents_under_bounds(rank: usize, trials: usize) -> usize {
    let sample = sample(&planes(2000, rank));
    let effort = SearchEffort { trials, ..EFFORT };
    let found = with_bounds(&sample, vec![0.1; WIDTH], effort, None, None).unwrap();
    found.encoder.program.record.latents()
}

#[test]
fn under_bounds_there_are_as_many_latents_as_the_data_have_directions() {
    for rank in [1, 3, 6] {
        assert_eq!(latents_under_bounds(rank, 12), rank);
    }
    // The short cut ranks the same.
    assert_eq!(latents_under_bounds(3, 0), 3);
}

#[test]
fn noise_under_bounds_has_no_latents() {
    for trials in [12, 0] {
        assert_eq!(latents_under_bounds(0, trials), 0);
    }
}

/// All symbols of a sample under a codec.
fn tally(encoder: &BlockEncoder, sample: &Sample) -> (Tally, Vec<usize>) {
    let (mut tally, mut classes) = (Tally::default(), Vec::new());
    for bytes in sample.split() {
        let normalised = encoder.projection.normalise(encoder.program.dtype, &encoder.fills, bytes);
        let symbols = encoder.symbols(bytes, &encoder.latents(&normalised), true);
        tally.add(&symbols.tally);
        classes.extend(symbols.forced);
    }
    (tally, classes)
}

/// The linear codec for a promise about each row.
fn of_rows(rows: &Matrix, sample: &Sample, promise: &Fidelity) -> Candidate {
    let request = TrainConfig::default();
    let (training, basis) = (&no_training(&request), None);
    let search = RowSearch { rows, promise, sample, effort: EFFORT, basis, training };
    search.run().unwrap().expect("a codec").linear
}

#[test]
fn a_promise_about_rows_is_kept_by_each_and_costs_most_rows_no_residual() {
    // Rows on planes, and a few that are not.
    let mut values = planes(2000, 3).to_vec::<f32>().unwrap();
    let mut rng = Rng::new(3);
    for row in values.chunks_exact_mut(WIDTH).step_by(50) {
        row.iter_mut().for_each(|x| *x = 10.0 * rng.normal());
    }
    let rows = Matrix::from_slice(&values, &[WIDTH]).unwrap();
    let sample = sample(&rows);
    for least in [0.95, 0.999] {
        let promise = Fidelity::RowCosine(least.to_string().parse().unwrap());
        let fitted = of_rows(&rows, &sample, &promise);
        let (tally, classes) = tally(&fitted.encoder, &sample);
        assert!(tally.worst_cosine.unwrap() >= least, "{:?}", tally.worst_cosine);
        let quantum = &fitted.encoder.program.record.classes.quantum;
        let with_residuals = classes.iter().filter(|c| quantum[**c] >= 0).count();
        eprintln!(
            "COUNT {least} {with_residuals} {quantum:?} latents {}",
            fitted.encoder.program.record.latents()
        );
        assert!(with_residuals < 400, "{with_residuals} of {}", classes.len());
        // Lossless floats take four bytes.
        assert!(fitted.fitted_bytes < 0.25 * (4 * values.len()) as f64, "{}", fitted.fitted_bytes);
    }
}

#[test]
fn latents_of_a_row_take_as_few_bits_as_its_promise_allows() {
    // Some rows are longer than others: with the same weight for errors, they would err too little.
    let mut values = planes(2000, 6).to_vec::<f32>().unwrap();
    for (i, row) in values.chunks_exact_mut(WIDTH).enumerate() {
        row.iter_mut().for_each(|x| *x *= 1.0 + (i % 7) as f32);
    }
    let rows = Matrix::from_slice(&values, &[WIDTH]).unwrap();
    let sample = sample(&rows);
    let fitted = of_rows(&rows, &sample, &Fidelity::RowNmse("0.02".parse().unwrap()));
    let bytes = |encoder: &BlockEncoder| -> usize {
        let block = |bytes: &[u8]| {
            let normalised =
                encoder.projection.normalise(encoder.program.dtype, &encoder.fills, bytes);
            let symbols = encoder.symbols(bytes, &encoder.latents(&normalised), true);
            encoder.block(0, bytes, &symbols).len()
        };
        sample.split().map(block).sum()
    };
    let mut alike = fitted.encoder.clone();
    let promise = alike.row_promise.as_mut().unwrap();
    (promise.weights, promise.mixtures) = (1, 0);
    let (own, alike) = (bytes(&fitted.encoder), bytes(&alike));
    assert!(own < alike * 96 / 100, "{own} bytes, {alike} with the same weight for all rows");
}

#[test]
fn rows_without_residuals_have_classes_by_what_their_latents_cost() {
    // Every second row is a tenth as long.
    let mut values = planes(2000, 6).to_vec::<f32>().unwrap();
    for row in values.chunks_exact_mut(WIDTH).step_by(2) {
        row.iter_mut().for_each(|x| *x *= 0.1);
    }
    let rows = Matrix::from_slice(&values, &[WIDTH]).unwrap();
    let sample = sample(&rows);
    let fitted = of_rows(&rows, &sample, &Fidelity::RowNmse("0.3".parse().unwrap()));
    let quantum = &fitted.encoder.program.record.classes.quantum;
    assert_eq!(quantum.iter().filter(|q| **q < 0).count(), 2, "{quantum:?}");
}

struct Silent;

impl TrainingObserver for Silent {
    fn training(&self, _: &TrainingProgress) {}
    fn refit(&self, _: usize, _: usize) {}
}

fn no_training(request: &TrainConfig) -> TrainingContext<'_> {
    TrainingContext {
        budget: None,
        request,
        codec_network: None,
        seed: 0,
        more_rows: None,
        is_for_codec: false,
        weight_precision_factor: None,
        observer: &Silent,
    }
}

/// Searches for `goal` over a file whose tallies and sizes are `factor` times those of the sample;
/// the share used up and the number of files written.
fn search(goal: Goal, factor: f64) -> (Option<f64>, usize) {
    let sample = sample(&planes(2000, 4));
    let request = TrainConfig::default();
    let training = no_training(&request);
    let files = Cell::new(0);
    let encode = |fitted: Candidate| -> Result<EncodedFile<f64>> {
        files.set(files.get() + 1);
        let Candidate { fitted_bytes, mut tally, .. } = fitted;
        tally.squared_error *= factor;
        let bytes = fitted_bytes * factor;
        let used = goal.used(&tally, bytes);
        Ok(EncodedFile { bytes, tally, file: used })
    };
    let search = TargetSearch {
        promise: &Fidelity::Lossless,
        goal,
        sample: &sample,
        effort: EFFORT,
        basis: None,
        training: &training,
        encode: &encode,
    };
    (search.run().unwrap(), files.get())
}

#[test]
fn a_sum_over_the_file_comes_just_below_what_is_promised() {
    // The file is as the sample says, easier, harder.
    for factor in [1.0, 0.7, 1.5] {
        for goal in [Goal::Nmse(0.1), Goal::Nmse(1e-4), Goal::Psnr(25.0), Goal::Bytes(9000.0)] {
            let (used, files) = search(goal, factor);
            let used = used.expect("a file");
            assert!((0.99..=1.0).contains(&used), "{goal:?} · {factor}: {used}");
            assert!(files <= 12, "{goal:?} · {factor}: {files} files");
        }
    }
}

#[test]
fn what_no_step_reaches_is_none() {
    // The model alone is larger.
    assert_eq!(search(Goal::Bytes(5.0), 1.0).0, None);
    assert_eq!(search(Goal::Nmse(0.1), f64::INFINITY).0, None);
}
