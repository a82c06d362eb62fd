//! What codecs are good for besides small files: each use does better than a simple way of doing
//! the same, on the sample of digits.

use aezip::apps::{
    AnomalyConfig, AnomalyScore, Examples, FinetuneConfig, Model, OnnxPart, SampleSource, Task,
    cast, denoise, find_anomalies, finetune, impute, missing_values, onnx, predict, safetensors,
    sample, to_doubles,
};
use aezip::{
    Codec, Config, DType, Fidelity, Loss, Matrix, Patches, Quality, Reader, Rows, compress,
};
use std::path::Path;

/// 1797 images of 8 × 8 pixels from 0 to 16.
pub(crate) fn digits() -> Vec<f64> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/digits.npy");
    let rows = aezip::input::open(path, &Default::default()).unwrap();
    to_doubles(&*rows).unwrap()
}

pub(crate) fn matrix(values: &[f64], dtype: DType) -> Matrix {
    cast(&Matrix::from_slice(values, &[8, 8]).unwrap(), dtype).unwrap()
}

/// A small network, trained for about two seconds.
fn small(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::default();
    config.level = 2;
    config.train.loss = Loss::SquaredError;
    config.train.hidden = Some(vec![64]);
    config.train.latents = Some(12);
    config.train.epochs = Some(200);
    change(&mut config);
    config
}

fn mean_square(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / a.len() as f64
}

/// Numbers between 0 and 1, the same each time.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn unit(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1_u64 << 31) as f64
    }

    /// About normal.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }
}

/// The share of pairs of an odd and an ordinary row in which the odd one has the higher score.
fn area_under_curve(scores: &[f64], odd: &[bool]) -> f64 {
    let of = |wanted: bool| {
        scores.iter().zip(odd).filter(move |(_, odd)| **odd == wanted).map(|(s, _)| *s)
    };
    let (mut won, mut pairs) = (0.0, 0.0);
    for a in of(true) {
        for b in of(false) {
            won += if a > b {
                1.0
            } else if a == b {
                0.5
            } else {
                0.0
            };
            pairs += 1.0;
        }
    }
    won / pairs
}

/// Digits of which every twentieth has the upper half of one image and the lower half of another:
/// each half is as usual, and so is the distance from the mean.
fn with_odd_rows() -> (Vec<f64>, Vec<bool>) {
    let original = digits();
    let mut values = original.clone();
    let mut random = Random(1);
    let mut odd = Vec::new();
    for (i, row) in values.chunks_exact_mut(64).enumerate() {
        odd.push(i % 20 == 7);
        if i % 20 == 7 {
            let other = random.below(1797);
            row[32..].copy_from_slice(&original[64 * other + 32..64 * (other + 1)]);
        }
    }
    (values, odd)
}

/// Digits of which every twentieth is disturbed by noise.
fn with_disturbed_rows() -> (Vec<f64>, Vec<bool>) {
    let mut values = digits();
    let mut random = Random(1);
    let mut odd = Vec::new();
    for (i, row) in values.chunks_exact_mut(64).enumerate() {
        odd.push(i % 20 == 7);
        if i % 20 == 7 {
            row.iter_mut().for_each(|x| *x = (*x + 3.0 * random.normal()).round().clamp(0.0, 16.0));
        }
    }
    (values, odd)
}

