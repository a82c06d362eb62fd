//! Networks from training to integers and back.

use crate::fit::data::columns::{ColumnPlan, Tolerance, normaliser, plan};
use crate::fit::data::components::Components;
use crate::fit::data::sample::Sample;
use crate::fit::network::codec_network::{CodecNetwork, encoder_record};
use crate::fit::network::plan::NetworkPlan;
use crate::fit::network::refit::{RefitConfig, refit};
use crate::fit::network::train::{TrainedNetwork, train_on_bits};
use crate::fit::quantise::network::Precision;
use crate::fit::quantise::prepare::prepare;
use crate::kernels::activation::Activation;
use crate::matrix::Matrix;
use crate::matrix::rng::Rng;
use crate::nn::autoencoder::Autoencoder;
use crate::nn::deadline::Deadline;
use crate::nn::objectives::bits::{Cost, Distortion};

const WIDTH: usize = 12;

/// Rows on a curved surface of two parameters, and their plan for a bound of 0.02.
fn surface(rows: usize) -> (Sample, Vec<ColumnPlan>, Vec<f32>) {
    let mut rng = Rng::new(5);
    let mut values = Vec::new();
    for _ in 0..rows {
        let (a, b) = (4.0 * rng.unit() - 2.0, 4.0 * rng.unit() - 2.0);
        values.extend((0..WIDTH).map(|j| {
            let t = j as f32 / WIDTH as f32;
            (a * a - 1.0) * t + b * (1.0 - t) + a * b * t * (1.0 - t) + 0.01 * rng.unit()
        }));
    }
    let sample = Sample::draw(&Matrix::from_slice(&values, &[WIDTH]).unwrap(), 1 << 20).unwrap();
    let columns = plan(&sample, &Tolerance::Bounds(vec![0.02; WIDTH]));
    let normalised = normaliser(&columns).normalise(
        sample.schema.dtype,
        &sample.schema.fill_values,
        &sample.bytes,
    );
    (sample, columns, normalised)
}

fn short(distortion: Distortion, hidden: &[usize]) -> NetworkPlan {
    NetworkPlan {
        distortion,
        latents: 3,
        step: 1.0,
        encoder: hidden.iter().rev().copied().collect(),
        decoder: hidden.to_vec(),
        activation: Activation::LeakyRelu(0.125),
        decoder_activation: Activation::LeakyRelu(0.125),
        passes: 12,
        batch: 64,
        rate: 4e-3,
        classes: 4,
        file_rows: 2000.0,
        seed: 3,
        held_out: 0.0,
        deadline: None,
        neighbours: Vec::new(),
    }
}

fn trained(normalised: &[f32], plan: &NetworkPlan) -> (TrainedNetwork, Vec<Cost>) {
    let components = Components::fit(normalised, WIDTH);
    let costs = std::cell::RefCell::new(Vec::new());
    let t = train_on_bits(plan, normalised, &components, &|_, c| costs.borrow_mut().push(*c));
    (t, costs.into_inner())
}

fn fine(trellis: usize) -> Precision {
    let units = if trellis > 0 { 2.0 } else { 1.0 };
    Precision { units, trellis, output: 1e-3, hidden: 0.01, error_weight: None }
}

/// Mean squared difference over mean square.
fn apart(a: &[f32], b: &[f32]) -> f64 {
    let squares = |v: &[f32]| v.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
    let d: Vec<f32> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    squares(&d) / squares(a)
}

#[test]
fn training_makes_the_file_smaller() {
    let (_, _, normalised) = surface(2000);
    for distortion in [Distortion::Coded, Distortion::Target(2.0)] {
        let (_, costs) = trained(&normalised, &short(distortion, &[24]));
        let bits = |c: &Cost| c.latent + c.residual;
        let (first, last) = (&costs[0], &costs[costs.len() - 1]);
        match distortion {
            Distortion::Coded => assert!(bits(last) < 0.8 * bits(first), "{first:?} {last:?}"),
            Distortion::Target(e) => assert!(last.error < 1.5 * e, "{last:?}"),
        }
    }
}

#[test]
fn the_price_of_errors_rises_and_falls_until_they_are_as_wanted() {
    let (_, _, normalised) = surface(2000);
    // At a price that stays, errors come to 0.3.
    for wanted in [0.3, 0.6, 1.0] {
        let plan =
            NetworkPlan { passes: 200, batch: 32, ..short(Distortion::Target(wanted), &[24]) };
        let (_, costs) = trained(&normalised, &plan);
        let last = costs.last().unwrap().error;
        assert!((last / wanted).ln().abs() < 0.4, "{last}, not {wanted}");
    }
}

