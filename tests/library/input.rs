//! Files of every format: written and read back, cut anywhere, and with any bit flipped.

use aezip::input::{Format, OpenOptions, RawLayout, open, open_reader, sink::create_sink};
use aezip::{DType, ErrorKind, Matrix, Rows, Schema};
use proptest::prelude::*;
use std::path::Path;

fn write(format: Format, rows: &Matrix) -> Vec<u8> {
    let mut out = Vec::new();
    let count = rows.len() as u64;
    let mut sink = create_sink(format, rows.schema(), count, Box::new(&mut out)).unwrap();
    // Several writes, as a decoder makes them.
    let row = rows.schema().row_bytes();
    for part in rows.bytes().chunks(3 * row) {
        sink.write(part).unwrap();
    }
    sink.finish().unwrap();
    out
}

fn options(format: Format, schema: &Schema) -> OpenOptions {
    let layout = RawLayout {
        dtype: schema.dtype,
        bfloat16: false,
        rows: None,
        row_shape: schema.row_shape.clone(),
    };
    OpenOptions { raw: (format == Format::Raw).then_some(layout), ..Default::default() }
}

/// All rows, a few at a time.
fn read_all(rows: &dyn Rows) -> aezip::Result<Vec<u8>> {
    let row = rows.schema().row_bytes();
    let mut out = vec![0; rows.len() * row];
    for (k, part) in out.chunks_mut(5 * row).enumerate() {
        rows.read(5 * k, part)?;
    }
    Ok(out)
}

fn bytes(count: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 56) as u8
    };
    (0..count).map(|_| next()).collect()
}

fn matrix(dtype: DType, rows: usize, row_shape: &[usize]) -> Matrix {
    let schema = Schema::new(dtype, row_shape);
    let count = rows * schema.row_bytes();
    Matrix::new(schema, bytes(count, dtype as u64)).unwrap()
}

fn table() -> Matrix {
    let values = [0.1, -2.5e-8, f64::NAN, 1e300, 3.0, f64::NEG_INFINITY, 0.0, -0.0];
    let mut schema = Schema::new(DType::F64, &[2]);
    schema.columns = Some(vec!["height, m".into(), "\"w\"".into()]);
    let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    Matrix::new(schema, bytes).unwrap()
}

/// Every format with rows that it can hold.
fn examples() -> Vec<(Format, Matrix)> {
    let mut examples = vec![(Format::Csv, table()), (Format::Npz, matrix(DType::F32, 7, &[3]))];
    examples.push((Format::Safetensors, matrix(DType::I16, 7, &[3])));
    for dtype in DType::ALL {
        examples.push((Format::Npy, matrix(dtype, 7, &[3, 2])));
        examples.push((Format::Npy, matrix(dtype, 4, &[])));
        examples.push((Format::Raw, matrix(dtype, 6, &[5])));
    }
    for dtype in [DType::U8, DType::I8, DType::I16, DType::I32, DType::F32, DType::F64] {
        examples.push((Format::Idx, matrix(dtype, 8, &[2, 3])));
    }
    examples.push((Format::Fvecs, matrix(DType::F32, 6, &[4])));
    examples.push((Format::Bvecs, matrix(DType::U8, 6, &[4])));
    examples.push((Format::Ivecs, matrix(DType::I32, 6, &[4])));
    examples.push((Format::Fbin, matrix(DType::F32, 6, &[4])));
    examples.push((Format::U8bin, matrix(DType::U8, 6, &[4])));
    examples.push((Format::I8bin, matrix(DType::I8, 6, &[4])));
    examples
}

#[test]
fn every_format_gives_back_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    for (format, rows) in examples() {
        let name = format!("rows.{format}");
        let path = folder.path().join(&name);
        let written = write(format, &rows);
        std::fs::write(&path, &written).unwrap();
        let options = options(format, rows.schema());
        let mut expected = rows.schema().clone();
        expected.name.clone_from(&name);
        let opened = open(&path, &options).unwrap();
        // Of text, what is known of its layout is its own.
        expected.origin.clone_from(&opened.schema().origin);
        let has_origin = matches!(format, Format::Csv | Format::Npz | Format::Safetensors);
        assert_eq!(expected.origin.is_some(), has_origin);
        assert_eq!((opened.schema(), opened.len()), (&expected, rows.len()), "{format}");
        assert_eq!(read_all(&*opened).unwrap(), rows.bytes(), "{format}");
        let piped = open_reader(&mut &written[..], &name, &options).unwrap();
        assert_eq!(piped.schema(), &expected);
        assert_eq!(read_all(&*piped).unwrap(), rows.bytes(), "{format} through a pipe");
        // Past the end, and not whole rows.
        let row = rows.schema().row_bytes();
        for (first, size) in [(rows.len(), row), (usize::MAX, row), (0, row + 1)] {
            let error = opened.read(first, &mut vec![0; size]);
            assert!(error.is_err_and(|e| e.kind() == ErrorKind::Argument) || row == 1);
        }
    }
}

