//! What the likeliest latents say of values that were hidden.

use super::*;
use crate::apps::impute::network;
use crate::apps::model::Model;
use crate::apps::values::{VALUES_AT_ONCE, parts};
use crate::compress::{Codec, Config, Patches};
use crate::fidelity::Fidelity;
use crate::matrix::Matrix;
use crate::matrix::rng::Rng;

/// The last of them is always 5.
const WIDTH: usize = 13;

/// Rows on a line, or waves of any phase, and noise.
fn rows(count: usize, waves: bool) -> Vec<f32> {
    let mut rng = Rng::new(7);
    let mut out = Vec::new();
    for _ in 0..count {
        let (z, phase) = (rng.normal(), 6.3 * rng.unit());
        let value = |j: usize| match waves {
            true => 2.0 * (j as f32 * 0.5 + phase).sin() + (j as f32 + 2.0 * phase).sin(),
            false => (j as f32 * 0.7).cos() * z,
        };
        out.extend((1..WIDTH).map(|j| value(j) + 0.3 * rng.normal()));
        out.push(5.0);
    }
    out
}

/// A linear codec, which is quickly made.
fn linear() -> Config {
    let fidelity = Fidelity::Nmse("0.1".parse().unwrap());
    Config { fidelity, level: 1, ..Config::default() }
}

/// A small network.
fn network() -> Config {
    let mut config = Config { level: 2, ..linear() };
    config.train.hidden = Some(vec![16]);
    config.train.latents = Some(5);
    config
}

/// A codec that was learned from rows.
fn model(rows: &[f32], config: &Config) -> Model {
    let matrix = Matrix::from_slice(rows, &[WIDTH]).unwrap();
    Model::new(&Codec::fit(&matrix, config).unwrap()).unwrap()
}

/// The rows with gaps.
fn with_gaps(rows: &[f32], missing: &[bool]) -> Vec<f64> {
    let gap = |(x, gap): (&f32, &bool)| if *gap { f64::NAN } else { f64::from(*x) };
    rows.iter().zip(missing).map(gap).collect()
}

/// Squared error of rows that were filled.
fn error(values: &[f64], rows: &[f32]) -> f64 {
    assert!(values.iter().all(|x| x.is_finite()));
    values.iter().zip(rows).map(|(x, y)| (x - f64::from(*y)).powi(2)).sum()
}

/// The squared errors of values that were hidden, three in four of all: by reconstruction, and by the likeliest
/// latents.
fn errors(config: &Config, waves: bool) -> [f64; 2] {
    let rows = rows(2000, waves);
    let model = model(&rows, config);
    let missing: Vec<bool> =
        (0..rows.len()).map(|at| !(at * 7 + at / WIDTH).is_multiple_of(4)).collect();
    let mut values = with_gaps(&rows, &missing);
    network::by_reconstruction(&model, &mut values, &missing).unwrap();
    let before = error(&values, &rows);
    let networks = model.latent_networks().unwrap();
    let by = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut values = values.clone();
        pool.install(|| fill(networks, &mut values, &missing));
        values
    };
    let values = by(1);
    assert_eq!(values, by(3));
    assert!(!is_worth_it(networks, 10) && is_worth_it(networks, 2000));
    [before, error(&values, &rows)]
}

#[test]
fn the_likeliest_latents_are_nearer_than_reconstructions_to_what_is_hidden() {
    let [before, after] = errors(&linear(), false);
    assert!(after < 0.9 * before, "{before} {after}");
    // Networks so small differ by their seeds.
    let of = |seed| errors(&Config { seed, ..network() }, true);
    let sum = |a: [f64; 2], b: [f64; 2]| [a[0] + b[0], a[1] + b[1]];
    let [before, after] = (0..6).map(of).fold([0.0; 2], sum);
    assert!(after < 0.8 * before, "{before} {after}");
}

/// A third of all, at random; a row whole, one but for a value, and none of some.
fn scattered(rows: usize) -> Vec<bool> {
    let mut rng = Rng::new(9);
    let mut missing: Vec<bool> = (0..rows * WIDTH).map(|_| rng.unit() < 0.33).collect();
    missing[5 * WIDTH..6 * WIDTH].fill(true);
    missing[8 * WIDTH..9 * WIDTH - 1].fill(true);
    missing[20 * WIDTH..30 * WIDTH].fill(false);
    missing
}

#[test]
fn rows_of_which_little_or_nothing_is_known_are_filled_too_and_what_is_known_stays() {
    let mut masked = network();
    masked.train.mask = Some(Patches::new(1, 1, 0.33));
    for config in [linear(), network(), masked] {
        let rows = rows(1000, true);
        let missing = scattered(1000);
        let model = model(&rows, &config);
        let start = with_gaps(&rows, &missing);
        let mut plain = start.clone();
        network::by_reconstruction(&model, &mut plain, &missing).unwrap();
        let mut values = start.clone();
        network::fill(&model, &mut values, &missing).unwrap();
        let known = values.iter().zip(&start).zip(&missing).filter(|(_, gap)| !**gap);
        known.for_each(|((x, y), _)| assert_eq!(x, y));
        let [before, after] = [&plain, &values].map(|values| error(values, &rows));
        assert!(after <= 1.01 * before, "{before} {after}");
        // About what is not known a row's own values say nothing: it is as rows are on average.
        let lost = &values[5 * WIDTH..6 * WIDTH];
        assert!(lost.iter().zip(&rows).all(|(x, _)| x.abs() < 6.0), "{lost:?}");
    }
}

#[test]
fn pieces_are_filled_each_by_itself_the_last_one_too() {
    let few = rows(1000, false);
    let model = model(&few, &linear());
    // Ten rows more than there are in a piece.
    let count = VALUES_AT_ONCE / WIDTH + 10;
    let rows: Vec<f32> = few.iter().copied().cycle().take(count * WIDTH).collect();
    let missing: Vec<bool> = scattered(1000).into_iter().cycle().take(count * WIDTH).collect();
    let start = with_gaps(&rows, &missing);
    let mut values = start.clone();
    network::fill(&model, &mut values, &missing).unwrap();
    let pieces: Vec<_> = parts(count, WIDTH).collect();
    assert_eq!(pieces.len(), 2);
    for piece in pieces {
        let own = piece.start * WIDTH..piece.end * WIDTH;
        let mut alone = start[own.clone()].to_vec();
        network::fill(&model, &mut alone, &missing[own.clone()]).unwrap();
        assert_eq!(alone, values[own.clone()]);
        let mut plain = start[own.clone()].to_vec();
        network::by_reconstruction(&model, &mut plain, &missing[own.clone()]).unwrap();
        assert!(error(&alone, &rows[own.clone()]) < 0.95 * error(&plain, &rows[own]));
    }
}
