//! Arrays that are cut into tiles.

use super::case::{Case, case};
use super::file::{Parts, Row, schema, stream};
use super::records::{Random, integer, ladder, linear, plain};
use crate::container::bytes::put_varint;
use crate::container::forever::{COLUMNS, ORIGIN, TEXT, TILE};
use crate::container::head;
use crate::container::model::ModelRecord;
use crate::container::origin;
use crate::container::section::Header;
use crate::container::text;
use crate::container::tile;
use crate::matrix::{DType, KeptText, Origin, TextColumn, TextLayout, Tiling};

fn tiling(array: &[usize], view: &[usize], tile: &[usize], patch: &[usize]) -> Tiling {
    Tiling::with_patch(array, view, tile, patch).unwrap()
}

fn model(dtype: DType, width: usize) -> ModelRecord {
    let grid = if dtype.is_float() { linear(0.5, 0.25, 0) } else { integer(1, 0, 1) };
    plain(width, vec![grid], vec![ladder(1, 21)])
}

/// A file of `tiling`'s tiles, so many in each block; `payload` is that of its section.
fn file_with(tiling: &Tiling, dtype: DType, blocks: &[usize], payload: Vec<u8>) -> Parts {
    let s = schema(dtype, &tiling.row_shape());
    let m = model(dtype, s.width());
    let mut random = Random(tiling.values() as u64 + 401);
    let mut parts =
        Parts::new(&s, "max-error 0.5").section(TILE, payload).model(&m, s.line_width());
    for &count in blocks {
        let rows: Vec<Row> = (0..count)
            .map(|_| Row { residuals: random.list(s.width(), 30), ..Row::default() })
            .collect();
        parts = parts.coded(count, &stream(&m, dtype, &rows), &[]);
    }
    parts
}

fn file(tiling: &Tiling, dtype: DType, blocks: &[usize]) -> Parts {
    file_with(tiling, dtype, blocks, tile::encode(tiling))
}

/// An array cut in its own shape.
fn own(dtype: DType, array: &[usize], tile: &[usize], patch: &[usize], blocks: &[usize]) -> Parts {
    file(&tiling(array, array, tile, patch), dtype, blocks)
}

/// An array to which rows can be appended.
pub(super) fn growing() -> Parts {
    own(DType::I16, &[4, 4], &[2, 2], &[1, 2], &[4])
}

pub(super) fn growing_model() -> ModelRecord {
    model(DType::I16, 4)
}

/// The array of the invalid files, [7, 10] in tiles of [3, 4], and what its section says.
const FIELD: [&[usize]; 3] = [&[7, 10], &[3, 4], &[2, 2]];
const FIELD_TILES: usize = 9;

fn field() -> Tiling {
    let [array, tile, patch] = FIELD;
    tiling(array, array, tile, patch)
}

/// A table of one column, a series in it.
fn table() -> Parts {
    let column = TextColumn { decimals: Some(2), fixed: true, ..TextColumn::default() };
    let text = TextLayout { columns: vec![column], ..TextLayout::default() };
    let from = Origin::new("csv").with_text(text);
    own(DType::F64, &[20, 1], &[8, 1], &[3, 1], &[3])
        .section(ORIGIN, origin::encode(&from, 1, false))
}

pub(super) fn valid() -> Vec<(&'static str, Parts)> {
    let number = tiling(&[], &[1], &[1], &[1]);
    let view = tiling(&[35, 6], &[5, 7, 6], &[2, 3, 6], &[2, 2, 1]);
    // Its last tile is all but beyond the array.
    let series = own(DType::I16, &[50], &[7], &[3], &[5, 3]);
    let exact: Vec<u8> = (0..2 * 16).map(|i| i * 7).collect();
    let cube = own(DType::U8, &[3, 9, 7], &[1, 4, 4], &[2, 2, 1], &[1, 8, 7]).exact(2, &exact, 1);
    vec![
        ("tiles-number", file(&number, DType::F64, &[1])),
        ("tiles-series", series),
        ("tiles-field", file(&field(), DType::F32, &[4, 5])),
        ("tiles-cube", cube),
        ("tiles-rank-4", own(DType::I32, &[2, 3, 4, 5], &[2, 2, 3, 2], &[1, 2, 1, 2], &[12])),
        ("tiles-another-view", file(&view, DType::F16, &[9])),
        ("tiles-whole-array", own(DType::U16, &[4, 6], &[4, 6], &[1, 1], &[1])),
        ("tiles-from-a-table", table()),
    ]
}