#[test]
fn no_rows_are_written_and_read() {
    for (format, rows) in examples() {
        if matches!(format, Format::Fvecs | Format::Bvecs | Format::Ivecs) {
            continue; // An empty file does not tell its dimension.
        }
        let none = Matrix::new(rows.schema().clone(), Vec::new()).unwrap();
        let options = options(format, rows.schema());
        let opened = open_reader(&mut &write(format, &none)[..], &format!("a.{format}"), &options);
        assert!(opened.unwrap().is_empty(), "{format}");
    }
}

#[test]
fn a_large_pipe_goes_through_a_file_and_threads_share_it() {
    let rows = matrix(DType::F64, 50_000, &[100]);
    let written = write(Format::Npy, &rows);
    let opened = open_reader(&mut &written[..], "", &OpenOptions::default()).unwrap();
    let row = rows.schema().row_bytes();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (opened, rows) = (&opened, &rows);
            scope.spawn(move || {
                let mut out = vec![0; 100 * row];
                for first in (thread * 100..50_000).step_by(400) {
                    opened.read(first, &mut out).unwrap();
                    assert!(out == rows.bytes()[first * row..(first + 100) * row]);
                }
            });
        }
    });
}

#[test]
fn a_large_table_is_parsed() {
    let count = 500_000;
    let values: Vec<f64> = (0..count * 10).map(|i| f64::from(i) / 7.0).collect();
    let rows = Matrix::from_slice(&values, &[10]).unwrap();
    let written = write(Format::Csv, &rows);
    let opened = open_reader(&mut &written[..], "", &OpenOptions::default()).unwrap();
    assert_eq!(opened.len(), count as usize);
    let mut out = vec![0; rows.bytes().len()];
    opened.read(0, &mut out).unwrap();
    assert!(out == rows.bytes());
}

/// Opens and reads whatever `damaged` is; a panic is the failure looked for.
fn survives(damaged: &[u8], name: &str, options: &OpenOptions) -> aezip::Result<()> {
    let rows = open_reader(&mut &*damaged, name, options)?;
    read_all(&*rows).map(drop)
}

#[test]
fn cut_files_are_refused() {
    for (format, rows) in examples() {
        let written = write(format, &rows);
        let options = options(format, rows.schema());
        let row = rows.schema().row_bytes() + if options.raw.is_some() { 0 } else { 4 };
        for end in 0..written.len() {
            let result = survives(&written[..end], &format!("a.{format}"), &options);
            match format {
                // Text that is cut may be valid text.
                Format::Csv => {}
                // The end of an archive says what is in it.
                Format::Npz => assert!(result.is_err(), "cut at {end}"),
                Format::Raw | Format::Fvecs | Format::Bvecs | Format::Ivecs => {
                    let whole = end % row == 0 && (end > 0 || format == Format::Raw);
                    assert_eq!(result.is_ok(), whole, "{format} cut at {end}");
                }
                _ => {
                    let kind = result.unwrap_err().kind();
                    assert_eq!(kind, ErrorKind::Truncated, "{format} cut at {end}");
                }
            }
        }
    }
}

#[test]
fn files_with_flipped_bits_do_not_panic() {
    for (format, rows) in examples() {
        let mut written = write(format, &rows);
        let options = options(format, rows.schema());
        for at in 0..written.len() {
            let byte = written[at];
            for damage in (0..8).map(|bit| byte ^ (1 << bit)).chain([0, 0x7f, 0xff]) {
                written[at] = damage;
                let _ = survives(&written, &format!("a.{format}"), &options);
                let _ = survives(&written, "", &options);
            }
            written[at] = byte;
        }
    }
}

#[test]
fn packed_files_that_are_damaged_do_not_panic() {
    use std::io::Write;
    let idx = write(Format::Idx, &matrix(DType::F32, 9, &[4]));
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&idx).unwrap();
    let packed = encoder.finish().unwrap();
    let options = OpenOptions::default();
    survives(&packed, "a.gz", &options).unwrap();
    for at in 0..packed.len() {
        assert!(survives(&packed[..at], "a.gz", &options).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut damaged = packed.clone();
            damaged[at] ^= 1 << bit;
            let _ = survives(&damaged, "a.gz", &options);
        }
    }
}