#[test]
fn training_begins_where_principal_components_end() {
    let (_, _, normalised) = surface(500);
    let components = Components::fit(&normalised, WIDTH);
    let plan = NetworkPlan { passes: 0, step: 0.5, ..short(Distortion::Coded, &[24]) };
    let net = trained(&normalised, &plan).0.autoencoder;
    let (mut latents, mut projected) = (Vec::new(), vec![0.0; normalised.len()]);
    for (row, out) in normalised.chunks(WIDTH).zip(projected.chunks_mut(WIDTH)) {
        for k in 0..plan.latents {
            let y: f32 = row.iter().zip(components.vector(k)).map(|(x, v)| x * v).sum();
            out.iter_mut().zip(components.vector(k)).for_each(|(o, v)| *o += y * v);
            latents.push(y / plan.step);
        }
    }
    assert!(apart(&latents, &net.encoder.encode(&normalised)) < 1e-9);
    assert!(apart(&projected, &net.decode(&latents)) < 1e-9);
}

#[test]
fn rows_of_two_sorts_are_cheaper_in_two_classes() {
    let (_, _, normalised) = surface(2000);
    let mut rng = Rng::new(8);
    // Every other row is rough.
    let rough = |i: usize| if i.is_multiple_of(2) { 40.0 } else { 0.0 };
    let rows: Vec<f32> = normalised
        .chunks(WIDTH)
        .enumerate()
        .flat_map(|(i, row)| row.iter().map(move |x| (i, x)))
        .map(|(i, x)| x + rough(i) * (rng.unit() - 0.5))
        .collect();
    let bytes = |classes: usize| {
        let plan = NetworkPlan { classes, ..short(Distortion::Coded, &[24]) };
        let (_, costs) = trained(&rows, &plan);
        costs.last().map(|c| c.latent + c.residual).unwrap()
    };
    let (one, two) = (bytes(1), bytes(2));
    // Half the rows take 5 bits less for each value, or the other half would.
    assert!(two < 0.9 * one, "{two} bytes a row in two classes, {one} in one");
}

#[test]
fn what_neighbours_foretell_is_not_paid_for_again() {
    let (_, _, normalised) = surface(2000);
    let mut rng = Rng::new(9);
    // Errors wander along a row.
    let mut error = 0.0;
    let wander = |(i, x): (usize, &f32)| {
        error = if i % WIDTH == 0 { 0.0 } else { 0.95 * error } + 12.0 * (rng.unit() - 0.5);
        x + error
    };
    let rows: Vec<f32> = normalised.iter().enumerate().map(wander).collect();
    let bytes = |neighbours: Vec<Vec<usize>>| {
        let plan = NetworkPlan { neighbours, ..short(Distortion::Coded, &[24]) };
        let (_, costs) = trained(&rows, &plan);
        costs.last().map(|c| c.latent + c.residual).unwrap()
    };
    let left = (0..WIDTH).map(|j| j.checked_sub(1).into_iter().collect()).collect();
    let (without, with) = (bytes(Vec::new()), bytes(left));
    assert!(with < 0.97 * without, "{with} bytes a row with neighbours, {without} without");
}

#[test]
fn a_training_without_time_makes_one_step_that_can_be_quantised() {
    let (_, columns, normalised) = surface(1000);
    for (passes, steps) in [(1_000_000, "one"), (0, "none")] {
        let deadline = Some(Deadline::new(0.0));
        let plan = NetworkPlan { deadline, passes, ..short(Distortion::Coded, &[20]) };
        let (t, _) = trained(&normalised, &plan);
        let p = prepare(&t.autoencoder, &columns, &normalised, &fine(8)).unwrap();
        let checked = crate::codec::network::IntegerNetwork::new(&p.record);
        assert!(checked.is_ok() && p.record.hidden.is_some(), "{steps}");
    }
}

#[test]
fn refitting_fits_both_networks_to_the_latents_as_chosen() {
    let (_, _, normalised) = surface(2000);
    let (mut t, _) = trained(&normalised, &short(Distortion::Target(2.0), &[24]));
    // Where rates decide, latents come out smaller than they are.
    let thrifty = |y: &f32| (0.95 * y).round_ties_even();
    let latents: Vec<f32> = t.autoencoder.encoder.encode(&normalised).iter().map(thrifty).collect();
    let lost = |t: &TrainedNetwork| {
        let net = &t.autoencoder;
        (
            apart(&normalised, &net.decode(&latents)),
            apart(&latents, &net.encoder.encode(&normalised)),
        )
    };
    let before = lost(&t);
    let how = RefitConfig {
        least_passes: 10,
        least_steps: 0,
        most_passes: 99,
        batch: 256,
        rate: 1e-3,
        seed: 1,
    };
    refit(&mut t.autoencoder, &normalised, &latents, how);
    let after = lost(&t);
    assert!(after.0 < 0.3 * before.0 && after.1 < 0.3 * before.1, "{before:?} {after:?}");
}

