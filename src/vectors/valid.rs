//! Ordinary files: types, promises, names, blocks, exact values.

use super::file::{Parts, Row, schema, stream};
use super::records::{Random, integer, ladder, linear, ordered, plain, tokens};
use crate::container::block::encode_escapes;
use crate::container::fills;
use crate::container::forever::{FILLS, ORIGIN, TEXT};
use crate::container::head;
use crate::container::origin;
use crate::container::section::Header;
use crate::container::text;
use crate::entropy::table::TableSpec;
use crate::matrix::{DType, Digits, FillValues, KeptText, Origin, Schema, TextColumn, TextLayout};

/// Every promise, with a number as somebody may type it.
pub(super) const PROMISES: [&str; 11] = [
    "max-error 0.5",
    "max-error-rel 1e-3",
    "max-error-columns a=0.5,b=1,*=0",
    "nmse .1",
    "psnr 40.",
    "cosine 0.99",
    "ratio +20",
    "bytes-per-row 43.50",
    "row-nmse 1",
    "row-cosine 9E-1",
    "lossless",
];

pub(super) fn all() -> Vec<(String, Vec<u8>)> {
    let mut out = Vec::new();
    for (dtype, promise) in DType::ALL.into_iter().zip(PROMISES) {
        let kind = promise.split(' ').next().unwrap();
        out.push((format!("type-{dtype}-{kind}"), one_type(dtype, promise)));
    }
    for dtype in [DType::F16, DType::F32, DType::F64] {
        out.push((format!("special-escaped-{dtype}"), special_escaped(dtype)));
        out.push((format!("special-ordered-{dtype}"), special_ordered(dtype)));
    }
    for (name, parts) in shapes().into_iter().chain(blocks()).chain(origins()) {
        out.push((name.to_string(), parts.join()));
    }
    out
}

fn one_type(dtype: DType, promise: &str) -> Vec<u8> {
    let grid = if dtype.is_float() { linear(0.25, 0.125, 0) } else { integer(3, 0, 1) };
    let m = plain(3, vec![grid], vec![ladder(2, 20)]);
    let rows: Vec<Row> = [[0, 1, -1], [7, -30, 12], [90, 2, -3], [-2, 0, 41]]
        .map(|r| Row { residuals: r.to_vec(), ..Row::default() })
        .to_vec();
    let s = stream(&m, dtype, &rows);
    Parts::new(&schema(dtype, &[3]), promise).model(&m, 3).coded(4, &s, &[]).join()
}

/// Bit patterns that no arithmetic may touch.
fn special(dtype: DType) -> Vec<u64> {
    let (bits, mantissa) = match dtype {
        DType::F16 => (16, 10),
        DType::F32 => (32, 23),
        _ => (64, 52),
    };
    let sign = 1_u64 << (bits - 1);
    let infinity = (sign - 1) >> mantissa << mantissa;
    let quiet = infinity | 1 << (mantissa - 1);
    vec![
        sign,     // -0
        infinity, // infinities
        infinity | sign,
        quiet, // NaN: quiet, with sign and payload, signalling
        quiet | sign | 0x2a,
        infinity | 1,
        infinity | sign | 3,
        1, // subnormals
        sign | ((1 << mantissa) - 1),
        infinity - 1, // the largest
    ]
}

fn special_escaped(dtype: DType) -> Vec<u8> {
    let size = dtype.size();
    let patterns = special(dtype);
    let m = plain(4, vec![linear(0.0, 0.5, 2)], vec![ladder(0, 18)]);
    let mut random = Random(5);
    let rows: Vec<Row> =
        (0..6).map(|_| Row { residuals: random.list(4, 9), ..Row::default() }).collect();
    let positions: Vec<u64> = (0..10).map(|i| 2 * i + i / 4).collect();
    let values: Vec<u8> = patterns.iter().flat_map(|p| p.to_le_bytes()[..size].to_vec()).collect();
    let escapes = encode_escapes(&positions, &values, size);
    let s = stream(&m, dtype, &rows);
    Parts::new(&schema(dtype, &[4]), "max-error 0.25").model(&m, 4).coded(6, &s, &escapes).join()
}

