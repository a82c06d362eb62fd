//! Blocks with columns beside their stream, good and bad.

use super::case::{Case, base_model, base_stream, case, head_only};
use super::file::{Parts, Row, schema, stream};
use super::records::{ladder, linear, plain};
use crate::container::columns::{Entry, Way, encode};
use crate::container::{numbers, shuffle};
use crate::matrix::DType;

/// Rows of each block here: more than one batch of pco.
const ROWS: usize = 260;

/// Little-endian numbers of `size` bytes, a few distinct ones by turns.
fn column(size: usize, step: u64) -> Vec<u8> {
    let number = |i: u64| (i % 17 * step + i / 50).to_le_bytes()[..size].to_vec();
    (0..ROWS as u64).flat_map(number).collect()
}

fn packed(bytes: &[u8], size: usize) -> Vec<u8> {
    shuffle::compress(&shuffle::shuffle(bytes, size), 19)
}

fn integers(of: impl Fn(i64) -> i64) -> Vec<u8> {
    numbers::pack_integers(&(0..ROWS as i64).map(of).collect::<Vec<_>>(), 8).unwrap()
}

fn entries(list: &[(usize, Way, &[u8])]) -> Vec<u8> {
    let entry = |&(column, way, bytes): &(usize, Way, _)| Entry { column, way, bytes };
    encode(&list.iter().map(entry).collect::<Vec<_>>())
}

pub(super) fn valid() -> Vec<(String, Parts)> {
    let mut out: Vec<(String, Parts)> = DType::ALL.into_iter().map(all_beside).collect();
    for dtype in [DType::F16, DType::F32, DType::F64] {
        out.push((format!("columns-corrected-{dtype}"), corrected(dtype)));
    }
    out
}

/// One column shuffled and packed, one of each kind that pco knows, and no stream.
fn all_beside(dtype: DType) -> (String, Parts) {
    let size = dtype.size();
    let chunk = |step| numbers::pack(&column(size, step), dtype, 8).unwrap();
    let (first, even, wide) = (packed(&column(size, 3), size), chunk(1), chunk(0x1_2345_6789));
    let columns =
        entries(&[(0, Way::Packed, &first), (1, Way::Numbers, &even), (2, Way::Numbers, &wide)]);
    let parts = Parts::new(&schema(dtype, &[3]), "lossless").beside(ROWS, &columns, None);
    (format!("columns-beside-{dtype}"), parts)
}

/// Columns that the stream says, or multiples do, and corrections of both kinds.
fn corrected(dtype: DType) -> Parts {
    let m = plain(5, vec![linear(0.0, 0.25, 2)], vec![ladder(1, 20)]);
    let row =
        |i: i64| Row { residuals: vec![i % 9, -i % 5, 0, 3 * (i % 7), i % 2], ..Row::default() };
    let rows: Vec<Row> = (0..ROWS as i64).map(row).collect();
    let s = stream(&m, dtype, &rows);
    let multiples = integers(|i| i % 40 - 20);
    let places = integers(|i| i % 3 - 1);
    // Zeros of both signs, and beyond the largest number.
    let far = integers(|i| [0, -1, i64::MAX / 3][(i % 3) as usize]);
    let decimals = integers(|i| [0, 0, 0, 7, -13][(i % 5) as usize]);
    let columns = entries(&[
        (0, Way::Places, &places),
        (2, Way::Multiples { numerator: 3, denominator: 10 }, &multiples),
        (2, Way::Places, &places),
        (3, Way::Decimals { denominator: 1000 }, &decimals),
        (4, Way::Places, &far),
    ]);
    let escapes = crate::container::block::encode_escapes(
        &[1, 10],
        &[0xff; 16][..2 * dtype.size()],
        dtype.size(),
    );
    Parts::new(&schema(dtype, &[5]), "lossless").model(&m, 5).beside(
        ROWS,
        &columns,
        Some((&s, &escapes)),
    )
}

