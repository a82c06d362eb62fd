//! Tests of all ways to score rows.

use super::*;
use crate::matrix::Matrix;
use crate::matrix::rng::Rng;

#[test]
fn rows_of_which_the_worst_alone_differ_are_judged() {
    let mut rng = Rng::new(3);
    let mut values = vec![0.0_f32; 300 * 4];
    values[..40].iter_mut().for_each(|x| *x = rng.normal());
    let rows = Matrix::from_slice(&values, &[4]).unwrap();
    for score in [AnomalyScore::Density, AnomalyScore::Error] {
        let how = AnomalyConfig { contamination: Some(0.04), score, ..Default::default() };
        let found = find_anomalies(&rows, None, &Config::default(), &how).unwrap();
        assert!(found.scores.iter().all(|s| s.is_finite()));
        let odd = &found.scores[..10];
        let most = found.scores[10..].iter().copied().fold(0.0, f64::max);
        assert!(odd.iter().filter(|s| **s > most).count() >= 8, "{odd:?} {most}");
    }
}

#[test]
fn columns_of_a_table_count_alike() {
    let mut rng = Rng::new(4);
    let mut values = Vec::new();
    for i in 0..600 {
        let t = rng.normal();
        let odd = if i % 50 == 7 { rng.normal() } else { -t };
        let noise = 0.02 * rng.normal();
        values.extend([1e6 * rng.normal(), t, odd + noise, 2.0 * t]);
    }
    let rows = Matrix::from_slice(&values, &[4]).unwrap();
    let found = |table| {
        let how = AnomalyConfig {
            contamination: Some(0.02),
            rounds: 1,
            table,
            score: AnomalyScore::Error,
            ..Default::default()
        };
        let found = find_anomalies(&rows, None, &Config::default(), &how).unwrap();
        found.flagged.iter().enumerate().filter(|(i, flagged)| **flagged && i % 50 == 7).count()
    };
    let (judged, as_they_are) = (found(None), found(Some(false)));
    assert!(judged >= 9 && as_they_are <= 4, "of 12: {judged}, {as_they_are}");
}

/// Rows of two latents in six columns; those at the places `odd` do not belong to the others.
fn with_odd(count: usize, odd: &[usize]) -> Vec<f64> {
    let mut rng = Rng::new(9);
    let mut values = Vec::new();
    for i in 0..count {
        let mut normal = || f64::from(rng.normal());
        let (a, b) = (normal(), normal());
        let mut row = [a, b, a + b, a - b, 2.0 * a - b, 0.5 * b].map(|x| x + 0.05 * normal());
        if odd.contains(&i) {
            row[2] = -row[2] + 2.0;
            row[4] += 2.0;
        }
        values.extend(row);
    }
    values
}

fn found(values: &[f64], how: &AnomalyConfig) -> Anomalies {
    let rows = Matrix::from_slice(values, &[6]).unwrap();
    find_anomalies(&rows, None, &Config::default(), how).unwrap()
}

#[test]
fn few_rows_are_judged_by_components() {
    let how = AnomalyConfig { score: AnomalyScore::Error, ..Default::default() };
    let found = found(&with_odd(40, &[7, 23]), &how);
    assert!(found.is_components && found.flagged[7] && found.flagged[23], "{found:?}");
    assert!(found.flagged.iter().filter(|f| **f).count() <= 4, "{found:?}");
    for few in 1..6 {
        let rows = Matrix::from_slice(&with_odd(few, &[]), &[6]).unwrap();
        for score in [AnomalyScore::Error, AnomalyScore::Density] {
            let how = AnomalyConfig { score, ..Default::default() };
            let found = find_anomalies(&rows, None, &Config::default(), &how).unwrap();
            assert!(found.scores.iter().all(|s| s.is_finite()), "{few}: {found:?}");
        }
    }
}

