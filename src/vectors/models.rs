//! Files whose models differ: tables, grids, classes, recursions, networks.

use super::file::{Parts, Row, schema, stream, stream_in_parts};
use super::records::{
    Random, hidden, integer, ladder, linear, ordered, plain, ratio, tokens, with_latents,
};
use crate::container::model::{Grid, ModelRecord};
use crate::entropy::table::TableSpec;
use crate::matrix::DType;

pub(super) fn all() -> Vec<(String, Vec<u8>)> {
    let mut out = Vec::new();
    for shape in 0..4 {
        out.push((format!("table-ladder-{shape}"), ladders(shape)));
    }
    for lead in 0..=4 {
        out.push((format!("table-tokens-{lead}"), token_table(lead)));
    }
    let list = [
        ("table-histogram", histograms()),
        ("table-zero", zero_tables()),
        ("grid-several", several_grids()),
        ("grid-saturates-u8", saturating(DType::U8, integer(100, 3, 20))),
        ("grid-saturates-i32", saturating(DType::I32, integer(1 << 28, 0, 3))),
        ("grid-wraps-u64", saturating(DType::U64, integer(u64::MAX / 3, 1, 2))),
        ("grid-wraps-i64", saturating(DType::I64, integer(1 << 62, 2, u64::MAX))),
        ("grid-saturates-f16", saturating(DType::F16, linear(1.0, 4096.0, 0))),
        ("grid-saturates-f64", saturating(DType::F64, linear(f64::MAX, -1e307, 1))),
        ("grid-ratio-f32", saturating(DType::F32, ratio(7, 1000, 2))),
        ("grid-ratio-f64", saturating(DType::F64, ratio(1 << 60, u64::MAX, 0))),
        ("grid-ordered-f16", saturating(DType::F16, ordered(-2.0, 0.0))),
        ("temporal-residuals", temporal_residuals()),
        ("temporal-latents", temporal_latents()),
        ("classes-2", classes(2, usize::MAX)),
        ("classes-5", classes(5, usize::MAX)),
        ("parts-of-1-row", classes(5, 1)),
        ("parts-of-4-rows", classes(3, 4)),
        ("parts-of-29-rows", classes(2, 29)),
        ("parts-of-other-lengths", parts_of_other_lengths()),
        (
            "latents-uniform",
            NetworkCase {
                dtype: DType::F32,
                trellis: 0,
                clamps: &[300, 40, 5],
                gain: 3,
                units: &[],
                seed: 21,
            }
            .file(),
        ),
        (
            "latents-4-states",
            NetworkCase {
                dtype: DType::F64,
                trellis: 4,
                clamps: &[300, 40, 5],
                gain: 3,
                units: &[],
                seed: 22,
            }
            .file(),
        ),
        (
            "latents-8-states",
            NetworkCase {
                dtype: DType::I16,
                trellis: 8,
                clamps: &[300, 40, 5, 77],
                gain: 3,
                units: &[],
                seed: 23,
            }
            .file(),
        ),
        (
            "latents-wide",
            NetworkCase {
                dtype: DType::F32,
                trellis: 8,
                clamps: &[1 << 20, 40_000, 100],
                gain: 12,
                units: &[],
                seed: 24,
            }
            .file(),
        ),
        (
            "network-one-hidden",
            NetworkCase {
                dtype: DType::F32,
                trellis: 0,
                clamps: &[300, 40, 5],
                gain: 6,
                units: &[7],
                seed: 25,
            }
            .file(),
        ),
        (
            "network-two-hidden",
            NetworkCase {
                dtype: DType::F32,
                trellis: 8,
                clamps: &[300, 40, 50_000],
                gain: 8,
                units: &[9, 4],
                seed: 26,
            }
            .file(),
        ),
    ];
    out.extend(list.map(|(name, bytes)| (name.to_string(), bytes)));
    out
}

fn file(dtype: DType, m: &ModelRecord, rows: &[Row]) -> Vec<u8> {
    file_of(dtype, m, rows.len(), &stream(m, dtype, rows))
}

fn file_of(dtype: DType, m: &ModelRecord, rows: usize, stream: &[u8]) -> Vec<u8> {
    Parts::new(&schema(dtype, &[m.width()]), "max-error 1")
        .model(m, m.width())
        .coded(rows, stream, &[])
        .join()
}

/// Rows of residuals without latents.
fn rows(residuals: impl IntoIterator<Item = Vec<i64>>) -> Vec<Row> {
    residuals.into_iter().map(|residuals| Row { residuals, ..Row::default() }).collect()
}

