//! Small model records to start from.

use crate::container::model::{Classes, Grid, Hidden, HiddenPath, ModelRecord, Value};
use crate::entropy::rans::PROB_SCALE;
use crate::entropy::table::{TableSpec, token_count};

/// A small generator of numbers that look random (Knuth's MMIX constants).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn bits(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 ^ self.0 >> 29
    }

    /// Between `-bound` and `bound`.
    pub(super) fn around(&mut self, bound: i64) -> i64 {
        ((self.bits() >> 11) % (2 * bound as u64 + 1)) as i64 - bound
    }

    pub(super) fn list(&mut self, count: usize, bound: i64) -> Vec<i64> {
        (0..count).map(|_| self.around(bound)).collect()
    }
}

pub(super) fn linear(offset: f64, unit: f64, fraction: u32) -> Grid {
    Grid { value: Value::Linear { offset, unit }, fraction, step: 1 << fraction }
}

pub(super) fn integer(unit: u64, fraction: u32, step: u64) -> Grid {
    Grid { value: Value::Integer { unit }, fraction, step }
}

pub(super) fn ordered(offset: f64, unit: f64) -> Grid {
    Grid { value: Value::Ordered { offset, unit }, fraction: 0, step: 1 }
}

pub(super) fn ratio(numerator: u64, denominator: u64, fraction: u32) -> Grid {
    let value = Value::Ratio { numerator, denominator };
    Grid { value, fraction, step: 1 << fraction }
}

pub(super) fn ladder(shape: u8, scale: u8) -> TableSpec {
    TableSpec::Ladder { shape, scale }
}

/// Tokens that are all equally likely, or nearly.
pub(super) fn tokens(lead: u8) -> TableSpec {
    let n = 2 * token_count(lead) - 1;
    let mut frequencies = vec![PROB_SCALE / n as u32; n];
    frequencies[n / 2] += PROB_SCALE % n as u32;
    TableSpec::Tokens { lead, frequencies }
}

/// One class, no latents; column `j` uses grid `j` and table `j`, or the last of them.
pub(super) fn plain(width: usize, grids: Vec<Grid>, tables: Vec<TableSpec>) -> ModelRecord {
    let pick = |count: usize| (0..width).map(|j| j.min(count - 1)).collect();
    ModelRecord {
        grid_of: pick(grids.len()),
        base: vec![0; width],
        temporal: vec![0; width],
        classes: Classes {
            count: 1,
            quantum: vec![0],
            residual_tables: pick(tables.len()),
            ..Classes::default()
        },
        grids,
        tables,
        ..ModelRecord::default()
    }
}

/// Gives a record latents; all use the last table.
pub(super) fn with_latents(
    mut m: ModelRecord,
    clamps: &[i64],
    trellis: usize,
    gain: u32,
    skip: Vec<i64>,
) -> ModelRecord {
    let n = clamps.len();
    m.latent_clamp = clamps.to_vec();
    m.latent_temporal = vec![0; n];
    m.trellis = trellis;
    m.gain = gain;
    assert_eq!(skip.len(), n * m.width());
    m.skip = skip;
    m.classes.means = vec![0; n * m.classes.count];
    m.classes.latent_tables = vec![m.tables.len() - 1; n * m.classes.count * m.table_sets()];
    m
}

/// Hidden layers of the given units with small weights.
pub(super) fn hidden(latents: usize, units: &[usize], width: usize, seed: u64) -> HiddenPath {
    let mut random = Random(seed);
    let mut inputs = latents;
    let mut layers = Vec::new();
    for (i, &n) in units.iter().enumerate() {
        layers.push(Hidden {
            weights: random.list(n * inputs, 30),
            bias: random.list(n, 500),
            multiplier: 77 + i as i64,
            shift: 9,
            leak: 3,
            clamp: 1000,
        });
        inputs = n;
    }
    HiddenPath {
        input_shift: (0..latents as i64).map(|k| k % 3).collect(),
        layers,
        weights: random.list(width * inputs, 20),
        multiplier: 5,
    }
}
