//! Files whose models have numbers on other scales.

use super::case::{Case, case};
use super::file::{Parts, Row, schema, stream};
use super::records::{Random, ladder, linear, plain};
use crate::container::block::encode_escapes;
use crate::container::bytes::put_varint;
use crate::container::compander::{CompanderRecord, SHARE_BITS, Scale};
use crate::container::forever::COMPANDER;
use crate::matrix::DType;

const WIDTH: usize = 4;
const ROWS: usize = 6;

fn record(cells: u64, share: f64, scales: &[Scale], scale_of: &[u8]) -> CompanderRecord {
    let share = (share * (1_u64 << SHARE_BITS) as f64) as u64;
    CompanderRecord { cells, share, scales: scales.to_vec(), scale_of: scale_of.to_vec() }
}

fn plain_scale(least: u64) -> Scale {
    Scale { least, multiple: None }
}

fn counts(least: u64, numerator: u64, denominator: u64) -> Scale {
    Scale { least, multiple: Some((numerator, denominator)) }
}

/// A file of numbers all over the scales that `payload` says, of which one place takes so much.
fn file_with(dtype: DType, payload: Vec<u8>, step: f64) -> Parts {
    let m = plain(WIDTH, vec![linear(0.0, step, 0)], vec![ladder(3, 44)]);
    let mut random = Random(dtype as u64 + 71);
    let mut rows: Vec<Row> = (0..ROWS - 1)
        .map(|_| Row { residuals: random.list(WIDTH, 900), ..Row::default() })
        .collect();
    // Zeros and what is near to them, and numbers beyond all ends.
    rows[0].residuals = vec![0, 1, -1, -2];
    rows.push(Row { residuals: vec![1 << 40, -(1 << 40), 1 << 14, -(1 << 14)], ..Row::default() });
    let values = [&[0x41; 8][..dtype.size()], &[0x7f; 8][..dtype.size()]].concat();
    let escapes = encode_escapes(&[9, 13], &values, dtype.size());
    let s = stream(&m, DType::F64, &rows);
    Parts::new(&schema(dtype, &[WIDTH]), "max-error-pointwise-rel 0.01")
        .section(COMPANDER, payload)
        .model(&m, WIDTH)
        .coded(ROWS, &s, &escapes)
}

fn file(dtype: DType, record: &CompanderRecord, step: f64) -> Parts {
    file_with(dtype, record.encode(), step)
}

pub(super) fn valid() -> Vec<(String, Parts)> {
    let one = |share: f64| record(513, share, &[plain_scale(1)], &[]);
    let mut out: Vec<_> = DType::ALL
        .into_iter()
        .map(|dtype| {
            let step = if dtype.is_float() { 0.04 } else { 0.009 };
            (format!("compander-{dtype}"), file(dtype, &one(0.01), step))
        })
        .collect();
    let several = record(65, 0.002, &[plain_scale(1 << 20), counts(3, 1, 10)], &[1, 0, 0, 1]);
    out.push(("compander-of-columns".to_string(), file(DType::F32, &several, 0.003)));
    let multiples = record(9, 0.09, &[counts(1, 5, 1)], &[]);
    out.push(("compander-of-multiples".to_string(), file(DType::I16, &multiples, 0.05)));
    out
}

pub(super) fn uncommon() -> Vec<(&'static str, Parts)> {
    let nothing = record(1, 0.7, &[plain_scale(1)], &[]);
    let ends = [plain_scale(f64::MAX.to_bits()), counts((1 << 53) - 1, 1 << 53, 3)];
    let late = record(1023, 0.01, &ends, &[0, 1, 0, 1]);
    vec![
        ("compander-of-one-place", file(DType::F16, &nothing, 0.5)),
        ("compander-begins-at-its-end", file(DType::F64, &late, 0.4)),
        (
            "compander-of-large-multiples",
            file(DType::I64, &record(3, 0.1, &[counts(1, 1 << 53, 1)], &[]), 0.1),
        ),
    ]
}

pub(super) fn invalid() -> Vec<Case> {
    let with = |numbers: &[u64], columns: &[u8]| {
        let mut payload = Vec::new();
        numbers.iter().for_each(|&n| put_varint(&mut payload, n));
        payload.extend(columns);
        file_with(DType::F32, payload, 0.04).join()
    };
    let good = [513, 1 << 41, 1, 1, 0, 0];
    let changed = |at: usize, n: u64| {
        let mut numbers = good;
        numbers[at] = n;
        with(&numbers, &[])
    };
    let two = [513, 1 << 41, 2, 1, 0, 0, 1, 1, 10];
    let base = || file(DType::F32, &record(513, 0.01, &[plain_scale(1)], &[]), 0.04);
    let twice = base().section(COMPANDER, record(513, 0.01, &[plain_scale(1)], &[]).encode());
    // Whose grid is one of the file's type, not of the model's.
    let m = plain(2, vec![super::records::integer(1, 0, 1)], vec![ladder(0, 20)]);
    let grid = Parts::new(&schema(DType::I16, &[2]), "max-error-pointwise-rel 0.01")
        .section(COMPANDER, record(513, 0.01, &[plain_scale(1)], &[]).encode())
        .model(&m, 2);
    let long = file_with(DType::F64, vec![0xff, 7, 1, 1, 1, 0, 0], 0.04);
    let without = Parts::new(&schema(DType::F32, &[WIDTH]), "lossless")
        .section(COMPANDER, record(1, 0.7, &[plain_scale(1)], &[]).encode())
        .exact(ROWS, &[0x3c; 4 * WIDTH * ROWS], 4);
    let list: [(&str, &'static str, Vec<u8>); 18] = [
        ("empty", "truncated", with(&[], &[])),
        ("cut", "truncated", with(&good[..5], &[])),
        ("goes-on", "corrupt", with(&good, &[0])),
        ("cells-even", "corrupt", changed(0, 512)),
        ("cells-many", "corrupt", changed(0, 1025)),
        ("share-0", "corrupt", changed(1, 0)),
        ("share-1", "corrupt", changed(1, 1 << 48)),
        ("too-long", "corrupt", long.join()),
        ("no-scales", "corrupt", with(&[513, 1 << 41, 0], &[])),
        ("many-scales", "corrupt", with(&[513, 1 << 41, 257], &[])),
        ("least-0", "corrupt", changed(3, 0)),
        ("least-beyond-the-end", "corrupt", changed(3, 0x7f80_0000)),
        ("multiples-of-0", "corrupt", changed(5, 10)),
        ("columns-missing", "truncated", with(&two, &[0, 1, 0])),
        ("column-of-no-scale", "corrupt", with(&two, &[0, 1, 2, 0])),
        ("twice", "corrupt", twice.join()),
        ("grid-of-the-type", "corrupt", grid.join()),
        ("without-a-model", "corrupt", without.join()),
    ];
    list.into_iter()
        .map(|(name, kind, bytes)| case(&format!("compander-{name}"), kind, bytes))
        .collect()
}