pub(super) fn uncommon() -> Vec<(&'static str, Parts)> {
    let ones = [1; 32];
    let long = tiling(&[6], &[1, 2, 1, 3, 1], &[1, 1, 1, 2, 1], &[1, 2, 1, 1, 1]);
    let mut again = vec![2, 7, 10, 2, 7, 10, 3, 4];
    again.extend([2, 2]);
    let mut late = file(&field(), DType::I8, &[9]);
    late.sections.swap(1, 2);
    vec![
        ("tiles-32-axes", own(DType::I8, &ones, &ones, &ones, &[1])),
        ("tiles-of-one-value", own(DType::I16, &[3, 4], &[1, 1], &[2, 3], &[12])),
        ("tiles-patches-of-one", own(DType::I16, &[5, 4], &[2, 1], &[1, 1], &[12])),
        ("tiles-view-of-more-axes", file(&long, DType::I16, &[4])),
        ("tiles-view-said-again", file_with(&field(), DType::I8, &[9], again)),
        ("tiles-behind-the-model", late),
    ]
}

/// A payload of varints.
fn payload(numbers: &[u64]) -> Vec<u8> {
    let mut out = Vec::new();
    numbers.iter().for_each(|&n| put_varint(&mut out, n));
    out
}

pub(super) fn invalid() -> Vec<Case> {
    let blocks = [FIELD_TILES];
    let with = |numbers: &[u64]| file_with(&field(), DType::I8, &blocks, payload(numbers)).join();
    let good = [2_u64, 7, 10, 0, 3, 4, 2, 2];
    let changed = |at: usize, n: u64| {
        let mut numbers = good;
        numbers[at] = n;
        with(&numbers)
    };
    let axes = |count: u64| [&[count][..], &vec![1; count as usize], &[0, 1], &[1; 66]].concat();
    let view_axes = |count: u64| [&[1, 1, count][..], &vec![1; 3 * count as usize]].concat();
    let large = 1_u64 << 32;
    let base = || file(&field(), DType::I8, &blocks);
    assert_eq!(base().join(), with(&good));
    let mut codec = file(&field(), DType::I8, &[]);
    codec.sections[0].1 = head::encode(&schema(DType::I8, &[3, 4]), None);
    codec.header = Header::encode(true);
    let names: Vec<String> = (0..12).map(|i| i.to_string()).collect();
    let mut kept = KeptText::new([(0, "a".to_string())]);
    (0..FIELD_TILES).for_each(|_| kept.push([&b"x"[..]]).unwrap());
    let list: [(&str, &'static str, Vec<u8>); 24] = [
        ("empty", "truncated", with(&[])),
        ("cut", "truncated", with(&good[..7])),
        ("axes-missing", "truncated", with(&[2, 7, 10, 0, 12, 2])),
        ("go-on", "corrupt", with(&[&good[..], &[1]].concat())),
        ("33-axes", "corrupt", with(&axes(33))),
        ("33-axes-of-view", "corrupt", with(&view_axes(33))),
        ("no-axes", "corrupt", with(&[0, 0])),
        ("array-of-nothing", "corrupt", changed(1, 0)),
        ("array-overflows", "corrupt", with(&[2, large, large, 0, 3, 4, 2, 2])),
        ("array-overflows-to-70", "corrupt", with(&[3, large, large, 70, 0, 1, 3, 4, 1, 2, 2])),
        ("array-too-large", "corrupt", with(&[2, 1 << 30, 1 << 30, 0, 3, 4, 2, 2])),
        ("view-overflows", "corrupt", with(&[2, 7, 10, 2, large, large, 3, 4, 2, 2])),
        ("view-of-other-size", "corrupt", with(&[2, 7, 10, 2, 7, 11, 3, 4, 2, 2])),
        ("tile-larger-than-array", "corrupt", with(&[2, 2, 10, 0, 3, 4, 1, 2])),
        ("tile-of-nothing", "corrupt", changed(4, 0)),
        ("tile-of-other-width", "corrupt", changed(5, 5)),
        ("tile-turned", "corrupt", with(&[2, 7, 10, 0, 4, 3, 2, 2])),
        ("patch-larger-than-grid", "corrupt", changed(6, 4)),
        ("patch-of-nothing", "corrupt", changed(7, 0)),
        ("array-has-more", "corrupt", changed(1, 10)),
        ("array-has-fewer", "corrupt", changed(1, 6)),
        ("in-a-codec", "corrupt", codec.join()),
        ("with-names", "corrupt", base().section(COLUMNS, head::encode_columns(&names)).join()),
        ("with-text", "corrupt", base().section(TEXT, text::packed(&kept).to_vec()).join()),
    ];
    let twice = base().section(TILE, tile::encode(&field())).join();
    let mut out = vec![case("tiles-twice", "corrupt", twice)];
    out.extend(list.map(|(name, kind, bytes)| case(&format!("tiles-{name}"), kind, bytes)));
    out
}
