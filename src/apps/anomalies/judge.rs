//! How badly rows are given back, over what is usual, and from where on that is odd.

use super::usual;
use super::{Anomalies, AnomalyConfig, AnomalyScore};
use crate::apps::learn::deviation;
use crate::apps::model::Model;
use crate::apps::{cells, spread};
use crate::codec::program::Program;
use crate::compress::{Codec, Config};
use crate::error::Result;
use crate::matrix::Rows;
use crate::reader::Reader;

/// The least error that is usual in a column, as a share of the average: the least deviation in a
/// column that hardly varies would count more than anything else.
pub(super) const AVERAGE: f64 = 1.0;

/// Rows that say what is usual, and the least share of the average that is.
pub(super) type Kept<'a> = (&'a [usize], f64);

/// Scores of all rows; `kept` are those that say what is usual, without them the codec does.
pub(super) fn judged(
    rows: &dyn Rows,
    codec: &Codec,
    config: &Config,
    how: &AnomalyConfig,
    kept: Option<Kept<'_>>,
) -> Result<Anomalies> {
    let (scores, columns) = match how.score {
        AnomalyScore::Error => errors(rows, codec, how, kept)?,
        AnomalyScore::Bits => {
            let mut file = Vec::new();
            codec.compress(rows, config, &mut file)?;
            (Reader::new(file)?.row_bits()?, Vec::new())
        }
    };
    Ok(found(scores, columns, how))
}

/// Flags by scores.
pub(super) fn found(scores: Vec<f64>, columns: Vec<f32>, how: &AnomalyConfig) -> Anomalies {
    let threshold = match how.contamination {
        Some(share) => quantile(&scores, 1.0 - share),
        None => far_above(&scores),
    };
    let flagged = scores.iter().map(|s| *s > threshold).collect();
    Anomalies { scores, flagged, threshold, columns }
}

/// The root of the mean over columns.
pub(super) fn row_scores(columns: &[f32], width: usize) -> Vec<f64> {
    columns.chunks_exact(width).map(row_score).collect()
}

pub(super) fn row_score(row: &[f32]) -> f64 {
    (row.iter().map(|c| f64::from(*c)).sum::<f64>() / row.len() as f64).sqrt()
}

/// Scores, and squared errors over what is usual: rows × columns.
fn errors(
    rows: &dyn Rows,
    codec: &Codec,
    how: &AnomalyConfig,
    kept: Option<Kept<'_>>,
) -> Result<(Vec<f64>, Vec<f32>)> {
    let model = Model::new(codec)?;
    model.expect(rows.schema())?;
    let width = rows.schema().width();
    let scale: Option<Vec<f64>> = match how.is_table(rows.schema()) {
        true => {
            let spreads = spread::spreads(&cells::read(rows, 0..rows.len())?, width, 1.0);
            Some(spreads.iter().map(|s| s.scale).collect())
        }
        false => None,
    };
    // Of large or tiny numbers, squares would be beyond what floats can say.
    let common = deviation(rows)?;
    let common = if common > 0.0 && common.is_finite() { common } else { 1.0 };
    let scale = scale.unwrap_or_else(|| vec![common; width]);
    let mut squares = Vec::with_capacity(rows.len() * width);
    for part in cells::parts(rows.len(), width) {
        let values = cells::read(rows, part)?;
        let given = model.reconstructed(&values, &|_| false)?;
        squares.extend(values.iter().zip(&given).enumerate().map(|(at, (x, y))| {
            let square = ((x - y) / scale[at % width]).powi(2);
            // A missing value is not judged; an infinite one is as wrong as can be.
            if x.is_nan() { 0.0 } else { square.min(1e30) as f32 }
        }));
    }
    let usual = match (kept, known(&model)?) {
        (None, Some(known)) => {
            at_least(AVERAGE, known.iter().zip(&scale).map(|(k, s)| k / (s * s)).collect())
        }
        _ => usual_squares(&squares, width, kept),
    };
    for row in squares.chunks_exact_mut(width) {
        row.iter_mut().zip(&usual).for_each(|(s, u)| *s = (f64::from(*s) / u) as f32);
    }
    Ok((row_scores(&squares, width), squares))
}

