//! Residuals predicted from values to the left by what each row names.

use super::case::{Case, base_model, case, head_only};
use super::file::{Parts, Row, stream};
use super::neighbours::{Made, atom_table, moved, neighbours, own, record, tables};
use super::records::{Random, integer, ladder, linear, ordered, with_latents};
use crate::container::model::{Grid, ModelRecord, Neighbours, RowPredictors};
use crate::matrix::DType;

/// Predictors of stable processes of so many orders, and one that is not stable.
fn predictors(order: usize) -> RowPredictors {
    // Values on a line, a wave, and noise with a memory.
    let shapes = [[8000, -4000], [5000, -3900], [3600, 0], [-2000, 900]];
    let own = |(i, [a, b]): (usize, [i64; 2])| {
        let mut c = vec![0; order];
        (c[0], c[1]) = (a, b);
        c[2..].iter_mut().enumerate().for_each(|(n, c)| *c = (n as i64 * 37 + 5) % 97 - 48);
        if i == 3 {
            c[order - 1] = 4100;
        }
        c
    };
    RowPredictors { table: 4, coefficients: shapes.into_iter().enumerate().map(own).collect() }
}

/// Neighbours whose predictors have so many values to weigh, and a table to name them by.
fn by_row(distances: [usize; 3], order: usize) -> Neighbours {
    Neighbours { by_row: Some(predictors(order)), ..neighbours(distances) }
}

fn named(width: usize, grids: Vec<Grid>) -> ModelRecord {
    let mut m = record(width, grids);
    m.tables.push(atom_table(&[9_000, 9_000, 9_000, 5_768]));
    m
}

/// Rows that are longer than what predictors weigh.
fn rows() -> Parts {
    let m = named(24, vec![integer(1, 2, 11)]);
    Made::new((DType::I32, &[24]), m, by_row([1, 0, 0], 6), (20, 9, 130))
        .blocks(&[1, 11, 8])
        .trees((1, &[2]), (31, &[own(0), own(1), moved(2)]))
        .parts()
}

/// Lines of pixels of two colours, some of them atoms.
fn lines() -> Parts {
    let mut n = by_row([2, 14, 0], 4);
    n.aligned = true;
    n.atoms = vec![0, 90];
    let m = named(42, vec![integer(1, 2, 4)]);
    Made::new((DType::I16, &[3, 7, 2]), m, n, (18, 9, 131))
        .trees((9, &[2, 3]), (31, &[own(0), own(1), moved(-1)]))
        .parts()
}

/// Beside predictions from latents, on grids that differ.
fn latents() -> Parts {
    let mut m = named(12, vec![linear(0.5, 0.01, 2), ordered(1.0, 0.125)]);
    m.grid_of = (0..12).map(|j| j / 6).collect();
    m.tables.push(ladder(0, 16));
    let mut m = with_latents(m, &[300, 40], 4, 3, Random(132).list(24, 60));
    m.latent_temporal = vec![100, 0];
    Made::new((DType::F32, &[12]), m, by_row([1, 0, 0], 5), (20, 9, 133))
        .trees((1, &[2]), (31, &[own(0), own(1), moved(2)]))
        .parts()
}

pub(super) fn valid() -> Vec<(&'static str, Parts)> {
    vec![
        ("neighbours-by-row", rows()),
        ("neighbours-by-row-in-lines", lines()),
        ("neighbours-by-row-latents", latents()),
    ]
}

/// One predictor for all rows, of more values than a row has.
fn longer_than_rows() -> Parts {
    let mut n = by_row([1, 0, 0], 32);
    n.by_row = Some(RowPredictors { table: 0, coefficients: vec![Random(134).list(32, 700)] });
    let m = record(7, vec![integer(1, 4, 16)]);
    Made::new((DType::I32, &[7]), m, n, (12, 9, 135)).parts()
}

/// Coefficients and residuals at their limits: sums wrap, what is weighed is clamped.
fn extreme() -> Parts {
    let mut m = record(40, vec![integer(1, 32, 3)]);
    m.tables[0] = super::records::tokens(0);
    let limits = [65_535, -65_535, 4095, 1, -4095, 65_535, 4096, -65_535];
    let mut first: Vec<i64> = (0..32).map(|n| limits[n % 8]).collect();
    let same = vec![65_535; 32];
    first[31] = 4095;
    let mut n = by_row([1, 0, 0], 32);
    n.by_row = Some(RowPredictors { table: 4, coefficients: vec![first, same] });
    m.tables.push(atom_table(&[16_000, 16_768]));
    let mut made = Made::new((DType::I64, &[40]), m, n, (20, 4, 136));
    let mut random = Random(137);
    for r in made.rows.iter_mut().flat_map(|row| &mut row.residuals) {
        *r = match random.around(2) {
            0 => random.around(i64::MAX / 2),
            n => random.around(1 << (20 * n.abs())),
        };
    }
    made.parts()
}

pub(super) fn uncommon() -> Vec<(&'static str, Parts)> {
    vec![
        ("neighbours-by-row-longer-than-rows", longer_than_rows()),
        ("neighbours-by-row-at-their-limits", extreme()),
    ]
}

/// Models and rows that no reader takes.
pub(super) fn invalid() -> Vec<Case> {
    let model = |change: &dyn Fn(&mut Neighbours, &mut RowPredictors)| {
        let mut m = base_model();
        m.tables.extend(tables());
        let mut n = neighbours([1, 0, 0]);
        let mut own = RowPredictors { table: 3, coefficients: vec![vec![4000, -90]; 3] };
        change(&mut n, &mut own);
        n.by_row = Some(own);
        m.neighbours = Some(n);
        m
    };
    let with = |change: &dyn Fn(&mut Neighbours, &mut RowPredictors)| {
        head_only().model(&model(change), 2).join()
    };
    let coefficients =
        |c: Vec<Vec<i64>>| with(&|_, own: &mut RowPredictors| own.coefficients = c.clone());
    let stray = {
        let m = model(&|_, own| {
            own.coefficients.truncate(2);
        });
        let row = Row { residuals: vec![0; 2], predictor: 2, ..Row::default() };
        let s = stream(&m, DType::I16, &[row]);
        head_only().model(&m, 2).coded(1, &s, &[]).join()
    };
    let list = vec![
        ("and-median", with(&|n, _| n.median = true)),
        ("order-0", coefficients(vec![vec![]; 2])),
        ("order-33", coefficients(vec![vec![1; 33]; 2])),
        ("predictors-0", coefficients(vec![])),
        ("predictors-257", coefficients(vec![vec![1]; 257])),
        ("table-undefined", with(&|_, own| own.table = 5)),
        ("coefficient-too-large", coefficients(vec![vec![1, 65_536]; 2])),
        ("coefficient-lowest", coefficients(vec![vec![i64::MIN, 0]; 2])),
        ("predictor-undefined", stray),
    ];
    let named = |(name, bytes)| case(&format!("neighbours-by-row-{name}"), "corrupt", bytes);
    list.into_iter().map(named).collect()
}
