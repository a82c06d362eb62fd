use super::super::*;
use crate::matrix::Matrix;
use crate::matrix::rng::Rng;

/// What says that rows are scored by their density.
fn by_density() -> AnomalyConfig {
    AnomalyConfig { score: AnomalyScore::Density, ..Default::default() }
}

/// Rows of `width` columns that two latents make, in two groups of which one is three times as
/// wide, with noise.
fn two_groups(count: usize, width: usize, seed: u64) -> Vec<f64> {
    let mut rng = Rng::new(seed);
    let mut normal = move || f64::from(rng.normal());
    let mix: Vec<f64> = (0..2 * width).map(|_| normal()).collect();
    let mut values = Vec::new();
    for i in 0..count {
        let (wide, from) = if i % 2 == 0 { (1.0, 0.0) } else { (3.0, 12.0) };
        let (a, b) = (from + wide * normal(), wide * normal());
        values.extend((0..width).map(|j| a * mix[2 * j] + b * mix[2 * j + 1] + 0.1 * normal()));
    }
    values
}

/// The share of pairs of an odd and another row in which the odd one has the larger score.
fn area(scores: &[f64], is_odd: impl Fn(usize) -> bool) -> f64 {
    let (odd, others): (Vec<usize>, Vec<usize>) = (0..scores.len()).partition(|&i| is_odd(i));
    let above = |i: &usize| others.iter().filter(|j| scores[*i] > scores[**j]).count();
    odd.iter().map(above).sum::<usize>() as f64 / (odd.len() * others.len()) as f64
}

fn judged(values: &[f64], width: usize, how: &AnomalyConfig, config: &Config) -> Anomalies {
    let rows = Matrix::from_slice(values, &[width]).unwrap();
    let found = find_anomalies(&rows, None, config, how).unwrap();
    assert_eq!(found.score, AnomalyScore::Density);
    found
}

#[test]
fn rows_far_from_all_others_have_thin_neighbourhoods() {
    let mut rng = Rng::new(5);
    type Plant = fn(&mut [f64], &mut Rng);
    let kinds: [(&str, Plant); 3] = [
        ("one column far out", |row, _| row[3] += 40.0),
        ("a dense group elsewhere", |row, rng| {
            row.iter_mut().enumerate().for_each(|(j, x)| {
                *x = [30.0, -20.0][j % 2] + 0.01 * f64::from(rng.normal());
            });
        }),
        ("noise", |row, rng| row.iter_mut().for_each(|x| *x += 20.0 * f64::from(rng.normal()))),
    ];
    for (kind, plant) in kinds {
        let mut values = two_groups(1000, 8, 1);
        let is_odd = |i: usize| i % 25 == 7;
        (0..1000)
            .filter(|i| is_odd(*i))
            .for_each(|i| plant(&mut values[8 * i..8 * i + 8], &mut rng));
        let found = judged(&values, 8, &by_density(), &Config::default());
        let area = area(&found.scores, is_odd);
        let flagged = (7..1000).step_by(25).filter(|i| found.flagged[*i]).count();
        println!("{kind}: {area:.4}, {flagged} of 40 flagged");
        assert!(area > 0.995 && flagged == 40, "{kind}: {area}, {flagged}");
        if kind == "one column far out" {
            let named = |i: &usize| found.worst_columns(*i, 1)[0].0 == 3;
            let right = (7..1000).step_by(25).filter(named).count();
            assert!(right >= 39, "{right} of 40 are told by their column");
        }
    }
}

#[test]
fn a_large_group_of_anomalies_does_not_pass_for_ordinary() {
    let mut rng = Rng::new(6);
    let mut values = two_groups(800, 6, 2);
    for row in values.chunks_mut(6).skip(3).step_by(8) {
        row.iter_mut().for_each(|x| *x = 25.0 + 0.05 * f64::from(rng.normal()));
    }
    let of = |rounds| {
        let how = AnomalyConfig { rounds, ..by_density() };
        area(&judged(&values, 6, &how, &Config::default()).scores, |i| i % 8 == 3)
    };
    let (never, default) = (of(0), of(2));
    println!("an eighth of all rows: {never:.3} with all others, {default:.3} with ordinary ones");
    assert!(default > 0.995 && never < 0.5, "{never} {default}");
}