fn special_ordered(dtype: DType) -> Vec<u8> {
    // Places in the order of bit patterns, around 0 and at both ends.
    let place = |bits: u64| match dtype {
        DType::F16 if bits & 0x8000 != 0 => -1 - (bits & 0x7fff) as i64,
        DType::F32 if bits & 0x8000_0000 != 0 => -1 - (bits & 0x7fff_ffff) as i64,
        _ if bits >> 63 != 0 => -1 - (bits & (u64::MAX >> 1)) as i64,
        _ => bits as i64,
    };
    let places: Vec<i64> = special(dtype).into_iter().map(place).chain([0, -1, 2, -3]).collect();
    let m = plain(2, vec![ordered(0.0, 1.0), ordered(1.5, 0.25)], vec![tokens(3)]);
    let rows: Vec<Row> =
        places.chunks(2).map(|r| Row { residuals: r.to_vec(), ..Row::default() }).collect();
    let s = stream(&m, dtype, &rows);
    Parts::new(&schema(dtype, &[2]), "lossless").model(&m, 2).coded(7, &s, &[]).join()
}

fn shapes() -> Vec<(&'static str, Parts)> {
    let bound = "max-error 0.5";
    let simple = |dtype: DType, shape: &[usize], rows: usize, seed: u64| {
        let s = schema(dtype, shape);
        let m = plain(s.width(), vec![integer(1, 0, 1)], vec![ladder(1, 21)]);
        let mut random = Random(seed);
        let list: Vec<Row> = (0..rows)
            .map(|_| Row { residuals: random.list(s.width(), 12), ..Row::default() })
            .collect();
        (m.clone(), stream(&m, dtype, &list), s)
    };
    let (m, s, sc) = simple(DType::I32, &[5], 1, 1);
    let one_row = Parts::new(&sc, bound).model(&m, 5).coded(1, &s, &[]);
    let (m, s, sc) = simple(DType::I16, &[1], 9, 2);
    let one_column = Parts::new(&sc, bound).model(&m, 1).coded(9, &s, &[]);
    let (m, s, sc) = simple(DType::I8, &[], 7, 3);
    let scalars = Parts::new(&sc, bound).model(&m, 1).coded(7, &s, &[]);
    let (m, s, sc) = simple(DType::U16, &[2, 3, 4], 3, 4);
    let images = Parts::new(&sc, bound).model(&m, 4).coded(3, &s, &[]);
    let (m, s, mut sc) = simple(DType::I64, &[3], 3, 6);
    sc.name = "Größe (日本語).csv".to_string();
    // A comma or backslash in a name has a backslash before it in the promise.
    let names = Parts::new(&sc, r"max-error-columns λ\,x=0.5,na\\ïve=1e-2")
        .names(&["λ,x", r"na\ïve", "🚀"])
        .model(&m, 3)
        .coded(3, &s, &[]);
    let mut codec = Parts::with_head(head::encode(&schema(DType::F32, &[6]), None))
        .model(&plain(6, vec![linear(0.0, 0.01, 8)], vec![TableSpec::Zero]), 6);
    codec.header = Header::encode(true);
    let empty: Schema = schema(DType::F64, &[2, 2]);
    vec![
        ("one-row", one_row),
        ("one-column", one_column),
        ("rows-of-shape-none", scalars),
        ("rows-of-shape-2-3-4", images),
        ("names", names),
        ("codec", codec),
        ("no-rows-no-model", Parts::new(&empty, "lossless")),
        (
            "no-rows-but-a-model",
            Parts::new(&empty, bound)
                .model(&plain(4, vec![linear(1.0, 2.0, 1)], vec![ladder(0, 0)]), 2),
        ),
    ]
}

/// Values that stand for missing numbers, of which the rows have one.
fn fill_values() -> Parts {
    let s = schema(DType::F32, &[2]);
    let m = plain(2, vec![linear(0.25, 0.125, 0)], vec![ladder(2, 20)]);
    let rows: Vec<Row> =
        [[0, 1], [7, 0]].map(|r| Row { residuals: r.to_vec(), ..Row::default() }).to_vec();
    let bits = |x: f32| u64::from(x.to_bits());
    let known = FillValues::from_bits(vec![bits(1e20), bits(-999.0)]);
    let escapes = encode_escapes(&[3], &1e20_f32.to_le_bytes(), 4);
    Parts::new(&s, "max-error-rel 1e-3")
        .section(FILLS, fills::encode(DType::F32, &known))
        .model(&m, 2)
        .coded(2, &stream(&m, DType::F32, &rows), &escapes)
}

/// Columns of text around and between those of numbers, some fields with bytes of all kinds.
fn columns_of_text() -> Parts {
    let s = schema(DType::F64, &[2]);
    let m = plain(2, vec![linear(0.25, 0.125, 0)], vec![ladder(2, 20)]);
    let rows: Vec<Row> =
        [[0, 1], [7, 0]].map(|r| Row { residuals: r.to_vec(), ..Row::default() }).to_vec();
    let mut kept = KeptText::new([(0, "a".to_string()), (2, String::new()), (4, "é".to_string())]);
    let long = [b'x'; 200];
    for row in [[&b"Oslo"[..], b"", &long], [b"\"\r\n,", b"\xff\x00", &long]] {
        // Far below what may be kept.
        let _ = kept.push(row);
    }
    Parts::new(&s, "lossless").section(TEXT, text::packed(&kept).to_vec()).model(&m, 2).coded(
        2,
        &stream(&m, DType::F64, &rows),
        &[],
    )
}

