//! Hidden layers: how their matrices lie, and what is proved of them.

use super::case::{Case, case};
use super::file::{Parts, Row, schema, stream};
use super::records::{Random, hidden, integer, ladder, linear, plain, with_latents};
use crate::container::model::{Grid, Hidden, HiddenPath, ModelRecord};
use crate::matrix::DType;

const BOUND: &str = "max-error 1";

/// A model with latents and this hidden path; latents have the last table.
fn model(width: usize, grid: Grid, clamps: &[i64], gain: u32, path: HiddenPath) -> ModelRecord {
    let m = plain(width, vec![grid], vec![ladder(0, 12), ladder(2, 40)]);
    let skip = Random(71).list(clamps.len() * width, 30);
    let mut m = with_latents(m, clamps, 0, gain, skip);
    m.classes.residual_tables.fill(0);
    m.hidden = Some(path);
    m
}

/// Rows with latents all over their ranges and at the ends.
fn rows(m: &ModelRecord, count: usize, seed: u64) -> Vec<Row> {
    let mut random = Random(seed);
    let mut list: Vec<Row> = (0..count)
        .map(|_| Row {
            latents: m.latent_clamp.iter().map(|&c| random.around(c)).collect(),
            residuals: random.list(m.width(), 1),
            ..Row::default()
        })
        .collect();
    list[0].latents = m.latent_clamp.clone();
    list[1].latents = m.latent_clamp.iter().map(|c| -c).collect();
    // Clamped.
    list[2].latents = m.latent_clamp.iter().map(|c| -3 * c - 9).collect();
    list
}

fn file(dtype: DType, shape: &[usize], m: &ModelRecord, count: usize) -> Parts {
    let list = rows(m, count, 72);
    let line = shape.last().copied().unwrap_or(1);
    Parts::new(&schema(dtype, shape), BOUND).model(m, line).coded(
        count,
        &stream(m, dtype, &list),
        &[],
    )
}

/// Weights `outputs × inputs` where those of input `i` are multiples of `2^i`.
fn scaled_by_input(random: &mut Random, outputs: usize, inputs: usize) -> Vec<i64> {
    (0..outputs * inputs).map(|at| random.around(9) << (at % inputs)).collect()
}

/// Each input has a scale of its own, in both layers and the output.
fn by_input() -> Parts {
    let mut random = Random(73);
    let mut path = hidden(4, &[7, 5], 6, 73);
    path.input_shift = vec![0, 3, 1, 9];
    path.layers[0].weights = scaled_by_input(&mut random, 7, 4);
    path.layers[1].weights = scaled_by_input(&mut random, 5, 7);
    path.weights = scaled_by_input(&mut random, 6, 5);
    let m = model(6, linear(0.5, 0.01, 2), &[300, 2000, 77, 1 << 20], 6, path);
    file(DType::F32, &[6], &m, 20)
}

/// Below 0 all is −1 or nothing.
fn relu() -> Parts {
    let mut path = hidden(3, &[8, 6], 9, 74);
    path.layers.iter_mut().for_each(|l| l.leak = 62);
    path.input_shift = vec![2, 0, 5];
    let m = model(9, integer(2, 2, 4), &[900, 100, 4000], 5, path);
    file(DType::I16, &[9], &m, 20)
}

/// Rows are images, and each unit's weights to their pixels are smooth in both directions.
fn image() -> Parts {
    let shape = [2, 6, 7];
    let mut path = hidden(2, &[5, 3], 84, 75);
    for (at, w) in path.weights.iter_mut().enumerate() {
        let (pixel, unit) = (at as i64 / 3, at as i64 % 3);
        let (x, y) = (pixel % 7, pixel / 7);
        *w = (unit + 1) * (11 * x - 3 * x * x) + (7 * y - y * y) * (5 - 4 * unit) + x % 2;
    }
    let m = model(84, linear(0.0, 0.01, 3), &[400, 90], 5, path);
    assert!(m.encode(7).len() + 40 < m.encode(1).len(), "the line helps");
    file(DType::F64, &shape, &m, 5)
}

/// One unit whose sum is proved to stay below 2^31 by `room`, no more.
fn barely(room: i64) -> ModelRecord {
    // The first latent can have any input of 16 bits; the second, at most 1000 >> 2 and 1.
    let clamps = [1 << 20, 1000];
    let sum = 32_767 * 32_767 + 32_768 * 251;
    let layer = Hidden {
        weights: vec![32_767, -32_768],
        bias: vec![-((1 << 31) - room - sum)],
        multiplier: 1,
        shift: 20,
        leak: 0,
        clamp: 5000,
    };
    let path = HiddenPath {
        input_shift: vec![0, 2],
        layers: vec![layer],
        weights: vec![3, -2],
        multiplier: 2,
    };
    model(2, linear(0.0, 0.5, 2), &clamps, 4, path)
}

pub(super) fn valid() -> Vec<(&'static str, Parts)> {
    vec![
        ("network-scales-by-input", by_input()),
        ("network-relu", relu()),
        ("network-of-images", image()),
    ]
}

pub(super) fn uncommon() -> Vec<(&'static str, Parts)> {
    // With 32767 as the second latent's largest input, this could overflow.
    vec![("network-barely-proved", file(DType::F32, &[2], &barely(1), 12))]
}

pub(super) fn invalid() -> Vec<Case> {
    // The + 1 of the second latent decides.
    let m = barely(0);
    let file = Parts::new(&schema(DType::F32, &[2]), BOUND).model(&m, 2).join();
    vec![case("overflow-layer-barely", "corrupt", file)]
}
