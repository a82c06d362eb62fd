use crate::kernels::activation::Activation;
use crate::nn::corruption::{Corruption, Masks};
use crate::nn::deadline::Deadline;
use crate::nn::objectives::textbook::*;
use crate::nn::tests::{assert_gradient, doubles, exact_contractive, exact_forward, normal};
use crate::nn::trainer::{HeldOut, Pass, TrainerConfig, train};

const WIDTH: usize = 6;
const LATENTS: usize = 3;

fn plain() -> Kind {
    Kind {
        latents: LATENTS,
        encoder: vec![5],
        decoder: vec![4],
        activation: Activation::Tanh,
        decoder_activation: Activation::LeakyRelu(0.125),
        corruption: Corruption { blank: vec![0.5; WIDTH], ..Corruption::default() },
        sparse: None,
        contractive: None,
        variational: None,
    }
}

fn noisy() -> Corruption {
    Corruption { gaussian: 0.3, zero: 0.2, blank: vec![0.5; WIDTH], masks: None }
}

fn masked() -> Corruption {
    let masks = Some(Masks { patch: vec![0, 0, 1, 1, 2, 2], count: 3, hidden: 2 });
    Corruption { masks, ..plain().corruption }
}

/// Every term alone, and what can be combined.
fn kinds() -> Vec<(&'static str, Kind)> {
    vec![
        ("squared error", plain()),
        ("linear", Kind { encoder: Vec::new(), decoder: Vec::new(), ..plain() }),
        ("denoising", Kind { corruption: noisy(), ..plain() }),
        ("masked", Kind { corruption: masked(), ..plain() }),
        ("sparse", Kind { sparse: Some(0.4), ..plain() }),
        ("contractive", Kind { contractive: Some(0.6), ..plain() }),
        ("variational", Kind { variational: Some(0.7), ..plain() }),
        (
            "masked, sparse",
            Kind {
                corruption: Corruption { gaussian: 0.1, ..masked() },
                sparse: Some(0.2),
                ..plain()
            },
        ),
        (
            "denoising, contractive, variational",
            Kind {
                corruption: noisy(),
                contractive: Some(0.3),
                variational: Some(0.5),
                activation: Activation::Gelu,
                ..plain()
            },
        ),
        ("contractive, sparse", Kind { contractive: Some(0.3), sparse: Some(0.5), ..plain() }),
    ]
}

/// What is made small, as its formula is printed, for what the encoder sees and what was drawn.
fn exact(
    kind: &Kind,
    pair: &Pair,
    params: [&[f64]; 2],
    x: &[f64],
    seen: &[f64],
    draw: &[f64],
) -> f64 {
    let rows = x.len() / WIDTH;
    let coded = exact_forward(&pair.encoder, params[0], seen);
    let mut z = coded.clone();
    let (mut kl, mut jacobian) = (0.0, 0.0);
    if kind.variational.is_some() {
        z.clear();
        for (row, e) in coded.chunks(2 * LATENTS).zip(draw.chunks(LATENTS)) {
            for k in 0..LATENTS {
                let (mean, log) = (row[k], row[LATENTS + k]);
                z.push(mean + (0.5 * log).exp() * e[k]);
                kl += 0.5 * (mean * mean + log.exp() - 1.0 - log);
            }
        }
    }
    if kind.contractive.is_some() {
        let means = kind.means(&pair.encoder);
        let last = pair.encoder.shape.layers.len() - 1;
        let mut own = params[0][..pair.encoder.weights(last).start].to_vec();
        let outputs = pair.encoder.outputs();
        for row in params[0][pair.encoder.weights(last).start..].chunks(outputs) {
            own.extend_from_slice(&row[..LATENTS]);
        }
        jacobian = exact_contractive(&means, &own, seen);
    }
    let y = exact_forward(&pair.decoder, params[1], &z);
    let hidden = |i: usize, j: usize| {
        kind.corruption.masks.is_none() || seen[(2 * i + 1) * WIDTH + j] == 1.0
    };
    let (mut square, mut count) = (0.0, 0.0);
    for i in 0..rows {
        for j in (0..WIDTH).filter(|&j| hidden(i, j)) {
            square += (y[i * WIDTH + j] - x[i * WIDTH + j]).powi(2);
            count += 1.0;
        }
    }
    let of = |weight: Option<f32>| f64::from(weight.unwrap_or(0.0));
    let terms = of(kind.sparse) * z.iter().map(|z| z.abs()).sum::<f64>()
        + of(kind.contractive) * jacobian
        + of(kind.variational) * kl;
    square / count + 2.0 / WIDTH as f64 * terms / rows as f64
}

