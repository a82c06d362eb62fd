//! Arrays of any rank, cut into tiles of any shape: promises are kept, and any box that is read is what a
//! slice of the array is.

use crate::oracle::Random;
use crate::reader::Far;
use aezip::{
    Config, DType, Element, F16, Fidelity, Limits, Matrix, Reader, ReaderOptions, Rows, Schema,
    Tile, check_promise, compress,
};
use std::ops::Range;

/// Arrays that are tried; `AEZIP_ARRAYS` asks for another number.
const ARRAYS: u64 = 150;

/// An array and how it is to be compressed.
struct Case {
    rows: Matrix,
    shape: Vec<usize>,
    config: Config,
}

fn product(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// Values that are smooth along all axes, with noise, repeats and special values here and there.
fn values(shape: &[usize], random: &mut Random) -> Vec<f64> {
    let (noise, specials, flat) = (random.below(3), random.below(4), random.one_in(6));
    let slopes: Vec<f64> = shape.iter().map(|_| 0.5 * random.unit()).collect();
    let value = |i: usize, random: &mut Random| {
        let (mut rest, mut angle) = (i, 0.0);
        for (n, slope) in shape.iter().zip(&slopes).rev() {
            angle += (rest % n) as f64 * slope;
            rest /= n;
        }
        match random.below(60) {
            0 if specials == 1 => f64::NAN,
            1 if specials == 1 => f64::INFINITY,
            2..12 if specials == 2 => f64::NAN,
            _ if flat => 7.0,
            _ => 50.0 + 20.0 * angle.sin() + noise as f64 * random.unit(),
        }
    };
    (0..product(shape)).map(|i| value(i, random)).collect()
}

fn typed<T: Element>(values: &[f64], row_shape: &[usize], make: impl Fn(f64) -> T) -> Matrix {
    let values: Vec<T> = values.iter().map(|x| make(*x)).collect();
    Matrix::from_slice(&values, row_shape).unwrap()
}

fn case(seed: u64) -> Case {
    let random = &mut Random(seed);
    let rank = 1 + random.below(5);
    let most = [600, 40, 16, 8, 5][rank - 1];
    let shape: Vec<usize> = (0..rank).map(|_| 1 + random.below(most)).collect();
    let floats = values(&shape, random);
    let row_shape = &shape[1..];
    let rows = match random.below(5) {
        0 => typed(&floats, row_shape, |x| x as f32),
        1 => typed(&floats, row_shape, |x| x),
        2 => typed(&floats, row_shape, |x| x as u8),
        3 => typed(&floats, row_shape, |x| (100.0 * x) as i32),
        _ => typed(&floats, row_shape, F16::from_f64),
    };
    let mut config = Config::default();
    config.level = 1;
    config.fidelity = match random.below(4) {
        0 => Fidelity::Lossless,
        1 if rank == 1 => Fidelity::MaxErrorRel("0.01".parse().unwrap()),
        _ => Fidelity::MaxError(["0.001", "0.5", "5"][random.below(3)].parse().unwrap()),
    };
    // Flat rows that are really a grid, sometimes.
    let view = match rank > 1 && random.one_in(3) {
        true => {
            let rest = product(&shape[1..]);
            let view = [vec![shape[0]], vec![rest]].concat();
            config.shape = Some(view.clone());
            view
        }
        false => shape.clone(),
    };
    config.tile = match random.below(8) {
        0 => Tile::Auto,
        1 => Tile::Rows,
        _ => Tile::Shape(view.iter().map(|&n| 1 + random.below(n)).collect()),
    };
    Case { rows, shape, config }
}

/// Returns the bytes of a box of an array, found one value at a time.
fn slice(bytes: &[u8], size: usize, shape: &[usize], ranges: &[Range<usize>]) -> Vec<u8> {
    let lengths: Vec<usize> = ranges.iter().map(|range| range.len()).collect();
    let mut out = Vec::new();
    for i in 0..product(&lengths) {
        let (mut rest, mut at, mut stride) = (i, 0, 1);
        for k in (0..shape.len()).rev() {
            at += (ranges[k].start + rest % lengths[k]) * stride;
            rest /= lengths[k];
            stride *= shape[k];
        }
        out.extend(&bytes[at * size..(at + 1) * size]);
    }
    out
}

fn check(seed: u64) {
    let Case { rows, shape, config } = case(seed);
    let what = format!("seed {seed}: {shape:?} {:?} {config:?}", rows.schema().dtype);
    let mut file = Vec::new();
    let report = compress(&rows, &config, &mut file).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(report.rows, shape[0] as u64, "{what}");
    assert_eq!(report.bytes_in, rows.bytes().len() as u64, "{what}");
    let reader = Reader::new(&file).unwrap_or_else(|e| panic!("{what}: {e}"));
    reader.verify().unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(reader.shape(), shape, "{what}");
    if let Tile::Shape(tile) = &config.tile {
        assert_eq!(reader.tiling().unwrap().tile(), tile, "{what}");
    }
    let kept = check_promise(&rows, &reader, &config.fidelity, file.len() as u64).unwrap();
    assert!(kept.held, "{what}: {}", kept.detail);

    let mut whole = vec![0; rows.bytes().len()];
    reader.read_bytes(0, &mut whole).unwrap();
    let size = rows.schema().dtype.size();
    let random = &mut Random(seed + 1);
    for _ in 0..4 {
        let range = |n: &usize, random: &mut Random| {
            let (a, b) = (random.below(n + 1), random.below(n + 1));
            a.min(b)..a.max(b)
        };
        let ranges: Vec<_> = shape.iter().map(|n| range(n, random)).collect();
        let wanted = slice(&whole, size, &shape, &ranges);
        let mut got = vec![0; wanted.len()];
        reader.read_region_bytes(&ranges, &mut got).unwrap();
        assert_eq!(got, wanted, "{what}: {ranges:?}");
        check_far(&file, &ranges, &got);
    }
}

/// Checks that nothing but what is named beforehand is fetched for a box, and for its rows.
fn check_far(file: &[u8], ranges: &[Range<usize>], wanted: &[u8]) {
    let far = Far::new(file);
    let fetch = |offset: u64, out: &mut [u8]| far.fetch(offset, out);
    let options = ReaderOptions::new(Limits::default(), 0);
    let reader = Reader::fetch(file.len() as u64, fetch, options).unwrap();
    far.name(reader.bytes_of_region(ranges).unwrap());
    let mut got = vec![0; wanted.len()];
    reader.read_region_bytes(ranges, &mut got).unwrap();
    assert!(got == wanted, "{ranges:?}");
    let rows: Vec<usize> = ranges[0].clone().step_by(3).collect();
    far.name(reader.bytes_of_rows(&rows).unwrap());
    reader.gather_bytes(&rows, &mut vec![0; rows.len() * reader.schema().row_bytes()]).unwrap();
}

#[test]
fn arrays_of_any_rank_keep_their_promise_and_are_read_in_boxes() {
    let count = std::env::var("AEZIP_ARRAYS").ok().and_then(|n| n.parse().ok()).unwrap_or(ARRAYS);
    (0..count).for_each(check);
}

#[test]
fn a_series_is_coded_in_windows() {
    let values: Vec<f32> = (0..40_000)
        .map(|i| {
            let t = i as f32;
            (t * 0.21).sin() + 0.4 * (t * 0.83).sin() + 0.1 * (t * 1.9).sin()
        })
        .collect();
    let rows = Matrix::from_slice(&values, &[]).unwrap();
    let size = |tile: Tile| {
        let mut config = Config::default();
        config.level = 1;
        config.fidelity = Fidelity::MaxError("0.001".parse().unwrap());
        config.tile = tile;
        let mut file = Vec::new();
        compress(&rows, &config, &mut file).unwrap();
        let reader = Reader::new(&file).unwrap();
        (file.len(), reader.tiling().map(|tiling| tiling.tile().to_vec()))
    };
    let (rows_alone, found) = (size(Tile::Rows).0, size(Tile::Auto));
    assert!(found.1.is_some(), "no tiles: {found:?}");
    assert!(found.0 * 10 < rows_alone * 9, "{found:?} against {rows_alone}");
}

#[test]
fn a_flat_list_of_spectra_may_be_a_picture() {
    let value = |i: usize| {
        let (y, x, band) = (i / 10 / 24, i / 10 % 24, i % 10);
        (100 + 3 * y + 2 * x + 5 * band * (y % 3) + (i * i) % 7) as u16
    };
    let values: Vec<u16> = (0..24 * 24 * 10).map(value).collect();
    let rows = Matrix::from_slice(&values, &[10]).unwrap();
    let mut config = Config::default();
    config.fidelity = Fidelity::Lossless;
    config.shape = Some(vec![24, 24, 10]);
    config.tile = Tile::Shape(vec![4, 4, 10]);
    let mut file = Vec::new();
    compress(&rows, &config, &mut file).unwrap();
    let reader = Reader::new(&file).unwrap();
    assert_eq!((reader.shape(), reader.rows()), (vec![576, 10], 576));
    let mut spectrum = [0_u16; 10];
    reader.read_row(100, &mut spectrum).unwrap();
    assert_eq!(spectrum[..], values[1000..1010]);
    assert_eq!(reader.tiling().unwrap().grid(), [6, 6, 1]);
}

#[test]
fn what_cannot_be_cut_is_refused_with_a_reason() {
    let table = Schema {
        columns: Some(vec!["a".to_string(), "b".to_string()]),
        ..Schema::new(DType::F32, &[2])
    };
    let table = Matrix::new(table, vec![0; 80]).unwrap();
    let field = Matrix::from_slice(&[0.0_f32; 80], &[8]).unwrap();
    let refused = |rows: &Matrix, fidelity: Fidelity, tile: &[usize], shape: Option<Vec<usize>>| {
        let mut config = Config::default();
        config.fidelity = fidelity;
        config.tile = Tile::Shape(tile.to_vec());
        config.shape = shape;
        let mut out = Vec::new();
        let error = compress(rows, &config, &mut out).unwrap_err();
        assert!(out.is_empty() && error.kind() == aezip::ErrorKind::Argument);
        error.to_string()
    };
    let exact = || Fidelity::Lossless;
    assert!(refused(&table, exact(), &[2, 1], None).contains("columns"));
    assert!(
        refused(&field, Fidelity::Nmse("0.1".parse().unwrap()), &[2, 2], None).contains("nmse")
    );
    assert!(refused(&field, exact(), &[11, 2], None).contains("[11, 2]"));
    assert!(refused(&field, exact(), &[2], None).contains("axes"));
    assert!(refused(&field, exact(), &[2, 2], Some(vec![9, 9])).contains("[9, 9]"));
    let mut config = Config::default();
    config.shape = Some(vec![9, 9]);
    let error = compress(&field, &config, Vec::new()).unwrap_err();
    assert!(
        error.to_string().contains("[9, 9]"),
        "a shape is checked where nothing is cut: {error}"
    );
}