/// What the rows were read from: another format, a table, a table of whose columns much is known.
fn origins() -> Vec<(&'static str, Parts)> {
    let s = schema(DType::F64, &[3]);
    let m = plain(3, vec![linear(0.25, 0.125, 0)], vec![ladder(2, 20)]);
    let rows: Vec<Row> = [[0, 1, -1], [7, -30, 12]]
        .map(|r| Row { residuals: r.to_vec(), ..Row::default() })
        .to_vec();
    let with = |origin: Vec<u8>| {
        Parts::new(&s, "max-error-rel 1e-3").section(ORIGIN, origin).model(&m, 3).coded(
            2,
            &stream(&m, DType::F64, &rows),
            &[],
        )
    };
    let table = TextLayout {
        delimiter: b';',
        decimal_mark: b',',
        crlf: true,
        bare_names: true,
        missing: "#N/A".to_string(),
        columns: Vec::new(),
        kept: None,
    };
    let column =
        |decimals, fixed, range| TextColumn { decimals, fixed, range, ..TextColumn::default() };
    let columns =
        vec![column(Some(22), true, u64::MAX), column(None, false, 0), column(Some(0), false, 300)];
    let digits = [Digits::Significant(17), Digits::Decimals(40), Digits::Significant(40)];
    let digits = digits.map(|digits| TextColumn { digits, range: 1023, ..TextColumn::default() });
    let printed = TextLayout { columns: digits.to_vec(), ..table.clone() };
    let known = TextLayout { columns, ..table.clone() };
    let origin = |text| {
        let format = "csv".to_string();
        origin::encode(&Origin { format, part: None, text }, 3, true)
    };
    let part = origin::encode(&Origin::new("npz").with_part("weights/é"), 3, true);
    vec![
        ("fill-values", fill_values()),
        ("columns-of-text", columns_of_text()),
        ("from-another-format", with(origin(None))),
        ("from-a-part-of-a-file", with(part)),
        ("from-a-table", with(origin(Some(table)))),
        ("from-a-table-of-known-columns", with(origin(Some(known)))),
        ("from-a-table-of-many-digits", with(origin(Some(printed)))),
    ]
}

fn blocks() -> Vec<(&'static str, Parts)> {
    let bound = "max-error 0.001";
    let s = schema(DType::F32, &[2]);
    let m = plain(2, vec![linear(0.0, 0.002, 0)], vec![ladder(3, 25)]);
    let mut random = Random(11);
    let mut rows = |n: usize| {
        let rows: Vec<Row> =
            (0..n).map(|_| Row { residuals: random.list(2, 40), ..Row::default() }).collect();
        stream(&m, DType::F32, &rows)
    };
    let noise: Vec<u8> =
        (0..24).map(|i: u32| i.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let flat: Vec<u8> =
        (0..50).flat_map(|i| [1.5_f32, (i / 10) as f32]).flat_map(f32::to_le_bytes).collect();
    let unequal = Parts::new(&s, bound)
        .model(&m, 2)
        .coded(5, &rows(5), &[])
        .coded(1, &rows(1), &[])
        .exact(3, &noise, 4)
        .coded(20, &rows(20), &[])
        .exact(50, &flat, 4)
        .coded(2, &rows(2), &[]);
    let exact = Parts::new(&s, "lossless").exact(50, &flat, 4).exact(3, &noise, 4);
    // Escapes that zstd shrinks, at every place of the block, and a few that it does not.
    let all: Vec<u64> = (0..80).collect();
    let values: Vec<u8> = (0..80).flat_map(|_| f32::MAX.to_le_bytes()).collect();
    let packed = encode_escapes(&all, &values, 4);
    let few = encode_escapes(&[0, 3], &noise[..8], 4);
    assert!(packed[0] & 1 == 1 && few[0] & 1 == 0);
    let escapes =
        Parts::new(&s, bound).model(&m, 2).coded(40, &rows(40), &packed).coded(2, &rows(2), &few);
    let optional = Parts::new(&s, bound)
        .section(*b"note", b"skipped by readers that do not know it".to_vec())
        .model(&m, 2)
        .coded(3, &rows(3), &[]);
    vec![
        ("blocks-unequal", unequal),
        ("blocks-exact-without-model", exact),
        ("escapes-packed-and-stored", escapes),
        ("section-optional", optional),
    ]
}