#[test]
fn wild_and_empty_rows_are_flagged_and_hide_no_other() {
    let mut values = with_odd(300, &[7, 23]);
    values[60..66].fill(1e20);
    values[120..126].fill(f64::NAN);
    values[190] = f64::NAN;
    values[240] = f64::INFINITY;
    for score in [AnomalyScore::Density, AnomalyScore::Error, AnomalyScore::Bits] {
        let how = AnomalyConfig { score, ..Default::default() };
        let found = found(&values, &how);
        assert!([10, 20, 40].iter().all(|&i| found.flagged[i]), "{how:?}: {found:?}");
        assert!(found.scores[20].is_nan() && found.scores[31].is_finite());
        if how.score == AnomalyScore::Error {
            assert!(found.flagged[7] && found.flagged[23] && !found.is_components);
        }
        if how.score != AnomalyScore::Bits {
            assert!(found.flagged.iter().filter(|f| **f).count() < 20);
            assert!(found.columns[190].is_nan() && found.columns[191] >= 0.0);
        }
    }
    let nothing = Matrix::from_slice(&[f64::NAN; 60], &[6]).unwrap();
    let how = AnomalyConfig::default();
    assert!(find_anomalies(&nothing, None, &Config::default(), &how).is_err());
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
fn anomalies_of_any_kind_have_thin_neighbourhoods() {
    let mut rng = Rng::new(5);
    type Plant = fn(&mut [f64], &mut Rng);
    let kinds: [(&str, Plant); 4] = [
        ("one column far out", |row, _| row[3] += 8.0),
        ("columns that do not go together", |row, _| row[..4].reverse()),
        ("a dense group elsewhere", |row, rng| {
            row.iter_mut().enumerate().for_each(|(j, x)| {
                *x = [30.0, -20.0][j % 2] + 0.01 * f64::from(rng.normal());
            });
        }),
        ("noise", |row, rng| row.iter_mut().for_each(|x| *x += 2.0 * f64::from(rng.normal()))),
    ];
    for (kind, plant) in kinds {
        let mut values = two_groups(1000, 8, 1);
        let is_odd = |i: usize| i % 25 == 7;
        (0..1000)
            .filter(|i| is_odd(*i))
            .for_each(|i| plant(&mut values[8 * i..8 * i + 8], &mut rng));
        let found = judged(&values, 8, &AnomalyConfig::default(), &Config::default());
        let area = area(&found.scores, is_odd);
        let flagged = found.flagged.iter().filter(|f| **f).count();
        println!("{kind}: {area:.3}, {flagged} flagged");
        assert!(area > 0.8, "{kind}: {area}");
        if kind == "one column far out" {
            let named = |i: &usize| found.worst_columns(*i, 1)[0].0 == 3;
            let right = (7..1000).step_by(25).filter(named).count();
            assert!(right >= 20, "{right} of 40 are told by their column");
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
        let how = AnomalyConfig { rounds, ..Default::default() };
        area(&judged(&values, 6, &how, &Config::default()).scores, |i| i % 8 == 3)
    };
    let (never, default) = (of(0), of(2));
    println!("an eighth of all rows: {never:.3} with all others, {default:.3} with ordinary ones");
    assert!(default > 0.95 && never < 0.5, "{never} {default}");
}

#[test]
fn ranks_hardly_depend_on_seeds_and_not_at_all_on_threads() {
    let values = two_groups(6000, 5, 3);
    let of = |seed: u64, threads: usize| {
        let config = Config { seed, threads, ..Default::default() };
        judged(&values, 5, &AnomalyConfig::default(), &config).scores
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
    assert!(alike > 0.9, "{alike}");
}

#[test]
fn constant_columns_gaps_and_units_are_no_trouble() {
    let mut values = two_groups(400, 6, 4);
    values.chunks_mut(6).for_each(|row| row[5] = 7.0);
    values[6 * 31 + 5] = 9.0;
    let plain = judged(&values, 6, &AnomalyConfig::default(), &Config::default());
    let above = plain.scores.iter().filter(|s| **s > plain.scores[31]).count();
    assert!(above < 20 && plain.worst_columns(31, 1)[0].0 == 5, "{above}");
    for unit in [1e-150, 1e150] {
        let scaled: Vec<f64> = values.iter().map(|x| x * unit).collect();
        let own = judged(&scaled, 6, &AnomalyConfig::default(), &Config::default());
        let mut pairs = own.scores.iter().zip(&plain.scores);
        assert!(pairs.all(|(a, b)| (a - b).abs() < 1e-3), "{unit}");
    }
    (0..2400).step_by(7).for_each(|at| values[at] = f64::NAN);
    let gaps = judged(&values, 6, &AnomalyConfig::default(), &Config::default());
    assert!(gaps.scores.iter().all(|s| s.is_finite()) && gaps.columns[0].is_nan());
    let alike = judged(&[3.0; 300], 6, &AnomalyConfig::default(), &Config::default());
    assert!(alike.scores.iter().all(|s| *s == 0.0) && !alike.flagged.contains(&true));
    let one = judged(&[1.0, 2.0], 2, &AnomalyConfig::default(), &Config::default());
    assert!(one.scores == [0.0] && one.flagged == [false], "{one:?}");
}

#[test]
fn a_codec_makes_points_of_rows() {
    let mut values = two_groups(600, 8, 7);
    (7..600).step_by(50).for_each(|i| values[8 * i..8 * i + 4].reverse());
    let rows = Matrix::from_slice(&values, &[8]).unwrap();
    let mut config = Config::default();
    (config.level, config.train.latents, config.train.epochs) = (1, Some(2), Some(10));
    config.train.linear = true;
    let own = crate::apps::config_for_uses(&rows, &config).unwrap();
    let codec = Codec::fit(&rows, &own).unwrap();
    let of = |rows: &Matrix, score| {
        let how = AnomalyConfig { score, ..Default::default() };
        find_anomalies(rows, Some(&codec), &Config::default(), &how)
    };
    let found = of(&rows, AnomalyScore::Density).unwrap();
    let area = area(&found.scores, |i| i % 50 == 7);
    assert!(area > 0.9 && found.columns.is_empty(), "{area}");
    assert_eq!(of(&rows, AnomalyScore::Auto).unwrap().score, AnomalyScore::Error);
    let narrow = Matrix::from_slice(&values[..700], &[7]).unwrap();
    let error = of(&narrow, AnomalyScore::Density).unwrap_err();
    assert!(error.to_string().contains("8 numbers"), "{error}");
}
