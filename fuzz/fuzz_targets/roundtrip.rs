//! Any rows, any promise: it is kept.
#![no_main]

use aezip::{
    Config, DType, ErrorKind, Fidelity, Matrix, Reader, Rows, Schema, check_promise, compress,
};
use arbitrary::{Result, Unstructured};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let mut input = Unstructured::new(bytes);
    let Ok((matrix, config)) = case(&mut input) else { return Corpus::Reject };
    check(&matrix, &config);
    Corpus::Keep
});

fn check(matrix: &Matrix, config: &Config) {
    let mut file = Vec::new();
    match compress(matrix, config, &mut file) {
        Ok(report) => {
            assert_eq!(report.bytes_out, file.len() as u64);
            assert_eq!(report.rows, matrix.len() as u64);
        }
        // Only a size can be out of reach.
        Err(error) => {
            let of_size = matches!(config.fidelity, Fidelity::Ratio(_) | Fidelity::BytesPerRow(_));
            assert!(of_size && error.kind() == ErrorKind::Argument, "{error}");
            return;
        }
    }
    let bytes = file.len() as u64;
    let reader = Reader::new(file).expect("what was written can be opened");
    reader.verify().expect("what was written is sound");
    let check = check_promise(matrix, &reader, &config.fidelity, bytes).unwrap();
    assert!(check.held, "{}", check.detail);
}

fn case(input: &mut Unstructured<'_>) -> Result<(Matrix, Config)> {
    let network = input.ratio(1, 8)?;
    let rows = input.int_in_range(0..=64)?;
    let dtype = DType::ALL[input.int_in_range(0..=10)?];
    let width = input.int_in_range(1..=16)?;
    let mut config = Config::default();
    config.threads = 1;
    config.level = if input.ratio(1, 8)? { 4 } else { 1 };
    if network {
        // The smallest there is: what it learns does not matter, what its file promises does.
        config.train.hidden = Some(vec![4]);
        config.train.epochs = Some(1);
    }
    config.fidelity = fidelity(input)?;
    let mut bytes = Vec::new();
    // Smooth columns with accidents, images with accidents, or nothing but accidents.
    let smooth = input.ratio(2, 3)?;
    let image = input.ratio(1, 2)?;
    let shape = match input.int_in_range(1..=3)? {
        1 | 2 if image => vec![4, width.min(6)],
        3 if image => vec![3, width.min(4), 3],
        _ => vec![width],
    };
    let width: usize = shape.iter().product();
    let line = shape.last().copied().unwrap_or(1);
    for i in 0..rows * width {
        let (row, j) = (i / width, i % width);
        let value = match input.int_in_range(0..=15)? {
            kind if kind < 12 && smooth && image => pixel(dtype, row, (j / line, j % line), kind),
            kind if kind < 12 && smooth => wave(dtype, row, j, kind),
            kind => accident(input, dtype, kind)?,
        };
        bytes.extend(&value.to_le_bytes()[..dtype.size()]);
    }
    let schema = Schema::new(dtype, &shape);
    Ok((Matrix::new(schema, bytes).expect("whole rows"), config))
}

/// Bits of a value that a model can learn.
fn wave(dtype: DType, row: usize, column: usize, noise: u64) -> u64 {
    of_type(dtype, 100.0 * (row as f64 * 0.2 + column as f64).sin() + noise as f64 * 0.3)
}

/// Bits of a value that its neighbours say much of: at one of both ends often.
fn pixel(dtype: DType, row: usize, (y, x): (usize, usize), noise: u64) -> u64 {
    let v = (row as f64 * 0.1 + x as f64 * 0.7).sin() + (y as f64 * 0.4).cos();
    of_type(dtype, (90.0 * v).clamp(0.0, 100.0) + (noise / 4) as f64)
}

fn of_type(dtype: DType, v: f64) -> u64 {
    match dtype {
        // 1.0 to 2.0, in steps of the type.
        DType::F16 => 0x3c00 + (v.abs() as u64),
        DType::F32 => u64::from((v as f32).to_bits()),
        DType::F64 => v.to_bits(),
        _ => v as i64 as u64,
    }
}

/// Bits of a value that is hard on something.
fn accident(input: &mut Unstructured<'_>, dtype: DType, kind: u64) -> Result<u64> {
    let specials = [0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN];
    let bits = 8 * dtype.size() as u32;
    let one = match dtype {
        DType::F16 => 0x3c00,
        DType::F32 => u64::from(1_f32.to_bits()),
        DType::F64 => 1_f64.to_bits(),
        _ => 1,
    };
    Ok(match kind % 6 {
        0 => input.arbitrary::<u64>()?,
        1 => input.arbitrary::<u8>()?.into(),
        2 => one.wrapping_add_signed(input.arbitrary::<i8>()?.into()),
        // The extremes of integers, and NaNs, of every width.
        3 => (u64::MAX >> input.int_in_range(0..=1)?) >> (64 - bits),
        4 => 1 << (bits - 1),
        _ => {
            let x: f64 = *input.choose(&specials)?;
            match dtype {
                DType::F32 => u64::from((x as f32).to_bits()),
                DType::F16 => x.to_bits() >> 48,
                _ => x.to_bits(),
            }
        }
    })
}

fn fidelity(input: &mut Unstructured<'_>) -> Result<Fidelity> {
    let mantissa = input.int_in_range(1..=999)?;
    let exponent = input.int_in_range(-20..=20)?;
    let free = format!("{mantissa}e{exponent}");
    let share = format!("0.{mantissa:03}");
    let (kind, text) = match input.int_in_range(0..=14)? {
        0 => ("lossless", String::new()),
        1 => ("max-error", "0".to_string()),
        2 => ("max-error-rel", share),
        3 => ("max-error-columns", format!("0={free},*={share}")),
        4 => ("nmse", share),
        5 => ("psnr", format!("{}", mantissa % 200)),
        6 => ("cosine", share),
        7 => ("ratio", format!("{}", f64::from(mantissa) / 100.0)),
        8 => ("bytes-per-row", format!("{mantissa}")),
        9 => ("row-nmse", share),
        10 => ("row-cosine", share),
        12 => ("row-l2", free),
        14 => ("max-error-pointwise-rel", share),
        11 => ("max-error", format!("{}", f64::from(mantissa) / 100.0)),
        _ => ("max-error", free),
    };
    Ok(Fidelity::parse(kind, &text).expect("a valid promise"))
}