#[test]
fn weights_do_not_depend_on_threads() {
    let (_, _, normalised) = surface(700);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let plan = NetworkPlan { passes: 3, ..short(Distortion::Coded, &[24, 16]) };
        let net = pool.install(|| trained(&normalised, &plan).0.autoencoder);
        let params = net.encoder.network.params.into_iter().chain(net.decoder.params);
        params.map(f32::to_bits).collect::<Vec<_>>()
    };
    let one = on(1);
    assert_eq!(one, on(2));
    assert_eq!(one, on(4));
}

#[test]
fn the_quantised_decoder_predicts_what_the_floats_do() {
    let (sample, columns, normalised) = surface(1000);
    for (hidden, trellis) in [(vec![], 0), (vec![20], 8), (vec![16, 24], 4)] {
        let (t, _) = trained(&normalised, &short(Distortion::Coded, &hidden));
        let p = prepare(&t.autoencoder, &columns, &normalised, &fine(trellis)).unwrap();
        let latents: Vec<i32> = p.real.iter().map(|y| y.round_ties_even() as i32).collect();
        let network = crate::codec::network::IntegerNetwork::new(&p.record).unwrap();
        let mut integers = vec![0; sample.rows() * WIDTH];
        network.predict(&latents, &mut integers);
        let quantised: Vec<f32> = integers
            .chunks(WIDTH)
            .flat_map(|row| {
                row.iter().zip(&columns).map(|(m, c)| *m as f32 / (1_u32 << c.grid.fraction) as f32)
            })
            .collect();
        let units = fine(trellis).units;
        let steps: Vec<f32> = latents.iter().map(|y| *y as f32 / units).collect();
        let floats = t.autoencoder.decode(&steps);
        assert!(apart(&floats, &quantised) < 1e-4, "{hidden:?}: {}", apart(&floats, &quantised));
    }
}

#[test]
fn where_there_is_no_linear_path_rounding_makes_none() {
    let (_, columns, normalised) = surface(1000);
    let (mut t, _) = trained(&normalised, &short(Distortion::Coded, &[20]));
    let skip = t.autoencoder.decoder.skip();
    let precision = Precision { output: 0.5, hidden: 0.1, ..fine(0) };
    let quantised = |t: &TrainedNetwork| {
        prepare(&t.autoencoder, &columns, &normalised, &precision).unwrap().record
    };
    assert!(quantised(&t).skip.iter().any(|w| *w != 0));
    t.autoencoder.decoder.params[skip].fill(0.0);
    let record = quantised(&t);
    assert_eq!(record.skip, vec![0; 3 * WIDTH]);
    assert!(record.hidden.is_some() && crate::codec::network::IntegerNetwork::new(&record).is_ok());
}

#[test]
fn a_codec_brings_back_the_network_for_other_columns() {
    let (sample, columns, normalised) = surface(1000);
    for (hidden, trellis) in [(vec![20], 8), (vec![16, 24], 0)] {
        let (t, _) = trained(&normalised, &short(Distortion::Coded, &hidden));
        let p = prepare(&t.autoencoder, &columns, &normalised, &fine(trellis)).unwrap();
        let record = encoder_record(&p.projection).unwrap();
        let learned = CodecNetwork::new(Some(&record), &p.record).unwrap();
        // Another bound: other scales and other centres.
        let other = plan(&sample, &Tolerance::Bounds(vec![0.05; WIDTH]));
        let again = learned.trained(
            &other,
            &normaliser(&other).normalise(
                sample.schema.dtype,
                &sample.schema.fill_values,
                &sample.bytes,
            ),
        );
        let rows = normaliser(&other).normalise(
            sample.schema.dtype,
            &sample.schema.fill_values,
            &sample.bytes,
        );
        let latents = again.autoencoder.encoder.encode(&rows);
        assert!(apart(&t.autoencoder.encoder.encode(&normalised), &latents) < 1e-4);
        let data = |net: &Autoencoder, latents: &[f32], columns: &[ColumnPlan]| {
            let out = net.decode(latents);
            let rows = out.chunks(WIDTH).flat_map(|row| {
                row.iter().zip(columns).map(|(x, c)| (f64::from(*x) * c.scale + c.centre) as f32)
            });
            rows.collect::<Vec<_>>()
        };
        let first = data(&t.autoencoder, &latents, &columns);
        let second = data(&again.autoencoder, &latents, &other);
        assert!(apart(&first, &second) < 1e-4, "{hidden:?}: {}", apart(&first, &second));
        assert!(again.step > 0.1 && again.step < 2.0, "{}", again.step);
    }
}
