//! The masked transformer: what it restores and embeds, on the sample of digits.

use crate::uses::{Random, digits, matrix};
use aezip::apps::{
    Examples, FinetuneConfig, Model, OnnxPart, finetune, hide_patches, impute, missing_values,
    onnx, predict, safetensors, sample, to_doubles,
};
use aezip::{Codec, Config, DType, Matrix, Patches, Rows, Transformer, compress};

#[test]
fn a_transformer_restores_patches_and_embeds_rows_without_them() {
    let whole = digits();
    let images = |values: &[f64]| matrix(values, DType::F32);
    let (learned, judged) = whole.split_at(64 * 1400);
    let mut config = Config::default();
    config.train.mask = Some(Patches::new(2, 2, 0.5));
    let mut transformer = Transformer::default();
    (transformer.depth, transformer.dim) = (Some(1), Some(24));
    (config.train.transformer, config.train.batch) = (Some(transformer), Some(16));
    let mut fitted = |threads: usize, epochs: usize| {
        (config.threads, config.train.epochs) = (threads, Some(epochs));
        let mut stored = Vec::new();
        Codec::fit(&images(learned), &config).unwrap().write(&mut stored).unwrap();
        stored
    };
    assert!(fitted(1, 1) == fitted(3, 1), "it depends on the number of threads");
    let codec = Codec::read(&fitted(0, 20)).unwrap();
    assert!(codec.is_transformer() && codec.has_network());

    // Half of the patches of each image are missing.
    let mut random = Random(5);
    let mut gaps = judged.to_vec();
    for image in gaps.chunks_exact_mut(64) {
        for patch in 0..16 {
            if random.unit() < 0.5 {
                let first = patch / 4 * 16 + patch % 4 * 2;
                [0, 1, 8, 9].iter().for_each(|at| image[first + at] = f64::NAN);
            }
        }
    }
    let rows = images(&gaps);
    let missing = missing_values(&rows, &[]).unwrap();
    let filled = impute(&rows, &missing, Some(&codec), &config).unwrap();
    let filled = to_doubles(&filled.rows).unwrap();
    let mean = |j: usize| {
        let own = learned.iter().skip(j).step_by(64);
        own.clone().sum::<f64>() / own.count() as f64
    };
    let means: Vec<f64> = (0..64).map(mean).collect();
    let (mut error, mut baseline) = (0.0, 0.0);
    for (at, gap) in missing.iter().enumerate() {
        if *gap {
            error += (filled[at] - judged[at]).powi(2);
            baseline += (means[at % 64] - judged[at]).powi(2);
        } else {
            assert_eq!(filled[at], judged[at], "what is there stays");
        }
    }
    println!("{:.3} of the squared error of means", error / baseline);
    assert!(error < 0.7 * baseline, "{error} {baseline}");

    let model = Model::new(&codec).unwrap();
    assert!(model.is_transformer() && model.is_masked() && model.latents() == 24);
    let embedded = model.embed(&rows).unwrap();
    assert_eq!((embedded.len(), embedded.schema().width()), (rows.len(), 24));
    assert_eq!(model.lost(&rows).unwrap(), None);
    let looked_at = hide_patches(&model, &matrix(judged, DType::U8), 5, 1).unwrap();
    let seen = to_doubles(&looked_at.seen).unwrap();
    assert_eq!(seen.iter().filter(|x| x.is_nan()).count(), 5 * 32);
    let restored = to_doubles(&looked_at.restored).unwrap();
    assert!(restored.iter().zip(&seen).all(|(x, s)| s.is_nan() || x == s));
    a_head_learns_from_embeddings(&codec, learned, judged);
    // What needs latents says so.
    let told = |error: aezip::Error| assert!(error.to_string().contains("transformer"), "{error}");
    told(model.reconstruct(&rows).unwrap_err());
    told(model.decode(&embedded).unwrap_err());
    told(sample(&model, 3, 0).unwrap_err());
    told(codec.compress(&images(judged), &Config::default(), Vec::new()).unwrap_err());
    told(compress(&images(judged), &config, Vec::new()).unwrap_err());
    // It learns from whole rows: what stands for a gap is no value.
    let some = [&judged[..64 * 100], &gaps[..64 * 100]].concat();
    let error = Codec::fit(&images(&gaps[..64 * 100]), &config).unwrap_err();
    assert!(error.to_string().contains("0 of 100"), "{error}");
    let learned = |rows: &[f64]| {
        let mut stored = Vec::new();
        Codec::fit(&images(rows), &config).unwrap().write(&mut stored).unwrap();
        stored
    };
    assert!(learned(&some) == learned(&judged[..64 * 100]));
}

