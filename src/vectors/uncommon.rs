//! Odd files that are legal all the same.

use super::file::{Parts, Row, schema, stream};
use super::records::{
    Random, hidden, integer, ladder, linear, ordered, plain, tokens, with_latents,
};
use crate::container::bytes::put_varint;
use crate::container::forever::{COLUMNS, MODEL, ROOM};
use crate::container::head;
use crate::container::model::{Grid, ModelRecord};
use crate::container::section;
use crate::entropy::rans::PROB_SCALE;
use crate::entropy::table::TableSpec;
use crate::matrix::DType;

const BOUND: &str = "max-error 0";

pub(super) fn all() -> Vec<(String, Vec<u8>)> {
    let mut list = framing();
    list.extend(models());
    list.into_iter().map(|(name, parts)| (name.to_string(), parts.join())).collect()
}

fn rows(list: &[&[i64]]) -> Vec<Row> {
    list.iter().map(|r| Row { residuals: r.to_vec(), ..Row::default() }).collect()
}

fn framing() -> Vec<(&'static str, Parts)> {
    let s = schema(DType::I16, &[2]);
    let m = plain(2, vec![integer(1, 0, 1)], vec![ladder(0, 20)]);
    let st = stream(&m, DType::I16, &rows(&[&[1, 2], &[-3, 4]]));
    let note = |n: u8| (*b"note", vec![n; usize::from(n)]);
    let mut optional = Parts::new(&s, BOUND);
    optional = optional.section(note(0).0, note(0).1).model(&m, 2);
    optional = optional.section(note(3).0, note(3).1).section(note(2).0, note(2).1);
    optional = optional.section(*b"zZ\x00\xff", Vec::new()).coded(2, &st, &[]);
    let turned = Parts::new(&s, BOUND).model(&m, 2).names(&["", ""]).coded(2, &st, &[]);
    assert_eq!((turned.sections[1].0, turned.sections[2].0), (MODEL, COLUMNS));
    let unused = Parts::new(&s, BOUND).model(&m, 2).exact(2, &[1, 2, 3, 4, 5, 6, 7, 8], 2);
    let many = schema(DType::U8, &[1; 32]);
    let m32 = plain(1, vec![integer(1, 0, 1)], vec![ladder(0, 20)]);
    let st32 = stream(&m32, DType::U8, &rows(&[&[9]]));
    let dimensions = Parts::new(&many, BOUND).model(&m32, 1).coded(1, &st32, &[]);
    // Numbers with more groups of 7 bits than they need.
    let mut padded =
        Parts::with_head([&[6, 1, 0x82, 0x80, 0x00, 0x88, 0][..], b"lossless", &[0, 0]].concat());
    padded = padded.model(&m, 2).coded(2, &st, &[]);
    // Exact values: a list of none; one that says what the stream says already.
    let mut none = Vec::new();
    put_varint(&mut none, 1 << 1);
    none.push(0);
    let empty_list = Parts::new(&s, BOUND).model(&m, 2).coded(2, &st, &none);
    // As many rows in a part as there are; lengths in more bytes than they need.
    let all_in_one = [&[2][..], &st[1..]].concat();
    let all_in_one = Parts::new(&s, BOUND).model(&m, 2).coded(2, &all_in_one, &[]);
    let row = |row: &[i64]| stream(&m, DType::I16, &rows(&[row]))[1..].to_vec();
    let (first, last) = (row(&[1, 2]), row(&[-3, 4]));
    let long_lengths = [&[1, 0, 4, first.len() as u8, 0, 0, 0][..], &first, &last].concat();
    let long_lengths = Parts::new(&s, BOUND).model(&m, 2).coded(2, &long_lengths, &[]);
    let mut behind = Parts::new(&s, BOUND).model(&m, 2).coded(2, &st, &[]);
    behind.behind = section::encode(ROOM, &[1, 2, 3]);
    let same_names = vec!["the same name as all the others".to_string(); 900];
    let wide = schema(DType::U8, &[900]);
    let mut names = Parts::new(&wide, BOUND).section(COLUMNS, head::encode_columns(&same_names));
    names = names.exact(1, &[7; 900], 1);
    vec![
        ("sections-optional-repeated", optional),
        ("sections-model-before-names", turned),
        ("model-that-no-block-uses", unused),
        ("dimensions-32", dimensions),
        ("varints-padded", padded),
        ("escapes-none-but-a-list", empty_list),
        ("parts-as-many-as-rows", all_in_one),
        ("parts-lengths-in-4-bytes", long_lengths),
        ("names-that-shrink-much", names),
        ("room-behind-blocks", behind),
    ]
}