#[test]
fn anomalies_are_found_although_they_are_learned_from_too() {
    let (values, odd) = with_odd_rows();
    let rows = matrix(&values, DType::U8);
    let mean: Vec<f64> = (0..64)
        .map(|j| values.iter().skip(j).step_by(64).sum::<f64>() / odd.len() as f64)
        .collect();
    let distances: Vec<f64> = values.chunks(64).map(|row| mean_square(row, &mean)).collect();
    let baseline = area_under_curve(&distances, &odd);

    let mut how = AnomalyConfig::default();
    how.contamination = Some(0.05);
    how.score = AnomalyScore::Error;
    // Means over seeds, of which one alone moves the area by 0.02.
    const SEEDS: [u64; 3] = [0, 1, 2];
    let of_seed = |seed: u64, how: &AnomalyConfig| {
        let mut config = Config::default();
        config.seed = seed;
        let found = find_anomalies(&rows, None, &config, how).unwrap();
        (area_under_curve(&found.scores, &odd), found)
    };
    let found = SEEDS.map(|seed| of_seed(seed, &how));
    let area = found.iter().map(|(area, _)| area).sum::<f64>() / SEEDS.len() as f64;
    how.rounds = 0;
    let once = of_seed(SEEDS[0], &how).0;
    println!(
        "area under the curve {area:.4}, {once:.4} learned once, {baseline:.4} by distance from \
         the mean"
    );
    assert!(area > 0.9 && area > baseline + 0.3 && area > once, "{area} {once} {baseline}");
    let count = |of: &dyn Fn(usize, bool) -> bool| -> usize {
        let flags = found.iter().flat_map(|(_, found)| found.flagged.iter().enumerate());
        flags.filter(|(i, flagged)| of(*i, **flagged)).count()
    };
    let flagged = count(&|_, flagged| flagged);
    let right = count(&|i, flagged| flagged && odd[i]);
    println!("{flagged} flagged, {right} of them odd");
    // Of as many that are farthest from the mean.
    let mut farthest: Vec<usize> = (0..odd.len()).collect();
    farthest.sort_by(|&a, &b| distances[b].total_cmp(&distances[a]));
    let far = farthest[..flagged / SEEDS.len()].iter().filter(|i| odd[**i]).count();
    println!("{far} of as many farthest from the mean");
    for (_, found) in &found {
        let flagged = found.flagged.iter().filter(|f| **f).count();
        assert!((80..=100).contains(&flagged), "{flagged}");
    }
    // Of one seed alone half to 0.45 are right, by chance.
    assert!(
        right * 20 >= flagged * 9 && right >= 3 * far * SEEDS.len(),
        "{right} of {flagged}, {far}"
    );
    let found = &found[0].1;
    let mut all_ways = how.clone();
    (all_ways.score, all_ways.rounds) = (AnomalyScore::Auto, AnomalyConfig::default().rounds);
    let found_by_all = SEEDS.map(|seed| of_seed(seed, &all_ways));
    let both = found_by_all.iter().map(|(area, _)| area).sum::<f64>() / SEEDS.len() as f64;
    println!("{both:.4} by error and density");
    assert!(both > 0.9 && both > baseline + 0.3, "{both} {baseline}");
    for (_, found) in &found_by_all {
        assert_eq!(found.score, AnomalyScore::Auto);
        let flagged = found.flagged.iter().filter(|f| **f).count();
        assert!((80..=100).contains(&flagged), "{flagged}");
    }
    // What is said of a row adds up.
    let row = (0..odd.len()).find(|i| found.flagged[*i]).unwrap();
    let all: f64 = found.worst_columns(row, 64).iter().map(|(_, share)| share).sum();
    assert!((all - 1.0).abs() < 1e-6);
}

#[test]
fn odd_rows_take_more_bits() {
    let (values, odd) = with_disturbed_rows();
    let rows = matrix(&values, DType::U8);
    let mut how = AnomalyConfig::default();
    (how.score, how.rounds) = (AnomalyScore::Bits, 0);
    let mut config = Config::default();
    config.level = 1;
    let found = find_anomalies(&rows, None, &config, &how).unwrap();
    let area = area_under_curve(&found.scores, &odd);
    println!("area under the curve by bits: {area:.4}");
    assert!(area > 0.95, "{area}");
    // Bits of rows are those of the file.
    let mut file = Vec::new();
    compress(&rows, &config, &mut file).unwrap();
    let reader = Reader::new(file).unwrap();
    let bits: f64 = reader.row_bits().unwrap().iter().sum();
    let rest = 8.0 * (reader.info().file_bytes - reader.info().model_bytes) as f64;
    assert!(bits < rest && bits > 0.95 * rest, "{bits} of {rest}");
}