/// Says of images whether they have much ink, from few of which that is known.
fn a_head_learns_from_embeddings(codec: &Codec, learned: &[f64], judged: &[f64]) {
    let images = |values: &[f64]| matrix(values, DType::F32);
    let labels = |values: &[f64]| -> Vec<i64> {
        values.chunks(64).map(|x| i64::from(x.iter().sum::<f64>() > 312.0)).collect()
    };
    let some = &learned[..64 * 200];
    let given = Matrix::from_slice(&labels(some), &[]).unwrap();
    let some = images(some);
    let examples = Examples::new(&some, &given);
    let mut how = FinetuneConfig::default();
    let (tuned, report) = finetune(codec, examples, &Config::default(), &how).unwrap();
    assert_eq!((report.rows, report.outputs), (200, 2));
    let mut stored = Vec::new();
    tuned.write(&mut stored).unwrap();
    let tuned = Codec::read(&stored).unwrap();
    assert!(tuned.is_transformer());
    // An image of which no patch is whole, and one of which nothing is there.
    let mut gaps = judged.to_vec();
    (0..64).step_by(2).for_each(|at| gaps[at] = f64::NAN);
    gaps[64..128].fill(f64::NAN);
    let found = predict(&tuned, &images(&gaps)).unwrap();
    assert_eq!(found.empty_rows, 2);
    let probabilities = found.probabilities.unwrap().to_vec::<f32>().unwrap();
    assert!(probabilities[..4].iter().all(|p| p.is_nan()));
    assert!(probabilities[4..].chunks(2).all(|p| (p[0] + p[1] - 1.0).abs() < 1e-5));
    let found = found.values.to_vec::<i64>().unwrap();
    let much = labels(judged).iter().sum::<i64>();
    assert!((150..250).contains(&much), "{much} of {}", found.len());
    let right = found.iter().zip(labels(judged)).filter(|(a, b)| **a == *b).count();
    println!("{right} of {} right", found.len());
    assert!(right as f64 > 0.85 * found.len() as f64, "{right} of {}", found.len());
    // Embeddings lie in groups: those without a label may help, and must not fail.
    let others = images(&judged[..64 * 100]);
    let more = examples.with_unlabelled(&others);
    let (_, report) = finetune(codec, more, &Config::default(), &how).unwrap();
    assert_eq!(report.pseudo_labelled, 50);
    assert!(onnx(&tuned, OnnxPart::Predictor).unwrap().len() > 1000);
    let weights = safetensors(&tuned).unwrap();
    assert!(weights.windows(11).any(|name| name == b"head.centre"));
    // Images of which no patch is whole have nothing to learn from.
    let mut torn = learned[..64 * 200].to_vec();
    (0..64 * 50).step_by(2).for_each(|at| torn[at] = f64::NAN);
    let torn = images(&torn);
    let of_torn = Examples::new(&torn, &given).with_unlabelled(&torn);
    let (_, report) = finetune(codec, of_torn, &Config::default(), &how).unwrap();
    assert_eq!((report.rows, report.pseudo_labelled), (150, 75));
    // The transformer itself does not learn.
    how.encoder_rate = Some(0.1);
    let error = finetune(codec, examples, &Config::default(), &how).unwrap_err();
    assert!(error.to_string().contains("transformer"), "{error}");
    (how.encoder_rate, how.from_scratch) = (None, true);
    finetune(codec, examples, &Config::default(), &how).unwrap_err();
    let nothing = images(&[f64::NAN; 64 * 200]);
    let unseen = Examples::new(&nothing, &given);
    let error = finetune(codec, unseen, &Config::default(), &Default::default()).unwrap_err();
    assert!(error.to_string().contains("patch"), "{error}");
}