pub(super) fn uncommon() -> Vec<(&'static str, Parts)> {
    let two = schema(DType::I16, &[2]);
    let file = || Parts::new(&two, "lossless").model(&base_model(), 2);
    let stream = base_stream();
    let whole = packed(&[1, 2, 3, 4], 2);
    let both = entries(&[(0, Way::Packed, &whole), (1, Way::Packed, &whole)]);
    vec![
        ("columns-none", file().beside(2, &entries(&[]), Some((&stream, &[])))),
        ("columns-all-and-a-stream", file().beside(2, &both, Some((&stream, &[])))),
    ]
}

pub(super) fn invalid() -> Vec<Case> {
    let stream = base_stream();
    let whole = packed(&[1, 2, 3, 4], 2);
    let good = numbers::pack(&[1, 2, 3, 4], DType::I16, 8).unwrap();
    let floats = Parts::new(&schema(DType::F32, &[1]), "lossless");
    let coded = |columns: &[u8]| {
        head_only().model(&base_model(), 2).beside(2, columns, Some((&stream, &[]))).join()
    };
    let alone = |columns: &[u8]| head_only().beside(2, columns, None).join();
    let one = |way: Way, bytes: &[u8]| coded(&entries(&[(0, way, bytes)]));
    let corrupt = |name: &str, bytes| case(name, "corrupt", bytes);
    // A list of 2^25 - 1 numbers; and looking back over 2^24.
    let list = [0xf4, 0xff, 0xff, 0x1f, 0, 0, 0, 0];
    let window = [&[0x20, 23][..], &[0; 40]].concat();
    let longer = [&good[..], &[0]].concat();
    vec![
        corrupt("columns-outside", coded(&[1, 2, 0, 0])),
        corrupt("columns-way-undefined", coded(&[1, 0, 5, 0])),
        corrupt("columns-go-on", coded(&[0, 0])),
        case("columns-cut", "truncated", coded(&[1, 0, 0, 9, 1])),
        case("columns-longer-than-block", "truncated", {
            let mut parts = head_only();
            parts.blocks.push((2, block_of(&[2, 99, 1])));
            parts.join()
        }),
        corrupt(
            "columns-twice",
            coded(&entries(&[(0, Way::Packed, &whole), (0, Way::Packed, &whole)])),
        ),
        corrupt("columns-missing-without-stream", alone(&entries(&[(0, Way::Packed, &whole)]))),
        case("columns-stream-empty", "truncated", {
            head_only().model(&base_model(), 2).beside(2, &entries(&[]), Some((&[], &[]))).join()
        }),
        corrupt(
            "columns-stream-without-model",
            head_only().beside(2, &entries(&[]), Some((&stream, &[]))).join(),
        ),
        corrupt("columns-corrections-of-integers", one(Way::Places, &integers(|i| i))),
        corrupt("columns-fraction-0", floats.clone().beside(2, &[1, 0, 2, 0, 1, 0], None).join()),
        corrupt("columns-fraction-too-large", {
            let large = Way::Decimals { denominator: (1 << 53) + 1 };
            floats.beside(2, &entries(&[(0, large, &[])]), None).join()
        }),
        corrupt("columns-packed-too-short", one(Way::Packed, &packed(&[1, 2], 2))),
        corrupt("columns-packed-too-long", one(Way::Packed, &packed(&[1; 6], 2))),
        corrupt("columns-pco-empty", one(Way::Numbers, &[])),
        corrupt("columns-pco-cut", one(Way::Numbers, &good[..good.len() - 1])),
        corrupt("columns-pco-goes-on", one(Way::Numbers, &longer)),
        corrupt("columns-pco-mode-undefined", one(Way::Numbers, &[0x0f, 0, 0, 0, 0, 0])),
        corrupt("columns-pco-list-too-long", one(Way::Numbers, &list)),
        corrupt("columns-pco-window-too-long", one(Way::Numbers, &window)),
    ]
}

/// A block of such bytes, its checksum put right.
fn block_of(bytes: &[u8]) -> Vec<u8> {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&0_u64.to_le_bytes());
    crc.update(bytes);
    [bytes, &crc.finalize().to_le_bytes()].concat()
}