#[test]
fn ranks_hardly_depend_on_seeds_and_not_at_all_on_threads() {
    let values = two_groups(6000, 5, 3);
    let of = |seed: u64, threads: usize| {
        let config = Config { seed, threads, ..Default::default() };
        judged(&values, 5, &by_density(), &config).scores
    };
    let (a, b) = (of(0, 1), of(1, 2));
    assert_eq!(a, of(0, 3));
    assert_ne!(a, b, "rows are compared with some of them");
    let ranks = |scores: &[f64]| {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|i, j| scores[*i].total_cmp(&scores[*j]));
        let mut ranks = vec![0.0; order.len()];
        order.iter().enumerate().for_each(|(rank, i)| ranks[*i] = rank as f64);
        ranks
    };
    let n = a.len() as f64;
    let (ranks_a, ranks_b) = (ranks(&a), ranks(&b));
    let squares: f64 = ranks_a.iter().zip(&ranks_b).map(|(x, y)| (x - y).powi(2)).sum();
    // Spearman's coefficient.
    let alike = 1.0 - 6.0 * squares / (n * (n * n - 1.0));
    assert!(alike > 0.94, "{alike}");
}

#[test]
fn constant_columns_gaps_and_units_are_no_trouble() {
    let mut values = two_groups(400, 6, 4);
    values.chunks_mut(6).for_each(|row| row[5] = 7.0);
    values[6 * 31 + 5] = 9.0;
    let plain = judged(&values, 6, &by_density(), &Config::default());
    let above = plain.scores.iter().filter(|s| **s > plain.scores[31]).count();
    assert!(above < 4 && plain.worst_columns(31, 1)[0].0 == 5, "{above}");
    for unit in [1e-150, 1e150] {
        let scaled: Vec<f64> = values.iter().map(|x| x * unit).collect();
        let own = judged(&scaled, 6, &by_density(), &Config::default());
        let mut pairs = own.scores.iter().zip(&plain.scores);
        assert!(pairs.all(|(a, b)| (a - b).abs() < 1e-3), "{unit}");
    }
    (0..2400).step_by(7).for_each(|at| values[at] = f64::NAN);
    let gaps = judged(&values, 6, &by_density(), &Config::default());
    assert!(gaps.scores.iter().all(|s| s.is_finite()) && gaps.columns[0].is_nan());
    let alike = judged(&[3.0; 300], 6, &by_density(), &Config::default());
    assert!(alike.scores.iter().all(|s| *s == 0.0) && !alike.flagged.contains(&true));
    let one = judged(&[1.0, 2.0], 2, &by_density(), &Config::default());
    assert!(one.scores == [0.0] && one.flagged == [false], "{one:?}");
}

#[test]
fn a_codec_makes_points_of_rows() {
    let mut values = two_groups(600, 8, 7);
    (7..600).step_by(50).for_each(|i| values[8 * i + 3] += 40.0);
    let rows = Matrix::from_slice(&values, &[8]).unwrap();
    let mut config = Config::default();
    (config.level, config.train.latents, config.train.epochs) = (1, Some(2), Some(10));
    config.train.linear = true;
    let own = crate::apps::config_for_uses(&rows, &config).unwrap();
    let codec = Codec::fit(&rows, &own).unwrap();
    let of = |rows: &Matrix| find_anomalies(rows, Some(&codec), &Config::default(), &by_density());
    let found = of(&rows).unwrap();
    let area = area(&found.scores, |i| i % 50 == 7);
    assert!(area > 0.99 && found.columns.is_empty(), "{area}");
    let narrow = Matrix::from_slice(&values[..700], &[7]).unwrap();
    let error = of(&narrow).unwrap_err();
    assert!(error.to_string().contains("8 numbers"), "{error}");
}

#[test]
fn wild_and_empty_rows_are_flagged_and_no_neighbours() {
    let mut values = two_groups(300, 6, 8);
    let far = |row: &mut [f64]| row.iter_mut().for_each(|x| *x += 40.0);
    [7, 23].iter().for_each(|i| far(&mut values[6 * i..6 * i + 6]));
    values[60..66].fill(1e20);
    values[120..126].fill(f64::NAN);
    values[190] = f64::NAN;
    values[240] = f64::INFINITY;
    let found = judged(&values, 6, &by_density(), &Config::default());
    let flagged: Vec<usize> = (0..300).filter(|i| found.flagged[*i]).collect();
    assert_eq!(flagged, [7, 10, 20, 23, 40]);
    assert!(found.scores[20].is_nan() && found.scores[31].is_finite());
    assert!(found.columns[190].is_nan() && found.columns[191] >= 0.0);
    let nothing = Matrix::from_slice(&[f64::NAN; 60], &[6]).unwrap();
    assert!(find_anomalies(&nothing, None, &Config::default(), &by_density()).is_err());
}