#[test]
fn noise_is_taken_out() {
    let clean = digits();
    let mut random = Random(2);
    let noisy: Vec<f64> =
        clean.iter().map(|x| (x + 4.0 * random.normal()).clamp(0.0, 16.0)).collect();
    let rows = matrix(&noisy, DType::F32);
    let config = small(|c| (c.train.denoise.gaussian, c.train.latents) = (Some(0.2), Some(24)));
    let model = Model::new(&Codec::fit(&rows, &config).unwrap()).unwrap();
    let given = denoise(&model, &rows).unwrap();
    assert_eq!(given.schema(), rows.schema());
    let before = mean_square(&noisy, &clean);
    let after = mean_square(&to_doubles(&given).unwrap(), &clean);
    println!("mean squared error {before:.3} before, {after:.3} after");
    assert!(after < 0.75 * before, "{after} after, {before} before");
    // A codec that was learned from clean rows knows better.
    let model = Model::new(&Codec::fit(&matrix(&clean, DType::F32), &config).unwrap()).unwrap();
    let better = denoise(&model, &rows).unwrap();
    let better = mean_square(&to_doubles(&better).unwrap(), &clean);
    println!("{better:.3} with a codec of clean rows");
    assert!(better < after, "{better} {after}");
}

#[test]
fn gaps_are_filled_better_than_with_means() {
    let whole = digits();
    let mut random = Random(3);
    let gaps: Vec<f64> =
        whole.iter().map(|x| if random.unit() < 0.2 { f64::NAN } else { *x }).collect();
    let rows = matrix(&gaps, DType::F32);
    let missing = missing_values(&rows, &[]).unwrap();
    let error = |filled: &[f64]| {
        let own = || missing.iter().enumerate().filter(|(_, m)| **m).map(|(at, _)| at);
        own().map(|at| (filled[at] - whole[at]).powi(2)).sum::<f64>() / own().count() as f64
    };
    let means: Vec<f64> = (0..64)
        .map(|j| {
            let own = gaps.iter().skip(j).step_by(64).filter(|x| x.is_finite());
            own.clone().sum::<f64>() / own.count() as f64
        })
        .collect();
    let by_means: Vec<f64> = (0..gaps.len()).map(|at| means[at % 64]).collect();
    let baseline = error(&by_means);

    let config = small(|c| c.train.mask = Some(Patches::new(1, 1, 0.3)));
    let filled = to_doubles(&impute(&rows, &missing, None, &config).unwrap().rows).unwrap();
    for (at, x) in gaps.iter().enumerate().filter(|(_, x)| x.is_finite()) {
        assert_eq!(filled[at], *x, "what is there stays");
    }
    let masked = error(&filled);
    // A codec that knows nothing of gaps goes around until nothing changes.
    let linear = small(|c| {
        c.train = Default::default();
        (c.train.linear, c.train.latents, c.train.epochs) = (true, Some(12), Some(60));
    });
    let codec = Codec::fit(&matrix(&whole[..64 * 900], DType::F32), &linear).unwrap();
    let filled = impute(&rows, &missing, Some(&codec), &linear).unwrap();
    let around = error(&to_doubles(&filled.rows).unwrap());
    println!("squared error {masked:.3} masked, {around:.3} linear, {baseline:.3} with means");
    assert!(masked < 0.5 * baseline && around < 0.7 * baseline, "{masked} {around} {baseline}");
    let chosen = impute(&rows, &missing, None, &Config::default()).unwrap();
    let chosen = error(&to_doubles(&chosen.rows).unwrap());
    println!("{chosen:.3} by what suits each column");
    assert!(chosen < 0.5 * baseline, "{chosen} {baseline}");
}

#[test]
fn two_latents_of_a_network_say_more_than_two_principal_components() {
    let rows = matrix(&digits(), DType::U8);
    let lost = |config: &Config| {
        let model = Model::new(&Codec::fit(&rows, config).unwrap()).unwrap();
        let embedded = model.embed(&rows).unwrap();
        assert_eq!((embedded.len(), embedded.schema().width()), (1797, 2));
        assert!(embedded.to_vec::<f32>().unwrap().iter().all(|x| x.is_finite()));
        // Decoding an embedding is reconstructing the rows.
        let given = model.reconstruct(&rows).unwrap();
        assert_eq!(model.decode(&embedded).unwrap().bytes(), given.bytes());
        let original = cast(&rows, DType::F32).unwrap();
        Quality::measure(&original, &given).unwrap().nmse
    };
    let network = lost(&small(|c| c.train.latents = Some(2)));
    let linear = lost(&small(|c| {
        c.train = Default::default();
        (c.train.linear, c.train.latents) = (true, Some(2));
    }));
    println!("variance lost: {network:.4} by a network, {linear:.4} by principal components");
    assert!(network < 0.85 * linear, "{network} {linear}");
}

