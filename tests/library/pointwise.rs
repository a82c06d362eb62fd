//! Each value is off by a share of itself at most: zeros, signs, special values and the ends of all types.

use aezip::{
    Codec, Config, DType, Element, Fidelity, Matrix, Reader, Rows, Tile, Writer, check_promise,
    compress,
};

fn config(share: &str) -> Config {
    let mut config = Config::default();
    config.fidelity = Fidelity::parse("max-error-pointwise-rel", share).unwrap();
    config.level = 1;
    config
}

/// Numbers that look as if they were drawn at random, between 0 and 1.
fn noise(i: usize) -> f64 {
    (i as f64 * 12.9898).sin().mul_add(43758.5453, 1e6).fract()
}

/// Rain as models have it: nothing in most places, else of very different size.
fn rain(count: usize) -> Vec<f32> {
    let value = |i: usize| {
        let cloud = (i as f64 * 0.013).sin() + 0.3 * (i as f64 * 0.07).sin();
        if cloud < 0.2 { 0.0 } else { ((9.0 * cloud).exp() * 1e-9 * (1.0 + noise(i))) as f32 }
    };
    (0..count).map(value).collect()
}

/// Decodes a file and judges it by the test's own arithmetic.
fn check(rows: &dyn Rows, file: &[u8], share: f64) {
    let reader = Reader::new(file).unwrap();
    let read = |rows: &dyn Rows| {
        let mut bytes = vec![0; rows.len() * rows.schema().row_bytes()];
        rows.read(0, &mut bytes).unwrap();
        bytes
    };
    let (x, y) = (read(rows), read(&reader));
    let size = rows.schema().dtype.size();
    for (a, b) in x.chunks(size).zip(y.chunks(size)) {
        let (p, q) = (number(rows.schema().dtype, a), number(rows.schema().dtype, b));
        let is_kept = a == b || (p - q).abs() <= share * p.abs();
        assert!(is_kept, "{p:e} became {q:e}, which is more than {share}");
        assert!(p.is_nan() || p.is_sign_negative() == q.is_sign_negative(), "{p:e} became {q:e}");
    }
    let promise = reader.promise().unwrap();
    let judged = check_promise(rows, &reader, promise, file.len() as u64).unwrap();
    assert!(judged.held && judged.detail.contains("pointwise relative"), "{}", judged.detail);
    assert!(judged.quality.max_error_pointwise_rel.unwrap_or(0.0) <= share * (1.0 + 1e-9));
}