#[test]
fn the_gradient_of_every_kind_is_that_of_its_formula() {
    let mut rng = Rng::new(8);
    for (name, kind) in kinds() {
        let mut pair = kind.start(WIDTH, &mut rng);
        for net in [&mut pair.encoder, &mut pair.decoder] {
            net.params.iter_mut().filter(|p| **p == 0.0).for_each(|p| *p = 0.3 * rng.normal());
        }
        let rows = 5;
        let x = normal(rows * WIDTH, &mut rng);
        let mut work = Work::default();
        // A larger batch was there before.
        let larger = normal(9 * WIDTH, &mut rng);
        work.measure(&kind, &pair, NoisyBatch { x: &larger, rows: 9, seed: 2 });
        let mut grads =
            [vec![7.0; pair.encoder.params.len()], vec![7.0; pair.decoder.params.len()]];
        let batch = NoisyBatch { x: &x, rows, seed: 3 };
        let terms = work.gradient(&kind, &pair, batch, &mut grads);
        let measured = work.measure(&kind, &pair, batch);
        assert!((terms.total() - measured.total()).abs() < 1e-6, "{name}: {terms:?} {measured:?}");
        let (x, seen, draw) = (doubles(&x), doubles(&work.seen), doubles(&work.draw));
        let own = [doubles(&pair.encoder.params), doubles(&pair.decoder.params)];
        let whole = exact(&kind, &pair, [&own[0], &own[1]], &x, &seen, &draw);
        assert!((terms.total() - whole).abs() < 1e-5 * whole, "{name}: {terms:?} {whole}");
        let f = |p: &[f64]| exact(&kind, &pair, [p, &own[1]], &x, &seen, &draw);
        assert_gradient(&grads[0], &pair.encoder.params, f, &format!("{name}: encoder"));
        let f = |p: &[f64]| exact(&kind, &pair, [&own[0], p], &x, &seen, &draw);
        assert_gradient(&grads[1], &pair.decoder.params, f, &format!("{name}: decoder"));
    }
}

/// Rows near a bent surface of two dimensions.
fn bent(rows: usize) -> Vec<f32> {
    let mut rng = Rng::new(9);
    let mut out = Vec::new();
    for _ in 0..rows {
        let (a, b) = (rng.normal(), rng.normal());
        out.extend((0..WIDTH).map(|j| {
            let wave = |k: f32| (j as f32 * k).sin();
            a * wave(0.7) + b * wave(1.3) + 0.5 * a * a * wave(2.1) - 0.3 * a * b * wave(2.9)
        }));
    }
    out
}

fn short(passes: usize) -> TrainerConfig {
    let held_out = HeldOut { share: 0.1, ..HeldOut::default() };
    TrainerConfig { passes, batch: 32, rate: 3e-3, held_out, ..TrainerConfig::default() }
}

fn trained(kind: &Kind, rows: &[f32], config: &TrainerConfig) -> (Pair, Pass<Terms>) {
    let mut rng = Rng::new(0);
    let mut textbook = Textbook::new(kind, rows, WIDTH, 0, &mut rng);
    let pass = train(&mut textbook, config, &mut rng, &mut |_| true);
    (textbook.pair, pass.unwrap())
}

#[test]
fn weights_do_not_depend_on_the_number_of_threads() {
    let rows = bent(200);
    for (name, kind) in kinds() {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let (pair, pass) = pool.install(|| trained(&kind, &rows, &short(2)));
            let params = pair.encoder.params.into_iter().chain(pair.decoder.params);
            (params.map(f32::to_bits).collect::<Vec<_>>(), pass)
        };
        let one = on(1);
        assert!(on(2) == one && on(4) == one, "{name}");
    }
}

#[test]
fn the_decoder_s_norms_are_1_where_a_term_could_be_evaded() {
    let rows = bent(300);
    for (name, kind) in kinds() {
        let (pair, _) = trained(&kind, &rows, &short(3));
        let net = &pair.decoder;
        let norms = net.params[net.weights(0)]
            .chunks(net.shape.layers[0].0)
            .map(|row| row.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>().sqrt());
        let worst = norms.map(|n| (n - 1.0).abs()).fold(0.0, f64::max);
        let bound = kind.sparse.is_some() || kind.contractive.is_some();
        assert_eq!(worst < 1e-5, bound, "{name}: {worst}");
    }
}

#[test]
fn the_weights_of_the_best_pass_are_kept() {
    let rows = bent(120);
    let kind = Kind { variational: Some(0.1), corruption: noisy(), ..plain() };
    let config = TrainerConfig { rate: 0.3, ..short(40) };
    let (mut rng, mut passes) = (Rng::new(0), Vec::new());
    let mut textbook = Textbook::new(&kind, &rows, WIDTH, 0, &mut rng);
    let kept = train(&mut textbook, &config, &mut rng.clone(), &mut |pass| {
        passes.push(*pass);
        true
    });
    let kept = kept.unwrap();
    let held = |p: &Pass<Terms>| p.held_out.unwrap().total();
    let best = passes.iter().min_by(|a, b| held(a).total_cmp(&held(b))).unwrap();
    assert!(&kept == best && kept.index < 39, "{kept:?}");
    // The rows that were held out are the last of the first shuffle.
    let mut order: Vec<usize> = (0..120).collect();
    rng.shuffle(&mut order);
    assert_eq!(Some(textbook.measure(&order[108..])), kept.held_out);
}

#[test]
fn training_ends_when_time_is_up_and_no_rows_are_no_fault() {
    let rows = bent(64);
    for seconds in [0.3, 0.0] {
        let deadline = Some(Deadline::new(seconds));
        let long = TrainerConfig { deadline, ..short(1_000_000) };
        let (_, pass) = trained(&plain(), &rows, &long);
        assert!(pass.index < 999_999);
    }
    let (_, pass) = trained(&plain(), &[], &short(2));
    assert_eq!(pass.trained.error, 0.0);
}