#[test]
fn rows_of_which_few_differ_and_few_rows_have_scores() {
    let mut rng = Rng::new(3);
    let mut values = vec![0.0; 300 * 4];
    values[..40].iter_mut().for_each(|x| *x = f64::from(rng.normal()));
    let found = judged(&values, 4, &by_density(), &Config::default());
    assert!(found.scores.iter().all(|s| s.is_finite()));
    assert_eq!(area(&found.scores, |i| i < 10), 1.0);
    for few in 1..6 {
        let found = judged(&two_groups(few, 6, 9), 6, &by_density(), &Config::default());
        assert!(found.scores.iter().all(|s| s.is_finite()), "{few}: {found:?}");
    }
}

#[test]
fn what_is_said_of_a_network_is_refused() {
    let rows = Matrix::from_slice(&two_groups(100, 6, 9), &[6]).unwrap();
    let refused = |set: fn(&mut Config)| {
        let mut config = Config::default();
        set(&mut config);
        let error = find_anomalies(&rows, None, &config, &by_density()).unwrap_err();
        assert!(error.to_string().contains("without a network"), "{error}");
    };
    refused(|config| config.train.epochs = Some(3));
    refused(|config| config.train.latents = Some(2));
    refused(|config| config.train.linear = true);
}

#[test]
fn rows_with_hardly_a_column_in_common_have_scores() {
    let mut rng = Rng::new(8);
    for known in [1, 4] {
        let mut values = vec![f64::NAN; 400 * 40];
        for row in values.chunks_exact_mut(40) {
            (0..known).for_each(|_| row[rng.below(40)] = f64::from(rng.normal()));
        }
        let found = judged(&values, 40, &by_density(), &Config::default());
        assert!(found.scores.iter().all(|s| s.is_finite()), "{known} of 40 values are known");
        assert!(found.flagged.iter().filter(|flag| **flag).count() < 100);
    }
}

#[test]
fn rows_are_compared_with_ordinary_ones_alone() {
    let (width, count) = (8, 300);
    let ordinary = two_groups(count, width, 3);
    // Most of what is judged is far from them, and lies densely.
    let mut rng = Rng::new(4);
    let mut values = two_groups(100, width, 3);
    values.extend((0..200 * width).map(|_| 20.0 + 0.01 * f64::from(rng.normal())));
    let of = |values: &[f64]| Matrix::from_slice(values, &[width]).unwrap();
    let (rows, known) = (of(&values), of(&ordinary));
    let how = AnomalyConfig::default();
    let found = find_anomalies_against(&rows, &known, &Config::default(), &how).unwrap();
    assert!(area(&found.scores, |i| i >= 100) > 0.99);
    assert!(found.flagged[100..].iter().all(|x| *x));
    assert!(found.flagged[..100].iter().filter(|x| **x).count() <= 5);
    assert_eq!(found.columns.len(), values.len());
    // Missing values do not count, and rows without any are flagged.
    let mut gaps = values[..4 * width].to_vec();
    gaps[3] = f64::NAN;
    gaps[width..2 * width].fill(f64::NAN);
    let found = find_anomalies_against(&of(&gaps), &known, &Config::default(), &how).unwrap();
    assert!(found.scores[0].is_finite() && found.scores[1].is_nan() && found.flagged[1]);
    let narrow = Matrix::from_slice(&[1.0; 10], &[5]).unwrap();
    let none = Matrix::from_slice(&[0.0; 0], &[width]).unwrap();
    let bits = AnomalyConfig { score: AnomalyScore::Bits, ..Default::default() };
    for (rows, known, how, said) in [
        (&rows, &narrow, &how, "8 columns"),
        (&none, &known, &how, "no rows to judge"),
        (&rows, &none, &how, "no ordinary rows"),
        (&rows, &known, &bits, "train a codec"),
    ] {
        let found = find_anomalies_against(rows, known, &Config::default(), how);
        let error = found.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}