#[test]
fn anomalies_do_not_depend_on_units() {
    let (values, odd) = with_disturbed_rows();
    let mut how = AnomalyConfig::default();
    how.contamination = Some(0.05);
    let config = small(|c| c.train.epochs = Some(20));
    let area = |unit: f64| {
        let rows = matrix(&values.iter().map(|x| x * unit).collect::<Vec<_>>(), DType::F64);
        area_under_curve(&find_anomalies(&rows, None, &config, &how).unwrap().scores, &odd)
    };
    let found = [1.0, 1e-40, 1e17, 1e200].map(area);
    println!("area under the curve in units of any size: {found:?}");
    assert!(found[0] > 0.8 && found.iter().all(|a| (a - found[0]).abs() < 0.02), "{found:?}");
}

#[test]
fn rows_that_lack_nothing_come_back() {
    let rows = matrix(&vec![7.0; 64 * 100], DType::U8);
    let config = Config::default();
    let same = impute(&rows, &vec![false; 6400], None, &config).unwrap();
    assert_eq!((same.rows.bytes(), same.filled), (rows.bytes(), 0));
    assert!(impute(&rows, &vec![true; 6400], None, &config).is_err());
}

#[test]
fn floats_say_what_the_integer_program_says() {
    let rows = matrix(&digits(), DType::U8);
    for hidden in [vec![], vec![24]] {
        let mut config = Config::default();
        config.fidelity = Fidelity::Nmse("0.1".parse().unwrap());
        (config.level, config.train.epochs) = (2, Some(4));
        if hidden.is_empty() {
            config.train.epochs = None;
        }
        config.train.hidden = Some(hidden.clone());
        let codec = Codec::fit(&rows, &config).unwrap();
        let model = Model::new(&codec).unwrap();
        assert_eq!(model.is_linear(), hidden.is_empty());
        let mut file = Vec::new();
        codec.compress(&rows, &config, &mut file).unwrap();
        let reader = Reader::new(&file[..]).unwrap();
        let of_file = Model::new(&Codec::read(&file).unwrap()).unwrap();
        let stored = Matrix::of(&*of_file.stored(&reader).unwrap()).unwrap();
        // What is stored are latents alone, rounded: they decode to the file's rows, but for the
        // rounding to whole numbers within the pixels' range.
        let given = to_doubles(&of_file.decode(&stored).unwrap()).unwrap();
        let direct = to_doubles(&model.reconstruct(&rows).unwrap()).unwrap();
        let (a, b) = (mean_square(&given, &digits()), mean_square(&direct, &digits()));
        println!("{hidden:?}: squared error {a:.4} of stored latents, {b:.4} of real ones");
        assert!(b < a && a < 3.0, "{a} {b}");
        let mut decoded = vec![0_u8; 1797 * 64];
        reader.read_rows(0..1797, &mut decoded).unwrap();
        let decoded: Vec<f64> = decoded.iter().map(|x| f64::from(*x)).collect();
        let given: Vec<f64> = given.iter().map(|x| x.clamp(0.0, 255.0)).collect();
        let apart = mean_square(&given, &decoded);
        assert!(apart < 0.1, "{apart}");
        // A file has no encoder of a network, but the linear one is that of its decoder.
        assert_eq!(of_file.has_encoder(), hidden.is_empty());
        assert_eq!(of_file.embed(&rows).is_ok(), hidden.is_empty());
    }
}