fn ladders(shape: u8) -> Vec<u8> {
    let scales = [0, 1, 5, 16, 22, 23, 24, 27, 28, 31, 35, 40, 99, 239];
    let tables = scales.iter().map(|&s| ladder(shape, s)).collect();
    let m = plain(scales.len(), vec![integer(1, 0, 1)], tables);
    let mut random = Random(u64::from(shape));
    let list = (0..24).map(|i| {
        let bound = |scale: u8| 1_i64 << (i64::from(scale) / 4 - 4 + i % 5).clamp(0, 62);
        scales.iter().map(|&s| random.around(bound(s))).collect()
    });
    // Escapes far out, both ways.
    let far = [1000, -1000, 1 << 40, -(1 << 40), i64::MAX, i64::MIN + 1];
    let far = far.map(|n| vec![n; scales.len()]);
    file(DType::I64, &m, &rows(list.chain(far)))
}

fn token_table(lead: u8) -> Vec<u8> {
    let m = plain(1, vec![integer(1, 0, 1)], vec![tokens(lead)]);
    let ends = (0..63).flat_map(|k| [1_i64 << k, (1 << k) - 1 + (1 << k), -(1 << k), 5 - (1 << k)]);
    file(DType::I64, &m, &rows(ends.chain([0]).map(|n| vec![n])))
}

fn histograms() -> Vec<u8> {
    let h = |raw, entries: &[(i64, u32)], escape| TableSpec::Histogram {
        raw,
        entries: entries.to_vec(),
        escape,
    };
    let tables = vec![
        h(0, &[(-7, 32_000), (900, 768)], 0),
        h(0, &[(0, 1), (5, 2), (6, 30_000)], 2765),
        h(5, &[(-9, 700), (2, 32_060)], 8),
        h(62, &[(-2, 10_000), (1, 22_768)], 0),
    ];
    let m = plain(4, vec![integer(1, 0, 1)], tables);
    let list = [
        vec![-7, 0, -288, i64::MIN],
        vec![900, 6, 64 + 31, (1 << 62) + 12_345],
        vec![-7, 7, -257, i64::MAX],
        vec![-7, i64::MIN, i64::MAX, -(1 << 62) - 1],
        vec![900, -1, 0, i64::MIN + 99],
    ];
    file(DType::I64, &m, &rows(list))
}

fn zero_tables() -> Vec<u8> {
    let mut m = plain(3, vec![linear(0.0, 0.5, 0)], vec![TableSpec::Zero, ladder(0, 17)]);
    m.classes.residual_tables = vec![0, 1, 0];
    m.base = vec![-40, 0, 1 << 33];
    file(DType::F64, &m, &rows((0..5).map(|i| vec![0, i - 2, 0])))
}

fn several_grids() -> Vec<u8> {
    let step = |grid: Grid, step: u64| Grid { step, ..grid };
    let grids = vec![
        linear(0.1, 0.001, 8),
        step(linear(-3.0, 1e-7, 10), 2001),
        ratio(2, 100, 4),
        step(ratio(1, 3, 5), 7),
        ordered(1.0, 0.125),
        linear(-0.0, -0.25, 0),
    ];
    let tables = vec![ladder(0, 24), ladder(1, 20), ladder(2, 30)];
    let mut m = plain(8, grids, tables);
    m.grid_of = vec![0, 0, 1, 5, 4, 3, 2, 0];
    m.base = vec![5, -5, 1 << 40, 3, -2, 77, 0, i64::MAX];
    let mut random = Random(31);
    let list: Vec<Vec<i64>> = (0..12).map(|_| random.list(8, 25)).collect();
    file(DType::F32, &m, &rows(list))
}

fn saturating(dtype: DType, grid: Grid) -> Vec<u8> {
    let m = plain(2, vec![grid], vec![tokens(2)]);
    let list = [0, 1, -1, 2, -3, 7, -50, 1000, -9999, 1 << 32, -(1 << 40), i64::MAX, 5 - i64::MAX];
    file(dtype, &m, &rows(list.map(|n| vec![n, n / 3])))
}

fn temporal_residuals() -> Vec<u8> {
    let mut m = plain(6, vec![integer(1, 2, 4)], vec![ladder(1, 26)]);
    m.temporal = vec![256, -256, 0, 200, -77, 1];
    let mut random = Random(41);
    let mut list: Vec<Vec<i64>> = (0..20).map(|_| random.list(6, 30)).collect();
    // Beyond where the product is clamped.
    list.push(vec![1 << 55; 6]);
    list.extend((0..3).map(|_| random.list(6, 30)));
    file(DType::I64, &m, &rows(list))
}