/// The squared error of each column in the rows that the codec was learned from, if it says so:
/// of rows that are judged by it, most may be odd.
fn known(model: &Model) -> Result<Option<Vec<f64>>> {
    let program = Program::new(model.record.clone(), model.schema.dtype)?;
    let units = &model.decoder.unit;
    let squares = usual::squared_errors(&program);
    Ok(squares.map(|all| all.iter().zip(units).map(|(s, u)| s * u * u).collect()))
}

/// Columns that the network gives back better than a share of the average are judged as if they
/// were that.
fn at_least(share: f64, usual: Vec<f64>) -> Vec<f64> {
    let least = share * usual.iter().sum::<f64>() / usual.len() as f64;
    usual.into_iter().map(|u| u.max(least).max(f64::MIN_POSITIVE)).collect()
}

/// The usual squared error of each column, of rows that are not the worst.
fn usual_squares(squares: &[f32], width: usize, kept: Option<Kept<'_>>) -> Vec<f64> {
    let count = squares.len() / width;
    let row = |i: usize| &squares[i * width..(i + 1) * width];
    let all: Vec<usize>;
    let (kept, share) = match kept {
        Some(kept) => kept,
        None => {
            let sums: Vec<f64> =
                (0..count).map(|i| row(i).iter().map(|s| f64::from(*s)).sum()).collect();
            all = best(&sums, count - count / 10);
            (&all[..], AVERAGE)
        }
    };
    let mut usual = vec![0.0; width];
    for &i in kept {
        usual.iter_mut().zip(row(i)).for_each(|(u, s)| *u += f64::from(*s) / kept.len() as f64);
    }
    at_least(share, usual)
}

/// The `count` rows of the lowest scores, in order.
pub(super) fn best(scores: &[f64], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    order.truncate(count.max(1));
    order.sort_unstable();
    order
}

/// The score that a share of `q` does not exceed.
pub(super) fn quantile(scores: &[f64], q: f64) -> f64 {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let below = (q * sorted.len() as f64).round() as usize;
    sorted[below.clamp(1, sorted.len()) - 1]
}

/// The median of logarithms and 3.5 deviations above it.
fn far_above(scores: &[f64]) -> f64 {
    let logs: Vec<f64> = scores.iter().map(|s| s.max(1e-300).ln()).collect();
    let middle = quantile(&logs, 0.5);
    let distances: Vec<f64> = logs.iter().map(|l| (l - middle).abs()).collect();
    (middle + 3.5 * 1.4826 * quantile(&distances, 0.5)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apps::learn::learn;
    use crate::compress::Loss;
    use crate::matrix::Matrix;
    use crate::matrix::rng::Rng;

    #[test]
    fn thresholds_are_as_they_are_told() {
        let scores: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(quantile(&scores, 0.95), 95.0);
        assert_eq!(scores.iter().filter(|s| **s > quantile(&scores, 0.99)).count(), 1);
        let mut alike: Vec<f64> = (0..100).map(|i| 1.0 + 0.01 * f64::from(i % 10)).collect();
        alike[17] = 3.0;
        let limit = far_above(&alike);
        assert!(limit > 1.1 && limit < 3.0, "{limit}");
    }

    #[test]
    fn a_codec_knows_how_wrong_it_usually_is() {
        let mut rng = Rng::new(8);
        let wave = |i: usize| (0..12).map(move |j| ((i * 7 % 100) as f32 * 0.06 + j as f32).sin());
        let noise = |j: usize| if j.is_multiple_of(3) { 0.3 } else { 0.1 };
        let values: Vec<f32> = (0..1500)
            .flat_map(|i| wave(i).collect::<Vec<_>>())
            .enumerate()
            .map(|(at, x)| x + noise(at % 12) * rng.normal())
            .collect();
        let rows = Matrix::from_slice(&values, &[12]).unwrap();
        let mut config = Config::default();
        (config.train.loss, config.train.latents) = (Loss::SquaredError, Some(2));
        let codec = learn(&rows, &config).unwrap();
        let model = Model::new(&codec).unwrap();
        let given = cells::to_doubles(&model.reconstruct(&rows).unwrap()).unwrap();
        for (j, known) in known(&model).unwrap().unwrap().iter().enumerate() {
            let pairs = values.iter().zip(&given).skip(j).step_by(12);
            let real = pairs.map(|(x, y)| (f64::from(*x) - y).powi(2)).sum::<f64>() / 1500.0;
            assert!(known / real > 0.6 && known / real < 1.6, "{j}: {known} {real}");
        }
    }
}