fn models() -> Vec<(&'static str, Parts)> {
    let mut out = Vec::new();
    let mut add = |name, dtype, m: &crate::container::model::ModelRecord, list: &[Row]| {
        let st = stream(m, dtype, list);
        let parts = Parts::new(&schema(dtype, &[m.width()]), BOUND);
        out.push((name, parts.model(m, m.width()).coded(list.len(), &st, &[])));
    };
    let mut random = Random(77);
    let one = vec![integer(1, 0, 1)];

    // Tables: no entries but the escape; one entry for all slots, with and without raw bits.
    let escape = TableSpec::Histogram { raw: 0, entries: vec![], escape: PROB_SCALE };
    let single = |raw| TableSpec::Histogram { raw, entries: vec![(3, PROB_SCALE)], escape: 0 };
    let never = TableSpec::Histogram {
        raw: 1,
        entries: vec![(-8, 0), (0, PROB_SCALE - 1), (9, 0), (11, 1)],
        escape: 0,
    };
    let m = plain(4, one.clone(), vec![escape, single(0), single(63 - 2), never]);
    let far = 3 << 61;
    add("tables-degenerate", DType::I64, &m, &rows(&[&[7, 3, far, 0], &[i64::MIN, 3, far, 23]]));

    let m = plain(2, vec![integer(1, 0, 1)], vec![ladder(0, 20), tokens(0), tokens(0)]);
    add("tables-unused-and-equal", DType::I8, &m, &rows(&[&[1, -100], &[-1, 100]]));

    // Grids: step 0 and steps beyond 2^63, 32 bits of fraction, no unit.
    let step = |grid: Grid, fraction, step| Grid { step, fraction, ..grid };
    let grids = vec![
        step(integer(5, 0, 0), 3, 0),
        step(integer(1, 0, 0), 32, u64::MAX),
        step(integer(0, 0, 0), 32, 1 << 32),
        step(integer(1, 0, 0), 0, 1 << 63),
    ];
    let mut m = plain(4, grids, vec![tokens(1)]);
    m.base = vec![i64::MIN, i64::MAX, 4, -1];
    add("grids-odd-integer", DType::I64, &m, &rows(&[&[1, 1, 1, 1], &[-1, 1 << 40, 9, i64::MAX]]));

    let tiny = f64::from_bits(1);
    let grids = vec![
        linear(-0.0, 0.0, 0),
        linear(f64::MAX, f64::MAX, 0),
        linear(tiny, -tiny, 5),
        ordered(-0.0, tiny),
    ];
    let m = plain(4, grids, vec![tokens(1)]);
    add(
        "grids-odd-float",
        DType::F64,
        &m,
        &rows(&[&[0, -1, 1, -1], &[-1, -3, -9, i64::MAX], &[5, 2, 0, 0]]),
    );

    let grids = (0..300).map(|i| integer(i + 1, 0, 1)).collect();
    let m = plain(300, grids, vec![ladder(0, 16)]);
    add("grids-300", DType::I32, &m, &[Row { residuals: random.list(300, 3), ..Row::default() }]);

    // Every symbol of the model's integers, with no and with all raw bits, and those next to the escape.
    let half = |n: u32| (1_i64 << n) + (1_i64 << n) / 2;
    let sizes =
        (0..63).flat_map(|n| [1_i64 << n, half(n) - 1, half(n), (1_i64 << n) - 1 + (1_i64 << n)]);
    let sizes = sizes.chain([3 << 14, (3 << 14) - 1, (3 << 14) + 1]);
    let base: Vec<i64> = sizes.flat_map(|v| [v, -v]).chain([i64::MIN]).collect();
    let width = base.len();
    let m = ModelRecord { base, ..plain(width, vec![integer(1, 0, 1)], vec![ladder(0, 8)]) };
    let row = Row { residuals: vec![0; width], ..Row::default() };
    add("model-integers-of-every-size", DType::I64, &m, &[row]);

    // A model with far more integers than words.
    let mut m = plain(1000, one.clone(), vec![ladder(0, 8)]);
    m.classes.count = 2;
    m.tables.push(TableSpec::Zero);
    m.classes.next = vec![0; 2];
    m.classes.quantum = vec![0, -1];
    m.classes.residual_tables = vec![1; 1000];
    m.classes.residual_tables.extend(vec![0; 1000]);
    m.classes.quantum[0] = 0;
    let none = Row { class: 1, ..Row::default() };
    let all = Row { residuals: vec![0; 1000], ..Row::default() };
    add("model-of-likely-zeros", DType::U8, &m, &[none, all]);

    // Latents that can only be 0, all gains, weights that are not used.
    let m = plain(3, vec![linear(0.0, 1.0, 4)], vec![ladder(0, 18)]);
    let mut m = with_latents(m, &[0, 7, (1 << 30) - 1], 4, 30, vec![0; 9]);
    m.skip = vec![i64::MIN, 1, i64::MAX, 1 << 28, -(1 << 28), 3, 1, -1, 1 << 26];
    m.bias = vec![1 << 40, -(1 << 40), 5];
    let list: Vec<Row> = (0..6)
        .map(|i| Row {
            latents: vec![i, 1 - i, (i - 3) << 28],
            residuals: vec![i, 0, -i],
            ..Row::default()
        })
        .collect();
    add("latents-at-their-limits", DType::F32, &m, &list);

    // Hidden layers that say nothing, shift by much, leak away.
    let m = plain(3, vec![linear(0.0, 1.0, 4)], vec![ladder(0, 18)]);
    let mut m = with_latents(m, &[1000, 1 << 29], 0, 0, random.list(6, 3));
    let mut path = hidden(2, &[3, 2, 4], 3, 9);
    path.input_shift = vec![0, 31];
    path.layers[0].leak = 62;
    path.layers[0].multiplier = -i64::from(i32::MAX);
    path.layers[0].shift = 40;
    path.layers[0].clamp = i64::from(i16::MAX);
    path.layers[1].shift = 0;
    path.layers[1].clamp = 1;
    path.layers[2].shift = 62;
    path.multiplier = 0;
    m.hidden = Some(path);
    m.gain = 4;
    let list: Vec<Row> = (0..9)
        .map(|i| Row {
            latents: vec![i * 100 - 400, (i - 4) << 26],
            residuals: vec![i, 0, -i],
            ..Row::default()
        })
        .collect();
    add("hidden-layers-odd", DType::F32, &m, &list);

    // 256 classes, all of them without residuals but the last.
    let mut m = plain(1, one, vec![tokens(0), ladder(0, 12)]);
    m.classes.count = 256;
    m.classes.next = vec![0; 256];
    m.classes.quantum = vec![-1; 256];
    m.classes.quantum[255] = 1;
    m.classes.residual_tables = vec![0; 255];
    m.classes.residual_tables.push(1);
    m.temporal = vec![256];
    let list: Vec<Row> = [0, 255, 3, 255, 255, 100]
        .map(|class| Row { class, residuals: vec![1], ..Row::default() })
        .to_vec();
    add("classes-256", DType::U16, &m, &list);
    out
}