#[test]
fn drawn_rows_look_like_rows() {
    let values = digits();
    let rows = matrix(&values, DType::U8);
    let nearest = |row: &[f64]| {
        values.chunks(64).map(|other| mean_square(row, other)).fold(f64::INFINITY, f64::min)
    };
    let mean_nearest =
        |rows: &[f64]| rows.chunks(64).map(nearest).sum::<f64>() / (rows.len() / 64) as f64;
    // Each pixel by itself, as it occurs.
    let mut random = Random(5);
    let apart: Vec<f64> =
        (0..200 * 64).map(|at| values[random.below(1797) * 64 + at % 64]).collect();
    let baseline = mean_nearest(&apart);
    let variational = small(|c| (c.train.variational, c.train.latents) = (Some(0.1), Some(8)));
    let plain = small(|c| c.train.latents = Some(8));
    for (config, is_variational) in [(variational, true), (plain, false)] {
        let model = Model::new(&Codec::fit(&rows, &config).unwrap()).unwrap();
        let drawn = sample(&model, 200, 0).unwrap();
        let source = drawn.source;
        // The ten digits are not one group, which the codec has found out.
        match source {
            SampleSource::Mixture(groups) => assert!(is_variational && groups > 1, "{groups}"),
            source => assert!(!is_variational && source == SampleSource::Coder, "{source}"),
        }
        assert_eq!(drawn.rows.schema(), rows.schema());
        assert_eq!(drawn, sample(&model, 200, 0).unwrap());
        assert_ne!(drawn.rows, sample(&model, 200, 1).unwrap().rows);
        let own = to_doubles(&drawn.rows).unwrap();
        let distance = mean_nearest(&own);
        // They differ from each other about as rows do.
        let spread = |rows: &[f64]| mean_square(&rows[..rows.len() / 2], &rows[rows.len() / 2..]);
        let (drawn, real) = (spread(&own), spread(&values[..200 * 64]));
        println!(
            "{source}: nearest row at {distance:.2}, of pixels apart {baseline:.2}; spread {drawn:.2} of {real:.2}"
        );
        assert!(distance < 0.6 * baseline, "{distance} {baseline}");
        assert!(drawn > 0.4 * real && drawn < 1.6 * real, "{drawn} {real}");
    }
}

/// Where most ink is: upper left, upper right, lower left or lower right; and how far right its
/// centre lies.
fn ink(row: &[f64]) -> (i64, f64) {
    let mut quarters = [0.0; 4];
    let (mut sum, mut right) = (1e-9, 0.0);
    for (at, x) in row.iter().enumerate() {
        quarters[at / 32 * 2 + at % 8 / 4] += x;
        sum += x;
        right += x * (at % 8) as f64;
    }
    let most = (0..4).fold(0, |m, q| if quarters[q] > quarters[m] { q } else { m });
    (most as i64, right / sum)
}

#[test]
fn few_labels_go_further_with_a_codec() {
    let values = digits();
    let rows = matrix(&values, DType::U8);
    let codec = Codec::fit(&rows, &small(|_| {})).unwrap();
    let few = 150;
    let known = matrix(&values[..64 * few], DType::U8);
    let others = matrix(&values[64 * few..], DType::U8);
    let labels: Vec<i64> = values.chunks(64).map(|row| ink(row).0).collect();
    let given = Matrix::from_slice(&labels[..few], &[]).unwrap();
    let right = |found: &[i64]| {
        found.iter().zip(&labels[few..]).filter(|(a, b)| a == b).count() as f64
            / (labels.len() - few) as f64
    };
    let learned = |scratch: bool| {
        let mut how = FinetuneConfig::default();
        how.from_scratch = scratch;
        let (tuned, report) =
            finetune(&codec, Examples::new(&known, &given), &Config::default(), &how).unwrap();
        assert_eq!((report.task, report.outputs, report.rows), (Task::Classification, 4, few));
        // It is stored, and compresses as before.
        let mut stored = Vec::new();
        tuned.write(&mut stored).unwrap();
        Reader::new(&stored[..]).unwrap().verify().unwrap();
        let tuned = Codec::read(&stored).unwrap();
        let (mut a, mut b) = (Vec::new(), Vec::new());
        codec.compress(&known, &small(|c| c.train = Default::default()), &mut a).unwrap();
        tuned.compress(&known, &small(|c| c.train = Default::default()), &mut b).unwrap();
        assert!(a == b);
        let predicted = predict(&tuned, &others).unwrap();
        let p = predicted.probabilities.unwrap().to_vec::<f32>().unwrap();
        assert!(p.chunks(4).all(|p| (p.iter().sum::<f32>() - 1.0).abs() < 1e-5));
        right(&predicted.values.to_vec::<i64>().unwrap())
    };
    let most = (0..4).map(|l| right(&vec![l; labels.len() - few])).fold(0.0, f64::max);
    let (tuned, scratch) = (learned(false), learned(true));
    println!("right: {tuned:.4} fine-tuned, {scratch:.4} from scratch, {most:.4} the usual label");
    assert!(tuned > 0.7 && tuned > most + 0.2, "{tuned} {most}");
    assert!(tuned > scratch - 0.05, "{tuned} {scratch}");
}