/// A column of numbers, written as text and read again.
fn comes_back_from_csv(values: &[f64]) {
    let rows = Matrix::from_slice(values, &[]).unwrap();
    let opened = open_reader(&mut &write(Format::Csv, &rows)[..], "a.csv", &OpenOptions::default());
    let back = read_all(&*opened.unwrap()).unwrap();
    assert_eq!(back.len(), values.len() * 8);
    for (value, back) in values.iter().zip(back.as_chunks().0) {
        let back = f64::from_le_bytes(*back);
        assert!(back.to_bits() == value.to_bits() || back.is_nan() && value.is_nan(), "{value}");
    }
}

proptest! {
    #[test]
    fn npy_gives_back_any_array(
        code in 0_u8..11,
        rows in 0_usize..40,
        row_shape in prop::collection::vec(1_usize..6, 0..4),
        seed in any::<u64>(),
    ) {
        let schema = Schema::new(DType::from_code(code).unwrap(), &row_shape);
        let count = rows * schema.row_bytes();
        let rows = Matrix::new(schema, bytes(count, seed)).unwrap();
        let written = write(Format::Npy, &rows);
        let opened = open_reader(&mut &written[..], "", &OpenOptions::default()).unwrap();
        prop_assert_eq!(opened.schema(), rows.schema());
        prop_assert_eq!(read_all(&*opened).unwrap(), rows.bytes());
    }

    #[test]
    fn csv_gives_back_any_number(bits in prop::collection::vec(any::<u64>(), 1..40)) {
        comes_back_from_csv(&bits.into_iter().map(f64::from_bits).collect::<Vec<f64>>());
    }

    #[test]
    fn csv_gives_back_any_whole_number(exponent in 53_i32..64, fraction in 1.0_f64..2.0) {
        comes_back_from_csv(&[fraction * 2_f64.powi(exponent)]);
        comes_back_from_csv(&[-fraction * 2_f64.powi(exponent)]);
        comes_back_from_csv(&[fraction * 2_f64.powi(exponent), -1.0]);
    }

    #[test]
    fn any_text_is_refused_or_read(text in "[0-9a-z,;\t\"\n\r .NA?-]{0,120}") {
        let _ = survives(text.as_bytes(), "a.csv", &OpenOptions::default());
    }
}

/// Files of real data, where they are at hand.
#[test]
fn known_files_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if !folder.is_dir() {
        println!("skipped: no {}", folder.display());
        return;
    }
    let shape = |name: &str, columns: Option<&[&str]>| {
        let columns = columns.map(|c| c.iter().map(|c| c.to_string()).collect());
        let rows = open(folder.join(name), &OpenOptions { columns, ..Default::default() })?;
        let bytes = read_all(&*rows)?;
        // npy files are written back byte for byte.
        if name.ends_with("npy") {
            let rows = Matrix::new(rows.schema().clone(), bytes).unwrap();
            assert!(
                write(Format::Npy, &rows) == std::fs::read(folder.join(name)).unwrap(),
                "{name}"
            );
        }
        aezip::Result::Ok((rows.len(), rows.schema().row_shape.clone(), rows.schema().dtype))
    };
    let npy = |name| shape(name, None).unwrap();
    assert_eq!(npy("minilm-24k.npy"), (24000, vec![384], DType::F32));
    assert_eq!(npy("indian-pines.npy"), (21025, vec![200], DType::U16));
    assert_eq!(npy("era5-t2m-uk.npy"), (744, vec![33, 49], DType::F32));
    assert_eq!(npy("cfd-animation.npy"), (60, vec![50, 50], DType::F64));
    assert_eq!(npy("digits.npy"), (1797, vec![64], DType::U8));
    let images = shape("fashion-mnist/t10k-images-idx3-ubyte.gz", None).unwrap();
    assert_eq!(images, (10000, vec![28, 28], DType::U8));
    assert_eq!(shape("beijing-air.csv", None).unwrap(), (140256, vec![15], DType::F64));
    let flights = "nyc-flights.csv";
    let error = shape(flights, None).unwrap_err();
    assert!(error.to_string().contains("line 2: column \"carrier\" has \"UA\""), "{error}");
    let chosen = shape(flights, Some(&["dep_delay", "arr_delay", "distance"])).unwrap();
    assert_eq!(chosen, (111296, vec![3], DType::F64));
}