fn temporal_latents() -> Vec<u8> {
    let mut random = Random(51);
    let m = plain(4, vec![linear(0.0, 0.01, 2)], vec![ladder(0, 14), ladder(2, 26)]);
    let mut m = with_latents(m, &[100, 1000, 1000, 50], 8, 4, random.list(16, 90));
    m.latent_temporal = vec![256, -256, 128, -3];
    m.classes.means = vec![1, -2, 0, 9];
    let list: Vec<Row> = (0..25)
        .map(|_| Row {
            latents: random.list(4, 40),
            residuals: random.list(4, 2),
            ..Row::default()
        })
        .collect();
    file(DType::F32, &m, &list)
}

/// Parts of few and of many bytes.
fn parts_of_other_lengths() -> Vec<u8> {
    let m = plain(40, vec![integer(1, 0, 1)], vec![tokens(0)]);
    let list = rows([1, i64::MAX, 0, -(1 << 50), 3].map(|n| vec![n; 40]));
    file_of(DType::I64, &m, 5, &stream_in_parts(&m, DType::I64, &list, 1))
}

/// Rows of so many classes in parts of so many rows.
fn classes(count: usize, part_rows: usize) -> Vec<u8> {
    let mut random = Random(count as u64);
    let share = 32_768 / count as u32;
    let mut entries: Vec<(i64, u32)> = (0..count as i64).map(|c| (c, share)).collect();
    entries[0].1 += 32_768 - share * count as u32;
    let next = TableSpec::Histogram { raw: 0, entries, escape: 0 };
    let tables = vec![next, TableSpec::Zero, ladder(0, 16), ladder(2, 24), ladder(1, 28)];
    let m = plain(5, vec![linear(0.0, 0.125, 3)], tables);
    let mut m = with_latents(m, &[500, 500], 4, 3, random.list(10, 60));
    let c = &mut m.classes;
    c.count = count;
    c.next = vec![0; count];
    c.quantum = [-1, 0, 1, 3, (1 << 40) - 1][..count].to_vec();
    c.means = random.list(2 * count, 20);
    c.latent_tables = (0..4 * count).map(|i| 2 + i % 3).collect();
    c.residual_tables = (0..5 * count).map(|i| if i < 5 { 0 } else { 1 + i * 7 % 4 }).collect();
    m.temporal = vec![0, 256, 100, 0, 0];
    let list: Vec<Row> = (0..30)
        .map(|i| {
            let class = (i * i + i / 3) % count;
            let tables = &m.classes.residual_tables[class * 5..class * 5 + 5];
            let residuals = tables.iter().map(|&t| if t == 1 { 0 } else { random.around(9) });
            Row {
                class,
                residuals: residuals.collect(),
                latents: random.list(2, 30),
                ..Row::default()
            }
        })
        .collect();
    file_of(DType::F64, &m, list.len(), &stream_in_parts(&m, DType::F64, &list, part_rows))
}

/// A model with latents, and hidden layers of so many units.
struct NetworkCase<'a> {
    dtype: DType,
    trellis: usize,
    clamps: &'a [i64],
    gain: u32,
    units: &'a [usize],
    seed: u64,
}

impl NetworkCase<'_> {
    fn file(self) -> Vec<u8> {
        let Self { dtype, trellis, clamps, gain, units, seed } = self;
        let mut random = Random(seed);
        let (width, latents) = (19, clamps.len());
        let grid = if dtype.is_float() { linear(0.5, 0.01, 2) } else { integer(2, 2, 4) };
        let tables = vec![ladder(0, 12), ladder(1, 18), ladder(2, 60), ladder(2, 24)];
        let m = plain(width, vec![grid], tables);
        let mut m = with_latents(m, clamps, trellis, gain, random.list(latents * width, 100));
        m.classes.residual_tables.fill(0);
        if trellis > 0 {
            m.classes.latent_tables = (0..2 * latents).map(|i| 1 + i % 3).collect();
        }
        m.bias = random.list(width, 5000);
        if !units.is_empty() {
            m.hidden = Some(hidden(latents, units, width, seed));
        }
        let list: Vec<Row> = (0..50)
            .map(|_| Row {
                latents: clamps.iter().map(|&c| random.around(c)).collect(),
                residuals: random.list(width, 1),
                ..Row::default()
            })
            .collect();
        file(dtype, &m, &list)
    }
}