#[test]
fn rows_without_labels_say_where_groups_end() {
    // Bumps of four shapes, anywhere in the row.
    let mut random = Random(17);
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    for i in 0..1200 {
        let (shape, place) = (i % 4, 6.0 + random.below(1000) as f64 * 0.012);
        for j in 0..24 {
            let x = (f64::from(j) - place) * 0.5;
            let bump = (-x * x / 2.0).exp();
            let noise = (random.below(1000) as f64 - 500.0) * 4e-4;
            values.push(noise + [bump, -bump, x * bump * 1.6, -x * bump * 1.6][shape]);
        }
        labels.push(shape as i64);
    }
    let matrix =
        |values: &[f64]| cast(&Matrix::from_slice(values, &[24]).unwrap(), DType::F32).unwrap();
    let rows = matrix(&values);
    let codec = Codec::fit(&rows, &small(|c| c.train.latents = Some(4))).unwrap();
    let few = 12;
    let known = matrix(&values[..24 * few]);
    let given = Matrix::from_slice(&labels[..few], &[]).unwrap();
    let right = |more: Option<&dyn Rows>| {
        let how = FinetuneConfig::default();
        let mut examples = Examples::new(&known, &given);
        if let Some(more) = more {
            examples = examples.with_unlabelled(more);
        }
        let (tuned, report) = finetune(&codec, examples, &Config::default(), &how).unwrap();
        assert_eq!((report.rows, report.pseudo_labelled > 0), (few, more.is_some()));
        let found = predict(&tuned, &rows).unwrap().values.to_vec::<i64>().unwrap();
        found.iter().zip(&labels).filter(|(a, b)| a == b).count() as f64 / 1200.0
    };
    let (alone, helped) = (right(None), right(Some(&rows)));
    println!("right: {alone:.4} with {few} labels, {helped:.4} with rows that have none");
    assert!(helped > alone + 0.05, "{helped} {alone}");
}

#[test]
fn numbers_are_predicted_too() {
    let values = digits();
    let rows = matrix(&values, DType::U8);
    let codec = Codec::fit(&rows, &small(|c| c.train.epochs = Some(25))).unwrap();
    let known = 600;
    let answers: Vec<f64> = values.chunks(64).map(|row| 100.0 * ink(row).1).collect();
    let given = Matrix::from_slice(&answers[..known], &[]).unwrap();
    let part = matrix(&values[..64 * known], DType::U8);
    let how = FinetuneConfig::default();
    let (tuned, report) =
        finetune(&codec, Examples::new(&part, &given), &Config::default(), &how).unwrap();
    assert_eq!(report.task, Task::Regression);
    let predicted = predict(&tuned, &matrix(&values[64 * known..], DType::U8)).unwrap();
    assert!(predicted.probabilities.is_none());
    let found = predicted.values.to_vec::<f64>().unwrap();
    let mean = answers[..known].iter().sum::<f64>() / known as f64;
    let rest = &answers[known..];
    let explained = 1.0 - mean_square(&found, rest) / mean_square(&vec![mean; rest.len()], rest);
    println!("explained: {explained:.4}, on rows held out {:.4}", report.right);
    assert!(explained > 0.8, "{explained}");
}