fn number(dtype: DType, bytes: &[u8]) -> f64 {
    let mut wide = [0; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    let bits = u64::from_le_bytes(wide);
    let signed = (bits << (64 - 8 * bytes.len()) as u32) as i64 >> (64 - 8 * bytes.len()) as u32;
    match dtype {
        DType::F16 => aezip::F16(bits as u16).to_f64(),
        DType::F32 => f64::from(f32::from_bits(bits as u32)),
        DType::F64 => f64::from_bits(bits),
        DType::U8 | DType::U16 | DType::U32 | DType::U64 => bits as f64,
        _ => signed as f64,
    }
}

fn round_trip<T: Element>(values: &[T], width: usize, share: &str) -> Vec<u8> {
    let rows = Matrix::from_slice(values, &[width]).unwrap();
    let mut file = Vec::new();
    let report = compress(&rows, &config(share), &mut file).unwrap();
    assert_eq!(report.rows as usize, rows.len());
    check(&rows, &file, share.parse().unwrap());
    file
}

#[test]
fn rain_takes_a_fraction_of_what_a_bound_for_its_least_drops_takes() {
    let values = rain(40_000);
    let file = round_trip(&values, 50, "0.01");
    let exact = round_trip(&values, 50, "0");
    assert!(3 * file.len() < exact.len(), "{} of {}", file.len(), exact.len());
}

#[test]
fn special_values_and_zeros_come_back_bit_for_bit() {
    let mut values = rain(6_000);
    for (i, v) in values.iter_mut().enumerate() {
        match i % 97 {
            3 => *v = f32::NAN,
            5 => *v = f32::from_bits(0xffc1_2345),
            8 => *v = f32::INFINITY,
            13 => *v = f32::NEG_INFINITY,
            21 => *v = -0.0,
            34 => *v = -*v,
            55 => *v = f32::from_bits(i as u32),
            56 => *v = -f32::from_bits(i as u32 * 16),
            60 => *v = f32::MAX,
            61 => *v = f32::MIN,
            89 => *v = 1e20,
            _ => {}
        }
    }
    for share in ["0.5", "0.01", "1e-4", "1e-7", "1e-12", "0"] {
        round_trip(&values, 30, share);
    }
}

#[test]
fn every_type_keeps_its_share() {
    let wide =
        |i: usize| (noise(i) * 40.0 - 20.0).exp2() * if i.is_multiple_of(7) { -1.0 } else { 1.0 };
    for share in ["0.9", "0.1", "0.003", "1e-5"] {
        let of = |f: fn(f64) -> f64| (0..3000).map(move |i| f(wide(i)));
        round_trip(&of(|x| x).collect::<Vec<f64>>(), 6, share);
        round_trip(&of(|x| x * 1e-310).collect::<Vec<f64>>(), 6, share);
        let halves = of(|x| x).map(|x| aezip::F16::from_f64(x / 16.0));
        round_trip(&halves.collect::<Vec<_>>(), 6, share);
        round_trip(&of(f64::abs).map(|x| x as u8).collect::<Vec<_>>(), 6, share);
        round_trip(&of(|x| x).map(|x| x as i8).collect::<Vec<_>>(), 6, share);
        round_trip(&of(|x| x / 8.0).map(|x| x as i16).collect::<Vec<_>>(), 6, share);
        round_trip(&of(f64::abs).map(|x| x as u16).collect::<Vec<_>>(), 6, share);
        round_trip(&of(|x| x * 1e3).map(|x| x as i32).collect::<Vec<_>>(), 6, share);
        round_trip(&of(f64::abs).map(|x| (x * 1e3) as u32).collect::<Vec<_>>(), 6, share);
        round_trip(&of(|x| x * 1e13).map(|x| x as i64).collect::<Vec<_>>(), 6, share);
        round_trip(&of(f64::abs).map(|x| (x * 1e13) as u64).collect::<Vec<_>>(), 6, share);
    }
}

#[test]
fn columns_of_decimals_come_back_as_decimals() {
    let row =
        |i: usize| [(noise(i) * 900.0).round(), (noise(3 * i) * 400.0).round() / 10.0, wave(i)];
    let wave_of = |i: usize| row(i).map(|x| x as f32);
    let values: Vec<f32> = (0..4000).flat_map(wave_of).collect();
    let file = round_trip(&values, 3, "0.01");
    let mut rows = vec![0.0_f32; values.len()];
    Reader::new(file).unwrap().read_rows(0..4000, &mut rows).unwrap();
    assert!(rows.iter().step_by(3).all(|x| x.fract() == 0.0));
    let tenths = rows.iter().skip(1).step_by(3);
    assert!(tenths.clone().all(|x| (f64::from((x * 10.0).round()) / 10.0) as f32 == *x));
}

fn wave(i: usize) -> f64 {
    (i as f64 * 0.01).sin() * 10.0
}

#[test]
fn odd_rows_are_compressed() {
    for share in ["0", "0.01", "0.5"] {
        round_trip::<f32>(&[], 4, share);
        round_trip(&[1.5_f32], 1, share);
        round_trip(&[0.0_f64; 300], 3, share);
        round_trip(&[-0.0_f64; 300], 3, share);
        round_trip(&[f64::NAN; 300], 3, share);
        round_trip(&[7.25_f64; 300], 3, share);
        round_trip(&[i64::MIN; 300], 3, share);
        round_trip(&[u64::MAX; 300], 3, share);
        round_trip(&[5e-324_f64, -5e-324], 1, share);
    }
}

#[test]
fn a_share_of_one_or_none_is_refused_with_the_reason() {
    for share in ["1", "1.5", "-0.1", "0.99999999999999999", "nan", "inf"] {
        assert!(Fidelity::parse("max-error-pointwise-rel", share).is_err(), "{share}");
    }
    let error = Fidelity::parse("max-error-pointwise-rel", "1").unwrap_err().to_string();
    assert!(error.contains("below 1") && error.contains("sign"), "{error}");
}

#[test]
fn tiles_writers_and_codecs_keep_it() {
    let values = rain(64 * 900);
    let field = Matrix::from_slice(&values, &[30, 30]).unwrap();
    let mut file = Vec::new();
    let mut tiled = config("0.02");
    tiled.tile = Tile::Shape(vec![4, 8, 8]);
    compress(&field, &tiled, &mut file).unwrap();
    check(&field, &file, 0.02);

    let seen = Matrix::from_slice(&values[..90 * 300], &[90]).unwrap();
    let rest = Matrix::from_slice(&values, &[90]).unwrap();
    let mut writer = Writer::new(Vec::new(), &seen, &config("0.02")).unwrap();
    writer.push(&values).unwrap();
    check(&rest, &writer.finish().unwrap().0, 0.02);

    let mut stored = Vec::new();
    Codec::fit(&seen, &config("0.02")).unwrap().write(&mut stored).unwrap();
    let codec = Codec::read(&stored).unwrap();
    for share in ["0.02", "0.001", "0"] {
        let mut file = Vec::new();
        codec.compress(&rest, &config(share), &mut file).unwrap();
        check(&rest, &file, share.parse().unwrap());
    }
    let mut other = config("0.02");
    other.fidelity = Fidelity::parse("max-error", "0.1").unwrap();
    let error = codec.compress(&rest, &other, Vec::new()).unwrap_err().to_string();
    assert!(error.contains("logarithms"), "{error}");
    let plain = Codec::fit(&seen, &other).unwrap();
    let error = plain.compress(&rest, &config("0.02"), Vec::new()).unwrap_err().to_string();
    assert!(error.contains("logarithms"), "{error}");
}

#[test]
fn random_arrays_keep_it() {
    // The long run: AEZIP_ARRAYS=2000.
    let count = std::env::var("AEZIP_ARRAYS").map_or(60, |n| n.parse().unwrap());
    for seed in 0..count {
        let at = |i: usize| noise(i + 7919 * seed);
        let share = ["0.3", "0.1", "0.01", "0.001", "1e-5", "0.7"][(at(1) * 6.0) as usize];
        let octaves = [2.0, 10.0, 60.0, 250.0][(at(2) * 4.0) as usize];
        let [zeros, negative] = [at(3) * 0.4, at(4) * 0.6];
        let width = 1 + (at(5) * 20.0) as usize;
        let rows = 1 + (at(6) * at(7) * 400.0) as usize;
        let smooth = at(8) < 0.5;
        let value = |i: usize| {
            let drawn = if smooth { 0.5 + 0.5 * (i as f64 * 0.003).sin() } else { at(10 + i) };
            let size = ((drawn - 0.5) * octaves).exp2();
            let sign = if at(20_000 + i) < negative { -1.0 } else { 1.0 };
            if at(40_000 + i) < zeros { 0.0 * sign } else { size * sign }
        };
        let values: Vec<f64> = (0..rows * width).map(value).collect();
        match (at(9) * 5.0) as usize {
            0 => drop(round_trip(&values, width, share)),
            1 => {
                let halves: Vec<_> = values.iter().map(|x| aezip::F16::from_f64(*x)).collect();
                round_trip(&halves, width, share);
            }
            2 => drop(round_trip(
                &values.iter().map(|x| *x as i32).collect::<Vec<_>>(),
                width,
                share,
            )),
            _ => drop(round_trip(
                &values.iter().map(|x| *x as f32).collect::<Vec<_>>(),
                width,
                share,
            )),
        }
    }
}