#[test]
fn what_cannot_be_learned_or_predicted_is_refused() {
    let rows = matrix(&digits()[..64 * 200], DType::U8);
    let mut config = Config::default();
    // Few rows under a bound may be smallest without latents.
    (config.level, config.fidelity) = (1, Fidelity::Nmse("0.1".parse().unwrap()));
    let codec = Codec::fit(&rows, &config).unwrap();
    let tune = |labels: &Matrix| {
        let how = FinetuneConfig::default();
        finetune(&codec, Examples::new(&rows, labels), &config, &how).unwrap_err().to_string()
    };
    let one = |labels: Vec<i64>| Matrix::from_slice(&labels, &[]).unwrap();
    assert!(tune(&one(vec![1; 200])).contains("nothing to learn"));
    assert!(tune(&one((0..200).collect())).contains("too many"));
    assert!(tune(&one(vec![1; 20])).contains("20 labels"));
    assert!(tune(&Matrix::from_slice(&vec![f64::NAN; 200], &[]).unwrap()).contains("4 or more"));
    assert!(predict(&codec, &rows).unwrap_err().to_string().contains("finetune"));
    assert!(onnx(&codec, OnnxPart::Predictor).is_err());
    let narrow = Matrix::from_slice(&[0.0_f32; 30], &[10]).unwrap();
    let model = Model::new(&codec).unwrap();
    for error in [model.embed(&narrow), model.decode(&narrow), denoise(&model, &narrow)] {
        assert!(error.unwrap_err().to_string().contains("10"));
    }
    assert!(sample(&model, 0, 0).is_err());
    assert!(impute(&rows, &[true], None, &config).is_err());
}

#[test]
fn exported_files_are_what_their_formats_say() {
    let rows = matrix(&digits()[..64 * 300], DType::U8);
    let mut config = Config::default();
    // Few rows under a bound may be smallest without latents.
    (config.level, config.fidelity) = (1, Fidelity::Nmse("0.1".parse().unwrap()));
    let codec = Codec::fit(&rows, &config).unwrap();
    expect_tensors_without_holes(&codec);
    config.train.mask = Some(Patches::new(2, 4, 0.5));
    config.train.transformer = Some(Default::default());
    config.train.epochs = Some(1);
    let transformer = Codec::fit(&rows, &config).unwrap();
    expect_tensors_without_holes(&transformer);
    for (codec, part) in [
        (&codec, OnnxPart::Encoder),
        (&codec, OnnxPart::Decoder),
        (&transformer, OnnxPart::Encoder),
        (&transformer, OnnxPart::Restorer),
    ] {
        let file = onnx(codec, part).unwrap();
        assert_eq!(file[..2], [8, 7], "the version of the format comes first");
    }
    for (codec, part) in [(&codec, OnnxPart::Restorer), (&transformer, OnnxPart::Decoder)] {
        let error = onnx(codec, part).unwrap_err().to_string();
        assert!(error.contains("transformer"), "{error}");
    }
}

/// Looks whether the tensors of a codec's digits lie one behind the other to the end of the file.
fn expect_tensors_without_holes(codec: &Codec) {
    let file = safetensors(codec).unwrap();
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&file[8..8 + length]).unwrap();
    assert_eq!(header["__metadata__"]["row_shape"], "8,8");
    let mut ends: Vec<(u64, u64)> = Vec::new();
    for (name, tensor) in header.as_object().unwrap().iter().filter(|(n, _)| *n != "__metadata__") {
        let offsets = tensor["data_offsets"].as_array().unwrap();
        let (start, end) = (offsets[0].as_u64().unwrap(), offsets[1].as_u64().unwrap());
        let count: u64 =
            tensor["shape"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).product();
        let size = if tensor["dtype"] == "F32" { 4 } else { 8 };
        assert_eq!(end - start, count * size, "{name}");
        ends.push((start, end));
    }
    // One behind the other, without holes, to the end.
    ends.sort_unstable();
    assert!(ends.windows(2).all(|w| w[0].1 == w[1].0) && ends[0].0 == 0);
    assert_eq!(ends.last().unwrap().1 as usize, file.len() - 8 - length);
    assert_eq!(safetensors(codec).unwrap(), file, "the same each time");
}
